"""Detectors that are rules over sessions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from vpcflow.findings import Finding
from vpcflow.findings.membership import membership
from vpcflow.query import Flows
from vpcflow.query.expr import count
from vpcflow.query.expr import max as max_of
from vpcflow.query.expr import min as min_of
from vpcflow.rules.evaluate import findings_of
from vpcflow.rules.model import Rule

from .base import ADMIN_PORTS, BACK, DATABASE_PORTS, TALKED, Detectors, checked, is_in, listed


class RuleDetectors(Detectors):
    """Detectors that are rules over sessions."""

    def _by_rules(
        self, *asked: tuple[float, str, dict[str, Any]], sessions: Sequence[Flows] = ()
    ) -> Iterator[Finding]:
        """What rules find; the score is by how far a column is above the threshold: (threshold, column, rule).
        ``sessions``: for each rule the ones to look at; all without."""
        rules = [Rule(over="sessions", **keys) for _, _, keys in asked]
        results = self._ask(*(r.query(flows) for r, flows in zip(rules, sessions or [self._sent] * len(rules))))
        for (threshold, of, _), rule, result in zip(asked, rules, results):
            for found in findings_of(rule, result):
                score = round(1 - 0.5 * threshold / max(found.evidence[of], threshold), 3)
                yield dataclasses.replace(found, coverage=self._coverage[rule.name], score=score)

    def unauthorised_access(self) -> Iterator[Finding]:
        ports = ", ".join(map(str, ADMIN_PORTS + DATABASE_PORTS))
        where = f"not {self._from_inside} and {self._to_inside} and dstport in ({ports}) and {TALKED}"
        if self._settings.admin_sources:
            where += f" and not srcaddr in ({listed(self._settings.admin_sources)})"
        rule = {
            "name": "unauthorised_access", "where": where, "by": ("srcaddr", "dstaddr", "dstport"),
            "aggregates": {"sessions": "count()", "bytes": "sum(bytes)", "received": f"sum({BACK})"},
            "technique": "T1133", "message": "{srcaddr}, outside, talked to {dstaddr} port {dstport}: "
            "{sessions:,} sessions, {bytes:,} bytes sent, {received:,} received",
        }  # fmt: skip
        yield from self._by_rules((1, "sessions", rule))
        yield from self._access_in_vain(ports)

    def _access_in_vain(self, ports: str) -> Iterator[Finding]:
        """Tries at a service that nobody answered."""
        tried = self._sent.filter(f"{self._to_inside} and dstport in ({ports})").group_by("srcaddr", "dstaddr", "dstport")
        both = tried.agg(
            tries=count(where=self._failed), talks=count(where=TALKED), first=min_of("start"), last=max_of("end")
        )
        n = max(self._settings.access_tries, 1)
        for row in self._ask(both.having(f"tries >= {n}", "talks == 0"))[0]:
            source = row["srcaddr"]
            inside = is_in(source, self._settings.inside)
            if not inside and is_in(source, self._settings.admin_sources):
                continue
            evidence = {"dstport": row["dstport"], "tries": row["tries"]}
            text = f"{source} tried {row['dstaddr']} port {row['dstport']} {row['tries']:,} times without answer"
            score = 1 - 0.5 * self._settings.access_tries / row["tries"]
            severity = "medium" if inside else "low"
            yield self._finding(
                "unauthorised_access", severity, row, [row["dstaddr"]], score, "T1133", evidence, text
            )

    def accepted_after_reject(self) -> Iterator[Finding]:
        n, failed = self._settings.found_failed, self._failed
        from_outside = f"not {self._from_inside} and {self._to_inside}"
        both = {"failed": count(where=failed), "answered": count(where=self._open)}
        tried = self._sent.filter(from_outside).group_by("srcaddr").agg(**both)
        sources = {row["srcaddr"] for row in self._ask(tried.having(f"failed >= {n}", "answered >= 1"))[0]}
        answered = f"where {self._open}"
        common: dict[str, Any] = {
            "name": "accepted_after_reject", "where": from_outside, "severity": "high", "technique": "T1046",
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
        yield from self._by_rules((n, "failed", ports), (n, "failed", hosts), sessions=[self._of(sources)] * 2)

    def flood(self) -> Iterator[Finding]:
        s = self._settings
        common: dict[str, Any] = {
            "name": "flood", "where": "", "every": "1m", "actor": "dstaddr",
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
        asked = ((s.flood_sources, "sources", many), (s.flood_packets, "packets", much))
        yield from self._by_rules(*asked, sessions=[self._one_sided] * 2)

    def tunnel(self) -> Iterator[Finding]:
        s = self._settings
        outwards = f"{self._from_inside} and not {self._to_inside}"
        sums = {
            "bytes": "sum(bytes)", "received": f"sum({BACK})", "packets": "sum(packets)", "size": "ratio(bytes, packets)",
        }  # fmt: skip
        asked = []
        for protocol, where, limit, having in (
            ("DNS", "dstport = 53 and protocol in (6, 17)", s.tunnel_bytes, ()),
            ("NTP", "dstport = 123 and protocol = 17", s.tunnel_bytes, ()),
            ("ICMP", "protocol in (1, 58)", s.tunnel_icmp, ("size >= 200",)),
        ):
            rule: dict[str, Any] = {
                "name": "tunnel", "where": f"{outwards} and {where}", "by": ("srcaddr", "dstaddr"),
                "aggregates": sums, "having": (f"bytes >= {limit}", *having), "technique": "T1572",
                "message": f"{{srcaddr}} sent {{bytes:,}} bytes of {protocol} to {{dstaddr}}, which sent {{received:,}}",
            }  # fmt: skip
            asked.append((limit, "bytes", rule))
        yield from self._by_rules(*asked, sessions=[self._leaving] * 3)

    @property
    def _with_listed(self) -> dict[str, Flows]:
        """The sessions with one end in the user's list, by that end; none without a list."""
        bad = self._settings.bad
        found = {}
        for end in ("dstaddr", "srcaddr") if checked(bad) else ():
            flows, is_listed = membership(self._sent, f"listed_{end}", end, bad)
            found[end] = flows.filter(is_listed)
        return found

    def known_bad(self) -> Iterator[Finding]:
        sessions = self._with_listed
        if not sessions:
            return
        asked = []
        for end, other, verb in (("dstaddr", "srcaddr", "talked to"), ("srcaddr", "dstaddr", "was reached by")):
            rule: dict[str, Any] = {
                "name": "known_bad", "where": TALKED, "by": (other, end),
                "aggregates": {"sessions": "count()", "bytes": "sum(bytes)", "received": f"sum({BACK})"},
                "severity": "high", "technique": "T1071",
                "message": f"{{{other}}} {verb} {{{end}}}, which is listed, {{sessions:,}} times",
            }  # fmt: skip
            asked.append((1, "sessions", rule))
        yield from self._by_rules(*asked, sessions=list(sessions.values()))
