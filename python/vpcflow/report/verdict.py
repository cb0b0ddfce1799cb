"""Sentences of the report: what was not seen, and what that leaves to conclude."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .._words import count, share
from ..findings.findings import Limit
from ..query.axis import figure
from .gather import Gathered

_FLOORS = re.compile(r"SKIPDATA records?: counts are floors$")  # which is said of all counts
_NOT_LOOKED_FOR = re.compile(r"not looked for: (\w+): (the logs lack .*)")
_LACKING = {
    "log_status": "whether AWS lost records (SKIPDATA), and which interfaces were idle (NODATA), cannot be told",
    "action": "what was refused cannot be told",
    "bytes": "how much was sent cannot be told",
    "start": "when there was how much traffic cannot be told",
}
_NEVER = (
    "Flow logs never have: queries to Amazon's DNS resolver, instance metadata (169.254.169.254), DHCP, mirrored "
    "traffic, and any content"
)


def not_seen(made: Gathered, model: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns what the logs could not show, most important first: ``kind`` (``bad``, ``gap``, ``limit``), ``text``."""
    report, read = made.summary.report, model["read"]
    lines: list[tuple[str, str]] = []
    if not read["records"]:
        lines.append(("bad", "No record was read"))
    elif not read["ok"]:
        lines.append(("bad", f"No traffic: {count(read['records'], 'record')}, all NODATA or SKIPDATA"))
    lines += [("bad", f"Not read to the end: {name}: {text}") for _, text, name in list(report.errors)[:5]]
    if len(report.errors) > 5:
        lines.append(("bad", f"Not read to the end: {len(report.errors) - 5:,} more sources"))
    if read["rejects"]:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in read["rejects_by_reason"].items())
        most = "Most lines are malformed" if report.mostly_rejected else "Lines left out as malformed"
        lines.append(("bad" if report.mostly_rejected else "gap", f"{most}: {read['rejects']:,} ({reasons})"))
    if read["matched"] < read["records"]:
        lines.append(("gap", f"Only {read['matched']:,} of {count(read['records'], 'record')} pass the filter"))
    lines += _coverage(made, model)
    lines += _lacking(made, model)
    lines += _one_sided(model)
    lines += _partly(made, model)
    if made.findings is None:
        lines.append(("gap", f"No attack was looked for: {made.lacking['detection'].partition('; their format')[0]}"))
    else:
        kinds = {"blind": "gap", "folded": "gap", "left-out": "limit", "sees-less": "limit"}
        limits = made.findings.limits(brief=True)
        lines += _not_looked_for(limits)
        lines += [
            (kinds[limit.kind], _sentence(limit.text)) for limit in limits
            if not _FLOORS.search(limit.text) and not _NOT_LOOKED_FOR.fullmatch(limit.text)
        ]  # fmt: skip
        if made.findings.history:
            lines.append(("limit", _sentence(made.findings.history)))
        if made.findings.silenced:
            lines.append(("limit", f"{count(len(made.findings.silenced), 'finding')} silenced by your own rules"))
    if made.bounds is not None:
        room = "More addresses than the memory asked for has room for"
        lines.append(("limit", f"{room}: how many there are is an estimate (standard error 1.6 %)"))
    if model["controls"] is not None:
        unknown = [row for row in model["controls"]["rows"] if row["verdict"] in ("not_evaluable", "error")]
        lines += [("gap", f"Control {row['id']} cannot be told: {'; '.join(row['why'][:2])}") for row in unknown]
    lines += [("gap", f"{_sentence(name)}: {why}") for name, why in made.lacking.items() if name != "detection"]
    lines += [("limit", _sentence(text)) for text in report.warnings]
    lines.sort(key=lambda line: ("bad", "gap", "limit").index(line[0]))
    return [{"kind": kind, "text": text} for kind, text in dict.fromkeys([*lines, ("limit", _NEVER)])]


def _not_looked_for(limits: Sequence[Limit]) -> list[tuple[str, str]]:
    """Says what was not looked for, once for each cause."""
    by_cause: dict[str, list[str]] = {}
    for limit in limits:
        found = _NOT_LOOKED_FOR.fullmatch(limit.text)
        if found:
            by_cause.setdefault(found[2], []).append(found[1])
    return [("gap", f"Not looked for, as {cause}: {', '.join(names)}") for cause, names in by_cause.items()]


def _coverage(made: Gathered, model: dict[str, Any]) -> list[tuple[str, str]]:
    lines, totals, coverage = [], model["totals"], model["coverage"]
    if model["read"]["skipdata"]:
        lost = count(model["read"]["skipdata"], "SKIPDATA record")
        lines.append(("gap", f"{lost}: AWS lost records there, so counts are a floor"))
    if totals["interfaces_without_data"]:
        silent = totals["interfaces_without_data"]
        lines.append(("gap", f"{count(silent, 'interface')} of {totals['interfaces']:,} without any traffic record"))
    if coverage is not None and not coverage["interfaces"]:
        lines.append(("gap", "The logs do not name interfaces, so that minutes without logs of one cannot be told"))
    elif coverage is not None:
        every = sum(coverage["minutes"].values())
        seen = {name: coverage["minutes"][name] for name in ("OK", "NODATA", "SKIPDATA", "absent")}
        parts = [f"{share(n, every)} {name}" for name, n in seen.items() if n or name == "OK"]
        also = " and of records that name none" if coverage["unnamed"] else ""
        own = min(totals["interfaces"] or 0, coverage["interfaces"])
        others = coverage["interfaces"] - own  # a regional NAT gateway has no interface
        named = [count(own, "interface")] if own else []
        named += [count(others, "other resource")] if others else []
        text = f"Of the minutes of {' and '.join(named)}{also}: {', '.join(parts)}"
        if seen["absent"]:
            text += "; absent is an interface that was idle, or whose logs are missing"
        lines.append(("limit", text))
    return lines


def _lacking(made: Gathered, model: dict[str, Any]) -> list[tuple[str, str]]:
    """Says what the format of the logs leaves untold of all traffic."""
    lacking = [name for name in _LACKING if name not in made.fields] if model["read"]["ok"] else []
    return [("gap", f"The logs lack {name.replace('_', '-')}: {_LACKING[name]}") for name in lacking]


def _one_sided(model: dict[str, Any]) -> list[tuple[str, str]]:
    """Says what one value of the action hides: logs of one traffic type."""
    totals = model["totals"]
    if totals["rejected"] and not totals["accepted"]:
        return [("gap", "No accepted record: if the flow log captures REJECT alone, what got through is not here")]
    if totals["accepted"] and not totals["rejected"]:
        return [("gap", "No rejected record: if the flow log captures ACCEPT alone, what was refused is not here")]
    return []


def _partly(made: Gathered, model: dict[str, Any]) -> list[tuple[str, str]]:
    """Says which figures only some of the records have: then sums are a floor."""
    actions, known = made.summary.actions, next(iter(made.results["known"].rows()), {"bytes": 0})
    traffic = sum(actions.values())
    lines = []
    if model["totals"]["bytes"] is not None and known["bytes"] < traffic:
        lacking = f"{traffic - known['bytes']:,} of {count(traffic, 'record')} of traffic have no bytes"
        lines.append(("gap", f"{lacking}, so sums of bytes are a floor"))
    if model["totals"]["rejected"] is not None and actions.get(None):
        lacking = f"{actions[None]:,} of {count(traffic, 'record')} of traffic have no action"
        lines.append(("gap", f"{lacking}, so counts of accepted and rejected records are a floor"))
    return lines


def verdict(made: Gathered, model: dict[str, Any]) -> dict[str, Any]:
    """Returns the line that a reader takes along: ``kind`` (``found``: incidents or failed controls, ``nothing`` or
    ``unknown``) and ``text``. Where the logs could not show enough it is never an all-clear."""
    kind, text = _of_incidents(made, model)
    controls = model["controls"]
    if controls is None:
        return {"kind": kind, "text": text}
    by = controls["by_verdict"]
    passed = by["pass_enforced"] + by["pass_silent"]
    parts = {"failed": by["fail"], "not evaluable": by["not_evaluable"], "in error": by["error"], "passed": passed}
    said = ", ".join(f"{n:,} {name}" for name, n in parts.items() if n)
    if by["fail"]:
        kind = "found"
    elif kind == "nothing" and (by["not_evaluable"] or by["error"]):
        kind = "unknown"
    return {"kind": kind, "text": f"{text}; {count(controls['there'], 'control')}: {said}"}


def _of_incidents(made: Gathered, model: dict[str, Any]) -> tuple[str, str]:
    read, incidents = model["read"], model["incidents"]
    if not read["records"]:
        return "unknown", "No conclusion: no record was read"
    if not read["ok"]:
        return "unknown", f"No conclusion: {count(read['records'], 'record')}, none of traffic"
    if not read["matched"]:
        return "unknown", f"No conclusion: 0 of {count(read['records'], 'record')} pass the filter"
    if made.findings is None:
        return "unknown", "No conclusion about attacks: the logs lack what every detector needs"
    if incidents["there"]:
        by = [f"{n:,} {severity}" for severity, n in incidents["by_severity"].items() if n]
        return "found", f"{count(incidents['there'], 'incident')}: {', '.join(by)}"
    blind, asked = len(made.findings.not_detected), model["detection"]["detectors"]
    size = model["totals"]["bytes"]
    of = count(read["matched"], "record") + ("" if size is None else f", {figure(size, 'B')}")
    if made.damage is not None:
        return "unknown", f"Nothing found in {of}, but not all of the logs could be read"
    if made.summary.report.mostly_rejected:
        return "unknown", f"Nothing found in {of}, but most lines are malformed and were left out"
    if blind == asked:
        return "unknown", "No conclusion about attacks: no detector sees anything in these logs"
    looked = f"Nothing found in {of} by {asked - blind:,} of {count(asked, 'detector')}"
    return "nothing", f"{looked}; this is no all-clear: what was not seen stands above"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
