"""Findings: what detectors and rules tell, and the sessions that they look at."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .display import instant, printable, text_table
from .result import Report, Result
from .scan import Flows, scan

SEVERITIES = ("high", "medium", "low")  # worst first
_INCIDENT_GAP = 3600  # seconds
_TELLS_APART = ("dstport", "protocol", "country", "network")  # evidence of which several findings of an actor differ


@dataclasses.dataclass(frozen=True)
class Finding:
    """A detector's verdict: who did what to whom, when, and the counts that decided."""

    detector: str
    severity: str  # of SEVERITIES
    actor: str
    targets: list[str]  # the first twenty by sessions
    start: int  # Unix seconds
    end: int
    score: float  # 0.5 at the threshold, towards 1 beyond: an order
    technique: str  # MITRE ATT&CK
    evidence: dict[str, Any]
    coverage: dict[str, Any]  # what the logs could not show
    sentence: str
    #: The share of findings of this detector, severity and strength that was right on labelled synthetic logs
    #: (docs/detection.md); None where there are no labels, as of rules.
    confidence: float | None = None
    #: The first records that it rests on, as they are in the logs, with ``file`` and ``offset``
    #: (:meth:`vpcflow.Flows.located`).
    samples: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> str:
        """What is the same for findings of the same kind: detector, actor, and the target; of several targets, which
        may change while it goes on, the port, and of what is new what that is. Alerts go by it."""
        told = [str(self.evidence[name]) for name in _TELLS_APART if name in self.evidence]
        what = self.targets if len(self.targets) == 1 else told[:1] or [""]
        return "\n".join([self.detector, self.actor, *what])

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Incident:
    """Findings of one actor that overlap in time, or are no more than an hour apart."""

    actor: str
    severity: str  # of the worst finding
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


class Findings(Sequence[Finding]):
    """Findings, worst first, and what was read for them.

    ``not_detected`` names the detectors that the logs' format makes impossible, with the fields to add.
    """

    def __init__(self, findings: list[Finding], report: Report, not_detected: dict[str, list[str]]) -> None:
        self._findings = findings
        self.report = report
        self.not_detected = not_detected

    def __len__(self) -> int:
        return len(self._findings)

    def __getitem__(self, index: Any) -> Any:
        return self._findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __add__(self, other: Iterable[Finding]) -> Findings:
        """The findings of both; the report is that of the first."""
        lacking = other.not_detected if isinstance(other, Findings) else {}
        return Findings(sorted([*self, *other], key=worst_first), self.report, {**self.not_detected, **lacking})

    def rows(self) -> list[dict[str, Any]]:
        """All findings as dictionaries."""
        return [finding.as_dict() for finding in self]

    def incidents(self) -> list[Incident]:
        """Findings put together by actor and time, worst first: who scans and then gets in is one incident."""
        out: list[Incident] = []
        by_actor: dict[str, list[Finding]] = {}
        for finding in sorted(self, key=lambda f: (f.actor, f.start)):
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

    def to_json_lines(self) -> str:
        """One JSON object a line."""
        return "".join(json.dumps(row) + "\n" for row in self.rows())

    def __str__(self) -> str:
        schema = [
            ("severity", "text"), ("confidence", "float64"), ("detector", "text"), ("actor", "text"), ("start", "time"),
            ("what", "text"),
        ]  # fmt: skip
        rows = [{**f.as_dict(), "what": f.sentence} for f in self]
        silent = "".join(f"\n{name} needs {', '.join(add)}" for name, add in self.not_detected.items())
        return text_table(schema, rows) + silent

    __repr__ = __str__


def _incident(actor: str, found: list[Finding]) -> Incident:
    worst = sorted(found, key=worst_first)
    return Incident(actor, worst[0].severity, min(f.start for f in found), max(f.end for f in found), worst)


def worst_first(finding: Finding) -> tuple[Any, ...]:
    """A key to sort by."""
    return (SEVERITIES.index(finding.severity), -finding.score, finding.detector, finding.actor, finding.start)


def sessions_as_records(talks: Result, size: str) -> Flows:
    """Sessions as records of the client's, so that the engine groups them: `action` is the state, `tcp_flags` are the
    server's."""
    names = [
        ("client", "srcaddr"), ("server", "dstaddr"), ("client_port", "srcport"), ("server_port", "dstport"),
        ("protocol", "protocol"), ("start", "start"), ("end", "end"), ("client_packets", "packets"),
        (size, "bytes"), ("state", "action"), ("server_flags", "tcp_flags"),
    ]  # fmt: skip
    return scan(Result(talks._table.renamed(names, "counted"), talks.report.as_dict()))
