"""The running of queries, several in one pass over their logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable

from .. import _core
from ..errors import NoRecordsError, PlanError, VpcflowError
from .result import Result, check

if TYPE_CHECKING:
    from .flows import Flows

Progress = Callable[[int, int, int, int], None]


def _run(queries: Sequence[Flows], progress: Progress | None) -> list[tuple[_core.Table, dict[str, Any]]]:
    first = queries[0]
    plans = [q._plan() for q in queries]
    options = first._engine_options(progress)
    if first._table is None:
        return _core.run(plans, first._sources, options)
    everything = any(q._spec.get("check_all") for q in queries)
    fields = None if everything else {field for plan in plans for field in plan.fields}
    results = _core.run_arrow(plans, first._sources, first._table.streams(fields), options)
    for _, report in results:
        first._table.note(report)
    return results


def collect_readable(
    queries: Sequence[Flows], *, progress: Progress | None = None
) -> tuple[list[Result], VpcflowError | None]:
    """As :func:`collect_all`; of damaged sources what could be read, if that are records, with the error."""
    try:
        return collect_all(queries, progress=progress), None
    except VpcflowError as error:
        if not error.partials or not error.partials[0].report.records or isinstance(error, NoRecordsError):
            raise
        return list(error.partials), error


def collect_all(queries: Sequence[Flows], *, progress: Progress | None = None) -> list[Result]:
    """Runs several queries over the same logs in one pass; all must come from one :func:`scan`.

    A line that is malformed for one of them is a reject for all. Returns the results in the order of the queries.
    """
    if not queries:
        return []
    if any(q._sources is not queries[0]._sources or q._table is not queries[0]._table for q in queries):
        raise PlanError("collect_all: the queries must come from the same scan()")
    results = [Result(table, report) for table, report in _run(queries, progress)]
    check(results, any(query._allows_empty for query in queries))
    return results
