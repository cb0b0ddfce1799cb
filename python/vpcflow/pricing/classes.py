"""The classes of prices, and the usage types of bills and price lists that belong to each."""

from __future__ import annotations

import re

from .._hints import hint
from ..errors import PriceError

#: Classes with their units and the ends of their usage types (``*``: any letters).
CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "nat.gb": ("GB", ("NatGateway-Bytes", "RegionalNatGateway-Bytes")),
    "nat.hour": ("Hrs", ("NatGateway-Hours", "RegionalNatGateway-Hours")),
    "nat.provisioned.hour": ("Gbps-Hrs", ("NatGateway-Prvd-*",)),
    "vpce.gb": ("GB", ("VpcEndpoint-Bytes",)),
    "vpce.hour": ("Hrs", ("VpcEndpoint-Hours",)),
    "gwlbe.gb": ("GB", ("VpcEndpoint-GWLBE-Bytes",)),
    "gwlbe.hour": ("Hrs", ("VpcEndpoint-GWLBE-Hours",)),
    "tgw.gb": ("GB", ("TransitGateway-Bytes",)),
    "tgw.hour": ("Hrs", ("TransitGateway-Hours",)),
    "peering": ("GB", ("VpcPeering-In-Bytes", "VpcPeering-Out-Bytes")),
    "cross_az": ("GB", ("DataTransfer-Regional-Bytes",)),
    "public_in_region": ("GB", ("DataTransfer-Regional-Bytes",)),
    "xaz": ("GB", (
        "DataTransfer-xAZ-In-Bytes", "DataTransfer-xAZ-Out-Bytes", "DataTransfer-AZ-In-Bytes",
        "DataTransfer-AZ-Out-Bytes",
    )),
    "region.out": ("GB", ("AWS-Out-Bytes",)),
    "region.in": ("GB", ("AWS-In-Bytes",)),
    "internet.out": ("GB", ("DataTransfer-Out-Bytes",)),
    "internet.in": ("GB", ("DataTransfer-In-Bytes",)),
    "internet.free": ("GB", ("Global-DataTransfer-Out-Bytes",)),
    "ipv4.hour": ("Hrs", ("PublicIPv4:InUseAddress", "PublicIPv4:IdleAddress")),
    "logs.cloudwatch": ("GB", ("VendedLog-Bytes",)),
    "logs.cloudwatch_ia": ("GB", ("VendedLogIA-Bytes",)),
    "logs.s3": ("GB", ("S3-Egress-Bytes",)),
    "logs.parquet": ("GB", ("S3-Egress-InputBytes",)),
    "logs.firehose": ("GB", ("FH-Egress-Bytes",)),
    "logs.insights": ("GB", ("DataScanned-Bytes",)),
    "logs.storage": ("GB", ("TimedStorage-ByteHrs",)),
}  # fmt: skip

#: The class of the sheet by which a path class is priced; the other path classes cost nothing, or no sheet prices them.
PRICE_OF = {
    "nat": "nat.gb", "cross_az": "cross_az", "peering": "peering", "interface_endpoint": "vpce.gb", "tgw": "tgw.gb",
    "public_in_region": "public_in_region", "region_out": "region.out", "internet_out": "internet.out",
}  # fmt: skip

_PREFIX = r"(?:[A-Z]{2,4}[0-9]{0,2}-)"
_ENDS = {end: kind for kind, (_, ends) in reversed(list(CLASSES.items())) for end in ends}
_PATTERNS = "|".join(re.escape(end).replace(r"\*", "[A-Za-z-]+") for end in _ENDS)
_USAGE = re.compile(rf"(?P<prefix>{_PREFIX}{{0,2}})(?P<end>{_PATTERNS})")


def price_class(usage_type: str, operation: str | None = None) -> str | None:
    """Returns the class of a usage type, or ``None`` for one that is no traffic, gateway or log.

    A usage type is one of the ends that a class has, alone or after the prefix of a region; which prefix that is, the
    data tell. ``operation`` tells two classes of ``DataTransfer-Regional-Bytes`` apart: public addresses, and zones.

    >>> price_class("EU-NatGateway-Bytes"), price_class("USE1-RegionalNatGateway-Bytes"), price_class("NatBytes")
    ('nat.gb', 'nat.gb', None)
    >>> price_class("DataTransfer-Regional-Bytes", "PublicIP-In"), price_class("USE1-EU-AWS-Out-Bytes")
    ('public_in_region', 'region.out')
    """
    match = _USAGE.fullmatch(usage_type)
    if match is None:
        return None
    kind = _ENDS.get(match["end"], "nat.provisioned.hour")
    pair = match["prefix"].count("-")
    if kind in ("region.out", "region.in"):
        return kind if pair else None
    if pair > 1:
        return None
    if kind == "cross_az" and operation:
        if "PublicIP" in operation:
            return "public_in_region"
        if operation.lower().startswith("vpcpeering"):
            return "peering"
    return kind


def unit_of(kind: str) -> str:
    """Returns the unit of a class; :class:`~vpcflow.PriceError` with the nearest name for one that is none."""
    if kind not in CLASSES:
        raise PriceError(f"prices: class: {kind!r} is no class of prices; {hint(kind, list(CLASSES))}")
    return CLASSES[kind][0]


def check_usage_type(kind: str, usage_type: str) -> None:
    """Raises :class:`~vpcflow.PriceError` for a usage type that cannot be one of a class."""
    found = price_class(usage_type)
    same = {found, *(("public_in_region", "peering") if found == "cross_az" else ())}
    if kind not in same:
        ends = CLASSES[kind][1]
        raise PriceError(
            f"prices: usage type: {usage_type!r} is none of {kind}; {hint(usage_type, list(ends))}, alone or after the "
            "prefix of a region"
        )
