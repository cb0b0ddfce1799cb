"""Conditions of steps: comparisons of an event's values with literals and with what earlier steps bound."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Union

from .events import address_of

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[()]|\band\b|\bor\b|[^\s()'\"]+|\s+", re.I)
_COMPARISON = re.compile(
    r"(?P<not>not\s+)?(?P<field>[A-Za-z_][\w.\-]*)\s*"
    r"(?:(?P<null>is\s+null|is\s+not\s+null)|(?P<op>=|!=|<=|>=|<|>|(?:not\s+)?(?:in|like|matches)\b)\s*"
    r"(?P<value>.+))",
    re.I | re.S,
)
_SPAN = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
_LITERAL = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^\s,()']+))\s*(?:,|$)")


_DEEPEST = 40  # parentheses in each other


def conjuncts(text: str) -> list[str]:
    """Splits an expression at its outermost ``and``; one with an outermost ``or`` is one part.

    >>> conjuncts("a = 1 and (b = 2 and c = 3) and d = 'x and y'")
    ['a = 1', '(b = 2 and c = 3)', "d = 'x and y'"]
    """
    return [text.strip()] if len(_split(text, "or")) > 1 else _split(text, "and")


def has_name(text: str) -> bool:
    """Tells whether a ``$name`` stands in an expression, quotes aside."""
    return any(re.search(r"\$[A-Za-z_]", token) for token in _TOKEN.findall(text) if token[0] not in "'\"")


def _split(text: str, word: str) -> list[str]:
    """Splits an expression at a word outside of parentheses and quotes; the `and` of a `between` is none."""
    depth, parts, between = 0, [""], False
    for token in _TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        lower = token.lower()
        if depth == 0 and lower == word and not between:
            parts.append("")
            continue
        between = depth == 0 and (lower == "between" or (between and lower != "and"))
        parts[-1] += token
    return [part.strip() for part in parts if part.strip()]


@dataclasses.dataclass(frozen=True)
class Group:
    """Conditions joined by ``and`` or ``or``, or one behind ``not``. What cannot be known, as the value is not there,
    stays unknown behind ``not``, as in the filter language."""

    op: str  # and or not
    parts: tuple[Test, ...]
    bound = False

    @property
    def fields(self) -> frozenset[str]:
        """The names of the values that are compared."""
        return frozenset[str]().union(*(part.fields for part in self.parts))

    def value(self, attrs: Mapping[str, Any], binds: Mapping[str, Any]) -> bool | None:
        """Returns whether the group holds; ``None``: it cannot be known."""
        values = [part.value(attrs, binds) for part in self.parts]
        if self.op == "not":
            return None if values[0] is None else not values[0]
        decisive = self.op == "or"
        return decisive if decisive in values else None if None in values else not decisive

    def holds(self, attrs: Mapping[str, Any], binds: Mapping[str, Any]) -> bool:
        """Tells whether the group holds, and is known to."""
        return self.value(attrs, binds) is True


def parsed(text: str, depth: int = 0) -> Test:
    """Parses a condition: comparisons joined by ``and``, ``or``, ``not`` and parentheses; one with a ``$name`` stands
    by itself. Raises :class:`ValueError` that says what is allowed.

    >>> parsed("kind = 'x' or not (n > 3 and who like 'arn:*')").holds({"kind": "y", "n": 2, "who": "arn:a"}, {})
    True
    """
    text = text.strip()
    if depth > _DEEPEST:
        raise ValueError(f"{text[:40]!r}: more than {_DEEPEST} parentheses in each other")
    for word in ("or", "and"):
        parts = _split(text, word)
        if len(parts) > 1 and has_name(text):
            raise ValueError(f"{text!r}: a comparison with a $name stands by itself, or is joined by `and`")
        if len(parts) > 1:
            return Group(word, tuple(parsed(part, depth + 1) for part in parts))
    negated = re.fullmatch(r"not\b\s*(\(.*\))", text, re.I | re.S)
    if negated:
        return Group("not", (parsed(negated[1], depth + 1),))
    if text[:1] == "(" and text[-1:] == ")":
        return parsed(text[1:-1], depth + 1)
    return Condition.parse(text)


@dataclasses.dataclass(frozen=True)
class Condition:
    """A comparison: ``field op value``. ``bound``: the value is the name of a binding."""

    field: str
    op: str  # = < <= > >= in like matches null
    values: tuple[str, ...]
    bound: bool
    negated: bool

    @property
    def fields(self) -> frozenset[str]:
        """The name of the value that is compared."""
        return frozenset((self.field,))

    @staticmethod
    def parse(text: str) -> Condition:
        """Parses one comparison. Raises :class:`ValueError` that says what is allowed."""
        match = _COMPARISON.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r}: expected comparisons such as port = 22, cidr in ('0.0.0.0/0', '::/0'), "
                             "mfa is null, name like 'a*', joined by and, or, not")  # fmt: skip
        field, negated = match["field"].replace("-", "_"), bool(match["not"])
        if match["null"]:
            return Condition(field, "null", (), False, negated != ("not" in match["null"].lower()))
        op, value = " ".join(match["op"].lower().split()), match["value"].strip()
        negated, op = negated != (op == "!=" or op.startswith("not ")), "=" if op == "!=" else op[op.find(" ") + 1 :]
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
        if op == "matches":
            try:
                re.compile(values[0])
            except (re.error, RecursionError, OverflowError) as error:
                raise ValueError(f"{text!r}: no regular expression: {error}") from None
        return Condition(field, op, tuple(values), False, negated)

    def value(self, attrs: Mapping[str, Any], binds: Mapping[str, Any]) -> bool | None:
        """Returns whether the comparison holds; ``None``: a value is not there, and it is not asked for ``null``."""
        own = attrs.get(self.field)
        if self.op == "null":
            return (own is None) != self.negated
        values = (binds.get(self.values[0]),) if self.bound else self.values
        if own is None or any(value is None for value in values):
            return None
        return any(_compare(own, self.op, value) for value in values) != self.negated

    def holds(self, attrs: Mapping[str, Any], binds: Mapping[str, Any]) -> bool:
        """Tells whether the comparison holds. A value that is not there makes every comparison false, `null` aside."""
        return self.value(attrs, binds) is True

    def exact(self, binds: Mapping[str, Any]) -> str | None:
        """Returns what the value must be, as :func:`plain` writes it, if nothing else fits: for an index."""
        if not self.bound or self.op not in ("=", "in") or self.negated:
            return None
        text = plain(binds.get(self.values[0]))
        return None if "/" in text or _SPAN.fullmatch(text) else text


#: A condition: one comparison, or several.
Test = Union[Condition, Group]


def values_named(test: Test, field: str) -> frozenset[str] | None:
    """Returns the values, in small letters, one of which a field has wherever a condition holds; ``None``: any.

    >>> sorted(values_named(parsed("(kind = 'A' or kind in ('b', 'C')) and n > 1"), "kind"))
    ['a', 'b', 'c']
    """
    if isinstance(test, Condition):
        named = test.field == field and test.op in ("=", "in") and not test.bound and not test.negated
        return frozenset(value.strip().lower() for value in test.values) if named else None
    parts = [values_named(part, field) for part in test.parts]
    known = [part for part in parts if part is not None]
    if test.op == "not" or not known or (test.op == "or" and len(known) < len(parts)):
        return None
    return frozenset[str]().union(*known) if test.op == "or" else min(known, key=len)


def plain(value: Any) -> str:
    """Returns a value as equality takes it: texts whatever their case."""
    return str(value).strip().lower()


@functools.lru_cache(maxsize=1 << 12)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@functools.lru_cache(maxsize=256)
def _pattern(op: str, text: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(text.lower()) if op == "like" else text)


def _compare(own: Any, op: str, value: Any) -> bool:
    if op in ("=", "in"):
        return _same(own, value)
    if op == "like":  # in linear time: values are hostile
        return _pattern(op, str(value)).match(str(own).lower()) is not None
    if op == "matches":
        return _pattern(op, str(value)).search(str(own)) is not None
    try:
        left, right = float(own), float(value)
    except (TypeError, ValueError):
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _same(own: Any, value: Any) -> bool:
    """Tells whether values are the same: texts whatever their case, numbers in a range, addresses in a network."""
    left, right = plain(own), plain(value)
    if left == right:
        return True
    if isinstance(own, (int, float)):
        try:
            if float(right) == own:
                return True
        except (ValueError, OverflowError):
            pass
    span = _SPAN.fullmatch(right)
    if span and left.isdecimal():
        return int(span[1]) <= int(left) <= int(span[2])
    if "/" in right:
        network = _network(right)
        return network is not None and _lies_in(left, network)
    return False


def _lies_in(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Tells whether an address, or a prefix, lies in a network."""
    if "/" not in text:
        address = address_of(text)
        return address is not None and address in network
    inner = _network(text)
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(network, ipaddress.IPv4Network) and inner.subnet_of(network)
    return inner is not None and isinstance(network, ipaddress.IPv6Network) and inner.subnet_of(network)
