"""What logs can show: whether an interface that logged nothing had nothing to log."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._display import instant
from .attempts import Attempt, Side
from .reading import Logs, Question

if TYPE_CHECKING:
    from ..inventory import Inventory
    from ..reach import Network

#: Seconds after a packet in which its answer may still be logged, in the window that follows.
_ANSWER = 60


@dataclasses.dataclass
class Seeing:
    """What the logs of a question can show."""

    logs: Logs
    question: Question
    network: Network | None
    #: By interface: the traffic types of its flow logs; none for one that no flow log of the inventory has.
    traffic: dict[str, set[str]]
    #: By id, as the inventory has them.
    vpcs: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    #: Of attempts by their ``id()`` the target that a load balancer handed them to.
    targets: dict[int, str] = dataclasses.field(default_factory=dict)
    #: Whether records are missing that the logs should have: then no silence proves anything.
    has_holes: bool = False

    def interfaces(self, attempt: Attempt | None, side: Side) -> list[str]:
        """Returns the interfaces at which an end is known to be: by the inventory, or as they logged the other
        direction of the same attempt."""
        end = self.question.client if side == "client" else self.question.server
        if attempt is None:
            return sorted(end.interfaces)
        address = attempt.client if side == "client" else attempt.server
        own = {one for one in (end.owners.get(address), self._owner(side, address)) if one}
        logged = {e.row["interface_id"] for e in attempt.entries if e.side == side and e.row["interface_id"]}
        return sorted(own | logged)

    def _owner(self, side: Side, address: str) -> str | None:
        end = self.question.client if side == "client" else self.question.server
        if self.network is None or not end.interfaces:
            return None
        return next((one.id for one in self.network.at_address(address) if one.id in end.interfaces), None)

    def is_silent(self, attempt: Attempt, side: Side) -> bool:
        """Tells whether an end logged nothing of an attempt because there was nothing."""
        return self.why_unknown(attempt, side) == ""

    def why_unknown(self, attempt: Attempt, side: Side) -> str:
        """Returns why the lack of records of an end proves nothing; empty: it does."""
        interfaces = self.interfaces(attempt, side)
        if not interfaces:
            return f"nobody knows the {side}'s interface"
        return self.why_blind(interfaces, attempt.start, attempt.end + _ANSWER)

    def why_blind(self, interfaces: Iterable[str], start: int, end: int) -> str:
        """Returns why the silence of interfaces in a time proves nothing; empty: it does."""
        logs = self.logs
        if self.has_holes:
            return "records are missing that the logs should have"
        if "log_status" not in logs.everywhere:
            return "without log-status nobody sees which records AWS skipped"
        if logs.minutes is None:
            return "the logs have no times, or can be read only once"
        if lacking := [name for name in ("interface_id", "action", "start", "end") if name not in logs.everywhere]:
            return f"the logs lack {', '.join(lacking).replace('_', '-')}"
        if not all(any(getattr(one, way) for one in logs.interfaces.values()) for way in ("out", "into")):
            return "the logs have one direction alone"
        for one in interfaces:
            if not logs.covers(one, start, end):
                skipped = any(a < end and start < b for a, b in logs.skipped.get(one, []))
                return f"AWS skipped records of {one}" if skipped else f"the logs of {one} have a gap, or end"
            if hidden := self.hidden_actions(one):
                return hidden
        return ""

    def why_some_may_fail(self, attempts: Iterable[Attempt]) -> str:
        """Returns why further attempts may have been made that the logs do not show; empty: they show all."""
        logs, question = self.logs, self.question
        interfaces = set(self.interfaces(None, "client"))
        for one in attempts:
            interfaces |= set(self.interfaces(one, "client"))
        if not interfaces:
            return "nobody knows the client's interface"
        return self.why_unbounded() or self.why_blind(sorted(interfaces), *(question.between or logs.asked or (0, 0)))

    def why_unbounded(self) -> str:
        """Returns why it is not known that the logs have all of the time that is meant; empty: they have."""
        logs, bounds = self.logs, self.question.between or self.logs.asked
        if bounds is None:
            span = f"{instant(logs.start)} to {instant(logs.end)} UTC"
            return f"the logs are of {span}, and no time is asked for (--at, or --start and --end)"
        if logs.start is None or logs.end is None or logs.start > bounds[0] + 120 or logs.end < bounds[1] - 120:
            return f"the logs are of {instant(logs.start)} to {instant(logs.end)} UTC alone"
        return ""

    @property
    def lost_by_mtu(self) -> int:
        """Packets of these ends that transit gateways dropped as larger than their MTU."""
        return sum(row["packets_lost_mtu_exceeded"] or 0 for row in self.logs.rows)

    @property
    def watches_client(self) -> bool:
        """Whether the logs have records of the client's interface, or of its addresses, at all."""
        own = self.question.client.interfaces
        if not own:
            return self.logs.of_client > 0
        return self.logs.minutes is not None and all(self.logs.minutes.get(one) for one in own)

    def hidden_actions(self, interface: str) -> str:
        """Returns why the logs may not have both ACCEPT and REJECT records of an interface; empty: they have."""
        types = self.traffic.get(interface, set())
        whole = "ALL" in types or {"ACCEPT", "REJECT"} <= types
        every = self.logs.interfaces.values()
        own = self.logs.interfaces.get(interface)
        for word, here, anywhere in (
            ("REJECT", own.rejected if own else 0, any(one.rejected for one in every)),
            ("ACCEPT", own.accepted if own else 0, any(one.accepted for one in every)),
        ):
            if here or (whole and anywhere):
                continue
            if types and not whole:
                return f"the flow log of {interface} is of {' and '.join(sorted(types))} alone"
            return f"no {word} record shows that the logs of {interface} have them"
        return ""

    def translates(self, attempt: Attempt) -> bool:
        """Tells whether the client's address may be another one where the server sees it."""
        client = self._interface("client", attempt.client)
        if client is None:
            return not self.question.client.interfaces and self.network is None
        server = self._interface("server", attempt.server)
        assert self.network is not None
        if server is not None and server.vpc == client.vpc and server.subnet == client.subnet:
            return False
        route = self.network.route(client.subnet, attempt.server)
        if route.target is None or route.blackhole:
            return not route.certain
        return not route.certain or route.target.startswith(("nat-", "eni-", "vpce-", "i-"))

    def _interface(self, side: Side, address: str) -> Any:
        end = self.question.client if side == "client" else self.question.server
        return end.interfaces.get(end.owners.get(address) or self._owner(side, address) or "")


def traffic_types(inventory: Inventory | None, network: Network | None) -> dict[str, set[str]]:
    """Returns by interface which traffic its flow logs have, as describe-flow-logs says."""
    out: dict[str, set[str]] = {}
    if inventory is None or network is None:
        return out
    by_resource: dict[str, set[str]] = {}
    for log in inventory.at("FlowLogs", network.time).values():
        if str(log.get("FlowLogStatus", "ACTIVE")).upper() == "ACTIVE":
            by_resource.setdefault(str(log.get("ResourceId")), set()).add(str(log.get("TrafficType", "")).upper())
    for one in network.interfaces.values():
        types = set().union(*(by_resource.get(id, set()) for id in (one.id, one.subnet, one.vpc)))
        if types:
            out[one.id] = types
    return out
