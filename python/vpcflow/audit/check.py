"""Checks controls against logs: :func:`check`."""

from __future__ import annotations

import bisect
import dataclasses
import ipaddress
import os
from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses import is_public_network
from .._display import instant
from .._words import count
from ..errors import PlanError
from ..inventory import Inventory
from ..inventory import inventory as read_inventory
from ..query.arguments import instance
from ..query.flows import Flows
from ..tuning.members import only_rejects
from ..typing import Progress
from .coverage import doubts, minutes, named, sides_of
from .frames import requirements
from .groups import LONG, Fate, Group, fate_of, groups_of
from .judge import Judge, Tally
from .load import load
from .manifest import head_of
from .members import Stretch, changes, newest, resolved
from .model import Control, Controls, Place
from .places import placed
from .result import ControlResult, ControlResults, Day, Verdict, day_of, midnight_of, period_of
from .seen import DAY, Face, Seen, look

_MOST_CAUSES = 10
_IDLE = 600  # seconds after which a session is another
_MOST_SHOWN = 10
_CALL = "audit.check(vf.scan('logs/'), 'controls.yaml')"


def check(
    flows: Flows, controls: Controls | str | os.PathLike[str] | Mapping[str, Any], *,
    inventory: Inventory | str | os.PathLike[str] | None = None, period: str | None = None,
    manifest: str | os.PathLike[str] | None = None, progress: Progress | bool | None = None,
) -> ControlResults:  # fmt: skip
    """Checks controls against logs, and returns a result for each, by days in UTC.

    ``controls``: a file, plain values or what :func:`load` gives. ``inventory``: of :func:`vpcflow.inventory` or its
    folder, instead of the one that the controls name. ``period``: a year, month or day, as ``"2026-11"``, of which the
    logs should have everything; without, it is what the logs span, or what ``scan(start=, end=)`` asked for. A session
    counts in the day in which it began. ``manifest``: the folder of a manifest, whose head stands in the results.

    Verdicts: ``fail``: a session that the control forbids was answered, or accepted at the server's interface;
    ``pass_enforced``: none, and tries were rejected; ``pass_silent``: none, and nobody tried; ``not_evaluable``: the
    logs cannot tell; ``error``: the control cannot be asked, as one of a zone without members.

    Errors: those of :meth:`vpcflow.Flows.collect`, with the results of what could be read as ``partial``;
    :class:`~vpcflow.RuleError` for controls that cannot be; :class:`~vpcflow.PlanError` for a period that is none.

    >>> import vpcflow as vf
    >>> log = b"2 1 eni-1 10.30.0.9 10.20.0.5 40000 22 6 1 40 1764547200 1764547260 REJECT OK\\n"
    >>> log += b"2 1 eni-1 10.30.0.9 10.20.0.5 40001 443 6 9 900 1764547200 1764547260 ACCEPT OK\\n"
    >>> results = vf.audit.check(vf.scan(log, format="default"), {
    ...     "zones": {"dev": {"cidr": "10.30.0.0/16"}, "cde": {"cidr": "10.20.0.0/16"}},
    ...     "controls": [{"id": "seg", "deny": {"from": "dev", "to": "cde", "except": "tcp/443"}}]})
    >>> results["seg"].verdict
    'pass_enforced'
    """
    instance(flows, Flows, "audit.check", _CALL)
    asked = controls if isinstance(controls, Controls) else load(controls)
    days = None if period is None else period_of(period)
    known = _inventory(asked, inventory)
    seen = look(flows, progress)
    checking = Checking(asked, known, seen, _span_of(flows, seen, days), days)
    head = head_of(manifest)
    made = [checking.result(control, head) for control in asked.controls]
    results = ControlResults(placed(flows, made, manifest), seen.report)
    if seen.damage is not None:
        seen.damage.partial = results
        raise seen.damage
    return results


def _inventory(controls: Controls, given: Inventory | str | os.PathLike[str] | None) -> Inventory | None:
    place = given if given is not None else controls.inventory or None
    return read_inventory(place) if isinstance(place, (str, os.PathLike)) else place


def _span_of(flows: Flows, seen: Seen, days: tuple[str, str] | None) -> tuple[int, int] | None:
    """Returns the time that is judged."""
    if days is not None:
        return midnight_of(days[0]), midnight_of(days[1]) + DAY
    span = seen.span
    asked = flows._spec.asked
    if span is None or asked is None:
        return span
    begin, end = asked
    start, until = span[0] if begin is None else begin, span[1] if end is None else end
    if start >= until:
        raise PlanError("no time is left to be judged between --start and --end")
    return start, until


@dataclasses.dataclass(frozen=True)
class _Piece:
    """A piece of a day in which the inventory says the same."""

    day: str
    start: int
    end: int
    number: int  # of its stretch


class Checking:
    """Controls over the logs of a check: what they all use is made once. For one thread."""

    def __init__(
        self, controls: Controls, inventory: Inventory | None, seen: Seen, span: tuple[int, int] | None,
        asked: tuple[str, str] | None,
    ) -> None:  # fmt: skip
        self.controls, self.inventory, self.seen, self.span, self.asked = controls, inventory, seen, span, asked
        self._requirements = requirements(controls.frames) if any(c.maps for c in controls.controls) else {}
        begin, end = span or (0, 0)
        changed = changes(inventory)
        ends = {one.until for control in controls.controls for one in control.exceptions}
        midnights = set(range((begin // DAY + 1) * DAY, end, DAY))
        self.cuts = sorted(cut for cut in {begin, end, *changed, *ends, *midnights} if begin <= cut <= end)
        first = seen.read_from if seen.read_from is not None or seen.span is None else seen.span[0]
        #: Of a session with records before, nobody knows when it began.
        self._blurred = min(begin, (begin if first is None else first) + _IDLE)
        self._moments = sorted({begin, *(cut for cut in changed if begin < cut < end)})
        self.stretches = [Stretch(controls.zones, inventory, moment, seen) for moment in self._moments]
        self.pieces = [self._piece(start, until) for start, until in zip(self.cuts, self.cuts[1:])]
        self.blind = frozenset(only_rejects(inventory)) if inventory is not None else frozenset()
        self._fates: list[tuple[Group, int, Stretch, Fate, str]] = []
        if not seen.missing and span is not None:
            self._fates = list(self._judged())
        self.sessions: dict[str, int] = {}
        for group, piece, *_ in self._fates:
            day = self.pieces[piece].day
            self.sessions[day] = self.sessions.get(day, 0) + group.sessions

    def _piece(self, start: int, end: int) -> _Piece:
        return _Piece(day_of(start), start, end, bisect.bisect_right(self._moments, start) - 1)

    def _judged(self) -> Iterator[tuple[Group, int, Stretch, Fate, str]]:
        """Yields the sessions that began in the time that is judged, with piece, members and fate. Those that went on
        when reading began and last into that time are of its first piece: where they began nobody has read."""
        for group in groups_of(self.seen, [self._blurred, *self.cuts], going_on=self.cuts[0]):
            number = group.stretch - 2
            if group.stretch == 0 and group.going_on:
                number, group.sessions = 0, group.going_on
            if 0 <= number < len(self.pieces):
                stretch = self.stretches[self.pieces[number].number]
                yield (group, number, stretch, *fate_of(group, stretch, self.seen, self.blind))

    def result(self, control: Control, manifest: Mapping[str, Any] | None) -> ControlResult:
        """Returns the result of a control."""
        out = ControlResult(
            control.id, control.title, control.question, control.plan(self.controls.zones),
            tuple(self._requirements[text.lower()].said() for text in control.maps), {},
            tuple(self._not_known(control)), tuple(self._errors(control)), self.asked, manifest,
        )  # fmt: skip
        if out.errors or self.span is None:
            return out
        judge = Judge(control, self.seen.packet_ends)
        tallies: dict[str, Tally] = {}
        for group, _, stretch, fate, _ in self._fates:
            judge.note_devices(group, fate, stretch)
        for group, piece, stretch, fate, where in self._fates:
            day = self.pieces[piece].day
            if judge.add(group, fate, where, stretch, tallies.setdefault(day, Tally())):
                for later, number in self._later_days(group, day).items():
                    tally = tallies.setdefault(later, Tally())
                    tally.went_on += number
                    tally.violating.append((group, f"{where}; it began before and went on", ""))
        days = {}
        for day in dict.fromkeys(piece.day for piece in self.pieces):
            if self._has_records(day):
                days[day] = self._day(control, day, tallies.get(day, Tally()))
        return dataclasses.replace(out, days=days)

    def _later_days(self, group: Group, day: str) -> dict[str, int]:
        """Returns the days after the one in which sessions are counted that they reach into, and how many do."""
        out: dict[str, int] = {}
        begin, end = self.span or (0, 0)
        for start, until in group.long:
            for midnight in range(max(midnight_of(day), start // DAY * DAY, begin // DAY * DAY) + DAY, end, DAY):
                if until <= midnight + LONG:
                    break
                out[day_of(midnight)] = out.get(day_of(midnight), 0) + 1
        return out

    def _has_records(self, day: str) -> bool:
        """Tells whether the logs speak of a day at all; a day of which they do not is a hole."""
        begin = midnight_of(day)
        if begin in self.seen.records:
            return True
        covered = self.seen.observed.coverage
        return any(start < begin + DAY and begin < end for own in covered.values() for start, end, _ in own)

    def _day(self, control: Control, day: str, tally: Tally) -> Day:
        pieces = [piece for piece in self.pieces if piece.day == day]
        timed = [(piece.start, piece.end, self.stretches[piece.number]) for piece in pieces]
        sides = sides_of(control, timed, self.seen)
        causes = list(self._causes(control, pieces))
        if not self.seen.missing:  # without them nobody knows which minutes there are
            causes += doubts(control, sides, self.blind)
        ordered = sorted(tally.why.items(), key=lambda one: (-one[1][0], one[0]))
        unknown = [f"{count(n, 'session')}, as {first}: {why}" for why, (n, first) in ordered[:_MOST_CAUSES]]
        if len(ordered) > _MOST_CAUSES:
            unknown.append(f"{count(len(ordered) - _MOST_CAUSES, 'more cause')} that cannot be told")
        verdict = _verdict(control, tally, [*causes, *unknown])
        counts = {
            "records": self.seen.records.get(midnight_of(day), 0), "sessions": self.sessions.get(day, 0),
            "asked": tally.sessions, "tries_rejected": tally.tries_rejected, "lost": tally.lost,
            "violations": tally.violations, "unknown": tally.unknown,
        }  # fmt: skip
        return Day(
            day, pieces[0].start, pieces[-1].end, verdict, tuple([*_told(control, tally, verdict), *causes, *unknown]),
            counts, minutes(sides), tuple(sorted({id for side in sides for id in side.never()})),
            tally.used, tally.past,
            tuple(_violating(*one) for one in tally.violating[:_MOST_SHOWN]),
            {name: resolved((one for _, _, one in timed), name) for name in control.zones},
            self.controls.digest(control),
        )  # fmt: skip

    def _causes(self, control: Control, pieces: list[_Piece]) -> Iterator[str]:
        """Yields why nothing that the logs do not show is known not to have been."""
        seen = self.seen
        if seen.missing:
            yield f"the logs lack {', '.join(seen.missing)}"
        if seen.filtered:
            yield "a filter left records out"
        if seen.report is not None and seen.report.rejected:
            yield f"lines that could not be read: {seen.report.rejected:,}"
        if seen.damage is not None:
            yield "a source could not be read to its end"
        if not seen.missing and seen.observed.one_direction:
            yield "the logs hold one direction only"
        if not seen.accepted and not self._records_all(control):
            yield "no ACCEPT record: flow logs of REJECT alone show no session that got through"
        if self.inventory is not None:
            last = newest(self.inventory)
            if last is not None and last < midnight_of(pieces[0].day):
                yield f"the inventory is older than the day: its last answer is of {instant(last)} UTC"
        if control.kind == "require" and not self._known:
            yield "without an inventory nobody knows which interfaces logged nothing, so that no session is no absence"
        for name in control.zones:
            for number in dict.fromkeys(piece.number for piece in pieces):
                stretch = self.stretches[number]
                zone = self.controls.zones[name]
                if zone.tag and not stretch.known:
                    yield f"zone {name} is by tag, and there is no inventory"
                elif lacking := stretch.lacking(name):
                    yield f"zone {name} names {', '.join(lacking)}, which nothing that is known has"

    def _records_all(self, control: Control) -> bool:
        """Tells whether the inventory says that flow logs of all interfaces of a control record ACCEPT."""
        if self.inventory is None or "FlowLogs" not in self.inventory.tables:
            return False
        own = {one.id for stretch in self.stretches for one in stretch.interfaces(control.source)}
        if control.target is not None:
            own |= {one.id for stretch in self.stretches for one in stretch.interfaces(control.target)}
        return bool(own) and own.isdisjoint(self.blind)

    def _errors(self, control: Control) -> Iterator[str]:
        """Yields why a control cannot be asked."""
        for name in control.zones:
            for stretch in self.stretches:
                if twice := stretch.ambiguous(name):
                    yield f"zone {name}: {twice}: name its vpc or account beside cidr"
                    break
            if self._has_member(name, control.target is not None and name in control.target.zones) is False:
                advice = "" if self.controls.zones[name].by_interface else "; if it is elsewhere, say outside: true"
                yield f"zone {name} has no member: no interface that is known{advice}"

    @property
    def _known(self) -> bool:
        return any(stretch.known for stretch in self.stretches)

    def _has_member(self, name: str, needed: bool) -> bool | None:
        """Tells whether a zone has a member: an interface, or of one by prefixes alone an address that the logs have.
        Of public addresses and those outside nobody expects one. ``None``: nothing shows it, as without an inventory
        of clients that never came (not ``needed``)."""
        zone = self.controls.zones[name]
        public = any(is_public_network(ipaddress.ip_network(text)) or text.endswith("/0") for text in zone.cidr)
        if zone.outside or public or not (zone.by_interface or zone.cidr):
            return True
        answers = {stretch.has(name) for stretch in self.stretches}
        if True in answers:
            return True
        if self.seen.missing or self.span is None:
            return None
        if zone.by_interface:
            return None if None in answers else False
        place = Place((name,))
        addresses = {(end, stretch) for group, _, stretch, *_ in self._fates for end in (group.client, group.server)}
        if any(stretch.in_place(place, address) for address, stretch in addresses):
            return True
        return False if self._known or needed else None

    def _not_known(self, control: Control) -> Iterator[str]:
        """Yields what stands beside every verdict of a control."""
        target = control.target or control.source
        own = {one.id for stretch in self.stretches for one in stretch.interfaces(target)}
        if one_sided := sorted(id for id in own if id in self.seen.faces and _refuses_all(self.seen.faces[id])):
            yield (
                f"{named(one_sided)} logged REJECT and no ACCEPT: if a flow log of REJECT alone is all they have, "
                "nothing that got in would show"
            )
        for one in control.exceptions:
            if self.span is not None and one.until <= self.span[0]:
                yield f"exception {one.id} of {one.owner} ended {instant(one.until)} UTC; renew it or take it out"
        if not self._known:
            yield (
                "without an inventory (describe-network-interfaces) only interfaces that logged are known: one that "
                "never did is not missed, and its members are not in the zones"
            )
        elif self.inventory is not None and newest(self.inventory) is None:
            yield "the inventory has no date: its members are taken to have been so all the time"
        if not self.seen.packet_ends:
            yield "without pkt-srcaddr and pkt-dstaddr sessions through NAT gateways show the gateway's address"
        if self.span is None:
            lacking = f"they lack {', '.join(self.seen.missing)}" if self.seen.missing else "no record was read"
            yield f"no time of the logs is known, so that none was judged: {lacking}"
        elif self.asked is None:
            yield "no period was asked for: what is before the first and after the last record is not judged"


def _refuses_all(face: Face) -> bool:
    return "REJECT" in face.actions and "ACCEPT" not in face.actions


def _verdict(control: Control, tally: Tally, causes: list[str]) -> Verdict:
    if control.kind == "require":
        return "pass_enforced" if tally.answered else "not_evaluable" if causes else "fail"
    if tally.violations or tally.went_on:
        return "fail"
    if causes:
        return "not_evaluable"
    return "pass_enforced" if tally.tries_rejected else "pass_silent"


def _told(control: Control, tally: Tally, verdict: Verdict) -> Iterator[str]:
    """Yields what the verdict says, in numbers."""
    if control.kind == "require":
        if verdict == "fail":
            yield f"no session was answered; tried: {tally.sessions:,}"
        elif tally.answered:
            yield f"answered: {count(tally.answered, 'session')}"
    elif verdict == "fail":
        past = sum(tally.past.values())
        if tally.violations:
            broke = f"{count(tally.violations, 'session')} broke it"
            yield broke + (f", {past:,} of them under an exception that is past" if past else "")
        if tally.went_on:
            yield f"{count(tally.went_on, 'session')} of earlier days that broke it went on"
    elif verdict == "pass_enforced":
        yield f"no session broke it; rejected: {count(tally.tries_rejected, 'try', 'tries')}"
    elif verdict == "pass_silent":
        yield "no session broke it, and no try was seen rejected: the boundary was not exercised"


def _violating(group: Group, why: str, past: str) -> dict[str, Any]:
    view = next((one for one in group.views if one.action != "REJECT"), None)
    return {
        "client": group.client, "server": group.server, "server_port": group.port, "protocol": group.protocol,
        "sessions": group.sessions, "first": group.first, "last": group.last, "state": group.state,
        "interface": view.interface if view else None, "why": why, "exception_past": past or None, "record": None,
    }  # fmt: skip
