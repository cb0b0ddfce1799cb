"""What the slow detectors share: sessions to ask, findings to make."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vpcflow._display import instant
from vpcflow.detect.settings import Settings
from vpcflow.errors import PlanError
from vpcflow.findings import Finding
from vpcflow.findings.membership import membership
from vpcflow.query import Aggregation, Flows, Result, collect_all, scan

# Services that ask a person for a password; and those that applications log in to all day, of which only tries from
# outside tell something.
ADMIN_PORTS = (21, 22, 23, 445, 3389, 5900, 5985, 5986)
DATABASE_PORTS = (1433, 1521, 3306, 5432, 27017)
# Services by which one host gets into another.
LATERAL_PORTS = (22, 135, 139, 445, 3389, 5985, 5986)


# Of sessions as records (Detectors._records): the column `answered`; whether the client is known to have begun, or sent
# alone; and what came back.
TALKED = "traffic-path = 1"
BEGAN = "packets-lost-mtu-exceeded = 1"
BACK, BACK_PACKETS = "packets-lost-blackhole", "packets-lost-no-route"

NO_HOSTS = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/127", "fe80::/10", "ff00::/8")
T = TypeVar("T")


def is_in(address: str, prefixes: Sequence[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(prefix) for prefix in prefixes)


def groups(rows: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    out: dict[Any, list[T]] = {}
    for row in rows:
        out.setdefault(key(row), []).append(row)
    return out


def checked(prefixes: Sequence[str]) -> Sequence[str]:
    """The same; :class:`~vpcflow.PlanError` for what is no address or prefix."""
    for prefix in prefixes:
        if not is_prefix(prefix):
            raise PlanError(f"detect: {prefix!r} is no address and no prefix")
    return prefixes


def listed(prefixes: Sequence[str]) -> str:
    """A list of the filter language; errors as of :func:`checked`."""
    return ", ".join(f"'{prefix}'" for prefix in checked(prefixes))


def swapped(row: dict[str, Any]) -> dict[str, Any]:
    """A session the other way round; its flags stay."""
    out = dict(row)
    for what in ("", "_port", "_bytes", "_packets"):
        out[f"client{what}"], out[f"server{what}"] = row[f"server{what}"], row[f"client{what}"]
    return out


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


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def protocol_text(protocol: int | None) -> str:
    return "" if protocol in (None, 6) else "UDP " if protocol == 17 else f"protocol {protocol} "


def service_of(port: int | None, protocol: int | None) -> str:
    prefix = protocol_text(protocol)
    return f"{prefix}port {'-' if port is None else port}" if port or not prefix else f"protocol {protocol}"


def listing(services: Iterable[tuple[int | None, int | None]]) -> tuple[str, dict[str, Any]]:
    """Ports, each with its protocol, as words and as evidence: the first twenty."""
    order = sorted({(-1 if protocol is None else protocol, -1 if port is None else port) for port, protocol in services})[:20]
    words = []
    for protocol, own in groups(order, lambda service: service[0]).items():
        prefix = protocol_text(None if protocol < 0 else protocol)
        ports = ["-" if port < 0 else str(port) for _, port in own]
        words.append(f"protocol {protocol}" if ports == ["-"] and prefix else f"{prefix}port{'s' * (len(ports) > 1)} {', '.join(ports)}")
    evidence = {"ports": [port for _, port in order if port >= 0], "protocols": sorted({protocol for protocol, _ in order} - {-1})}
    return " and ".join(words), evidence


def protocols_of(rows: Iterable[Any]) -> list[int]:
    return sorted({row.protocol for row in rows} - {None})


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
        # Nobody answered: it was rejected, is unanswered, or the port was closed: the answer was a reset without SYN
        # (2). Who sent nothing tried nothing: backscatter, the answers of others to packets with a made-up source.
        refused = "action = 'reset' and traffic-path = 0 and tcp-flags & 2 = 0"
        self._failed = f"(packets > 0 and {BEGAN} and (action in ('rejected', 'unanswered') or ({refused})))"
        # An open port: it answered, or its SYN-ACK was seen.
        self._open = f"({TALKED} or (action in ('established', 'reset') and tcp-flags & 2 = 2))"
        self._talks = self._once([self._inside_first(row) for row in talks.rows() if row["counted"]])
        self._sent = self._records(self._talks)

    def _inside_first(self, row: dict[str, Any]) -> dict[str, Any]:
        """Where nobody knows who began and both sent, an inside host comes before an outside one."""
        row = {**row, "began": row["client_known"] or row["client_packets"] == 0 or row["server_packets"] == 0}
        turned = not row["began"] and self._is_inside(row["server"]) and not self._is_inside(row["client"])
        return swapped(row) if turned else row

    @staticmethod
    def _records(rows: Sequence[dict[str, Any]]) -> Flows:
        """Sessions as the lines of a log, so that the query engine can be asked of them: the client is the source."""
        names = {
            "srcaddr": "client", "dstaddr": "server", "srcport": "client_port", "dstport": "server_port",
            "protocol": "protocol", "start": "start", "end": "end", "packets": "client_packets",
            "bytes": "client_bytes", "action": "state", "tcp-flags": "server_flags", BACK: "server_bytes",
            BACK_PACKETS: "server_packets", "traffic-path": "answered", "packets-lost-mtu-exceeded": "began",
        }  # fmt: skip
        lines = [" ".join(names)]
        for row in rows:
            values = [row.get(name) for name in names.values()]
            lines.append(" ".join("-" if v is None else str(int(v)) if isinstance(v, bool) else str(v) for v in values))
        return scan("\n".join(lines).encode() + b"\n")._with(session_records=True)

    def _is_inside(self, address: str) -> bool:
        return is_in(address, self._settings.inside)

    def _is_outside(self, address: str) -> bool:
        return not self._is_inside(address) and not is_in(address, NO_HOSTS)

    def _once(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The sessions without those that gateways repeat."""
        outwards = [row for row in rows if self._is_inside(row["client"]) and self._is_outside(row["server"])]

        def leg(row: dict[str, Any]) -> tuple[Any, ...]:
            return tuple(row[name] for name in ("server", "server_port", "protocol", "client_bytes", "server_bytes"))

        clients = {key: {row["client"] for row in own} for key, own in groups(outwards, leg).items()}
        gateways = set()
        for client in {row["client"] for row in outwards}:
            alone = sum(own == {client} for own in clients.values())
            shared = [own - {client} for own in clients.values() if client in own and len(own) == 2]
            partners = set().union(*shared)
            if len(shared) >= 20 and len(shared) >= 4 * alone and len(partners) >= 3:
                gateways.add(client)
        # Or the others have the same with it, as their first legs.
        expected = {
            (row["client"], *leg(row)[1:], other)
            for row in outwards if len(own := clients[leg(row)]) == 2 for other in own - {row["client"]}
        }  # fmt: skip
        inwards = [row["server"] for row in rows if self._is_inside(row["client"]) and self._is_inside(row["server"])
                   and (row["client"], *leg(row)[1:], row["server"]) in expected]  # fmt: skip
        for host in set(inwards):
            if inwards.count(host) >= 4 and 5 * inwards.count(host) >= 4 * sum(row["client"] == host for row in outwards):
                gateways.add(host)
        repeated = {key for key, own in clients.items() if own & gateways and own - gateways}
        first_legs = {
            (row["client"], *leg(row)[1:]) for row in outwards if row["client"] not in gateways and leg(row) in repeated
        }  # fmt: skip
        return [
            row for row in rows
            if not (row["client"] in gateways and self._is_outside(row["server"]) and leg(row) in repeated)
            and not (self._is_inside(row["client"]) and row["server"] in gateways and (row["client"], *leg(row)[1:]) in first_legs)
        ]  # fmt: skip
    def findings(self, names: Sequence[str]) -> list[Finding]:
        """What some detectors find."""
        return [finding for name in names for finding in getattr(self, name)()]

    def _ask(self, *queries: Flows) -> list[Result]:
        return collect_all(queries)

    def _of(self, sources: Collection[str], flows: Flows | None = None) -> Flows:
        """The sessions of some clients."""
        flows, condition = membership(self._sent if flows is None else flows, "one_of_the_sources", "srcaddr", sources)
        return flows.filter(condition)

    def _finding(
        self, detector: str, severity: str, row: dict[str, Any], targets: list[str], score: float, technique: str,
        evidence: dict[str, Any], sentence: str,
    ) -> Finding:  # fmt: skip
        when = f"{instant(row['first'])} to {instant(row['last'])} UTC"
        return Finding(
            detector, severity, row["srcaddr"], targets, row["first"], row["last"], round(score, 3), technique,
            evidence, self._coverage[detector], f"{sentence}, {when}",
        )  # fmt: skip
