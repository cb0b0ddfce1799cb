"""Which flow log a record is of; and of interfaces that several flow logs tell of, which one is believed."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from .. import _core
from ..errors import NoRecordsError, VpcflowError
from ..query.expr import Expr, col
from ..query.flows import Flows
from ..query.report import Report
from ..query.running import collect_readable

_ID = re.compile(r"(?<![0-9a-z])fl-[0-9a-f]{8,17}(?![0-9a-f])")
_MINUTE = 60
_QUIET = 600  # seconds without a record in which a flow log is still there: the longest window of AWS
_LISTED = 500  # ids in one condition
#: What a record is of, as several flow logs may tell: the field and the value of its interface, and its action.
Thing = tuple[str, str, "str | None"]


@dataclasses.dataclass(frozen=True)
class Part:
    """Records of some flow logs: ``kept``, and those that another flow log tells, too."""

    kept: Flows
    repeated: Flows | None = None


@dataclasses.dataclass(frozen=True)
class Logged:
    """What logs have records of.

    ``ids``: of interfaces, and addresses in records without one. A regional NAT gateway has no interface: it is told by
    its addresses. ``formats``: of the logs. ``parts``: that together have each record once. ``repeats``: sentences
    about flow logs of the same interfaces. ``apart``: the names of all files tell their flow logs. ``records``: how
    many there are.
    """

    ids: AbstractSet[str]
    formats: Sequence[str]
    parts: Sequence[Part]
    repeats: Sequence[str]
    apart: bool
    records: int


def logged(flows: Flows) -> Logged:
    """Reads which interfaces the logs have records of. Raises what reading raises."""
    flows = flows._with(allow_missing=True)
    by_log = _by_flow_log(flows)
    ids: set[str] = set()
    formats: dict[str, int] = {}
    records = 0
    told: dict[Thing, dict[str, int]] = {}  # bytes by flow log
    for log, own in by_log.items():
        keys = ["interface_id"] if len(by_log) == 1 else ["interface_id", "action"]
        results, _ = collect_readable([own.group_by(*keys).agg(bytes="sum(bytes)")])
        rows = [("interface_id", row) for row in results[0].rows() if row["interface_id"]]
        ids |= {str(row["interface_id"]) for _, row in rows}
        formats |= results[0].report.formats
        records += results[0].report.records
        if len(rows) < len(results[0]):
            nameless = own.filter(col("interface_id").is_null()).group_by("resource_id", "srcaddr", "action")
            found = collect_readable([nameless.agg(bytes="sum(bytes)")])[0][0].rows()
            ids |= {str(row[name]) for row in found for name in ("resource_id", "srcaddr") if row[name]}
            rows += [("resource_id", row) for row in found if row["resource_id"]]
        for field, row in rows:
            sizes = told.setdefault((field, str(row[field]), row.get("action")), {})
            sizes[log] = sizes.get(log, 0) + (row["bytes"] or 0)
    parts, repeats = _once(flows, by_log, told)
    apart = all(_flow_log_of(source) is not None for source in flows._sources)
    return Logged(ids, list(formats), parts, repeats, apart, records)


def run_parts(parts: Iterable[Part], question: Any) -> tuple[list[Any], list[Any], Report, VpcflowError | None]:
    """Returns the rows of a grouping over what is kept, those of what is repeated, the report of what is kept, and the
    error of a damaged source. ``question`` makes the grouping of a query."""
    kept: list[Any] = []
    repeated: list[Any] = []
    report, failed = _core.Report(), None
    parts = list(parts)
    for part in parts:
        queries = [question(one) for one in (part.kept, part.repeated) if one is not None]
        try:
            results, error = collect_readable(queries)
        except NoRecordsError:
            if len(parts) == 1:
                raise
            continue
        failed = failed or error
        kept += results[0].rows()
        repeated += results[1].rows() if len(results) > 1 else []
        report = _core.merge_reports(report, results[0].report) if len(parts) > 1 else results[0].report
    return kept, repeated, Report(report), failed


def _by_flow_log(flows: Flows) -> dict[str, Flows]:
    """Returns the records of each flow log, as the names of files have it; all as one where a name has none."""
    sources: dict[str, list[_core.Source]] = {}
    for source in flows._sources:
        named = _flow_log_of(source)
        if named is None:
            return {"": flows}
        sources.setdefault(named, []).append(source)
    return {name: _of(flows, own) for name, own in sources.items()} if len(sources) > 1 else {"": flows}


def _flow_log_of(source: _core.Source) -> str | None:
    """Returns the id of a flow log that the name of a file has."""
    named = source.object_path["flow_log_id"] or next(iter(_ID.findall(str(source.name))), None)
    return None if named is None else str(named)


def _of(flows: Flows, sources: Sequence[_core.Source]) -> Flows:
    """Returns the query over some of its sources."""
    logs = dataclasses.replace(
        flows._logs, sources=list(sources), options=flows._options.replace(allow_empty=True), _peeked={}
    )
    return Flows(logs, flows._spec, flows._filters, flows._last)


def _once(
    flows: Flows, by_log: Mapping[str, Flows], told: Mapping[Thing, Mapping[str, int]]
) -> tuple[list[Part], list[str]]:
    """Returns parts that have each record once. An interface is taken of the flow log with the most bytes of it at all
    times at which that one is there, and of others at other times."""
    believed: dict[tuple[str, str], list[Thing]] = {}  # by (flow log, the one that is believed)
    for thing, sizes in told.items():
        first = min(sizes, key=lambda log: (-sizes[log], log))
        for log in sizes.keys() - {first}:
            believed.setdefault((log, first), []).append(thing)
    times = {first: _times(by_log[first]) for first in {first for _, first in believed}}
    parts: list[Part] = []
    for log in sorted({log for log, _ in believed}):
        clauses = [
            clause for (repeating, first), things in sorted(believed.items()) if repeating == log
            for clause in _clauses(things, times[first])
        ]  # fmt: skip
        repeated = functools.reduce(operator.or_, (yes for yes, _ in clauses))
        parts.append(Part(by_log[log].filter(*(no for _, no in clauses)), by_log[log].filter(repeated)))
    rest = [source for log, own in by_log.items() if log not in {log for log, _ in believed} for source in own._sources]
    whole = flows if not believed else _of(flows, rest)
    repeats = [f"{log} has records that {first} has, too: counted once" for log, first in sorted(believed)]
    return [Part(whole), *parts] if rest or not believed else parts, repeats


def _times(flows: Flows) -> list[tuple[int, int]]:
    """Returns the times in which a flow log has records, as Unix seconds from and until."""
    status = ["log_status"] if "log_status" in flows.columns else []
    whole = flows._filtered(flows._logs.filters)
    results, _ = collect_readable([whole.group_by(*status, every=f"{_MINUTE}s").agg(n="count()")])
    edges: list[int] = []
    minutes = sorted({int(row["time"]) for row in results[0].rows() if row["time"] is not None})
    for begin, end in zip([None, *minutes], [*minutes, None]):
        if begin is None or end is None or end - begin > _MINUTE + _QUIET:
            edges += [] if begin is None else [begin + _MINUTE]
            edges += [] if end is None else [end]
    return list(zip(edges[::2], edges[1::2]))


def _clauses(things: Sequence[Thing], times: Sequence[tuple[int, int]]) -> Iterator[tuple[Expr, Expr]]:
    """Yields conditions that hold of records of things at times, and what holds of all others: a comparison with null
    is neither."""
    start = col("start")
    for field, action in sorted({(field, action or "") for field, _, action in things}):
        values = sorted(value for name, value, own in things if (name, own or "") == (field, action))
        done, unknown = col("action") == action, col("action").is_null()
        for part in (values[at : at + _LISTED] for at in range(0, len(values), _LISTED)):
            named = col(field).is_in(part)
            other = col(field).is_null() | ~named | ((unknown | ~done) if action else ~unknown)
            for begin, end in times:
                during = (start >= begin) & (start < end)
                yield named & (done if action else unknown) & during, other | (start < begin) | (start >= end)
