"""Shows price sheets, and makes them of price lists and bills: ``vpcflow prices``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..errors import PriceError
from ..io.writing import check_writable, write_whole
from ..pricing import PriceRow, Sheet, import_prices, prices
from ..pricing.sheet import text_of
from ._output import print_note, write_out

HELP = "show what AWS charges for traffic, gateways and logs, and make price sheets of price lists and bills"
EXAMPLES = (
    "prices show\n  vpcflow prices show --region eu-west-1 --json\n"
    "  vpcflow prices import examples/cost/cur.csv.gz -o my-prices.json\n"
    "  vpcflow prices import examples/cost/prices.json examples/cost/cur.csv.gz -o my-prices.json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "print a price sheet with its date, sources and gaps"
    show = verbs.add_parser("show", help=text, description=text)
    show.add_argument(
        "sheet", nargs="?", metavar="FILE", help="show this sheet (default: the public list prices of the package)"
    )
    show.add_argument("--region", metavar="NAME", help="show the prices of this region only")
    show.add_argument("--json", action="store_true", help="print the sheet as JSON, which can be edited and given back")
    text = "make a price sheet of AWS's price lists, or of a bill: what you really pay"
    made = verbs.add_parser("import", help=text, description=text)
    made.add_argument(
        "files", nargs="+", metavar="FILE",
        help="read an offer file (JSON or CSV), an answer of aws pricing get-products, or a bill (CUR, FOCUS, Cost "
        "Explorer)",
    )  # fmt: skip
    made.add_argument("-o", "--out", required=True, metavar="SHEET", help="write the sheet to this file")
    made.add_argument(
        "--gb", choices=("1024", "1000"), default="1024", help="take a GB as 1024^3 (default) or 1000^3 bytes"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "import":
        check_writable(args.out)
        sheet = import_prices(args.files, gb=int(args.gb) ** 3)
        write_whole(args.out, (json.dumps(sheet.to_dict(), indent=1) + "\n").encode())
        where = f"{count(len(sheet.rows), 'price')} of {count(len(sheet.regions), 'region')}"
        write_out(f"{where}, as of {sheet.published}, in {display.printable(args.out)}\n")
        for gap in sheet.gaps:
            print_note(f"note: {gap}")
        return 0
    sheet = prices(args.sheet)
    if args.region is not None and args.region not in sheet.regions:
        raise PriceError(
            f"prices: region: {args.region!r} is unpriced; the sheet has {', '.join(sheet.regions)}; 'vpcflow prices "
            "import' adds others"
        )
    if args.json:
        write_out(json.dumps(sheet.to_dict(args.region)) + "\n")
    else:
        _print(sheet, args.region)
    return 0


def _print(sheet: Sheet, region: str | None) -> None:
    kept = [row for row in sheet.rows if region in (None, row.region)]
    rows = [
        {
            "class": row.kind, "region": row.region + (f" to {row.to}" if row.to else ""),
            "price": _tiers(row), "unit": row.unit, "source": str(sheet.sources.index(row.source) + 1),
        }
        for row in kept
    ]  # fmt: skip
    columns = [(name, "text") for name in ("class", "region", "price", "unit", "source")]
    width = terminal_width()
    lines = [f"{sheet.currency}, as of {sheet.published}; a GB is {sheet.gb:,} bytes", text_table(columns, rows, width)]
    for number, source in enumerate(sheet.sources, 1):
        if any(row.source == source for row in kept):
            lines += wrapped(f"source {number}: {source.id}; seen {source.seen or 'at a time not said'}", width)
    for note in dict.fromkeys(row.note for row in kept if row.note):
        of = dict.fromkeys(f"{row.kind} of {row.region}" for row in kept if row.note == note)
        lines += wrapped(f"{', '.join(of) if len(of) < len(kept) else 'all'}: {note}", width)
    for gap in sheet.gaps:
        lines += wrapped(f"gap: {gap}", width)
    write_out("\n".join(display.printable(line) for text in lines for line in text.split("\n")) + "\n")


def _tiers(row: PriceRow) -> str:
    """Returns the tiers in words: ``0.09 to 10,240, 0.085 beyond``."""
    parts = []
    for _, end, price in row.tiers:
        bound = f" to {int(end):,}" if end is not None else " beyond" if len(row.tiers) > 1 else ""
        parts.append(f"{text_of(price)}{bound}")
    return ", ".join(parts)
