"""Which addresses are private, and which are of the internet."""

from __future__ import annotations

import ipaddress
from typing import Union

#: Networks that are no part of the public internet.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
#: Those of IPv4 among them.
PRIVATE_V4 = tuple(text for text in PRIVATE if ":" not in text)
_PRIVATE = tuple(ipaddress.ip_network(text) for text in PRIVATE)
# Of documents: nobody is there, but in logs of tests and examples strangers are.
_DOCUMENTS = tuple(
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
Address = Union[str, ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def is_private(address: Address) -> bool:
    """Tells whether an address is of those that VPCs usually have."""
    one = ipaddress.ip_address(address)
    return any(one in network for network in _PRIVATE)


def is_public(address: Address) -> bool:
    """Tells whether an address is of the internet; those of documents count as such."""
    one = ipaddress.ip_address(address)
    return one.is_global or any(one in network for network in _DOCUMENTS)


def is_public_network(network: Network) -> bool:
    """Tells whether all of a network is of the internet, as :func:`is_public`."""
    return network.is_global or any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in _DOCUMENTS
    )
