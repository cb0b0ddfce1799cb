"""What logs show, and how far they show it: sessions at the interfaces that saw them, minutes, fields."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Mapping, Sequence

from ..errors import FieldError, NoRecordsError, SourceError, VpcflowError
from ..query.expr import count
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..tuning.observed import NEEDED, Observed
from ..typing import Progress

DAY = 86400
#: The fields without which no control can pass.
FIELDS = (*(name.replace("_", "-") for name in NEEDED), "log-status")
_PACKET_ENDS = ("pkt-srcaddr", "pkt-dstaddr")
_FACTS = ("account_id", "vpc_id", "subnet_id", "interface_type")


@dataclasses.dataclass
class Face:
    """An interface as the logs show it."""

    #: Values of account-id, vpc-id, subnet-id and interface-type, of the fields that the logs have.
    facts: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Addresses one of which is its own, as far as its sessions tell; ``None``: it had none.
    own: set[str] | None = None
    #: Values of action of its records.
    actions: set[str] = dataclasses.field(default_factory=set)

    @property
    def address(self) -> str | None:
        """Its address, if the sessions leave but one."""
        return next(iter(self.own)) if self.own and len(self.own) == 1 else None


class Timeline:
    """The seconds of an interface by how they were seen, ready to be asked. ``intervals``: ascending and apart."""

    def __init__(self, intervals: Sequence[tuple[int, int, str]]) -> None:
        self._intervals = intervals
        self._ends = [end for _, end, _ in intervals]

    def seconds(self, start: int, end: int) -> dict[str, int]:
        """Returns the seconds of [start, end) that were ``OK``, ``NODATA`` and ``SKIPDATA``; the rest is absent.
        O(log intervals + intervals within)."""
        out = {"OK": 0, "NODATA": 0, "SKIPDATA": 0}
        for first, last, kind in self._intervals[bisect.bisect_right(self._ends, start) :]:
            if first >= end:
                break
            out[kind] += min(last, end) - max(first, start)
        return out


@dataclasses.dataclass
class Seen:
    """What the logs of a check show. ``missing``: the fields of :data:`FIELDS` that some source lacks; then there are
    no sessions. ``records``: by day, Unix seconds of its midnight. ``damage``: the error of sources that are not read
    to their end."""

    observed: Observed
    missing: tuple[str, ...] = ()
    filtered: bool = False
    #: From when on records were read, Unix seconds; ``None``: from the first on.
    read_from: int | None = None
    packet_ends: bool = False
    records: dict[int, int] = dataclasses.field(default_factory=dict)
    accepted: int = 0
    faces: dict[str, Face] = dataclasses.field(default_factory=dict)
    report: Report | None = None
    damage: VpcflowError | None = None
    _timelines: dict[str, Timeline] = dataclasses.field(default_factory=dict)

    def seconds(self, interface: str, start: int, end: int) -> dict[str, int]:
        """Returns the seconds of [start, end) of an interface by how they were seen: :meth:`Timeline.seconds`."""
        if interface not in self._timelines:
            self._timelines[interface] = Timeline(self.observed.coverage.get(interface, ()))
        return self._timelines[interface].seconds(start, end)

    def covers(self, interface: str, start: int, end: int) -> bool:
        """Tells whether the logs have all of [start, end) of an interface, a second at least."""
        end = max(end, start + 1)
        own = self.seconds(interface, start, end)
        return own["OK"] + own["NODATA"] == end - start

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last second that the logs speak of, of logs that lack fields in days; ``None`` if they do not
        speak."""
        if self.missing:
            return (min(self.records), max(self.records) + DAY) if self.records else None
        try:
            span = self.observed.span
        except NoRecordsError:
            return None
        return span if span != (0, 0) else None


def look(flows: Flows, progress: Progress | bool | None = None) -> Seen:
    """Reads logs. Errors as of :meth:`vpcflow.Flows.collect`; what is damaged is kept as ``damage``."""
    formats = [set(text.split()) for text in flows._logs.formats()]
    missing = tuple(name for name in FIELDS if not all(name in fields for fields in formats))
    seen = Seen(Observed(), missing, filtered=len(flows._filters) > len(flows._logs.filters))
    seen.read_from = flows._spec.asked[0] if flows._spec.asked is not None else None
    seen.packet_ends = bool(formats) and all({*_PACKET_ENDS} <= fields for fields in formats)
    try:
        seen.observed.update(flows, progress=progress)
    except FieldError:
        if formats and not missing:
            raise
    except SourceError as error:
        if not seen.observed.report.records:
            raise
        seen.damage = error
    _count(flows, seen)
    if not missing:
        _learn(seen)
    return seen


def _count(flows: Flows, seen: Seen) -> None:
    """Counts the records of each day, and keeps what they say of their interfaces."""
    known = flows._with(select=[]).columns
    # With log-status also the records of quiet minutes, which say where their interface is.
    by = [name for name in ("interface_id", "action", "log_status", *_FACTS) if name in known]
    query = flows._with(allow_missing=True, select=[])
    grouped = query.group_by(*by, every="1d", bin_by="start") if "start" in known else query.group_by(*by)
    try:
        result = grouped.agg(n=count()).collect()
    except SourceError as error:
        seen.damage = seen.damage or error
        if not isinstance(error.partial, Result):
            return
        result = error.partial
    seen.report = result.report
    for row in result:
        day = row.get("time")
        if day is not None and row.get("log_status") in (None, "OK"):
            seen.records[day] = seen.records.get(day, 0) + row["n"]
        seen.accepted += row["n"] if row.get("action") == "ACCEPT" else 0
        if row.get("interface_id") is not None:
            face = seen.faces.setdefault(row["interface_id"], Face())
            face.actions |= {row["action"]} if row.get("action") is not None else set()
            face.facts.update({name: row[name] for name in _FACTS if row.get(name) is not None})


def _learn(seen: Seen) -> None:
    """Finds which address is an interface's own: the one that all its sessions have."""
    starts = seen.observed.starts()
    rows = zip(starts["interface"], starts["direction"], starts["client"], starts["server"])
    for interface, direction, client, server in rows:
        if interface is None:
            continue
        ends = {client, server} if direction is None else {client} if direction == "egress" else {server}
        face = seen.faces.setdefault(interface, Face())
        face.own = ends if face.own is None else face.own & ends
    for interface in seen.observed.coverage:
        seen.faces.setdefault(interface, Face())
    _settle(seen.faces)


def _settle(faces: Mapping[str, Face]) -> None:
    """Leaves out of what an interface's address may be those that are known to be of others. O(interfaces) a round."""
    settled: set[str] = set()
    while fresh := {face.address for face in faces.values() if face.address} - settled:
        settled |= fresh
        for face in faces.values():
            if face.own and len(face.own) > 1:
                face.own = face.own - settled or face.own
