"""A queue that is watched: messages that tell of new objects. An object is fetched outside of any transaction, counted
and marked in one, and its message deleted last: whatever comes again was marked, and is only deleted."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Callable, NamedTuple

from .. import _core
from .._words import count
from ..io.aws import Connection
from ..io.aws.events import Announced, parse
from ..io.aws.fetcher import FetchError
from ..io.aws.identity import identity
from ..io.aws.pool import the_pool
from ..io.aws.reading import FetchedUrl
from ..io.aws.sqs import Queue, Received
from .memory import RETRIES, Memory
from .store import Store

if TYPE_CHECKING:
    from ..io.aws.bucket import Bucket

_BATCH_MESSAGES, _BATCH_BYTES = 100, 64 << 20
_MEMORY = 15 * 86400  # seconds; a queue keeps messages for 14 days at most


class QueuedObject(NamedTuple):
    """An object that was fetched."""

    path: FetchedUrl
    id: bytes


class _Pending:
    """A message in hand, and which of its objects are not settled."""

    def __init__(self, message: Received) -> None:
        self.message = message
        self.open: set[bytes] = set()
        self.failed = ""  # why it is kept


class Messages:
    """The objects that the messages of a queue tell of. ``log`` gets a line about what cannot be read."""

    def __init__(
        self, store: Store, source: str, connection: Connection, log: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store, self._source, self._connection = store, source, connection
        self._log, self._clock = log, clock
        self._memory = Memory(store, source)
        self._buckets: dict[str, Bucket] = {}
        self._pending: list[_Pending] = []
        self._foreign = 0
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}

    @functools.cached_property
    def _queue(self) -> Queue:
        return Queue(self._source, self._connection, self._log)

    def begin(self) -> None:
        if not self._queue.has_dead_letters():
            self._log(
                f"{self._source}: the queue has no dead-letter queue; messages that nobody can read stay in it for as "
                "long as it keeps messages"
            )
        with self._store.transaction():
            self._memory.begin()

    def batches(self, own: set[str]) -> Iterator[Sequence[QueuedObject]]:
        self.seen, self._foreign, self.failed = 0, 0, {}
        self._pending = []
        try:
            more = True
            while more:
                fetched: dict[bytes, QueuedObject] = {}
                while more and len(self._pending) < _BATCH_MESSAGES and _size(fetched) < _BATCH_BYTES:
                    got = self._queue.receive()
                    self.seen += len(got)
                    fetched.update((found.id, found) for found in self._take(got))
                    more = bool(got)
                if fetched:
                    yield list(fetched.values())
                else:
                    self.committed()
        finally:
            self._queue.release(pending.message for pending in self._pending)
            self._pending = []

    def _take(self, messages: Sequence[Received]) -> Iterator[QueuedObject]:
        """Fetches what messages tell of, and was not read before."""
        asked = []
        for message in messages:
            pending = _Pending(message)
            self._pending.append(pending)
            said = parse(message.body)
            if said.test:
                self._log(f"{self._source}: S3's test message: notifications are set up")
            if said.unknown:
                pending.failed = f"message {message.id}: {said.unknown}"
            for announced in filter(self._is_new, said.objects):
                get = functools.partial(self._bucket(announced.bucket).fetched, announced.keys, announced.etag)
                asked.append((pending, announced, the_pool().future(get)))
        for pending, announced, waiting in asked:
            try:
                key, data = waiting.result()
            except FetchError as error:
                self._fail(f"s3://{announced.bucket}/{announced.keys[0]}", error, pending)
                continue
            id = _identity(announced, key)
            pending.open.add(id)
            yield QueuedObject(FetchedUrl.with_data(f"s3://{announced.bucket}/{key}", data), id)

    def _is_new(self, announced: Announced) -> bool:
        if _is_foreign(announced.keys[0]):
            self._foreign += 1
            return False
        return not self._memory.settled(_identity(announced, key) for key in announced.keys)

    def _fail(self, url: str, error: FetchError, pending: _Pending) -> None:
        if error.gone or error.replaced:
            self._log(f"{url}: {error}; its message is deleted")
        else:
            pending.failed = f"{url}: {error}"
            self.failed[url] = str(error)

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            from ..io.aws.bucket import Bucket

            self._buckets[name] = Bucket(name, self._connection)
        return self._buckets[name]

    def record(self, found: QueuedObject, error: str | None) -> None:
        day = int(self._clock())
        done = self._memory.record(found.id, day, error)
        if error is None:
            self._memory.count("objects")
        else:
            self._log(f"{found.path}: {error}; {'given up' if done else 'will be retried'}")
        for pending in self._pending:
            if found.id in pending.open and error is not None and not done:
                pending.failed = f"{found.path}: {error}"

    def committed(self) -> None:
        """Deletes the messages whose objects are settled, and leaves the others to come again, or to be moved to the
        dead-letter queue."""
        kept = [pending for pending in self._pending if pending.failed]
        self._queue.delete(pending.message for pending in self._pending if not pending.failed)
        self._queue.leave(pending.message for pending in kept)
        for pending in kept:
            message = pending.message
            if message.receives >= RETRIES:
                self._quarantine(message.id, pending.failed)
            elif message.receives == 1:
                self._log(f"{self._source}: {pending.failed}; the message stays in the queue")
        self._pending = []

    def _quarantine(self, id: str, why: str) -> None:
        """Notes why a message is never read; the queue moves it to its dead letters."""
        with self._store.transaction():
            made = self._store.execute(
                "insert or ignore into quarantine values (?, ?, ?)", (id, why, self._clock())
            ).rowcount
        if made:
            self._log(f"{self._source}: {why}; received {RETRIES} times: in quarantine, left to the dead-letter queue")

    def finished(self) -> None:
        if self._foreign:
            self._log(f"{self._source}: {count(self._foreign, 'message')} of objects that are no flow logs; deleted")
        with self._store.transaction():
            self._memory.count("foreign-objects", self._foreign)
            self._memory.forget(int(self._clock()) - _MEMORY)


def _size(fetched: dict[bytes, QueuedObject]) -> int:
    return sum(found.path.size for found in fetched.values())


def _identity(announced: Announced, key: str) -> bytes:
    """Returns the identity of an object, the same as by a listing."""
    return identity(announced.bucket, key, announced.etag, announced.size)


def _is_foreign(key: str) -> bool:
    """Tells whether an object is no flow log by its key."""
    return key.endswith("/") or bool(_core.why_no_flow_log(key))
