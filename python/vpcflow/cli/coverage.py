"""Prints the minutes of interfaces that the logs hold: ``vpcflow coverage``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from ._output import print_note, progress_line, write_out
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print which minutes of interfaces have traffic, NODATA, SKIPDATA or no record"
EXAMPLES = "coverage logs/ --gaps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("--gaps", action="store_true", help="print only what is absent or SKIPDATA")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with progress_line(True) as progress:
        result, code = collect(lambda: flows_of(args).coverage(progress=progress))
    rows = [row for row in result if not args.gaps or row["seen"] in ("absent", "SKIPDATA")]
    warn_of_rejects(result.report, args.json)
    if args.gaps and not rows:
        interfaces = len({row["interface_id"] for row in result})
        print_note(f"no gaps: {result.report.matched:,} records of {interfaces:,} interfaces")
    if args.json:
        for row in rows:
            write_out(json.dumps(row) + "\n")
    else:
        write_out(display.text_table(result.schema, rows) + "\n")
    return exit_code_of(result.report, args, code)
