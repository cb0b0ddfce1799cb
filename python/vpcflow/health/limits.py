"""How near an account is to its limits: ports of NAT addresses, tracked connections, bandwidth of instances.

All are bounds: a log shows windows of a minute or ten, not the moment, and not the sockets that are held after their
connection is over.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from .._keyed import Keyed
from ..findings.membership import membership
from ..inventory.inventory import Inventory
from ..inventory.names import add_name, addresses_of, interface_of_addresses, kind_of_interface
from ..inventory.table import members
from ..labels.prefixes import Labels
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all
from ..query.scan import scan
from .edges import as_records

#: Ports of one address towards one destination address, port and protocol (AWS's limit of NAT gateways).
NAT_PORTS = 55_000
_HOLD = 350  # seconds for which a socket may be held after its last packet: the idle timeout of NAT and of Nitro
_MINUTE = 60
_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class NatUse(Keyed):
    """Ports of a NAT address, or of a load balancer's, in use towards one destination, in its busiest minute."""

    nat: str
    destination: str
    port: int | None
    protocol: int | None
    #: Unix seconds: where the busiest minute begins.
    time: int
    #: Ports seen in the minute; and with those that may have been held by connections of before.
    lower: int
    upper: int
    limit: int
    #: Where the number comes from: ``"nat"``, the NAT's own records, or ``"routes"``, those of the clients behind it.
    seen_at: str


@dataclasses.dataclass(frozen=True)
class Tracked(Keyed):
    """Connections of an interface, or address, that are tracked at once, at the most. AWS publishes no limit."""

    name: str
    time: int
    lower: int
    upper: int


@dataclasses.dataclass(frozen=True)
class Throughput(Keyed):
    """Bandwidth of an instance against that of its type, by minutes, in Gbit/s, of all its interfaces."""

    instance: str
    instance_type: str
    #: ``"in"``, ``"out"``; ``"both"``, where the logs do not tell them apart: then one direction has half at least.
    direction: str
    minutes: int
    p50: float
    p95: float
    p99: float
    max: float
    baseline: float
    peak: float | None
    minutes_above: int
    longest_above: int


def intermediaries_of(inventory: Inventory | None) -> list[str]:
    """Returns the private addresses of NAT gateways and network load balancers."""
    if inventory is None:
        return []
    out = set()
    for versions in (table.versions.values() for table in _tables(inventory, "NatGateways")):
        for gateway in (version.item for some in versions for version in some):
            out |= {str(one.get("PrivateIp")) for one in members(gateway, "NatGatewayAddresses")}
    for table in _tables(inventory, "NetworkInterfaces"):
        for interface in (version.item for some in table.versions.values() for version in some):
            if kind_of_interface(interface) in ("nat_gateway", "regional_nat_gateway", "network_load_balancer"):
                public = _public(interface)
                out |= {address for address in addresses_of(interface) if address not in public}
    return sorted(address for address in out if _is_address(address))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _tables(inventory: Inventory, kind: str) -> list[Any]:
    return [inventory.tables[kind]] if kind in inventory.tables else []


def _public(interface: Any) -> set[str]:
    out = set()
    for one in [interface, *members(interface, "PrivateIpAddresses")]:
        association = one.get("Association")
        if isinstance(association, dict) and association.get("PublicIp"):
            out.add(str(association["PublicIp"]))
    return out


# -- concurrent sessions


def _peaks(records: Flows, ends: Flows, keys: Sequence[str], hold: int) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    """Returns by keys the busiest minute, the sessions in it, and with those that ended up to ``hold`` seconds before.
    ``records``, ``ends``: the same sessions, the latter with their ends as starts."""
    opened, closed = collect_all([_by_minute(records, keys)])[0], collect_all([_by_minute(ends, keys)])[0]
    moves: dict[tuple[Any, ...], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for which, rows in enumerate((opened, closed)):
        for row in zip(*(rows[name] for name in ("time", "n", *keys))):
            moves[row[2:]][row[0] // _MINUTE][which] += row[1]
    out = {}
    for key, minutes in moves.items():
        active = 0
        best = (0, 0, 0)
        past: list[tuple[int, int]] = []  # what ended, by minute
        for minute in sorted(minutes):
            begun, over = minutes[minute]
            active += begun
            past = [one for one in past if one[0] * _MINUTE >= minute * _MINUTE - hold]
            held = active + sum(n for _, n in past)
            best = max(best, (active, held, -minute))
            active -= over
            past.append((minute, over))
        out[key] = (-best[2] * _MINUTE, best[0], best[1])
    return out


def _by_minute(records: Flows, keys: Sequence[str]) -> Flows:
    return records.group_by(*keys, every=_MINUTE, bin_by="start").agg(n=of.count())


def _ends(sessions: Result) -> Flows:
    """The sessions as records that begin when the sessions end."""
    names = [
        ("client", "srcaddr"), ("server", "dstaddr"), ("server_port", "dstport"), ("protocol", "protocol"),
        ("end", "start"), ("client_packets", "packets"),
    ]  # fmt: skip
    return scan(Result(sessions._table.renamed(names, []), sessions.report), allow_empty=True)._with(
        session_records=True
    )


# -- NAT


def nat_use(sessions: Result, inventory: Inventory | None, given: Iterable[str]) -> list[NatUse]:
    """Returns the use of NAT addresses' ports by destination, the busiest first."""
    keys = ("srcaddr", "dstaddr", "dstport", "protocol")
    everything, counted = as_records(sessions, counted=False), as_records(sessions)
    all_clients, first_legs = (
        {row["srcaddr"]: row["n"] for row in records.group_by("srcaddr").agg(n=of.count()).collect()}
        for records in (everything, counted)
    )
    second = {address for address, n in all_clients.items() if n > first_legs.get(address, 0)}
    addresses = second | ({*given, *intermediaries_of(inventory)} & set(all_clients))
    found = []
    if addresses:
        found = [
            NatUse(nat, destination, port, protocol, time, lower, upper, NAT_PORTS, "nat")
            for (nat, destination, port, protocol), (time, lower, upper) in _peaks(
                _only(everything, "srcaddr", addresses), _only(_ends(sessions), "srcaddr", addresses), keys, _HOLD
            ).items()
        ]
    if inventory is not None:
        found += _by_routes(sessions, inventory, addresses)
    found.sort(key=lambda use: (-use.upper, -use.lower, use.nat, use.destination, use.port or 0))
    return found[:_SHOWN]


def _only(records: Flows, field: str, values: Iterable[str]) -> Flows:
    flows, are = membership(records, "one_of_them", field, set(values))
    return flows.filter(are)._with(lenient=True)


def _by_routes(sessions: Result, inventory: Inventory, seen: set[str]) -> list[NatUse]:
    """Of NAT gateways whose own records the logs lack: by the clients in the subnets that route to them."""
    gateways = {
        one: [str(address.get("PrivateIp")) for address in members(gateway, "NatGatewayAddresses")]
        for one, gateway in inventory.at("NatGateways").items()
    }
    behind = Labels("subnets")
    some = False
    for subnet, gateway in _routed(inventory).items():
        if gateway in gateways and not seen & set(gateways[gateway]):
            cidr = inventory.at("Subnets")[subnet].get("CidrBlock")
            some = (bool(cidr) and add_name(behind, cidr, gateway)) or some
    if not some:
        return []
    inside = Labels("networks")
    for network in (*inventory.at("Vpcs").values(), *inventory.at("Subnets").values()):
        if network.get("CidrBlock"):
            add_name(inside, network["CidrBlock"], "inside")
    keys = ("nat", "dstaddr", "dstport", "protocol")
    behind, inside = behind.done(), inside.done()

    def out_through(records: Flows) -> Flows:
        named = records.label("nat", "srcaddr", behind).label("inside", "dstaddr", inside)
        return named.filter("nat is not null and inside is null")._with(lenient=True)

    peaks = _peaks(out_through(as_records(sessions, counted=False)), out_through(_ends(sessions)), keys, _HOLD)
    out = []
    for (gateway, destination, port, protocol), (time, lower, upper) in peaks.items():
        share = max(1, len(gateways[gateway]))  # AWS spreads connections over the addresses, evenly or not
        least = math.ceil(lower / share)
        out.append(NatUse(gateway, destination, port, protocol, time, least, upper, NAT_PORTS, "routes"))
    return out


def _routed(inventory: Inventory) -> dict[str, str]:
    """Returns the NAT gateway of each subnet that routes to one."""
    by_subnet: dict[str, str] = {}
    main: dict[str, str] = {}
    associated = set()
    for table in inventory.at("RouteTables").values():
        gateway = next((str(r["NatGatewayId"]) for r in members(table, "Routes") if r.get("NatGatewayId")), None)
        for association in members(table, "Associations"):
            if association.get("SubnetId"):
                associated.add(str(association["SubnetId"]))
                if gateway:
                    by_subnet[str(association["SubnetId"])] = gateway
            elif association.get("Main") and gateway:
                main[str(table.get("VpcId"))] = gateway
    for subnet, item in inventory.at("Subnets").items():
        if subnet not in associated and str(item.get("VpcId")) in main:
            by_subnet[subnet] = main[str(item.get("VpcId"))]
    return {subnet: gateway for subnet, gateway in by_subnet.items() if subnet in inventory.at("Subnets")}


# -- tracked connections


def tracked(sessions: Result, inventory: Inventory | None) -> list[Tracked]:
    """Returns the connections that interfaces track at once, at the most: by interface where an inventory tells it,
    else by address. Only the twenty with most sessions."""
    found: dict[str, Tracked] = {}
    table = None
    if inventory is not None and "NetworkInterfaces" in inventory.tables:
        table = interface_of_addresses(inventory)
    for field in ("srcaddr", "dstaddr"):
        records, ends, key = as_records(sessions, counted=False), _ends(sessions), field
        if table is not None:
            records, ends, key = (*(one.label("eni", field, table) for one in (records, ends)), "eni")
            records, ends = (one.filter("eni is not null")._with(lenient=True) for one in (records, ends))
        else:
            busiest = records.group_by(field).agg(n=of.count()).top_k(_SHOWN, by="n").collect()
            addresses = [address for address in busiest[field] if address is not None]
            if not addresses:
                continue
            records, ends = _only(records, field, addresses), _only(ends, field, addresses)
        for (name,), (time, lower, upper) in _peaks(records, ends, (key,), _HOLD).items():
            before = found.get(str(name))
            if before is None:
                found[str(name)] = Tracked(str(name), time, lower, upper)
            else:  # as client and as server: at least the more of both, at most their sum
                time = time if lower > before.lower else before.time
                found[str(name)] = Tracked(str(name), time, max(lower, before.lower), upper + before.upper)
    return sorted(found.values(), key=lambda one: (-one.lower, -one.upper, one.name))[:_SHOWN]


# -- bandwidth


def throughput_query(flows: Flows) -> Flows:
    """Returns the query whose result :func:`throughput` takes."""
    grouped = flows._with(allow_missing=True).group_by("interface_id", "flow_direction", every=_MINUTE)
    return grouped.agg(bytes=of.sum("bytes"))


def can_tell_throughput(inventory: Inventory | None) -> bool:
    """Tells whether an inventory has instances and the limits of their types."""
    return inventory is not None and bool(inventory.at("Instances")) and bool(inventory.at("InstanceTypes"))


def throughput(result: Result, inventory: Inventory, minutes: int) -> list[Throughput]:
    """Returns the bandwidth of instances against that of their types. ``minutes``: those of the logs."""
    instance_of = _instances(inventory)
    limits = {name: _bandwidth(item) for name, item in inventory.at("InstanceTypes").items()}
    kinds = {one: str(item.get("InstanceType")) for one, item in inventory.at("Instances").items()}
    rates: dict[tuple[str, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    names = {"ingress": "in", "egress": "out"}
    for row in result:
        instance = instance_of.get(row["interface_id"])
        if instance is None or not row["bytes"] or row["time"] is None:
            continue
        direction = names.get(row["flow_direction"], "both")
        rates[(instance, direction)][row["time"]] += row["bytes"] * 8 / _MINUTE / 1e9
    out = []
    for (instance, direction), by_minute in sorted(rates.items()):
        baseline, peak = limits.get(kinds.get(instance, ""), (None, None))
        if baseline is None:
            continue
        ordered = [*[0.0] * max(0, minutes - len(by_minute)), *sorted(by_minute.values())]
        above = sorted(time // _MINUTE for time, rate in by_minute.items() if rate > baseline)
        longest = run = 0
        for i, minute in enumerate(above):
            run = run + 1 if i and minute == above[i - 1] + 1 else 1
            longest = max(longest, run)
        p50, p95, p99 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99))
        out.append(
            Throughput(
                instance, kinds[instance], direction, len(ordered), p50, p95, p99, ordered[-1], baseline, peak,
                len(above), longest,
            )
        )  # fmt: skip
    return out


def _bandwidth(item: Any) -> tuple[float | None, float | None]:
    """Returns the baseline and the peak of an instance type in Gbit/s, of all its network cards."""
    info = item.get("NetworkInfo")
    cards = members(info, "NetworkCards") if isinstance(info, dict) else []
    found = []
    for name in ("BaselineBandwidthInGbps", "PeakBandwidthInGbps"):
        values = [card.get(name) for card in cards]
        numbers = [float(value) for value in values if isinstance(value, (int, float)) and value > 0]
        found.append(sum(numbers) if numbers and len(numbers) == len(values) else None)
    return found[0], found[1]


def _instances(inventory: Inventory) -> dict[str, str]:
    """Returns the instance of each interface."""
    out = {}
    for one, instance in inventory.at("Instances").items():
        for interface in members(instance, "NetworkInterfaces"):
            out[str(interface.get("NetworkInterfaceId"))] = one
    for one, interface in inventory.at("NetworkInterfaces").items():
        attachment = interface.get("Attachment")
        if isinstance(attachment, dict) and attachment.get("InstanceId"):
            out[one] = str(attachment["InstanceId"])
    return out
