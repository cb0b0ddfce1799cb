"""Prints the field catalogue: ``vpcflow fields``."""

from __future__ import annotations

import argparse

from ..formats.catalogue import fields
from ._pages import Page, add_page, print_page

HELP = "print the field catalogue"
EXAMPLES = "fields --json"
_SHOWN = ("name", "version", "type", "unit", "delivered_in", "meaning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_page(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    rows = [dict(field) for field in fields()]
    kinds = {"version": "int32"}
    schema = [(name, kinds.get(name, "text")) for name in (rows[0] if args.json else _SHOWN)]
    print_page(Page(schema, rows, prose="meaning"), args)
    return 0
