"""Rules, ACLs and routes of random inventories, asked of the matcher and of one that reads lists from first to last."""

import ipaddress
import json
import random

import pytest

import vpcflow as vf
from conftest import LONG
from vpcflow.faults import slow
from vpcflow.reach import Network

WORLDS = 3000 if LONG else 40
IDS = {"NetworkInterfaces": "NetworkInterfaceId", "SecurityGroups": "GroupId", "Subnets": "SubnetId", "NetworkAcls": "NetworkAclId",
       "SecurityGroupRules": "SecurityGroupRuleId", "RouteTables": "RouteTableId", "PrefixLists": "PrefixListId"}  # fmt: skip
GROUPS = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"]
PORTS = [0, 1, 21, 22, 23, 80, 443, 1023, 1024, 32768, 65534, 65535]
PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "-1", "6", "17", "1", "58", "50", "47", "0", "255"]


class Inventory:
    """Items of one time, as vpcflow.inventory() gives them."""

    def __init__(self, documents):
        self.documents = documents
        self.tables = {kind: type("Table", (), {"times": ()}) for kind in documents}

    def at(self, kind, time):
        id = IDS.get(kind)
        return {str(item[id] if id else number): item for number, item in enumerate(self.documents.get(kind, ()))}


def address(rng):
    """One of few addresses, so that rules meet them."""
    if rng.random() < 0.3:
        return str(ipaddress.ip_address(int(ipaddress.ip_address("2001:db8::")) + rng.choice([0, 1, 2, 3, 1 << 64, 1 << 80])))
    return str(ipaddress.ip_address(int(ipaddress.ip_address("10.0.0.0")) + rng.choice([0, 1, 2, 3, 4, 8, 255, 256, 65536, 1 << 24, -1])))


def cidr(rng, version=None):
    while version != (found := ipaddress.ip_address(address(rng))).version and version:
        pass
    bits = found.max_prefixlen
    # Host bits are not masked: AWS does, other sources may not.
    return f"{found}/{rng.choice([0, bits // 4, bits // 2, bits - 8, bits - 3, bits - 2, bits - 1, bits, bits])}"


def ports(rng):
    first, last = sorted(rng.choices(PORTS, k=2))
    return rng.choice([(first, last), (first, first), (-1, last), (first, -1), (-1, -1), (0, 65535)])


def icmp(rng):
    return rng.choice([(-1, -1), (0, -1), (8, -1), (8, 0), (3, 4), (128, 0), (129, -1)])


def rule(rng, number, group):
    name = rng.choice(PROTOCOLS)
    first, last = icmp(rng) if name in ("icmp", "icmpv6", "1", "58") else ports(rng) if name in ("tcp", "udp", "6", "17") else (-1, -1)
    source = rng.choice(
        [
            {"CidrIpv4": cidr(rng, 4)}, {"CidrIpv4": cidr(rng, 4)}, {"CidrIpv6": cidr(rng, 6)},
            {"PrefixListId": rng.choice(["pl-1", "pl-2", "pl-3", "pl-4"])},
            {"ReferencedGroupInfo": {"GroupId": rng.choice([*GROUPS, "sg-far"]), "UserId": "1"}},
        ]
    )  # fmt: skip
    return {"SecurityGroupRuleId": f"sgr-{number}", "GroupId": group, "IsEgress": rng.random() < 0.4, "IpProtocol": name, "FromPort": first, "ToPort": last, **source}


def permissions(rows):
    """Rules as describe-security-groups has them, with the ports left out where all are meant."""
    out = {"IpPermissions": [], "IpPermissionsEgress": []}
    for row in rows:
        own = {"IpProtocol": row["IpProtocol"], **({} if row["IpProtocol"] == "-1" else {"FromPort": row["FromPort"], "ToPort": row["ToPort"]})}
        for name, place, member in (("CidrIpv4", "IpRanges", "CidrIp"), ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"), ("PrefixListId", "PrefixListIds", "PrefixListId")):
            own[place] = [{member: row[name]}] if name in row else []
        own["UserIdGroupPairs"] = [row["ReferencedGroupInfo"]] if "ReferencedGroupInfo" in row else []
        out["IpPermissionsEgress" if row["IsEgress"] else "IpPermissions"].append(own)
    return out


def interface(rng, number):
    first = address(rng)
    while ":" in first:
        first = address(rng)
    own = {"NetworkInterfaceId": f"eni-{number}", "SubnetId": rng.choice(["subnet-1", "subnet-2", "subnet-3"]), "VpcId": "vpc-1",
           "PrivateIpAddress": first, "PrivateIpAddresses": [{"PrivateIpAddress": first}], "Ipv6Addresses": [],
           "InterfaceType": rng.choice(["interface"] * 5 + ["network_load_balancer", "lambda"]),
           "Groups": [{"GroupId": group} for group in rng.sample([*GROUPS, "sg-gone"], rng.choice([0, 1, 1, 2, 3]))]}  # fmt: skip
    if rng.random() < 0.5:
        own["PrivateIpAddresses"].append({"PrivateIpAddress": f"10.0.0.{rng.randrange(16)}"})
    if rng.random() < 0.4:
        own["Ipv6Addresses"].append({"Ipv6Address": f"2001:db8::{rng.randrange(4)}"})
    if rng.random() < 0.2:
        own["Ipv4Prefixes"] = [{"Ipv4Prefix": "10.0.1.0/28"}]
        own["Ipv6Prefixes"] = [{"Ipv6Prefix": "2001:db8:0:1::/80"}]
    if rng.random() < 0.3:
        own["PrivateIpAddresses"][0]["Association"] = {"PublicIp": address(rng)}
    return own


def entry(rng, number, egress):
    protocol = rng.choice(["-1", "6", "6", "17", "1", "58", "50"])
    version = rng.choice([4, 4, 6])
    own = {"RuleNumber": number, "Egress": egress, "Protocol": protocol, "RuleAction": rng.choice(["allow", "deny"]),
           "CidrBlock" if version == 4 else "Ipv6CidrBlock": cidr(rng, version)}  # fmt: skip
    if protocol in ("6", "17"):
        first, last = sorted(rng.choices(PORTS, k=2))
        own["PortRange"] = {"From": first, "To": last}
    if protocol in ("1", "58"):
        kind, code = icmp(rng)
        own["IcmpTypeCode"] = {"Type": kind, "Code": code}
    return own


def route(rng):
    destination = rng.choice(
        [
            {"DestinationCidrBlock": cidr(rng, 4)}, {"DestinationCidrBlock": cidr(rng, 4)}, {"DestinationIpv6CidrBlock": cidr(rng, 6)},
            {"DestinationPrefixListId": rng.choice(["pl-1", "pl-1", "pl-2", "pl-4"])},
        ]
    )  # fmt: skip
    target = rng.choice([{"GatewayId": "local"}, {"GatewayId": "igw-1"}, {"NatGatewayId": "nat-1"}, {"TransitGatewayId": "tgw-1"}, {"VpcPeeringConnectionId": "pcx-1"}, {"NetworkInterfaceId": "eni-9"}])
    return {**destination, **target, "State": rng.choice(["active"] * 4 + ["blackhole", "filtered"]),
            "Origin": rng.choice(["CreateRoute", "CreateRoute", "EnableVgwRoutePropagation"])}  # fmt: skip


def world(rng):
    rows = [rule(rng, number, rng.choice(GROUPS)) for number in range(rng.randrange(30))]
    with_ids = rng.random() < 0.7
    known = [group for group in GROUPS if rng.random() < 0.9]
    acl = [entry(rng, number, egress) for egress in (False, True) for number in rng.sample(range(1, 400), rng.randrange(8))]
    if rng.random() < 0.5:
        acl += [{"RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"} for egress in (False, True)]
    rng.shuffle(acl)
    # subnet-3 is of no VPC that anything is the default of.
    return {
        "NetworkInterfaces": [interface(rng, number) for number in range(6)],
        "SecurityGroups": [{"GroupId": group, "VpcId": "vpc-1", **permissions([row for row in rows if row["GroupId"] == group])} for group in known],
        **({"SecurityGroupRules": rows} if with_ids else {}),
        "PrefixLists": [{"PrefixListId": "pl-1"}, {"PrefixListId": "pl-3", "Cidrs": [cidr(rng, 4)]}, {"PrefixListId": "pl-4"}],
        "Entries": [{"PrefixListId": name, "Cidr": cidr(rng)} for name in ("pl-1", "pl-1", "pl-2")],
        "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}, {"SubnetId": "subnet-2", "VpcId": "vpc-1"}, {"SubnetId": "subnet-3", "VpcId": "vpc-2"}],
        "NetworkAcls": [
            {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": False, "Associations": [{"SubnetId": "subnet-1"}], "Entries": acl},
            {"NetworkAclId": "acl-2", "VpcId": "vpc-1", "IsDefault": True, "Associations": [], "Entries": [entry(rng, 100, True), entry(rng, 100, False)]},
        ],
        "RouteTables": [
            {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}], "Routes": [route(rng) for _ in range(rng.randrange(9))]},
            {"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [route(rng)]},
        ],
    }  # fmt: skip


def question(rng):
    protocol = rng.choice([6, 6, 6, 17, 17, 1, 58, 50, 47, 0, 255])
    kind = code = None
    if protocol in (1, 58) and rng.random() < 0.6:
        kind, code = rng.choice([0, 3, 8, 128, 129]), rng.choice([None, 0, 4])
    return slow.Asked(address(rng), protocol, rng.choice(PORTS) if protocol in (6, 17) else 0, kind, code)


def ask(rules, asked):
    return rules.ask(asked.peer, asked.protocol, asked.port, asked.icmp_type, asked.icmp_code)


def once(ids):
    return tuple(dict.fromkeys(ids))


def differences(seed, questions, seen):
    """What the two do not agree about, of one random world."""
    rng = random.Random(seed)
    documents = world(rng)
    network = Network(Inventory(documents))
    for _ in range(questions):
        asked, egress = question(rng), rng.random() < 0.5
        direction = "egress" if egress else "ingress"
        own = rng.choice(list(network.interfaces.values()))
        fast, plain = ask(network.security(own, direction), asked), slow.security(documents, own.id, egress, asked)
        seen.add(("rules", plain.permit))
        if (fast.permit, fast.rules, fast.maybe) != (plain.permit, once(plain.rules), once(plain.maybe)):
            yield "rules", own.id, direction, asked, fast, plain
        subnet = rng.choice(["subnet-1", "subnet-2", "subnet-3"])
        fast, plain = ask(network.acl(subnet, direction), asked), slow.acl(documents, subnet, egress, asked)
        seen.add(("acl", plain.permit))
        if (fast.permit, fast.rules) != (plain.permit, plain.rules) or (plain.permit == "maybe" and fast.maybe != plain.maybe):
            yield "acl", subnet, direction, asked, fast, plain
        fast, plain = network.route(subnet, asked.peer), slow.route(documents, subnet, asked.peer)
        seen.add(("route", plain.target is None, plain.blackhole, plain.certain))
        if (fast.table, fast.target, fast.blackhole, fast.certain) != (plain.table, plain.target, plain.blackhole, plain.certain):
            yield "route", subnet, asked.peer, fast, plain


def test_the_matcher_says_what_reading_the_lists_says():
    seen = set()
    for seed in range(WORLDS):
        for found in differences(seed, 60, seen):
            pytest.fail(f"seed {seed}: {found}")
    assert {one[1] for one in seen if one[0] == "rules"} == {one[1] for one in seen if one[0] == "acl"} == {"allow", "deny", "maybe"}
    assert len({one for one in seen if one[0] == "route"}) >= 5


def test_a_difference_is_found():
    """The comparison can fail: of two worlds it says that they differ."""
    rng = random.Random(1)
    documents = world(rng)
    network = Network(Inventory({**documents, "NetworkAcls": documents["NetworkAcls"][1:]}))
    asked = [question(rng) for _ in range(200)]
    assert any(ask(network.acl("subnet-1", "ingress"), one).rules != slow.acl(documents, "subnet-1", False, one).rules for one in asked)


def test_an_inventory_of_files_gives_the_same(tmp_path):
    rng = random.Random(7)
    documents = world(rng)
    calls = {"NetworkInterfaces": "network-interfaces", "SecurityGroups": "security-groups", "SecurityGroupRules": "security-group-rules",
             "Subnets": "subnets", "NetworkAcls": "network-acls", "RouteTables": "route-tables"}  # fmt: skip
    for kind, name in calls.items():
        if kind in documents:
            (tmp_path / f"describe-{name}.json").write_text(json.dumps({kind: documents[kind]}))
    from_files, direct = Network.at(vf.inventory(tmp_path)), Network(Inventory({kind: documents[kind] for kind in calls if kind in documents}))
    for _ in range(300):
        asked = question(rng)
        for own in direct.interfaces.values():
            one, other = (ask(network.security(own, "ingress"), asked) for network in (from_files, direct))
            assert (one.permit, set(one.rules), set(one.maybe)) == (other.permit, set(other.rules), set(other.maybe))
