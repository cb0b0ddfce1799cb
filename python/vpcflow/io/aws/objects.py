"""Objects of S3 as sources of the engine: small ones come as a whole, large ones in ranges, Parquet by what is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

from ... import _core
from ...errors import DataLossError
from .bucket import Bucket, S3Object
from .fetcher import Buffer, FetchError
from .pool import Pool, the_pool

_LARGE = 64 << 20  # bytes, from which on an object is read in ranges
_RANGE = 8 << 20
_RANGES_AHEAD = 4


def text_source(bucket: Bucket, entry: S3Object, pool: Pool) -> _core.Source:
    """Returns the source of an object of text, packed or not."""
    name = bucket.url(entry.key)
    if entry.size > _LARGE:
        return _core.Source.reopened(name, lambda: _Ranges(bucket, entry, pool))

    def fetch(delivery: _core.Delivery) -> None:
        pool.submit(lambda: _deliver(delivery, bucket, entry, pool))

    return _core.Source.deferred(name, entry.size, fetch, entry.etag)


def ranges(bucket: Bucket, entry: S3Object) -> Iterator[bytes]:
    """Yields the bytes of a large object, of the version that was listed."""
    read = _Ranges(bucket, entry, the_pool())
    while data := read(_RANGE):
        yield data


def _deliver(delivery: _core.Delivery, bucket: Bucket, entry: S3Object, pool: Pool) -> None:
    if not delivery.wanted:
        return
    try:
        data = pool.fetched(lambda: bucket.fetcher.get(entry.key, entry.etag))
    except FetchError as error:
        delivery.fail(str(error), gone=error.gone)
    except BaseException as error:
        delivery.fail(f"{type(error).__name__}: {error}")
    else:
        delivery.deliver(data)


class _Ranges:
    """read(size) of a large object: ranges of one version of it, some ahead of the reader."""

    def __init__(self, bucket: Bucket, entry: S3Object, pool: Pool) -> None:
        self._bucket, self._entry, self._pool = bucket, entry, pool
        self._next = 0  # the first byte that is not asked for
        self._ahead: deque[Future[Buffer]] = deque()
        self._rest = memoryview(b"")

    def __call__(self, size: int) -> bytes:
        if not self._rest:
            self._ask()
            if not self._ahead:
                return b""
            try:
                self._rest = memoryview(self._ahead.popleft().result())
            except FetchError as error:
                raise DataLossError(f"{self._bucket.url(self._entry.key)}: {error}") from None
            self._ask()
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return data

    def _ask(self) -> None:
        while self._next < self._entry.size and len(self._ahead) < _RANGES_AHEAD:
            end = min(self._next + _RANGE, self._entry.size)
            self._ahead.append(self._pool.future(lambda start=self._next, end=end: self._get(start, end)))  # type: ignore[misc]
            self._next = end

    def _get(self, start: int, end: int) -> Buffer:
        entry = self._entry
        return self._pool.fetched(lambda: self._bucket.fetcher.get_range(entry.key, start, end, entry.etag))
