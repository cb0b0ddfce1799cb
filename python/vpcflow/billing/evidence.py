"""What logs and inventory say of what logs lack: hours, windows, VPCs, sides, and records that are there twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses import is_private
from ..inventory import Inventory
from ..query.expr import count
from ..query.expr import max as maximum
from ..query.expr import min as minimum
from ..query.flows import Flows

HOUR = 3600
_SAMPLE = 2_000_000  # records that are searched for duplicates
_LISTED = 500  # addresses in one condition
#: What makes a record: what is equal in all of these is the same one again.
_RECORD = (
    "interface_id", "resource_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "end", "action",
    "flow_direction", "pkt_srcaddr", "pkt_dstaddr", "bytes",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known of the logs beside their bytes. All hours are Unix seconds by 3,600."""

    #: That have a record; empty: not known.
    hours: frozenset[int] = frozenset()
    #: That have SKIPDATA.
    skipped: frozenset[int] = frozenset()
    #: VPCs none of whose interfaces recorded anything.
    silent_vpcs: tuple[str, ...] = ()
    #: Interfaces of other VPCs that recorded nothing.
    silent: tuple[str, ...] = ()
    #: Path classes with traffic of which only one end is logged.
    one_sided: frozenset[str] = frozenset()
    #: Records that are there once more.
    duplicates: int = 0
    #: Path classes with records that two flow logs have, of which one is counted.
    repeated: frozenset[str] = frozenset()
    #: VPC of NAT gateways, endpoints, instances, attachments and interfaces, by id.
    vpc_of: Mapping[str, str] = dataclasses.field(default_factory=dict)


def evidence_of(flows: Flows, inventory: Inventory | None = None) -> Evidence:
    """Reads logs for what they lack, in four queries. ``inventory``: what should have recorded; without it, VPCs and
    sides are not told. Raises what reading raises."""
    hours, skipped = _hours(flows)
    interfaces = _interfaces(inventory) if inventory is not None else {}
    recorded, vpcs = _recorded(flows)
    vpcs |= {item["VpcId"] for name, item in interfaces.items() if name in recorded and item.get("VpcId")}
    quiet = {name: item for name, item in interfaces.items() if name not in recorded}
    silent = {name: item for name, item in quiet.items() if item.get("VpcId") in vpcs}
    return Evidence(
        hours=hours, skipped=skipped,
        silent_vpcs=tuple(sorted({str(item["VpcId"]) for item in quiet.values() if item.get("VpcId") not in vpcs})),
        silent=tuple(sorted(silent)), one_sided=_one_sided(flows, interfaces, silent, inventory),
        duplicates=_duplicates(flows), vpc_of=_vpc_of(inventory) if inventory is not None else {},
    )  # fmt: skip


def _hours(flows: Flows) -> tuple[frozenset[int], frozenset[int]]:
    columns = set(flows.columns)
    if "start" not in columns:
        return frozenset(), frozenset()
    keys = ["log_status"] if "log_status" in columns else []
    there: set[int] = set()
    skipped: set[int] = set()
    for row in flows.group_by(*keys, every="1h").agg(n=count()).collect().rows():
        if row["time"] is None:
            continue
        (skipped if row.get("log_status") == "SKIPDATA" else there).add(int(row["time"]) // HOUR)
    return frozenset(there | skipped), frozenset(skipped)


def _recorded(flows: Flows) -> tuple[set[str], set[str]]:
    """Returns the interfaces that have a record, with data or without, and the VPCs."""
    keys = [name for name in ("interface_id", "vpc_id", "log_status") if name in flows.columns]
    interfaces, vpcs = set(), set()
    for row in flows.group_by(*keys).agg(n=count()).collect().rows() if keys else ():
        interfaces.add(row.get("interface_id"))
        vpcs.add(row.get("vpc_id"))
    return {str(one) for one in interfaces if one}, {str(one) for one in vpcs if one}


def _interfaces(inventory: Inventory) -> dict[str, Mapping[str, Any]]:
    return {name: item for name, item in inventory.at("NetworkInterfaces").items() if item.get("Status") != "available"}


def _addresses(item: Mapping[str, Any]) -> set[str]:
    """Returns the private and the public addresses of an interface."""
    found = {str(item.get("PrivateIpAddress") or "")}
    for one in item.get("PrivateIpAddresses") or ():
        found |= {str(one.get("PrivateIpAddress") or ""), str((one.get("Association") or {}).get("PublicIp") or "")}
    found |= {str(one.get("Ipv6Address") or "") for one in item.get("Ipv6Addresses") or ()}
    return found - {""}


def _one_sided(
    flows: Flows, interfaces: Mapping[str, Mapping[str, Any]], silent: Mapping[str, Mapping[str, Any]],
    inventory: Inventory | None,
) -> frozenset[str]:  # fmt: skip
    """Returns the classes of traffic with interfaces that recorded nothing, though their VPC is logged."""
    if inventory is None or not silent or not {"interface_id", "srcaddr", "dstaddr"} <= set(flows.columns):
        return frozenset()
    by_address = {address: item for item in silent.values() for address in _addresses(item)}
    peers = {
        frozenset(str((item.get(side) or {}).get("VpcId")) for side in ("RequesterVpcInfo", "AccepterVpcInfo"))
        for item in inventory.at("VpcPeeringConnections").values()
    }
    found = set()
    listed = sorted(by_address)
    for part in (listed[at : at + _LISTED] for at in range(0, len(listed), _LISTED)):
        names = ", ".join(f"'{address}'" for address in part)
        asked = flows.filter(f"srcaddr in ({names}) or dstaddr in ({names})")
        for row in asked.group_by("interface_id", "srcaddr", "dstaddr").agg(n=count()).collect().rows():
            own = interfaces.get(str(row["interface_id"]))
            for end in (row["srcaddr"], row["dstaddr"]):
                if own is not None and end in by_address:
                    found.add(_between(own, by_address[end], str(end), peers))
    return frozenset(found - {""})


def _between(one: Mapping[str, Any], other: Mapping[str, Any], address: str, peers: set[frozenset[str]]) -> str:
    """Returns the class of what goes between two interfaces, if each side pays for it."""
    if not is_private(address):
        return "public_in_region"
    if one.get("VpcId") == other.get("VpcId"):
        zones = [item.get("AvailabilityZoneId") or item.get("AvailabilityZone") for item in (one, other)]
        exempt = {str(item.get("InterfaceType")) for item in (one, other)} & {"vpc_endpoint", "transit_gateway"}
        return "cross_az" if zones[0] != zones[1] and not exempt else ""
    return "peering" if frozenset((str(one.get("VpcId")), str(other.get("VpcId")))) in peers else ""


def _duplicates(flows: Flows) -> int:
    """Counts the records that are there more than once; of large logs, in a part of their time."""
    columns = set(flows.columns)
    keys = [name for name in _RECORD if name in columns]
    if not {"interface_id", "srcaddr", "dstaddr", "start"} <= set(keys):
        return 0
    (row,) = flows.agg(n=count(), first=minimum("start"), last=maximum("start")).collect().rows()
    if not row["n"]:
        return 0
    if row["n"] > _SAMPLE:
        middle = (row["first"] + row["last"]) // 2
        half = max(60, (row["last"] - row["first"]) * _SAMPLE // row["n"] // 2)
        flows = flows.filter(f"start >= {middle - half} and start < {middle + half}")
    found = flows.group_by(*keys).agg(n=count()).having("n > 1").collect()
    return sum(int(row["n"]) - 1 for row in found.rows())


def _vpc_of(inventory: Inventory) -> dict[str, str]:
    out = {}
    kinds = ("NatGateways", "VpcEndpoints", "Instances", "NetworkInterfaces", "TransitGatewayVpcAttachments")
    for kind in kinds:
        for name, item in inventory.at(kind).items():
            if item.get("VpcId"):
                out[name] = str(item["VpcId"])
    out.update(_addresses_of_nats(inventory))
    return out


def _addresses_of_nats(inventory: Inventory) -> Iterator[tuple[str, str]]:
    for item in inventory.at("NatGateways").values():
        for address in item.get("NatGatewayAddresses") or ():
            if address.get("AllocationId") and item.get("VpcId"):
                yield str(address["AllocationId"]), str(item["VpcId"])
