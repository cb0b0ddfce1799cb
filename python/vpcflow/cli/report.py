"""Writes one page for people who decide: ``vpcflow report``."""

from __future__ import annotations

import argparse

from ..errors import PlanError
from ..io.writing import check_writable
from ..report.report import checked_ending, report
from ._detection import add_detectors, add_silences, detector_names, past_of, rules_of, settings_of, silences_of
from ._output import progress_line, write_out
from ._shared import add_input, exit_code_of, flows_read_often

HELP = "write a page for a security lead: what was not seen, incidents, traffic, exposed ports, cost"
EXAMPLES = (
    "report logs/ -o report.html\n  vpcflow report logs/ -o report.pdf --title 'Shop, November'\n"
    "  vpcflow report logs/ -o report.html --baseline usual.vpcflow --rules rules.yaml\n"
    "  vpcflow report examples/cost/flow.log.gz -o report.html --inventory examples/cost/aws\n"
    "  vpcflow report examples/audit/flow.log.gz -o report.html --controls examples/audit/controls.yaml\n"
    "  vpcflow report logs/ --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("-o", "--out", metavar="FILE", help="write the page to FILE, .html or .pdf")
    parser.add_argument("--title", default="Network report", help="the title of the page (default: Network report)")
    parser.add_argument(
        "--made", metavar="TIME", help="write this time into the page (default: none, so that bytes stay)"
    )
    parser.add_argument("--baseline", metavar="FILE", help="tell what is new compared to a file of vpcflow baseline")
    parser.add_argument("--rules", metavar="RULES", help="report findings of your own rules, too")
    parser.add_argument("--controls", metavar="FILE", help="check these controls, as vpcflow audit check does")
    parser.add_argument("--manifest", metavar="DIR", help="name the last head of this manifest")
    parser.add_argument("--geo", metavar="FILE", help="tell countries by this MaxMind DB file")
    parser.add_argument(
        "--inventory",
        metavar="DIR",
        help="name addresses and tell the cost by path by this folder of answers of describe calls",
    )
    parser.add_argument("--prices", metavar="FILE", help="a price sheet (default: public list prices)")
    add_detectors(parser)
    add_silences(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.out is None and not args.json:
        raise PlanError("report: give -o FILE.html or FILE.pdf to write the page, or --json to print its figures")
    if args.prices is not None and args.inventory is None:
        raise PlanError("report: --prices is of no use without --inventory DIR, by which paths are told")
    if args.out is not None:
        checked_ending(args.out)
        check_writable(args.out)
    own, silences = rules_of(args.rules)
    settings = settings_of(args.set)
    if args.geo:
        settings["geo"] = args.geo
    with progress_line(True) as progress:
        made = report(
            flows_read_often(args), baseline=past_of(args), controls=args.controls, manifest=args.manifest,
            inventory=args.inventory, prices=args.prices, rules=own,
            silences=[*silences, *silences_of(args.silences, own)], only=detector_names(args.only), title=args.title,
            made=args.made, progress=progress, **settings,
        )  # fmt: skip
    if args.json:
        write_out(made.to_json())
    if args.out is not None:
        made.save(args.out)
        if not args.json:
            write_out(f"{args.out}: {made.verdict}\n")
    if made.error is not None:
        raise made.error
    return exit_code_of(made.report, args, 0, quiet=True)
