"""How many alerts findings give."""

from __future__ import annotations

from collections.abc import Iterable

from .finding import Finding


def alerts_of(findings: Iterable[Finding], pause: int) -> int:
    """Counts the alerts that findings give: those of the same key no further apart than ``pause`` seconds give one."""
    ended: dict[str, int] = {}  # by key
    alerts = 0
    for finding in sorted(findings, key=lambda f: f.start):
        alerts += finding.key not in ended or finding.start > ended[finding.key] + pause
        ended[finding.key] = max(finding.end, ended.get(finding.key, finding.end))
    return alerts
