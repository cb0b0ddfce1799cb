"""How values look as text. Everything that came from a log is escaped here, and in HTML by :mod:`._html`."""

from __future__ import annotations

import datetime
from typing import Any

from . import _core

_encoding = "utf-8"  # of where texts are shown; the command line knows it


def human_bytes(n: float) -> str:
    """Formats a number of bytes: 1536 as ``"1.5 KiB"``.

    >>> human_bytes(1536)
    '1.5 KiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(n) < 1024:
            return f"{n:.0f} B" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} PiB"


def instant(seconds: int | None, zone: datetime.tzinfo | None = None) -> str:
    """Formats Unix seconds as ``2026-11-23 10:00:00`` in UTC, in another zone with the offset; ``None`` as ``-``."""
    if seconds is None:
        return "-"
    try:
        when = datetime.datetime.fromtimestamp(seconds, zone or datetime.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return str(seconds)
    return when.strftime("%Y-%m-%d %H:%M:%S" if zone is None else "%Y-%m-%d %H:%M:%S%z")


def length(seconds: float) -> str:
    """Formats a length of time: 5400 as ``"90 min"``.

    >>> length(59), length(5400), length(90000)
    ('59 s', '90 min', '25.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def printable(text: str) -> str:
    """Makes text safe for a terminal: control characters, those that turn the direction of writing and others that
    nothing shows become escapes.

    >>> printable("a\\x1b[31mb"), printable("日本\\u202e")
    ('a\\\\x1b[31mb', '日本\\\\u202e')
    """
    if text.isascii() and text.isprintable():
        return text
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return safe.encode(_encoding, "backslashreplace").decode(_encoding)


def show_in(encoding: str) -> None:
    """Makes what an encoding lacks escapes, too, in all texts of this process: widths are counted after that."""
    global _encoding
    _encoding = encoding


def can_show(text: str) -> bool:
    """Tells whether the encoding of where texts are shown has all characters of one."""
    try:
        text.encode(_encoding)
    except UnicodeEncodeError:
        return False
    return True


def protocol_names() -> dict[int, str]:
    """Returns the usual names of IP protocols by number."""
    return {number: usual for number, _, usual in _core.protocol_names()}


def cell(value: Any, kind: str) -> str:
    """Formats a value for people, without escaping it."""
    if value is None:
        return "-"
    if kind == "time":
        return instant(value)
    if kind in ("int64", "int128"):
        return f"{value:,}"
    if kind == "float64":
        return f"{value:,.3f}"
    return str(value)
