"""Builds, merges and shows digests: ``vpcflow digest``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .._display import human_bytes
from .._words import count
from ..digest import Built, Digests, build, merge
from ..errors import PlanError, VpcflowError
from ._output import ERROR, REJECTS, print_note, write_out
from ._pages import Page, add_page, print_page
from ._shared import add_input, flows_of

HELP = "keep what was seen on each day in few bytes, for years: every address with its first and last time, for hunt"
EXAMPLES = (
    "digest build logs/ -o digests/\n  vpcflow digest info digests/\n  vpcflow hunt threats.txt --digests digests/"
)
_NOTES = 3
_SCHEMA = [
    ("day", "text"), ("records", "int64"), ("nodata", "int64"), ("skipdata", "int64"), ("rejected", "int64"),
    ("addresses", "int64"), ("pairs", "int64"), ("interfaces", "int64"), ("hours", "int64"),
    ("interface_hours", "int64"), ("skipdata_hours", "int64"), ("objects", "int64"), ("damaged", "int64"),
    ("bytes", "int64"),
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "add logs to the digests of a folder, a file a day; objects that are in them already are not read again"
    built = verbs.add_parser("build", help=text, description=text)
    add_input(built)
    built.add_argument("-o", "--out", required=True, metavar="DIR", help="add to the digests of DIR")
    text = "merge the digests of folders into those of another; any order and any of them twice gives the same files"
    merged = verbs.add_parser("merge", help=text, description=text)
    merged.add_argument("folders", nargs="+", metavar="DIR", help="take the digests of DIR")
    merged.add_argument("-o", "--out", required=True, metavar="DIR", help="add to the digests of DIR")
    merged.add_argument("--json", action="store_true", help="print a JSON object instead of a line for people")
    text = "read and check digests, and print what each day has"
    info = verbs.add_parser("info", help=text, description=text)
    info.add_argument("folder", metavar="DIR", help="folder of digests")
    info.add_argument("--json", action="store_true", help="print JSON instead of a page for people")
    add_page(info)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "build":
        return _build(args)
    if args.verb == "merge":
        days = merge(args.folders, args.out)
        _print({"folder": args.out, "days": [str(day) for day in days]}, f"{count(len(days), 'day')} merged", args)
        return 0
    digests = Digests(args.folder)
    rows = digests.rows()
    print_page(Page(_SCHEMA, rows, frozenset({"bytes"})), args)
    print_note(f"{count(len(rows), 'day')}, {rows[0]['day']} to {rows[-1]['day']}, {human_bytes(digests.bytes)}")
    return 0


def _build(args: argparse.Namespace) -> int:
    if args.where:
        raise PlanError("digest build: --where leaves records out, and a digest is of whole days; expected none")
    try:
        built, code = build(flows_of(args), args.out), 0
    except VpcflowError as error:
        if not isinstance(error.partial, Built):
            raise
        print_note(f"error: {error}")
        built, code = error.partial, ERROR
    for note in built.notes[:_NOTES]:
        print_note(f"note: {note}")
    if len(built.notes) > _NOTES:
        print_note(f"note: and {len(built.notes) - _NOTES:,} more objects like these")
    if built.rejected:
        print_note(f"{count(built.rejected, 'line')} of the objects read were rejected, and are in no digest")
    row = {
        "folder": args.out, "days": [str(day) for day in built.days], "objects": built.objects, "known": built.known,
        "records": built.records, "rejected": built.rejected,
    }  # fmt: skip
    known = f"; {count(built.known, 'object')} known before" if built.known else ""
    days = f"{count(len(built.days), 'day')} written to {args.out}"
    _print(row, f"{count(built.records, 'record')} of {count(built.objects, 'object')}: {days}{known}", args)
    if args.max_rejects is not None and built.rejected > args.max_rejects:
        allowed = f"--max-rejects allows {args.max_rejects:,}"
        print_note(f"error: {count(built.rejected, 'line')} of the objects read were rejected; {allowed}")
        return code or REJECTS
    return code


def _print(row: dict[str, Any], text: str, args: argparse.Namespace) -> None:
    write_out(json.dumps(row) + "\n" if args.json else f"{text}\n")
