"""Parquet whose columns are encrypted for roles: who lacks the key of a column reads the others."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from .. import _core
from ..errors import OutputError, PlanError, ProtectionError
from ..formats.catalogue import fields
from ..io.frames import arrow_table, plain_texts
from ..io.parquet_keys import COLUMN_KEYS, OWNER, Crypto, KeyFile
from ..io.writing import Writing
from ..query.flows import Flows
from ..query.report import Report
from .anonymise import same_file

_BATCH_ROWS = 1 << 17


@dataclasses.dataclass(frozen=True)
class Encrypted:
    """What :func:`encrypt` wrote: the records, the report of what was read, and the key of each column."""

    records: int
    report: Report
    columns: dict[str, str]


def encrypt(flows: Flows, path: str | os.PathLike[str], keys: KeyFile) -> Encrypted:
    """Writes records to a Parquet file whose columns are encrypted: each by the key of the roles that may read it, and
    the rest, also fields that nobody knows, by the owner's.

    Of damaged sources nothing is written, and the error raised. :class:`~vpcflow.ProtectionError` if ``keys`` are not
    the owner's, :class:`~vpcflow.OutputError` for an output that is one of the inputs. Needs
    ``pip install 'vpcflow[protect,arrow]'``.
    """
    name = os.fspath(path)
    if keys.role != OWNER:
        raise ProtectionError(f"encrypt: the keys are those of the role {keys.role!r}; the owner's are needed")
    if not flows._streams:
        raise PlanError("encrypt: it takes records; groupings, sessions, sort and tail have no records")
    if any(source.is_path and same_file(name, source.name) for source in flows._sources):
        raise OutputError(f"{name}: it is read as well; the output needs another name")
    crypto = Crypto(keys)
    names = {field.column: field.name for field in fields()}
    writer: Any = None
    rows, columns, report = 0, {}, None
    with Writing(path) as target:
        try:
            for batch in flows._batches(_BATCH_ROWS):
                table, report = batch._table, batch.report
                if writer is None:
                    columns = {column: keys.key_of(names.get(column, "")) for column, _ in table.schema}
                    writer = _writer(target.file, table, columns, crypto)
                writer.write_table(_plain(table, columns))
                rows += len(table)
        finally:
            if writer is not None:
                writer.close()
    assert report is not None  # there is always a batch
    return Encrypted(rows, report, columns)


def _plain(table: _core.Table, columns: Mapping[str, str]) -> Any:
    made = plain_texts(arrow_table(table))
    return made.replace_schema_metadata({COLUMN_KEYS: json.dumps(columns)})


def _writer(file: Any, table: _core.Table, columns: Mapping[str, str], crypto: Crypto) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(
        file, _plain(table, columns).schema, compression="zstd", encryption_properties=crypto.encryption(columns)
    )
