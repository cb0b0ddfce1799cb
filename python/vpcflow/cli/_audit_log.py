"""Who asked what: a line of JSON for each command, in the file that ``VPCFLOW_AUDIT_LOG`` names; off without it.

It fails closed: a command whose line cannot be written does not run, and one whose line fails at its end ends with exit
code 2. A process that is killed (SIGKILL) writes none. Calls from Python are not commands, and write none.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import socket
import time
from collections.abc import Sequence

from ..errors import OutputError
from ..io.writing import cannot_write

VARIABLE = "VPCFLOW_AUDIT_LOG"
_SCHEMA_VERSION = 1
_SOURCES = ("s3", "cloudwatch", "sqs", "kinesis", "kafka", "iceberg", "firehose")
_URL = re.compile(r"(?P<head>(?:[^=\s]*=)?)(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_SECRET = re.compile(r"--(external-id|[a-z-]*(?:token|password|secret)[a-z-]*)(=.*)?", re.DOTALL)


class AuditLog:
    """The line of one command. Raises :class:`~vpcflow.OutputError` if the file cannot be written."""

    def __init__(self, path: str, argv: Sequence[str]) -> None:
        self._path, self._argv, self._begin = path, list(argv), time.time()
        self.args: argparse.Namespace | None = None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            raise OutputError(f"{VARIABLE}: {cannot_write(path, error)}") from None

    def write(self, code: int) -> None:
        """Appends the line, in one call, so that lines of several processes do not mix."""
        args = self.args
        sources = getattr(args, "paths", None) or getattr(args, "sources", None) or getattr(args, "source", None) or []
        when = datetime.datetime.fromtimestamp(self._begin, datetime.timezone.utc)
        row = {
            "schema_version": _SCHEMA_VERSION, "time": when.isoformat(timespec="milliseconds"), "user": _user(),
            "uid": os.getuid(), "host": socket.gethostname(), "pid": os.getpid(),
            "command": getattr(args, "command", None), "argv": without_secrets(self._argv),
            "sources": without_secrets([sources] if isinstance(sources, str) else list(map(str, sources))),
            "records": getattr(args, "records_read", None), "seconds": round(time.time() - self._begin, 3),
            "exit": code,
        }  # fmt: skip
        data = (json.dumps(row) + "\n").encode("ascii")
        try:
            if os.write(self._file, data) != len(data):
                raise OSError(0, "the line was cut off")
        except OSError as error:
            raise OutputError(f"{VARIABLE}: {cannot_write(self._path, error)}") from None
        finally:
            os.close(self._file)


def without_secrets(argv: Sequence[str]) -> list[str]:
    """Returns arguments without what may be secret: passwords in URLs, all of a URL that alerts go to behind its host,
    and values of options for tokens.

    >>> without_secrets(["--notify", "https://hooks.example.com/services/T0/B0/key", "--external-id", "x", "s3://logs/a/"])
    ['--notify', 'https://hooks.example.com/...', '--external-id', '...', 's3://logs/a/']
    """
    out = []
    hidden = False
    for text in argv:
        match = _URL.fullmatch(text)
        secret = _SECRET.fullmatch(text)
        if hidden:
            text = "..."
        elif secret and secret[2]:
            text = f"--{secret[1]}=..."
        elif match:
            text = match["head"] + _shown(match["scheme"], match["rest"])
        hidden = secret is not None and not secret[2] and not hidden
        out.append(text)
    return out


def _shown(scheme: str, rest: str) -> str:
    place, slash, path = rest.partition("/")
    place = place.rpartition("@")[2]  # without user and password
    if scheme.lower() in _SOURCES:
        return f"{scheme}://{place}{slash}{path}"
    if scheme.lower().rpartition("+")[2] in ("http", "https"):
        return f"{scheme}://{place}{'/...' if slash else ''}"
    return f"{scheme}://..."  # Apprise's have tokens in the place of hosts


def _user() -> str | None:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # of a container
        return None
