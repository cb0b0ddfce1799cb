"""Converts records to CSV, JSON lines, Arrow or Parquet: ``vpcflow convert``."""

from __future__ import annotations

import argparse
import os
import warnings

from .._words import count
from ..errors import DataQualityWarning, PlanError
from ..io.saving import KINDS, write_batches
from ..io.writing import Writing
from ._names import add_names
from ._output import print_note, stdout
from ._shared import add_input, exit_code_of, flows_of, names_of

HELP = "convert records to CSV, JSON lines, Arrow or Parquet"
EXAMPLES = "convert logs/ -o flows.parquet"
_FLUSH_ROWS = 65536


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    parser.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="write to FILE (.csv, .jsonl, .arrow or .parquet), or - for standard output",
    )  # fmt: skip
    parser.add_argument("--to", choices=KINDS, help="write this format, if the ending of FILE does not say")
    parser.add_argument("--select", metavar="FIELDS", default="", help="write only these fields, separated by commas")
    parser.add_argument(
        "--unsafe-csv", action="store_true", help="leave texts unquoted that a spreadsheet takes for formulas"
    )


def _kind_of(args: argparse.Namespace) -> str:
    """Returns the kind of output: of --to, --json, or the ending."""
    ending = os.path.splitext(args.out)[1][1:].lower()
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


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    kind = _kind_of(args)
    flows = flows_of(args)
    names = names_of(args.select)
    to_stdout = args.out == "-"
    if to_stdout:
        stdout()  # it must be there
    with Writing("/dev/stdout" if to_stdout else args.out) as target, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        batches = (flows.select(*names) if names else flows)._batches(_FLUSH_ROWS)
        written = write_batches(target.file, kind, batches, safe_csv=not args.unsafe_csv)
    code = 0 if written.error is None else 2
    if written.error is not None:
        print_note(f"error: {written.error}")
    if not to_stdout:
        print_note(f"{count(written.rows, 'record')} written to {args.out}")
    return exit_code_of(written.report, args, code) if written.report is not None else code
