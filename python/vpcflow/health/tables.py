"""Results made of rows, for frames, files and comparisons."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from ..query.report import Report
from ..query.result import Result
from ..typing import ColumnType

# By type the code of an array, and null in the engine's columns.
_FORMS: dict[str, tuple[str, Any]] = {
    "int32": ("i", -(2**31)), "int64": ("q", -(2**63)), "float64": ("d", float("nan")), "time": ("q", -(2**63)),
}  # fmt: skip
_MICROS = 1_000_000


def table_of(kinds: Mapping[str, ColumnType], rows: Sequence[Mapping[str, Any]], report: Report) -> Result:
    """Makes a result of rows. ``kinds``: its columns with their types: int32, int64, float64, time (Unix seconds) or
    text; None is null."""
    columns: list[tuple[str, str, bytes, list[bytes]]] = []
    for name, kind in kinds.items():
        values = [row[name] for row in rows]
        if kind == "text":
            texts = {text: i for i, text in enumerate(dict.fromkeys(value for value in values if value is not None))}
            codes = array("i", (-1 if value is None else texts[value] for value in values))
            columns.append((name, kind, codes.tobytes(), [text.encode() for text in texts]))
            continue
        code, null = _FORMS[kind]
        factor = _MICROS if kind == "time" else 1
        numbers = array(code, (null if value is None else value * factor for value in values))
        columns.append((name, kind, numbers.tobytes(), []))
    return Result(_core.Table(len(rows), columns), report)
