"""What the logs have of two ends: the records between them, and what each interface can show."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable
from typing import Any

from ..errors import DataQualityWarning, FieldError, SourceError
from ..query.expr import count as count_of
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.report import Report
from ..query.running import collect_all
from ..query.scan import query
from .ends import End

#: Records that are looked at one by one.
MOST = 200_000
#: Seconds around the time asked for in which attempts of that time may go on.
AFTER = 900
_WINDOWS = 100  # NODATA records whose lengths are looked at
_FIELDS = (
    "interface-id", "srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr", "srcport", "dstport", "protocol", "packets",
    "bytes", "start", "end", "action", "tcp-flags", "flow-direction", "log-status", "reject-reason", "interface-type",
    "instance-id", "subnet-id", "az-id", "tgw-attachment-id", "resource-id", "packets-lost-no-route",
    "packets-lost-blackhole", "packets-lost-mtu-exceeded",
)  # fmt: skip
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked: two ends, the port and protocol of the service, and when."""

    client: End
    server: End
    port: int | None
    protocol: int
    #: Unix seconds [begin, end) of the records that count; ``None``: all.
    between: tuple[int, int] | None = None
    #: Ids of the inventory's interfaces that are of neither end.
    others: frozenset[str] = frozenset()
    #: Those of them that have an address of an end, in another VPC: their records are of other conversations.
    twins: frozenset[str] = frozenset()

    @property
    def has_ports(self) -> bool:
        """Whether the protocol has ports."""
        return self.protocol in (6, 17)


@dataclasses.dataclass
class Interfaces:
    """What all records say of an interface."""

    accepted: int = 0
    rejected: int = 0
    #: Records of what goes out, and of what comes in, so far as their direction or the two ends' addresses tell.
    out: int = 0
    into: int = 0
    #: Whose address all its records have: ``"client"``, ``"server"``, or ``None`` if that does not tell.
    owner: str | None = None


@dataclasses.dataclass
class Logs:
    """What was read for a question."""

    rows: list[Row]
    report: Report
    #: By interface-id.
    interfaces: dict[str | None, Interfaces]
    start: int | None
    end: int | None
    #: Fields that at least one of the sources has; columns' names.
    fields: frozenset[str]
    #: Fields that all of them have but those of transit gateways.
    everywhere: frozenset[str]
    is_cut: bool
    #: Seconds of the longest of some NODATA records, which are as long as their window.
    window: int = 0
    #: Runs of minutes with a record that is not SKIPDATA, by interface-id; ``None``: the logs cannot be read again.
    minutes: dict[str, list[tuple[int, int]]] | None = None
    skipped: dict[str, list[tuple[int, int]]] = dataclasses.field(default_factory=dict)
    #: Other ports of the server that the client tried, with records of each.
    other_ports: dict[int, int] = dataclasses.field(default_factory=dict)
    #: The bounds [begin, end) of the time that the query asks for, where it has both.
    asked: tuple[int, int] | None = None
    #: Records of the client with anybody.
    of_client: int = 0

    def covers(self, interface: str, start: int, end: int) -> bool:
        """Tells whether every minute of a time has a record of the interface, and none was skipped."""
        if self.minutes is None:
            return False
        first, last = start // 60 * 60, max(-(-end // 60) * 60, start // 60 * 60 + 60)
        return any(a <= first and last <= b for a, b in self.minutes.get(interface, []))

    def gaps(self, interface: str) -> int:
        """Returns how many minutes of an interface lack, from the beginning of the logs to their end."""
        if self.minutes is None or self.start is None or self.end is None:
            return 0
        whole = -(-self.end // 60) - self.start // 60
        return max(whole - sum(b - a for a, b in self.minutes.get(interface, [])) // 60, 0)


def read(flows: Flows, question: Question) -> Logs:
    """Reads the records of a question in one pass, and which minutes of their interfaces the logs have in another."""
    flows = flows._with(allow_missing=True)
    ends = ("srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr")
    client, server = _within(question.client, *ends), _within(question.server, *ends)
    sends, gets = (f"({_within(question.client, field)} or {_within(question.server, field)})" for field in ends[:2])
    pair = _pair_filter(question)
    own = query(allow_missing=True)
    chosen = own.filter(pair, *_times(question)).select(*_FIELDS).located().limit(MOST + 1)
    counted = own.group_by("interface-id").agg(
        n=count_of(), accepted="count() where action = 'ACCEPT'", rejected="count() where action = 'REJECT'",
        client=f"count() where {client}", server=f"count() where {server}",
        out=f"count() where flow_direction = 'egress' or (flow_direction is null and {sends})",
        into=f"count() where flow_direction = 'ingress' or (flow_direction is null and {gets})",
    )  # fmt: skip
    span = own.filter("log_status is null or log_status is not null").agg(
        start=min_of("start"),
        end=max_of("end"),
        last=max_of("start"),
    )
    ports = own.filter(_toward(question)).group_by("dstport").agg(n=count_of()).top_k(5, by="n")
    quiet = own.filter("log_status = 'NODATA'").select("start", "end").limit(_WINDOWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        found = collect_all([one.bind(flows) for one in (chosen, counted, span, ports, quiet)])
    rows = found[0].rows()
    report = found[0].report
    (times,) = found[2].rows() or [{"start": None, "end": None, "last": None}]
    formats = [{name.strip("${}").replace("-", "_") for name in text.split()} for text in report.formats]
    of_vpcs = [names for names in formats if "tgw_attachment_id" not in names]
    return Logs(
        rows[:MOST],
        report,
        {row["interface_id"]: _interface(row) for row in found[1]},
        times["start"],
        times["end"] or times["last"],
        fields=frozenset().union(*formats),
        everywhere=frozenset(set.intersection(*of_vpcs) if of_vpcs else ()),
        is_cut=len(rows) > MOST,
        window=max((row["end"] - row["start"] for row in found[4] if row["end"] and row["start"]), default=0),
        other_ports={row["dstport"]: row["n"] for row in found[3] if row["dstport"] not in (None, question.port)},
        asked=_bounds(flows),
        of_client=sum(row["client"] for row in found[1]),
    )


def read_coverage(flows: Flows, logs: Logs, interfaces: Iterable[str]) -> None:
    """Adds which minutes the logs have of some interfaces; of streams, which are read once, nothing is known."""
    wanted = sorted(set(interfaces))
    if not wanted or "start" not in logs.fields or "log_status" not in logs.everywhere:
        return
    listed = ", ".join(repr(one) for one in wanted)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            runs = flows.filter(f"interface-id in ({listed})")._with(allow_missing=True).coverage().rows()
    except (SourceError, FieldError):
        return
    # A record shows when its first and last packet were, not its window: between those of two windows in a row may be
    # almost two windows.
    longest = max(logs.window, *(row["end"] - row["start"] for row in logs.rows if row["end"] and row["start"]), 0)
    quiet = 60 if longest <= 60 else 1140
    logs.minutes = {}
    before: dict[str, str] = {}
    for run in runs:
        if run["seen"] == "SKIPDATA":
            logs.skipped.setdefault(run["interface_id"], []).append((run["start"], run["end"]))
        elif run["seen"] != "absent":
            own = logs.minutes.setdefault(run["interface_id"], [])
            gap = run["start"] - own[-1][1] if own else 0
            # NODATA records are as long as their window: between two of them is none.
            partial = "OK" in (run["seen"], before[run["interface_id"]]) if own else False
            if own and (gap == 0 or (gap <= quiet and partial)) and not _skips(logs, run["interface_id"], own[-1][1]):
                own[-1] = (own[-1][0], run["end"])
            else:
                own.append((run["start"], run["end"]))
            before[run["interface_id"]] = run["seen"]


def _skips(logs: Logs, interface: str, since: int) -> bool:
    return any(end > since for _, end in logs.skipped.get(interface, []))


def _bounds(flows: Flows) -> tuple[int, int] | None:
    begin, end = flows._spec.asked or (None, None)
    return None if begin is None or end is None else (begin, end)


def _interface(row: Row) -> Interfaces:
    owner = None
    if row["client"] == row["n"] > row["server"]:
        owner = "client"
    elif row["server"] == row["n"] > row["client"]:
        owner = "server"
    return Interfaces(row["accepted"], row["rejected"], row["out"], row["into"], owner)


def _within(end: End, *fields: str) -> str:
    """Returns the filter that one of some fields has an address of an end."""
    listed = ", ".join(repr(word) for word in end.words)
    return "(" + " or ".join(f"{field} in ({listed})" for field in fields) + ")"


def _pair_filter(question: Question) -> str:
    """Returns the filter of the records between both ends, in both directions, at any interface."""
    sources, targets = ("srcaddr", "pkt-srcaddr"), ("dstaddr", "pkt-dstaddr")
    there = f"({_within(question.client, *sources)} and {_within(question.server, *targets)})"
    back = f"({_within(question.server, *sources)} and {_within(question.client, *targets)})"
    if question.has_ports and question.port is not None:
        there = f"({there} and (dstport = {question.port} or dstport is null))"
        back = f"({back} and (srcport = {question.port} or srcport is null))"
    return f"({there} or {back}) and (protocol = {question.protocol} or protocol is null)"


def _toward(question: Question) -> str:
    """Returns the filter of what the client sent to the server, at whatever port."""
    client = _within(question.client, "srcaddr", "pkt-srcaddr")
    server = _within(question.server, "dstaddr", "pkt-dstaddr")
    return f"{client} and {server} and protocol = {question.protocol}"


def _times(question: Question) -> list[str]:
    if question.between is None:
        return []
    begin, end = question.between[0] - AFTER, question.between[1] + AFTER
    return [f"(start < {end} and end >= {begin}) or start is null"]
