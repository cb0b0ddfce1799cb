"""What flow logs can be created for: the nine types of resources, and what AWS takes for each."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from .._hints import hint
from ..errors import PlanError


@dataclasses.dataclass(frozen=True)
class ResourceType:
    """A type of resource, as CreateFlowLogs names it."""

    name: str
    #: What ids begin with; of types that share it the first one is meant.
    prefix: str
    #: The largest number of ids that one call takes.
    batch: int
    #: Whose fields records have: ``"vpc"``, ``"tgw"`` or ``"wan"``. The latter two take no traffic type, and the
    #: interval is 60 seconds.
    family: str
    #: The argument of Terraform's ``aws_flow_log``; empty where it has none.
    terraform: str
    #: Whether CloudFormation's ``AWS::EC2::FlowLog`` takes the type.
    cloudformation: bool
    meaning: str


RESOURCE_TYPES = {
    kind.name: kind
    for kind in (
        ResourceType("VPC", "vpc", 300, "vpc", "vpc_id", True, "a VPC"),
        ResourceType("Subnet", "subnet", 300, "vpc", "subnet_id", True, "a subnet"),
        ResourceType("NetworkInterface", "eni", 300, "vpc", "eni_id", True, "a network interface"),
        ResourceType(
            "TransitGatewayAttachment", "tgw-attach", 25, "tgw", "transit_gateway_attachment_id", True,
            "an attachment of a transit gateway",
        ),
        ResourceType("TransitGateway", "tgw", 25, "tgw", "transit_gateway_id", True, "a transit gateway"),
        ResourceType("RegionalNatGateway", "nat", 300, "vpc", "regional_nat_gateway_id", True,
                     "a regional NAT gateway"),
        ResourceType("CoreNetwork", "core-network", 300, "wan", "", False, "a core network of Cloud WAN"),
        ResourceType("CoreNetworkAttachment", "attachment", 300, "wan", "", False,
                     "an attachment of a core network"),
        ResourceType("CoreNetworkEdge", "core-network-edge", 300, "wan", "", False, "an edge of a core network"),
    )
}  # fmt: skip
_FORMS = ", ".join(f"{kind.prefix}-..." for kind in RESOURCE_TYPES.values())
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


@dataclasses.dataclass(frozen=True, order=True)
class Resource:
    """A resource: the name of its type and its id."""

    type: str
    id: str

    @property
    def kind(self) -> ResourceType:
        """What AWS takes for resources of the type."""
        return RESOURCE_TYPES[self.type]

    def __str__(self) -> str:
        return self.id


def resource_of(text: str) -> Resource:
    """Reads a resource: an id, an ARN, or ``TYPE:ID`` for ids that do not tell their type.

    Raises :class:`~vpcflow.PlanError` for anything else.

    >>> resource_of("vpc-0a1"), resource_of("tgw-attach-0b2").type, resource_of("CoreNetworkEdge:edge-1").type
    (Resource(type='VPC', id='vpc-0a1'), 'TransitGatewayAttachment', 'CoreNetworkEdge')
    >>> resource_of("arn:aws:ec2:eu-west-1:123456789012:natgateway/nat-0c3")
    Resource(type='RegionalNatGateway', id='nat-0c3')
    """
    name = text.strip()
    if name.startswith("arn:"):
        name = re.split("[/:]", name)[-1]
    elif ":" in name:
        kind_name, _, identity = name.partition(":")
        return _of_type(kind_name, identity, text)
    kinds = sorted(RESOURCE_TYPES.values(), key=lambda kind: -len(kind.prefix))
    kind = next((kind for kind in kinds if name.startswith(f"{kind.prefix}-")), None)
    if kind is None or not _ID.fullmatch(name[len(kind.prefix) + 1 :]):
        raise PlanError(f"no resource that flow logs can be created for: {text!r}; allowed are {_FORMS} or TYPE:ID")
    return Resource(kind.name, name)


def _of_type(name: str, identity: str, text: str) -> Resource:
    known = {kind.lower(): kind for kind in RESOURCE_TYPES}
    kind = known.get(re.sub("[-_ ]", "", name).lower())
    if kind is None:
        raise PlanError(f"no type of resources: {name!r} of {text!r}; {hint(name, list(RESOURCE_TYPES))}")
    if not _ID.fullmatch(identity):
        raise PlanError(f"no id of a resource: {identity!r} of {text!r}; letters, digits, '.', '_' and '-' are allowed")
    return Resource(kind, identity)


def resource_from(document: Any) -> Resource:
    """Reads what :func:`dataclasses.asdict` wrote. Raises :class:`~vpcflow.PlanError`."""
    if not isinstance(document, dict) or document.get("type") not in RESOURCE_TYPES or not document.get("id"):
        raise PlanError(f"no resource of a plan: {document!r}; allowed are objects with type and id")
    return Resource(document["type"], str(document["id"]))
