"""Tables as sources: Arrow tables and frames, Parquet and Arrow IPC files, of which the engine reads the columns that a
query needs; and tables whose rows hold log lines, as text."""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, Optional

from .. import _core
from ..errors import SourceError
from .ocsf import columns as ocsf_columns
from .ocsf import empty_batch, flat_batch, is_ocsf

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65536
# Columns of log lines or JSON events, in the order of precedence; `@`, `_` and case aside.
_MESSAGES = ("message", "raw", "log", "line", "event.original", "original", "textpayload", "body", "event", "value")
#: The names of a table's columns, and whether the engine judges by them if the rows are flow records; None if the
#: stream tells both.
Columns = Optional[tuple[list[str], bool]]


def message_column(names: list[str]) -> str | None:
    """The column that has whole records, as lines or JSON, of a table without columns of flow logs."""
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


def _text_source(name: str, column: str, stream: Callable[[], object], again: bool) -> _core.Source:
    if again:
        return _core.Source.reopened(name, lambda: _Texts(column, stream))
    return _core.Source.reader(name, _Texts(column, stream))


def _flat(schema: pa.Schema, batches: Iterable[pa.RecordBatch], fields: list[str] | None) -> pa.RecordBatchReader:
    """OCSF events, which are nested, as columns of fields."""
    import pyarrow

    wanted = None if fields is None else set(fields)
    flat = flat_batch(empty_batch(schema), wanted).schema
    return pyarrow.RecordBatchReader.from_batches(flat, (flat_batch(batch, wanted) for batch in batches))


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
        """The source of its rows; or, if it has log lines in a column or is a series of them, of these."""
        series = hasattr(self._data, "dtype") or type(self._data).__name__ in ("ChunkedArray", "StringArray")
        column = None if self._own else "" if series else message_column(self._names())
        if column is None:
            return _core.Source.arrow("<arrow>", self)
        return _text_source("<arrow>", column, lambda: self.stream(0, None), not self._once)

    def columns(self) -> Columns:
        names = self._names()
        if is_ocsf(names) and self._of_pyarrow():
            return ocsf_columns(self._data.schema), False
        return (names, not self._own) if names else None

    def pieces(self) -> list[int]:
        return []

    def stream(self, piece: int, fields: list[str] | None) -> object:
        if self._spent:
            raise SourceError("this Arrow stream was already consumed")
        self._spent = self._once
        try:
            if self._of_pyarrow():
                return self._validated(fields).__arrow_c_stream__()
            return self._data.__arrow_c_stream__()
        # Columns of mixed objects, types that a producer cannot hand over, a closed reader.
        except (ValueError, TypeError, OSError, NotImplementedError) as error:
            raise SourceError(f"no Arrow stream: {' '.join(str(error).split())}") from None

    def _of_pyarrow(self) -> bool:
        arrow = sys.modules.get("pyarrow")
        return arrow is not None and isinstance(self._data, (arrow.Table, arrow.RecordBatch, arrow.RecordBatchReader))

    def _validated(self, fields: list[str] | None) -> pa.RecordBatchReader:
        """Only pyarrow knows how large its buffers are, which the C interface does not say."""
        import pyarrow

        data = self._data
        if isinstance(data, pyarrow.Table):
            batches = iter(data.to_batches())
        else:
            batches = iter([data]) if isinstance(data, pyarrow.RecordBatch) else iter(data)
        sound = _sound("<arrow>", "Arrow data", batches)
        if is_ocsf(data.schema.names):
            return _flat(data.schema, sound, fields)
        return pyarrow.RecordBatchReader.from_batches(data.schema, sound)


def _sound(name: str, kind: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches whose buffers are as large as their lengths and last offsets say, in constant time for each column;
    what lies in between the engine checks. Errors name the table."""
    from pyarrow import lib

    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            batch.validate()
        except (lib.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"{name}: damaged {kind}: {' '.join(str(error).split())}") from None
        yield batch


class _File:
    """An open file of batches."""

    def __init__(self, name: str, kind: str, data: bytes | None) -> None:
        from pyarrow import lib, parquet

        self.name, self.kind, self._data = name, kind, data
        try:
            if kind == "Parquet":
                self._parquet = parquet.ParquetFile(self._source())
                self.schema = self._parquet.schema_arrow
            elif kind == "Feather 1":
                self._table = self._feather()
                self.schema = self._table.schema
            else:
                self.schema = self._reader(None).schema
            self.names: list[str] = self.schema.names  # those that are no UTF-8 are found out here
        except (lib.ArrowException, OSError, ValueError, KeyError) as error:
            raise SourceError(f"not readable as {kind}: {' '.join(str(error).split())}") from None

    def _source(self) -> Any:
        import pyarrow

        return pyarrow.OSFile(self.name, "rb") if self._data is None else pyarrow.BufferReader(self._data)

    def _feather(self) -> pa.Table:
        from pyarrow import feather

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return feather.read_table(self._source(), memory_map=False)

    def _reader(self, columns: list[int] | None) -> Any:
        from pyarrow import ipc

        options = ipc.IpcReadOptions(included_fields=columns)
        opened = ipc.open_file if self.kind == "Arrow IPC file" else ipc.open_stream
        return opened(self._source(), options=options)

    def batches(self, columns: list[int] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows, of some of the columns, in their order."""
        return _sound(self.name, self.kind, self._batches(columns))

    def _batches(self, columns: list[int] | None) -> Iterator[pa.RecordBatch]:
        names = None if columns is None else list(dict.fromkeys(self.names[c] for c in columns))
        if self.kind == "Parquet":
            yield from self._parquet.iter_batches(_BATCH_ROWS, columns=names)
        elif self.kind == "Feather 1":
            yield from (self._table if columns is None else self._table.select(columns)).to_batches()
        elif self.kind == "Arrow IPC stream":
            yield from self._reader(columns)
        else:
            reader = self._reader(columns)
            for i in range(reader.num_record_batches):
                yield reader.get_batch(i)

    def stream(self, fields: list[str] | None) -> object:
        import pyarrow

        if is_ocsf(self.names):
            return _flat(self.schema, self.batches(), fields).__arrow_c_stream__()
        own = _core.fields_of_columns(self.names)
        columns = [c for c, field in enumerate(own) if fields is None or field in fields]
        columns = columns or [0]  # the rows count even so
        schema = pyarrow.schema([self.schema.field(c) for c in columns])
        return pyarrow.RecordBatchReader.from_batches(schema, self.batches(columns)).__arrow_c_stream__()


class TableFile:
    """A Parquet or Arrow IPC file, read by pyarrow a batch at a time."""

    def __init__(self, stored: _core.Source, kind: str) -> None:
        self._stored, self._kind = stored, kind
        self._columns: Columns = None
        self._lock = threading.Lock()

    def _open(self) -> _File:
        return _File(self._stored.name, self._kind, self._stored.memory())

    def source(self) -> _core.Source:
        """The source of its rows, or of the log lines that they hold."""
        name = self._stored.name
        names: list[str] = []
        with contextlib.suppress(SourceError):  # the scan itself reports it
            names = self._read_columns()[0]
        column = message_column(names)
        if column is None:
            return _core.Source.arrow(name, self, self._stored)
        return _text_source(name, column, lambda: self.stream(0, None), True)

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
        return []

    def stream(self, piece: int, fields: list[str] | None) -> object:
        return self._open().stream(fields)
