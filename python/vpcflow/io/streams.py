"""File objects and lines as streams of bytes for the engine.

A stream is a function read(size): at most that many bytes, ``b""`` at the end, ``None`` as long as there is nothing.
The engine then asks whether the scan was cancelled, and calls again.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import select
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterable
from typing import Any, Callable, Optional, Union

from .. import _core
from .._threads import asking_thread, read_for
from ..errors import SourceError

Read = Callable[[int], Optional[bytes]]
_STEP = 0.05  # seconds between two looks at whether the scan was cancelled
_CHUNK = 1 << 16


def source_of_stream(stream: Any) -> _core.Source:
    """Returns the source for a file object: read again from its present position if it can be moved, else read once.
    Text files are read as the bytes below them."""
    name = getattr(stream, "name", None)
    name = name if isinstance(name, str) else "<stream>"
    binary = getattr(stream, "buffer", stream)
    start = _position(name, stream, binary)
    if start is None:
        polled = _polled(stream, binary)
        return _core.Source.reader(name, polled or _Pump(_Stream(name, stream, binary)))
    with contextlib.suppress(Exception):
        if _is_table(binary, start):
            return _core.Source.data(name, bytes(binary.read()))
    lock = _lock_of(binary)
    quick = _is_quick(binary)

    def read_again() -> Read:
        part = _Part(name, stream, binary, start, lock)
        return part if quick else _Pump(part)

    return _core.Source.reopened(name, read_again)


def source_of_lines(lines: Iterable[Any]) -> _core.Source:
    """Lines, with or without line ends: a list is read again, an iterator once."""
    if isinstance(lines, (list, tuple)):
        return _core.Source.reopened("<lines>", lambda: _Lines(lines))
    return _core.Source.reader("<lines>", _Pump(_Lines(lines)))


def _checked(name: str, data: Any, size: int) -> bytes:
    """What a file object's read(size) gave, or what is wrong with it."""
    if isinstance(data, str):
        raise SourceError(f"{name}: read() returned str; bytes are needed: open the file in binary mode, 'rb'")
    if data is None:
        raise SourceError(f"{name}: read() returned None; a stream is needed that waits for its data")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise SourceError(f"{name}: read() returned {type(data).__name__}; bytes are needed")
    if len(data) > size:
        raise SourceError(f"{name}: read() returned {len(data):,} bytes; at most the {size:,} asked for are allowed")
    return bytes(data)


def _position(name: str, stream: Any, binary: Any) -> int | None:
    """Where a file object stands, in bytes, if it can be set there again."""
    try:
        seekable = getattr(binary, "seekable", None)
        if seekable is not None and not seekable():
            return None
        start = int(binary.tell())
        if seekable is None:
            binary.seek(start)
    except Exception:  # whatever it is, it cannot be moved
        return None
    if binary is stream:
        return start
    try:
        told = int(stream.tell())  # the text may have read ahead; the lower half is the place in bytes
    except Exception as error:
        message = f"{name}: where this text file stands cannot be told ({error}); open it in binary mode, 'rb'"
        raise SourceError(message) from None
    if told >> 64:
        raise SourceError(f"{name}: this text file stands within a character or line end; open it in binary mode, 'rb'")
    return told


def _is_table(binary: Any, start: int) -> bool:
    """Whether it is a Parquet or Arrow IPC file; it then stands at ``start``."""
    binary.seek(start)
    try:
        head = binary.read(16)
        return isinstance(head, bytes) and _core.table_format(head) is not None
    finally:
        binary.seek(start)


def _is_regular(stream: Any) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except Exception:
        return False


def _is_quick(binary: Any) -> bool:
    """Memory and files on disks do not keep a reader waiting."""
    if isinstance(binary, (io.BytesIO, tempfile.SpooledTemporaryFile)):
        return True
    return isinstance(binary, (io.BufferedReader, io.BufferedRandom, io.FileIO)) and _is_regular(binary)


_locks: weakref.WeakKeyDictionary[Any, threading.Lock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


def _lock_of(binary: Any) -> threading.Lock:
    """One lock for a file object, however many scans read it."""
    with _locks_lock:
        try:
            return _locks.setdefault(binary, threading.Lock())
        except TypeError:  # neither weak references nor hashes
            return threading.Lock()


class _Stream:
    """A file object that is read on. Keeps the text file alive that would close it."""

    def __init__(self, name: str, stream: Any, binary: Any) -> None:
        self._name, self._stream, self._binary = name, stream, binary

    def __call__(self, size: int) -> bytes:
        return _checked(self._name, self._binary.read(size), size)


class _Part:
    """A file object from one of its places on, whoever else moves it."""

    def __init__(self, name: str, stream: Any, binary: Any, place: int, lock: threading.Lock) -> None:
        self._read_on = _Stream(name, stream, binary)
        self._binary, self._place, self._lock = binary, place, lock

    def __call__(self, size: int) -> bytes | None:
        if not self._lock.acquire(timeout=_STEP):
            return None
        try:
            if self._binary.tell() != self._place:
                self._binary.seek(self._place)
            data = self._read_on(size)
        finally:
            self._lock.release()
        self._place += len(data)
        return data


class _Lines:
    """Lines one after the other."""

    def __init__(self, lines: Iterable[Any]) -> None:
        self._lines = iter(lines)
        self._rest = b""
        self._number = 0

    def __call__(self, size: int) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while have < size:
            line = next(self._lines, None)
            if line is None:
                break
            self._number += 1
            parts.append(self._bytes(line))
            have += len(parts[-1])
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def _bytes(self, line: Any) -> bytes:
        if isinstance(line, str):
            raw = line.encode("utf-8", "surrogateescape")
        elif isinstance(line, (bytes, bytearray, memoryview)):
            raw = bytes(line)
        else:
            kind = type(line).__name__
            raise SourceError(f"<lines>: line {self._number} is of type {kind}; lines are str or bytes")
        return raw if raw.endswith(b"\n") else raw + b"\n"


def _polled(stream: Any, binary: Any) -> _Polled | None:
    """For pipes and terminals of the operating system."""
    raw = getattr(binary, "raw", binary)
    if type(binary) not in (io.BufferedReader, io.FileIO) or type(raw) is not io.FileIO:
        return None
    try:
        return _Polled(stream, binary, raw.fileno())
    except (OSError, ValueError):
        return None


class _Polled:
    """Reads a descriptor when it has something: no read waits, and none is left behind by a scan that ends."""

    def __init__(self, stream: Any, binary: Any, descriptor: int) -> None:
        self._stream = stream  # a text file closes what is below it
        self._binary = binary
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        mode = os.fstat(descriptor).st_mode
        # Somebody may have read lines before, and more with them.
        self._ahead = hasattr(binary, "read1") and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
        self._rest = b""

    def __call__(self, size: int) -> bytes | None:
        if not self._rest:
            data = self._next()
            if not data:
                return data
            self._rest = data
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def _next(self) -> bytes | None:
        if self._poll.poll(0 if self._ahead else _STEP * 1000):
            return self._read()
        if not self._ahead:
            return None
        blocking = os.get_blocking(self._descriptor)
        os.set_blocking(self._descriptor, False)
        try:
            return self._read() or None
        except BlockingIOError:
            return None
        finally:
            os.set_blocking(self._descriptor, blocking)

    def _read(self) -> bytes | None:
        read = getattr(self._binary, "read1", self._binary.read)
        data: bytes | None = read(_CHUNK)
        if data is None or len(data) < _CHUNK:
            self._ahead = False
        return data


class _Pump:
    """Reads in a thread of its own, which is left behind when the scan ends while it waits."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._asked: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._waiting = False
        self._rest = b""
        self._thread: threading.Thread | None = None

    def __call__(self, size: int) -> bytes | None:
        if self._rest:
            data, self._rest = self._rest[:size], self._rest[size:]
            return data
        if self._thread is None:
            arguments = (self._read, self._asked, self._answers)
            self._thread = threading.Thread(target=_pump, args=arguments, name="vpcflow-read", daemon=True)
            self._thread.start()
        if not self._waiting:
            self._waiting = True
            self._asked.put((size, asking_thread()))
        try:
            answer = self._answers.get(timeout=_STEP)
        except queue.Empty:
            return None
        self._waiting = False
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            return None
        self._rest = answer[size:]  # of an answer to a larger question, before a scan that ended
        return answer[:size]

    def __del__(self) -> None:
        self._asked.put(None)


_Question = Optional[tuple[int, int]]  # a size and the thread that waits for that many bytes; None ends
_Answer = Union[bytes, None, BaseException]


def _pump(read: Read, asked: queue.SimpleQueue[_Question], answers: queue.SimpleQueue[_Answer]) -> None:
    while True:
        question = asked.get()
        if question is None:
            return
        size, asking = question
        read_for(asking)
        try:
            answers.put(read(size))
        except BaseException as error:
            answers.put(error)
            return
