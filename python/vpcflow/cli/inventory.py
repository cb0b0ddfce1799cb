"""Prints what is known of an account: ``vpcflow inventory``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..inventory import inventory
from ._output import write_out

SCHEMA_VERSION = 1  # docs/reference/schemas.md
HELP = "print what answers of AWS's describe calls hold, and for which questions they are enough"
EXAMPLES = "inventory examples/inventory\n  vpcflow inventory examples/inventory --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "folder", metavar="DIR",
        help="folder of files named as the calls (describe-network-interfaces.json); dates in names make a history",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
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
