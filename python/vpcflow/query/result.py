"""Results: tables with the report of their scan."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload

from .. import _core
from .. import _display as display
from .._layout import terminal_width, text_table
from ..errors import ArgumentError, DataQualityWarning, NoRecordsError, PlanError, VpcflowError, from_report
from ..io.frames import arrow_table, pandas_frame, plain_texts, polars_frame, stream_of
from ..io.saving import write_batches
from ..io.writing import Writing, write_whole
from ..typing import ArrowSchema, ColumnType
from .arguments import Names, instance, names, whole
from .expr import Column
from .meaning import NOTHING_ASKED, Asked
from .report import Report
from .wrong import RESULT, no_attribute

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .plot import Plot

_PART_ROWS = 1 << 20  # of a file, so that no column of strings of it goes beyond 2 GiB


class Result:
    """A table with the report of its scan: records read, rejected, left out.

    Any Arrow consumer takes it (``pyarrow.table(result)``, ``polars.DataFrame(result)``, DuckDB by the variable's
    name). Integer columns are shared with the consumer, not copied, and stay valid after the result is gone. Addresses
    and texts are strings for pandas and polars, for others dictionaries, whose indices are shared, too. In a notebook
    it shows as a table.

    A result is never changed; any number of threads may read it. Two are equal if their columns and rows are. Pickles
    hold the report, too; unpickle only what you wrote.

    >>> import vpcflow as vf
    >>> line = b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 4242 22 6 20 4249 1418530010 1418530070 REJECT OK"
    >>> vf.scan(line).group_by("dstport").agg(n=vf.count()).collect().rows()
    [{'dstport': 22, 'n': 1}]
    """

    def __init__(self, table: _core.Table, report: _core.Report, asked: Asked = NOTHING_ASKED) -> None:
        self._table = table
        self.report = report if isinstance(report, Report) else Report(report)
        self._asked = asked

    @property
    def schema(self) -> list[tuple[str, ColumnType]]:
        """Names and types of the columns: int32, int64, int128, float64, bool, time, address, text."""
        return self._table.schema

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [name for name, _ in self.schema]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of columns."""
        return len(self), len(self.schema)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for begin in range(0, len(self), 4096):
            yield from self._table.rows(begin, 4096)

    @overload
    def __getitem__(self, item: str | Column) -> list[Any]: ...
    @overload
    def __getitem__(self, item: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, item: slice | list[str] | list[Column]) -> Result: ...
    def __getitem__(self, item: Any) -> Any:
        """Returns a column as a list, ``result["bytes"]``; a row as a dictionary, ``result[0]``; a result of some rows,
        ``result[10:20]``, or columns, ``result[["srcaddr", "bytes"]]``. ``None`` for null, times as Unix seconds."""
        if isinstance(item, (str, Column)):
            return self._table.column(str(item))
        if isinstance(item, slice):
            rows = range(len(self))[item]
            return Result(self._table.part(rows.start, len(rows), rows.step), self.report, self._asked)
        if isinstance(item, (list, tuple)):
            wanted = names(item, "result[['srcaddr', 'bytes']]")
            return Result(self._table.renamed([(name, name) for name in wanted], []), self.report, self._asked)
        if not hasattr(item, "__index__"):
            raise ArgumentError(
                "a result has columns by name, result['bytes'], and rows by number, result[0] and result[:10], "
                f"not {item!r}"
            )
        if not -len(self) <= operator.index(item) < len(self):
            raise IndexError(f"result[{item}]: there are {len(self):,} rows")
        row = range(len(self))[item]
        return self._table.rows(row, 1)[0]

    def head(self, n: int = 5) -> Result:
        """Returns the first ``n`` rows as a result."""
        return self[: whole(n, "head", "head(10)")]

    def tail(self, n: int = 5) -> Result:
        """Returns the last ``n`` rows as a result."""
        return self[max(len(self) - whole(n, "tail", "tail(10)"), 0) :]

    def __eq__(self, other: object) -> bool:
        """Returns whether another result has the same columns, by name and type, and rows; the reports may differ."""
        return self._table.same(other._table) if isinstance(other, Result) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # by all its rows, it would be dear

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._table, self.report, self._asked))

    def rows(self) -> list[dict[str, Any]]:
        """Returns all rows as dictionaries; ``None`` for null, times as Unix seconds, addresses as text."""
        return self._table.rows(0, len(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return stream_of(self._table, requested_schema)

    def to_arrow(self, *, schema: ArrowSchema = "default") -> pa.Table:
        """Converts to a ``pyarrow.Table``: addresses and texts as dictionary<int32, large_utf8>, times as timestamp[us,
        UTC].

        ``schema="spark"`` gives types that Spark takes: plain strings instead of dictionaries (Spark crashes on those),
        totals beyond 64 bits as decimals."""
        if schema not in ("default", "spark"):
            raise PlanError(f"schema={schema!r}: expected 'default' or 'spark'")
        table = arrow_table(self._table)
        return table if schema == "default" else plain_texts(table)

    def to_pandas(self, *, categories: bool = False) -> pd.DataFrame:
        """Converts to a ``pandas.DataFrame``. Integers are Arrow-backed, so that null stays null and never becomes a
        float; addresses and texts are strings; times are UTC datetimes. Needs pandas and pyarrow.

        ``categories``: addresses and texts are categories. They take less memory, but pandas 2 groups by two of them
        over all pairs of their values, seen or not, unless ``observed=True`` is given."""
        return pandas_frame(self._table, categories=categories)

    def to_polars(self, *, categories: bool = False) -> pl.DataFrame:
        """Converts to a ``polars.DataFrame``; addresses and texts are strings, with ``categories`` categoricals."""
        return polars_frame(self._table, categories=categories)

    @overload
    def to_csv(self, path: None = None, *, safe: bool = True) -> str: ...
    @overload
    def to_csv(self, path: str | os.PathLike[str], *, safe: bool = True) -> None: ...
    def to_csv(self, path: str | os.PathLike[str] | None = None, *, safe: bool = True) -> str | None:
        """Returns the rows as CSV, or writes them to a file. With ``safe``, texts that a spreadsheet would take for a
        formula get a ``'`` in front. :class:`~vpcflow.OutputError` for what cannot be written."""
        return _out(self._table.to_csv(True, safe), path)

    @overload
    def to_json(self, path: None = None) -> str: ...
    @overload
    def to_json(self, path: str | os.PathLike[str]) -> None: ...
    def to_json(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Returns the rows as a JSON array of objects, or writes it to a file; times as Unix seconds."""
        lines = self._table.to_json_lines().rstrip(b"\n").replace(b"\n", b",\n")
        return _out(b"[" + lines + b"]\n", path)

    @overload
    def to_json_lines(self, path: None = None) -> str: ...
    @overload
    def to_json_lines(self, path: str | os.PathLike[str]) -> None: ...
    def to_json_lines(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Returns one JSON object a line, or writes them to a file; times as Unix seconds."""
        return _out(self._table.to_json_lines(), path)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes a Parquet file; addresses and texts are strings, times UTC timestamps. Needs pyarrow."""
        parts = (self[begin : begin + _PART_ROWS] for begin in range(0, max(len(self), 1), _PART_ROWS))
        with Writing(path) as target:
            write_batches(target.file, "parquet", parts)

    @property
    def plot(self) -> Plot:
        """Plots of this result, by matplotlib: ``result.plot()`` chooses the picture by the kinds of columns;
        ``result.plot.line()``, ``result.plot.bar()``, ``result.plot.facets("action")``."""
        from .plot import Plot

        return Plot(self)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, RESULT, "a result", self.columns if name[:1] != "_" else ())

    def _repr_html_(self) -> str:
        from .. import _html as page

        rows = self._table.rows(0, page.shown_rows(len(self)))
        table = page.html_table(self.schema, rows, len(self), str(self.report))
        return page.html_warning(self.report.mostly_rejected) + table

    def __str__(self) -> str:
        rows = self._table.rows(0, 20)
        more = f"\n... {len(self) - 20:,} more rows" if len(self) > 20 else ""
        first = f"{self.report.mostly_rejected}\n" if self.report.mostly_rejected else ""
        return f"{first}{text_table(self.schema, rows, terminal_width())}{more}\n{display.printable(str(self.report))}"

    __repr__ = __str__


def _out(data: bytes, path: str | os.PathLike[str] | None) -> str | None:
    """Writes a file, or returns the text."""
    if path is None:
        return data.decode()
    write_whole(path, data)
    return None


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
    warn_of(report, stacklevel=5)


def warn_of(report: Report, stacklevel: int) -> None:
    """Warns about rejects, and with what the report warns of."""
    notes = [*report.warnings, *([str(report)] if report.rejected else [])]
    if notes:
        warnings.warn("; ".join(notes), DataQualityWarning, stacklevel=stacklevel)


class AsResult(Protocol):
    """What a result can be made of: health, dependencies."""

    def to_result(self) -> Result: ...


def diff(today: Result | AsResult, baseline: Result | AsResult, by: Names) -> Result:
    """Compares two results of the same query, or two of :func:`vpcflow.health` or :func:`vpcflow.dependencies`, joined
    by the columns ``by``, their keys.

    Column ``change`` is ``"new"``, ``"gone"``, ``"changed"`` or ``"same"``; every other numeric column is there three
    times: of today, ``..._before``, and ``..._change``, where a missing group counts as 0. Whole numbers stay whole,
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
    now, past = (
        instance(one.to_result() if hasattr(one, "to_result") else one, Result, "diff", call)
        for one in (today, baseline)
    )
    keys = names([by], call)
    return Result(_core.diff(now._table, past._table, keys), now.report)
