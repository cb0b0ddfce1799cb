"""Conditions of steps: comparisons of an event's values with literals and with what earlier steps bound."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from .events import address_of

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[()]|\band\b|\bor\b|[^\s()'\"]+|\s+", re.I)
_COMPARISON = re.compile(
    r"(?P<not>not\s+)?(?P<field>[A-Za-z_][\w.\-]*)\s*"
    r"(?:(?P<null>is\s+null|is\s+not\s+null)|(?P<op>=|!=|<=|>=|<|>|not\s+in\b|in\b)\s*(?P<value>.+))",
    re.I | re.S,
)
_LITERAL = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^\s,()']+))\s*(?:,|$)")


def conjuncts(text: str) -> list[str]:
    """Splits an expression at its outermost ``and``; one with an outermost ``or`` is one part.

    >>> conjuncts("a = 1 and (b = 2 and c = 3) and d = 'x and y'")
    ['a = 1', '(b = 2 and c = 3)', "d = 'x and y'"]
    """
    depth, parts, either, between = 0, [""], False, False
    for token in _TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        if depth == 0 and token.lower() == "and" and not between:
            parts.append("")
            continue
        between = depth == 0 and (token.lower() == "between" or (between and token.lower() != "and"))
        either = either or (depth == 0 and token.lower() == "or")
        parts[-1] += token
    return [text.strip()] if either else [part.strip() for part in parts if part.strip()]


@dataclasses.dataclass(frozen=True)
class Condition:
    """A comparison: ``field op value``. ``bound``: the value is the name of a binding."""

    field: str
    op: str  # = != < <= > >= in null
    values: tuple[str, ...]
    bound: bool
    negated: bool

    @staticmethod
    def parse(text: str) -> Condition:
        """Parses one comparison. Raises :class:`ValueError` that says what is allowed."""
        match = _COMPARISON.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r}: expected comparisons such as port = 22, cidr in ('0.0.0.0/0', '::/0'), "
                             "mfa is null, address = $who, joined by `and`")  # fmt: skip
        field, negated = match["field"].replace("-", "_"), bool(match["not"])
        if match["null"]:
            return Condition(field, "null", (), False, negated != ("not" in match["null"].lower()))
        op, value = " ".join(match["op"].lower().split()), match["value"].strip()
        negated, op = (negated != (op in ("!=", "not in")), {"!=": "=", "not in": "in"}.get(op, op))
        if re.fullmatch(r"\$[A-Za-z_]\w*", value):
            return Condition(field, op, (value[1:],), True, negated)
        inner = value[1:-1] if op == "in" and value[:1] == "(" and value[-1:] == ")" else value
        values, place = [], 0
        while place < len(inner):
            literal = _LITERAL.match(inner, place)
            if literal is None or "$" in (literal[2] or ""):
                raise ValueError(f"{text!r}: expected a number, a text in quotes, or $name behind {match['op']}")
            values.append(literal[2] if literal[1] is None else literal[1].replace("''", "'"))
            place = literal.end()
        if not values or (op != "in" and len(values) > 1):
            raise ValueError(f"{text!r}: expected one value behind {match['op']}")
        return Condition(field, op, tuple(values), False, negated)

    def holds(self, attrs: Mapping[str, Any], binds: Mapping[str, Any]) -> bool:
        """Tells whether the comparison holds. A value that is not there makes every comparison false, `null` aside."""
        own = attrs.get(self.field)
        if self.op == "null":
            return (own is None) != self.negated
        values = (binds.get(self.values[0]),) if self.bound else self.values
        if own is None or any(value is None for value in values):
            return False
        return any(_compare(own, self.op, value) for value in values) != self.negated


def _compare(own: Any, op: str, value: Any) -> bool:
    if op in ("=", "in"):
        return _same(own, value)
    try:
        left, right = float(own), float(value)
    except (TypeError, ValueError):
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _same(own: Any, value: Any) -> bool:
    """Tells whether values are the same: texts whatever their case, numbers in a range, addresses in a network."""
    left, right = str(own).strip().lower(), str(value).strip().lower()
    if left == right:
        return True
    span = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", right)
    if span and left.isdecimal():
        return int(span[1]) <= int(left) <= int(span[2])
    if "/" in right:
        address = address_of(left)
        try:
            return address is not None and address in ipaddress.ip_network(right, strict=False)
        except ValueError:
            return False
    return False
