"""Syslog over TLS (RFC 5425) and TCP (RFC 6587)."""

from __future__ import annotations

import select
import socket
import urllib.parse
from collections.abc import Sequence

from ...alerts.channels.syslog import counted, message
from ...alerts.http import own_address, tls_context
from ...errors import NotifyError, RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt

SCHEMES = ("syslog+tcp", "syslog+tls")
OPTIONS = ("ca",)
_PORTS = {"syslog+tcp": 514, "syslog+tls": 6514}
_TIMEOUT = 60.0
_NOTICE = 5


def open_sink(place: Place) -> Syslog:
    """Makes the sink of a URL: ``syslog+tls://HOST[:6514]``."""
    return Syslog(place)


class Syslog:
    """Messages of RFC 5424, octet counted, by one connection. Nothing acknowledges them: those on the way when a
    connection breaks may be lost or come twice. Datagrams are not offered, as they are lost without a sign."""

    takes_ids = False
    limits = Limits(bytes=1 << 20, items=1000, each=64 << 10)

    def __init__(self, place: Place) -> None:
        parts = urllib.parse.urlsplit(place.url)
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[place.scheme]
        self.label = f"{place.scheme}://{self._host}"
        if not self._host or parts.username is not None:
            raise RuleError(f"sink {self.label}: expected {place.scheme}://HOST:PORT, without a user")
        self._tls = tls_context(place.option("ca")) if place.scheme == "syslog+tls" else None
        allowed = {self._host, f"{self._host}:{self._port}"} & set(place.allow_hosts)
        self._is_checked = not allowed
        self._socket: socket.socket | None = None

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line; what is before it has the time of sending."""
        return counted(message(_NOTICE, identity, line))

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Writes messages, by a new connection if the receiver has ended the old one."""
        try:
            if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
                self.close()  # a receiver of syslog says nothing: it has ended the connection
            if self._socket is None:
                self._socket = self._connected()
            self._socket.sendall(b"".join(piece.body for piece in pieces))
        except NotifyError:
            raise
        except (OSError, UnicodeError) as e:
            self.close()
            raise BusyError(f"{self.label}: {getattr(e, 'strerror', None) or type(e).__name__}") from None
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
        """Ends the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
