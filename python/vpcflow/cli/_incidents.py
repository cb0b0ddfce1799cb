"""Incidents on a page for people."""

from __future__ import annotations

import datetime

from .. import _display as display
from .._layout import terminal_width, wrapped
from ..findings.evidence import as_line
from ..findings.findings import Findings
from ..findings.incident import Incident
from ._output import write_out
from ._paint import Paint, paint_of


def print_incidents(findings: Findings, zone: datetime.tzinfo | None = None) -> None:
    """Prints incidents with their sentences and sample records, worst first, and what was looked at. Times of
    incidents and records are in ``zone``; sentences say UTC."""
    paint, width = paint_of(), terminal_width()
    for incident in findings.incidents():
        write_out("\n".join(_incident(incident, zone, paint, width)) + "\n")
    for line in findings.conclusion().splitlines():
        write_out("\n".join(wrapped(display.printable(line), width)) + "\n")


def _incident(incident: Incident, zone: datetime.tzinfo | None, paint: Paint, width: int | None) -> list[str]:
    utc = " UTC" if zone is None else ""
    when = f"{display.instant(incident.start, zone)} to {display.instant(incident.end, zone)}{utc}"
    actor, detectors = display.printable(incident.actor) or "-", ", ".join(incident.detectors)
    head = wrapped(f"{incident.severity:<6}  {actor}  {when}  {detectors}", width, " " * 8)
    lines = [paint.severity(line, incident.severity) for line in head]
    for finding in incident.findings:
        lines += wrapped(" " * 8 + display.printable(finding.sentence), width, " " * 8)
    for sample in incident.findings[0].samples:
        lines += wrapped(" " * 10 + as_line(sample, zone), width, " " * 12)
    return lines
