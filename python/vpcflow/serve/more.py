"""Answers for panels: what is new, zones, flows, controls, cost, the status of interfaces, the logs themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

from .._display import instant
from ..analyze.questions import KEYS, TABLES, Table, measure_of
from ..io.packed import RefusedError
from ..pricing import prices
from ..query import expr as of
from . import answers
from .answers import Answer
from .asked import OF_PLACES, Asked, Window
from .beside import OUTSIDE, Beside, beside
from .board import Board, Figures, Held, Rows, protocol_name

_EDGE = ("srcaddr", "dstaddr", "dstport", "protocol")
_FLOWS = Table(KEYS, "bytes")
_STATUS = {"absent": 0, "NODATA": 1, "OK": 2, "SKIPDATA": 3}
_REGION = "us-east-1"  # of prices, where the logs do not say one


def flows(figures: Figures, asked: Asked) -> Answer:
    """Answers the largest flows: who, to whom, at which port, with which answer."""
    return answers.table("flows", figures, asked, _FLOWS)


def places(parameter: str, figures: Figures, asked: Asked) -> Answer:
    """Answers the accounts, regions, VPCs or interfaces by what they logged, the largest first. Where flows are not
    told apart by them, accounts and regions are of all the time."""
    field = OF_PLACES[parameter]
    if field not in figures.fields:
        raise RefusedError(404, f"{parameter}: the logs lack {field.replace('_', '-')}")
    own = Table((field,), "bytes")
    if field in figures.held.beside:
        return answers.table(parameter, figures, asked, own)
    if asked.where or asked.window.of(figures) or not any(field in row for row in figures.places):
        raise RefusedError(400, f"{parameter}: {answers.TOO_MANY}")
    sums: dict[Any, dict[str, int]] = {}
    for row in figures.places:
        one = sums.setdefault(row[field], dict.fromkeys(answers.MEASURES, 0))
        for name in answers.MEASURES:
            one[name] += row[name] or 0
    measure = measure_of(own, figures.fields)
    rows = [{field: name, **sums[name], "other": False} for name in sorted(sums, key=lambda n: -sums[n][measure])]
    total = sum(row[measure] or 0 for row in figures.totals)
    return answers.shown(rows, dataclasses.replace(own, measure=measure), asked.limit, total=total)


def new(figures: Figures, asked: Asked) -> Answer:
    """Answers who reached a service in the time asked for that it had not reached before, as far as the logs go. Of
    logs that begin then it is not known, which ``why`` says."""
    begin = min((row["time"] for row in figures.totals if row["time"] is not None), default=None)
    since = asked.window.start
    if begin is None or since is None or since <= begin:
        said = "no record has a time" if begin is None else f"the logs begin at {instant(begin)} UTC"
        return _told({name: None for name in _EDGE}, f"{said}: choose a time that begins later, to have a time before")
    if not figures.held.complete:
        return _told({name: None for name in _EDGE}, "these logs have more flows than are held; see --max-flows")
    own = Table(_EDGE, "bytes", TABLES["ports"].where)
    earlier = asked._replace(window=Window(None, asked.window.end))
    rows = answers.grouped_flows(figures.held.flows, figures.held, earlier, own).agg(
        **Held.measures(), first=of.min("start")
    )  # fmt: skip
    found = answers.rows_of(rows.having(f"first >= {since}"), figures.held)
    made = [
        {
            **{name: row[name] for name in _EDGE}, "protocol_name": protocol_name(row["protocol"]),
            "bytes": row["bytes"] or 0, "records": row["records"] or 0, "first": row["first"] * 1000,
        }
        for row in sorted(found, key=lambda row: -(row["bytes"] or 0))
    ]  # fmt: skip
    return answers.listed(made, asked.limit)


def zones(board: Board, asked: Asked) -> Answer:
    """Answers how much each zone sends to each other one."""
    figures = _figures(board)
    held = answers.held_for(figures, asked, False)
    table, pairs = _beside(board).zones, figures.kept.get("pairs")
    some = held.flows if pairs is None else pairs.flows
    some = some.label("source", "srcaddr", table).label("target", "dstaddr", table)
    sums: dict[tuple[str, str], dict[str, int]] = {}
    own = Table(("source", "target", "action"), "bytes")
    for row in answers.grouped(some, held, asked, own, 2**31):
        key = (row["source"] or OUTSIDE, row["target"] or OUTSIDE)
        into = sums.setdefault(key, {"bytes": 0, "records": 0, "rejected": 0})
        into["bytes"] += row["bytes"] or 0
        into["records"] += row["records"] or 0
        into["rejected"] += (row["records"] or 0) if row["action"] == "REJECT" else 0
    rows = [{"source": key[0], "target": key[1], **own} for key, own in sorted(sums.items())]
    made = answers.listed(rows, asked.limit)
    return made if held.complete else made._replace(headers=answers.FLOOR)


def controls(board: Board, asked: Asked) -> Answer:
    """Answers the verdict of each control, of all the logs."""
    own = _beside(board)
    if own.controls is None:
        nothing = {"control": "", "title": "", "verdict": "not evaluable", "sessions": 0, "violating": 0}
        return _told(nothing, own.why["controls"])
    rows = [
        {
            "control": one.id, "title": one.title or one.question, "verdict": one.verdict.replace("_", " "),
            "sessions": one.total("sessions"), "violating": len(one.violating), "why": "; ".join(one.why),
        }
        for one in own.controls
    ]  # fmt: skip
    return answers.listed(rows, asked.limit)


def cost(board: Board, asked: Asked) -> Answer:
    """Answers what each path costs, of all the logs; what is unpriced has no cost, and says why."""
    own = _beside(board)
    if own.cost is None:
        return _told({"path": "", "bytes": None, "cost": None, "currency": ""}, own.why["cost"])
    rows = [
        {
            "path": row["class"], "bytes": row["bytes"], "currency": row["currency"], "why": row["why"] or "",
            "cost": None if row["list_cost"] is None else float(row["list_cost"]),
        }
        for row in own.cost
    ]  # fmt: skip
    return answers.listed(rows, asked.limit)


def severities(board: Board, asked: Asked) -> Answer:
    """Answers how many findings there are of each severity."""
    answers.looked_for(board)
    counts = dict.fromkeys(("high", "medium", "low"), 0)
    for one in answers.told(board, asked):
        counts[str(one.severity)] = counts.get(str(one.severity), 0) + 1
    return answers.listed([{"severity": name, "findings": n} for name, n in counts.items()], asked.limit)


def lines(figures: Figures, asked: Asked) -> Answer:
    """Answers how many lines of all the logs are of each log status, or malformed."""
    report = figures.report
    counts = {"OK": report.ok, "NODATA": report.nodata, "SKIPDATA": report.skipdata, "malformed": report.rejected}
    return answers.listed([{"status": name, "records": n} for name, n in counts.items()], asked.limit)


def volume(figures: Figures, asked: Asked) -> Answer:
    """Answers how much text all the logs are, and what its delivery costs by the public list, in the first tier."""
    if not hasattr(figures.report, "text_bytes"):
        raise RefusedError(404, "volume: a watch does not count it; serve the logs")
    regions = {row["region"] for row in figures.places if row["region"]}
    region = regions.pop() if len(regions) == 1 else _REGION
    size, sheet = int(figures.report.text_bytes), prices()
    costs = {to: sheet.cost(f"logs.{to}", region, size) for to in ("cloudwatch", "s3")}
    row: dict[str, Any] = {"bytes": size, "records": figures.report.records, "region": region}
    row.update({f"cost_{to}": None if own is None else float(own) for to, own in costs.items()})
    return answers.listed([row], asked.limit)


def status(figures: Figures, asked: Asked) -> Answer:
    """Answers the status of interfaces through the time, as a number: 0 absent, 1 NODATA, 2 OK, 3 SKIPDATA; a row where
    it begins, and one without where it ends. Interfaces with the longest gaps first, at most ``limit``."""
    spans: dict[str, Rows] = {}
    for row in answers.covered(figures, asked):
        spans.setdefault(str(row["interface_id"]), []).append(row)
    gaps = {name: sum(row["minutes"] for row in own if row["seen"] != "OK") for name, own in spans.items()}
    ranked = sorted(spans, key=lambda name: (-gaps[name], name))
    rows = []
    for name in ranked[: asked.limit]:
        own = sorted(spans[name], key=lambda row: row["start"])
        start = asked.window.start or 0
        rows += [
            {"time": max(row["start"], start) * 1000, "series": name, "value": _STATUS[row["seen"]]} for row in own
        ]
        rows.append({"time": own[-1]["end"] * 1000, "series": name, "value": None})
    rows.sort(key=lambda row: (row["time"], row["series"]))
    return Answer(rows, len(ranked), max(len(ranked) - asked.limit, 0), {})


def _figures(board: Board) -> Figures:
    if board.figures is None:
        raise RefusedError(404, answers.NO_LOGS)
    return board.figures


def _beside(board: Board) -> Beside:
    return board.beside if board.beside is not None else beside()


def _told(row: dict[str, Any], why: str) -> Answer:
    """Answers in a row that there is no answer, and why."""
    return Answer([{**row, "why": why}], 0, 0, {})
