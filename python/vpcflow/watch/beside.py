"""Events beside the logs of a watch: files of a folder, or objects of a bucket, each read once."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ..correlate.events import Event
from ..correlate.sources import load_events
from ..errors import ArgumentError, VpcflowError
from ..io.aws import Connection, S3Url, is_aws_url
from ..io.aws.fetcher import FetchError
from ..io.aws.pool import the_pool
from ..io.aws.url import scheme_of
from .correlating import Correlating, WatchedCorrelation
from .discovery import File, Files, check_source
from .kept import Sifted
from .reading import why
from .store import Store

if TYPE_CHECKING:
    from ..io.aws.bucket import Bucket, S3Object

_TABLE = "event_files"
_TOGETHER = 50  # files that are read in one transaction
_DAY = 86400
_DATED = re.compile(r"/(\d{4})/(?:(\d{2})/(?:(\d{2})/)?)?$")  # a year, a month, a day
_LEFT_OUT = ("-Digest/", "CloudTrail-Insight/")  # folders of a trail with other documents


class _Read(NamedTuple):
    """What a file had; ``error``: why it could not be read."""

    events: Sifted
    changes: list[Any]
    notes: Sequence[str]
    error: str | None = None


class Beside:
    """The events of one source, of :data:`~vpcflow.watch.correlating.BESIDE`, at a place."""

    def __init__(
        self, store: Store, source: str, place: str, settings: Correlating, correlation: WatchedCorrelation,
        settle: float, connection: Connection, log: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._store, self._source, self._settings, self._correlation = store, source, settings, correlation
        self._files = Files(store, place, settle, log, _TABLE)
        self._objects: _Objects | None = None
        if is_aws_url(place):
            if scheme_of(place) != "s3":
                raise ArgumentError(f"{place}: events come of a folder or s3://")
            self._objects = _Objects(store, place, connection, correlation.held, settings.clock)
        else:
            check_source(place)

    @property
    def young(self) -> list[str]:
        """The files that have not settled."""
        return self._files.young

    def poll(self, own: set[str]) -> dict[str, str]:
        """Reads what is new. Returns what could not be read, and why."""
        failed: dict[str, str] = {}
        new = list(self._objects.new() if self._objects is not None else self._files.new_files(own))
        for begin in range(0, len(new), _TOGETHER):
            part = new[begin : begin + _TOGETHER]
            read = self._objects.read(part, self._read) if self._objects is not None else map(self._whole, part)
            whole = list(read)
            with self._store.transaction():
                for file, got in zip(part, whole):
                    if got.error is not None:
                        failed[file.path] = got.error
                    else:
                        self._correlation.add(got.events, got.changes, got.notes)
                    self._files.record(file, got.error)
        return failed

    def _whole(self, file: File) -> _Read:
        return self._read(file.path, file.path)

    def _read(self, path: str, shown: str) -> _Read:
        """Reads a file whose events name ``shown`` as their place."""
        changes: list[Any] = []
        try:  # files without events are usual: digests, and calls that nobody reads
            events, notes = load_events(path, self._source, changes, self._settings.mapping, allow_empty=True)
        except VpcflowError as error:
            return _Read(Sifted([], {}), [], (), why(error, path, shown))
        placed = (event if path == shown else _placed(event, path, shown) for event in events)
        return _Read(
            self._correlation.sifted(placed), changes, [note.replace(path, shown) for note in notes]
        )  # fmt: skip


def _placed(event: Event, path: str, shown: str) -> Event:
    key = event.key.replace(path, shown) if event.key.startswith(path) else event.key
    return dataclasses.replace(event, ref=event.ref.replace(path, shown), key=key)


class _Objects:
    """Objects below a URL that are new. Folders of days before what is held are not listed, where names say the day."""

    def __init__(
        self, store: Store, place: str, connection: Connection, held: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._url, self._connection = store, S3Url.of(place), connection
        self._held, self._clock = held, clock

    @functools.cached_property
    def _bucket(self) -> Bucket:
        from ..io.aws.bucket import Bucket

        return Bucket(self._url.bucket, self._connection)

    def new(self) -> Iterator[File]:
        """Yields objects that were not read, in the order of their keys."""
        known = {
            (path, size, mtime)
            for path, size, mtime in self._store.execute(f"select path, size, mtime from {_TABLE} where done")
        }
        for entry in sorted(self._listed(), key=lambda one: one.key):
            file = File(self._bucket.url(entry.key), entry.size, int(entry.modified * 1_000_000_000))
            if file not in known and not entry.key.endswith("/") and not entry.archived and entry.size:
                yield file

    def _listed(self) -> Iterator[S3Object]:
        """Yields the objects of all folders that can hold what is asked for."""
        key = self._url.key
        open_, first = [key], True
        while open_:
            pages = list(the_pool().map([functools.partial(self._bucket.folder, folder) for folder in open_]))
            for page in pages:
                yield from page.objects
            folders = [folder for page in pages for folder in page.folders if self._may_hold(folder)]
            if first and key and not key.endswith("/"):  # a folder, given without the last slash
                folders = [folder for folder in folders if folder == f"{key}/"] or folders
            open_, first = folders, False

    def _may_hold(self, folder: str) -> bool:
        if any(part in folder for part in _LEFT_OUT):
            return False
        dated = _DATED.search(folder)
        end = None if dated is None else _end(*(int(part) for part in dated.groups() if part is not None))
        return end is None or end + _DAY > self._oldest

    @property
    def _oldest(self) -> float:
        """The time before which nothing is asked for: by what the logs have come to, which may be long ago."""
        query = "select min(end) from facts where kind = 'span' and name = 'flows'"
        (newest,) = self._store.execute(query).fetchone()
        now = self._clock()
        return (now if newest is None else min(now, float(newest))) - self._held

    def read(self, files: Sequence[File], reader: Callable[[str, str], _Read]) -> Iterator[_Read]:
        """Fetches objects, all at once, and reads each."""
        pool, fetcher = the_pool(), self._bucket.fetcher
        root = len(self._bucket.url(""))
        asked = [
            pool.future(functools.partial(pool.fetched, functools.partial(fetcher.get, file.path[root:], "")))
            for file in files
        ]
        with tempfile.TemporaryDirectory(prefix="vpcflow-") as folder:
            for file, waiting in zip(files, asked):
                try:
                    data = bytes(waiting.result())
                except FetchError as error:
                    yield _Read(Sifted([], {}), [], (), str(error))
                    continue
                path = os.path.join(folder, re.sub(r"[^\w.\-]", "_", file.path.rpartition("/")[2])[-200:] or "object")
                with open(path, "wb") as out:
                    out.write(data)
                yield reader(path, file.path)
                os.unlink(path)


def _end(year: int, month: int = 12, day: int = 0) -> float | None:
    """Returns the first second behind a year, a month or a day; nothing for what is none."""
    try:
        last = datetime.date(year, month, day or 28) + datetime.timedelta(1 if day else 4)
        first = last if day else last.replace(day=1)
        return datetime.datetime(first.year, first.month, first.day, tzinfo=datetime.timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
