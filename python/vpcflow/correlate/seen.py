"""What was looked at, and so what could not be seen: sources, their time, fields, minutes without records."""

from __future__ import annotations

import collections
import dataclasses
import os
import statistics
from collections.abc import Iterable, Sequence

from .._display import instant, length
from .._words import count
from .entities import Entities
from .events import Event, type_of
from .model import SequenceRule, Step, time_of_absent

_OF_REJECTS = {"port_scan", "accepted_after_reject"}  # findings that need them
_OF_LOGS = {"findings", "flows", "sessions"}
_MOST = 5  # gaps that a match names
_HOUR = 3600
_BUSY = 5  # events of an hour by the median, so that an hour without one is told
#: Sources that go on all the time, so that hours without an event are a loss.
STEADY = ("cloudtrail", "dns", "alb", "nlb", "waf")


def silent_hours(times: Iterable[int]) -> list[tuple[int, int]]:
    """Returns the times of whole hours without an event, between others of which the median has some.

    >>> silent_hours([*range(0, 3600, 60), *range(3 * 3600, 4 * 3600, 60)])
    [(3600, 10800)]
    """
    hours = collections.Counter(time // _HOUR for time in times)
    if not hours or statistics.median(hours.values()) < _BUSY:
        return []
    busy = sorted(hours)
    return [((a + 1) * _HOUR, b * _HOUR) for a, b in zip(busy, busy[1:]) if b > a + 1]


@dataclasses.dataclass
class Seen:
    """``spans``: by source, the first and last Unix second of what was given. ``fields``: of flow logs; ``None``: no
    logs. ``gaps``: (interface, start, end, why). ``records``: by static conditions of a step over flow logs, the keys
    of the events that passed. ``notes``: what was damaged or left out."""

    spans: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    lacking: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)  # by rule: fields that no log has
    partly: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)  # those that only some logs have
    without_not: set[str] = dataclasses.field(default_factory=set)  # rules whose `not` steps name such fields
    gaps: list[tuple[str, int, int, str]] = dataclasses.field(default_factory=list)
    records: dict[tuple[str, ...], set[str]] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    read: dict[str, tuple[int, int, int]] = dataclasses.field(default_factory=dict)  # by source: events, first, last
    trail: str | os.PathLike[str] | None = None  # where the events of CloudTrail are
    blind: list[str] = dataclasses.field(default_factory=list)  # what rules cannot see at all
    holes: dict[str, list[tuple[int, int]]] = dataclasses.field(default_factory=dict)  # hours, by source
    actions: set[str] = dataclasses.field(default_factory=set)  # that records have
    left_out: dict[str, int] = dataclasses.field(default_factory=dict)  # by rule: what is too near to the begin

    def judges(self, rule: SequenceRule, chain: Sequence[Event]) -> bool:
        """Tells whether the sources of `not` steps began early enough to say what was not there; counts those that did
        not."""
        for step in rule.steps:
            begun = [self.spans[source][0] for source in step.sources if source in self.spans]
            if step.absent and step.seen and begun and chain[0].time - step.seen < min(begun):
                self.left_out[rule.name] = self.left_out.get(rule.name, 0) + 1
                return False
        return True

    def unjudged(self, rules: Sequence[SequenceRule]) -> list[str]:
        """Returns notes on what rules cannot see, sources of another time than the logs, and on what :meth:`judges`
        left out."""
        out = [*self.blind]
        begin, end = self.spans.get("flows", (0, 0))
        longest = max((rule.within for rule in rules), default=0)
        for source, (first, last) in sorted(self.spans.items()):
            if last + longest < begin or first - longest > end > 0:
                out.append(f"{source}: from {instant(first)} to {instant(last)}; the flow logs are of another time")
            elif source in STEADY and first - _HOUR > begin > 0:
                out.append(f"{source}: nothing is there before {instant(first)}; flow logs begin at {instant(begin)}")
            if source in STEADY and begin < last < end - _HOUR:
                out.append(f"{source}: nothing is there after {instant(last)}; flow logs end at {instant(end)}")
            out += self._silent(source, first, last)
        out += [*self._gaps(), *self._one_sided(rules)]
        for rule in rules:
            if number := self.left_out.get(rule.name):
                steps = [step for step in rule.steps if step.absent and step.seen]
                sources = "/".join(sorted({source for step in steps for source in step.sources}))
                long = length(max(step.seen for step in steps))
                out.append(f"{rule.name}: {count(number, 'sequence')} of the first {long} of {sources} left out: what "
                           "came before is not known there")  # fmt: skip
        return out

    def _one_sided(self, rules: Sequence[SequenceRule]) -> list[str]:
        """Returns a note if flow logs hold what was accepted alone, or what was rejected."""
        if len(self.actions) != 1:
            return []
        (only,) = self.actions
        names = [
            rule.name for rule in rules
            if any(_OF_REJECTS & {*s.kinds} if only == "ACCEPT" else _OF_LOGS & {*s.sources} for s in rule.positive)
        ]  # fmt: skip
        other = "REJECT" if only == "ACCEPT" else "ACCEPT"
        return [f"flow logs: no record is {other}; if they leave such traffic out, {', '.join(names)} cannot be seen "
                "in it"] * bool(names)  # fmt: skip

    def _silent(self, source: str, first: int, last: int) -> list[str]:
        """Returns notes on hours of a time in which a source has no event."""
        own = [(a, b) for a, b in self.holes.get(source, ()) if a < last and first < b]
        notes = [f"{source}: nothing is there from {instant(a)} to {instant(b)}" for a, b in own[:_MOST]]
        return notes + [f"{source}: and {count(len(own) - _MOST, 'more time')} without an event"] * (len(own) > _MOST)

    def _gaps(self) -> list[str]:
        """Returns a note on the gaps of interfaces between records of theirs."""
        begin, end = self.spans.get("flows", (0, 0))
        own = [gap for gap in self.gaps if begin < gap[1] and gap[2] < end]
        if not own:
            return []
        one, start, until, why = max(own, key=lambda gap: (gap[2] - gap[1], gap))
        of = count(len({gap[0] for gap in own}), "interface")
        return [f"flow logs: {count(len(own), 'gap')} of {of}, longest {instant(start)} to {instant(until)}: {one}: "
                f"{why}; vpcflow coverage shows all"]  # fmt: skip

    def passed(self, step: Step, event: Event) -> bool:
        """Tells whether a record of flow logs passed the conditions that the engine took."""
        return not step.static or event.key in self.records.get(step.static, ())

    def lacks(
        self, rule: SequenceRule, chain: Sequence[Event], entity: str, entities: Entities
    ) -> tuple[tuple[str, ...], bool]:
        """Returns what could not be seen of a match, and whether it is provisional."""
        notes, provisional = [], False
        for step in rule.steps:
            if step.absent:
                told, open_ = self._absent(rule, step, chain)
                notes += told
                provisional = provisional or open_
        if rule.name in self.lacking:
            names = ", ".join(self.lacking[rule.name])
            left_out = "; its `not` steps were left out" if rule.name in self.without_not else ""
            notes.append(f"no log has {names}: conditions on it were not checked{left_out}")
        records = [event.attrs for event in chain if event.source == "flows"]
        absent = [n for n in self.partly.get(rule.name, ()) if any(n.replace("-", "_") not in r for r in records)]
        if absent:
            notes.append(f"the record has no {', '.join(absent)}, which only some logs have: conditions on it were not "
                         "checked")  # fmt: skip
        for before, event in zip(chain, chain[1:]):
            if event.time < before.time:
                notes.append(f"{event.source}: what was seen from {instant(event.time)} may have begun before "
                             f"{before.kind} at {instant(before.time)}")  # fmt: skip
        notes += self._members(rule, chain, entities)
        if type_of(entity) == "address" and any(event.source == "findings" for event in chain):
            notes.append(f"{entity}: which interface had it then is not known")
        start, end = min(event.time for event in chain), max(event.end for event in chain)
        own = {one for event in chain for one in entities.resolve(event) if type_of(one) == "interface"}
        gaps = [gap for gap in self.gaps if gap[1] < end and start < gap[2] and gap[0] in own
                and not entities.is_new(gap[0], gap[2])]  # fmt: skip
        notes += [f"{one}: {why} from {instant(a)} to {instant(b)}" for one, a, b, why in gaps[:_MOST]]
        if len(gaps) > _MOST:
            notes.append(f"and {count(len(gaps) - _MOST, 'more gap')} of the flow logs")
        return tuple(dict.fromkeys([*notes, *self.notes])), provisional

    def _absent(self, rule: SequenceRule, step: Step, chain: Sequence[Event]) -> tuple[list[str], bool]:
        start, end, before = time_of_absent(rule, step, chain)
        notes, provisional = [], False
        for source in step.sources:
            span = self.spans.get(source)
            what = '/'.join(step.kinds) or f"such {'records' if source == 'flows' else 'events'}"
            if span is None:
                if self.spans:
                    notes.append(f"{source}: not given, so that {what} could not be looked for")
                continue
            if before and span[0] > start:
                notes.append(f"{source}: nothing is there from {instant(start)} to {instant(span[0])}, where the "
                             f"rule looks for {what}")
            notes += self._silent(source, max(start, span[0]), min(end, span[1]))
            if not before and span[1] < end and chain[-1].time >= start and end > chain[-1].time:
                provisional = True
                notes.append(f"{source}: nothing is there after {instant(span[1])}; {what} may come "
                             f"until {instant(end)}")  # fmt: skip
        return notes, provisional

    def _members(self, rule: SequenceRule, chain: Sequence[Event], entities: Entities) -> list[str]:
        """Returns events of which nothing tells whether they are of the entity that their step names."""
        binds: dict[str, object] = {}
        notes = []
        for step, event in zip(rule.positive, chain) if rule.ordered else ():
            name = step.entity_in
            entity = binds.get(name[1:]) if name.startswith("$") else name
            if name and (not entity or entities.member(event, str(entity)) is None):
                own = next((one for one in event.entities if type_of(one) == "interface"), event.kind)
                notes.append(f"whether {own} was of {entity or name} then: no inventory and no CloudTrail says it")
            binds.update(step.bound_by(event))
        return notes
