"""What the columns of a result stand for: times, keys, or measures with a unit. Plots go by it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal

from .. import _core
from ..typing import ColumnType

Role = Literal["time", "key", "measure", "other"]
_CALL = re.compile(r"\s*(\w+)\(\s*([\w-]*)")
_UNITS = {"bytes": "B", "packets": "packets", "records": "records", "minutes": "min", "duration": "s"}
_SESSION_KEYS = ("client_port", "server_port", "client_flags", "server_flags")
_OF_VALUES = ("sum", "min", "max", "mean", "first", "last", "quantile", "approx_quantile", "rate")


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a column stands for."""

    role: Role
    unit: str = ""  # of a measure: "B", "packets", "B/s", ...; empty for a plain number
    adds_up: bool = False  # whether parts of it may be stacked, and what is not there counts as 0
    because: str = ""  # of a column that is no measure: what it is, in words


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a query says of its result beyond the columns' types. ``known`` is false for results of no query."""

    known: bool = False
    grouped: bool = True
    every: int = 0  # the length of its time bins in seconds
    keys: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()  # aggregates by name


NOTHING_ASKED = Asked()


def asked_of(spec: _core.PlanSpec) -> Asked:
    """Returns what a query says of its result."""
    keys = tuple(name.replace("-", "_") for name in spec.by)
    grouped = bool(spec.by or spec.every or spec.aggs)
    bins = spec.every if not (spec.window or spec.gap) else 0
    return Asked(known=True, grouped=grouped, every=bins, keys=keys, calls=tuple(spec.aggs))


def meanings(schema: Sequence[tuple[str, ColumnType]], asked: Asked) -> dict[str, Meaning]:
    """Returns what each column stands for: by the query, else by its name and type."""
    calls = dict(asked.calls)
    out = {}
    for name, kind in schema:
        if name in asked.keys:
            out[name] = Meaning("time" if kind == "time" else "key", because="a key")
        elif name in calls and _CALL.match(calls[name]):
            out[name] = _of_call(calls[name], kind)
        else:
            out[name] = _of_name(name, kind)
    return out


def _of_call(call: str, kind: ColumnType) -> Meaning:
    match = _CALL.match(call)
    function, field = (match[1], match[2]) if match else ("", "")
    if function == "count":
        return Meaning("measure", "records", adds_up=True)
    if function in ("n_unique", "approx_n_unique"):
        return Meaning("measure", f"distinct {field.replace('-', '_')}")
    if kind not in ("int32", "int64", "int128", "float64"):
        return Meaning("other", because=f"{function}({field}), which is no number")
    if function in _OF_VALUES:
        unit = _unit_of_field(field)
        if unit is None and function != "sum":
            return Meaning("other", because=f"{function}({field}), which is no amount")
        return Meaning("measure", (unit or "") + ("/s" if function == "rate" else ""), adds_up=function == "sum")
    return Meaning("measure")  # a derived column


def _unit_of_field(field: str) -> str | None:
    """The unit of a field's values; ``None`` if they are numbers that name something, such as ports."""
    name = _core.find_field(field) or field
    known = next((f for f in _core.fields() if f["name"] == name), None)
    if known is None:
        return ""
    if known["unit"] == "bytes":
        return "B"
    return "packets" if known["unit"] == "packets" else None


def _of_name(name: str, kind: ColumnType) -> Meaning:
    if kind == "time":
        return Meaning("time", because="a time")
    if kind in ("address", "text", "bool"):
        return Meaning("key", because={"address": "an address", "text": "text", "bool": "a truth value"}[kind])
    if name.endswith("_error"):
        return Meaning("other", because="the error of another column")
    field = _core.find_field(name)
    if kind == "int32" and (name in _SESSION_KEYS or (field is not None and _unit_of_field(field) is None)):
        return Meaning("key", because="a number that names something")
    unit = next((unit for word, unit in _UNITS.items() if word in name.split("_")), "")
    return Meaning("measure", unit, adds_up=unit in ("B", "packets", "records"))
