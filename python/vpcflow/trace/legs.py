"""Legs: the same conversation at NAT gateways, load balancers and transit gateways, each joined by a named rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..query.expr import count
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.expr import sum as sum_of
from ..query.flows import Flows
from .timelines import about

_KEYS = (
    "interface_id", "tgw_attachment_id", "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "protocol"
)  # fmt: skip
#: What each rule joins by.
RULES = {
    "packet-ends": "the record names another end than its packets have (pkt-srcaddr, pkt-dstaddr)",
    "tgw-attachment": "the same ends at an attachment of a transit gateway",
    "same-server": "candidate: the intermediary talked to the same server, port and protocol in the same time",
    "same-time": "candidate: somebody called the load balancer while it called the address",
}


def leg_query(flows: Flows, address: str) -> Flows:
    """Returns the query whose rows :func:`legs_in` takes."""
    known = "pkt_srcaddr is not null or tgw_attachment_id is not null or interface_type is not null"
    own = flows.filter(f"({about([address])}) and ({known})")
    return _figures(own._with(allow_missing=True).group_by(*_KEYS, "interface_type"))


def _figures(grouped: Any) -> Flows:
    made: Flows = grouped.agg(
        first=min_of("start"), last=max_of("end"), bytes=sum_of("bytes"), packets=sum_of("packets"), records=count()
    )
    return made


def legs_in(rows: Iterable[Mapping[str, Any]], address: str) -> list[dict[str, Any]]:
    """Returns the legs of conversations of the address whose rule leaves no doubt, in order of time."""
    out = []
    for row in rows:
        ends = (row["srcaddr"], row["dstaddr"])
        packet = (row["pkt_srcaddr"] or ends[0], row["pkt_dstaddr"] or ends[1])
        if packet != ends:
            through = next(one for one, other in zip(ends, packet) if one != other)
            out.append(_leg(row, "packet-ends", packet, through, True))
        elif row["tgw_attachment_id"]:
            out.append(_leg(row, "tgw-attachment", packet, row["tgw_attachment_id"], True))
    return sorted(out, key=_order)


def balancers_in(rows: Iterable[Mapping[str, Any]], address: str) -> set[str]:
    """Returns the other ends of what interfaces of load balancers logged of the address, by ``interface-type``."""
    out = set()
    for row in rows:
        ends = {row["srcaddr"], row["dstaddr"]}
        if "load_balancer" in (row["interface_type"] or "") and address in ends:
            out |= {str(one) for one in ends - {address, None}}
    return out


def callers(
    sessions: Iterable[Mapping[str, Any]], own: Sequence[Mapping[str, Any]], address: str, balancers: set[str]
) -> list[dict[str, Any]]:
    """Returns who may have called the address through load balancers: a row a client, balancer and port. ``sessions``:
    those of the balancers; ``own``: those of the address."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in own:
        if one["server"] == address and one["client"] in balancers:
            spans.setdefault(one["client"], []).append((one["start"], one["end"]))
    out: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in sessions:
        through = one["server"]
        if not any(a <= one["end"] and one["start"] <= b for a, b in spans.get(through, ())):
            continue
        counts = {name: (one[f"client_{name}"] or 0) + (one[f"server_{name}"] or 0) for name in ("bytes", "packets")}
        row = {
            "interface_id": one["interface"], "tgw_attachment_id": None, "srcaddr": one["client"], "dstaddr": through,
            "protocol": one["protocol"], "first": one["start"], "last": one["end"], "records": one["records"], **counts,
        }  # fmt: skip
        leg = _leg(row, "same-time", (one["client"], through), through, False)
        leg |= {"peer": one["client"], "port": one["server_port"]}
        key = tuple(leg[name] for name in ("srcaddr", "dstaddr", "protocol", "port"))
        out[key] = leg if key not in out else _together(out[key], leg)
    return sorted(out.values(), key=_order)


def second_query(flows: Flows, legs: Sequence[Mapping[str, Any]], address: str) -> Flows | None:
    """Returns the query of the legs between the intermediaries that took what the address sent and its servers;
    ``None`` if there are none."""
    sent = [leg for leg in legs if leg["rule"] == "packet-ends" and leg["through"] not in (address, leg["peer"])]
    if not sent:
        return None
    through, servers = ({str(leg[name]) for leg in sent} for name in ("through", "peer"))
    listed = [", ".join(repr(one) for one in sorted(some)) for some in (through, servers)]
    both = [
        f"(srcaddr in ({listed[0]}) and dstaddr in ({listed[1]}))",
        f"(dstaddr in ({listed[0]}) and srcaddr in ({listed[1]}))",
    ]
    own = flows.filter(" or ".join(both))._with(allow_missing=True)
    return _figures(own.group_by(*_KEYS, "srcport", "dstport"))


def candidates(
    rows: Iterable[Mapping[str, Any]], legs: Sequence[Mapping[str, Any]], tried: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the rows that may be the second leg of conversations that the address began."""
    calls = {(one["server"], one["port"], one["protocol"]): one for one in tried}
    through = {str(leg["through"]) for leg in legs}
    out: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        outward = row["srcaddr"] in through
        server, port = (row["dstaddr"], row["dstport"]) if outward else (row["srcaddr"], row["srcport"])
        call = calls.get((server, port, row["protocol"]))
        packet = (row["pkt_srcaddr"] or row["srcaddr"], row["pkt_dstaddr"] or row["dstaddr"])
        if call is None or packet != (row["srcaddr"], row["dstaddr"]):
            continue
        if row["first"] > call["last"] or row["last"] < call["first"]:
            continue
        leg = _leg(row, "same-server", packet, row["srcaddr"] if outward else row["dstaddr"], False)
        leg |= {"peer": server, "port": port}
        key = tuple(leg[name] for name in ("interface", "srcaddr", "dstaddr", "protocol", "port"))
        out[key] = leg if key not in out else _together(out[key], leg)
    return sorted(out.values(), key=_order)


def _leg(row: Mapping[str, Any], rule: str, packet: tuple[Any, Any], through: Any, certain: bool) -> dict[str, Any]:
    return {
        "kind": "leg", "rule": rule, "certain": certain, "interface": row["interface_id"],
        "attachment": row["tgw_attachment_id"], "through": through, "srcaddr": row["srcaddr"],
        "dstaddr": row["dstaddr"], "pkt_srcaddr": packet[0], "pkt_dstaddr": packet[1], "peer": None,
        "protocol": row["protocol"], "port": None, "first": row["first"], "last": row["last"], "bytes": row["bytes"],
        "packets": row["packets"], "records": row["records"],
    }  # fmt: skip


def with_peers(legs: Iterable[dict[str, Any]], address: str) -> list[dict[str, Any]]:
    """Fills in the peer that each leg is of."""
    for leg in legs:
        ends = (leg["pkt_srcaddr"], leg["pkt_dstaddr"])
        leg["peer"] = leg["peer"] or (ends[1] if ends[0] == address else ends[0])
    return list(legs)


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    sums = {name: (one[name] or 0) + (other[name] or 0) for name in ("bytes", "packets", "records")}
    return {**one, **sums, "first": min(one["first"], other["first"]), "last": max(one["last"], other["last"])}


def _order(leg: Mapping[str, Any]) -> tuple[Any, ...]:
    return (leg["first"], *(str(leg[name]) for name in ("srcaddr", "dstaddr", "interface", "attachment", "protocol")))
