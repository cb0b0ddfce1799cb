"""Sessions and records that a watch sends on: events in its state, until the sink has taken them."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Callable

from ..errors import FieldError, NotifyError
from ..query.aggregation import Aggregation
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import query
from ..siem.events import EventBatch, Events, batches_of
from ..sinks.sending import Sent, send
from ..sinks.sink import Piece
from .outbox import LONGEST_PAUSE, Target, note_failure, note_success, pause_after
from .store import Store

_PATIENCE = 10.0  # seconds for a sink that fails, before others and new logs have their turn
_BUDGET = 60.0  # seconds for a look
_OPEN = -3  # in the place of a day: the sessions that are not over


class Feed:
    """Events on their way to sinks. ``most``: bytes that a sink may be behind; the oldest then go to its dead letters,
    so that a sink that is dead neither stops the watch nor fills the disk with its state."""

    def __init__(self, store: Store, targets: Mapping[str, Target], most: int, log: Callable[[str], None]) -> None:
        self._targets = {name: target for name, target in targets.items() if not target.of_alerts}
        self._store, self._most, self._log = store, most, log

    def begin(self, targets: Mapping[str, Target]) -> None:
        """Notes how sinks are called, for the status."""
        for name, target in targets.items():
            self._store.execute(
                "insert into sinks (name, label) values (?, ?) on conflict (name) do update set label = excluded.label",
                (name, f"{target.sink.label} ({target.unit})"),
            )

    # -- within the transaction of a batch

    def add(self, flows: Flows) -> None:
        """Adds the events of some files."""
        for name, target in self._targets.items():
            if target.unit == "records":
                batches = Events(flows, target.schema, target.version or "", "records").batches()
            else:
                over = self._over(name, flows)
                batches = iter(()) if over is None else batches_of(over, target.schema, target.version or "")
            for batch in batches:
                self._store.execute(
                    "insert into chunks (sink, events, size, body) values (?, ?, ?, ?)", (name, *_packed(batch))
                )
            self._spill(name, target)

    def _over(self, name: str, flows: Flows) -> Result | None:
        """Returns the sessions that are over: none of them can go on, as nothing so old comes any more."""
        row = self._store.execute("select blob from states where day = ? and name = ?", (_OPEN, name)).fetchone()
        state = Aggregation.from_bytes(row[0]) if row is not None else Aggregation(query().sessions())
        try:
            state.update(flows)
        except FieldError as error:
            self._log(f"{self._targets[name].sink.label}: these logs make no sessions: {error}")
            return None
        latest = flows.agg(last="max(end)").collect()["last"][0]
        over = state.take_idle(latest if latest is not None else 0)
        self._store.execute("insert or replace into states values (?, ?, '', ?)", (name, _OPEN, state.to_bytes()))
        return over

    def _spill(self, name: str, target: Target) -> None:
        """Moves the oldest events to the dead letters, if there are too many."""
        over = self._count("ifnull(sum(size), 0) from chunks where sink = ?", name) - self._most
        if over <= 0:
            return
        letters, moved = target.letters(), 0
        try:
            for number, events, size, body in self._store.execute(
                "select id, events, size, body from chunks where sink = ? order by id", (name,)
            ).fetchall():
                why = "the sink took nothing for so long that the outbox was full"
                letters.add([(Piece(identity, line, b""), why) for identity, line in _unpacked(body)])
                self._store.execute("delete from chunks where id = ?", (number,))
                moved, over = moved + events, over - size
                if over <= 0:
                    break
        finally:
            letters.close()
        self._store.execute("update sinks set dead = dead + ? where name = ?", (moved, name))
        self._log(f"{target.sink.label}: the outbox is full; {moved:,} events went to {target.dead}; send them with "
                  f"vpcflow send --replay {target.dead}")  # fmt: skip

    # -- outside of transactions

    @property
    def pending(self) -> int:
        """How many events some sink has not got yet."""
        return sum(self._count("ifnull(sum(events), 0) from chunks where sink = ?", name) for name in self._targets)

    @property
    def is_due(self) -> bool:
        """Whether a sink that is not known to fail lacks events."""
        due = "count(*) from chunks join sinks on name = sink where sink = ? and not next between ? and ?"
        now = time.time()
        return any(self._count(due, name, now, now + LONGEST_PAUSE) for name in self._targets)

    def _count(self, what: str, *values: object) -> int:
        return int(self._store.execute(f"select {what}", values).fetchone()[0])

    def deliver(self) -> int:
        """Sends events, and returns how many were taken."""
        return sum(self._deliver_to(name, target) for name, target in self._targets.items())

    def _deliver_to(self, name: str, target: Target) -> int:
        tries, due = self._store.execute("select tries, next from sinks where name = ?", (name,)).fetchone()
        if 0 < due - time.time() <= LONGEST_PAUSE:
            return 0
        end, done = time.monotonic() + _BUDGET, 0
        letters = target.letters()
        try:
            while time.monotonic() < end:
                row = self._store.execute(
                    "select id, body from chunks where sink = ? order by id limit 1", (name,)
                ).fetchone()
                if row is None:
                    break
                counts = Sent()
                send(_unpacked(row[1]), target.sink, letters, patience=_PATIENCE, log=self._log, counts=counts)
                self._settle(name, row[0], counts)
                done += counts.accepted
                tries = 0
        except NotifyError as error:
            self._log(f"not sent, will be retried: {error}")
            self._store.execute(
                "update sinks set tries = tries + 1, next = ? where name = ?",
                (time.time() + pause_after(tries + 1, error), name),
            )
            note_failure(self._store, name, error)
        finally:
            letters.close()
        return done

    def _settle(self, name: str, chunk: int, counts: Sent) -> None:
        with self._store.transaction():
            self._store.execute("delete from chunks where id = ?", (chunk,))
            self._store.execute(
                "update sinks set tries = 0, next = 0, sent = sent + ?, dead = dead + ? where name = ?",
                (counts.accepted, counts.dead, name),
            )
            note_success(self._store, name)


def _packed(batch: EventBatch) -> tuple[int, int, bytes]:
    """Returns the number of events, the bytes that they take, and these."""
    text = b"".join(b"%s\n%s\n" % (identity.encode(), line) for identity, line in batch)
    body = zlib.compress(text, 1)
    return len(batch), len(body), body


def _unpacked(body: bytes) -> Iterator[tuple[str, bytes]]:
    lines = zlib.decompress(body).split(b"\n")
    return ((identity.decode(), line) for identity, line in zip(lines[0:-1:2], lines[1::2]))
