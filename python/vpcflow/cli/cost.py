"""Prints what the traffic costs, and whose it is: ``vpcflow cost``."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation

from .._display import human_bytes
from .._layout import terminal_width, text_table, wrapped
from ..cost import Cost, cost_of
from ..errors import PlanError
from ._output import print_note, write_out
from ._shared import add_input, exit_code_of, flows_read_often, names_of, warn_of_rejects

HELP = "print what the traffic costs by the way that it took, by owner, by day"
EXAMPLES = (
    "cost examples/cost/flow.log.gz --inventory examples/cost/aws --by class,owner --owner-tag team\n"
    "  vpcflow cost examples/cost/flow.log.gz --inventory examples/cost/aws --prices examples/cost/prices.json --json\n"
    "  vpcflow cost examples/cost/flow.log.gz --inventory examples/cost/aws --by class,service,interface_id"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--inventory", required=True, metavar="DIR",
        help="folder of answers of AWS's describe calls, and of ip-ranges.json",
    )  # fmt: skip
    parser.add_argument(
        "--prices", metavar="FILE", help="a price sheet (default: public list prices; see vpcflow prices)"
    )
    parser.add_argument(
        "--effective", metavar="FILE", help="a sheet of what you pay, as vpcflow prices import makes it of a bill"
    )
    parser.add_argument(
        "--by", default="class", metavar="KEYS",
        help="class, owner, day, hour, service, priced_as, or fields of the logs, separated by commas (default class)",
    )  # fmt: skip
    parser.add_argument(
        "--owner-tag", default="team", metavar="TAG",
        help="the tag that names the owner, where the logs have no tags (default team)",
    )  # fmt: skip
    parser.add_argument(
        "--month-to-date", action="append", default=[], metavar="CLASS=GB",
        help="what the payer used this month before, for tiers: internet.out=12000; may be repeated",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_read_often(args)
    found = cost_of(
        flows, args.inventory, args.prices, names_of(args.by), owner_tag=args.owner_tag, effective=args.effective,
        month_to_date=dict(_used(text) for text in args.month_to_date),
    )  # fmt: skip
    warn_of_rejects(found.report, args.json)
    write_out(found.to_json_lines() if args.json else _page(found))
    for note in found.notes():
        print_note(f"note: {note}")
    if found.error is not None:
        raise found.error
    return exit_code_of(found.report, args, 0)


def _used(text: str) -> tuple[str, Decimal]:
    name, _, amount = text.partition("=")
    try:
        return name.strip(), Decimal(amount)
    except InvalidOperation:
        raise PlanError(f"--month-to-date {text}: expected CLASS=GB, as internet.out=12000") from None


def _page(found: Cost) -> str:
    rows = [
        {
            **{key: row[key] for key in found.keys}, "volume": human_bytes(row["bytes"]),
            "list": _money(row["list_cost"]), "effective": _money(row["effective_cost"]), "sides": row["sides"],
            "why": row["why"] or (row["priced_as"] if row["priced_as"] != row["class"] else ""),
        }
        for row in found.rows
    ]  # fmt: skip
    paid = any(row["effective_cost"] is not None for row in found.rows)
    columns = [(key, "text") for key in found.keys]
    columns += [("volume", "text"), ("list", "text"), *([("effective", "text")] if paid else [])]
    lines = [text_table([*columns, ("sides", "int64"), ("why", "text")], rows, terminal_width())]
    return "\n".join([*lines, *wrapped(found.conclusion(), terminal_width())]) + "\n"


def _money(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.2f}"
