"""Records of flow logs that steps of rules take: those near first events of other sources. Of records that are the
same for a rule the first stands for all, so that a busy service costs no more than a quiet one."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..typing import Progress
from .conditions import Condition
from .entities import Entities
from .events import Event, Events, type_of
from .logs import MOST, note_most, shown_fields
from .model import SequenceRule, Step
from .seen import Seen

_TOGETHER = 100  # queries of a step, at most
_LEAST = 2000  # records of each
_ALONE = 1000  # first events with a query each, where records stand for others
_ADDRESSES = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")


@dataclasses.dataclass(frozen=True)
class _Asked:
    """Records that a step asks for: the first ``most`` that pass all ``parts``, or the ``last``. ``by``: the fields in
    which they differ for the rule; empty: in any."""

    rule: SequenceRule
    step: Step
    parts: list[str]
    most: int = MOST
    last: bool = False
    by: tuple[str, ...] = ()

    def passing(self, flows: Flows) -> Flows:
        """Returns the query of all that pass."""
        kept = flows._with(allow_missing=True)
        for part in self.parts:
            kept = kept.filter(part)
        return kept

    def groups(self, flows: Flows) -> Flows:
        """Returns the query of the different ones, with their first and last time."""
        times = {"first": min_of("start"), "final": max_of("start"), "end": max_of("end")}
        return self.passing(flows).group_by(*self.by).agg(**times)


def flow_events(
    flows: Flows, rules: Sequence[SequenceRule], others: Events, entities: Entities, seen: Seen,
    progress: Progress | bool | None,
) -> Events:  # fmt: skip
    """Returns the records that steps of rules over flow logs take, near the first events of the other sources."""
    shown = shown_fields(rules)
    asked = [one for rule in rules for step in rule.steps if step.sources == ("flows",)
             for one in _asked(rule, step, others)]  # fmt: skip
    if not asked:
        return Events()
    grouped = [one for one in asked if one.by]
    tables, _ = collect_readable([one.groups(flows) for one in grouped], progress=progress) if grouped else ([], None)
    wanted = [_wanted(one, table, entities) for one, table in zip(grouped, tables)]
    plain = [one for one in asked if not one.by] + [one for one, keys in zip(grouped, wanted) if keys is None]
    queries = [records_query(flows, one.parts, shown, one.most, last=one.last) for one in plain]
    chosen = [(one, keys) for one, keys in zip(grouped, wanted) if keys is not None and keys[0]]
    for one, (keys, whole) in chosen:
        queries.append(records_query(flows, [*one.parts, _text_of(keys, whole)], shown))
    results, _ = collect_readable(queries, progress=progress) if queries else ([], None)
    out: list[Event] = []
    for one, result in zip(plain, results):
        note_most(one.rule, one.step, len(result), one.most, "records", seen)
        out += _taken(one, result.rows(), seen)
    for (one, (keys, whole)), result in zip(chosen, results[len(plain) :]):
        note_most(one.rule, one.step, len(result), MOST, "records", seen)
        rows = [row for row in result.rows() if row["interface_id"] in whole or _key(one, row) in keys]
        out += _taken(one, rows, seen)
    return Events(out)


def _taken(asked: _Asked, rows: Sequence[dict[str, Any]], seen: Seen) -> list[Event]:
    own = [record_event(row) for row in rows if row["start"] is not None]
    seen.records.setdefault(asked.step.static, set()).update(event.key for event in own)
    return own


def _key(asked: _Asked, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(row[name] for name in asked.by), row["start"])


def _wanted(asked: _Asked, table: Result, entities: Entities) -> tuple[set[tuple[Any, ...]], set[str]] | None:
    """Returns which records stand for others, by what they differ in and their time, and the interfaces of which all
    are needed, as what they belonged to changed; ``None``: all records are."""
    keys, whole = set[tuple[Any, ...]](), set[str]()
    for row in table.rows():
        one = row["interface_id"]
        if not one or type_of(one) != "interface" or row["first"] is None:
            return None
        if entities.changes(one, row["first"], row["end"] if row["end"] is not None else row["final"]):
            whole.add(one)
        keys.add((*(row[name] for name in asked.by), row["final" if asked.last else "first"]))
    return keys, whole


def _text_of(keys: set[tuple[Any, ...]], whole: set[str]) -> str:
    """Returns the condition of records at the times of keys, or of whole interfaces."""
    times = ", ".join(str(time) for time in sorted({key[-1] for key in keys}))
    return " or ".join([f"start in ({times})", *(f"interface_id = '{one}'" for one in sorted(whole))])


def records_query(
    flows: Flows, static: Sequence[str], shown: Sequence[str], most: int = MOST, *, last: bool = False
) -> Flows:
    """Returns the query of the first records that pass conditions, or of the last."""
    kept = flows._with(allow_missing=True)
    for part in static:
        kept = kept.filter(part)
    return kept.select(*shown).located().sort("start", "end", descending=last).limit(most)


def _asked(rule: SequenceRule, step: Step, others: Events) -> Iterator[_Asked]:
    """Yields what a step asks for: nothing, if no first event is there that its records could follow. Each is about a
    few of the first events, so that a busy one takes no place of the others."""
    first = rule.positive[0] if rule.ordered else rarest(rule, others)
    if first.sources == ("flows",):
        yield _Asked(rule, step, [*step.static])
        return
    near: dict[str, Event] = {}
    for anchor in others.of(first.sources, first.kinds):
        if first.takes(anchor):
            near.setdefault(_near(rule, step, first, anchor), anchor)
    texts, leads = list(near), _leads(rule, step, first)
    size = max(1, -(-len(texts) // _TOGETHER))
    if len(texts) <= _ALONE and all(_differing(rule, step, first, anchor) for anchor in near.values()):
        size = 1
    for begin in range(0, len(texts), size):
        part = " or ".join(texts[begin : begin + size])
        least = max(MOST * size // max(len(texts), 1), _LEAST)
        by = _differing(rule, step, first, near[texts[begin]]) if size == 1 else ()
        more = [_strictly(rule, step, near[texts[begin]])] if by else []
        yield _Asked(rule, step, [*step.static, part, *more], min(least, MOST), leads, by)


def _differing(rule: SequenceRule, step: Step, first: Step, anchor: Event) -> tuple[str, ...]:
    """Returns the fields in which records near a first event differ for a rule, if they are of a group, an instance or
    an interface that it names, and no step goes on from them: the interface, and what is compared and not asked of the
    engine. Empty: in any."""
    binds = first.bound_by(anchor)
    entity = str(binds.get(step.entity_in[1:]) if step.entity_in.startswith("$") else step.entity_in)
    alone = step is rule.positive[-1] or _leads(rule, step, first)
    if rule.by or not rule.ordered or not alone or type_of(entity) not in ("group", "instance", "interface"):
        return ()
    names = {"interface_id", *step.bind.values()}
    for one in step.conditions:
        if not isinstance(one, Condition):
            return ()
        sure = one.field in _ADDRESSES and one.values[0] in binds and _literal(one, binds[one.values[0]])
        names |= set() if sure else {one.field}
    return tuple(sorted(names))


def _strictly(rule: SequenceRule, step: Step, anchor: Event) -> str:
    """Returns the condition that each record follows the first event, or was over before."""
    if _leads(rule, step, rule.positive[0]):
        begin, end = times_near(rule, step, anchor)
        return f"(start >= {begin} and start < {end} and end <= {end})"
    return f"(start >= {anchor.time} or end > {anchor.time})"


def _leads(rule: SequenceRule, step: Step, first: Step) -> bool:
    return step.absent and rule.steps.index(step) < rule.steps.index(first)


def times_near(rule: SequenceRule, step: Step, anchor: Event) -> tuple[int, int]:
    """Returns the time in which records of a step can go with a first event."""
    leading = step.absent and rule.steps.index(step) < rule.steps.index(rule.positive[0])
    if leading:
        return max(anchor.time - (step.within or rule.within), 0), max(anchor.time - step.until, 0)
    if not rule.ordered:  # before it, too
        return max(anchor.time - rule.within, 0), anchor.end + rule.within
    return anchor.time, anchor.time + rule.within


def rarest(rule: SequenceRule, others: Events) -> Step:
    """Returns the step of a rule, of those whose events are there, that takes the fewest; any if there is none such."""
    told = [step for step in rule.positive if step.sources != ("flows",)]
    number = {id(step): sum(map(step.takes, others.of(step.sources, step.kinds))) for step in told}
    return min(told or rule.positive, key=lambda step: number.get(id(step), 0))


def _near(rule: SequenceRule, step: Step, first: Step, anchor: Event) -> str:
    """Returns the condition of records that are near a first event, and fit what it binds."""
    tested = [c for c in step.conditions if isinstance(c, Condition) and c.bound]
    tested += [Condition(field, "=", (name,), True, False) for name, field in step.bind.items()]
    binds = first.bound_by(anchor)
    bound = [_literal(c, binds.get(c.values[0])) for c in tested if c.values[0] in binds]
    begin, last = times_near(rule, step, anchor)
    return f"({' and '.join([f'end >= {begin}', f'start <= {last}', *(text for text in bound if text)])})"


def _literal(condition: Condition, value: object) -> str:
    """Returns a comparison with a bound value as the engine takes it; empty for what it is left out for."""
    text = str(value).strip()
    if condition.negated or condition.op not in ("=", "in"):
        return ""
    if condition.field in ("srcport", "dstport"):
        low, _, high = text.partition("-")
        if low.isdecimal() and (high or low).isdecimal() and int(high or low) <= 65535:
            return f"{condition.field} >= {int(low)} and {condition.field} <= {int(high or low)}"
    if condition.field in _ADDRESSES:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return ""
        return f"{condition.field} in {network}" if "/" in text else f"{condition.field} = '{network.network_address}'"
    return ""


def record_event(row: dict[str, Any]) -> Event:
    """Returns the event of a row of :func:`records_query`."""
    ref = f"{row.pop('file')}:byte {row.pop('offset')}"
    attrs = {name: value for name, value in row.items() if value is not None}
    named = ("interface_id", "instance_id", "srcaddr", "dstaddr", "account_id")
    entities = tuple(dict.fromkeys(str(row[name]) for name in named if row.get(name)))
    start, end = row["start"], row["end"] if row.get("end") is not None else row["start"]
    return Event(start, max(start, end), "flows", "record", entities, "", ref, ref, attrs)
