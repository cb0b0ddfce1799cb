"""Faults that are there at some times, or for some: changed rules, one of several servers, late packets."""

from __future__ import annotations

from .registry import Plants, planter, without_rules
from .stage import Pair, Stage
from .talk import Call, close, exchange
from .world import End, Item, entry

PLANTS: Plants = {}
plant = planter(PLANTS)


@plant("a rule of the server's group is taken away, and nobody asks AWS until the end")
def rule_removed(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    gone = _world_time(stage, 0.5)
    stage.world.change(gone, lambda docs: _remove(docs, pair.rules[1]), seen=False)
    _around(stage, pair, gone)
    if pair.proto == "tcp":  # what was open stays open
        kept = pair.new_call(gone - 300, closes=False)
        stage.call(kept)
        for after in (200.0, 400.0, 900.0):
            stage.do(kept.time + after, lambda after=after: exchange(stage.wire, kept, after))  # type: ignore[misc]
    note = "worked until the rule was taken away; the snapshot before has it, the one after does not"
    pair.ask(kind, gone + 500, "blocked_at_server", note, also=("intermittent",), rules_changed=True)
    pair.ask(kind, gone - 500, "works", "the rule was there then", also=("intermittent",))


@plant("a rule of the server's group is added later, as a snapshot of then says")
def rule_added(stage: Stage, kind: str) -> None:
    pair, added = Pair(stage), _world_time(stage, 0.7)
    rows = [row for row in stage.world.documents["SecurityGroupRules"] if row["SecurityGroupRuleId"] in pair.rules[1]]
    without_rules(pair, 1)
    stage.world.change(added, lambda docs: docs["SecurityGroupRules"].extend(dict(row) for row in rows), seen=True)
    _around(stage, pair, added)
    note = "denied until the rule was added; today's rules allow it"
    pair.ask(kind, added - 500, "blocked_at_server", note, also=("intermittent",), rules_changed=True)
    pair.ask(kind, added + 500, "works", "the rule is there", also=("intermittent",))


@plant("a rule was away for some time between two snapshots")
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


@plant("one of three servers of a group does not answer")
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


@plant("the calls of one of three clients are denied")
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


@plant("the server is silent for some minutes")
def some_minutes(stage: Stage, kind: str) -> None:
    pair = Pair(stage, proto="tcp")
    times = pair.times(60, 0.1, 0.9)
    for n, time in enumerate(times):
        stage.call(pair.new_call(time, answers="silent" if 25 <= n < 33 else "accept"))
    note = "the host was silent for some minutes, and answers before and after"
    more = {"dimension": "minute", "share": round(8 / 60, 3), "value": f"{int(times[25])}-{int(times[32])}"}
    pair.ask(kind, times[30], "intermittent", note, also=("silent_server",), **more)


@plant("the ACL of one of two zones denies what comes in")
def some_zones(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "vpc", "tcp", acls=False)
    zones = [zone for zone in "abc" if stage.world.region + zone != pair.subnets[1]["AvailabilityZone"]]
    odd = stage.world.subnet(pair.subnets[1]["VpcId"], stage.rng.choice(zones))
    more = [pair.another(1), pair.another(1, odd), pair.another(1, odd)]
    servers = [pair.ends[1], *((eni, pair.address(eni)) for eni in more)]
    anywhere = {"CidrIpv6" if pair.family == 6 else "CidrIpv4": pair.anywhere()}
    stage.world.rule(pair.groups[0], True, "tcp", (pair.port, pair.port), anywhere)
    entries = [entry(100, False, True, "6", "10.0.0.0/8", (22, 22)), entry(100, True, True, "-1", pair.anywhere())]
    stage.world.acl(odd["SubnetId"], entries)
    times = pair.times(48, 0.1, 0.9)
    for n, time in enumerate(times):
        stage.call(pair.new_call(time, server=servers[n % 4]))
    note = "two of four servers are in a zone whose subnet's ACL denies it; asked from the client to the servers' group"
    said = {"to": pair.groups[1], "dimension": "zone", "value": odd["AvailabilityZoneId"], "share": 0.5}
    pair.ask(
        kind, times[24], "intermittent", note, also=("blocked_at_server",), server=servers[2], to_interface=None, **said
    )  # fmt: skip


@plant("works, and packets come late, after the end of their conversation")
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


@plant("nothing but packets that come late: their conversation ended as the logs began")
def late_alone(stage: Stage, kind: str) -> None:
    pair, begin = Pair(stage, proto="tcp"), stage.world.start
    for n in range(4):
        call = pair.new_call(begin - 400 + n * 20, closes=False)
        stage.call(call)
        ends = begin + 70 + n - call.time
        stage.do(call.time + ends, lambda call=call, ends=ends: close(stage.wire, call, ends))  # type: ignore[misc]
        for after in (ends + 40, ends + 100):
            stage.do(call.time + after, lambda call=call, after=after: _late(stage, call, after))  # type: ignore[misc]
    note = "conversations of before the logs end in them, and rejected packets of the server follow"
    pair.ask(kind, begin + 140, "late_packet", note, also=("works",), late_packets=8)


def _late(stage: Stage, call: Call, after: float) -> None:
    stage.wire.send(call.packet(after, False, 52, 1), call.server, call.client)
