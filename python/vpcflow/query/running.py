"""The running of queries, several in one pass over their logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import _core
from ..errors import NoRecordsError, PlanError, VpcflowError
from ..typing import Progress
from .result import Result, check

if TYPE_CHECKING:
    from .flows import Flows



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
    first = queries[0]
    if any(query._sources is not first._sources for query in queries):
        raise PlanError("collect_all: the queries must come from the same scan()")
    plans = [query._plan() for query in queries]
    ran = _core.run(plans, first._sources, first._options, progress)
    results = [Result(table, report) for table, report in ran]
    check(results, any(query._allows_empty for query in queries))
    return results
