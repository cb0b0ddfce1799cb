"""Results: tables with the report of what was read for them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from .. import _core
from .. import _display as display
from ..errors import ArgumentError, DataQualityWarning, NoRecordsError, PlanError, VpcflowError, from_report
from ..typing import ArrowSchema, ColumnType
from .arguments import instance, names
from .report import Report

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .plot import Plot


class Result:
    """A table, and the report of what was read for it.

    Any Arrow consumer takes it (``pyarrow.table(result)``, ``polars.DataFrame(result)``, DuckDB by the variable's
    name). Integer columns and dictionary indices are shared with the consumer, not copied, and stay valid after the
    result is gone. In a notebook it shows as a table.

    A result is never changed; any number of threads may read it.

    >>> import vpcflow as vf
    >>> line = b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 4242 22 6 20 4249 1418530010 1418530070 REJECT OK"
    >>> vf.scan(line).group_by("dstport").agg(n=vf.count()).collect().rows()
    [{'dstport': 22, 'n': 1}]
    """

    def __init__(self, table: _core.Table, report: _core.Report) -> None:
        self._table = table
        self.report = report if isinstance(report, Report) else Report(report)

    @property
    def schema(self) -> list[tuple[str, ColumnType]]:
        """Names and types of the columns: int32, int64, int128, float64, bool, time, address, text."""
        return self._table.schema

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [name for name, _ in self.schema]

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for begin in range(0, len(self), 4096):
            yield from self._table.rows(begin, 4096)

    @overload
    def __getitem__(self, item: str) -> list[Any]: ...
    @overload
    def __getitem__(self, item: int) -> dict[str, Any]: ...
    def __getitem__(self, item: str | int) -> list[Any] | dict[str, Any]:
        """Returns the values of a column as a list, or a row by number as a dictionary; ``None`` for null, times as
        Unix seconds."""
        if isinstance(item, str):
            return self._table.column(item)
        if not hasattr(item, "__index__"):
            raise ArgumentError(
                f"a result has columns by name, result['bytes'], and rows by number, result[0], not {item!r}"
            )
        row = range(len(self))[item]
        return self._table.rows(row, 1)[0]

    def rows(self) -> list[dict[str, Any]]:
        """Returns all rows as dictionaries; ``None`` for null, times as Unix seconds, addresses as text."""
        return self._table.rows(0, len(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self, *, schema: ArrowSchema = "default") -> pa.Table:
        """Converts to a ``pyarrow.Table``: addresses and texts as dictionary<int32, large_utf8>, times as timestamp[us,
        UTC].

        ``schema="spark"`` gives types that Spark takes: plain strings instead of dictionaries (Spark crashes on those),
        totals beyond 64 bits as decimals."""
        import pyarrow

        if schema not in ("default", "spark"):
            raise PlanError(f"schema={schema!r}: expected 'default' or 'spark'")
        # pyarrow.table(self) would import pandas first, to see that this is no data frame: a quarter of a second.
        table = pyarrow.RecordBatchReader.from_stream(self).read_all()
        if schema == "default":
            return table
        plain = [f.with_type(pyarrow.string()) if pyarrow.types.is_dictionary(f.type) else f for f in table.schema]
        return table.cast(pyarrow.schema(plain))

    def to_pandas(self) -> pd.DataFrame:
        """Converts to a ``pandas.DataFrame``. Integers are Arrow-backed, so that null stays null and never becomes a
        float; addresses and texts are categories; times are UTC datetimes. Needs pandas and pyarrow."""
        import pandas
        import pyarrow

        def types(kind: pa.DataType) -> pandas.ArrowDtype | None:
            exact = pyarrow.types.is_integer(kind) or pyarrow.types.is_decimal(kind) or pyarrow.types.is_boolean(kind)
            return pandas.ArrowDtype(kind) if exact else None

        return self.to_arrow().to_pandas(types_mapper=types)

    def to_polars(self) -> pl.DataFrame:
        """Converts to a ``polars.DataFrame``; addresses and texts are categoricals."""
        import polars

        return polars.DataFrame(self)

    def to_csv(self, *, safe: bool = True) -> str:
        """Formats as CSV. With ``safe``, texts that a spreadsheet would take for a formula get a ``'`` in front."""
        return self._table.to_csv(True, safe).decode()

    def to_json_lines(self) -> str:
        """Formats one JSON object a line; times as Unix seconds."""
        return self._table.to_json_lines().decode()

    @property
    def plot(self) -> Plot:
        """Plots of this result, by matplotlib: ``result.plot.line()``, ``result.plot.bar()``."""
        from .plot import Plot

        return Plot(self)

    def _repr_html_(self) -> str:
        return display.html_table(self.schema, self._table.rows(0, 40), len(self), str(self.report))

    def __str__(self) -> str:
        rows = self._table.rows(0, 20)
        more = f"\n... {len(self) - 20:,} more rows" if len(self) > 20 else ""
        first = f"{self.report.mostly_rejected}\n" if self.report.mostly_rejected else ""
        return f"{first}{display.text_table(self.schema, rows)}{more}\n{display.printable(str(self.report))}"

    __repr__ = __str__


def check(results: Sequence[Result], allow_empty: bool) -> None:
    """Raises for damaged sources, with the results as what could be read, and unless `allow_empty` if no record was
    read; warns about rejects. All share one report."""
    report = results[0].report
    error: VpcflowError | None = None
    if report.errors:
        error = from_report(report.errors)
    elif report.no_records and not allow_empty:
        error = NoRecordsError(report.no_records)
    if error is not None:
        error.partial, error.partials = results[0], list(results)
        raise error
    notes = [*report.warnings, *([str(report)] if report.rejected else [])]
    if notes:
        warnings.warn("; ".join(notes), DataQualityWarning, stacklevel=4)


def diff(today: Result, baseline: Result, by: str | Sequence[str]) -> Result:
    """Compares two results of the same query, joined by the columns ``by``, their keys.

    Column ``change`` is ``"new"``, ``"gone"``, ``"changed"`` or ``"same"``; every other numeric column is there three
    times: of today, ``..._before``, and ``..._change``, where what is not there counts as 0. Whole numbers stay whole,
    and exact at any size. Sorted by the keys. The report is today's. :class:`~vpcflow.PlanError` for keys that a result
    lacks or has twice.

    >>> import vpcflow as vf
    >>> def talkers(log): return vf.scan(log).group_by("srcaddr").agg(bytes=vf.sum("bytes")).collect()
    >>> before = talkers(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n")
    >>> changes = vf.diff(talkers(b"srcaddr bytes\\n10.0.0.1 50\\n10.0.0.3 1\\n"), before, by="srcaddr")
    >>> [(row["srcaddr"], row["change"], row["bytes_change"]) for row in changes]
    [('10.0.0.1', 'changed', 10), ('10.0.0.2', 'gone', -2), ('10.0.0.3', 'new', 1)]
    """
    call = "diff(today, before, by='srcaddr')"
    instance(today, Result, "diff", call)
    instance(baseline, Result, "diff", call)
    keys = names([by], call)
    return Result(_core.diff(today._table, baseline._table, keys), today.report)
