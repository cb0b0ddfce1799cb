"""What is served: aggregates of logs that are computed once, and what a watch has told."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from .._display import protocol_names
from ..analyze.questions import KEYS
from ..errors import VpcflowError
from ..findings.finding import Finding
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import scan
from ..watch.status import Status, alerted, status
from .beside import Beside

MOST_ROWS = 1000  # of an answer
MOST_FLOWS = 300_000  # rows that are held, for questions about part of the time or of the flows
EVERY = 300  # seconds, to which times of questions are widened
#: Ports that metrics name; all others are ``other``, so that the number of series stays.
SERVICES = {
    port: name
    for port, _, name in _core.port_names()
    if port in (
        20, 21, 22, 23, 25, 53, 80, 88, 110, 111, 123, 135, 139, 143, 161, 179, 389, 443, 445, 465, 514, 587, 636, 993,
        995, 1433, 1521, 2049, 3128, 3306, 3389, 5432, 5900, 5985, 6379, 6443, 8080, 8443, 9042, 9092, 9200, 11211,
        27017,
    )
}  # fmt: skip
#: Fields of where a record was made, which pages choose by.
PLACES = ("account_id", "region", "vpc_id", "interface_id")
#: Fields of flows that are held, beside :data:`~vpcflow.analyze.questions.KEYS`, if there is room for them.
BESIDE = (*PLACES, "flow_direction")
_COUNT = "packets_lost_no_route"  # the field in which a row that is held has how many records it stands for

Rows = list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Held:
    """Flows by time, which are rows of a table in memory: the largest of them, unless they are ``complete``.
    ``nameable``: a log of the fields that conditions may name; bytes of a flow are not those of a record. ``beside``:
    those of :data:`BESIDE` that it tells apart."""

    flows: Flows
    nameable: Flows
    complete: bool
    beside: frozenset[str] = frozenset()

    @classmethod
    def holding(cls, result: Result, most: int, there: Sequence[str]) -> Held:
        """Holds rows of a query, of logs that have the fields ``there``."""
        beside = frozenset(name for name in BESIDE if name in result.columns)
        keys = [key for key in (*KEYS, *BESIDE) if key in there and (key in KEYS or key in beside)]
        nameable = scan(f"{' '.join(keys)}\n{' '.join('-' for _ in keys)}\n".encode())
        return cls(records_of(result), nameable, len(result) <= most, beside)

    @classmethod
    def nothing(cls) -> Held:
        """Holds no flow, as there are too many."""
        empty = scan(b"srcaddr\n", allow_empty=True)
        return cls(empty, empty, False)

    @staticmethod
    def measures() -> dict[str, of.Agg]:
        """Returns the measures of records, over rows that are held."""
        return {"bytes": of.sum("bytes"), "packets": of.sum("packets"), "records": of.sum(_COUNT)}


@dataclasses.dataclass(frozen=True)
class Kept:
    """Of a table its largest groups through the time, where not all flows are held: ``flows`` are rows as of
    :class:`Held`, each group whole. ``bound``: what another group can have at most. ``totals``: the measures of all
    groups by time and action."""

    flows: Flows
    bound: int
    totals: Rows


@dataclasses.dataclass
class Figures:
    """What the reading of logs gave. ``tables`` are of all the time; ``bounds``: what a group that a table does not
    have can have at most, where that is more than the groups it has. ``held`` and ``held_rejects`` are what questions
    about part of the time are answered by, ``kept`` before them if they are not complete. ``bins``: the measures by
    time, action, protocol and direction; ``services`` and ``places``: by those, some of them. ``sessions``: the
    largest; ``begun``: when all began, in order, if there are others. ``words``: of
    the command line that reads them."""

    every: int
    tables: Mapping[str, Rows]
    held: Held
    held_rejects: Held
    totals: Rows
    bins: Rows
    services: Rows
    places: Rows
    findings: list[Finding]
    sessions: Rows
    coverage: Rows
    report: Any
    fields: frozenset[str] = frozenset()  # of the logs
    lacking: dict[str, str] = dataclasses.field(default_factory=dict)
    damage: VpcflowError | None = None
    kept: Mapping[str, Kept] = dataclasses.field(default_factory=dict)
    bounds: Mapping[str, int] = dataclasses.field(default_factory=dict)
    begun: Sequence[int] = ()
    words: Sequence[str] = ("logs/",)
    graphs: dict[Any, Any] = dataclasses.field(default_factory=dict)  # the last ones that were made

    @functools.cached_property
    def minutes(self) -> dict[str, int]:
        """Minutes of interfaces by what the logs have of them."""
        minutes = dict.fromkeys(("OK", "SKIPDATA", "NODATA", "absent"), 0)
        for row in self.coverage:
            minutes[row["seen"]] += row["minutes"]
        return minutes

    @property
    def share_covered(self) -> float | None:
        """The share of minutes of interfaces of which the logs have a record, ``None`` if that is not known."""
        whole = sum(self.minutes.values())
        return None if not whole else (self.minutes["OK"] + self.minutes["NODATA"]) / whole


@dataclasses.dataclass(frozen=True)
class Board:
    """What is served: the figures of logs, of none if only what a watch told is, the state of that watch, and what
    other documents say of the logs."""

    figures: Figures | None
    state: str | None = None
    beside: Beside | None = None

    def findings(self) -> list[Finding]:
        """Returns the findings in the logs, and those that the watch told by now."""
        own = [] if self.figures is None else self.figures.findings
        if self.state is None:
            return own
        known = {one.id for one in own}
        return [*own, *(one for one in _alerted(self.state, self.stamp()) if one.id not in known)]

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Returns when the state of the watch was written last, and how large it is: what changes when it grows."""
        files = () if self.state is None else (self.state, f"{self.state}-wal")
        return tuple(map(_written, files))

    def watch(self) -> Status | None:
        """Returns what the watch has done by now."""
        return None if self.state is None else status(self.state)


@functools.lru_cache(maxsize=1)
def _alerted(state: str, stamp: tuple[tuple[int, int], ...]) -> tuple[Finding, ...]:
    return tuple(alerted(state))


def _written(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def records_of(result: Result) -> Flows:
    """Returns the groups of a query by time as records, of which :meth:`Held.measures` are the measures."""
    names = [("time", "start"), *((key, key) for key in (*KEYS, *BESIDE) if key in result.columns)]
    table = result._table.renamed([*names, ("bytes", "bytes"), ("packets", "packets"), ("records", _COUNT)], [])
    return scan(Result(table, result.report), allow_empty=True)._with(allow_missing=True)


def protocol_name(number: int | None) -> str:
    """Returns the usual name of a protocol: ``tcp``; its number if it has none, ``unknown`` without."""
    if number is None:
        return "unknown"
    return protocol_names().get(number, str(number)).lower()
