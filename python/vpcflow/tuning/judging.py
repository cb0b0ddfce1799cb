"""Judges observed starts of sessions by the rules of an inventory, each as of its time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from ..inventory import Inventory
from ..reach import Interface, Network
from .observed import Observed

Verdict = Literal["allow", "maybe", "deny", "either"]
# The kinds of answers whose changes may change what rules say.
_KINDS = ("NetworkInterfaces", "SecurityGroups", "SecurityGroupRules", "Entries", "PrefixLists")
_NO_PORT = 0
DAY = 86400


class Start(NamedTuple):
    """Sessions that began alike at an interface."""

    interface: str
    egress: bool  # whether the interface is the client's
    own: str  # address
    peer: str
    protocol: int
    port: int  # of the server; 0 for protocols without
    span: int
    action: str  # ACCEPT, REJECT, MIXED
    client_known: bool
    syn: bool | None
    state: str
    answered: bool | None
    sessions: int
    bytes: int
    first: int
    last: int

    @property
    def edge(self) -> tuple[str, bool, str, int, int]:
        """What is the same for the sessions of a client, a server and a port."""
        return (self.interface, self.egress, self.peer, self.protocol, self.port)


class Judged(NamedTuple):
    """Sessions that began alike, and what the rules of their time say of them."""

    start: Start
    interface: Interface
    #: ``either``: nobody knows who began, and the rules of both directions allow it.
    verdict: Verdict
    rules: tuple[str, ...]  # that allow it
    maybe: tuple[str, ...]


@dataclasses.dataclass
class Times:
    """The stretches of time in which an inventory says the same of rules, and the days within."""

    cuts: list[int]
    networks: list[Network]  # by span

    @staticmethod
    def of(inventory: Inventory, observed: Observed, days: bool = False) -> Times:
        """Returns the stretches within what was observed; ``days``: cut at midnight UTC, too."""
        first, last = observed.span
        cuts = {
            moment
            for kind in _KINDS
            if kind in inventory.tables
            for versions in inventory.tables[kind].versions.values()
            for version in versions
            for moment in (version.start, version.end)
            if moment is not None and first < moment <= last
        }
        if days:
            cuts |= set(range((first // DAY + 1) * DAY, last + 1, DAY))
        ascending = sorted(cuts)
        return Times(ascending, [Network.at(inventory, time) for time in [first, *ascending]])


class Judge:
    """Asks the rules of an inventory about starts of sessions; remembers what it was told."""

    def __init__(self, times: Times) -> None:
        self.times = times
        #: Sessions that no rule was asked about, by the reason.
        self.left_out: dict[str, int] = {}
        self._told: dict[tuple[Any, ...], tuple[str, tuple[str, ...], tuple[str, ...]]] = {}

    def starts(self, observed: Observed) -> Iterator[Start]:
        """Yields what was observed at interfaces that are in the inventory and have groups."""
        table = observed.starts(self.times.cuts)
        names = ("interface", "direction", "client", "server", "server_port", "protocol", "span", "action",
                 "client_known", "syn", "state", "answered", "sessions", "bytes", "first", "last")  # fmt: skip
        for row in zip(*(table[name] for name in names)):
            interface, direction, client, server, port, protocol, span = row[:7]
            found = self.times.networks[span].interfaces.get(interface)
            if found is None:
                self._leave_out("at interfaces that the inventory does not have", row[12])
            elif not found.groups:
                self._leave_out("at interfaces without security groups", row[12])
            elif protocol is None:
                self._leave_out("of unknown protocol", row[12])
            else:
                egress = direction == "egress" if direction is not None else _is_client(found, client, server)
                if egress is None:
                    self._leave_out("whose direction the log does not tell", row[12])
                    continue
                own, peer = (client, server) if egress else (server, client)
                yield Start(interface, egress, own, peer, protocol, port or _NO_PORT, span, *row[7:])

    def judged(self, observed: Observed) -> Iterator[Judged]:
        """Yields what was observed with what the rules say of it."""
        for start in self.starts(observed):
            yield self.judge(start)

    def judge(self, start: Start, span: int | None = None) -> Judged:
        """Judges a start by the rules of its time, or of another stretch."""
        network = self.times.networks[start.span if span is None else span]
        interface = network.interfaces.get(start.interface) or self.times.networks[start.span].interfaces[start.interface]
        permit, rules, maybe = self.ask(network, interface.groups, start.egress, start.peer, start.protocol, start.port)
        verdict: Any = permit
        if not start.client_known:
            verdict, rules, maybe = self._either(network, interface, start, (permit, rules, maybe))
        return Judged(start, interface, verdict, rules, maybe)

    def _either(
        self, network: Network, interface: Interface, start: Start, one: tuple[str, tuple[str, ...], tuple[str, ...]]
    ) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Judges sessions of which nobody knows who began."""
        if start.port:  # the other end's port is not known
            return ("either" if one[0] != "deny" else "maybe"), (), (*one[1], *one[2])
        other = self.ask(network, interface.groups, not start.egress, start.peer, start.protocol, start.port)
        if other[0] == "deny" or one[0] == "deny":
            return other if one[0] == "deny" else one
        return "either", (), (*one[1], *one[2], *other[1], *other[2])

    def ask(
        self, network: Network, groups: tuple[str, ...], egress: bool, peer: str, protocol: int, port: int
    ) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Returns what rules say of a packet: the permit, those that allow it, those that may."""
        key = (id(network), groups, egress, peer, protocol, port)
        told = self._told.get(key)
        if told is None:
            answer = network.rules_of(groups, "egress" if egress else "ingress").ask(peer, protocol, port)
            told = self._told[key] = (answer.permit, answer.rules, tuple(one for one in answer.maybe if one not in answer.rules))
        return told

    def _leave_out(self, why: str, sessions: int) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + sessions


def _is_client(interface: Interface, client: str, server: str) -> bool | None:
    """Tells whether an interface is the client's, by its addresses; ``None``: they do not tell."""
    own = {address.partition("/")[0] for address in interface.addresses} | set(interface.public)
    if (client in own) == (server in own):
        return None
    return client in own
