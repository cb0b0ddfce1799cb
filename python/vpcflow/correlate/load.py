"""Reads sequence rules from files and plain values, and checks them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .._display import printable
from .._hints import hint
from .._units import seconds
from ..errors import PlanError, RuleError, VpcflowError
from ..findings.finding import SEVERITIES
from ..query.scan import query
from ..query.sessions import session_query
from ..rules.files import content_of
from ..rules.load import of as rules_of
from . import sigma
from .conditions import conjuncts, has_name, parsed
from .events import ENTITY_TYPES
from .model import SequenceRule, Step
from .sources import KINDS

#: Sources of events that a step can name; others are those of mappings.
SOURCES = (*KINDS, "findings", "flows", "sessions", "coverage")
_ENGINE = ("flows", "sessions")  # whose conditions the engine takes
_RULE = ("name", "title", "sequence", "within", "by", "ordered", "severity", "technique", "groupings")
_STEP = ("source", "kind", "where", "bind", "entity_in", "lasts", "failed", "not", "within", "seen", "until")
_MOST = 6  # steps


def load(source: str | os.PathLike[str]) -> list[SequenceRule]:
    """Loads the sequence rules of a file, ``.yaml``, ``.yml`` or ``.json``: vpcflow's own, or temporal correlations of
    Sigma. :class:`~vpcflow.RuleError` says what is wrong where."""
    return of(content_of(source, sigma.items_of), printable(os.fspath(source)))


def of(data: Any, name: str = "rules") -> list[SequenceRule]:
    """Makes sequence rules of plain values, as :func:`load` reads them; ``name`` begins the errors.

    >>> from vpcflow.correlate import Event, Events, matches, of, risk
    >>> steps = [{"source": "cloudtrail", "kind": "DeleteFlowLogs"}, {"source": "findings"}]
    >>> of([{"name": "blinded", "sequence": steps, "within": "2h", "by": "account"}])[0].within
    7200
    """
    data = data.get("rules") if isinstance(data, dict) and "rules" in data else data
    if not isinstance(data, list) or not data:
        raise RuleError(f"{name}: expected a list of rules, or a mapping with `rules`")
    out: list[SequenceRule] = []
    for number, item in enumerate(data, 1):
        rule = _rule(item, f"{name}: rule {number}")
        if any(rule.name == other.name for other in out):
            raise RuleError(f"{name}: duplicate rule name {printable(rule.name)!r}")
        out.append(rule)
    return out


def _keys(item: Any, known: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise RuleError(f"{place}: expected a mapping of keys, not {type(item).__name__}")
    out = {str(key).replace("-", "_"): value for key, value in item.items()}
    for key in out:
        if key not in known:
            raise RuleError(f"{place}: no key {printable(key)!r}; {hint(key, known)}")
    return out


def _rule(item: Any, place: str) -> SequenceRule:
    item = _keys(item, _RULE, place)
    if not isinstance(item.get("name"), str) or not item["name"]:
        raise RuleError(f"{place}: name is missing")
    place += f" ({printable(item['name'])})"
    for key in ("technique", "severity", "title"):
        if not isinstance(item.get(key, ""), str):
            raise RuleError(f"{place}: {key}: expected text")
    if item.get("severity", "medium") not in SEVERITIES:
        raise RuleError(f"{place}: severity: {item['severity']!r}; expected one of {', '.join(SEVERITIES)}")
    if not isinstance(item.get("ordered", True), bool):
        raise RuleError(f"{place}: ordered: expected true or false")
    if not isinstance(item.get("sequence"), list):
        raise RuleError(f"{place}: sequence: expected a list of steps")
    within = _time(item.get("within", "24h"), f"{place}: within")
    steps = tuple(_step(one, f"{place}: step {n}") for n, one in enumerate(item["sequence"], 1))
    rule = SequenceRule(
        item["name"], steps, within, _by(item, steps, place), item.get("ordered", True), item.get("severity", "medium"),
        item.get("technique", ""), tuple(rules_of(item.get("groupings", []), f"{place}: groupings")),
        item.get("title", ""),
    )  # fmt: skip
    _check(rule, place)
    return rule


def _by(item: Mapping[str, Any], steps: tuple[Step, ...], place: str) -> tuple[str, ...]:
    given = item.get("by")
    if given is None:  # joined by what is bound, if anything is; else by what they are of
        binds = [name for step in steps if not step.absent for name in step.bind]
        bound = any(step.entity_in for step in steps) or _uses(steps) or len(binds) > len(set(binds))
        return () if bound else ("entity",)
    names = tuple(map(str, given)) if isinstance(given, list) else (str(given),)
    for name in names:
        if name not in ENTITY_TYPES:
            raise RuleError(f"{place}: by: {printable(name)!r}; {hint(name, ENTITY_TYPES)}")
    return names


def _time(value: Any, place: str) -> int:
    try:
        return seconds(value)
    except (PlanError, TypeError):
        raise RuleError(f"{place}: {value!r}; expected a time such as 30m, 24h or 7d") from None


def _step(item: Any, place: str) -> Step:
    item = _keys(item, _STEP, place)
    absent = item.pop("not", False)
    if isinstance(absent, dict):
        if set(item) - {"within", "seen", "until"}:
            raise RuleError(f"{place}: not: expected a step of its own, without other keys beside it")
        item, absent = {**item, **_keys(absent, _STEP, f"{place}: not")}, True
    if not isinstance(absent, bool):
        raise RuleError(f"{place}: not: expected true, or a step")
    sources = _texts(item.get("source"), f"{place}: source")
    if not sources:
        raise RuleError(f"{place}: source is missing; one of {', '.join(SOURCES)}, or that of a mapping")
    where = item.get("where", "")
    if not isinstance(where, str):
        raise RuleError(f"{place}: where: expected text")
    conditions, static = [], []
    for part in conjuncts(where):
        if sources[0] in _ENGINE and not has_name(part):
            static.append(part)
            continue
        try:
            conditions.append(parsed(part))
        except ValueError as error:
            raise RuleError(f"{place}: where: {error}") from None
    for part in static:
        try:
            (session_query() if sources == ("sessions",) else query(allow_missing=True)).filter(part).explain()
        except (VpcflowError, TypeError) as error:
            raise RuleError(f"{place}: where: {error}") from None
    if not isinstance(item.get("failed", False), bool):
        raise RuleError(f"{place}: failed: expected true or false")
    bind = item.get("bind", {})
    if not isinstance(bind, dict) or not all(isinstance(x, str) for pair in bind.items() for x in pair):
        raise RuleError(f"{place}: bind: expected names for values, as {{sg: groupId, port: port}}")
    entity = item.get("entity_in", "")
    if not isinstance(entity, str):
        raise RuleError(f"{place}: entity_in: expected $name, or the id of an entity")
    times = {key: _time(item[key], f"{place}: {key}") for key in ("within", "lasts", "seen", "until") if key in item}
    alone = next((one for one in sources if one in _ENGINE), "")
    if "seen" in item and not absent:
        raise RuleError(f"{place}: seen: of a step with `not` alone: how long before its source must have begun")
    if "until" in item and not absent:
        raise RuleError(f"{place}: until: of a step with `not` alone: how long before the first step it looks no more")
    if alone and len(sources) > 1:
        raise RuleError(f"{place}: source: {alone} stand alone in a step")
    return Step(sources, _texts(item.get("kind"), f"{place}: kind"), tuple(conditions), tuple(static),
                {k: v.replace("-", "_") for k, v in bind.items()}, entity, failed=item.get("failed", False) is True,
                absent=absent, **times)  # fmt: skip


def _texts(value: Any, place: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, str) and one for one in values):
        raise RuleError(f"{place}: expected a name, or a list of names")
    return tuple(values)


def _check(rule: SequenceRule, place: str) -> None:
    if not 2 <= len(rule.positive) <= _MOST or len(rule.steps) > 2 * _MOST:
        raise RuleError(f"{place}: sequence: {len(rule.positive)} steps; expected 2 to {_MOST} beside those with `not`")
    once = sorted({name for step in rule.steps for name in step.bind if name not in rule.shared})
    if not rule.ordered and (len(rule.positive) < len(rule.steps) or once or _uses(rule.steps)):
        raise RuleError(f"{place}: ordered: false goes without `not` and $names, as there is no order that they rest "
                        "on; a name that several steps bind is the same in all of them")  # fmt: skip
    bound: set[str] = set()
    steps = rule.steps
    for number, step in enumerate(steps):
        there = set(bound)
        if step.absent:  # it is looked for when all others are there
            there |= {name for one in rule.positive for name in one.bind}
        for name in sorted(step.used - there):
            known = hint(name, sorted(there)) if there else "no earlier step binds a name"
            raise RuleError(f"{place}: step {number + 1}: ${printable(name)} is not bound; {known}")
        if step.until and steps.index(step) > steps.index(rule.positive[0]):
            raise RuleError(f"{place}: step {number + 1}: until: of a `not` step before the first step alone")
        if step.absent and step.bind:
            raise RuleError(f"{place}: step {number + 1}: bind: what is not there binds nothing")
        bound |= set(step.bind)


def _uses(steps: Sequence[Step]) -> set[str]:
    """Returns the names that steps use."""
    return {name for step in steps for name in step.used}
