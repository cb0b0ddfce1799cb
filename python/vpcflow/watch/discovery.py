"""Discovery of new files in a folder that is watched."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, NamedTuple, Protocol

from ..errors import SourceNotFoundError
from .store import Store

_SHOWN = 3  # files in a line
_SUFFIXES = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal")  # of states


class File(NamedTuple):
    """A file as it was seen: its path, bytes, and time of change in nanoseconds."""

    path: str
    size: int
    mtime: int


class Found(Protocol):
    """Something new to read: a file, an object, events."""

    @property
    def path(self) -> str:
        """What :func:`vpcflow.scan` takes, and what errors name."""
        ...


class Discovery(Protocol):
    """Where a watch finds what is new."""

    young: list[str]  # of the last look: what has not settled
    seen: int  # how much there is, new or not
    failed: dict[str, str]  # what could not be fetched, and why; it is tried again

    def begin(self) -> None:
        """Checks the place against the state, which is open now. Raises :class:`~vpcflow.VpcflowError` for a place that
        cannot be followed."""
        ...

    def batches(self, own: set[str]) -> Iterator[Sequence[Found]]:
        """Yields what is new, in parts that are counted in one transaction each. ``own``: real paths to leave out."""
        ...

    def record(self, found: Any, error: str | None) -> None:
        """Records, within the transaction of a batch, that something was read, or why it could not be."""
        ...

    def committed(self) -> None:
        """Says that the transaction of the last batch has been committed."""
        ...

    def finished(self) -> None:
        """Says that all batches of a look have been."""
        ...


class Files:
    """The files of a folder, with all below it, or of a pattern, and which of them were read.

    A file is new until it was read, or given up after :attr:`RETRIES` failures. It is settled when it has not changed
    for ``settle`` seconds, or since the last look. ``log`` gets a line for each file that changed after it was read.
    ``table``: where it is kept what was read.
    """

    RETRIES = 5

    def __init__(
        self, store: Store, source: str, settle: float, log: Callable[[str], None], table: str = "files"
    ) -> None:
        self._store, self._source, self._settle, self._log, self._table = store, source, settle, log, table
        self._last: dict[str, tuple[int, int]] = {}
        self._changed: set[str] | None = None  # files that were changed after they were read, as logged
        #: Of the last look: files that are not settled, and how many files there are.
        self.young: list[str] = []
        self.seen = 0
        self.failed: dict[str, str] = {}

    def begin(self) -> None:
        check_source(self._source)

    def batches(self, own: set[str]) -> Iterator[list[File]]:
        check_source(self._source)
        new = list(self.new_files(own))
        if new:
            yield new

    def committed(self) -> None:
        pass

    def finished(self) -> None:
        pass

    def new_files(self, own: set[str]) -> Iterator[File]:
        """Yields the files that are new and settled, in the order of their paths. ``own``: real paths to leave out."""
        known = {
            path: (size, mtime, done)
            for path, size, mtime, done in self._store.execute(f"select path, size, mtime, done from {self._table}")
        }
        self.young, self.seen = [], 0
        changed: list[str] = []
        for path in sorted(_files(self._source, self._log)):
            if path.endswith(_SUFFIXES) or os.path.realpath(path) in own:
                continue
            try:
                status = os.stat(path)
            except OSError:
                continue  # gone
            if not stat.S_ISREG(status.st_mode):
                continue  # a FIFO would be waited for
            self.seen += 1
            now = (status.st_size, status.st_mtime_ns)
            if path in known and known[path][2]:
                if known[path][:2] != now:
                    changed.append(path)
                continue
            settled = self._last.get(path) == now or time.time() - status.st_mtime >= self._settle
            self._last[path] = now
            if settled:
                yield File(path, *now)
            else:
                self.young.append(path)
        self._tell(changed)

    def _tell(self, changed: Sequence[str]) -> None:
        """Logs which files were changed after they were read, each once, and keeps how many for the status."""
        told = self._changed or set()
        new = [path for path in changed if path not in told]
        if new:
            shown, more = ", ".join(new[:_SHOWN]), f" and {len(new) - _SHOWN:,} more" if len(new) > _SHOWN else ""
            self._log(f"{shown}{more}: changed after {'it was' if len(new) == 1 else 'they were'} read; what is new in "
                      f"{'it' if len(new) == 1 else 'them'} is not read")  # fmt: skip
        if self._table == "files" and (self._changed is None or len(changed) != len(self._changed)):
            with self._store.transaction():
                self._store.execute("insert or replace into marks values ('changed', ?)", (len(changed),))
        self._changed = set(changed)

    def record(self, file: File, error: str | None) -> None:
        """Records that a file was read, or why it could not be; the last failure of :attr:`RETRIES` gives it up."""
        failures = 0
        if error is not None:
            row = self._store.execute(f"select failures from {self._table} where path = ?", (file.path,)).fetchone()
            failures = 1 + (row[0] if row is not None else 0)
            given_up = "; given up" if failures >= self.RETRIES else "; will be retried"
            self._log(f"{file.path}: {error}{given_up}")
        done = error is None or failures >= self.RETRIES
        self._store.execute(f"insert or replace into {self._table} values (?, ?, ?, ?, ?)", (*file, failures, done))


def check_source(source: str) -> None:
    """Raises :class:`~vpcflow.SourceNotFoundError` unless there is a folder to follow."""
    folder = re.split(r"[*?\[]", source)[0]
    if os.path.exists(source):
        return
    if folder == source or not os.path.isdir(os.path.dirname(folder) or "."):
        raise SourceNotFoundError(f"{source}: no such folder")


def _files(source: str, log: Callable[[str], None]) -> Iterable[str]:
    if not os.path.isdir(source):
        import glob  # a pattern

        yield from (path for path in glob.glob(source, recursive=True) if os.path.isfile(path))
        return

    def unreadable(error: OSError) -> None:
        log(f"{error.filename}: {error.strerror}; its files are not read")

    for folder, _, names in os.walk(source, onerror=unreadable):
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))
