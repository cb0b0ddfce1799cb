"""What AWS logged, and the rules of the inventory do not say: counted by cause."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..inventory import Inventory
from ..reach import Network
from .judging import Judge, Judged, Start
from .observed import Observed

#: What explains a contradiction, in the order in which they are tried, for people.
CAUSES = {
    "tracked": "begun before the logs, or before a rule was gone",
    "rules_changed": "the rules of another snapshot explain it",
    "late_packet": "behind the end of a connection, without SYN",
    "bpa": "blocked by VPC Block Public Access",
    "nacl": "blocked by the network ACL of the subnet",
    "unexplained": "nothing in the logs or the inventory explains it",
}
#: Above this share of unexplained contradictions nothing is proposed.
MOST_UNEXPLAINED = 0.005
_EXAMPLES = 3


@dataclasses.dataclass
class Contradictions:
    """Sessions whose ``action`` the rules contradict, by what they are and their cause."""

    sessions: int = 0  # judged, of which these are
    counts: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = dataclasses.field(default_factory=dict)

    @property
    def unexplained(self) -> int:
        return sum(number for (_, cause), number in self.counts.items() if cause == "unexplained")

    @property
    def unexplained_share(self) -> float:
        return self.unexplained / self.sessions if self.sessions else 0.0

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row for each kind and cause: ``logged``, ``rules``, ``cause``, ``meaning``, ``sessions``,
        ``examples``; most sessions first."""
        return [
            {
                "logged": logged, "rules": "deny" if logged == "ACCEPT" else "allow", "cause": cause,
                "meaning": CAUSES[cause], "sessions": number, "examples": self.examples[logged, cause],
            }
            for (logged, cause), number in sorted(self.counts.items(), key=lambda one: (-one[1], one[0]))
        ]  # fmt: skip

    def add(self, logged: str, cause: str, start: Start) -> None:
        """Adds a contradiction."""
        self.counts[logged, cause] += start.sessions
        shown = self.examples.setdefault((logged, cause), [])
        if len(shown) < _EXAMPLES:
            shown.append(told(start))


def told(start: Start) -> str:
    """Returns a start for people: ``eni-1 ingress from 10.0.0.9 protocol 6 port 443``."""
    way = "egress to" if start.egress else "ingress from"
    port = f" port {start.port}" if start.protocol in (6, 17) else ""
    return f"{start.interface} {way} {start.peer} protocol {start.protocol}{port}"


class Weighing:
    """Finds contradictions among judged starts, and their causes."""

    def __init__(self, judge: Judge, inventory: Inventory, observed: Observed) -> None:
        self.found = Contradictions()
        self._judge, self._inventory = judge, inventory
        self._since = observed.span[0] + 600  # the longest window
        self._blocked = _blocked(observed.blocked())

    def add(self, one: Judged) -> None:
        """Weighs a judged start."""
        start = one.start
        self.found.sessions += start.sessions
        if start.action == "REJECT":
            if one.verdict == "allow":
                self.found.add("REJECT", self._why_rejected(one), start)
        elif one.verdict == "deny":
            self.found.add("ACCEPT", self._why_accepted(start), start)

    def _why_accepted(self, start: Start) -> str:
        if start.syn is False or (start.syn is None and start.first < self._since):
            return "tracked"
        return "rules_changed" if self._elsewhere(start, {"allow", "maybe", "either"}) else "unexplained"

    def _why_rejected(self, one: Judged) -> str:
        start = one.start
        if start.syn is False:
            return "late_packet"
        key = (start.interface, start.peer, start.protocol, start.port)
        if key in self._blocked:
            return "bpa"
        network = self._judge.times.networks[start.span]
        if _acl_denies(network, one):
            return "nacl"
        return "rules_changed" if self._elsewhere(start, {"deny", "maybe"}) else "unexplained"

    def _elsewhere(self, start: Start, wanted: set[str]) -> bool:
        """Tells whether the rules of another time, or of now, say what AWS did."""
        networks = {id(network): network for network in [*self._judge.times.networks, Network.at(self._inventory)]}
        del networks[id(self._judge.times.networks[start.span])]
        return any(self._judge.at_another_time(start, network) in wanted for network in networks.values())


def _acl_denies(network: Network, one: Judged) -> bool:
    """Tells whether the ACL of the subnet denies what the groups allow: where the packet crosses its border."""
    start, subnet = one.start, one.interface.subnet
    if any(other.subnet == subnet for other in network.at_address(start.peer)):
        return False
    acl = network.acl(subnet, "egress" if start.egress else "ingress")
    return bool(acl.id) and acl.ask(start.peer, start.protocol, start.port).permit in ("deny", "maybe")


def _blocked(rows: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Returns what VPC Block Public Access stopped, as interface, peer, protocol, port; either end may be the peer."""
    out = set()
    for row in rows:
        if str(row["reject_reason"]).upper() == "BPA":
            for end in ("src", "dst"):
                peer = row[f"pkt_{end}addr"] or row[f"{end}addr"]
                out.add((row["interface_id"], peer, row["protocol"], row["dstport"] or 0))
    return out
