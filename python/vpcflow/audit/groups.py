"""Sessions that are alike, with the interfaces that saw their clients, and what became of them."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from ..query.result import Result
from .members import Stretch
from .seen import Seen

#: ``answered``; ``arrived``: accepted at the server's interface; ``rejected``; ``lost``: accepted on the way, and the
#: server's interface, whose logs are whole, has not seen it; ``unknown``.
Fate = Literal["answered", "arrived", "rejected", "lost", "unknown"]
#: Seconds by which a session must reach into another day to be a matter of that day, too.
LONG = 3600


class View(NamedTuple):
    """Where packets of the client were seen: ``direction`` is ``None`` for logs that do not tell."""

    interface: str | None
    direction: str | None
    action: str


@dataclasses.dataclass
class Group:
    """Sessions of the same client, server, port and protocol that began in one stretch of time and ended alike.
    ``times``: start and end of each whose end is not plain. ``replied``: the server's packets were seen."""

    client: str
    server: str
    port: int | None
    protocol: int | None
    stretch: int
    state: str
    answered: bool | None
    known: bool = True
    sessions: int = 0
    first: int = 1 << 62
    last: int = 0
    second_legs: int = 0  # of the sessions
    replied: bool = False
    views: list[View] = dataclasses.field(default_factory=list)
    times: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    #: Start and end of each that lasts longer than :data:`LONG`.
    long: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    #: How many of the sessions go on at ``going_on`` of :func:`groups_of` or later.
    going_on: int = 0
    #: The VPC of the interfaces that saw it, if it is one.
    vpc: str | None = None

    @property
    def v6(self) -> bool:
        """Whether its addresses are IPv6."""
        return ":" in self.server

    def settle(self, stretch: Stretch) -> None:
        """Looks up where it was seen."""
        found = {stretch.members[view.interface].vpc for view in self.views if view.interface in stretch.members}
        self.vpc = found.pop() if len(found) == 1 else None

    def __str__(self) -> str:
        port = "" if self.port is None else f" port {self.port}"
        return f"{self.client} to {self.server}{port}"


_Key = tuple[Any, ...]


def groups_of(seen: Seen, cuts: Sequence[int], going_on: int = 0) -> list[Group]:
    """Returns all sessions in groups, in the order of time. ``going_on``: sessions that last longer are counted apart,
    too. O(sessions)."""
    groups: dict[_Key, Group] = {}
    columns = ("client", "server", "server_port", "protocol", "span", "state", "answered")
    starts = seen.observed.starts(cuts)
    more = ("client_known", "interface", "direction", "action", "first", "last")
    for row in _rows(starts, (*columns, *more)):
        key, (known, interface, direction, action, first, last) = row[: len(columns)], row[len(columns) :]
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(*key)
        group.known &= known
        group.first, group.last = min(group.first, first), max(group.last, last)
        group.views.append(View(interface, direction, action))
    sessions = seen.observed.sessions.collect()
    facts = ("start", "end", "counted", "client_known", "server_packets")
    one_way = seen.observed.one_direction
    for row in _rows(sessions, (*columns[:4], "state", "answered", *facts)):
        client, server, port, protocol, state, answered, start, end, counted, known, received = row
        key = (client, server, port, protocol, bisect.bisect_right(cuts, start), state, answered)
        group = groups.get(key)
        if group is None:  # the client's packets were seen nowhere
            group = groups[key] = Group(*key, known=known and not one_way)
            group.first, group.last = start, end
        group.sessions += 1
        group.first, group.last = min(group.first, start), max(group.last, end)
        group.second_legs += not counted
        group.going_on += end > going_on
        if end - start > LONG:
            group.long.append((start, end))
        group.replied |= bool(received)
        if not answered and state != "rejected":
            group.times.append((start, end))
    return sorted(groups.values(), key=lambda one: (one.first, one.client, one.server, one.port or 0, one.protocol or 0,
                                                    one.state, str(one.answered)))  # fmt: skip


def _rows(table: Result, names: Sequence[str]) -> Any:
    return zip(*(table[name] for name in names))


def fate_of(group: Group, stretch: Stretch, seen: Seen, blind: frozenset[str]) -> tuple[Fate, str]:
    """Tells what became of sessions, and where or why. ``blind``: interfaces whose flow logs have no ACCEPT."""
    group.settle(stretch)
    if group.answered:
        return "answered", "it was answered"
    targets = [one.id for one in stretch.target(group.server, group.vpc)]
    for view in group.views:
        if view.action == "REJECT" or view.direction == "egress":
            continue
        if view.interface in targets or (not targets and _is_arrival(view, group, stretch)):
            return "arrived", f"it was accepted at {view.interface}, the interface of {group.server}"
    if group.state == "rejected":
        return "rejected", "it was rejected"
    if not targets and (both := _of_either_end(group, stretch)):
        return "arrived", f"it was accepted at {' and '.join(both)}, one of which is the interface of {group.server}"
    if not group.views:
        return "unknown", "only packets of the server were logged"
    if group.answered is None:
        return "unknown", "the logs cannot show whether it was answered"
    if not targets:
        return "unknown", "accepted on its way, unanswered, and nobody knows the server's interface"
    if group.replied and group.state != "reset":
        return "unknown", f"{', '.join(targets)} has no record of it, and yet there was a reply"
    for one in targets:
        if one in blind or not all(seen.covers(one, *time) for time in group.times):
            return "unknown", f"accepted on its way, unanswered, and {one} has no log of that minute"
    return "lost", f"accepted on its way, and never seen at {', '.join(targets)}"


def _is_arrival(view: View, group: Group, stretch: Stretch) -> bool:
    """Tells whether an interface that nothing is known of received what was sent to the server."""
    member = stretch.members.get(view.interface or "")
    if view.direction != "ingress" or member is None or member.kind not in ("", "interface"):
        return False
    return not stretch.known and (not member.addresses or group.server in member.addresses)


def _of_either_end(group: Group, stretch: Stretch) -> list[str]:
    """Returns two interfaces that accepted the client's packets and of which one is the server's, as each is of one of
    the two ends; empty if there are none."""
    ends = {group.client, group.server}
    own = {
        view.interface: set(stretch.members[view.interface].addresses)
        for view in group.views
        if view.action != "REJECT" and view.interface in stretch.members
    }
    either = sorted(str(id) for id, addresses in own.items() if addresses == ends)
    return either[:2] if len(either) > 1 and not stretch.known else []
