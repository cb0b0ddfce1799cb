"""Prints the first records: ``vpcflow head``."""

from __future__ import annotations

import argparse

from ._names import add_names
from ._pages import add_page
from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, names_of, print_rows

HELP = "print the first records, typed"
EXAMPLES = (
    "head flow.log.gz -n 5\n  vpcflow head flow.log.gz --vertical -n 1\n"
    "  vpcflow head flow.log.gz --columns src,dst,bytes --csv"
)
# What a page shows first, of which the width of the terminal may leave out the last.
_ORDER = (
    "start", "srcaddr", "dstaddr", "dstport", "protocol", "action", "bytes", "srcport", "packets", "tcp_flags",
    "flow_direction", "interface_id", "instance_id", "end", "pkt_srcaddr", "pkt_dstaddr", "log_status",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    add_page(parser, columns=False)
    parser.add_argument("-n", type=positive, default=10, help="print N records (default 10)")
    parser.add_argument(
        "--columns", "--select", metavar="FIELDS", help="print only these fields, separated by commas"
    )
    parser.add_argument("--located", action="store_true", help="add file and offset of each record")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    query = flows.limit(args.n)
    query = query.located() if args.located else query
    names, args.columns = names_of(args.columns), None
    result, code = collect(lambda: (query.select(*names) if names else query).collect())
    print_rows(result, flows, args, order=() if names else _ORDER)
    return exit_code_of(result.report, args, code)
