"""Findings: what detectors and rules tell, and the sessions that they look at."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._display import instant, printable, text_table
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.expr import n_unique
from ..query.flows import Flows, scan
from ..query.result import Report, Result

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


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a conclusion is about: the records that were looked at."""

    records: int  # read
    matched: int  # of them, that pass the filter
    traffic: int  # of those read, that are not NODATA or SKIPDATA
    interfaces: int
    start: int | None  # first start and last end, Unix seconds
    end: int | None

    @staticmethod
    def query(flows: Flows) -> Flows:
        """The query whose result :meth:`of` takes; for one pass with others."""
        everything = flows.filter("log_status is null or log_status is not null")  # takes in NODATA and SKIPDATA
        return everything.agg(
            start=min_of("start"), end=max_of("end"), interfaces=n_unique("interface_id"),
            attachments=n_unique("tgw_attachment_id"),
        )._with(allow_missing=True)  # fmt: skip

    @staticmethod
    def of(result: Result) -> Scope:
        """The scope that a result of :meth:`query` holds."""
        (row,) = result.rows() or [{"start": None, "end": None, "interfaces": 0, "attachments": 0}]
        report, interfaces = result.report, row["interfaces"] or row["attachments"]
        return Scope(report.records, report.matched, report.ok, interfaces, row["start"], row["end"])

    def __str__(self) -> str:
        some = f"{self.matched:,} of " if self.matched != self.records else ""
        text = f"{some}{self.records:,} record{'' if self.records == 1 else 's'}"
        if not self.traffic:
            text += " without traffic (all NODATA or SKIPDATA)"
        if self.interfaces:
            text += f" of {self.interfaces:,} interface{'' if self.interfaces == 1 else 's'}"
        if self.start is not None and self.end is not None:
            text += f", {instant(self.start)} to {instant(self.end)} UTC"
        return text


class Findings(Sequence[Finding]):
    """Findings, worst first, and what was read for them. Never changed; any number of threads may read them.

    ``not_detected`` names the detectors that the logs' format makes impossible, with the fields to add; ``degraded``
    those that see less by it, by SKIPDATA or by logs of one direction, with the reasons; ``scope`` is what was looked
    at, ``None`` if that is not known.
    """

    def __init__(
        self, findings: list[Finding], report: Report, not_detected: dict[str, list[str]], *,
        degraded: dict[str, list[str]] | None = None, scope: Scope | None = None,
    ) -> None:  # fmt: skip
        self._findings = findings
        self.report = report
        self.not_detected = not_detected
        self.degraded = degraded or {}
        self.scope = scope

    def __len__(self) -> int:
        return len(self._findings)

    def __getitem__(self, index: Any) -> Any:
        return self._findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __add__(self, other: Iterable[Finding]) -> Findings:
        """The findings of both; the report is that of the first."""
        lacking = other.not_detected if isinstance(other, Findings) else {}
        return Findings(
            sorted([*self, *other], key=worst_first), self.report, {**self.not_detected, **lacking},
            degraded=self.degraded, scope=self.scope,
        )  # fmt: skip

    def conclusion(self) -> str:
        """What the findings, or that there are none, rest on: records, interfaces, time; and what the format of the
        logs hides from detectors, a line each.

        >>> import vpcflow as vf
        >>> log = b"srcaddr dstaddr srcport dstport protocol start end\\n10.0.0.1 10.0.0.2 40000 443 6 0 60\\n"
        >>> print(vf.detect(vf.scan(log), only=["port_scan"]).conclusion().splitlines()[0])
        nothing found in 1 record, 1970-01-01 00:00:00 to 1970-01-01 00:01:00 UTC
        """
        about = f" in {self.scope}" if self.scope is not None else ""
        lines = [f"{len(self):,} finding{'' if len(self) == 1 else 's'}{about}" if self else f"nothing found{about}"]
        lines += [f"not looked for: {name}: the logs lack {', '.join(add)}" for name, add in self.not_detected.items()]
        by_reason: dict[str, list[str]] = {}
        for name, reasons in self.degraded.items():
            for reason in reasons:
                by_reason.setdefault(reason, []).append(name)
        by_names: dict[tuple[str, ...], list[str]] = {}
        for reason, names in by_reason.items():
            by_names.setdefault(tuple(names), []).append(reason)
        lines += [f"sees less: {', '.join(names)}: {'; '.join(reasons)}" for names, reasons in by_names.items()]
        return "\n".join(lines)

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
        first = f"{self.report.mostly_rejected}\n" if self.report.mostly_rejected else ""
        table = f"{text_table(schema, rows)}\n" if rows else ""
        return f"{first}{table}{self.conclusion()}"

    __repr__ = __str__


def _incident(actor: str, found: list[Finding]) -> Incident:
    worst = sorted(found, key=worst_first)
    return Incident(actor, worst[0].severity, min(f.start for f in found), max(f.end for f in found), worst)


def worst_first(finding: Finding) -> tuple[Any, ...]:
    """A key to sort by."""
    return (SEVERITIES.index(finding.severity), -finding.score, finding.detector, finding.actor, finding.start)


def sessions_as_records(talks: Result, size: str, *, answered: bool = False) -> Flows:
    """Sessions as records of the client's, so that the engine groups them: `action` is the state, `tcp_flags` are the
    server's. ``answered``: only those of which the column of that name is true."""
    names = [
        ("client", "srcaddr"), ("server", "dstaddr"), ("client_port", "srcport"), ("server_port", "dstport"),
        ("protocol", "protocol"), ("start", "start"), ("end", "end"), ("client_packets", "packets"),
        (size, "bytes"), ("state", "action"), ("server_flags", "tcp_flags"),
    ]  # fmt: skip
    only = ["counted", "answered"] if answered else ["counted"]
    records = Result(talks._table.renamed(names, only), talks.report.as_dict())
    # No session is no lack of records.
    return scan(records, allow_empty=True)._with(session_records=True)
