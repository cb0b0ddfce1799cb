"""What the commands share: the options of input, the query that they make, exit codes, rows as a page."""

from __future__ import annotations

import argparse
import warnings
from contextlib import suppress
from typing import Any, Callable

from .. import _display as display
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..findings.scope import Scope
from ..formats.catalogue import containers
from ..query.flows import Flows, scan
from ..query.report import Report
from ..query.result import Result
from ._output import note, put, tell
from ._parser import positive

FOUND, ERROR, REJECTS = 1, 2, 3


def add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, pattern, or - for standard input")
    parser.add_argument(
        "--format", help="format of logs without header line: '${srcaddr} ${bytes}', names, default, tgw, v5"
    )
    parser.add_argument(
        "--container", choices=list(containers()), default="auto", help="what records are in (default: by content)"
    )
    parser.add_argument(
        "--where", metavar="EXPR", help="only records that pass, e.g. \"action = 'REJECT' and dstport = 22\""
    )
    parser.add_argument("--start", metavar="TIME", help="only records from then on: 2026-11-23T06:00:00Z, or -2h")
    parser.add_argument("--end", metavar="TIME", help="only records that start before; objects outside are not opened")
    parser.add_argument("--account", action="append", metavar="ID", help="only its objects; may be repeated")
    parser.add_argument("--region", action="append", metavar="NAME", help="only its objects; may be repeated")
    parser.add_argument(
        "--duplicates", choices=("once", "all"), default="once", help="how often files with the same bytes are read"
    )
    parser.add_argument(
        "--on-error", choices=("skip", "raise", "null"), default="skip", help="what a malformed line does"
    )
    parser.add_argument("--threads", type=positive, help="worker threads (default: one per processor)")
    parser.add_argument("--max-memory", metavar="SIZE", help="most that groups and rows may take, e.g. 2GB")
    parser.add_argument("--max-output-bytes", metavar="SIZE", help="most that one packed file may unpack to, e.g. 50GB")
    parser.add_argument("--max-rejects", type=int, metavar="N", help="exit with 3 if more than N lines are rejected")
    parser.add_argument(
        "--allow-empty", action="store_true", help="an input without records, or with none in the time, is no error"
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of a page for people")


def flows_of(args: argparse.Namespace) -> Flows:
    data: Any = args.paths[0] if len(args.paths) == 1 else args.paths
    if isinstance(data, list) and len(set(data)) < len(data):
        raise PlanError("a path is given twice; its records would count twice")
    flows = scan(
        list(data) if isinstance(data, list) else data,
        format=args.format,
        container=args.container,
        start=_time(args.start),
        end=_time(args.end),
        account=args.account,
        region=args.region,
        duplicates=args.duplicates,
        on_error=args.on_error,
        threads=args.threads,
        max_memory=args.max_memory,
        max_output_bytes=args.max_output_bytes,
        allow_empty=args.allow_empty,
    )
    return flows.filter(args.where) if args.where else flows


def _time(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def names_of(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def collect(run: Callable[[], Any], told: int = 0) -> tuple[Any, int]:
    """The result and the exit code; of damaged sources what could be read, with the error told unless `told`, the exit
    code of another pass over the same, says that it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            return run(), told
        except VpcflowError as error:
            report = getattr(error.partial, "report", None)
            nothing = report is not None and not report.records
            if error.partial is None or nothing or isinstance(error, NoRecordsError):
                raise
            if not told:
                note(f"error: {error}")
            return error.partial, 2


def verdict(report: Any, args: argparse.Namespace, code: int, quiet: bool = False) -> int:
    """Tells about rejects; the exit code is 3 if there are too many of them and ``code``, that of errors, is 0."""
    if not quiet:
        for warning in report.warnings:
            note(f"note: {warning}")
        if report.rejected:
            note(report.rejects_line)
    if args.max_rejects is None or report.rejected <= args.max_rejects:
        return code
    note(f"error: {report.rejected:,} lines were rejected; --max-rejects allows {args.max_rejects:,}")
    return code or REJECTS


def say_first(report: Report, as_json: bool) -> None:
    """If most lines were rejected, says so in the first line: of the page, or on standard error beside JSON."""
    if report.mostly_rejected:
        tell(report.mostly_rejected) if as_json else put(f"{report.mostly_rejected}\n")


def print_rows(result: Result, flows: Flows, as_json: bool) -> None:
    say_first(result.report, as_json)
    if as_json:
        put(result._table.to_json_lines())
    elif len(result):
        put(display.text_table(result.schema, result.rows()) + "\n")
    if not len(result) and not result.report.errors:
        note(f"no rows: {_nothing_in(result.report, flows)}")


def _nothing_in(report: Report, flows: Flows) -> str:
    """What an empty result is of: how many records, of which interfaces and time."""
    if not report.ok:
        return f"{report.records:,} records, none of traffic (NODATA or SKIPDATA)"
    text = f"{report.matched:,} of {report.records:,} records pass the filter"
    if report.matched:
        text += ", and no row came of them (conditions on groups, or fields that they lack)"
    with suppress(VpcflowError), warnings.catch_warnings():  # of what can be read again
        warnings.simplefilter("ignore", DataQualityWarning)
        text += f"; read were {Scope.of(Scope.query(flows.unfiltered()).collect())}"
    return text
