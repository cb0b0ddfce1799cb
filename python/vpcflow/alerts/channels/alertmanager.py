"""Prometheus Alertmanager."""

from __future__ import annotations

import datetime
import urllib.parse

from ..alert import Alert, Channel
from ..http import TIMEOUT, Server, post_alert

SCHEMES = ("alertmanager+http", "alertmanager+https")


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return Alertmanager(url, allow_hosts)


class Alertmanager:
    """Prometheus Alertmanager, API v2. The same alert has the same labels, so it is one however often it comes."""

    def __init__(self, url: str, allow_hosts: tuple[str, ...] = ()) -> None:
        self._server = Server(url, 9093, allow_hosts, patience=TIMEOUT)
        self._path = urllib.parse.urlsplit(url).path.rstrip("/") + "/api/v2/alerts"
        self.label = self._server.label

    def check(self) -> None:
        """Raises what :meth:`send` will for a URL or an address that is refused."""
        self._server.addresses()

    def send(self, alert: Alert) -> None:
        """Sends the alert by one POST."""
        found = alert.finding
        labels = {
            "alertname": found.detector, "severity": found.severity, "actor": found.actor, "id": alert.id,
            "targets": ",".join(found.targets),
        }  # fmt: skip
        body = {
            "labels": {k: v for k, v in labels.items() if v},
            "annotations": {"summary": alert.sentence, "technique": found.technique},
            "startsAt": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
        if alert.withdrawn:  # the alert of these labels is resolved
            body["endsAt"] = body["startsAt"]
        post_alert(self._server, self._path, [body])
