"""Alerts in ArcSight's Common Event Format."""

from __future__ import annotations

import json
import re
from typing import Any

from .alert import Alert

_SEVERITY = {"high": 9, "medium": 6, "low": 3}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")  # which have no escape


def one_line(text: str) -> str:
    """Returns a text with a blank for controls and blanks, for formats that have no escape for them."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def cef(alert: Alert) -> str:
    """Formats an alert in ArcSight's Common Event Format, version 0.

    >>> from vpcflow import alerts
    >>> from vpcflow.findings import Finding
    >>> found = Finding("ssh", "high", "10.0.0.1", ["10.0.0.2"], 0, 60, 0.9, "T1110", {"n": 7}, {}, "10.0.0.1 tried")
    >>> alerts.cef(alerts.Alert("1", found)).split("|", 7)[:7]
    ['CEF:0', 'vpcflow', 'vpcflow', '1', 'ssh', '10.0.0.1 tried', '9']
    """
    found = alert.finding

    def head(text: str) -> str:
        return one_line(text).replace("\\", "\\\\").replace("|", "\\|")

    def value(text: Any) -> str:
        escaped = str(text).replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")
        return _CONTROLS.sub(" ", escaped)

    fields = {
        "externalId": alert.id, "src": found.actor, "dst": found.targets[0] if found.targets else "",
        "start": found.start * 1000, "end": found.end * 1000, "cs1Label": "technique", "cs1": found.technique,
        "cs2Label": "evidence", "cs2": json.dumps(found.evidence, separators=(",", ":")), "msg": alert.sentence,
    }  # fmt: skip
    extension = " ".join(f"{k}={value(v)}" for k, v in fields.items() if v != "")
    severity = _SEVERITY[found.severity]
    return f"CEF:0|vpcflow|vpcflow|1|{head(found.detector)}|{head(alert.sentence)}|{severity}|{extension}"
