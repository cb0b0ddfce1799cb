"""Planned probes joined with what was logged of them: :func:`matrix`."""

from __future__ import annotations

import bisect
import csv
import dataclasses
import io
import ipaddress
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from .._display import printable
from .._hints import hint
from .._units import seconds, unix_seconds
from ..errors import PlanError, RuleError, VpcflowError
from ..inventory import Inventory
from ..inventory import inventory as read_inventory
from ..query.arguments import instance
from ..query.flows import Flows
from ..query.report import Report
from ..tuning.members import only_rejects
from ..typing import Duration, Progress
from .groups import Fate, Group, fate_of, groups_of
from .members import Stretch
from .places import records_of
from .ports import Ports, any_holds, ports_of
from .result import SCHEMA_VERSION
from .seen import Seen, look
from .source import Value

Actual = Literal["answered", "accepted_unanswered", "rejected", "not_seen", "cannot_tell"]
#: What a probe can come to; of several sessions the first of these counts.
ACTUAL: tuple[Actual, ...] = ("answered", "accepted_unanswered", "rejected", "cannot_tell", "not_seen")
_COLUMNS = {
    "source": ("source", "src", "srcaddr", "from"), "destination": ("destination", "dst", "dstaddr", "to"),
    "port": ("port", "dstport"), "protocol": ("protocol", "proto"), "time": ("time", "at", "when"),
    "expected": ("expected", "expect"),
}  # fmt: skip
_EXPECTED: dict[str, Actual] = {
    "answered": "answered", "allowed": "answered", "allow": "answered", "open": "answered", "rejected": "rejected",
    "denied": "rejected", "deny": "rejected", "blocked": "rejected", "accepted_unanswered": "accepted_unanswered",
    "not_seen": "not_seen",
}  # fmt: skip
_OF_FATE: dict[Fate, Actual] = {
    "answered": "answered", "arrived": "accepted_unanswered", "lost": "accepted_unanswered", "rejected": "rejected",
    "unknown": "cannot_tell",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Probe:
    """A planned probe: a line of a test plan."""

    line: int
    source: str
    destination: str
    ports: Ports
    time: int
    expected: Actual
    said: Mapping[str, str]


class Matrix:
    """Probes with what was logged of them: ``rows``, one a probe, in the order of the plan. ``report``: what was
    read."""

    def __init__(self, rows: list[dict[str, Any]], report: Report | None = None) -> None:
        self.rows = rows
        self.report = report

    @property
    def exit_code(self) -> int:
        """1 if a probe came to something else than was expected, 3 if one cannot be told, else 0."""
        found = {row["verdict"] for row in self.rows}
        return 1 if "differs" in found else 3 if "cannot_tell" in found else 0

    def to_json_lines(self) -> str:
        """Returns an object a line."""
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Matrix: {len(self.rows):,} probes, exit code {self.exit_code}>"


def matrix(
    flows: Flows, tests: str | os.PathLike[str], *, inventory: Inventory | str | os.PathLike[str] | None = None,
    slack: Duration = "5m", progress: Progress | bool | None = None,
) -> Matrix:  # fmt: skip
    """Joins the probes of a test plan with the logs.

    ``tests``: a CSV file with the columns ``source``, ``destination``, ``port``, ``protocol``, ``time`` (Unix seconds
    or ISO 8601, UTC) and ``expected`` (``rejected``, ``answered``, ``accepted_unanswered``, ``not_seen``). ``slack``: a
    probe is looked for so long before and after its time. ``inventory``: of :func:`vpcflow.inventory` or its folder:
    whose interface an address is.

    Rows: ``line`` of the plan, its columns, ``actual`` (``answered``, ``accepted_unanswered``, ``rejected``,
    ``not_seen``, ``cannot_tell``), ``verdict`` (``as_expected``, ``differs``, ``cannot_tell``), ``why``, ``sessions``
    and ``record``: the first record with file and byte. A probe is ``not_seen`` only where the logs of its source or of
    its destination are whole.

    Errors: those of :meth:`vpcflow.Flows.collect`; :class:`~vpcflow.RuleError` for a plan that cannot be read.
    """
    instance(flows, Flows, "audit.matrix", "audit.matrix(vf.scan('logs/'), 'tests.csv')")
    probes = read_probes(tests)
    wide = seconds(slack, "slack")
    known = read_inventory(inventory) if isinstance(inventory, (str, os.PathLike)) else inventory
    seen = look(flows, progress)
    joined = _Joined(probes, wide, known, seen)
    rows, wanted = [], []
    for probe in probes:
        row, group = joined.row(probe)
        rows.append(row)
        if group is not None:
            wanted.append((row, group))
    sought = [{"client": g.client, "server": g.server, "server_port": g.port, "protocol": g.protocol, "first": g.first,
               "last": g.last, "rejected": row["actual"] == "rejected"} for row, g in wanted]  # fmt: skip
    for (row, _), record in zip(wanted, records_of(flows, sought)):
        row["record"] = record
    out = Matrix(rows, seen.report)
    if seen.damage is not None:
        seen.damage.partial = out
        raise seen.damage
    return out


class _Joined:
    """The sessions of logs, by the time of the probes."""

    def __init__(self, probes: Iterable[Probe], slack: int, inventory: Inventory | None, seen: Seen) -> None:
        self.slack, self.seen = slack, seen
        times = [probe.time for probe in probes]
        self.cuts = sorted({cut for time in times for cut in (time - slack, time + slack + 1)})
        self.blind = frozenset(only_rejects(inventory)) if inventory is not None else frozenset()
        self.stretches = {time: Stretch({}, inventory, time, seen) for time in set(times)}
        self.groups: dict[tuple[str, str], list[Group]] = {}
        for group in groups_of(seen, self.cuts) if not seen.missing else ():
            self.groups.setdefault((group.client, group.server), []).append(group)

    def row(self, probe: Probe) -> tuple[dict[str, Any], Group | None]:
        """Returns what was logged of a probe, and the sessions that it is told by."""
        begin, end = probe.time - self.slack, probe.time + self.slack + 1
        first, last = bisect.bisect_right(self.cuts, begin), bisect.bisect_right(self.cuts, end)
        stretch = self.stretches[probe.time]
        found = []
        for group in self.groups.get((probe.source, probe.destination), ()):
            if first <= group.stretch < last and any_holds((probe.ports,), group.v6, group.protocol, group.port):
                fate, why = fate_of(group, stretch, self.seen, self.blind)
                actual = _OF_FATE[fate]
                if fate == "unknown" and group.state == "unanswered" and group.views:
                    actual = "accepted_unanswered"
                found.append((ACTUAL.index(actual), actual, why, group))
        if found:
            _, actual, why, told = min(found, key=lambda one: one[0])
            sessions = sum(group.sessions for *_, group in found)
            return self._row(probe, actual, why, sessions), told
        actual, why = self._unseen(probe, stretch, begin, end)
        return self._row(probe, actual, why, 0), None

    def _unseen(self, probe: Probe, stretch: Stretch, begin: int, end: int) -> tuple[Actual, str]:
        seen = self.seen
        if seen.missing:
            return "cannot_tell", f"the logs lack {', '.join(seen.missing)}"
        if seen.filtered:
            return "cannot_tell", "a filter left records out"
        for address in (probe.destination, probe.source):
            for one in stretch.target(address):
                if one.id not in self.blind and seen.covers(one.id, begin, end):
                    whole = f"the logs of {one.id}, the interface of {address}, are whole"
                    return "not_seen", f"{whole}, and have no such record"
        return "cannot_tell", "no record, and the logs of neither end are known to be whole at that time"

    @staticmethod
    def _row(probe: Probe, actual: Actual, why: str, sessions: int) -> dict[str, Any]:
        verdict = "cannot_tell" if actual == "cannot_tell" else "as_expected" if actual == probe.expected else "differs"
        return {
            "schema_version": SCHEMA_VERSION, "line": probe.line, "source": probe.source,
            "destination": probe.destination, "port": probe.said["port"], "protocol": probe.said["protocol"],
            "time": probe.time, "expected": probe.expected, "actual": actual, "verdict": verdict, "why": why,
            "sessions": sessions, "record": None,
        }  # fmt: skip


def read_probes(source: str | os.PathLike[str]) -> list[Probe]:
    """Reads a test plan; :class:`~vpcflow.RuleError` names file and line."""
    name = printable(os.fspath(source))
    try:
        text = Path(source).read_text(encoding="utf-8-sig")
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RuleError(f"{name}: {error}") from None
    if not lines:
        raise RuleError(f"{name}: no header line; expected {','.join(_COLUMNS)}")
    places = _places(lines[0], name)
    probes = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        place = f"{name}: line {number}"
        if len(cells) != len(lines[0]):
            raise RuleError(f"{place}: {len(cells)} cells; the header has {len(lines[0])}")
        probes.append(_probe({key: cells[at].strip() for key, at in places.items()}, number, place))
    if not probes:
        raise RuleError(f"{name}: no probe in it")
    return probes


def _places(header: list[str], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    aliases = {alias: key for key, own in _COLUMNS.items() for alias in own}
    for at, cell in enumerate(header):
        key = aliases.get(cell.strip().lower())
        if key is None:
            known = hint(cell.strip().lower(), list(_COLUMNS))
            raise RuleError(f"{name}: line 1: no column {printable(cell)!r}; {known}")
        if key in found:
            raise RuleError(f"{name}: line 1: two columns for {key}")
        found[key] = at
    if missing := [key for key in _COLUMNS if key not in found]:
        raise RuleError(f"{name}: line 1: column {', '.join(missing)} is missing")
    return found


def _probe(cells: Mapping[str, str], line: int, place: str) -> Probe:
    ends = []
    for key in ("source", "destination"):
        try:
            ends.append(str(ipaddress.ip_address(cells[key])))
        except ValueError:
            raise RuleError(f"{place}: {key}: {printable(cells[key])!r}: expected an address") from None
    expected = _EXPECTED.get(cells["expected"].lower().replace("-", "_").replace(" ", "_"))
    if expected is None:
        known = hint(cells["expected"].lower(), list(_EXPECTED))
        raise RuleError(f"{place}: expected: {printable(cells['expected'])!r}; {known}")
    port = "" if cells["port"] in ("", "-") else f"/{cells['port']}"
    try:
        time = unix_seconds("time", int(cells["time"]) if cells["time"].isdigit() else cells["time"])
    except (PlanError, VpcflowError) as error:
        raise RuleError(f"{place}: {error}") from None
    protocol = f"proto-{cells['protocol']}" if cells["protocol"].isdigit() else cells["protocol"]
    (ports,) = ports_of(Value(f"{protocol}{port}", place), "port and protocol")
    return Probe(line, ends[0], ends[1], ports, time or 0, expected, cells)
