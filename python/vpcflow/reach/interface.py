"""Network interfaces, out of AWS's answers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from ..inventory.table import members
from .rules import prefixes

# Older answers tell some types by the description alone.
_DESCRIPTIONS = {
    "Interface for NAT Gateway": "nat_gateway", "ELB net/": "network_load_balancer",
    "ELB gwy/": "gateway_load_balancer", "Network Interface for Transit Gateway": "transit_gateway",
    "VPC Endpoint Interface": "vpc_endpoint", "AWS Lambda VPC ENI": "lambda",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Interface:
    """A network interface as it was at a time."""

    id: str
    vpc: str
    subnet: str
    #: The zone's id (``use1-az4``), which all accounts share; else its name; ``""`` if neither is known.
    zone: str
    #: One spelling for what AWS writes in several: ``interface``, ``nat_gateway``, ``network_load_balancer``,
    #: ``transit_gateway``, ``vpc_endpoint``, ``lambda``, ...; ``""`` if it is not known.
    kind: str
    #: Ids of its security groups.
    groups: tuple[str, ...]
    #: Private prefixes: addresses of both families as ``10.0.0.1/32``, and delegated prefixes.
    addresses: tuple[str, ...]
    #: The private address that flow logs show for all of them; ``""`` if it has none.
    primary: str
    public: tuple[str, ...]
    #: Id of the instance that it is attached to; ``""`` without one.
    instance: str
    #: Its ``Name``, else that of its instance; ``""`` without one.
    name: str
    #: Its tags over those of its instance.
    tags: Mapping[str, str]
    #: The answer of AWS.
    item: Mapping[str, Any]

    @property
    def asg(self) -> str:
        """Name of the Auto Scaling group; ``""`` without one."""
        return self.tags.get("aws:autoscaling:groupName", "")


def interface_of(id: str, item: Mapping[str, Any], instance: Mapping[str, Any], subnet: Mapping[str, Any]) -> Interface:
    """Makes an interface of the answers about it, its instance and its subnet; those may be empty."""
    private = members(item, "PrivateIpAddresses")
    texts = [str(item.get("PrivateIpAddress") or ""), *(str(one.get("PrivateIpAddress") or "") for one in private)]
    for name, member in (
        ("Ipv6Addresses", "Ipv6Address"),
        ("Ipv4Prefixes", "Ipv4Prefix"),
        ("Ipv6Prefixes", "Ipv6Prefix"),
    ):
        texts += [str(one.get(member) or "") for one in members(item, name)]
    associations = [one.get("Association") for one in (item, *private)]
    public = [str(one.get("PublicIp")) for one in associations if isinstance(one, Mapping) and one.get("PublicIp")]
    tags = {}
    for tag in (*members(instance, "Tags"), *members(item, "Tags"), *members(item, "TagSet")):
        tags[str(tag.get("Key"))] = str(tag.get("Value"))
    zones = (one.get(name) for name in ("AvailabilityZoneId", "AvailabilityZone") for one in (item, subnet))
    return Interface(
        id=id,
        vpc=str(item.get("VpcId") or subnet.get("VpcId") or ""),
        subnet=str(item.get("SubnetId") or ""),
        zone=next((str(zone) for zone in zones if zone), ""),
        kind=kind_of(item),
        groups=tuple(str(one.get("GroupId")) for one in members(item, "Groups") if one.get("GroupId")),
        addresses=tuple(dict.fromkeys(prefixes(text for text in texts if text))),
        primary=next((text for text in texts if text), ""),
        public=tuple(dict.fromkeys(public)),
        instance=instance_of(item),
        name=tags.get("Name", ""),
        tags=tags,
        item=item,
    )


def instance_of(item: Mapping[str, Any]) -> str:
    """Returns the id of the instance that an interface is attached to; ``""`` without one."""
    attachment = item.get("Attachment")
    return str(attachment.get("InstanceId") or "") if isinstance(attachment, Mapping) else ""


def kind_of(item: Mapping[str, Any]) -> str:
    """Returns the type of an interface in one spelling."""
    text = str(item.get("InterfaceType") or "").strip()
    kind = "" if text == "-" else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower().replace("-", "_")
    if kind not in ("", "interface"):
        return kind
    description = str(item.get("Description") or "")
    return next((meant for start, meant in _DESCRIPTIONS.items() if description.startswith(start)), kind)
