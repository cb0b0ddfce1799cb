"""Advice about what stands by the hour and has no traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._addresses import PRIVATE_V4
from .network import public_addresses
from .observe import listed
from .rows import HOURS, Saving

if TYPE_CHECKING:
    from .advise import Case


def advice(case: Case) -> Iterator[Saving]:
    """Yields what is idle. Silence is evidence only where the VPC is logged in every hour; else there is a note."""
    if not case.observed.whole:
        case.notes.append("hours are missing in the logs: nothing is called idle")
        return
    network = case.network
    recorded, vpcs = case.observer.recorded()
    inside = {one.nat.id for one in case.observer.inside(network.nats())}
    for nat in network.nats():
        if nat.vpc in vpcs and nat.id not in inside and (nat.interfaces or nat.id in recorded):
            yield from _row(
                case,
                "idle_nat",
                nat.id,
                nat.region,
                "nat.hour",
                1,
                f"aws ec2 delete-nat-gateway --nat-gateway-id {nat.id}",
            )
    endpoints = list(network.endpoints())
    sums = case.observer.by_interface(name for one in endpoints for name in one.interfaces)
    for one in endpoints:
        if one.vpc in vpcs and one.interfaces and not any(name in sums for name in one.interfaces):
            command = f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {one.id}"
            yield from _row(case, "idle_endpoint", one.id, one.region, "vpce.hour", len(one.interfaces), command)
    yield from _attachments(case, vpcs)
    yield from _addresses(case, vpcs)


def _attachments(case: Case, vpcs: set[str]) -> Iterator[Saving]:
    network = case.network
    by_vpc: dict[str, list[str]] = {}
    for name, item in network.interfaces.items():
        if item.get("InterfaceType") == "transit_gateway":
            by_vpc.setdefault(str(item.get("VpcId")), []).append(name)
    sums = case.observer.by_interface(name for names in by_vpc.values() for name in names)
    for one, item in network.inventory.at("TransitGatewayVpcAttachments").items():
        vpc = str(item.get("VpcId"))
        if vpc in vpcs and by_vpc.get(vpc) and not any(name in sums for name in by_vpc[vpc]):
            command = f"aws ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {one}"
            yield from _row(case, "idle_attachment", one, network.region(item), "tgw.hour", 1, command)


def _addresses(case: Case, vpcs: set[str]) -> Iterator[Saving]:
    """Public addresses of interfaces that talk inside only; those of NAT gateways go with them."""
    network = case.network
    held = {
        name: address for name, item in network.interfaces.items() if item.get("VpcId") in vpcs
        and str(item.get("InterfaceType", "interface")) == "interface" for address in public_addresses(item)
    }  # fmt: skip
    private = listed(PRIVATE_V4)
    outside = case.observer.pairs(f"not (srcaddr in ({private}) and dstaddr in ({private}))") if held else []
    used = {row["interface_id"] for row in outside}
    for name, address in sorted(held.items()):
        if name not in used:
            item = network.interfaces[name]
            command = f"aws ec2 disassociate-address --public-ip {address}; aws ec2 release-address"
            yield from _row(case, "idle_address", address, network.region(item), "ipv4.hour", 1, command)


def _row(case: Case, kind: str, resource: str, region: str, price: str, count: int, fix: str) -> Iterator[Saving]:
    by_hour = case.price(price, region)
    saving = None if by_hour is None else round(float(by_hour * HOURS * count), 2)
    yield Saving(
        kind, resource, region, saving, saving, saving, case.sheet.currency,
        f"no traffic seen in {case.observed.said}; purpose unknown", fix,
        "it may be a standby, or used less often than that",
    )  # fmt: skip
