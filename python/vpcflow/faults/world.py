"""A world to have faults in: VPCs, subnets, interfaces, groups, ACLs and routes, as AWS's answers describe them."""

from __future__ import annotations

import copy
import ipaddress
import random
from collections.abc import Iterable
from typing import Any, Callable

from . import slow

Item = dict[str, Any]
#: Where packets come from or go to: an interface, or ``None`` outside of the world, and one of its addresses.
End = tuple["Item | None", str]

ACCOUNT = "123456789012"
_KINDS = (
    "Vpcs", "Subnets", "NetworkInterfaces", "Instances", "SecurityGroups", "SecurityGroupRules", "NetworkAcls",
    "RouteTables", "PrefixLists", "Entries", "NatGateways", "VpcPeeringConnections", "TransitGateways",
    "TransitGatewayAttachments", "LoadBalancers", "FlowLogs",
)  # fmt: skip


class World:
    """Items of describe calls, made as faults need them, and what changes when.

    ``documents`` are those of the beginning; :meth:`at` has those of any time, after :meth:`change` was told of all
    changes.
    """

    def __init__(self, seed: int, start: int, hours: float) -> None:
        self.rng = random.Random(seed)
        self.start, self.end = start, start + round(hours * 3600)
        self.region = self.rng.choice(("us-east-1", "eu-west-1", "ap-southeast-2"))
        self.short = {"us-east-1": "use1", "eu-west-1": "euw1", "ap-southeast-2": "apse2"}[self.region]
        self.zones = dict(zip("abc", self.rng.sample(range(1, 7), 3)))
        self.documents: dict[str, list[Item]] = {kind: [] for kind in _KINDS}
        self.tgw: Item | None = None
        self._changes: list[tuple[int, Callable[[dict[str, list[Item]]], None], bool]] = []
        self._states: list[tuple[int, dict[str, list[Item]]]] = []
        self._used: set[str] = set()

    # -- items

    def id(self, kind: str) -> str:
        """Returns a new id, which holds no run of digits that could be taken for a date."""
        digits = "".join(self.rng.choice("0123456789") + self.rng.choice("abcdef") for _ in range(8))
        return f"{kind}-0{digits}"

    def put(self, kind: str, item: Item) -> Item:
        """Adds an item."""
        self.documents[kind].append(item)
        return item

    def one(self, kind: str, member: str, value: str) -> Item:
        """Returns the item with a value."""
        return next(item for item in self.documents[kind] if item[member] == value)

    def vpc(self, v4: str | None = None) -> Item:
        """Makes a VPC with both families, a default network ACL that allows all, and a main table with local routes."""
        rng = self.rng
        drawn = v4 is None
        while v4 is None or (drawn and any(_overlap(v4, other["CidrBlock"]) for other in self.documents["Vpcs"])):
            v4 = rng.choice(
                (
                    f"10.{rng.randrange(256)}.0.0/16",
                    f"172.{rng.randrange(16, 32)}.0.0/16",
                    f"192.168.{rng.randrange(0, 256, 64)}.0/18",
                )
            )
        v6 = f"2600:1f{rng.randrange(16, 256):02x}:{rng.randrange(1, 65536):x}:{rng.randrange(256):x}00::/56"
        own = self.put("Vpcs", {
            "VpcId": self.id("vpc"), "CidrBlock": v4, "OwnerId": ACCOUNT, "State": "available", "IsDefault": False,
            "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": v6, "Ipv6CidrBlockState": {"State": "associated"}}],
        })  # fmt: skip
        self._acl(own["VpcId"], default=True)
        self.table(own["VpcId"], main=True)
        return own

    def subnet(self, vpc: str, zone: str) -> Item:
        """Makes a subnet with a route table of its own; its network ACL is the VPC's default one."""
        inside = self.one("Vpcs", "VpcId", vpc)
        v4 = next(
            n
            for n in self._shuffled(ipaddress.ip_network(inside["CidrBlock"]).subnets(new_prefix=24))
            if str(n) not in self._used
        )
        self._used.add(str(v4))
        v6 = ipaddress.ip_network(inside["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
        number = sum(one["VpcId"] == vpc for one in self.documents["Subnets"])
        six = ipaddress.ip_network((int(v6.network_address) + (number << 64), 64))
        own = self.put("Subnets", {
            "SubnetId": self.id("subnet"), "VpcId": vpc, "OwnerId": ACCOUNT, "State": "available",
            "CidrBlock": str(v4), "AvailabilityZone": self.region + zone,
            "AvailabilityZoneId": f"{self.short}-az{self.zones[zone]}",
            "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": str(six), "Ipv6CidrBlockState": {"State": "associated"}}],
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        })  # fmt: skip
        default = next(a for a in self.documents["NetworkAcls"] if a["VpcId"] == vpc and a["IsDefault"])
        default["Associations"].append(self._association(default["NetworkAclId"], own["SubnetId"]))
        self.table(vpc)["Associations"] = [{"Main": False, "SubnetId": own["SubnetId"]}]
        return own

    def _shuffled(self, networks: Iterable[Any]) -> list[Any]:
        listed = list(networks)
        self.rng.shuffle(listed)
        return listed

    def interface(self, subnet: str, groups: Iterable[str], name: str, kind: str = "interface", extra: int = 0) -> Item:
        """Makes an interface: of an instance, or of what ``kind`` names; with ``extra`` secondary addresses."""
        where = self.one("Subnets", "SubnetId", subnet)
        v4 = [self.address(where["CidrBlock"]) for _ in range(1 + extra)]
        six = (
            []
            if kind != "interface"
            else [{"Ipv6Address": self.address(where["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])}]
        )
        named = [{"GroupId": g, "GroupName": self.one("SecurityGroups", "GroupId", g)["GroupName"]} for g in groups]
        own: Item = {
            "NetworkInterfaceId": self.id("eni"), "SubnetId": subnet, "VpcId": where["VpcId"], "OwnerId": ACCOUNT,
            "AvailabilityZone": where["AvailabilityZone"], "AvailabilityZoneId": where["AvailabilityZoneId"],
            "InterfaceType": kind, "Status": "in-use", "SourceDestCheck": kind == "interface",
            "RequesterManaged": kind != "interface", "Description": "" if kind == "interface" else name,
            "Groups": named,
            "PrivateIpAddress": v4[0], "Ipv6Addresses": six, "TagSet": [],
            "PrivateIpAddresses": [{"PrivateIpAddress": a, "Primary": a == v4[0]} for a in v4],
        }  # fmt: skip
        if kind == "interface":
            instance = self.id("i")
            own["Attachment"] = {"InstanceId": instance, "DeviceIndex": 0, "Status": "attached"}
            own["TagSet"] = [{"Key": "Name", "Value": name}]
            self.put("Instances", {
                "InstanceId": instance, "InstanceType": self.rng.choice(("t3.micro", "m5.large", "c5.xlarge")),
                "VpcId": where["VpcId"], "SubnetId": subnet, "PrivateIpAddress": v4[0], "State": {"Name": "running"},
                "Placement": {"AvailabilityZone": where["AvailabilityZone"]},
                "Tags": [{"Key": "Name", "Value": name}],
            })  # fmt: skip
        return self.put("NetworkInterfaces", own)

    def address(self, cidr: str) -> str:
        """Returns an address of a subnet that nobody has."""
        inside = ipaddress.ip_network(cidr)
        while True:
            found = str(inside[self.rng.randrange(4, min(inside.num_addresses - 1, 1 << 62))])
            if found not in self._used:
                self._used.add(found)
                return found

    def outside(self) -> str:
        """Returns a public address that nobody has."""
        return self.address(self.rng.choice(("203.0.113.0/24", "198.51.100.0/24", "52.94.77.0/24", "8.8.8.0/24")))

    # -- groups

    def group(self, vpc: str, name: str) -> str:
        """Makes a security group without rules, and returns its id."""
        own = self.put("SecurityGroups", {
            "GroupId": self.id("sg"), "GroupName": name, "VpcId": vpc, "OwnerId": ACCOUNT, "Description": name,
            "IpPermissions": [], "IpPermissionsEgress": [],
        })  # fmt: skip
        return str(own["GroupId"])

    def rule(self, group: str, egress: bool, protocol: str, ports: tuple[int, int], source: Item) -> str:
        """Adds a rule with one source or destination, and returns its id."""
        own = self.put("SecurityGroupRules", {
            "SecurityGroupRuleId": self.id("sgr"), "GroupId": group, "GroupOwnerId": ACCOUNT, "IsEgress": egress,
            "IpProtocol": protocol, "FromPort": ports[0], "ToPort": ports[1], **source,
        })  # fmt: skip
        return str(own["SecurityGroupRuleId"])

    def prefix_list(self, cidrs: Iterable[str]) -> str:
        """Makes a managed prefix list, and returns its id."""
        name, held = self.id("pl"), list(cidrs)
        self.put("PrefixLists", {
            "PrefixListId": name, "PrefixListName": f"list-{name[-4:]}", "OwnerId": ACCOUNT, "Version": 1,
            "AddressFamily": "IPv6" if ":" in held[0] else "IPv4", "MaxEntries": len(held) + 2,
        })  # fmt: skip
        for cidr in held:
            self.put("Entries", {"PrefixListId": name, "Cidr": cidr})
        return name

    # -- ACLs and routes

    def _acl(self, vpc: str, default: bool = False) -> Item:
        own: Item = {
            "NetworkAclId": self.id("acl"),
            "VpcId": vpc,
            "OwnerId": ACCOUNT,
            "IsDefault": default,
            "Entries": [],
            "Associations": [],
        }
        for egress in (False, True):
            if default:
                own["Entries"] += [entry(100, egress, True, "-1", "0.0.0.0/0"), entry(101, egress, True, "-1", "::/0")]
            own["Entries"] += [
                entry(32767, egress, False, "-1", "0.0.0.0/0"),
                entry(32768, egress, False, "-1", "::/0"),
            ]
        return self.put("NetworkAcls", own)

    def acl(self, subnet: str, entries: Iterable[Item]) -> Item:
        """Gives a subnet a network ACL of its own, which denies what no entry allows."""
        own = self._acl(self.one("Subnets", "SubnetId", subnet)["VpcId"])
        own["Entries"] = [*entries, *own["Entries"]]
        for other in self.documents["NetworkAcls"]:
            other["Associations"] = [a for a in other["Associations"] if a["SubnetId"] != subnet]
        own["Associations"].append(self._association(own["NetworkAclId"], subnet))
        return own

    def _association(self, name: str, subnet: str) -> Item:
        return {"NetworkAclAssociationId": self.id("aclassoc"), "NetworkAclId": name, "SubnetId": subnet}

    def table(self, vpc: str, main: bool = False) -> Item:
        """Makes a route table with the VPC's local routes."""
        own = self.one("Vpcs", "VpcId", vpc)
        local = {"GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
        return self.put("RouteTables", {
            "RouteTableId": self.id("rtb"), "VpcId": vpc, "OwnerId": ACCOUNT,
            "Associations": [{"Main": True}] if main else [],
            "Routes": [
                {"DestinationCidrBlock": own["CidrBlock"], **local},
                {"DestinationIpv6CidrBlock": own["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"], **local},
            ],
        })  # fmt: skip

    def route(self, subnet: str, destination: str, member: str, target: str) -> None:
        """Adds a static route to the table of a subnet."""
        name = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        table: Any = slow.table_of(self.documents, subnet)
        table["Routes"].append({name: destination, member: target, "Origin": "CreateRoute", "State": "active"})

    def join(self, one: str, other: str, by: str) -> str:
        """Connects the VPCs of two subnets by ``"peering"`` or ``"tgw"``, with routes both ways; returns the id."""
        vpcs = [self.one("Vpcs", "VpcId", self.one("Subnets", "SubnetId", s)["VpcId"]) for s in (one, other)]
        member = "VpcPeeringConnectionId" if by == "peering" else "TransitGatewayId"
        target = self._peering(*vpcs) if by == "peering" else self._tgw(*vpcs)
        for subnet, far in ((one, vpcs[1]), (other, vpcs[0])):
            self.route(subnet, far["CidrBlock"], member, target)
            self.route(subnet, far["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"], member, target)
        return target

    def _peering(self, one: Item, other: Item) -> str:
        sides = {"RequesterVpcInfo": one, "AccepterVpcInfo": other}
        for known in self.documents["VpcPeeringConnections"]:
            if {known[side]["VpcId"] for side in sides} == {one["VpcId"], other["VpcId"]}:
                return str(known["VpcPeeringConnectionId"])
        own = self.put("VpcPeeringConnections", {
            "VpcPeeringConnectionId": self.id("pcx"), "Status": {"Code": "active", "Message": "Active"},
            **{
                side: {"VpcId": v["VpcId"], "CidrBlock": v["CidrBlock"], "OwnerId": ACCOUNT, "Region": self.region}
                for side, v in sides.items()
            },
        })  # fmt: skip
        return str(own["VpcPeeringConnectionId"])

    def _tgw(self, *vpcs: Item) -> str:
        if self.tgw is None:
            self.tgw = self.put(
                "TransitGateways", {"TransitGatewayId": self.id("tgw"), "OwnerId": ACCOUNT, "State": "available"}
            )
        name = str(self.tgw["TransitGatewayId"])
        for vpc in vpcs:
            if any(a["ResourceId"] == vpc["VpcId"] for a in self.documents["TransitGatewayAttachments"]):
                continue
            attachment = self.id("tgw-attach")
            self.put("TransitGatewayAttachments", {
                "TransitGatewayAttachmentId": attachment, "TransitGatewayId": name, "ResourceType": "vpc",
                "ResourceId": vpc["VpcId"], "State": "available", "ResourceOwnerId": ACCOUNT,
            })  # fmt: skip
            subnet = self.subnet(vpc["VpcId"], self.rng.choice("abc"))["SubnetId"]
            self.interface(
                subnet, (), f"Network Interface for Transit Gateway Attachment {attachment}", "transit_gateway"
            )
        return name

    # -- time

    def change(self, time: int, how: Callable[[dict[str, list[Item]]], None], seen: bool) -> None:
        """Changes the documents at a time; ``seen``: somebody asked AWS right then, else a file knows later."""
        self._changes.append((time, how, seen))

    def at(self, time: float) -> dict[str, list[Item]]:
        """Returns the documents of a time."""
        if not self._states:
            state = self.documents
            self._states.append((0, state))
            for when, how, _ in sorted(self._changes, key=lambda change: change[0]):
                state = copy.deepcopy(state)
                how(state)
                self._states.append((when, state))
        return [state for when, state in self._states if when <= time][-1]

    def lives(self) -> list[tuple[Item, int, int]]:
        """Returns every interface with the time in which it was there, as the logs see it."""
        self.at(self.start)
        found: dict[str, tuple[Item, int, int]] = {}
        for number, (since, state) in enumerate(self._states):
            until = self._states[number + 1][0] if number + 1 < len(self._states) else self.end
            for eni in state["NetworkInterfaces"]:
                _, first, _ = found.get(eni["NetworkInterfaceId"], (eni, max(since, self.start), 0))
                found[eni["NetworkInterfaceId"]] = (eni, first, until)
        return list(found.values())

    def snapshots(self) -> list[int]:
        """Returns when AWS was asked: before the logs begin, at each change that was seen, and when they have ended."""
        return sorted({self.start - 3600, *(when for when, _, seen in self._changes if seen), self.end + 60})


def _overlap(one: str, other: str) -> bool:
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))


def entry(
    number: int, egress: bool, allow: bool, protocol: str, cidr: str, ports: tuple[int, int] | None = None
) -> Item:
    """Makes an entry of a network ACL; ``protocol`` is a number in text."""
    own: Item = {
        "RuleNumber": number, "Egress": egress, "RuleAction": "allow" if allow else "deny", "Protocol": protocol,
        "Ipv6CidrBlock" if ":" in cidr else "CidrBlock": cidr,
    }  # fmt: skip
    if ports is not None:
        own["PortRange"] = {"From": ports[0], "To": ports[1]}
    if protocol in ("1", "58"):
        own["IcmpTypeCode"] = {"Type": -1, "Code": -1}
    return own
