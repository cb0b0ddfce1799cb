"""The reading of logs for what is served of them, in memory that does not grow with their addresses.

Of logs with few flows one reading gives all groups. Of others the groups that are largest are found within counters
first, whose totals are bounded from both sides, and counted exactly in another reading. What all other groups have
together is exact, too, and what one of them can have at most is known.
"""

from __future__ import annotations

import array
import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..analyze.questions import KEYS, TABLES, Table, measure_of, volume
from ..detect.detect import look
from ..detect.settings import Settings
from ..errors import FieldError, OutOfMemoryError, SourceError, VpcflowError
from ..findings.finding import Finding
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable, within
from ..query.scan import query
from ..typing import Progress
from .board import BESIDE, EVERY, MOST_FLOWS, MOST_ROWS, SERVICES, Figures, Held, Kept, Rows, records_of

_BUDGET = 512 << 20  # bytes of groups and sessions, beyond which only the largest groups are counted
_COUNTERS = 50_000  # groups of a table that are told apart then; some 200 bytes each
_SHARES = (1, 8, 64)  # by which fewer groups are counted through the time, if they are too many
_FEWEST = 20  # groups
_MOST_PLACES = 100  # accounts and regions that metrics name
_MOST_SESSIONS = 20_000
_PLACES = Table(("account_id", "region"), "records")
#: What is gathered: also single flows.
_TABLES = {**TABLES, "flows": Table(KEYS, "bytes")}
_SESSION = ("start", "end", "client", "server", "server_port", "protocol", "state")
_SUMS = ("bytes", "packets", "records")


class _Reading(NamedTuple):
    """What one reading of the logs gave."""

    found: dict[str, Result]
    findings: list[Finding]
    sessions: Rows
    begun: Sequence[int]
    lacking: dict[str, str]
    damage: VpcflowError | None


class _Largest(NamedTuple):
    """The groups of a table that are largest: their ``keys`` and ``sizes``, each of which may be ``error`` too small.
    ``more``: there are groups beyond the last one."""

    table: Table
    keys: list[tuple[Any, ...]]
    sizes: list[int]
    error: int
    more: bool

    @classmethod
    def of(cls, table: Table, rows: Rows) -> _Largest:
        """Takes the rows of a table, or of counters."""
        listed = [row for row in rows if not row.get("other")]
        keys = [tuple(row[name] for name in table.by) for row in listed]
        error = max((row.get(f"{table.measure}_error") or 0 for row in listed), default=0)
        more = len(listed) < len(rows) or len(listed) >= MOST_ROWS
        return cls(table, keys, [row[table.measure] or 0 for row in listed], error, more)

    def bound(self, n: int) -> int:
        """Returns what a group can have at most that is none of the first ``n``."""
        if n < len(self.sizes):
            return self.sizes[n] + self.error
        return (self.sizes[-1] if self.more and self.sizes else 0) + self.error

    def chosen(self, flows: Flows, n: int) -> Flows:
        """Returns the records of the first ``n`` groups, and of those that share all their values with some."""
        flows = _where(flows, self.table.where)
        for place, name in enumerate(self.table.by):
            values = {key[place] for key in self.keys[:n]}
            condition = str(of.col(name).is_in(sorted(values - {None}, key=str)))
            flows = _where(flows, f"{condition} or {name} is null" if None in values else condition)
        return flows


class _Counted(NamedTuple):
    """The largest groups, counted: of all the time, and through it."""

    tables: dict[str, Rows]
    bounds: dict[str, int]
    kept: dict[str, Kept]
    places: Rows


def gather(
    flows: Flows, *, every: int = EVERY, most: int = MOST_FLOWS, settings: Settings | None = None,
    progress: Progress | bool | None = None, budget: int = _BUDGET,
) -> Figures:  # fmt: skip
    """Reads logs, twice, and returns all that is served of them. ``every``: seconds of a bin; ``most``: flows that are
    held, 0 for no questions about part of the time. ``settings``: of the detectors, which are not run without. Of
    damaged logs the figures are of what could be read, with the error as ``damage``. Raises
    :class:`~vpcflow.VpcflowError` if that is nothing.

    Of logs whose groups and sessions take more than ``budget`` bytes only the largest groups are counted, in two
    further readings, and :attr:`Figures.bounds` says what others can have at most; of a stream, which is read once,
    that is :class:`~vpcflow.OutOfMemoryError`."""
    there = [name for name, _ in flows._with(allow_missing=True).schema]
    asked = {name: dataclasses.replace(table, measure=measure_of(table, there)) for name, table in _TABLES.items()}
    beside = [name for name in BESIDE if name in there]
    small = within(flows, budget)
    try:
        queries = {**_exact(small, asked, every), "held": _held(small, every, most, beside)}
        read = _read(small, queries, settings, progress)
    except OutOfMemoryError as error:
        read = _read_again(error, flows, _bounded(flows, asked, every), settings, progress)
    found = read.found
    tables = {name: found[name].rows() for name in asked}
    held = Held.nothing()
    counted = _Counted(tables, {}, {}, [])
    if "held" not in found:
        counted = _count({**asked, "places": _PLACES}, flows, found, every, most, budget)
    elif len(found["held"]) <= most:
        held = Held.holding(found["held"], most, there)
    elif most and beside and (fewer := _again(_held(small, every, most, ()), most)) is not None:
        held = Held.holding(fewer, most, there)
    elif most:
        counted = counted._replace(kept=_count(asked, flows, found, every, most, budget).kept)
    coverage = _coverage(flows, read.lacking)
    return Figures(
        every=every, tables=counted.tables, held=held, held_rejects=held, totals=found["totals"].rows(),
        bins=found["bins"].rows(), services=found["services"].rows(),
        places=counted.places if "held" not in found else found["places"].rows(), findings=read.findings,
        sessions=read.sessions, coverage=coverage, report=found["totals"].report, lacking=read.lacking,
        fields=frozenset(there), damage=read.damage, kept=counted.kept, bounds=counted.bounds, begun=read.begun,
        words=flows._logs.words or ("logs/",),
    )  # fmt: skip


def _where(flows: Flows, condition: str) -> Flows:
    return flows.filter(condition)._with(lenient=True) if condition else flows


def _read(
    flows: Flows, asked: dict[str, Flows], settings: Settings | None, progress: Progress | bool | None
) -> _Reading:  # fmt: skip
    """Runs queries and the detectors in one reading."""
    queries = list(asked.values())
    try:
        if settings is None:
            raise FieldError("the detectors were not asked")
        seen = look(flows, settings, others=queries, progress=progress)
    except FieldError as error:  # tables can do without what sessions need
        results, damage = collect_readable(queries, progress=progress)
        lacking = {"findings": str(error), "sessions": str(error)}
        return _Reading(dict(zip(asked, results)), [], [], (), lacking, damage)
    return _Reading(dict(zip(asked, seen.others)), list(seen.findings), *_sessions(seen.sessions), {}, seen.damage)


def _read_again(
    error: OutOfMemoryError, flows: Flows, queries: dict[str, Flows], settings: Settings | None,
    progress: Progress | bool | None,
) -> _Reading:  # fmt: skip
    """Reads logs whose groups were too many."""
    try:
        return _read(flows, queries, settings, progress)
    except SourceError as again:
        if again.partials and again.partials[0].report.records:
            raise
        raise OutOfMemoryError(
            "serve: these logs have too many flows to be read only once, as a stream is; write them to a file"
        ) from error


def _few(loose: Flows, every: int) -> dict[str, Flows]:
    """Returns the queries whose groups are few whatever the logs are."""
    named = ", ".join(map(str, SERVICES))
    queries = {
        "totals": loose.group_by("action", every=every, bin_by="start").agg(**volume()),
        "bins": loose.group_by("action", "protocol", "flow_direction", every=every).agg(**volume()),
        "services": _where(loose, f"dstport in ({named})").group_by("dstport", "action", every=every).agg(**volume()),
    }
    for where in {table.where for table in TABLES.values()} - {""}:
        queries[where] = _where(loose, where).group_by("action", every=every, bin_by="start").agg(**volume())
    return queries


def _held(flows: Flows, every: int, most: int, beside: Sequence[str]) -> Flows:
    """Returns the query of the flows that are held, one more than those if there are others."""
    loose = query(allow_missing=True).bind(flows)
    by_time = loose.group_by(*KEYS, *beside, every=every, bin_by="start").agg(**volume())
    return by_time.top_k(most + 1, by="bytes")


def _again(asked: Flows, most: int) -> Result | None:
    """Reads the logs for a query that may have at most as many rows; ``None`` if it has more, or they are a stream."""
    try:
        (found,), _ = collect_readable([asked])
    except (SourceError, OutOfMemoryError):
        return None
    return found if len(found) <= most else None


def _exact(flows: Flows, tables: Mapping[str, Table], every: int) -> dict[str, Flows]:
    """Returns the queries of all groups."""
    loose = query(allow_missing=True).bind(flows)
    queries = _few(loose, every)
    queries["places"] = loose.group_by(*_PLACES.by, "action", every=every).agg(**volume())
    for name, table in tables.items():
        groups = _where(loose, table.where).group_by(*table.by).agg(**volume())
        queries[name] = groups.top_k(MOST_ROWS, by=table.measure, other=True)
    return queries


def _bounded(flows: Flows, tables: Mapping[str, Table], every: int) -> dict[str, Flows]:
    """Returns the queries of the groups that are largest, by counters."""
    loose = query(allow_missing=True).bind(flows)
    queries = _few(loose, every)
    for name, table in {**tables, "places": _PLACES}.items():
        groups = _where(loose, table.where).group_by(*table.by).agg(**{table.measure: volume()[table.measure]})
        queries[name] = groups.top_k(MOST_ROWS, by=table.measure, counters=_COUNTERS)
    return queries


def _count(
    tables: Mapping[str, Table], flows: Flows, found: dict[str, Result], every: int, most: int, budget: int
) -> _Counted:  # fmt: skip
    """Counts the largest groups, and fewer of them through the time where it is long. The fewest have no limit of their
    own: what could go beyond it are all combinations of their values."""
    largest = {name: _Largest.of(table, found[name].rows()) for name, table in tables.items()}
    bins = max(len(set(found["totals"]["time"])), 1)
    totals = {table.where: found[table.where or "totals"].rows() for table in TABLES.values()}
    for share in _SHARES:
        n = min(max(most // bins // share, _FEWEST), MOST_ROWS)
        last = share == _SHARES[-1]
        loose = query(allow_missing=True).bind(flows if last else within(flows, budget))
        queries = [one for name in largest for one in _both(loose, name, largest[name], every, n)]
        try:
            results, _ = collect_readable(queries)
            break
        except OutOfMemoryError:
            if last:
                raise
    made = _Counted({}, {}, {}, [])
    for number, (name, one) in enumerate(largest.items()):
        whole, through = results[2 * number : 2 * number + 2]
        if name == "places":
            made = made._replace(places=through.rows())
            continue
        made.kept[name] = Kept(records_of(through), one.bound(n), totals[one.table.where])
        made.tables[name] = _with_other(whole.rows(), totals[one.table.where])
        made.bounds[name] = one.bound(MOST_ROWS)
    return made


def _both(loose: Flows, name: str, largest: _Largest, every: int, n: int) -> Iterator[Flows]:
    """Yields the queries of a table's largest groups: of all the time, and through it."""
    table = largest.table
    whole = largest.chosen(loose, MOST_ROWS).group_by(*table.by).agg(**volume()).top_k(MOST_ROWS, by=table.measure)
    if name == "places":
        chosen = largest.chosen(loose, _MOST_PLACES)
        yield from (whole, chosen.group_by(*table.by, "action", every=every).agg(**volume()))
        return
    keys = dict.fromkeys((*table.by, "action"))
    yield from (whole, largest.chosen(loose, n).group_by(*keys, every=every, bin_by="start").agg(**volume()))


def _with_other(rows: Rows, totals: Iterable[Mapping[str, Any]]) -> Rows:
    """Adds the row of all other groups."""
    totals = list(totals)
    other = {name: sum(r[name] or 0 for r in totals) - sum(r[name] or 0 for r in rows) for name in _SUMS}
    return [*({**row, "other": False} for row in rows), {**other, "other": True}]


def _sessions(sessions: Result) -> tuple[Rows, Sequence[int]]:
    """Returns the largest sessions, in few columns, and when all began, if there are others."""
    begun = array.array("q")

    def counted() -> Iterator[dict[str, Any]]:
        for row in sessions[[*_SESSION, "client_bytes", "server_bytes", "records", "counted"]]:
            if row["counted"]:
                begun.extend(() if row["start"] is None else (row["start"],))
                size = (row["client_bytes"] or 0) + (row["server_bytes"] or 0)
                yield {**{name: row[name] for name in _SESSION}, "bytes": size, "records": row["records"]}

    rows = heapq.nlargest(_MOST_SESSIONS, counted(), key=lambda row: (row["bytes"], -(row["start"] or 0)))
    return rows, sorted(begun) if len(begun) > len(rows) else ()


def _coverage(flows: Flows, lacking: dict[str, str]) -> Rows:
    try:
        return flows._with(allow_missing=True).coverage().rows()
    except VpcflowError as error:
        lacking["coverage"] = str(error)
        partial = getattr(error, "partial", None)
        return partial.rows() if isinstance(partial, Result) else []
