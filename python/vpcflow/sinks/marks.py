"""What was sent: marks of chunks in a SQLite file, by which a restart goes on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterable

from ..errors import OutputError, RuleError
from ..io.writing import check_writable

_APPLICATION = 0x76667364  # "vfsd", by which a file is known as a state of sending
VERSION = 1
_PATIENCE = 10.0  # seconds that another process may have the file
_CREATE = "create table sent (target blob, chunk blob, events integer, primary key (target, chunk)) without rowid"


class Marks:
    """The chunks that ``target`` has settled: all their events accepted or dead. Chunks are known by their events, so
    what is added to a source or goes from it does not matter. Of one process, and one thread at a time."""

    def __init__(self, path: str | os.PathLike[str], target: str) -> None:
        self._path = os.fspath(path)
        self._target = hashlib.sha256(target.encode()).digest()[:16]
        check_writable(self._path)
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=_PATIENCE, check_same_thread=False)
        except sqlite3.OperationalError as e:
            raise OutputError(f"{self._path}: the state cannot be written: {e}") from None
        try:
            self._open()
        except sqlite3.OperationalError as e:  # mostly because of the lock: else both would send the same
            hint = "if another vpcflow send uses it, try again when it has ended"
            raise OutputError(f"{self._path}: the state cannot be used: {e}; {hint}") from None
        except sqlite3.Error as e:
            raise RuleError(f"{self._path}: not a state of vpcflow send: {e}") from None

    def _open(self) -> None:
        db = self._db
        db.execute("pragma locking_mode = exclusive")
        tables = db.execute("select count(*) from sqlite_master").fetchone()[0]
        application, version = (db.execute(f"pragma {n}").fetchone()[0] for n in ("application_id", "user_version"))
        if tables and application != _APPLICATION:
            db.close()
            raise RuleError(f"{self._path}: not a state of vpcflow send: a database of another program")
        if tables and version != VERSION:
            db.close()
            raise RuleError(f"{self._path}: written by another version of vpcflow; give another --state")
        db.executescript("pragma journal_mode = wal; pragma synchronous = full;")
        if not tables:
            for step in ("begin immediate", _CREATE, f"pragma application_id = {_APPLICATION}",
                         f"pragma user_version = {VERSION}", "commit"):  # fmt: skip
                db.execute(step)
        db.execute("begin immediate")
        db.execute("commit")

    def has(self, chunk: bytes) -> bool:
        """Returns whether a chunk is settled."""
        query = "select 1 from sent where target = ? and chunk = ?"
        return self._db.execute(query, (self._target, chunk)).fetchone() is not None

    def add(self, chunk: bytes, events: int) -> None:
        """Marks a chunk as settled. It is on the disk when this returns."""
        try:
            self._db.execute("insert or ignore into sent values (?, ?, ?)", (self._target, chunk, events))
        except sqlite3.Error as e:
            raise OutputError(f"{self._path}: the state cannot be written: {e}") from None

    def close(self) -> None:
        """Closes the file."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()


def chunk_id(events: Iterable[tuple[str, bytes]]) -> bytes:
    """Returns by what a chunk is known: a hash of its events, pairs of id and line, in their order. A session that has
    grown keeps its id, but not its line."""
    made = hashlib.sha256()
    for identity, line in events:
        made.update(b"%s\n%s\n" % (identity.encode("utf-8", "replace"), line))
    return made.digest()[:16]
