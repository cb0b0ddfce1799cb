"""Compaction into a table of Iceberg: each source once, by what the snapshots of the table say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._display import printable
from .._words import count
from ..errors import NoRecordsError, OutputError, SourceError, VpcflowError
from ..io.iceberg import catalog_of
from ..query.flows import Flows
from .hashing import Hasher, together
from .hours import in_order
from .reading import OneSource, logs_of

if TYPE_CHECKING:
    import pyarrow as pa

_SOURCES, _DIGEST = "vpcflow.sources", "vpcflow.rows-digest"
_CODEC = {"write.parquet.compression-codec": "zstd"}


@dataclasses.dataclass
class Appended:
    """What came into a table: records, sources, and those that it had before."""

    table: str
    records: int
    sources: list[str]
    known: list[str]


def compact_to_table(flows: Flows, url: str) -> Appended:
    """Appends all records of logs to ``iceberg://CATALOG/NAMESPACE.TABLE``, sorted, in one snapshot for each source;
    all of them come into the table at once, or none. The table is made if there is none, and gets the columns that it
    lacks. What the snapshots say of their sources keeps each from coming twice; sources that nobody can tell again, as
    standard input, always come. A source is held in memory.

    Raises :class:`~vpcflow.SourceError` for a source with lines that are no records, or that is damaged: a table has no
    place for them, and nothing is appended; :class:`~vpcflow.OutputError` for what the catalog refuses.
    """
    logs = logs_of(flows, "compact")
    sources = [OneSource(logs, number) for number in range(len(logs.sources))]
    catalog, name = catalog_of(url)
    table = _table_in(catalog, name, url)
    seen = _seen(table)
    done = Appended(url, 0, [], [])
    found: list[tuple[str, pa.Table, int]] = []
    for source in sources:
        row = source.as_row()
        key = row["sha256"] or row["identity"]
        if key and key in seen:
            done.known.append(source.name)
            continue
        records, digest = _read(source)
        done.sources.append(source.name)
        if records is not None:
            done.records += len(records)
            found.append((key, records, digest))
            seen.add(key)
    if not found and not done.known and not logs.options.allow_empty:
        raise NoRecordsError(f"compact: no record was read: {count(len(sources), 'source')}")
    if found:
        _append(catalog, name, url, table, found)
    return done


def _read(source: OneSource) -> tuple[pa.Table | None, int]:
    """Returns the records of a source as the table takes them, and their digest."""
    import pyarrow as pa

    names: list[str] | None = None
    while True:
        tables = list(source.tables(names))
        report = source.report
        assert report is not None
        if source.error is not None:
            raise source.error
        if report.rejected:
            raise SourceError(
                f"{printable(source.name)}: {count(report.rejected, 'line')} rejected, which a table has no place for; "
                "vpcflow compact -o DIR keeps them"
            )
        if not tables:
            return None, 0
        missed = source.missed(tables[0].schema.names) if names is None else []
        if not missed:
            break
        names = missed
    hasher = Hasher()
    digest = together([hasher.digest(table) for table in tables])
    whole = in_order(pa.concat_tables(tables))
    plain = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in whole.schema]
    return whole.cast(pa.schema(plain)), digest


def _table_in(catalog: Any, name: tuple[str, ...], url: str) -> Any:
    """Returns the table, ``None`` if there is none."""
    try:
        return catalog.load_table(name) if catalog.table_exists(name) else None
    except Exception as error:
        raise _refused(url, error) from None


def _seen(table: Any) -> set[str]:
    """Returns what the snapshots of a table say of their sources."""
    snapshots = [] if table is None else table.metadata.snapshots
    return {
        key
        for snapshot in snapshots if snapshot.summary is not None
        for key in json.loads(snapshot.summary.additional_properties.get(_SOURCES, "[]"))
    }  # fmt: skip


def _append(
    catalog: Any, name: tuple[str, ...], url: str, table: Any, found: Sequence[tuple[str, pa.Table, int]]
) -> None:
    import pyarrow as pa

    schema = pa.unify_schemas([records.schema for _, records, _ in found])
    try:
        if table is None:
            catalog.create_namespace_if_not_exists(name[:-1])
            table = catalog.create_table(name, schema, properties=_CODEC)
        with table.transaction() as transaction:
            with transaction.update_schema() as update:
                update.union_by_name(schema)
            for key, records, digest in found:
                own = {_SOURCES: json.dumps([key] if key else []), _DIGEST: f"{digest:032x}"}
                transaction.append(records, snapshot_properties=own)
    except VpcflowError:
        raise
    except Exception as error:
        raise _refused(url, error) from None


def _refused(url: str, error: Exception) -> OutputError:
    return OutputError(f"{printable(url)}: cannot be written: {' '.join(str(error).split())[:300]}")
