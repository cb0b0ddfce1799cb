"""What sinks over HTTP share: a server for each thread, and what a status means for the whole request."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from ..._display import printable
from ...alerts.addresses import RefusedError
from ...alerts.http import Answer, Server
from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, StoppedError, TooLargeError

_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_PAUSE = 3600.0
_LONGEST_REASON = 300


class Http:
    """Requests to one host, by a connection for each thread."""

    def __init__(self, place: Place, port: int) -> None:
        self._place, self._port = place, port
        server = self._made()
        try:
            server.check_url()
        except RefusedError as e:
            raise RefusedError(f"{e}; credentials come by --auth") from None
        self.label = server.label
        self._own = threading.local()
        self._servers: list[Server] = []

    def _made(self) -> Server:
        return Server(self._place.url, self._port, self._place.allow_hosts, self._place.option("ca"))

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a POST and returns the answer of a status of 2xx or 4xx that says something about events; raises for
        the others, as :meth:`~vpcflow.sinks.Sink.send` does."""
        server = getattr(self._own, "server", None)
        if server is None:
            server = self._own.server = self._made()
            self._servers.append(server)
        answer: Answer = server.ask("POST", path, body, headers)
        status = answer.status
        if status in _AGAIN:
            pause = pause_of(answer.headers.get("retry-after"))
            asked = f", and asks for {pause:,.0f} s" if pause else ""
            raise BusyError(f"{self.label}: answered {status}{asked}", pause)
        if status == 413:
            raise TooLargeError(f"{self.label}: answered 413, the request is too large")
        if 300 <= status < 400:
            where = said(answer.headers.get("location", "").encode(errors="replace"))
            raise StoppedError(f"{self.label}: answered {status} ({where}); redirects are not followed")
        return answer

    def refused(self, answer: Answer) -> StoppedError:
        """Makes the error of an answer after which nothing else will be taken."""
        about = " (--auth gives credentials)" if answer.status in (401, 403) else ""
        return StoppedError(f"{self.label}: answered {answer.status}{about}: {said(answer.body)}")

    def close(self) -> None:
        """Ends the connections."""
        for server in self._servers:
            server.close()


def header_of(secret: str) -> str:
    """Returns a secret as it is; :class:`~vpcflow.RuleError`, without it, if a header cannot hold it."""
    if not (secret.isascii() and secret.isprintable()):
        raise RuleError("auth: expected printable letters of ASCII in a line")
    return secret


def pause_of(text: str | None) -> float | None:
    """Returns the seconds of ``Retry-After``: a number, or a date.

    >>> pause_of("2"), pause_of("soon"), pause_of(None)
    (2.0, None, None)
    """
    if text is None:
        return None
    if text.strip().isdigit():
        return min(float(text), _LONGEST_PAUSE)
    try:
        return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time()), _LONGEST_PAUSE)
    except (TypeError, ValueError):
        return None


def said(body: bytes) -> str:
    """Returns the beginning of what a server said, in a line.

    >>> said(b'  no\\n such index ')
    'no such index'
    """
    return printable(" ".join(body[:4096].decode(errors="replace").split())[:_LONGEST_REASON])


def json_of(answer: Answer, label: str) -> Any:
    """Returns the JSON of an answer; one that is none came from something in between, and the request goes again."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise BusyError(f"{label}: the answer is no JSON") from None
