"""What others say of rules, ACLs and routes: facts of Batfish's tests and of AWS's documentation, and aclcheck of aerleon."""

import random

import pytest

from test_reach_oracle import LONG, Inventory, entry
from vpcflow.reach import Network


def eni(name, subnet, address, *groups, public=None):
    own = {"PrivateIpAddress": address, **({"Association": {"PublicIp": public}} if public else {})}
    return {"NetworkInterfaceId": name, "SubnetId": subnet, "VpcId": "vpc-1", "PrivateIpAddress": address, "PrivateIpAddresses": [own],
            "Groups": [{"GroupId": group} for group in groups], "InterfaceType": "interface"}  # fmt: skip


def network(**documents):
    return Network(Inventory(documents))


def of_permissions(*permissions, egress=()):
    """The network of an interface with one group, as describe-security-groups has it."""
    group = {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": list(permissions), "IpPermissionsEgress": list(egress)}
    return network(NetworkInterfaces=[eni("eni-1", "subnet-1", "10.0.0.1", "sg-1")], SecurityGroups=[group])


def ingress(made):
    return made.security(made.interfaces["eni-1"], "ingress")


@pytest.mark.parametrize(
    ("first", "last", "lowest", "highest"),
    [(22, 22, 22, 22), (-1, 22, 0, 22), (65530, -1, 65530, 65535), (0, 65535, 0, 65535), (45, 50, 45, 50), (-1, 50, 0, 50), (30, -1, 30, 65535)],
)
def test_batfish_port_intervals(first, last, lowest, highest):
    made = ingress(of_permissions({"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": "1.2.3.4/32"}]}))
    for port in {lowest, highest, max(lowest - 1, 0), min(highest + 1, 65535)}:
        assert (made.ask("1.2.3.4", 6, port).permit == "allow") == (lowest <= port <= highest)
    assert made.ask("1.2.3.5", 6, lowest).permit == "deny"
    assert made.ask("1.2.3.4", 17, lowest).permit == "deny"


def test_batfish_all_traffic():
    made = ingress(of_permissions({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}))
    assert {made.ask("203.0.113.9", protocol, 7).permit for protocol in (1, 6, 17, 50)} == {"allow"}


def test_batfish_references_and_prefix_lists():
    """A reference is the addresses of those that carry the group; a list is its prefixes."""
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    groups = [
        {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [{**permission, "UserIdGroupPairs": [{"GroupId": "sg-2"}]}]},
        {"GroupId": "sg-2", "VpcId": "vpc-1", "IpPermissions": [{**permission, "PrefixListIds": [{"PrefixListId": "pl-00a54069"}]}]},
    ]
    enis = [eni("eni-1", "subnet-1", "10.0.0.1", "sg-1"), eni("eni-2", "subnet-1", "1.1.1.1", "sg-2"), eni("eni-3", "subnet-1", "2.2.2.2", "sg-2")]
    lists = [{"PrefixListId": "pl-00a54069", "Cidrs": ["52.94.28.0/23", "52.94.10.0/24"]}]
    made = network(NetworkInterfaces=enis, SecurityGroups=groups, PrefixLists=lists)
    asked = ingress(made)
    assert [asked.ask(peer, 6, 22).permit for peer in ("1.1.1.1", "2.2.2.2", "1.1.1.2")] == ["allow", "allow", "deny"]
    listed = made.security(made.interfaces["eni-2"], "ingress")
    said = {peer: listed.ask(peer, 6, 22).permit for peer in ("52.94.28.0", "52.94.29.255", "52.94.30.0", "52.94.10.7", "52.94.11.0")}
    assert [peer for peer, permit in said.items() if permit == "allow"] == ["52.94.28.0", "52.94.29.255", "52.94.10.7"]


def test_batfish_answers_need_no_rule_and_new_calls_do():
    """Batfish: in 22 from 1.2.3.4, out 80 to 5.6.7.8; a SYN out to 1.2.3.4 is denied, an answer goes to it alone."""
    out = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "5.6.7.8/32"}]}
    made = of_permissions({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "1.2.3.4/32"}]}, egress=[out])
    egress = made.security(made.interfaces["eni-1"], "egress")
    assert egress.ask("1.2.3.4", 6, 40000).permit == "deny"
    assert egress.ask("5.6.7.8", 6, 80).permit == "allow"
    assert ingress(made).ask("1.2.3.4", 6, 22).permit == "allow"
    assert ingress(made).ask("1.2.3.5", 6, 22).permit == "deny"


def one_acl(*entries):
    acl = {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": list(entries), "Associations": [{"SubnetId": "subnet-1"}]}
    return network(NetworkAcls=[acl])


def acl_entry(number, action, protocol, cidr, egress, **more):
    name = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    return {"RuleNumber": number, "RuleAction": action, "Protocol": protocol, name: cidr, "Egress": egress, **more}


def test_batfish_acl_entries():
    made = one_acl(
        acl_entry(100, "allow", "-1", "1.1.1.0/24", True),
        acl_entry(200, "allow", "6", "2.2.2.0/24", True, PortRange={"From": 1, "To": 21}),
        acl_entry(300, "allow", "1", "3.3.3.0/24", True, IcmpTypeCode={"Type": 1, "Code": 2}),
        acl_entry(400, "allow", "1", "4.4.4.0/24", True, IcmpTypeCode={"Type": -1, "Code": -1}),
        acl_entry(100, "deny", "6", "162.243.144.192/32", False, PortRange={"From": 3306, "To": 3306}),
        acl_entry(200, "allow", "-1", "0.0.0.0/0", False),
    ).acl
    out, back = made("subnet-1", "egress"), made("subnet-1", "ingress")
    assert {out.ask("1.1.1.9", protocol).rules for protocol in (1, 6, 17, 50)} == {("acl-1#100",)}
    assert [out.ask("2.2.2.2", 6, port).permit for port in (0, 1, 21, 22)] == ["deny", "allow", "allow", "deny"]
    icmp = [out.ask("3.3.3.3", 1, 0, *kind).permit for kind in ((1, 2), (1, 1), (0, 2), (None, None))]
    assert icmp == ["allow", "deny", "deny", "maybe"]
    assert out.ask("4.4.4.4", 1).permit == "allow"
    assert [back.ask(peer, 6, 3306).permit for peer in ("162.243.144.192", "162.243.144.193")] == ["deny", "allow"]
    assert back.ask("162.243.144.192", 6, 3307).permit == "allow"


# AWS's scenario of a public and a private subnet with a VPN, as Batfish took it from an account.
SCENARIO = {
    "NetworkInterfaces": [eni("eni-1", "subnet-public", "10.0.0.47", "sg-1", public="13.58.55.60"), eni("eni-2", "subnet-private", "10.0.1.204", "sg-2")],
    "Subnets": [{"SubnetId": "subnet-public", "VpcId": "vpc-1"}, {"SubnetId": "subnet-private", "VpcId": "vpc-1"}],
    "SecurityGroups": [
        {"GroupId": group, "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
        for group in ("sg-1", "sg-2")
    ],
    "RouteTables": [
        {"RouteTableId": "rtb-private", "VpcId": "vpc-1", "Associations": [{"Main": True}],
         "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vgw-1"}]},
        {"RouteTableId": "rtb-public", "VpcId": "vpc-1", "Associations": [{"Main": False, "SubnetId": "subnet-public"}],
         "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("subnet", "address", "target"),
    [
        ("subnet-private", "13.58.55.60", "vgw-1"),  # the public address of a neighbour leaves the VPC
        ("subnet-private", "10.0.0.47", "local"), ("subnet-private", "8.8.8.8", "vgw-1"), ("subnet-private", "19.168.0.0", "vgw-1"),
        ("subnet-public", "10.0.1.204", "local"), ("subnet-public", "8.8.8.8", "igw-1"), ("subnet-public", "19.168.0.0", "igw-1"),
    ],
)  # fmt: skip
def test_batfish_public_and_private_subnet_routes(subnet, address, target):
    found = network(**SCENARIO).route(subnet, address)
    assert (found.target, found.blackhole, found.certain) == (target, False, True)


def test_batfish_public_and_private_subnet_rules():
    """By default a group lets all out and nothing in: DENIED_IN both ways, and from the internet."""
    made = network(**SCENARIO)
    for own, peer in (("eni-1", "10.0.1.204"), ("eni-2", "10.0.0.47"), ("eni-1", "8.8.8.8")):
        assert made.security(made.interfaces[own], "egress").ask(peer, 6, 80).permit == "allow"
        assert made.security(made.interfaces[own], "ingress").ask(peer, 6, 80).permit == "deny"
    assert made.route("subnet-private", "2001:db8::1").target is None


def test_aws_ping_that_may_come_in_and_not_out_again():
    """AWS: the groups and the inbound ACL allow ICMP, the outbound ACL does not: one ACCEPT, one REJECT."""
    acl = [acl_entry(100, "allow", "1", "0.0.0.0/0", False, IcmpTypeCode={"Type": -1, "Code": -1}), acl_entry(32767, "deny", "-1", "0.0.0.0/0", True)]
    made = one_acl(*acl)
    assert made.acl("subnet-1", "ingress").ask("203.0.113.12", 1).permit == "allow"
    said = made.acl("subnet-1", "egress").ask("203.0.113.12", 1)
    assert (said.permit, said.rules) == ("deny", ("acl-1#32767",))


def test_aws_example_of_a_custom_acl():
    """AWS's example with web in, SSH from one range, and answers by the ports 32768 to 65535."""
    ports = {"PortRange": {"From": 32768, "To": 65535}}
    made = one_acl(
        *(acl_entry(number, "allow", "6", cidr, False, PortRange={"From": port, "To": port}) for number, port, cidr in
          ((100, 80, "0.0.0.0/0"), (105, 80, "::/0"), (110, 443, "0.0.0.0/0"), (120, 22, "192.0.2.0/24"), (130, 3389, "192.0.2.0/24"))),
        acl_entry(140, "allow", "6", "0.0.0.0/0", False, **ports), acl_entry(140, "allow", "6", "0.0.0.0/0", True, **ports),
        acl_entry(100, "allow", "6", "0.0.0.0/0", True, PortRange={"From": 80, "To": 80}),
    ).acl  # fmt: skip
    back, out = made("subnet-1", "ingress"), made("subnet-1", "egress")
    assert [back.ask("198.51.100.7", 6, port).permit for port in (80, 443, 22, 32767, 32768)] == ["allow", "allow", "deny", "deny", "allow"]
    assert back.ask("192.0.2.9", 6, 22).rules == ("acl-1#120",)
    assert back.ask("2001:db8::7", 6, 80).rules == ("acl-1#105",)
    assert back.ask("2001:db8::7", 6, 443).rules == ("acl-1#32768",)
    # A client whose ports are those of older systems gets no answer.
    assert [out.ask("198.51.100.7", 6, port).permit for port in (1024, 40000)] == ["deny", "allow"]


def test_aclcheck_says_which_entry_decides():
    """aerleon's check of ordered terms, which has no types of ICMP, and takes port 0 for any."""
    builder = pytest.importorskip("aerleon.lib.policy_builder", reason="aerleon is not installed: pip install aerleon")
    from aerleon.lib import aclcheck, naming, policy

    names = {-1: [], 6: ["tcp"], 17: ["udp"], 1: ["icmp"], 58: ["icmpv6"], 50: ["esp"]}
    asked = 0
    for seed in range(300 if LONG else 12):
        rng = random.Random(seed)
        entries = [entry(rng, number, True) for number in rng.sample(range(1, 400), rng.randrange(1, 9))]
        for one in entries:
            one.pop("IcmpTypeCode", None)
        definitions = naming.Naming()
        networks, services = {}, {}
        terms = []
        for one in sorted(entries, key=lambda one: one["RuleNumber"]):
            number = one["RuleNumber"]
            networks[f"NET{number}"] = {"values": [{"address": one.get("CidrBlock") or one["Ipv6CidrBlock"]}]}
            term = {"name": f"entry-{number}", "destination-address": f"NET{number}", "action": "accept" if one["RuleAction"] == "allow" else "deny"}
            if one["Protocol"] != "-1":
                term["protocol"] = " ".join(names[int(one["Protocol"])])
            if "PortRange" in one:
                services[f"PORT{number}"] = [{"port": f"{one['PortRange']['From']}-{one['PortRange']['To']}", "protocol": term["protocol"]}]
                term["destination-port"] = f"PORT{number}"
            terms.append(term)
        definitions.ParseDefinitionsObject({"networks": networks, "services": services}, "acl")
        made = {"filename": "acl", "filters": [{"header": {"targets": {"openconfig": "acl mixed"}}, "terms": terms}]}
        theirs = policy.FromBuilder(builder.PolicyBuilder(made, definitions))
        ours = one_acl(*entries).acl("subnet-1", "egress")
        for _ in range(60):
            protocol = rng.choice([6, 6, 17, 1, 58, 50])
            peer = rng.choice(["10.0.0.0", "10.0.0.3", "10.0.1.0", "10.1.0.0", "11.0.0.0", "2001:db8::", "2001:db8::3", "2001:db8:0:1::"])
            port = rng.choice([1, 21, 22, 23, 80, 443, 1023, 1024, 32768, 65535])
            found = aclcheck.AclCheck(theirs, dst=peer, dport=port if protocol in (6, 17) else "any", proto=names[protocol][0]).ExactMatches()
            said = ours.ask(peer, protocol, port if protocol in (6, 17) else 0)
            asked += bool(found)
            assert said.rules == ((found[0].term.replace("entry-", "acl-1#"),) if found else (f"acl-1#{32768 if ':' in peer else 32767}",)), (seed, peer, protocol, port)
    assert asked > 100
