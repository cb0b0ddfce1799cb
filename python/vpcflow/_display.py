"""How results look: text and HTML tables. Everything that came from a log is escaped here, and only here."""

from __future__ import annotations

import datetime
import html
from collections.abc import Mapping, Sequence
from typing import Any

_MAX_ROWS = 40


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


def instant(seconds: int | None) -> str:
    """Formats Unix seconds as ``2026-11-23 10:00:00`` in UTC, and ``None`` as ``-``."""
    if seconds is None:
        return "-"
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def printable(text: str) -> str:
    """Makes text safe for a terminal: control bytes and what is not ASCII become escapes.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode("ascii") for c in text)


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


def text_table(schema: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]]) -> str:
    """Formats rows as an aligned table for a terminal."""
    lines = [[printable(_title(name, kind)) for name, kind in schema]]
    lines += [[printable(cell(row[name], kind)) for name, kind in schema] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(schema))]
    right = [kind in ("int32", "int64", "int128", "float64") for _, kind in schema]
    out = []
    for line in lines:
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right)]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def html_table(schema: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]], total: int, note: str) -> str:
    """Formats rows as a table for a notebook, with a line about what was read below it."""
    head = "".join(f"<th>{html.escape(_title(name, kind))}</th>" for name, kind in schema)
    body = []
    for row in rows[:_MAX_ROWS]:
        cells = "".join(
            f'<td style="text-align:{"left" if kind in ("text", "address") else "right"}">'
            f"{html.escape(cell(row[name], kind))}</td>"
            for name, kind in schema
        )
        body.append(f"<tr>{cells}</tr>")
    more = f"<p>{total:,} rows, {min(_MAX_ROWS, total)} shown</p>" if total > _MAX_ROWS else ""
    return (
        f"<div><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{more}"
        f"<p><small>{html.escape(note)}</small></p></div>"
    )
