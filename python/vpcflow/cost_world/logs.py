"""Flow logs of a world: a line for what an interface saw of a conversation in a window, and the truth beside it."""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

from .talks import Leg
from .world import Interface

#: Of a line of the log: what it is, whether it counts, and whose it is.
TRUTH = ("class", "counted", "bytes", "sides", "owner", "leg")


@dataclasses.dataclass(frozen=True)
class Seen:
    """Bytes that a leg carried in a window."""

    leg: Leg
    ports: tuple[int, int]
    start: int
    end: int
    bytes: int
    #: How often AWS charges the price of its class for a byte.
    sides: int

    @property
    def packets(self) -> int:
        return max(1, self.bytes // 1400)


def line(seen: Seen, names: Sequence[str], version: int) -> str:
    """Returns the line of a record."""
    values = {"version": version, **_values(seen), **_place(seen.leg.interface), **_hop(seen.leg)}
    return " ".join(_word(values.get(name)) for name in names)


def status_line(one: Interface, start: int, end: int, status: str, names: Sequence[str], version: int) -> str:
    """Returns the line of a window without data, or one that was skipped."""
    place = _place(one)
    kept = ("account-id", "interface-id", "vpc-id", "subnet-id", "instance-id", "region", "az-id", "resource-id")
    values: dict[str, Any] = {name: place.get(name) for name in kept}
    values.update({"version": version, "start": start, "end": end, "log-status": status})
    return " ".join(_word(values.get(name)) for name in names)


def truth(seen: Seen | None) -> str:
    """Returns the truth about a line, tab-separated as TRUTH names it; of a line without traffic, only its class."""
    if seen is None:
        return "\t".join(("nodata", "0", "0", "0", "-", "-"))
    leg = seen.leg
    size = 0 if leg.reason == "BPA" else seen.bytes
    return "\t".join((leg.kind, str(int(leg.counted)), str(size), str(seen.sides), leg.owner or "-", leg.leg or "-"))


def _word(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _values(seen: Seen) -> dict[str, Any]:
    leg = seen.leg
    blocked = leg.reason == "BPA"  # carries no bytes
    return {
        "srcaddr": leg.src, "dstaddr": leg.dst, "srcport": seen.ports[0], "dstport": seen.ports[1], "protocol": 6,
        "packets": None if blocked else seen.packets, "bytes": None if blocked else seen.bytes, "start": seen.start,
        "end": seen.end, "action": leg.action, "log-status": "OK", "tcp-flags": 2 if leg.action == "REJECT" else 0,
        "type": "IPv4", "pkt-srcaddr": leg.packet_src, "pkt-dstaddr": leg.packet_dst,
        "pkt-src-aws-service": leg.services[0], "pkt-dst-aws-service": leg.services[1],
        "flow-direction": "egress" if leg.egress else "ingress", "traffic-path": leg.path, "reject-reason": leg.reason,
    }  # fmt: skip


def _place(one: Interface) -> dict[str, Any]:
    team = urllib.parse.quote(one.team, safe="").replace("-", "%2D") if one.team else None
    return {
        "account-id": one.account, "interface-id": one.id, "vpc-id": one.vpc.id, "subnet-id": one.subnet,
        "instance-id": one.instance, "region": one.region.name, "az-id": one.zone,
        "interface-type": None if one.kind == "interface" else one.kind, "instance-tag": team, "interface-tag": team,
        "resource-id": one.resource if one.zone is None else None,
    }  # fmt: skip


def _hop(leg: Leg) -> dict[str, Any]:
    hop = leg.hop
    if hop is None:
        return {}
    return {
        "next-hop-interface-id": hop.id, "next-hop-subnet-id": hop.subnet, "next-hop-az-id": hop.zone,
        "next-hop-vpc-id": hop.vpc.id, "next-hop-interface-type": None if hop.kind == "interface" else hop.kind,
    }  # fmt: skip


def windows(start: int, seconds: int, window: int) -> Iterator[tuple[int, int]]:
    """Yields the parts of a time in windows, which begin at multiples: first second, and the one behind the last."""
    end = start + seconds
    while start < end:
        stop = min(end, start - start % window + window)
        yield start, stop
        start = stop
