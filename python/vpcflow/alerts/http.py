"""HTTP for channels and sinks: connections to checked addresses, slow requests, answers that are read whole."""

from __future__ import annotations

import fcntl
import http.client
import json
import select
import socket
import ssl
import sys
import termios
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import NotifyError
from ..io.packed import RefusedError as DamagedError
from ..io.packed import unpacked
from .addresses import (
    BROKEN,
    NoHostError,
    RefusedError,
    connected,
    failure,
    is_allowed,
    own_addresses,
    public_addresses,
    tls_context,
)

TIMEOUT = 10.0  # seconds that a server of alerts may be silent
_PATIENCE = 60.0  # seconds that a server of events may be
_LOOK = 0.5  # seconds after which it is looked whether a request still goes out
_LONGEST_ANSWER = 64 << 20
_BLOCK = 64 << 10  # bytes of a request within one patience


class _Pinned(http.client.HTTPConnection):
    """A connection to checked addresses; with TLS the certificate is checked against the host's name."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], patience: float, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=patience)
        self._addresses, self._patience, self._tls = addresses, patience, tls

    def connect(self) -> None:
        """Connects to one of the addresses, whatever the name means by now."""
        self.sock = connected(self._addresses, self.port, self._patience)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


class Answer(NamedTuple):
    """What a server answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Server:
    """A server that a URL names: ``http://HOST:PORT`` or ``https``, perhaps with ``NAME+`` before. No user in the URL,
    no redirects, and connections go to the address that was checked: of a server of the reader's own
    :func:`~vpcflow.alerts.addresses.own_addresses`; if ``is_foreign`` TLS and :func:`public_addresses` are needed.
    Hosts of ``allow_hosts`` (``name`` or ``name:port``) are not checked. ``patience``: seconds that it may be silent.

    Of one thread; the connection is kept between requests.
    """

    def __init__(
        self, url: str, port: int, allow_hosts: Sequence[str] = (), ca: str | None = None, *,
        is_foreign: bool = False, patience: float = _PATIENCE,
    ) -> None:  # fmt: skip
        parts = urllib.parse.urlsplit(url)
        self._secure = parts.scheme.endswith("https")
        self._host, self._port = _ascii(parts.hostname or ""), parts.port or port
        self._is_checked = not is_allowed(self._host, self._port, allow_hosts)
        self._ca, self._is_foreign, self._patience = ca, is_foreign, patience
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._name = host + (f":{parts.port}" if parts.port else "")
        self.label = f"{parts.scheme}://{self._name}"
        self._has_user = parts.username is not None
        self._connection: http.client.HTTPConnection | None = None
        self._has_answered = False

    def check_url(self) -> None:
        """Raises :class:`RefusedError` for a URL that is never asked."""
        if self._has_user:
            raise RefusedError(f"{self.label}: refused: a user in the URL")
        if self._is_foreign and self._is_checked and not self._secure:
            raise RefusedError(f"{self.label}: expected https; if the host is yours, --allow-host {self._host}")

    def addresses(self) -> list[str]:
        """Returns the addresses to connect to. Raises :class:`RefusedError` for a URL or address that is never asked,
        and other errors of :class:`~vpcflow.NotifyError` for a name that is not resolved."""
        self.check_url()
        if not self._is_checked:
            return [self._host]
        if self._is_foreign:
            return public_addresses(self._host, self._port)
        return own_addresses(self._host, self._port, self._secure)

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a request and returns the answer, whatever its status. :class:`~vpcflow.NotifyError` if none came, and
        :class:`RefusedError` if none ever will: no such host, no TLS there, a certificate of a stranger."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            answer = self._answer(self._connection, method, path, body, {"Host": self._name, **headers})
            found = answer.read(_LONGEST_ANSWER + 1)
            if answer.length and len(found) <= _LONGEST_ANSWER:
                raise ConnectionError
            if len(found) > _LONGEST_ANSWER or answer.will_close:
                self.close()
        except NoHostError as e:
            raise self._once(RefusedError(f"{self.label}: {e}")) from None
        except NotifyError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as e:
            self.close()
            raise self._once(failure(self.label, e)) from None
        self._has_answered = True
        got = {name.lower(): value for name, value in answer.getheaders()}
        if got.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):  # it was not asked for
            found = _unpacked(found)
        return Answer(answer.status, got, found)

    def _once(self, error: NotifyError) -> NotifyError:
        """Returns an error; after an answer none is final, as it may be one of a restart."""
        return NotifyError(str(error)) if self._has_answered else error

    def _connect(self) -> http.client.HTTPConnection:
        tls = tls_context(self._ca) if self._secure else None
        return _Pinned(self._host, self._port, self.addresses(), self._patience, tls)

    def _answer(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        """Sends a request block by block, so that the time-out is of a block, and returns the beginning of the answer:
        also of a server that answers before it has all, and reads no more."""
        blocks = [body[begin : begin + _BLOCK] for begin in range(0, len(body), _BLOCK)]
        try:
            connection.request(method, path, iter(blocks), {"Content-Length": str(len(body)), **headers})
        except BROKEN:
            if connection.sock is None:
                raise
            answer = connection.getresponse()
            answer.will_close = True
            return answer
        self._await(connection.sock)
        return connection.getresponse()

    def _await(self, connection: socket.socket) -> None:
        """Waits for the begin of an answer, as long as the other machine takes what the system still has to send."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        left, since = -1, time.monotonic()
        while not poll.poll(_LOOK * 1000):
            now = _unsent(connection)
            if now != left:
                left, since = now, time.monotonic()
            elif time.monotonic() - since > self._patience:
                raise socket.timeout

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def post_alert(server: Server, path: str, body: Any, headers: Mapping[str, str] | None = None) -> None:
    """Sends a POST of JSON by a connection of its own; an answer but 2xx is :class:`~vpcflow.NotifyError`."""
    try:
        answer = server.ask(
            "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        )
    finally:
        server.close()
    if not 200 <= answer.status < 300:
        raise NotifyError(f"{server.label}: answered {answer.status}")


def _ascii(host: str) -> str:
    """Returns a host as requests and certificates name it."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:  # the look-up says that it is no name
        return host


def _unsent(connection: socket.socket) -> int:
    """Returns how many bytes the other machine has not acknowledged; 0 where the system does not tell."""
    try:
        return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def _unpacked(body: bytes) -> bytes:
    try:
        return unpacked(body, _LONGEST_ANSWER)
    except DamagedError:
        return body
