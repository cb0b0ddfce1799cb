"""What looks like a fault and is none, or hides one: large answers, resets, addresses that move or are there twice."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Callable

from .registry import Plants, planter, simple, without_rules
from .stage import Pair, Stage
from .talk import Call, exchange
from .world import ACCOUNT, End, Item

PLANTS: Plants = {}
plant = planter(PLANTS)


@plant("works: large answers that arrive")
def works_large(stage: Stage, kind: str) -> None:
    simple(stage, kind, Pair(stage, proto="tcp"), "works", "large answers arrive", response=400_000)


@plant("works: conversations that go on after minutes of silence")
def works_after_idle(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(6, 0.1, 0.7)
    for time in times:
        call = pair.new_call(time, closes=False)
        gap = stage.rng.uniform(330, 800)
        stage.call(call)
        stage.do(time + gap, _again(stage, dataclasses.replace(call, closes=True), gap))
    pair.ask(kind, times[3] + 1, "works", "what was idle for minutes goes on")


def _again(stage: Stage, call: Call, gap: float) -> Callable[[], None]:
    return lambda: exchange(stage.wire, call, gap)


@plant("works: the server ends its conversations by a reset")
def works_reset(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(8)
    for time in times:
        call = pair.new_call(time, closes=False)
        stage.call(call)
        stage.do(time + 2, _reset(stage, call))
    pair.ask(kind, times[4] + 1, "works", "answered, then reset by the server")


def _reset(stage: Stage, call: Call) -> Callable[[], None]:
    def reset() -> None:
        stage.wire.send(call.packet(2, False, 40, 4), call.server, call.client)

    return reset


@plant("works: the server answers by its other interface")
def works_other_way(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "vpc", "tcp", acls=False)
    other = pair.another(1, stage.world.subnet(pair.subnets[1]["VpcId"], stage.rng.choice("abc")))
    for eni in (other, pair.interfaces[1]):
        eni["SourceDestCheck"] = False
    stage.world.rule(pair.groups[1], True, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    stage.world.rule(pair.groups[1], True, "-1", (-1, -1), {"CidrIpv6": "::/0"})
    other["Attachment"]["InstanceId"] = pair.interfaces[1]["Attachment"]["InstanceId"]
    other["Attachment"]["DeviceIndex"] = 1
    simple(stage, kind, pair, "works", "answers leave by another interface of the server", answers_by=other)


@plant("the server calls from the port that is asked about; the client never tries")
def reversed_calls(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "vpc", "tcp", acls=False)
    port = pair.client_port()
    member = "CidrIpv6" if pair.family == 6 else "CidrIpv4"
    stage.world.rule(pair.groups[1], True, "tcp", (port, port), {member: pair.cidr(0)})
    stage.world.rule(pair.groups[0], False, "tcp", (port, port), {member: pair.cidr(1)})
    times = pair.times(8)
    for time in times:
        call = pair.new_call(time, client=pair.ends[1], server=pair.ends[0])
        stage.call(dataclasses.replace(call, client_port=pair.port, port=port))
    note = "all calls are the server's, from the port that is asked about"
    pair.ask(kind, times[4] + 1, "not_sent", note)


@plant("a ping is denied, beside a rule for another type of ICMP")
def ping_type(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="icmp", acls=False)
    without_rules(pair, 1)
    member = "CidrIpv6" if pair.family == 6 else "CidrIpv4"
    stage.world.rule(pair.groups[1], False, pair.proto, (3 if pair.family == 4 else 1, -1), {member: pair.anywhere()})
    note = "a rule allows what is unreachable to be told, and no echo; flow logs have no type"
    simple(stage, kind, pair, "blocked_at_server", note)


@plant("the address of the server moves to another interface, whose group denies")
def address_moved(stage: Stage, kind: str) -> None:
    pair, world = Pair(stage, "vpc", family=4, acls=False), stage.world
    moved = round(world.start + 0.6 * (world.end - world.start))
    group = world.group(pair.subnets[1]["VpcId"], stage.name("others"))
    pair.near_misses(group, False, pair.cidr(0))
    # A reference to the servers' group means the one that has moved no more.
    world.rule(pair.groups[0], True, pair.proto, (pair.port, pair.port), {"CidrIpv4": pair.cidr(1)})
    late = pair.another(1)
    world.documents["NetworkInterfaces"].remove(late)
    late["Groups"] = [{"GroupId": group, "GroupName": world.one("SecurityGroups", "GroupId", group)["GroupName"]}]
    instance = world.documents["Instances"].pop()
    early, address = pair.interfaces[1], pair.ends[1][1]
    late["PrivateIpAddress"] = instance["PrivateIpAddress"] = address
    late["PrivateIpAddresses"] = [{"PrivateIpAddress": address, "Primary": True}]

    def move(documents: dict[str, list[Item]]) -> None:
        kept = [e for e in documents["NetworkInterfaces"] if e["NetworkInterfaceId"] != early["NetworkInterfaceId"]]
        documents["NetworkInterfaces"] = [*kept, copy.deepcopy(late)]
        documents["Instances"].append(instance)

    world.change(moved, move, seen=True)
    times = [moved + 60 * n + stage.rng.uniform(5, 50) for n in range(-15, 15)]
    for time in times:
        server: End = pair.ends[1] if time < moved else (late, address)
        stage.call(pair.new_call(time, server=server))
    pair.ask(kind, moved - 400, "works", "the address was another interface's then", also=("intermittent",))
    note = "the address has moved to an interface whose group has no rule for it"
    pair.ask(kind, moved + 400, "blocked_at_server", note, also=("intermittent",), server=(late, address))


@plant("the same addresses in another VPC, where it works; asked by interfaces")
def twin_networks(stage: Stage, kind: str) -> None:
    pair, world = Pair(stage, "vpc", "tcp", family=4, acls=False), stage.world
    without_rules(pair, 1)
    twin = world.vpc(world.one("Vpcs", "VpcId", pair.subnets[0]["VpcId"])["CidrBlock"])["VpcId"]
    group = world.group(twin, stage.name("twins"))
    for egress in (False, True):
        world.rule(group, egress, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    ends: list[End] = []
    for side in (0, 1):
        subnet = world.subnet(twin, "ab"[side])
        subnet["CidrBlock"] = pair.subnets[side]["CidrBlock"]
        eni, address = world.interface(subnet["SubnetId"], [group], stage.name("twin")), pair.ends[side][1]
        eni["PrivateIpAddress"] = address
        eni["PrivateIpAddresses"] = [{"PrivateIpAddress": address, "Primary": True}]
        ends.append((eni, address))
    times = pair.times(8)
    pair.calls(times)
    for time in times:
        stage.call(pair.new_call(time + 7, client=ends[0], server=ends[1]))
    ids: dict[str, Any] = {}
    for name, eni in zip(("from", "to"), pair.interfaces):
        ids[name] = eni["NetworkInterfaceId"]
    note = f"denied here; in {twin}, of account {ACCOUNT} too, the same addresses talk"
    pair.ask(kind, times[4] + 1, "blocked_at_server", note, **ids)


@plant("a third of the calls is not answered, whoever calls whenever")
def some_calls(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(60, 0.1, 0.9)
    failing = set(stage.rng.sample(times, 20))
    for time in times:
        stage.call(pair.new_call(time, answers="silent" if time in failing else "accept"))
    note = "20 of 60 calls are not answered, and nothing tells which"
    pair.ask(kind, times[30] + 1, "intermittent", note, share=round(1 / 3, 3))
