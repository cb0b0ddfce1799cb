"""What the classifier of paths knows beside the log: an inventory at each time, and AWS's published addresses."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from .. import _core
from ..errors import SourceError
from ..inventory import Inventory
from ..inventory.table import members
from ..reach import Network
from ..reach.interface import Interface
from ..reach.rules import destinations, prefixes
from .way import owner_text

#: Rows of AWS's ip-ranges.json: prefix, service, region.
Ranges = list[tuple[str, str, str]]
_REGION = re.compile(r"[a-z]+(?:-[a-z]+)+-[0-9]+")
# What a route leads to, by the member of AWS's answer, then by the beginning of the id.
_TARGETS = {
    "NatGatewayId": "nat", "TransitGatewayId": "tgw", "VpcPeeringConnectionId": "peering",
    "LocalGatewayId": "local_gateway", "EgressOnlyInternetGatewayId": "internet", "CarrierGatewayId": "internet",
    "NetworkInterfaceId": "appliance",
    "InstanceId": "appliance", "VpcEndpointId": "appliance", "CoreNetworkArn": "unknown",
}  # fmt: skip
_GATEWAYS = {"local": "local", "igw-": "internet", "eigw-": "internet", "vgw-": "vgw", "lgw-": "local_gateway"}


def classifier(
    inventory: Inventory, ranges: Ranges, logged: AbstractSet[str], owner_tag: str | None
) -> _core.PathClassifier:
    """Makes the classifier of an inventory. ``logged``: ids of the
    interfaces that records are of, and addresses in records without one; ``owner_tag``: the
    tag whose value is the owner."""
    times = sorted({time for table in inventory.tables.values() for time in table.times})
    starts = [None, *times[1:]]
    networks = []
    for start in starts:
        ground = _Ground(Network.at(inventory, start if start is not None else (times[0] if times else None)))
        networks.append((start, ground.interfaces(logged, owner_tag), ground.subnets(), ground.vpcs()))
    return _core.PathClassifier(networks, ranges)


class _Ground:
    """An inventory at one time, in the classifier's terms."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.items = network.items
        self.peerings = self.items["VpcPeeringConnections"]
        self.regions: dict[str, str] = {}  # of VPCs
        for one in network.interfaces.values():
            self.regions.setdefault(one.vpc, _region(one.item.get("AvailabilityZone")))
        for subnet in self.items["Subnets"].values():
            if region := _region(subnet.get("AvailabilityZone")):
                self.regions[str(subnet.get("VpcId"))] = region
        self.own_vpcs = {*self.regions, *self.items["Vpcs"]}
        for side in self._sides():
            self.regions.setdefault(str(side.get("VpcId")), str(side.get("Region") or ""))

    def interfaces(self, logged: AbstractSet[str], owner_tag: str | None) -> list[dict[str, Any]]:
        out = [self._interface(one, logged, owner_tag) for one in self.network.interfaces.values()]
        for id, nat in self.items["NatGateways"].items():
            if str(nat.get("AvailabilityMode") or "").lower() == "regional":
                vpc = str(nat.get("VpcId") or "")
                public = [str(one.get("PublicIp") or "") for one in members(nat, "NatGatewayAddresses")]
                out.append({
                    "id": id, "kind": "regional_nat_gateway", "zone": "", "vpc": vpc, "subnet": "", "addresses": [],
                    "region": self.regions.get(vpc, ""), "owner": owner_text(_tag(nat, owner_tag)),
                    "logged": id in logged or not logged.isdisjoint(public),
                    "public": prefixes(filter(None, public)),
                })  # fmt: skip
        return out

    def subnets(self) -> list[dict[str, Any]]:
        ids = {*self.items["Subnets"], *(one.subnet for one in self.network.interfaces.values() if one.subnet)}
        return [self._subnet(id) for id in sorted(ids)]

    def vpcs(self) -> list[dict[str, Any]]:
        blocks: dict[str, list[str]] = {}
        for id, vpc in self.items["Vpcs"].items():
            blocks.setdefault(id, []).extend(_blocks(vpc))
        for subnet in self.items["Subnets"].values():
            blocks.setdefault(str(subnet.get("VpcId")), []).extend(_blocks(subnet))
        for side in self._sides():
            sets = (("CidrBlockSet", "CidrBlock"), ("Ipv6CidrBlockSet", "Ipv6CidrBlock"))
            more = [str(one.get(name) or "") for kind, name in sets for one in members(side, kind)]
            blocks.setdefault(str(side.get("VpcId")), []).extend(
                filter(None, [str(side.get("CidrBlock") or ""), *more])
            )
        return [
            {"id": id, "region": self.regions.get(id, ""), "prefixes": sorted(set(prefixes(texts)))}
            for id, texts in sorted(blocks.items())
        ]

    def _interface(self, one: Interface, logged: AbstractSet[str], owner_tag: str | None) -> dict[str, Any]:
        region = _region(one.item.get("AvailabilityZone")) or self.regions.get(one.vpc, "")
        return {
            "id": one.id, "kind": one.kind, "zone": one.zone, "vpc": one.vpc, "subnet": one.subnet, "region": region,
            "owner": owner_text(one.tags.get(owner_tag, "")) if owner_tag else "", "addresses": list(one.addresses),
            "public": prefixes(one.public), "logged": one.id in logged,
        }  # fmt: skip

    def _subnet(self, id: str) -> dict[str, Any]:
        item = self.items["Subnets"].get(id, {})
        vpc = self.network.vpc_of(id)
        table = self.network.routes(id)
        region = _region(item.get("AvailabilityZone")) or self.regions.get(vpc, "")
        return {
            "id": id, "vpc": vpc, "zone": str(item.get("AvailabilityZoneId") or item.get("AvailabilityZone") or ""),
            "region": region, "prefixes": prefixes(_blocks(item)),
            "routes": [self._route(route, region) for route in table.items] if table.id else None,
        }  # fmt: skip

    def _route(self, route: Mapping[str, Any], region: str) -> dict[str, Any]:
        known, unknown = destinations(route, self.network.prefix_list)
        target, to, own, nat = self._target(route), "", True, ""
        if target == "peering":
            to, own = self._peer(str(route["VpcPeeringConnectionId"]), region)
        if target == "nat":
            nat = self._nat(str(route["NatGatewayId"]))
        return {
            "destinations": known, "unknown": unknown, "target": target, "region": to, "own": own, "nat": nat,
            "propagated": str(route.get("Origin")) == "EnableVgwRoutePropagation",
        }  # fmt: skip

    def _target(self, route: Mapping[str, Any]) -> str:
        if str(route.get("State", "active")).lower() == "blackhole":
            return "blackhole"
        gateway = str(route.get("GatewayId") or "")
        if gateway.startswith("vpce-"):
            return "gateway_endpoint" if route.get("DestinationPrefixListId") else "appliance"
        if gateway:
            return next((kind for start, kind in _GATEWAYS.items() if gateway.startswith(start)), "unknown")
        return next((kind for name, kind in _TARGETS.items() if route.get(name)), "unknown")

    def _nat(self, id: str) -> str:
        """Returns the interface of a NAT gateway; a regional one is known by its own id."""
        item = self.items["NatGateways"].get(id, {})
        addresses = members(item, "NatGatewayAddresses")
        if str(item.get("AvailabilityMode") or "").lower() == "regional":
            return id
        return next((str(one["NetworkInterfaceId"]) for one in addresses if one.get("NetworkInterfaceId")), id)

    def _peer(self, id: str, here: str) -> tuple[str, bool]:
        """Returns the region at the other end of a peering, and whether that end is in the inventory, too."""
        item = self.peerings.get(id, {})
        ends = [item.get(name) for name in ("RequesterVpcInfo", "AccepterVpcInfo")]
        sides = [end for end in ends if isinstance(end, Mapping)]
        regions = {str(side.get("Region") or self.regions.get(str(side.get("VpcId")), "")) for side in sides} - {
            "",
            here,
        }
        return next(iter(sorted(regions)), here), all(str(side.get("VpcId")) in self.own_vpcs for side in sides)

    def _sides(self) -> Iterator[Mapping[str, Any]]:
        for item in self.peerings.values():
            for name in ("RequesterVpcInfo", "AccepterVpcInfo"):
                if isinstance(item.get(name), Mapping):
                    yield item[name]


def ranges_in(folder: str | os.PathLike[str]) -> Ranges:
    """Reads AWS's ip-ranges.json, where a folder has it (``ip-ranges.json``, also with a date); else none. Raises
    :class:`~vpcflow.SourceError` for one that is none."""
    found = sorted(Path(folder).rglob("ip-ranges*.json"))
    return read_ranges(found[-1]) if found else []


def read_ranges(path: Path) -> Ranges:
    """Reads AWS's ip-ranges.json. Of equal prefixes the most particular service comes last, and wins."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = [(str(one["ip_prefix"]), str(one["service"]), str(one["region"])) for one in document["prefixes"]]
        rows += [
            (str(one["ipv6_prefix"]), str(one["service"]), str(one["region"]))
            for one in document.get("ipv6_prefixes", ())
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{path}: no ip-ranges.json of AWS: {error}") from None
    return sorted(rows, key=lambda row: {"AMAZON": 0, "EC2": 2}.get(row[1], 1))


def _region(zone: object) -> str:
    found = _REGION.match(str(zone or ""))
    return found[0] if found else ""


def _tag(item: Mapping[str, Any], name: str | None) -> str:
    return next((str(tag.get("Value")) for tag in members(item, "Tags") if name and tag.get("Key") == name), "")


def _blocks(item: Mapping[str, Any]) -> list[str]:
    more = [str(one.get("CidrBlock") or "") for one in members(item, "CidrBlockAssociationSet")]
    more += [str(one.get("Ipv6CidrBlock") or "") for one in members(item, "Ipv6CidrBlockAssociationSet")]
    return [text for text in (str(item.get("CidrBlock") or ""), *more) if text]
