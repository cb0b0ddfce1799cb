"""Parquet in S3: small objects come as a whole, some ahead of the scan; of large ones the end, where the footer is, and
then the columns that a query reads."""

from __future__ import annotations

import bisect
import io
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from ...errors import SourceError
from .bucket import Bucket, S3Object
from .fetcher import Buffer, FetchError
from .pool import Pool
from .session import MOST_REQUESTS

_SMALL = 4 << 20  # bytes of an object that comes as a whole
_END = 64 << 10  # bytes that are read for the footer
_GAP = 1 << 20  # between ranges that are asked for together
_LONGEST = 8 << 20  # of one request
_AHEAD_BYTES = 256 << 20


class Tables:
    """The objects of a scan that are tables, in its order. When one is opened, the next ones are asked for."""

    def __init__(self, bucket: Bucket, entries: Sequence[S3Object], pool: Pool) -> None:
        self.tables = [StoredTable(self, number, bucket, entry, pool) for number, entry in enumerate(entries)]

    def begin(self, number: int) -> None:
        """Asks for the first bytes that are read of a table, and of those after it."""
        size = 0
        for table in self.tables[number : number + MOST_REQUESTS]:
            size += min(table.entry.size, _SMALL)
            if size > _AHEAD_BYTES:
                break
            table.begin()


class StoredTable:
    """An object that pyarrow reads as a file. Any thread may open it."""

    def __init__(self, tables: Tables, number: int, bucket: Bucket, entry: S3Object, pool: Pool) -> None:
        self._tables, self._number, self._bucket, self._pool = tables, number, bucket, pool
        self.entry = entry
        self._lock = threading.Lock()
        self._first: Future[tuple[int, Buffer]] | None = None  # all of it, or its end, with the place

    def begin(self) -> None:
        """Asks for the whole object, or its end."""
        size = self.entry.size
        start = 0 if size <= _SMALL else max(0, size - _END)
        with self._lock:
            if self._first is None:
                self._first = self._pool.future(lambda: (start, self._get(start, size)))

    def release(self) -> None:
        """Forgets the bytes that :meth:`begin` asked for."""
        with self._lock:
            self._first = None

    def open(self, ranges: Iterable[tuple[int, int]] = ()) -> Any:
        """Opens the object for pyarrow. ``ranges``: the bytes [start, end) that will be read of it."""
        import pyarrow

        self._tables.begin(self._number)
        self.begin()
        with self._lock:
            first = self._first
        assert first is not None
        try:
            start, data = first.result()
            parts = [(start, data)]
            if start:
                asked = [self._part(*one) for one in _together(ranges, start)]
                parts = [*(part.result() for part in asked), *parts]
        except FetchError as error:
            raise SourceError(f"{self._bucket.url(self.entry.key)}: {error}") from None
        return pyarrow.PythonFile(_File(parts, self.entry.size, self._get), mode="r")

    def _part(self, start: int, end: int) -> Future[tuple[int, Buffer]]:
        return self._pool.future(lambda: (start, self._get(start, end)))

    def _get(self, start: int, end: int) -> Buffer:
        key, etag, fetcher = self.entry.key, self.entry.etag, self._bucket.fetcher
        whole = (start, end) == (0, self.entry.size)
        return self._pool.fetched(lambda: fetcher.get(key, etag) if whole else fetcher.get_range(key, start, end, etag))


def _together(ranges: Iterable[tuple[int, int]], until: int) -> list[tuple[int, int]]:
    """Joins ranges that lie near each other, and cuts long ones into several requests.

    >>> _together([(0, 10), (20, 30), (5 << 20, (5 << 20) + 1)], 6 << 20)
    [(0, 30), (5242880, 5242881)]
    """
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        end = min(end, until)
        if start >= end:
            continue
        if joined and start - joined[-1][1] <= _GAP:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(at, min(at + _LONGEST, end)) for start, end in joined for at in range(start, end, _LONGEST)]


class _File(io.RawIOBase):
    """A file of which some parts are in memory; what is not is asked for when it is read."""

    def __init__(self, parts: Iterable[tuple[int, Buffer]], size: int, get: Any) -> None:
        self._parts = sorted(((start, memoryview(data)) for start, data in parts), key=lambda part: part[0])
        self._starts = [start for start, _ in self._parts]
        self._size, self._get = size, get
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._place + size, self._size)
        pieces = []
        while self._place < end:
            pieces.append(self._some(end))
            self._place += len(pieces[-1])
        return pieces[0].tobytes() if len(pieces) == 1 else b"".join(pieces)

    def _some(self, end: int) -> memoryview:
        """Bytes from the place on, not beyond ``end``: up to where the part that has them ends, or the next begins."""
        number = bisect.bisect_right(self._starts, self._place) - 1
        if number >= 0:
            start, data = self._parts[number]
            found = data[self._place - start : end - start]
            if found:
                return found
        if number + 1 < len(self._starts):
            end = min(end, self._starts[number + 1])
        try:
            return memoryview(self._get(self._place, end))
        except FetchError as error:
            raise OSError(str(error)) from None
