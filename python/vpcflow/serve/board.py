"""What is served: aggregates of logs that are computed once, and what a watch has told."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from .._display import protocol_names
from ..analyze.questions import KEYS, TABLES, volume
from ..detect.detect import look
from ..detect.settings import Settings
from ..errors import FieldError, VpcflowError
from ..findings.finding import Finding
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..query.scan import query, scan
from ..typing import Progress
from ..watch.status import Status, alerted, status

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
_COUNT = "packets_lost_no_route"  # the field in which a row that is held has how many records it stands for

Rows = list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Held:
    """Flows by time, which are rows of a table in memory: the largest of them, unless they are ``complete``.
    ``nameable``: a log of the fields that conditions may name; bytes of a flow are not those of a record."""

    flows: Flows
    nameable: Flows
    complete: bool

    @classmethod
    def of(cls, result: Result, most: int, there: Sequence[str]) -> Held:
        """Holds rows of a query, of logs that have the fields ``there``."""
        keys = [key for key in KEYS if key in there]
        nameable = scan(f"{' '.join(keys)}\n{' '.join('-' for _ in keys)}\n".encode())
        names = [("time", "start"), *((key, key) for key in KEYS), ("bytes", "bytes"), ("packets", "packets")]
        table = result._table.renamed([*names, ("records", _COUNT)], [])
        flows = scan(Result(table, result.report), allow_empty=True)._with(allow_missing=True)
        return cls(flows, nameable, len(result) <= most)

    @staticmethod
    def measures() -> dict[str, of.Agg]:
        """Returns the measures of records, over rows that are held."""
        return {"bytes": of.sum("bytes"), "packets": of.sum("packets"), "records": of.sum(_COUNT)}


@dataclasses.dataclass
class Figures:
    """What one reading of logs gave. ``tables`` are of all the time, exact; ``held`` and ``held_rejects`` are what
    questions about part of it are answered by. ``bins``: the measures by time, action, protocol and direction;
    ``services`` and ``places``: by those."""

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
    lacking: dict[str, str] = dataclasses.field(default_factory=dict)
    damage: VpcflowError | None = None
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
    """What is served: the figures of logs, of none if only what a watch told is, and the state of that watch."""

    figures: Figures | None
    state: str | None = None

    def findings(self) -> list[Finding]:
        """Returns the findings in the logs, and those that the watch told by now."""
        own = [] if self.figures is None else self.figures.findings
        if self.state is None:
            return own
        known = {one.id for one in own}
        return [*own, *(one for one in alerted(self.state) if one.id not in known)]

    def watch(self) -> Status | None:
        """Returns what the watch has done by now."""
        return None if self.state is None else status(self.state)


def _queries(flows: Flows, every: int, most: int) -> dict[str, Flows]:
    loose = query(allow_missing=True).bind(flows)
    rejected = loose.filter("action = 'REJECT'")._with(lenient=True)
    named = ", ".join(map(str, SERVICES))
    served = loose.filter(f"dstport in ({named})")._with(lenient=True)
    held, refused = (some.group_by(*KEYS, every=every, bin_by="start").agg(**volume()) for some in (loose, rejected))
    queries = {
        "held": held.top_k(most + 1, by="bytes"),
        "held_rejects": refused.top_k(most + 1, by="records"),
        "totals": loose.group_by("action", every=every, bin_by="start").agg(**volume()),
        "bins": loose.group_by("action", "protocol", "flow_direction", every=every).agg(**volume()),
        "services": served.group_by("dstport", "action", every=every).agg(**volume()),
        "places": loose.group_by("account_id", "region", "action", every=every).agg(**volume()),
    }
    for name, table in TABLES.items():
        some = loose.filter(table.where)._with(lenient=True) if table.where else loose
        queries[name] = some.group_by(*table.by).agg(**volume()).top_k(MOST_ROWS, by=table.measure, other=True)
    return queries


def gather(
    flows: Flows, *, every: int = EVERY, most: int = MOST_FLOWS, settings: Settings | None = None,
    progress: Progress | bool | None = None,
) -> Figures:  # fmt: skip
    """Reads logs, twice, and returns all that is served of them. ``every``: seconds of a bin; ``most``: flows that are
    held. ``settings``: of the detectors, which are not run without. Of damaged logs the figures are of what could be
    read, with the error as ``damage``. Raises :class:`~vpcflow.VpcflowError` if that is nothing."""
    asked = _queries(flows, every, most)
    findings: list[Finding] = []
    sessions: Rows = []
    lacking: dict[str, str] = {}
    try:
        if settings is None:
            raise FieldError("the detectors were not asked")
        seen = look(flows, settings, others=list(asked.values()))
    except FieldError as error:  # tables can do without what sessions need
        lacking["findings"] = lacking["sessions"] = str(error)
        results, damage = collect_readable(list(asked.values()), progress=progress)
    else:
        results, damage, findings = seen.others, seen.damage, list(seen.findings)
        sessions = _largest(seen.sessions)
    found = dict(zip(asked, results))
    coverage: Rows = []
    there = [name for name, _ in flows._with(allow_missing=True).schema]
    try:
        coverage = flows._with(allow_missing=True).coverage().rows()
    except VpcflowError as error:
        lacking["coverage"] = str(error)
        partial = getattr(error, "partial", None)
        coverage = partial.rows() if isinstance(partial, Result) else []
    return Figures(
        every=every, tables={name: found[name].rows() for name in TABLES},
        held=Held.of(found["held"], most, there), held_rejects=Held.of(found["held_rejects"], most, there),
        totals=found["totals"].rows(), bins=found["bins"].rows(),
        services=found["services"].rows(), places=found["places"].rows(), findings=findings, sessions=sessions,
        coverage=coverage, report=found["totals"].report, lacking=lacking, damage=damage,
    )  # fmt: skip


def _largest(sessions: Result) -> Rows:
    """Returns the largest sessions, in few columns."""
    rows = [
        {
            "start": row["start"], "end": row["end"], "client": row["client"], "server": row["server"],
            "server_port": row["server_port"], "protocol": row["protocol"], "state": row["state"],
            "bytes": (row["client_bytes"] or 0) + (row["server_bytes"] or 0), "records": row["records"],
        }
        for row in sessions
        if row["counted"]
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["bytes"], row["start"] or 0))


def protocol_name(number: int | None) -> str:
    """Returns the usual name of a protocol: ``tcp``; its number if it has none, ``unknown`` without."""
    if number is None:
        return "unknown"
    return protocol_names().get(number, str(number)).lower()
