"""OSCAL assessment results: an observation a control, and a finding a requirement where the logs could tell."""

from __future__ import annotations

import json
import re
from typing import Any

from ..frames import CERTIFIES_NOTHING
from ..result import LIMITS, ControlResult, ControlResults
from .common import all_of, headline, iso, sentence_of, span_of, title_of, uid, version

_OSCAL = "1.1.2"
_NAMESPACE = "urn:vpcflow:audit"
_PROPS = ("records", "sessions", "asked", "tries_rejected", "violations", "unknown")


def oscal_of(results: ControlResults) -> str:
    """Returns results as OSCAL assessment results. A control that is not evaluable is an observation without a
    finding."""
    ordered = all_of(results)
    start, end = span_of(ordered)
    observations = [_observation(one, end) for one in ordered]
    findings = [
        finding for one, seen in zip(ordered, observations) if one.verdict in ("fail", "pass_enforced", "pass_silent")
        for finding in _findings(one, seen["uuid"])
    ]  # fmt: skip
    selected = sorted({token for one in ordered for token in _targets(one)})
    selection: dict[str, Any] = {"include-controls": [{"control-id": token} for token in selected]}
    content = results.to_json_lines()
    result: dict[str, Any] = {
        "uuid": uid("result", content), "title": "Controls checked against VPC flow logs",
        "description": CERTIFIES_NOTHING, "start": iso(start), "end": iso(end),
        "reviewed-controls": {"control-selections": [selection if selected else {"include-all": {}}]},
    }  # fmt: skip
    if observations:
        result["observations"] = observations
    if findings:
        result["findings"] = findings
    plan = uid("plan", *(one.id for one in ordered))
    document = {
        "uuid": uid("document", content),
        "metadata": {
            "title": "VPC flow log controls", "last-modified": iso(end), "version": version(), "oscal-version": _OSCAL,
        },
        "import-ap": {"href": f"#{plan}"},
        "results": [result],
        "back-matter": {
            "resources": [{
                "uuid": plan, "title": "Controls as they were asked",
                "description": json.dumps({one.id: one.plan for one in ordered}, sort_keys=True) if ordered else "none",
            }]
        },
    }  # fmt: skip
    return json.dumps({"assessment-results": document}, indent=1, ensure_ascii=False) + "\n"


def _token(text: str) -> str:
    """Returns a text as OSCAL's names are: letters, digits, dot, hyphen, underscore."""
    clean = re.sub(r"[^A-Za-z0-9._-]", "_", text)
    return clean if re.match(r"[A-Za-z_]", clean) else f"_{clean}"


def _targets(one: ControlResult) -> list[str]:
    return [_token(map["id"]) for map in one.maps] or [_token(one.id)]


def _prop(name: str, value: object) -> dict[str, str]:
    return {"name": name, "ns": _NAMESPACE, "value": str(value)}


def _observation(one: ControlResult, end: int) -> dict[str, Any]:
    minutes = one.minutes
    evidence = [{"description": sentence_of(violation)} for violation in one.violating]
    out = {
        "uuid": uid("observation", one.id, json.dumps(one.as_json(), sort_keys=True)), "title": title_of(one),
        "description": headline(one),
        "props": [
            _prop("control", _token(one.id)), _prop("verdict", one.verdict),
            *(_prop(name.replace("_", "-"), one.total(name)) for name in _PROPS),
            *(_prop(f"interface-minutes-{name}", value) for name, value in minutes.items()),
        ],
        "methods": ["TEST"], "types": ["finding" if one.verdict == "fail" else "control-objective"],
        "collected": iso(end), "remarks": "\n".join([*one.not_known, *LIMITS]),
    }  # fmt: skip
    if one.manifest is not None and one.manifest.get("sha256"):
        evidence.append({"description": f"head of the manifest of the logs, SHA-256 {one.manifest['sha256']}"})
    if evidence:
        out["relevant-evidence"] = evidence
    return out


def _findings(one: ControlResult, observation: str) -> list[dict[str, Any]]:
    state = "not-satisfied" if one.verdict == "fail" else "satisfied"
    return [
        {
            "uuid": uid("finding", observation, target), "title": f"{title_of(one)} ({one.id})",
            "description": headline(one),
            "target": {"type": "objective-id", "target-id": target, "status": {"state": state, "remarks": one.verdict}},
            "related-observations": [{"observation-uuid": observation}],
        }
        for target in _targets(one)
    ]  # fmt: skip
