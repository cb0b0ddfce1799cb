"""A topic of Kafka that is watched: the records of each partition behind the offset that was kept. Offsets are kept
with the counts, in the same transaction; the group of Kafka is told afterwards, and not asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable, NamedTuple

from .._words import count
from ..errors import SourceError
from ..io.aws.reading import FetchedUrl
from ..io.kafka import Topic
from .memory import Memory
from .store import Store


class TopicRecords(NamedTuple):
    """Records of a topic that were not read before, and the offsets behind them."""

    path: FetchedUrl
    n: int
    places: Mapping[int, int]
    refused: Sequence[str] = ()  # why, of each record that could not be unpacked


class Partitions:
    """The records of a topic. ``since``: what a new state begins with. ``log`` gets a line about what is lost."""

    def __init__(
        self, store: Store, source: str, since: str | None, log: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store, self._source = store, source
        self._since, self._log, self._clock = since, log, clock
        self._memory = Memory(store, source.partition("?")[0], since)
        self._topic: Topic | None = None  # during a look
        self._places: Mapping[int, int] = {}  # of the last transaction
        self._refused_commit = False
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}

    def begin(self) -> None:
        self._memory.check_since()
        topic = Topic(self._source)
        try:
            ends = topic.ends()
            first = self._memory.mark("since") is None
            start = self._memory.first_time(self._clock()) if first else None
            places = {}
            if start is not None:
                now = {number: end for number, (_, end) in ends.items()}
                places = now if self._since == "now" else topic.since(start, ends)
        finally:
            topic.close()
        with self._store.transaction():
            self._memory.begin()
            if first:
                self._memory.set_mark("since", self._since)
                self._keep(places)

    def batches(self, own: set[str]) -> Iterator[Sequence[TopicRecords]]:
        self.seen = 0
        self._topic = topic = Topic(self._source)
        try:
            ends = topic.ends()
            begin = {number: self._place(number, *held) for number, held in ends.items()}
            for got in topic.records(begin, ends):
                self.seen += got.n + len(got.refused)
                url = FetchedUrl.with_data(topic.url, got.text)
                part = TopicRecords(url, got.n, got.places, got.refused)
                if got.n:
                    yield [part]
                else:
                    with self._store.transaction():
                        self._settle(part)
                    self.committed()
        finally:
            self._topic = None
            topic.close()

    def _place(self, partition: int, first: int, end: int) -> int:
        """Returns the offset that a partition is read from, which has the offsets from ``first`` to before ``end``."""
        place: int | None = self._memory.mark(f"partition {partition}")
        if place is None:
            return first
        if place < first:
            lost = count(first - place, "offset")
            self._log(f"{self._source}: partition {partition}: {lost} were deleted before they were read")
            with self._store.transaction():
                self._memory.count("lost", first - place)
                self._keep({partition: first})
            return first
        if place > end:
            self._log(f"{self._source}: partition {partition} was made anew; it is read from its beginning")
            return first
        return place

    def _keep(self, places: Mapping[int, int]) -> None:
        for partition, place in places.items():
            self._memory.set_mark(f"partition {partition}", place)

    def record(self, found: TopicRecords, error: str | None) -> None:
        """Records the offsets behind some records. What cannot be read must not hold up a topic: it is counted. Where
        nothing was read before, the options are more likely wrong than the records: the place stays."""
        if error is not None:
            self._memory.check_any_read(error)
            self._log(f"{self._source}: {error}; given up")
            self._memory.count("given-up")
        else:
            self._memory.count("events", found.n)
        self._settle(found)

    def _settle(self, found: TopicRecords) -> None:
        for why in found.refused:
            self._log(f"{self._source}: {why}; given up")
            self._memory.count("given-up")
        self._keep(found.places)
        self._places = found.places

    def committed(self) -> None:
        if self._topic is None or not self._places:
            return
        try:
            self._topic.commit(self._places)
        except SourceError as error:
            if not self._refused_commit:
                self._log(f"{error}; its group does not show how far this is, which changes nothing else")
            self._refused_commit = True
        self._places = {}

    def finished(self) -> None:
        pass
