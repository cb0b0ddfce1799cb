"""SQL over flow logs, by DuckDB: its scans read only the columns and records that a query needs."""

from __future__ import annotations

import abc
import functools
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pyarrow
import pyarrow.dataset

from .. import _core
from ..errors import DataQualityWarning, FieldError, FilterError, PlanError, VpcflowError
from ._conditions import from_arrow

if TYPE_CHECKING:
    from ..query.flows import Flows
    from ..query.report import Report

_BATCH_ROWS = 65536
_TYPES = {
    "uint8": pyarrow.int32(), "uint16": pyarrow.int32(), "int32": pyarrow.int32(), "int64": pyarrow.int64(),
    "time": pyarrow.timestamp("us", "UTC"), "address": pyarrow.string(), "text": pyarrow.string(),
}  # fmt: skip


class Table(pyarrow.dataset.Dataset, abc.ABC):  # type: ignore[misc]  # pyarrow has no types
    """What DuckDB scans: it asks a dataset for some columns of the rows that pass a condition."""

    def __init__(self, schema: pyarrow.Schema) -> None:
        self._columns = schema  # nothing of pyarrow's own dataset is used
        self.report: Report | None = None
        self.error: VpcflowError | None = None

    @property
    def schema(self) -> pyarrow.Schema:
        return self._columns

    def scanner(
        self, columns: list[str] | None = None, filter: Any = None, **_: object
    ) -> pyarrow.dataset.Scanner:
        """Makes a scanner of all rows that pass ``filter``, which DuckDB does not apply itself."""
        wanted = self._columns.names if columns is None else columns
        text = "" if filter is None else str(filter)
        used = [name for name in self._columns.names if name in wanted or re.search(rf"\b{re.escape(name)}\b", text)]
        schema = pyarrow.schema([self._columns.field(name) for name in used])
        reader = pyarrow.RecordBatchReader.from_batches(schema, self.batches(used, text, schema))
        return pyarrow.dataset.Scanner.from_batches(reader, columns=wanted, filter=filter)

    @abc.abstractmethod
    def batches(self, names: list[str], condition: str, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
        """Yields rows: at least those that pass ``condition``, as pyarrow writes it."""


class Records(Table):
    """The records of a query: only the named fields are parsed, and conditions are applied while reading."""

    def __init__(self, flows: Flows) -> None:
        types = {field["name"].replace("-", "_"): _TYPES[field["type"]] for field in _core.fields()}
        super().__init__(pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in flows.columns]))
        self._flows = flows

    def batches(self, names: list[str], condition: str, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
        query = self._flows.select(*names)._with(allow_missing=True)
        pushed = from_arrow(condition)
        if pushed is not None:
            query = _narrowed(query, pushed)
        try:
            for batch in query._batches(_BATCH_ROWS):
                self.report = batch.report
                if len(batch):
                    yield from batch.to_arrow().cast(schema).to_batches()
        except VpcflowError as error:  # what was read comes out first
            self.report = getattr(error.partial, "report", self.report)
            self.error = error


class Made(Table):
    """A table that is made when a query needs it. ``make`` returns it with the report of the scan."""

    def __init__(self, schema: pyarrow.Schema, make: Callable[[], tuple[pyarrow.Table, Report]]) -> None:
        super().__init__(schema)
        self._make = make
        self._made: pyarrow.Table | None = None

    def batches(self, names: list[str], condition: str, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
        if self._made is None:
            self._made = self._columns.empty_table()
            try:
                self._made, self.report = self._make()
            except VpcflowError as error:
                self.error = error
        yield from self._made.select(names).cast(schema).to_batches()


class Answer(NamedTuple):
    """Rows of a query; the report of the scan, if the query needed one; and the error, if a source could not be
    read."""

    rows: duckdb.DuckDBPyRelation
    report: Report | None
    error: VpcflowError | None


def answer(flows: Flows, text: str, tables: Mapping[str, Table]) -> Answer:
    """Runs a query of DuckDB's SQL over the records ``flows`` and other tables. :class:`~vpcflow.PlanError`, with
    DuckDB's words, for one that cannot be run, or that returns no rows."""
    known = {"flows": Records(flows), **tables}
    try:
        with duckdb.connect() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            connection.execute("set TimeZone = 'UTC'")
            for name, table in known.items():
                connection.register(name, table)
            found = connection.sql(text)
            if found is None:
                raise PlanError("sql: the statement returns no rows; expected a query, as select count(*) from flows")
            rows = _kept(found.to_arrow_table(), list(map(str, found.types)))
    except duckdb.Error as error:
        raise PlanError(f"sql: {error}") from None
    read = [table for table in known.values() if table.report is not None or table.error is not None]
    damage = next((table.error for table in read if table.error is not None), None)
    return Answer(rows, read[0].report if read else None, damage)


@functools.lru_cache(maxsize=1)
def _answers() -> duckdb.DuckDBPyConnection:
    """The connection of all answers: relations do not keep theirs."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _kept(rows: pyarrow.Table, types: list[str]) -> duckdb.DuckDBPyRelation:
    """Makes a relation of rows, with the types that they had before they were Arrow's."""
    names = [f"c{i}" for i in range(rows.num_columns)]
    titles = ['"{}"'.format(name.replace('"', '""')) for name in rows.column_names]
    columns = (
        f"{name}::hugeint as {title}" if kind == "HUGEINT" else f"{name} as {title}"
        for name, kind, title in zip(names, types, titles)
    )
    return _answers().from_arrow(rows.rename_columns(names)).project(", ".join(columns))


def _narrowed(query: Flows, condition: str) -> Flows:
    """Adds a condition where the filter language has it, too."""
    narrowed = query.filter(condition)._with(lenient=True)
    try:
        narrowed._plan()
    except (FieldError, FilterError):
        return query
    return narrowed
