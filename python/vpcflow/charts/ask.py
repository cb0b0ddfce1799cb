"""Charts of logs: the queries that they need, and what is drawn of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Union

from .._addresses import PRIVATE
from .._hints import hint
from .._units import seconds
from ..errors import PlanError
from ..findings.incident import Incident
from ..labels import Labels, prefixes
from ..query import expr as of
from ..query.arguments import instance, name_of, names, several, whole
from ..query.axis import length
from ..query.drawing import shown
from ..query.flows import Flows
from ..query.running import collect_all
from ..typing import Duration
from .chart import Row, nothing
from .flow import NodeGraph, Sankey
from .heat import HeatMap
from .over_time import ALL, MOST_BINS, OTHER, Timeline, step_for
from .spans import Spans, coarser

#: What zones are made of: prefixes by name, or a table of labels.
Zones = Union[Mapping[str, Sequence[str]], Labels]

_OUTSIDE = "outside"
_PRIVATE = {"private": PRIVATE}
_SEEN = {"OK": ("c0", 1.0), "SKIPDATA": ("c4", 0.66), "NODATA": ("c7", 0.33), "absent": ("o", 1.0)}
_SEVERITIES = {"high": ("c1", 1.0), "medium": ("c4", 0.7), "low": ("c0", 0.4)}


class _Measure(NamedTuple):
    unit: str
    agg: of.Agg


def _measure(name: str) -> _Measure:
    measures = {
        "bytes": _Measure("B", of.sum("bytes")), "packets": _Measure("packets", of.sum("packets")),
        "records": _Measure("records", of.count()),
    }  # fmt: skip
    if name not in measures:
        raise PlanError(f"measure={name!r}: no such measure; {hint(str(name), list(measures))}")
    return measures[name]


def _logs(flows: Flows, name: str, more: str = "") -> Flows:
    """Checks that logs are given that nothing groups yet."""
    call = f"vf.charts.{name}(vf.scan('logs/'){more})"
    instance(flows, Flows, name, call)._no_grouping(f"charts.{name}")
    return flows


def _need(flows: Flows, name: str, *fields: str) -> None:
    """Checks that logs have the fields without which a chart would be of nothing."""
    there = dict(flows._with(allow_missing=True).schema)
    lacking = [field for field in fields if field not in there]
    if there and lacking:
        raise PlanError(f"{name}: the logs lack {' and '.join(lacking)}")


def _number(n: int, name: str, most: int) -> int:
    if not 1 <= whole(n, "n", f"vf.charts.{name}(flows, n=5)") <= most:
        raise PlanError(f"{name}: n={n}: expected 1 to {most}")
    return n


def _every(flows: Flows, every: Duration | None, most: int, also: Sequence[Flows] = ()) -> tuple[int, list[Any]]:
    """Returns the length of bins, and the results of other queries, in one pass."""
    ends = flows.agg(start=of.min("start"), last=of.max("start"), end=of.max("end"))
    results = collect_all([ends, *also])
    (row,) = results[0].rows() or [{"start": None, "end": None, "last": None}]
    if row["start"] is None or row["end"] is None:
        raise nothing("chart")
    span = max(row["end"] - row["start"], row["last"] - row["start"], 1)  # a record may end before it starts
    if every is None:
        return step_for(span, most), results[1:]
    size = seconds(every, "every")
    if span // size > MOST_BINS:
        raise PlanError(
            f"every={every!r}: {span // size:,} bins; a picture has room for {MOST_BINS:,}: "
            f"every='{step_for(span, MOST_BINS)}s'"
        )
    return size, results[1:]


def _timed(rows: Iterable[Row]) -> list[Row]:
    """Returns the rows that have a time."""
    timed = [row for row in rows if row["time"] is not None]
    if not timed:
        raise nothing("chart")
    return timed


def timeline(flows: Flows, *, measure: str = "bytes", every: Duration | None = None, title: str = "") -> Timeline:
    """Draws a measure (``bytes``, ``packets`` or ``records``) of logs over time, spread over the bins that records
    span. ``every``: the length of bins, by default so that there are at most 96.

    >>> import vpcflow as vf
    >>> made = vf.synth(2000, seed=3, peers=100, noise_sources=100)
    >>> vf.charts.timeline(vf.scan(made.data).filter("action = 'REJECT'"), measure="records").unit
    'records'
    """
    unit, agg = _measure(measure)
    size, _ = _every(_logs(flows, "timeline"), every, 96)
    rows = _timed(flows.group_by(every=size).agg(value=agg).collect())
    drawn = [{"time": row["time"], "series": ALL, "value": row["value"] or 0} for row in rows]
    return Timeline(title or f"{measure} over time", unit, size, drawn)


def top_n(
    flows: Flows, by: str, *, n: int = 6, measure: str = "bytes", every: Duration | None = None, title: str = ""
) -> Timeline:
    """Draws a measure over time for the ``n`` largest values of a field or label on top of each other, and all the
    rest as ``other``: together they are the whole.

    >>> import vpcflow as vf
    >>> log = b"srcaddr bytes start end\\n10.0.0.1 9 0 60\\n10.0.0.2 5 0 60\\n10.0.0.3 2 0 60\\n"
    >>> [(row["series"], row["value"]) for row in vf.charts.top_n(vf.scan(log), "srcaddr", n=1).rows]
    [('10.0.0.1', 9), ('other', 7)]
    """
    _logs(flows, "top_n", ", 'srcaddr'")
    by = name_of(by, "vf.charts.top_n(flows, 'srcaddr')")
    if not 1 <= whole(n, "n", "top_n(flows, 'srcaddr', n=6)") <= 7:
        raise PlanError(f"n={n}: expected 1 to 7, as there are colours that all can tell apart")
    unit, agg = _measure(measure)
    size, (totals,) = _every(flows, every, 96, [flows.group_by(by).agg(value=agg)])
    column = totals.columns[0]
    ranked = sorted((r for r in totals if r[column] is not None), key=lambda r: (-(r["value"] or 0), r[column]))
    chosen = [row[column] for row in ranked[:n]]
    own = flows.filter(of.col(by).is_in(chosen))._with(lenient=True)
    whole_of_it, parts = collect_all(
        [flows.group_by(every=size).agg(value=agg), own.group_by(by, every=size).agg(value=agg)]
    )
    names = {value: shown(column, value) for value in chosen}
    left = {row["time"]: row["value"] or 0 for row in _timed(whole_of_it)}
    values = {(row[column], row["time"]): row["value"] or 0 for row in parts if row["time"] is not None}
    rows = []
    for (value, time), amount in sorted(values.items(), key=lambda item: (chosen.index(item[0][0]), item[0][1])):
        left[time] = left.get(time, 0) - amount
        rows.append({"time": time, "series": names[value], "value": amount})
    rows += [{"time": time, "series": OTHER, "value": max(amount, 0)} for time, amount in left.items() if amount]
    note = f"the {len(chosen)} largest of {len(ranked):,}" if len(chosen) < len(ranked) else ""
    return Timeline(title or f"{measure} by {column}", unit, size, rows, note)


def heat_map(
    flows: Flows, by: str = "dstport", *, n: int = 15, measure: str = "records", every: Duration | None = None,
    title: str = "",
) -> HeatMap:  # fmt: skip
    """Draws when the ``n`` largest values of a field were seen: by default ports by time."""
    _logs(flows, "heat_map", ", 'dstport'")
    by, n = name_of(by, "vf.charts.heat_map(flows, 'dstport')"), _number(n, "heat_map", 100)
    unit, agg = _measure(measure)
    size, (totals,) = _every(flows, every, 60, [flows.group_by(by).agg(value=agg)])
    column = totals.columns[0]
    ranked = sorted((r for r in totals if r[column] is not None), key=lambda r: (-(r["value"] or 0), r[column]))
    chosen = [row[column] for row in ranked[:n]]
    if not chosen:
        raise PlanError(f"heat_map: nothing to draw: no record has {by}")
    cells = _timed(flows.filter(of.col(by).is_in(chosen)).group_by(by, every=size).agg(value=agg).collect())
    times = [row["time"] for row in cells]
    names = {value: shown(column, value) for value in chosen}
    rows = [{"row": names[row[column]], "column": row["time"], "value": row["value"] or 0} for row in cells]
    note = f"the {len(chosen)} largest of {len(ranked):,}" if len(chosen) < len(ranked) else ""
    across = range(min(times), max(times) + 1, size)
    return HeatMap(title or f"{measure} by {column} over time", unit, size, list(names.values()), across, rows, note)


def _zoned(flows: Flows, zones: Zones | None) -> Flows:
    if not isinstance(zones, Labels):
        table = {prefix: name for name, own in (zones or _PRIVATE).items() for prefix in several(own, "zones", "{...}")}
        zones = prefixes(table)
    return flows.label("source_zone", "srcaddr", zones).label("target_zone", "dstaddr", zones)


def zone_matrix(flows: Flows, zones: Zones | None = None, *, measure: str = "bytes", title: str = "") -> HeatMap:
    """Draws how much each zone sends to each other one. ``zones``: prefixes by name, as
    ``{"web": ["10.0.1.0/24"], "data": ["10.0.2.0/24"]}``, or a table of :mod:`vpcflow.labels`; private and outside
    without. An address of no zone is ``outside``.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr bytes\\n10.0.0.1 8.8.8.8 9\\n8.8.8.8 10.0.0.1 5\\n"
    >>> [(row["row"], row["column"], row["value"]) for row in vf.charts.zone_matrix(vf.scan(log)).rows]
    [('outside', 'private', 5), ('private', 'outside', 9)]
    """
    _need(_logs(flows, "zone_matrix", ", {...}"), "zone_matrix", "srcaddr", "dstaddr")
    unit, agg = _measure(measure)
    pairs = _zoned(flows, zones).group_by("source_zone", "target_zone").agg(value=agg).collect()
    rows = [
        {"row": row["source_zone"] or _OUTSIDE, "column": row["target_zone"] or _OUTSIDE, "value": row["value"] or 0}
        for row in pairs
    ]
    if not rows:
        raise nothing("zone_matrix")
    rows.sort(key=lambda row: (row["row"], row["column"]))
    ends: set[str] = {str(row[end]) for row in rows for end in ("row", "column")}
    names = sorted(ends, key=lambda z: (z == _OUTSIDE, z))
    return HeatMap(title or f"{measure} from zone (left) to zone (top)", unit, 0, names, names, rows)


def sankey(flows: Flows, *by: str, n: int = 7, measure: str = "bytes", title: str = "") -> Sankey:
    """Draws how much goes which way through the values of two to four fields or labels, by default source, port and
    destination; of each the ``n`` largest, and all the rest as ``other``."""
    _logs(flows, "sankey", ", 'srcaddr', 'dstport', 'dstaddr'")
    call = "vf.charts.sankey(flows, 'srcaddr', 'dstaddr')"
    stages = [name_of(one, call) for one in by or ("srcaddr", "dstport", "dstaddr")]
    n = _number(n, "sankey", 50)
    if not 2 <= len(set(stages)) == len(stages) <= 4:
        raise PlanError(f"sankey: {', '.join(stages)}: expected two to four different fields")
    unit, agg = _measure(measure)
    found = flows.group_by(*stages).agg(value=agg).collect()
    columns, groups = found.columns[: len(stages)], found.rows()
    if not groups:
        raise nothing("sankey")
    kept = []
    for column in columns:
        sums: dict[Any, int] = {}
        for row in groups:
            sums[row[column]] = sums.get(row[column], 0) + (row["value"] or 0)
        kept.append(set(sorted(sums, key=lambda value: (-sums[value], str(value)))[:n]))
    folded: dict[tuple[str, ...], int] = {}
    for row in groups:
        key = tuple(shown(c, row[c]) if row[c] in own else OTHER for c, own in zip(columns, kept))
        folded[key] = folded.get(key, 0) + (row["value"] or 0)
    rows = [{**dict(zip(columns, key)), "value": value} for key, value in sorted(folded.items()) if value]
    if not rows:
        raise PlanError(f"sankey: nothing to draw: no record has {measure}; measure='records' counts them")
    return Sankey(title or f"{measure}: {' to '.join(columns)}", unit, columns, rows)


def node_graph(
    flows: Flows, *, n: int = 40, by: tuple[str, str] = ("srcaddr", "dstaddr"), measure: str = "bytes", title: str = ""
) -> NodeGraph:
    """Draws who talks with whom: the ``n`` pairs with most, of both directions, on a circle. ``by``: the fields or
    labels of the two ends. A line whose records were all rejected is dashed."""
    _logs(flows, "node_graph")
    ends_of = names([by] if isinstance(by, str) else by, "vf.charts.node_graph(flows, by=('srcaddr', 'dstaddr'))")
    if len(ends_of) != 2:
        raise PlanError(f"node_graph: by={by!r}: expected two fields, such as ('srcaddr', 'dstaddr')")
    n = _number(n, "node_graph", 300)
    unit, agg = _measure(measure)
    decided = "action" in flows.columns
    passed = of.count(where="action is null or action != 'REJECT'") if decided else of.count()
    found = flows.group_by(*ends_of).agg(value=agg, passed=passed).collect()
    one, two = found.columns[:2]
    pairs: dict[tuple[str, str], list[int]] = {}
    for row in found:
        if row[one] is None or row[two] is None:
            continue
        ends = (shown(one, row[one]), shown(two, row[two]))
        sums = pairs.setdefault(ends if ends[::-1] not in pairs else ends[::-1], [0, 0])
        sums[0] += row["value"] or 0
        sums[1] += row["passed"] or 0
    ranked = sorted(pairs.items(), key=lambda item: (-item[1][0], item[0]))[:n]
    rows = [
        {"source": ends[0], "target": ends[1], "value": value, "rejected": not passed}
        for ends, (value, passed) in ranked
    ]
    if not rows:
        raise PlanError(f"node_graph: nothing to draw: no record has both {one} and {two}")
    note = f"the {len(rows)} largest of {len(pairs):,} pairs" if len(rows) < len(pairs) else ""
    return NodeGraph(title or f"{measure} between {one} and {two}", unit, rows, note)


def coverage_timeline(flows: Flows, *, n: int = 20, title: str = "") -> Spans:
    """Draws what the logs have of each interface: OK, SKIPDATA (counts are a floor), NODATA, absent; of the ``n``
    interfaces with most that is not OK."""
    _need(_logs(flows, "coverage_timeline"), "coverage_timeline", "start", "end")
    rows = flows.coverage()
    return coverage_spans(rows.rows(), n, title)


def coverage_spans(rows: Iterable[Row], n: int, title: str = "") -> Spans:
    """Draws the rows of :meth:`vpcflow.Flows.coverage`."""
    n = _number(n, "coverage_timeline", 200)
    by_interface: dict[str, list[Row]] = {}
    for row in rows:
        by_interface.setdefault(str(row["interface_id"] or "-"), []).append(row)
    if not by_interface:
        raise nothing("coverage_timeline")
    lacking = {i: sum(row["minutes"] for row in own if row["seen"] != "OK") for i, own in by_interface.items()}
    worst = sorted(by_interface, key=lambda i: (-lacking[i], i))[:n]
    drawn = [
        {"line": name, "kind": row["seen"], "start": row["start"], "end": row["end"], "what": ""}
        for name in worst
        for row in by_interface[name]
    ]
    drawn, size = coarser(drawn, list(_SEEN))
    notes = [f"the {n} with most that is not OK, of {len(by_interface):,}"] if n < len(by_interface) else []
    notes += [f"what there is most of in each {length(size)}"] if size else []
    return Spans(title or "coverage of interfaces", worst, _SEEN, drawn, "; ".join(notes))


def incident_timeline(findings: Iterable[Any], *, n: int = 15, title: str = "") -> Spans:
    """Draws when incidents were: of :class:`vpcflow.Findings`, or a list of incidents, the ``n`` worst, each finding a
    span."""
    made = findings.incidents() if hasattr(findings, "incidents") else list(findings)
    incidents = [
        instance(one, Incident, "incident_timeline", "vf.charts.incident_timeline(vf.detect(flows))") for one in made
    ]
    if not incidents:
        raise PlanError("incident_timeline: nothing to draw: there is no incident")
    drawn, lines = [], []
    for number, incident in enumerate(incidents[: _number(n, "incident_timeline", 100)], 1):
        line = f"{number} {incident.actor} {incident.detectors[0]}"
        lines.append(line)
        drawn += [
            {"line": line, "kind": one.severity, "start": one.start, "end": one.end, "what": one.detector}
            for one in incident.findings
        ]
    drawn, size = coarser(drawn, list(_SEVERITIES))
    notes = [f"the {len(lines)} worst of {len(incidents):,}"] if len(lines) < len(incidents) else []
    notes += [f"the severity there is most of in each {length(size)}"] if size else []
    return Spans(title or "incidents", lines, _SEVERITIES, drawn, "; ".join(notes))
