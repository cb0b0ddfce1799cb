"""What a control says of sessions: which it is about, and which of them break it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .groups import Fate, Group
from .members import Stretch
from .model import Control, Exempt, Place
from .ports import Ports, any_holds

_Answer = tuple["bool | None", str]  # and why it is not known


@dataclasses.dataclass
class Tally:
    """What was counted for a control in a day."""

    sessions: int = 0  # that it is about
    tries_rejected: int = 0
    lost: int = 0
    answered: int = 0
    violations: int = 0
    went_on: int = 0  # of the violations of earlier days
    unknown: int = 0
    violating: list[tuple[Group, str, str]] = dataclasses.field(default_factory=list)  # why, and the past exception
    #: By cause how many are unknown, and the first.
    why: dict[str, tuple[int, str]] = dataclasses.field(default_factory=dict)
    used: dict[str, int] = dataclasses.field(default_factory=dict)
    past: dict[str, int] = dataclasses.field(default_factory=dict)

    def doubt(self, why: str, group: Group) -> None:
        """Counts sessions of which nobody knows whether they break the control."""
        self.unknown += group.sessions
        number, first = self.why.get(why, (0, str(group)))
        self.why[why] = number + group.sessions, first


class Judge:
    """Asks a control about groups of sessions, each with what became of it and the members of its time.
    ``packet_ends``: whether the logs have the ends of packets behind NAT gateways."""

    def __init__(self, control: Control, packet_ends: bool) -> None:
        self.control, self._packet_ends = control, packet_ends
        self._devices: set[str] = set()  # addresses that begin sessions for others, as the logs show
        self._used: set[str] = set()  # addresses that clients of the left side had sessions with
        self._first_legs: set[tuple[str, int | None, int | None]] = set()  # by server, port and protocol

    def note_devices(self, group: Group, fate: Fate, stretch: Stretch) -> None:
        """Keeps which devices may begin sessions for clients of the left side, and which sessions are whole; comes
        before :meth:`add`."""
        if group.second_legs < group.sessions:
            self._first_legs.add((group.server, group.port, group.protocol))
        elif not self._packet_ends:
            self._devices.add(group.client)
        # Whether the server is a device is known when all sessions are.
        if fate == "rejected":
            return
        if stretch.in_place(self.control.source, group.client, group.vpc) is not False:
            self._used.add(group.server)

    def add(self, group: Group, fate: Fate, where: str, stretch: Stretch, tally: Tally) -> bool:
        """Judges a group, and counts it; returns whether it broke the control."""
        before = tally.violations
        self._add(group, fate, where, stretch, tally)
        return tally.violations > before

    def _add(self, group: Group, fate: Fate, where: str, stretch: Stretch, tally: Tally) -> None:
        if self._is_repeated(group, stretch):
            return
        matched, why = self._is_about(group, stretch)
        through = fate != "rejected"
        if matched is False:
            return
        if matched is None:
            if through:
                tally.doubt(why, group)
            return
        tally.sessions += group.sessions
        if self.control.kind == "require":
            self._require(group, fate, where, tally)
            return
        if fate == "lost":
            tally.lost += group.sessions
            return
        excepted = self._exception(group, stretch)
        if isinstance(excepted, str):
            if through:
                tally.doubt(excepted, group)
            return
        if excepted is not None and group.first < excepted.until:
            tally.used[excepted.id] = tally.used.get(excepted.id, 0) + group.sessions
        elif fate == "rejected":
            tally.tries_rejected += group.sessions
        elif fate == "unknown":
            tally.doubt(where, group)
        else:
            tally.violations += group.sessions
            past = excepted.id if excepted is not None else ""
            if past:
                tally.past[past] = tally.past.get(past, 0) + group.sessions
            tally.violating.append((group, where, past))

    def _is_repeated(self, group: Group, stretch: Stretch) -> bool:
        """Tells whether sessions are second legs of others, which have the client and are judged themselves."""
        if not self._packet_ends or group.second_legs < group.sessions or stretch.hides_clients(group.client, True):
            return False
        return (group.server, group.port, group.protocol) in self._first_legs

    def _require(self, group: Group, fate: Fate, where: str, tally: Tally) -> None:
        if fate == "answered":
            tally.answered += group.sessions
        elif fate == "rejected":
            tally.tries_rejected += group.sessions
        elif fate == "unknown":
            tally.doubt(where, group)
        else:
            tally.lost += group.sessions

    def _is_about(self, group: Group, stretch: Stretch) -> _Answer:
        """Tells whether a control is about sessions; for a control that allows, whether it does not allow them."""
        forth = self._one_way(group, stretch, group.client, group.server, group.port)
        if group.known:
            return forth
        back = self._one_way(group, stretch, group.server, group.client, None)
        if forth[0] is False and back[0] is False:
            return False, ""
        return None, "nobody knows which end began"

    def _one_way(self, group: Group, stretch: Stretch, client: str, server: str, port: int | None) -> _Answer:
        control, vpc = self.control, group.vpc
        v6, protocol = group.v6, group.protocol

        def at(ports: tuple[Ports, ...], without: bool) -> _Answer:
            answer = any_holds(ports, v6, protocol, port) if ports else without
            return answer, "its port or protocol is not known"

        begun = _member(stretch, control.source, client, vpc)
        if begun[0] is False and client not in self._used:
            return begun
        hides = client in self._devices or stretch.hides_clients(client, self._packet_ends)
        if hides and (client in self._used or begun[0] is not False):
            begun = None, f"{client} is a device that begins sessions for others, and the logs do not show for whom"
        if begun[0] is False:
            return begun
        there = _member(stretch, control.target, server, vpc) if control.target else (True, "")
        named = _both(there, at(control.ports, True))
        if control.kind == "allow_only":
            return _both(begun, _not(named))
        return _both(begun, named, _not(at(control.spared, False)))

    def _exception(self, group: Group, stretch: Stretch) -> Exempt | str | None:
        """Returns the exception that covers sessions: one in force before one that is past; a text if it is not known
        whether one does."""
        past: Exempt | None = None
        unknown = ""
        for one in self.control.exceptions:
            answer, why = _both(*_covers(one, group, stretch))
            in_force = group.first < one.until
            if answer and in_force:
                return one
            if answer and past is None:
                past = one
            elif answer is None and in_force:
                unknown = f"whether exception {one.id} covers it: {why}"
        return unknown or past


def _covers(one: Exempt, group: Group, stretch: Stretch) -> Iterable[_Answer]:
    vpc = group.vpc
    if one.source is not None:
        yield _member(stretch, one.source, group.client, vpc)
    if one.target is not None:
        yield _member(stretch, one.target, group.server, vpc)
    if one.ports:
        yield any_holds(one.ports, group.v6, group.protocol, group.port), "its port or protocol is not known"


def _member(stretch: Stretch, place: Place, address: str, vpc: str | None) -> _Answer:
    answer = stretch.in_place(place, address, vpc)
    return answer, "" if answer is not None else f"nobody knows whether an address is in {place}"


def _both(*answers: _Answer) -> _Answer:
    """Joins answers all of which must be so."""
    if any(answer is False for answer, _ in answers):
        return False, ""
    return next(((None, why) for answer, why in answers if answer is None), (True, ""))


def _not(answer: _Answer) -> _Answer:
    return (None if answer[0] is None else not answer[0]), answer[1]
