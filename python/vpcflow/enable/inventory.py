"""What an account has: resources that flow logs can be created for, the flow logs, and where they go."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import VpcflowError
from ..inventory.documents import Document, documents_in, pascal
from .destinations import CLOUDWATCH, FIREHOSE, S3, Destination
from .resources import RESOURCE_TYPES, Resource, resource_of
from .spec import MANAGED_BY, FlowLogSpec, described_spec

# How the interfaces of one kind are written by different calls: small letters without separators, and one name.
_INTERFACE_TYPES = {
    "natgateway": "nat_gateway",
    "regionalnatgateway": "regional_nat_gateway",
    "networkloadbalancer": "network_load_balancer",
    "loadbalancer": "load_balancer",
    "gatewayloadbalancer": "gateway_load_balancer",
    "gatewayloadbalancerendpoint": "gateway_load_balancer_endpoint",
    "vpcendpoint": "vpc_endpoint",
    "transitgateway": "transit_gateway",
    "efaonly": "efa_only",
}


@dataclasses.dataclass(frozen=True)
class Known:
    """A resource of the inventory."""

    resource: Resource
    #: Ids of the resources whose flow logs cover it, nearest first: subnet and VPC of an interface.
    above: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    #: Its tag ``Name``.
    name: str = ""
    #: Of interfaces: ``nat_gateway``, ``lambda``, ..., in one spelling.
    interface_type: str = ""
    #: Why AWS makes no flow logs of it; empty where it does.
    unloggable: str = ""


@dataclasses.dataclass(frozen=True)
class FlowLog:
    """A flow log that is there."""

    id: str
    spec: FlowLogSpec
    account: str = ""
    region: str = ""
    active: bool = True
    #: ``SUCCESS``, ``FAILED``, or empty before the first delivery.
    delivery: str = ""
    error: str = ""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    created: str = ""

    @property
    def failed(self) -> bool:
        """Whether AWS says that it delivers nothing, or not all."""
        return self.delivery.upper() == "FAILED" or (bool(self.error) and self.delivery.upper() != "SUCCESS")

    @property
    def managed(self) -> bool:
        """Whether it was made of a plan."""
        return self.tags.get(MANAGED_BY[0]) == MANAGED_BY[1]


@dataclasses.dataclass(frozen=True)
class Inventory:
    """Resources and flow logs, by id, and what is known of destinations. Nothing in here is changed."""

    resources: Mapping[str, Known] = dataclasses.field(default_factory=dict)
    flow_logs: Mapping[str, FlowLog] = dataclasses.field(default_factory=dict)
    #: Days of retention by log group, 0 for those that keep for ever.
    log_groups: Mapping[str, int] = dataclasses.field(default_factory=dict)
    #: Policies as texts, by bucket.
    bucket_policies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: Names of ``buckets``, ``streams`` and ``roles``.
    names: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    #: Which kinds of answers were there, as ``"Vpcs"``.
    kinds: frozenset[str] = frozenset()
    account: str = ""
    region: str = ""
    #: What was not read, and what is missing.
    notes: tuple[str, ...] = ()

    @functools.cached_property
    def _by_resource(self) -> dict[str, list[FlowLog]]:
        found: dict[str, list[FlowLog]] = {}
        for log in self.flow_logs.values():
            found.setdefault(log.spec.resource.id, []).append(log)
        return found

    def of(self, resource_id: str) -> list[FlowLog]:
        """Returns the flow logs of one resource."""
        return self._by_resource.get(resource_id, [])

    def covering(self, resource_id: str) -> list[FlowLog]:
        """Returns the flow logs that record a resource: its own, and those of what it is in."""
        known = self.resources.get(resource_id)
        return [log for one in (resource_id, *(known.above if known else ())) for log in self.of(one)]

    def lists(self, resource_type: str) -> bool:
        """Tells whether all resources of a type are in here."""
        return bool(_LISTED_BY[resource_type] & self.kinds)

    def is_gone(self, destination: Destination) -> bool:
        """Tells whether a destination is known to be gone."""
        if destination.type == CLOUDWATCH and "LogGroups" in self.kinds:
            own = not self.account or destination.account in ("", self.account)
            return own and destination.name not in self.log_groups
        if destination.type == FIREHOSE and "DeliveryStreamNames" in self.kinds:
            own = not self.account or destination.account in ("", self.account)
            return own and destination.name not in self.names["streams"]
        return False

    def missing_bucket(self, destination: Destination) -> bool:
        """Tells whether a bucket is none of the account's: gone, or of another account."""
        return destination.type == S3 and "Buckets" in self.kinds and destination.name not in self.names["buckets"]


_LISTED_BY = {
    "VPC": {"Vpcs"},
    "Subnet": {"Subnets"},
    "NetworkInterface": {"NetworkInterfaces"},
    "TransitGateway": {"TransitGateways"},
    "TransitGatewayAttachment": {"TransitGatewayAttachments"},
    "RegionalNatGateway": {"NatGateways"},
    "CoreNetwork": {"CoreNetworks"},
    "CoreNetworkAttachment": {"Attachments"},
    "CoreNetworkEdge": set(),
}


def interface_type(text: str) -> str:
    """Returns one name for a type of interfaces, whichever call wrote it.

    >>> interface_type("natGateway"), interface_type("nat-gateway"), interface_type("Lambda")
    ('nat_gateway', 'nat_gateway', 'lambda')
    """
    letters = re.sub("[^a-z0-9]", "", text.lower())
    return _INTERFACE_TYPES.get(letters, text.strip().lower().replace("-", "_"))


def inventory_in(folder: str | os.PathLike[str], account: str = "", region: str = "") -> Inventory:
    """Reads the inventory from a folder of answers of describe calls, as :func:`documents_in` does."""
    documents, notes = documents_in(folder)
    return inventory_of(documents, notes, account, region)


def inventory_of(
    documents: Iterable[Document], notes: Iterable[str] = (), account: str = "", region: str = "",
    known: Iterable[Resource] = (),
) -> Inventory:  # fmt: skip
    """Makes an inventory of answers. ``account`` and ``region`` are those of answers that do not tell their own;
    ``known`` are resources that no answer need tell."""
    documents = list(documents)
    resources: dict[str, Known] = {resource.id: Known(resource) for resource in known}
    for document in documents:
        for told in _resources(document):
            old = resources.get(told.resource.id)
            resources[told.resource.id] = _merged(old, told) if old else told
    resources = _with_chains(resources)
    hints = [arn.split(":") for arn in _own_arns(documents)]
    accounts = {*(known.account for known in resources.values()), *(parts[4] for parts in hints)} - {""}
    regions = {*(known.region for known in resources.values()), *(parts[3] for parts in hints)} - {""}
    account = account or (accounts.pop() if len(accounts) == 1 else "")
    region = region or (regions.pop() if len(regions) == 1 else "")
    resources = {
        one: dataclasses.replace(known, account=known.account or account, region=known.region or region)
        for one, known in resources.items()
    }
    found = Inventory(
        resources=resources,
        log_groups=_log_groups(documents),
        bucket_policies=_policies(documents),
        names={
            "buckets": _names(documents, "Buckets", "Name"),
            "streams": _names(documents, "DeliveryStreamNames", ""),
            "roles": _names(documents, "Roles", "RoleName"),
        },
        kinds=frozenset(document.kind for document in documents),
        account=account,
        region=region,
    )
    said = list(notes)
    logs = {log.id: log for document in documents for log in _flow_logs(document, found, said)}
    return dataclasses.replace(found, flow_logs=logs, notes=tuple(said))


def _own_arns(documents: Iterable[Document]) -> Iterator[str]:
    """Yields ARNs that are of the account itself: of its log groups, and of the roles that its flow logs are given."""
    for document in documents:
        for item in document.items if document.kind in ("LogGroups", "FlowLogs") else ():
            found = pascal(item) if isinstance(item, dict) else {}
            arn = _text(found, "Arn" if document.kind == "LogGroups" else "DeliverLogsPermissionArn")
            if re.match("arn:[^:]*:[^:]*:[^:]*:[^:]*:", arn):
                yield arn


def _resources(document: Document) -> Iterator[Known]:
    """Yields the resources of an answer."""
    read = _READERS.get(document.kind)
    for item in document.items:
        if read is None or not isinstance(item, dict):
            continue
        item = pascal(item)
        known = read(item)
        if known is not None and known.resource.id:
            zone = re.match(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]", str(item.get("AvailabilityZone") or ""))
            yield dataclasses.replace(
                known,
                account=str(known.account or item.get("OwnerId") or document.account).zfill(12)
                if (known.account or item.get("OwnerId") or document.account)
                else "",
                region=known.region or (zone[0] if zone else "") or document.region,
                name=_tags(item).get("Name", ""),
            )


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    tags = item.get("Tags") or item.get("TagSet") or []
    if not isinstance(tags, (dict, list)):
        return {}
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag.get("Key")): str(tag.get("Value") or "") for tag in tags if isinstance(tag, dict)}


def _text(item: Mapping[str, Any], name: str) -> str:
    return str(item.get(name) or "")


def _above(*ids: str) -> tuple[str, ...]:
    return tuple(one for one in ids if one)


def _vpc(item: Mapping[str, Any]) -> Known:
    return Known(Resource("VPC", _text(item, "VpcId")))


def _subnet(item: Mapping[str, Any]) -> Known:
    return Known(Resource("Subnet", _text(item, "SubnetId")), _above(_text(item, "VpcId")))


def _interface(item: Mapping[str, Any]) -> Known:
    own = Resource("NetworkInterface", _text(item, "NetworkInterfaceId"))
    above = _above(_text(item, "SubnetId"), _text(item, "VpcId"))
    return Known(own, above, interface_type=interface_type(_text(item, "InterfaceType") or "interface"))


def _transit_gateway(item: Mapping[str, Any]) -> Known:
    return Known(
        Resource("TransitGateway", _text(item, "TransitGatewayId")), region=_arn_part(item, "TransitGatewayArn")
    )


def _attachment(item: Mapping[str, Any]) -> Known | None:
    if _text(item, "State").lower() in ("deleted", "failed", "rejected"):
        return None
    kind = _text(item, "ResourceType").lower()
    return Known(
        Resource("TransitGatewayAttachment", _text(item, "TransitGatewayAttachmentId")),
        _above(_text(item, "TransitGatewayId")),
        account=_text(item, "TransitGatewayOwnerId"),
        unloggable="AWS records no traffic of Connect attachments" if kind == "connect" else "",
    )


def _nat_gateway(item: Mapping[str, Any]) -> Known | None:
    if _text(item, "AvailabilityMode").lower() != "regional" or _text(item, "State").lower() in ("deleted", "failed"):
        return None  # zonal ones are network interfaces
    return Known(Resource("RegionalNatGateway", _text(item, "NatGatewayId")))


def _core_network(item: Mapping[str, Any]) -> Known:
    return Known(Resource("CoreNetwork", _text(item, "CoreNetworkId")), account=_text(item, "OwnerAccountId"))


def _core_attachment(item: Mapping[str, Any]) -> Known | None:
    if not item.get("CoreNetworkId"):
        return None
    return Known(
        Resource("CoreNetworkAttachment", _text(item, "AttachmentId")),
        _above(_text(item, "CoreNetworkId")),
        account=_text(item, "OwnerAccountId"),
        region=_text(item, "EdgeLocation"),
    )


_READERS = {
    "Vpcs": _vpc,
    "Subnets": _subnet,
    "NetworkInterfaces": _interface,
    "TransitGateways": _transit_gateway,
    "TransitGatewayAttachments": _attachment,
    "TransitGatewayVpcAttachments": _attachment,
    "NatGateways": _nat_gateway,
    "CoreNetworks": _core_network,
    "Attachments": _core_attachment,
}


def _arn_part(item: Mapping[str, Any], name: str) -> str:
    parts = _text(item, name).split(":")
    return parts[3] if len(parts) > 3 else ""


def _merged(old: Known, new: Known) -> Known:
    """Returns what two answers say of one resource."""
    return dataclasses.replace(
        old,
        interface_type=old.interface_type or new.interface_type,
        above=new.above or old.above,
        account=old.account or new.account,
        region=old.region or new.region,
        name=old.name or new.name,
        unloggable=old.unloggable or new.unloggable,
    )


def _with_chains(resources: dict[str, Known]) -> dict[str, Known]:
    """Completes what covers a resource: the VPC of the subnet of an interface."""
    out = {}
    for one, known in resources.items():
        above = list(known.above)
        for step in known.above:
            above += [more for more in (resources[step].above if step in resources else ()) if more not in above]
        account, region = known.account, known.region
        for step in above:
            upper = resources.get(step)
            account, region = account or (upper.account if upper else ""), region or (upper.region if upper else "")
        out[one] = dataclasses.replace(known, above=tuple(above), account=account, region=region)
    return _with_regions_of_vpcs(out)


def _with_regions_of_vpcs(resources: dict[str, Known]) -> dict[str, Known]:
    """Gives VPCs, whose description tells none, the region and account of what is in them."""
    found: dict[str, tuple[str, str]] = {}
    for known in resources.values():
        for upper in known.above:
            account, region = found.get(upper, ("", ""))
            found[upper] = (account or known.account, region or known.region)
    return {
        one: dataclasses.replace(
            known,
            region=known.region or found.get(one, ("", ""))[1],
            account=known.account or (found.get(one, ("", ""))[0] if known.resource.type == "VPC" else ""),
        )
        for one, known in resources.items()
    }


def _log_groups(documents: Iterable[Document]) -> dict[str, int]:
    out = {}
    for document in documents:
        for item in document.items if document.kind == "LogGroups" else ():
            group = pascal(item) if isinstance(item, dict) else {}
            days = group.get("RetentionInDays")
            out[_text(group, "LogGroupName")] = days if isinstance(days, int) else 0
    return out


def _policies(documents: Iterable[Document]) -> dict[str, str]:
    out: dict[str, str] = {}
    for document in documents:
        for item in document.items if document.kind == "Policy" else ():
            text = item if isinstance(item, str) else json.dumps(item)
            for bucket in _buckets_of(document, text):
                out[bucket] = text
    return out


def _buckets_of(document: Document, policy: str) -> set[str]:
    """Returns the bucket that a policy is of: in the name of its file, or else in its resources; empty if neither
    tells."""
    return {document.about} if document.about else set(re.findall(r"arn:aws[a-z-]*:s3:::([^/\"*]+)", policy)) or {""}


def _names(documents: Iterable[Document], kind: str, member: str) -> frozenset[str]:
    items = (item for document in documents if document.kind == kind for item in document.items)
    return frozenset(_text(pascal(item), member) if isinstance(item, dict) else str(item) for item in items)


def _flow_logs(document: Document, inventory: Inventory, notes: list[str]) -> Iterator[FlowLog]:
    for item in document.items if document.kind == "FlowLogs" else ():
        flow_log = pascal(item) if isinstance(item, dict) else {}
        named = _text(flow_log, "FlowLogId")
        try:
            resource = _resource_named(_text(flow_log, "ResourceId"), inventory)
            known = inventory.resources.get(resource.id)
            account = (known.account if known else "") or document.account or inventory.account
            region = (known.region if known else "") or document.region or inventory.region
            spec = described_spec(flow_log, resource, account, region)
        except (VpcflowError, ValueError, TypeError, AttributeError) as error:  # of what AWS never wrote
            notes.append(f"{document.source}: flow log {named or '?'} is not read: {error}")
            continue
        yield FlowLog(
            id=named,
            spec=spec,
            account=account,
            region=region,
            active=_text(flow_log, "FlowLogStatus").upper() in ("", "ACTIVE"),
            delivery=_text(flow_log, "DeliverLogsStatus"),
            error=_text(flow_log, "DeliverLogsErrorMessage"),
            tags=_tags(flow_log),
            created=_text(flow_log, "CreationTime"),
        )


def _resource_named(identity: str, inventory: Inventory) -> Resource:
    known = inventory.resources.get(identity)
    if known is not None:
        return known.resource
    return resource_of(identity)


def types_of(inventory: Inventory) -> list[str]:
    """Returns the types of which the inventory has resources, in the order of the table."""
    there = {known.resource.type for known in inventory.resources.values()}
    return [name for name in RESOURCE_TYPES if name in there]
