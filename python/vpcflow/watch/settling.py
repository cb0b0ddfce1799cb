"""When what detectors find is sure enough to be told."""

from __future__ import annotations

from ..findings.finding import Finding

_HOUR = 3600
#: By detector: for how long (seconds of log time) its findings must have been going on before they are told, unless
#: they rest on as many sessions as more data seldom refutes. Others are told at once: they count what was done.
_HOLD = {"beacon": 12 * _HOUR}
_SURE = 24  # sessions: four times those that a beacon needs at least


def is_settled(finding: Finding, newest: int) -> bool:
    """Tells whether a finding in logs up to ``newest`` (Unix seconds) holds whatever comes, as far as one can say."""
    hold = _HOLD.get(finding.detector)
    if hold is None or newest - finding.start >= hold:
        return True
    known = finding.evidence
    return bool(max(known.get("sessions", 0), known.get("failed", 0)) >= _SURE)
