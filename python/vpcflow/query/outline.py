"""A query in a few lines, for looking at it without reading its logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import _core
from .._display import printable

_WIDTH = 100


def outline(sources: Sequence[str] | None, spec: _core.PlanSpec, filters: Sequence[str], last: int | None) -> str:
    """Returns at most ten lines: the stages that a query has."""
    lines = [f"{name:<9} {printable(text)}" for name, text in _stages(sources, spec, filters, last)]
    return "\n".join(["<Flows: lazy; collect() runs it>", *(_cut(line) for line in lines)])


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."


def _stages(
    sources: Sequence[str] | None, spec: _core.PlanSpec, filters: Sequence[str], last: int | None
) -> Iterator[tuple[str, str]]:
    if sources is None:
        yield "scan", "no data; bind(data) gives it some"
    else:
        more = f" and {len(sources) - 3:,} more" if len(sources) > 3 else ""
        yield "scan", ", ".join(sources[:3]) + more
    if spec.labels:
        yield "label", ", ".join(f"{name} of {field}" for name, field, _ in spec.labels)
    if filters:
        yield "filter", " and ".join(filters)
    yield from _rows(spec)
    if spec.aggs:
        yield "compute", ", ".join(f"{name}={call}" for name, call in [*spec.aggs, *spec.derived])
    if spec.having:
        yield "having", " and ".join(spec.having)
    if spec.top is not None:
        per = f" per {', '.join(spec.top.per)}" if spec.top.per else ""
        yield "top", f"{spec.top.n:,} by {spec.top.by}{per}"
    if spec.sort:
        yield "sort", ", ".join(f"{name} descending" if descending else name for name, descending in spec.sort)
    if last is not None or spec.limit is not None:
        first = [] if spec.limit is None else [f"the first {spec.limit:,} rows"]
        yield "limit", ", of those ".join([*first, *([] if last is None else [f"the last {last:,}"])])


def _rows(spec: _core.PlanSpec) -> Iterator[tuple[str, str]]:
    if spec.sessions:
        yield "sessions", f"idle {spec.sessions.idle} s, vantage {spec.sessions.vantage}"
    elif spec.by or spec.every:
        every = [f"every {spec.every} s"] if spec.every else []
        yield "group by", ", ".join([*spec.by, *every])
    elif not spec.aggs:
        located = " with file and offset" if spec.located else ""
        yield "select", (", ".join(spec.select) or "all fields") + located
