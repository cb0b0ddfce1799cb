"""Tables and charts of the page, made of the report's plain values alone."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._display import instant
from ..charts.drawing import bar
from ..charts.over_time import ALL, Timeline
from ..charts.spans import Spans
from ..query.axis import figure
from ..query.drawing import shown

Row = Mapping[str, Any]


class Cell(NamedTuple):
    """A cell: its text, the exact value behind it, or the share that a bar shows."""

    text: str
    value: Any = None
    look: str = ""  # its class: ``r`` at the right, ``w`` on one line
    bar: Any = None


class Head(NamedTuple):
    """The head of a column."""

    title: str
    look: str


class Table(NamedTuple):
    """A table of the page."""

    title: str
    caption: str
    columns: list[Head]
    rows: list[list[Cell]]


class Figure(NamedTuple):
    """A chart of the page with its table."""

    title: str
    svg: Any
    table: Table


class Column(NamedTuple):
    """What a column of a table shows: ``kind`` is ``text``, ``port``, ``protocol``, ``bytes``, ``number``, ``time``,
    ``money`` or ``bar``."""

    name: str
    title: str
    kind: str = "text"


_ACTIONS = {"accepted": 0, "rejected": 1, "without an action": 7}
_COVERAGE = {"OK": 0, "SKIPDATA": 1, "NODATA": 4, "absent": 7}
_LOOKS = {"bytes": "r", "number": "r", "money": "r", "port": "w", "time": "w", "bar": "b"}


def table(title: str, columns: Sequence[Column], rows: Sequence[Row], caption: str = "") -> Table:
    """Makes a table of rows. The full length of a bar stands for the largest value."""
    heads = [Head(column.title, _LOOKS.get(column.kind, "")) for column in columns]
    tops = {c.name: max((row[c.name] or 0 for row in rows), default=0) for c in columns if c.kind == "bar"}
    body = [[_cell(row[column.name], column, tops.get(column.name, 0)) for column in columns] for row in rows]
    return Table(title, caption or title, heads, body)


def _cell(value: Any, column: Column, top: int) -> Cell:
    kind, look = column.kind, _LOOKS.get(column.kind, "")
    if kind == "bar":
        return Cell("", look=look, bar=bar((value or 0) / top if top else 0))
    if value is None:
        return Cell("-", look=look)
    if kind == "bytes":
        return Cell(figure(value, "B"), value, look)
    if kind == "number":
        return Cell(f"{value:,}", value, look)
    if kind == "money":
        return Cell(f"{value:,.2f}", value, look)
    if kind == "time":
        return Cell(instant(value), look=look)
    return Cell(within(shown({"port": "dstport", "protocol": "protocol"}.get(kind, ""), value)), look=look)


def within(text: str, most: int = 160) -> str:
    """Cuts a name in its middle, if it is longer than any should be.

    >>> within("eni-0123456789", 9), within("eni-1")
    ('eni-…6789', 'eni-1')
    """
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def of_many(rows: Sequence[Any], there: int | None, noun: str) -> str:
    """Says of how many the rows of a table are the largest.

    >>> of_many([1, 2], 30, "sources"), of_many([1, 2], 2, "sources"), of_many([1], 1, "sources")
    ('the 2 largest of 30 sources', 'all 2 sources', 'the only one')
    """
    if len(rows) == 1 and (there or 1) == 1:
        return "the only one"
    if there is None or there <= len(rows):
        return f"all {len(rows):,} {noun}"
    return f"the {len(rows):,} largest of {there:,} {noun}"


def over_time(model: Row) -> list[Figure]:
    """Makes the charts of bytes, of rejected records, and of coverage."""
    figures = []
    series = model["over_time"]
    if series is not None:
        names = (("accepted", "accepted_bytes"), ("rejected", "rejected_bytes"), ("without an action", "other_bytes"))
        used = [(name, key) for name, key in names if any(row[key] for row in series["rows"])]
        rows = [{"time": r["time"], "series": name, "value": r[key]} for name, key in used for r in series["rows"]]
        if rows:
            columns = [
                Column("time", "Time (UTC)", "time"),
                *(Column(key, f"Bytes {name}", "bytes") for name, key in used),
            ]
            figures.append(
                _drawn(
                    Timeline("Bytes over time, by action", "B", series["every"], rows, colours=_ACTIONS),
                    columns,
                    series["rows"],
                )
            )
        if any(row["rejected"] for row in series["rows"]):
            rows = [{"time": r["time"], "series": ALL, "value": r["rejected"]} for r in series["rows"]]
            columns = [
                Column("time", "Time (UTC)", "time"),
                Column("rejected", "Rejected", "number"),
                Column("records", "All records", "number"),
            ]
            chart = Timeline("Rejected records over time", "records", series["every"], rows, colours={ALL: 1})
            figures.append(_drawn(chart, columns, series["rows"]))
    if model["coverage"] is not None:
        figures.append(_coverage(model["coverage"]))
    return figures


def _coverage(coverage: Row) -> Figure:
    rows = [{"time": r["time"], "series": r["seen"], "value": r["minutes"]} for r in coverage["over_time"]]
    title = "Minutes of interfaces by what the logs have of them"
    chart = Timeline(title, "minutes", coverage["every"], rows, colours=_COVERAGE)
    bins: dict[int, dict[str, int]] = {}
    for row in coverage["over_time"]:
        one = bins.setdefault(row["time"], {"time": row["time"], **dict.fromkeys(_COVERAGE, 0)})
        one[row["seen"]] = row["minutes"]
    columns = [Column("time", "Time (UTC)", "time"), *(Column(seen, seen, "number") for seen in _COVERAGE)]
    return _drawn(chart, columns, [bins[time] for time in sorted(bins)])


def worst_covered(coverage: Row) -> Table:
    """Makes the table of the interfaces with most minutes that are not OK."""
    columns = [Column("interface_id", "Interface"), *(Column(seen, seen, "number") for seen in _COVERAGE)]
    caption = of_many(coverage["worst"], coverage["interfaces"], "interfaces, by minutes that are not OK")
    return table("Interfaces by minutes", columns, coverage["worst"], caption)


def _drawn(chart: Timeline, columns: Sequence[Column], rows: Sequence[Row]) -> Figure:
    return Figure(chart.title, chart.inline(), table(chart.title, columns, rows))


def incident_chart(model: Row) -> Figure | None:
    """Makes the chart of when the incidents were."""
    incidents = model["incidents"]["in_full"]
    if not incidents:
        return None
    kinds = {"high": ("c1", 1.0), "medium": ("c4", 0.7), "low": ("c0", 0.4)}
    lines = [f"{n} {(i['actors'] or i['targets'] or ['-'])[0]} {i['detectors'][0]}" for n, i in enumerate(incidents, 1)]
    spans: dict[tuple[str, str, str], tuple[int, int]] = {}  # one for all findings of a detector
    for line, incident in zip(lines, incidents):
        for f in incident["findings"]:
            key = (line, f["severity"], f["detector"])
            start, end = spans.get(key, (f["start"], f["end"]))
            spans[key] = (min(start, f["start"]), max(end, f["end"]))
    rows = [
        {"line": line, "kind": kind, "start": start, "end": end, "what": what}
        for (line, kind, what), (start, end) in spans.items()
    ]
    chart = Spans("When the incidents were", lines, kinds, rows)
    columns = [
        Column("line", "Incident"), Column("kind", "Severity"), Column("what", "Detector"),
        Column("start", "First (UTC)", "time"), Column("end", "Last (UTC)", "time"),
    ]  # fmt: skip
    return Figure(chart.title, chart.inline(), table(chart.title, columns, rows))


def day(seconds: int) -> str:
    """Formats the time of making."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"
