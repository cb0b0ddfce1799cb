"""A log group that is watched. The time of an event is its record's start, so an event comes minutes after its time:
whoever asks for the events since the last look loses most of them. Here time is cut into slots, each of which is read
again when it is older, and what is known by its id is left out."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from typing import Callable, NamedTuple

from .._words import count
from ..io.aws import Connection
from ..io.aws.cloudwatch import Event, LogGroup, text_of
from ..io.aws.identity import identity
from ..io.aws.reading import FetchedUrl
from .memory import Memory
from .store import Store

SLOT = 300  # seconds
#: How old, in seconds, the end of a slot is when it is read. What is new in the last pass is late.
AGES = (180, 480, 1200, 3600)
_TOGETHER = 12  # old slots that are read at once
_BATCH_BYTES = 32 << 20


class Events(NamedTuple):
    """Events of some slots that were not read before. ``passed``: what of the slots is read with them."""

    path: FetchedUrl
    ids: list[tuple[bytes, int]]  # with the slots
    late: int
    passed: list[tuple[int, int]]  # slots, and their passes


class GroupEvents:
    """The events of a log group. ``since``: what a new state begins with. ``log`` gets a line about what comes late."""

    def __init__(
        self, store: Store, source: str, connection: Connection, since: str | None, format: str | None,
        log: Callable[[str], None], clock: Callable[[], float] = time.time, group: LogGroup | None = None,
    ) -> None:  # fmt: skip
        self._store, self._source, self._connection = store, source, connection
        self._since, self._given, self._log, self._clock = since, format, log, clock
        self._memory = Memory(store, source, since)
        self._late = 0
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}
        if group is not None:
            self._group = group

    @functools.cached_property
    def _group(self) -> LogGroup:
        return LogGroup(self._source, self._connection)

    @functools.cached_property
    def _format(self) -> str:
        return self._group.format(self._given)

    def begin(self) -> None:
        self._memory.check_since()
        self._group.check()
        self._format  # noqa: B018  known before anything is read
        with self._store.transaction():
            self._memory.begin()
            if self._memory.mark("since") is None:
                self._memory.set_mark("since", self._since)
                self._memory.set_mark("open", self._first_slot())

    def _first_slot(self) -> int:
        """Returns the first slot that is read."""
        now = int(self._clock())
        start = self._memory.first_time(now)
        if start is not None:
            return int(start) // SLOT * SLOT
        for page in self._group.events(None, None):
            if page:
                return page[0].time // 1000 // SLOT * SLOT
        return now // SLOT * SLOT

    def batches(self, own: set[str]) -> Iterator[Sequence[Events]]:
        self.seen, self._late = 0, 0
        for slots, number in self._due():
            yield from self._read(slots, number)

    def _due(self) -> Iterator[tuple[list[int], int]]:
        """Yields the slots to read now, each with the number of its pass; neighbours in their last pass together."""
        now = int(self._clock())
        together: list[int] = []
        for slot in range(self._memory.mark("open"), now // SLOT * SLOT, SLOT):
            due = sum(now >= slot + SLOT + age for age in AGES)
            if due == len(AGES):
                together.append(slot)
            if together and (due < len(AGES) or len(together) == _TOGETHER):
                yield together, len(AGES)
                together = []
            if due < len(AGES) and due > (self._memory.mark(f"slot {slot}") or 0):
                yield [slot], due
        if together:
            yield together, len(AGES)

    def _read(self, slots: list[int], number: int) -> Iterator[list[Events]]:
        """Yields the events of slots that are new, in parts of which the last one says that the slots were read."""
        fresh: list[Event] = []
        size = 0
        for page in self._group.events(slots[0] * 1000, (slots[-1] + SLOT) * 1000):
            self.seen += len(page)
            known = self._memory.settled(map(_id, page))
            new = list({event.id: event for event in page if _id(event) not in known}.values())
            fresh += new
            size += sum(len(event.message) for event in new)
            if size > _BATCH_BYTES:
                yield [self._events(fresh, slots, number, passed=False)]
                fresh, size = [], 0
        last = self._events(fresh, slots, number, passed=True)
        if fresh:
            yield [last]
        else:
            with self._store.transaction():
                self._pass(last)

    def _events(self, fresh: list[Event], slots: list[int], number: int, *, passed: bool) -> Events:
        url = FetchedUrl.with_data(self._source, text_of(self._format, fresh))
        ids = [(_id(event), event.time // 1000 // SLOT * SLOT) for event in fresh]
        before = [self._memory.mark(f"slot {slot}") or 0 for slot in slots]
        late = len(fresh) if number == len(AGES) and all(n == len(AGES) - 1 for n in before) else 0
        return Events(url, ids, late, [(slot, number) for slot in slots] if passed else [])

    def record(self, found: Events, error: str | None) -> None:
        if error is not None:
            given_up = any(number == len(AGES) for _, number in found.passed)
            self._log(f"{self._source}: {error}; {'given up' if given_up else 'will be retried in the next pass'}")
            self._memory.count("given-up", int(given_up))
        else:
            self._memory.record_known(found.ids)
            self._memory.count("events", len(found.ids))
            self._memory.count("late-events", found.late)
            self._late += found.late
        self._pass(found)

    def _pass(self, found: Events) -> None:
        """Notes that slots were read; those read for the last time are closed, with all before them."""
        for slot, number in found.passed:
            self._memory.set_mark(f"slot {slot}", number)
            if number == len(AGES):
                self._store.execute("delete from seen where day <= ?", (slot,))
                self._store.execute("delete from marks where name = ?", (f"slot {slot}",))
                self._memory.set_mark("open", slot + SLOT)

    def committed(self) -> None:
        pass

    def finished(self) -> None:
        if self._late:
            total = self._memory.mark("late-events")
            self._log(
                f"{self._source}: {count(self._late, 'event')} came more than 20 minutes after their time; they were "
                f"read (late-events: {total:,} in all)"
            )


def _id(event: Event) -> bytes:
    return identity(event.id)
