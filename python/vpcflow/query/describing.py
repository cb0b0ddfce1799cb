"""What the columns of records hold: the query and the table of :meth:`vpcflow.Flows.describe`."""

from __future__ import annotations

import array
from collections.abc import Iterable, Sequence
from typing import Any

from .. import _core
from .._display import instant
from ..typing import ColumnType
from .expr import Agg, approx_n_unique, count, mean
from .expr import max as largest
from .expr import min as smallest
from .result import Result

_NUMBERS = ("int32", "int64", "time")


def aggregates(schema: Sequence[tuple[str, ColumnType]]) -> dict[str, Agg]:
    """Returns the aggregates of each column, by names of its number."""
    out = {"records": count()}
    for number, (name, kind) in enumerate(schema):
        out[f"count_{number}"] = count(where=f"{name} is not null")
        out[f"unique_{number}"] = approx_n_unique(name)
        if kind in _NUMBERS:
            out[f"min_{number}"], out[f"max_{number}"] = smallest(name), largest(name)
        if kind in ("int32", "int64"):
            out[f"mean_{number}"] = mean(name)
    return out


def described(schema: Sequence[tuple[str, ColumnType]], computed: Result) -> Result:
    """Returns a row for each column, from the values of :func:`aggregates`."""
    values = computed.rows()[0] if len(computed) else {"records": 0}
    rows = []
    for number, (name, kind) in enumerate(schema):
        known = values.get(f"count_{number}") or 0
        least, most = (_shown(values.get(f"{what}_{number}"), kind) for what in ("min", "max"))
        unique, average = values.get(f"unique_{number}"), values.get(f"mean_{number}")
        rows.append((name, kind, known, values["records"] - known, unique, least, most, average))
    kinds: dict[str, ColumnType] = {
        "column": "text", "type": "text", "count": "int64", "null": "int64", "unique": "int64", "min": "text",
        "max": "text", "mean": "float64",
    }  # fmt: skip
    columns = list(zip(*rows)) or [()] * len(kinds)
    return Result(
        _core.Table(len(rows), [_column(*kind, column) for kind, column in zip(kinds.items(), columns)]),
        computed.report,
    )


def _shown(value: Any, kind: ColumnType) -> str | None:
    if value is None:
        return None
    return instant(value) if kind == "time" else str(value)


def _column(name: str, kind: ColumnType, values: Iterable[Any]) -> tuple[str, str, bytes, list[bytes]]:
    """Makes a column of Python values."""
    if kind == "text":
        texts = list(dict.fromkeys(value for value in values if value is not None))
        codes = array.array("i", [-1 if value is None else texts.index(value) for value in values])
        return name, kind, codes.tobytes(), [text.encode() for text in texts]
    if kind == "float64":
        numbers = array.array("d", [float("nan") if value is None else value for value in values])
        return name, kind, numbers.tobytes(), []
    whole = array.array("q", [-(2**63) if value is None else value for value in values])
    return name, kind, whole.tobytes(), []
