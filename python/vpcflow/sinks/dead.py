"""Events that a sink never takes: a file of them, which can be sent again."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from ..errors import OutputError, SourceError
from ..io.writing import check_writable, open_to_append
from .sink import Piece


class Dead(NamedTuple):
    """An event that was not taken, as the file has it."""

    id: str
    schema: str
    sink: str
    reason: str
    line: bytes


class DeadLetters:
    """A file of JSON lines, one for each event that a sink did not take: ``id``, ``schema``, ``sink``, ``reason``,
    ``time``, ``event`` (``event_base64`` if it is no UTF-8). The file is made by the first of them. An event that the
    file has for the sink is not written again. Of one thread at a time."""

    def __init__(self, path: str | os.PathLike[str], schema: str, sink: str) -> None:
        self.path = os.fspath(path)
        self._schema, self._sink = schema, sink
        check_writable(self.path)
        self._file: IO[bytes] | None = None
        self._known = {dead.id for dead in read_dead(self.path) if dead.sink == sink} if _is_file(self.path) else set()
        #: How many were written by this object.
        self.written = 0

    def add(self, pieces: Iterable[tuple[Piece, str]]) -> None:
        """Appends events with their reasons, and syncs them. :class:`~vpcflow.OutputError` if that fails."""
        new = [(piece, reason) for piece, reason in pieces if piece.id not in self._known]
        if not new:
            return
        data = b"".join(self._line(piece, reason) for piece, reason in new)
        try:
            if self._file is None:
                self._file, readable = open_to_append(self.path)
                if readable and self._file.seek(0, os.SEEK_END) > 0:
                    self._file.seek(-1, os.SEEK_END)
                    data = data if self._file.read(1) == b"\n" else b"\n" + data  # a crash has cut it
            while data:
                data = data[self._file.write(data) :]
            if os.path.isfile(self.path):
                os.fsync(self._file.fileno())
        except OSError as e:
            raise OutputError(f"{self.path}: cannot be written: {e.strerror}") from None
        self._known.update(piece.id for piece, _ in new)
        self.written += len(new)

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
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def _is_file(path: str) -> bool:
    return os.path.isfile(path)


def read_dead(path: str | os.PathLike[str]) -> Iterator[Dead]:
    """Yields the events of a file of dead letters; the rest of a line that a crash has cut is passed over. Raises
    :class:`~vpcflow.SourceError` for a file of something else."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            for number, line in enumerate(file, 1):
                dead = _parsed(line)
                if dead is not None:
                    yield dead
                elif number == 1 and line.endswith(b"\n"):
                    raise SourceError(f"{name}: line 1 is no dead letter; expected a file that vpcflow send wrote")
    except OSError as e:
        if isinstance(e, SourceError):
            raise
        raise SourceError(f"{name}: cannot be read: {e.strerror}") from None


def _parsed(line: bytes) -> Dead | None:
    try:
        row = json.loads(line)
        event = base64.b64decode(row["event_base64"]) if "event_base64" in row else row["event"].encode()
        found = Dead(row["id"], row["schema"], row["sink"], row["reason"], event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    texts = (found.id, found.schema, found.sink, found.reason)
    return found if all(isinstance(text, str) for text in texts) and b"\n" not in event else None
