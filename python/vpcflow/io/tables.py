"""Tables as input: Arrow tables and frames, Parquet and Arrow IPC files, as streams for the engine with only the
columns that a query reads; and tables whose rows hold log lines, as text."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, Union

from .. import _core
from ..errors import SourceError
from .ocsf import columns as ocsf_columns
from .ocsf import empty_batch, flat_batch, is_ocsf

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65536
# Columns of log lines or JSON events, in the order of precedence; `@`, `_` and case aside.
_MESSAGES = ("message", "raw", "log", "line", "event.original", "original", "textpayload", "body", "event", "value")
#: A name; the stream of its table (a capsule) or why it cannot be opened; whether it has all columns of the table.
Stream = tuple[str, Union[object, str], bool]


def message_column(names: list[str]) -> str | None:
    """The column that has whole records, as lines or JSON, of a table without columns of flow logs."""
    names = [name for name in names if not name.startswith("__index_level_")]
    if _core.has_flow_columns(names) or is_ocsf(names):
        return None
    plain = {name.lower().lstrip("@_"): name for name in reversed(names)}
    return next((plain[name] for name in _MESSAGES if name in plain), None)


class _Texts:
    """read(size) of the texts of one column of tables, one after the other, a batch at a time."""

    def __init__(self, name: str, column: str, streams: Iterator[Stream]) -> None:
        self._name, self._column, self._streams = name, column, streams
        self._texts: _core.ArrowTexts | None = None
        self._rest = b""

    def __call__(self, size: int) -> bytes:
        while not self._rest:
            if self._texts is None:
                name, stream, _ = next(self._streams, (self._name, None, True))
                if stream is None:
                    return b""
                if isinstance(stream, str):
                    raise SourceError(f"{name}: {stream}")
                self._texts = _core.ArrowTexts(stream, self._column)
            lines = self._texts.next()
            if lines is None:
                self._texts = None
            else:
                self._rest = lines
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _text_source(name: str, column: str, streams: Callable[[], Iterator[Stream]], again: bool) -> _core.Source:
    reopened: Callable[..., _core.Source] | None = getattr(_core.Source, "reopened", None)
    if again and reopened is not None:
        return reopened(name, lambda: _Texts(name, column, streams()))
    return _core.Source.reader(name, _Texts(name, column, streams()))


def _flat(schema: pa.Schema, batches: Iterable[pa.RecordBatch], wanted: set[str] | None) -> pa.RecordBatchReader:
    """OCSF events, which are nested, as columns of fields."""
    import pyarrow

    flat = flat_batch(empty_batch(schema), wanted).schema
    return pyarrow.RecordBatchReader.from_batches(flat, (flat_batch(batch, wanted) for batch in batches))


def _fields_wanted(fields: Iterable[str] | None) -> set[str] | None:
    return None if fields is None else {*fields, "log-status"}


class ArrowTable:
    """An object with ``__arrow_c_stream__``: a table, a frame, a relation, a reader; or a series of log lines."""

    def __init__(self, data: Any) -> None:
        self._data = data
        # Readers of pyarrow and nanoarrow give their rows once.
        self._once = type(data).__name__ in ("RecordBatchReader", "ArrayStream")
        self._spent = False
        self._own = isinstance(getattr(data, "_table", None), _core.Table)  # a Result: what was asked for, not judged

    def columns(self) -> list[str]:
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

    def as_text(self) -> _core.Source | None:
        """The log lines of a table that has them in a column, or that is a series of them."""
        if self._own:
            return None
        series = hasattr(self._data, "dtype") or type(self._data).__name__ in ("ChunkedArray", "StringArray")
        column = "" if series else message_column(self.columns())
        if column is None:
            return None
        return _text_source("<arrow>", column, lambda: self.streams(None), not self._once)

    def streams(self, fields: Iterable[str] | None) -> Iterator[Stream]:
        if self._spent:
            yield "<arrow>", "this Arrow stream was already consumed", True
            return
        self._spent = self._once
        arrow = sys.modules.get("pyarrow")
        try:
            if arrow is not None and isinstance(self._data, (arrow.Table, arrow.RecordBatch, arrow.RecordBatchReader)):
                yield "<arrow>", self._validated(fields).__arrow_c_stream__(), not is_ocsf(self._data.schema.names)
            else:
                yield "<arrow>", self._data.__arrow_c_stream__(), not self._own
        # Columns of mixed objects, types that a producer cannot hand over, a closed reader.
        except (ValueError, TypeError, OSError, NotImplementedError) as error:
            yield "<arrow>", f"no Arrow stream: {' '.join(str(error).split())}", True

    def _validated(self, fields: Iterable[str] | None) -> pa.RecordBatchReader:
        """Only pyarrow knows how large its buffers are, which the C interface does not say."""
        import pyarrow

        data = self._data
        if isinstance(data, pyarrow.Table):
            batches = iter(data.to_batches())
        else:
            batches = iter([data]) if isinstance(data, pyarrow.RecordBatch) else iter(data)
        sound = _sound("<arrow>", "Arrow data", batches)
        if is_ocsf(data.schema.names):
            return _flat(data.schema, sound, _fields_wanted(fields))
        return pyarrow.RecordBatchReader.from_batches(data.schema, sound)

    def note(self, report: dict[str, Any]) -> None:
        """Adds to a report what the engine cannot know."""

    def __str__(self) -> str:
        return "an Arrow table"


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

    def stream(self, wanted: set[str] | None) -> tuple[object, bool]:
        """The stream, and whether its columns tell that it is of flow logs."""
        import pyarrow

        if is_ocsf(self.names):
            return _flat(self.schema, self.batches(), wanted).__arrow_c_stream__(), False
        if wanted is not None and not _core.has_flow_columns(self.names):
            wanted = None  # the engine says what they are
        fields = _core.fields_of_columns(self.names)
        columns = [c for c, field in enumerate(fields) if wanted is None or field in wanted]
        columns = columns or [0]  # the rows count even so
        schema = pyarrow.schema([self.schema.field(c) for c in columns])
        reader = pyarrow.RecordBatchReader.from_batches(schema, self.batches(columns))
        return reader.__arrow_c_stream__(), wanted is None


class TableFiles:
    """Parquet and Arrow IPC files, read by pyarrow a batch at a time."""

    def __init__(self, files: list[tuple[str, str, bytes | None]], again: list[tuple[str, str]]) -> None:
        """``files``: names and kinds, with the bytes of those that are in memory. ``again``: names of what is not read,
        because it has the same bytes as the file of the second name."""
        self._files = files
        self._again = again
        self._names: dict[str, list[str]] = {}

    def note(self, report: dict[str, Any]) -> None:
        report["duplicates"] += len(self._again)
        report["warnings"] += [f"{name} has the same bytes as {first}: read once" for name, first in self._again[:5]]

    def _names_of(self, name: str, kind: str, data: bytes | None) -> list[str]:
        """Of a file that cannot be read none: the scan itself reports it."""
        if name not in self._names:
            self._names[name] = []
            with contextlib.suppress(SourceError):
                self._names[name] = _File(name, kind, data).names
        return self._names[name]

    def columns(self) -> list[str]:
        names: dict[str, None] = {}
        for file in self._files:
            own = self._names_of(*file)
            names.update(dict.fromkeys(ocsf_columns(_File(*file).schema) if is_ocsf(own) else own))
        return list(names)

    def take_texts(self) -> list[_core.Source]:
        """Takes out the files whose rows hold log lines, as sources of text."""
        out, rest = [], []
        for name, kind, data in self._files:
            column = message_column(self._names_of(name, kind, data))
            if column is None:
                rest.append((name, kind, data))
                continue
            one = TableFiles([(name, kind, data)], [])
            out.append(_text_source(name, column, lambda one=one: one._whole(), True))  # type: ignore[misc]
        self._files = rest
        return out

    def _whole(self) -> Iterator[Stream]:
        return self._streams(lambda file: file.stream(None))

    def streams(self, fields: Iterable[str] | None) -> Iterator[Stream]:
        wanted = _fields_wanted(fields)
        return self._streams(lambda file: file.stream(wanted))

    def _streams(self, stream: Callable[[_File], tuple[object, bool]]) -> Iterator[Stream]:
        for name, kind, data in self._files:
            try:
                yield (name, *stream(_File(name, kind, data)))
            except SourceError as error:
                yield name, str(error), True

    def __len__(self) -> int:
        return len(self._files)

    def __str__(self) -> str:
        names = [name for name, _, _ in self._files[:3]]
        more = f" and {len(self._files) - 3} more" if len(self._files) > 3 else ""
        kinds = ", ".join(dict.fromkeys(kind for _, kind, _ in self._files))
        return f"{kinds}: {', '.join(names)}{more}"
