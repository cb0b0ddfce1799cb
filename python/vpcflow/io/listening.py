"""HTTP servers of this package: where they listen, how many connections they hold, how they end."""

from __future__ import annotations

import http.server
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import RuleError, SourceError

_MOMENT = 1.0  # seconds that connections get to end with their server
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def address_of(text: str) -> tuple[str, int]:
    """Returns host and port of ``HOST:PORT``. Raises :class:`~vpcflow.RuleError`.

    >>> address_of("127.0.0.1:8080"), address_of("[::1]:0")
    (('127.0.0.1', 8080), ('::1', 0))
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise RuleError(f"--listen {text}: expected HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Tells whether a host is this machine alone; a name is only if it is ``localhost``.

    >>> is_loopback("127.0.0.2"), is_loopback("0.0.0.0"), is_loopback("a.example")
    (True, False, False)
    """
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


class Listener(http.server.ThreadingHTTPServer):
    """A server with a thread for each connection. ``most``: connections at once; others get 503. ``patience``: seconds
    in which a request must have come and been answered, whatever trickles; without it only silence ends a connection.
    ``waits``: whether the end waits for requests under way."""

    request_queue_size = 128

    def __init__(
        self, host: str, port: int, handler: type[Handler], *, most: int = 256, patience: float | None = None,
        waits: bool = True,
    ) -> None:  # fmt: skip
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.daemon_threads, self.block_on_close = not waits, waits
        self._most, self._patience = most, patience
        self._open: dict[Any, float] = {}
        self._lock = threading.Lock()
        try:
            super().__init__((host, port), handler)
        except OSError as error:
            raise SourceError(f"cannot listen at {host}:{port}: {error.strerror or error}") from None

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def run(self) -> None:
        """Serves until :meth:`stop`, by another thread or a handler of signals."""
        try:
            self.serve_forever(0.1)
        finally:
            self.server_close()
            if not self.block_on_close:
                self._end_all()

    def _end_all(self) -> None:
        """Ends the connections that are open, and gives their threads a moment to close them."""
        until = time.monotonic() + _MOMENT
        while time.monotonic() < until:
            with self._lock:
                left = list(self._open)
            if not left:
                break
            for connection in left:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends :meth:`run`."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def begin(self, connection: Any) -> None:
        """Notes that a connection waits for a request from now on."""
        with self._lock:
            if connection in self._open:
                self._open[connection] = time.monotonic()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Gives a connection its thread, or refuses it if there are too many."""
        with self._lock:
            full = len(self._open) >= self._most
            if not full:
                self._open[request] = time.monotonic()
        if full:
            with suppress(OSError):
                request.settimeout(0)
                request.send(_BUSY)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Ends the connections that have used up their time."""
        if self._patience is None:
            return
        before = time.monotonic() - self._patience
        with self._lock:
            late = [connection for connection, begun in self._open.items() if begun < before]
        for connection in late:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # its thread sees the end, and closes it

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Passes over a connection that broke."""


class Handler(http.server.BaseHTTPRequestHandler):
    """What all servers of this package do alike: errors in JSON, no log of its own."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "vpcflow", ""
    timeout = 30.0  # seconds without a byte, after which a connection ends
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def handle_one_request(self) -> None:
        """Handles a request, whose time begins now."""
        self.server.begin(self.connection)
        super().handle_one_request()

    def answer(
        self, status: int, body: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        """Sends a whole answer; of a HEAD its headers."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers what is no request of HTTP, without repeating it."""
        self.close_connection = True
        self.request_version = self.protocol_version  # of what names none, the answer has a head all the same
        words = {
            400: "this is no request of HTTP", 414: "the address is too long", 431: "the headers are too long",
            505: "HTTP/1.0 and HTTP/1.1 are understood here",
        }  # fmt: skip
        self.answer(code, json.dumps({"error": words.get(code, "this is not answered here")}).encode() + b"\n")

    def log_message(self, *_: object) -> None:
        """Logs nothing."""
