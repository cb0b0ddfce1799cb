"""Where objects lie: files and buckets, found by the same rules as a scan finds them, and their stored bytes."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import _core
from .._display import printable
from ..errors import ArgumentError, VpcflowError
from ..io.aws.fetcher import FetchError
from ..io.aws.layout import Selection
from ..io.aws.session import Connection
from ..io.aws.url import S3Url, is_aws_url, scheme_of

IN_MEMORY = 64 << 20  # bytes, up to which an object is read once, as a whole
_CHUNK = 1 << 20


class GoneError(Exception):
    """An object is not there."""


class UnreadableError(Exception):
    """An object cannot be read; the text says why."""


class Stored(NamedTuple):
    """An object where it lies. ``name``: as the path was given, or its URL. ``full``: its absolute path, or its URL."""

    name: str
    full: str
    size: int
    etag: str | None = None
    modified: int | None = None

    @property
    def place(self) -> str | None:
        """SHA-256 of the absolute path; ``None`` for a URL."""
        return None if is_aws_url(self.full) else hashlib.sha256(os.fsencode(self.full)).hexdigest()


class Files:
    """Files of this machine."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root = absolute(_before_pattern(path))

    def find(self, selection: Selection, without: str) -> tuple[list[Stored], list[str]]:
        """Returns the objects at the path that can hold what is asked for, but for those in the folder ``without``; and
        notes about what is left out."""
        sources, notes = _core.Source.expand(os.fsencode(self.path))
        if selection:
            sources = _core.Source.select(sources, selection.start, selection.end, [], [])
        names = _Names()
        found = []
        for source in sources:
            name = os.path.normpath(names.of(source.name))
            full = absolute(name)
            if without and os.path.realpath(full).startswith(without + os.sep):
                continue
            found.append(self._stored(name, full))
        return sorted(found, key=lambda one: os.fsencode(one.name)), list(notes)

    @staticmethod
    def _stored(name: str, full: str) -> Stored:
        try:
            there = os.stat(full)
        except OSError:
            return Stored(name, full, 0)
        return Stored(name, full, there.st_size, None, max(0, int(there.st_mtime)))

    def exists(self) -> bool:
        """Tells whether the path, or the folder above its pattern, is there."""
        return os.path.lexists(self.root)

    def at(self, full: str) -> Stored:
        """Returns the object of an absolute path, whether it is there or not."""
        return self._stored(full, full)

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """Yields the stored bytes. Raises :class:`GoneError` or :class:`UnreadableError`."""
        try:
            with open(os.open(stored.full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise UnreadableError("not a regular file")
                while data := file.read(_CHUNK):
                    yield data
        except (FileNotFoundError, NotADirectoryError):
            raise GoneError from None
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from None

    def version(self, stored: Stored) -> object:
        """Returns what is another one as soon as the object has other bytes."""
        try:
            there = os.stat(stored.full)
        except OSError:
            return None
        return there.st_size, there.st_mtime_ns, there.st_ino

    def scanned(self, stored: Stored) -> Any:
        """Returns what a scan takes for the object."""
        return stored.full


class Bucket:
    """Objects of a bucket."""

    def __init__(self, url: str, connection: Connection) -> None:
        from ..io.aws.bucket import Bucket as AwsBucket

        self.path, self._url = url, S3Url.of(url)
        self._bucket = AwsBucket(self._url.bucket, connection)
        self.root = _before_pattern(url).rstrip("/")
        self._entries: dict[str, Any] = {}

    def find(self, selection: Selection, without: str) -> tuple[list[Stored], list[str]]:
        """As :meth:`Files.find`."""
        from ..io.aws.listing import list_logs
        from ..io.aws.pool import the_pool

        listing = list_logs(self._bucket, self._url, selection, the_pool())
        found = []
        for entry in listing.objects:
            url = self._bucket.url(entry.key)
            self._entries[url] = entry
            found.append(Stored(url, url, entry.size, entry.etag or None, max(0, int(entry.modified))))
        return found, listing.notes()

    def exists(self) -> bool:
        """As :meth:`Files.exists`; a bucket has no folders that could be empty."""
        return False

    def at(self, full: str) -> Stored:
        """As :meth:`Files.at`."""
        return Stored(full, full, 0)

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """As :meth:`Files.chunks`, of the version that was listed."""
        from ..io.aws.bucket import S3Object
        from ..io.aws.objects import ranges

        key = S3Url.of(stored.full).key
        entry = self._entries.get(stored.full) or S3Object(key, 0, "", 0.0, False)
        try:
            if entry.size > IN_MEMORY:
                yield from ranges(self._bucket, entry)
            else:
                _, data = self._bucket.fetched([key], entry.etag.strip('"'))
                yield data
        except FetchError as error:
            if error.gone:
                raise GoneError from None
            raise UnreadableError(str(error)) from None
        except VpcflowError as error:
            raise UnreadableError(str(error)) from None

    def version(self, stored: Stored) -> object:
        """As :meth:`Files.version`; all is read of the version that was listed."""
        return stored.etag

    def scanned(self, stored: Stored) -> Any:
        """As :meth:`Files.scanned`."""
        from ..io.aws.reading import ListedUrl

        return ListedUrl.of(stored.full, self._entries[stored.full])


def store_of(path: str | os.PathLike[str], connection: Connection) -> Files | Bucket:
    """Returns where the objects of a path lie. Raises :class:`~vpcflow.ArgumentError` for what stores no objects."""
    name = os.fspath(path)
    if not isinstance(name, str):
        name = os.fsdecode(name)
    if not is_aws_url(name):
        if name == "-":
            raise ArgumentError(
                "manifest: standard input has no name to list; give a file, a folder, a pattern or s3://"
            )
        return Files(name)
    if scheme_of(name) != "s3":
        raise ArgumentError(
            f"manifest: {printable(name)}: holds no stored objects; give s3://BUCKET/PREFIX/, a file or a folder"
        )
    return Bucket(name, connection)


def absolute(name: str) -> str:
    """Returns the absolute path of a name that may be a URL.

    >>> absolute("s3://logs/a"), absolute("/var/log/../a")
    ('s3://logs/a', '/var/a')
    """
    return name if is_aws_url(name) else os.path.abspath(name)


def _before_pattern(path: str) -> str:
    """Returns the folder above the first part of a path that is a pattern; the path if none is, or it exists."""
    if not re.search(r"[*?\[]", path) or (not is_aws_url(path) and os.path.lexists(path)):
        return path
    plain = re.split(r"[*?\[]", path, maxsplit=1)[0]
    return plain.rpartition("/")[0] or ("/" if plain.startswith("/") else ".")


class _Names:
    """Names of files as the system has them: the engine shows those that are not UTF-8 with replacement characters."""

    def __init__(self) -> None:
        self._rest: dict[str, list[str]] = {}

    def of(self, shown: str) -> str:
        if "\ufffd" not in shown or os.path.lexists(shown):
            return shown
        if shown not in self._rest:
            self._rest[shown] = self._all(shown)
        return self._rest[shown].pop(0) if self._rest[shown] else shown

    @staticmethod
    def _all(shown: str) -> list[str]:
        found = [b"/"] if shown.startswith("/") else [b""]
        for part in filter(None, shown.split("/")):
            deeper = []
            for folder in found:
                try:
                    names = sorted(os.listdir(folder or b"."))
                except OSError:
                    continue
                deeper += [os.path.join(folder, name) for name in names if name.decode("utf-8", "replace") == part]
            if part in (".", ".."):
                deeper = [os.path.join(folder, part.encode()) for folder in found]
            found = deeper
        return [os.fsdecode(path) for path in found]
