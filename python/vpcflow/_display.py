"""How results look: text and HTML tables. Everything that came from a log is escaped here, and only here."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import _core

_SHOWN_ROWS = 10  # of a long table
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")  # stays on one line
_SENTENCE = 48  # characters; longer texts are folded


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
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


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


def _title(name: str, kind: str) -> str:
    return f"{name} (UTC)" if kind == "time" else name


def html_table(schema: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]], total: int, note: str) -> str:
    """Formats rows as a table for a notebook, with a line about what was read below it. Of a table of more than
    thirty rows the first ten are shown, with the count; one that is too wide scrolls, and only sentences are folded."""
    shown = shown_rows(total)
    head = "".join(f'<th style="{_style(kind)}">{html.escape(_title(name, kind))}</th>' for name, kind in schema)
    body = []
    for row in rows[:shown]:
        cells = (_html_cell(cell(row[name], kind), kind) for name, kind in schema)
        body.append(f"<tr>{''.join(cells)}</tr>")
    count = f"{total:,} rows, the first {shown} shown" if shown < total else ""
    below = "; ".join(filter(None, (count, note)))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return f'<div style="overflow-x:auto">{table}</div><p><small>{html.escape(below)}</small></p>'


def html_warning(text: str) -> str:
    """Formats what must be read before a table; nothing if the text is empty."""
    return f"<p><b>{html.escape(text)}</b></p>" if text else ""


def shown_rows(total: int) -> int:
    """Returns how many rows of a table a notebook shows."""
    return total if total <= 3 * _SHOWN_ROWS else _SHOWN_ROWS


def _style(kind: str) -> str:
    return f"text-align:{'left' if kind in ('text', 'address') else 'right'};white-space:nowrap"


def _html_cell(text: str, kind: str) -> str:
    if len(text) <= _SENTENCE:
        return f'<td style="{_style(kind)}">{html.escape(text)}</td>'
    whole = _INSTANT.sub(r'<span style="white-space:nowrap">\g<0></span>', html.escape(text))
    return f'<td style="text-align:left;white-space:normal;min-width:24em;overflow-wrap:anywhere">{whole}</td>'
