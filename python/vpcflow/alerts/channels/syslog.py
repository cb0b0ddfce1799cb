"""Syslog: an alert as a message in the Common Event Format."""

from __future__ import annotations

import datetime
import os
import socket
import urllib.parse

from ...errors import NotifyError
from ..alert import Alert, Channel
from ..cef import cef

SCHEMES = ("syslog", "syslog+tcp")
TIMEOUT = 10.0  # seconds for one delivery
_SEVERITY = {"high": 2, "medium": 4, "low": 5}  # critical, warning, notice
_FACILITY = 10  # security


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return Syslog(url)


def message(severity: int, identity: str, text: bytes) -> bytes:
    """Makes a message of RFC 5424 of now."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    name = "".join(c for c in socket.gethostname() if 33 <= ord(c) <= 126)[:255] or "-"
    return f"<{8 * _FACILITY + severity}>1 {now} {name} vpcflow {os.getpid()} {identity[:32]} - ".encode() + text


def counted(text: bytes) -> bytes:
    """Frames a message for TCP by octet counting (RFC 6587)."""
    return str(len(text)).encode() + b" " + text


class Syslog:
    """RFC 5424; the message is :func:`cef`. Over TCP with octet counting (RFC 6587)."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._to, self._tcp = (parts.hostname or "", parts.port or 514), parts.scheme == "syslog+tcp"
        self.label = f"{parts.scheme}://{parts.hostname}"

    def send(self, alert: Alert) -> None:
        """Sends the alert as one message."""
        text = message(_SEVERITY[alert.finding.severity], alert.id, cef(alert).encode())
        try:
            if self._tcp:
                with socket.create_connection(self._to, TIMEOUT) as tcp:
                    tcp.sendall(counted(text))
            else:
                family, kind, protocol, _, address = socket.getaddrinfo(*self._to, type=socket.SOCK_DGRAM)[0]
                with socket.socket(family, kind, protocol) as udp:
                    udp.sendto(text[:65_000], address)
        except (OSError, UnicodeError) as e:
            raise NotifyError(f"{self.label}: {getattr(e, 'strerror', None) or type(e).__name__}") from None
