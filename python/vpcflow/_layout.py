"""Tables of text: aligned, fitted to a width, one field a line, or Markdown."""

from __future__ import annotations

import dataclasses
import datetime
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import _display as display

NUMBERS = ("int32", "int64", "int128", "float64")
_NARROWEST = 24  # columns that a shortened cell keeps: identifiers of AWS and IPv4 addresses stay whole
_SHORTENED = ("text", "address")
_FLAGS = {1: "FIN", 2: "SYN", 4: "RST", 8: "PSH", 16: "ACK", 32: "URG", 64: "ECE", 128: "CWR"}
_FLAG_COLUMNS = ("tcp_flags", "client_flags", "server_flags")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # ours: those of logs are escaped
_SHARE = re.compile("_percent$")
_SCALED = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


@dataclasses.dataclass(frozen=True)
class Style:
    """How values look: ``zone``, the time zone of times (UTC by default) with its name; ``human``, numbers with units;
    ``bytes_in``, the columns that count bytes."""

    zone: datetime.tzinfo | None = None
    zone_name: str = "UTC"
    human: bool = False
    bytes_in: frozenset[str] = frozenset()


PLAIN = Style()


@dataclasses.dataclass(frozen=True)
class Column:
    """A column as text: cells are safe for a terminal."""

    name: str
    kind: str
    title: str
    cells: list[str]

    @property
    def width(self) -> int:
        """Columns of a terminal that the widest cell takes."""
        return max(map(text_width, (self.title, *self.cells)))

    @property
    def is_right(self) -> bool:
        """Returns whether cells stand at the right."""
        return self.kind in NUMBERS


def terminal_width() -> int | None:
    """Returns how many columns a page may take: those of the terminal or of ``COLUMNS``; ``None``, no limit,
    where standard output is no terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def text_width(text: str) -> int:
    """Returns how many columns of a terminal a text takes: 2 for wide characters, 0 for combining ones.

    >>> text_width("abc"), text_width("日本"), text_width("e\\u0301")
    (3, 4, 1)
    """
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if text.isascii():
        return len(text)
    combining = sum(unicodedata.category(c) in ("Mn", "Me") for c in text)
    return len(text) - combining + sum(unicodedata.east_asian_width(c) in ("W", "F") for c in text)


def flag_names(flags: int) -> str:
    """Names the bits of TCP flags: 18 is ``SYN+ACK``; empty for none."""
    return "+".join(name for bit, name in _FLAGS.items() if flags & bit)


def scaled(number: float) -> str:
    """Formats a number with a decimal prefix: 51070255 as ``51.1 M``.

    >>> scaled(51_070_255), scaled(999), scaled(999_960)
    ('51.1 M', '999', '1.0 M')
    """
    for unit, name in _SCALED:
        if abs(number) >= unit * 0.99995:
            return f"{number / unit:,.1f} {name}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def columns_of(
    schema: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]], style: Style = PLAIN
) -> list[Column]:
    """Formats rows, column by column."""
    out = []
    for name, kind in schema:
        values = [row[name] for row in rows]
        title = f"{name} ({style.zone_name})" if kind == "time" else _SHARE.sub(" %", name)
        named = _names_of(name, kind)
        shown = [_cell(value, name, kind, style) if named is None else named(value) for value in values]
        out.append(Column(name, kind if named is None else "text", display.printable(title), shown))
    return out


def _cell(value: Any, name: str, kind: str, style: Style) -> str:
    if value is None:
        return "-"
    if kind == "time":
        return display.instant(value, style.zone)
    if _SHARE.search(name):
        return f"{value:.1f}"
    if style.human and name == "duration":
        return display.length(value)
    if style.human and kind in ("int64", "int128", "float64"):
        return display.human_bytes(value) if name in style.bytes_in else scaled(value)
    return display.printable(display.cell(value, kind))


def _names_of(name: str, kind: str) -> Any:
    """Returns how a column of numbers that have names is written: ``6 TCP``, ``18 SYN+ACK``; ``None`` for others."""
    if kind != "int32":
        return None
    if name in _FLAG_COLUMNS:
        return lambda value: "-" if value is None else f"{value} {flag_names(value)}".rstrip()
    if name == "protocol":
        names = display.protocol_names()
        return lambda value: "-" if value is None else f"{value} {names.get(value, '')}".rstrip()
    return None


# -- fitting ------------------------------------------------------------------------------------------------------


def fitted(columns: Sequence[Column], width: int | None) -> tuple[list[Column], list[str]]:
    """Returns the columns that fit into ``width``, and the names of the others. Texts and addresses are shortened in
    their middle before a column is left out, and columns are left out from the last one to the first."""
    kept = list(columns)
    if width is None or _total(c.width for c in kept) <= width:
        return kept, []
    while len(kept) > 1 and _total(_least(c) for c in kept) > width:
        kept.pop()
    dropped = [c.name for c in columns[len(kept) :]]
    spare = width - _total(_least(c) for c in kept)
    for i, column in enumerate(kept):
        if column.width > _least(column):
            room = min(column.width, _least(column) + max(spare, 0))
            spare -= room - _least(column)
            kept[i] = dataclasses.replace(column, cells=[shortened(cell, room) for cell in column.cells])
    return kept, dropped


def _least(column: Column) -> int:
    return min(column.width, max(_NARROWEST, text_width(column.title))) if column.kind in _SHORTENED else column.width


def _total(widths: Iterable[int]) -> int:
    all_of_them = list(widths)
    return sum(all_of_them) + 2 * (len(all_of_them) - 1)


def shortened(text: str, width: int) -> str:
    """Shortens a text in its middle.

    >>> shortened("2600:1f18:4d2c:9a00::4a7f", 18)
    '2600:1f1...0::4a7f'
    """
    if text_width(text) <= width:
        return text
    front, back = (width - 2) // 2, (width - 3) // 2
    return f"{_cut(text, front)}...{_cut(text[::-1], back)[::-1]}"


def cut_off(text: str, width: int) -> str:
    """Cuts off the end of a text that is too long, and says so.

    >>> cut_off("10.0.2.116 sent 27.3 GB", 15), cut_off("10.0.2.116", 15)
    ('10.0.2.116 s...', '10.0.2.116')
    """
    return text if text_width(text) <= width else f"{_cut(text, width - 3).rstrip()}..."


def _cut(text: str, width: int) -> str:
    taken = 0
    for i, c in enumerate(text):
        taken += text_width(c)
        if taken > width:
            return text[:i]
    return text


# -- forms --------------------------------------------------------------------------------------------------------


def padded(text: str, width: int, right: bool = False) -> str:
    """Fills a text with blanks up to a width."""
    blanks = " " * max(width - text_width(text), 0)
    return blanks + text if right else text + blanks


def as_lines(columns: Sequence[Column]) -> list[str]:
    """Aligns columns: a line of titles, and a line a row."""
    widths = [c.width for c in columns]
    lines = zip(*([c.title, *c.cells] for c in columns))
    return [
        "  ".join(padded(cell, w, c.is_right) for cell, w, c in zip(line, widths, columns)).rstrip() for line in lines
    ]


def text_table(schema: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]], width: int | None = None) -> str:
    """Formats rows as an aligned table; one that is wider than ``width`` says what it leaves out."""
    kept, dropped = fitted(columns_of(schema, rows), width)
    return "\n".join([*as_lines(kept), *([not_shown(dropped)] if dropped else [])])


def not_shown(names: Sequence[str]) -> str:
    """Says which columns were left out."""
    return f"not shown: {', '.join(names)}"


def vertical(columns: Sequence[Column]) -> list[str]:
    """Lists one field a line, with a line of its number before each row."""
    width = max(text_width(c.title) for c in columns)
    out = []
    for i in range(len(columns[0].cells)):
        out.append(f"-- {i + 1} ".ljust(width + 2, "-"))
        out += [f"{padded(c.title, width)}  {c.cells[i]}" for c in columns]
    return out


def markdown(columns: Sequence[Column]) -> list[str]:
    """Formats columns as a Markdown table."""

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    rule = ("---:" if c.is_right else "---" for c in columns)
    return [line(c.title for c in columns), line(rule), *map(line, zip(*(c.cells for c in columns)))]


def wrapped(text: str, width: int | None, indent: str = "  ") -> list[str]:
    """Breaks a line at blanks, so that each part fits into ``width``; further parts begin with ``indent``."""
    if width is None or text_width(text) <= width:
        return [text]
    out: list[str] = []
    line = ""
    for word in re.findall(r"\s*\S+", text):
        if line.strip() and text_width(line + word) > width:
            out.append(line)
            line = indent + word.lstrip()
        else:
            line += word
    return [*out, line]
