"""Checks controls against logs, with evidence: ``vpcflow audit``."""

from __future__ import annotations

import argparse
import datetime
import functools

from .. import audit
from ..audit.export import FORMS
from ..audit.result import ControlResults, midnight_of, period_of
from ..errors import PlanError
from ..io.writing import write_whole
from ._audit_pages import print_matrix, print_results
from ._output import print_note, progress_line, write_out
from ._shared import add_input, collect, exit_code_of, flows_read_often, warn_of_rejects

HELP = "check assertions about sessions against logs, join planned probes with them, and write the evidence"
EXAMPLES = (
    "audit check examples/audit/controls.yaml examples/audit/flow.log.gz\n"
    "  vpcflow audit check examples/audit/controls.yaml examples/audit/flow.log.gz --to html -o evidence.html\n"
    "  vpcflow audit matrix examples/audit/tests.csv examples/audit/flow.log.gz --inventory examples/audit/aws\n"
    "  vpcflow audit check examples/audit/controls.yaml examples/audit/flow.log.gz --period 2026-11-01 --json "
    "-o a.json && vpcflow audit merge a.json --period 2026-11"
)
_MARGIN = 3600  # seconds around a period: sessions at its ends are whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "check controls; exit code 1 if one failed, 3 if one is not evaluable, 2 if one cannot be checked"
    check = verbs.add_parser("check", help=text, description=text)
    check.add_argument("controls", metavar="CONTROLS", help="controls: a YAML or JSON file")
    add_input(check)
    _add_inventory(check)
    check.add_argument("--period", metavar="TIME", help="judge this year, month or day, as 2026-11, and miss its days")
    check.add_argument("--manifest", metavar="DIR", help="name the last head of this manifest in the results")
    _add_form(check)
    text = "join planned probes with the logs; exit code 1 if one came to something else, 3 if one cannot be told"
    tests = verbs.add_parser("matrix", help=text, description=text)
    tests.add_argument("tests", metavar="TESTS", help="a CSV file: source,destination,port,protocol,time,expected")
    add_input(tests)
    _add_inventory(tests)
    tests.add_argument("--slack", default="5m", metavar="TIME", help="look so long around a probe's time (default 5m)")
    text = "join results of days, as check --json writes them; a day without result is a hole"
    merged = verbs.add_parser("merge", help=text, description=text)
    merged.add_argument("results", nargs="+", metavar="RESULTS", help="a file that vpcflow audit check --json wrote")
    merged.add_argument("--period", metavar="TIME", help="tell which days of this year or month lack, as 2026-11")
    merged.add_argument("--json", action="store_true", help="print JSON instead of a page for people")
    _add_form(merged)


def _add_inventory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inventory", metavar="DIR",
        help="folder with the answers of describe-network-interfaces, -instances, -subnets, ...; dates in the names of "
        "files make a history",
    )  # fmt: skip


def _add_form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", choices=FORMS, help="write the results in this form")
    parser.add_argument("-o", "--out", metavar="FILE", help="write them to FILE instead of standard output")
    parser.add_argument("--hub", default="", metavar="ACCOUNT/REGION", help="Security Hub's account, region, for asff")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    return {"check": _check, "matrix": _matrix, "merge": _merge}[args.verb](args)


def _check(args: argparse.Namespace) -> int:
    _check_form(args)
    controls = audit.load(args.controls)
    if args.period and (args.start or args.end):
        raise PlanError("--period says what is judged; leave out --start and --end")
    if args.period:
        first, last = period_of(args.period)
        args.start = _utc(midnight_of(first) - _MARGIN)
        args.end = _utc(midnight_of(last) + 86400 + _MARGIN)
    flows = flows_read_often(args)
    with progress_line(True) as progress:
        results, code = collect(
            lambda: audit.check(
                flows, controls, inventory=args.inventory, period=args.period, manifest=args.manifest, progress=progress
            )
        )
    if results.report is not None:
        warn_of_rejects(results.report, args.json or bool(args.to))
    _write(results, args)
    code = code or results.exit_code
    return code if results.report is None else exit_code_of(results.report, args, code)


def _utc(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(max(seconds, 0), datetime.timezone.utc).isoformat()


def _matrix(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        found, code = collect(
            functools.partial(
                audit.matrix,
                flows_read_often(args),
                args.tests,
                inventory=args.inventory,
                slack=args.slack,
                progress=progress,
            )
        )
    if found.report is not None:
        warn_of_rejects(found.report, args.json)
    print_matrix(found, args)
    code = code or found.exit_code
    return code if found.report is None else exit_code_of(found.report, args, code)


def _merge(args: argparse.Namespace) -> int:
    _check_form(args)
    results = audit.merge([audit.results_of(path) for path in args.results])
    if args.period:
        results = results.of_period(args.period)
    _write(results, args)
    return results.exit_code


def _check_form(args: argparse.Namespace) -> None:
    if args.to == "asff":
        audit.export(ControlResults([]), "asff", hub=args.hub)  # a wrong account is said before anything is read
    elif args.hub:
        raise PlanError("--hub is for --to asff")
    if args.out and not args.to and not args.json:
        raise PlanError(f"-o {args.out}: say in which form: --to {', --to '.join(FORMS)}")


def _write(results: ControlResults, args: argparse.Namespace) -> None:
    if not args.to and not args.json:
        print_results(results)
        return
    text = audit.export(results, args.to or "json", hub=args.hub)
    if not args.out:
        write_out(text)
        return
    write_whole(args.out, text.encode("utf-8", "replace"))
    print_results(results)
    print_note(f"results written to {args.out}")
