"""A page for people that needs nothing else: no script, no request, everything that came from logs or files escaped."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence

from ..._display import cell, instant, printable
from ..._words import count
from ..frames import CERTIFIES_NOTHING
from ..result import LIMITS, WORDS, ControlResult, ControlResults, days_between
from .common import all_of, sentence_of, span_of, title_of, version

_MARKS = {"fail": "✗", "not_evaluable": "?", "error": "!", "pass_enforced": "✓", "pass_silent": "○"}
_STYLE = """
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--line:#c8ccd1;--fail:#a40000;--ok:#00508c;
--ask:#7a4b00}
@media (prefers-color-scheme:dark){:root{
--fg:#e6e8ea;--bg:#16191d;--line:#4a5058;--fail:#ff9a8d;--ok:#8ec9ff;--ask:#ffcc80}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);
margin:2rem auto;max-width:64rem;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
th,td{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}
td:first-child,td.k{white-space:nowrap;overflow-wrap:normal}
.fail{color:var(--fail)}.not_evaluable,.error{color:var(--ask)}.pass_enforced,.pass_silent{color:var(--ok)}
.v{font-weight:600;white-space:nowrap}
section{border-top:2px solid var(--line);margin-top:1.5rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
@media print{body{margin:0;max-width:none}tr,section h2{break-inside:avoid}}
"""


def html_of(results: ControlResults) -> str:
    """Returns the page."""
    ordered = all_of(results)
    start, end = span_of(ordered)
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    counts = ", ".join(f"{n:,} {WORDS[v]}" for v in WORDS if (n := sum(one.verdict == v for one in ordered)))
    holes = len({day for one in ordered for day in one.holes})
    lines = [
        "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>Controls: {_text(counts or 'none')}</title>", f"<style>{_STYLE}</style></head><body><main>",
        "<h1>Controls checked against VPC flow logs</h1>",
        f"<p>{_text(_period(ordered))}, judged from {_text(instant(start))} to {_text(instant(end))} UTC: "
        f"{_text(counts or 'no controls')}"
        f"{f'; {holes:,} days without result' if holes else ''}.</p>",
        f"<p>{_text(CERTIFIES_NOTHING)}</p>", _summary(ordered), *map(_section, ordered), "<section>",
        "<h2>What no flow log shows</h2>", _list(LIMITS), "</section>",
        f"<p><small>vpcflow {_text(version())}</small></p></main></body></html>",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _period(results: Sequence[ControlResult]) -> str:
    periods = [one.period for one in results if one.period is not None]
    return f"{min(p[0] for p in periods)} to {max(p[1] for p in periods)}" if periods else "No period"


def _text(value: object) -> str:
    return html.escape(printable(str(value)))


def _list(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(one)}</li>' for one in texts)}</ul>"


def _table(head: Sequence[tuple[str, bool]], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table; of each column its title and whether it has numbers."""
    kind = ['class="n"' if number else "" for _, number in head]
    top = "".join(f'<th scope="col" {k}>{_text(name)}</th>' for k, (name, _) in zip(kind, head))
    body = ["".join(f"<td {k}>{_cell(value)}</td>" for k, value in zip(kind, row)) for row in rows]
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(f'<tr>{one}</tr>' for one in body)}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, ControlResult):
        return _verdict(value.verdict)
    return _text(cell(value, "int64") if isinstance(value, int) else value)


def _verdict(verdict: str) -> str:
    return f'<span class="v {verdict}">{_MARKS[verdict]} {_text(WORDS[verdict])}</span>'


def _summary(results: Sequence[ControlResult]) -> str:
    head = [("control", False), ("verdict", False), ("what it asserts", False), ("tries rejected", True),
            ("broke it", True), ("cannot be told", True), ("minutes expected", True), ("absent", True)]  # fmt: skip
    return _table(head, [
        (one.id, one, title_of(one), one.total("tries_rejected"), one.total("violations"), one.total("unknown"),
         one.minutes["expected"], one.minutes["absent"])
        for one in results
    ])  # fmt: skip


def _section(one: ControlResult) -> str:
    parts = [f"<section><h2>{_text(one.id)}</h2><p>{_verdict(one.verdict)} {_text(one.question)}</p>", _list(one.why)]
    if one.violating:
        parts += ["<h3>The first sessions that broke it</h3>", _list(map(sentence_of, one.violating))]
    if one.exceptions:
        head = [("exception", False), ("owner", False), ("ticket", False), ("until", False), ("used", True),
                ("used when past", True)]  # fmt: skip
        rows = [(e["id"], e["owner"], e["ticket"], e["until"], e["used"], e["past"]) for e in one.exceptions]
        parts += ["<h3>Exceptions</h3>", _table(head, rows)]
    if one.maps:
        head = [(name, False) for name in ("requirement", "of", "asks for", "what is shown of it", "what is not")]
        parts += ["<h3>Evidence for</h3>", _table(head, [
            (m["id"], f"{m['title']}, {m['dated']}".rstrip(", "), m["what"], m["shows"], m["lacks"])
            for m in one.maps
        ])]  # fmt: skip
    if one.period is not None:
        parts += ["<h3>Days</h3>", _days(one)]
    parts += [f"<details><summary>Plan</summary><pre>{_text(json.dumps(dict(one.plan)))}</pre></details>"]
    if one.manifest is not None:
        parts += [f"<p>Manifest: <code>{_text(json.dumps(dict(one.manifest)))}</code></p>"]
    if one.not_known:
        parts += ["<h3>What could not be known</h3>", _list(one.not_known)]
    return "".join([*parts, "</section>"])


def _days(one: ControlResult) -> str:
    head = [("day", False), ("verdict", False), ("records", True), ("sessions", True), ("asked about", True),
            ("rejected", True), ("broke it", True), ("minutes expected", True), ("OK", True), ("NODATA", True),
            ("SKIPDATA", True), ("absent", True)]  # fmt: skip
    first, last = one.period or ("", "")
    rows: list[Sequence[object]] = []
    hole: list[str] = []
    for name in days_between(first, last):
        day = one.days.get(name)
        if day is None:
            rows = rows[:-1] if hole else rows
            hole.append(name)
            run = name if len(hole) == 1 else f"{hole[0]} to {name}"
            rows.append((run, f"no result: {count(len(hole), 'day')}", *("",) * (len(head) - 2)))
            continue
        hole = []
        counts, minutes = day.counts, day.minutes
        rows.append((
            name, f"{_MARKS[day.verdict]} {WORDS[day.verdict]}", counts["records"], counts["sessions"],
            counts["asked"], counts["tries_rejected"], counts["violations"], minutes["expected"], minutes["ok"],
            minutes["nodata"], minutes["skipdata"], minutes["absent"],
        ))  # fmt: skip
    return _table(head, rows)
