"""The traffic that a watch counted lately, in few rows: for those who look at it while the watch runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from ..analyze.questions import KEYS, TABLES, Table, measure_of, volume
from ..errors import OutOfMemoryError, VpcflowError
from ..query.expr import col
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all, within
from ..query.scan import query
from .memory import Memory
from .reading import DAY
from .store import Store

BIN = 60  # seconds, of the volume over time
SLOT = 300  # seconds, of all else
KEEP = DAY  # seconds of log time
UNDATED = -1  # the time of records without one
OTHER = ""  # the key of all that no row of its own has
BOUND = "bound"  # the key of the most that a group of a slot can have beyond its row, or without one
_AHEAD = 3600  # seconds by which times of records may be ahead of the clock
_MOST_COVERAGE = 300_000  # rows: interfaces times slots
_MOST_FIELDS = 200
BUDGET = 256 << 20  # bytes of groups, beyond which only the largest are counted
_COUNTERS = 20_000  # groups that are told apart then
_SUMS = ("bytes", "packets", "records")
_GREATEST = 2**63 - 1  # that SQLite holds


class Question(NamedTuple):
    """A table, and how many of its rows are kept of each slot; the rest is one row."""

    table: Table
    most: int


#: What is kept by name. ``flows`` and ``refused`` are for conditions: the largest flows, and those that were rejected.
QUESTIONS: Mapping[str, Question] = {
    **{name: Question(TABLES[name], 200) for name in ("talkers", "ports", "rejected_sources", "rejected_ports")},
    "flows": Question(Table(KEYS, "bytes"), 400),
    "refused": Question(Table(KEYS, "records", "action = 'REJECT'"), 200),
}
VOLUME = "volume"
SEEN = ("OK", "NODATA", "SKIPDATA")  # columns of the coverage, each a bit a minute of the slot


class Traffic:
    """Counts the records of a watch by slots of time. ``log`` gets a line about what cannot be counted."""

    def __init__(self, store: Store, log: Callable[[str], None]) -> None:
        self._store, self._memory, self._log = store, Memory(store, ""), log

    def looked(self) -> None:
        """Records that the watch looked for what is new, and may have counted it."""
        self._memory.count("looks")
        self._memory.set_mark("looked", int(time.time()))

    def add(self, flows: Flows, days: Sequence[int | None], blind: Sequence[str]) -> None:
        """Counts records of these days. ``blind``: what detectors and rules cannot see in them."""
        now = time.time()
        loose = query(allow_missing=True).bind(flows)
        names = [name for name, _ in loose.schema]
        newest = max((day for day in days if day is not None and day <= now + _AHEAD), default=None)
        if newest is not None:  # others would be forgotten at once
            loose = loose.filter(f"start is null or start >= {max(newest - KEEP, 0)}")._with(lenient=True)
        try:
            self._count(loose, names)
            self._cover(loose)
        except OutOfMemoryError as error:
            self._log(f"the traffic is not counted for vpcflow live: {error}")
        known = json.loads(self._memory.mark("fields") or "[]")
        self._memory.set_mark("fields", json.dumps(sorted({*known, *names[:_MOST_FIELDS]})[:_MOST_FIELDS]))
        self._memory.set_mark("blind", json.dumps(list(blind)))
        if self._memory.mark("traffic-since") is None:
            self._memory.set_mark("traffic-since", int(now))
        self._forget(now)

    def _count(self, loose: Flows, names: Sequence[str]) -> None:
        sums, tops = _sum_queries(loose), _top_queries(loose, names)
        bounds = dict.fromkeys(tops, 0)
        try:
            results = collect_all([within(one, BUDGET) for one in (*sums.values(), *tops.values())])
        except OutOfMemoryError:
            results = collect_all(list(sums.values()))
            for name, one in QUESTIONS.items():
                chosen, bounds[name] = _chosen(loose, one, names)
                results.append(_top(chosen, one, names).collect())
        found = dict(zip([*sums, *tops], results))
        report = found[VOLUME, ""].report
        for what in ("records", "ok", "nodata", "skipdata", "rejected"):
            self._memory.count(f"lines-{what}", getattr(report, what))
        self._add(VOLUME, (((row["time"], json.dumps([row["action"]])), _sums(row)) for row in found[VOLUME, ""]))
        for name, (table, most) in QUESTIONS.items():
            measure = measure_of(table, names)
            rows = _with_rest(found[name], found["", table.where], table, measure, bounds[name])
            self._add(name, rows.items())
            for at in {at for at, _ in rows}:
                self._trim(name, UNDATED if at is None else at, measure, most)

    def _add(self, name: str, rows: Iterable[tuple[tuple[int | None, str], list[int]]]) -> None:
        self._store.executemany(
            "insert into traffic values (?, ?, ?, ?, ?, ?) on conflict (question, time, key) do update set "
            "bytes = bytes + excluded.bytes, packets = packets + excluded.packets, "
            "records = records + excluded.records",
            (
                (name, UNDATED if at is None else at, key, *(min(value, _GREATEST) for value in sums))
                for (at, key), sums in rows
            ),
        )

    def _trim(self, name: str, at: int, measure: str, most: int) -> None:
        """Adds the smallest rows of a slot to the one of all others, so that ``most`` are kept."""
        place = (name, at, OTHER, BOUND, most)
        own = "from traffic where question = ?1 and time = ?2 and key != ?3 and key != ?4"
        smallest = f"{own} and key not in (select key {own} order by {measure} desc, key limit ?5)"
        rows = self._store.execute(f"select bytes, packets, records {smallest}", place).fetchall()
        if rows:
            largest = max(int(row[_SUMS.index(measure)]) for row in rows)
            sums = [int(sum(column)) for column in zip(*rows)]
            self._add(name, [((at, OTHER), sums), ((at, BOUND), [largest, 0, 0])])
            self._store.execute(f"delete {smallest}", place)

    def _cover(self, loose: Flows) -> None:
        """Counts the minutes of interfaces that the logs have records of."""
        try:
            rows = loose.coverage()
        except VpcflowError:  # without times or interfaces
            return
        minutes: dict[tuple[str, int], list[int]] = {}
        for row in rows:
            if row["seen"] in SEEN and row["interface_id"] is not None:
                for minute in range(row["start"] // 60, -(-row["end"] // 60)):
                    slot, bit = divmod(minute * 60, SLOT)
                    own = minutes.setdefault((row["interface_id"], slot * SLOT), [0, 0, 0])
                    own[SEEN.index(row["seen"])] |= 1 << bit // 60
        self._store.executemany(
            "insert into coverage values (?, ?, ?, ?, ?) on conflict (interface, time) do update set "
            "ok = ok | excluded.ok, nodata = nodata | excluded.nodata, skipdata = skipdata | excluded.skipdata",
            ((name, at, *own) for (name, at), own in minutes.items()),
        )

    def _forget(self, now: float) -> None:
        """Forgets what is older than :data:`KEEP`, and what is so far ahead of the clock that it is a mistake."""
        newest = newest_of(self._store.execute, now)
        if newest is None:
            return
        for table in ("traffic", "coverage"):
            outside = (UNDATED, newest - KEEP, newest + KEEP)
            self._store.execute(f"delete from {table} where time != ? and (time < ? or time > ?)", outside)
        (rows,) = self._store.execute("select count(*) from coverage").fetchone()
        if rows > _MOST_COVERAGE:
            interfaces = self._store.execute("select count(distinct interface) from coverage").fetchone()[0]
            kept = max(12, _MOST_COVERAGE // interfaces) * SLOT
            self._store.execute("delete from coverage where time < ?", (newest - kept,))


def newest_of(execute: Callable[..., Any], now: float) -> int | None:
    """Returns when the newest bin with records begins; one ahead of the clock counts if there are no others."""
    times = "select time from traffic where question = ? union all select time from coverage"
    for latest in (int(now) + _AHEAD, _GREATEST):
        (found,) = execute(f"select max(time) from ({times}) where time between 0 and ?", (VOLUME, latest)).fetchone()
        if found is not None:
            return int(found)
    return None


def _where(flows: Flows, where: str) -> Flows:
    return flows.filter(where)._with(lenient=True) if where else flows


def _sum_queries(loose: Flows) -> dict[tuple[str, str], Flows]:
    """Returns the queries of the volume, and of the sums of each slot by the condition of questions."""
    queries = {(VOLUME, ""): loose.group_by("action", every=BIN, bin_by="start").agg(**volume())}
    for where in {one.table.where for one in QUESTIONS.values()}:
        queries["", where] = _where(loose, where).group_by(every=SLOT, bin_by="start").agg(**volume())
    return queries


def _top_queries(loose: Flows, names: Sequence[str]) -> dict[str, Flows]:
    """Returns the queries of the largest groups by question."""
    return {name: _top(_where(loose, one.table.where), one, names) for name, one in QUESTIONS.items()}


def _top(flows: Flows, question: Question, names: Sequence[str]) -> Flows:
    """Returns the query of the largest groups of each slot."""
    grouped = flows.group_by(*question.table.by, every=SLOT, bin_by="start").agg(**volume())
    return grouped.top_k(question.most, by=measure_of(question.table, names), per="time")


def _chosen(flows: Flows, question: Question, names: Sequence[str]) -> tuple[Flows, int]:
    """Returns the records of the groups that are largest by their first field, found within counters as there are too
    many to be counted, and what another group can have at most."""
    field, measure = question.table.by[0], measure_of(question.table, names)
    flows = _where(flows, question.table.where)
    grouped = flows.group_by(field).agg(**{measure: volume()[measure]})
    rows = grouped.top_k(question.most, by=measure, counters=_COUNTERS).collect().rows()
    error = max((row[f"{measure}_error"] or 0 for row in rows), default=0)
    values = {row[field] for row in rows}
    condition = str(col(field).is_in(sorted(values - {None}, key=str))) if values - {None} else ""
    parts = [condition, f"{field} is null" if None in values else ""]
    return _where(flows, " or ".join(filter(None, parts))), min((row[measure] for row in rows), default=0) + error


def _sums(row: Mapping[str, Any]) -> list[int]:
    return [row[name] or 0 for name in _SUMS]


def _with_rest(
    top: Result, whole: Result, table: Table, measure: str, bound: int
) -> dict[tuple[int | None, str], list[int]]:
    """Returns the rows by time and key, what they lack of the sums of each time, and how much a group can lack;
    ``bound``: at least that."""
    rows = {(row["time"], json.dumps([row[name] for name in table.by])): _sums(row) for row in top}
    left = {row["time"]: _sums(row) for row in whole}
    least: dict[int | None, int] = {}
    for (at, _), sums in rows.items():
        left[at] = [all_of - one for all_of, one in zip(left[at], sums)]
        size = sums[_SUMS.index(measure)]
        least[at] = min(least.get(at, size), size)
    rest = {at: sums for at, sums in left.items() if any(sums)}
    bounds = {(at, BOUND): [max(least.get(at, 0), bound), 0, 0] for at in rest}
    return {**rows, **{(at, OTHER): sums for at, sums in rest.items()}, **bounds}
