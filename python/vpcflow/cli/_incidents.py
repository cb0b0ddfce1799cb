"""Incidents on a page for people."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Sequence

from .. import _display as display
from .._layout import terminal_width, wrapped
from .._words import count
from ..findings.evidence import as_line
from ..findings.finding import SEVERITIES
from ..findings.findings import Findings
from ..findings.incident import Incident
from ._output import write_out
from ._paint import Paint, paint_of

SHOWN = 10  # incidents of a page that fits a screen
_INDENT = " " * 8


def print_incidents(findings: Findings, zone: datetime.tzinfo | None = None) -> None:
    """Prints all incidents, worst first, each with its timeline, the first records that it rests on, what speaks
    against it, what to look at next and how to silence it; and what was looked at. Times of timelines and records are
    in ``zone``; sentences say UTC."""
    paint, width = paint_of(), terminal_width()
    for incident in findings.incidents():
        write_out("\n".join(_in_full(incident, zone, paint, width)) + "\n")
    _print_lines(findings.conclusion().splitlines(), width)


def print_worst(findings: Findings, zone: datetime.tzinfo | None = None) -> None:
    """Prints the stories of the worst incidents with the records that were asked for, how many other incidents there
    are of which kind, and what was looked at."""
    paint, width = paint_of(), terminal_width()
    incidents = findings.incidents()
    for incident in incidents[:SHOWN]:
        lines = [*_head(incident, paint, width), *_samples(incident, zone, width)]
        write_out("\n".join(lines) + "\n")
        if incident.against:
            _print_lines([f"{_INDENT}against: {'; '.join(incident.against)}"], width, _INDENT)
    if incidents[SHOWN:]:
        _print_lines([f"and {_by_kind(incidents[SHOWN:])}"], width)
    if incidents:
        _print_lines(["timelines, records, what to look at next, how to silence: --all"], width)
    _print_lines(findings.conclusion(brief=bool(incidents)).splitlines(), width)


def _by_kind(incidents: Sequence[Incident]) -> str:
    """Counts incidents by severity and by the detector of their worst findings."""
    parts = []
    for severity in SEVERITIES:
        kinds = collections.Counter(i.detectors[0] for i in incidents if i.severity == severity)
        if kinds:
            named = ", ".join(f"{n:,} {display.printable(name)}" for name, n in kinds.most_common())
            parts.append(f"{sum(kinds.values()):,} {severity} ({named})")
    return f"{count(len(incidents), 'more incident')}: {'; '.join(parts)}"


def _in_full(incident: Incident, zone: datetime.tzinfo | None, paint: Paint, width: int | None) -> list[str]:
    utc = " UTC" if zone is None else ""
    lines = _head(incident, paint, width)
    for time, what in incident.timeline if len(incident.findings) > 1 else ():
        lines += wrapped(f"{_INDENT}{display.instant(time, zone)}{utc}  {display.printable(what)}", width, _INDENT)
    lines += _samples(incident, zone, width)
    for text in incident.against:
        lines += wrapped(f"{_INDENT}against: {display.printable(text)}", width, _INDENT)
    # Commands are not wrapped: they run as they stand.
    lines += [f"{_INDENT}next: {display.printable(command)}" for command in incident.next]
    return [*lines, f"{_INDENT}silence: {display.printable(incident.silence)}"]


def _head(incident: Incident, paint: Paint, width: int | None) -> list[str]:
    lines = wrapped(display.printable(incident.headline), width, _INDENT)
    return [paint.severity(line, incident.severity) for line in lines]


def _samples(incident: Incident, zone: datetime.tzinfo | None, width: int | None) -> list[str]:
    lines = [f"{_INDENT}  {as_line(sample, zone)}" for sample in incident.findings[0].samples]
    return [part for line in lines for part in wrapped(line, width, _INDENT + "    ")]


def _print_lines(lines: Sequence[str], width: int | None, indent: str = "  ") -> None:
    for line in lines:
        write_out("\n".join(wrapped(display.printable(line), width, indent)) + "\n")
