"""Batches of pyarrow as streams that the engine reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Callable

from ..errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa


def reader_of(batches: Iterable[pa.RecordBatch], schema: Callable[[], pa.Schema]) -> pa.RecordBatchReader:
    """Returns a reader of batches that have one schema; `schema` makes it if there are none."""
    import pyarrow

    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        return pyarrow.RecordBatchReader.from_batches(schema(), [])
    return pyarrow.RecordBatchReader.from_batches(first.schema, chain([first], rest))


def sound_batches(name: str, kind: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields the batches whose buffers are as large as their lengths and last offsets say, in constant time for each
    column; the engine checks the offsets between. Errors name the table."""
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
