"""Files of tables, Parquet and Arrow IPC, read by pyarrow a batch at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .. import _core
from ..errors import ProtectionError, SourceError
from . import parquet
from .arrow_streams import reader_of, sound_batches
from .ocsf import flat_reader, is_ocsf, paths_of, places_of
from .parquet_keys import Crypto, crypto_for

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65536


class Stored(Protocol):
    """A file that lies elsewhere."""

    def open(self, ranges: Iterable[tuple[int, int]] = ()) -> Any:
        """Opens it for pyarrow; ``ranges``: the bytes [start, end) that will be read."""
        ...

    def release(self) -> None:
        """Says that it is not opened again soon."""
        ...


class TableFileReader:
    """A file of rows and its columns. `kind` is as Source.table_format says; of Parquet no file stays open."""

    def __init__(self, name: str, kind: str, data: bytes | Stored | None) -> None:
        from pyarrow import lib
        from pyarrow.parquet import read_metadata

        self.name, self.kind, self._data = name, kind, data
        self.metadata: Any = None  # of Parquet
        self._pieces: list[range] = []
        # Of encrypted Parquet: what opens it.
        self._crypto: Crypto | None = crypto_for(name) if kind == "Parquet" and self._is_encrypted() else None
        try:
            if kind == "Parquet":
                own = self._crypto.decryption() if self._crypto else None
                self.metadata = read_metadata(self._source(), decryption_properties=own)
                self.schema = self.metadata.schema.to_arrow_schema()
                self._pieces = parquet.pieces(self.metadata)
            elif kind == "Feather 1":
                self._table = self._feather()
                self.schema = self._table.schema
            else:
                self.schema = self._reader(None).schema
            self.names: list[str] = self.schema.names  # those that are no UTF-8 are found out here
        except ProtectionError as error:
            raise SourceError(str(error)) from None
        except (lib.ArrowException, OSError, ValueError, KeyError) as error:
            raise SourceError(f"not readable as {kind}: {' '.join(str(error).split())}") from None

    def _source(self, ranges: Iterable[tuple[int, int]] = ()) -> Any:
        import pyarrow

        if self._data is None:
            return pyarrow.OSFile(self.name, "rb")
        return pyarrow.BufferReader(self._data) if isinstance(self._data, bytes) else self._data.open(ranges)

    def _is_encrypted(self) -> bool:
        """Whether its last bytes, which are fetched first, are those of a file with an encrypted footer."""
        try:
            with self._source() as file:
                file.seek(max(0, file.size() - 4))
                return bool(file.read(4) == b"PARE")
        except OSError:  # who reads it says so
            return False

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

    def pieces(self) -> list[int]:
        """Returns the rows of each piece that can be read apart; none if the file is one piece whose rows are not
        known."""
        return [parquet.rows_of(self.metadata, piece) for piece in self._pieces]

    def may_hold(self, piece: int, bounds: list[parquet.Bounds]) -> bool:
        """Returns whether the statistics of a piece of Parquet leave room for a record within bounds."""
        if not self._pieces or self._crypto:  # pyarrow ends the process where a column's statistics have no key
            return True
        ocsf, own = is_ocsf(self.names), _core.fields_of_columns(self.names)
        times = {field["name"] for field in _core.fields() if field["type"] == "time"}
        for field, least, most in bounds:
            columns = [name for name, meaning in zip(self.names, own) if meaning == field]
            places = places_of(self.schema, field) if ocsf else columns if len(columns) == 1 else []
            if not parquet.may_hold(self.metadata, self._pieces[piece], places, field in times, least, most):
                return False
        return True

    def _batches(self, columns: list[int], paths: list[str] | None, piece: int | None) -> Iterator[pa.RecordBatch]:
        """Rows of some columns: of Parquet by paths, None for all, else by numbers."""
        if self.metadata is not None:
            whole = piece is None or not self._pieces
            groups = range(self.metadata.num_row_groups) if whole else self._pieces[piece or 0]
            if self._crypto:
                yield from parquet.decrypted(self._source(), self.metadata, groups, paths, self._crypto.decryption())
                return
            ranges = parquet.byte_ranges(self.metadata, groups, paths)
            yield from parquet.batches(self._source(ranges), self.metadata, groups, paths)
        elif self.kind == "Feather 1":
            yield from self._table.select(columns).to_batches(_BATCH_ROWS)
        elif self.kind == "Arrow IPC stream":
            yield from self._reader(columns)
        else:
            reader = self._reader(columns)
            for i in range(reader.num_record_batches):
                yield reader.get_batch(i)

    def stream(self, fields: list[str] | None, piece: int | None = None) -> object:
        """Returns the columns that hold some fields, or all, of one piece or all; of OCSF events the fields
        themselves."""
        import pyarrow

        if is_ocsf(self.names):
            paths = paths_of(self.schema, fields)
            columns = [
                c for c, name in enumerate(self.names) if paths is None or name in {p.split(".")[0] for p in paths}
            ]
            sound = sound_batches(self.name, self.kind, self._batches(columns, paths, piece))
            return flat_reader(self.schema, sound, fields).__arrow_c_stream__()
        own = _core.fields_of_columns(self.names)
        columns = [c for c, field in enumerate(own) if fields is None or field in fields]
        columns = columns or [0]  # the rows count even so
        names = list(dict.fromkeys(self.names[c] for c in columns))
        if self._crypto:
            self._crypto.check(self.name, self.schema, names)
        sound = sound_batches(self.name, self.kind, self._batches(columns, names, piece))
        return reader_of(sound, lambda: pyarrow.schema([self.schema.field(c) for c in columns])).__arrow_c_stream__()
