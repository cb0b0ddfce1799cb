"""Ways out of a VPC: internet gateways, NAT gateways, load balancers."""

from __future__ import annotations

import dataclasses

from .stage import Pair, Stage
from .talk import Call, talk
from .wire import public_of
from .world import End, Item


def to_internet(stage: Stage) -> Pair:
    """Makes a client with a public address, and a server outside."""
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


def behind_nat(stage: Stage) -> tuple[Pair, Item]:
    """Makes a client in a private subnet, a NAT gateway, and a server outside."""
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


def public_ends(pair: Pair) -> None:
    """Has the client call the server by its public address."""
    server = pair.interfaces[1]
    pair.ends[1] = (server, public_of(server)[str(server["PrivateIpAddress"])])


@dataclasses.dataclass
class Balanced:
    """A pair whose server is a network load balancer, and the targets behind it, which see its address."""

    stage: Stage
    pair: Pair
    targets: list[End]
    port: int

    def call(self, time: float, target: End, answers: str = "accept", closes: bool = True) -> Call:
        """Has the client call by a target, and returns its call; it is answered if the target answers."""
        call = self.pair.new_call(time, closes=closes)
        own_port = self.stage.rng.randrange(1024, 65536)
        behind = dataclasses.replace(
            call, client=self.pair.ends[1], server=target, client_port=own_port, port=self.port, answers=answers
        )

        def both() -> None:
            answered = talk(self.stage.wire, behind) is not None
            talk(self.stage.wire, dataclasses.replace(call, answers="accept" if answered else "silent"))

        self.stage.do(time, both)
        return call


def balanced(stage: Stage, targets: int) -> Balanced:
    """Makes a client, a network load balancer that hides the client's address, and targets in two zones."""
    pair = Pair(stage, "vpc", "tcp", family=4, acls=False, server="network_load_balancer")
    world, port = stage.world, stage.rng.randrange(3000, 9000)
    group = world.group(pair.subnets[1]["VpcId"], stage.name("targets"))
    world.rule(pair.groups[1], True, "tcp", (port, port), {"CidrIpv4": "0.0.0.0/0"})
    world.rule(group, False, "tcp", (port, port), {"CidrIpv4": pair.cidr(1)})
    subnets = [world.subnet(pair.subnets[1]["VpcId"], zone) for zone in stage.rng.sample("abc", 2)]
    enis = [world.interface(subnets[n % 2]["SubnetId"], [group], stage.name("target")) for n in range(targets)]
    return Balanced(stage, pair, [(eni, str(eni["PrivateIpAddress"])) for eni in enis], port)


def by_public_address(stage: Stage) -> Pair:
    """Makes a client and a server of one VPC, with public addresses, by which they talk."""
    pair = Pair(stage, "vpc", "tcp", acls=False, family=4)
    gateway = stage.world.id("igw")
    for side in (0, 1):
        stage.world.route(pair.subnets[side]["SubnetId"], "0.0.0.0/0", "GatewayId", gateway)
        association = {"PublicIp": stage.world.outside(), "IpOwnerId": "amazon"}
        pair.interfaces[side]["PrivateIpAddresses"][0]["Association"] = association
    stage.world.rule(pair.groups[0], True, "-1", (-1, -1), {"CidrIpv4": "0.0.0.0/0"})
    return pair
