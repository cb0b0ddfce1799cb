"""Files of lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import IO

from ...errors import NotifyError, OutputError, RuleError
from ...io.writing import check_writable, open_to_append
from ..opening import Place
from ..sink import Limits, Piece, Receipt, StoppedError

SCHEMES = ("file",)
OPTIONS = ()
_STEP = 1 << 16
_LONGEST_LINE = 1 << 20


def open_sink(place: Place) -> File:
    """Makes the sink of ``file:PATH``, or ``file:-`` for standard output."""
    if not place.rest:
        raise RuleError("sink file: expected a path; write file:events.jsonl, or file:- for standard output")
    if place.rest != "-":
        try:
            check_writable(place.rest)
        except OutputError as e:
            raise RuleError(f"sink file: {e}") from None
    return File(place.rest)


class File:
    """Appends lines, and syncs each request. A line that a crash has cut goes, and is sent again."""

    takes_ids = False
    limits = Limits(bytes=8 << 20, each=1 << 30)

    def __init__(self, path: str) -> None:
        self._path, self.label = path, f"file:{path}"
        self._file: IO[bytes] | None = None
        self._is_regular = False

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line."""
        return line + b"\n"

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Appends lines."""
        data = b"".join(piece.body for piece in pieces)
        try:
            if self._path == "-":
                if sys.stdout is None:
                    raise StoppedError(f"{self.label}: standard output is closed")
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                return Receipt()
            if self._file is None:
                self._file, self._is_regular = open_to_append(self._path)
                if self._is_regular:
                    _end_last_line(self._file)
            while data:
                data = data[self._file.write(data) :]
            if self._is_regular:
                os.fsync(self._file.fileno())
        except (NotifyError, BrokenPipeError):
            raise
        except OSError as e:
            raise StoppedError(f"{self.label}: cannot be written: {e.strerror}") from None
        return Receipt()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
        self._file = None


def _end_last_line(file: IO[bytes]) -> None:
    """Makes a file end in a line feed: an object that a crash has cut goes, any other rest becomes a line."""
    end = file.seek(0, os.SEEK_END)
    begin, rest = end, b""
    while begin > 0 and b"\n" not in rest and len(rest) < _LONGEST_LINE:
        step = min(_STEP, begin)
        begin -= step
        file.seek(begin)
        rest = file.read(step) + rest
    rest = rest.rpartition(b"\n")[2]
    if rest.startswith(b"{") and not _is_json(rest):
        file.truncate(end - len(rest))
    elif rest:
        file.write(b"\n")


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
