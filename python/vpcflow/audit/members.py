"""Which addresses and interfaces are in a zone at a time: by an inventory, else as far as the logs tell."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Union

from .._addresses import is_public
from ..inventory import Inventory
from ..reach import Network
from ..tuning.members import attached
from .model import Place, Zone
from .seen import Seen

_Net = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
#: Kinds of answers by whose changes members change.
KINDS = ("NetworkInterfaces", "Instances", "Subnets", "Vpcs")
#: Interfaces that send on what others began, under an address of their own.
_NAT = ("nat_gateway", "regional_nat_gateway")
_LOAD_BALANCER = "network_load_balancer"
#: Interfaces that all sessions of a server may pass, so that its address does not show whose they are.
_ON_THE_WAY = (*_NAT, _LOAD_BALANCER, "gateway_load_balancer", "gateway_load_balancer_endpoint", "transit_gateway")
_DETACHED = "available"


class Member(NamedTuple):
    """An interface, or the subnet in which an address without one lies: ``None`` for what is not known of it."""

    id: str
    addresses: tuple[str, ...]
    prefixes: tuple[_Net, ...]
    account: str | None
    vpc: str | None
    subnet: str | None
    tags: Mapping[str, str] | None
    kind: str
    since: int | None = None


class Stretch:
    """The members of zones in a stretch of time in which the inventory says the same. For one thread."""

    def __init__(self, zones: Mapping[str, Zone], inventory: Inventory | None, time: int, seen: Seen) -> None:
        self.zones, self.time = zones, time
        self.known = inventory is not None and "NetworkInterfaces" in inventory.tables
        self.members = {one.id: one for one in self._read(inventory, seen)}
        self._devices = any(one.kind in (*_NAT, _LOAD_BALANCER) for one in self.members.values())
        self._nets = {name: [ipaddress.ip_network(text) for text in zone.cidr] for name, zone in zones.items()}
        self._subnets = list(_subnets(inventory, time))
        self._by_address: dict[str, list[Member]] = {}
        self._delegated: list[tuple[_Net, Member]] = []
        for one in self.members.values():
            for text in one.addresses:
                self._by_address.setdefault(text, []).append(one)
            self._delegated += [(net, one) for net in one.prefixes]
        self._holds: dict[tuple[str, str, str | None], bool | None] = {}
        self._own: dict[str, list[Member]] = {}
        self._places: dict[Place, list[Member]] = {}

    def _read(self, inventory: Inventory | None, seen: Seen) -> Iterator[Member]:
        if not self.known:
            for id, face in seen.faces.items():
                facts = face.facts
                own = (face.address,) if face.address else tuple(sorted(face.own or ()))
                yield Member(id, own, (), facts.get("account_id"), facts.get("vpc_id"), facts.get("subnet_id"), None,
                             facts.get("interface_type", ""))  # fmt: skip
            return
        assert inventory is not None
        for one in Network.at(inventory, self.time).interfaces.values():
            if str(one.item.get("Status") or "").lower() == _DETACHED and one.id not in seen.faces:
                continue
            nets = [ipaddress.ip_network(text) for text in one.addresses]
            single = [str(net.network_address) for net in nets if net.num_addresses == 1]
            yield Member(
                one.id, tuple(dict.fromkeys((*single, *one.public))),
                tuple(net for net in nets if net.num_addresses > 1),
                str(one.item.get("OwnerId") or "") or None, one.vpc or None, one.subnet or None, one.tags, one.kind,
                attached(one.item),
            )  # fmt: skip

    def at(self, address: str) -> list[Member]:
        """Returns the interfaces that an address is, or may be, of; in each VPC there may be one."""
        if address not in self._own:
            found = list(self._by_address.get(address, ()))
            if self._delegated:
                ip = ipaddress.ip_address(address)
                found += [one for net, one in self._delegated if ip in net]
            self._own[address] = found
        return self._own[address]

    def target(self, address: str, vpc: str | None = None) -> list[Member]:
        """Returns the interfaces that are known to have an address; without inventory only those that it alone can be
        of."""
        found = self.at(address)
        if not self.known:
            found = [one for one in found if len(one.addresses) == 1 and one.kind not in _ON_THE_WAY]
        own = [one for one in found if vpc is not None and one.vpc == vpc]
        return own or found

    def hides_clients(self, address: str, packet_ends: bool) -> bool:
        """Tells whether sessions of an address may have been begun by others: it is a load balancer's, or, in logs
        without the packets' own ends, a NAT gateway's."""
        if not self._devices:
            return False
        kinds = {one.kind for one in self.at(address) if self.known or len(one.addresses) == 1}
        return _LOAD_BALANCER in kinds or (not packet_ends and not kinds.isdisjoint(_NAT))

    def in_place(self, place: Place, address: str, vpc: str | None = None) -> bool | None:
        """Tells whether an address is in one of some zones or prefixes; ``None``: that is not known."""
        if place.prefixes and any(ipaddress.ip_address(address) in ipaddress.ip_network(p) for p in place.prefixes):
            return True
        answers = [self.holds(name, address, vpc) for name in place.zones]
        return True if True in answers else None if None in answers else False

    def holds(self, name: str, address: str, vpc: str | None = None) -> bool | None:
        """Tells whether an address is in a zone. ``vpc``: where it was seen, which decides between interfaces of the
        same address."""
        key = (name, address, vpc)
        if key not in self._holds:
            self._holds[key] = self._decide(self.zones[name], address, vpc)
        return self._holds[key]

    def _decide(self, zone: Zone, address: str, vpc: str | None) -> bool | None:
        ip = ipaddress.ip_address(address)
        if zone.cidr and not any(ip in net for net in self._nets[zone.name]):
            return False
        answers = [_not(self.holds(other, address, vpc)) for other in zone.without]
        if zone.by_interface:
            answers.append(self._by_members(zone, address, ip, vpc))
        return False if False in answers else None if None in answers else True

    def _by_members(self, zone: Zone, address: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
                    vpc: str | None) -> bool | None:  # fmt: skip
        found = self.target(address, vpc)
        if not found:
            found = [one for one in self._subnets if any(ip in net for net in one.prefixes)]
        if not found:
            return False if is_public(ip) or ip.is_multicast or ip.is_link_local or ip.is_unspecified else None
        answers = {_fits(zone, one) for one in found}
        return answers.pop() if len(answers) == 1 else None

    def interfaces(self, place: Place) -> list[Member]:
        """Returns the interfaces of zones; without inventory also those that may be of them."""
        if place not in self._places:
            found = [one for one in self.members.values() if any(self._may_hold(name, one) for name in place.zones)]
            self._places[place] = found
        return self._places[place]

    def has(self, name: str) -> bool | None:
        """Tells whether an interface is known to be in a zone; ``None``: some may be."""
        zone, answers = self.zones[name], set()
        for one in self.members.values():
            fits = _fits(zone, one) if zone.by_interface else True
            if fits is not False and (zone.cidr or zone.without):
                known = self.known or len(one.addresses) == 1
                holds = {self.holds(name, text) for text in one.addresses} if known else set()
                fits = True if True in holds else None if None in holds or not known else False
            answers.add(fits)
        return True if True in answers else None if None in answers else False

    def _may_hold(self, name: str, one: Member) -> bool:
        zone = self.zones[name]
        if zone.outside or (zone.by_interface and _fits(zone, one) is False):
            return False
        if not one.addresses and not one.prefixes:
            # Nobody knows whose it is: then it may be of any zone, and its gaps count.
            return not self.known
        texts = (*one.addresses, *(str(net.network_address) for net in one.prefixes))
        if zone.cidr and not any(ipaddress.ip_address(text) in net for text in texts for net in self._nets[name]):
            return False
        return not zone.without or any(self.holds(other, text) is not True for text in texts for other in zone.without)

    def ambiguous(self, name: str) -> str:
        """Returns the first address of a zone of prefixes alone that interfaces of several VPCs have; empty: none."""
        zone = self.zones[name]
        if not zone.cidr or zone.by_interface or not self.known:
            return ""
        for address, found in sorted(self._by_address.items()):
            vpcs = sorted({one.vpc for one in found if one.vpc})
            if len(vpcs) > 1 and any(ipaddress.ip_address(address) in net for net in self._nets[name]):
                return f"{address} is in {' and '.join(vpcs)}"
        return ""

    def lacking(self, name: str) -> list[str]:
        """Returns the ids that a zone names and nothing has."""
        zone = self.zones[name]
        out: list[str] = []
        named = {"id": zone.interface, "vpc": zone.vpc, "subnet": zone.subnet, "account": zone.account}
        for key, wanted in named.items():
            there = {getattr(one, key) for one in self.members.values()}
            out += [text for text in wanted if text not in there]
        return out


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _fits(zone: Zone, one: Member) -> bool | None:
    """Tells whether an interface has what the keys of a zone name, prefixes aside; ``None``: it is not known."""
    answers: list[bool | None] = []
    for wanted, own in ((zone.vpc, one.vpc), (zone.subnet, one.subnet), (zone.account, one.account),
                        (zone.interface, one.id or None)):  # fmt: skip
        if wanted:
            answers.append(None if own is None else own in wanted)
    for key, values in zone.tag:
        answers.append(None if one.tags is None else one.tags.get(key) in values)
    return False if False in answers else None if None in answers else True


def _subnets(inventory: Inventory | None, time: int) -> Iterator[Member]:
    """Yields the subnets of an inventory, as what is known of an address without interface."""
    if inventory is None:
        return
    for id, item in inventory.at("Subnets", time).items():
        texts = [str(item.get("CidrBlock") or "")]
        for one in item.get("Ipv6CidrBlockAssociationSet") or ():
            texts.append(str(one.get("Ipv6CidrBlock") or "") if isinstance(one, dict) else "")
        nets = tuple(net for text in texts if (net := _net(text)) is not None)
        yield Member("", (), nets, str(item.get("OwnerId") or "") or None, str(item.get("VpcId") or "") or None, id,
                     None, "")  # fmt: skip


def _net(text: str) -> _Net | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def changes(inventory: Inventory | None) -> set[int]:
    """Returns the times, in Unix seconds, at which what an inventory says of members changes."""
    tables = [inventory.tables[kind] for kind in KINDS if kind in inventory.tables] if inventory is not None else []
    return {
        moment
        for table in tables
        for versions in table.versions.values()
        for version in versions
        for moment in (version.start, version.end)
        if moment is not None
    }


def newest(inventory: Inventory) -> int | None:
    """Returns when the last dated answer about interfaces was asked; ``None`` if its files have no dates."""
    times = inventory.tables["NetworkInterfaces"].times if "NetworkInterfaces" in inventory.tables else ()
    return times[-1] if times else None


def resolved(stretches: Iterable[Stretch], name: str) -> list[dict[str, object]]:
    """Returns the members of a zone in each stretch of time as plain values; those that stay the same once."""
    out: list[dict[str, object]] = []
    place = Place((name,))
    for one in stretches:
        ids = sorted(member.id for member in one.interfaces(place))
        if not out or out[-1]["interfaces"] != ids:
            out.append({"from": one.time, "interfaces": ids})
    return out
