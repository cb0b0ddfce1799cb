"""Pages of ``vpcflow sg`` for people, and its rows as JSON."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..tuning import RuleUsage
from ..tuning.usage import CLASSES
from ._output import FOUND, print_note, write_out
from ._shared import exit_code_of, warn_of_rejects

SCHEMA_VERSION = 1  # docs/reference/schemas.md
_USAGE_COLUMNS = [
    ("class", "text"), ("rule_id", "text"), ("rule", "text"), ("sessions", "int64"), ("exclusive", "int64"),
    ("maybe_sessions", "int64"), ("peers", "int64"), ("last", "time"), ("group", "text"), ("coverage", "float64"),
    ("bytes", "int64"), ("first", "time"),
]  # fmt: skip
_MOST_ALMOST = 10


def json_lines(rows: Any) -> str:
    """Returns rows as JSON, an object a line."""
    return "".join(json.dumps({"schema_version": SCHEMA_VERSION, **row}) + "\n" for row in rows)


def print_usage(usage: RuleUsage, args: argparse.Namespace) -> int:
    """Prints the usage of rules, and returns the exit code."""
    warn_of_rejects(usage.report, args.json)
    if args.json:
        write_out(json_lines(usage.rows))
        for line in _remarks(usage):
            print_note(line)
    else:
        write_out("\n".join(_usage_lines(usage)) + "\n")
    return exit_code_of(usage.report, args, FOUND if usage.advice else 0)


def _usage_lines(usage: RuleUsage) -> list[str]:
    width = terminal_width()
    order = list(CLASSES)
    rows = sorted(usage.rows, key=lambda row: (order.index(row["class"]), -row["sessions"], row["rule_id"]))
    lines = [text_table(_USAGE_COLUMNS, [_printable(row) for row in rows], width)] if rows else ["no rules"]
    lines.append("")
    for row in rows:
        if row["class"] != "used":
            beside = f" (by {', '.join(row['shadowed_by'])})" if row["shadowed_by"] else ""
            lines += wrapped(display.printable(f"{row['rule_id']} {row['class']}: {row['why']}{beside}"), width)
    if usage.almost:
        lines.append("rejected, and almost allowed:")
        for row in usage.almost[:_MOST_ALMOST]:
            way = "to" if row["direction"] == "egress" else "from"
            of = f"{row['peer']}" + (f" and {row['peers'] - 1} others" if row["peers"] > 1 else "")
            lines.append(
                f"  {row['rule_id']}: {count(row['sessions'], 'session')} {way} {of}, protocol {row['protocol']} "
                f"port {row['port']}: another {row['missed']}"
            )
    return lines + _remarks(usage)


def _remarks(usage: RuleUsage) -> list[str]:
    """Returns what stands below the rows: of how much they are, and what speaks against them."""
    counts = Counter(row["class"] for row in usage.rows)
    said = ", ".join(f"{counts[one]:,} {one.replace('_', ' ')}" for one in CLASSES if counts[one])
    found = usage.contradictions
    lines = [f"{count(len(usage.rows), 'rule')} ({said or 'none'}) in {usage.days:g} days, {found.sessions:,} sessions judged"]
    lines += contradiction_lines(found.rows())
    lines += [f"not judged: {number:,} sessions {why}" for why, number in usage.left_out.items()]
    return lines + [f"note: {note}" for note in usage.notes]


def contradiction_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Returns contradictions for people, a line a cause."""
    return [
        f"contradiction: {row['sessions']:,} sessions logged as {row['logged']} that the rules {row['rules']}: "
        f"{row['meaning']}; as {row['examples'][0]}"
        for row in rows
    ]


def _printable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row whose texts show what they are, whoever named the groups."""
    return {name: display.printable(value) if isinstance(value, str) else value for name, value in row.items()}
