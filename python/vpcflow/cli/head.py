"""Prints the first records: ``vpcflow head``."""

from __future__ import annotations

import argparse

from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, names_of, print_rows

HELP = "print the first records, typed"
EXAMPLES = "head flow.log.gz -n 5 --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("-n", type=positive, default=10, help="print N records (default 10)")
    parser.add_argument("--select", metavar="FIELDS", default="", help="print only these fields, separated by commas")
    parser.add_argument("--located", action="store_true", help="add file and offset of each record")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    query = flows.limit(args.n)
    query = query.located() if args.located else query
    names = names_of(args.select)
    result, code = collect(lambda: (query.select(*names) if names else query).collect())
    print_rows(result, flows, args.json)
    return exit_code_of(result.report, args, code)
