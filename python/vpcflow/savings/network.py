"""The parts of an inventory that cost: NAT gateways, endpoints, attachments, subnets, addresses."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ..inventory import Inventory

Item = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Nat:
    id: str
    vpc: str
    region: str
    zone: str | None
    #: Empty for a regional one.
    interfaces: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    id: str
    vpc: str
    region: str
    service: str
    interfaces: tuple[str, ...]


class Network:
    """What an inventory says, by what advice asks."""

    def __init__(self, inventory: Inventory, owner_tag: str) -> None:
        self.inventory = inventory
        self.interfaces = inventory.at("NetworkInterfaces")
        self.subnets = inventory.at("Subnets")
        self._owner_tag = owner_tag
        self._instances = inventory.at("Instances")
        self._networks = [
            (ipaddress.ip_network(str(item["CidrBlock"])), item)
            for item in self.subnets.values()
            if item.get("CidrBlock")
        ]
        self._zones: dict[str, str] = {}
        self.by_address = {address: item for item in self.interfaces.values() for address in private_addresses(item)}

    def region(self, item: Item) -> str:
        """Returns the region of what is in a subnet or a VPC, by the name of a zone there."""
        subnet = self.subnets.get(str(item.get("SubnetId") or next(iter(item.get("SubnetIds") or ()), "")))
        zone = str((subnet or item).get("AvailabilityZone") or "")
        if not zone:
            own = (s for s in self.subnets.values() if s.get("VpcId") == item.get("VpcId"))
            zone = next((str(s.get("AvailabilityZone") or "") for s in own), "")
        return zone.rstrip("abcdefghijklmnopqrstuvwxyz") if zone else ""

    def nats(self) -> Iterator[Nat]:
        for name, item in self.inventory.at("NatGateways").items():
            if item.get("State") not in (None, "available"):
                continue
            held = item.get("NatGatewayAddresses") or ()
            subnet = self.subnets.get(str(item.get("SubnetId") or ""), {})
            yield Nat(
                name, str(item.get("VpcId")), self.region(item), zone_of(subnet) if item.get("SubnetId") else None,
                tuple(str(a["NetworkInterfaceId"]) for a in held if a.get("NetworkInterfaceId")),
                tuple(str(a.get("PrivateIp") or a.get("PublicIp")) for a in held),
            )  # fmt: skip

    def endpoints(self) -> Iterator[Endpoint]:
        for name, item in self.inventory.at("VpcEndpoints").items():
            if item.get("VpcEndpointType") == "Interface":
                yield Endpoint(
                    name, str(item.get("VpcId")), self.region(item), str(item.get("ServiceName", "")),
                    tuple(str(one) for one in item.get("NetworkInterfaceIds") or ()),
                )  # fmt: skip

    def has_gateway_endpoint(self, vpc: str, service: str) -> bool:
        held = self.inventory.at("VpcEndpoints").values()
        return any(
            one.get("VpcEndpointType") == "Gateway" and one.get("VpcId") == vpc
            and str(one.get("ServiceName", "")).endswith(f".{service.lower()}")
            for one in held
        )  # fmt: skip

    def route_tables(self, vpc: str) -> list[str]:
        held = self.inventory.at("RouteTables").items()
        return sorted(name for name, item in held if item.get("VpcId") == vpc)

    def prefixes(self, vpc: str | None = None) -> list[str]:
        """Returns the prefixes of a VPC, or of all."""
        out = []
        for item in self.inventory.at("Vpcs").values():
            if vpc in (None, item.get("VpcId")):
                more = [one.get("CidrBlock") for one in item.get("CidrBlockAssociationSet") or ()]
                out += [str(cidr) for cidr in (item.get("CidrBlock"), *more) if cidr]
        return sorted(set(out))

    def zone(self, address: str) -> str:
        """Returns the zone of a private address, by its interface or its subnet; empty if neither is known."""
        if address not in self._zones:
            own = self.by_address.get(address)
            where = ipaddress.ip_address(address)
            subnet = next((item for network, item in self._networks if where in network), {})
            self._zones[address] = zone_of(own) if own else zone_of(subnet)
        return self._zones[address]

    def owner(self, address: str) -> str:
        """Returns whose an address is: tag of its interface or instance, else the instance, else the address."""
        item = self.by_address.get(address, {})
        instance = str((item.get("Attachment") or {}).get("InstanceId") or "")
        for tagged, name in ((item, "TagSet"), (self._instances.get(instance, {}), "Tags")):
            for tag in tagged.get(name) or ():
                if tag.get("Key") == self._owner_tag:
                    return str(tag.get("Value"))
        return instance or address


def zone_of(item: Item) -> str:
    return str(item.get("AvailabilityZoneId") or item.get("AvailabilityZone") or "")


def private_addresses(item: Item) -> set[str]:
    found = {str(item.get("PrivateIpAddress") or "")}
    found |= {str(one.get("PrivateIpAddress") or "") for one in item.get("PrivateIpAddresses") or ()}
    return found - {""}


def public_addresses(item: Item) -> set[str]:
    held = [item.get("Association"), *(one.get("Association") for one in item.get("PrivateIpAddresses") or ())]
    return {str(one.get("PublicIp")) for one in held if one and one.get("PublicIp")}
