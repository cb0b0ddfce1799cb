"""Prints what is known of an account: ``vpcflow inventory``."""

from __future__ import annotations

import argparse
import json
import os

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..errors import ArgumentError
from ..inventory import fetch, inventory
from ..io.aws.session import Connection
from ..io.aws.words import in_words
from ._output import print_note, write_out
from ._shared import add_aws, aws_of

SCHEMA_VERSION = 1  # docs/reference/schemas.md
HELP = "print what answers of AWS's describe calls hold, and for which questions they are enough"
EXAMPLES = (
    "inventory examples/inventory\n  vpcflow inventory examples/inventory --json\n"
    "  vpcflow inventory fetch -o aws/"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "folder", metavar="DIR",
        help="folder of files named as the calls (describe-network-interfaces.json), whose dates make a history; or "
        "fetch: ask AWS, where nothing changes by it, and write the answers to the folder of --out",
    )  # fmt: skip
    parser.add_argument("-o", "--out", metavar="DIR", help="write what fetch reads to this folder")
    parser.add_argument(
        "--region", action="append", metavar="NAME", help="fetch from this region (default: of the profile); repeatable"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    add_aws(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.out is not None and args.folder != "fetch":
        raise ArgumentError(f"--out belongs to fetch: write vpcflow inventory fetch --out {args.out}")
    if args.folder == "fetch" and args.out is None and not os.path.isdir("fetch"):
        raise ArgumentError("inventory fetch: give the folder to write to: --out DIR")
    if args.out is not None:
        _fetch(args)
        args.folder = args.out
    return _show(args)


def _fetch(args: argparse.Namespace) -> None:
    """Writes answers of AWS to files; prints how many, and what was refused."""
    connection = Connection.of(aws_of(args))
    for region in args.region or [args.aws_region]:
        with in_words("AWS"):
            files, notes = fetch(connection.client, args.out, region)
        print_note(f"{count(len(files), 'file')} written to {args.out}")
        for note in notes:
            print_note(f"note: {note}")


def _show(args: argparse.Namespace) -> int:
    found = inventory(args.folder)
    rows, questions = found.rows(), found.questions()
    if args.json:
        lacking = [{"question": one.question, "missing": list(one.missing)} for one in questions]
        out = {"schema_version": SCHEMA_VERSION, "tables": rows, "questions": lacking, "notes": list(found.notes)}
        write_out(json.dumps(out) + "\n")
        return 0
    columns = [("kind", "text"), ("items", "int64"), ("versions", "int64"), ("snapshots", "int64")]
    columns += [("first", "time"), ("last", "time")] if any(row["first"] is not None for row in rows) else []
    lines = [text_table(columns, rows, terminal_width())]
    lines += [f"enough for {one.question}" for one in questions if not one.missing]
    for one in questions:
        if one.missing:
            lines += wrapped(f"lacks for {one.question}: {', '.join(one.missing)}", terminal_width())
    if found.notes:
        lines.append(f"{count(len(found.notes), 'note')}:")
        lines += [f"  {display.printable(note)}" for note in found.notes]
    write_out("\n".join(lines) + "\n")
    return 0
