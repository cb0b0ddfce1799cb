"""Prints what would make the traffic cheaper: ``vpcflow advise``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from ..inventory import inventory
from ..pricing import prices
from ..savings import Advised, advise_costs
from ._output import FOUND, print_note, write_out
from ._shared import add_input, flows_read_often

HELP = "print what would make the traffic cheaper, with saving, interval, fix and risk"
EXAMPLES = (
    "advise examples/cost/flow.log.gz --inventory examples/cost/aws --only cost\n"
    "  vpcflow advise examples/cost/flow.log.gz --inventory examples/cost/aws --prices examples/cost/prices.json --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--inventory", required=True, metavar="DIR", help="read the answers of AWS's describe calls in this folder"
    )
    parser.add_argument("--prices", metavar="FILE", help="take the prices of this sheet (default: public list prices)")
    parser.add_argument("--only", choices=("cost",), default="cost", help="give advice of this kind only")
    parser.add_argument(
        "--ip-ranges", metavar="FILE",
        help="tell regions of addresses by AWS's ip-ranges.json (default: that of the inventory's folder, if any)",
    )  # fmt: skip
    parser.add_argument(
        "--owner-tag", default="team", metavar="KEY", help="name ends by the value of this tag (default team)"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    own = Path(args.inventory) / "ip-ranges.json"
    ranges = args.ip_ranges or (own if own.is_file() else None)
    sheet = prices(args.prices)
    found = advise_costs(
        flows_read_often(args), inventory(args.inventory), sheet, ip_ranges=ranges, owner_tag=args.owner_tag
    )
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in found.rows()))
    elif found.savings:
        _print(found, sheet.published)
    for note in found.notes:
        print_note(f"note: {note}")
    if not found.savings:
        print_note(f"nothing to advise, by {found.hours:,} hours of logs")
    return FOUND if found.savings else 0


def _print(found: Advised, published: str) -> None:
    width = terminal_width()
    rows = [
        {
            "": str(number), "advice": one.advice, "resource": one.resource, "region": one.region,
            "saving": _money(one.saving), "from": _money(one.low), "to": _money(one.high),
        }
        for number, one in enumerate(found.savings, 1)
    ]  # fmt: skip
    columns = [(name, "text") for name in ("", "advice", "resource", "region", "saving", "from", "to")]
    lines = [text_table(columns, rows, width)]
    currency = found.savings[0].currency
    lines += wrapped(
        f"{currency} a month of 730 hours: prices as of {published} times observed bytes, extrapolated from "
        f"{found.hours:,} hours of logs, with the spread of those; your discount changes it. Give the sheet of a bill "
        "for what you pay.",
        width,
    )  # fmt: skip
    for number, one in enumerate(found.savings, 1):
        lines += ["", f"{number}. {one.advice}, {one.resource}"]
        for name, text in (("why", one.why), ("fix", one.fix), ("risk", one.risk)):
            lines += [f"   {line}" for line in wrapped(f"{name}: {text}", width and width - 3)]
        if one.terraform:
            lines += ["   terraform:", *(f"     {line}" for line in one.terraform.rstrip().split("\n"))]
    write_out("\n".join(display.printable(line) for text in lines for line in text.split("\n")) + "\n")


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
