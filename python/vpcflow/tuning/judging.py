"""Judges observed starts of sessions by the rules of an inventory, each as of its time."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

from .. import _core
from ..inventory import Inventory
from ..reach import Interface, Network, RuleSet
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


class Answer(NamedTuple):
    """What the rules of an interface say of a packet."""

    permit: Verdict
    rules: tuple[str, ...]  # that allow it
    maybe: tuple[str, ...]  # that may


class JudgedStarts:
    """All starts of sessions that were observed, with what the rules of their time say: column by column, for there are
    many. ``codes``: by row the number of its answer in ``answers``, -1 for a row that no rule was asked about."""

    def __init__(self, judge: Judge, columns: dict[str, list[Any]], egress: list[bool]) -> None:
        self.columns = columns
        self.codes: list[int] = []
        self.answers: list[Answer] = []
        self._judge, self._egress = judge, egress

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Judged]:
        return (self[row] for row, code in enumerate(self.codes) if code >= 0)

    def __getitem__(self, row: int) -> Judged:
        """Returns a row that rules were asked about."""
        start = self.start(row)
        answer = self.answers[self.codes[row]]
        interface = self._judge.times.networks[start.span].interfaces[start.interface]
        if not start.client_known:
            answer = self._judge.either(interface, start, answer)
        return Judged(start, interface, *answer)

    def start(self, row: int) -> Start:
        """Returns what a row is about."""
        c, egress = self.columns, self._egress[row]
        own, peer = ("client", "server") if egress else ("server", "client")
        return Start(
            c["interface"][row], egress, c[own][row], c[peer][row], c["protocol"][row],
            c["server_port"][row] or _NO_PORT, c["span"][row], c["action"][row], c["client_known"][row],
            c["syn"][row], c["state"][row], c["answered"][row],
            c["sessions"][row], c["bytes"][row], c["first"][row], c["last"][row],
        )  # fmt: skip


class Judge:
    """Asks the rules of an inventory about starts of sessions. ``dead``: rules whose source is gone, so that what they
    might allow, since nobody knows whom, they do not."""

    def __init__(self, times: Times, dead: Collection[str] = ()) -> None:
        self.times, self._dead = times, frozenset(dead)
        #: Sessions that no rule was asked about, by the reason.
        self.left_out: dict[str, int] = {}

    def judged(self, observed: Observed) -> JudgedStarts:
        """Judges all that was observed at interfaces that are in the inventory and have groups, each by the rules of
        its time."""
        table = observed.starts(self.times.cuts)
        columns = {name: table[name] for name in table.columns}
        asked: list[tuple[RuleSet, bool]] = []
        numbers: dict[tuple[int, tuple[str, ...], bool], int] = {}
        known: dict[tuple[str, str | None, int], int | str] = {}  # the number of what is asked, or why nothing is
        which: list[int] = []
        names = ("interface", "direction", "span", "protocol", "client", "server", "sessions")
        for interface, direction, span, protocol, client, server, sessions in zip(*(columns[name] for name in names)):
            network = self.times.networks[span]
            if direction is None and (own := network.interfaces.get(interface)) is not None:
                egress = _is_client(own, client, server)
                direction = None if egress is None else "egress" if egress else "ingress"
            number = known.get((interface, direction, span))
            if number is None:
                number = known[interface, direction, span] = _asked(network, interface, direction, asked, numbers)
            if protocol is None:
                number = "of unknown protocol"
            if isinstance(number, str):
                self.left_out[number] = self.left_out.get(number, 0) + sessions
                number = -1
            which.append(number)
        out = JudgedStarts(self, columns, [number >= 0 and asked[number][1] for number in which])
        sets = [rules for rules, _ in asked]
        rules = [(one.core, egress) for one, egress in asked]
        told, out.codes = _core.judge_starts(table._table, rules, which)
        for number, permit, allow, maybe in told:
            ids = sets[number].ids
            allowed = tuple(dict.fromkeys(ids[one] for one in allow))
            out.answers.append(
                self._answer(
                    permit, allowed, tuple(dict.fromkeys(ids[one] for one in maybe if ids[one] not in allowed))
                )
            )
        return out

    def either(self, interface: Interface, start: Start, one: Answer) -> Answer:
        """Judges sessions of which nobody knows who began, of which one side's rules say ``one``."""
        if start.port:  # the other end's port is not known
            return Answer("maybe" if one.permit == "deny" else "either", (), (*one.rules, *one.maybe))
        network = self.times.networks[start.span]
        other = self.ask(network, interface.groups, not start.egress, start.peer, start.protocol, start.port)
        if other.permit == "deny" or one.permit == "deny":
            return other if one.permit == "deny" else one
        return Answer("either", (), (*one.rules, *one.maybe, *other.rules, *other.maybe))

    def at_another_time(self, start: Start, network: Network) -> Verdict | None:
        """Returns what the rules of another time say of a start; ``None`` if its interface was not there."""
        interface = network.interfaces.get(start.interface)
        if interface is None:
            return None
        return self.ask(network, interface.groups, start.egress, start.peer, start.protocol, start.port).permit

    def ask(
        self, network: Network, groups: tuple[str, ...], egress: bool, peer: str, protocol: int, port: int
    ) -> Answer:
        """Asks about one packet."""
        told = network.rules_of(groups, "egress" if egress else "ingress").ask(peer, protocol, port)
        return self._answer(told.permit, told.rules, tuple(one for one in told.maybe if one not in told.rules))

    def _answer(self, permit: Verdict, rules: tuple[str, ...], maybe: tuple[str, ...]) -> Answer:
        if self._dead.isdisjoint(maybe):
            return Answer(permit, rules, maybe)
        left = tuple(one for one in maybe if one not in self._dead)
        return Answer("deny" if permit == "maybe" and not left else permit, rules, left)


def _asked(
    network: Network, interface: str, direction: str | None, asked: list[tuple[RuleSet, bool]],
    numbers: dict[tuple[int, tuple[str, ...], bool], int],
) -> int | str:  # fmt: skip
    """Returns the number among ``asked`` of the rules that judge an interface in one direction; or why none do."""
    found = network.interfaces.get(interface)
    if found is None:
        return "at interfaces that the inventory does not have"
    if not found.groups:
        return "at interfaces without security groups"
    if direction is None:
        return "whose direction the log does not tell"
    key = (id(network), found.groups, direction == "egress")
    if key not in numbers:
        numbers[key] = len(asked)
        asked.append((network.rules_of(found.groups, "egress" if key[2] else "ingress"), key[2]))
    return numbers[key]


def _is_client(interface: Interface, client: str, server: str) -> bool | None:
    """Tells whether an interface is the client's, by its addresses; ``None``: they do not tell."""
    own = {address.partition("/")[0] for address in interface.addresses} | set(interface.public)
    if (client in own) == (server in own):
        return None
    return client in own
