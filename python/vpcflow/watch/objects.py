"""Objects of a bucket that is watched: the folders that can still grow are listed, and what is in them is compared with
what was read. A place is a set of identities, never a key or a time: keys of several flow logs do not come in order."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Callable, NamedTuple

from .. import _core
from .._words import count
from ..errors import NoRecordsError, SourceNotFoundError
from ..io.aws import Connection, S3Url
from ..io.aws.fetcher import FetchError
from ..io.aws.identity import identity
from ..io.aws.layout import Selection
from ..io.aws.listing import Listing, list_logs
from ..io.aws.pool import the_pool
from ..io.aws.reading import FetchedUrl
from .memory import Memory
from .store import Store

if TYPE_CHECKING:
    from ..io.aws.bucket import Bucket, S3Object

LATENESS = 2 * 3600  # seconds for which a folder can grow after its time
_DAY = 86400
_AUDIT = 3600  # seconds between looks at the folders of all days that are kept
_ROOM = 3 * _DAY  # in which no identity is forgotten beside what is listed
_BATCH_OBJECTS, _BATCH_BYTES = 1000, 64 << 20


class Object(NamedTuple):
    """An object that was fetched."""

    path: FetchedUrl
    id: bytes
    day: int | None
    modified: float
    late: bool


class Objects:
    """The flow logs below an S3 URL. ``since``: what a new state begins with. ``keep``: for how many days objects that
    come late are found. ``log`` gets a line about what cannot be fetched, and what comes late."""

    def __init__(
        self, store: Store, source: str, connection: Connection, since: str | None, keep: int,
        log: Callable[[str], None], clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store, self._url, self._connection = store, S3Url.of(source), connection
        self._since, self._keep, self._log, self._clock = since, keep, log, clock
        self._memory = Memory(store, source, since)
        self._began, self._floor, self._audit = 0.0, 0.0, False  # of the last look
        self._told: dict[str, str] = {}  # errors that were logged
        self._late = 0
        self._failed_from = math.inf  # when the first object begins that did not come
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}

    @functools.cached_property
    def _bucket(self) -> Bucket:
        from ..io.aws.bucket import Bucket

        return Bucket(self._url.bucket, self._connection)

    def begin(self) -> None:
        self._memory.check_since(f" ({_MEANINGS})")
        with self._store.transaction():
            self._memory.begin()
            if self._memory.mark("since") is None:
                self._memory.set_mark("since", self._since)
                self._memory.set_mark("from", self._memory.first_time(int(self._clock())))

    def batches(self, own: set[str]) -> Iterator[Sequence[Object]]:
        self._began, self.failed, self._late = self._clock(), {}, 0
        self._failed_from = math.inf
        listing = self._listed()
        self.seen = len(listing.objects)
        ids = {entry.key: _identity(self._url.bucket, entry) for entry in listing.objects}
        if self._memory.mark("looked") is None and self._memory.mark("since") == "now":
            with self._store.transaction():
                self._memory.record_known([(ids[entry.key], _day_of(entry)) for entry in listing.objects])
            self._log(f"{self._url}: begins now; what is there already is not read (--since now)")
            return
        done = self._memory.settled(ids.values())
        new = [entry for entry in listing.objects if ids[entry.key] not in done]
        for batch in _batches(new):
            fetched = self._fetched(batch, ids)
            if fetched:
                yield fetched

    def _listed(self) -> Listing:
        looked, audited, first = (self._memory.mark(name) for name in ("looked", "audited", "from"))
        floors = [] if first is None else [first]
        if looked is not None:
            self._audit = audited is None or self._began - audited >= _AUDIT
            kept = self._began - self._keep * _DAY
            floors.append(min(looked - LATENESS, kept) if self._audit else looked - LATENESS)
        self._floor = max(floors, default=0)
        selection = Selection(int(self._floor)) if floors else Selection()
        try:
            return list_logs(self._bucket, self._url, selection, the_pool())
        except (NoRecordsError, SourceNotFoundError):  # nothing in the time that is looked at
            if looked is None and self._memory.mark("since") != "now":
                raise
            return Listing(str(self._url))

    def _fetched(self, batch: Sequence[S3Object], ids: dict[str, bytes]) -> list[Object]:
        """Fetches some objects, all at once. Those that fail are tried again in the next look."""
        pool, fetcher = the_pool(), self._bucket.fetcher
        asked = [
            pool.future(functools.partial(pool.fetched, functools.partial(fetcher.get, entry.key, entry.etag)))
            for entry in batch
        ]
        out = []
        for entry, waiting in zip(batch, asked):
            url = self._bucket.url(entry.key)
            try:
                data = bytes(waiting.result())
            except FetchError as error:
                self._fail(url, ids[entry.key], entry, error)
                continue
            self._told.pop(url, None)
            late = self._is_late(entry)
            self._late += late
            out.append(Object(FetchedUrl.with_data(url, data), ids[entry.key], _day_of(entry), entry.modified, late))
        return out

    def _fail(self, url: str, id: bytes, entry: S3Object, error: FetchError) -> None:
        """Records that an object did not come. It is tried again in each look, until it is older than what is kept."""
        if error.gone:  # the next listing has it no more
            self._log(f"{url}: {error}; not read")
            return
        old = entry.modified < self._began - self._keep * _DAY
        with self._store.transaction():
            given_up = self._memory.record(id, _day_of(entry), str(error), give_up=old)
        if given_up:
            self._log(f"{url}: {error}; given up")
            return
        self.failed[url] = str(error)
        begin = _window(entry)[0]
        if begin is not None:
            self._failed_from = min(self._failed_from, begin)
        if self._told.get(url) != str(error):
            self._told[url] = str(error)
            self._log(f"{url}: {error}; will be retried")

    def _is_late(self, entry: S3Object) -> bool:
        """Tells whether an object came after its folder was taken to be complete."""
        looked = self._memory.mark("looked")
        end = _window(entry)[1]
        return looked is not None and end is not None and end + LATENESS < looked

    def record(self, found: Object, error: str | None) -> None:
        done = self._memory.record(found.id, found.day, error)
        if error is not None:
            self._log(f"{found.path}: {error}; {'given up' if done else 'will be retried'}")
        else:
            self._memory.count("objects")
            self._memory.raise_mark("newest", int(found.modified))
            self._memory.count("late-objects", int(found.late))

    def committed(self) -> None:
        pass

    def finished(self) -> None:
        if self._late:
            total = self._memory.mark("late-objects")
            self._log(
                f"{self._url}: {count(self._late, 'object')} came more than 2 hours after the time in the name; they "
                f"were read (late-objects: {total:,} in all)"
            )
        with self._store.transaction():
            self._memory.set_mark("looked", min(self._began, self._failed_from))
            if self._audit or self._memory.mark("audited") is None:
                self._memory.set_mark("audited", self._began)
            self._memory.forget(int(self._floor) - _ROOM)


_MEANINGS = "what comes from now on, or of the last day, too, or everything"


def _identity(bucket: str, entry: S3Object) -> bytes:
    """Returns the identity of an object, the same as by the messages of a queue."""
    return identity(bucket, entry.key, entry.etag.strip('"'), entry.size)


def _window(entry: S3Object) -> tuple[int | None, int | None]:
    path = _core.Source.data(entry.key, b"").object_path
    return path["begin"], path["end"]


def _day_of(entry: S3Object) -> int | None:
    """Returns the first second of the day in an object's name; ``None`` for one without, which is never forgotten."""
    begin = _window(entry)[0]
    return None if begin is None else begin // _DAY * _DAY


def _batches(objects: Sequence[S3Object]) -> Iterator[list[S3Object]]:
    """Cuts objects into parts that are counted together."""
    part: list[S3Object] = []
    size = 0
    for entry in objects:
        if part and (len(part) == _BATCH_OBJECTS or size + entry.size > _BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part
