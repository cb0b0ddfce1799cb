"""Frames of others as tables of labels: what :meth:`vpcflow.Flows.join` looks up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from ..errors import ArgumentError, PlanError
from ..labels.prefixes import Labels
from .outputs import Outputs
from .result import Result

_CALL = "join(frame, on='srcaddr')"


def tables_of(frame: Any, on: str, key: str, taken: Sequence[str]) -> dict[str, Labels]:
    """Returns by name a table of labels for each column of a frame but its key. ``taken``: names that are there."""
    columns = _columns(frame)
    if key not in columns:
        there = ", ".join(map(str, columns))
        raise PlanError(f"join: the frame has no column {key!r}; there are {there}; write join(frame, {on!r}, key=...)")
    keys = [_plain(value) for value in columns.pop(key)]
    if not columns:
        raise PlanError(f"join: the frame has no column beside {key!r}; there is nothing to add")
    kind = next((f["type"] for f in _core.fields() if f["name"] == _core.find_field(on)), "text")
    _check(keys, columns)
    out: dict[str, Labels] = {}
    for given, values in columns.items():
        name = str(given)
        while name in taken or name in out or _core.find_field(name) is not None:
            name += "_right"
        out[name] = _table(kind, keys, [_plain(value) for value in values])
    return out


def _columns(frame: Any) -> dict[Any, list[Any]]:
    """The columns of a query, a result, a mapping of lists, or a frame of pandas, polars or pyarrow."""
    if isinstance(frame, Mapping):
        return {name: list(values) for name, values in frame.items()}
    frame = frame.collect() if isinstance(frame, Outputs) else frame
    names = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    if names is None or callable(names):
        raise ArgumentError(
            f"join takes a frame of pandas, polars or pyarrow, a result or a mapping of lists, not "
            f"{type(frame).__name__}; write {_CALL}"
        )
    return {name: _list(frame, name) for name in names}


def _list(frame: Any, name: Any) -> list[Any]:
    column = frame[name]
    if isinstance(frame, Result):
        return list(column)
    convert = next((m for m in ("to_pylist", "to_list", "tolist") if hasattr(column, m)), None)
    return list(column) if convert is None else list(getattr(column, convert)())


def _plain(value: Any) -> Any:
    """A value without what pandas makes of it: null is ``None``, whole numbers are no floats."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value


def _check(keys: list[Any], columns: Mapping[Any, list[Any]]) -> None:
    seen: dict[Any, int] = {}
    for row, key in enumerate(keys):
        first = seen.setdefault(key, row)
        if key is not None and first != row and any(_plain(v[first]) != _plain(v[row]) for v in columns.values()):
            raise PlanError(
                f"join: the key {key!r} stands in rows {first} and {row} with different values; a record is joined to "
                "one row: drop one of them"
            )


def _table(kind: str, keys: list[Any], values: list[Any]) -> Labels:
    table = Labels(f"{kind} keys")
    for key, value in zip(keys, values):
        if key is None or value is None:
            continue
        if kind == "address":
            table._core.add_prefix(str(key), str(value))
        elif kind == "text":
            table._core.add_text(str(key), str(value))
        elif isinstance(key, int):
            table._core.add_number(key, str(value))
        else:
            raise PlanError(f"join: the key {key!r} is no whole number")
    return table.done()
