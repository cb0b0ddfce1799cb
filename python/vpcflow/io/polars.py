"""Flow logs as a polars LazyFrame: columns and conditions are pushed down into the scan."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import FieldError, FilterError, PlanError
from ._conditions import comparison
from .frames import polars_frame

if TYPE_CHECKING:
    import polars as pl

    from ..query.flows import Flows

_OPERATORS = {"Eq": "=", "NotEq": "!=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def lazy_frame(flows: Flows, *, categories: bool) -> pl.LazyFrame:
    """Makes the frame of :meth:`vpcflow.Flows.lazy`."""
    from polars.io.plugins import register_io_source

    if flows._grouped or flows._spec.sort or flows._spec.limit is not None:
        raise PlanError("lazy() gives records; group, sort and limit in polars")
    names = flows.columns
    nothing = flows._filtered(["false"])._with(limit=0, lenient=True)
    empty = nothing._with(select=names, allow_missing=True).collect()
    schema = polars_frame(empty._table, categories=categories).schema

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = with_columns if with_columns is not None else names
        used = dict.fromkeys([*wanted, *(predicate.meta.root_names() if predicate is not None else ())])
        query = flows.select(*used)._with(allow_missing=True)
        pushed = None if predicate is None else translate(predicate)
        if pushed:
            query = _narrowed(query, pushed)
        left = n_rows
        for batch in query.batches(batch_size or 65536):
            frame = polars_frame(batch._table, categories=categories)
            frame = frame.cast({name: schema[name] for name in used})
            if predicate is not None:  # what could not be pushed down, and what the filter language sees otherwise
                frame = frame.filter(predicate)
            if left is not None:
                frame = frame.head(left)
                left -= len(frame)
            yield frame.select(wanted)
            if left == 0:
                break

    return register_io_source(source, schema=schema, is_pure=True)


def _narrowed(query: Flows, condition: str) -> Flows:
    """Adds a condition of polars to the query, where both languages have it: in polars a condition may hold of
    nothing."""
    narrowed = query.filter(condition)
    try:
        narrowed._plan()
    except (FieldError, FilterError):
        return query
    return narrowed


def translate(predicate: pl.Expr) -> str | None:
    """Translates a predicate of polars into a condition of vpcflow's filter language that every row passes which the
    predicate passes; ``None`` if only the trivial one is known."""
    return _condition(json.loads(predicate.meta.serialize(format="json")))


def _condition(node: Any) -> str | None:
    parts = node.get("BinaryExpr") if isinstance(node, dict) else None
    if not parts:
        return None
    left, right, op = parts["left"], parts["right"], parts["op"]
    if op in ("And", "Or"):
        sides = [_condition(left), _condition(right)]
        known = [f"({side})" for side in sides if side]
        if op == "Or" and len(known) < 2:
            return None
        return f" {op.lower()} ".join(known) or None
    if op not in _OPERATORS:
        return None
    sign, name, literal = _OPERATORS[op], _column(left), _literal(right)
    if name is None:
        sign, name, literal = _TURNED[sign], _column(right), _literal(left)
    return _comparison(name, sign, literal) if name is not None and literal is not None else None


def _column(node: Any) -> str | None:
    if isinstance(node, dict) and "Cast" in node:
        node = node["Cast"].get("expr")
    name = node.get("Column") if isinstance(node, dict) else None
    return name if isinstance(name, str) else None


def _literal(node: Any) -> int | str | datetime.datetime | None:
    value = node.get("Literal") if isinstance(node, dict) else None
    value = value.get("Dyn") or value.get("Scalar") if isinstance(value, dict) else None
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((kind, inner),) = value.items()
    if kind.startswith(("Int", "UInt")) and isinstance(inner, int):
        return inner
    if kind in ("String", "Str") and isinstance(inner, str):
        return inner
    if kind == "Datetime" and inner[1] == "Microseconds":
        return _EPOCH + datetime.timedelta(microseconds=int(inner[0]))
    return None


def _comparison(name: str, sign: str, literal: int | str | datetime.datetime) -> str | None:
    part = comparison(name, sign, literal)
    return None if part is None else part.text
