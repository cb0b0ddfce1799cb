"""How results look in a notebook. Everything that came from a log is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ._display import cell

_SHOWN_ROWS = 10  # of a long table
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")  # stays on one line
_SENTENCE = 48  # characters; longer texts are folded


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
