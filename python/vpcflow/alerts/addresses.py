"""Where channels and sinks may connect to: checked addresses, certificates, and what errors of a connection mean."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Sequence

from ..errors import NotifyError

_DOUBTS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
#: Errors of a connection that broke.
BROKEN = (ConnectionError, *_DOUBTS)
_OTHER_NAMES = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


class RefusedError(NotifyError):
    """What is never done, however often it is tried."""


class NoHostError(NotifyError):
    """A name that no host has."""


def public_addresses(host: str, port: int) -> list[str]:
    """Returns the addresses of a host, all public; the connection goes to one of these, so that a second look-up cannot
    give another one. :class:`~vpcflow.NotifyError` if there is none, or if one of them is not public."""
    found = _addresses(host, port)
    for text in found:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
            if embedded or ip in ipaddress.ip_network("64:ff9b::/96"):
                raise RefusedError(f"{host}: refused: the address embeds another one")
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise RefusedError(f"{host}: not a public address; if the host is yours, --allow-host {host}")
    return found


def own_addresses(host: str, port: int, secure: bool) -> list[str]:
    """Returns the addresses of a host that a URL names as a server of its reader's own, which may be private. Addresses
    of the link alone (there clouds give credentials out) and of groups are refused, and public ones without TLS."""
    found = _addresses(host, port)
    for text in found:
        ip = ipaddress.ip_address(text.split("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or text.startswith("fd00:ec2:"):
            raise RefusedError(f"{host}: refused: {ip} is no address of a server")
        if ip.is_global and not secure:
            raise RefusedError(f"{host}: refused: a public address without TLS; if it is yours, --allow-host {host}")
    return found


def connected(addresses: Sequence[str], port: int, patience: float) -> socket.socket:
    """Connects to the first address that answers, in their order, each within ``patience`` seconds. ``OSError`` of the
    last one if none does."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return _opened(address, port, patience)
    return _opened(addresses[-1], port, patience)


def _opened(address: str, port: int, patience: float) -> socket.socket:
    opened = socket.create_connection((address, port), patience)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def is_allowed(host: str, port: int, allow_hosts: Sequence[str]) -> bool:
    """Tells whether ``--allow-host`` names a host, as ``name`` or ``name:port``: then its address is not checked.

    >>> is_allowed("hooks", 443, ["hooks"]), is_allowed("hooks", 443, ["hooks:80"])
    (True, False)
    """
    return host in allow_hosts or f"{host}:{port}" in allow_hosts


def _addresses(host: str, port: int) -> list[str]:
    """Returns the addresses of a host in the order of the system, which has those first that can be reached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in found))
    except OSError as e:
        is_unknown = e.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
        raise (NoHostError if is_unknown else NotifyError)(f"{host}: {e.strerror or e}") from None
    except UnicodeError:
        raise RefusedError(f"{host}: invalid host name") from None


def tls_context(ca: str | None) -> ssl.SSLContext:
    """Returns what checks certificates: by the authorities of a file of PEM, else by those of the system. Raises
    :class:`RefusedError` for a file that has none."""
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as e:
        raise RefusedError(f"ca={ca}: {getattr(e, 'strerror', None) or 'no certificates'}") from None


def failure(label: str, error: Exception) -> NotifyError:
    """Makes the error of a connection that failed; the text of ``error`` may have the URL, so it is not shown."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "" if error.verify_code in _OTHER_NAMES else "; ?ca=FILE names its authority"
        return RefusedError(f"{label}: certificate refused: {error.verify_message.rstrip('.')}{hint}")
    if isinstance(error, _DOUBTS):
        return NotifyError(f"{label}: connection ended")
    if isinstance(error, ssl.SSLError) and error.reason:
        return RefusedError(f"{label}: no TLS: {error.reason.lower().replace('_', ' ')}")
    if isinstance(error, ConnectionError) or type(error) is OSError:
        return NotifyError(f"{label}: {(error.strerror or 'connection ended').lower()}")
    return NotifyError(f"{label}: {'no answer' if isinstance(error, socket.timeout) else type(error).__name__}")
