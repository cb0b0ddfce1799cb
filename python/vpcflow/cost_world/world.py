"""Accounts, VPCs, subnets, interfaces and gateways, as AWS's describe calls answer for them."""

from __future__ import annotations

import dataclasses
import ipaddress
import random
from typing import Any, Callable

Item = dict[str, Any]
ACCOUNTS = ("123456789012", "210987654321")  # the first one pays
TEAMS = ("checkout", "search", "data-science", "platform")
_TRIES = 64  # for an address that is not in use


@dataclasses.dataclass(frozen=True)
class Region:
    """A region, with what usage types call it: ``prefix`` of most, ``code`` of those that always name it."""

    name: str
    prefix: str
    code: str
    zones: tuple[str, ...]


REGIONS = {
    "us-east-1": Region("us-east-1", "", "USE1", ("use1-az1", "use1-az2", "use1-az4")),
    "eu-west-1": Region("eu-west-1", "EU-", "EU", ("euw1-az1", "euw1-az2", "euw1-az3")),
}
#: Addresses of AWS, as ip-ranges.json lists them: prefix, region, service.
RANGES = (
    ("52.216.0.0/15", "us-east-1", "S3"), ("52.218.0.0/17", "eu-west-1", "S3"),
    ("52.94.0.0/22", "us-east-1", "DYNAMODB"), ("52.94.24.0/23", "eu-west-1", "DYNAMODB"),
    ("3.80.0.0/12", "us-east-1", "EC2"), ("34.240.0.0/13", "eu-west-1", "EC2"),
    ("52.46.128.0/19", "us-east-1", "AMAZON"), ("52.95.112.0/20", "eu-west-1", "AMAZON"),
    ("13.32.0.0/15", "GLOBAL", "CLOUDFRONT"),
)  # fmt: skip
#: Addresses that are not AWS's.
INTERNET = ("93.184.0.0/16", "203.0.113.0/24", "151.101.0.0/16")
ON_PREMISES, OUTPOST = "172.31.0.0/16", "192.168.128.0/20"


@dataclasses.dataclass
class Vpc:
    """A VPC, with its subnets by (zone, public)."""

    id: str
    name: str
    account: str
    region: Region
    cidr: str
    subnets: dict[tuple[str, bool], Item] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(eq=False)
class Interface:
    """A network interface; a regional NAT gateway is one without id, subnet and zone."""

    id: str
    vpc: Vpc
    address: str
    zone: str | None
    subnet: str | None = None
    kind: str = "interface"
    public: str | None = None
    instance: str | None = None
    team: str | None = None
    resource: str | None = None  # what it belongs to: nat-, vpce-, tgw-attach-

    @property
    def account(self) -> str:
        return self.vpc.account

    @property
    def region(self) -> Region:
        return self.vpc.region


class World:
    """Builds the items; ``documents`` has them by (account, region) and kind."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"costs {seed}")
        self.documents: dict[tuple[str, str], dict[str, list[Item]]] = {}
        self.interfaces: list[Interface] = []
        self.peerings: dict[frozenset[str], str] = {}
        self.attachments: dict[str, list[Interface]] = {}
        self.gateways: dict[tuple[str, str], str] = {}  # (VPC, service) -> gateway endpoint
        self._used: set[str] = set()

    # -- items

    def id(self, kind: str) -> str:
        """Returns a new id, which holds no run of digits that could be taken for a date."""
        return f"{kind}-0" + "".join(self.rng.choice("0123456789") + self.rng.choice("abcdef") for _ in range(8))

    def put(self, vpc: Vpc, kind: str, item: Item) -> Item:
        self.documents.setdefault((vpc.account, vpc.region.name), {}).setdefault(kind, []).append(item)
        return item

    def address(self, cidr: str) -> str:
        """Returns an address of a prefix: a free one, or, where a prefix of the outside is nearly full, a used one."""
        network = ipaddress.ip_network(cidr)
        for _ in range(_TRIES):
            found = str(network[self.rng.randrange(4, network.num_addresses - 1)])
            if found not in self._used:
                break
        self._used.add(found)
        return found

    def outside(self, service: str | None = None, region: str | None = None) -> str:
        """Returns an address of a service of AWS in a region, or of the internet."""
        prefixes = [p for p, r, s in RANGES if s == service and r == region] if service else list(INTERNET)
        return self.address(self.rng.choice(prefixes))

    def vpc(self, name: str, account: str, region: str, cidr: str) -> Vpc:
        """Makes a VPC with a private and a public subnet in each zone, each with a route table of its own."""
        own = Vpc(self.id("vpc"), name, account, REGIONS[region], cidr)
        self.put(own, "Vpcs", {
            "VpcId": own.id, "CidrBlock": cidr, "OwnerId": account, "State": "available", "IsDefault": False,
            "CidrBlockAssociationSet": [{"CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}],
            "Tags": [{"Key": "Name", "Value": name}],
        })  # fmt: skip
        blocks = list(ipaddress.ip_network(cidr).subnets(new_prefix=24))
        internet = self.id("igw")
        for number, zone in enumerate(own.region.zones):
            for public in (False, True):
                subnet = self.put(own, "Subnets", {
                    "SubnetId": self.id("subnet"), "VpcId": own.id, "OwnerId": account, "State": "available",
                    "CidrBlock": str(blocks[2 * number + public]), "AvailabilityZoneId": zone,
                    "AvailabilityZone": self._zone_name(own, number), "MapPublicIpOnLaunch": public,
                })  # fmt: skip
                own.subnets[zone, public] = subnet
                table = self.put(own, "RouteTables", {
                    "RouteTableId": self.id("rtb"), "VpcId": own.id, "OwnerId": account,
                    "Associations": [{
                        "Main": False, "SubnetId": subnet["SubnetId"], "AssociationState": {"State": "associated"},
                    }],
                    "Routes": [_route(cidr, GatewayId="local")],
                })  # fmt: skip
                if public:
                    table["Routes"].append(_route("0.0.0.0/0", GatewayId=internet))
        return own

    def _zone_name(self, vpc: Vpc, number: int) -> str:
        """Returns the name of a zone, which accounts have in orders of their own."""
        shift = ACCOUNTS.index(vpc.account)
        return vpc.region.name + "abc"[(number + shift) % 3]

    def add_route(self, vpc: Vpc, public: bool | None, destination: str, **target: str) -> None:
        """Adds a route to the tables of a VPC's private subnets, public ones, or both (``None``)."""
        chosen = {s["SubnetId"] for (_, is_public), s in vpc.subnets.items() if public in (None, is_public)}
        self._each_table(vpc, chosen, lambda table: table["Routes"].append(_route(destination, **target)))

    def _each_table(self, vpc: Vpc, subnets: set[str], change: Callable[[Item], None]) -> None:
        for table in self.documents[vpc.account, vpc.region.name]["RouteTables"]:
            if table["Associations"][0]["SubnetId"] in subnets:
                change(table)

    def interface(self, vpc: Vpc, zone: str, in_public: bool, kind: str = "interface", **own: Any) -> Interface:
        """Makes an interface of an instance, or of what ``kind`` names, in the subnet of a zone."""
        subnet = vpc.subnets[zone, in_public]
        address = self.address(subnet["CidrBlock"])
        made = Interface(self.id("eni"), vpc, address, zone, subnet["SubnetId"], kind, **own)
        tags = [{"Key": "team", "Value": made.team}] if made.team else []
        item: Item = {
            "NetworkInterfaceId": made.id, "VpcId": vpc.id, "SubnetId": made.subnet, "OwnerId": vpc.account,
            "AvailabilityZone": subnet["AvailabilityZone"], "AvailabilityZoneId": zone, "InterfaceType": kind,
            "Status": "in-use", "RequesterManaged": kind != "interface", "PrivateIpAddress": address,
            "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}], "Ipv6Addresses": [],
            "TagSet": tags, "Description": "" if kind == "interface" else f"Interface for {made.resource}",
            "Groups": [],
        }  # fmt: skip
        if made.public:
            item["Association"] = {"PublicIp": made.public, "IpOwnerId": vpc.account}
            item["PrivateIpAddresses"][0]["Association"] = item["Association"]
        if made.instance:
            item["Attachment"] = {"InstanceId": made.instance, "Status": "attached", "InstanceOwnerId": vpc.account}
            self.put(vpc, "Instances", {
                "InstanceId": made.instance, "InstanceType": "m5.large", "VpcId": vpc.id, "SubnetId": made.subnet,
                "PrivateIpAddress": address, "State": {"Code": 16, "Name": "running"},
                "Tags": [*tags, {"Key": "Name", "Value": f"{made.team}-{vpc.name}"}],
                "NetworkInterfaces": [{"NetworkInterfaceId": made.id}],
            })  # fmt: skip
        self.put(vpc, "NetworkInterfaces", item)
        self.interfaces.append(made)
        return made

    # -- what they are connected by

    def instance(self, vpc: Vpc, zone: str, team: str, public: bool = False) -> Interface:
        address = self.outside("EC2", vpc.region.name) if public else None
        return self.interface(vpc, zone, public, instance=self.id("i"), team=team, public=address)

    def nat(self, vpc: Vpc, zone: str | None, routed: bool = True) -> Interface:
        """Makes a NAT gateway in a zone, or a regional one (``None``), and routes private subnets to it."""
        name = self.id("nat")
        public = self.outside("EC2", vpc.region.name)
        if zone is None:
            made = Interface("-", vpc, public, None, kind="regional_nat_gateway", public=public, resource=name)
            self.interfaces.append(made)
        else:
            made = self.interface(vpc, zone, True, kind="nat_gateway", resource=name, public=public)
        self.put(vpc, "NatGateways", {
            "NatGatewayId": name, "VpcId": vpc.id, "State": "available", "ConnectivityType": "public",
            **({"SubnetId": made.subnet, "AvailabilityMode": "zonal"} if zone else {"AvailabilityMode": "regional"}),
            "NatGatewayAddresses": [{
                "PublicIp": public, **({"NetworkInterfaceId": made.id, "PrivateIp": made.address} if zone else {}),
            }],
        })  # fmt: skip
        if routed:
            self.add_route(vpc, False, "0.0.0.0/0", NatGatewayId=name)
        return made

    def endpoint(self, vpc: Vpc, service: str, zones: tuple[str, ...]) -> list[Interface]:
        """Makes an interface endpoint, with an interface in each zone."""
        name = self.id("vpce")
        made = [self.interface(vpc, zone, False, kind="vpc_endpoint", resource=name) for zone in zones]
        self.put(vpc, "VpcEndpoints", {
            "VpcEndpointId": name, "VpcEndpointType": "Interface", "VpcId": vpc.id, "State": "available",
            "ServiceName": f"com.amazonaws.{vpc.region.name}.{service}", "OwnerId": vpc.account,
            "SubnetIds": [one.subnet for one in made], "NetworkInterfaceIds": [one.id for one in made],
            "RouteTableIds": [], "PrivateDnsEnabled": True,
        })  # fmt: skip
        return made

    def gateway_endpoint(self, vpc: Vpc, service: str) -> None:
        """Makes a gateway endpoint with its prefix list, and routes all subnets to it."""
        name, prefixes = self.id("vpce"), self.id("pl")
        held = [p for p, region, s in RANGES if s == service and region == vpc.region.name]
        full = f"com.amazonaws.{vpc.region.name}.{service.lower()}"
        self.put(
            vpc, "PrefixLists", {"PrefixListId": prefixes, "PrefixListName": full, "OwnerId": "AWS", "Cidrs": held}
        )
        self.add_route(vpc, None, "", DestinationPrefixListId=prefixes, GatewayId=name)
        tables = [
            t["RouteTableId"]
            for t in self.documents[vpc.account, vpc.region.name]["RouteTables"]
            if t["VpcId"] == vpc.id
        ]
        self.put(vpc, "VpcEndpoints", {
            "VpcEndpointId": name, "VpcEndpointType": "Gateway", "VpcId": vpc.id, "State": "available",
            "ServiceName": full, "OwnerId": vpc.account, "RouteTableIds": tables, "SubnetIds": [],
            "NetworkInterfaceIds": [],
        })  # fmt: skip
        self.gateways[vpc.id, service] = name

    def peer(self, one: Vpc, other: Vpc) -> None:
        name = self.id("pcx")
        sides = [
            {"VpcId": v.id, "OwnerId": v.account, "Region": v.region.name, "CidrBlock": v.cidr,
             "CidrBlockSet": [{"CidrBlock": v.cidr}]}
            for v in (one, other)
        ]  # fmt: skip
        item = {
            "VpcPeeringConnectionId": name,
            "RequesterVpcInfo": sides[0],
            "AccepterVpcInfo": sides[1],
            "Status": {"Code": "active"},
        }
        for own, far in ((one, other), (other, one)):
            self.put(own, "VpcPeeringConnections", item)
            self.add_route(own, None, far.cidr, VpcPeeringConnectionId=name)
        self.peerings[frozenset((one.id, other.id))] = name

    def transit(self, vpcs: list[Vpc]) -> None:
        """Attaches VPCs to a transit gateway, with an interface in each zone, and routes each to all others."""
        gateway = self.id("tgw")
        self.put(
            vpcs[0], "TransitGateways", {"TransitGatewayId": gateway, "OwnerId": vpcs[0].account, "State": "available"}
        )
        for vpc in vpcs:
            name = self.id("tgw-attach")
            made = [
                self.interface(vpc, zone, False, kind="transit_gateway", resource=name) for zone in vpc.region.zones
            ]
            self.attachments[vpc.id] = made
            self.put(vpc, "TransitGatewayVpcAttachments", {
                "TransitGatewayAttachmentId": name, "TransitGatewayId": gateway, "VpcId": vpc.id, "State": "available",
                "VpcOwnerId": vpc.account, "SubnetIds": [one.subnet for one in made],
            })  # fmt: skip
            for far in vpcs:
                if far is not vpc and frozenset((vpc.id, far.id)) not in self.peerings:
                    self.add_route(vpc, None, far.cidr, TransitGatewayId=gateway)


def _route(destination: str, **target: str) -> Item:
    where = {"DestinationCidrBlock": destination} if destination else {}
    return {**where, **target, "State": "active", "Origin": "CreateRoute"}
