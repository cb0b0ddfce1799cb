"""What detectors share: settings, sessions to ask, findings to make."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import ipaddress
from collections.abc import Collection, Sequence
from typing import Any

from .aggregation import Aggregation
from .among import among
from .display import instant
from .errors import PlanError
from .expr import count
from .findings import Finding, sessions_as_records
from .result import Result
from .scan import Flows, collect_all

INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Services that ask a person for a password; and those that applications log in to all day, of which only tries from
# outside tell something.
ADMIN_PORTS = (21, 22, 23, 445, 3389, 5900, 5985, 5986)
DATABASE_PORTS = (1433, 1521, 3306, 5432, 27017)
# Services by which one host gets into another.
LATERAL_PORTS = (22, 135, 139, 445, 3389, 5985, 5986)


# A session that came about: both sides sent, and of TCP three packets at least, which a refused try has not.
TALKED = "(action = 'established' and (protocol != 6 or protocol is null or packets >= 3))"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the detectors go by; all of it can be given to :func:`detect` by name."""

    #: Prefixes of your own networks.
    inside: Sequence[str] = INSIDE
    #: What ends a session.
    idle: str | int = "10m"
    #: port_scan: different ports of one host, or hosts at one port, that did not answer (Zeek's scan.zeek: 15 and 25).
    scan_ports: int = 25
    scan_hosts: int = 25
    #: port_scan: the share of a source's tries at its target that did not get an answer.
    scan_failed: float = 0.5
    #: port_scan: whether few or slow tries of outside hosts are told, too (inside ones always are): mostly what every
    #: address of the internet gets all day.
    walk_outside: bool = False
    #: brute_force: sessions of one client at one service (Zeek: 30 failed logins), and their median size in bytes from
    #: the client.
    brute_sessions: int = 30
    brute_bytes: int = 12_000
    #: exfiltration: bytes to one outside peer, how many times what came back, how many times the median session; and
    #: outside prefixes that may get much, such as those of your backups.
    exfil_bytes: int = 500_000_000
    exfil_known: Sequence[str] = ()
    #: exfiltration: AWS's ip-ranges.json, by which uploads to S3 are known where the log does not name services.
    aws_ranges: str = ""
    exfil_ratio: float = 5.0
    exfil_typical: float = 100.0
    #: beacon: sessions, and how much the time between them may vary (median deviation by median).
    beacon_sessions: int = 6
    beacon_jitter: float = 0.1
    #: lateral_movement: inside hosts reached or tried at services of LATERAL_PORTS, and the share that did not answer.
    lateral_hosts: int = 10
    lateral_failed: float = 0.3
    #: unauthorised_access: prefixes outside from which administration is fine.
    admin_sources: Sequence[str] = ()
    #: accepted_after_reject: ports of one host, or hosts at one port, that did not answer before one did.
    found_failed: int = 5
    #: flood: sources that got no answer from one port in a minute (public playbooks: 500), and packets that one host
    #: got without answer in a minute.
    flood_sources: int = 500
    flood_packets: int = 1_000_000
    #: tunnel: bytes to one outside peer over DNS or NTP, and over ICMP in packets of 200 bytes and more.
    tunnel_bytes: int = 10_000_000
    tunnel_icmp: int = 1_000_000
    #: known_bad: addresses and prefixes, or a file with one at the beginning of each line (``#`` comments).
    bad: Sequence[str] | str = ()
    #: new_country: a MaxMind DB file of countries (needs ``maxminddb``).
    geo: str = ""


def is_in(address: str, prefixes: Sequence[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(prefix) for prefix in prefixes)


def checked(prefixes: Sequence[str]) -> Sequence[str]:
    """The same; :class:`~vpcflow.PlanError` for what is no address or prefix."""
    for prefix in prefixes:
        if not is_prefix(prefix):
            raise PlanError(f"detect: {prefix!r} is no address and no prefix")
    return prefixes


def listed(prefixes: Sequence[str]) -> str:
    """A list of the filter language; errors as of :func:`checked`."""
    return ", ".join(f"'{prefix}'" for prefix in checked(prefixes))


def is_prefix(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def day_of(time: float) -> str:
    """The day of Unix seconds, in UTC."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).date().isoformat()


class _Noted(Exception):  # noqa: N818, no error
    """A detector has told its first questions."""


class Detectors:
    """One detection: a method for each detector, which gives its findings."""

    def __init__(
        self, flows: Flows | None, talks: Result, settings: Settings, coverage: dict[str, dict[str, Any]],
        baseline: Aggregation | None,
    ) -> None:  # fmt: skip
        self._baseline = baseline
        self._first: list[Flows] | None = None  # while first questions are noted
        self._answers: dict[str, Result] = {}
        self._flows = flows
        self._settings = settings
        self._coverage = coverage
        inside = ", ".join(f"'{prefix}'" for prefix in settings.inside)
        self._from_inside, self._to_inside = f"srcaddr in ({inside})", f"dstaddr in ({inside})"
        # Nobody answered: it was rejected, or a few packets (SYN and its six repetitions) went one way only, or the
        # port was closed: the answer was a reset without SYN (2). Logs without flags show that as a packet without data
        # each way; so are keep-alives, so it counts only where most tries must have failed. Who sent nothing tried
        # nothing: backscatter, the answers of others to packets with a made-up source.
        refused = "action = 'reset' and packets <= 3 and tcp-flags & 2 = 0"
        silent = f"action = 'unanswered' and (packets <= 3 or (protocol = 6 and packets <= 7 and bytes <= {7 * 64}))"
        self._failed = f"(packets > 0 and (action = 'rejected' or ({silent}) or ({refused})))"
        bare = "action = 'established' and protocol = 6 and packets = 1 and bytes <= 64"
        self._missed = f"({self._failed} or ({bare}))"
        # An open port: its SYN-ACK was seen, or, without flags, it was talked to.
        self._open = f"({TALKED} or (action in ('established', 'reset') and tcp-flags & 2 = 2))"
        self._sent = sessions_as_records(talks, "client_bytes")
        self._talks = talks

    @functools.cached_property
    def _received(self) -> Flows:
        """The sessions once more, with the bytes that came back."""
        return sessions_as_records(self._talks, "server_bytes")

    def findings(self, names: Sequence[str]) -> list[Finding]:
        """What some detectors find. The first questions of all of them are asked together, in one pass."""
        self._first = []
        for name in names:
            with contextlib.suppress(_Noted):
                next(getattr(self, name)(), None)
        first, self._first = self._first, None
        self._answers = {repr(q._spec): result for q, result in zip(first, collect_all(first))} if first else {}
        return [finding for name in names for finding in getattr(self, name)()]

    def _ask(self, *queries: Flows) -> list[Result]:
        """The results of questions about sessions, in one pass; the first ones of all detectors are in one together."""
        if self._first is not None:
            self._first += queries
            raise _Noted
        known = [self._answers.pop(repr(query._spec), None) for query in queries]
        asked = iter(collect_all([query for query, result in zip(queries, known) if result is None]))
        return [next(asked) if result is None else result for result in known]

    def _of(self, sources: Collection[str], flows: Flows | None = None) -> Flows:
        """The sessions of some clients."""
        flows, condition = among(self._sent if flows is None else flows, "one_of_the_sources", "srcaddr", sources)
        return flows.filter(condition)

    def _targets(self, actor: str, where: str) -> list[str]:
        tried = self._sent.filter(f"srcaddr = '{actor}' and {where}")
        return [r["dstaddr"] for r in tried.group_by("dstaddr").agg(n=count()).top_k(20, by="n").collect()]

    def _targets_at_ports(self, actors: set[str]) -> dict[tuple[str, int | None], list[str]]:
        """Whom some actors tried most at each port, in one pass."""
        out: dict[tuple[str, int | None], list[str]] = {}
        if actors:
            tried = self._of(actors).group_by("srcaddr", "dstport", "dstaddr").agg(n=count())
            for row in tried.top_k(20, by="n", per=["srcaddr", "dstport"]).collect():
                out.setdefault((row["srcaddr"], row["dstport"]), []).append(row["dstaddr"])
        return out

    def _finding(
        self, detector: str, severity: str, row: dict[str, Any], targets: list[str], score: float, technique: str,
        evidence: dict[str, Any], sentence: str,
    ) -> Finding:  # fmt: skip
        when = f"{instant(row['first'])} to {instant(row['last'])}"
        return Finding(
            detector, severity, row["srcaddr"], targets, row["first"], row["last"], round(score, 3), technique,
            evidence, self._coverage[detector], f"{sentence}, {when}",
        )  # fmt: skip
