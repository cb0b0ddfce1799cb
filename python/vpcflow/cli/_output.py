"""What commands write: standard output, notes and progress on standard error; and closed or full ones of them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .. import _display as display
from ..errors import OutputError
from ..typing import Progress

FOUND, ERROR, REJECTS = 1, 2, 3  # exit codes


def write_out(text: str | bytes) -> None:
    """Writes to standard output. If its reader is gone, drops this and all that follows."""
    try:
        if isinstance(text, bytes):
            stdout().flush()
            stdout().buffer.write(text)  # type: ignore[attr-defined]
        else:
            stdout().write(text)
    except OSError as error:
        _gave_up(error)


def stdout() -> IO[str]:
    """Returns standard output; :class:`~vpcflow.OutputError` if the process was started without."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; redirect it to a file or to /dev/null")
    return sys.stdout


def finish() -> None:
    """Writes the buffered output."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        _gave_up(error)


def _gave_up(error: OSError) -> None:
    drop_output()
    if isinstance(error, OutputError):
        raise error
    if not isinstance(error, BrokenPipeError):
        raise OutputError(f"standard output: cannot be written: {error.strerror or error}") from None


def drop_output() -> None:
    """Discards all further standard output, the buffered part included."""
    _to_nowhere(sys.stdout)


def _to_nowhere(stream: IO[str] | None) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream of a test has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)


def occupy_closed_streams() -> None:
    """Opens what the process was started without, so that no file that is opened later gets its number."""
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)


def suit_locale() -> None:
    """Makes what the locale cannot show escapes instead of errors; of LC_ALL=C, which Python takes for UTF-8, all that
    is not ASCII."""
    encoding = "ascii" if os.environ.get("LC_ALL") in ("C", "POSIX") else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    display.show_in(sys.stdout.encoding if isinstance(sys.stdout, io.TextIOWrapper) else "utf-8")


def write_err(text: str, end: str = "\n") -> None:
    """Writes to standard error; one that is closed or full is passed over."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + end)
        sys.stderr.flush()
    except OSError:
        _to_nowhere(sys.stderr)


def print_note(text: str) -> None:
    """Writes a line of the program to standard error."""
    write_err(f"vpcflow: {display.printable(text)}")


class StatusLine:
    """A line on standard error that is overwritten, from half a second on, and only if it is a terminal."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._began = self._last = time.monotonic()
        self._shown = 0

    @property
    def is_due(self) -> bool:
        """Whether :meth:`show` is to be called: five times a second."""
        now = time.monotonic()
        return self._wanted and now - self._began >= 0.5 and now - self._last >= 0.2

    def show(self, text: str) -> None:
        """Overwrites the line."""
        self._last = time.monotonic()
        write_err(f"\r{text.ljust(self._shown)}", end="")
        self._shown = len(text)

    def rate(self, done: int) -> float:
        """Returns how much was done in a second so far."""
        return done / max(time.monotonic() - self._began, 1e-9)

    def clear(self) -> None:
        """Takes the line away, for another text."""
        if self._shown:
            write_err("\r" + " " * self._shown + "\r", end="")
        self._shown = 0


@contextmanager
def progress_line(wanted: bool) -> Iterator[Progress | None]:
    """Shows progress on standard error if it is a terminal and the work takes more than half a second."""
    if not wanted or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    line = StatusLine()

    def show(done: int, total: int, files: int, all_files: int) -> None:
        if line.is_due:
            share = f" {min(done / total, 1):.0%}" if total else ""
            rate = display.human_bytes(line.rate(done))
            line.show(f"{display.human_bytes(done)}{share}, {files}/{all_files} files, {rate}/s")

    try:
        yield show
    finally:
        line.clear()
