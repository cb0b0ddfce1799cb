"""The detectors: what each asks of sessions, and what it makes of the answer."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from .aggregation import Aggregation
from .display import instant
from .errors import PlanError
from .expr import count, n_unique, quantile
from .expr import first as first_of
from .expr import max as max_of
from .expr import min as min_of
from .expr import sum as sum_of
from .findings import Finding, sessions_as_records
from .result import Result
from .rules import Rule, findings_of
from .scan import Flows, collect_all, scan

INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Services that ask a person for a password; and those that applications log in to all day, of which only tries from
# outside tell something.
ADMIN_PORTS = (21, 22, 23, 445, 3389, 5900, 5985, 5986)
DATABASE_PORTS = (1433, 1521, 3306, 5432, 27017)
# Services by which one host gets into another.
LATERAL_PORTS = (22, 135, 139, 445, 3389, 5985, 5986)


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


DETECTORS = (
    "port_scan", "brute_force", "exfiltration", "beacon", "lateral_movement", "unauthorised_access",
    "accepted_after_reject", "flood", "tunnel", "known_bad", "new_admin_edge",
)  # fmt: skip


def _is_in(address: str, prefixes: Sequence[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(prefix) for prefix in prefixes)


class _Noted(Exception):  # noqa: N818, no error
    """A detector has told its first questions."""


class Run:
    """One detection: a method for each of DETECTORS, which gives its findings."""

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
        # Nobody answered: it was rejected, or a few packets (SYN and its six repetitions) went one way only, or the port
        # was closed: the answer was a reset without SYN (2). Logs without flags show that as a packet without data each
        # way; so are keep-alives, so it counts only where most tries must have failed.
        refused = "action = 'reset' and packets <= 3 and tcp-flags & 2 = 0"
        silent = f"action = 'unanswered' and (packets <= 3 or (protocol = 6 and packets <= 7 and bytes <= {7 * 64}))"
        self._failed = f"(action = 'rejected' or ({silent}) or ({refused}))"
        bare = "action = 'established' and protocol = 6 and packets = 1 and bytes <= 64"
        self._missed = f"({self._failed} or ({bare}))"
        self._sent = sessions_as_records(talks, "client_bytes")
        self._received = sessions_as_records(talks, "server_bytes")

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
        """The results of questions about sessions; all that a detector has at first at once."""
        if self._first is not None:
            self._first += queries
            raise _Noted
        known = [self._answers.pop(repr(query._spec), None) for query in queries]
        return [query.collect() if result is None else result for query, result in zip(queries, known)]

    def _targets(self, actor: str, where: str) -> list[str]:
        tried = self._sent.filter(f"srcaddr = '{actor}' and {where}")
        return [r["dstaddr"] for r in tried.group_by("dstaddr").agg(n=count()).top_k(20, by="n").collect()]

    def _targets_at_ports(self, actors: set[str]) -> dict[tuple[str, int | None], list[str]]:
        """Whom some actors tried most at each port, in one pass."""
        out: dict[tuple[str, int | None], list[str]] = {}
        if actors:
            listed = ", ".join(f"'{actor}'" for actor in sorted(actors))
            tried = self._sent.filter(f"srcaddr in ({listed})").group_by("srcaddr", "dstport", "dstaddr").agg(n=count())
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

    def port_scan(self) -> Iterator[Finding]:
        s = self._settings
        span = {"first": min_of("start"), "last": max_of("end")}
        failed = {"failed": count(where=self._missed), "tries": count(), **span}
        ports = self._sent.group_by("srcaddr", "dstaddr", "protocol").agg(
            ports=n_unique("dstport", where=self._missed), **failed
        )
        hosts = self._sent.group_by("srcaddr", "dstport", "protocol").agg(
            hosts=n_unique("dstaddr", where=self._missed), **failed
        )

        def mostly_failed(row: dict[str, Any]) -> bool:
            return bool(row["failed"] >= s.scan_failed * row["tries"])

        of_ports, of_hosts = self._ask(
            ports.having(f"ports >= {s.scan_ports}"), hosts.having(f"hosts >= {s.scan_hosts}")
        )
        rows = [row for row in of_ports if mostly_failed(row)]
        known = {row["srcaddr"] for row in rows}
        answered_by = self._answered({row["srcaddr"] for row in rows})
        for row in rows:
            answered = answered_by.get((row["srcaddr"], row["dstaddr"]), [])
            evidence = {k: row[k] for k in ("ports", "failed", "tries", "protocol")} | {"answered_ports": answered}
            text = f"{row['srcaddr']} tried {row['ports']:,} ports of {row['dstaddr']}"
            text += f", which answered on {', '.join(map(str, answered))}" if answered else ", none of which answered"
            # What the whole internet gets all day long is no news, as long as nobody answers.
            daily = "medium" if row["ports"] >= 2 * s.scan_ports or _is_in(row["srcaddr"], s.inside) else "low"
            severity = "high" if row["ports"] >= 4 * s.scan_ports or answered else daily
            score = 1 - 0.5 * s.scan_ports / row["ports"]
            yield self._finding("port_scan", severity, row, [row["dstaddr"]], score, "T1046", evidence, text)
        rows = [row for row in of_hosts if mostly_failed(row)]
        known |= {row["srcaddr"] for row in rows}
        targets_of = self._targets_at_ports({r["srcaddr"] for r in rows})
        for row in rows:
            evidence = {k: row[k] for k in ("hosts", "failed", "tries", "dstport", "protocol")}
            text = f"{row['srcaddr']} tried port {row['dstport']} of {row['hosts']:,} hosts without answer"
            score = 1 - 0.5 * s.scan_hosts / row["hosts"]
            targets = targets_of.get((row["srcaddr"], row["dstport"]), [])
            small = row["hosts"] < 10 * s.scan_hosts and not _is_in(row["srcaddr"], s.inside)
            yield self._finding("port_scan", "low" if small else "medium", row, targets, score, "T1046", evidence, text)

        yield from self._walks(known)

    def _walks(self, known: set[str]) -> Iterator[Finding]:
        """Scans of few or slow tries: threshold random walk over the services that a source tries, in their order.

        Jung, Paxson, Berger, Balakrishnan, "Fast portscan detection using sequential hypothesis testing", 2004, with
        its constants: a try gets no answer with 0.2 from a benign source and 0.8 from a scanner, 1 % of benign ones may be
        blamed, 99 % of scanners found. So each outcome weighs log 4, and 4 more failures than answers decide.
        """
        s = self._settings
        sources = self._sent if s.walk_outside else self._sent.filter(self._from_inside)
        failed = {"failed": count(where=self._missed), "tries": count()}
        some = sources.group_by("srcaddr").agg(**failed).having("failed >= 4").collect()
        suspects = {r["srcaddr"] for r in some if r["failed"] >= s.scan_failed * r["tries"]} - known
        if not suspects:
            return
        listed = ", ".join(f"'{suspect}'" for suspect in sorted(suspects))
        tried = self._sent.filter(f"srcaddr in ({listed})").group_by("srcaddr", "dstaddr", "dstport")
        services: dict[str, list[dict[str, Any]]] = {}
        for row in tried.agg(**failed, first=min_of("start"), last=max_of("end")).sort("first").collect():
            services.setdefault(row["srcaddr"], []).append(row)
        for actor, rows in services.items():
            walk = 0
            for row in rows:
                walk += 1 if row["failed"] == row["tries"] else -1
                if abs(walk) >= 4:
                    break
            if walk < 4:
                continue
            missed = [row for row in rows if row["failed"] == row["tries"]]
            hosts = list(dict.fromkeys(row["dstaddr"] for row in missed))
            span = {"srcaddr": actor, "first": rows[0]["first"], "last": max(row["last"] or 0 for row in rows)}
            evidence = {"services": len(missed), "hosts": len(hosts), "answered": len(rows) - len(missed)}
            text = f"{actor} tried {len(missed):,} services of {len(hosts):,} hosts without answer"
            severity = "medium" if len(missed) >= 10 and _is_in(actor, s.inside) else "low"
            score = 1 - 2 / (len(missed) + 1)
            yield self._finding("port_scan", severity, span, hosts[:20], score, "T1046", evidence, text)

    def _answered(self, actors: set[str]) -> dict[tuple[str, str], list[int]]:
        """The ports at which hosts answered some actors, at most twenty each, in one pass."""
        out: dict[tuple[str, str], list[int]] = {}
        if actors:
            listed = ", ".join(f"'{actor}'" for actor in sorted(actors))
            really = f"action = 'established' and not {self._missed} and dstport is not null"
            answered = self._sent.filter(f"srcaddr in ({listed}) and {really}")
            ports = answered.group_by("srcaddr", "dstaddr", "dstport").agg(n=count())
            for row in ports.top_k(20, by="n", per=["srcaddr", "dstaddr"]).collect():
                out.setdefault((row["srcaddr"], row["dstaddr"]), []).append(row["dstport"])
        return out

    def brute_force(self) -> Iterator[Finding]:
        s = self._settings
        admin, databases = ", ".join(map(str, ADMIN_PORTS)), ", ".join(map(str, DATABASE_PORTS))
        services = f"(dstport in ({admin}) or (dstport in ({databases}) and not {self._from_inside}))"
        tries = self._sent.filter(f"{services} and action in ('established', 'reset')")
        pairs = tries.group_by("srcaddr", "dstaddr", "dstport").agg(
            sessions=count(), typical=quantile("bytes", 0.5), most=quantile("bytes", 0.95),
            first=min_of("start"), last=max_of("end"),
        )  # fmt: skip
        conditions = (f"sessions >= {s.brute_sessions}", f"typical <= {s.brute_bytes}", f"most <= {4 * s.brute_bytes}")
        for row in self._ask(pairs.having(*conditions))[0]:
            span = max(row["last"] - row["first"], 60)
            evidence = {k: row[k] for k in ("sessions", "dstport", "typical", "most")}
            evidence["sessions_per_hour"] = round(row["sessions"] * 3600 / span, 1)
            service = f"{row['dstaddr']} port {row['dstport']}"
            text = f"{row['srcaddr']} opened {row['sessions']:,} short sessions to {service}"
            score = 1 - 0.5 * s.brute_sessions / row["sessions"]
            severity = "high" if row["sessions"] >= 2 * s.brute_sessions else "medium"
            yield self._finding("brute_force", severity, row, [row["dstaddr"]], score, "T1110", evidence, text)

    def exfiltration(self) -> Iterator[Finding]:
        s = self._settings
        where = f"{self._from_inside} and not {self._to_inside}"
        if s.exfil_known:
            where += f" and not dstaddr in ({_listed(s.exfil_known)})"
        peers = self._sent.filter(where).group_by("srcaddr", "dstaddr").agg(
            sent=sum_of("bytes"), sessions=count(), first=min_of("start"), last=max_of("end")
        )
        rows = self._ask(peers.having(f"sent >= {s.exfil_bytes}"))[0].rows()
        services = self._aws_services({row["dstaddr"] for row in rows})
        for row in rows:
            pair = f"srcaddr = '{row['srcaddr']}' and dstaddr = '{row['dstaddr']}'"
            back = self._received.filter(pair).agg(b=sum_of("bytes")).collect()["b"][0]
            others = self._sent.filter(f"srcaddr = '{row['srcaddr']}' and dstaddr != '{row['dstaddr']}' and {where}")
            typical = others.agg(b=quantile("bytes", 0.5)).collect()["b"][0] or 0
            if row["sent"] < s.exfil_ratio * back or row["sent"] < s.exfil_typical * typical:
                continue
            evidence = {"sent": row["sent"], "received": back, "sessions": row["sessions"], "typical_session": typical}
            text = f"{row['srcaddr']} sent {row['sent'] / 1e9:,.1f} GB to {row['dstaddr']}"
            text += f", which sent {back / 1e9:,.2f} GB"
            service = services.get(row["dstaddr"])
            if service:  # a bucket can be anybody's, but backups go to S3
                evidence["aws_service"] = service
                text += f", an address of AWS's {service}"
            score = 1 - 0.5 * s.exfil_bytes / row["sent"]
            much = "high" if row["sent"] >= 4 * s.exfil_bytes else "medium"
            severity = "low" if service == "S3" else much
            yield self._finding("exfiltration", severity, row, [row["dstaddr"]], score, "T1048", evidence, text)

    def _aws_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses, where the log tells."""
        formats = [] if self._flows is None else self._flows.formats
        if self._flows is None or not addresses or not any("${pkt-dst-aws-service}" in f for f in formats):
            return {}
        listed = ", ".join(f"'{address}'" for address in sorted(addresses))
        rows = self._flows.filter(f"dstaddr in ({listed})").group_by("dstaddr").agg(s=first_of("pkt-dst-aws-service"))
        return {row["dstaddr"]: row["s"] for row in rows.collect() if row["s"]}

    def beacon(self) -> Iterator[Finding]:
        s = self._settings
        where = f"{self._from_inside} and not {self._to_inside} and not {self._failed}"
        calls = self._sent.filter(where).group_by("srcaddr", "dstaddr", "dstport").agg(
            sessions=count(), low=quantile("bytes", 0.25), high=quantile("bytes", 0.75),
            first=min_of("start"), last=max_of("end"),
        )  # fmt: skip
        import statistics  # heavy

        rows = [
            row for row in self._ask(calls.having(f"sessions >= {s.beacon_sessions}"))[0]
            if row["high"] - row["low"] <= 0.2 * max(row["high"], 1)
        ]  # fmt: skip
        starts_of = self._starts(where, rows)
        for row in rows:
            starts = sorted(starts_of[row["srcaddr"], row["dstaddr"], row["dstport"]])
            gaps = [b - a for a, b in zip(starts, starts[1:])]
            period = statistics.median(gaps)
            if period < 30:  # within the resolution of start times and windows
                continue
            jitter = statistics.median(abs(gap - period) for gap in gaps) / period
            if jitter > s.beacon_jitter:
                continue
            evidence = {
                "sessions": row["sessions"], "period": period, "jitter": round(jitter, 4), "dstport": row["dstport"],
                "bytes": [row["low"], row["high"]],
            }  # fmt: skip
            text = f"{row['srcaddr']} called {row['dstaddr']} port {row['dstport']} {row['sessions']:,} times"
            text += f", every {period:.0f} s"
            score = 1 - 0.5 * (jitter / s.beacon_jitter + s.beacon_sessions / row["sessions"]) / 2
            yield self._finding("beacon", "medium", row, [row["dstaddr"]], score, "T1071", evidence, text)

    def _starts(self, where: str, rows: list[dict[str, Any]]) -> dict[tuple[str, str, int], list[int]]:
        """The starts of the sessions of some groups, read in one pass."""
        out: dict[tuple[str, str, int], list[int]] = {(r["srcaddr"], r["dstaddr"], r["dstport"]): [] for r in rows}
        addresses = ", ".join(f"'{address}'" for address in sorted({r["dstaddr"] for r in rows}))
        if rows:
            mine = self._sent.filter(f"{where} and dstaddr in ({addresses})")
            for r in mine.select("srcaddr", "dstaddr", "dstport", "start").collect():
                starts = out.get((r["srcaddr"], r["dstaddr"], r["dstport"]))
                if starts is not None:
                    starts.append(r["start"])
        return out

    def lateral_movement(self) -> Iterator[Finding]:
        s = self._settings
        where = f"{self._from_inside} and {self._to_inside} and dstport in ({', '.join(map(str, LATERAL_PORTS))})"
        tried = self._sent.filter(where).group_by("srcaddr").agg(
            hosts=n_unique("dstaddr"), ports=n_unique("dstport"), failed=count(where=self._failed), tries=count(),
            first=min_of("start"), last=max_of("end"),
        )  # fmt: skip
        for row in self._ask(tried.having(f"hosts >= {s.lateral_hosts}"))[0]:
            if row["failed"] < s.lateral_failed * row["tries"]:
                continue
            evidence = {"hosts": row["hosts"], "services": row["ports"], "failed": row["failed"], "tries": row["tries"]}
            text = f"{row['srcaddr']} tried services of {row['hosts']:,} inside hosts"
            text += f", {row['failed']:,} of {row['tries']:,} without answer"
            score = 1 - 0.5 * s.lateral_hosts / row["hosts"]
            targets = self._targets(row["srcaddr"], where)
            yield self._finding("lateral_movement", "high", row, targets, score, "T1021", evidence, text)

    # -- those that are rules over sessions

    def _by_rules(self, *asked: tuple[float, str, dict[str, Any]]) -> Iterator[Finding]:
        """What rules find; the score is by how far a column is above the threshold: (threshold, column, rule)."""
        rules = [Rule(over="sessions", **keys) for _, _, keys in asked]
        results = self._ask(*(rule.query(self._sent) for rule in rules))
        for (threshold, of, _), rule, result in zip(asked, rules, results):
            for found in findings_of(rule, result):
                score = round(1 - 0.5 * threshold / max(found.evidence[of], threshold), 3)
                yield dataclasses.replace(found, coverage=self._coverage[rule.name], score=score)

    def unauthorised_access(self) -> Iterator[Finding]:
        ports = ", ".join(map(str, ADMIN_PORTS + DATABASE_PORTS))
        where = f"not {self._from_inside} and {self._to_inside} and dstport in ({ports}) and action = 'established'"
        if self._settings.admin_sources:
            where += f" and not srcaddr in ({_listed(self._settings.admin_sources)})"
        rule = {
            "name": "unauthorised_access", "where": where, "by": ("srcaddr", "dstaddr", "dstport"),
            "aggregates": {"sessions": "count()", "bytes": "sum(bytes)"}, "technique": "T1133",
            "message": "{srcaddr}, outside, got into port {dstport} of {dstaddr} {sessions:,} times, {bytes:,} bytes",
        }  # fmt: skip
        yield from self._by_rules((1, "sessions", rule))

    def accepted_after_reject(self) -> Iterator[Finding]:
        n, failed = self._settings.found_failed, self._failed
        answered = "where action = 'established'"
        common: dict[str, Any] = {
            "name": "accepted_after_reject", "where": f"not {self._from_inside} and {self._to_inside}",
            "severity": "high", "technique": "T1046",
        }  # fmt: skip
        times = {
            "refused_first": f"min(start) where {failed}", "answered_last": f"max(start) {answered}",
            "seconds_later": "difference(answered_last, refused_first)",
        }  # fmt: skip
        having = (f"failed >= {n}", "answered >= 1", "seconds_later > 0")
        ports, hosts = (
            {
                **common, "by": ("srcaddr", by), "having": having, "message": message,
                "aggregates": {
                    "failed": f"n_unique({of}) where {failed}", "answered": f"n_unique({of}) {answered}", **times,
                },
            }
            for by, of, message in (
                ("dstaddr", "dstport", "{srcaddr} tried {failed:,} ports of {dstaddr}, then {answered:,} answered"),
                ("dstport", "dstaddr", "{srcaddr} tried port {dstport} of {failed:,} hosts, then {answered:,} did"),
            )
        )  # fmt: skip
        yield from self._by_rules((n, "failed", ports), (n, "failed", hosts))

    def flood(self) -> Iterator[Finding]:
        s = self._settings
        common: dict[str, Any] = {
            "name": "flood", "where": "action in ('unanswered', 'rejected')", "every": "1m", "actor": "dstaddr",
            "severity": "high", "technique": "T1498",
        }  # fmt: skip
        aggregates = {"sources": "n_unique(srcaddr)", "packets": "sum(packets)", "tries": "count()"}
        many = {
            **common, "by": ("dstaddr", "dstport", "protocol"), "aggregates": aggregates,
            "having": (f"sources >= {s.flood_sources}",),
            "message": "port {dstport} of {dstaddr} left {sources:,} sources in a minute without answer",
        }  # fmt: skip
        much = {
            **common, "by": ("dstaddr",), "aggregates": {"packets": "sum(packets)", **aggregates},
            "having": (f"packets >= {s.flood_packets}",),
            "message": "{dstaddr} got {packets:,} packets in a minute from {sources:,} sources without answer",
        }  # fmt: skip
        yield from self._by_rules((s.flood_sources, "sources", many), (s.flood_packets, "packets", much))

    def tunnel(self) -> Iterator[Finding]:
        s = self._settings
        outwards = f"{self._from_inside} and not {self._to_inside}"
        sums = {"bytes": "sum(bytes)", "packets": "sum(packets)", "size": "ratio(bytes, packets)"}
        asked = []
        for protocol, where, limit, having in (
            ("DNS", "dstport = 53 and protocol in (6, 17)", s.tunnel_bytes, ()),
            ("NTP", "dstport = 123 and protocol = 17", s.tunnel_bytes, ()),
            ("ICMP", "protocol in (1, 58)", s.tunnel_icmp, ("size >= 200",)),
        ):
            rule: dict[str, Any] = {
                "name": "tunnel", "where": f"{outwards} and {where}", "by": ("srcaddr", "dstaddr"),
                "aggregates": sums, "having": (f"bytes >= {limit}", *having), "technique": "T1572",
                "message": f"{{srcaddr}} sent {{bytes:,}} bytes of {protocol} to {{dstaddr}}",
            }  # fmt: skip
            asked.append((limit, "bytes", rule))
        yield from self._by_rules(*asked)

    def new_admin_edge(self) -> Iterator[Finding]:
        if self._baseline is None:
            return
        where = f"{self._from_inside} and {self._to_inside} and dstport in ({', '.join(map(str, LATERAL_PORTS))})"
        names = ("srcaddr", "dstaddr", "dstport")
        edges = self._sent.filter(f"{where} and action = 'established'").group_by(*names).agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(edges)
        past = scan(self._baseline.collect()).filter(where).select(*names).collect()
        known = set(zip(*(past[name] for name in names)))
        fresh: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in found:
            if tuple(row[name] for name in names) not in known:
                fresh.setdefault((row["srcaddr"], row["dstport"]), []).append(row)
        for (actor, port), rows in fresh.items():
            rows.sort(key=lambda row: (-row["sessions"], row["dstaddr"]))
            span = {
                "srcaddr": actor, "first": min(r["first"] for r in rows), "last": max(r["last"] for r in rows)
            }  # fmt: skip
            evidence = {"hosts": len(rows), "dstport": port, "sessions": sum(r["sessions"] for r in rows)}
            text = f"{actor} reached port {port} of {len(rows):,} inside hosts for the first time"
            score, targets = 1 - 0.5 / len(rows), [r["dstaddr"] for r in rows[:20]]
            yield self._finding("new_admin_edge", "medium", span, targets, score, "T1021", evidence, text)

    def known_bad(self) -> Iterator[Finding]:
        bad = self._settings.bad
        date = None
        if isinstance(bad, str) or (len(bad) == 1 and not _is_prefix(bad[0])):
            bad, date = _list_of(bad if isinstance(bad, str) else bad[0])
        if not bad:
            return
        listed = _listed(bad)
        asked = []
        for end, other, verb in (("dstaddr", "srcaddr", "talked to"), ("srcaddr", "dstaddr", "was reached by")):
            rule: dict[str, Any] = {
                "name": "known_bad", "where": f"{end} in ({listed}) and action = 'established'", "by": (other, end),
                "aggregates": {"sessions": "count()", "bytes": "sum(bytes)"}, "severity": "high", "technique": "T1071",
                "message": f"{{{other}}} {verb} {{{end}}}, which is listed, {{sessions:,}} times",
            }  # fmt: skip
            asked.append((1, "sessions", rule))
        for f in self._by_rules(*asked):
            yield dataclasses.replace(f, evidence={**f.evidence, "list_of": date}) if date else f


def _listed(prefixes: Sequence[str]) -> str:
    """A list of the filter language; :class:`~vpcflow.PlanError` for what is no address or prefix."""
    for prefix in prefixes:
        if not _is_prefix(prefix):
            raise PlanError(f"detect: {prefix!r} is no address and no prefix")
    return ", ".join(f"'{prefix}'" for prefix in prefixes)


def _is_prefix(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _list_of(path: str) -> tuple[list[str], str]:
    """The addresses and prefixes of a file, and the day of its last change, for the evidence. A STIX 2 bundle
    (``.json``), MISP's CSV (columns ``type`` and ``value``), or one at the beginning of each line."""
    import csv
    import datetime
    import json
    import os
    import re

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        changed = os.stat(path).st_mtime
        if path.endswith(".json"):
            objects = json.loads(text).get("objects", [])
            patterns = " ".join(str(o.get("pattern", "")) for o in objects if o.get("type") == "indicator")
            found = re.findall(r"ipv[46]-addr:value\s*=\s*'([^']+)'", patterns)
        else:
            lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
            columns = next(csv.reader(lines[:1]), [])
            if "type" in columns and "value" in columns:
                rows = csv.DictReader(lines)
                found = [row["value"].split("|")[0] for row in rows if (row["type"] or "").startswith("ip-")]
            else:
                words = [line.split("#")[0].replace(",", " ").split() for line in lines]
                found = [parts[0].strip('"') for parts in words if parts]
    except (OSError, ValueError, AttributeError, csv.Error, RecursionError) as e:
        raise PlanError(f"detect: bad={path!r}: {e}") from None
    day = datetime.datetime.fromtimestamp(changed, datetime.timezone.utc).date().isoformat()
    return list(dict.fromkeys(found)), day
