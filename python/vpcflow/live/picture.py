"""A view as text: the picture of ``--once``, and the parts that the screen shares with it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import _core
from .._display import can_show, human_bytes, instant, length, printable
from .._layout import padded, shortened, text_width, wrapped
from .._words import count, share
from ..serve.board import protocol_name
from .reading import Told
from .view import Panel, View

_BLOCKS, _PLAIN = " ▁▂▃▄▅▆▇█", " .:-=+*#%@"
_TITLES = {
    "talkers": "Talkers", "ports": "Ports", "rejected_sources": "Rejected sources", "rejected_ports": "Rejected ports",
}  # fmt: skip
_TWO = 64  # columns from which on two panels stand side by side
_MOST_UNSEEN, _MOST_TOLD = 8, 5


class Row(NamedTuple):
    """A row of a panel as text; ``key`` is what leads further, ``None`` of all others together."""

    label: str
    value: str
    share: str
    key: str | None


class Course(NamedTuple):
    """How a measure went over time: its name, a value a bin, and its sum in words."""

    name: str
    values: list[int]
    total: str


def picture(view: View, width: int = 80) -> str:
    """Draws a view as plain text of ``width`` columns; with characters beyond ASCII where they can be shown."""
    parts = [heading(view, width), *_unseen(view), ""]
    parts += course_lines(view, width)
    parts += ["", findings_title(view), *(f"  {finding_line(one)}" for one in view.told[:_MOST_TOLD])]
    if len(view.told) > _MOST_TOLD:
        parts.append(f"  and {len(view.told) - _MOST_TOLD:,} more")
    lines = [line for part in parts for line in wrapped(part, width, "    ")]
    beside = (width - 2) // 2 if width >= _TWO else width
    blocks = [_block(panel, beside) for panel in view.panels.values()]
    pairs = list(zip(blocks[::2], blocks[1::2])) if width >= _TWO else [(block, []) for block in blocks]
    for left, right in pairs:
        lines.append("")
        both = itertools.zip_longest(left, right, fillvalue="")
        lines += [f"{padded(one, beside)}  {two}".rstrip() for one, two in both]
    return "\n".join(lines) + "\n"


def heading(view: View, width: int) -> str:
    """Says what is shown: of which source, time and condition; a name that takes more than a line is shortened."""
    text = shortened(printable(view.source), width - 1)
    if view.start is not None:
        text += f": {instant(view.start)} to {instant(view.end)} UTC ({length(view.seconds)})"
    return text + (f", where {printable(view.where)}" if view.where else "")


def unseen_lines(view: View) -> list[str]:
    """Returns what is not seen; if nothing is known to be missing, of what that is said."""
    if view.unseen:
        return [printable(line) for line in view.unseen]
    seen = f"{count(view.interfaces, 'interface')}, {count(view.minutes['OK'], 'minute')} of them with traffic"
    return [f"nothing that these logs show: {seen}, {count(view.totals['records'], 'record')}"]


def _unseen(view: View) -> list[str]:
    lines = unseen_lines(view)
    more = [f"  and {len(lines) - _MOST_UNSEEN:,} more; --json has them"] if len(lines) > _MOST_UNSEEN else []
    return ["Not seen:", *(f"  {line}" for line in lines[:_MOST_UNSEEN]), *more]


def courses(view: View) -> list[Course]:
    """Returns how bytes, records and rejects went over time."""
    totals, seconds = view.totals, view.seconds
    least = "at least " if view.floor else ""
    volume = f"{least}{human_bytes(totals['bytes'])}"
    if seconds:
        volume += f", {human_bytes(totals['bytes'] / seconds)}/s"
    refused = f"{least}{totals['rejected']:,}"
    if totals["records"]:
        refused += f" ({share(totals['rejected'], totals['records'])})"
    sums = {"bytes": volume, "records": f"{least}{totals['records']:,}", "rejected": refused}
    for name, field in (("bytes", "bytes"), ("rejected", "action")):
        if field not in view.fields:
            sums[name] = f"the logs have no field {field}"
    names = {"bytes": "Bytes", "records": "Records", "rejected": "Rejects"}
    return [Course(names[name], [row[name] for row in view.bins], sums[name]) for name in names]


def course_lines(view: View, width: int) -> list[str]:
    """Draws how the measures went over time, one line each, below each other."""
    all_of_them = courses(view)
    room = width - 12 - max(text_width(one.total) for one in all_of_them)
    lines = []
    for course in all_of_them:
        bars = spark(course.values, room) if room >= 10 else ""
        lines.append(f"{course.name.ljust(8)}  {padded(bars, max(room, 0))}{'  ' if room > 0 else ''}{course.total}")
    return lines


def spark(values: Sequence[int], columns: int) -> str:
    """Draws values as bars in ``columns`` columns: each shows the mean of its bins, or each bin has several."""
    if not values or columns < 1:
        return ""
    levels = _BLOCKS if can_show(_BLOCKS) else _PLAIN
    n = len(values)
    parts = [values[i * n // columns : max((i + 1) * n // columns, i * n // columns + 1)] for i in range(columns)]
    means = [sum(part) / len(part) for part in parts]
    peak = max(means)
    return "".join(levels[-int(-mean * (len(levels) - 1) // peak)] if peak else " " for mean in means)


def findings_title(view: View) -> str:
    """Says how many findings there are, by severity."""
    by = ", ".join(f"{n:,} {severity}" for severity, n in view.severities.items())
    unasked = "; the condition is not asked of them" if view.where and view.told else ""
    return f"Findings, newest first: {len(view.told):,}" + (f" ({by}{unasked})" if by else "")


def finding_line(told: Told) -> str:
    """Tells a finding in a line: when it ended, how bad, what."""
    one = told.finding
    return printable(f"{instant(one.end)[5:16]} {one.severity} {one.detector}: {one.sentence}")


def panel_title(panel: Panel) -> str:
    """Names a panel, with the measure by which it ranks."""
    least = ", at least" if panel.floor else ""
    return f"{_TITLES[panel.name]} ({panel.measure}{least})"


def panel_sums(panel: Panel) -> str:
    """Names a panel with its total, and the share of it that no row has."""
    name = _TITLES[panel.name]
    if panel.lacking is not None or not panel.rows:
        return name
    noun = f" {panel.measure}" if panel.measure != "bytes" and not panel.name.startswith("rejected") else ""
    total = human_bytes(panel.total) if panel.measure == "bytes" else f"{panel.total:,}"
    other = share(panel.other, panel.total, 0) if panel.total else "-"
    return f"{name}: {'at least ' if panel.floor else ''}{total}{noun}, other {other}"


def panel_rows(panel: Panel) -> list[Row]:
    """Returns the rows of a panel, then all others together, then the total."""
    def row(label: str, value: int, key: str | None) -> Row:
        amount = human_bytes(value) if panel.measure == "bytes" else f"{value:,}"
        return Row(label, amount, share(value, panel.total) if panel.total else "-", key)

    rows = [row(_label(panel, one), one[panel.measure], _key(panel, one)) for one in panel.rows]
    return [*rows, row("other", panel.other, None), row("total", panel.total, None)]


def panel_note(panel: Panel) -> str | None:
    """Says why a panel has no rows; ``None`` if it has."""
    if panel.lacking is not None:
        return f"the logs have no field {panel.lacking}"
    return None if panel.rows else "none"


def _label(panel: Panel, row: dict[str, Any]) -> str:
    if panel.by[0] != "dstport":
        return printable(str(row[panel.by[0]] or "-"))
    names = {number: usual for number, _, usual in _core.port_names()}
    port, protocol = row["dstport"], row["protocol"]
    parts = ("-" if port is None else str(port), names.get(port), None if protocol is None else protocol_name(protocol))
    return " ".join(filter(None, parts))


def _key(panel: Panel, row: dict[str, Any]) -> str | None:
    """Returns the address of a row, or the condition that it stands for."""
    if row[panel.by[0]] is None:
        return None
    if panel.by[0] != "dstport":
        return str(row[panel.by[0]])
    protocol = "" if row["protocol"] is None else f" and protocol = {row['protocol']}"
    return f"dstport = {row['dstport']}{protocol}"


def _block(panel: Panel, width: int) -> list[str]:
    return [panel_title(panel), *(f"  {line}" for line, _ in panel_lines(panel, width - 2))]


def panel_lines(panel: Panel, width: int) -> list[tuple[str, str | None]]:
    """Draws the rows of a panel in ``width`` columns, each with its key; or says why there are none."""
    note = panel_note(panel)
    if note is not None:
        return [(line, None) for line in wrapped(note, width)]
    rows = panel_rows(panel)
    values, shares = max(text_width(row.value) for row in rows), max(text_width(row.share) for row in rows)
    room = max(width - values - shares - 4, 8)
    return [
        (
            f"{padded(shortened(row.label, room), room)}  {padded(row.value, values, True)}  "
            f"{padded(row.share, shares, True)}",
            row.key,
        )
        for row in rows
    ]
