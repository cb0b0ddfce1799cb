"""What is shown of a reading: panels with totals and with what no row has, findings, and first what is not seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..analyze.questions import TABLES, measure_of
from ..errors import FieldError, PlanError
from ..findings.finding import SEVERITIES
from ..query.expr import count
from ..serve.answers import MEASURES, table
from ..serve.asked import Asked, Window
from ..serve.board import Figures, Held, Rows
from .reading import Reading, Told
from .unseen import unseen_of

SCHEMA_VERSION = 1  # of views as JSON, docs/reference/schemas.md
#: The panels, with the field that none of their rows can do without.
PANELS = {"talkers": "srcaddr", "ports": "dstport", "rejected_sources": "srcaddr", "rejected_ports": "dstport"}
ROWS = 10
MOST = 200  # rows of a panel


class Panel(NamedTuple):
    """Groups, the largest first. ``total``: of the measure, of all groups; ``other``: of it, of those that no row has.
    ``floor``: each value is at least that; ``bound``: what a group without a row can have at most, and what one with a
    row can have more where that is a floor. ``lacking``: the field without which there are no rows."""

    name: str
    by: tuple[str, ...]
    measure: str
    rows: Rows
    total: int
    other: int
    floor: bool
    bound: int
    lacking: str | None


@dataclasses.dataclass(frozen=True)
class View:
    """What is shown. ``bins``: the volume over time, one row a bin, without holes. ``floor``: the figures are those of
    the largest flows, as a condition was asked of more than are held. ``fields``: of the logs."""

    source: str
    start: int | None
    end: int | None
    bin: int
    where: str
    floor: bool
    totals: dict[str, int]
    bins: Rows
    panels: dict[str, Panel]
    told: Sequence[Told]
    unseen: list[str]
    interfaces: int
    minutes: dict[str, int]
    fields: frozenset[str]

    @property
    def severities(self) -> dict[str, int]:
        """How many findings there are by severity, the worst first."""
        found = [one.finding.severity for one in self.told]
        return {severity: found.count(severity) for severity in SEVERITIES if severity in found}

    @property
    def seconds(self) -> int:
        """The length of what is shown."""
        return 0 if self.start is None or self.end is None else self.end - self.start

    def as_dict(self) -> dict[str, Any]:
        """Returns what ``--json`` prints."""
        return {
            "schema_version": SCHEMA_VERSION, "source": self.source, "start": self.start, "end": self.end,
            "where": self.where or None, "floor": self.floor, **self.totals, "unseen": self.unseen,
            "interfaces": self.interfaces, "interface_minutes": self.minutes, "bin_seconds": self.bin,
            "bins": self.bins, **{name: _panel(one) for name, one in self.panels.items()},
            "by_severity": self.severities, "findings": [_finding(one) for one in self.told],
        }  # fmt: skip


def view(
    reading: Reading, *, span: int | None = None, where: str = "", rows: int = ROWS, measure: str = "bytes"
) -> View:  # fmt: skip
    """Makes the view of the last ``span`` seconds of a reading (``None``: all), of the flows for which ``where`` holds,
    with ``rows`` groups a panel, by ``measure`` where the question leaves it open. Raises
    :class:`~vpcflow.FilterError` and :class:`~vpcflow.FieldError` for a condition that cannot be."""
    figures = reading.figures
    if where:
        check_where(reading, where)
    window = _window(reading, span)
    volume = _volume(figures, where, window)
    floor = bool(where) and not figures.held.complete
    bins = _bins(volume, figures.every if where else reading.bin, reading, window)
    asked = Asked(window, MOST, where, "", reading.status is not None)
    panels = {name: _panel_of(name, figures, asked, rows, measure) for name in PANELS}
    covered = _covered(figures.coverage, window)
    minutes = {seen: sum(row["minutes"] for row in covered if row["seen"] == seen) for seen in figures.minutes}
    start, end = _span(figures, reading, window)
    made = View(
        source=reading.source, start=start, end=end, bin=figures.every if where else reading.bin, where=where,
        floor=floor, totals=_totals(volume), bins=bins, panels=panels, told=reading.told, unseen=[],
        interfaces=len({row["interface_id"] for row in covered}), minutes=minutes, fields=figures.fields,
    )  # fmt: skip
    made.unseen.extend(unseen_of(reading, covered, end, _share(figures) if floor else None))
    return made


def check_where(reading: Reading, where: str) -> None:
    """Raises :class:`~vpcflow.FilterError` or :class:`~vpcflow.FieldError` for a condition that cannot be asked, and
    :class:`~vpcflow.PlanError` if logs have more flows than are held."""
    held = reading.figures.held
    if not held.complete and reading.status is None:
        raise PlanError("filter: these logs have more flows than are held; start with --where, which reads them for it")
    try:
        held.nameable.filter(where).agg(count()).collect()
    except FieldError as error:
        if error.kind != "missing-field":
            raise
        there = ", ".join(held.nameable.columns)
        raise FieldError(f"filter: {str(error).partition(';')[0]}; held are {there}") from None


def _window(reading: Reading, span: int | None) -> Window:
    """Returns the last seconds of logs; the figures of a watch are cut already."""
    times = [row["time"] for row in reading.figures.totals if row["time"] is not None]
    if span is None or reading.status is not None or not times:
        return Window(None, None)
    every = reading.figures.every
    end = max(times) + every
    start = (end - span) // every * every
    return Window(None, None) if start <= min(times) else Window(start, end)


def _volume(figures: Figures, where: str, window: Window) -> Rows:
    """Returns the measures by time and action."""
    if not where:
        return [row for row in figures.totals if window.has(row["time"])]
    flows = figures.held.flows.filter(where)._with(lenient=True)
    grouped = flows.group_by("action", every=figures.every, bin_by="start").agg(**Held.measures())
    return [row for row in grouped.collect() if window.has(row["time"])]


def _totals(volume: Rows) -> dict[str, int]:
    sums = {name: sum(row[name] or 0 for row in volume) for name in MEASURES}
    rejected = sum(row["records"] or 0 for row in volume if row["action"] == "REJECT")
    return {"records": sums["records"], "rejected": rejected, "bytes": sums["bytes"], "packets": sums["packets"]}


_MOST_BINS = 10_000


def _bins(volume: Rows, step: int, reading: Reading, window: Window) -> Rows:
    """Returns the volume by bin, with the bins in which nothing was."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in volume:
        if row["time"] is not None:
            found.setdefault(row["time"] // step * step, []).append(row)
    if not found:
        return []
    begin = window.start if window.start is not None else reading.start
    first, last = min(found) if begin is None else min(begin, min(found)), max(found)
    if (last - first) // step > _MOST_BINS:  # some time is a mistake; holes stay holes
        times: Sequence[int] = sorted(found)[-_MOST_BINS:]
    else:
        times = range(first, last + 1, step)
    return [{"time": at, **_totals(list(found.get(at, ())))} for at in times]  # type: ignore[arg-type]


def _covered(coverage: Rows, window: Window) -> Rows:
    """Returns coverage within the window."""
    if window == (None, None):
        return coverage
    out = []
    for row in coverage:
        start, end = max(row["start"], window.start or 0), min(row["end"], window.end or row["end"])
        if end > start:
            out.append({**row, "start": start, "end": end, "minutes": min(row["minutes"], -(-(end - start) // 60))})
    return out


def _span(figures: Figures, reading: Reading, window: Window) -> tuple[int | None, int | None]:
    """Returns the time that is shown: that of the window, or of the records."""
    times = [row["time"] for row in figures.totals if row["time"] is not None and window.has(row["time"])]
    if not times:
        return None, None
    start = window.start if window.start is not None else reading.start
    end = window.end if window.end is not None else reading.end
    return min(times) if start is None else start, max(times) + reading.bin if end is None else end


def _panel_of(name: str, figures: Figures, asked: Asked, most: int, measure: str) -> Panel:
    own = TABLES[name]
    lacking = PANELS[name] if PANELS[name] not in figures.fields else None
    if lacking is None and own.where and name.startswith("rejected") and "action" not in figures.fields:
        lacking = "action"
    by = measure_of(own, figures.fields)
    answer = table(name, figures, asked)
    ranked = measure if own.measure == "bytes" and (measure in figures.fields or measure == "records") else by
    total = _sum(figures, asked, name, ranked) if ranked != own.measure else answer.total
    listed = sorted(answer.rows, key=lambda row: (-row[ranked], *map(_order, (row[key] for key in own.by))))[:most]
    rows = [{key: value for key, value in row.items() if key not in ("other", "bound", "total")} for row in listed]
    bound = min(int(answer.headers.get("X-Vpcflow-Bound", 0)), max(total - sum(row[ranked] for row in rows), 0))
    floor = "X-Vpcflow-Floor" in answer.headers or (ranked != by and answer.other > 0) or (asked.floors and bound > 0)
    shown = 0 if lacking else sum(row[ranked] for row in rows)
    return Panel(name, own.by, ranked, [] if lacking else rows, total, max(total - shown, 0), floor, bound, lacking)


def _order(value: Any) -> tuple[int, str]:
    """Orders keys that rank alike: ports by number, addresses as they are written."""
    return (value, "") if isinstance(value, int) else (-1, str(value))


def _sum(figures: Figures, asked: Asked, name: str, measure: str) -> int:
    """Returns the sum of another measure than the one by which a table ranks."""
    if not asked.where and asked.window == (None, None):
        return sum(row[measure] or 0 for row in figures.tables.get(name, ()))
    return sum(row[measure] or 0 for row in table(name, figures, asked._replace(limit=2**31)).rows)


def _share(figures: Figures) -> float | None:
    """Returns the share of the records that the flows that are held stand for."""
    rows = figures.held.flows.agg(**Held.measures()).collect().rows()
    whole = sum(row["records"] or 0 for row in figures.totals)
    return (rows[0]["records"] or 0) / whole if rows and whole else None


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "measure": panel.measure, "total": panel.total, "other": panel.other, "floor": panel.floor,
        "bound": panel.bound, "lacking": panel.lacking, "rows": panel.rows,
    }  # fmt: skip


def _finding(told: Told) -> dict[str, Any]:
    one = told.finding
    return {
        "told": told.made, "severity": one.severity, "detector": one.detector, "actor": one.actor,
        "targets": one.targets, "start": one.start, "end": one.end, "sentence": one.sentence, "id": one.id,
    }  # fmt: skip


