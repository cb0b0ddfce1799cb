"""Prints the groups with the largest aggregate: ``vpcflow top``."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from .._display import human_bytes
from .._words import count
from ..errors import PlanError
from ..io.aws import Connection
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all
from ._names import add_names
from ._output import print_note, progress_line
from ._pages import add_page, full_name, with_percent
from ._parser import positive
from ._shared import add_input, aws_of, collect, exit_code_of, flows_of, names_of, print_rows

if TYPE_CHECKING:
    from ..query.pushdown import Pushdown

HELP = "print the groups with the largest aggregate"
EXAMPLES = (
    "top logs/ --by srcaddr --agg bytes=sum:bytes --agg peers=n_unique:dstaddr -n 20\n"
    "  vpcflow top logs/ --by dst_port,proto --agg 'bytes=sum(bytes)' --percent --human"
)
_PLAIN_CALL = re.compile(r"([A-Za-z_]+):?((?<=:)[^()=\s]*|)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    add_page(parser)
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
        help="compute an aggregate, as 'n=count()' or bytes=sum:bytes, or a column of others, as each=bytes/n; may be "
        "repeated",
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
    parser.add_argument(
        "--pushdown", action="store_true",
        help="let Logs Insights compute the groups of a log group, which AWS charges for; the cost is printed before",
    )  # fmt: skip
    parser.add_argument("--other", action="store_true", help="add one row for all other groups")
    parser.add_argument("--percent", action="store_true", help="add the share of counts and sums in all groups")


def _aggregates(args: argparse.Namespace) -> dict[str, str]:
    aggs = {}
    for text in args.agg or ["count=count()"]:
        name, equals, function = (part.strip() for part in text.partition("="))
        if not equals or not name:
            name, function = _named(text.strip())
        if name in aggs:
            raise PlanError(f"--agg: duplicate name {name}")
        aggs[name] = _call(function)
    return aggs


def _named(text: str) -> tuple[str, str]:
    """Names an aggregate without a name: ``sum:bytes`` is ``sum_bytes``."""
    parts = _PLAIN_CALL.fullmatch(text)
    if parts is None:
        raise PlanError(f"--agg {text}: expected NAME=FUNCTION(FIELD), such as bytes=sum(bytes), or sum:bytes")
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower(), text


def _call(text: str) -> str:
    """Writes ``sum:bytes`` as a call, which a shell does not take as it is: ``sum(bytes)``."""
    parts = _PLAIN_CALL.fullmatch(text)
    return f"{parts[1]}({parts[2].replace(':', ', ')})" if parts is not None else text


def _counts_bytes(aggs: dict[str, str]) -> frozenset[str]:
    """Returns the aggregates that are bytes: sums, means and other values of the field."""
    of_bytes = re.compile(r"(?!n_unique|approx_n_unique)\w+\(\s*bytes\b")
    return frozenset(name for name, call in aggs.items() if of_bytes.match(call))


def _shared_sums(totals: Result, aggs: dict[str, str]) -> dict[str, Any]:
    """Returns the counts and sums of all groups, in which groups have a share."""
    (row,) = totals.rows() or [{}]
    return {name: row.get(name) for name, call in aggs.items() if call.startswith(("count(", "sum("))}


def _pushed_down(query: Flows, args: argparse.Namespace) -> Result:
    """Lets Logs Insights answer, and prints what that costs, before and after."""
    from ..query.pushdown import Pushdown

    if not args.paths or len(args.paths) != 1 or not args.paths[0].startswith("cloudwatch://"):
        raise PlanError("--pushdown: it is for one log group, cloudwatch://GROUP")
    asked = Pushdown(args.paths[0], query, Connection.of(aws_of(args)), args.format)
    stored = f"the group stores {human_bytes(asked.stored)}"
    print_note(f"Logs Insights: {stored}; to scan that costs {_dollars(asked, asked.stored)}")
    result, answer = asked.run()
    print_note(
        f"Logs Insights: scanned {human_bytes(answer.scanned_bytes)} for {_dollars(asked, answer.scanned_bytes)}; "
        f"{answer.matched:,} of {count(answer.scanned, 'record')} passed"
    )
    return result


def _dollars(asked: Pushdown, size: int) -> str:
    from ..enable.prices import insights_usd_per_gb, price_date
    from ..pricing.sheet import prices

    price = insights_usd_per_gb(asked.region)
    if price is None:
        return f"an amount that is not priced here: no price of {asked.region} is known"
    return f"{size / prices().gb * price:.4f} USD ({asked.region}, {price} USD a GB, prices of {price_date()})"


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    aggs = _aggregates(args)
    query = flows.group_by(*names_of(args.by), every=args.every, bin_by=args.bin_by).agg(**aggs)
    if args.having:
        query = query.having(*args.having)
    by = args.order_by or next(iter(aggs))
    per = [full_name(name) for name in names_of(args.per)]
    query = query.top_k(args.n, by=by, other=args.other, per=per, counters=args.counters)
    queries = [query, flows.agg(**aggs)] if args.percent else [query]
    if args.pushdown:
        results, code = [_pushed_down(one, args) for one in queries], 0
    else:
        with progress_line(True) as progress:
            results, code = collect(lambda: collect_all(queries, progress=progress), several=True)
    result = results[0]
    schema, rows = with_percent(result.schema, result, _shared_sums(results[1], aggs)) if args.percent else (None, None)
    print_rows(result, flows, args, schema=schema, rows=rows, bar=by, bytes_in=_counts_bytes(aggs))
    return exit_code_of(result.report, args, code)
