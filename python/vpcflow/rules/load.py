"""Reads rules from files and plain values, and checks them."""

from __future__ import annotations

import os
import re
import string
from typing import Any

from .._display import printable
from .._hints import hint
from .._units import seconds
from ..errors import RuleError, VpcflowError
from ..findings.finding import SEVERITIES
from .files import content_of, with_known_keys
from .model import Rule

_LISTS = ("by", "having", "examples")


def load(source: str | os.PathLike[str]) -> list[Rule]:
    """Loads the rules of a file, ``.yaml``, ``.yml`` or ``.json``. :class:`~vpcflow.RuleError` says what is wrong
    where.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> file = pathlib.Path(tempfile.mkdtemp(), "rules.json")
    >>> _ = file.write_text('[{"name": "ssh", "where": "dstport = 22", "by": "srcaddr", "having": "flows >= 10"}]')
    >>> [(rule.name, rule.having) for rule in vf.rules.load(file)]
    [('ssh', ('flows >= 10',))]
    """
    name = printable(os.fspath(source))
    return of(content_of(source), name)


def of(data: Any, name: str = "rules") -> list[Rule]:
    """Makes rules of plain values, as :func:`load` reads them; ``name`` begins the errors."""
    if isinstance(data, dict) and not {"rules", "silences"}.isdisjoint(data):
        for key in data:
            if key not in ("rules", "silences"):
                known = hint(str(key), ["rules", "silences"])
                raise RuleError(f"{printable(name)}: no key {printable(str(key))!r} beside rules; {known}")
        data = data.get("rules", [])
    if not isinstance(data, list):
        raise RuleError(f"{printable(name)}: expected a list of rules, or a mapping with `rules`")
    out = [_rule(item, f"{printable(name)}: rule {i + 1}") for i, item in enumerate(data)]
    for i, rule in enumerate(out):
        if rule.name in {r.name for r in out[:i]}:
            raise RuleError(f"{printable(name)}: duplicate rule name {rule.name!r}")
    return out


def _rule(item: Any, place: str) -> Rule:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        place += f" ({printable(item['name'])})"
    item = with_known_keys(item, Rule, place)
    values: dict[str, Any] = {}
    for key, value in item.items():
        if key in _LISTS:
            values[key] = tuple(value) if isinstance(value, list) else (value,)
        else:
            values[key] = value
    texts = [("name", values.get("name")), *((k, v) for k in ("by", "having") for v in values.get(k, ()))]
    texts += [(k, values[k]) for k in ("where", "over", "severity", "message", "actor", "technique") if k in values]
    for key, value in texts:
        if not isinstance(value, str):
            raise RuleError(f"{place}: {key}: expected text" if value is not None else f"{place}: {key} is missing")
    mappings: list[tuple[str, Any]] = [(k, values[k]) for k in ("aggregates", "unusual") if k in values]
    mappings += [("examples", example) for example in values.get("examples", ())]
    for key, value in mappings:
        if not isinstance(value, dict):
            raise RuleError(f"{place}: {key}: expected a mapping")
    rule = Rule(**_with_one_spelling(values, place))
    _check(rule, place)
    return rule


def _with_one_spelling(values: dict[str, Any], place: str) -> dict[str, Any]:
    """Writes the names of aggregates with `_`, wherever a rule has them."""
    own = [name for name in values.get("aggregates", {}) if isinstance(name, str) and "-" in name]
    if not own:
        return values
    spelling = {name: name.replace("-", "_") for name in own}

    def respelt(text: Any) -> Any:
        for name, written in spelling.items():
            if isinstance(text, str):
                text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", written, text)
        return text

    aggregates: dict[Any, Any] = {}
    for name, text in values["aggregates"].items():
        key = spelling.get(name, name)
        if key in aggregates:
            raise RuleError(f"{place}: aggregates: duplicate name {printable(str(key))!r}")
        aggregates[key] = text
    unusual = {key: respelt(value) for key, value in values.get("unusual", {}).items()}
    message = re.sub(r"\{([^{}:]+)", lambda m: "{" + spelling.get(m[1], m[1]), values.get("message", ""))
    return {**values, "aggregates": aggregates, "unusual": unusual, "message": message}


def _check(rule: Rule, place: str) -> None:
    for key, value, allowed in (("severity", rule.severity, SEVERITIES), ("over", rule.over, ("records", "sessions"))):
        if value not in allowed:
            raise RuleError(f"{place}: {key}: {printable(value)!r}; expected one of {', '.join(allowed)}")
    try:
        if rule.every is not None:
            seconds(rule.every)
        rule.query().explain()
    except (VpcflowError, TypeError) as e:
        raise RuleError(f"{place}: {e}") from None
    try:
        parts = [part for part in string.Formatter().parse(rule.message) if part[1] is not None]
    except ValueError as e:
        raise RuleError(f"{place}: message: {e}") from None
    if any(spec not in ("", ",") or conversion for _, _, spec, conversion in parts):
        raise RuleError(f"{place}: message: expected {{name}}, or {{name:,}} for a number with separators")
    wanted = {str(name) for _, name, _, _ in parts}
    for name in sorted(wanted):
        if name not in rule.columns:
            known = hint(name, rule.columns).replace("'", "{", 1).replace("'", "}", 1)
            raise RuleError(f"{place}: message: no column {{{printable(name)}}}; {known}")
    if rule.actor and rule.actor.replace("-", "_") not in rule.columns:
        raise RuleError(f"{place}: actor: {printable(rule.actor)!r}; expected one of {', '.join(rule.columns)}")
    if rule.unusual:
        if not rule.every:
            raise RuleError(f"{place}: unusual: `every` is missing; it compares time bins")
        for key, value in rule.unusual.items():
            if key not in ("of", "deviations", "bins"):
                known = hint(str(key), ("of", "deviations", "bins"))
                raise RuleError(f"{place}: unusual: no key {printable(str(key))!r}; {known}")
            if key != "of" and (isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0):
                raise RuleError(f"{place}: unusual: {key}: expected a number above 0")
        if rule.unusual.get("of") not in (rule.aggregates or ["flows"]):
            raise RuleError(f"{place}: unusual: of: expected one of {', '.join(rule.aggregates or ['flows'])}")
