"""The faults of the tree of verdicts, each planted in a pair of interfaces of its own."""

from __future__ import annotations

from typing import Any, Callable

from . import slow
from .stage import Pair, Stage
from .talk import Call
from .world import End, Item

Plant = Callable[[Stage, str], None]
#: Meaning and plant, by name.
PLANTS: dict[str, tuple[str, Plant]] = {}


def _plant(meaning: str) -> Callable[[Plant], Plant]:
    def added(function: Plant) -> Plant:
        PLANTS[function.__name__] = (meaning, function)
        return function

    return added


def _without_rules(pair: Pair, side: int) -> None:
    """Takes the rules away that let the pair talk."""
    rows = pair.world.documents["SecurityGroupRules"]
    rows[:] = [row for row in rows if row["SecurityGroupRuleId"] not in pair.rules[side]]


def _drop_route(pair: Pair, side: int, blackhole: bool = False) -> None:
    """Takes the route to the other side away, or what it leads to."""
    table: Any = slow.table_of(pair.world.documents, pair.subnets[side]["SubnetId"])
    if blackhole:
        for route in table["Routes"][2:]:
            route["State"] = "blackhole"
    else:
        del table["Routes"][2:]


def _far(stage: Stage, **more: Any) -> Pair:
    return Pair(stage, stage.rng.choice(("peering", "tgw")), **more)


def _simple(
    stage: Stage, kind: str, pair: Pair, verdict: str, note: str, attempts: int = 8, **more: Any
) -> list[float]:
    """Has a pair call, with its neighbour as witness that it is alive, and asks in the middle."""
    own = {
        name: more.pop(name) for name in ("answers", "lost_request", "lost_reply", "mtu", "response") if name in more
    }
    times = pair.times(attempts)
    pair.calls(times, **own)
    pair.bystanders(times)
    pair.ask(kind, times[attempts // 2] + 1, verdict, note, **more)
    return times


@_plant("everything works")
def works(stage: Stage, kind: str) -> None:
    _simple(stage, kind, Pair(stage), "works", "every call is answered")


@_plant("works: an ACL that denies all does not act within one subnet")
def works_in_subnet(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "subnet", "tcp", acls=False)
    pair.acl(0, ("request", "reply"))
    _simple(stage, kind, pair, "works", "the subnet's ACL has no entry for it, and needs none")


@_plant("works: a ping")
def works_ping(stage: Stage, kind: str) -> None:
    _simple(stage, kind, Pair(stage, proto="icmp"), "works", "every echo is answered")


@_plant("works: to the internet by a NAT gateway")
def works_by_nat(stage: Stage, kind: str) -> None:
    pair, _ = _behind_nat(stage)
    _simple(stage, kind, pair, "works", "every call is answered, by a NAT gateway")


@_plant("the client never tries")
def not_sent(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    times = pair.times(8)
    pair.bystanders(times)
    pair.ask(kind, times[4], "not_sent", "the client talks to others only")


@_plant("the client's groups have no egress rule for it")
def client_group(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    _without_rules(pair, 0)
    _simple(stage, kind, pair, "blocked_at_client", "no egress rule of the client's groups allows it")


@_plant("the ACL of the client's subnet denies what goes out")
def client_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(0, ("request",))
    _simple(stage, kind, pair, "blocked_at_client", "the ACL of the client's subnet denies the request")


@_plant("block public access is on for the client's subnet")
def client_public_block(stage: Stage, kind: str) -> None:
    pair = _to_internet(stage)
    pair.subnets[0]["BlockPublicAccessStates"]["InternetGatewayBlockMode"] = "block-bidirectional"
    _simple(stage, kind, pair, "blocked_at_client", "block public access denies it before any rule")


@_plant("the client's subnet has no route")
def no_route(stage: Stage, kind: str) -> None:
    pair = _far(stage)
    _drop_route(pair, 0)
    _simple(stage, kind, pair, "lost_between", "the route table of the client's subnet has no route")


@_plant("the route of the client's subnet is a blackhole")
def blackhole(stage: Stage, kind: str) -> None:
    pair = _far(stage)
    _drop_route(pair, 0, blackhole=True)
    _simple(stage, kind, pair, "lost_between", "the route leads to what is gone")


@_plant("lost between, by what no describe call tells of")
def lost_between(stage: Stage, kind: str) -> None:
    _simple(
        stage, kind, _far(stage), "lost_between", "rules and routes allow it, and it does not arrive", lost_request=True
    )


@_plant("the server's groups have no ingress rule for it")
def server_group(stage: Stage, kind: str) -> None:
    pair = Pair(stage, stage.rng.choice(("", "subnet")))
    _without_rules(pair, 1)
    _simple(stage, kind, pair, "blocked_at_server", "no ingress rule of the server's groups allows it")


@_plant("the ACL of the server's subnet denies what comes in")
def server_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(1, ("request",))
    _simple(stage, kind, pair, "blocked_at_server", "the ACL of the server's subnet denies the request")


@_plant("the server's groups and the ACL of its subnet both deny it")
def server_both(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    _without_rules(pair, 1)
    pair.acl(1, ("request",))
    _simple(stage, kind, pair, "blocked_at_server", "both the groups and the ACL of the server deny it")


@_plant("the server's rule is for IPv4 alone, and the client comes by IPv6")
def server_family(stage: Stage, kind: str) -> None:
    pair = Pair(stage, family=6, acls=False)
    _without_rules(pair, 1)
    stage.world.rule(pair.groups[1], False, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    _simple(stage, kind, pair, "blocked_at_server", "0.0.0.0/0 allows no IPv6")


@_plant("the packets arrive, and the server says nothing")
def silent_server(stage: Stage, kind: str) -> None:
    _simple(
        stage,
        kind,
        Pair(stage),
        "silent_server",
        "the server accepts the packets, and its host is silent",
        answers="silent",
    )


@_plant("nothing listens at the port")
def no_listener(stage: Stage, kind: str) -> None:
    _simple(stage, kind, Pair(stage, proto="tcp"), "no_listener", "the host resets every attempt", answers="reset")


@_plant("the ACL of the server's subnet lets no reply out")
def reply_server_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(1, ("reply",))
    _simple(stage, kind, pair, "reply_blocked_server_acl", "the ACL of the server's subnet denies the client's ports")


@_plant("the ACL of the client's subnet lets no reply in")
def reply_client_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(0, ("reply",))
    _simple(stage, kind, pair, "reply_blocked_client_acl", "the ACL of the client's subnet denies its own ports")


@_plant("the server's subnet has no route back")
def reply_no_route(stage: Stage, kind: str) -> None:
    pair = _far(stage)
    _drop_route(pair, 1)
    _simple(stage, kind, pair, "reply_lost", "the route table of the server's subnet has no route back")


@_plant("replies are lost, by what no describe call tells of")
def reply_lost(stage: Stage, kind: str) -> None:
    _simple(stage, kind, _far(stage), "reply_lost", "replies leave the server, and do not arrive", lost_reply=True)


@_plant("established conversations are cut when they were idle for 350 seconds")
def cut_after_idle(stage: Stage, kind: str) -> None:
    pair, rng = Pair(stage, proto="tcp"), stage.rng
    times = pair.times(6, 0.1, 0.7)
    gaps = [rng.uniform(350.5, 358.0) for _ in times]
    for time, gap in zip(times, gaps):
        call = pair.new_call(time, closes=False)
        stage.call(call)
        stage.do(time + gap, lambda call=call, gap=gap: _idle(stage, call, gap))  # type: ignore[misc]
    pair.bystanders(times)
    pair.ask(
        kind, times[3] + gaps[3] + 1, "cut_after", "what was idle for 350 seconds is reset", idle_seconds=int(gaps[3])
    )


def _idle(stage: Stage, call: Call, gap: float) -> None:
    """Sends more after a gap, and has something on the way answer by a reset that the server never sent."""
    stage.wire.send(call.packet(gap, True, 300), call.client, call.server, lost=True)
    reset = call.packet(gap + 0.01, False, 40, 4)
    target = call.client[0]
    assert target is not None
    stage.wire.arrive(reset, target)


@_plant("large packets do not get through")
def large_packets(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "tgw", "tcp")
    note = "the server sends large packets again and again; none arrives, and then nothing is sent"
    _simple(stage, kind, pair, "mtu_suspected", note, attempts=5, mtu=1500, response=60_000)


@_plant("a rule of the server's group is taken away, and nobody asks AWS until the end")
def rule_removed(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    gone = _world_time(stage, 0.5)
    stage.world.change(gone, lambda docs: _remove(docs, pair.rules[1]), seen=False)
    _around(stage, pair, gone)
    note = "worked until the rule was taken away; the snapshot before has it, the one after does not"
    pair.ask(kind, gone + 500, "blocked_at_server", note, rules_changed=True)
    pair.ask(kind, gone - 500, "works", "the rule was there then", also=("intermittent",))


@_plant("a rule of the server's group is added later, as a snapshot of then says")
def rule_added(stage: Stage, kind: str) -> None:
    pair, added = Pair(stage), _world_time(stage, 0.7)
    rows = [row for row in stage.world.documents["SecurityGroupRules"] if row["SecurityGroupRuleId"] in pair.rules[1]]
    _without_rules(pair, 1)
    stage.world.change(added, lambda docs: docs["SecurityGroupRules"].extend(dict(row) for row in rows), seen=True)
    _around(stage, pair, added)
    note = "denied until the rule was added; today's rules allow it"
    pair.ask(kind, added - 500, "blocked_at_server", note, rules_changed=True)
    pair.ask(kind, added + 500, "works", "the rule is there", also=("intermittent",))


@_plant("a rule was away for some time between two snapshots")
def rule_restored(stage: Stage, kind: str) -> None:
    pair, gone = Pair(stage), _world_time(stage, 0.25)
    back = _world_time(stage, 0.4)
    rows = [row for row in stage.world.documents["SecurityGroupRules"] if row["SecurityGroupRuleId"] in pair.rules[1]]
    stage.world.change(gone, lambda docs: _remove(docs, pair.rules[1]), seen=False)
    stage.world.change(back, lambda docs: docs["SecurityGroupRules"].extend(dict(row) for row in rows), seen=False)
    times = [gone + (back - gone) * (n + 0.5) / 10 for n in range(10)]
    pair.calls(times)
    note = "denied, while every snapshot has a rule that allows it"
    pair.ask(kind, times[5] + 1, "blocked_at_server", note, rules_changed=True)


def _world_time(stage: Stage, share: float) -> int:
    return round(stage.world.start + share * (stage.world.end - stage.world.start))


def _remove(documents: dict[str, list[Item]], rules: list[str]) -> None:
    documents["SecurityGroupRules"] = [
        r for r in documents["SecurityGroupRules"] if r["SecurityGroupRuleId"] not in rules
    ]


def _around(stage: Stage, pair: Pair, time: int) -> None:
    """Has a pair call for twenty minutes before a time, and after it."""
    times = [time + 60 * n + stage.rng.uniform(5, 50) for n in range(-20, 20)]
    pair.calls(times)
    pair.bystanders(times[::4])


@_plant("one of three servers of a group does not answer")
def some_servers(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "vpc", "tcp")
    servers: list[End] = [pair.ends[1], *((eni, pair.address(eni)) for eni in (pair.another(1), pair.another(1)))]
    bad = stage.rng.choice(servers)
    times = pair.times(45, 0.1, 0.9)
    for n, time in enumerate(times):
        server = servers[n % 3]
        stage.call(pair.new_call(time, server=server, answers="silent" if server is bad else "accept"))
    note = "calls to one of the three servers are not answered; asked from the client to the servers' group"
    assert bad[0] is not None
    more = {"to": pair.groups[1], "dimension": "server", "value": bad[1], "share": round(1 / 3, 3)}
    pair.ask(kind, times[22], "intermittent", note, also=("silent_server",), to_interface=None, server=bad, **more)


@_plant("the calls of one of three clients are denied")
def some_clients(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "vpc", "tcp", acls=False)
    odd = stage.world.subnet(pair.subnets[0]["VpcId"], stage.rng.choice("abc"))
    clients: list[End] = [pair.ends[0], *((eni, pair.address(eni)) for eni in (pair.another(0), pair.another(0, odd)))]
    pair.world.documents["SecurityGroupRules"][:] = [
        row for row in pair.world.documents["SecurityGroupRules"] if row["GroupId"] != pair.groups[1]
    ]
    member = "CidrIpv6" if pair.family == 6 else "CidrIpv4"
    stage.world.rule(pair.groups[1], False, "tcp", (pair.port, pair.port), {member: pair.cidr(0)})
    times = pair.times(45, 0.1, 0.9)
    for n, time in enumerate(times):
        stage.call(pair.new_call(time, client=clients[n % 3]))
    more = {"from": pair.groups[0], "dimension": "client", "value": clients[2][1], "share": round(1 / 3, 3)}
    note = "one client lies in a subnet that no rule of the server names; asked from the clients' group"
    pair.ask(
        kind,
        times[22],
        "intermittent",
        note,
        also=("blocked_at_server",),
        client=clients[2],
        from_interface=None,
        **more,
    )


@_plant("the server is silent for some minutes")
def some_minutes(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(60, 0.1, 0.9)
    for n, time in enumerate(times):
        stage.call(pair.new_call(time, answers="silent" if 25 <= n < 33 else "accept"))
    note = "the host was silent for some minutes, and answers before and after"
    more = {"dimension": "minute", "share": round(8 / 60, 3), "value": f"{int(times[25])}-{int(times[32])}"}
    pair.ask(kind, times[30], "intermittent", note, also=("silent_server",), **more)


@_plant("works, and packets come late, after the end of their conversation")
def late_packets(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(8)
    late = 0
    for time in times:
        call = pair.new_call(time)
        stage.call(call)
        if stage.rng.random() < 0.6 or late == 0:
            after = stage.rng.uniform(20, 100)
            stage.do(time + after, lambda call=call, after=after: _late(stage, call, after))  # type: ignore[misc]
            late += 1
    pair.ask(
        kind, times[4], "works", "rejected packets of the server belong to closed conversations", late_packets=late
    )


def _late(stage: Stage, call: Call, after: float) -> None:
    stage.wire.send(call.packet(after, False, 52, 1), call.server, call.client)


def _to_internet(stage: Stage) -> Pair:
    """A client with a public address, and a server outside."""
    pair = Pair(stage, "vpc", "tcp", acls=False, family=4)
    gateway = stage.world.id("igw")
    stage.world.route(pair.subnets[0]["SubnetId"], "0.0.0.0/0", "GatewayId", gateway)
    pair.interfaces[0]["PrivateIpAddresses"][0]["Association"] = {
        "PublicIp": stage.world.outside(),
        "IpOwnerId": "amazon",
    }
    _serve_outside(stage, pair)
    return pair


def _serve_outside(stage: Stage, pair: Pair) -> None:
    stage.world.rule(pair.groups[0], True, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    pair.ends[1] = (None, stage.world.outside())
    pair.port = stage.rng.choice((443, 80, 8443))


def _behind_nat(stage: Stage) -> tuple[Pair, Item]:
    """A client in a private subnet, a NAT gateway, and a server outside."""
    pair = Pair(stage, "vpc", "tcp", acls=False, family=4)
    world, vpc = stage.world, pair.subnets[0]["VpcId"]
    public = world.subnet(vpc, stage.rng.choice("abc"))
    world.route(public["SubnetId"], "0.0.0.0/0", "GatewayId", world.id("igw"))
    name = world.id("nat")
    kind = stage.rng.choice(("nat_gateway", "natGateway"))
    nat = world.interface(public["SubnetId"], (), f"Interface for NAT Gateway {name}", kind)
    address = world.outside()
    nat["PrivateIpAddresses"][0]["Association"] = {"PublicIp": address, "IpOwnerId": "123456789012"}
    addresses = [
        {"NetworkInterfaceId": nat["NetworkInterfaceId"], "PrivateIp": nat["PrivateIpAddress"], "PublicIp": address}
    ]
    world.put("NatGateways", {
        "NatGatewayId": name, "SubnetId": public["SubnetId"], "VpcId": vpc, "State": "available",
        "ConnectivityType": "public", "NatGatewayAddresses": addresses,
    })  # fmt: skip
    world.route(pair.subnets[0]["SubnetId"], "0.0.0.0/0", "NatGatewayId", name)
    _serve_outside(stage, pair)
    return pair, nat
