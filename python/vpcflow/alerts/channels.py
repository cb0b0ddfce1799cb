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
import difflib
import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import sys
import urllib.parse
import warnings
from typing import IO, Any, Protocol

from ..errors import NotifyError, RuleError, VpcflowError
from ..findings.finding import Finding
from ..io.writing import check_writable, open_to_append

TIMEOUT = 10.0  # seconds for one delivery
# CEF and syslog: high, medium, low.
_CEF_SEVERITY = {"high": 9, "medium": 6, "low": 3}
_SYSLOG_SEVERITY = {"high": 2, "medium": 4, "low": 5}  # critical, warning, notice
_FACILITY = 10  # security
_SCHEMES = (
    "jsonl", "https", "http", "alertmanager+http", "alertmanager+https", "syslog", "syslog+tcp", "env", "file",
)  # fmt: skip
_LONGEST_URL = 65536
_CHUNK = 1 << 20
_BEGINNING = b'{"id": "'
_ID = re.compile(rb'\{"id": "([0-9a-f]+)"')


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
    :class:`~vpcflow.RuleError` for what is no channel.

    >>> from vpcflow import alerts
    >>> alerts.channel("https://user:secret@hooks.example/T0?token=1").label
    'https://hooks.example'
    """
    if url.startswith(("env:", "file:")):
        named, url = url, _kept_elsewhere(url)
        if url.startswith(("env:", "file:")):
            raise RuleError(f"channel {named}: it holds the name of another place; a URL is needed")
    if url.startswith("jsonl:"):
        return JsonLines(url[6:])
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RuleError("channel: this is no URL") from None
    if not parts.scheme or not host:
        hint = _nearest_scheme(url.partition(":")[0])
        raise RuleError(f"channel: a URL such as jsonl:alerts.jsonl, https://..., syslog://HOST, or env:NAME{hint}")
    if parts.scheme in ("http", "https"):
        return Webhook(url, allow_hosts)
    if parts.scheme in ("alertmanager+http", "alertmanager+https"):
        return Alertmanager(parts, host, port)
    if parts.scheme in ("syslog", "syslog+tcp"):
        return Syslog(host, port or 514, parts.scheme == "syslog+tcp")
    return AppriseChannel(url, f"{parts.scheme}://")


def _kept_elsewhere(url: str) -> str:
    """The URL that a variable or a file holds."""
    kind, _, name = url.partition(":")
    if kind == "env":
        value = os.environ.get(name, "").strip()
        if not value:
            raise RuleError(f"channel {url}: this variable is not set")
        return value
    try:
        with open(name, encoding="utf-8") as file:
            value = file.read(_LONGEST_URL).strip()
    except OSError as e:
        raise RuleError(f"channel {url}: {e.strerror}") from None
    except ValueError:
        raise RuleError(f"channel {url}: it holds no text") from None
    if not value:
        raise RuleError(f"channel {url}: this file is empty")
    return value


def _nearest_scheme(scheme: str) -> str:
    near = difflib.get_close_matches(scheme.lower(), _SCHEMES, 1, 0.75)
    return f"; did you mean {near[0]!r}?" if near and near[0] != scheme else ""


def check(one: Channel) -> None:
    """Asks a channel whether it could deliver. :class:`~vpcflow.RuleError` for what it will never do, such as to write
    into a folder or to post to a private address; :class:`~vpcflow.NotifyError` for what may be otherwise later, such
    as a name that is not resolved."""
    own = getattr(one, "check", None)
    if own is not None:
        own()


class JsonLines:
    """Lines of JSON in a file. A line that is there is not written again: the file itself tells what was delivered.
    What it holds is read once; before each line only what others have added. Devices and FIFOs are written through."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.label = f"jsonl:{path}"
        self._known: set[str] = set()
        self._read = (0, 0, 0)  # device and number of the file, and up to where it was read

    def check(self) -> None:
        """Raises :class:`~vpcflow.RuleError` if the file cannot be written."""
        if self.path == "-":
            return
        if not self.path:
            raise RuleError("channel jsonl: a path is needed, or - for standard output")
        try:
            check_writable(self.path)
        except VpcflowError as e:
            raise RuleError(f"channel {self.label}: {e}") from None

    def send(self, alert: Alert) -> None:
        """Appends the alert, unless it is there."""
        line = json.dumps(alert.as_dict()) + "\n"
        try:
            if self.path == "-":
                if sys.stdout is None:
                    raise NotifyError(f"{self.label}: standard output is closed")
                sys.stdout.write(line)
                sys.stdout.flush()
                return
            file, readable = open_to_append(self.path)
            with file:
                if readable:
                    self._catch_up(file)
                    if alert.id in self._known:
                        return
                _write_all(file, line.encode())
                if readable:
                    os.fsync(file.fileno())
        except (NotifyError, BrokenPipeError):
            raise
        except OSError as e:
            raise NotifyError(f"{self.label}: {e.strerror}") from None

    def _catch_up(self, file: IO[bytes]) -> None:
        """Reads the identities of lines that were not read yet: all of a file that is new or was cut. A line that a
        crash has cut goes, and is written whole."""
        status = os.fstat(file.fileno())
        device, number, end = self._read
        if (device, number) != (status.st_dev, status.st_ino) or status.st_size < end:
            end = 0  # another file has its name, as when logs are rotated
            self._known.clear()
        if end > 0:
            file.seek(end - 1)
            end = end if file.read(1) == b"\n" else 0  # it was cut, and has grown since
        file.seek(end)
        rest = b""
        while chunk := file.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for text in lines:
                end += len(text) + 1
                match = _ID.match(text)
                if match:
                    self._known.add(match[1].decode())
        self._read = (status.st_dev, status.st_ino, end)
        if rest.startswith(_BEGINNING[: len(rest)]):
            file.truncate(end)
        elif rest:  # of somebody else
            _write_all(file, b"\n")


def _write_all(file: IO[bytes], data: bytes) -> None:
    while data:
        data = data[file.write(data) :]


class _RefusedError(NotifyError):
    """What a webhook never does, however often it is tried."""


def public_address(host: str, port: int) -> str:
    """An address of a host that is public; the connection goes to this very address, so that a second look-up cannot
    give another one. :class:`~vpcflow.NotifyError` if there is none, or if one of them is not public."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as e:
        raise NotifyError(f"{host}: {e.strerror or e}") from None
    except UnicodeError:
        raise _RefusedError(f"{host}: no name of a host") from None
    for text in found:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
            if embedded or ip in ipaddress.ip_network("64:ff9b::/96"):
                raise _RefusedError(f"{host}: an address that stands for another is refused")
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise _RefusedError(f"{host}: not a public address; if it is yours, --allow-host {host}")
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

    def _address(self) -> str:
        """The address to go to, unless the host is allowed."""
        if not self._secure:
            raise _RefusedError(f"{self.label}: https is needed; if it is yours, --allow-host {self._host}")
        if self._user:
            raise _RefusedError(f"{self.label}: a user in the URL is refused")
        return public_address(self._host, self._port)

    def check(self) -> None:
        """Raises :class:`~vpcflow.RuleError` for what :meth:`send` refuses."""
        try:
            if not self._allowed:
                self._address()
        except _RefusedError as e:
            raise RuleError(f"channel {e}") from None

    def send(self, alert: Alert) -> None:
        """One POST; anything but a 2xx answer is an error."""
        connection: http.client.HTTPConnection
        if self._allowed:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=TIMEOUT)
        else:
            connection = _Pinned(self._host, self._port, self._address())
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

    >>> from vpcflow import alerts
    >>> from vpcflow.findings import Finding
    >>> found = Finding("ssh", "high", "10.0.0.1", ["10.0.0.2"], 0, 60, 0.9, "T1110", {"n": 7}, {}, "10.0.0.1 tried")
    >>> alerts.cef(alerts.Alert("1", found)).split("|", 7)[:7]
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
        except (OSError, UnicodeError) as e:
            raise NotifyError(f"{self.label}: {getattr(e, 'strerror', None) or type(e).__name__}") from None


class AppriseChannel:
    """Whatever Apprise knows: mail, Slack, Teams, PagerDuty, ..."""

    def __init__(self, url: str, label: str) -> None:
        self.label = label
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what its plugins import
            try:
                import apprise  # an extra
            except ImportError:
                hint = _nearest_scheme(label[:-3])
                raise RuleError(f"channel {label}: it needs Apprise: pip install 'vpcflow[notify]'{hint}") from None
            self._apprise = apprise.Apprise()
            if not self._apprise.add(url):
                raise RuleError(f"channel {label}: Apprise knows no such URL{_nearest_scheme(label[:-3])}")

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
