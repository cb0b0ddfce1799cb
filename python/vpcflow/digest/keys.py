"""Addresses as keys of one length, whose order is that of the addresses: IPv4 before IPv6."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Union

from .._hints import hint
from ..errors import PlanError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Keys = npt.NDArray[np.bytes_]

WIDTH = 17  # a byte of the family, then the address, that of IPv4 in its first four bytes
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_PAD = bytes(12)


class Range(NamedTuple):
    """The keys from ``low`` to ``high``, both included."""

    low: bytes
    high: bytes


def key_of(address: str) -> bytes:
    """Returns the key of an address as the engine writes it.

    >>> key_of("10.0.0.1")[:5]
    b'\\x04\\n\\x00\\x00\\x01'
    """
    if ":" in address:
        return b"\x06" + socket.inet_pton(socket.AF_INET6, address)
    return b"\x04" + socket.inet_pton(socket.AF_INET, address) + _PAD


def text_of(key: bytes) -> str:
    """Returns the address of a key, which may lack zeros at its end, as those do that come out of an array.

    >>> text_of(key_of("2001:db8::1")), text_of(key_of("10.0.0.0").rstrip(b"\\0"))
    ('2001:db8::1', '10.0.0.0')
    """
    whole = key.ljust(WIDTH, b"\0")
    packed = whole[1:5] if whole[0] == 4 else whole[1:]
    return socket.inet_ntop(socket.AF_INET if whole[0] == 4 else socket.AF_INET6, packed)


def keys_of(addresses: Iterable[str]) -> Keys:
    """Returns the keys of addresses as an array, in their order."""
    import numpy as np

    return np.frombuffer(b"".join(map(key_of, addresses)), dtype=f"S{WIDTH}")


def network_of(text: str, what: str = "indicator") -> Network:
    """Returns the network of an address or a prefix. :class:`~vpcflow.PlanError` for what is neither, and for a prefix
    with host bits, with the nearest right one.

    >>> str(network_of("198.51.100.7")), str(network_of("2001:db8::/32"))
    ('198.51.100.7/32', '2001:db8::/32')
    """
    given = text.strip()
    try:
        network = ipaddress.ip_network(given)
    except ValueError:
        try:
            near = ipaddress.ip_network(given, strict=False)
        except ValueError:
            allowed = "expected an address or a prefix, as 198.51.100.7 or 2001:db8::/32"
            raise PlanError(f"{what} {text!r}: {allowed}") from None
        raise PlanError(f"{what} {text!r}: it has bits set behind its prefix; {hint(given, [str(near)])}") from None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped  # the engine reads those as IPv4, too
        if mapped is not None:
            return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network


def range_of(network: Network) -> Range:
    """Returns the keys of the addresses of a network.

    >>> low, high = range_of(network_of("10.0.0.0/30"))
    >>> text_of(low), text_of(high)
    ('10.0.0.0', '10.0.0.3')
    """
    return Range(key_of(str(network.network_address)), key_of(str(network.broadcast_address)))
