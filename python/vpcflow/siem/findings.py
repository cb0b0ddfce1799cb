"""Findings as events: OCSF 2004, ASFF, an alert of ECS, CEF, LEEF."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any, Callable

from ..alerts.alert import Alert
from ..alerts.cef import cef, one_line
from ..errors import NoRecordsError, PlanError, SourceError
from ..findings.finding import Finding, finding_of
from ..findings.findings import Findings
from ..io.writing import Writing
from ..query.report import Report
from .asff import Hub, asff
from .events import EventBatch
from .places import address, port_of, present, targets_of, utc

_OCSF_VERSIONS = ("1.5.0", "1.1.0")
_OCSF_SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High")}
_ECS_SEVERITY = {"low": 21, "medium": 47, "high": 73}
_LEEF_SEVERITY = {"low": 3, "medium": 6, "high": 9}
_HEAD = 1 << 16
_PRODUCT = {"name": "vpcflow", "vendor_name": "vpcflow"}


def ocsf(finding: Finding, version: str = "1.5.0") -> dict[str, Any]:
    """Returns a finding as OCSF Detection Finding (class 2004)."""
    severity_id, severity = _OCSF_SEVERITY[finding.severity]
    actor, targets = address(finding.actor), targets_of(finding)
    evidence = present({
        "src_endpoint": {"ip": actor} if actor else None,
        "dst_endpoint": present({"ip": targets[0], "port": port_of(finding)}) if targets else None,
        "data": finding.evidence,
    })  # fmt: skip
    places = [("evidences.src_endpoint.ip", actor), *(("evidences.dst_endpoint.ip", target) for target in targets)]
    observables = [{"name": name, "type_id": 2, "type": "IP Address", "value": ip} for name, ip in places if ip]
    return present({
        "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": 200401, "type_name": "Detection Finding: Create",
        "severity_id": severity_id, "severity": severity, "status_id": 1, "status": "New",
        "action_id": 0, "action": "Unknown", "message": finding.sentence,
        "time": finding.end * 1000, "start_time": finding.start * 1000, "end_time": finding.end * 1000,
        "confidence_score": None if finding.confidence is None else round(finding.confidence * 100),
        "risk_score": round(finding.score * 100),
        "cloud": {"provider": "AWS"},
        "metadata": {"version": version, "uid": finding_uid(finding), "product": _PRODUCT,
                     "profiles": ["cloud", "security_control"]},
        "finding_info": present({
            "uid": finding.id, "title": finding.detector, "desc": finding.sentence, "types": [finding.detector],
            "analytic": {"name": finding.detector, "type_id": 1, "type": "Rule"},
            "first_seen_time": finding.start * 1000, "last_seen_time": finding.end * 1000,
            "attacks": [{"technique": {"uid": finding.technique}}] if finding.technique else None,
        }),
        "evidences": [evidence] if evidence else None,
        "observables": observables,
        "unmapped": {"coverage": finding.coverage} if finding.coverage else None,
    })  # fmt: skip


def finding_uid(finding: Finding) -> str:
    """Returns the id of the event: the same for the same finding, whoever finds it."""
    return hashlib.sha256(finding.id.encode()).hexdigest()[:32]


def ecs(finding: Finding) -> dict[str, Any]:
    """Returns a finding as an alert of ECS."""
    technique = {"id": [finding.technique]}
    threat = {"framework": "MITRE ATT&CK", "technique": technique} if finding.technique else None
    actor, targets = address(finding.actor), targets_of(finding)
    first = {"ip": targets[0], "address": targets[0], "port": port_of(finding)} if targets else {}
    return present({
        "@timestamp": utc(finding.end), "ecs": {"version": "9.4.0"}, "message": finding.sentence,
        "event": {"id": finding_uid(finding), "kind": "alert", "category": ["network", "intrusion_detection"],
                  "type": ["info"], "module": "vpcflow", "dataset": "vpcflow.findings", "provider": "vpcflow",
                  "severity": _ECS_SEVERITY[finding.severity], "risk_score": round(finding.score * 100),
                  "start": utc(finding.start), "end": utc(finding.end)},
        "rule": {"name": finding.detector, "id": finding.detector},
        "threat": threat,
        "source": {"ip": actor, "address": actor} if actor else None,
        "destination": present(first),
        "related": {"ip": list(dict.fromkeys([*([actor] if actor else []), *targets]))},
        "cloud": {"provider": "aws"},
        "vpcflow": present({"finding": finding.id, "evidence": finding.evidence, "coverage": finding.coverage}),
    })  # fmt: skip


def leef(finding: Finding) -> str:
    """Returns a finding as a line of LEEF 2.0, which QRadar takes; its members are separated by tabs.

    >>> found = Finding("ssh", "high", "10.0.0.1", ["10.0.0.2"], 0, 60, 0.9, "T1110", {"dstport": 22}, {}, "it tried")
    >>> leef(found).split("\\t")[:3]
    ['LEEF:2.0|vpcflow|vpcflow|1|ssh|x09|cat=ssh', 'sev=9', 'devTime=1970-01-01T00:01:00Z']
    """
    members = present({
        "cat": finding.detector, "sev": _LEEF_SEVERITY[finding.severity], "devTime": utc(finding.end),
        "devTimeFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'", "src": address(finding.actor),
        "dst": next(iter(targets_of(finding)), None),
        "dstPort": port_of(finding), "technique": finding.technique, "findingId": finding.id, "msg": finding.sentence,
        "evidence": json.dumps(finding.evidence, separators=(",", ":")),
    })  # fmt: skip
    head = "".join(c for c in finding.detector if c not in "|\t\r\n")
    body = "\t".join(f"{name}={one_line(str(value))}" for name, value in members.items())
    return f"LEEF:2.0|vpcflow|vpcflow|1|{head}|x09|{body}"


def _cef(finding: Finding) -> str:
    return cef(Alert(finding.id, finding))


#: The schema of findings as they are.
OWN = "vpcflow"
#: Schemas of findings.
FINDING_SCHEMAS: dict[str, Callable[[Finding], dict[str, Any] | str]] = {
    "ocsf": ocsf, "asff": asff, "ecs": ecs, "cef": _cef, "leef": leef, OWN: Finding.as_json
}  # fmt: skip


def check_schema(schema: str, version: str | None = None) -> None:
    """Raises :class:`~vpcflow.PlanError` for what is no schema of findings, or no version of it."""
    if schema not in FINDING_SCHEMAS:
        raise PlanError(f"schema '{schema}' of findings: expected one of {', '.join(FINDING_SCHEMAS)}")
    if version is not None and (schema != "ocsf" or version not in _OCSF_VERSIONS):
        raise PlanError(f"version '{version}' of {schema}: expected one of {', '.join(_OCSF_VERSIONS)}, of ocsf")


def finding_line(finding: Finding, schema: str, version: str | None = None, hub: Hub | None = None) -> bytes:
    """Returns a finding as a line of a schema, without the line feed. ``hub``: of ``asff``."""
    if schema == "ocsf":
        return _text(ocsf(finding, version or _OCSF_VERSIONS[0]))
    return _text(asff(finding, hub) if hub is not None else FINDING_SCHEMAS[schema](finding))


def alert_line(alert: Alert, schema: str, version: str | None = None) -> bytes:
    """Returns an alert as a line of a schema, without the line feed: its finding, by the alert's id. One that is
    withdrawn says so in the sentence, and is closed where the schema has a member for it."""
    if schema == OWN:
        return _text(alert.as_dict())
    if schema == "cef":
        return _text(cef(alert))
    finding = dataclasses.replace(alert.finding, sentence=alert.sentence)
    made: Any = ocsf(finding, version or _OCSF_VERSIONS[0]) if schema == "ocsf" else FINDING_SCHEMAS[schema](finding)
    if schema == "ocsf":
        made["metadata"]["uid"] = alert.id
        if alert.withdrawn:
            made |= {"activity_id": 3, "activity_name": "Close", "type_uid": 200403, "status_id": 4,
                     "type_name": "Detection Finding: Close", "status": "Resolved"}  # fmt: skip
    elif schema == "ecs":
        made["event"]["id"] = alert.id
    elif schema == "asff" and alert.withdrawn:
        made["RecordState"] = "ARCHIVED"
    return _text(made)


def _text(made: dict[str, Any] | str) -> bytes:
    text = made if isinstance(made, str) else json.dumps(made, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class FindingEvents:
    """Findings as events of a schema; what :func:`vpcflow.export` gives for findings."""

    unit = "findings"

    def __init__(self, findings: Findings, schema: str, version: str | None, hub: Hub | None = None) -> None:
        check_schema(schema, version)
        if hub is not None and schema != "asff":
            raise PlanError(f"export: hub and resources with schema '{schema}': they are of 'asff'")
        self.schema = schema
        self.report: Report | None = findings.report
        self._findings, self._version, self._hub = findings, version, hub

    def batches(self, rows: int = 1024) -> Iterator[EventBatch]:
        """Yields events in batches of at most ``rows``, worst first."""
        for begin in range(0, len(self._findings), rows):
            some = self._findings[begin : begin + rows]
            lines = [finding_line(finding, self.schema, self._version, self._hub) for finding in some]
            yield EventBatch(_joined(lines), list(map(finding_uid, some)))

    def write_to(self, file: IO[bytes]) -> None:
        """Writes the lines to an open file."""
        for batch in self.batches():
            file.write(batch.lines)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the events to a file of lines, whole or not at all."""
        with Writing(path) as target:
            self.write_to(target.file)


def holds_findings(path: str) -> bool:
    """Tells whether a path, or ``-`` for standard input, begins as a file of findings does."""
    try:
        if path == "-":
            held = sys.stdin.buffer
            head = held.peek(_HEAD) if isinstance(held, io.BufferedReader) else b""
        elif os.path.isfile(path):
            with open(path, "rb") as file:
                head = file.read(_HEAD)
        else:
            return False
    except OSError:
        return False
    return head.lstrip().startswith(b"{") and b'"detector"' in head and b'"sentence"' in head


class FindingFile:
    """The findings of files as events: lines of ``vpcflow detect --json``, ``vpcflow rules run --json`` or alerts of
    ``vpcflow watch``. ``-`` is standard input. Raises :class:`~vpcflow.SourceError` for other lines, when what was
    before them has been yielded, and :class:`~vpcflow.NoRecordsError` for files without a finding."""

    unit = "findings"
    report: Report | None = None

    def __init__(self, paths: Sequence[str], schema: str, version: str | None) -> None:
        check_schema(schema, version)
        self.schema = schema
        self._paths, self._version = list(paths), version

    def batches(self, rows: int = 256) -> Iterator[EventBatch]:
        """Yields events in batches of at most ``rows``, in the order of the lines."""
        some: list[Alert] = []
        empty, damage = True, None
        try:
            for alert in self._alerts():
                empty = False
                some.append(alert)
                if len(some) >= rows:
                    yield self._batch(some)
                    some = []
        except SourceError as error:
            damage = error
        if some:
            yield self._batch(some)
        if damage is not None:
            raise damage
        if empty:
            raise NoRecordsError(f"{', '.join(self._paths)}: no finding; expected lines of vpcflow detect --json")

    def _batch(self, alerts: Sequence[Alert]) -> EventBatch:
        lines = [alert_line(alert, self.schema, self._version) for alert in alerts]
        return EventBatch(_joined(lines), [alert.id for alert in alerts])

    def _alerts(self) -> Iterator[Alert]:
        for path in self._paths:
            try:
                with contextlib.nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as file:
                    for number, line in enumerate(file, 1):
                        if line.strip():
                            yield _alert(line, f"{path}:{number}")
            except OSError as error:
                if isinstance(error, SourceError):
                    raise
                raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def _alert(line: bytes, place: str) -> Alert:
    try:
        value = json.loads(line)
        finding = finding_of(value)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{place}: {error}") from None
    # An alert has an id of its own; a finding that of its event.
    return Alert.of(value, None if "finding_id" in value else finding_uid(finding))


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
