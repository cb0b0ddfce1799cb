"""Webhooks: an alert as a POST of JSON."""

from __future__ import annotations

import http.client
import urllib.parse

from ...errors import RuleError
from ..alert import Alert, Channel
from ..http import TIMEOUT, Pinned, RefusedError, post, public_address

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
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._allowed = self._host in allow_hosts or f"{self._host}:{self._port}" in allow_hosts
        self._user = parts.username is not None
        self.label = f"{parts.scheme}://{self._host}"

    def _address(self) -> str:
        """Returns the address to connect to."""
        if not self._secure:
            raise RefusedError(f"{self.label}: expected https; if the host is yours, --allow-host {self._host}")
        if self._user:
            raise RefusedError(f"{self.label}: refused: a user in the URL")
        return public_address(self._host, self._port)

    def check(self) -> None:
        """Raises :class:`~vpcflow.RuleError` for what :meth:`send` refuses."""
        try:
            if not self._allowed:
                self._address()
        except RefusedError as e:
            raise RuleError(f"channel {e}") from None

    def send(self, alert: Alert) -> None:
        """Sends the alert by one POST; anything but a 2xx answer is an error."""
        connection: http.client.HTTPConnection
        if self._allowed:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=TIMEOUT)
        else:
            connection = Pinned(self._host, self._port, self._address())
        post(connection, self._path, alert.as_dict(), self.label, {"Idempotency-Key": alert.id})
