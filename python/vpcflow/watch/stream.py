"""A stream that is watched: the records of each shard after the last one that was read, parents before children. The
places are kept with the counts, in the same transaction."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

from ..io.aws import Connection, kinesis
from ..io.aws.reading import FetchedUrl
from .memory import Memory
from .store import Store

_ENDED = "ended"
_BATCH_BYTES = 32 << 20


class ShardRecords(NamedTuple):
    """Records of a shard that were not read before, and the place behind them."""

    path: FetchedUrl
    shard: str
    n: int
    place: str
    refused: tuple[str, ...] = ()  # why, of each record that could not be unpacked


class Shards:
    """The records of a stream. ``since``: what a new state begins with. ``log`` gets a line about what is lost."""

    def __init__(
        self, store: Store, source: str, connection: Connection, since: str | None, log: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store, self._source, self._connection = store, source, connection
        self._since, self._log, self._clock = since, log, clock
        self._memory = Memory(store, source, since)
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}

    @functools.cached_property
    def _stream(self) -> kinesis.Stream:
        return kinesis.Stream(self._source, self._connection)

    def begin(self) -> None:
        self._memory.check_since()
        shards = self._stream.shards()
        first = self._memory.mark("since") is None
        now = self._clock()
        with self._store.transaction():
            self._memory.begin()
            if first:
                self._memory.set_mark("since", self._since)
                start = self._memory.first_time(now)
                for shard in shards if start is not None else ():
                    self._memory.set_mark(f"shard {shard.id}", f"at {start}")

    def batches(self, own: set[str]) -> Iterator[Sequence[ShardRecords]]:
        self.seen = 0
        again = True
        while again:  # children of a shard that ends are read in the same look
            again = False
            shards = self._stream.shards()
            ids = {shard.id for shard in shards}
            for shard in shards:
                if self._place(shard.id) == _ENDED or any(p in ids and self._place(p) != _ENDED for p in shard.parents):
                    continue
                for part in self._read(shard):
                    if part.n:
                        yield [part]
                    else:
                        with self._store.transaction():
                            self._settle(part)
                again |= self._place(shard.id) == _ENDED
            self._forget(ids)

    def _place(self, shard: str) -> str | None:
        place: str | None = self._memory.mark(f"shard {shard}")
        return place

    def _read(self, shard: kinesis.Shard) -> Iterator[ShardRecords]:
        """Yields the records of a shard behind its place, in parts."""
        text: list[bytes] = []
        refused: list[str] = []
        count, place = 0, self._place(shard.id)
        for got in self._stream.records(shard.id, _begin(place)):
            text.append(got.text)
            refused += got.refused
            count += got.n
            self.seen += got.n + len(got.refused)
            place = _ENDED if got.ended else got.last or place
            if sum(map(len, text)) > _BATCH_BYTES:
                yield self._part(shard.id, text, count, place, refused)
                text, count, refused = [], 0, []
        if shard.closed:
            place = _ENDED
        if place is not None and (count or refused or place == _ENDED):
            yield self._part(shard.id, text, count, place, refused)

    def _part(
        self, shard: str, text: list[bytes], count: int, place: str | None, refused: Sequence[str]
    ) -> ShardRecords:
        url = FetchedUrl.with_data(self._source, b"".join(text))
        return ShardRecords(url, shard, count, place or "", tuple(refused))

    def _settle(self, found: ShardRecords) -> None:
        """Notes the place behind some records, and those of them that were refused. For one within a transaction."""
        for why in found.refused:
            self._log(f"{self._source}: {found.shard}: {why}; given up")
            self._memory.count("given-up")
        self._memory.set_mark(f"shard {found.shard}", found.place)

    def _forget(self, ids: set[str]) -> None:
        """Forgets the places in shards that are gone."""
        known = self._store.execute("select name from marks where name like 'shard %'").fetchall()
        for (name,) in known:
            if name.removeprefix("shard ") not in ids:
                self._store.execute("delete from marks where name = ?", (name,))

    def record(self, found: ShardRecords, error: str | None) -> None:
        """Records the place behind some records. What cannot be read must not hold up a stream: it is counted. Where
        nothing was read before, the options are more likely wrong than the records: the place stays."""
        if error is not None:
            self._memory.check_any_read(error)
            self._log(f"{self._source}: {found.shard}: {error}; given up")
            self._memory.count("given-up")
        else:
            self._memory.count("events", found.n)
        self._settle(found)

    def committed(self) -> None:
        pass

    def finished(self) -> None:
        pass


def _begin(place: str | None) -> dict[str, Any]:
    if place is None:
        return kinesis.oldest()
    return kinesis.at(float(place[3:])) if place.startswith("at ") else kinesis.after(place)
