"""What the commands share: the options of input, the query that they make, exit codes, rows as a page."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Callable

from .._units import zone_of
from .._words import count
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..formats.catalogue import containers
from ..io.streams import source_of_stream
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..query.scan import scan
from ..typing import AwsOptions
from ._names import with_names
from ._output import ERROR, REJECTS, print_note, write_err, write_out
from ._pages import Page, Rows, Schema, print_page
from ._parser import InsteadOfPaths, positive

_IN_MEMORY = 64 << 20  # bytes of standard input, beyond which it is kept in a file


class _Kept(tempfile.SpooledTemporaryFile):  # type: ignore[type-arg]
    """Standard input, to be read several times."""

    name = "-"

    def __del__(self) -> None:  # the queries that read it are gone
        self.close()


def add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="read a file, folder, pattern, s3:// URL, or - for standard input"
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds the options of how paths are read."""
    parser.add_argument(
        "--format",
        help="parse logs without a header line by this format: '${srcaddr} ${bytes}', names, default, tgw, v5",
    )
    parser.add_argument(
        "--container",
        choices=list(containers()),
        default="auto",
        help="unwrap records from this container (default: detect it)",
    )
    parser.add_argument(
        "--where", metavar="EXPR", help="keep only records that pass, e.g. \"action = 'REJECT' and dstport = 22\""
    )
    parser.add_argument("--start", metavar="TIME", help="keep only records from then on: 2026-11-23T06:00:00Z, or -2h")
    parser.add_argument(
        "--end", metavar="TIME", help="keep only records that start before; objects outside are not opened"
    )
    parser.add_argument(
        "--account", action="append", metavar="ID", help="read only objects of this account; may be repeated"
    )
    parser.add_argument(
        "--region", action="append", metavar="NAME", help="read only objects of this region; may be repeated"
    )
    parser.add_argument(
        "--flow-log", action=InsteadOfPaths, metavar="ID",
        help="read only objects of this flow log; without PATH, what it delivers, wherever that is; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--duplicates",
        choices=("once", "all"),
        default="once",
        help="read files with the same bytes once (default), or all of them",
    )
    parser.add_argument(
        "--trust-statistics",
        action="store_true",
        help="believe Parquet files which of their row groups have no record that passes (default: look)",
    )
    parser.add_argument(
        "--on-error",
        choices=("skip", "raise", "null"),
        default="skip",
        help="skip malformed lines (default), raise an error, or read malformed values as null",
    )
    parser.add_argument("--threads", type=positive, help="use N worker threads (default: one per processor)")
    parser.add_argument("--max-memory", metavar="SIZE", help="limit the memory of groups and rows, e.g. 2GB")
    parser.add_argument(
        "--max-output-bytes", metavar="SIZE", help="limit what one compressed file may unpack to, e.g. 50GB"
    )
    parser.add_argument("--max-rejects", type=int, metavar="N", help="exit with 3 if more than N lines are rejected")
    parser.add_argument(
        "--allow-empty", action="store_true", help="accept an input without records, or with none in the time asked for"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a page for people")
    add_aws(parser)


def add_community_id(parser: Any) -> None:
    """Adds the option of commands that write events."""
    parser.add_argument(
        "--community-id", action="store_true",
        help="of OCSF and ECS: add the Community ID, by which Zeek, Suricata and Arkime know a conversation",
    )  # fmt: skip


def add_aws(parser: argparse.ArgumentParser) -> None:
    """Adds the options of how AWS is reached."""
    group = parser.add_argument_group("AWS", "for URLs; what is not given comes from where the aws command takes it")
    group.add_argument("--profile", metavar="NAME", help="use this profile of ~/.aws/config")
    group.add_argument("--role-arn", metavar="ARN", help="assume this role")
    group.add_argument("--external-id", metavar="ID", help="assume the role with this external id")
    group.add_argument("--aws-region", metavar="NAME", help="call the services of this region")
    group.add_argument("--endpoint-url", metavar="URL", help="call this server instead of AWS")
    group.add_argument("--no-sign-request", action="store_true", help="send no credentials, for public buckets")
    group.add_argument("--requester-pays", action="store_true", help="accept the costs of buckets that ask for it")


def aws_of(args: argparse.Namespace) -> AwsOptions:
    """Returns the options of :func:`add_aws`."""
    return {
        "profile": args.profile,
        "role_arn": args.role_arn,
        "external_id": args.external_id,
        "region": args.aws_region,
        "endpoint_url": args.endpoint_url,
        "no_sign_request": args.no_sign_request,
        "requester_pays": args.requester_pays,
    }


def flows_of(args: argparse.Namespace, *, often: bool = False) -> Flows:
    """Returns the logs of a command; ``often``: standard input can be read several times."""
    data: Any = args.paths[0] if args.paths and len(args.paths) == 1 else args.paths or None
    if isinstance(data, list) and len(set(data)) < len(data):
        raise PlanError("a path is given twice; its records would count twice")
    flows = scan(
        list(data) if isinstance(data, list) else data,
        format=args.format,
        container=args.container,
        start=_time(args.start, args),
        end=_time(args.end, args),
        account=args.account,
        region=args.region,
        flow_logs=args.flow_log,
        duplicates=args.duplicates,
        trust_statistics=args.trust_statistics,
        on_error=args.on_error,
        threads=args.threads,
        max_memory=args.max_memory,
        max_output_bytes=args.max_output_bytes,
        allow_empty=args.allow_empty,
        aws=aws_of(args),
    )
    if often:
        flows = _kept(flows, args)
    flows = with_names(flows, args)
    return flows.filter(args.where) if args.where else flows


def flows_read_often(args: argparse.Namespace) -> Flows:
    """Returns the logs of a command that reads them several times: standard input is kept."""
    return flows_of(args, often=True)


def _kept(flows: Flows, args: argparse.Namespace) -> Flows:
    """Keeps standard input, if it is read, for this and all further queries of the command."""
    logs = flows._logs
    if all(source.name != "-" for source in logs.sources):
        return flows
    if getattr(args, "kept", None) is None:
        args.kept = _Kept(max_size=_IN_MEMORY)
        shutil.copyfileobj(sys.stdin.buffer, args.kept)
        args.kept.seek(0)
    sources = [source_of_stream(args.kept) if source.name == "-" else source for source in logs.sources]
    return Flows(dataclasses.replace(logs, sources=sources), flows._spec, flows._filters)


def _time(text: str | None, args: argparse.Namespace) -> datetime.datetime | str | int | None:
    """Returns a time of --start or --end; one without a zone is in that of --tz."""
    if text is None or (text.isascii() and text.isdigit()):
        return None if text is None else int(text)
    zone = zone_of(getattr(args, "tz", None))[0]
    if zone is not None:
        with suppress(ValueError):
            when = datetime.datetime.fromisoformat(text.strip())
            return when if when.tzinfo is not None else when.replace(tzinfo=zone)
    return text


def names_of(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def collect(run: Callable[[], Any], previous: int = 0, *, several: bool = False) -> tuple[Any, int]:
    """Runs a query, or `several`, and returns its result and exit code. Of damaged sources returns what could be read,
    and prints the error unless `previous`, the exit code of an earlier pass over the same logs, says that it was
    printed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            return run(), previous
        except VpcflowError as error:
            report = getattr(error.partial, "report", None)
            nothing = report is not None and not report.records
            if error.partial is None or nothing or isinstance(error, NoRecordsError):
                raise
            if not previous:
                print_note(f"error: {error}")
            return list(error.partials) if several else error.partial, ERROR


def exit_code_of(report: Any, args: argparse.Namespace, code: int, quiet: bool = False) -> int:
    """Prints warnings and rejects, and returns the exit code: 3 if there are too many rejects and ``code`` is 0."""
    args.records_read = report.records  # for the audit log
    if not quiet:
        for warning in report.warnings:
            print_note(f"note: {warning}")
        if report.rejected:
            print_note(report.rejects_line)
    if args.max_rejects is None or report.rejected <= args.max_rejects:
        return code
    were = "line was" if report.rejected == 1 else "lines were"
    print_note(f"error: {report.rejected:,} {were} rejected; --max-rejects allows {args.max_rejects:,}")
    return code or REJECTS


def warn_of_rejects(report: Report, as_json: bool) -> None:
    """Warns in the first line, or on standard error beside JSON, if most lines were rejected."""
    if report.mostly_rejected:
        write_err(report.mostly_rejected) if as_json else write_out(f"{report.mostly_rejected}\n")


def print_rows(
    result: Result, flows: Flows, args: argparse.Namespace, *, schema: Schema | None = None, rows: Rows | None = None,
    order: Sequence[str] = (), bar: str | None = None, bytes_in: frozenset[str] = frozenset(),
) -> None:  # fmt: skip
    """Prints a result, or ``schema`` and ``rows`` made from it; a page for people has the columns ``order`` first.
    ``bytes_in``: columns that count bytes, beside those known by their names."""
    warn_of_rejects(result.report, args.json)
    made = schema or result.schema
    if not args.json and not args.csv:
        place = {name: i for i, name in reversed(list(enumerate(order)))}
        made = sorted(made, key=lambda column: place.get(column[0], len(place)))
    if (args.json or args.csv) and not args.columns and rows is None:  # all of it, as the engine writes it
        write_out(result._table.to_json_lines() if args.json else result._table.to_csv(True, True))
    elif len(result) or args.json or args.csv:
        page = Page(made, result.rows() if rows is None else rows, bytes_in | bytes_columns(made), bar=bar)
        print_page(page, args)
    if not len(result) and not result.report.errors:
        print_note(f"no rows: {_nothing_in(result.report, flows)}")


def note_if_none_passed(report: Report) -> None:
    """Says of how many records none passed the filter, as an output without any may be taken for that of no traffic."""
    if report.records and not report.matched:
        print_note(_passed(report))


def bytes_columns(schema: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Returns the columns that count bytes, by their names."""
    return frozenset(name for name, _ in schema if name == "bytes" or name.endswith("_bytes"))


def _passed(report: Report) -> str:
    if not report.ok:
        return f"{count(report.records, 'record')}, none of traffic (NODATA or SKIPDATA)"
    return f"{report.matched:,} of {count(report.records, 'record')} pass the filter"


def _nothing_in(report: Report, flows: Flows) -> str:
    """Describes what an empty result is of: how many records, of which interfaces and time."""
    text = _passed(report)
    if not report.ok:
        return text
    if report.matched:
        text += ", and no row came of them (conditions on groups, or fields that they lack)"
    from ..findings.scope import Scope

    with suppress(VpcflowError), warnings.catch_warnings():  # of what can be read again
        warnings.simplefilter("ignore", DataQualityWarning)
        text += f"; read were {Scope.of(Scope.query(flows.unfiltered()).collect())}"
    return text
