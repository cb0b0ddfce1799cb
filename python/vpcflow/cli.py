"""The command line: ``vpcflow COMMAND ...``. Exit codes: 0 fine, 1 too many rejects, 2 error."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Callable

from . import __version__, containers, display, fields, plants
from .capability import capabilities, recommended_format
from .errors import DataQualityWarning, ParseError, PlanError, VpcflowError
from .result import Result
from .scan import Flows, Progress, scan
from .summary import Summary, summarize
from .synthetic import synth

_EXAMPLES = """examples:
  vpcflow summary logs/
  vpcflow top logs/ --by srcaddr,dstport --agg bytes=sum(bytes) --agg flows=count() -n 20 --order-by bytes
  vpcflow top 'logs/**/*.log.gz' --where "action = 'REJECT'" --by dstport --json
  zcat flow.log.gz | vpcflow head - -n 5 --json
  vpcflow detect logs/ --json
  vpcflow sessions logs/ --json
  vpcflow convert logs/ -o flows.parquet --where "dstport = 22"
  vpcflow synth --records 1000000 --seed 7 --plant all --out demo/
"""
_FLUSH_ROWS = 65536
_KINDS = ("csv", "jsonl", "arrow", "parquet")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


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
    parser.add_argument("--start", metavar="TIME", help="only records from then on, e.g. 2026-11-23T06:00:00Z")
    parser.add_argument("--end", metavar="TIME", help="only records that start before; objects outside are not opened")
    parser.add_argument("--account", action="append", metavar="ID", help="only its objects; may be repeated")
    parser.add_argument("--region", action="append", metavar="NAME", help="only its objects; may be repeated")
    parser.add_argument(
        "--duplicates", choices=("once", "all"), default="once", help="how often files with the same bytes are read"
    )
    parser.add_argument(
        "--on-error", choices=("skip", "raise", "null"), default="skip", help="what a malformed line does"
    )
    parser.add_argument("--threads", type=_positive, help="worker threads (default: one per processor)")
    parser.add_argument("--max-memory", metavar="SIZE", help="most that groups and rows may take, e.g. 2GB")
    parser.add_argument("--max-output-bytes", metavar="SIZE", help="most that one packed file may unpack to, e.g. 50GB")
    parser.add_argument("--max-rejects", type=int, metavar="N", help="exit with 1 if more than N lines are rejected")
    parser.add_argument("--json", action="store_true", help="JSON instead of a page for people")


def _parser() -> argparse.ArgumentParser:
    from . import cli_rules  # it uses what is here

    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="vpcflow", description="AWS VPC flow logs: see, count, convert.", epilog=_EXAMPLES, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=f"vpcflow {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, epilog=f"example:\n  vpcflow {example}", formatter_class=raw
        )

    summary = add("summary", "the first look: span, volume, top talkers, rejects, coverage", "summary logs/")
    add_input(summary)

    top = add(
        "top", "groups with the largest aggregate",
        "top logs/ --by srcaddr --agg bytes=sum(bytes) --agg peers=n_unique(dstaddr) -n 20",
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
    top.add_argument("-n", type=_positive, default=10, help="number of groups (default 10)")
    top.add_argument("--order-by", metavar="NAME", help="the aggregate that decides (default: the first)")
    top.add_argument("--per", metavar="FIELDS", default="", help="so many groups for each value of these keys")
    top.add_argument(
        "--counters", type=_positive, metavar="N",
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
    talks.add_argument("-n", type=_positive, help="number of sessions (default: all)")
    talks.add_argument("--order-by", metavar="COLUMN", help="largest first (default: by start)")

    cli_rules.add_commands(add)

    head = add("head", "the first records, typed", "head flow.log.gz -n 5 --json")
    add_input(head)
    head.add_argument("-n", type=_positive, default=10, help="number of records (default 10)")
    head.add_argument("--select", metavar="FIELDS", default="", help="only these fields, separated by commas")
    head.add_argument("--located", action="store_true", help="with file and offset of each record")

    convert = add("convert", "records to CSV, JSON lines, Arrow or Parquet", "convert logs/ -o flows.parquet")
    add_input(convert)
    convert.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="FILE",
        help="ending in .csv, .jsonl, .arrow or .parquet; - for standard output",
    )
    convert.add_argument("--to", choices=_KINDS, help="what to write, if the ending does not say")
    convert.add_argument("--select", metavar="FIELDS", default="", help="only these fields, separated by commas")
    convert.add_argument(
        "--unsafe-csv", action="store_true", help="leave texts as they are that a spreadsheet takes for formulas"
    )

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

    made = add(
        "synth",
        "synthetic logs with planted, labelled incidents",
        "synth --records 1000000 --seed 7 --plant all --out demo/",
    )
    made.add_argument("--records", type=_positive, default=100_000)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--out", required=True, metavar="DIR", help="folder for the logs, manifest.json and labels.json")
    made.add_argument("--format", help="as for the other commands; AWS's default without")
    made.add_argument("--plant", default="", metavar="NAMES", help=f"all, or some of: {', '.join(plants())}")
    made.add_argument("--hours", type=float, default=6.0, help="time span (default 6)")
    made.add_argument("--start", type=int, help="Unix seconds of the first window")
    made.add_argument("--window", type=int, default=60, help="aggregation interval in seconds (default 60)")
    made.add_argument("--interfaces", type=int, default=300)
    made.add_argument("--accounts", type=int, default=3)
    made.add_argument("--peers", type=int, default=120_000, help="outside hosts of ordinary traffic")
    made.add_argument("--noise-sources", type=int, default=60_000, help="outside hosts whose traffic is rejected")
    for share, default in (("ipv6", 0.02), ("nodata", 0.004), ("skipdata", 0.0005), ("reject", 0.12)):
        made.add_argument(f"--{share}-share", type=float, default=default, help=f"share of records (default {default})")
    made.add_argument("--files", type=_positive, default=1)
    made.add_argument("--gzip", action="store_true")
    made.add_argument("--gzip-level", type=int, default=6)
    made.add_argument("--no-header", dest="header", action="store_false", help="no header lines")
    made.add_argument("--s3-layout", action="store_true", help="AWS's folders and file names, gzip, 5-minute objects")
    made.add_argument("--json", action="store_true", help="what was made as a JSON object")
    return parser


def note(text: str) -> None:
    print(f"vpcflow: {display.printable(text)}", file=sys.stderr)


@contextmanager
def progress_line(wanted: bool) -> Iterator[Progress | None]:
    """A progress line on standard error while it is a terminal and the work takes more than half a second."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    began = last = time.monotonic()

    def show(done: int, total: int, files: int, all_files: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - began < 0.5 or now - last < 0.2:
            return
        last = now
        share = f" {min(done / total, 1):.0%}" if total else ""
        rate = display.human_bytes(done / (now - began))
        print(f"\r{display.human_bytes(done)}{share}, {files}/{all_files} files, {rate}/s  ", end="", file=sys.stderr)

    try:
        yield show
    finally:
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)


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
    )
    return flows.filter(args.where) if args.where else flows


def _time(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def names_of(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def collect(run: Callable[[], Any]) -> tuple[Any, int]:
    """The result and the exit code; of damaged sources what could be read, with the error told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            return run(), 0
        except VpcflowError as error:
            if error.partial is None:
                raise
            note(f"error: {error}")
            return error.partial, 2


def verdict(report: Any, args: argparse.Namespace, code: int, quiet: bool = False) -> int:
    """Tells about rejects, and decides between 0 and 1."""
    if not quiet:
        for warning in report.warnings:
            note(f"note: {warning}")
        if report.rejected:
            first = report.rejects[0]
            place = f"{first['file']}:{first['line']}:{first['column']}: "
            field = f"{first['field']}: " if first["field"] else ""
            lines = "1 line" if report.rejected == 1 else f"{report.rejected:,} lines"
            note(f"{lines} rejected; the first: {place}{field}{first['reason']}: {first['excerpt']}")
    too_many = args.max_rejects is not None and report.rejected > args.max_rejects
    return max(code, 1 if too_many else 0)


def _summary(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        summary, code = collect(lambda: summarize(flows_of(args), progress=progress))
    if not isinstance(summary, Summary):
        return code
    if code and not args.json and not summary.report.records:
        return code  # the error has been told, and there is nothing to show
    print(json.dumps(summary.as_dict()) if args.json else summary.text(), end="\n" if args.json else "")
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


def _print_rows(result: Result, as_json: bool, aws_names: bool = False) -> None:
    if as_json:
        sys.stdout.flush()
        sys.stdout.buffer.write(result._table.to_json_lines(aws_names))
    elif len(result) or not result.report.errors:
        print(display.text_table(result.schema, result.rows()))


def _top(args: argparse.Namespace) -> int:
    aggs = _aggregates(args)
    query = flows_of(args).group_by(*names_of(args.by), every=args.every, bin_by=args.bin_by).agg(**aggs)
    if args.having:
        query = query.having(*args.having)
    by = args.order_by or next(iter(aggs))
    query = query.top_k(args.n, by=by, other=args.other, per=names_of(args.per), counters=args.counters)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    _print_rows(result, args.json)
    return verdict(result.report, args, code)


def _coverage(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        result, code = collect(lambda: flows_of(args).coverage(progress=progress))
    rows = [row for row in result if not args.gaps or row["seen"] in ("absent", "SKIPDATA")]
    if args.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print(display.text_table(result.schema, rows))
    return verdict(result.report, args, code)


def _sessions(args: argparse.Namespace) -> int:
    query = flows_of(args).sessions(idle=args.idle, vantage=args.vantage, intermediaries=args.intermediary)
    if args.order_by:
        query = query.sort(args.order_by, descending=True)
    if args.n:
        query = query.limit(args.n)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    _print_rows(result, args.json)
    return verdict(result.report, args, code)


def _head(args: argparse.Namespace) -> int:
    query = flows_of(args).limit(args.n)
    query = query.located() if args.located else query
    names = names_of(args.select)
    result, code = collect(lambda: (query.select(*names) if names else query).collect())
    _print_rows(result, args.json, aws_names=True)
    return verdict(result.report, args, code)


class _Output:
    """A file of converted records, by its ending. Written beside its place and moved there when it is complete."""

    def __init__(self, path: str, kind: str | None, safe_csv: bool) -> None:
        self._path = path
        self._kind = kind or os.path.splitext(path)[1][1:]
        self._safe = safe_csv
        self._rows = 0
        self._arrow: Any = None
        if self._kind not in _KINDS:
            raise PlanError(
                f"--out {path}: the ending says what to write: .csv, .jsonl, .arrow or .parquet; or --to does"
            )
        if path == "-":
            self._temporary = None
            self._file: Any = sys.stdout.buffer
        else:
            self._temporary = f"{path}.{os.getpid()}.part"
            self._file = open(self._temporary, "xb")  # noqa: SIM115 (closed by close())

    def write(self, batch: Result) -> None:
        if self._kind == "csv":
            self._file.write(batch._table.to_csv(self._rows == 0, self._safe))
        elif self._kind == "jsonl":
            self._file.write(batch._table.to_json_lines(True))
        else:
            self._write_arrow(batch)
        self._rows += len(batch)

    def _write_arrow(self, batch: Result) -> None:
        import pyarrow

        # Dictionaries differ from batch to batch, so texts are written plain (Parquet encodes them itself).
        table = batch.to_arrow()
        plain = [
            pyarrow.field(f.name, pyarrow.string() if pyarrow.types.is_dictionary(f.type) else f.type)
            for f in table.schema
        ]
        table = table.cast(pyarrow.schema(plain))
        if self._arrow is None:
            if self._kind == "parquet":
                from pyarrow import parquet

                self._arrow = parquet.ParquetWriter(self._file, table.schema)
            else:
                self._arrow = pyarrow.ipc.new_file(self._file, table.schema)
        self._arrow.write_table(table)

    def close(self, keep: bool) -> None:
        if self._temporary is None:
            self._finish()
            return
        try:
            with nullcontext() if keep else suppress(Exception):  # of what is thrown away, errors do not matter
                self._finish()
                self._file.close()
            if keep:
                os.replace(self._temporary, self._path)
        finally:
            with suppress(FileNotFoundError):  # it was moved
                os.unlink(self._temporary)

    def _finish(self) -> None:
        if self._arrow is not None:
            self._arrow.close()
        self._file.flush()


def _convert(args: argparse.Namespace) -> int:
    flows = flows_of(args)
    names = names_of(args.select)
    output = _Output(args.out, args.to, not args.unsafe_csv)
    code, rows, report = 0, 0, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            for batch in (flows.select(*names) if names else flows).batches(_FLUSH_ROWS):
                output.write(batch)
                rows += len(batch)
                report = batch.report
    except BaseException as error:
        # What came before damage is kept; other errors leave nothing behind.
        keep = isinstance(error, VpcflowError) and not isinstance(error, ParseError) and rows > 0
        output.close(keep)
        if not keep:
            raise
        note(f"error: {error}")
        code = 2
    else:
        output.close(True)
    if args.out != "-":
        print(f"{rows:,} records written to {display.printable(args.out)}", file=sys.stderr)
    return verdict(report, args, code) if report is not None else code


def _fields(args: argparse.Namespace) -> int:
    if args.json:
        for field in fields():
            print(json.dumps(field))
        return 0
    kinds = [
        ("name", "text"),
        ("version", "int32"),
        ("delivered_in", "text"),
        ("type", "text"),
        ("unit", "text"),
        ("meaning", "text"),
    ]
    print(display.text_table(kinds, fields()))
    return 0


def _formats_of(what: Sequence[str]) -> dict[str, str]:
    """The formats asked for, each with where it is from: texts of formats, or those of the logs at paths."""
    formats: dict[str, str] = {}
    for text in what:
        if not os.path.exists(text) and not any(c in text for c in "*?["):
            formats[text] = text
            continue
        found = scan(text).formats
        formats.update({text if len(found) == 1 else f"{text}, {len(f.split())} fields": f for f in found})
    return formats


def _capabilities(args: argparse.Namespace) -> int:
    if args.recommend is not None:
        print(recommended_format(names_of(args.recommend)))
        return 0
    if not args.what:
        raise PlanError("capabilities: give a format, a log, or --recommend")
    for name, text in _formats_of(args.what).items():
        found = capabilities(text)
        if args.json:
            for capability in found:
                print(json.dumps({"format": name, **capability}))
            continue
        print(f"{display.printable(name)}:")
        for c in found:
            print(f"  {c['verdict']:10}  {c['analysis']:22} {c['meaning']}")
            for why in c["why"]:
                print(f"              - {why}")
            if c["add"]:
                print(f"              add: {' '.join(c['add'])}")
    return 0


def _synth(args: argparse.Namespace) -> int:
    options = {
        name: getattr(args, name)
        for name in (
            "records", "seed", "out", "format", "plant", "hours", "window", "interfaces", "accounts", "peers",
            "noise_sources", "ipv6_share", "nodata_share", "skipdata_share", "reject_share", "files", "gzip",
            "gzip_level", "header", "s3_layout",
        )
    }  # fmt: skip
    if args.start is not None:
        options["start"] = args.start
    made = synth(**options)
    if args.json:
        print(
            json.dumps(
                {"records": made.records, "text_bytes": made.text_bytes, "files": made.files, "labels": made.labels}
            )
        )
    else:
        size = display.human_bytes(made.text_bytes)
        files = f"{len(made.files)} file{'s' if len(made.files) != 1 else ''}"
        print(f"{made.records:,} records, {size} of text, {files} in {display.printable(args.out)}")
        for label in made.labels:
            print(f"  planted {label['kind']}: {label['actor']}, {label['records']:,} records; {label['note']}")
    return 0


def _detect(args: argparse.Namespace) -> int:
    from . import cli_rules

    return cli_rules.run_detect(args)


def _rules(args: argparse.Namespace) -> int:
    from . import cli_rules

    return cli_rules.run_rules(args)


def _watch(args: argparse.Namespace) -> int:
    from . import cli_rules

    return cli_rules.run_watch(args)


_COMMANDS = {
    "summary": _summary, "top": _top, "sessions": _sessions, "detect": _detect, "head": _head, "convert": _convert,
    "rules": _rules, "watch": _watch, "fields": _fields,
    "capabilities": _capabilities, "coverage": _coverage, "synth": _synth,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        code = _COMMANDS[args.command](args)
        sys.stdout.flush()
        return code
    except VpcflowError as error:
        lines = str(error).split("\n")
        print(
            "\n".join([f"vpcflow: error: {display.printable(lines[0])}", *map(display.printable, lines[1:])]),
            file=sys.stderr,
        )
        return 2
    except ImportError as error:
        note(f"error: {error.name or error} is not installed; pip install 'vpcflow[arrow]'")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        note(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        note("interrupted")
        return 128 + signal.SIGINT
