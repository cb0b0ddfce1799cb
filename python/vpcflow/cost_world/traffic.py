"""The accounts that the world has, and what their interfaces do: conversations of every path, by seed."""

from __future__ import annotations

import dataclasses
import random
from typing import Callable

from . import talks
from .talks import Outside, Way
from .world import ACCOUNTS, ON_PREMISES, OUTPOST, TEAMS, Interface, Vpc, World

Made = tuple[Way, "Way | None"]


@dataclasses.dataclass
class Stage:
    """The VPCs of a world, its instances and gateways."""

    world: World
    app: Vpc
    data: Vpc
    far: Vpc
    other: Vpc
    private: dict[str, list[Interface]]
    public: dict[str, list[Interface]]
    nats: dict[str, Interface]
    endpoints: list[Interface]

    @property
    def vpcs(self) -> list[Vpc]:
        return [self.app, self.data, self.far, self.other]


def build(seed: int) -> Stage:
    """Makes two accounts, two regions and four VPCs: ``app`` with one zonal NAT gateway and both kinds of endpoints,
    ``data`` with a regional NAT gateway and no endpoint for S3, ``far`` in another region, ``other`` in another
    account. ``app`` is peered with ``data``, ``far`` and ``other``; ``data`` and ``other`` have a transit gateway."""
    world = World(seed)
    rng = world.rng
    own, second = ACCOUNTS
    vpcs = [
        world.vpc("app", own, "us-east-1", "10.10.0.0/16"), world.vpc("data", own, "us-east-1", "10.20.0.0/16"),
        world.vpc("far", own, "eu-west-1", "10.40.0.0/16"), world.vpc("other", second, "us-east-1", "10.30.0.0/16"),
    ]  # fmt: skip
    app, data, far, other = vpcs
    private: dict[str, list[Interface]] = {}
    public: dict[str, list[Interface]] = {}
    for vpc in vpcs:
        zones = vpc.region.zones
        private[vpc.name] = [world.instance(vpc, zone, rng.choice(TEAMS)) for zone in (*zones, *zones[:2])]
        public[vpc.name] = [world.instance(vpc, zone, rng.choice(TEAMS), public=True) for zone in zones[:2]]
    for far_vpc in (data, far, other):
        world.peer(app, far_vpc)
    world.transit([app, data, other])
    nats = {
        "app": world.nat(app, app.region.zones[0]), "data": world.nat(data, None),
        "far": world.nat(far, far.region.zones[1]), "other": world.nat(other, other.region.zones[0]),
        "idle": world.nat(other, other.region.zones[2], routed=False),
    }  # fmt: skip
    for service in ("S3", "DYNAMODB"):
        world.gateway_endpoint(app, service)
    endpoints = world.endpoint(app, "ssm", app.region.zones[:2])
    world.endpoint(data, "kms", data.region.zones[2:])  # has no traffic
    world.add_route(data, None, ON_PREMISES, GatewayId=world.id("vgw"))
    world.add_route(far, None, OUTPOST, LocalGatewayId=world.id("lgw"))
    return Stage(world, app, data, far, other, private, public, nats, endpoints)


def conversations(stage: Stage) -> dict[str, Callable[[], Made]]:
    """Returns by name what makes a conversation: its way there, and its way back."""
    world, rng = stage.world, stage.world.rng

    def some(vpc: str | None = None, public: bool = False) -> Interface:
        held = stage.public if public else stage.private
        return rng.choice(held[vpc or rng.choice(list(held))])

    def pair(vpc: str, near: bool) -> Made:
        one = some(vpc)
        fit = [o for o in stage.private[vpc] if o is not one and (o.zone == one.zone) == near]
        if not fit:
            return pair(vpc, near)
        return talks.inside(world, one, rng.choice(fit))

    def peer(service: str | None, region: str | None) -> Outside:
        return Outside(world.outside(service, region), service, region)

    def nat(service: str | None, far: bool = False) -> Made:
        one = some()
        region = _region_of(one, far)
        if service in ("S3", "DYNAMODB") and (one.vpc.id, service) in world.gateways and region == one.region.name:
            return nat(service, far)  # by the gateway endpoint, not by NAT
        return talks.by_nat(
            one, stage.nats[one.vpc.name], peer(service, "GLOBAL" if service == "CLOUDFRONT" else region)
        )

    def direct(service: str | None, far: bool = False) -> Made:
        one = some(public=True)
        return talks.outside(world, one, peer(service, "GLOBAL" if service == "CLOUDFRONT" else _region_of(one, far)))

    def refused() -> Made:
        reason = "BPA" if rng.random() < 0.3 else None
        return talks.refused(some(public=True), world.outside(), reason), None

    def publicly() -> Made:
        one, other = rng.sample([*stage.public["app"], *stage.public["data"], *stage.public["other"]], 2)
        return talks.public_pair(one, other)

    return {
        "same_az": lambda: pair(rng.choice(list(stage.private)), near=True),
        "cross_az": lambda: pair(rng.choice(list(stage.private)), near=False),
        "nat_internet": lambda: nat(None),
        "nat_s3": lambda: nat("S3"),
        "nat_s3_far": lambda: nat("S3", far=True),
        "nat_dynamodb": lambda: nat("DYNAMODB"),
        "nat_service": lambda: nat("AMAZON"),
        "nat_public": lambda: nat("EC2"),
        "nat_cloudfront": lambda: nat("CLOUDFRONT"),
        "gateway_endpoint": lambda: talks.outside(
            world, some("app"), peer(rng.choice(("S3", "DYNAMODB")), "us-east-1")
        ),
        "interface_endpoint": lambda: talks.inside(world, some("app"), rng.choice(stage.endpoints)),
        "tgw": lambda: talks.inside(world, *_either(rng, some("data"), some("other"))),
        "peering": lambda: talks.inside(world, *_either(rng, some("app"), some(rng.choice(("data", "other"))))),
        "peering_far": lambda: talks.inside(world, *_either(rng, some("app"), some("far"))),
        "public_pair": publicly,
        "public_foreign": lambda: direct("EC2"),
        "public_far": lambda: direct("EC2", far=True),
        "service": lambda: direct("AMAZON"),
        "s3_far": lambda: direct("S3", far=True),
        "cloudfront": lambda: direct("CLOUDFRONT"),
        "internet": lambda: direct(None),
        "vgw": lambda: talks.by_gateway(some("data"), world.address(ON_PREMISES), "vgw"),
        "local_gateway": lambda: talks.by_gateway(some("far"), world.address(OUTPOST), "local_gateway"),
        "refused": refused,
    }


def _region_of(one: Interface, far: bool) -> str:
    names = {"us-east-1": "eu-west-1", "eu-west-1": "us-east-1"}
    return names[one.region.name] if far else one.region.name


def _either(rng: random.Random, one: Interface, other: Interface) -> tuple[Interface, Interface]:
    return (one, other) if rng.random() < 0.5 else (other, one)
