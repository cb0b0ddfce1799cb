"""Compliance Finding (2003) of OCSF 1.3, an event a control."""

from __future__ import annotations

import json
from typing import Any

from ..result import ControlResult, ControlResults, Verdict
from .common import PRODUCT, all_of, headline, sentence_of, span_of, title_of, uid, version

_OCSF = "1.3.0"
_CLASS = 2003
_CREATE = 1
# By verdict: status_id and status of compliance, severity_id.
_STATUS: dict[Verdict, tuple[int, str, int]] = {
    "fail": (3, "Fail", 4), "not_evaluable": (99, "Not Evaluable", 2), "error": (99, "Error", 2),
    "pass_enforced": (1, "Pass", 1), "pass_silent": (1, "Pass", 1),
}  # fmt: skip


def ocsf_of(results: ControlResults) -> str:
    """Returns results as events, one a line."""
    return "".join(json.dumps(_event(one), ensure_ascii=False) + "\n" for one in all_of(results))


def _event(one: ControlResult) -> dict[str, Any]:
    start, end = span_of([one])
    status_id, status, severity = _STATUS[one.verdict]
    return {
        "category_uid": 2, "category_name": "Findings", "class_uid": _CLASS, "class_name": "Compliance Finding",
        "activity_id": _CREATE, "activity_name": "Create", "type_uid": _CLASS * 100 + _CREATE,
        "time": end * 1000, "start_time": start * 1000, "end_time": end * 1000, "severity_id": severity,
        "severity": ["", "Informational", "Low", "Medium", "High"][severity], "status_id": 1, "status": "New",
        "message": headline(one),
        "metadata": {
            "version": _OCSF, "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": version()},
        },
        "finding_info": {
            "uid": uid("finding", one.id, json.dumps(one.as_json(), sort_keys=True)), "title": title_of(one),
            "desc": headline(one), "created_time": end * 1000, "types": ["vpc-flow-logs"],
        },
        "compliance": {
            "control": one.id, "status": status, "status_id": status_id, "status_code": one.verdict,
            "status_detail": "; ".join(one.why), "standards": sorted({map["title"] for map in one.maps}) or ["none"],
            "requirements": [map["id"] for map in one.maps],
        },
        "evidences": [{"data": {**violation, "text": sentence_of(violation)}} for violation in one.violating],
        "unmapped": {
            "question": one.question, "interface_minutes": one.minutes, "holes": one.holes,
            "not_known": list(one.not_known),
        },
    }  # fmt: skip
