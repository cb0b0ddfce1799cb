"""Scenarios whose cost is known: small logs with what AWS's documents describe, and what they must cost.

Each has lines of a log, answers of describe calls, and by path class the bytes that count and the list cost by the
public sheet of us-east-1 (``None``: not asserted). ``total``: the list cost of all rows.
"""

import dataclasses
import json
from decimal import Decimal

GB = 1 << 30
FIELDS = (
    "interface-id", "srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr", "bytes", "flow-direction", "traffic-path", "az-id",
    "vpc-id", "subnet-id", "interface-type", "next-hop-interface-id", "next-hop-az-id", "next-hop-vpc-id",
    "next-hop-interface-type", "pkt-src-aws-service", "pkt-dst-aws-service", "region", "start", "end", "action", "log-status",
)  # fmt: skip
_START = 1793577600
_AZ = {"a": "use1-az1", "b": "use1-az2"}


@dataclasses.dataclass(frozen=True)
class Eni:
    id: str
    address: str
    zone: str = "a"
    vpc: str = "vpc-0a"
    kind: str = "interface"
    public: str = ""

    @property
    def subnet(self):
        return f"subnet-0{self.vpc[-1]}{self.zone}"


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    enis: tuple
    lines: tuple
    expected: dict
    total: str
    nats: tuple = ()
    endpoints: tuple = ()
    peered: bool = False
    tgw: bool = False
    extra_routes: tuple = ()

    def log(self):
        return "\n".join([" ".join(FIELDS), *self.lines, ""]).encode()

    def write(self, folder):
        """Writes the log and the inventory; returns their paths."""
        (folder / "inventory").mkdir()
        (folder / "flows.log").write_bytes(self.log())
        for call, answer in self.documents().items():
            (folder / "inventory" / f"{call}.json").write_text(json.dumps(answer))
        return folder / "flows.log", folder / "inventory"

    def documents(self):
        vpcs = {"vpc-0a": "10.0.0.0/16", "vpc-0b": "10.1.0.0/16"}
        subnets = [
            {"SubnetId": f"subnet-0{vpc[-1]}{zone}", "VpcId": vpc, "AvailabilityZoneId": _AZ[zone], "AvailabilityZone": f"us-east-1{zone}",
             "CidrBlock": f"10.{number}.{8 * index}.0/21", "OwnerId": "123456789012"}
            for number, vpc in enumerate(vpcs) for index, zone in enumerate(_AZ)
        ]  # fmt: skip
        routes = [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a", "State": "active"}, *self.extra_routes]
        if self.nats:
            routes = [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a", "State": "active"}, *self.extra_routes]
        if self.peered or self.tgw:
            target = {"VpcPeeringConnectionId": "pcx-0a"} if self.peered else {"TransitGatewayId": "tgw-0a"}
            routes = [{"DestinationCidrBlock": "10.0.0.0/15", **target, "State": "active"}, *routes]
        out = {
            "describe-vpcs": {"Vpcs": [{"VpcId": vpc, "CidrBlock": cidr, "OwnerId": "123456789012"} for vpc, cidr in vpcs.items()]},
            "describe-subnets": {"Subnets": subnets},
            "describe-network-interfaces": {"NetworkInterfaces": [_interface(eni) for eni in self.enis]},
            "describe-route-tables": {"RouteTables": [
                {"RouteTableId": f"rtb-{vpc}", "VpcId": vpc, "Associations": [{"Main": True}],
                 "Routes": [{"DestinationCidrBlock": cidr, "GatewayId": "local", "State": "active"}, *routes]}
                for vpc, cidr in vpcs.items()
            ]},
            "describe-nat-gateways": {"NatGateways": [
                {"NatGatewayId": "nat-0a", "VpcId": eni.vpc, "SubnetId": eni.subnet, "State": "available",
                 "NatGatewayAddresses": [{"NetworkInterfaceId": eni.id, "PrivateIp": eni.address, "PublicIp": eni.public}]}
                for eni in self.nats
            ]},
            "describe-vpc-endpoints": {"VpcEndpoints": list(self.endpoints)},
            "describe-prefix-lists": {"PrefixLists": [
                {"PrefixListId": "pl-63a5400a", "PrefixListName": "com.amazonaws.us-east-1.s3", "Cidrs": ["52.216.0.0/15"]}
            ]},
        }  # fmt: skip
        if self.peered:
            sides = [{"VpcId": vpc, "CidrBlock": cidr, "OwnerId": "123456789012", "Region": "us-east-1"} for vpc, cidr in vpcs.items()]
            out["describe-vpc-peering-connections"] = {"VpcPeeringConnections": [
                {"VpcPeeringConnectionId": "pcx-0a", "RequesterVpcInfo": sides[0], "AccepterVpcInfo": sides[1], "Status": {"Code": "active"}}
            ]}  # fmt: skip
        return out


def _interface(eni):
    addresses = {"PrivateIpAddress": eni.address, "Primary": True}
    association = {"Association": {"PublicIp": eni.public}} if eni.public else {}
    return {
        "NetworkInterfaceId": eni.id, "VpcId": eni.vpc, "SubnetId": eni.subnet, "AvailabilityZoneId": _AZ[eni.zone],
        "InterfaceType": eni.kind, "PrivateIpAddress": eni.address, "Status": "in-use", **association,
        "PrivateIpAddresses": [{**addresses, **association}], "OwnerId": "123456789012",
    }  # fmt: skip


def _line(at, egress, src, dst, size, *, packet=None, path="-", hop=None, services=("-", "-")):
    packet_src, packet_dst = packet or (src, dst)
    kind = {"interface": "-"}
    return " ".join(str(value) for value in (
        at.id, src, dst, packet_src, packet_dst, size, "egress" if egress else "ingress", path, _AZ[at.zone], at.vpc, at.subnet,
        kind.get(at.kind, at.kind), hop.id if hop else "-", _AZ[hop.zone] if hop else "-", hop.vpc if hop else "-",
        kind.get(hop.kind, hop.kind) if hop else "-", *services, "us-east-1", _START, _START + 59, "ACCEPT", "OK",
    ))  # fmt: skip


def _pair(one, other, size, path):
    """What both interfaces log of bytes from one to the other."""
    src, dst = one.address, other.address
    return (_line(one, True, src, dst, size, path=path, hop=other), _line(other, False, src, dst, size, hop=one))


def _scenarios():
    w, near, far = Eni("eni-01", "10.0.0.5"), Eni("eni-02", "10.0.0.6"), Eni("eni-03", "10.0.8.5", "b")
    w = dataclasses.replace(w, address="10.0.1.5")
    nat = Eni("eni-0e", "10.0.0.220", kind="nat_gateway", public="3.80.0.9")
    p = "203.0.113.5"
    legs = (
        _line(nat, False, w.address, nat.address, 2 * GB, packet=(w.address, p), hop=w),
        _line(nat, True, nat.address, p, 2 * GB, path=8),
        _line(nat, False, p, nat.address, 6 * GB),
        _line(nat, True, nat.address, w.address, 6 * GB, packet=(p, w.address), path=1, hop=w),
    )
    own = (
        _line(w, True, w.address, p, 2 * GB, path=1, hop=nat),
        _line(w, False, p, w.address, 6 * GB, hop=nat),
    )
    yield Scenario("four legs of a NAT gateway", (w, nat), legs, {"nat": (8 * GB, "0.36")}, "0.54", nats=(nat,))
    yield Scenario("four legs, and the workload's own", (w, nat), (*legs, *own), {"nat": (8 * GB, "0.36")}, "0.54", nats=(nat,))
    s3 = "52.216.1.2"
    to_s3 = (
        _line(nat, False, w.address, nat.address, GB, packet=(w.address, s3), hop=w, services=("-", "S3")),
        _line(nat, True, nat.address, s3, GB, path=8, services=("-", "S3")),
    )
    yield Scenario("S3 by NAT", (w, nat), to_s3, {"nat": (GB, "0.045")}, "0.045", nats=(nat,))
    gateway = {
        "VpcEndpointId": "vpce-0a", "VpcEndpointType": "Gateway", "VpcId": "vpc-0a", "ServiceName": "com.amazonaws.us-east-1.s3",
        "RouteTableIds": ["rtb-vpc-0a"], "State": "available",
    }  # fmt: skip
    route = {"DestinationPrefixListId": "pl-63a5400a", "GatewayId": "vpce-0a", "State": "active"}
    by_gateway = (
        _line(w, True, w.address, s3, 3 * GB, path=7, services=("-", "S3")),
        _line(w, False, s3, w.address, 5 * GB, services=("S3", "-")),
    )
    yield Scenario(
        "S3 by gateway endpoint", (w,), by_gateway, {"gateway_endpoint": (8 * GB, "0")}, "0", endpoints=(gateway,), extra_routes=(route,)
    )
    yield Scenario("within a zone", (w, near), _pair(w, near, GB, 1), {"same_az": (GB, "0")}, "0")
    yield Scenario("across zones", (w, far), _pair(w, far, GB, 1), {"cross_az": (GB, "0.02")}, "0.02")
    endpoint = dataclasses.replace(far, id="eni-0f", kind="vpc_endpoint")
    interface = {
        "VpcEndpointId": "vpce-0b", "VpcEndpointType": "Interface", "VpcId": "vpc-0a", "NetworkInterfaceIds": [endpoint.id],
        "ServiceName": "com.amazonaws.us-east-1.ssm", "State": "available", "SubnetIds": [endpoint.subnet],
    }  # fmt: skip
    yield Scenario(
        "PrivateLink in another zone", (w, endpoint), (*_pair(w, endpoint, GB, 1), *_pair(endpoint, w, GB, 1)),
        {"interface_endpoint": (2 * GB, "0.02"), "cross_az": None}, "0.02", endpoints=(interface,),
    )  # fmt: skip
    other, other_far = Eni("eni-11", "10.1.0.5", vpc="vpc-0b"), Eni("eni-12", "10.1.8.5", "b", "vpc-0b")
    first, last = Eni("eni-1e", "10.0.0.9", kind="transit_gateway"), Eni("eni-1f", "10.1.8.9", "b", "vpc-0b", "transit_gateway")
    src, dst = w.address, other_far.address
    by_tgw = (
        _line(w, True, src, dst, GB, path=1, hop=first), _line(first, False, src, dst, GB, hop=w),
        _line(last, True, src, dst, GB, path=1, hop=other_far), _line(other_far, False, src, dst, GB, hop=last),
    )  # fmt: skip
    yield Scenario(
        "transit gateway to another zone", (w, other_far, first, last), by_tgw, {"tgw": (GB, "0.02"), "cross_az": None}, "0.02", tgw=True
    )
    yield Scenario("peering in a zone", (w, other), _pair(w, other, GB, 4), {"peering": (GB, "0")}, "0", peered=True)
    yield Scenario("peering across zones", (w, other_far), _pair(w, other_far, GB, 4), {"peering": (GB, "0.02")}, "0.02", peered=True)
    web, web_near = dataclasses.replace(w, public="3.80.0.1"), dataclasses.replace(near, public="3.80.0.2")
    publicly = (
        _line(web, True, web.address, "3.80.0.2", GB, path=8, services=("-", "EC2")),
        _line(web_near, False, "3.80.0.1", web_near.address, GB, services=("EC2", "-")),
    )
    yield Scenario("public addresses in a zone", (web, web_near), publicly, {"public_in_region": (GB, "0.02"), "internet_out": None}, "0.02")
    front = (_line(web, True, web.address, "13.32.0.7", 9 * GB, path=8, services=("-", "CLOUDFRONT")),)
    yield Scenario("origin of CloudFront", (web,), front, {"cloudfront": (9 * GB, "0"), "internet_out": None}, "0")
    tiers = (_line(web, True, web.address, p, 20480 * GB, path=8), _line(web, False, p, web.address, GB))
    cost = str(10240 * (Decimal("0.09") + Decimal("0.085")))
    yield Scenario("tiers crossed", (web,), tiers, {"internet_out": (20480 * GB, cost), "internet_in": (GB, "0")}, cost)


SCENARIOS = list(_scenarios())
