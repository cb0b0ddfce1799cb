"""HTTP for channels: connections to checked addresses, a POST of JSON."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from typing import Any

from ...errors import NotifyError

TIMEOUT = 10.0  # seconds for one delivery


class RefusedError(NotifyError):
    """What a webhook never does, however often it is tried."""


def public_address(host: str, port: int) -> str:
    """Returns a public address of a host; the connection goes to this very address, so that a second look-up cannot
    give another one. :class:`~vpcflow.NotifyError` if there is none, or if one of them is not public."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as e:
        raise NotifyError(f"{host}: {e.strerror or e}") from None
    except UnicodeError:
        raise RefusedError(f"{host}: invalid host name") from None
    for text in found:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
            if embedded or ip in ipaddress.ip_network("64:ff9b::/96"):
                raise RefusedError(f"{host}: refused: the address embeds another one")
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise RefusedError(f"{host}: not a public address; if the host is yours, --allow-host {host}")
    return sorted(found)[0]


class Pinned(http.client.HTTPSConnection):
    """HTTPS to a checked address, with the certificate checked against the host's name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        self._address = address

    def connect(self) -> None:
        """Connects to the address, whatever the name means by now."""
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


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
