"""Findings: what detectors and rules tell, and the sessions that they look at."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .display import text_table
from .result import Report, Result
from .scan import Flows, scan

SEVERITIES = ("high", "medium", "low")  # worst first


@dataclasses.dataclass(frozen=True)
class Finding:
    """A detector's verdict: who did what to whom, when, and the counts that decided."""

    detector: str
    severity: str  # of SEVERITIES
    actor: str
    targets: list[str]  # the first twenty by sessions
    start: int  # Unix seconds
    end: int
    score: float  # 0.5 at the threshold, towards 1 beyond; an order, not a probability
    technique: str  # MITRE ATT&CK
    evidence: dict[str, Any]
    coverage: dict[str, Any]  # what the logs could not show
    sentence: str

    @property
    def key(self) -> str:
        """What is the same for findings of the same kind: detector, actor, targets. Alerts go by it."""
        return "\n".join([self.detector, self.actor, *sorted(self.targets)])

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return dataclasses.asdict(self)


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

    def rows(self) -> list[dict[str, Any]]:
        """All findings as dictionaries."""
        return [finding.as_dict() for finding in self]

    def to_json_lines(self) -> str:
        """One JSON object a line."""
        return "".join(json.dumps(row) + "\n" for row in self.rows())

    def __str__(self) -> str:
        schema = [("severity", "text"), ("detector", "text"), ("actor", "text"), ("start", "time"), ("what", "text")]
        rows = [{**f.as_dict(), "what": f.sentence} for f in self]
        silent = "".join(f"\n{name} needs {', '.join(add)}" for name, add in self.not_detected.items())
        return text_table(schema, rows) + silent

    __repr__ = __str__


def worst_first(finding: Finding) -> tuple[Any, ...]:
    """A key to sort by."""
    return (SEVERITIES.index(finding.severity), -finding.score, finding.detector, finding.actor, finding.start)


def sessions_as_records(talks: Result, size: str) -> Flows:
    """Sessions as records of the client's, so that the engine groups them: `action` is the state."""
    names = [
        ("client", "srcaddr"), ("server", "dstaddr"), ("client_port", "srcport"), ("server_port", "dstport"),
        ("protocol", "protocol"), ("start", "start"), ("end", "end"), ("client_packets", "packets"),
        (size, "bytes"), ("state", "action"),
    ]  # fmt: skip
    return scan(Result(talks._table.renamed(names, "counted"), talks.report.as_dict()))
