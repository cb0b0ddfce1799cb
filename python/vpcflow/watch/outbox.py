"""The outbox of a watch: which alerts each channel has yet to get."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Callable

from ..alerts.alert import Alert, Channel
from ..errors import NotifyError
from ..findings.finding import Finding
from ..rules.silences import Silence
from .store import Store

_LONGEST_PAUSE = 3600.0  # seconds between tries


class Outbox:
    """Alerts on their way to channels, which are known by names that stay. ``log`` gets a line for each failure."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], silences: Sequence[Silence], log: Callable[[str], None]
    ) -> None:
        self._store, self._channels, self._silences, self._log = store, dict(channels), list(silences), log

    def add(self, alert: Alert) -> bool:
        """Adds an alert for all channels. Returns whether it is new and not silenced."""
        silence = next((s for s in self._silences if s.covers(alert.finding)), None)
        reason = silence.reason if silence else None
        made = self._store.execute(
            "insert or ignore into alerts values (?, ?, ?, ?, ?)",
            (alert.id, json.dumps(alert.finding.as_dict()), time.time(), reason, alert.withdrawn),
        ).rowcount
        if not made or silence:
            return False
        for channel in self._channels:
            self._store.execute("insert or ignore into outbox (alert, channel) values (?, ?)", (alert.id, channel))
        return True

    @property
    def undelivered(self) -> int:
        """How many alerts some channel has not got yet."""
        names = tuple(self._channels)
        marks = ", ".join("?" * len(names))
        query = f"select count(*) from outbox where delivered is null and channel in ({marks})"
        return int(self._store.execute(query, names).fetchone()[0])

    def deliver(self) -> int:
        """Sends the alerts that are due, and returns how many were delivered. A failed one is due again after a pause,
        which doubles up to an hour."""
        due = self._store.execute(
            "select alert, channel, tries, finding, withdrawn from outbox join alerts on alerts.id = alert "
            "where delivered is null and next <= ? order by made, alert",
            (time.time(),),
        ).fetchall()
        done = 0
        for alert_id, name, tries, text, withdrawn in due:
            channel = self._channels.get(name)
            if channel is None:
                continue  # no longer wanted, or not now
            try:
                channel.send(Alert(alert_id, Finding(**json.loads(text)), withdrawn or ""))
            except NotifyError as error:
                self._log(f"not delivered, will be retried: {error}")
                again = time.time() + min(2.0 ** (tries + 1), _LONGEST_PAUSE)
                self._store.execute(
                    "update outbox set tries = tries + 1, next = ? where alert = ? and channel = ?",
                    (again, alert_id, name),
                )
                continue
            self._store.execute(
                "update outbox set delivered = ? where alert = ? and channel = ?", (time.time(), alert_id, name)
            )
            done += 1
        return done
