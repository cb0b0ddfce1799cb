"""Findings as events: OCSF 2004, ASFF, an alert of ECS, CEF, LEEF."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import json
import os
from collections.abc import Iterator
from typing import IO, Any, Callable

from ..alerts.alert import Alert
from ..alerts.cef import cef
from ..errors import PlanError
from ..findings.finding import Finding
from ..findings.findings import Findings
from ..io.writing import Writing
from ..query.report import Report
from .events import EventBatch

_OCSF_VERSIONS = ("1.5.0", "1.1.0")
_OCSF_SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High")}
_ASFF_SEVERITY = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_ECS_SEVERITY = {"low": 21, "medium": 47, "high": 73}
_LEEF_SEVERITY = {"low": 3, "medium": 6, "high": 9}
_ASFF_DESCRIPTION = 1024  # letters that Security Hub takes
_ASFF_TITLE = 256
_PRODUCT = {"name": "vpcflow", "vendor_name": "vpcflow"}


def utc(seconds: float) -> str:
    """Formats a time as RFC 3339.

    >>> utc(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _targets(finding: Finding) -> list[str]:
    return [address for address in map(_address, finding.targets) if address]


def _present(members: dict[str, Any]) -> dict[str, Any]:
    """Returns the members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def _port(finding: Finding) -> int | None:
    port = finding.evidence.get("dstport")
    return port if isinstance(port, int) and 0 <= port <= 65535 else None


def ocsf(finding: Finding, version: str = "1.5.0") -> dict[str, Any]:
    """Returns a finding as OCSF Detection Finding (class 2004)."""
    severity_id, severity = _OCSF_SEVERITY[finding.severity]
    actor, targets = _address(finding.actor), _targets(finding)
    evidence = _present({
        "src_endpoint": {"ip": actor} if actor else None,
        "dst_endpoint": _present({"ip": targets[0], "port": _port(finding)}) if targets else None,
        "data": finding.evidence,
    })  # fmt: skip
    places = [("evidences.src_endpoint.ip", actor), *(("evidences.dst_endpoint.ip", target) for target in targets)]
    observables = [{"name": name, "type_id": 2, "type": "IP Address", "value": ip} for name, ip in places if ip]
    return _present({
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
        "finding_info": _present({
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


def asff(finding: Finding, account: str = "000000000000", region: str = "us-east-1") -> dict[str, Any]:
    """Returns a finding in the AWS Security Finding Format, as BatchImportFindings takes it.

    ``account`` and ``region``: those of the caller; Security Hub refuses others.
    """
    actor, targets = _address(finding.actor), _targets(finding)
    network = _present({
        "SourceIpV4": actor if actor and ":" not in actor else None,
        "SourceIpV6": actor if actor and ":" in actor else None,
        "DestinationIpV4": targets[0] if targets and ":" not in targets[0] else None,
        "DestinationIpV6": targets[0] if targets and ":" in targets[0] else None, "DestinationPort": _port(finding),
    })  # fmt: skip
    product = {f"vpcflow/{name}": str(value)[:2048] for name, value in list(finding.evidence.items())[:50]}
    return _present({
        "SchemaVersion": "2018-10-08", "Id": finding.id,
        "ProductArn": f"arn:aws:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"vpcflow/{finding.detector}", "AwsAccountId": account,
        "Types": [f"TTPs/{finding.technique or finding.detector}"],
        "FirstObservedAt": utc(finding.start), "LastObservedAt": utc(finding.end),
        "CreatedAt": utc(finding.start), "UpdatedAt": utc(finding.end),
        "Severity": {"Label": _ASFF_SEVERITY[finding.severity]},
        "Confidence": None if finding.confidence is None else round(finding.confidence * 100),
        "Title": f"{finding.detector}: {finding.actor}"[:_ASFF_TITLE],
        "Description": finding.sentence[:_ASFF_DESCRIPTION],
        "Network": network, "ProductFields": product,
        "Resources": [{"Type": "Other", "Id": target} for target in dict.fromkeys([finding.actor, *finding.targets])
                      if target][:32] or [{"Type": "Other", "Id": "unknown"}],
    })  # fmt: skip


def ecs(finding: Finding) -> dict[str, Any]:
    """Returns a finding as an alert of ECS."""
    technique = {"id": [finding.technique]}
    threat = {"framework": "MITRE ATT&CK", "technique": technique} if finding.technique else None
    actor, targets = _address(finding.actor), _targets(finding)
    return _present({
        "@timestamp": utc(finding.end), "ecs": {"version": "9.4.0"}, "message": finding.sentence,
        "event": {"id": finding_uid(finding), "kind": "alert", "category": ["network", "intrusion_detection"],
                  "type": ["info"], "module": "vpcflow", "dataset": "vpcflow.findings", "provider": "vpcflow",
                  "severity": _ECS_SEVERITY[finding.severity], "risk_score": round(finding.score * 100),
                  "start": utc(finding.start), "end": utc(finding.end)},
        "rule": {"name": finding.detector, "id": finding.detector},
        "threat": threat,
        "source": {"ip": actor, "address": actor} if actor else None,
        "destination": _present({"ip": targets[0], "address": targets[0], "port": _port(finding)}) if targets else None,
        "related": {"ip": list(dict.fromkeys([*([actor] if actor else []), *targets]))},
        "cloud": {"provider": "aws"},
        "vpcflow": _present({"finding": finding.id, "evidence": finding.evidence, "coverage": finding.coverage}),
    })  # fmt: skip


def leef(finding: Finding) -> str:
    """Returns a finding as a line of LEEF 2.0, which QRadar takes; its members are separated by tabs.

    >>> found = Finding("ssh", "high", "10.0.0.1", ["10.0.0.2"], 0, 60, 0.9, "T1110", {"dstport": 22}, {}, "it tried")
    >>> leef(found).split("\\t")[:3]
    ['LEEF:2.0|vpcflow|vpcflow|1|ssh|x09|cat=ssh', 'sev=9', 'devTime=1970-01-01T00:01:00Z']
    """
    members = _present({
        "cat": finding.detector, "sev": _LEEF_SEVERITY[finding.severity], "devTime": utc(finding.end),
        "devTimeFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'", "src": _address(finding.actor),
        "dst": next(iter(_targets(finding)), None),
        "dstPort": _port(finding), "technique": finding.technique, "findingId": finding.id, "msg": finding.sentence,
        "evidence": json.dumps(finding.evidence, separators=(",", ":")),
    })  # fmt: skip
    head = "".join(c for c in finding.detector if c not in "|\t\r\n")
    body = "\t".join(f"{name}={' '.join(str(value).split())}" for name, value in members.items())
    return f"LEEF:2.0|vpcflow|vpcflow|1|{head}|x09|{body}"


def _cef(finding: Finding) -> str:
    return cef(Alert(finding.id, finding))


#: Schemas of findings.
FINDING_SCHEMAS: dict[str, Callable[[Finding], dict[str, Any] | str]] = {
    "ocsf": ocsf, "asff": asff, "ecs": ecs, "cef": _cef, "leef": leef
}  # fmt: skip


class FindingEvents:
    """Findings as events of a schema; what :func:`vpcflow.export` gives for findings."""

    unit = "findings"

    def __init__(self, findings: Findings, schema: str, version: str | None) -> None:
        self.schema = schema
        self.report: Report | None = findings.report
        if schema not in FINDING_SCHEMAS:
            raise PlanError(f"schema '{schema}' of findings: expected one of {', '.join(FINDING_SCHEMAS)}")
        if version is not None and (schema != "ocsf" or version not in _OCSF_VERSIONS):
            raise PlanError(f"version '{version}' of {schema}: expected one of {', '.join(_OCSF_VERSIONS)}, of ocsf")
        self._findings, self._version = findings, version or _OCSF_VERSIONS[0]

    def _line(self, finding: Finding) -> bytes:
        made = ocsf(finding, self._version) if self.schema == "ocsf" else FINDING_SCHEMAS[self.schema](finding)
        text = made if isinstance(made, str) else json.dumps(made, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"

    def batches(self, rows: int = 1024) -> Iterator[EventBatch]:
        """Yields events in batches of at most ``rows``, worst first."""
        for begin in range(0, len(self._findings), rows):
            some = self._findings[begin : begin + rows]
            yield EventBatch(b"".join(map(self._line, some)), list(map(finding_uid, some)))

    def write_to(self, file: IO[bytes]) -> None:
        """Writes the lines to an open file."""
        for batch in self.batches():
            file.write(batch.lines)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the events to a file of lines, whole or not at all."""
        with Writing(path) as target:
            self.write_to(target.file)
