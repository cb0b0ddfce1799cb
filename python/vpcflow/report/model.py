"""The report as plain values: what ``--json`` prints, and all that the page shows."""

from __future__ import annotations

import collections
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import _core
from ..audit.export.common import sentence_of
from ..audit.result import VERDICTS
from ..charts.over_time import step_for
from ..detect.rows import DETECTORS, ROWS
from ..enable.costs import DAYS, DESTINATIONS, PRICED_REGION
from ..enable.prices import monthly_usd, price_date, price_regions
from ..findings.evidence import as_line, is_address
from ..findings.finding import SEVERITIES, Finding
from ..findings.incident import Incident
from ..manifest import Head
from ..query.flows import Flows
from ..query.result import Result
from .gather import EXPOSED, TOP, Gathered, Rows, Wanted, names_in
from .steps import next_steps
from .verdict import not_seen, verdict

SCHEMA_VERSION = 1  # of reports as JSON, docs/reference/schemas.md
IN_FULL = 15  # incidents with evidence
IN_BRIEF = 100  # incidents with their sentence
_ACCOUNTS = 20
_CONTROLS = 100
_WHY = 5  # causes, and sessions that broke a control
_ENDS = 10  # addresses of an incident
_HISTORY = {row["name"] for row in ROWS if "baseline" in row["inputs"]}
_UNNAMED = "-"  # the interface of records that name none
_SEEN = ("OK", "SKIPDATA", "NODATA", "absent")

Model = dict[str, Any]


def model_of(made: Gathered, flows: Flows, wanted: Wanted, title: str, when: int | None) -> Model:
    """Returns the report of what was gathered. ``when``: the time to write into it, Unix seconds."""
    summary, report = made.summary, made.summary.report
    seconds = summary.end - summary.start if summary.start is not None and summary.end is not None else None
    incidents = made.findings.incidents() if made.findings is not None else []
    model: Model = {
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "made": when,
        "version": _core.build_info()["version"],
        "period": {"start": summary.start, "end": summary.end, "seconds": seconds},
        "accounts": _named(made.results["accounts"], "account_id"),
        "regions": _named(made.results["regions"], "region"),
        "read": {
            "records": report.records, "matched": summary.matched, "ok": report.ok, "nodata": report.nodata,
            "skipdata": report.skipdata, "rejects": report.rejected, "rejects_by_reason": report.rejects_by_reason,
            "files": report.sources, "duplicates": report.duplicates, "text_bytes": report.text_bytes,
            "formats": report.formats,
        },
        "totals": {
            **_totals(made), "interfaces_without_data": len(summary.silent), **_row(made.results["distinct"]),
        },
        "not_seen": [],
        "verdict": {},
        "next": [],
        "detection": _detection(made, wanted),
        "incidents": _incidents(incidents),
        "new": _new(made, wanted),
        "controls": _controls(made),
        "over_time": _over_time(made),
        "coverage": _coverage(made.coverage),
        **_tables(made),
        "addresses_counted": made.bounds is None,
        "countries_asked": wanted.countries is not None,
        "names": {},
        "cost": _cost(made),
        "log_volume": _log_volume(report.text_bytes, report.records, seconds, made),
        "lacking": made.lacking,
        "manifest": _manifest(wanted.manifest),
        "commands": _commands(flows, wanted),
    }  # fmt: skip
    if wanted.inventory is not None and summary.end is not None:
        model["names"] = names_in(wanted.inventory, _addresses(model), summary.end)
    model["not_seen"] = not_seen(made, model)
    model["verdict"] = verdict(made, model)
    model["next"] = next_steps(made, model, wanted.settings.inside)
    return model


def _totals(made: Gathered) -> dict[str, int | None]:
    """Returns the sums of all traffic; ``None`` for what its records do not have."""
    summary, actions, known = made.summary, made.summary.actions, _row(made.results["known"])
    traffic = bool(summary.matched and summary.report.ok)
    decided = not traffic or any(actions.get(action) for action in ("ACCEPT", "REJECT"))
    return {
        "bytes": summary.bytes or 0 if known["bytes"] or not traffic else None,
        "packets": summary.packets or 0 if known["packets"] or not traffic else None,
        "accepted": actions.get("ACCEPT", 0) if decided else None,
        "rejected": actions.get("REJECT", 0) if decided else None,
        "interfaces": summary.interfaces if summary.interfaces or not traffic else None,
    }


def _addresses(model: Model) -> Iterator[str]:
    """Yields the addresses that the page names."""
    for part in ("talkers", "receivers", "rejected_sources", "exposed"):
        for row in (model[part] or {"rows": []})["rows"]:
            yield from (row[name] for name in ("srcaddr", "dstaddr") if row.get(name))
    for incident in model["incidents"]["in_full"]:
        yield from filter(is_address, [*incident["actors"], *incident["targets"]])


def _row(result: Result) -> Mapping[str, Any]:
    return next(iter(result.rows()), {})


def _named(result: Result, column: str) -> dict[str, Any]:
    """Returns the values of a column with their records, the most first."""
    rows = sorted((r for r in result.rows() if r[column] is not None), key=lambda r: (-r["n"], str(r[column])))
    shown = [{"name": str(row[column]), "records": row["n"]} for row in rows[:_ACCOUNTS]]
    return {"there": len(rows), "rows": shown}


def _coverage(rows: Rows | None) -> dict[str, Any] | None:
    """Returns minutes of interfaces by what was seen, in all, for the worst interfaces, and over time."""
    if not rows:
        return None
    minutes = dict.fromkeys(_SEEN, 0)
    own: dict[str, dict[str, int]] = {}
    for row in rows:
        minutes[row["seen"]] += row["minutes"]
        one = own.setdefault(str(row["interface_id"] or _UNNAMED), dict.fromkeys(_SEEN, 0))
        one[row["seen"]] += row["minutes"]
    worst = sorted(own, key=lambda name: (own[name]["OK"] - sum(own[name].values()), name))[:TOP]
    start, end = min(row["start"] for row in rows), max(row["end"] for row in rows)
    every = step_for(end - start)
    bins: dict[tuple[int, str], int] = {}
    for row in rows:
        at = row["start"]
        while at < row["end"]:
            until = min((at // every + 1) * every, row["end"])
            key = (at // every * every, row["seen"])
            bins[key] = bins.get(key, 0) + (until - at)
            at = until
    return {
        "minutes": minutes, "share_ok": minutes["OK"] / max(sum(minutes.values()), 1),
        "interfaces": sum(name != _UNNAMED for name in own), "unnamed": _UNNAMED in own,
        "worst": [{"interface_id": name, **own[name]} for name in worst if own[name]["OK"] < sum(own[name].values())],
        "every": every,
        "over_time": [
            {"time": time, "seen": seen, "minutes": seconds // 60}
            for (time, seen), seconds in sorted(bins.items(), key=lambda b: (_SEEN.index(b[0][1]), b[0][0]))
        ],
    }  # fmt: skip


def _incidents(incidents: Sequence[Incident]) -> dict[str, Any]:
    by_severity = {severity: sum(i.severity == severity for i in incidents) for severity in SEVERITIES}
    left: collections.Counter[tuple[str, str]] = collections.Counter(
        (incident.severity, incident.detectors[0]) for incident in incidents[IN_FULL + IN_BRIEF :]
    )
    return {
        "there": len(incidents),
        "findings": sum(len(incident.findings) for incident in incidents),
        "by_severity": by_severity,
        "in_full": [_in_full(incident) for incident in incidents[:IN_FULL]],
        "in_brief": [
            {"severity": i.severity, "story": i.story, "detectors": i.detectors, "start": i.start, "end": i.end}
            for i in incidents[IN_FULL : IN_FULL + IN_BRIEF]
        ],
        "left": [{"severity": one[0], "detector": one[1], "incidents": n} for one, n in left.most_common()],
    }


def _in_full(incident: Incident) -> dict[str, Any]:
    places = sorted({str(s["interface_id"]) for f in incident.findings for s in f.samples if s.get("interface_id")})
    records = [as_line(sample) for finding in incident.findings[:3] for sample in finding.samples[:2]]
    return {
        "id": incident.id, "severity": incident.severity, "story": incident.story, "detectors": incident.detectors,
        "actors": incident.actors[:_ENDS], "targets": incident.targets[:_ENDS], "start": incident.start,
        "end": incident.end, "against": incident.against, "interfaces": places,
        "records": list(dict.fromkeys(records))[:4], "next": incident.next, "silence": incident.silence,
        "findings": [
            {"detector": f.detector, "severity": f.severity, "start": f.start, "end": f.end, "sentence": f.sentence}
            for f in incident.findings[:TOP]
        ],
        "findings_there": len(incident.findings),
    }  # fmt: skip


def _new(made: Gathered, wanted: Wanted) -> dict[str, Any]:
    """Returns what is new since the baseline, or why that is not known."""
    found: list[Finding] = [f for f in made.findings or [] if f.detector in _HISTORY]
    given = wanted.baseline is not None
    why = made.lacking["detection"] if made.findings is None else made.findings.history
    rows = [{"severity": f.severity, "sentence": f.sentence, "detector": f.detector} for f in found[:IN_FULL]]
    return {"baseline": str(wanted.baseline) if given else None, "why_not": why, "there": len(found), "rows": rows}


def _controls(made: Gathered) -> dict[str, Any] | None:
    if made.controls is None:
        return None
    rows = []
    for one in made.controls:
        minutes = one.minutes
        rows.append({
            "id": one.id, "title": one.title, "verdict": one.verdict, "question": one.question, "why": one.why[:_WHY],
            "asked": one.total("asked"), "tries_rejected": one.total("tries_rejected"),
            "violations": one.total("violations"), "violating": [sentence_of(v) for v in one.violating[:_WHY]],
            "expected_minutes": minutes["expected"], "seen_minutes": minutes["ok"] + minutes["nodata"],
            "maps": [frame["id"] for frame in one.maps],
        })  # fmt: skip
    rows.sort(key=lambda row: (VERDICTS.index(row["verdict"]), row["id"]))
    by_verdict = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS}
    notes = list(dict.fromkeys(note for one in made.controls for note in one.not_known))
    return {"there": len(rows), "by_verdict": by_verdict, "rows": rows[:_CONTROLS], "notes": notes}


def _manifest(head: Head | None) -> dict[str, Any] | None:
    if head is None:
        return None
    return {"sha256": head.sha256, "tree_size": head.tree_size, "root": head.root, "created": head.created}


def _over_time(made: Gathered) -> dict[str, Any] | None:
    """Returns bytes and records by action in bins that suit the span; ``None`` for what records do not have."""
    rows = [row for row in made.results["minutes_by_action"].rows() if row["time"] is not None]
    if not rows:
        return None
    totals = _totals(made)
    lacking = [] if totals["bytes"] is not None else ["accepted_bytes", "rejected_bytes", "other_bytes"]
    lacking += [] if totals["rejected"] is not None else ["rejected"]
    every = step_for(max(row["time"] for row in rows) + 60 - min(row["time"] for row in rows))
    bins: dict[int, dict[str, Any]] = {}
    for row in rows:
        time = row["time"] // every * every
        nothing = {
            "time": time,
            "accepted_bytes": 0,
            "rejected_bytes": 0,
            "other_bytes": 0,
            "rejected": 0,
            "records": 0,
        }
        one = bins.setdefault(time, nothing)
        kind = {"ACCEPT": "accepted_bytes", "REJECT": "rejected_bytes"}.get(row["action"], "other_bytes")
        one[kind] += row["bytes"] or 0
        one["records"] += row["n"]
        one["rejected"] += row["n"] if row["action"] == "REJECT" else 0
    return {"every": every, "rows": [{**bins[time], **dict.fromkeys(lacking)} for time in sorted(bins)]}


def _tables(made: Gathered) -> dict[str, Any]:
    summary, refused = made.summary, _row(made.results["distinct_rejected"])
    distinct = _row(made.results["distinct"])
    totals = _totals(made)
    rejected, decided = totals["rejected"] or 0, bool(totals["rejected"] or totals["accepted"])
    tables: dict[str, Any] = {}
    bound = made.bounds or {}
    for name, part, column, there in (
        ("talkers", "talkers", "srcaddr", distinct.get("sources")),
        ("receivers", "listeners", "dstaddr", distinct.get("targets")),
    ):
        rows = [_renamed(row) for row in _ranked(made, part) if row[column] is not None]
        rest = None if totals["bytes"] is None else totals["bytes"] - sum(row["bytes"] or 0 for row in rows)
        left = sum(summary.actions.values()) - sum(row["records"] for row in rows)
        own = {"there": there, "rows": rows, "other_bytes": rest, "other_records": left, "bound": bound.get(part, 0)}
        tables[name] = own if rows else None
    for name, column, there in (
        ("rejected_sources", "srcaddr", refused.get("sources")), ("rejected_ports", "dstport", refused.get("ports")),
    ):  # fmt: skip
        rows = [_renamed(row) for row in summary.rows(name) if row[column] is not None]
        rest = rejected - sum(row["records"] for row in rows)
        own = {"there": there, "rows": rows, "other_records": rest, "bound": bound.get(name, 0)}
        tables[name] = own if decided else None
    tables["services"] = {"rows": [_renamed(r) for r in _ranked(made, "services") if r["dstport"] is not None]}
    known = made.exposed is not None and "exposed" not in made.lacking
    tables["exposed"] = {"there": made.exposed_there, "rows": made.exposed} if known else None
    tables["outside_services"] = None if made.used is None else {"rows": made.used}
    tables["countries"] = None
    if made.countries is not None:
        tables["countries"] = {"there": len(made.countries), "rows": made.countries[:EXPOSED]}
    return tables


def _ranked(made: Gathered, part: str) -> Rows:
    """Returns the rows of a part of the summary, which go by bytes; by records if the logs have no bytes."""
    if _totals(made)["bytes"] is not None:
        return made.summary.rows(part)
    return [{**row, "bytes": None} for row in made.results[part].rows()]


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {("records" if name == "n" else name): value for name, value in row.items()}


def _cost(made: Gathered) -> dict[str, Any] | None:
    if made.cost is None:
        return None
    cost = made.cost
    sums: dict[tuple[str, str | None], tuple[int, Any]] = {}  # the sides that are billed are one path here
    for row in cost.rows:
        size, price = sums.get((row["class"], row["why"]), (0, None))
        if row["list_cost"] is not None:
            price = row["list_cost"] + (price or 0)
        sums[row["class"], row["why"]] = (size + row["bytes"], price)
    rows: Rows = [
        {"class": name, "bytes": size, "list_cost": None if price is None else float(price), "why": why}
        for (name, why), (size, price) in sums.items()
    ]
    rows.sort(key=lambda row: (-(row["list_cost"] or 0), -row["bytes"]))
    return {
        "currency": cost.sheet.currency,
        "total": float(cost.total()),
        "conclusion": cost.conclusion(),
        "rows": rows,
        "notes": cost.notes(),
    }


def _log_volume(text_bytes: int, records: int, seconds: int | None, made: Gathered) -> dict[str, Any]:
    """Returns how much the logs are, and what a month of them costs at their rate."""
    names = [str(row["region"]) for row in made.results["regions"].rows() if row["region"]]
    region = next((name for name in names if name in price_regions()), PRICED_REGION)
    volume: dict[str, Any] = {
        "text_bytes": text_bytes, "bytes_a_record": text_bytes / records if records else None, "bytes_a_month": None,
        "region": region, "prices_of": price_date(), "monthly_usd": {},
    }  # fmt: skip
    if seconds:
        month = text_bytes * DAYS * 86400 / seconds
        volume["bytes_a_month"] = round(month)
        usd = {name: monthly_usd(month, region, name) for name in DESTINATIONS}
        volume["monthly_usd"] = {name: round(price, 2) for name, price in usd.items() if price is not None}
    return volume


def _detection(made: Gathered, wanted: Wanted) -> dict[str, Any] | None:
    found = made.findings
    if found is None:
        return None
    return {
        "detectors": len(wanted.only or DETECTORS), "blind": sorted(found.not_detected), "less": sorted(found.degraded),
        "silenced": len(found.silenced), "conclusion": found.conclusion().splitlines(),
    }  # fmt: skip


def _commands(flows: Flows, wanted: Wanted) -> list[str]:
    """Returns command lines that give the figures again."""
    words = list(flows._logs.words or ("logs/",))
    filters = list(flows._filters)
    where = filters[0] if len(filters) == 1 else " and ".join(f"({one})" for one in filters)
    own = [*words, *(["--where", where] if where else [])]
    lines = [["summary"], ["detect", "--json"], ["coverage"], ["top", "--by", "srcaddr,dstport"]]
    if wanted.inventory is not None:
        lines.append(["cost", "--inventory", wanted.place])
    return [shlex.join(["vpcflow", line[0], *own, *line[1:]]) for line in lines]
