"""Events that a sink never takes: a file of them, which can be sent again."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from ..errors import OutputError, SourceError
from ..io.writing import check_writable, open_to_append
from .sink import Piece

_ID = re.compile(r"[!-~]{1,256}")


class Dead(NamedTuple):
    """An event that was not taken, as the file has it."""

    id: str
    schema: str
    sink: str
    reason: str
    line: bytes


class Ids:
    """A set of ids, on the disk, as it may be one of all events of a log. Of one thread at a time."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # a file without a name
        self._db.execute("create table ids (id text primary key) without rowid")

    def add(self, identity: str) -> bool:
        """Adds an id. Returns whether it is new."""
        return self._db.execute("insert or ignore into ids values (?)", (identity,)).rowcount == 1

    def close(self) -> None:
        """Drops the set."""
        self._db.close()


class DeadLetters:
    """A file of JSON lines, one for each event that a sink did not take: ``id``, ``schema``, ``sink``, ``reason``,
    ``time``, ``event`` (``event_base64`` if it is no UTF-8). The file is made by the first of them. An event that the
    file has for the sink is not written again. While a replay takes from it, :meth:`add` waits. Of one thread at a
    time."""

    def __init__(self, path: str | os.PathLike[str], schema: str, sink: str) -> None:
        self.path = os.fspath(path)
        #: By which notes name it.
        self.shown = self.path
        self._schema, self._sink = schema, sink
        check_writable(self.path)
        self._device: IO[bytes] | None = None
        self._known: Ids | None = None
        if os.path.isfile(self.path):
            next(read_dead(self.path), None)  # a file of something else is an error at once

    def add(self, pieces: Iterable[tuple[Piece, str]]) -> None:
        """Appends events with their reasons, and syncs them. :class:`~vpcflow.OutputError` if that fails."""
        try:
            file, is_regular = self._opened()
            try:
                known = self._known = self._known or self._read()
                data = b"".join(self._line(piece, reason) for piece, reason in pieces if known.add(piece.id))
                while data:
                    data = data[file.write(data) :]
                if is_regular:
                    os.fsync(file.fileno())
            finally:
                if is_regular:
                    file.close()
        except OSError as e:
            if isinstance(e, OutputError):
                raise
            raise OutputError(f"{self.path}: cannot be written: {e.strerror}") from None

    def _opened(self) -> tuple[IO[bytes], bool]:
        """Returns the file, locked and at the begin of a line, or the device, and whether it is a file."""
        while self._device is None:
            file, is_regular = open_to_append(self.path)
            if not is_regular:
                self._device = file
                break
            if not locked(file, self.path):
                file.close()
                continue
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash has cut it
                    file.write(b"\n")
            return file, True
        return self._device, False

    def _read(self) -> Ids:
        known = Ids()
        if os.path.isfile(self.path):
            for dead in read_dead(self.path):
                if dead.sink == self._sink:
                    known.add(dead.id)
        return known

    def _line(self, piece: Piece, reason: str) -> bytes:
        row: dict[str, Any] = {
            "id": piece.id, "schema": self._schema, "sink": self._sink, "reason": reason, "time": int(time.time()),
        }  # fmt: skip
        try:
            row["event"] = piece.line.decode()
        except UnicodeDecodeError:
            row["event_base64"] = base64.b64encode(piece.line).decode()
        return json.dumps(row).encode() + b"\n"

    def close(self) -> None:
        """Ends the use of the file."""
        if self._device is not None:
            self._device.close()
        if self._known is not None:
            self._known.close()


def locked(file: IO[bytes], path: str, *, wait: bool = True) -> bool:
    """Locks a file until it is closed. Returns whether it is still that of the path: a replay may have replaced it.
    Without ``wait`` :class:`~vpcflow.OutputError` if another process holds it."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"{path}: another vpcflow send is at it; try again when it has ended") from None
    except OSError:
        return True  # a file system without locks
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def read_dead(path: str | os.PathLike[str]) -> Iterator[Dead]:
    """Yields the events of a file of dead letters; the rest of a line that a crash has cut is passed over. Raises
    :class:`~vpcflow.SourceError` for a file of something else."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            for number, line in enumerate(file, 1):
                dead = parsed(line)
                if dead is not None:
                    yield dead
                elif number == 1 and line.endswith(b"\n"):
                    raise SourceError(f"{name}: line 1 is no dead letter; expected a file that vpcflow send wrote")
    except OSError as e:
        if isinstance(e, SourceError):
            raise
        raise SourceError(f"{name}: cannot be read: {e.strerror}") from None


def parsed(line: bytes) -> Dead | None:
    """Returns the letter of a line; ``None`` for what is none."""
    try:
        row = json.loads(line)
        event = base64.b64decode(row["event_base64"]) if "event_base64" in row else row["event"].encode()
        found = Dead(row["id"], row["schema"], row["sink"], row["reason"], event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    texts = (found.id, found.schema, found.sink, found.reason)
    is_one = all(isinstance(text, str) for text in texts) and b"\n" not in event
    return found if is_one and _ID.fullmatch(found.id) else None
