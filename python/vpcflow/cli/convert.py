"""The command `vpcflow convert`: records to CSV, JSON lines, Arrow or Parquet."""

from __future__ import annotations

import argparse
import contextlib
import os
import warnings
from typing import Any, Callable

from ..errors import DataQualityWarning, ParseError, PlanError, VpcflowError
from ..io.writing import Writing
from ..query.result import Result
from . import _shared as cli
from ._output import note, stdout

_FLUSH_ROWS = 65536
_KINDS = ("csv", "jsonl", "arrow", "parquet")


def add_command(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Adds the parser."""
    convert = add("convert", "records to CSV, JSON lines, Arrow or Parquet", "convert logs/ -o flows.parquet")
    cli.add_input(convert)
    convert.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="ending in .csv, .jsonl, .arrow or .parquet; - for standard output",
    )  # fmt: skip
    convert.add_argument("--to", choices=_KINDS, help="what to write, if the ending does not say")
    convert.add_argument("--select", metavar="FIELDS", default="", help="only these fields, separated by commas")
    convert.add_argument(
        "--unsafe-csv", action="store_true", help="leave texts as they are that a spreadsheet takes for formulas"
    )


def _kind_of(args: argparse.Namespace) -> str:
    """What to write: of --to, --json, or the ending."""
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


def run_convert(args: argparse.Namespace) -> int:
    """`vpcflow convert`."""
    kind = _kind_of(args)
    flows = cli.flows_of(args)
    names = cli.names_of(args.select)
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
            note(f"error: {error}")
            code = 2
    if not to_stdout:
        note(f"{output.rows:,} records written to {args.out}")
    return cli.verdict(report, args, code) if report is not None else code


