"""Where alerts go: files, webhooks, Alertmanager, syslog, and whatever Apprise knows.

A channel is named by a URL. Secrets in it are never shown: of a URL, errors have scheme and host. A channel may also be
given as ``env:NAME`` or ``file:PATH``, where the URL is the content of a variable or of a file.

=============================== ======================================================================================
``jsonl:PATH``, ``jsonl:-``     one JSON object a line, appended and synced; ``-`` is standard output
``https://...``                 a POST of JSON with an ``Idempotency-Key``; see :class:`Webhook` for what is refused
``alertmanager+http://HOST``    Prometheus Alertmanager, API v2 (``+https`` too)
``syslog://HOST[:514]``         RFC 5424 over UDP, the message in CEF; ``syslog+tcp://`` over TCP (octet counting)
anything else                   Apprise (``pip install 'vpcflow[notify]'``): mail, Slack, Teams, and a hundred more
=============================== ======================================================================================
"""

from __future__ import annotations

import dataclasses
import datetime
import http.client
import ipaddress
import json
import os
import socket
import ssl
import sys
import urllib.parse
import warnings
from typing import Any, Protocol

from .errors import NotifyError, RuleError
from .findings import Finding

TIMEOUT = 10.0  # seconds for one delivery
# CEF and syslog: high, medium, low.
_CEF_SEVERITY = {"high": 9, "medium": 6, "low": 3}
_SYSLOG_SEVERITY = {"high": 2, "medium": 4, "low": 5}  # critical, warning, notice
_FACILITY = 10  # security


@dataclasses.dataclass(frozen=True)
class Alert:
    """A finding that is told. ``id`` is the same whenever the same finding is told again."""

    id: str
    finding: Finding

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"id": self.id, **self.finding.as_dict()}


class Channel(Protocol):
    """Something that delivers: ``label`` may be shown, ``send`` raises :class:`~vpcflow.NotifyError`."""

    label: str

    def send(self, alert: Alert) -> None:
        """Delivers one alert, or raises."""


def channel(url: str, *, allow_hosts: tuple[str, ...] = ()) -> Channel:
    """A channel by its URL. ``allow_hosts``: hosts of webhooks that may be private and plain ``http``.

    >>> from vpcflow import notify
    >>> notify.channel("https://user:secret@hooks.example/T0?token=1").label
    'https://hooks.example'
    """
    if url.startswith("env:"):
        value = os.environ.get(url[4:])
        if not value:
            raise RuleError(f"channel {url}: this variable is not set")
        return channel(value.strip(), allow_hosts=allow_hosts)
    if url.startswith("file:"):
        try:
            with open(url[5:], encoding="utf-8") as file:
                return channel(file.read().strip(), allow_hosts=allow_hosts)
        except OSError as e:
            raise RuleError(f"channel {url}: {e.strerror}") from None
    if url.startswith("jsonl:"):
        return JsonLines(url[6:])
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RuleError("channel: this is no URL") from None
    if not parts.scheme or not host:
        raise RuleError("channel: a URL such as jsonl:alerts.jsonl, https://..., syslog://HOST, or env:NAME")
    if parts.scheme in ("http", "https"):
        return Webhook(url, allow_hosts)
    if parts.scheme in ("alertmanager+http", "alertmanager+https"):
        return Alertmanager(parts, host, port)
    if parts.scheme in ("syslog", "syslog+tcp"):
        return Syslog(host, port or 514, parts.scheme == "syslog+tcp")
    return AppriseChannel(url, f"{parts.scheme}://")


class JsonLines:
    """Lines of JSON in a file. A line that is there is not written again: the file itself tells what was delivered."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.label = f"jsonl:{path}"

    def send(self, alert: Alert) -> None:
        """Appends the alert, unless it is there."""
        line = json.dumps(alert.as_dict()) + "\n"
        if self._path == "-":
            sys.stdout.write(line)
            sys.stdout.flush()
            return
        try:
            with open(self._path, "a+b") as file:
                file.seek(0)
                content = file.read()
                if content and not content.endswith(b"\n"):  # cut by a crash: that line goes, and is written whole
                    file.truncate(content.rfind(b"\n") + 1)
                if f'{{"id": "{alert.id}"'.encode() in content[: content.rfind(b"\n") + 1]:
                    return
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as e:
            raise NotifyError(f"{self.label}: {e.strerror}") from None


def public_address(host: str, port: int) -> str:
    """An address of a host that is public; the connection goes to this very address, so that a second look-up cannot
    give another one. :class:`~vpcflow.NotifyError` if there is none, or if one of them is not public."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as e:
        raise NotifyError(f"{host}: {e.strerror or e}") from None
    for text in found:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
            if embedded or ip in ipaddress.ip_network("64:ff9b::/96"):
                raise NotifyError(f"{host}: an address that stands for another is refused")
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise NotifyError(f"{host}: not a public address; allow the host by name if it is yours")
    return sorted(found)[0]


class _Pinned(http.client.HTTPSConnection):
    """HTTPS to a checked address, with the certificate checked against the host's name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        self._address = address

    def connect(self) -> None:
        """To the address, whatever the name means by now."""
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


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

    def send(self, alert: Alert) -> None:
        """One POST; anything but a 2xx answer is an error."""
        if not self._allowed and not self._secure:
            raise NotifyError(f"{self.label}: https is needed, or the host must be allowed by name")
        if not self._allowed and self._user:
            raise NotifyError(f"{self.label}: a user in the URL is refused")
        connection: http.client.HTTPConnection
        if self._allowed:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=TIMEOUT)
        else:
            connection = _Pinned(self._host, self._port, public_address(self._host, self._port))
        _post(connection, self._path, alert.as_dict(), self.label, {"Idempotency-Key": alert.id})


def _post(
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


class Alertmanager:
    """Prometheus Alertmanager, API v2. The same alert has the same labels, so it is one however often it comes."""

    def __init__(self, parts: urllib.parse.SplitResult, host: str, port: int | None) -> None:
        self._secure = parts.scheme.endswith("https")
        self._host, self._port = host, port or 9093
        self._path = parts.path.rstrip("/") + "/api/v2/alerts"
        self.label = f"{parts.scheme}://{host}"

    def send(self, alert: Alert) -> None:
        """One POST of one alert."""
        found = alert.finding
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        labels = {
            "alertname": found.detector, "severity": found.severity, "actor": found.actor, "id": alert.id,
            "targets": ",".join(found.targets),
        }  # fmt: skip
        body = {
            "labels": {k: v for k, v in labels.items() if v},
            "annotations": {"summary": found.sentence, "technique": found.technique},
            "startsAt": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
        _post(kind(self._host, self._port, timeout=TIMEOUT), self._path, [body], self.label)


def cef(alert: Alert) -> str:
    """An alert in ArcSight's Common Event Format, version 0.

    >>> from vpcflow import notify
    >>> from vpcflow.findings import Finding
    >>> found = Finding("ssh", "high", "10.0.0.1", ["10.0.0.2"], 0, 60, 0.9, "T1110", {"n": 7}, {}, "10.0.0.1 tried")
    >>> notify.cef(notify.Alert("1", found)).split("|", 7)[:7]
    ['CEF:0', 'vpcflow', 'vpcflow', '1', 'ssh', '10.0.0.1 tried', '9']
    """
    found = alert.finding

    def head(text: str) -> str:
        return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")

    def value(text: Any) -> str:
        return str(text).replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")

    fields = {
        "externalId": alert.id, "src": found.actor, "dst": found.targets[0] if found.targets else "",
        "start": found.start * 1000, "end": found.end * 1000, "cs1Label": "technique", "cs1": found.technique,
        "cs2Label": "evidence", "cs2": json.dumps(found.evidence, separators=(",", ":")), "msg": found.sentence,
    }  # fmt: skip
    extension = " ".join(f"{k}={value(v)}" for k, v in fields.items() if v != "")
    severity = _CEF_SEVERITY[found.severity]
    return f"CEF:0|vpcflow|vpcflow|1|{head(found.detector)}|{head(found.sentence)}|{severity}|{extension}"


class Syslog:
    """RFC 5424; the message is :func:`cef`. Over TCP with octet counting (RFC 6587)."""

    def __init__(self, host: str, port: int, tcp: bool) -> None:
        self._to, self._tcp = (host, port), tcp
        self.label = f"syslog{'+tcp' if tcp else ''}://{host}"

    def send(self, alert: Alert) -> None:
        """One message."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        priority = 8 * _FACILITY + _SYSLOG_SEVERITY[alert.finding.severity]
        name = "".join(c for c in socket.gethostname() if 33 <= ord(c) <= 126)[:255] or "-"
        message = f"<{priority}>1 {now} {name} vpcflow {os.getpid()} {alert.id[:32]} - {cef(alert)}".encode()
        try:
            if self._tcp:
                with socket.create_connection(self._to, TIMEOUT) as tcp:
                    tcp.sendall(str(len(message)).encode() + b" " + message)
            else:
                family, kind, protocol, _, address = socket.getaddrinfo(*self._to, type=socket.SOCK_DGRAM)[0]
                with socket.socket(family, kind, protocol) as udp:
                    udp.sendto(message[:65_000], address)
        except OSError as e:
            raise NotifyError(f"{self.label}: {e.strerror or type(e).__name__}") from None


class AppriseChannel:
    """Whatever Apprise knows: mail, Slack, Teams, PagerDuty, ..."""

    def __init__(self, url: str, label: str) -> None:
        self.label = label
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what its plugins import
            try:
                import apprise  # an extra
            except ImportError:
                raise RuleError(f"channel {label}: pip install 'vpcflow[notify]'") from None
            self._apprise = apprise.Apprise()
            if not self._apprise.add(url):
                raise RuleError(f"channel {label}: Apprise knows no such URL")

    def send(self, alert: Alert) -> None:
        """One notification."""
        found = alert.finding
        kinds = {"high": "failure", "medium": "warning", "low": "info"}
        title = f"{found.severity}: {found.detector}"
        body = f"{found.sentence}\n{json.dumps(found.evidence)}\n{alert.id}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = self._apprise.notify(title=title, body=body, notify_type=kinds[found.severity], body_format="text")
        if not done:
            raise NotifyError(f"{self.label}: not delivered")
