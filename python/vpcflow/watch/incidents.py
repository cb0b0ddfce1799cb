"""Incidents of a watch: findings that belong together give one alert."""

from __future__ import annotations

import hashlib

from ..alerts.alert import Alert
from ..findings.finding import SEVERITIES, Finding
from .store import Store


class Incidents:
    """The incidents that go on, or ended lately.

    Findings of the same key that are no further apart than ``throttle`` seconds are one incident, which gives an alert
    when it begins, when it becomes worse, and, with ``repeat``, whenever it has gone on for that many seconds.
    """

    def __init__(self, store: Store, throttle: int, repeat: int | None) -> None:
        self._store, self._throttle, self._repeat = store, throttle, repeat

    def forget(self, before: int) -> None:
        """Forgets the incidents that no finding of records from ``before`` (Unix seconds) on can belong to."""
        self._store.execute("delete from incidents where end < ?", (before - self._throttle,))

    def alert_of(self, finding: Finding) -> Alert | None:
        """Adds a finding to its incident, and returns the alert that it gives, if it gives one."""
        near = self._store.execute(
            "select id, severity, start, end, told from incidents where key = ? and start <= ? and end >= ?",
            (finding.key, finding.end + self._throttle, finding.start - self._throttle),
        ).fetchall()
        worse = all(SEVERITIES.index(finding.severity) < SEVERITIES.index(row[1]) for row in near)
        severity = finding.severity if worse else min((row[1] for row in near), key=SEVERITIES.index)
        alerted = max((row[4] for row in near), default=finding.end)
        again = self._repeat is not None and finding.end >= alerted + self._repeat
        start = min([finding.start, *(row[2] for row in near)])
        end = max([finding.end, *(row[3] for row in near)])
        self._store.executemany("delete from incidents where id = ?", [(row[0],) for row in near])
        self._store.execute(
            "insert into incidents (key, severity, start, end, told) values (?, ?, ?, ?, ?)",
            (finding.key, severity, start, end, finding.end if worse or again else alerted),
        )
        if near and not worse and not again:
            return None
        name = f"{finding.key}\n{finding.start}\n{finding.severity}" + (f"\n{finding.end}" if again else "")
        return Alert(hashlib.sha256(name.encode()).hexdigest(), finding)
