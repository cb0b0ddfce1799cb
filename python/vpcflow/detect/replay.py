"""How many alerts a day detectors would have given, with the settings as they are and changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from .._units import seconds
from ..findings.alerting import alerts_of
from ..findings.finding import Finding
from ..findings.findings import Covering
from ..query.result import Result
from ..typing import Duration
from .detect import find
from .history import Past
from .rows import DETECTORS, all_settings
from .settings import Settings

_DAY = 86400
_FACTORS = (0.5, 2.0)
_SCANS_ARE_TOLD_BY = {"lateral_movement"}  # the same scans are no findings of port_scan then


class SettingCount(TypedDict):
    """How often a detector would have given an alert with a setting as it is, or changed."""

    detector: str
    setting: str  # empty for all settings as they are
    value: str
    alerts_a_day: float  # of medium and high
    high_a_day: float
    low_a_day: float
    findings: int
    actors: int


def replayed(
    sessions: Result, settings: Settings, *, only: Sequence[str] = (), baseline: Past | None = None,
    last: Duration | None = None, throttle: Duration = "1h", silences: Sequence[Covering] = (),
) -> list[SettingCount]:  # fmt: skip
    """Counts by detector the alerts a day that a watch would have sent, with the settings as they are, and with each
    number of them halved and doubled. ``last``: of how long before the end of the sessions alerts count; all without.
    Takes a detection for every few settings."""
    wanted = [name for name in DETECTORS if not only or name in only]
    ended = [end for end in sessions["end"] if end is not None]
    started = [start for start in sessions["start"] if start is not None]
    until, since = max(ended, default=0), min(started, default=0)
    if last is not None:
        since = max(since, until - seconds(last, "last"))
    days = max((until - since) / _DAY, 1 / 24)
    pause = seconds(throttle, "throttle")

    def counted(own: Settings, names: Sequence[str]) -> dict[str, list[Finding]]:
        looking = [*names, *(_SCANS_ARE_TOLD_BY & set(wanted) if "port_scan" in names else ())]
        found = find(sessions, None, own, only=looking, baseline=baseline).without(silences)
        return {name: [f for f in found if f.detector == name and f.end >= since] for name in names}

    rows = [_count(name, "", "", own, days, pause) for name, own in counted(settings, wanted).items()]
    for changes in _together(settings, wanted):
        for factor in _FACTORS:
            values = {name: _times(getattr(settings, name), factor) for name in changes}
            names = [detector for detectors in changes.values() for detector in detectors]
            found = counted(dataclasses.replace(settings, **values), names)
            for name, detectors in changes.items():
                rows += [_count(d, name, f"{values[name]:,}", found[d], days, pause) for d in detectors]
    place = {name: at for at, name in enumerate(wanted)}
    return sorted(rows, key=lambda row: place[row["detector"]])


def _together(settings: Settings, wanted: Sequence[str]) -> Iterator[dict[str, list[str]]]:
    """Yields settings that are numbers, with the detectors that go by each, so that none has two of them: these can be
    changed at once."""
    left = {
        name: [detector for detector in row["detectors"] if detector in wanted]
        for name, row in all_settings().items()
        if isinstance(getattr(settings, name), (int, float)) and not isinstance(getattr(settings, name), bool)
    }
    left = {name: detectors for name, detectors in left.items() if detectors}
    while left:
        group: dict[str, list[str]] = {}
        taken: set[str] = set()
        for name, detectors in list(left.items()):
            touched = {*detectors, *(("port_scan",) if _SCANS_ARE_TOLD_BY & set(detectors) else ())}
            if taken.isdisjoint(touched):
                group[name] = left.pop(name)
                taken.update(touched)
        yield group


def _times(value: Any, factor: float) -> Any:
    return type(value)(max(value * factor, 1)) if isinstance(value, int) else value * factor


def _count(detector: str, setting: str, value: str, found: list[Finding], days: float, pause: int) -> SettingCount:
    def a_day(*severities: str) -> float:
        return round(alerts_of([f for f in found if f.severity in severities], pause) / days, 2)

    return {
        "detector": detector, "setting": setting, "value": value, "alerts_a_day": a_day("high", "medium"),
        "high_a_day": a_day("high"), "low_a_day": a_day("low"), "findings": len(found),
        "actors": len({f.actor for f in found}),
    }  # fmt: skip
