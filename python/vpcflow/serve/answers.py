"""Answers to requests: flat tables in JSON, with what is left out of them."""

from __future__ import annotations

import bisect
import dataclasses
import ipaddress
import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .._display import human_bytes
from .._hints import hint
from ..analyze.questions import TABLES, Table, measure_of
from ..errors import FieldError, VpcflowError
from ..findings.evidence import is_address
from ..findings.finding import Finding
from ..io.packed import RefusedError
from ..query.expr import count
from ..query.flows import Flows, Grouped
from .asked import OF_PLACES, UNNAMED, Asked, Window
from .board import BESIDE, Board, Figures, Held, Rows, protocol_name

_GRAPH = 200
OTHER = "other"
FLOOR = {"X-Vpcflow-Floor": "each value is at least that"}
NO_LOGS = "no logs are served, only what a watch told; start with a PATH"
MEASURES = ("bytes", "packets", "records")


class Answer(NamedTuple):
    """Rows, and what they are of: ``total`` of the measure, and of it what the rows do not have; further headers."""

    rows: Rows
    total: int
    other: int
    headers: dict[str, str]


# -- tables of groups ------------------------------------------------------------------------------------------------


def table(name: str, figures: Figures, asked: Asked, own: Table | None = None) -> Answer:
    """Answers a table of :data:`TABLES`: of all the time as it was counted, of part of it by the flows held, or by the
    groups that are largest in all the time where there are more flows than are held."""
    own = own or TABLES[name]
    own = dataclasses.replace(own, measure=measure_of(own, figures.fields))
    if not asked.where and not asked.window.of(figures) and name in figures.tables:
        return shown(figures.tables[name], own, asked.limit, bound=figures.bounds.get(name, 0))
    rejects = bool(own.where and own.measure == "records")
    kept = figures.kept.get(name)
    held = held_for(figures, asked, rejects)
    found = grouped(held.flows if kept is None else kept.flows, held, asked, own, asked.limit)
    if held.complete:
        return shown(found, own, asked.limit)
    totals = figures.totals if kept is None else kept.totals
    total = sum(row[own.measure] or 0 for row in totals if _counts(row, kept is None and rejects, asked.window))
    if kept is not None:
        return shown(found, own, asked.limit, total=total, bound=kept.bound)
    if asked.where or (own.where and not rejects):  # the sum of which is in no total
        return shown(found, own, asked.limit)._replace(headers=FLOOR)
    return shown(found, own, asked.limit, total=total)._replace(headers=FLOOR)


def _counts(row: dict[str, Any], rejects: bool, window: Window) -> bool:
    return window.has(row["time"]) and (not rejects or row["action"] == "REJECT")


def held_for(figures: Figures, asked: Asked, rejects: bool) -> Held:
    """Returns the flows that a request is answered by. Raises :class:`RefusedError`."""
    held = figures.held_rejects if rejects and not figures.held.complete else figures.held
    for name, _ in asked.chosen:
        field = OF_PLACES.get(name)
        if field is not None and field not in held.beside:
            lack = f"the logs lack {field.replace('_', '-')}"
            raise RefusedError(400, f"{name}: {TOO_MANY if field in figures.fields else lack}")
    if asked.where and not held.complete and not asked.floors:
        raise RefusedError(
            400, "where: these logs have more flows than are held, so that the answer would lack some; serve with "
            "--where, with a longer --every, or with a larger --max-flows",
        )  # fmt: skip
    return held


def grouped(flows: Flows, held: Held, asked: Asked, own: Table, limit: int) -> Rows:
    """Groups rows that stand for flows. ``held``: of which fields conditions may be."""
    groups = grouped_flows(flows, held, asked, own)
    return rows_of(groups.agg(**Held.measures()).top_k(limit, by=own.measure, other=True), held)


def grouped_flows(flows: Flows, held: Held, asked: Asked, own: Table, every: int | None = None) -> Grouped:
    """Returns the groups of rows that stand for flows, of those that a request asks for; by bins of ``every`` seconds,
    too."""
    conditions = [own.where, asked.where]
    conditions += [f"start >= {asked.window.start}"] if asked.window.start is not None else []
    conditions += [f"start < {asked.window.end}"] if asked.window.end is not None else []
    try:
        if asked.where:
            held.nameable.filter(asked.where).agg(count()).collect()
        for condition in filter(None, conditions):
            flows = flows.filter(condition)._with(lenient=condition is not asked.where)
    except VpcflowError as error:
        raise _refused(error, held) from None
    return flows.group_by(*own.by, every=every, bin_by="start")


def rows_of(flows: Flows, held: Held) -> Rows:
    """Returns the rows of a query for a request."""
    try:
        return flows.collect().rows()
    except VpcflowError as error:
        raise _refused(error, held) from None


TOO_MANY = "what is served does not tell flows apart by it; serve logs, with a longer --every or a larger --max-flows"


def _refused(error: VpcflowError, held: Held) -> RefusedError:
    if isinstance(error, FieldError):
        there = ", ".join(held.nameable.columns)
        return RefusedError(400, f"where: {str(error).partition(';')[0]}; there are {there}")
    return RefusedError(400, f"where: {error}")


def shown(rows: Rows, own: Table, limit: int, *, total: int | None = None, bound: int = 0) -> Answer:
    """Returns the first groups, each with the total of the measure, what no row listed has of it, and what a group that
    is not listed has at most, if that may be more than those listed have."""
    measure = own.measure
    if total is None:
        total = sum(row[measure] or 0 for row in rows)
    listed = [row for row in rows if not row["other"]][:limit]
    other = total - sum(row[measure] or 0 for row in listed)
    if len(listed) == limit and (listed[-1][measure] or 0) >= bound:
        bound = 0
    out = []
    for row in listed:
        made = {name: row[name] for name in own.by}
        if "protocol" in made:
            made["protocol_name"] = protocol_name(row["protocol"])
        made.update({name: row[name] or 0 for name in MEASURES})
        out.append({**made, "other": other, "bound": min(bound, other), "total": total})
    return Answer(out, total, other, _bounded(min(bound, other)))


def _bounded(bound: int) -> dict[str, str]:
    return {"X-Vpcflow-Bound": str(bound)} if bound else {}


# -- other tables ----------------------------------------------------------------------------------------------------


def looked_for(board: Board) -> None:
    """Checks that findings were looked for: none would be an all-clear. Raises :class:`RefusedError`."""
    if board.figures is not None and board.state is None and "findings" in board.figures.lacking:
        raise RefusedError(404, f"findings: {board.figures.lacking['findings']}")


def findings(board: Board, asked: Asked) -> Answer:
    """Answers the findings, worst first."""
    looked_for(board)
    rows = [
        {
            "start": one.start * 1000, "end": one.end * 1000, "severity": one.severity, "detector": one.detector,
            "actor": one.actor, "targets": ", ".join(one.targets[:5]), "technique": one.technique,
            "what": one.sentence, "trace": _traced(board, one.actor), "id": one.id,
        }
        for one in told(board, asked)
    ]  # fmt: skip
    return listed(rows, asked.limit)


def _traced(board: Board, actor: str) -> str:
    """Returns the command that tells what an actor did; nothing of one that is no address."""
    words = Figures.words if board.figures is None else board.figures.words
    return shlex.join(["vpcflow", "trace", actor, *words]) if is_address(actor) else ""


def told(board: Board, asked: Asked) -> list[Finding]:
    """Returns the findings of the time that a request asks for, and of its address if it has one."""
    address = dict(asked.chosen).get("address")
    one = None if address is None else str(ipaddress.ip_address(address))
    return [
        own for own in board.findings()
        if overlaps(asked.window, own.start, own.end) and (one is None or one in (own.actor, *own.targets))
    ]  # fmt: skip


def notes(board: Board, asked: Asked) -> Answer:
    """Answers the findings as Grafana's annotations."""
    rows = [
        {
            "time": one.start * 1000, "timeEnd": one.end * 1000, "title": f"{one.severity}: {one.detector}",
            "text": one.sentence, "tags": f"{one.detector},{one.severity}", "id": one.id,
        }
        for one in told(board, asked)
    ]  # fmt: skip
    found = listed(rows, asked.limit)
    try:
        looked_for(board)
    except RefusedError as refused:
        return found._replace(headers={"X-Vpcflow-Lacking": " ".join(str(refused).split())})
    return found


def sessions(figures: Figures, asked: Asked) -> Answer:
    """Answers the largest sessions that begin in the time asked for."""
    if "sessions" in figures.lacking:
        raise RefusedError(404, f"sessions: {figures.lacking['sessions']}")
    rows = [
        {**row, "start": row["start"] * 1000, "end": row["end"] * 1000, "protocol_name": protocol_name(row["protocol"])}
        for row in figures.sessions
        if row["start"] is not None and asked.window.has(row["start"])
    ]
    found = listed(rows, asked.limit)
    if not figures.begun:
        return found
    start, end = asked.window
    first = 0 if start is None else bisect.bisect_left(figures.begun, start)
    last = len(figures.begun) if end is None else bisect.bisect_left(figures.begun, end)
    total = last - first
    other = total - len(found.rows)
    bound = 0 if len(found.rows) == asked.limit else figures.sessions[-1]["bytes"]
    return Answer([{**row, "other": other, "total": total} for row in found.rows], total, other, _bounded(bound))


def coverage(figures: Figures, asked: Asked) -> Answer:
    """Answers what the logs have of each interface, the worst times first."""
    order = ("SKIPDATA", "absent", "NODATA", "OK")
    rows = [
        {**row, "start": row["start"] * 1000, "end": row["end"] * 1000}
        for row in sorted(covered(figures, asked), key=lambda row: (order.index(row["seen"]), -row["minutes"]))
    ]
    return listed(rows, asked.limit)


def covered(figures: Figures, asked: Asked) -> Rows:
    """Returns what the logs have of the interfaces and in the time that a request asks for."""
    own = [row for row in figures.coverage if overlaps(asked.window, row["start"], row["end"])]
    name = dict(asked.chosen).get("interface")
    return own if name is None else [row for row in own if (row["interface_id"] or UNNAMED) == name]


def overlaps(window: Window, start: int, end: int) -> bool:
    """Tells whether a span of time has a part in a window."""
    return (window.start is None or end >= window.start) and (window.end is None or start < window.end)


def listed(rows: Rows, limit: int) -> Answer:
    """Answers the first rows, each with how many there are, and how many are not listed."""
    other = max(len(rows) - limit, 0)
    return Answer([{**row, "other": other, "total": len(rows)} for row in rows[:limit]], len(rows), other, {})


# -- series ----------------------------------------------------------------------------------------------------------

#: Series by a field of records, and how a value is called.
_SERIES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "action": ("action", lambda value: value or "none"),
    "protocol": ("protocol", protocol_name),
    "direction": ("flow_direction", lambda value: value or "unknown"),
    "all": ("", lambda value: "all"),
}


def series(measure: str, figures: Figures, asked: Asked, only: str | None = None) -> Answer:
    """Answers a measure over time: a row for each bin and series, at most ``limit`` series, of which the last is all
    that are not named. ``only``: of records with this action. It is spread over the bins that records span; of flows
    that are chosen it is where they begin, as in the tables."""
    by = asked.by or "action"
    if by not in _SERIES:
        raise RefusedError(400, f"by: no series by {by[:50]!r}; {hint(by[:50], list(_SERIES))}")
    field, name_of = _SERIES[by]
    sums: dict[str, int] = {}
    values: dict[tuple[int, str], int] = {}
    for row in _chosen_bins(figures, asked, field) if asked.where else _bins(figures, asked, by):
        if only is not None and row["action"] != only:
            continue
        name = name_of(row[field]) if field else name_of(None)
        sums[name] = sums.get(name, 0) + (row[measure] or 0)
        values[row["time"], name] = values.get((row["time"], name), 0) + (row[measure] or 0)
    ranked = sorted(sums, key=lambda name: (-sums[name], name))
    most = min(asked.limit, 50)
    kept = ranked if len(ranked) <= most else ranked[: most - 1]
    folded: dict[tuple[int, str], int] = {}
    for (time, name), value in values.items():
        key = (time, name if name in kept else OTHER)
        folded[key] = folded.get(key, 0) + value
    rows = [{"time": time * 1000, "series": name, "value": value} for (time, name), value in sorted(folded.items())]
    return Answer(rows, sum(sums.values()), sum(sums[name] for name in ranked if name not in kept), {})


def _bins(figures: Figures, asked: Asked, by: str) -> Rows:
    """Returns the measures of all traffic by time."""
    if not figures.bins and figures.totals and by not in ("action", "all"):
        raise RefusedError(404, f"by={by}: a watch counts by action alone; serve the logs")
    rows = figures.bins or figures.totals
    return [row for row in rows if row["time"] is not None and asked.window.has(row["time"])]


def _chosen_bins(figures: Figures, asked: Asked, field: str) -> Rows:
    """Returns the measures of the flows that a request chooses by time and a field."""
    held = held_for(figures, asked, False)
    if field in BESIDE and field in figures.fields and field not in held.beside:
        raise RefusedError(400, f"{field.replace('_', '-')}: {TOO_MANY}")
    own = Table(tuple(dict.fromkeys((*filter(None, [field]), "action"))), "bytes")
    rows = rows_of(grouped_flows(held.flows, held, asked, own, figures.every).agg(**Held.measures()), held)
    return [row for row in rows if row["time"] is not None]


# -- the graph -------------------------------------------------------------------------------------------------------


class Graph(NamedTuple):
    """Who talks with whom: nodes and edges, both at most as many as were asked for."""

    nodes: Answer
    edges: Answer


def graph(figures: Figures, asked: Asked) -> Graph:
    """Answers who talks with whom. Of more nodes than the limit the smallest are one, ``other``, so that the edges'
    bytes and those that no edge has are the total. The last one is kept, as nodes and edges are asked one after the
    other."""
    kept: Graph | None = figures.graphs.get(asked)
    if kept is None:
        kept = _graph(figures, asked)
        figures.graphs = {asked: kept}
    return kept


def _graph(figures: Figures, asked: Asked) -> Graph:
    held, some = held_for(figures, asked, False), figures.kept.get("pairs")
    own = Table(("srcaddr", "dstaddr", "action"), "bytes")
    pairs = grouped(held.flows if some is None else some.flows, held, asked, own, 2**31)
    most = min(asked.limit, _GRAPH)
    total = sum(row["bytes"] or 0 for row in pairs)
    if not held.complete:
        total = sum(row["bytes"] or 0 for row in figures.totals if asked.window.has(row["time"]))
    ends = [row for row in pairs if row["srcaddr"] is not None and row["dstaddr"] is not None]
    size: dict[str, int] = {}
    for row in ends:
        for name in {row["srcaddr"], row["dstaddr"]}:
            size[name] = size.get(name, 0) + (row["bytes"] or 0)
    ranked = sorted(size, key=lambda name: (-size[name], name))
    kept = set(ranked if len(ranked) <= most else ranked[: most - 1])
    edges: dict[tuple[str, str], dict[str, int]] = {}
    for row in ends:
        one, two = (name if name in kept else OTHER for name in (row["srcaddr"], row["dstaddr"]))
        sums = edges.setdefault((min(one, two), max(one, two)), dict.fromkeys((*MEASURES, "rejected"), 0))
        for name in MEASURES:
            sums[name] += row[name] or 0
        sums["rejected"] += row["records"] if row["action"] == "REJECT" else 0
    chosen = sorted(edges.items(), key=lambda item: (-item[1]["bytes"], item[0]))[:most]
    listed = sum(sums["bytes"] for _, sums in chosen)
    nodes = _nodes(edges.items(), ranked, kept)
    left = total - sum(row["bytes"] or 0 for row in ends)  # of pairs that are not known, which have at most this
    bound = 0 if held.complete else left if some is None else min(some.bound, left)
    whole = {"other": total - listed, "bound": bound, "total": total}
    rows = [
        {
            "id": f"{one}|{two}", "source": one, "target": two, "mainStat": human_bytes(sums["bytes"]),
            "secondaryStat": _records(sums), **{f"detail__{name}": value for name, value in sums.items()}, **whole,
        }
        for (one, two), sums in chosen
    ]  # fmt: skip
    folded = max(len(ranked) - len(kept), 0)
    more = 0 if held.complete else left  # that a node may have
    told = [{**row, "other": folded, "bound": more, "total": len(ranked)} for row in nodes]
    return Graph(
        Answer(told, len(ranked), folded, _bounded(more)), Answer(rows, total, total - listed, _bounded(bound))
    )


def _nodes(
    edges: Iterable[tuple[tuple[str, str], dict[str, int]]], ranked: Sequence[str], kept: set[str]
) -> Rows:  # fmt: skip
    sums: dict[str, dict[str, int]] = {}
    for ends, own in edges:
        for name in set(ends):
            node = sums.setdefault(name, dict.fromkeys((*MEASURES, "rejected"), 0))
            for what, value in own.items():
                node[what] += value
    order = [name for name in ranked if name in kept] + ([OTHER] if OTHER in sums else [])
    rows = []
    for name in order:
        own = sums[name]
        refused = own["rejected"] / own["records"] if own["records"] else 0.0
        title = name if name != OTHER else f"{len(ranked) - len(kept):,} others"
        rows.append({
            "id": name, "title": title, "subTitle": "", "mainStat": human_bytes(own["bytes"]),
            "secondaryStat": _records(own), "arc__accepted": round(1 - refused, 6), "arc__rejected": round(refused, 6),
            **{f"detail__{what}": value for what, value in own.items()},
        })  # fmt: skip
    return rows


def _records(sums: dict[str, int]) -> str:
    refused = f", {sums['rejected']:,} rejected" if sums["rejected"] else ""
    return f"{sums['records']:,} records{refused}"


def body_of(answer: Answer) -> bytes:
    """Writes rows as a JSON array of flat objects."""
    return json.dumps(answer.rows).encode() + b"\n"
