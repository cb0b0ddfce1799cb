"""Webhooks: an alert as a POST of JSON."""

from __future__ import annotations

import urllib.parse

from ..alert import Alert, Channel
from ..http import TIMEOUT, Server, post_alert

SCHEMES = ("https", "http")


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return Webhook(url, allow_hosts)


class Webhook:
    """A POST of the alert as JSON. ``https`` only, no redirects, no user in the URL, only public addresses, and the
    connection goes to the address that was checked; hosts of ``allow_hosts`` (``name`` or ``name:port``) may be
    private and plain ``http``."""

    def __init__(self, url: str, allow_hosts: tuple[str, ...] = ()) -> None:
        parts = urllib.parse.urlsplit(url)
        port = 443 if parts.scheme == "https" else 80
        self._server = Server(url, port, allow_hosts, is_foreign=True, patience=TIMEOUT)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.label = self._server.label

    def check(self) -> None:
        """Raises what :meth:`send` will for a URL or an address that is refused."""
        self._server.addresses()

    def send(self, alert: Alert) -> None:
        """Sends the alert by one POST; anything but a 2xx answer is an error."""
        post_alert(self._server, self._path, alert.as_dict(), {"Idempotency-Key": alert.id})
