"""The detectors once more, slow and obvious: as questions to the query engine. What the engine's own detectors find is
compared with what these find."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from vpcflow.findings import SEVERITIES, Finding
from vpcflow.findings.membership import membership
from vpcflow.labels import ip_ranges
from vpcflow.query import scan
from vpcflow.query.expr import count, n_unique, quantile
from vpcflow.query.expr import first as first_of
from vpcflow.query.expr import max as max_of
from vpcflow.query.expr import min as min_of
from vpcflow.query.expr import sum as sum_of

from .base import ADMIN_PORTS, ASKED_FOR, BACK, BEGAN, DATABASE_PORTS, LATERAL_PORTS, TALKED, bundled_s3, is_in, listed
from .baseline import BaselineDetectors
from .by_rules import RuleDetectors

__all__ = ["Run"]


class Run(RuleDetectors, BaselineDetectors):
    """One detection: a method for each of DETECTORS."""

    def port_scan(self) -> Iterator[Finding]:
        by_source: dict[str, list[Finding]] = {}
        for finding in self._ports_and_hosts():
            by_source.setdefault(finding.actor, []).append(finding)
        for source, found in by_source.items():
            yield from found if len(found) < 4 else self._block(source, found)
        yield from self._walks(set(by_source))

    def _block(self, source: str, found: list[Finding]) -> Iterator[Finding]:
        """Many ports of many hosts."""
        own = self._sent.filter(f"srcaddr = '{source}'")
        (tried,) = own.agg(
            ports=n_unique("dstport", where=self._failed), hosts=n_unique("dstaddr", where=self._failed),
            failed=count(where=self._failed), tries=count(), first=min_of("start"), last=max_of("end"),
        ).collect().rows()  # fmt: skip
        evidence = {name: tried[name] for name in ("ports", "hosts", "failed", "tries")}
        text = f"{source} tried {tried['ports']:,} ports of {tried['hosts']:,} hosts"
        text += f", {tried['failed']:,} of {tried['tries']:,} tries without answer"
        severity = min((f.severity for f in found), key=SEVERITIES.index)
        score = max(f.score for f in found)
        targets = self._targets(source, self._failed)
        yield self._finding("port_scan", severity, {**tried, "srcaddr": source}, targets, score, "T1046", evidence, text)

    def _ports_and_hosts(self) -> Iterator[Finding]:
        s = self._settings
        missed = self._sent.filter(self._failed)
        found = self._ask(
            missed.group_by("srcaddr", "dstaddr", "protocol").agg(n=n_unique("dstport")).having(f"n >= {s.scan_ports}"),
            missed.group_by("srcaddr", "dstport", "protocol").agg(n=n_unique("dstaddr")).having(f"n >= {s.scan_hosts}"),
        )
        suspects = {row["srcaddr"] for result in found for row in result}
        span = {"first": min_of("start"), "last": max_of("end")}
        failed = {"failed": count(where=self._failed), "tries": count(), **span}
        tried = self._of(suspects)
        ports = tried.group_by("srcaddr", "dstaddr", "protocol").agg(
            ports=n_unique("dstport", where=self._failed), **failed
        )
        hosts = tried.group_by("srcaddr", "dstport", "protocol").agg(
            hosts=n_unique("dstaddr", where=self._failed), **failed
        )

        def mostly_failed(row: dict[str, Any]) -> bool:
            return bool(row["failed"] >= s.scan_failed * row["tries"])

        of_ports, of_hosts = self._ask(
            ports.having(f"ports >= {s.scan_ports}"), hosts.having(f"hosts >= {s.scan_hosts}")
        )
        rows = [row for row in of_ports if mostly_failed(row)]
        answered_by = self._answered({row["srcaddr"] for row in rows})
        for row in rows:
            answered = answered_by.get((row["srcaddr"], row["dstaddr"]), [])
            evidence = {k: row[k] for k in ("ports", "failed", "tries", "protocol")} | {"answered_ports": answered}
            text = f"{row['srcaddr']} tried {row['ports']:,} ports of {row['dstaddr']}"
            text += f", which answered on {', '.join(map(str, answered))}" if answered else ", none of which answered"
            # What the whole internet gets all day long is no news, as long as nobody answers.
            daily = "medium" if row["ports"] >= 2 * s.scan_ports or is_in(row["srcaddr"], s.inside) else "low"
            severity = "high" if row["ports"] >= 4 * s.scan_ports or answered else daily
            score = 1 - 0.5 * s.scan_ports / row["ports"]
            yield self._finding("port_scan", severity, row, [row["dstaddr"]], score, "T1046", evidence, text)
        rows = [row for row in of_hosts if mostly_failed(row)]
        targets_of = self._targets_at_ports({r["srcaddr"] for r in rows})
        for row in rows:
            evidence = {k: row[k] for k in ("hosts", "failed", "tries", "dstport", "protocol")}
            text = f"{row['srcaddr']} tried port {row['dstport']} of {row['hosts']:,} hosts without answer"
            score = 1 - 0.5 * s.scan_hosts / row["hosts"]
            targets = targets_of.get((row["srcaddr"], row["dstport"]), [])
            small = row["hosts"] < 10 * s.scan_hosts and not is_in(row["srcaddr"], s.inside)
            yield self._finding("port_scan", "low" if small else "medium", row, targets, score, "T1046", evidence, text)

    def _walks(self, known: set[str]) -> Iterator[Finding]:
        """Scans of few or slow tries: threshold random walk over the services that a source tries, in their order.

        Jung, Paxson, Berger, Balakrishnan, "Fast portscan detection using sequential hypothesis testing", 2004, with
        its constants: a try gets no answer with 0.2 from a benign source and 0.8 from a scanner, 1 % of benign ones
        may be blamed, 99 % of scanners found. So each outcome weighs log 4, and 4 more failures than answers decide.
        """
        s = self._settings
        sources = self._sent if s.walk_outside else self._sent.filter(self._from_inside)
        failed = {"failed": count(where=self._failed), "tries": count()}
        some = sources.group_by("srcaddr").agg(**failed).having("failed >= 4").collect()
        suspects = {r["srcaddr"] for r in some if r["failed"] >= s.scan_failed * r["tries"]} - known
        if not suspects:
            return
        tried = self._of(suspects).group_by("srcaddr", "dstaddr", "dstport")
        services: dict[str, list[dict[str, Any]]] = {}
        for row in tried.agg(**failed, first=min_of("start"), last=max_of("end")).sort("first").collect():
            services.setdefault(row["srcaddr"], []).append(row)
        for actor, rows in services.items():
            walk = 0
            for row in rows:
                walk += 1 if row["failed"] == row["tries"] else -1
                if abs(walk) >= 4:
                    break
            missed = [row for row in rows if row["failed"] == row["tries"]]
            if walk < 4 or len(missed) < s.scan_failed * len(rows):
                continue
            hosts = list(dict.fromkeys(row["dstaddr"] for row in missed))
            span = {"srcaddr": actor, "first": rows[0]["first"], "last": max(row["last"] or 0 for row in rows)}
            evidence = {"services": len(missed), "hosts": len(hosts), "answered": len(rows) - len(missed)}
            text = f"{actor} tried {len(missed):,} services of {len(hosts):,} hosts without answer"
            severity = "medium" if len(missed) >= 10 and is_in(actor, s.inside) else "low"
            score = 1 - 2 / (len(missed) + 1)
            yield self._finding("port_scan", severity, span, hosts[:20], score, "T1046", evidence, text)

    def _answered(self, actors: set[str]) -> dict[tuple[str, str], list[int]]:
        """The ports at which hosts answered some actors, at most twenty each, in one pass."""
        out: dict[tuple[str, str], list[int]] = {}
        if actors:
            answered = self._of(actors).filter(f"{self._open} and dstport is not null")
            ports = answered.group_by("srcaddr", "dstaddr", "dstport").agg(n=count())
            for row in ports.top_k(20, by="n", per=["srcaddr", "dstaddr"]).collect():
                out.setdefault((row["srcaddr"], row["dstaddr"]), []).append(row["dstport"])
        return out

    def brute_force(self) -> Iterator[Finding]:
        s = self._settings
        admin, databases = ", ".join(map(str, ADMIN_PORTS)), ", ".join(map(str, DATABASE_PORTS))
        services = f"(dstport in ({admin}) or (dstport in ({databases}) and not {self._from_inside}))"
        tries = self._sent.filter(f"{services} and {TALKED} and {BEGAN}")
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
            where += f" and not dstaddr in ({listed(s.exfil_known)})"
        peers = self._leaving.filter(where).group_by("srcaddr", "dstaddr").agg(
            sent=sum_of("bytes"), back=sum_of(BACK), sessions=count(), asked_for=count(where=ASKED_FOR),
            first=min_of("start"), last=max_of("end"),
        )  # fmt: skip
        rows = self._ask(peers.having(f"sent >= {s.exfil_bytes}"))[0].rows()
        services = self._aws_services({row["dstaddr"] for row in rows})
        typicals = self._usual_of(rows, where)
        for row in rows:
            back, typical = row["back"], typicals.get(row["srcaddr"]) or 0
            if row["sent"] < s.exfil_ratio * back or row["sent"] < s.exfil_typical * typical:
                continue
            evidence = {"sent": row["sent"], "received": back, "sessions": row["sessions"], "typical_session": typical}
            text = f"{row['srcaddr']} sent {row['sent'] / 1e9:,.1f} GB to {row['dstaddr']}"
            text += f", which sent {back / 1e9:,.2f} GB"
            service = services.get(row["dstaddr"])
            if service:  # a bucket can be anybody's, but backups go to S3
                evidence["aws_service"] = service
                evidence |= self._ranges_of
                text += f", an address of AWS's {service}"
            if row["asked_for"] == row["sessions"]:
                evidence["dstport"] = self._largest(row["srcaddr"], row["dstaddr"])
                text += f", which asked for it at port {evidence['dstport']}"
            score = 1 - 0.5 * s.exfil_bytes / row["sent"]
            much = "high" if row["sent"] >= 4 * s.exfil_bytes else "medium"
            severity = "low" if service == "S3" else much
            yield self._finding("exfiltration", severity, row, [row["dstaddr"]], score, "T1048", evidence, text)

    def _largest(self, source: str, peer: str) -> int | None:
        """The port of the session in which a source sent most to a peer."""
        (mine,) = self._ask(self._leaving.filter(f"srcaddr = '{source}' and dstaddr = '{peer}'"))
        none = 1 << 31
        port: int | None = max(mine, key=lambda r: (r["bytes"], none if r["dstport"] is None else -r["dstport"]))["dstport"]
        return port

    def _usual_of(self, rows: list[dict[str, Any]], where: str) -> dict[str, int | None]:
        """By source the median session that it began to all peers but these."""
        if not rows:
            return {}
        sources, peers = {row["srcaddr"] for row in rows}, {row["dstaddr"] for row in rows}
        others, to_peers = membership(self._of(sources), "one_of_the_peers", "dstaddr", peers)
        usual = others.filter(f"not ({to_peers}) and {where}")
        medians = usual.group_by("srcaddr").agg(b=quantile("bytes", 0.5)).collect()
        return {r["srcaddr"]: r["b"] for r in medians}

    def _aws_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses, where the log tells, or AWS's list if it is given; else S3 by the list that
        comes with vpcflow."""
        services: dict[str, str] = {}
        self._ranges_of: dict[str, str] = {}
        told = self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats)
        if not told and not self._settings.aws_ranges:
            s3, day = bundled_s3()
            self._ranges_of = {"aws_ranges_of": day}
            return {a: "S3" for a in addresses if any(ipaddress.ip_address(a) in prefix for prefix in s3)}
        if addresses and self._settings.aws_ranges:
            log = "dstaddr\n" + "\n".join(sorted(addresses)) + "\n"
            named = scan(log.encode()).label("service", "dstaddr", ip_ranges(self._settings.aws_ranges))
            services |= {row["dstaddr"]: row["service"] for row in named.filter("service is not null").collect()}
        if addresses and self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats):
            flows, to_peers = membership(self._flows, "one_of_the_peers", "dstaddr", addresses)
            rows = flows.filter(to_peers).group_by("dstaddr").agg(s=first_of("pkt-dst-aws-service"))
            services |= {row["dstaddr"]: row["s"] for row in rows.collect() if row["s"]}
        return services

    def beacon(self) -> Iterator[Finding]:
        s = self._settings
        where = f"{self._from_inside} and not {self._to_inside} and not {self._failed}"
        often = self._sent.filter(where).group_by("srcaddr", "dstaddr", "dstport").agg(sessions=count())
        called = {row["dstaddr"] for row in self._ask(often.having(f"sessions >= {s.beacon_sessions}"))[0]}
        sent, to_called = membership(self._sent, "one_of_the_called", "dstaddr", called)
        calls = sent.filter(f"{where} and {to_called}").group_by("srcaddr", "dstaddr", "dstport").agg(
            sessions=count(), low=quantile("bytes", 0.25), high=quantile("bytes", 0.75),
            first=min_of("start"), last=max_of("end"),
        )  # fmt: skip
        import statistics  # heavy

        rows = [
            row for row in calls.having(f"sessions >= {s.beacon_sessions}").collect()
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
        if rows:
            sent, to_peers = membership(self._sent, "one_of_the_peers", "dstaddr", {r["dstaddr"] for r in rows})
            mine = sent.filter(f"{where} and {to_peers}")
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
