"""What is not seen: said first, in few lines, the worst of them at the top."""

from __future__ import annotations

import time

from .._display import instant, length
from .._words import count
from ..serve.board import Figures, Rows
from .reading import Reading

_DEAD = 300  # seconds without a look, after which a watch may have ended
_OLD = 1800  # seconds that the newest record may be behind the last look
_NAMED = 3


def unseen_of(reading: Reading, covered: Rows, end: int | None, share: float | None) -> list[str]:
    """Returns lines about what the figures cannot show. ``covered``: the minutes of interfaces; ``share``: of the
    records, which the flows have that a condition was asked of; ``None`` if all of them."""
    lines = [*_of_watch(reading, end), *_of_lines(reading)]
    if share is not None:
        lines.append(f"the condition was asked of the largest flows, {share:.1%} of the records: counts are a floor")
    lines += _of_interfaces(reading.figures, covered)
    lines += list(reading.blind)
    lacking = reading.figures.lacking.get("findings")
    if lacking is not None:
        lines.append(f"no detector looked: {lacking}")
    return [" ".join(line.split()) for line in lines]



def _of_watch(reading: Reading, end: int | None) -> list[str]:
    status, lines = reading.status, []
    if status is None:
        return []
    now = int(time.time())
    if reading.since is None:
        lines.append("all: the watch has counted no records yet")
    if reading.looked is None or now - reading.looked > _DEAD:
        lines.append(f"what came since the watch last looked, at {instant(reading.looked)} UTC: does it run?")
    elif end is not None and reading.looked - end > _OLD:
        lines.append(f"the last {length(reading.looked - end)}: no newer record was delivered")
    if status["unreadable"]:
        lines.append(f"{count(status['unreadable'], 'file')} could not be read")
    if status["late"]:
        lines.append(f"{count(status['late'], 'object')} or events came late")
    if status["failing"]:
        lines.append(f"{count(status['failing'], 'alert')} could not be delivered and will be retried")
    return lines


def _of_lines(reading: Reading) -> list[str]:
    figures = reading.figures
    report, lines = figures.report, []
    if figures.damage is not None:
        lines.append(f"what comes after the damage: {figures.damage}")
    if report.rejected:
        whole = report.records + report.rejected
        lines.append(f"{count(report.rejected, 'line')} of {whole:,} rejected")
    lines += [str(warning) for warning in getattr(report, "warnings", ())]
    if report.records and not report.ok:
        lines.append(f"any traffic: {count(report.records, 'record')}, all NODATA or SKIPDATA")
    return lines


def _of_interfaces(figures: Figures, covered: Rows) -> list[str]:
    """Says which minutes of interfaces have no records, or lost some."""
    if not covered:
        why = figures.lacking.get("coverage")
        return [] if not figures.totals else [f"coverage: {why or 'the logs name no interfaces and times'}"]
    lines = []
    of = f"{sum(row['minutes'] for row in covered):,} minutes of "
    of += count(len({row["interface_id"] for row in covered}), "interface")
    for seen, meaning in (("SKIPDATA", "lost records (SKIPDATA): counts are a floor"), ("absent", "have no record")):
        minutes: dict[str, int] = {}
        for row in covered:
            if row["seen"] == seen:
                minutes[row["interface_id"]] = minutes.get(row["interface_id"], 0) + row["minutes"]
        if minutes:
            worst = sorted(minutes, key=lambda name: (-minutes[name], name))
            named = ", ".join(f"{name} {minutes[name]:,} min" for name in worst[:_NAMED])
            more = ", ..." if len(worst) > _NAMED else ""
            lines.append(f"{sum(minutes.values()):,} of {of} {meaning}: {named}{more}")
    return lines
