"""What a request asks: its parameters, checked."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .._hints import hint
from .._units import unix_seconds
from ..errors import VpcflowError
from ..io.packed import RefusedError
from ..query.expr import col
from .board import MOST_ROWS, PLACES, SERVICES, Figures

_LIMIT = 100  # rows, if a request does not say
_LONGEST_WHERE = 2000
_LATEST = 32_503_680_000  # Unix seconds: the year 3000
_LONGEST_NAME = 200
UNNAMED = "-"  # the value of a place that records do not say
_ANY = ("", "all", "*")  # of what a page chooses


class Window(NamedTuple):
    """A span of time, whole bins, Unix seconds. ``None``: all of it."""

    start: int | None
    end: int | None

    def of(self, figures: Figures) -> bool:
        """Tells whether it is not all the time."""
        return self.start is not None or self.end is not None

    def has(self, time: int | None) -> bool:
        """Tells whether a time is within."""
        if time is None:
            return self == (None, None)
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)


class Asked(NamedTuple):
    """A request that was checked."""

    window: Window
    limit: int
    where: str
    by: str
    floors: bool = False  # where not all flows are held, values that are at least so large are wanted
    chosen: tuple[tuple[str, str], ...] = ()  # of :data:`CHOICES`, with values


def asked_of(query: str, figures: Figures | None, allowed: Sequence[str]) -> Asked:
    """Checks the parameters of a request. Raises :class:`RefusedError` with what is allowed."""
    query = query.rstrip("&")  # which many programs leave
    try:
        pairs = urllib.parse.parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=20
        )
    except ValueError:
        raise RefusedError(400, "the parameters cannot be read: NAME=VALUE&NAME=VALUE in UTF-8 is allowed") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            raise RefusedError(400, f"no parameter {name[:50]!r}; {hint(name[:50], list(allowed) or ['none'])}")
        if name in given:
            raise RefusedError(400, f"{name}: it is given twice")
        given[name] = value
    every = 1 if figures is None else figures.every
    start, end = (_time(name, given.get(name, "")) for name in ("from", "to"))
    start = None if start is None else start // every * every
    end = None if end is None else -(-end // every) * every
    if start is not None and end is not None and end <= start:
        raise RefusedError(400, "from, to: the time ends before it begins")
    where = given.get("where", "").strip()
    if len(where) > _LONGEST_WHERE:
        raise RefusedError(400, f"where: {len(where):,} characters; at most {_LONGEST_WHERE:,} are allowed")
    tests = {name: choose(given.get(name, "")) for name, choose in CHOICES.items()}
    chosen = tuple((name, given[name]) for name, test in tests.items() if test)
    some = [one for one in (where, *tests.values()) if one]
    where = some[0] if len(some) == 1 else " and ".join(f"({one})" for one in some)
    return Asked(Window(start, end), _limit(given.get("limit")), where, given.get("by", ""), chosen=chosen)


def _action(text: str) -> str:
    if text.lower() in _ANY:
        return ""
    if text.upper() not in ("ACCEPT", "REJECT"):
        raise RefusedError(400, f"action: {text[:50]!r}; ACCEPT, REJECT or all is allowed")
    return f"action = '{text.upper()}'"


def _service(text: str) -> str:
    if text.lower() in _ANY:
        return ""
    port = {name: str(number) for number, name in SERVICES.items()}.get(text.lower(), text)
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise RefusedError(400, f"service: {text[:50]!r}; a port, its usual name, or all is allowed")
    return f"dstport = {int(port)}"


def _address(text: str) -> str:
    if text.lower() in _ANY:
        return ""
    try:
        one = ipaddress.ip_address(text)
    except ValueError:
        raise RefusedError(400, f"address: {text[:50]!r}; an address, or all is allowed") from None
    return f"srcaddr = '{one}' or dstaddr = '{one}'"


def _place(name: str, field: str) -> Callable[[str], str]:
    def test(text: str) -> str:
        if text.lower() in _ANY:
            return ""
        if len(text) > _LONGEST_NAME or not text.isprintable():
            raise RefusedError(
                400, f"{name}: {text[:50]!r}; a name of at most {_LONGEST_NAME} letters, or all is allowed"
            )
        return f"{field} is null" if text == UNNAMED else str(col(field) == text)

    return test


#: What a page chooses by, beside ``where``: names of parameters, and the condition that a value is.
CHOICES: dict[str, Callable[[str], str]] = {
    **{name: _place(name, field) for name, field in zip(("account", "region", "vpc", "interface"), PLACES)},
    "action": _action, "service": _service, "address": _address,
}  # fmt: skip
#: Fields of places by the names of their parameters.
OF_PLACES = dict(zip(CHOICES, PLACES))


def _limit(text: str | None) -> int:
    if text is None:
        return _LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST_ROWS):
        raise RefusedError(400, f"limit: {text[:50]!r}; 1 to {MOST_ROWS:,} is allowed")
    return int(text)


def _time(name: str, text: str) -> int | None:
    """Returns Unix seconds of a time in milliseconds, as Grafana gives it, or of one in letters."""
    if not text:
        return None
    try:
        if text.isascii() and text.isdecimal() and len(text) <= 15:
            value: int | None = int(text) // 1000
        else:
            value = unix_seconds(name, text)
    except (VpcflowError, ValueError, OverflowError):
        value = None
    if value is None or not 0 <= value <= _LATEST:
        raise RefusedError(400, f"{name}: {text[:50]!r}; Unix milliseconds or 2026-11-23T06:00:00Z is allowed")
    return value
