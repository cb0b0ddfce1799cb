"""Tables as sources: Arrow tables and frames, Parquet and Arrow IPC files, of which the engine reads the columns that a
query needs; and tables whose rows hold log lines, as text."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable, Optional

from .. import _core
from ..errors import SourceError
from .arrow_streams import sound_batches
from .ocsf import columns as ocsf_columns
from .ocsf import flat_reader, is_ocsf
from .parquet import Bounds
from .table_files import Stored, TableFileReader

if TYPE_CHECKING:
    import pyarrow as pa

_PIECE_ROWS = 1 << 17
# Columns of log lines or JSON events, in the order of precedence; `@`, `_` and case aside.
_MESSAGES = ("message", "raw", "log", "line", "event.original", "original", "textpayload", "body", "event", "value")
#: The names of a table's columns, and whether the engine judges by them if the rows are flow records; None if the
#: stream tells both.
Columns = Optional[tuple[list[str], bool]]


def message_column(names: list[str]) -> str | None:
    """Returns the column that has whole records, as lines or JSON, of a table without columns of flow logs."""
    names = [name for name in names if not name.startswith("__index_level_")]
    if _core.has_flow_columns(names) or is_ocsf(names):
        return None
    plain = {name.lower().lstrip("@_"): name for name in reversed(names)}
    return next((plain[name] for name in _MESSAGES if name in plain), None)


class _Texts:
    """read(size) of the texts of one column of a table, a batch at a time."""

    def __init__(self, column: str, stream: Callable[[], object]) -> None:
        self._column, self._stream = column, stream
        self._texts: _core.ArrowTexts | None = None
        self._rest = b""

    def __call__(self, size: int) -> bytes:
        if self._texts is None:
            self._texts = _core.ArrowTexts(self._stream(), self._column)
        while not self._rest:
            lines = self._texts.next()
            if lines is None:
                return b""
            self._rest = lines
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def text_source(name: str, column: str, stream: Callable[[], object], again: bool) -> _core.Source:
    """Returns the source of the texts in a column of a table. ``again``: whether ``stream`` may be called again."""
    if again:
        return _core.Source.reopened(name, lambda: _Texts(column, stream))
    return _core.Source.reader(name, _Texts(column, stream))


class ArrowTable:
    """An object with ``__arrow_c_stream__``: a table, a frame, a relation, a reader; or a series of log lines."""

    def __init__(self, data: Any) -> None:
        self._data = data
        # Readers of pyarrow and nanoarrow give their rows once.
        self._once = type(data).__name__ in ("RecordBatchReader", "ArrayStream")
        self._spent = False
        self._own = isinstance(getattr(data, "_table", None), _core.Table)  # a Result: what was asked for, not judged

    def _names(self) -> list[str]:
        what: Any
        for what in (self._data, getattr(self._data, "schema", None)):
            if hasattr(what, "__arrow_c_schema__"):
                return [str(name) for name in _core.schema_names(what.__arrow_c_schema__())]
        names = getattr(self._data, "column_names", None)
        if names is None:
            names = getattr(self._data, "columns", None)
        if names is None:
            names = [field.name for field in getattr(self._data, "schema", [])]
        index = getattr(getattr(self._data, "index", None), "names", [])  # of pandas, which has columns of them
        return [str(getattr(n, "name", n)) for n in [*names, *(n for n in index if n is not None)]]

    def source(self) -> _core.Source:
        """Returns the source of its rows; or, if it has log lines in a column or is a series of them, of these."""
        series = hasattr(self._data, "dtype") or type(self._data).__name__ in ("ChunkedArray", "StringArray")
        column = None if self._own else "" if series else message_column(self._names())
        if column is None:
            return _core.Source.arrow("<arrow>", self)
        return text_source("<arrow>", column, lambda: self.stream(0, None), not self._once)

    def columns(self) -> Columns:
        names = self._names()
        if is_ocsf(names) and self._of_pyarrow():
            return ocsf_columns(self._data.schema), False
        return (names, not self._own) if names else None

    def pieces(self) -> list[int]:
        """Returns the pieces of tables in memory whose columns have to be flattened; other batches are shared as they
        are."""
        if not self._of_pyarrow() or not hasattr(self._data, "num_rows") or not is_ocsf(self._data.schema.names):
            return []
        rows = self._data.num_rows
        return [min(_PIECE_ROWS, rows - first) for first in range(0, rows, _PIECE_ROWS)]

    def may_hold(self, piece: int, bounds: list[Bounds]) -> bool:
        return True

    def stream(self, piece: int, fields: list[str] | None) -> object:
        if self._spent:
            raise SourceError("this Arrow stream was already consumed")
        self._spent = self._once
        try:
            if self._of_pyarrow():
                return self._validated(piece, fields).__arrow_c_stream__()
            return self._data.__arrow_c_stream__()
        # Columns of mixed objects, types that a producer cannot hand over, a closed reader.
        except (ValueError, TypeError, OSError, NotImplementedError) as error:
            raise SourceError(f"no Arrow stream: {' '.join(str(error).split())}") from None

    def _of_pyarrow(self) -> bool:
        arrow = sys.modules.get("pyarrow")
        return arrow is not None and isinstance(self._data, (arrow.Table, arrow.RecordBatch, arrow.RecordBatchReader))

    def _validated(self, piece: int, fields: list[str] | None) -> pa.RecordBatchReader:
        """Only pyarrow knows how large its buffers are, which the C interface does not say."""
        import pyarrow

        data, ocsf = self._data, is_ocsf(self._data.schema.names)
        if ocsf and hasattr(data, "num_rows"):
            data = data.slice(piece * _PIECE_ROWS, _PIECE_ROWS)
        if isinstance(data, pyarrow.Table):
            batches = iter(data.to_batches())
        else:
            batches = iter([data]) if isinstance(data, pyarrow.RecordBatch) else iter(data)
        sound = sound_batches("<arrow>", "Arrow data", batches)
        if ocsf:
            return flat_reader(data.schema, sound, fields)
        return pyarrow.RecordBatchReader.from_batches(data.schema, sound)


class TableFile:
    """A Parquet or Arrow IPC file, read by pyarrow a batch at a time; Parquet in pieces of row groups."""

    def __init__(self, source: _core.Source, kind: str, elsewhere: Stored | None = None) -> None:
        self._stored, self._kind, self._elsewhere = source, kind, elsewhere
        self._columns: Columns = None
        self._lock = threading.Lock()
        # Of Parquet, until a scan has come to the last piece: a folder may have many files.
        self._opened: TableFileReader | None = None
        self._last = 0

    def _open(self) -> TableFileReader:
        return self._opened or TableFileReader(self._stored.name, self._kind, self._elsewhere or self._stored.memory())

    def _forget(self) -> None:
        self._opened = None
        if self._elsewhere is not None:
            self._elsewhere.release()

    def message_column(self) -> str | None:
        """Returns the column that has log lines, if it is a table of these."""
        names: list[str] = []
        with contextlib.suppress(SourceError):  # the scan itself reports it
            names = self._read_columns()[0]
        return message_column(names)

    def source(self) -> _core.Source:
        """Returns the source of its rows, or of the log lines that they hold."""
        return self.source_of(self.message_column())

    def source_of(self, column: str | None) -> _core.Source:
        """Returns the source of the log lines in a column, or of the rows."""
        name = self._stored.name
        if column is None:
            return _core.Source.arrow(name, self, self._stored)
        return text_source(name, column, lambda: self._open().stream(_core.fields_of_columns([column])), True)

    def _read_columns(self) -> tuple[list[str], bool]:
        with self._lock:
            if self._columns is None:
                file = self._open()
                ocsf = is_ocsf(file.names)
                self._columns = (ocsf_columns(file.schema), False) if ocsf else (file.names, True)
            return self._columns

    def columns(self) -> Columns:
        return self._read_columns()

    def pieces(self) -> list[int]:
        self._opened = None  # the file may have changed
        file = self._open()
        rows = file.pieces()
        if rows:
            self._opened, self._last = file, len(rows) - 1
        return rows

    def may_hold(self, piece: int, bounds: list[Bounds]) -> bool:
        return self._open().may_hold(piece, bounds)

    def stream(self, piece: int, fields: list[str] | None) -> object:
        file = self._open()
        try:
            return file.stream(fields, piece)
        finally:
            if piece >= self._last:
                self._forget()
