"""Prints the field catalogue: ``vpcflow fields``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from ..formats.catalogue import fields
from ._output import write_out

HELP = "print the field catalogue"
EXAMPLES = "fields --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.json:
        for field in fields():
            write_out(json.dumps(dict(field)) + "\n")
        return 0
    kinds = [
        ("name", "text"),
        ("version", "int32"),
        ("delivered_in", "text"),
        ("type", "text"),
        ("unit", "text"),
        ("meaning", "text"),
    ]
    write_out(display.text_table(kinds, [dict(field) for field in fields()]) + "\n")
    return 0
