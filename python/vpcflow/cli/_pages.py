"""How commands print rows: the options of the page, and the page."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .. import _layout as layout
from .._hints import hint
from .._units import zone_of
from ..errors import PlanError, VpcflowError
from ..query.scan import query
from ._output import write_out
from ._paint import Paint, paint_of

Schema = Sequence[tuple[str, str]]
Rows = Sequence[Mapping[str, Any]]
_BAR_WIDTH = 20
_PROSE_WIDTH = 34  # that is kept for it


class Page(NamedTuple):
    """Rows for a page: ``bytes_in`` are the columns that count bytes, ``severity`` and ``bar`` those by which rows
    are coloured and that a bar shows, as a share of its largest value; ``prose`` is a column of sentences,
    which a table has at its end and breaks over lines."""

    schema: Schema
    rows: Rows
    bytes_in: frozenset[str] = frozenset()
    severity: str | None = None
    bar: str | None = None
    prose: str | None = None


def add_page(parser: argparse.ArgumentParser, *, columns: bool = True) -> None:
    """Adds the options that say how rows are printed. ``--json`` is one of the options of input."""
    page = parser.add_argument_group("output")
    forms = page.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print CSV")
    forms.add_argument("--markdown", action="store_true", help="print a Markdown table")
    forms.add_argument("--vertical", action="store_true", help="print one field a line, nothing left out")
    if columns:
        page.add_argument("--columns", metavar="NAMES", help="print only these columns, separated by commas")
    page.add_argument("--human", action="store_true", help="print numbers with units: 1.5 GiB, 51.1 M")
    add_zone(page)


def add_zone(parser: Any) -> None:
    """Adds ``--tz``."""
    parser.add_argument(
        "--tz", metavar="ZONE",
        help="print times in this zone, as Europe/Berlin or local, and read --start and --end in it (default UTC)",
    )  # fmt: skip


def print_page(page: Page, args: argparse.Namespace) -> None:
    """Prints rows in the form that the options ask for."""
    chosen = chosen_columns(page.schema, args)
    if args.json:
        write_out(_json(chosen, page.rows))
    elif args.csv:
        write_out(_csv(chosen, page.rows))
    else:
        _print_text(page._replace(schema=chosen), args)


def chosen_columns(schema: Schema, args: argparse.Namespace) -> Schema:
    """Returns the columns of ``--columns``."""
    wanted = getattr(args, "columns", None)
    if not wanted:
        return schema
    known = {name.replace("-", "_"): (name, kind) for name, kind in schema}
    out = []
    for text in (part.strip() for part in wanted.split(",")):
        column = known.get(text.replace("-", "_")) or known.get(full_name(text))
        if column is None:
            raise PlanError(f"--columns: no column {text!r}; {hint(text, [name for name, _ in schema])}")
        out.append(column)
    return out


def full_name(name: str) -> str:
    """Returns the name of the column that a short name of a field stands for: ``srcaddr`` for ``src``; other names as
    they are."""
    with suppress(VpcflowError):
        return query().select(name).columns[0]
    return name


def _json(schema: Schema, rows: Rows) -> bytes:
    lines = (json.dumps({name: row[name] for name, _ in schema}, ensure_ascii=False) + "\n" for row in rows)
    return "".join(lines).encode("utf-8", "replace")


def _csv(schema: Schema, rows: Rows) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for name, _ in schema])
    for row in rows:
        writer.writerow([_safe(row[name]) for name, _ in schema])
    return file.getvalue().encode("utf-8", "replace")


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a ``'`` in front, as everywhere in this package."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def with_percent(schema: Schema, rows: Iterable[dict[str, Any]], sums: Mapping[str, Any]) -> tuple[Schema, Rows]:
    """Adds to each column of ``sums`` one with the share of its values in that sum, in percent."""
    wider: list[tuple[str, str]] = []
    for name, kind in schema:
        wider += [(name, kind), *([(f"{name}_percent", "float64")] if name in sums else [])]
    out = []
    for row in rows:
        for name, whole in sums.items():
            row[f"{name}_percent"] = round(100 * row[name] / whole, 3) if whole and row[name] is not None else None
        out.append(row)
    return wider, out


def style_of(args: argparse.Namespace, bytes_in: frozenset[str] = frozenset()) -> layout.Style:
    """Returns how values look by the options."""
    zone, name = zone_of(getattr(args, "tz", None))
    return layout.Style(zone, name, getattr(args, "human", False), bytes_in)


def _print_text(page: Page, args: argparse.Namespace) -> None:
    columns = layout.columns_of(page.schema, page.rows, style_of(args, page.bytes_in))
    if args.markdown:
        write_out("\n".join(layout.markdown(columns)) + "\n")
    elif args.vertical:
        write_out("\n".join(layout.vertical(columns)) + "\n" if page.rows else "")
    else:
        paint, width = paint_of(), layout.terminal_width()
        columns, prose = _apart(columns, page.prose)
        chosen = bool(getattr(args, "columns", None))
        kept, dropped = (columns, []) if chosen else layout.fitted(columns, _room(width, prose))
        lines = _with_bars(layout.as_lines(kept), kept, page, paint, width)
        lines = _with_prose(lines, prose, width)
        shown = [paint.title(lines[0]), *_coloured(lines[1:], page, paint)]
        if dropped:
            shown.append(layout.not_shown(dropped) + "; see --columns, --vertical")
        write_out("\n".join(_wrapped(shown, width)) + "\n")


def _coloured(lines: list[str], page: Page, paint: Paint) -> list[str]:
    if page.severity is None:
        return lines
    return [paint.severity(line, str(row[page.severity])) for line, row in zip(lines, page.rows)]


def _with_bars(
    lines: list[str], columns: Sequence[layout.Column], page: Page, paint: Paint, width: int | None
) -> list[str]:
    """Adds bars where there is room and something to draw."""
    room = (width or 0) - max(map(layout.text_width, lines)) - 2
    if not paint.bars or page.bar is None or room < 8 or page.bar not in {c.name for c in columns}:
        return lines
    values = [row[page.bar] or 0 for row in page.rows]
    largest = max(values, default=0)
    if largest <= 0:
        return lines
    wide = max(map(layout.text_width, lines)) + 2
    bars = [paint.bar(value / largest, min(room, _BAR_WIDTH)) for value in values]
    return [lines[0], *(layout.padded(line, wide) + bar for line, bar in zip(lines[1:], bars))]


def _apart(columns: list[layout.Column], name: str | None) -> tuple[list[layout.Column], layout.Column | None]:
    """Takes the column of prose out of the others, if there are others."""
    prose = next((c for c in columns if c.name == name), None)
    return ([c for c in columns if c is not prose], prose) if len(columns) > 1 else (columns, None)


def _room(width: int | None, prose: layout.Column | None) -> int | None:
    """Returns how many columns the others may take beside prose."""
    return width if width is None or prose is None else max(width - min(_PROSE_WIDTH, prose.width) - 2, 1)


def _with_prose(lines: list[str], prose: layout.Column | None, width: int | None) -> list[str]:
    """Adds a column of prose, broken over lines where the page ends."""
    if prose is None:
        return lines
    begin = max(map(layout.text_width, lines)) + 2
    whole = (f"{layout.padded(line, begin)}{text}" for line, text in zip(lines, [prose.title, *prose.cells]))
    return ["\n".join(layout.wrapped(line, width, " " * begin)) for line in whole]


def _wrapped(lines: list[str], width: int | None) -> list[str]:
    """Wraps the last line, which may name many columns."""
    return [*lines[:-1], *layout.wrapped(lines[-1], width)] if lines[-1].startswith("not shown: ") else lines
