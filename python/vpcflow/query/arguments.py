"""Checks of arguments: each error says what was given and shows the right call."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, Union

from .. import _core
from ..errors import ArgumentError, PlanError
from .expr import Agg, Column

#: Names of fields or columns: texts, :func:`vpcflow.col`, lists of those.
Names = Union[str, Column, Sequence[str], Sequence[Column]]
#: An aggregate without a name, or a list of those.
Unnamed = Union[Agg, str, Sequence[Agg]]


def names(given: Iterable[Any], call: str) -> list[str]:
    """Names of fields or columns: texts, :func:`vpcflow.col`, or lists of those. ``call`` is a right one."""
    out: list[str] = []
    for one in given:
        if isinstance(one, (str, Column)):
            out.append(str(one))
        elif isinstance(one, (list, tuple)):
            out += names(one, call)
        else:
            raise ArgumentError(f"a name is needed, not {one!r}; write {call}")
    return out


def name_of(given: Any, call: str) -> str:
    """Checks that one name is given, and returns it."""
    found = names([given], call)
    if len(found) != 1:
        raise ArgumentError(f"one name is needed, not {given!r}; write {call}")
    return found[0]


def whole(given: Any, name: str, call: str) -> int:
    """Checks that a whole number is given that is not negative, and returns it."""
    needed = f"{name}: a whole number from 0 to {2**63 - 1} is needed, not {given!r}; write {call}"
    try:
        value = operator.index(given)
    except TypeError:
        raise ArgumentError(needed) from None
    if not 0 <= value < 2**63:
        raise PlanError(needed)
    return value


def text(given: Any, name: str, call: str) -> str:
    """Checks that a text is given, and returns it."""
    if not isinstance(given, str):
        raise ArgumentError(f"{name}={given!r}: text is needed; write {call}")
    return given


_T = TypeVar("_T")


def instance(given: Any, kind: type[_T] | tuple[type[_T], ...], name: str, call: str) -> _T:
    """Checks that an object of a class is given, and returns it."""
    if not isinstance(given, kind):
        kinds = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        if hasattr(given, "__arrow_c_stream__"):
            call = call.replace("vf.scan('logs/')", "vf.scan(frame)")
        raise ArgumentError(f"{name}: {kinds} is needed, not {_shown(given)}; write {call}")
    return given


def _shown(given: Any) -> str:
    """Shows what was given: a short value as it is, others by their class."""
    text = repr(given)
    return text if len(text) <= 100 and "\n" not in text else f"a {type(given).__name__}"


def several(given: Any, name: str, call: str) -> list[Any]:
    """Returns a list of an iterable that is no text."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ArgumentError(f"{name}: a list is needed, not {given!r:.100}; write {call}")
    return list(given)


def each(given: Any, kind: type[_T], name: str, call: str) -> list[_T]:
    """Returns a list of objects of a class."""
    return [instance(one, kind, name, call) for one in several(given, name, call)]


def label_of(name: Any, field: Any, table: Any) -> tuple[str, str, _core.Labels]:
    """Checks the arguments of ``label``."""
    call = "label('net', 'srcaddr', vf.labels.prefixes({...}))"
    core = getattr(table, "_core", None)
    if not isinstance(core, _core.Labels):
        raise ArgumentError(f"a table of vf.labels is needed, not {table!r}; write {call}")
    return text(name, "name", call), name_of(field, call), core


def top_of(n: Any, by: Any, other: Any, per: Any, counters: Any) -> _core.TopSpec:
    """Checks the arguments of ``top_k``."""
    call = "top_k(10, by='bytes')"
    number = whole(n, "top_k: n", call)
    order = name_of(by, call)
    held = 0 if counters is None else whole(counters, "top_k: counters", "top_k(10, by='bytes', counters=1000)")
    if counters is not None and held < 1:
        raise PlanError("top_k: counters: at least n")
    keys = names([per], "top_k(10, by='bytes', per='srcaddr')")
    return _core.TopSpec(n=number, by=order, other=bool(other), per=keys, counters=held)


def order_of(columns: Iterable[Any], descending: Any) -> list[tuple[str, bool]]:
    """Checks the arguments of ``sort``."""
    call = "sort('bytes', descending=True)"
    order = names(columns, call)
    flags = [descending] * len(order) if isinstance(descending, bool) else descending
    if not isinstance(flags, (list, tuple)) or not all(isinstance(flag, bool) for flag in flags):
        raise ArgumentError(f"descending={descending!r}: true or false is needed, or a list of them; write {call}")
    if len(flags) != len(order):
        raise PlanError("sort: as many values of descending as columns")
    return list(zip(order, flags))
