"""Syslog over TLS (RFC 5425) and TCP (RFC 6587)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import urllib.parse
from collections.abc import Sequence

from ...alerts.channels.syslog import counted, message
from ...alerts.http import NoHostError, RefusedError, failure, own_address, tls_context
from ...errors import NotifyError, RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt

SCHEMES = ("syslog+tcp", "syslog+tls")
OPTIONS = ("ca",)
_PORTS = {"syslog+tcp": 514, "syslog+tls": 6514}
_TIMEOUT = 60.0  # seconds that the receiver may take nothing
_BLOCK = 64 << 10
_NOTICE = 5


def open_sink(place: Place) -> Syslog:
    """Makes the sink of a URL: ``syslog+tls://HOST[:6514]``."""
    return Syslog(place)


class Syslog:
    """Messages of RFC 5424, octet counted. Syslog has no answers, so each request has a connection of its own: when the
    receiver ends it as well, it has read all. Those on the way when a connection breaks go again. Datagrams are not
    offered, as they are lost without a sign."""

    takes_ids = False
    limits = Limits(bytes=4 << 20, items=20_000, each=64 << 10, about=1 << 13)

    def __init__(self, place: Place) -> None:
        parts = urllib.parse.urlsplit(place.url)
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[place.scheme]
        self.label = f"{place.scheme}://{self._host}"
        if not self._host or parts.username is not None or place.path:
            raise RuleError(f"sink {self.label}: expected {place.scheme}://HOST:PORT, without a user or a path")
        self._tls = tls_context(place.option("ca")) if place.scheme == "syslog+tls" else None
        allowed = {self._host, f"{self._host}:{self._port}"} & set(place.allow_hosts)
        self._is_checked = not allowed
        self._was_there = False

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line; what is before it has the time of sending."""
        return counted(message(_NOTICE, identity, line))

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Writes messages, and waits until the receiver has read them."""
        data = b"".join(piece.body for piece in pieces)
        try:
            with self._connected() as connection:
                for begin in range(0, len(data), _BLOCK):
                    connection.sendall(data[begin : begin + _BLOCK])
                _end(connection)
        except NoHostError as e:
            raise (BusyError if self._was_there else RefusedError)(f"{self.label}: {e}") from None
        except NotifyError:
            raise
        except (OSError, UnicodeError) as e:
            error = failure(self.label, e)
            raise BusyError(str(error)) if self._was_there else error from None
        self._was_there = True
        return Receipt()

    def _connected(self) -> socket.socket:
        host = own_address(self._host, self._port, self._tls is not None) if self._is_checked else self._host
        plain = socket.create_connection((host, self._port), _TIMEOUT)
        try:
            return self._tls.wrap_socket(plain, server_hostname=self._host) if self._tls else plain
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        """Does nothing: each request has ended its connection."""


def _end(connection: socket.socket) -> None:
    """Says that no more comes, and waits until the receiver has read to there and says the same. ``OSError`` if the
    connection broke: then bytes may be lost."""
    if isinstance(connection, ssl.SSLSocket):
        with contextlib.suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):  # ended without the words of TLS
            connection.unwrap().close()
        return
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass
