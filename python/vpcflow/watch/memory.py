"""What a watch remembers of places in AWS: identities of what was read, marks, and counters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._hints import hint
from ..errors import ArgumentError, RuleError, SourceError
from .store import Store

SINCE = ("now", "24h", "all")
_DAY = 86400
RETRIES = 5  # of what is damaged


class Memory:
    """The memory of one place, in the store of a watch. ``since``: what a new state begins with, of :data:`SINCE`."""

    def __init__(self, store: Store, source: str, since: str | None = None) -> None:
        if since is not None and since not in SINCE:
            raise ArgumentError(f"since={since!r}: {hint(since, SINCE)}")
        self._store, self._source, self._since = store, source, since

    def check_since(self, meanings: str = "") -> None:
        """Raises :class:`~vpcflow.ArgumentError` if the state is new and nobody said what it begins with, and
        :class:`~vpcflow.RuleError` if it is that of another place."""
        self._check_source()
        if self.mark("source") is None and self._since is None:
            raise ArgumentError(
                f"{self._source}: a new state needs to know where to begin: --since now, 24h or all{meanings}"
            )

    def first_time(self, now: float) -> float | None:
        """Returns the time from which on a new state reads; ``None``: all that is there."""
        return None if self._since == "all" else now - (_DAY if self._since == "24h" else 0)

    def begin(self) -> None:
        """Makes the state that of the place; raises :class:`~vpcflow.RuleError` if it is that of another one."""
        self._check_source()
        self.set_mark("source", self._source)

    def _check_source(self) -> None:
        of = self.mark("source")
        if of not in (None, self._source):
            raise RuleError(f"{self._source}: the state is that of {of}; give another --state")

    def mark(self, name: str) -> Any:
        """Returns a value that was set, or ``None``."""
        row = self._store.execute("select value from marks where name = ?", (name,)).fetchone()
        return row[0] if row is not None else None

    def set_mark(self, name: str, value: object) -> None:
        """Sets a value."""
        self._store.execute("insert or replace into marks values (?, ?)", (name, value))

    def check_any_read(self, error: str) -> None:
        """Raises :class:`~vpcflow.SourceError` for an error of the first events of a place."""
        if not self.mark("events"):
            raise SourceError(f"{error}; nothing was read of it yet, so nothing is passed over")

    def count(self, name: str, n: int = 1) -> None:
        """Adds to a counter."""
        self._store.execute(
            "insert into marks values (?, ?) on conflict (name) do update set value = value + excluded.value", (name, n)
        )

    def raise_mark(self, name: str, value: int) -> None:
        """Sets a value, unless a greater one was set."""
        self._store.execute(
            "insert into marks values (?, ?) on conflict (name) do update set value = max(value, excluded.value)",
            (name, value),
        )

    def settled(self, ids: Iterable[bytes]) -> set[bytes]:
        """Returns those that were read, or given up."""
        wanted, out = list(ids), set()
        for first in range(0, len(wanted), 500):
            some = wanted[first : first + 500]
            marks = ", ".join("?" * len(some))
            query = f"select id from seen where done and id in ({marks})"
            out |= {row[0] for row in self._store.execute(query, some)}
        return out

    def record(self, id: bytes, day: int | None, error: str | None, *, give_up: bool = True) -> bool:
        """Records that something was read, or failed. Returns whether it is done: the last failure of :data:`RETRIES`
        gives it up, if it may."""
        failures = 0
        if error is not None:
            row = self._store.execute("select failures from seen where id = ?", (id,)).fetchone()
            failures = 1 + (row[0] if row is not None else 0)
        done = error is None or (give_up and failures >= RETRIES)
        if done and error is not None:
            self.count("given-up")
        self._store.execute("insert or replace into seen values (?, ?, ?, ?)", (id, day, failures, done))
        return done

    def record_known(self, rows: Sequence[tuple[bytes, int | None]]) -> None:
        """Records things that are not read, and never will be."""
        self._store.executemany("insert or ignore into seen values (?, ?, 0, 1)", rows)

    def forget(self, before: int) -> None:
        """Forgets what lies before a time, Unix seconds, if it is known of when it is."""
        self._store.execute("delete from seen where day < ?", (before,))
