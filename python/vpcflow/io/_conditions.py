"""Conditions of other engines in the filter language, so that they are applied while logs are read."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _core

_SIGNS = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DEEPEST = 100
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<time>\d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d(?:\.\d+)?Z)"""
    r"""|(?P<number>\d+(?![\w.]))|(?P<name>\w+)|(?P<sign>==|!=|<=|>=|<|>)|(?P<mark>[](){},:=[]))""",
    re.VERBOSE,
)


class Part(NamedTuple):
    """A condition in the filter language: every row passes it that passes the original, and if it is ``exact`` no
    other one does."""

    text: str
    exact: bool


def comparison(name: str, sign: str, literal: Any) -> Part | None:
    """Compares a field with a number, a text or a ``datetime`` in the filter language; ``None`` where the filter
    language sees it otherwise than other engines."""
    field, kind = _fields().get(name, (name, None))
    if kind == "time":
        if not isinstance(literal, datetime.datetime) or literal.microsecond:
            return None
        seconds = int(literal.timestamp())
        return Part(f"{field} {sign} {seconds}", True) if seconds >= 0 else None
    if kind == "address":
        try:
            address = ipaddress.ip_address(literal) if sign == "=" and isinstance(literal, str) else None
        except ValueError:
            return None
        return None if address is None else Part(f"{field} = '{address}'", str(address) == literal)
    if kind == "text":  # the filter language knows some words in any case
        plain = isinstance(literal, str) and literal.isascii() and literal.isprintable() and "'" not in literal
        return Part(f"{field} = '{literal}'", False) if plain and sign == "=" else None
    whole = isinstance(literal, int) and not isinstance(literal, bool) and literal >= 0
    return Part(f"{field} {sign} {literal}", True) if kind is not None and whole else None


@functools.lru_cache(maxsize=1)
def _fields() -> dict[str, tuple[str, str]]:
    """Fields of the catalogue and their types, by the names of columns."""
    return {f["name"].replace("-", "_"): (f["name"], f["type"]) for f in _core.fields()}


def from_arrow(expression: str) -> str | None:
    """Translates a condition as pyarrow writes it, ``((dstport == 22) and (bytes > 100))``; ``None`` if nothing of it
    can be said in the filter language.

    >>> from_arrow('((dstport == 22) and starts_with(srcaddr, {pattern="10."}))')
    'dstport = 22'
    """
    try:
        part = _Reader(expression).whole()
    except _UnknownError:
        return None
    return part.text if part is not None else None


class _UnknownError(Exception):
    """An expression is written in a way that is not known."""


class _Reader:
    """Reads an expression. Of calls that are not known it finds the end."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise _UnknownError
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._at = self._depth = 0

    def whole(self) -> Part | None:
        part = self._condition()
        if self._at != len(self._tokens):
            raise _UnknownError
        return part

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise _UnknownError
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, *words: str) -> None:
        for word in words:
            if self._next()[1] != word:
                raise _UnknownError

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][1] if at < len(self._tokens) else ""

    def _condition(self) -> Part | None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UnknownError
        part = self._joined() if self._peek() == "(" else self._call()
        self._depth -= 1
        return part

    def _call(self) -> Part | None:
        name = self._next()[1]
        known: dict[str, Callable[[], Part | None]] = {
            "invert": self._inverted, "is_valid": lambda: self._null_test("is not null"),
            "is_null": lambda: self._null_test("is null"), "if_else": self._if_valid, "is_in": self._is_in,
        }  # fmt: skip
        if self._peek() != "(" or name not in known:
            self._skip_call()
            return None
        begin, depth = self._at, self._depth
        try:
            return known[name]()
        except _UnknownError:
            self._at, self._depth = begin, depth
            self._skip_call()
            return None

    def _skip_call(self) -> None:
        self._expect("(")
        depth = 1
        while depth:
            kind, word = self._next()
            depth += kind == "mark" and ((word == "(") - (word == ")"))

    def _joined(self) -> Part | None:
        """Reads ``(a and b)``, ``(a or b)`` or ``(field == literal)``."""
        begin = self._at
        self._expect("(")
        kind, name = self._next()
        sign = self._peek()
        if kind == "name" and sign in _SIGNS:
            self._next()
            literal = self._literal()
            self._expect(")")
            return None if literal is None else comparison(name, _SIGNS[sign], literal)
        self._at = begin + 1
        left = self._condition()
        word = self._next()[1]
        right = self._condition()
        self._expect(")")
        if word == "and":
            sides = [side for side in (left, right) if side is not None]
            return _join("and", sides, exact=len(sides) == 2) if sides else None
        if word == "or" and left is not None and right is not None:
            return _join("or", [left, right])
        return None

    def _literal(self) -> Any:
        kind, word = self._next()
        if kind == "number":
            return int(word)
        if kind == "time":
            return datetime.datetime.fromisoformat(word.replace("Z", "+00:00"))
        if kind == "text":
            return None if "\\" in word else word[1:-1]
        raise _UnknownError

    def _inverted(self) -> Part | None:
        self._expect("(")
        inner = self._condition()
        self._expect(")")
        return Part(f"not ({inner.text})", True) if inner is not None and inner.exact else None

    def _null_test(self, test: str) -> Part | None:
        self._expect("(")
        field = _fields().get(self._next()[1])
        self._at -= 2
        self._skip_call()
        return Part(f"{field[0]} {test}", True) if field is not None else None

    def _if_valid(self) -> Part | None:
        """Reads ``if_else(is_valid(field), condition, null[bool])``, null for null as any condition of ours."""
        self._expect("(", "is_valid", "(")
        self._next()
        self._expect(")", ",")
        inner = self._condition()
        self._expect(",", "null", "[", "bool", "]", ")")
        return inner

    def _is_in(self) -> Part | None:
        self._expect("(")
        name = self._next()[1]
        self._expect(",", "{", "value_set", "=")
        while self._next()[1] != ":":
            pass
        self._expect("[")
        parts: list[Part | None] = []
        while self._peek() != "]":
            literal = self._literal()
            parts.append(None if literal is None else comparison(name, "=", literal))
            if self._peek() == ",":
                self._next()
        self._at += 1
        while self._next()[1] != ")":
            pass
        known = [part for part in parts if part is not None]
        return _join("or", known) if known and len(known) == len(parts) else None


def _join(word: str, sides: list[Part], exact: bool = True) -> Part:
    if len(sides) == 1:
        return Part(sides[0].text, sides[0].exact and exact)
    return Part(f" {word} ".join(f"({side.text})" for side in sides), exact and all(side.exact for side in sides))
