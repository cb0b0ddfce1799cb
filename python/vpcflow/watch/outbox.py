"""The outbox of a watch: which alerts each sink has yet to get."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..alerts.alert import Alert
from ..errors import NotifyError
from ..findings.finding import Finding
from ..rules.silences import Silence
from ..sinks.dead import DeadLetters
from ..sinks.sink import BusyError, Piece, Receipt, Sink, SplitError
from .store import Store

LONGEST_PAUSE = 3600.0  # seconds between tries; a next try later than that was set by a clock that was wrong
_TOGETHER = 100  # alerts in a request, at most
UNITS = ("findings", "incidents", "sessions", "records")


@dataclasses.dataclass(frozen=True)
class Target:
    """A sink, and what a watch sends there. ``schema``: of the events, of :func:`vpcflow.export`. ``unit``:
    ``findings``, an event for each alert; ``incidents``, one for each incident, which the last alert of it replaces
    where the sink can; ``sessions`` that are over, ``records``. ``dead``: the file of what the sink never takes."""

    sink: Sink
    schema: str
    unit: str = "findings"
    version: str | None = None
    dead: str = "vpcflow-dead.jsonl"

    @property
    def of_alerts(self) -> bool:
        """Whether alerts are sent there."""
        return self.unit in ("findings", "incidents")

    def letters(self) -> DeadLetters:
        """Opens the file of dead letters."""
        return DeadLetters(self.dead, self.schema, self.sink.label)


def pause_after(tries: int, error: Exception) -> float:
    """Returns the seconds to wait after so many failures: what a sink asks for, if that is more; an hour at most."""
    asked = error.after if isinstance(error, BusyError) else None
    return min(max(2.0 ** min(tries, 20), asked or 0.0), LONGEST_PAUSE)


def note_failure(store: Store, name: str, error: Exception) -> None:
    """Writes down for the status why a sink fails, and since when."""
    store.execute("update sinks set why = ?, since = ifnull(since, ?) where name = ?", (str(error), time.time(), name))


def note_success(store: Store, name: str) -> None:
    """Writes down that a sink took something."""
    store.execute("update sinks set why = null, since = null where name = ? and since is not null", (name,))


class Outbox:
    """Alerts on their way to sinks, which are known by names that stay. ``line`` makes the line of an alert for a
    target; ``log`` gets a line for each failure."""

    def __init__(
        self, store: Store, targets: Mapping[str, Target], silences: Sequence[Silence], log: Callable[[str], None],
        line: Callable[[Alert, str, str | None], bytes],
    ) -> None:  # fmt: skip
        self._targets = {name: target for name, target in targets.items() if target.of_alerts}
        self._store, self._silences, self._log, self._line = store, list(silences), log, line

    def add(self, alert: Alert) -> bool:
        """Adds an alert for all sinks. Returns whether it is new and not silenced."""
        silence = next((s for s in self._silences if s.covers(alert.finding)), None)
        reason = silence.reason if silence else None
        made = self._store.execute(
            "insert or ignore into alerts values (?, ?, ?, ?, ?, ?)",
            (alert.id, json.dumps(alert.finding.as_dict()), time.time(), reason, alert.withdrawn, alert.incident),
        ).rowcount
        if not made or silence:
            return False
        for name in self._targets:
            self._store.execute("insert or ignore into outbox (alert, channel) values (?, ?)", (alert.id, name))
        return True

    @property
    def undelivered(self) -> int:
        """How many alerts some sink has not got yet."""
        names = tuple(self._targets)
        marks = ", ".join("?" * len(names))
        query = f"select count(*) from outbox where delivered is null and channel in ({marks})"
        return int(self._store.execute(query, names).fetchone()[0])

    def deliver(self) -> int:
        """Sends the alerts that are due, and returns how many were delivered. A failed one is due again after a pause,
        which doubles up to an hour; a sink that failed is not asked again in this call."""
        return sum(self._deliver_to(name, target) for name, target in self._targets.items())

    def _deliver_to(self, name: str, target: Target) -> int:
        # In the order of their making, as the last one of an incident counts; sinks of no longer are left as they are.
        due = self._store.execute(
            "select alert, tries, finding, withdrawn, incident from outbox join alerts on alerts.id = alert "
            "where channel = ? and delivered is null and not next between ? and ? order by made, alert",
            (name, time.time(), time.time() + LONGEST_PAUSE),
        ).fetchall()
        done, place, together = 0, 0, min(target.sink.limits.items, _TOGETHER)
        while place < len(due):
            some = due[place : place + together]
            pieces, dead = self._pieces(target, some)
            try:
                receipt = target.sink.send([piece for _, piece in pieces]) if pieces else Receipt()
            except SplitError as error:
                if together > 1:
                    together = max(1, together // 2)
                    continue
                receipt = Receipt(dead=[(i, str(error)) for i in range(len(pieces))])
            except NotifyError as error:
                self._failed(name, [row for row, _ in pieces], error)
                return done
            dead += [(*pieces[i], why) for i, why in receipt.dead]
            if dead:
                self._bury(target, dead)
            lost = {row[0]: why for row, _, why in dead}
            again = {pieces[i][0][0] for i in receipt.retry}
            now = time.time()
            for row in some:
                if row[0] not in again:
                    self._store.execute(
                        "update outbox set delivered = ?, dead = ? where alert = ? and channel = ?",
                        (now, lost.get(row[0]), row[0], name),
                    )
            done += len(some) - len(lost) - len(again)
            if len(again) < len(some):
                note_success(self._store, name)
            if again:
                busy = BusyError(f"{target.sink.label}: {receipt.reason or 'took some alone'}", receipt.after)
                self._failed(name, [row for row in some if row[0] in again], busy)
                return done
            place += len(some)
        return done

    def _pieces(
        self, target: Target, rows: Sequence[Any]
    ) -> tuple[list[tuple[Any, Piece]], list[tuple[Any, Piece, str]]]:
        """Returns the events of alerts, and those that the sink never takes."""
        pieces, dead = [], []
        for row in rows:
            alert_id, _, text, withdrawn, incident = row
            alert = Alert(alert_id, Finding(**json.loads(text)), withdrawn or "", incident or "")
            line = self._line(alert, target.schema, target.version)
            identity = (incident or alert_id) if target.unit == "incidents" else alert_id
            try:
                body = target.sink.encode(identity, line)
            except ValueError as error:
                dead.append((row, Piece(identity, line, b""), str(error)))
                continue
            pieces.append((row, Piece(identity, line, body)))
        return pieces, dead

    def _bury(self, target: Target, dead: Sequence[tuple[Any, Piece, str]]) -> None:
        letters = target.letters()
        try:
            letters.add([(piece, why) for _, piece, why in dead])
        finally:
            letters.close()
        self._log(f"{target.sink.label}: not taken: {dead[0][2]}; it is in {target.dead}")

    def _failed(self, name: str, rows: Sequence[Any], error: NotifyError) -> None:
        self._log(f"not delivered, will be retried: {error}")
        note_failure(self._store, name, error)
        for alert_id, tries, *_ in rows:
            self._store.execute(
                "update outbox set tries = tries + 1, next = ? where alert = ? and channel = ?",
                (time.time() + pause_after(tries + 1, error), alert_id, name),
            )
