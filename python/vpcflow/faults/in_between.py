"""Faults of what lies between: NAT gateways, load balancers, idle timeouts, sizes of packets."""

from __future__ import annotations

import dataclasses
from typing import Callable

from .outside import balanced, behind_nat
from .registry import Plants, planter, simple
from .stage import Pair, Stage
from .talk import Call
from .wire import IDLE_TIMEOUT, NAT_PORTS, Packet
from .world import End, entry

PLANTS: Plants = {}
plant = planter(PLANTS)


@plant("works: by a network load balancer")
def works_by_balancer(stage: Stage, kind: str) -> None:
    made = balanced(stage, 2)
    times = made.pair.times(8)
    for n, time in enumerate(times):
        made.call(time, made.targets[n % 2])
    made.pair.ask(kind, times[4] + 1, "works", "every call is answered, by one of two targets")


@plant("the ACL of the NAT gateway's subnet lets no answer in")
def nat_acl(stage: Stage, kind: str) -> None:
    pair, nat = behind_nat(stage)
    subnet = nat["SubnetId"]
    entries = [
        entry(100, False, True, "6", pair.cidr(0)), entry(100, True, True, "6", "0.0.0.0/0"),
        entry(110, False, True, "6", "0.0.0.0/0", (443, 443)),
    ]  # fmt: skip
    stage.world.acl(subnet, sorted(entries, key=lambda one: (one["Egress"], one["RuleNumber"])))
    note = "the answers from the internet are denied at the NAT gateway, whose subnet's ACL lacks its ports"
    simple(stage, kind, pair, "reply_lost", note, also=("lost_between",))


@plant("established conversations are cut when they were idle for 350 seconds")
def cut_after_idle(stage: Stage, kind: str) -> None:
    rng = stage.rng
    way = rng.choice(("nat", "balancer", "between"))
    made = balanced(stage, 1) if way == "balancer" else None
    pair = made.pair if made else behind_nat(stage)[0] if way == "nat" else Pair(stage, proto="tcp")
    times = pair.times(6, 0.1, 0.7)
    gaps = [rng.uniform(IDLE_TIMEOUT + 0.5, 358.0) for _ in times]
    silent = rng.random() < 0.5
    for time, gap in zip(times, gaps):
        call = made.call(time, made.targets[0], closes=False) if made else pair.new_call(time, closes=False)
        if made is None:
            stage.call(call)
        stage.do(time + gap + 0.1, _go_on(stage, call, gap + 0.1, way, silent))
    pair.bystanders(times)
    note = {
        "nat": "the NAT gateway resets what was idle for 350 seconds",
        "balancer": "the load balancer resets what was idle for 350 seconds",
        "between": "something in between drops what was idle for 350 seconds" + ("" if silent else ", and resets it"),
    }[way]
    pair.ask(kind, times[3] + gaps[3] + 1, "cut_after", note, idle_seconds=IDLE_TIMEOUT)


def _go_on(stage: Stage, call: Call, gap: float, way: str, silent: bool) -> Callable[[], None]:
    """Makes the end of an idle conversation: the client sends more, and is reset, or hears nothing."""

    def go_on() -> None:
        tries = (0.0, 0.3, 0.9, 2.1, 4.5, 9.3) if way == "between" and silent else (0.0,)
        for after in tries:
            stage.wire.send(call.packet(gap + after, True, 300), call.client, call.server, lost=way == "between")
        reset = call.packet(gap + 0.001, False, 40, 4)
        if way == "balancer":
            stage.wire.send(reset, call.server, call.client)
        elif way == "between" and not silent and call.client[0] is not None:
            stage.wire.arrive(reset, call.client[0])

    return go_on


@plant("large packets do not get through")
def large_packets(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "tgw", "tcp")
    upload = stage.rng.random() < 0.4
    sizes = {"request": 60_000, "response": 300} if upload else {"request": 300, "response": 60_000}
    who = "client" if upload else "server"
    note = f"the {who} sends large packets again and again; none arrives, and then nothing is sent"
    simple(stage, kind, pair, "mtu_suspected", note, attempts=5, mtu=stage.rng.choice((1500, 8500)), **sizes)


@plant("one of three targets of a load balancer does not answer")
def some_targets(stage: Stage, kind: str) -> None:
    made = balanced(stage, 3)
    bad = stage.rng.choice(made.targets)
    times = made.pair.times(45)
    for n, time in enumerate(times):
        made.call(time, made.targets[n % 3], "silent" if made.targets[n % 3] is bad else "accept")
    more = {"dimension": "target", "value": bad[1], "share": round(1 / 3, 3)}
    note = "calls that the load balancer hands to one of its three targets are not answered"
    made.pair.ask(kind, times[22] + 1, "intermittent", note, also=("silent_server",), **more)


@plant("a NAT gateway has no port left for one destination; 330,000 records")
def nat_ports(stage: Stage, kind: str) -> None:
    pair, _ = behind_nat(stage)
    clients: list[End] = [pair.ends[0], *((eni, pair.address(eni)) for eni in (pair.another(0) for _ in range(4)))]
    times = pair.times(60)
    full = times[30]
    # Conversations that stay open, from so many ports of each client.
    for n in range(NAT_PORTS):
        client = clients[1 + n % 4]
        port = 1024 + n // 4
        stage.do(full - 300 + n * 300 / NAT_PORTS, _hold(stage, pair, client, port, full - 300 + n * 300 / NAT_PORTS))
    calls = [pair.new_call(time) for time in times if time < full - 300 or time > full]
    for call in calls:
        stage.call(call)
    late = [call.time for call in calls if call.time > full]
    note = "new calls reach the NAT gateway, which has no port left for that destination"
    pair.ask(kind, late[len(late) // 2] + 1, "lost_between", note, also=("intermittent", "silent_server"))


def _hold(stage: Stage, pair: Pair, client: End, port: int, time: float) -> Callable[[], None]:
    call = dataclasses.replace(pair.new_call(time, client=client, closes=False), client_port=port)

    def hold() -> None:
        syn: Packet = call.packet(0, True, 60, 2)
        if stage.wire.send(syn, call.client, call.server):
            stage.wire.send(call.packet(0.01, False, 60, 18), call.server, call.client)

    return hold
