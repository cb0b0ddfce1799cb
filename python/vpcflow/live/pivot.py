"""Where a row leads: what is known of an address, and what a finding rests on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .._display import human_bytes, instant, printable
from .._layout import text_table, wrapped
from .._words import count
from ..serve.answers import table
from ..serve.asked import Asked, Window
from ..trace import Trace
from .reading import Reading, Told

_MOST = 8  # rows of a section
# The sections of a trace: the kind of their rows, the title, the columns.
_SECTIONS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("identity", "Who had it", [("interface", "text"), ("instance", "text"), ("first", "time"), ("last", "time")]),
    ("offered", "What it offered", [("port", "int32"), ("protocol", "int32"), ("clients", "int64")]),
    ("tried", "What it tried", [("server", "address"), ("port", "int32"), ("rejected", "int64")]),
    ("peer", "With whom, new ones first", [("peer", "address"), ("new", "bool"), ("bytes_sent", "int64")]),
]


def where_of(address: str) -> str:
    """Returns the condition for all flows of an address."""
    return f"srcaddr = '{address}' or dstaddr = '{address}'"


def about_address(reading: Reading, address: str, logs: str, width: int | None = None) -> list[str]:
    """Tells what a reading knows of an address: findings that name it, with whom it talked, and which command tells
    more."""
    named = [one for one in reading.told if address in (one.finding.actor, *one.finding.targets)]
    lines = [f"Findings that name it: {len(named):,}"]
    lines += [f"  {one.finding.severity} {one.finding.detector}: {one.finding.sentence}" for one in named[:_MOST]]
    figures, watched = reading.figures, reading.status is not None
    if {"srcaddr", "dstaddr"} <= figures.fields and (figures.held.complete or watched):
        asked = Asked(Window(None, None), _MOST, where_of(address), "", watched)
        for name, title in (("pairs", "Bytes by pair"), ("ports", "Ports, accepted"), ("rejects", "Rejected records")):
            answer = table(name, figures, asked)
            if not answer.rows:
                continue
            least = ", at least" if "X-Vpcflow-Floor" in answer.headers else ""
            lines += ["", f"{title}{least}"]
            for row in answer.rows:
                port = "" if name == "pairs" else f"{row['dstport']} {row['protocol_name']}"
                ends = f"{row['srcaddr']} to {row['dstaddr']} " if "srcaddr" in row else ""
                volume = f"{human_bytes(row['bytes'])}, {count(row['records'], 'record')}"
                lines.append(f"  {ends}{port}".rstrip() + f": {volume}")
            measure = human_bytes(answer.other) if name != "rejects" else count(answer.other, "record")
            lines.append(f"  other: {measure}")
    lines += ["", f"More: vpcflow trace {address} {logs}"]
    return _fitted(lines, width)


def about_trace(found: Trace, width: int | None = None) -> list[str]:
    """Tells a trace in few lines."""
    lines = [found.conclusion(), *(f"WARNING: {warning}" for warning in found.warnings)]
    pivots = found.of("pivot")
    if pivots:
        lines += ["", "Where to look next", *(f"  {row['address']}: {row['why']}" for row in pivots[:_MOST])]
    for kind, title, schema in _SECTIONS:
        rows = found.of(kind)
        if rows:
            shown = [{name: _flat(row.get(name)) for name, _ in schema} for row in rows[:_MOST]]
            more = [f"and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []
            lines += ["", title, *text_table(schema, shown, width).splitlines(), *more]
    lines += ["", "What could not be seen", *(f"  {row['text']}" for row in found.of("unseen"))]
    return _fitted(lines, width)


def about_finding(told: Told, width: int | None = None) -> list[str]:
    """Tells what a finding says, and on what it rests."""
    one = told.finding
    lines = [
        one.sentence, "", f"severity: {one.severity}", f"detector: {one.detector}",
        f"technique: {one.technique or '-'}", f"actor: {one.actor}",
        f"targets: {', '.join(map(str, one.targets[:_MOST]))}",
        f"from {instant(one.start)} to {instant(one.end)} UTC",
    ]  # fmt: skip
    if told.made is not None:
        lines.append(f"told at {instant(told.made)} UTC")
    lines += ["", "Evidence", *(f"  {name}: {json.dumps(value)}" for name, value in one.evidence.items())]
    if one.samples:
        lines += ["", "Records", *(f"  {json.dumps(dict(sample))}" for sample in one.samples[:3])]
    return _fitted(lines, width)


def _flat(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _fitted(lines: Sequence[str], width: int | None) -> list[str]:
    return [part for line in lines for part in (wrapped(printable(line), width, "    ") or [""])]
