"""Edges of client, server and port, with what became of their attempts in each time bin."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all
from ..query.scan import scan
from .gaps import Gaps
from .naming import Naming
from .outcomes import ANSWERED, FAILURES, OUTCOMES, RESET, SILENT, TCP, UNKNOWN, outcome_of

# A session as a record, so that the engine groups sessions: the columns by the fields that they stand in for.
_AS_RECORD = (
    ("client", "srcaddr"), ("server", "dstaddr"), ("client_port", "srcport"), ("server_port", "dstport"),
    ("protocol", "protocol"), ("start", "start"), ("end", "end"), ("state", "action"), ("interface", "interface_id"),
    ("client_flags", "traffic_path"), ("server_flags", "tcp_flags"), ("client_bytes", "bytes"),
    ("server_bytes", "packets_lost_blackhole"), ("client_packets", "packets"),
    ("server_packets", "packets_lost_no_route"),
)  # fmt: skip
_SERVER_ALONE = "packets = 0 and packets_lost_no_route > 0"
_NUMBER = {name: i for i, name in enumerate(OUTCOMES)}
# Where those stand that were answered, and those that failed.
_ANSWERS = slice(_NUMBER[ANSWERED], _NUMBER[RESET] + 1)
_FAILURES = slice(_NUMBER[FAILURES[0]], _NUMBER[FAILURES[-1]] + 1)
#: The share of attempts whose outcome may be unknown before the answered share is.
MOST_UNKNOWN = 0.05
# An interface shows one direction only if so many sessions that must have been answered have no answer, for each that
# has one.
_ONE_WAY, _LEAST_ONE_WAY = 20, 3
_SYN = 2
# Seconds, and sessions: of so many that begin so late at least one has SYN, if the logs have flags at all.
_WELL_BEHIND, _LEAST_WITHOUT_SYN = 900, 5


class Counts:
    """Sessions by outcome, in one bin or over all, with their bytes."""

    __slots__ = ("by_outcome", "bytes")

    def __init__(self) -> None:
        self.by_outcome = [0] * len(OUTCOMES)
        self.bytes = 0

    def __getitem__(self, outcome: str) -> int:
        return self.by_outcome[_NUMBER[outcome]]

    @property
    def sessions(self) -> int:
        """All of them, those that are no attempts included."""
        return sum(self.by_outcome)

    @property
    def attempts(self) -> int:
        """Attempts, those of unknown outcome included."""
        return self.known + self[UNKNOWN]

    @property
    def known(self) -> int:
        """Attempts whose outcome is known."""
        return self.answered + self.failed

    @property
    def answered(self) -> int:
        """Attempts that the server accepted, those that were reset afterwards included."""
        return sum(self.by_outcome[_ANSWERS])

    @property
    def failed(self) -> int:
        """Attempts that failed."""
        return sum(self.by_outcome[_FAILURES])

    @property
    def is_known(self) -> bool:
        """Whether the outcomes of enough attempts are known to give their share."""
        return self.known > 0 and self[UNKNOWN] <= MOST_UNKNOWN * self.attempts

    def add(self, other: Counts) -> None:
        """Adds others."""
        self.by_outcome = list(map(int.__add__, self.by_outcome, other.by_outcome))
        self.bytes += other.bytes


class Key(NamedTuple):
    """What an edge is known by."""

    client: str
    server: str
    port: int | None
    protocol: int | None


@dataclasses.dataclass
class Series:
    """An edge over time. ``bins``: by the number of the bin, those left out not among them."""

    key: Key
    bins: dict[int, Counts] = dataclasses.field(default_factory=lambda: defaultdict(Counts))
    left_out: set[int] = dataclasses.field(default_factory=set)
    left_out_sessions: int = 0
    interfaces: set[Any] = dataclasses.field(default_factory=set)
    first: int = 0  # Unix seconds
    last: int = 0
    packets: int = 0

    @functools.cached_property
    def all(self) -> Counts:
        """The sum of the bins."""
        return self.total()

    def total(self, begin: int | None = None, end: int | None = None) -> Counts:
        """Returns the sum of the bins, of those from ``begin`` to before ``end`` if they are given."""
        out = Counts()
        some = [
            counts
            for number, counts in self.bins.items()
            if (begin is None or number >= begin) and (end is None or number < end)
        ]
        if some:
            out.by_outcome = list(map(sum, zip(*(counts.by_outcome for counts in some))))
            out.bytes = sum(counts.bytes for counts in some)
        return out


class Traffic(NamedTuple):
    """The edges of logs over time."""

    series: list[Series]
    #: Whether all of it was rejected: what was accepted is then not in the logs, or did not pass the filter.
    rejects_alone: bool


def as_records(sessions: Result, *, counted: bool = True) -> Flows:
    """Converts sessions to records that the engine groups; those that are second legs only without ``counted``."""
    table = sessions._table.renamed(list(_AS_RECORD), ["counted"] if counted else [])
    return scan(Result(table, sessions.report), allow_empty=True)._with(session_records=True)


def is_flagged(sessions: Result) -> bool:
    """Tells whether all the logs of sessions have TCP flags."""
    shown = [fields.split() for fields in sessions.report.shown]
    return bool(shown) and all("tcp-flags" in fields for fields in shown)


@contextlib.contextmanager
def without_search_for_cycles() -> Iterator[None]:
    """Pauses the search for cycles of objects: many are made and kept, none is in a cycle, and it would look at all of
    them again and again, for a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def traffic_of(sessions: Result, gaps: Gaps, naming: Naming, every: int) -> Traffic:
    """Groups sessions by edge and time bin, and tells what became of each. O(groups) in Python; the engine groups."""
    rows = _grouped(sessions, naming, every)
    rejects_alone = bool(rows) and all(row[5] == "rejected" for row in rows)
    one_way = _one_way_interfaces(rows)
    flagged = is_flagged(sessions)
    if _are_flags_filled(rows):
        rows, flagged = [_without_flags(row) for row in rows], False
    # Logs without any answer may hold one direction only: silence in them says nothing.
    one_direction = sessions.report.one_direction is not None or not any(map(_has_answer, rows))
    bad = {interface: gaps.bad(interface) for interface in {row[8] for row in rows}}
    outcomes: dict[tuple[Any, ...], int] = {}
    ends = naming.ends
    out: dict[tuple[Any, ...], Series] = {}
    for row in rows:
        (time, client, server, port, protocol, state, client_flags, server_flags, interface, client_name, server_name,
         n, first, last, sent_bytes, got_bytes, sent, got, alone) = row  # fmt: skip
        client, server = ends(client, server, client_name, server_name)
        key = (client, server, port, protocol)
        series = out.get(key)
        if series is None:
            series = out[key] = Series(Key(*key), first=first, last=last)
        elif first < series.first:
            series.first = first
        if last > series.last:
            series.last = last
        series.interfaces.add(interface)
        number = time // every
        if number in bad[interface]:
            series.left_out.add(number)
            series.left_out_sessions += n
            continue
        what = (protocol, state, client_flags, server_flags, alone, one_direction or interface in one_way)
        place = outcomes.get(what)
        if place is None:
            place = outcomes[what] = _NUMBER[outcome_of(*what, flagged)]
        counts = series.bins[number]
        counts.by_outcome[place] += n
        counts.bytes += sent_bytes + got_bytes
        series.packets += sent + got
    for series in out.values():
        _leave_out(series, gaps, every)
        _doubt_silence(series)
    return Traffic(sorted(out.values(), key=lambda series: order_of(series.key)), rejects_alone)


def _grouped(sessions: Result, naming: Naming, every: int) -> list[tuple[Any, ...]]:
    """Returns the groups of sessions by all that their outcome depends on."""
    records, names = naming.labelled(as_records(sessions))
    keys = ["srcaddr", "dstaddr", "dstport", "protocol", "action", "traffic_path", "tcp_flags", "interface_id", *names]
    parts = []
    for alone in (False, True):
        some = records.filter(_SERVER_ALONE if alone else f"not ({_SERVER_ALONE})")
        grouped = some._with(lenient=True).group_by(*keys, every=every, bin_by="start")
        parts.append(
            grouped.agg(
                n=of.count(), first=of.min("start"), last=of.max("end"), client_bytes=of.sum("bytes"),
                server_bytes=of.sum("packets_lost_blackhole"), sent=of.sum("packets"),
                got=of.sum("packets_lost_no_route"),
            )
        )  # fmt: skip
    return list(_rows(collect_all(parts), bool(names)))


def order_of(key: Any) -> tuple[str, str, int, int]:
    """Returns what edges sort by: client, server, port and protocol."""
    port, protocol = key.port, key.protocol
    return key.client, key.server, -1 if port is None else port, -1 if protocol is None else protocol


def _rows(parts: list[Result], named: bool) -> Iterator[tuple[Any, ...]]:
    for alone, part in enumerate(parts):
        none = [None] * len(part)
        names = [part["client_name"], part["server_name"]] if named else [none, none]
        columns = [part[name] for name in ("time", "srcaddr", "dstaddr", "dstport", "protocol", "action")]
        columns += [part[name] for name in ("traffic_path", "tcp_flags", "interface_id")]
        figures = [part[name] for name in ("n", "first", "last")]
        sums = [[value or 0 for value in part[name]] for name in ("client_bytes", "server_bytes", "sent", "got")]
        yield from zip(*columns, *names, *figures, *sums, itertools.repeat(bool(alone)))


def _are_flags_filled(rows: list[tuple[Any, ...]]) -> bool:
    """Tells whether the logs' TCP flags are 0 whatever they were: no session has SYN, even of those that begin well
    behind the first one, which cannot all have begun before the logs."""
    tcp = [row for row in rows if row[4] == TCP]
    if not tcp or any(((row[6] or 0) | (row[7] or 0)) & _SYN for row in tcp):
        return False
    begin = min(row[12] for row in tcp)
    late: int = sum(row[11] for row in tcp if row[12] >= begin + _WELL_BEHIND)
    return late >= _LEAST_WITHOUT_SYN


def _without_flags(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns a row without flags; a reset may then be a refusal, or the end of a connection: neither is known."""
    state = "one-way" if row[5] == "reset" and row[4] == TCP else row[5]
    return (*row[:5], state, None, None, *row[8:])


def _has_answer(row: tuple[Any, ...]) -> bool:
    """Tells whether sessions have records of both ends."""
    return row[5] in ("established", "half") or (row[5] == "reset" and row[17] > 0)


def _one_way_interfaces(rows: list[tuple[Any, ...]]) -> set[Any]:
    """Returns the interfaces whose logs hold one direction only, as far as connections show that must have been
    answered and were not."""
    both: dict[Any, int] = defaultdict(int)
    without: dict[Any, int] = defaultdict(int)
    for row in rows:
        protocol, state, interface, n = row[4], row[5], row[8], row[11]
        if protocol == TCP and state == "one-way":
            without[interface] += n
        elif state in ("established", "reset", "half"):
            both[interface] += n
    return {i for i, n in without.items() if n >= _LEAST_ONE_WAY and n > _ONE_WAY * both[i]}


def _leave_out(series: Series, gaps: Gaps, every: int) -> None:
    """Counts the bins within the edge's time that are left out without a session in them, too."""
    first, last = series.first // every, series.last // every
    for interface in series.interfaces:
        series.left_out.update(number for number in gaps.bad(interface) if first <= number <= last)


def _doubt_silence(series: Series) -> None:
    """Makes silence unknown where a protocol may have no answers: other than TCP, and none was ever seen."""
    if series.key.protocol == TCP or any(counts.answered for counts in series.bins.values()):
        return
    silent, unknown = _NUMBER[SILENT], _NUMBER[UNKNOWN]
    for counts in series.bins.values():
        counts.by_outcome[unknown] += counts.by_outcome[silent]
        counts.by_outcome[silent] = 0
