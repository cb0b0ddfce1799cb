"""Pivots: the addresses to look at next, each with why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._display import human_bytes, instant
from ..siem.community import community_id_of

_MOST = 10
_INSIDE = 3  # new servers inside that are named


def pivots(
    sessions: Sequence[Mapping[str, Any]], address: str, peers: Sequence[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Returns at most ten addresses, most telling first: who got in before the first new connection went out, who is in
    findings with the address, new servers inside that answered it, and the new one outside that got most bytes."""
    out: dict[str, dict[str, Any]] = {}

    def add(peer: Any, why: str, time: int | None, session: Mapping[str, Any] | None = None) -> None:
        if not peer or peer == address:
            return
        row = out.setdefault(
            str(peer), {"kind": "pivot", "address": str(peer), "why": [], "time": time, "community_id": None}
        )
        row["why"] += [why]
        if session is not None:
            row["community_id"] = community_id_of(session)

    new = {peer["peer"] for peer in peers if peer["new"]}
    way = _way_in(sessions, address, new)
    if way is not None:
        inbound, outbound = way
        port = f" at port {inbound['server_port']}" if inbound["server_port"] is not None else ""
        add(
            inbound["client"],
            f"the last whom {address} answered{port} before its first connection to a new address, "
            f"{outbound['server']} at {instant(outbound['start'])} UTC",
            inbound["start"], inbound,
        )  # fmt: skip
        add(outbound["server"], "the first new address that it called", outbound["start"], outbound)
    for one in findings:
        if one["actor"] == address:
            for target in one["targets"][:_INSIDE]:
                add(target, f"target of {one['detector']} by {address}", one["start"])
        elif one["actor"]:
            add(one["actor"], f"{one['detector']} against {address}", one["start"])
    called = [peer for peer in peers if peer["new"] and "server" in _others_role(peer) and peer["answered"]]
    inside = [peer for peer in called if peer["inside"]]
    for peer in sorted(inside, key=lambda one: (-one["sessions"], one["peer"]))[:_INSIDE]:
        ports = ", ".join(peer["ports"][:3]) or "no port"
        add(peer["peer"], f"new, inside, and answered {address} at {ports}", peer["first"])
    outside = [peer for peer in peers if peer["new"] and not peer["inside"] and peer["bytes_sent"]]
    if outside:
        most = max(outside, key=lambda one: (one["bytes_sent"], one["peer"]))
        add(most["peer"], f"new, outside, and got most: {human_bytes(most['bytes_sent'])}", most["first"])
    rows = list(out.values())[:_MOST]
    return [{**row, "why": "; ".join(row["why"])} for row in rows]


def _others_role(peer: Mapping[str, Any]) -> list[str]:
    """Returns the roles of the peer: those that the address had to it, turned round."""
    return [{"client": "server", "server": "client"}.get(role, role) for role in peer["roles"]]


def _way_in(
    sessions: Sequence[Mapping[str, Any]], address: str, new: set[str]
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Returns the last answered session to the address before its first one to a new server, and that one."""
    known = [one for one in sessions if one["client_known"]]
    out = [one for one in known if one["client"] == address and one["server"] in new]
    if not out:
        return None
    first = min(out, key=lambda one: (one["start"], one["server"] or ""))
    before = [
        one for one in known
        if one["server"] == address and one["answered"] and one["start"] <= first["start"]
    ]  # fmt: skip
    if not before:
        return None
    return max(before, key=lambda one: (one["start"], one["client"] or "")), first
