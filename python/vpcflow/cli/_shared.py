"""The command line: ``vpcflow COMMAND ...``.

Exit codes: 0 fine, 1 findings or failed examples of rules, 2 error, 3 more rejects than ``--max-rejects``. A closed
pipe is no error.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Callable, NoReturn

from .. import __version__, containers, fields
from .. import _display as display
from ..analyze.summary import Summary, summarize
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..findings.finding import Scope
from ..formats.capabilities import capabilities, recommended_format
from ..query.flows import Flows, scan
from ..query.result import Report, Result
from ._output import drop_output, finish, note, occupy_closed_streams, progress_line, put, tell
from ._parser import Parser, positive, with_relative_times

_EXAMPLES = """examples:
  vpcflow summary logs/
  vpcflow top logs/ --by srcaddr,dstport --agg 'bytes=sum(bytes)' --agg 'flows=count()' -n 20
  vpcflow top 'logs/**/*.log.gz' --where "action = 'REJECT'" --by dstport --json
  zcat flow.log.gz | vpcflow head - -n 5 --json
  vpcflow detect logs/ --json
  vpcflow sessions logs/ --json
  vpcflow convert logs/ -o flows.parquet --where "dstport = 22"
  vpcflow synth --records 1000000 --seed 7 --plant all --out demo/
"""
FOUND, ERROR, REJECTS = 1, 2, 3
_EXIT_CODES = (
    "exit codes: 0 fine, 1 findings or failed examples of rules, 2 error, 3 more rejects than --max-rejects; "
    "a closed pipe is no error"
)


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


def _parser() -> argparse.ArgumentParser:
    from . import convert as cli_convert  # they use what is here
    from . import rules as cli_rules  # they use what is here
    from . import synth as cli_synth  # they use what is here

    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="vpcflow", description="AWS VPC flow logs: see, count, convert.", epilog=f"{_EXAMPLES}\n{_EXIT_CODES}",
        formatter_class=raw,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"vpcflow {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, example: str) -> argparse.ArgumentParser:
        epilog = f"example:\n  vpcflow {example}\n\n{_EXIT_CODES}"
        return commands.add_parser(name, help=text, description=text, epilog=epilog, formatter_class=raw)

    summary = add("summary", "the first look: span, volume, top talkers, rejects, coverage", "summary logs/")
    add_input(summary)

    top = add(
        "top", "groups with the largest aggregate",
        "top logs/ --by srcaddr --agg 'bytes=sum(bytes)' --agg 'peers=n_unique(dstaddr)' -n 20",
    )  # fmt: skip
    add_input(top)
    top.add_argument("--by", metavar="FIELDS", default="", help="keys, separated by commas")
    top.add_argument("--every", metavar="TIME", help="also group by time bins of this length: 30s, 5m, 1h, 1d")
    top.add_argument(
        "--bin-by", choices=("spread", "start"), default="spread", help="how a record over several bins counts"
    )
    top.add_argument(
        "--agg", action="append", default=[], metavar="NAME=FUNCTION(FIELD)", help="an aggregate; may be repeated"
    )
    top.add_argument("-n", type=positive, default=10, help="number of groups (default 10)")
    top.add_argument("--order-by", metavar="NAME", help="the aggregate that decides (default: the first)")
    top.add_argument("--per", metavar="FIELDS", default="", help="so many groups for each value of these keys")
    top.add_argument(
        "--counters", type=positive, metavar="N",
        help="bounded memory: hold about N groups of each --per; totals then have an error column",
    )  # fmt: skip
    top.add_argument("--having", action="append", default=[], metavar="CONDITION", help="e.g. \"flows >= 100\"")
    top.add_argument("--other", action="store_true", help="one more row for all other groups")

    talks = add(
        "sessions", "conversations: both directions, all windows and interfaces as one row",
        "sessions logs/ --where \"dstport = 5432 or srcport = 5432\" -n 20 --order-by server_bytes",
    )  # fmt: skip
    add_input(talks)
    talks.add_argument("--idle", default="10m", metavar="TIME", help="what ends a session: 30s, 10m (default), 1h")
    talks.add_argument(
        "--vantage", choices=("most", "client", "server", "all"), default="most", help="whose figures are shown"
    )
    talks.add_argument(
        "--intermediary", action="append", default=[], metavar="ADDRESS", help="of a NAT gateway or load balancer"
    )
    talks.add_argument("-n", type=positive, help="number of sessions (default: all)")
    talks.add_argument("--order-by", metavar="COLUMN", help="largest first (default: by start)")

    cli_rules.add_commands(add)

    head = add("head", "the first records, typed", "head flow.log.gz -n 5 --json")
    add_input(head)
    head.add_argument("-n", type=positive, default=10, help="number of records (default 10)")
    head.add_argument("--select", metavar="FIELDS", default="", help="only these fields, separated by commas")
    head.add_argument("--located", action="store_true", help="with file and offset of each record")

    cli_convert.add_command(add)

    cover = add("coverage", "minutes of interfaces: traffic, NODATA, SKIPDATA, absent", "coverage logs/ --gaps")
    add_input(cover)
    cover.add_argument("--gaps", action="store_true", help="only what is absent or SKIPDATA")

    catalogue = add("fields", "the field catalogue", "fields --json")
    catalogue.add_argument("--json", action="store_true", help="one JSON object a line")

    able = add(
        "capabilities", "what a format can and cannot answer, and which fields to add",
        "capabilities logs/\n  vpcflow capabilities '${srcaddr} ${dstaddr} ${bytes}' --json\n"
        "  vpcflow capabilities --recommend port_scan,cost",
    )  # fmt: skip
    able.add_argument("what", nargs="*", metavar="FORMAT|PATH", help="a format, or logs whose formats to look at")
    able.add_argument(
        "--recommend", nargs="?", const="", metavar="ANALYSES", help="print the format that these need (default: all)"
    )
    able.add_argument("--json", action="store_true", help="one JSON object a line")

    cli_synth.add_command(add)
    return parser


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


def _summary(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        summary, code = collect(lambda: summarize(flows_of(args), progress=progress))
    if not isinstance(summary, Summary):
        return code
    if code and not summary.report.records:
        return code  # the error has been told, and there is nothing to show
    say_first(summary.report, args.json)
    put(json.dumps(summary.as_dict()) + "\n" if args.json else summary.text())
    return verdict(summary.report, args, code, quiet=True)


def _aggregates(args: argparse.Namespace) -> dict[str, str]:
    aggs = {}
    for text in args.agg or ["count=count()"]:
        name, equals, function = text.partition("=")
        if not equals or not name.strip():
            raise PlanError(f"--agg {text}: write NAME=FUNCTION(FIELD), such as bytes=sum(bytes)")
        if name.strip() in aggs:
            raise PlanError(f"--agg: two aggregates are named {name.strip()}")
        aggs[name.strip()] = function.strip()
    return aggs


def say_first(report: Report, as_json: bool) -> None:
    """If most lines were rejected, says so in the first line: of the page, or on standard error beside JSON."""
    if report.mostly_rejected:
        tell(report.mostly_rejected) if as_json else put(f"{report.mostly_rejected}\n")


def _print_rows(result: Result, flows: Flows, as_json: bool) -> None:
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


def _top(args: argparse.Namespace) -> int:
    aggs = _aggregates(args)
    flows = flows_of(args)
    query = flows.group_by(*names_of(args.by), every=args.every, bin_by=args.bin_by).agg(**aggs)
    if args.having:
        query = query.having(*args.having)
    by = args.order_by or next(iter(aggs))
    query = query.top_k(args.n, by=by, other=args.other, per=names_of(args.per), counters=args.counters)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    _print_rows(result, flows, args.json)
    return verdict(result.report, args, code)


def _coverage(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        result, code = collect(lambda: flows_of(args).coverage(progress=progress))
    rows = [row for row in result if not args.gaps or row["seen"] in ("absent", "SKIPDATA")]
    say_first(result.report, args.json)
    if args.gaps and not rows:
        interfaces = len({row["interface_id"] for row in result})
        note(f"no gaps: {result.report.matched:,} records of {interfaces:,} interfaces")
    if args.json:
        for row in rows:
            put(json.dumps(row) + "\n")
    else:
        put(display.text_table(result.schema, rows) + "\n")
    return verdict(result.report, args, code)


def _sessions(args: argparse.Namespace) -> int:
    flows = flows_of(args)
    query = flows.sessions(idle=args.idle, vantage=args.vantage, intermediaries=args.intermediary)
    if args.order_by:
        query = query.sort(args.order_by, descending=True)
    if args.n:
        query = query.limit(args.n)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    _print_rows(result, flows, args.json)
    return verdict(result.report, args, code)


def _head(args: argparse.Namespace) -> int:
    flows = flows_of(args)
    query = flows.limit(args.n)
    query = query.located() if args.located else query
    names = names_of(args.select)
    result, code = collect(lambda: (query.select(*names) if names else query).collect())
    _print_rows(result, flows, args.json)
    return verdict(result.report, args, code)


def _fields(args: argparse.Namespace) -> int:
    if args.json:
        for field in fields():
            put(json.dumps(field) + "\n")
        return 0
    kinds = [
        ("name", "text"),
        ("version", "int32"),
        ("delivered_in", "text"),
        ("type", "text"),
        ("unit", "text"),
        ("meaning", "text"),
    ]
    put(display.text_table(kinds, fields()) + "\n")
    return 0


def _formats_of(what: Sequence[str]) -> dict[str, str]:
    """The formats asked for, each with where it is from: texts of formats, or those of the logs at paths."""
    formats: dict[str, str] = {}
    for text in what:
        if not os.path.exists(text) and not any(c in text for c in "*?["):
            formats[text] = text
            continue
        try:
            collect(scan(text).limit(1).collect)
        except NoRecordsError as error:
            if not error.partial.report.headers:  # a header line tells the format, even if it is all there is
                raise
        found = scan(text).formats
        formats.update({text if len(found) == 1 else f"{text}, {len(f.split())} fields": f for f in found})
    return formats


def _capabilities(args: argparse.Namespace) -> int:
    if args.recommend is not None:
        put(recommended_format(names_of(args.recommend)) + "\n")
        return 0
    if not args.what:
        raise PlanError("capabilities: give a format, a log, or --recommend")
    for name, text in _formats_of(args.what).items():
        found = capabilities(text)
        if args.json:
            put("".join(json.dumps({"format": name, **capability}) + "\n" for capability in found))
            continue
        lines = [f"{display.printable(name)}:"]
        for c in found:
            lines.append(f"  {c['verdict']:10}  {c['analysis']:22} {c['meaning']}")
            lines += [f"              - {why}" for why in c["why"]]
            lines += [f"              add: {' '.join(c['add'])}"] if c["add"] else []
        put("\n".join(lines) + "\n")
    return 0


def _synth(args: argparse.Namespace) -> int:
    from . import synth as cli_synth

    return cli_synth.run_synth(args)


def _detect(args: argparse.Namespace) -> int:
    from . import rules as cli_rules

    return cli_rules.run_detect(args)


def _rules(args: argparse.Namespace) -> int:
    from . import rules as cli_rules

    return cli_rules.run_rules(args)


def _watch(args: argparse.Namespace) -> int:
    from . import rules as cli_rules

    return cli_rules.run_watch(args)


def _convert(args: argparse.Namespace) -> int:
    from . import convert as cli_convert

    return cli_convert.run_convert(args)


_COMMANDS = {
    "summary": _summary, "top": _top, "sessions": _sessions, "detect": _detect, "head": _head, "convert": _convert,
    "rules": _rules, "watch": _watch, "fields": _fields,
    "capabilities": _capabilities, "coverage": _coverage, "synth": _synth,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit code."""
    occupy_closed_streams()
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _end)  # what is half written goes
    try:
        code = _main(sys.argv[1:] if argv is None else argv)
        finish()
        return code
    except BrokenPipeError:  # who reads has enough
        drop_output()
        return 0
    except VpcflowError as error:
        lines = [display.printable(line) for line in str(error).split("\n")]
        tell("\n".join([f"vpcflow: error: {lines[0]}", *lines[1:]]))
    except ImportError as error:
        note(f"error: {error.name or error} is not installed; pip install 'vpcflow[arrow]'")
    except OSError as error:
        note(f"error: {error}")
    except KeyboardInterrupt:
        note("interrupted")
        return 128 + signal.SIGINT
    with suppress(VpcflowError):
        finish()  # of what was printed before
    return ERROR


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _main(argv: Sequence[str]) -> int:
    try:
        args = _parser().parse_args(with_relative_times(argv))
    except SystemExit:  # --help, --version, or what cannot be
        finish()
        raise
    return _COMMANDS[args.command](args)
