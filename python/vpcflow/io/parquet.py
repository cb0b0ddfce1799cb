"""Parquet files in pieces of whole row groups, which the threads of a scan read apart."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    import pyarrow as pa

# Row groups of fewer rows are read together.
_PIECE_ROWS = 1 << 17
# Batches are as large as memory allows: each has the dictionary of its row group, whose texts are read once a batch.
_BATCH_ROWS = 1 << 19
_BATCH_BYTES = 64 << 20
_BUFFER_BYTES = 1 << 20
# What columns that are nothing but a dictionary and its codes take, at most: writers give up on larger ones.
_CODE_BYTES = 3
_DICTIONARY_BYTES = 2 << 20
# Columns take at least this of a row, whatever the file says: codes of dictionaries and numbers.
_LEAST_BYTES = 8


#: A field, and the least and the greatest value that is wanted: whole numbers, or bytes of texts; None for no limit.
Bounds = tuple[str, Union[int, bytes, None], Union[int, bytes, None]]
# Times above the first are milliseconds, and those above the second something else.
_LATEST_SECONDS = 2**31
_LATEST_MILLISECONDS = 10**13 - 1


def rows_of(metadata: Any, groups: Iterable[int]) -> int:
    """Returns the number of rows of some row groups."""
    return sum(metadata.row_group(group).num_rows for group in groups)


def pieces(metadata: Any) -> list[range]:
    """Returns the row groups that are read together."""
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


def _number(value: Any) -> Any:
    """The value of a statistic as the engine compares it; None for one that it does not."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, datetime.datetime):
        return calendar.timegm(value.utctimetuple())
    return value if type(value) in (int, bytes) else None


def _span(statistics: Any, is_time: bool) -> tuple[Any, Any] | None:
    """The least and the greatest value that statistics tell; None if they tell none."""
    try:
        if statistics is None or not statistics.has_min_max:
            return None
        low, high = _number(statistics.min), _number(statistics.max)
    except (ValueError, TypeError, OverflowError, NotImplementedError):  # of a type without order, or damaged
        return None
    if low is None or type(low) is not type(high):
        return None
    if is_time and isinstance(statistics.min, int) and high > _LATEST_SECONDS:
        if low <= _LATEST_SECONDS or high > _LATEST_MILLISECONDS:
            return None
        return low // 1000, high // 1000
    return low, high


def _meet(span: tuple[Any, Any] | None, least: Any, most: Any) -> bool:
    """Whether a value of a span may lie within bounds."""
    if span is None or any(end is not None and type(end) is not type(span[0]) for end in (least, most)):
        return True
    return (least is None or span[1] >= least) and (most is None or span[0] <= most)


def may_hold(metadata: Any, groups: range, places: list[str], is_time: bool, least: Any, most: Any) -> bool:
    """Returns whether the statistics of some row groups leave room for a value of a field within bounds. The field is
    read from the columns at its places: from a later one where those before are null."""
    return any(_group_may_hold(metadata, group, places, is_time, least, most) for group in groups)


def _group_may_hold(metadata: Any, group: int, places: list[str], is_time: bool, least: Any, most: Any) -> bool:
    for place in places:
        any_null = False
        for leaf in _leaves(metadata, [place]):
            statistics = metadata.row_group(group).column(leaf).statistics
            if _meet(_span(statistics, is_time), least, most):
                return True
            any_null |= not (statistics.has_null_count and statistics.null_count == 0)
        if not any_null:
            return False
    return not places


def _dictionaries(metadata: Any, groups: range, leaves: list[int]) -> list[str]:
    """The paths of text columns that are stored as dictionaries, and come as such."""
    out = []
    for leaf in leaves:
        column = metadata.schema.column(leaf)
        if column.logical_type.type != "STRING" or column.max_repetition_level > 0:
            continue
        if all(_as_dictionary(metadata.row_group(group), leaf) for group in groups):
            out.append(column.path)
    return out


def _as_dictionary(row_group: Any, leaf: int) -> bool:
    """Whether a column comes as a dictionary: if it is stored as one, and of a row group of several batches if nearly
    all of it is, as each batch has all texts that came before."""
    column = row_group.column(leaf)
    few = row_group.num_rows <= 2 * _BATCH_ROWS
    most = row_group.num_rows * _CODE_BYTES + _DICTIONARY_BYTES
    return bool(column.has_dictionary_page) and (few or column.total_uncompressed_size <= most)


def _batch_rows(metadata: Any, groups: range, leaves: list[int]) -> int:
    rows = max(rows_of(metadata, groups), 1)
    size = 0
    for leaf in leaves:
        stored = sum(metadata.row_group(group).column(leaf).total_uncompressed_size for group in groups)
        size += max(stored // rows, _LEAST_BYTES)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(size, 1)))


def byte_ranges(metadata: Any, groups: Iterable[int], columns: list[str] | None) -> Iterator[tuple[int, int]]:
    """Yields the bytes [start, end) of the columns of some row groups."""
    leaves = _leaves(metadata, columns)
    for group in groups:
        row_group = metadata.row_group(group)
        for leaf in leaves:
            chunk = row_group.column(leaf)
            pages = [p for p in (chunk.dictionary_page_offset, chunk.data_page_offset) if p is not None]
            yield min(pages), min(pages) + chunk.total_compressed_size


def batches(source: Any, metadata: Any, groups: range, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Yields the rows of some row groups, of all columns or some, in their order."""
    from pyarrow import parquet

    leaves = _leaves(metadata, columns)
    texts = _dictionaries(metadata, groups, leaves)
    # Buffered: otherwise a column of a row group is read at once, however large it is.
    file = parquet.ParquetFile(
        source, metadata=metadata, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER_BYTES
    )
    rows = _batch_rows(metadata, groups, leaves)
    for group in groups:  # one by one: nested dictionaries of several do not go into one batch
        # The threads are those of the scan.
        yield from file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def decrypted(
    source: Any, metadata: Any, groups: range, columns: list[str] | None, decryption: Any
) -> Iterator[pa.RecordBatch]:
    """Yields the rows as :func:`batches` does, of an encrypted file: without a look at how its columns are stored, as
    pyarrow ends the process where the key of one is missing."""
    from pyarrow import parquet

    file = parquet.ParquetFile(source, metadata=metadata, pre_buffer=False, decryption_properties=decryption)
    for group in groups:
        yield from file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False)
