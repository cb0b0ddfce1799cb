"""Records by account, region and hour, sorted so that they pack well, in bounded memory."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SourceError
from ..io.frames import arrow_table
from ..query.result import Result

if TYPE_CHECKING:
    import pyarrow as pa

HOUR = 3600
#: By which records are sorted within a file: what records of one service share stands together.
SORTED_BY = ("interface_id", "dstport", "srcaddr", "dstaddr", "srcport", "start", "end")
LAYOUTS = ("hive", "plain")
SPANS = ("day", "hour")
_ACCOUNT = re.compile("[0-9]{12}")
_REGION = re.compile("[a-z]{2}(-[a-z]+)+-[0-9]+")
# Times differ little from row to row; numbers that are nearly all different are no dictionary.
_DELTAS = ("start", "end")
_VARIED = ("packets", "bytes", "srcport")
_ROW_GROUP = 1 << 20


class Key(NamedTuple):
    """What the records of a file share; ``None`` where it is not known."""

    account: str | None
    region: str | None
    hour: int | None
    #: Those of the logs: records of different formats are never in one file.
    columns: tuple[str, ...] = ()

    def folder(self, layout: str, by: str) -> str:
        """Returns the folder of the records, as AWS names it, ``by`` the day or the hour; a level that is not known is
        left out.

        >>> Key("123456789010", "us-east-1", 490553).folder("plain", "hour")
        'AWSLogs/123456789010/vpcflowlogs/us-east-1/2025/12/17/17'
        >>> Key("123456789010", None, 490553).folder("hive", "day")
        'AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/year=2025/month=12/day=17'
        """
        hive = layout == "hive"
        parts = ["AWSLogs"]
        if self.account is not None:
            parts.append(f"aws-account-id={self.account}" if hive else self.account)
        parts.append("aws-service=vpcflowlogs" if hive else "vpcflowlogs")
        if self.region is not None:
            parts.append(f"aws-region={self.region}" if hive else self.region)
        if self.hour is not None:
            when = time.gmtime(self.hour * HOUR)
            levels = ("year=%Y", "month=%m", "day=%d", "hour=%H")[: 4 if by == "hour" else 3]
            parts += [time.strftime(level if hive else level[-2:], when) for level in levels]
        return "/".join(parts)


def account_of(text: str | None) -> str | None:
    """Returns an account id as a folder may be named by it, ``None`` for any other text."""
    return text if text is not None and _ACCOUNT.fullmatch(text) else None


def region_of(text: str | None) -> str | None:
    """Returns a region as a folder may be named by it, ``None`` for any other text."""
    return text if text is not None and _REGION.fullmatch(text) else None


def stored(batch: Result) -> pa.Table:
    """Returns records as they are stored: times are whole seconds, as AWS writes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = arrow_table(batch._table)
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            seconds = pc.divide(table.column(i).cast(pa.int64()), 1_000_000)
            table = table.set_column(i, field.name, seconds)
    return table


def split(table: pa.Table, account: str | None, region: str | None) -> Iterator[tuple[Key, pa.Table]]:
    """Yields the records of each account, region and hour. ``account``, ``region``: of those that do not tell."""
    import pyarrow.compute as pc

    for own_account, part in _by_text(table, "account_id"):
        for own_region, of_region in _by_text(part, "region"):
            key = Key(
                account_of(own_account) or account, region_of(own_region) or region, None, tuple(table.schema.names)
            )
            if "start" not in of_region.schema.names:
                yield key, of_region
                continue
            hours = pc.divide(of_region.column("start"), HOUR)
            for hour in pc.unique(hours).sort().to_pylist():
                chosen = pc.is_null(hours) if hour is None else pc.equal(hours, hour)
                yield key._replace(hour=hour), of_region.filter(chosen)


def _by_text(table: pa.Table, name: str) -> Iterator[tuple[str | None, pa.Table]]:
    import pyarrow.compute as pc

    if name not in table.schema.names:
        yield None, table
        return
    column = table.column(name)
    texts = sorted(pc.unique(column).cast("string").to_pylist(), key=lambda text: (text is None, text))
    for text in texts:
        chosen = None if len(texts) == 1 else pc.is_null(column) if text is None else pc.equal(column, text)
        yield text, table if chosen is None else table.filter(chosen)


def in_order(table: pa.Table) -> pa.Table:
    """Returns records sorted by :data:`SORTED_BY`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.unify_dictionaries().combine_chunks()
    keys = {name: table.column(name) for name in SORTED_BY if name in table.schema.names}
    if not keys:
        return table
    for name, column in keys.items():
        if pa.types.is_dictionary(column.type):
            chunk = column.chunk(0) if column.num_chunks else pa.array([], column.type)
            ranks = pc.sort_indices(pc.sort_indices(chunk.dictionary))
            keys[name] = ranks.take(chunk.indices)
    order = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
    return table.take(order)


class Writer:
    """Writes records to a Parquet file as they pack best, each table as a row group, or some. ``OSError`` as the system
    gives it."""

    def __init__(self, path: str, schema: pa.Schema, metadata: dict[str, str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        plain = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in schema]
        self._schema = pa.schema(plain, metadata)
        deltas = [f.name for f in plain if f.name in _DELTAS and pa.types.is_integer(f.type)]
        self._writer = parquet.ParquetWriter(
            path, self._schema, compression="zstd", compression_level=3, write_page_index=True,
            use_dictionary=[name for name in schema.names if name not in (*deltas, *_VARIED)],
            column_encoding=dict.fromkeys(deltas, "DELTA_BINARY_PACKED") or None,
        )  # fmt: skip

    def write(self, table: pa.Table) -> None:
        """Writes records in their order."""
        self._writer.write_table(table.cast(self._schema), row_group_size=_ROW_GROUP)

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()


def _in_order(key: Key) -> tuple[Any, ...]:
    return (key.account or "", key.region or "", key.columns, -1 if key.hour is None else key.hour)


def read_back(path: str) -> Iterator[pa.Table]:
    """Yields what :func:`write_parquet` wrote, as it is stored. :class:`~vpcflow.SourceError` if it cannot be read."""
    import pyarrow as pa
    from pyarrow import lib, parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROW_GROUP // 8):
                yield pa.Table.from_batches([batch])
    except (lib.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"not readable as Parquet: {' '.join(str(error).split())}") from None


class Spill:
    """Records of hours, held until they are written: those of full hours, else all in a temporary file.

    ``rows``: how many are held, and how many a file has at most.
    """

    def __init__(self, folder: str, rows: int) -> None:
        self._folder, self._rows = folder, rows
        self._held: dict[Key, list[pa.Table]] = {}
        self._count: dict[Key, int] = {}
        self._files: dict[Key, list[str]] = {}
        self._spilled: dict[Key, int] = {}
        self._made = 0

    def add(self, key: Key, table: pa.Table) -> Iterator[tuple[Key, pa.Table]]:
        """Takes records, and yields those of hours that fill a file."""
        self._held.setdefault(key, []).append(table)
        self._count[key] = self._count.get(key, 0) + len(table)
        if self._count[key] + self._spilled.get(key, 0) >= self._rows:
            yield key, self._take(key)
        while sum(self._count.values()) > self._rows:
            self._put_aside(max(self._count, key=lambda one: self._count[one]))

    def rest(self) -> Iterator[tuple[Key, pa.Table]]:
        """Yields the records of all hours that are left."""
        for key in sorted({*self._held, *self._files}, key=_in_order):
            yield key, self._take(key)

    def _put_aside(self, key: Key) -> None:
        import pyarrow as pa

        os.makedirs(self._folder, exist_ok=True)
        files = self._files.setdefault(key, [])
        self._made += 1
        path = os.path.join(self._folder, f"{self._made}.arrow")
        files.append(path)
        table = pa.concat_tables(self._held.pop(key)).unify_dictionaries().combine_chunks()
        with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
        self._spilled[key] = self._spilled.get(key, 0) + self._count.pop(key)

    def _take(self, key: Key) -> pa.Table:
        import pyarrow as pa

        tables = self._held.pop(key, [])
        self._count.pop(key, None)
        self._spilled.pop(key, None)
        for path in self._files.pop(key, []):
            with pa.ipc.open_file(pa.memory_map(path)) as file:
                tables.append(file.read_all())
            with contextlib.suppress(OSError):
                os.unlink(path)
        return pa.concat_tables(tables)
