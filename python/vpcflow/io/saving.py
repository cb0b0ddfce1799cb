"""Tables on their way to files, a batch at a time: CSV, JSON lines, Arrow IPC, Parquet."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from typing import IO, Any, Generic, Protocol, TypeVar

from .. import _core
from ..errors import ParseError, VpcflowError
from .frames import arrow_table, plain_texts

#: Kinds of files, by their usual endings.
KINDS = ("csv", "jsonl", "arrow", "parquet")
R = TypeVar("R", covariant=True)


class Batch(Protocol[R]):
    """Rows, and the report of the scan up to them: a result."""

    _table: _core.Table

    @property
    def report(self) -> R: ...


@dataclasses.dataclass
class Written(Generic[R]):
    """What was written, the report of it, and the error of damaged sources."""

    rows: int
    report: R | None
    error: VpcflowError | None


def write_batches(file: IO[bytes], kind: str, batches: Iterable[Batch[R]], *, safe_csv: bool = True) -> Written[R]:
    """Writes batches as one file of a kind: one of :data:`KINDS`, or ``log``, a flow log with its header line. Of
    damaged sources the rows before the damage are written, and the error is returned; any other error, and one before
    the first row, is raised."""
    writer, written = _Writer(file, kind, safe_csv), Written[R](0, None, None)
    try:
        for batch in batches:
            written.report = batch.report
            writer.write(batch._table)
            written.rows += len(batch._table)
        writer.close()
    except BaseException as error:
        damaged = isinstance(error, VpcflowError) and not isinstance(error, ParseError) and written.rows > 0
        with contextlib.nullcontext() if damaged else contextlib.suppress(Exception):
            writer.close()
        if not isinstance(error, VpcflowError) or not damaged:
            raise
        written.error = error
    return written


class _Writer:
    def __init__(self, file: IO[bytes], kind: str, safe_csv: bool) -> None:
        self._file, self._kind, self._safe = file, kind, safe_csv
        self._begun = False
        self._arrow: Any = None

    def write(self, table: _core.Table) -> None:
        if self._kind == "csv":
            self._file.write(table.to_csv(not self._begun, self._safe))
        elif self._kind == "log":
            header = "" if self._begun else f"{' '.join(name for name, _ in table.schema).replace('_', '-')}\n"
            self._file.write(header.encode() + table.to_log_lines())
        elif self._kind == "jsonl":
            self._file.write(table.to_json_lines())
        else:
            self._write_arrow(table)
        self._begun = True

    def _write_arrow(self, table: _core.Table) -> None:
        import pyarrow

        # Dictionaries differ from batch to batch, so texts are written plain (Parquet encodes them itself).
        arrow = plain_texts(arrow_table(table))
        if self._arrow is None:
            if self._kind == "parquet":
                from pyarrow import parquet

                self._arrow = parquet.ParquetWriter(self._file, arrow.schema)
            else:
                self._arrow = pyarrow.ipc.new_file(self._file, arrow.schema)
        self._arrow.write_table(arrow)

    def close(self) -> None:
        """Ends the file format."""
        if self._arrow is not None:
            arrow, self._arrow = self._arrow, None
            arrow.close()
