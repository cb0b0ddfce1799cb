"""Tables of Iceberg, read by pyiceberg: what its catalog, manifests and Parquet files say; only files that can hold the
time, accounts and regions asked for, and only the columns of the query."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .._display import human_bytes
from .._hints import nearest
from .._words import count
from ..errors import SourceError, SourceNotFoundError
from .arrow_streams import reader_of, sound_batches
from .aws.layout import EARLIER, LATER, Selection
from .aws.words import without_secrets
from .ocsf import columns as ocsf_columns
from .ocsf import flat_reader, is_ocsf, paths_of
from .parquet import Bounds
from .tables import Columns, message_column, text_source

if TYPE_CHECKING:
    import pyarrow as pa

SCHEME = "iceberg://"
_ACCOUNTS = ("account_id", "accountid", "aws_account_id")
_REGIONS = ("region", "aws_region", "awsregion")


def is_iceberg(data: Any) -> bool:
    """Tells whether an input is a table or a scan of pyiceberg.

    >>> is_iceberg("iceberg://lake/flows"), is_iceberg([])
    (False, False)
    """
    module = sys.modules.get("pyiceberg.table")
    return module is not None and isinstance(data, (module.Table, module.DataScan))


def open_table(url: str) -> Any:
    """Opens ``iceberg://CATALOG/NAMESPACE.TABLE``, where the catalog is one that pyiceberg is configured with.

    Raises :class:`~vpcflow.SourceNotFoundError`, with the nearest name, if there is no such table, and
    :class:`~vpcflow.SourceError` for a catalog that cannot be reached.
    """
    catalog, parts = catalog_of(url)
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    try:
        return catalog.load_table(parts)
    except (NoSuchTableError, NoSuchNamespaceError):
        known = [".".join(one) for one in _names(catalog, parts[:-1])]
        near = nearest(".".join(parts), known)
        hint = f"; did you mean {SCHEME}{catalog.name}/{near}?" if near else ""
        raise SourceNotFoundError(f"{url}: no such table{hint}") from None
    except Exception as error:
        raise SourceError(f"{url}: {_said(error)}") from None


def catalog_of(url: str) -> tuple[Any, tuple[str, ...]]:
    """Returns the catalog of an URL of :func:`open_table`, and the name of the table in it, part by part.

    Raises :class:`~vpcflow.SourceError` for a text that is no such URL and a catalog that is not known.
    """
    name, _, table = url[len(SCHEME) :].partition("/")
    parts = tuple(part for part in table.replace("/", ".").split(".") if part)
    if not name or len(parts) < 2:
        raise SourceError(f"{url}: no name of a table; write iceberg://CATALOG/NAMESPACE.TABLE")
    try:
        from pyiceberg.catalog import load_catalog
    except ImportError as error:
        raise SourceError(f"{url}: {error.name} is not installed; pip install 'vpcflow[iceberg]'") from None
    try:
        return load_catalog(name), parts
    except Exception as error:
        raise SourceError(
            f"{url}: no catalog {name!r}: {_said(error)}; pyiceberg looks for it in ~/.pyiceberg.yaml, too"
        ) from None


def _names(catalog: Any, namespace: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    for where in ([namespace], catalog.list_namespaces):
        try:
            found = [name for one in (where() if callable(where) else where) for name in catalog.list_tables(one)]
        except Exception:  # not everybody may list
            continue
        if found:
            return found
    return ()


class IcebergTable:
    """A table, or a scan of one with its own filter, as it was when it was opened: later snapshots change nothing.
    ``selection``: the rows that are asked for; more than those may come."""

    def __init__(self, data: Any, selection: Selection, name: str = "") -> None:
        table, scan = (data, data.scan()) if hasattr(data, "scan") else (None, data)
        self._schema: pa.Schema = _as_arrow(scan.projection())
        self.name = name or ("<iceberg>" if table is None else f"<iceberg {'.'.join(table.name())}>")
        snapshot = scan.snapshot()
        self._snapshot = None if snapshot is None else snapshot.snapshot_id
        pinned = scan if self._snapshot is None else scan.update(snapshot_id=self._snapshot)
        filters = _Filters(self._schema, selection)
        wanted = filters.expression()
        self._scan = pinned if wanted is None else pinned.filter(wanted)
        #: Whether the columns tell the accounts and regions that are asked for.
        self.settled = filters.settled

    def summary(self) -> str:
        """Returns what a scan will read, in a line. Reads the manifests."""
        try:
            files = [task.file for task in self._scan.plan_files()]
        except Exception as error:
            raise SourceError(f"{self.name}: {_said(error)}") from None
        size = human_bytes(sum(file.file_size_in_bytes for file in files))
        of = "no snapshot" if self._snapshot is None else f"snapshot {self._snapshot}"
        return f"{self.name}: {of}; {count(len(files), 'file')}, {size}"

    def source(self) -> _core.Source:
        """Returns the source of its rows, or of the log lines in one of its columns."""
        column = message_column(self._schema.names)
        if column is None:
            return _core.Source.arrow(self.name, self)
        return text_source(self.name, column, lambda: self._reader([column]).__arrow_c_stream__(), True)

    # -- what the engine asks of a table

    def columns(self) -> Columns:
        names = self._schema.names
        return (ocsf_columns(self._schema), False) if is_ocsf(names) else (names, True)

    def pieces(self) -> list[int]:
        return []

    def may_hold(self, piece: int, bounds: list[Bounds]) -> bool:
        return True

    def stream(self, piece: int, fields: list[str] | None) -> object:
        names = self._schema.names
        if is_ocsf(names):
            paths = paths_of(self._schema, fields)
            tops = names if paths is None else list(dict.fromkeys(path.split(".")[0] for path in paths))
            reader = self._reader([name for name in names if name in tops])
            return flat_reader(reader.schema, iter(reader), fields).__arrow_c_stream__()
        own = _core.fields_of_columns(names)
        wanted = [name for name, field in zip(names, own) if fields is None or field in fields]
        return self._reader(wanted or names[:1]).__arrow_c_stream__()  # the rows count even so

    def _reader(self, names: list[str]) -> pa.RecordBatchReader:
        """Returns the rows of some columns, in that order."""
        import pyarrow

        try:
            found = self._scan.select(*names).to_arrow_batch_reader()
        except Exception as error:
            raise SourceError(f"{self.name}: {_said(error)}") from None
        batches = sound_batches(self.name, "Iceberg table", self._told(iter(found)))
        return reader_of((batch.select(names) for batch in batches), lambda: pyarrow.schema(
            [self._schema.field(name) for name in names]
        ))  # fmt: skip

    def _told(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except OSError as error:  # a file of the table that is gone
            raise SourceError(f"{self.name}: {_said(error)}") from None


class _Filters:
    """The condition on rows that a selection is, as far as columns tell it."""

    def __init__(self, schema: pa.Schema, wanted: Selection) -> None:
        self._schema, self._wanted = schema, wanted
        self._plain = {name.lower().replace("-", "_"): name for name in reversed(schema.names)}
        accounts = self._one_of(_ACCOUNTS, wanted.accounts)
        regions = self._one_of(_REGIONS, wanted.regions)
        self.settled = (accounts is not None or not wanted.accounts) and (regions is not None or not wanted.regions)
        self._parts = [part for part in (accounts, regions, *self._times()) if part is not None]

    def expression(self) -> Any:
        """Returns the condition of pyiceberg, ``None`` for all rows."""
        if not self._parts:
            return None
        from pyiceberg.expressions import And

        out = self._parts[0]
        for part in self._parts[1:]:
            out = And(out, part)
        return out

    def _one_of(self, names: Sequence[str], values: Sequence[str]) -> Any:
        import pyarrow as pa
        from pyiceberg.expressions import In

        column = next((self._plain[name] for name in names if name in self._plain), None)
        if column is None or not values:
            return None
        kind = self._schema.field(column).type
        if pa.types.is_integer(kind):
            return In(column, [int(value) for value in values if value.isdigit()])
        return In(column, list(values)) if _is_text(kind) else None

    def _times(self) -> Iterator[Any]:
        start, end = self._wanted.start, self._wanted.end
        if start is None and end is None:
            return
        names = self._schema.names
        if not is_ocsf(names):
            if "start" in self._plain:
                yield self._between(self._plain["start"], start, end)
            return
        early, late = None if start is None else start - EARLIER, None if end is None else end + LATER
        for name in ("time_dt", "time"):  # by which AWS partitions
            if name in names:
                yield self._between(name, early, late)
                break
        if "eventday" in self._plain:
            yield self._days(self._plain["eventday"], early, late)

    def _between(self, column: str, start: int | None, end: int | None) -> Any:
        """Returns that a time lies in [start, end). Whole numbers are seconds or milliseconds; null is what another
        column may tell."""
        import pyarrow as pa
        from pyiceberg.expressions import IsNull, Or

        kind = self._schema.field(column).type
        if pa.types.is_timestamp(kind):
            zone = datetime.timezone.utc if kind.tz else None
            times = [None if t is None else _instant(t).replace(tzinfo=zone).isoformat() for t in (start, end)]
            return Or(IsNull(column), _span(column, *times))
        if pa.types.is_integer(kind):
            millis = [None if t is None else t * 1000 for t in (start, end)]
            return Or(IsNull(column), Or(_span(column, start, end), _span(column, *millis)))
        return None

    def _days(self, column: str, start: int | None, end: int | None) -> Any:
        import pyarrow as pa

        kind = self._schema.field(column).type
        form = "%Y-%m-%d" if pa.types.is_date(kind) else "%Y%m%d" if _is_text(kind) else ""
        if not form:
            return None
        after = None if end is None else end + 86400
        return _span(column, *(None if t is None else _instant(t).strftime(form) for t in (start, after)))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _span(column: str, start: Any, end: Any) -> Any:
    from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, LessThan

    first = AlwaysTrue() if start is None else GreaterThanOrEqual(column, start)
    return And(first, AlwaysTrue() if end is None else LessThan(column, end))


def _instant(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def _as_arrow(schema: Any) -> pa.Schema:
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    found: pa.Schema = schema_to_pyarrow(schema, include_field_ids=False)
    return found


def _said(error: BaseException) -> str:
    return without_secrets(" ".join(str(error).split()))[:300] or type(error).__name__
