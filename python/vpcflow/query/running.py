"""The running of queries, several in one pass over their logs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import _core
from ..errors import ArgumentError, NoRecordsError, PlanError, VpcflowError
from ..typing import Progress
from .arguments import several
from .meaning import asked_of
from .progress import shown
from .result import Result, check

if TYPE_CHECKING:
    from .flows import Flows


def collect_readable(
    queries: Sequence[Flows], *, progress: Progress | bool | None = None
) -> tuple[list[Result], VpcflowError | None]:
    """As :func:`collect_all`; of damaged sources what could be read, if that are records, with the error."""
    try:
        return collect_all(queries, progress=progress), None
    except VpcflowError as error:
        if not error.partials or not error.partials[0].report.records or isinstance(error, NoRecordsError):
            raise
        return list(error.partials), error


def collect_all(queries: Sequence[Flows], *, progress: Progress | bool | None = None) -> list[Result]:
    """Runs several queries over the same logs in one pass; all must come from one :func:`scan`.

    A line that is malformed for one of them is a reject for all. Returns the results in the order of the queries.
    """
    call = "collect_all([flows.agg(n=vf.count())])"
    queries = several(queries, "collect_all", call)
    if not queries:
        return []
    for query in queries:
        if not hasattr(query, "_plan"):
            raise ArgumentError(f"collect_all: a query is needed, not {query!r:.100}; write {call}")
    first = queries[0]
    if any(query._sources is not first._sources for query in queries):
        raise PlanError("collect_all: the queries must come from the same scan()")
    looked_at = 1 if len(queries) == 1 and _ends_early(first) else None
    with shown(progress) as bar:
        while True:
            plans = [query._plan(looked_at) for query in queries]
            ran = _core.run(plans, first._sources, first._options, bar)
            read = ran[0][1].sources + ran[0][1].duplicates
            if looked_at is None or read <= looked_at:
                break
            looked_at = read  # it took more of them, which may have further columns
    results = [Result(*one, asked_of(query._spec)) for one, query in zip(ran, queries)]
    results = [r if query._last is None else r.tail(query._last) for r, query in zip(results, queries)]
    check(results, any(query._allows_empty for query in queries))
    return results


def within(flows: Flows, budget: int, threads: int | None = None) -> Flows:
    """Limits the memory of groups and rows to as many bytes, if the query has no lower limit; ``threads``: by which it
    is run."""
    own = flows._options.max_memory
    options = flows._options.replace(max_memory=min(own, budget) if own else budget)
    options = options if threads is None else options.replace(threads=threads)
    return type(flows)(dataclasses.replace(flows._logs, options=options), flows._spec, flows._filters, flows._last)


def _ends_early(query: Flows) -> bool:
    """Tells whether a query reads only the first sources, if they have as many rows as it wants, and could read them
    again."""
    return query._spec.limit is not None and not query._spec.sort and all(s.is_path for s in query._sources)
