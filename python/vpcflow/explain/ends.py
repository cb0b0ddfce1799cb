"""The two ends of a question: addresses, and the interfaces that the inventory knows behind a name."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING, Union

from ..errors import PlanError

if TYPE_CHECKING:
    from ..reach import Interface, Network

Prefix = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
#: Addresses that AWS does not log traffic to: metadata, time, DNS of the VPC at 169.254.169.253, licences.
_UNLOGGED = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::/32"))


@dataclasses.dataclass(frozen=True)
class End:
    """One end: what was asked for, its addresses, and its interfaces."""

    text: str
    #: What its records may have as an address.
    prefixes: tuple[Prefix, ...]
    #: By id; empty without an inventory, and for hosts that are not in it.
    interfaces: dict[str, Interface] = dataclasses.field(default_factory=dict)
    #: Interfaces by each of their addresses.
    owners: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Interfaces of several addresses: logs without ``pkt-*`` fields show the primary one for all of them.
    shared: frozenset[str] = frozenset()
    #: Public addresses, with the private ones that they stand for.
    private: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Addresses that several interfaces have, each in a network of its own.
    ambiguous: frozenset[str] = frozenset()

    def holds(self, address: str) -> bool:
        """Tells whether an address is of this end."""
        if address in self.owners:
            return True
        one = ipaddress.ip_address(address)
        return any(one in prefix for prefix in self.prefixes)

    def address_of(self, plain: str | None, packet: str | None, interface: str | None) -> tuple[str, bool] | None:
        """Returns which address of this end a record names, and whether it may be another one of the same interface;
        ``None``: none of it.

        ``plain``: the address that the interface shows; ``packet``: that of the packet, where logs have it."""
        address = packet or plain
        if address is None:
            return None
        hidden = packet is None and interface in self.shared and address == self.interfaces[interface].primary
        if hidden:
            mine = sorted({self.private.get(a, a) for a, owner in self.owners.items() if owner == interface})
            return (mine[0] if len(mine) == 1 else address), True
        return (self.private.get(address, address), False) if self.holds(address) else None

    def name_of(self, address: str) -> str:
        """Returns how people call an address of this end: ``10.0.1.5 (web-1)``."""
        interface = self.interfaces.get(self.owners.get(address, ""))
        name = (interface.name or interface.instance) if interface is not None else ""
        return f"{address} ({name})" if name else address

    @property
    def is_unlogged(self) -> bool:
        """Whether it is an address of AWS's services inside a VPC, to which flow logs log nothing."""
        return any(
            prefix.version == no.version and prefix.subnet_of(no)  # type: ignore[arg-type]
            for prefix in self.prefixes
            for no in _UNLOGGED
        )

    @property
    def words(self) -> list[str]:
        """What filters have for it: addresses, and prefixes with their length."""
        texts = [str(p.network_address) if p.num_addresses == 1 else str(p) for p in self.prefixes]
        return list(dict.fromkeys([*texts, *(self.interfaces[one].primary for one in sorted(self.shared))]))


def end_of(text: str, option: str, network: Network | None) -> End:
    """Finds an end by what it is called: an address, CIDR, interface, instance, group or name.

    Raises :class:`~vpcflow.PlanError` for a name that the inventory does not have, with the nearest one, and for one
    without an inventory."""
    text = text.strip()
    prefix = _prefix_of(text)
    if prefix is None and network is None:
        raise PlanError(f"{option}={text!r}: expected an address or a CIDR; a name needs an inventory")
    if network is None:
        assert prefix is not None
        return End(text, (prefix,))
    if prefix is not None:
        own = {one.id: _asked(one, prefix) for one in network.interfaces.values()}
        return _end(text, (prefix,), network, {one: mine for one, mine in own.items() if mine})
    if "NetworkInterfaces" not in network.kinds:
        raise PlanError(f"{option}={text!r}: names need describe-network-interfaces in the inventory; give an address")
    return _end(text, (), network, {one.id: _pairs(one) for one in network.find(text)})


def _end(text: str, prefixes: tuple[Prefix, ...], network: Network, own: dict[str, list[tuple[str, ...]]]) -> End:
    owners: dict[str, str] = {}
    ambiguous = set()
    every = list(prefixes)
    shared, private = set(), {}
    for one, pairs in own.items():
        private.update({pair[1]: pair[0] for pair in pairs if len(pair) == 2})
        for address in (address for pair in pairs for address in pair):
            prefix = ipaddress.ip_network(address, strict=False)
            every.append(prefix)
            if prefix.num_addresses == 1:
                text_of = str(prefix.network_address)
                ambiguous |= {text_of} if owners.get(text_of, one) != one else set()
                owners[text_of] = one
        interface = network.interfaces[one]
        if interface.primary and sum(":" not in pair[0] for pair in _pairs(interface)) > 1:
            shared.add(one)
    interfaces = {one: network.interfaces[one] for one in own}
    return End(text, tuple(dict.fromkeys(every)), interfaces, owners, frozenset(shared), private, frozenset(ambiguous))


def _asked(interface: Interface, prefix: Prefix) -> list[tuple[str, ...]]:
    """Returns the addresses of an interface that a prefix asks for, each with the public one that stands for it."""
    return [pair for pair in _pairs(interface) if any(_overlap(address, prefix) for address in pair)]


def _overlap(address: str, prefix: Prefix) -> bool:
    own = ipaddress.ip_network(address, strict=False)
    return own.version == prefix.version and own.overlaps(prefix)


def _pairs(interface: Interface) -> list[tuple[str, ...]]:
    """Returns the addresses of an interface; a private one stands together with its public one."""
    public: dict[str, str] = {}
    for one in interface.item.get("PrivateIpAddresses") or []:
        association = one.get("Association") or {}
        if association.get("PublicIp"):
            public[str(one.get("PrivateIpAddress"))] = str(association["PublicIp"])
    out: list[tuple[str, ...]] = []
    for text in interface.addresses:
        address = text.removesuffix("/32").removesuffix("/128")
        out.append((address, public[address]) if address in public else (address,))
    return out


def _prefix_of(text: str) -> Prefix | None:
    """Returns an address or CIDR; ``None`` for a name. Host bits are masked."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
