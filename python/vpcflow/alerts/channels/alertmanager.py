"""Prometheus Alertmanager."""

from __future__ import annotations

import datetime
import http.client
import urllib.parse

from ..alert import Alert, Channel
from ..http import TIMEOUT, post

SCHEMES = ("alertmanager+http", "alertmanager+https")


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return Alertmanager(url)


class Alertmanager:
    """Prometheus Alertmanager, API v2. The same alert has the same labels, so it is one however often it comes."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._secure = parts.scheme.endswith("https")
        self._host, self._port = parts.hostname or "", parts.port or 9093
        self._path = parts.path.rstrip("/") + "/api/v2/alerts"
        self.label = f"{parts.scheme}://{self._host}"

    def send(self, alert: Alert) -> None:
        """Sends the alert by one POST."""
        found = alert.finding
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
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
        post(kind(self._host, self._port, timeout=TIMEOUT), self._path, [body], self.label)
