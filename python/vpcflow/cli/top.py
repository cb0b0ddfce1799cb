"""Prints the groups with the largest aggregate: ``vpcflow top``."""

from __future__ import annotations

import argparse

from ..errors import PlanError
from ._output import progress_line
from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, names_of, print_rows

HELP = "print the groups with the largest aggregate"
EXAMPLES = "top logs/ --by srcaddr --agg 'bytes=sum(bytes)' --agg 'peers=n_unique(dstaddr)' -n 20"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("--by", metavar="FIELDS", default="", help="group by these fields, separated by commas")
    parser.add_argument("--every", metavar="TIME", help="group by time bins of this length, too: 30s, 5m, 1h, 1d")
    parser.add_argument(
        "--bin-by",
        choices=("spread", "start"),
        default="spread",
        help="spread sums over the bins of a record (default), or count it where it starts",
    )
    parser.add_argument(
        "--agg",
        action="append",
        default=[],
        metavar="NAME=FUNCTION(FIELD)",
        help="compute an aggregate, or a column of others, as each=bytes/n; may be repeated",
    )
    parser.add_argument("-n", type=positive, default=10, help="print N groups (default 10)")
    parser.add_argument("--order-by", metavar="NAME", help="rank by this aggregate (default: the first)")
    parser.add_argument("--per", metavar="FIELDS", default="", help="print N groups for each value of these keys")
    parser.add_argument(
        "--counters", type=positive, metavar="N",
        help="bound memory: hold about N groups of each --per; totals then have an error column",
    )  # fmt: skip
    parser.add_argument(
        "--having",
        action="append",
        default=[],
        metavar="CONDITION",
        help='keep only groups that pass, e.g. "flows >= 100 and bytes / flows < 60"',
    )
    parser.add_argument("--other", action="store_true", help="add one row for all other groups")


def _aggregates(args: argparse.Namespace) -> dict[str, str]:
    aggs = {}
    for text in args.agg or ["count=count()"]:
        name, equals, function = text.partition("=")
        if not equals or not name.strip():
            raise PlanError(f"--agg {text}: expected NAME=FUNCTION(FIELD), such as bytes=sum(bytes)")
        if name.strip() in aggs:
            raise PlanError(f"--agg: duplicate name {name.strip()}")
        aggs[name.strip()] = function.strip()
    return aggs


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    aggs = _aggregates(args)
    flows = flows_of(args)
    query = flows.group_by(*names_of(args.by), every=args.every, bin_by=args.bin_by).agg(**aggs)
    if args.having:
        query = query.having(*args.having)
    by = args.order_by or next(iter(aggs))
    query = query.top_k(args.n, by=by, other=args.other, per=names_of(args.per), counters=args.counters)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    print_rows(result, flows, args.json)
    return exit_code_of(result.report, args, code)
