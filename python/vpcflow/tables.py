"""Arrow tables and Parquet files as input: streams for the engine, with only the columns that a query reads."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _core
from .errors import FormatError, SourceError
from .ocsf import flat_batch, is_ocsf

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65536


def field_name(column: str) -> str:
    """The field that a column holds, by AWS's name; of others the name with hyphens."""
    return _core.find_field(column) or column.replace("_", "-").lower()


class ArrowTable:
    """An object with ``__arrow_c_stream__``."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def columns(self) -> list[str]:
        names = getattr(self._data, "column_names", None)
        if names is None:
            names = getattr(self._data, "columns", None)
        if names is None:
            names = [field.name for field in getattr(self._data, "schema", [])]
        return [str(getattr(n, "name", n)) for n in names]

    def streams(self, fields: Iterable[str] | None) -> Iterator[tuple[str, object]]:
        yield "<arrow>", self._data.__arrow_c_stream__()

    def note(self, report: dict[str, Any]) -> None:
        """Adds to a report what the engine cannot know."""

    def __str__(self) -> str:
        return "an Arrow table"


class ParquetFiles:
    """Parquet files, read by pyarrow a batch at a time."""

    def __init__(self, files: list[tuple[str, bytes | None]], again: list[tuple[str, str]]) -> None:
        """``files``: names, with the bytes of those that are in memory. ``again``: names of what is not read, because
        it has the same bytes as the file of the second name."""
        self._files = files
        self._again = again

    def note(self, report: dict[str, Any]) -> None:
        report["duplicates"] += len(self._again)
        report["warnings"] += [f"{name} has the same bytes as {first}: read once" for name, first in self._again[:5]]

    def _open(self, name: str, data: bytes | None) -> Any:
        from pyarrow import lib, parquet

        try:
            file = parquet.ParquetFile(name if data is None else io.BytesIO(data))
            file.schema_arrow.names  # noqa: B018 (names that are no UTF-8 are found out here)
            return file
        except (lib.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"{name}: not readable as Parquet: {error}") from None

    def columns(self) -> list[str]:
        names: dict[str, None] = {}
        for name, data in self._files:
            with self._open(name, data) as file:
                own = file.schema_arrow.names
                names.update(dict.fromkeys(f[0] for f in _core.ocsf_fields()) if is_ocsf(own) else dict.fromkeys(own))
        return list(names)

    def streams(self, fields: Iterable[str] | None) -> Iterator[tuple[str, object]]:
        import pyarrow

        wanted = None if fields is None else {*fields, "log-status"}
        for name, data in self._files:
            with self._open(name, data) as file:
                if is_ocsf(file.schema_arrow.names):
                    yield name, self._ocsf(file, wanted).__arrow_c_stream__()
                    continue
                columns = [c for c in file.schema_arrow.names if wanted is None or field_name(c) in wanted]
                twice = {f for f, n in Counter(map(field_name, columns)).items() if n > 1}
                if twice:
                    raise FormatError(f"{name}: two columns are the field {sorted(twice)[0]!r}")
                columns = columns or file.schema_arrow.names[:1]  # the rows count even so
                schema = pyarrow.schema([file.schema_arrow.field(c) for c in columns])
                reader = pyarrow.RecordBatchReader.from_batches(schema, self._batches(name, file, columns))
                yield name, reader.__arrow_c_stream__()

    @staticmethod
    def _ocsf(file: Any, wanted: set[str] | None) -> pa.RecordBatchReader:
        import pyarrow

        empty = file.schema_arrow.empty_table().to_batches() or [
            pyarrow.RecordBatch.from_pylist([], schema=file.schema_arrow)
        ]
        schema = flat_batch(empty[0], wanted).schema
        return pyarrow.RecordBatchReader.from_batches(
            schema, (flat_batch(batch, wanted) for batch in file.iter_batches(_BATCH_ROWS))
        )

    @staticmethod
    def _batches(name: str, file: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
            yield batch.select(columns)

    def __str__(self) -> str:
        names = [name for name, _ in self._files[:3]]
        more = f" and {len(self._files) - 3} more" if len(self._files) > 3 else ""
        return f"Parquet: {', '.join(names)}{more}"
