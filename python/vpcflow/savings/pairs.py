"""Advice about pairs: across zones, by public addresses, by a transit gateway."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .gateways import saving_of
from .network import public_addresses
from .observe import ByHour, listed, parts
from .rows import Saving

if TYPE_CHECKING:
    from .advise import Case

_TOP = 20  # pairs that are shown, those that cost most


def advice(case: Case) -> Iterator[Saving]:
    """Yields advice about pairs of own interfaces."""
    yield from _across_zones(case)
    yield from _publicly(case)
    yield from _by_transit(case)


def _across_zones(case: Case) -> Iterator[Saving]:
    network = case.network
    pairs: dict[tuple[str, str, str], ByHour] = {}
    for vpc in sorted({str(item.get("VpcId")) for item in network.subnets.values()}):
        prefixes = network.prefixes(vpc)
        if not prefixes:
            continue
        inside = f"srcaddr in ({listed(prefixes)}) and dstaddr in ({listed(prefixes)})"
        for row in _once(case, case.observer.pairs(inside)):
            one, other = (network.by_address.get(row[end], {}) for end in ("srcaddr", "dstaddr"))
            kinds = {str(item.get("InterfaceType", "interface")) for item in (one, other)}
            zones = [network.zone(row[end]) for end in ("srcaddr", "dstaddr")]
            if kinds == {"interface"} and all(zones) and zones[0] != zones[1]:
                ends = sorted((network.owner(row["srcaddr"]), network.owner(row["dstaddr"])))
                _plus(pairs.setdefault((network.region(one), *ends), {}), row)  # type: ignore[arg-type]
    for (region, one_end, other_end), by_hour in _top(pairs):
        price = case.price("cross_az", region)
        parts = [(by_hour, None if price is None else 2 * price)]
        yield saving_of(
            case, "cross_az_pair", f"{one_end} - {other_end}", region, parts,
            (
                f"{_gb(by_hour)} GB across zones between {one_end} and {other_end} in {case.observed.said}",
                "zone-aware routing, or a replica in the same zone",
                "replicas in other zones are there to survive one: how much can stay in a zone is not known, so the "
                "interval begins at nothing", None,
            ), certain=False,
        )  # fmt: skip


def _publicly(case: Case) -> Iterator[Saving]:
    """Own interfaces that talk by public addresses."""
    network = case.network
    own = {address: item for item in network.interfaces.values() for address in public_addresses(item)}
    pairs: dict[tuple[str, str, str], ByHour] = {}
    by_nat = {name for nat in network.nats() for name in nat.interfaces}
    hairpin: set[tuple[str, str, str]] = set()
    for part in parts(sorted(own)):
        for row in case.observer.pairs(f"dstaddr in ({listed(part)})"):
            sender, receiver = network.by_address.get(row["srcaddr"]), own[row["dstaddr"]]
            if sender is None or sender.get("NetworkInterfaceId") != row["interface_id"]:
                continue
            region = network.region(sender)
            if region == network.region(receiver):
                receiver_name = network.owner(str(receiver.get("PrivateIpAddress")))
                key = (region, network.owner(row["srcaddr"]), receiver_name)
                _plus(pairs.setdefault(key, {}), row)
                if row["interface_id"] in by_nat:
                    hairpin.add(key)
    for key, by_hour in _top(pairs):
        region, sender_name, receiver_name = key
        price, nat = case.price("public_in_region", region), Decimal(0)
        if key in hairpin:
            nat = case.price("nat.gb", region) or Decimal(0)
        yield saving_of(
            case, "hairpin", f"{sender_name} to {receiver_name}", region,
            [(by_hour, None if price is None else 2 * price + nat)],
            (
                f"{_gb(by_hour)} GB from {sender_name} to {receiver_name} by its public address in "
                f"{case.observed.said}",
                "use the private address (a private hosted zone), or peer the VPCs",
                "names must resolve to private addresses inside; across zones, the price of zones remains",
                None,
            ), certain=False,
        )  # fmt: skip


def _by_transit(case: Case) -> Iterator[Saving]:
    """Pairs of VPCs by a transit gateway, which peering would connect without a price by the GB."""
    network = case.network
    names = [name for name, item in network.interfaces.items() if item.get("InterfaceType") == "transit_gateway"]
    prefixes = [
        (ipaddress.ip_network(p), str(v.get("VpcId")))
        for v in network.inventory.at("Vpcs").values()
        for p in network.prefixes(str(v.get("VpcId")))
    ]
    pairs: dict[tuple[str, str, str], ByHour] = {}
    across: dict[tuple[str, str, str], ByHour] = {}
    direction = " and flow_direction = 'ingress'" if "flow_direction" in case.observer.columns else ""
    for part in parts(sorted(names)):
        for row in case.observer.pairs(f"interface_id in ({listed(part)}){direction}"):
            own = network.interfaces[row["interface_id"]]
            ends = [_vpc_of(row[end], prefixes) for end in ("srcaddr", "dstaddr")]
            if ends[0] != own.get("VpcId") or not ends[1] or ends[0] == ends[1]:
                continue  # from a workload into the gateway, once
            key = (network.region(own), *sorted((ends[0], ends[1])))
            _plus(pairs.setdefault(key, {}), row)  # type: ignore[arg-type]
            if network.zone(row["srcaddr"]) != network.zone(row["dstaddr"]):
                _plus(across.setdefault(key, {}), row)  # type: ignore[arg-type]
    for key, by_hour in _top(pairs):
        region, one, other = key
        price, zone = case.price("tgw.gb", region), case.price("peering", region)
        yield saving_of(
            case, "peering_instead_of_tgw", f"{one} - {other}", region,
            [(by_hour, price), (across.get(key, {}), None if zone is None else -2 * zone)],
            (
                f"{_gb(by_hour)} GB by transit gateway between {one} and {other} in {case.observed.said}; what crosses "
                "zones then pays both sides",
                f"aws ec2 create-vpc-peering-connection --vpc-id {one} --peer-vpc-id {other}; then routes in both",
                "a mesh of peerings grows with the square of VPCs; inspection in the path of the gateway is passed by",
                f'resource "aws_vpc_peering_connection" "this" {{\n  vpc_id      = "{one}"\n  peer_vpc_id = "{other}"\n'
                "}\n",
            ),
        )  # fmt: skip


def _once(case: Case, rows: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yields the bytes of each pair once: as the sender recorded them; where it did not, as the receiver did."""
    by_address, seen = case.network.by_address, set()
    for row in rows:
        if by_address.get(row["srcaddr"], {}).get("NetworkInterfaceId") == row["interface_id"]:
            seen.add((row["srcaddr"], row["dstaddr"], row["hour"]))
            yield row
    for row in rows:
        receiver = by_address.get(row["dstaddr"], {}).get("NetworkInterfaceId")
        if receiver == row["interface_id"] and (row["srcaddr"], row["dstaddr"], row["hour"]) not in seen:
            yield row


def _vpc_of(address: str, prefixes: list[tuple[Any, str]]) -> str:
    where = ipaddress.ip_address(address)
    return next((vpc for network, vpc in prefixes if where in network), "")


def _top(pairs: dict[tuple[str, str, str], ByHour]) -> list[tuple[tuple[str, str, str], ByHour]]:
    return sorted(pairs.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))[:_TOP]


def _plus(by_hour: ByHour, row: Mapping[str, Any]) -> None:
    by_hour[row["hour"]] = by_hour.get(row["hour"], Decimal(0)) + row["bytes"]


def _gb(by_hour: ByHour) -> str:
    return f"{sum(by_hour.values(), Decimal(0)) / (1 << 30):,.1f}"
