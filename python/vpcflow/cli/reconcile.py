"""Holds logs against a bill: ``vpcflow reconcile``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._units import unix_seconds
from ..billing import Reconciliation, reconcile
from ._output import print_note, write_out
from ._shared import _time, add_input, flows_read_often

HELP = "hold logs against a bill: how much of it they explain, and why not all"
EXAMPLES = (
    "reconcile examples/cost/flow.log.gz --bill examples/cost/cur.csv.gz --inventory examples/cost/aws\n"
    "  vpcflow reconcile examples/cost/flow.log.gz --bill examples/cost/cur.csv.gz --inventory examples/cost/aws --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--bill", required=True, metavar="FILE",
        help="hold the logs against this bill: CUR, FOCUS (CSV, gzip, Parquet, or a folder), or JSON of Cost Explorer",
    )  # fmt: skip
    parser.add_argument(
        "--inventory", required=True, metavar="DIR",
        help="read the answers of AWS's describe calls, and ip-ranges.json, in this folder",
    )  # fmt: skip
    parser.add_argument("--prices", metavar="FILE", help="take the GB of this sheet (default: public list prices)")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    start, end = (unix_seconds(name, _time(getattr(args, name), args)) for name in ("start", "end"))
    found = reconcile(
        flows_read_often(args), args.bill, inventory=args.inventory, prices=args.prices, start=start, end=end
    )  # fmt: skip
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in found.rows))
    else:
        _print(found)
    for note in found.notes:
        print_note(f"note: {note}")
    if args.json:
        print_note(found.verdict)
    return 0


def _print(found: Reconciliation) -> None:
    width = terminal_width()
    rows = [
        {
            "class": row["class"], "billed": f"{row['billed']:,.3f}", "explained": f"{row['explained']:,.3f}",
            "unit": row["unit"], "cost": f"{row['billed_cost']:,.2f}",
            "ratio": "-" if row["ratio"] is None else f"{row['ratio']:.3f}", "causes": ", ".join(row["causes"]) or "-",
        }
        for row in found.rows
    ]  # fmt: skip
    columns = [(name, "text") for name in ("class", "billed", "explained", "unit", "cost", "ratio", "causes")]
    lines = [text_table(columns, rows, width)] if rows else []
    write_out("\n".join([*lines, *wrapped(display.printable(found.verdict), width)]) + "\n")
