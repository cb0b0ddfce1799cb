"""What the slow detectors share: sessions to ask, findings to make."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from vpcflow.aggregation import Aggregation
from vpcflow.among import among
from vpcflow.detectors import Settings
from vpcflow.display import instant
from vpcflow.errors import PlanError
from vpcflow.expr import count
from vpcflow.findings import Finding, sessions_as_records
from vpcflow.result import Result
from vpcflow.scan import Flows, collect_all

# Services that ask a person for a password; and those that applications log in to all day, of which only tries from
# outside tell something.
ADMIN_PORTS = (21, 22, 23, 445, 3389, 5900, 5985, 5986)
DATABASE_PORTS = (1433, 1521, 3306, 5432, 27017)
# Services by which one host gets into another.
LATERAL_PORTS = (22, 135, 139, 445, 3389, 5985, 5986)


# A session that came about: both sides sent, and of TCP three packets at least, which a refused try has not.
TALKED = "(action = 'established' and (protocol != 6 or protocol is null or packets >= 3))"


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


def bundled_s3() -> tuple[list[Any], str]:
    """S3's prefixes by the list that comes with vpcflow, and its day."""
    text = (Path(__file__).resolve().parents[3] / "src" / "enrich" / "aws_s3.inc").read_text()
    prefixes = [ipaddress.ip_network(prefix) for prefix in re.findall(r'VPCFLOW_AWS_S3\("(.*)"\)', text)]
    return prefixes, re.findall(r'VPCFLOW_AWS_DAY\("(.*)"\)', text)[0]


def day_of(time: float) -> str:
    """The day of Unix seconds, in UTC."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).date().isoformat()


class Detectors:
    """One detection: a method for each detector, which gives its findings."""

    def __init__(
        self, flows: Flows | None, talks: Result, settings: Settings, coverage: dict[str, dict[str, Any]],
        baseline: Aggregation | None,
    ) -> None:  # fmt: skip
        self._baseline = baseline
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
        """What some detectors find."""
        return [finding for name in names for finding in getattr(self, name)()]

    def _ask(self, *queries: Flows) -> list[Result]:
        return collect_all(queries)

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
