"""Detectors that are rules over sessions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from vpcflow.findings import Finding
from vpcflow.findings.membership import membership
from vpcflow.query import Flows
from vpcflow.rules.evaluate import findings_of
from vpcflow.rules.model import Rule

from .base import BACK, TALKED, Detectors, checked


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
