"""What interfaces log of a conversation, and what AWS charges for it: one function a path, from AWS's semantics alone.

Each direction of a conversation is a :class:`Way`: legs, which interfaces log, and charges, which are per byte.
"""

from __future__ import annotations

import dataclasses

from .world import REGIONS, Interface, World

#: The class of the price sheet that a path class finds its price by.
PRICE_OF = {
    "nat": "nat.gb", "cross_az": "cross_az", "peering": "peering", "interface_endpoint": "vpce.gb", "tgw": "tgw.gb",
    "public_in_region": "public_in_region", "region_out": "region.out", "internet_out": "internet.out",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Leg:
    """What one interface logs of one direction, with the truth about it."""

    interface: Interface
    egress: bool
    src: str
    dst: str
    #: Of the packet; where they differ from the addresses of the interface.
    packet_src: str
    packet_dst: str
    path: int | None
    hop: Interface | None
    services: tuple[str | None, str | None]
    #: The path class.
    kind: str
    #: Whether its bytes count when every interface is logged: each byte of a path counts at one leg.
    counted: bool
    owner: str | None
    #: ``"inside"`` and ``"outside"`` of a NAT gateway, ``"workload"``: to a gateway that counts itself.
    leg: str | None = None
    action: str = "ACCEPT"
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class Charge:
    """What a byte costs: a usage type of a resource; ``price``: its class in the price sheet, ``None`` if free."""

    account: str
    region: str
    price: str | None
    usage_type: str
    operation: str
    product: str
    resource: str
    to: str | None = None
    interface: Interface | None = None  # that pays for it


@dataclasses.dataclass(frozen=True)
class Way:
    legs: tuple[Leg, ...]
    charges: tuple[Charge, ...]

    def sides(self, leg: Leg) -> int:
        """Returns how often a byte of a leg is charged at the price of its class."""
        price = PRICE_OF.get(leg.kind)
        return sum(charge.price == price for charge in self.charges) if leg.counted and price else 0


@dataclasses.dataclass(frozen=True)
class Talk:
    """A conversation: from client to server, and back."""

    ports: tuple[int, int]
    there: Way
    back: Way


@dataclasses.dataclass(frozen=True)
class Outside:
    """An end that is none of the world's interfaces."""

    address: str
    service: str | None = None  # of AWS
    region: str | None = None


def _leg(at: Interface, egress: bool, src: str, dst: str, kind: str, counted: bool, **more: object) -> Leg:
    values: dict[str, object] = {
        "packet_src": src, "packet_dst": dst, "path": None, "hop": None, "services": (None, None), "owner": at.team,
    }  # fmt: skip
    return Leg(at, egress, src, dst, kind=kind, counted=counted, **{**values, **more})  # type: ignore[arg-type]


# -- charges


def _between(kind: str, one: Interface, side: str) -> Charge:
    """Returns what a side of a transfer within a region pays: ``InterZone``, ``PublicIP``."""
    region = one.region
    price = {"InterZone": "cross_az", "PublicIP": "public_in_region"}[kind]
    usage = f"{region.prefix}DataTransfer-Regional-Bytes"
    return Charge(one.account, region.name, price, usage, f"{kind}-{side}", "AmazonEC2", _resource(one), interface=one)


def _peering(one: Interface, side: str) -> Charge:
    usage = f"{one.region.prefix}VpcPeering-{side}-Bytes"
    return Charge(
        one.account, one.region.name, "peering", usage, f"VpcPeering-{side}", "AmazonVPC", _resource(one), interface=one
    )


def _internet(one: Interface, side: str) -> Charge:
    usage = f"{one.region.prefix}DataTransfer-{side}-Bytes"
    operation = "NatGateway" if one.kind.endswith("nat_gateway") else "RunInstances"
    price = "internet.out" if side == "Out" else None
    return Charge(one.account, one.region.name, price, usage, operation, "AmazonEC2", _resource(one), interface=one)


def _region_out(one: Interface, to: str, peered: bool) -> Charge:
    code = one.region.code if peered else f"{one.region.code}-{REGIONS[to].code}"
    usage = f"{code}-AWS-Out-Bytes"
    operation = "VpcPeering-Out" if peered else "InterRegion-Out"
    return Charge(one.account, one.region.name, "region.out", usage, operation, "AmazonEC2", _resource(one), to, one)


def _through(gateway: Interface, payer: Interface | None = None) -> Charge:
    """Returns what a gateway takes for a byte."""
    region, product = gateway.region, "AmazonVPC"
    price, usage, operation = {
        "nat_gateway": ("nat.gb", f"{region.prefix}NatGateway-Bytes", "NatGateway"),
        "regional_nat_gateway": ("nat.gb", f"{region.code}-RegionalNatGateway-Bytes", "RegionalNatGateway"),
        "vpc_endpoint": ("vpce.gb", f"{region.prefix}VpcEndpoint-Bytes", "VpcEndpoint"),
        "transit_gateway": ("tgw.gb", f"{region.prefix}TransitGateway-Bytes", "TransitGatewayVPC"),
    }[gateway.kind]
    if "nat" in gateway.kind:
        product = "AmazonEC2"
    return Charge(
        gateway.account, region.name, price, usage, operation, product, _resource(gateway), interface=payer or gateway
    )


def _resource(one: Interface) -> str:
    if one.resource is None:
        return one.instance or one.id
    kind = {"nat": "natgateway", "vpc": "vpc-endpoint", "tgw": "transit-gateway-attachment"}[one.resource[:3]]
    return f"arn:aws:ec2:{one.region.name}:{one.account}:{kind}/{one.resource}"


# -- paths


def inside(world: World, one: Interface, other: Interface) -> tuple[Way, Way]:
    """Returns the ways between two interfaces by private addresses: of one VPC, of peered ones, or by a TGW."""
    return _one_way(world, one, other), _one_way(world, other, one)


def _one_way(world: World, sender: Interface, receiver: Interface) -> Way:
    if sender.vpc is receiver.vpc:
        if receiver.kind == "vpc_endpoint" or sender.kind == "vpc_endpoint":
            return _by_endpoint(sender, receiver)
        far = sender.zone != receiver.zone
        kind, path = "cross_az" if far else "same_az", 1
        charges = (_between("InterZone", sender, "Out"), _between("InterZone", receiver, "In")) if far else ()
    elif frozenset((sender.vpc.id, receiver.vpc.id)) in world.peerings:
        if sender.region is not receiver.region:
            return _by_far_peering(sender, receiver)
        kind, path = "peering", 4
        far = sender.zone != receiver.zone
        charges = (_peering(sender, "Out"), _peering(receiver, "In")) if far else ()
    else:
        return _by_transit(world, sender, receiver)
    return Way(_plain(sender, receiver, kind, path), charges)


def _plain(sender: Interface, receiver: Interface, kind: str, path: int) -> tuple[Leg, ...]:
    src, dst = sender.address, receiver.address
    return (
        _leg(sender, True, src, dst, kind, True, path=path, hop=receiver),
        _leg(receiver, False, src, dst, kind, False, hop=sender),
    )


def _by_endpoint(sender: Interface, receiver: Interface) -> Way:
    gateway = sender if sender.kind == "vpc_endpoint" else receiver
    return Way(
        _plain(sender, receiver, "interface_endpoint", 1),
        (_through(gateway, receiver if gateway is sender else sender),),
    )


def _by_far_peering(sender: Interface, receiver: Interface) -> Way:
    src, dst = sender.address, receiver.address
    legs = (
        _leg(sender, True, src, dst, "region_out", True, path=5, hop=receiver),
        _leg(receiver, False, src, dst, "region_in", True, hop=sender),
    )
    return Way(legs, (_region_out(sender, receiver.region.name, peered=True),))


def _by_transit(world: World, sender: Interface, receiver: Interface) -> Way:
    first = next(one for one in world.attachments[sender.vpc.id] if one.zone == sender.zone)
    last = next(one for one in world.attachments[receiver.vpc.id] if one.zone == receiver.zone)
    src, dst = sender.address, receiver.address
    legs = (
        _leg(sender, True, src, dst, "tgw", True, path=1, hop=first),
        _leg(first, False, src, dst, "tgw", False, hop=sender),
        _leg(last, True, src, dst, "tgw", False, path=1, hop=receiver),
        _leg(receiver, False, src, dst, "tgw", False, hop=last),
    )
    return Way(legs, (_through(first, sender),))


def outside(world: World, one: Interface, peer: Outside) -> tuple[Way, Way]:
    """Returns the ways of an interface with a public address, or a gateway endpoint, and an end outside."""
    if peer.service is not None and (one.vpc.id, peer.service) in world.gateways and peer.region == one.region.name:
        kind, path = "gateway_endpoint", 7
        charges: tuple[tuple[Charge, ...], tuple[Charge, ...]] = ((), ())
    else:
        (kind, charges), path = onward(one, peer), 8
    there, back = (kind, "region_in" if kind == "region_out" else "internet_in" if kind == "internet_out" else kind)
    out = _leg(one, True, one.address, peer.address, there, True, path=path, services=(None, peer.service))
    into = _leg(one, False, peer.address, one.address, back, True, services=(peer.service, None))
    return Way((out,), charges[0]), Way((into,), charges[1])


def onward(one: Interface, peer: Outside) -> tuple[str, tuple[tuple[Charge, ...], tuple[Charge, ...]]]:
    """Returns the class of what goes out by an internet gateway, and the charges of both directions."""
    if peer.service is None:
        return "internet_out", ((_internet(one, "Out"),), (_internet(one, "In"),))
    if peer.service == "CLOUDFRONT":
        return "cloudfront", ((), ())
    if peer.region != one.region.name:
        return "region_out", ((_region_out(one, str(peer.region), peered=False),), ())
    if peer.service == "EC2":
        return "public_in_region", ((_between("PublicIP", one, "Out"),), (_between("PublicIP", one, "In"),))
    return "aws_service_public", ((), ())


def public_pair(sender: Interface, receiver: Interface) -> tuple[Way, Way]:
    """Returns the ways between two own interfaces of a region by their public addresses."""
    return _publicly(sender, receiver), _publicly(receiver, sender)


def _publicly(sender: Interface, receiver: Interface) -> Way:
    legs = (
        _leg(
            sender, True, sender.address, str(receiver.public), "public_in_region", True, path=8, services=(None, "EC2")
        ),
        _leg(receiver, False, str(sender.public), receiver.address, "public_in_region", False, services=("EC2", None)),
    )
    return Way(legs, (_between("PublicIP", sender, "Out"), _between("PublicIP", receiver, "In")))


def by_nat(one: Interface, nat: Interface, peer: Outside) -> tuple[Way, Way]:
    """Returns the ways of an interface by a NAT gateway, and an end outside: four legs there, four back."""
    (kind, charges), w, n, p = onward(nat, peer), one.address, nat.address, peer.address
    returned = "region_in" if kind == "region_out" else "internet_in" if kind == "internet_out" else kind
    far = nat.zone is not None and nat.zone != one.zone
    own = "cross_az" if far else "nat"
    to, fro = (None, peer.service), (peer.service, None)
    legs = (
        _leg(one, True, w, p, own, far, path=1, hop=nat, services=to, leg="workload"),
        _leg(nat, False, w, n, "nat", True, packet_dst=p, hop=one, services=to, owner=one.team, leg="inside"),
        _leg(nat, True, n, p, kind, True, path=8, services=to, owner=one.team, leg="outside"),
    )
    answer = (
        _leg(nat, False, p, n, returned, True, services=fro, owner=one.team, leg="outside"),
        _leg(nat, True, n, w, "nat", True, packet_src=p, path=1, hop=one, services=fro, owner=one.team, leg="inside"),
        _leg(one, False, p, w, own, far, hop=nat, services=fro, leg="workload"),
    )
    zone = (_between("InterZone", one, "Out"), _between("InterZone", nat, "In")) if far else ()
    zone_back = (_between("InterZone", nat, "Out"), _between("InterZone", one, "In")) if far else ()
    through = _through(nat, one)
    return Way(legs, (through, *zone, *charges[0])), Way(answer, (through, *zone_back, *charges[1]))


def by_gateway(one: Interface, peer: str, kind: str) -> tuple[Way, Way]:
    """Returns the ways of an interface and an end behind a virtual private or local gateway, which no sheet prices."""
    path = {"vgw": 3, "local_gateway": 6}[kind]
    out = _leg(one, True, one.address, peer, kind, True, path=path)
    return Way((out,), ()), Way((_leg(one, False, peer, one.address, kind, True),), ())


def refused(one: Interface, peer: str, reason: str | None) -> Way:
    """Returns what an interface refuses, by its rules or by block public access."""
    leg = _leg(one, False, peer, one.address, "rejected", False, action="REJECT", reason=reason)
    return Way((leg,), ())
