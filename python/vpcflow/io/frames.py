"""Tables for pandas, polars and pyarrow, and which of them takes an Arrow stream."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .. import _core

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


def arrow_table(table: _core.Table) -> pa.Table:
    """Returns a ``pyarrow.Table``; addresses and texts are dictionaries."""
    import pyarrow

    # pyarrow.table(...) would import pandas first, to see that this is no data frame: a quarter of a second.
    return pyarrow.RecordBatchReader.from_stream(table).read_all()


def plain_texts(table: pa.Table, *, large: bool = False) -> pa.Table:
    """Returns a table with strings in the place of dictionaries; ``large`` ones may have more than 2 GiB a chunk."""
    import pyarrow

    text = pyarrow.large_string() if large else pyarrow.string()
    plain = [f.with_type(text) if pyarrow.types.is_dictionary(f.type) else f for f in table.schema]
    return table.cast(pyarrow.schema(plain))


def pandas_frame(table: _core.Table, *, categories: bool) -> pd.DataFrame:
    """Returns the frame of :meth:`vpcflow.Result.to_pandas`."""
    import pandas
    import pyarrow

    def types(kind: pa.DataType) -> pandas.ArrowDtype | None:
        exact = pyarrow.types.is_integer(kind) or pyarrow.types.is_decimal(kind) or pyarrow.types.is_boolean(kind)
        return pandas.ArrowDtype(kind) if exact else None

    arrow = arrow_table(table)
    return (arrow if categories else plain_texts(arrow, large=True)).to_pandas(types_mapper=types)


def polars_frame(table: _core.Table, *, categories: bool) -> pl.DataFrame:
    """Returns the frame of :meth:`vpcflow.Result.to_polars`."""
    import polars

    frame = polars.DataFrame(table)
    return frame if categories else frame.cast({polars.Categorical: polars.String})


def stream_of(table: _core.Table, requested_schema: object) -> object:
    """Returns the Arrow stream of a table as its receiver likes it: for pandas and polars with strings, for all others
    with dictionaries."""
    receiver = _receiver()
    if receiver == "polars":
        return polars_frame(table, categories=False).__arrow_c_stream__()
    if receiver == "pandas":
        return plain_texts(arrow_table(table), large=True).__arrow_c_stream__()
    return table.__arrow_c_stream__(requested_schema)


def _receiver() -> str:
    """Returns the name of the package whose function asks for a stream: Arrow's protocol does not tell it."""
    frame: Any = sys._getframe(1)
    while frame is not None and _package(frame) == "vpcflow":
        frame = frame.f_back
    return "" if frame is None else _package(frame)


def _package(frame: Any) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
