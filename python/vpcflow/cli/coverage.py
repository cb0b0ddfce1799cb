"""Prints which minutes the logs of each interface hold: ``vpcflow coverage``."""

from __future__ import annotations

import argparse
from typing import Any

from .._layout import terminal_width, wrapped
from .._words import count
from ..query.result import Result
from ._output import print_note, progress_line, write_out
from ._pages import Page, Rows, add_page, print_page
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print how many minutes of each interface have traffic, NODATA, SKIPDATA or no record"
EXAMPLES = "coverage logs/\n  vpcflow coverage logs/ --gaps\n  vpcflow coverage logs/ --minutes --json"
_KINDS = {"OK": "ok", "NODATA": "nodata", "SKIPDATA": "skipdata", "absent": "absent"}
_SCHEMA = [
    ("interface_id", "text"), ("covered_percent", "float64"), ("minutes", "int64"), ("absent", "int64"),
    ("skipdata", "int64"), ("gaps", "int64"), ("longest_gap", "int64"), ("ok", "int64"), ("nodata", "int64"),
    ("start", "time"), ("end", "time"),
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_page(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--minutes", action="store_true", help="print the runs of minutes of each interface, in order")
    which.add_argument("--gaps", action="store_true", help="print only the runs that are absent or SKIPDATA")


def by_interface(runs: Rows) -> list[dict[str, Any]]:
    """Adds up the runs of minutes of each interface, least covered first. ``covered_percent`` is the share of minutes
    with records that are not SKIPDATA, in minutes that have a record or are absent between records."""
    out: dict[str, dict[str, Any]] = {}
    for run in runs:
        own = out.setdefault(
            run["interface_id"],
            {"interface_id": run["interface_id"], "minutes": 0, **dict.fromkeys(_KINDS.values(), 0), "gaps": 0,
             "longest_gap": 0, "start": run["start"], "end": run["end"]},
        )  # fmt: skip
        own["minutes"] += run["minutes"]
        own[_KINDS[run["seen"]]] += run["minutes"]
        own["start"], own["end"] = min(own["start"], run["start"]), max(own["end"], run["end"])
        if run["seen"] in ("absent", "SKIPDATA"):
            own["gaps"] += 1
            own["longest_gap"] = max(own["longest_gap"], run["minutes"])
    for own in out.values():
        seen = own["ok"] + own["nodata"]
        own["covered_percent"] = round(100 * seen / own["minutes"], 3) if own["minutes"] else None
    return sorted(out.values(), key=lambda own: (own["covered_percent"] or 0, own["interface_id"]))


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with progress_line(True) as progress:
        result, code = collect(lambda: flows_of(args).coverage(progress=progress))
    warn_of_rejects(result.report, args.json)
    if args.minutes or args.gaps:
        _print_runs(result, args)
    else:
        rows = by_interface(result.rows())
        for_people = not (args.json or args.csv or args.markdown or args.vertical)
        if for_people and rows:
            write_out("\n".join(wrapped(_headline(rows), terminal_width())) + "\n\n")
        print_page(Page(_SCHEMA, rows, bar="covered_percent"), args)
    return exit_code_of(result.report, args, code)


def _print_runs(result: Result, args: argparse.Namespace) -> None:
    rows = [row for row in result if not args.gaps or row["seen"] in ("absent", "SKIPDATA")]
    if args.gaps and not rows:
        interfaces = len({row["interface_id"] for row in result})
        print_note(f"no gaps: {count(result.report.matched, 'record')} of {count(interfaces, 'interface')}")
    print_page(Page(result.schema, rows), args)


def _headline(rows: Rows) -> str:
    """Formats the sums of all interfaces as one line."""
    minutes, absent, skipped = (sum(row[name] for row in rows) for name in ("minutes", "absent", "skipdata"))
    covered = 100 * (minutes - absent - skipped) / minutes if minutes else 0
    whole = sum(not row["gaps"] for row in rows)
    return (
        f"{count(len(rows), 'interface')}, {whole:,} without gaps; {covered:.1f}% of {minutes:,} interface-minutes "
        f"covered, {absent:,} absent, {skipped:,} SKIPDATA"
    )
