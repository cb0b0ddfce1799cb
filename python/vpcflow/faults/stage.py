"""The stage on which faults are played: pairs of interfaces that may talk, their calls, and what is asked."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable

from .talk import Call, talk
from .wire import Wire
from .world import End, Item, World, entry

_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}


@dataclasses.dataclass
class Question:
    """What may be asked of the logs, and what is right; see docs/reference/schemas.md."""

    kind: str
    pair: Pair
    at: float
    verdict: str
    note: str
    also: tuple[str, ...] = ()
    client: End | None = None
    server: End | None = None
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


class Stage:
    """Collects what faults want to happen, and plays it in the order of time."""

    def __init__(self, seed: int, start: int, hours: float, window: int) -> None:
        self.world = World(seed, start, hours)
        self.rng = self.world.rng
        self.window = window
        self.wire = Wire(self.world, window)
        self.questions: list[Question] = []
        self.vpcs = [self.world.vpc()["VpcId"] for _ in range(3)]
        self._acts: list[tuple[float, int, Callable[[], object]]] = []
        self._name = 0

    def name(self, role: str) -> str:
        """Returns a new name for an interface."""
        self._name += 1
        return f"{role}-{self._name}"

    def do(self, time: float, act: Callable[[], object]) -> None:
        """Has something happen at a time."""
        self._acts.append((time, len(self._acts), act))

    def call(self, call: Call) -> None:
        """Has a conversation take place."""
        self.do(call.time, lambda: talk(self.wire, call))

    def play(self) -> list[dict[str, Any]]:
        """Lets everything happen, and returns the labels."""
        for _, _, act in sorted(self._acts, key=lambda one: one[:2]):
            act()
        return [self._label(question) for question in self.questions]

    def _label(self, asked: Question) -> dict[str, Any]:
        pair = asked.pair
        client, server = asked.client or pair.ends[0], asked.server or pair.ends[1]
        decisions = self.trace(pair, client, server, asked.at)
        denying = [one for one in decisions if one["permit"] != "allow"]
        passed = [
            rule for one in decisions if one["permit"] == "allow" and one["layer"] != "route" for rule in one["rules"]
        ]
        label = {
            "kind": asked.kind, "from": client[1], "to": server[1], "port": pair.port, "proto": pair.proto,
            "at": int(asked.at), "verdict": asked.verdict, "also": list(asked.also),
            "layer": denying[0]["layer"] if denying else None,
            "denied_by": [rule for one in denying for rule in one["rules"]], "allowed_by": passed,
            "rules_changed": False, "late_packets": 0, "idle_seconds": None, "dimension": None, "value": None,
            "share": None, "from_interface": _name_of(client[0]), "to_interface": _name_of(server[0]),
            "decisions": decisions, "note": asked.note,
        }  # fmt: skip
        unknown = set(asked.more) - set(label)
        assert not unknown, unknown
        return {**label, **asked.more}

    def trace(self, pair: Pair, client: End, server: End, at: float) -> list[dict[str, Any]]:
        """Returns who decides what of a first packet and its answer, up to where one is dropped."""
        wire = Wire(self.world, self.window, notes=True)
        call = Call(at, client, server, pair.client_port(), pair.port, _NUMBERS[pair.proto])
        if wire.send(call.packet(0, True, 60, 2), client, server):
            wire.send(call.packet(0.1, False, 60, 18), server, client)
        return wire.decisions


class Pair:
    """A client and a server that may talk: each in a subnet of its own, with groups, ACLs and routes that let them.

    ``relation``: ``"vpc"``, ``"subnet"`` (both in the same), ``"peering"`` or ``"tgw"``; drawn unless given.
    """

    def __init__(
        self, stage: Stage, relation: str = "", proto: str = "", acls: bool | None = None, family: int = 0,
        server: str = "interface",
    ) -> None:  # fmt: skip
        world, rng = stage.world, stage.rng
        self.stage, self.world = stage, world
        self.relation = relation or rng.choice(("vpc", "vpc", "peering", "tgw"))
        self.proto = proto or rng.choice(("tcp", "tcp", "tcp", "tcp", "udp"))
        self.family = family or rng.choice((4, 4, 4, 6))
        self.port = rng.choice((443, 5432, 8080, 6379, rng.randrange(2000, 30000)))
        if self.proto in ("icmp", "icmpv6"):
            self.port, self.proto = 0, "icmpv6" if self.family == 6 else "icmp"
        vpcs = rng.sample(stage.vpcs, 2) if self.relation in ("peering", "tgw") else [rng.choice(stage.vpcs)] * 2
        self.subnets = [world.subnet(vpc, rng.choice("abc")) for vpc in vpcs]
        if self.relation == "subnet":
            self.subnets = self.subnets[:1] * 2
        if vpcs[0] != vpcs[1]:
            world.join(self.subnets[0]["SubnetId"], self.subnets[1]["SubnetId"], self.relation)
        self.groups = [world.group(vpc, stage.name(role)) for role, vpc in zip(("clients", "servers"), vpcs)]
        self.interfaces = [self.another(0), self.another(1, kind=server)]
        self.ends: list[End] = [(eni, self.address(eni)) for eni in self.interfaces]
        self.rules = [self._rules(0), self._rules(1)]
        if acls if acls is not None else rng.random() < 0.5:
            self.acls = [self.acl(0), self.acl(1)]

    def another(self, side: int, subnet: Item | None = None, kind: str = "interface") -> Item:
        """Makes another interface on the side of the clients, 0, or of the servers, 1."""
        more = [self.groups[side]]
        if self.stage.rng.random() < 0.3:
            more.append(self.decoys(side))
        where = subnet or self.subnets[side]
        name, extra = self.stage.name(("client", "server")[side]), self.stage.rng.choice((0, 0, 1))
        if kind == "network_load_balancer":
            name, extra = f"ELB net/{name}/{self.world.id('lb')[3:]}", 0
        return self.world.interface(where["SubnetId"], more, name, kind, extra)

    def address(self, eni: Item) -> str:
        """Returns an address of the pair's family."""
        return str(eni["Ipv6Addresses"][0]["Ipv6Address"] if self.family == 6 else eni["PrivateIpAddress"])

    def cidr(self, side: int) -> str:
        """Returns the prefix of a side's subnet."""
        subnet = self.subnets[side]
        return str(
            subnet["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] if self.family == 6 else subnet["CidrBlock"]
        )

    def anywhere(self) -> str:
        """Returns the prefix of everything."""
        return "::/0" if self.family == 6 else "0.0.0.0/0"

    def decoys(self, side: int) -> str:
        """Makes a group with rules that nearly let the pair talk."""
        group = self.world.group(self.subnets[side]["VpcId"], self.stage.name("more"))
        self.near_misses(group, bool(side == 0), self.cidr(1 - side))
        return group

    def near_misses(self, group: str, egress: bool, cidr: str) -> None:
        """Adds rules that miss by port, by protocol, or by address."""
        member = "CidrIpv6" if ":" in cidr else "CidrIpv4"
        name = self.proto if self.proto in ("tcp", "udp") else "tcp"
        other = (self.port + 1, self.port + 10)
        self.world.rule(group, egress, name, other, {member: cidr})
        self.world.rule(group, egress, "udp" if name == "tcp" else "tcp", (self.port, self.port), {member: cidr})
        self.world.rule(group, egress, name, (self.port, self.port), {"CidrIpv4": "198.18.0.0/15"})

    def _rules(self, side: int) -> list[str]:
        """Adds to the group of a side what lets the pair talk, and returns the ids of these rules."""
        rng, group, egress = self.stage.rng, self.groups[side], side == 0
        self.near_misses(group, egress, self.cidr(1 - side))
        cidr, ports = self.cidr(1 - side), (self.port, self.port)
        member = "CidrIpv6" if self.family == 6 else "CidrIpv4"
        narrow = {member: cidr}
        sources: list[tuple[str, tuple[int, int], Item]] = [
            (self.proto, ports, narrow),
            (self.proto, ports, {"PrefixListId": ""}),
            (self.proto, (max(0, self.port - 100), min(65535, self.port + 100)), {member: self.anywhere()}),
            ("-1", (-1, -1), {member: self.anywhere()} if egress else narrow),
        ]
        if self.proto in ("icmp", "icmpv6"):
            sources = [(n, (-1, -1), s) for n, _, s in sources]
        if self.relation != "tgw":
            reference: Item = {
                "GroupId": self.groups[1 - side],
                "UserId": "123456789012",
                "VpcId": self.subnets[1 - side]["VpcId"],
            }
            if self.relation == "peering":
                reference["PeeringStatus"] = "active"
            sources += [(sources[0][0], sources[0][1], {"ReferencedGroupInfo": reference})] * 2
        # A reference is drawn twice as often as others, and is one rule all the same.
        drawn = list({id(one): one for one in rng.sample(sources, rng.choice((1, 1, 2)))}.values())
        for _, _, source in drawn:
            if "PrefixListId" in source:
                more = "2001:db8::/32" if self.family == 6 else "198.18.0.0/15"
                source["PrefixListId"] = self.world.prefix_list([cidr, more])
        return [self.world.rule(group, egress, *source) for source in drawn]

    def acl(self, side: int, without: tuple[str, ...] = ()) -> Item:
        """Gives the subnet of a side a network ACL that lets the pair talk, ``without`` ``"request"`` or ``"reply"``,
        which lacks, or an entry before it denies it."""
        rng = self.stage.rng
        number = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}[self.proto]
        ported = self.proto in ("tcp", "udp")
        entries = []
        for what, egress in (("request", side == 0), ("reply", side == 1)):
            ports = (self.port, self.port) if what == "request" else (1024, 65535)
            far = rng.choice((self.cidr(1 - side), self.anywhere()))
            base = rng.randrange(1, 20) * 10
            whole = entry(base + 5, egress, True, number, far, ports if ported else None)
            if what not in without:
                entries.append(whole)
            elif rng.random() < 0.5:
                entries += [
                    entry(base, egress, False, number, rng.choice((far, self.anywhere())), ports if ported else None),
                    whole,
                ]
            elif what == "reply" and ported:
                entries.append(entry(base + 5, egress, True, number, far, rng.choice(((1024, 4999), (1024, 32767)))))
            # What the subnet needs besides.
            entries.append(entry(base + 500, egress, True, "17" if number != "17" else "6", "0.0.0.0/0", (53, 53)))
            entries.append(entry(base + 501, egress, True, "6" if number != "6" else "17", "::/0", (0, 65535)))
        entries.sort(key=lambda one: (one["Egress"], one["RuleNumber"]))
        return self.world.acl(self.subnets[side]["SubnetId"], entries)

    def client_port(self) -> int:
        """Draws the port of a client, of Linux's range."""
        return self.stage.rng.randrange(32768, 61000)

    def new_call(self, time: float, client: End | None = None, server: End | None = None, **more: Any) -> Call:
        """Makes a call of the pair."""
        rng = self.stage.rng
        sizes = {"request": rng.randrange(100, 1200), "response": rng.randrange(200, 20000)}
        if self.proto == "udp":
            sizes = {"request": rng.randrange(30, 500), "response": rng.randrange(30, 1200)}
        return Call(
            time, client or self.ends[0], server or self.ends[1], self.client_port(), self.port,
            _NUMBERS[self.proto], **{**sizes, **more},
        )  # fmt: skip

    def times(self, attempts: int, first: float = 0.1, last: float = 0.9) -> list[float]:
        """Draws when the pair calls, somewhere within a share of the world's time, ascending."""
        rng, world = self.stage.rng, self.world
        whole = world.end - world.start
        length = min(whole * (last - first), attempts * rng.uniform(60, 120))
        begin = world.start + first * whole + rng.random() * (whole * (last - first) - length)
        return [begin + length * (n + rng.uniform(0.1, 0.9)) / attempts for n in range(attempts)]

    def calls(self, times: list[float], **more: Any) -> None:
        """Has the pair call at each of the times."""
        for time in times:
            self.stage.call(self.new_call(time, **more))

    def ask(self, kind: str, at: float, verdict: str, note: str, **more: Any) -> None:
        """Adds a question about the pair."""
        own = {name: more.pop(name) for name in ("also", "client", "server") if name in more}
        self.stage.questions.append(Question(kind, self, at, verdict, note, more=more, **own))

    def bystanders(self, times: list[float]) -> None:
        """Has the client talk to a neighbour in its subnet all the time, so that it is not silent."""
        group = self.world.group(self.subnets[0]["VpcId"], self.stage.name("metrics"))
        self.world.rule(group, False, "udp", (8125, 8125), {"CidrIpv4": self.subnets[0]["CidrBlock"]})
        self.world.rule(self.groups[0], True, "udp", (8125, 8125), {"CidrIpv4": self.subnets[0]["CidrBlock"]})
        eni = self.world.interface(self.subnets[0]["SubnetId"], [group], self.stage.name("metrics"))
        client: End = (self.ends[0][0], str(self.interfaces[0]["PrivateIpAddress"]))
        for time in times:
            call = Call(
                time + 3, client, (eni, eni["PrivateIpAddress"]), self.client_port(), 8125, 17, request=200, response=40
            )
            self.stage.call(call)


def _name_of(eni: Item | None) -> str | None:
    return None if eni is None else str(eni["NetworkInterfaceId"])
