"""Says on which days indicators were seen: ``vpcflow hunt``."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from .._display import human_bytes
from .._words import count
from ..digest import Digests, Hunt, hunt
from ..query.result import Result
from ._output import FOUND, print_note, progress_line, write_out
from ._pages import Page, add_page, print_page
from ._shared import _time, add_input, collect, exit_code_of, flows_of

HELP = "look up indicators in digests: on which days they were seen, and with whom; exit code 1 if one was seen"
EXAMPLES = (
    "hunt threats.txt --digests digests/\n  vpcflow hunt threats.txt --digests digests/ --start 2026-11-01 --json\n"
    "  vpcflow hunt threats.txt --digests digests/ --records logs/"
)
_SCHEMA = [
    ("indicator", "text"), ("seen", "bool"), ("first", "time"), ("last", "time"), ("days_seen", "int64"),
    ("days_covered", "int64"), ("days_asked", "int64"),
    ("hours_seen", "int64"), ("addresses", "int64"), ("accepted", "bool"),
    ("peer_count", "int64"), ("peers", "text"), ("days", "text"),
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "indicators", metavar="FILE",
        help="addresses and prefixes: a line each, CSV, a STIX bundle, an export of MISP; or a single one",
    )  # fmt: skip
    parser.add_argument("--digests", required=True, metavar="DIR", help="look in the digests of DIR")
    parser.add_argument("--column", metavar="NAME", help="take the indicators from this column of CSV")
    parser.add_argument(
        "--records", dest="paths", nargs="+", metavar="PATH",
        help="print the records, too: of these logs only objects of the days seen are opened",
    )  # fmt: skip
    parser.add_argument("--stats", action="store_true", help="say how many bytes were read, and how long it took")
    add_page(parser)
    _add_reading(parser)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds the options of input that go with --records, and the days asked."""
    own = argparse.ArgumentParser(add_help=False)
    add_input(own)
    taken = {action.dest for action in parser._actions}
    for action in own._actions:
        if action.dest not in taken and action.dest not in ("where", "flow_log"):
            parser._add_action(action)
    parser.set_defaults(where=None, flow_log=None)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    began = time.monotonic()
    start, end = _time(args.start, args), _time(args.end, args)
    found = hunt(args.indicators, Digests(args.digests), start=start, end=end, column=args.column)
    took = time.monotonic() - began
    records, code = None, 0
    if args.paths and found.seen:
        flows = flows_of(args)
        with progress_line(True):
            records, code = collect(lambda: found.records(flows))
    _print(found, records, args)
    for note in found.notes:
        print_note(f"note: {note}")
    if args.stats:
        print_note(f"{human_bytes(found.bytes)} of {count(found.days_covered, 'digest')} in {took:.2f} s")
    if records is not None:
        opened = f"{count(records.report.sources, 'object')} opened of {count(len(flows._sources), 'object')}"
        print_note(f"{count(len(records), 'record')}; {opened}")
        code = exit_code_of(records.report, args, code)
    return code or (FOUND if found.seen else 0)


def _print(found: Hunt, records: Result | None, args: argparse.Namespace) -> None:
    if args.json:
        write_out("".join(json.dumps(one.as_dict()) + "\n" for one in found))
        if records is not None:
            write_out("".join(json.dumps(row) + "\n" for row in records))
        return
    if not args.csv:
        write_out(f"{found.conclusion()}\n\n")
    shown = list(found) if args.csv else found.seen
    rows: list[dict[str, Any]] = [
        {**one.as_dict(), "peers": " ".join(one.peers), "days": " ".join(one.days)} for one in shown
    ]
    if rows:
        print_page(Page(_SCHEMA, rows), args)
    if records is not None:
        write_out("\n")
        print_page(Page(records.schema, records.rows()), argparse.Namespace(**{**vars(args), "columns": None}))
