"""Incidents: findings of one actor that belong together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .._display import instant, printable
from ..typing import Severity
from .finding import Finding, worst_first

_INCIDENT_GAP = 3600  # seconds


@dataclasses.dataclass(frozen=True)
class Incident:
    """Findings of one actor that overlap in time, or are no more than an hour apart."""

    actor: str
    severity: Severity  # of the worst finding
    start: int
    end: int
    findings: list[Finding]  # worst first

    @property
    def detectors(self) -> list[str]:
        """Names, each once, in the order of the findings."""
        return list(dict.fromkeys(f.detector for f in self.findings))

    def __str__(self) -> str:
        when = f"{instant(self.start)} to {instant(self.end)} UTC"
        head = f"{self.severity:<6}  {printable(self.actor) or '-'}  {when}  {', '.join(self.detectors)}"
        return "\n".join([head, *(f"        {printable(f.sentence)}" for f in self.findings)])


def incidents_of(findings: Iterable[Finding]) -> list[Incident]:
    """Joins findings by actor and time into incidents, worst first: who scans and then gets in is one incident."""
    out: list[Incident] = []
    by_actor: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (f.actor, f.start)):
        by_actor.setdefault(finding.actor, []).append(finding)
    for actor, found in by_actor.items():
        group: list[Finding] = []
        for finding in found:
            if group and finding.start > max(f.end for f in group) + _INCIDENT_GAP:
                out.append(_incident(actor, group))
                group = []
            group.append(finding)
        out.append(_incident(actor, group))
    return sorted(out, key=lambda i: worst_first(i.findings[0]))


def _incident(actor: str, found: list[Finding]) -> Incident:
    worst = sorted(found, key=worst_first)
    return Incident(actor, worst[0].severity, min(f.start for f in found), max(f.end for f in found), worst)
