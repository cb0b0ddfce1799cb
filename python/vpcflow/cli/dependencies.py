"""Prints who depends on whom: ``vpcflow dependencies``."""

from __future__ import annotations

import argparse
import json

from ..errors import PlanError
from ..health import dependencies
from ..health.dependencies import FORMS, told
from ..io.writing import check_writable, write_whole
from ._output import print_note, progress_line, write_out
from ._pages import Page, add_page, print_page
from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print who depends on whom, as rows or as a graph for Graphviz, Mermaid, networkx or a page"
EXAMPLES = (
    "dependencies examples/data/sample.log.gz -n 10\n"
    "  vpcflow dependencies logs/ --by name --inventory examples/inventory --to svg -o map.svg\n"
    "  vpcflow dependencies logs/ --to mermaid -n 40"
)
_COLUMNS = [
    ("client", "text"), ("server", "text"), ("port", "int32"), ("protocol", "int32"), ("sessions", "int64"),
    ("bytes", "int64"), ("attempts", "int64"), ("answered_percent", "float64"), ("low_percent", "float64"),
    ("high_percent", "float64"), ("resets", "int64"), ("first", "time"), ("last", "time"),
]  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_page(parser)
    parser.add_argument("--to", choices=FORMS, help="print a graph in this form")
    parser.add_argument("-o", "--output", metavar="FILE", help="with --to: write the graph to this file")
    parser.add_argument(
        "--by", metavar="WHAT",
        help="call the ends by address (default) or names of --inventory: name, instance, asg, subnet, vpc, az, group, "
        "type, tag:KEY",
    )  # fmt: skip
    parser.add_argument("--inventory", metavar="DIR", help="take names from answers of AWS's describe calls")
    parser.add_argument(
        "--intermediary", action="append", default=[], metavar="ADDRESS",
        help="treat ADDRESS as a NAT gateway or load balancer; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--strangers", action="store_true", help="show clients outside that were never answered, such as scanners, too"
    )
    parser.add_argument("-n", type=positive, help="keep the N edges with most bytes (default: all)")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.output and not args.to:
        raise PlanError(f"-o {args.output}: needs --to, one of {', '.join(FORMS)}")
    if args.output:
        check_writable(args.output)
    flows = flows_of(args)
    with progress_line(True) as progress:
        graph, code = collect(
            lambda: dependencies(
                flows, by=args.by, inventory=args.inventory, strangers=args.strangers,
                intermediaries=args.intermediary, progress=progress,
            )
        )  # fmt: skip
    graph = graph.head(args.n) if args.n else graph
    warn_of_rejects(graph.report, args.json or bool(args.to))
    if args.to:
        text = graph.to(args.to).rstrip("\n") + "\n"
        if args.output:
            write_whole(args.output, text.encode("utf-8", "replace"))
        else:
            write_out(text)
    elif args.json:
        write_out("".join(json.dumps(row) + "\n" for row in graph.rows()))
    else:
        shares = ("answered", "low", "high")
        rows = [{**row, **{f"{name}_percent": _percent(row[name]) for name in shares}} for row in graph.rows()]
        print_page(Page(_COLUMNS, rows, frozenset({"bytes"}), bar="bytes"), args)
    for line in told(graph):
        print_note(line)
    return exit_code_of(graph.report, args, code)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
