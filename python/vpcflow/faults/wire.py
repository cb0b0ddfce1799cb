"""Packets on their way through a world: each interface judges by the slow matcher, and logs what it saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from . import slow
from .world import End, Item, World

#: Seconds without a packet after which security groups forget what they tracked; TCP: established.
_IDLE = {6: 432_000, 17: 180}
#: NAT gateways have so many ports for each destination.
NAT_PORTS = 55_000
#: Seconds without a packet after which NAT gateways and load balancers forget a conversation.
IDLE_TIMEOUT = 350


@dataclasses.dataclass(frozen=True)
class Packet:
    """``count`` packets of ``size`` bytes at once, with headers; ``time`` in Unix seconds; ``flags`` of TCP."""

    time: float
    src: str
    dst: str
    sport: int
    dport: int
    protocol: int = 6
    size: int = 60
    flags: int = 0
    count: int = 1
    icmp_type: int | None = None


@dataclasses.dataclass
class Seen:
    """What an interface logged of the packets of one window, direction and action."""

    packets: int = 0
    size: int = 0
    first: float = 0
    last: float = 0
    flags: int = 0


@dataclasses.dataclass(frozen=True)
class Key:
    """What packets have in common that are one record."""

    interface: str
    window: int
    egress: bool
    src: str
    dst: str
    sport: int
    dport: int
    protocol: int
    packet_src: str
    packet_dst: str
    action: str
    reason: str = "-"
    path: str = "-"
    next_hop: str = "-"


@dataclasses.dataclass(frozen=True)
class Stop:
    """What a route leads to: ``kind`` is local, peering, tgw, nat, internet, blackhole or none; the interface there."""

    kind: str
    interface: Item | None
    table: str


@dataclasses.dataclass
class _Tracked:
    last: float
    fins: set[bool] = dataclasses.field(default_factory=set)
    closed: float | None = None


class Wire:
    """Carries packets, and keeps what interfaces logged in ``seen``; if it ``notes``, who decided what in
    ``decisions``."""

    def __init__(self, world: World, window: int, notes: bool = False) -> None:
        self.world, self.window, self._notes = world, window, notes
        self.seen: dict[Key, Seen] = {}
        self.decisions: list[dict[str, Any]] = []
        self._tracked: dict[tuple[str, int, str, int, str, int], _Tracked] = {}
        self._said: dict[tuple[Any, ...], slow.Said] = {}
        self._stops: dict[tuple[Any, ...], Stop] = {}
        self._nat: dict[tuple[Any, ...], int] = {}
        self._nat_used: dict[tuple[Any, ...], int] = {}
        self._nat_last: dict[tuple[Any, ...], float] = {}

    def offset(self, interface: str) -> int:
        """Returns where windows of an interface begin."""
        return (self.world.start + int(interface[-6:], 16) % self.window) % self.window

    def send(self, packet: Packet, sender: End, receiver: End, lost: bool = False) -> bool:
        """Sends a packet, and returns whether it arrived; ``lost``: something that AWS's rules do not know drops it
        behind the sender."""
        if sender[0] is None:
            return self._from_outside(packet, receiver[0])
        public = public_of(sender[0])
        if receiver[0] is not None and packet.src in public and packet.src not in slow.addresses_of(sender[0]):
            # An answer to who came by public addresses: the interface itself has private ones alone.
            ends = (public[packet.src], public_of(receiver[0])[packet.dst])
            packet = dataclasses.replace(packet, src=ends[0], dst=ends[1])
        stop = self.stop(packet.time, sender[0], packet.dst)
        if not self._leave(packet, sender[0], stop):
            return False
        self._note(
            sender[0], "egress", "route", "deny" if stop.kind in ("none", "blackhole") else "allow", (stop.table,)
        )
        if lost or stop.kind in ("none", "blackhole"):
            return False
        if stop.kind == "internet":
            return self._by_internet(packet, sender[0])
        if stop.kind == "nat":
            return self._by_nat(packet, stop.interface, sender[0])
        if stop.kind == "tgw" and not self._by_tgw(packet, sender[0], stop.interface):
            return False
        return stop.interface is not None and self.arrive(packet, stop.interface, sender[0])

    def stop(self, time: float, sender: Item, address: str) -> Stop:
        """Returns where the route table of an interface's subnet sends a packet."""
        documents = self.world.at(time)
        key = (id(documents), sender["SubnetId"], address)
        if key not in self._stops:
            self._stops[key] = self._stop(documents, sender["SubnetId"], address)
        return self._stops[key]

    def _stop(self, documents: dict[str, list[Item]], subnet: str, address: str) -> Stop:
        way = slow.route(documents, subnet, address)
        if way.target is None or way.blackhole:
            return Stop("none" if way.target is None else "blackhole", None, way.table)
        if way.target.startswith("nat-"):
            gateway = next(n for n in documents["NatGateways"] if n["NatGatewayId"] == way.target)
            nat = gateway["NatGatewayAddresses"][0]["NetworkInterfaceId"]
            return Stop("nat", self._interface(documents, nat), way.table)
        if way.target.startswith(("igw-", "eigw-")):
            return Stop("internet", None, way.table)
        kind = {"local": "local", "pcx": "peering", "tgw": "tgw"}[way.target.split("-")[0]]
        there = self._vpcs_behind(documents, way.target, subnet)
        owners = (e for e in documents["NetworkInterfaces"] if e["VpcId"] in there and address in slow.addresses_of(e))
        return Stop(kind, next(owners, None), way.table)

    def _vpcs_behind(self, documents: dict[str, list[Item]], target: str, subnet: str) -> set[str]:
        """Returns the VPCs that a route leads to: two may have the same addresses."""
        own = next(one["VpcId"] for one in documents["Subnets"] if one["SubnetId"] == subnet)
        if target == "local":
            return {own}
        for peering in documents["VpcPeeringConnections"]:
            if peering["VpcPeeringConnectionId"] == target:
                return {peering[side]["VpcId"] for side in ("RequesterVpcInfo", "AccepterVpcInfo")} - {own}
        return {one["ResourceId"] for one in documents["TransitGatewayAttachments"]} - {own}

    def _interface(self, documents: Mapping[str, list[Item]], name: str) -> Item:
        return next(eni for eni in documents["NetworkInterfaces"] if eni["NetworkInterfaceId"] == name)

    # -- the ways

    def _leave(self, packet: Packet, sender: Item, stop: Stop) -> bool:
        subnet = next(s for s in self.world.at(packet.time)["Subnets"] if s["SubnetId"] == sender["SubnetId"])
        blocked = subnet["BlockPublicAccessStates"]["InternetGatewayBlockMode"] != "off" and stop.kind == "internet"
        crossing = stop.interface is None or stop.interface["SubnetId"] != sender["SubnetId"]
        path = {"local": "1", "tgw": "1", "nat": "1", "peering": "4", "internet": "8"}.get(stop.kind, "-")
        hop = stop.interface["NetworkInterfaceId"] if stop.interface is not None and stop.kind != "tgw" else "-"
        if stop.kind == "tgw":
            hop = self._attachment(packet.time, sender["VpcId"])["NetworkInterfaceId"]
        own = packet.src if ":" in packet.src else sender["PrivateIpAddress"]
        view = (own, packet.dst, packet.src, packet.dst)
        return self._judge(packet, sender, True, crossing, view, "BPA" if blocked else "-", path, hop)

    def arrive(self, packet: Packet, target: Item, sender: Item | None = None) -> bool:
        """Has a packet come in at an interface, from another, or from what is none in this world."""
        crossing = sender is None or sender["SubnetId"] != target["SubnetId"]
        own = packet.dst if ":" in packet.dst else target["PrivateIpAddress"]
        hop = "-" if sender is None else sender["NetworkInterfaceId"]
        return self._judge(packet, target, False, crossing, (packet.src, own, packet.src, packet.dst), hop=hop)

    def _attachment(self, time: float, vpc: str) -> Item:
        kinds = self.world.at(time)["NetworkInterfaces"]
        return next(e for e in kinds if e["VpcId"] == vpc and e["InterfaceType"] == "transit_gateway")

    def _by_tgw(self, packet: Packet, sender: Item, target: Item | None) -> bool:
        near = self._attachment(packet.time, sender["VpcId"])
        here = near["PrivateIpAddress"]
        if not self._judge(packet, near, False, True, (packet.src, here, packet.src, packet.dst)):
            return False
        if target is None:
            return False
        far = self._attachment(packet.time, target["VpcId"])
        there = far["PrivateIpAddress"]
        return self._judge(
            packet,
            far,
            True,
            True,
            (there, packet.dst, packet.src, packet.dst),
            path="1",
            hop=target["NetworkInterfaceId"],
        )

    def _by_internet(self, packet: Packet, sender: Item) -> bool:
        """Leaves the VPC with the sender's public address, and comes back in if the receiver is of this world."""
        target = next((e for e in self.world.at(packet.time)["NetworkInterfaces"] if packet.dst in public_of(e)), None)
        if target is None:
            return True
        src = public_of(sender)[packet.src]
        inner = public_of(target)[packet.dst]
        return self.arrive(dataclasses.replace(packet, src=src, dst=inner), target)

    def _by_nat(self, packet: Packet, nat: Item | None, sender: Item) -> bool:
        assert nat is not None
        own = nat["PrivateIpAddress"]
        if not self._judge(packet, nat, False, True, (packet.src, own, packet.src, packet.dst)):
            return False
        flow = (packet.src, packet.sport, packet.dst, packet.dport, packet.protocol)
        if flow not in self._nat:
            place = (nat["NetworkInterfaceId"], packet.dst, packet.dport, packet.protocol)
            used = self._nat_used.get(place, 0)
            if used >= NAT_PORTS:
                return False
            self._nat_used[place] = used + 1
            self._nat[flow] = 1024 + used * 7919 % 64512
        if packet.time - self._nat_last.get(flow, packet.time) > IDLE_TIMEOUT:
            # What went on too late is told so by a reset that the server never sent.
            back = (packet.dst, packet.src, packet.dport, packet.sport)
            self._back_from_nat(Packet(packet.time + 0.001, *back, packet.protocol, 40, 4), nat, sender)
            return False
        self._nat_last[flow] = packet.time
        outside = dataclasses.replace(packet, src=own, sport=self._nat[flow])
        return self._leave(outside, nat, self.stop(packet.time, nat, packet.dst))

    def _from_outside(self, packet: Packet, target: Item | None) -> bool:
        """A packet from the internet: to a NAT gateway if what it answers came by one, else to the interface itself."""
        assert target is not None
        stop = self.stop(packet.time, target, packet.src)
        if stop.kind != "nat" or stop.interface is None:
            return self.arrive(packet, target, None)
        nat, own = stop.interface, stop.interface["PrivateIpAddress"]
        port = self._nat[packet.dst, packet.dport, packet.src, packet.sport, packet.protocol]
        if not self.arrive(dataclasses.replace(packet, dst=own, dport=port), nat, None):
            return False
        return self._back_from_nat(packet, nat, target)

    def _back_from_nat(self, packet: Packet, nat: Item, target: Item) -> bool:
        view = (nat["PrivateIpAddress"], packet.dst, packet.src, packet.dst)
        if not self._judge(packet, nat, True, True, view, path="1", hop=target["NetworkInterfaceId"]):
            return False
        return self._judge(
            packet, target, False, True, (packet.src, packet.dst, packet.src, packet.dst), hop=nat["NetworkInterfaceId"]
        )

    # -- judging and logging

    def _judge(
        self, packet: Packet, eni: Item, egress: bool, crossing: bool, view: tuple[str, str, str, str],
        reason: str = "-", path: str = "-", hop: str = "-",
    ) -> bool:  # fmt: skip
        name, side = eni["NetworkInterfaceId"], "egress" if egress else "ingress"
        if reason != "-":
            self._note(eni, side, "block_public_access", "deny", ())
            self._log(packet, name, egress, "REJECT", view, reason, path, hop)
            return False
        passed = True
        if eni["Groups"] and not self._is_tracked(packet, name, egress):
            said = self._ask(packet, eni, egress, "security_group")
            denied = tuple(group["GroupId"] for group in eni["Groups"])
            self._note(eni, side, "security_group", said.permit, said.rules or denied)
            passed = said.permit == "allow"
        if crossing:
            said = self._ask(packet, eni, egress, "network_acl")
            self._note(eni, side, "network_acl", said.permit, said.rules)
            passed = passed and said.permit == "allow"
        if passed:
            self._track(packet, name, egress)
        self._log(packet, name, egress, "ACCEPT" if passed else "REJECT", view, "-", path, hop)
        return passed

    def _ask(self, packet: Packet, eni: Item, egress: bool, layer: str) -> slow.Said:
        documents = self.world.at(packet.time)
        peer = packet.dst if egress else packet.src
        code = None if packet.icmp_type is None else 0
        asked = slow.Asked(peer, packet.protocol, packet.dport, packet.icmp_type, code)
        key = (id(documents), eni["NetworkInterfaceId"], egress, layer, asked)
        if key not in self._said:
            if layer == "security_group":
                self._said[key] = slow.security(documents, eni["NetworkInterfaceId"], egress, asked)
            else:
                self._said[key] = slow.acl(documents, eni["SubnetId"], egress, asked)
        return self._said[key]

    def _note(self, eni: Item, side: str, layer: str, permit: str, rules: tuple[str, ...]) -> None:
        if self._notes:
            place = {"interface": eni["NetworkInterfaceId"], "direction": side, "layer": layer}
            self.decisions.append({**place, "permit": permit, "rules": list(rules)})

    def _flow(self, packet: Packet, name: str, egress: bool) -> tuple[str, int, str, int, str, int]:
        if egress:
            return (name, packet.protocol, packet.src, packet.sport, packet.dst, packet.dport)
        return (name, packet.protocol, packet.dst, packet.dport, packet.src, packet.sport)

    def _is_tracked(self, packet: Packet, name: str, egress: bool) -> bool:
        known = self._tracked.get(self._flow(packet, name, egress))
        if known is None or (known.closed is not None and packet.time > known.closed):
            return False
        return packet.time - known.last <= _IDLE.get(packet.protocol, 600)

    def _track(self, packet: Packet, name: str, egress: bool) -> None:
        flow = self._flow(packet, name, egress)
        if not self._is_tracked(packet, name, egress):
            self._tracked[flow] = _Tracked(packet.time)
        known = self._tracked[flow]
        known.last = packet.time
        if packet.flags & 1:
            known.fins.add(egress)
        if packet.flags & 4 or len(known.fins) == 2:
            known.closed = packet.time + (0 if packet.flags & 4 else 5)

    def _log(
        self, packet: Packet, name: str, egress: bool, action: str, view: tuple[str, str, str, str], reason: str,
        path: str, hop: str,
    ) -> None:  # fmt: skip
        src, dst, packet_src, packet_dst = view
        ports = (packet.sport, packet.dport) if packet.protocol in (6, 17) else (0, 0)
        window = (int(packet.time) - self.offset(name)) // self.window
        key = Key(
            name, window, egress, src, dst, *ports, packet.protocol, packet_src, packet_dst, action, reason,
            path if egress else "-", hop,
        )  # fmt: skip
        seen = self.seen.setdefault(key, Seen(first=packet.time))
        seen.packets += packet.count
        seen.size += packet.count * packet.size
        seen.first, seen.last = min(seen.first, packet.time), max(seen.last, packet.time)
        seen.flags |= packet.flags


def public_of(eni: Item) -> dict[str, str]:
    """Returns the public addresses of an interface by its private ones, and the private ones by these."""
    pairs = [
        (one["PrivateIpAddress"], one["Association"]["PublicIp"])
        for one in eni["PrivateIpAddresses"]
        if "Association" in one
    ]
    return {**dict(pairs), **{public: private for private, public in pairs}}
