"""Files of JSON lines."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import IO

from ...errors import NotifyError, RuleError, VpcflowError
from ...io.writing import check_writable, open_to_append
from ..alert import Alert, Channel

SCHEMES = ("jsonl",)
_CHUNK = 1 << 20
_BEGINNING = b'{"id": "'
_ID = re.compile(rb'\{"id": "([0-9a-f]+)"')


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return JsonLines(url.partition(":")[2])


class JsonLines:
    """Appends alerts as lines of JSON to a file. A line that the file has is not written again, so the file records the
    deliveries. Its lines are read once; before each write only the lines that others have added. Devices and FIFOs are
    written through."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.label = f"jsonl:{path}"
        self._known: set[str] = set()
        self._read = (0, 0, 0)  # device and number of the file, and up to where it was read

    def check(self) -> None:
        """Raises :class:`~vpcflow.RuleError` if the file cannot be written."""
        if self.path == "-":
            return
        if not self.path:
            raise RuleError("channel jsonl: expected a path, or - for standard output")
        try:
            check_writable(self.path)
        except VpcflowError as e:
            raise RuleError(f"channel {self.label}: {e}") from None

    def send(self, alert: Alert) -> None:
        """Appends the alert, unless it is there."""
        line = json.dumps(alert.as_dict()) + "\n"
        try:
            if self.path == "-":
                if sys.stdout is None:
                    raise NotifyError(f"{self.label}: standard output is closed")
                sys.stdout.write(line)
                sys.stdout.flush()
                return
            file, readable = open_to_append(self.path)
            with file:
                if readable:
                    self._catch_up(file)
                    if alert.id in self._known:
                        return
                _write_all(file, line.encode())
                if readable:
                    os.fsync(file.fileno())
        except (NotifyError, BrokenPipeError):
            raise
        except OSError as e:
            raise NotifyError(f"{self.label}: {e.strerror}") from None

    def _catch_up(self, file: IO[bytes]) -> None:
        """Reads the identities of lines that were not read yet: all of a file that is new or was cut. A line that a
        crash has cut goes, and is written whole."""
        status = os.fstat(file.fileno())
        device, number, end = self._read
        if (device, number) != (status.st_dev, status.st_ino) or status.st_size < end:
            end = 0  # another file has its name, as when logs are rotated
            self._known.clear()
        if end > 0:
            file.seek(end - 1)
            end = end if file.read(1) == b"\n" else 0  # it was cut, and has grown since
        file.seek(end)
        rest = b""
        while chunk := file.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for text in lines:
                end += len(text) + 1
                match = _ID.match(text)
                if match:
                    self._known.add(match[1].decode())
        self._read = (status.st_dev, status.st_ino, end)
        if rest.startswith(_BEGINNING[: len(rest)]):
            file.truncate(end)
        elif rest:  # of somebody else
            _write_all(file, b"\n")


def _write_all(file: IO[bytes], data: bytes) -> None:
    while data:
        data = data[file.write(data) :]
