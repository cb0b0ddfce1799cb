"""Which observed sessions a proposal must keep, and why others are left out."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections import Counter
from collections.abc import Iterable

from ..detect.detect import detect
from ..findings.finding import Finding
from .judging import Judged, JudgedStarts, Start
from .observed import Observed

#: Detectors whose actors' sessions a proposal does not keep.
HOSTILE = ("accepted_after_reject", "brute_force", "flood", "known_bad", "port_scan")
_GRAVE = ("critical", "high")  # of an actor inside, who may be a monitor, only these count


@dataclasses.dataclass
class Hostile:
    """Addresses whose sessions detection calls hostile, each with the finding that does."""

    clients: dict[str, str]
    peers: dict[str, str]  # whom nobody should talk to

    @staticmethod
    def of(findings: Iterable[Finding]) -> Hostile:
        clients: dict[str, str] = {}
        peers: dict[str, str] = {}
        for one in findings:
            if one.detector in HOSTILE and (one.severity in _GRAVE or not is_inside(one.actor)):
                clients.setdefault(one.actor, one.id)
            if one.detector == "known_bad":
                for target in one.targets:
                    peers.setdefault(target, one.id)
        return Hostile(clients, peers)

    def finding(self, start: Start) -> str | None:
        """Returns the finding that calls a start hostile."""
        client = start.own if start.egress else start.peer
        return self.clients.get(client) or self.peers.get(start.peer)


def hostile_in(observed: Observed) -> Hostile:
    """Runs the detectors of what is hostile over observed sessions."""
    return Hostile.of(detect(observed.sessions, only=HOSTILE))


@dataclasses.dataclass
class Sorted:
    """Observed starts: those to keep, and how many sessions were left out by reason."""

    kept: list[Judged]
    dropped: Counter[str]
    #: Accepted, but left out: what a narrower rule may stop.
    refused: list[tuple[Judged, str]]


def sort_out(starts: JudgedStarts, hostile: Hostile, exclude: Iterable[str] = ()) -> Sorted:
    """Sorts starts: kept is what was accepted by the rules, answered as far as the logs can show it, or of a protocol
    that needs no answer, and not hostile."""
    shunned = frozenset(exclude)
    out = Sorted([], Counter(), [])
    for one in starts:
        start = one.start
        reason = _reason(one, hostile, shunned)
        if reason is None:
            out.kept.append(one)
            continue
        out.dropped[reason] += start.sessions
        if start.action != "REJECT" and one.verdict != "deny":
            out.refused.append((one, reason))
    return out


def _reason(one: Judged, hostile: Hostile, exclude: frozenset[str]) -> str | None:
    start = one.start
    if start.action == "REJECT":
        return "rejected"
    if one.verdict == "deny":
        return "accepted, and the rules deny it"
    if start.peer in exclude:
        return "excluded"
    if (finding := hostile.finding(start)) is not None:
        return f"hostile: {finding.partition('/')[0]}"
    if start.answered is False and not (start.state == "one-way" and start.protocol != 6):
        return "unanswered"
    return None


# What VPCs and those behind them use.
_INSIDE = [
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
]


def is_inside(address: str) -> bool:
    """Tells whether an address is a private one."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(one.version == net.version and one in net for net in _INSIDE)
