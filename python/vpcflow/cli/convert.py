"""Converts records to files of tables, or to events of SIEMs and lakes: ``vpcflow convert``."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import warnings
from collections.abc import Iterator
from typing import IO

from .._words import count
from ..errors import DataQualityWarning, PlanError
from ..io.saving import KINDS, write_batches
from ..io.writing import Writing
from ..query.flows import Flows
from ..query.report import Report
from ..siem.events import UNITS, Events
from ._names import add_names
from ._output import print_note, stdout
from ._shared import add_community_id, add_input, exit_code_of, flows_of, names_of, note_if_none_passed

HELP = "convert records to CSV, JSON lines, Arrow or Parquet, or to events of OCSF, ECS and other schemas"
EXAMPLES = (
    "convert logs/ -o flows.parquet\n"
    "  vpcflow convert logs/ -o events.jsonl --to ocsf-jsonl --unit records\n"
    "  vpcflow convert logs/ -o lake.parquet --to ocsf-parquet --ocsf-version 1.1.0"
)
#: Kinds of files of events: the schema, and whether it is written as Parquet.
_EVENTS = {
    "ocsf-jsonl": ("ocsf", False), "ocsf-parquet": ("ocsf", True), "ecs-jsonl": ("ecs", False),
    "cim-jsonl": ("cim", False), "asim-jsonl": ("asim", False), "awsvpcflow-jsonl": ("awsvpcflow", False),
    "udm-jsonl": ("udm", False), "cef": ("cef", False),
}  # fmt: skip
_FLUSH_ROWS = 65536
_OF_COLUMNS = ("arrow", "parquet", "ocsf-parquet")  # which compress themselves


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    parser.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="write to FILE (.csv, .jsonl, .arrow or .parquet; with .gz behind it: compressed), or - for standard "
        "output",
    )  # fmt: skip
    parser.add_argument(
        "--to", choices=(*KINDS, *_EVENTS),
        help="write this format, if the ending of FILE does not say; or events of a schema, which --to alone says",
    )  # fmt: skip
    parser.add_argument(
        "--unit", choices=UNITS,
        help="of events: one of each session (the default), or of each record. Reading records in OCSF or ECS gives "
        "the records again; reading sessions gives a record for each, from client to server, without what was joined",
    )  # fmt: skip
    parser.add_argument(
        "--ocsf-version", metavar="VERSION", help="of OCSF: 1.5.0 (the default), or 1.1.0 for Security Lake"
    )
    add_community_id(parser)
    parser.add_argument("--select", metavar="FIELDS", default="", help="write only these fields, separated by commas")
    parser.add_argument(
        "--unsafe-csv", action="store_true", help="leave texts unquoted that a spreadsheet takes for formulas"
    )


def _kind_of(args: argparse.Namespace) -> str:
    """Returns the kind of output: of --to, --json, or the ending."""
    ending = os.path.splitext(args.out.lower().removesuffix(".gz"))[1][1:]
    if args.to in _EVENTS:
        if args.json and not args.to.endswith("-jsonl"):
            raise PlanError(f"--json with --to {args.to}: give one of them")
        return str(args.to)
    of_events = {
        "--unit": args.unit, "--ocsf-version": args.ocsf_version, "--community-id": "" if args.community_id else None,
    }  # fmt: skip
    for option, value in of_events.items():
        if value is not None:
            given = f"{option} {value}".rstrip()
            raise PlanError(f"{given}: it is of events; add --to with one of {', '.join(_EVENTS)}")
    kind: str | None = args.to or (ending if ending in KINDS else None)
    if args.json:
        if kind not in (None, "jsonl"):
            raise PlanError(f"--json with --out {args.out}{f' --to {args.to}' if args.to else ''}: give one of them")
        return "jsonl"
    if kind is None:
        raise PlanError(
            f"--out {args.out}: the ending says what to write: .csv, .jsonl, .arrow or .parquet; or --to does"
        )
    return kind


@contextlib.contextmanager
def _output(out: str) -> Iterator[IO[bytes]]:
    """Opens the file of --out, compressed if its name ends in .gz, or standard output."""
    if out == "-":
        stdout()  # it must be there
    with Writing("/dev/stdout" if out == "-" else out) as target:
        if not out.lower().endswith(".gz"):
            yield target.file
            return
        with gzip.GzipFile("", "wb", 6, target.file, mtime=0) as file:
            yield file  # type: ignore[misc]


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    kind = _kind_of(args)
    if kind in _OF_COLUMNS and args.out.lower().endswith(".gz"):
        raise PlanError(f"--out {args.out}: {kind} is compressed already; expected a name without .gz")
    flows = flows_of(args)
    if kind in _EVENTS:
        return _write_events(flows, kind, args)
    names = names_of(args.select)
    to_stdout = args.out == "-"
    with _output(args.out) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        batches = (flows.select(*names) if names else flows)._batches(_FLUSH_ROWS)
        written = write_batches(file, kind, batches, safe_csv=not args.unsafe_csv)
    code = 0 if written.error is None else 2
    if written.error is not None:
        print_note(f"error: {written.error}")
    if not to_stdout:
        print_note(f"{count(written.rows, 'record')} written to {args.out}")
    return _ended(written.report, args, code)


def _ended(report: Report | None, args: argparse.Namespace, code: int) -> int:
    if report is None:
        return code
    note_if_none_passed(report)
    return exit_code_of(report, args, code)


def _write_events(flows: Flows, kind: str, args: argparse.Namespace) -> int:
    schema, parquet = _EVENTS[kind]
    if args.select:
        raise PlanError(f"--select with --to {kind}: events have all fields; leave one out")
    if args.ocsf_version is not None and schema != "ocsf":
        raise PlanError(f"--ocsf-version {args.ocsf_version} with --to {kind}: it is of ocsf-jsonl and ocsf-parquet")
    events = Events(
        flows, schema, args.ocsf_version or "", args.unit or "sessions", community_id=args.community_id
    )
    to_stdout = args.out == "-"
    with _output(args.out) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        error = events.write_parquet_to(file) if parquet else events.write_to(file)
    if error is not None:
        print_note(f"error: {error}")
    if not to_stdout:
        print_note(f"{count(events.written, 'event')} of {events.unit} written to {args.out}")
    code = 0 if error is None else 2
    return _ended(events.report, args, code)
