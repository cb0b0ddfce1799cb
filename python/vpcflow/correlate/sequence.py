"""Finds sequences: A then B within a time, by what both are of. A function of the set of events: order of delivery,
repeated delivery and the way in which sets were joined change nothing."""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .conditions import Condition, plain
from .entities import Entities
from .events import Event, Events, type_of
from .model import SequenceRule, Step, time_of_absent, value_of
from .seen import Seen

#: Types of entities, the best name of what something is of first.
BEST = ("instance", "interface", "address", "principal", "group", "account")
_JOINING = ("interface", "instance", "address")


@dataclasses.dataclass(frozen=True)
class Match:
    """Events that a rule's steps are, in their order. ``provisional``: its time has not passed in all sources, so that
    an event which must not be there may still come. ``could_not_see``: what hours, fields or sources lacked."""

    rule: str
    severity: str
    technique: str
    entity: str
    events: tuple[Event, ...]
    provisional: bool
    could_not_see: tuple[str, ...]
    title: str = ""

    @property
    def id(self) -> str:
        """The name of this match; it stays while later events make the match grow."""
        text = "\n".join([self.rule, self.entity, self.events[0].source, self.events[0].key])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def start(self) -> int:
        """Unix seconds of the first event's begin."""
        return min(event.time for event in self.events)

    @property
    def end(self) -> int:
        """Unix seconds of the last event's end."""
        return max(event.end for event in self.events)

    def as_row(self) -> dict[str, Any]:
        """Returns the row of the match."""
        return {
            "rule": self.rule, "id": self.id, "entity": self.entity, "severity": self.severity, "title": self.title,
            "technique": self.technique or None, "start": self.start, "end": self.end, "provisional": self.provisional,
            "could_not_see": list(self.could_not_see), "events": [event.as_dict() for event in self.events],
        }  # fmt: skip


_LATE = 60  # seconds by which the first record of a session may be late


def follows(before: Event, event: Event) -> bool:
    """Tells whether an event comes after another, or at the same time; one that lasts, if it ends later. A session
    began with its first record."""
    begun = min(event.end, event.time + _LATE) if event.source == "sessions" else event.end
    return event.time >= before.time or begun > before.time


#: By rule: the names of events (source, key) that are in a chain, with the end of its first event.
Used = dict[str, dict[tuple[str, str], int]]


def matches(
    rules: Sequence[SequenceRule], events: Events, entities: Entities | None = None, seen: Seen | None = None,
    used: Used | None = None,
) -> list[Match]:  # fmt: skip
    """Returns what sequences match, in order of time.

    For each event of a first step there is at most one match: of all that fit, the one whose events come first; certain
    ones come before those of which nobody can tell whether they are of the entity that a step names. Of matches of a
    rule that have an event in common, the first stands for all: they are one story. ``used``: what was used by chains
    whose first events are held no more; what is used now is added.

    >>> from vpcflow.correlate import Event, Events, matches, of, risk
    >>> steps = [{"source": "a"}, {"source": "b"}]
    >>> rules = of([{"name": "a-then-b", "sequence": steps, "within": "1h"}])
    >>> event = lambda time, source, who: Event(time, time, source, "x", (who,), "", "", f"{time}")
    >>> events = Events([event(10, "a", "i-1"), event(20, "b", "i-2"), event(30, "b", "i-1")])
    >>> [(match.entity, match.start, match.end) for match in matches(rules, events)]
    [('i-1', 10, 30)]
    """
    known, looked = entities or Entities(), seen or Seen()
    taken = used if used is not None else {}
    found = [match for rule in rules for match in _of_rule(rule, events, known, looked, taken)]
    return sorted(found, key=lambda match: (match.start, match.end, match.rule, match.id))


def _of_rule(rule: SequenceRule, events: Events, entities: Entities, seen: Seen, used: Used) -> Iterator[Match]:
    orders = [rule.positive] if rule.ordered else list(itertools.permutations(rule.positive))
    search = _Search(rule, events, entities, seen)
    chains = [chain for order in orders for chain in search.chains(order)]
    told = used.setdefault(rule.name, {})
    for chain, shared in sorted(chains, key=lambda one: [event.order for event in one[0]]):
        names = {(event.source, event.key) for event in chain}
        if not names & told.keys():
            if not seen.judges(rule, chain):
                continue
            entity = _entity_of(chain, shared, entities)
            notes, provisional = seen.lacks(rule, chain, entity, entities)
            yield Match(rule.name, rule.severity, rule.technique, entity, chain, provisional, notes,
                        rule.title)  # fmt: skip
        told.update((name, max(told.get(name, 0), chain[0].end)) for name in names)


def _entity_of(chain: Sequence[Event], shared: Collection[str], entities: Entities) -> str:
    """Returns what the match is of: what all share, else what the last event is of."""
    for own in (shared, *(entities.resolve(event) for event in reversed(chain))):
        named = {one: type_of(one) for one in own}
        for kind in BEST:
            if best := sorted(one for one, known in named.items() if known == kind):
                return best[0]
        if named:
            return min(named)
    return ""


class _Search:
    """The search of a rule's chains."""

    def __init__(self, rule: SequenceRule, events: Events, entities: Entities, seen: Seen) -> None:
        self._rule, self._entities = rule, entities
        self._types = {kind for name in rule.by for kind in (_JOINING if name == "entity" else (name,))}
        self._unknown = False
        self._all = [(step, _Candidates(step, events, self, seen)) for step in rule.steps]
        self._absent = [one for one in self._all if one[0].absent]
        self._steps: list[tuple[Step, _Candidates]] = []
        self._leading: dict[tuple[object, ...], tuple[bool, set[str]]] = {}

    def links(self, event: Event) -> frozenset[str]:
        """Returns what an event can be joined by."""
        if not self._types:
            return frozenset()
        return frozenset(one for one in self._entities.resolve(event) if type_of(one) in self._types)

    def chains(self, order: Sequence[Step]) -> Iterator[tuple[tuple[Event, ...], frozenset[str]]]:
        """Yields the first chain of each first event, its steps in an order, with what all of its events share."""
        self._steps = [next(one for one in self._all if one[0] is step) for step in order]
        begin, candidates = self._steps[0]
        for first in candidates.events:
            links, binds = self.links(first), begin.bound_by(first)
            self._leading = {}
            if (self._types and not links) or any(binds.get(name, "") is None for name in self._rule.shared):
                continue
            for unknown in (False, True):  # what is certain comes before what nobody can tell
                self._unknown = unknown
                if self._is_of(begin, first, {}, unknown):
                    found = self._from((first,), binds, links)
                    if found is not None:
                        yield found
                        break

    def _from(
        self, chain: tuple[Event, ...], binds: Mapping[str, object], shared: frozenset[str]
    ) -> tuple[tuple[Event, ...], frozenset[str]] | None:
        """Returns the first chain that goes on from this one."""
        if len(chain) == len(self._steps):
            return (chain, shared) if not self._hindered(chain, binds, shared) else None
        (step, candidates), last = self._steps[len(chain)], chain[0].time + self._rule.within
        final, hindered = len(chain) + 1 == len(self._steps) and not self._types, set[tuple[object, ...]]()
        for event in candidates.between(chain[-1].time, last, shared if self._types else None, binds):
            alike = (event.attrs.get("interface_id"), *(value_of(event, name) for name in step.bind.values()))
            if alike in hindered:  # what hinders one hinders later ones that bind the same at the same interface
                continue
            both = shared & self.links(event)
            if event in chain or not follows(chain[-1], event) or (self._types and not both):
                continue
            if step.fits(event, binds) and self._is_of(step, event, binds, self._unknown):
                found = self._from((*chain, event), {**binds, **step.bound_by(event)}, both)
                if found is not None:
                    return found
                if final and alike[0] is not None:
                    hindered.add(alike)
        return None

    def _is_of(self, step: Step, event: Event, binds: Mapping[str, object], unknown: bool) -> bool:
        """Tells whether an event is of the entity that the step names; ``unknown``: what nobody can tell."""
        if not step.entity_in:
            return True
        entity = binds.get(step.entity_in[1:]) if step.entity_in.startswith("$") else step.entity_in
        member = self._entities.member(event, str(entity)) if entity else None
        return unknown if member is None else member

    def _hindered(self, chain: tuple[Event, ...], binds: Mapping[str, object], shared: frozenset[str]) -> bool:
        """Tells whether there is an event that must not be."""
        for step, candidates in self._absent:
            start, end, before = time_of_absent(self._rule, step, chain)
            if before and not self._types:  # the same for all chains of a first event that bind the same
                key = (id(step), *(binds.get(name) for name in sorted(step.used)))
                if key not in self._leading:
                    self._leading[key] = self._hindering(step, candidates, chain[0], binds, start, end)
                certain, interfaces = self._leading[key]
                if certain or (self._unknown and any(interfaces & self._interfaces(event) for event in chain)):
                    return True
                continue
            for event in candidates.between(start, end, shared if self._types else None, binds):
                inside = event.time < end and event.end <= end if before else event.time <= end
                if not inside or event.time < start or event in chain or not step.fits(event, binds):
                    continue
                if self._types and not shared & self.links(event):
                    continue
                if self._is_of(step, event, binds, unknown=False):
                    return True
                if self._unknown and self._is_of(step, event, binds, unknown=True):
                    own = self._interfaces(event)  # it is of the entity if one of the same interface is
                    if any(own & self._interfaces(other) for other in chain):
                        return True
        return False

    def _hindering(
        self, step: Step, candidates: _Candidates, first: Event, binds: Mapping[str, object], start: int, end: int
    ) -> tuple[bool, set[str]]:
        """Tells whether there is an event before the first one that must not be, and returns the interfaces of those of
        which nobody can tell."""
        interfaces: set[str] = set()
        for event in candidates.between(start, end, None, binds):
            own = event.attrs.get("interface_id")
            if own in interfaces and self._entities.is_untold(own):  # as before
                continue
            if start <= event.time < end and event.end <= end and event is not first and step.fits(event, binds):
                if self._is_of(step, event, binds, unknown=False):
                    return True, interfaces
                if self._is_of(step, event, binds, unknown=True):
                    interfaces |= self._interfaces(event)
        return False, interfaces

    def _interfaces(self, event: Event) -> frozenset[str]:
        named = event.attrs.get("interface_id")
        if isinstance(named, str):
            return frozenset((named,))
        return frozenset(one for one in self._entities.resolve(event) if type_of(one) == "interface")


class _Candidates:
    """The events that a step takes, in order of time, by what they can be joined by and by values that are asked."""

    def __init__(self, step: Step, events: Events, search: _Search, seen: Seen) -> None:
        self.events = [e for e in events.of(step.sources, step.kinds) if step.takes(e) and seen.passed(step, e)]
        self._again = dict(step.bind)  # names that an earlier step may have bound too
        self._asked = [one for one in step.conditions if isinstance(one, Condition) and one.bound]
        self._valued: dict[tuple[str, str], list[int]] = {}
        for field in {*self._again.values(), *(one.field for one in self._asked)}:
            for number, event in enumerate(self.events):
                if (value := value_of(event, field)) is not None:
                    self._valued.setdefault((field, plain(value)), []).append(number)
        self._times = [event.time for event in self.events]
        self._longest = max((event.end - event.time for event in self.events), default=0)
        self._by: dict[str, list[int]] = {}
        for number, event in enumerate(self.events):
            for one in search.links(event):
                self._by.setdefault(one, []).append(number)

    def between(
        self, start: int, end: int, shared: frozenset[str] | None, binds: Mapping[str, object]
    ) -> Iterator[Event]:
        """Yields those that are there at a time, in order; of those that can be joined, if that is asked. Others are
        left out as far as that is cheap."""
        low = bisect.bisect_left(self._times, start - self._longest)
        high = bisect.bisect_right(self._times, end)
        keys = [(field, plain(binds[name])) for name, field in self._again.items() if name in binds]
        keys += [(one.field, text) for one in self._asked if (text := one.exact(binds)) is not None]
        if keys:
            own = min((self._valued.get(key, []) for key in keys), key=len)
            places = own[bisect.bisect_left(own, low) : bisect.bisect_left(own, high)]
            yield from (self.events[number] for number in places)
            return
        if shared is None:
            yield from self.events[low:high]
            return
        numbers: set[int] = set()
        for one in shared:
            own = self._by.get(one, [])
            numbers.update(own[bisect.bisect_left(own, low) : bisect.bisect_left(own, high)])
        yield from (self.events[number] for number in sorted(numbers))
