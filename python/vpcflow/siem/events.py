"""Records and sessions as events, batch after batch."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from .. import _core
from ..errors import PlanError, VpcflowError
from ..io.writing import Writing
from ..query.arguments import whole
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from .community import community_ids

if TYPE_CHECKING:
    import pyarrow as pa

UNITS = ("sessions", "records")
#: The column of Community IDs that schemas have a place for, and that of those that have none.
_COMMUNITY_UID, _COMMUNITY = "community_uid", "community_id"
_WITH_COMMUNITY = ("ocsf", "ecs")
_DIGITS = 32  # of an id
_ROWS = 2048  # some three MB of OCSF
_ARROW_ROWS = 65536  # a row group of Parquet


@dataclasses.dataclass(frozen=True)
class EventBatch:
    """Some events: their lines, each ending in a line feed, and an id for each."""

    lines: bytes
    ids: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yields the id and the line of each event, without the line feed."""
        return zip(self.ids, self.lines.split(b"\n"))


def batches_of(result: Result, schema: str, version: str = "", rows: int = _ROWS) -> Iterator[EventBatch]:
    """Yields the events of the rows of a result: of sessions, or of records with their places."""
    writer = _core.EventWriter(schema, version, False)
    for begin in range(0, len(result), rows):
        lines, ids = writer.write(result._table, begin, min(rows, len(result) - begin))
        yield EventBatch(lines, [ids[i : i + _DIGITS] for i in range(0, len(ids), _DIGITS)])


class Events:
    """Records or sessions as events of a schema; what :func:`vpcflow.export` gives."""

    def __init__(self, flows: Flows, schema: str, version: str, unit: str, *, community_id: bool = False) -> None:
        self.schema, self.unit = schema, unit
        self._version = version
        _core.EventWriter(schema, version, False)  # a wrong name is an error here
        if community_id and schema not in _WITH_COMMUNITY:
            raise PlanError(f"export: community_id with schema '{schema}': it is of {', '.join(_WITH_COMMUNITY)}")
        self._community = (_COMMUNITY if version == "1.1.0" else _COMMUNITY_UID) if community_id else None
        is_sessions = flows._spec.sessions is not None
        if is_sessions and unit == "records":
            raise PlanError("export: unit='records' of sessions; expected unit='sessions', or flows without sessions()")
        if unit == "records":
            if flows._grouped:
                raise PlanError("export: a grouping has no records; expected flows without group_by")
            self._flows = flows.located()
        else:
            self._flows = flows if is_sessions else flows.sessions()
        #: The report of the scan, when it has ended.
        self.report: Report | None = None
        #: How many events were made so far.
        self.written = 0

    def batches(self, rows: int = _ROWS, *, maps: bool = False) -> Iterator[EventBatch]:
        """Yields events in batches of about ``rows``: of records in the order of the input, in bounded memory; of
        sessions in their order. ``maps``: objects of names that no schema fixes, as ``unmapped`` of OCSF, are lists of
        ``{"key", "value"}``, which Arrow reads as maps.

        Of damaged sources what could be read comes first, then the error is raised.
        """
        writer = self._writer(maps)
        for table, begin, count in self._parts(rows):
            lines, ids = writer.write(table, begin, count)
            self.written += count
            yield EventBatch(lines, [ids[i : i + _DIGITS] for i in range(0, len(ids), _DIGITS)])

    def _writer(self, maps: bool = False) -> _core.EventWriter:
        return _core.EventWriter(self.schema, self._version, maps)

    def _lines(self) -> Iterator[memoryview]:
        """Yields the lines of each batch, valid until the next."""
        writer = self._writer()
        for table, begin, count in self._parts(_ROWS):
            lines, count = writer.borrow(table, begin, count)
            self.written += count
            yield lines

    def _parts(self, rows: int) -> Iterator[tuple[_core.Table, int, int]]:
        """Yields tables and the rows of them that are a batch."""
        if whole(rows, "rows", f"batches(rows={_ROWS})") < 1:
            raise PlanError(f"batches: rows={rows}: expected at least 1")
        if self.unit == "records":
            for result in self._flows._batches(rows):
                self.report = result.report
                if len(result):
                    yield self._named(result._table), 0, len(result)
            return
        error = None
        try:
            result = self._flows.collect()
        except VpcflowError as damage:
            if damage.kind == "missing-field":
                damage.args = (f"{damage}; sessions need that: unit='records' (--unit records) takes any format",)
            if not isinstance(damage.partial, Result):
                raise
            result, error = damage.partial, damage
        self.report = result.report
        table = self._named(result._table)
        for begin in range(0, len(result), rows):
            yield table, begin, min(rows, len(result) - begin)
        if error is not None:
            raise error

    def _named(self, table: _core.Table) -> _core.Table:
        """Returns a table with the Community ID of each row, if that is asked for."""
        if self._community is None:
            return table
        there = {name for name, _ in table.schema}

        def first_of(*names: str) -> list[Any]:
            found = [table.column(name) for name in names if name in there]
            if len(found) < 2:
                return found[0] if found else [None] * len(table)
            return [other if one is None else one for one, other in zip(*found)]

        ends: tuple[tuple[str, ...], ...] = (("client",), ("server",), ("client_port",), ("server_port",))
        if self.unit == "records":
            ends = (("pkt_srcaddr", "srcaddr"), ("pkt_dstaddr", "dstaddr"), ("srcport",), ("dstport",))
        source, destination, *ports = (first_of(*names) for names in ends)
        return table.with_texts(self._community, community_ids(source, destination, first_of("protocol"), *ports))

    def write(self, path: str | os.PathLike[str]) -> Report:
        """Writes the events to a file of lines and returns the report of the scan. The file is there whole or not at
        all, but for damaged sources: then it holds what could be read, and the error is raised."""
        with Writing(path) as target:
            error = self.write_to(target.file)
            if error is not None:
                target.keep()
                raise error
        assert self.report is not None
        return self.report

    def write_to(self, file: IO[bytes]) -> VpcflowError | None:
        """Writes the lines to an open file. Returns the error of damaged sources, if something was written before."""
        try:
            for lines in self._lines():
                file.write(lines)
        except VpcflowError as error:
            if not self.written:
                raise
            return error
        return None

    def arrow_batches(self, rows: int = _ARROW_ROWS) -> Iterator[pa.RecordBatch]:
        """Yields events of OCSF as record batches of nested columns, all of one schema. Needs pyarrow."""
        from .nested import nested_batch

        if self.schema != "ocsf":
            raise PlanError(f"arrow: schema '{self.schema}' is written as lines; nested columns are of 'ocsf'")
        writer = self._writer()
        version = self._version or next(of["versions"][0] for of in _core.event_schemas() if of["name"] == self.schema)
        for table, begin, count in self._parts(rows):
            yield nested_batch(version, *writer.columns(table, begin, count))
            self.written += count

    def to_arrow(self) -> pa.Table:
        """Returns all events of OCSF as a ``pyarrow.Table``."""
        import pyarrow

        from .nested import nested_schema

        return pyarrow.Table.from_batches(list(self.arrow_batches()), schema=nested_schema())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._reader().__arrow_c_stream__(requested_schema)

    def _reader(self) -> Any:
        import pyarrow

        from .nested import nested_schema

        return pyarrow.RecordBatchReader.from_batches(nested_schema(), self.arrow_batches())

    def write_parquet_to(self, file: IO[bytes]) -> VpcflowError | None:
        """Writes the events as Parquet to an open file, as :meth:`write_to` does."""
        from pyarrow import parquet

        from .nested import nested_schema

        with parquet.ParquetWriter(file, nested_schema(), compression="zstd") as writer:
            try:
                for batch in self.arrow_batches():
                    writer.write_batch(batch)
            except VpcflowError as error:
                if not self.written:
                    raise
                return error
        return None
