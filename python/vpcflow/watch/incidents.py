"""Incidents of a watch: findings that belong together give one alert."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from ..alerts.alert import Alert
from ..detect.rows import DETECTORS
from ..findings.finding import SEVERITIES, Finding
from .evaluation import Look
from .settings import unrefuted_until
from .store import Store


class Incidents:
    """The incidents that go on, or ended lately.

    Findings of the same key that are no further apart than ``throttle`` seconds are one incident, which gives an alert
    when it begins, when it becomes worse, and, with ``repeat``, whenever it has gone on for that many seconds. One that
    the detectors told, and that later data refutes, is withdrawn.
    """

    def __init__(self, store: Store, throttle: int, repeat: int | None) -> None:
        self._store, self._throttle, self._repeat = store, throttle, repeat

    def forget(self, before: int) -> None:
        """Forgets the incidents that no finding of records from ``before`` (Unix seconds) on can belong to."""
        self._store.execute("delete from incidents where end < ?", (before - self._throttle,))

    def alert_of(self, finding: Finding) -> Alert | None:
        """Adds a finding to its incident, and returns the alert that it gives, if it gives one."""
        near = self._store.execute(
            "select incidents.id, severity, start, end, told, alert, ifnull(incident, '') from incidents "
            "left join alerts on alerts.id = alert where key = ? and start <= ? and end >= ?",
            (finding.key, finding.end + self._throttle, finding.start - self._throttle),
        ).fetchall()
        worse = all(SEVERITIES.index(finding.severity) < SEVERITIES.index(row[1]) for row in near)
        severity = finding.severity if worse else min((row[1] for row in near), key=SEVERITIES.index)
        alerted = max((row[4] for row in near), default=finding.end)
        again = self._repeat is not None and finding.end >= alerted + self._repeat
        start = min([finding.start, *(row[2] for row in near)])
        end = max([finding.end, *(row[3] for row in near)])
        tells = not near or worse or again
        incident = next((row[6] or row[5] for row in near if row[5]), "")
        alert = Alert(self._name(finding, again), finding, incident=incident) if tells else None
        told = alert.id if alert is not None else next((row[5] for row in near if row[5]), None)
        self._store.executemany("delete from incidents where id = ?", [(row[0],) for row in near])
        self._store.execute(
            "insert into incidents (key, severity, start, end, told, alert) values (?, ?, ?, ?, ?, ?)",
            (finding.key, severity, start, end, finding.end if worse or again else alerted, told),
        )
        return alert

    def refuted(self, look: Look) -> list[Alert]:
        """Withdraws the incidents whose data the detectors looked at again, whole, and did not find, or found to be
        less than what is told; returns a note about each. Those that were told with other settings stay."""
        now: dict[str, list[Finding]] = {}
        for finding in look.all:
            now.setdefault(finding.key, []).append(finding)
        notes = []
        rows = self._store.execute(
            "select incidents.id, key, start, end, alert, finding, incident from incidents join alerts "
            "on alerts.id = alert where start >= ? and made > ?", (look.since, unrefuted_until(self._store)),
        ).fetchall()  # fmt: skip
        for number, key, start, end, told, text, incident in rows:
            detector = key.split("\n")[0]
            if detector not in DETECTORS or detector in look.blind:
                continue
            same = [f for f in now.get(key, ()) if f.start <= end + self._throttle and f.end >= start - self._throttle]
            if any(f.severity in look.severities for f in same):
                continue
            finding = Finding(**json.loads(text))
            self._store.execute("delete from incidents where id = ?", (number,))
            name, why = _hashed(f"withdrawn\n{told}\n{look.newest}"), _why(finding, same, look)
            notes.append(Alert(name, finding, why, incident or told))
        return notes

    def _name(self, finding: Finding, again: bool) -> str:
        """Returns the id of a new alert: the same for the same finding, unless that was withdrawn in between."""
        name = f"{finding.key}\n{finding.start}\n{finding.severity}" + (f"\n{finding.end}" if again else "")
        id = _hashed(name)
        known = self._store.execute("select 1 from alerts where id = ?", (id,)).fetchone()
        return _hashed(f"{name}\n{finding.end}") if known else id


def _why(finding: Finding, same: Sequence[Finding], look: Look) -> str:
    """Says why a finding is withdrawn."""
    if same:
        return f"it is {same[0].severity} by what came later: {same[0].sentence}"
    told = [f for f in look.all if f.severity in look.severities and f.actor == finding.actor]
    others = [f for f in told if f.start <= finding.end and f.end >= finding.start]
    return f"another finding tells it: {others[0].sentence}" if others else "what came later refutes it"


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
