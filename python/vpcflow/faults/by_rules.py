"""Faults of rules, routes and hosts: one cause, all the time."""

from __future__ import annotations

from .outside import behind_nat, by_public_address, public_ends, to_internet
from .registry import Plants, drop_route, far, planter, simple, without_rules
from .stage import Pair, Stage
from .wire import public_of
from .world import ACCOUNT

PLANTS: Plants = {}
plant = planter(PLANTS)


@plant("everything works")
def works(stage: Stage, kind: str) -> None:
    simple(stage, kind, Pair(stage), "works", "every call is answered")


@plant("works: an ACL that denies all does not act within one subnet")
def works_in_subnet(stage: Stage, kind: str) -> None:
    pair = Pair(stage, "subnet", "tcp", acls=False)
    pair.acl(0, ("request", "reply"))
    simple(stage, kind, pair, "works", "the subnet's ACL has no entry for it, and needs none")


@plant("works: a ping")
def works_ping(stage: Stage, kind: str) -> None:
    simple(stage, kind, Pair(stage, proto="icmp"), "works", "every echo is answered")


@plant("works: to the internet by a NAT gateway")
def works_by_nat(stage: Stage, kind: str) -> None:
    pair, _ = behind_nat(stage)
    simple(stage, kind, pair, "works", "every call is answered, by a NAT gateway")


@plant("works: by a secondary address of the server, which only pkt-dstaddr tells")
def works_by_secondary(stage: Stage, kind: str) -> None:
    pair = Pair(stage, family=4)
    server, address = pair.interfaces[1], stage.world.address(pair.cidr(1))
    server["PrivateIpAddresses"].append({"PrivateIpAddress": address, "Primary": False})
    pair.ends[1] = (server, address)
    simple(stage, kind, pair, "works", "every call is answered", also=("not_sent",))


@plant("works: by public addresses within one VPC")
def works_by_public(stage: Stage, kind: str) -> None:
    pair = by_public_address(stage)
    own = public_of(pair.interfaces[0])[pair.ends[0][1]]
    stage.world.rule(pair.groups[1], False, "tcp", (pair.port, pair.port), {"CidrIpv4": f"{own}/32"})
    public_ends(pair)
    simple(stage, kind, pair, "works", "every call is answered; the server sees the client's public address")


@plant("the client never tries")
def not_sent(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    times = pair.times(8)
    pair.bystanders(times)
    pair.ask(kind, times[4], "not_sent", "the client talks to others only")


@plant("the client's groups have no egress rule for it")
def client_group(stage: Stage, kind: str) -> None:
    pair = Pair(stage)
    without_rules(pair, 0)
    simple(stage, kind, pair, "blocked_at_client", "no egress rule of the client's groups allows it")


@plant("the ACL of the client's subnet denies what goes out")
def client_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(0, ("request",))
    simple(stage, kind, pair, "blocked_at_client", "the ACL of the client's subnet denies the request")


@plant("block public access is on for the client's subnet")
def client_public_block(stage: Stage, kind: str) -> None:
    pair = to_internet(stage)
    pair.subnets[0]["BlockPublicAccessStates"]["InternetGatewayBlockMode"] = "block-bidirectional"
    simple(stage, kind, pair, "blocked_at_client", "block public access denies it before any rule")


@plant("the client's subnet has no route")
def no_route(stage: Stage, kind: str) -> None:
    pair = far(stage)
    drop_route(pair, 0)
    simple(stage, kind, pair, "lost_between", "the route table of the client's subnet has no route")


@plant("the route of the client's subnet is a blackhole")
def blackhole(stage: Stage, kind: str) -> None:
    pair = far(stage)
    drop_route(pair, 0, blackhole=True)
    simple(stage, kind, pair, "lost_between", "the route leads to what is gone")


@plant("lost between, by what no describe call tells of")
def lost_between(stage: Stage, kind: str) -> None:
    simple(
        stage, kind, far(stage), "lost_between", "rules and routes allow it, and it does not arrive", lost_request=True
    )


@plant("the server's groups have no ingress rule for it")
def server_group(stage: Stage, kind: str) -> None:
    pair = Pair(stage, stage.rng.choice(("", "subnet")))
    without_rules(pair, 1)
    simple(stage, kind, pair, "blocked_at_server", "no ingress rule of the server's groups allows it")


@plant("the ACL of the server's subnet denies what comes in")
def server_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(1, ("request",))
    simple(stage, kind, pair, "blocked_at_server", "the ACL of the server's subnet denies the request")


@plant("the server's groups and the ACL of its subnet both deny it")
def server_both(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    without_rules(pair, 1)
    pair.acl(1, ("request",))
    simple(stage, kind, pair, "blocked_at_server", "both the groups and the ACL of the server deny it")


@plant("the server's rule is for IPv4 alone, and the client comes by IPv6")
def server_family(stage: Stage, kind: str) -> None:
    pair = Pair(stage, family=6, acls=False)
    without_rules(pair, 1)
    stage.world.rule(pair.groups[1], False, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    simple(stage, kind, pair, "blocked_at_server", "0.0.0.0/0 allows no IPv6")


@plant("the server's rule names the client's group, and the client comes by its public address")
def server_by_public(stage: Stage, kind: str) -> None:
    pair = by_public_address(stage)
    without_rules(pair, 1)
    reference = {"GroupId": pair.groups[0], "UserId": ACCOUNT, "VpcId": pair.subnets[0]["VpcId"]}
    stage.world.rule(pair.groups[1], False, "tcp", (pair.port, pair.port), {"ReferencedGroupInfo": reference})
    public_ends(pair)
    simple(stage, kind, pair, "blocked_at_server", "a reference to a group means private addresses")


@plant("the packets arrive, and the server says nothing")
def silent_server(stage: Stage, kind: str) -> None:
    simple(
        stage,
        kind,
        Pair(stage),
        "silent_server",
        "the server accepts the packets, and its host is silent",
        answers="silent",
    )


@plant("nothing listens at the port")
def no_listener(stage: Stage, kind: str) -> None:
    simple(stage, kind, Pair(stage, proto="tcp"), "no_listener", "the host resets every attempt", answers="reset")


@plant("the ACL of the server's subnet lets no reply out")
def reply_server_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(1, ("reply",))
    simple(stage, kind, pair, "reply_blocked_server_acl", "the ACL of the server's subnet denies the client's ports")


@plant("the ACL of the client's subnet lets no reply in")
def reply_client_acl(stage: Stage, kind: str) -> None:
    pair = Pair(stage, acls=False)
    pair.acl(0, ("reply",))
    simple(stage, kind, pair, "reply_blocked_client_acl", "the ACL of the client's subnet denies its own ports")


@plant("the server's subnet has no route back")
def reply_no_route(stage: Stage, kind: str) -> None:
    pair = far(stage)
    drop_route(pair, 1)
    simple(stage, kind, pair, "reply_lost", "the route table of the server's subnet has no route back")


@plant("replies are lost, by what no describe call tells of")
def reply_lost(stage: Stage, kind: str) -> None:
    simple(stage, kind, far(stage), "reply_lost", "replies leave the server, and do not arrive", lost_reply=True)
