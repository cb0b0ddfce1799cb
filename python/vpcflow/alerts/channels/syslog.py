"""Syslog: an alert as a message in the Common Event Format."""

from __future__ import annotations

import urllib.parse

from ...errors import RuleError
from ..addresses import RefusedError
from ..alert import Alert, Channel
from ..cef import cef
from ..http import TIMEOUT
from ..syslog import Receiver, message

SCHEMES = ("syslog", "syslog+tcp", "syslog+tls")
_SEVERITY = {"high": 2, "medium": 4, "low": 5}  # critical, warning, notice


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return Syslog(url, allow_hosts)


class Syslog:
    """RFC 5424; the message is :func:`cef`. Over TCP and TLS (``?ca=FILE``) with octet counting."""

    def __init__(self, url: str, allow_hosts: tuple[str, ...] = ()) -> None:
        options = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        try:
            self._receiver = Receiver(url, allow_hosts, options.get("ca"), TIMEOUT)
        except RefusedError as e:  # no certificates
            raise RuleError(f"channel {e}") from None
        self.label = self._receiver.label

    def check(self) -> None:
        """Raises what :meth:`send` will for a URL or an address that is refused."""
        self._receiver.addresses()

    def send(self, alert: Alert) -> None:
        """Sends the alert as one message."""
        text = message(_SEVERITY[alert.finding.severity], alert.id, cef(alert).encode())
        self._receiver.send([text], until_read=False)
