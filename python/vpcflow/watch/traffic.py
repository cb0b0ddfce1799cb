"""The traffic that a watch counted lately, in few rows: for those who look at it while the watch runs."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_MINUTES = SLOT // 60
KEEP = DAY  # seconds of log time
UNDATED = -1  # the time of records without one
_AHEAD = 3600  # seconds by which times of records may be ahead of the clock
_MOST_COVERAGE = 300_000  # rows: interfaces times slots
_MOST_FIELDS = 200
BUDGET = 256 << 20  # bytes of groups, beyond which only the largest are counted
_THREADS = 1  # each has all groups of late, so that more of them cost more processor, to put these together
_COUNTERS = 20_000  # groups that are told apart then
_SUMS = ("bytes", "packets", "records")
_GREATEST = 2**63 - 1  # that SQLite holds
_UPSERT = "insert into traffic values (?, ?, ?) on conflict (question, time) do update set body = excluded.body"


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


class Slot(NamedTuple):
    """The groups of a question at a time. ``columns``: their keys, then bytes, packets and records. ``rest``: the sums
    of all other groups, if there are some. ``bound``: the most that a group can have beyond its row, or without one."""

    columns: list[list[Any]]
    rest: list[int] | None = None
    bound: int = 0

    def rows(self) -> dict[tuple[Any, ...], list[int]]:
        """Returns the sums of groups by key."""
        keys, sums = self.columns[: -len(_SUMS)], self.columns[-len(_SUMS) :]
        return {key: list(own) for key, own in zip(zip(*keys), zip(*sums))}

    def plus(self, other: Slot, measure: str, most: int | None) -> Slot:
        """Adds another one; of more than ``most`` groups the smallest are put to the rest."""
        rows, rest, bound = self.rows(), added(self.rest, other.rest), self.bound + other.bound
        for key, sums in other.rows().items():
            rows[key] = added(rows.get(key), sums) or sums
        if most is not None and len(rows) > most:
            at = _SUMS.index(measure)
            order = sorted(rows, key=lambda key: (-rows[key][at], json.dumps(key)))
            bound += rows[order[most]][at]
            for key in order[most:]:
                rest = added(rest, rows.pop(key))
        return Slot([*map(list, zip(*rows)), *map(list, zip(*rows.values()))], rest, bound)


def added(one: list[int] | None, other: list[int] | None) -> list[int] | None:
    """Returns the sums of two, one of which may be none."""
    return other if one is None else one if other is None else [a + b for a, b in zip(one, other)]


def slots_of(execute: Callable[..., Any], question: str, start: int, end: int) -> Iterator[tuple[int, Slot]]:
    """Yields the times of a question from ``start`` until ``end``, and what is kept of each; with them goes what has no
    time."""
    query = "select time, body from traffic where question = ? and (time = ? or time >= ? and time < ?) order by time"
    for at, body in execute(query, (question, UNDATED, start, end)):
        yield at, Slot(*json.loads(body))


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
            results = collect_all([within(one, BUDGET, _THREADS) for one in (*sums.values(), *tops.values())])
        except OutOfMemoryError:
            results = collect_all(list(sums.values()))
            for name, one in QUESTIONS.items():
                chosen, bounds[name] = _chosen(loose, one, names)
                results.append(_top(chosen, one, names).collect())
        found = dict(zip([*sums, *tops], results))
        report = found[VOLUME, ""].report
        for what in ("records", "ok", "nodata", "skipdata", "rejected"):
            self._memory.count(f"lines-{what}", getattr(report, what))
        self._add(VOLUME, ((at, Slot(columns)) for at, columns in _by_time(found[VOLUME, ""], ("action",))), "", None)
        for name, (table, most) in QUESTIONS.items():
            measure = measure_of(table, names)
            slots = _with_rest(found[name], found["", table.where], table.by, measure, bounds[name])
            self._add(name, slots, measure, most)

    def _add(self, name: str, slots: Iterable[tuple[int | None, Slot]], measure: str, most: int | None) -> None:
        rows = []
        for time_of, slot in slots:
            at = UNDATED if time_of is None else time_of
            own = "select body from traffic where question = ? and time = ?"
            known = self._store.execute(own, (name, at)).fetchone()
            if known is not None:
                slot = Slot(*json.loads(known[0])).plus(slot, measure, most)
            rows.append((name, at, json.dumps(slot)))
        self._store.executemany(_UPSERT, rows)

    def _cover(self, loose: Flows) -> None:
        """Counts the minutes of interfaces that the logs have records of."""
        try:
            rows = loose.coverage()
        except VpcflowError:  # without times or interfaces
            return
        minutes: dict[tuple[str, int], list[int]] = {}
        for interface, seen, start, end in zip(*(rows[name] for name in ("interface_id", "seen", "start", "end"))):
            if seen not in SEEN or interface is None:
                continue
            first, last = start // 60, -(-end // 60)
            for slot in range(first // _MINUTES, -(-last // _MINUTES)):
                begin = slot * _MINUTES
                bits = (1 << min(last - begin, _MINUTES)) - (1 << max(first - begin, 0))
                minutes.setdefault((interface, slot * SLOT), [0, 0, 0])[SEEN.index(seen)] |= bits
        self._store.executemany(
            "insert into coverage values (?, ?, ?, ?, ?) on conflict (interface, time) do update set "
            "ok = ok | excluded.ok, nodata = nodata | excluded.nodata, skipdata = skipdata | excluded.skipdata",
            ((name, at, *own) for (name, at), own in sorted(minutes.items())),
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


def _by_time(result: Result, by: Sequence[str]) -> Iterator[tuple[int | None, list[list[Any]]]]:
    """Yields the times of a result, by which its rows are sorted, and its columns there."""
    keys, sums = [result[name] for name in by], [[value or 0 for value in result[name]] for name in _SUMS]
    begin = 0
    for at, same in itertools.groupby(result["time"]):
        end = begin + sum(1 for _ in same)
        yield at, [column[begin:end] for column in (*keys, *sums)]
        begin = end


def _with_rest(
    top: Result, whole: Result, by: Sequence[str], measure: str, bound: int
) -> Iterator[tuple[int | None, Slot]]:
    """Yields the groups by time, what they lack of the sums of each time, and how much a group can lack; ``bound``: at
    least that."""
    left = {at: [sum(column) for column in columns] for at, columns in _by_time(whole, ())}
    for at, columns in _by_time(top, by):
        sums = columns[-len(_SUMS) :]
        rest = [all_of - sum(own) for all_of, own in zip(left.pop(at), sums)]
        yield at, Slot(columns, rest, max(min(sums[_SUMS.index(measure)]), bound)) if any(rest) else Slot(columns)
    yield from ((at, Slot([[] for _ in (*by, *_SUMS)], rest, bound)) for at, rest in left.items() if any(rest))
