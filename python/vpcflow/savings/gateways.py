"""Advice about NAT gateways and endpoints: what should not pass a NAT gateway, and what an endpoint is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .network import Nat
from .observe import SERVED, ByHour, Inside
from .rows import HOURS, Saving

if TYPE_CHECKING:
    from .advise import Case

#: Services whose addresses an interface endpoint could stand for; which one it is, the name does not tell.
_OTHER_SERVICES = ("AMAZON", "API_GATEWAY", "KINESIS_VIDEO_STREAMS", "CODEBUILD")


def advice(case: Case) -> Iterator[Saving]:
    """Yields advice about NAT gateways and interface endpoints."""
    inside = case.observer.inside(case.network.nats())
    by_nat: dict[str, list[Inside]] = {}
    for one in inside:
        by_nat.setdefault(one.nat.id, []).append(one)
    if inside and all(one.service is None for one in inside) and "pkt_dst_aws_service" not in case.observer.columns:
        case.notes.append(
            "cannot tell which services are behind NAT gateways: the logs lack pkt-dst-aws-service (version 5)"
        )
    for own in by_nat.values():
        nat = own[0].nat
        for service in SERVED:
            yield from _gateway_endpoint(case, nat, service, [one for one in own if one.service == service])
        yield from _interface_endpoint(case, nat, [one for one in own if one.service in _OTHER_SERVICES])
        yield from _other_zones(case, nat, own)
        yield from _provisioned(case, nat, own)
    yield from _endpoints_not_worth_it(case)


def _gateway_endpoint(case: Case, nat: Nat, service: str, own: list[Inside]) -> Iterator[Saving]:
    if not own or case.network.has_gateway_endpoint(nat.vpc, service):
        return
    here: ByHour = {}
    across: ByHour = {}
    elsewhere = unknown = 0
    for one in own:
        region = case.ranges.region(one.address)
        if region is not None and region != nat.region:
            elsewhere += one.bytes
            continue
        unknown += one.bytes if region is None else 0
        _plus(here, one)
        if nat.zone and case.network.zone(one.workload) not in ("", nat.zone):
            _plus(across, one)
    price, zone = case.price("nat.gb", nat.region), case.price("cross_az", nat.region) if across else Decimal(0)
    if not here:
        return
    size = sum(here.values())
    why = f"{_gb(size)} GB of {service} by {nat.id} in {case.observed.said}"
    why += f"; {_gb(elsewhere)} GB of other regions stay on NAT" if elsewhere else ""
    why += "; of which region its addresses are is not known without ip-ranges.json" if unknown else ""
    tables = case.network.route_tables(nat.vpc)
    name = f"com.amazonaws.{nat.region}.{service.lower()}"
    parts = [(here, price), (across, None if zone is None else 2 * zone)]
    yield _saving(
        case, "gateway_endpoint", nat.id, nat.region, parts, why,
        f"aws ec2 create-vpc-endpoint --vpc-endpoint-type Gateway --vpc-id {nat.vpc} --service-name {name} "
        f"--route-table-ids {' '.join(tables) or 'ROUTE-TABLES'}",
        "endpoint and bucket policies on source addresses or VPCs apply anew; egress rules by address may need the "
        f"prefix list; existing connections are cut; {service} of other regions stays on NAT",
        f'resource "aws_vpc_endpoint" "{service.lower()}" {{\n  vpc_id            = "{nat.vpc}"\n  service_name      = '
        f'"{name}"\n  vpc_endpoint_type = "Gateway"\n  route_table_ids   = [{", ".join(_quoted(tables))}]\n}}\n',
        certain=not unknown,
    )  # fmt: skip


def _interface_endpoint(case: Case, nat: Nat, own: list[Inside]) -> Iterator[Saving]:
    """An interface endpoint, if what it saves by the GB is more than its hours in each zone of the workloads."""
    by_hour: ByHour = {}
    zones: set[str] = set()
    for one in own:
        if case.ranges.region(one.address) in (None, nat.region):
            _plus(by_hour, one)
            zones.add(case.network.zone(one.workload))
    if not by_hour:
        return
    nat_gb, endpoint_gb, endpoint_hour = (case.price(kind, nat.region) for kind in ("nat.gb", "vpce.gb", "vpce.hour"))
    if nat_gb is None or endpoint_gb is None or endpoint_hour is None:
        return
    standing = endpoint_hour * HOURS * len(zones)
    made = _saving(
        case, "interface_endpoint", nat.id, nat.region, [(by_hour, nat_gb - endpoint_gb)],
        f"{_gb(sum(by_hour.values()))} GB to services of AWS by {nat.id} in {case.observed.said}; an endpoint pays "
        f"from {_break_even(endpoint_hour, nat_gb - endpoint_gb)} GB a zone and month, if all of it is one service",
        f"aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id {nat.vpc} --service-name "
        f"com.amazonaws.{nat.region}.SERVICE --subnet-ids SUBNETS --private-dns-enabled",
        "AMAZON is one name for most services: which one it is, Resolver query logs tell; groups of the endpoint",
        standing=standing,
    )  # fmt: skip
    if made.saving and made.saving > 0:
        yield made


def _endpoints_not_worth_it(case: Case) -> Iterator[Saving]:
    endpoints = list(case.network.endpoints())
    sums = case.observer.by_interface(name for one in endpoints for name in one.interfaces)
    vpcs = {nat.vpc for nat in case.network.nats()}
    for one in endpoints:
        by_hour: ByHour = {}
        for name in one.interfaces:
            for hour, size in sums.get(name, {}).items():
                by_hour[hour] = by_hour.get(hour, Decimal(0)) + size
        if not by_hour or one.vpc not in vpcs:  # idle, or there is no other way out
            continue
        nat_gb, endpoint_gb, endpoint_hour = (
            case.price(kind, one.region) for kind in ("nat.gb", "vpce.gb", "vpce.hour")
        )
        if nat_gb is None or endpoint_gb is None or endpoint_hour is None:
            continue
        made = _saving(
            case, "endpoint_not_worth_it", one.id, one.region, [(by_hour, endpoint_gb - nat_gb)],
            f"{_gb(sum(by_hour.values()))} GB by {one.id} ({one.service}) in {case.observed.said}; it pays from "
            f"{_break_even(endpoint_hour, nat_gb - endpoint_gb)} GB a zone and month",
            f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {one.id}",
            "a private path may be a matter of policy, not of cost; the traffic then needs the NAT gateway",
            standing=-endpoint_hour * HOURS * len(one.interfaces),
        )  # fmt: skip
        if made.saving and made.saving > 0:
            yield made


def _other_zones(case: Case, nat: Nat, own: list[Inside]) -> Iterator[Saving]:
    """One more NAT gateway, in a zone whose workloads use one of another zone."""
    by_zone: dict[str, ByHour] = {}
    for one in own:
        zone = case.network.zone(one.workload)
        if nat.zone and zone and zone != nat.zone:
            _plus(by_zone.setdefault(zone, {}), one)
    for zone, by_hour in sorted(by_zone.items()):
        price, hour = case.price("cross_az", nat.region), case.price("nat.hour", nat.region)
        if price is None or hour is None:
            continue
        made = _saving(
            case, "nat_in_other_zone", nat.id, nat.region, [(by_hour, 2 * price)],
            f"{_gb(sum(by_hour.values()))} GB between {zone} and {nat.id} in {nat.zone}, in {case.observed.said}; one "
            "more NAT gateway is taken off",
            f"aws ec2 create-nat-gateway --subnet-id PUBLIC-SUBNET-OF-{zone} --allocation-id ADDRESS; then aws ec2 "
            "replace-route in the route tables of that zone; or a regional NAT gateway",
            "both sides are taken to be billed: check it with reconcile; another public address; more available, too",
            standing=hour * HOURS,
        )  # fmt: skip
        if made.saving and made.saving > 0:
            yield made


def _provisioned(case: Case, nat: Nat, own: list[Inside]) -> Iterator[Saving]:
    by_hour: ByHour = {}
    for one in own:
        _plus(by_hour, one)
    peak = max(by_hour.values(), default=Decimal(0)) * 8 / 3600 / 10**9
    if peak < 1 or case.sheet.price("nat.provisioned.hour", nat.region) is None:
        return
    needed = math.ceil(peak)
    hour, price = case.price("nat.provisioned.hour", nat.region), case.price("nat.gb", nat.region)
    if price is None:
        return
    made = _saving(
        case, "provisioned_nat", nat.id, nat.region, [(by_hour, price)],
        f"the highest mean of an hour is {peak:.1f} Gbit/s; {needed} Gbit/s are taken to be provisioned",
        f"a NAT gateway with provisioned bandwidth of {needed} Gbit/s in place of {nat.id}",
        "means of an hour do not prove that peaks stay below the provision",
        standing=hour * HOURS * needed,
    )  # fmt: skip
    if made.saving and made.saving > 0:
        yield made


def _plus(by_hour: ByHour, one: Inside) -> None:
    by_hour[one.hour] = by_hour.get(one.hour, Decimal(0)) + one.bytes


def _saving(
    case: Case, kind: str, resource: str, region: str, parts: list[tuple[ByHour, Any]], why: str, fix: str, risk: str,
    terraform: str | None = None, *, standing: Decimal = Decimal(0), certain: bool = True,
) -> Saving:  # fmt: skip
    """Makes a row: bytes by their prices, less what stands by the month. ``certain``: whether all of it surely can be
    saved; else its interval begins at nothing."""
    return saving_of(case, kind, resource, region, parts, (why, fix, risk, terraform), standing, certain)


def saving_of(
    case: Case, kind: str, resource: str, region: str, parts: list[tuple[ByHour, Any]],
    texts: tuple[str, str, str, str | None], standing: Decimal = Decimal(0), certain: bool = True,
) -> Saving:  # fmt: skip
    """Returns the row of a saving; one without a price has none."""
    why, fix, risk, terraform = texts
    currency = case.sheet.currency
    if any(price is None for by_hour, price in parts if by_hour):
        return Saving(kind, resource, region, None, None, None, currency, f"{why}; unpriced", fix, risk, terraform)
    cost: ByHour = {}
    for by_hour, price in parts:
        for hour, size in by_hour.items():
            cost[hour] = cost.get(hour, Decimal(0)) + size * price / case.sheet.gb
    mean, low, high = case.observed.month(cost, Decimal(1))
    if mean < 0:  # what is lost by the GB
        low, high = -case.observed.month({h: -c for h, c in cost.items()}, Decimal(1))[2], min(0.0, high)
    off = float(standing)
    low = low - off if certain else min(0.0, low - off)
    return Saving(
        kind, resource, region, round(mean - off, 2), round(low, 2), round(high - off, 2), currency, why, fix, risk,
        terraform,
    )  # fmt: skip


def _break_even(hour: Decimal, by_gb: Decimal) -> str:
    return f"{hour * HOURS / by_gb:,.0f}" if by_gb > 0 else "no number of"


def _gb(size: Any) -> str:
    return f"{Decimal(size) / (1 << 30):,.1f}"


def _quoted(values: list[str]) -> list[str]:
    return [f'"{value}"' for value in values]
