"""Syslog for channels and sinks: messages of RFC 5424, by UDP, TCP (RFC 6587) and TLS (RFC 5425)."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import ssl
import urllib.parse
from collections.abc import Sequence

from ..errors import NotifyError
from .addresses import RefusedError, connected, failure, is_allowed, own_addresses, tls_context

_PORTS = {"syslog": 514, "syslog+tcp": 514, "syslog+tls": 6514}
_FACILITY = 10  # security
_BLOCK = 64 << 10
_LONGEST_DATAGRAM = 65_000


def message(severity: int, identity: str, text: bytes) -> bytes:
    """Makes a message of RFC 5424 of now."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    name = "".join(c for c in socket.gethostname() if 33 <= ord(c) <= 126)[:255] or "-"
    return f"<{8 * _FACILITY + severity}>1 {now} {name} vpcflow {os.getpid()} {identity[:32]} - ".encode() + text


def counted(text: bytes) -> bytes:
    """Frames a message for TCP by octet counting.

    >>> counted(b"hello")
    b'5 hello'
    """
    return b"%d %s" % (len(text), text)


class Receiver:
    """A receiver of syslog that a URL names: ``syslog://HOST`` (UDP), ``syslog+tcp://`` or ``syslog+tls://``. No user
    and no path in the URL; connections go to addresses that :func:`~vpcflow.alerts.addresses.own_addresses` has
    checked, but for ``allow_hosts``. ``ca``: a file with the authority of its certificate. ``patience``: seconds that
    it may take nothing. Any thread may use it."""

    def __init__(self, url: str, allow_hosts: Sequence[str], ca: str | None, patience: float) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.label = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        self._has_more = parts.username is not None or parts.path.strip("/") != "" or not host
        self._expected = f"expected {parts.scheme}://HOST:PORT, without a user or a path"
        self._is_datagrams = parts.scheme == "syslog"
        self._tls = tls_context(ca) if parts.scheme == "syslog+tls" else None
        self._is_checked, self._patience = not is_allowed(self._host, self._port, allow_hosts), patience

    def check_url(self) -> None:
        """Raises :class:`~vpcflow.alerts.addresses.RefusedError` for a URL that is never asked."""
        if self._has_more:
            raise RefusedError(f"{self.label}: {self._expected}")

    def addresses(self) -> list[str]:
        """Returns the addresses to connect to; errors are those of :meth:`vpcflow.alerts.http.Server.addresses`."""
        self.check_url()
        return own_addresses(self._host, self._port, self._tls is not None) if self._is_checked else [self._host]

    def send(self, texts: Sequence[bytes], *, until_read: bool = True) -> None:
        """Sends messages: each as a datagram, or all by one connection. Syslog has no answers, but when the receiver
        ends the connection as well, it has read all. ``until_read``: that it does not within the patience is an error;
        else it is one only if the connection breaks. Raises :class:`~vpcflow.NotifyError`."""
        try:
            addresses = self.addresses()
            if self._is_datagrams:
                self._send_datagrams(addresses[0], texts)
                return
            data = b"".join(map(counted, texts))
            with self._connected(addresses) as connection:
                for begin in range(0, len(data), _BLOCK):
                    connection.sendall(data[begin : begin + _BLOCK])
                with contextlib.suppress(*(() if until_read else (socket.timeout,))):
                    _end(connection)
        except NotifyError:
            raise
        except (OSError, UnicodeError) as e:
            raise failure(self.label, e) from None

    def _send_datagrams(self, address: str, texts: Sequence[bytes]) -> None:
        family, kind, protocol, _, to = socket.getaddrinfo(address, self._port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as udp:
            for text in texts:
                udp.sendto(text[:_LONGEST_DATAGRAM], to)

    def _connected(self, addresses: Sequence[str]) -> socket.socket:
        plain = connected(addresses, self._port, self._patience)
        try:
            return self._tls.wrap_socket(plain, server_hostname=self._host) if self._tls else plain
        except BaseException:
            plain.close()
            raise


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
