"""What was looked at, and so what could not be seen: sources, their time, fields, minutes without records."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from .._display import instant, length
from .._words import count
from .entities import Entities
from .events import Event, type_of
from .model import SequenceRule, Step, time_of_absent

_MOST = 5  # gaps that a match names


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
        for rule in rules:
            if number := self.left_out.get(rule.name):
                steps = [step for step in rule.steps if step.absent and step.seen]
                sources = "/".join(sorted({source for step in steps for source in step.sources}))
                long = length(max(step.seen for step in steps))
                out.append(f"{rule.name}: {count(number, 'sequence')} of the first {long} of {sources} left out: what "
                           "came before is not known there")  # fmt: skip
        return out

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
        gaps = [gap for gap in self.gaps if gap[1] < end and start < gap[2] and gap[0] in own]
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
