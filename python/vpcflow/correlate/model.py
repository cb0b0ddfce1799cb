"""The model of a sequence rule."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ..rules.model import Rule
from .conditions import Condition, Test, plain, values_named
from .events import Event


@dataclasses.dataclass(frozen=True)
class Step:
    """One step: events of these sources and kinds (all, if empty) whose conditions hold. ``static``: conditions that
    the engine takes, for records and sessions of flow logs; ``bind``: names for attributes, which later steps use as
    ``$name``; ``entity_in``: the event is of this entity, group or prefix; ``lasts``: how long the event goes on, at
    least, seconds; ``failed``: calls that failed are taken, too; ``absent``: no such event may be there; ``within``:
    how far from the others that is looked for, seconds; ``seen``: how long before the first event its source must have
    begun for that to say anything, seconds; ``until``: how long before the first event it may be there, seconds."""

    sources: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    conditions: tuple[Test, ...] = ()
    static: tuple[str, ...] = ()
    bind: Mapping[str, str] = dataclasses.field(default_factory=dict)
    entity_in: str = ""
    lasts: int = 0
    failed: bool = False
    absent: bool = False
    within: int | None = None
    seen: int = 0
    until: int = 0

    @property
    def named_kinds(self) -> frozenset[str]:
        """The kinds that an event of the step can have, by ``kinds`` or by conditions; empty: any."""
        named = [values_named(one, "kind") for one in self.conditions]
        return frozenset(self.kinds) or next((kinds for kinds in named if kinds is not None), frozenset())

    @functools.cached_property
    def used(self) -> frozenset[str]:
        """The names that the step uses, of what others bind."""
        used = {one.values[0] for one in self.conditions if isinstance(one, Condition) and one.bound}
        return frozenset(used | ({self.entity_in[1:]} if self.entity_in.startswith("$") else set()))

    def takes(self, event: Event) -> bool:
        """Tells whether an event is of the step, bindings and static conditions aside. A call that failed is, only if
        the step takes such or a condition names ``errorCode``."""
        if event.source not in self.sources or (self.kinds and event.kind not in self.kinds):
            return False
        if event.end - event.time < self.lasts:
            return False
        if "errorCode" in event.attrs and not (self.failed or "errorCode" in self._fields):
            return False
        return all(one.holds(self._values(event), {}) for one in self.conditions if not one.bound)

    def fits(self, event: Event, binds: Mapping[str, object]) -> bool:
        """Tells whether an event that the step takes goes with what earlier steps bound: by its conditions, and by a
        name that it binds again."""
        if not all(one.holds(self._values(event), binds) for one in self.conditions if one.bound):
            return False
        again = [(binds[name], value_of(event, attribute)) for name, attribute in self.bind.items() if name in binds]
        return all(value is not None and plain(value) == plain(bound) for bound, value in again)

    def bound_by(self, event: Event) -> dict[str, object]:
        """Returns what the event binds."""
        return {name: value_of(event, attribute) for name, attribute in self.bind.items()}

    def _values(self, event: Event) -> Mapping[str, Any]:
        return {"kind": event.kind, **event.attrs} if "kind" in self._fields else event.attrs

    @functools.cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset[str]().union(*(one.fields for one in self.conditions))


def value_of(event: Event, name: str) -> Any:
    """Returns a value of an event: of its ``attrs``, or its ``kind``."""
    return event.attrs.get(name, event.kind if name == "kind" else None)


@dataclasses.dataclass(frozen=True)
class SequenceRule:
    """A then B, within a time of A. ``by``: types of entities of which all steps share one, ``entity`` for interface,
    instance or address; empty: steps are joined by what they bind alone. ``ordered``: false for any order.
    ``groupings``: rules over flow logs whose findings its steps take; ``title``: what a match says, in a few words."""

    name: str
    steps: tuple[Step, ...]
    within: int
    by: tuple[str, ...] = ()
    ordered: bool = True
    severity: str = "medium"
    technique: str = ""
    groupings: tuple[Rule, ...] = ()
    title: str = ""

    @property
    def positive(self) -> tuple[Step, ...]:
        """The steps that must be there."""
        return tuple(step for step in self.steps if not step.absent)

    @functools.cached_property
    def shared(self) -> frozenset[str]:
        """The names that several steps bind, and so that must be the same in all of them."""
        times = collections.Counter(name for step in self.positive for name in step.bind)
        return frozenset(name for name, number in times.items() if number > 1)

    @property
    def sources(self) -> frozenset[str]:
        """All sources that the rule needs."""
        return frozenset(source for step in self.positive for source in step.sources)


def time_of_absent(rule: SequenceRule, step: Step, chain: Sequence[Event]) -> tuple[int, int, bool]:
    """Returns the time in which no event of a `not` step may be: between the events beside it; before the first, and
    after the last, for ``within``. The flag says that an event must have begun before the end of it, and have ended by
    then."""
    number = sum(not one.absent for one in rule.steps[: rule.steps.index(step)])
    within = step.within or rule.within
    if number == 0:
        return chain[0].time - within, chain[0].time - step.until, True
    if number == len(chain):
        return chain[-1].time, chain[0].time + within, False
    return chain[number - 1].time, chain[number].time, False
