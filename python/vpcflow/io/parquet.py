"""Parquet files in pieces of whole row groups, which the threads of a scan read apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# Row groups of fewer rows are read together.
_PIECE_ROWS = 1 << 17
# Batches are as large as memory allows: each has the dictionary of its row group, whose texts are read once a batch.
_BATCH_ROWS = 1 << 19
_BATCH_BYTES = 64 << 20
# Columns take at least this of a row, whatever the file says: codes of dictionaries and numbers.
_LEAST_BYTES = 8


def rows_of(metadata: Any, groups: Iterable[int]) -> int:
    """The rows of some row groups."""
    return sum(metadata.row_group(group).num_rows for group in groups)


def pieces(metadata: Any) -> list[range]:
    """The row groups that are read together."""
    out: list[range] = []
    first = rows = 0
    for group in range(metadata.num_row_groups):
        rows += metadata.row_group(group).num_rows
        if rows >= _PIECE_ROWS or group + 1 == metadata.num_row_groups:
            out.append(range(first, group + 1))
            first, rows = group + 1, 0
    return out


def _leaves(metadata: Any, columns: list[str] | None) -> list[int]:
    """The numbers of the columns that have values: of some columns, given by their names or, of nested ones, paths."""
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    if columns is None:
        return list(range(len(paths)))
    return [i for i, path in enumerate(paths) if any(path == c or path.startswith(f"{c}.") for c in columns)]


def _dictionaries(metadata: Any, groups: range, leaves: list[int]) -> list[str]:
    """The paths of text columns that are stored as dictionaries, and come as such."""
    out = []
    for leaf in leaves:
        column = metadata.schema.column(leaf)
        if column.logical_type.type != "STRING" or column.max_repetition_level > 0:
            continue
        if all(metadata.row_group(group).column(leaf).has_dictionary_page for group in groups):
            out.append(column.path)
    return out


def _batch_rows(metadata: Any, groups: range, leaves: list[int]) -> int:
    rows = max(rows_of(metadata, groups), 1)
    size = 0
    for leaf in leaves:
        stored = sum(metadata.row_group(group).column(leaf).total_uncompressed_size for group in groups)
        size += max(stored // rows, _LEAST_BYTES)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(size, 1)))


def batches(source: Any, metadata: Any, groups: range, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """The rows of some row groups, of all columns or some, in their order."""
    from pyarrow import parquet

    leaves = _leaves(metadata, columns)
    file = parquet.ParquetFile(source, metadata=metadata, read_dictionary=_dictionaries(metadata, groups, leaves))
    rows = _batch_rows(metadata, groups, leaves)
    for group in groups:  # one by one: nested dictionaries of several do not go into one batch
        # The threads are those of the scan.
        yield from file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)
