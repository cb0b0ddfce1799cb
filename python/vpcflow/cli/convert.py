"""Converts records to CSV, JSON lines, Arrow or Parquet: ``vpcflow convert``."""

from __future__ import annotations

import argparse
import contextlib
import os
import warnings
from typing import Any

from ..errors import DataQualityWarning, ParseError, PlanError, VpcflowError
from ..io.writing import Writing
from ..query.result import Result
from ._output import print_note, stdout
from ._shared import add_input, exit_code_of, flows_of, names_of

HELP = "convert records to CSV, JSON lines, Arrow or Parquet"
EXAMPLES = "convert logs/ -o flows.parquet"
_FLUSH_ROWS = 65536
_KINDS = ("csv", "jsonl", "arrow", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="write to FILE (.csv, .jsonl, .arrow or .parquet), or - for standard output",
    )  # fmt: skip
    parser.add_argument("--to", choices=_KINDS, help="write this format, if the ending of FILE does not say")
    parser.add_argument("--select", metavar="FIELDS", default="", help="write only these fields, separated by commas")
    parser.add_argument(
        "--unsafe-csv", action="store_true", help="leave texts unquoted that a spreadsheet takes for formulas"
    )


def _kind_of(args: argparse.Namespace) -> str:
    """Returns the kind of output: of --to, --json, or the ending."""
    ending = os.path.splitext(args.out)[1][1:].lower()
    kind: str | None = args.to or (ending if ending in _KINDS else None)
    if args.json:
        if kind not in (None, "jsonl"):
            raise PlanError(f"--json with --out {args.out}{f' --to {args.to}' if args.to else ''}: give one of them")
        return "jsonl"
    if kind is None:
        raise PlanError(
            f"--out {args.out}: the ending says what to write: .csv, .jsonl, .arrow or .parquet; or --to does"
        )
    return kind


class _Output:
    """Converted records on their way to a file."""

    def __init__(self, file: Any, kind: str, safe_csv: bool) -> None:
        self._file, self._kind, self._safe = file, kind, safe_csv
        self._begun = False
        self._arrow: Any = None
        self.rows = 0

    def write(self, batch: Result) -> None:
        if self._kind == "csv":
            self._file.write(batch._table.to_csv(not self._begun, self._safe))
        elif self._kind == "jsonl":
            self._file.write(batch._table.to_json_lines())
        else:
            self._write_arrow(batch)
        self._begun = True
        self.rows += len(batch)

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

    def close(self) -> None:
        """Ends the file format."""
        if self._arrow is not None:
            arrow, self._arrow = self._arrow, None
            arrow.close()


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    kind = _kind_of(args)
    flows = flows_of(args)
    names = names_of(args.select)
    to_stdout = args.out == "-"
    if to_stdout:
        stdout()  # it must be there
    with Writing("/dev/stdout" if to_stdout else args.out) as target:
        output = _Output(target.file, kind, not args.unsafe_csv)
        code, report = 0, None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataQualityWarning)
                for batch in (flows.select(*names) if names else flows)._batches(_FLUSH_ROWS):
                    report = batch.report
                    output.write(batch)
            output.close()
        except BaseException as error:
            # What came before damage is kept; other errors leave nothing behind.
            damaged = isinstance(error, VpcflowError) and not isinstance(error, ParseError)
            with contextlib.nullcontext() if damaged and output.rows else contextlib.suppress(Exception):
                output.close()
            if not damaged or not output.rows:
                raise
            print_note(f"error: {error}")
            code = 2
    if not to_stdout:
        print_note(f"{output.rows:,} records written to {args.out}")
    return exit_code_of(report, args, code) if report is not None else code
