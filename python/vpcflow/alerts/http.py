"""HTTP for channels and sinks: connections to checked addresses, a POST of JSON, answers that are read whole."""

from __future__ import annotations

import fcntl
import http.client
import ipaddress
import json
import select
import socket
import ssl
import sys
import termios
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import NotifyError

TIMEOUT = 10.0  # seconds for one delivery
_PATIENCE = 60.0  # seconds that a server of events may be silent
_LOOK = 0.5  # seconds after which it is looked whether a request still goes out
_LONGEST_ANSWER = 64 << 20
_BLOCK = 64 << 10  # bytes of a request within one patience
_DOUBTS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)  # of a connection that broke


class RefusedError(NotifyError):
    """What is never done, however often it is tried."""


class NoHostError(NotifyError):
    """A name that no host has."""


def public_address(host: str, port: int) -> str:
    """Returns a public address of a host; the connection goes to this very address, so that a second look-up cannot
    give another one. :class:`~vpcflow.NotifyError` if there is none, or if one of them is not public."""
    found = _addresses(host, port)
    for text in found:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
            if embedded or ip in ipaddress.ip_network("64:ff9b::/96"):
                raise RefusedError(f"{host}: refused: the address embeds another one")
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise RefusedError(f"{host}: not a public address; if the host is yours, --allow-host {host}")
    return sorted(found)[0]


def own_address(host: str, port: int, secure: bool) -> str:
    """Returns an address of a host that a URL names as a server of its reader's own, which may be private. Addresses of
    the link alone (there clouds give credentials out) and of groups are refused, and public ones without TLS."""
    found = _addresses(host, port)
    for text in found:
        ip = ipaddress.ip_address(text.split("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or text.startswith("fd00:ec2:"):
            raise RefusedError(f"{host}: refused: {ip} is no address of a server")
        if ip.is_global and not secure:
            raise RefusedError(f"{host}: refused: a public address without TLS; if it is yours, --allow-host {host}")
    return sorted(found)[0]


def _addresses(host: str, port: int) -> set[str]:
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as e:
        is_unknown = e.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
        raise (NoHostError if is_unknown else NotifyError)(f"{host}: {e.strerror or e}") from None
    except UnicodeError:
        raise RefusedError(f"{host}: invalid host name") from None


class Pinned(http.client.HTTPSConnection):
    """HTTPS to a checked address, with the certificate checked against the host's name."""

    def __init__(self, host: str, port: int, address: str, *, timeout: float = TIMEOUT, ca: str | None = None) -> None:
        self._tls = tls_context(ca)
        super().__init__(host, port, timeout=timeout, context=self._tls)
        self._address = address

    def connect(self) -> None:
        """Connects to the address, whatever the name means by now."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def tls_context(ca: str | None) -> ssl.SSLContext:
    """Returns what checks certificates: by the authorities of a file of PEM, else by those of the system. Raises
    :class:`RefusedError` for a file that has none."""
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as e:
        raise RefusedError(f"ca={ca}: {getattr(e, 'strerror', None) or 'no certificates'}") from None


def post(
    connection: http.client.HTTPConnection, path: str, body: Any, label: str, headers: dict[str, str] | None = None
) -> None:
    try:
        connection.request(
            "POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
        )  # fmt: skip
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise NotifyError(f"{label}: {type(e).__name__}") from None  # its text may have the URL
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotifyError(f"{label}: answered {status}")


def failure(label: str, error: Exception) -> NotifyError:
    """Makes the error of a request without an answer; the text of ``error`` may have the URL, so it is not shown."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return RefusedError(f"{label}: certificate refused: {error.verify_message}; ?ca=FILE names its authority")
    if isinstance(error, ssl.SSLError) and error.reason and not isinstance(error, _DOUBTS):
        return RefusedError(f"{label}: no TLS: {error.reason.lower().replace('_', ' ')}")
    if isinstance(error, ConnectionError) or type(error) is OSError:
        return NotifyError(f"{label}: {(error.strerror or 'connection ended').lower()}")
    return NotifyError(f"{label}: {'no answer' if isinstance(error, socket.timeout) else type(error).__name__}")


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    """Sends a request block by block, so that the time-out is of a block, and returns the beginning of the answer: also
    of a server that answers before it has all, and reads no more."""
    blocks = [body[begin : begin + _BLOCK] for begin in range(0, len(body), _BLOCK)]
    try:
        connection.request(method, path, iter(blocks), {"Content-Length": str(len(body)), **headers})
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise
        answer = connection.getresponse()
        answer.will_close = True
        return answer
    _await(connection.sock)
    return connection.getresponse()


def _await(connection: socket.socket) -> None:
    """Waits for the begin of an answer, as long as the other machine takes what the system still has to send."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    left, since = -1, time.monotonic()
    while not poll.poll(_LOOK * 1000):
        now = _unsent(connection)
        if now != left:
            left, since = now, time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise socket.timeout


def _unsent(connection: socket.socket) -> int:
    """Returns how many bytes the other machine has not acknowledged; 0 where the system does not tell."""
    try:
        return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


class Answer(NamedTuple):
    """What a server answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Server:
    """A server of events that a URL names: ``SCHEME+http://HOST:PORT`` or ``+https``. No user in the URL, no redirects,
    and connections go to the address that :func:`own_address` has checked; hosts of ``allow_hosts`` (``name`` or
    ``name:port``) are not checked. Of one thread; the connection is kept between requests."""

    def __init__(self, url: str, port: int, allow_hosts: tuple[str, ...] = (), ca: str | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        self._secure = parts.scheme.endswith("https")
        self._host, self._port = parts.hostname or "", parts.port or port
        self._allowed = self._host in allow_hosts or f"{self._host}:{self._port}" in allow_hosts
        self._ca = ca
        self._name = parts.netloc.rpartition("@")[2]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.label = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        self._connection: http.client.HTTPConnection | None = None
        self._has_answered = False
        if parts.username is not None:
            raise RefusedError(f"{self.label}: refused: a user in the URL; credentials come by --auth")

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a request and returns the answer, whatever its status. :class:`~vpcflow.NotifyError` if none came, and
        :class:`RefusedError` if none ever will: no such host, no TLS there, a certificate of a stranger."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            answer = _answer(self._connection, method, path, body, {"Host": self._name, **headers})
            found = answer.read(_LONGEST_ANSWER + 1)
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
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, found)

    def _once(self, error: NotifyError) -> NotifyError:
        """Returns an error; after an answer none is final, as it may be one of a restart."""
        return NotifyError(str(error)) if self._has_answered else error

    def _connect(self) -> http.client.HTTPConnection:
        address = self._host if self._allowed else own_address(self._host, self._port, self._secure)
        if self._secure:
            return Pinned(self._host, self._port, address, timeout=_PATIENCE, ca=self._ca)
        return http.client.HTTPConnection(address, self._port, timeout=_PATIENCE)

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
