"""Rules of an inventory, asked: each fact of AWS's semantics with a small inventory of its own."""

import json

import pytest

import vpcflow as vf
from vpcflow.reach import Network
from vpcflow.reach.interface import kind_of


def eni(id, address, *groups, subnet="subnet-1", vpc="vpc-1", **more):
    own = [{"PrivateIpAddress": address}]
    groups = [{"GroupId": group} for group in groups]
    return {"NetworkInterfaceId": id, "SubnetId": subnet, "VpcId": vpc, "PrivateIpAddress": address, "Groups": groups,
            "PrivateIpAddresses": own, "InterfaceType": "interface", **more}  # fmt: skip


def rule(id, group, protocol="tcp", first=-1, last=-1, egress=False, **source):
    return {"SecurityGroupRuleId": id, "GroupId": group, "IsEgress": egress, "IpProtocol": protocol, "FromPort": first,
            "ToPort": last, **source}  # fmt: skip


def network(folder, at=None, **documents):
    for name, content in documents.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(content))
    return Network.at(vf.inventory(folder), at)


def groups(*ids):
    return {"SecurityGroups": [{"GroupId": id, "GroupName": f"name of {id}", "VpcId": "vpc-1"} for id in ids]}


def ingress(tmp_path, rules, interfaces=(), carried=("sg-1",), **documents):
    """Returns the rules of what comes in at an interface with some groups."""
    documents.setdefault("describe_security_groups", groups("sg-1", "sg-2", "sg-3"))
    all_interfaces = [eni("eni-1", "10.0.0.1", *carried), *interfaces]
    made = network(tmp_path, describe_security_group_rules={"SecurityGroupRules": rules},
                   describe_network_interfaces={"NetworkInterfaces": all_interfaces}, **documents)  # fmt: skip
    return made.security(made.interfaces["eni-1"], "ingress")


def test_what_any_group_allows_is_allowed_and_all_rules_that_do_are_named(tmp_path):
    rules = ingress(
        tmp_path,
        [rule("sgr-1", "sg-1", first=443, last=443, CidrIpv4="10.0.0.0/8"),
         rule("sgr-2", "sg-2", "-1", CidrIpv4="10.9.0.0/16"),
         rule("sgr-3", "sg-3", "-1", CidrIpv4="0.0.0.0/0"),
         rule("sgr-4", "sg-1", "-1", egress=True, CidrIpv4="0.0.0.0/0")],
        carried=("sg-1", "sg-2"),
    )  # fmt: skip
    assert rules.ask("10.9.1.1", 6, 443).rules == ("sgr-1", "sgr-2")
    assert rules.ask("10.9.1.1", 50).rules == ("sgr-2",)
    denied = rules.ask("8.8.8.8", 6, 22)
    assert (denied.permit, denied.rules) == ("deny", ())
    assert denied.missed == (("sgr-2", ("peer",)), ("sgr-1", ("port", "peer")))


@pytest.mark.parametrize(
    ("first", "last", "inside", "outside"),
    [(22, 22, 22, 23), (-1, 22, 0, 23), (65530, -1, 65535, 65529), (0, 65535, 1, None), (45, 50, 50, 51)],
)
def test_ports_as_aws_writes_them(tmp_path, first, last, inside, outside):
    rules = ingress(tmp_path, [rule("sgr-1", "sg-1", first=first, last=last, CidrIpv4="0.0.0.0/0")])
    assert rules.ask("8.8.8.8", 6, inside).permit == "allow"
    assert outside is None or rules.ask("8.8.8.8", 6, outside).permit == "deny"
    assert rules.ask("8.8.8.8", 17, inside).permit == "deny"


@pytest.mark.parametrize("name", ["icmp", "1", "ICMP"])
def test_flow_logs_have_no_icmp_type(tmp_path, name):
    rules = ingress(tmp_path, [rule("sgr-1", "sg-1", name, 8, -1, CidrIpv4="0.0.0.0/0")])
    assert rules.ask("8.8.8.8", 1).maybe == ("sgr-1",)
    assert rules.ask("8.8.8.8", 1, icmp_type=8).permit == "allow"
    assert rules.ask("8.8.8.8", 1, icmp_type=0).permit == "deny"


def test_ipv4_and_ipv6_are_apart_and_host_bits_are_masked(tmp_path):
    rules = ingress(tmp_path, [rule("sgr-1", "sg-1", first=1, last=9, CidrIpv4="0.0.0.0/0"),
                               rule("sgr-2", "sg-1", first=5, last=5, CidrIpv6="2001:db8::1/32"),
                               rule("sgr-3", "sg-1", first=80, last=80, CidrIpv4="10.1.2.3/16")])  # fmt: skip
    assert rules.ask("2001:db8::7", 6, 5).rules == ("sgr-2",)
    assert rules.ask("2001:db8::7", 6, 6).permit == "deny"
    assert rules.ask("10.1.9.9", 6, 80).rules == ("sgr-3",)


def test_a_group_means_the_private_addresses_of_those_that_carry_it(tmp_path):
    member = eni("eni-2", "10.0.0.2", "sg-2", Ipv6Addresses=[{"Ipv6Address": "2001:db8::2"}],
                 Ipv4Prefixes=[{"Ipv4Prefix": "10.0.7.0/28"}], Association={"PublicIp": "198.51.100.2"})  # fmt: skip
    rules = ingress(tmp_path, [rule("sgr-1", "sg-1", "-1", ReferencedGroupInfo={"GroupId": "sg-2"})], [member])
    for address in ("10.0.0.2", "2001:db8::2", "10.0.7.15"):
        assert rules.ask(address, 6, 1).rules == ("sgr-1",), address
    for address in ("198.51.100.2", "10.0.0.3", "10.0.7.16"):
        assert rules.ask(address, 6, 1).permit == "deny", address


def test_what_the_inventory_does_not_have_is_maybe(tmp_path):
    rules = [rule("sgr-1", "sg-1", first=1, last=1, ReferencedGroupInfo={"GroupId": "sg-other", "UserId": "9"}),
             rule("sgr-2", "sg-1", first=2, last=2, PrefixListId="pl-1"),
             rule("sgr-3", "sg-1", first=3, last=3, ReferencedGroupInfo={"GroupId": "sg-3"}),
             rule("sgr-4", "sg-1", "nonsense", CidrIpv4="192.0.2.0/24")]  # fmt: skip
    made = ingress(tmp_path, rules)
    assert made.ask("10.0.0.5", 6, 1).maybe == ("sgr-1", "sgr-4")
    assert made.ask("10.0.0.5", 6, 2).maybe == ("sgr-2", "sgr-4")
    assert made.ask("10.0.0.5", 6, 3).maybe == ("sgr-4",)  # nobody carries sg-3: the rule allows nothing
    unknown = network(tmp_path, describe_network_interfaces={"NetworkInterfaces": [eni("eni-9", "10.0.0.9", "sg-9")]})
    assert unknown.security(unknown.interfaces["eni-9"], "ingress").ask("10.0.0.5", 6, 1).permit == "maybe"


def test_prefix_lists_and_load_balancers(tmp_path):
    entries = {"Entries": [{"Cidr": "203.0.113.0/24"}]}
    balancer = eni("eni-3", "10.0.0.3", "sg-3", InterfaceType="network_load_balancer")
    rules = ingress(tmp_path, [rule("sgr-1", "sg-1", first=1, last=1, PrefixListId="pl-0a"),
                               rule("sgr-2", "sg-1", first=2, last=2, ReferencedGroupInfo={"GroupId": "sg-3"})], [balancer],
                    **{"get_managed_prefix_list_entries.pl_0a".replace("pl_", "pl-"): entries})  # fmt: skip
    assert rules.ask("203.0.113.9", 6, 1).rules == ("sgr-1",)
    assert rules.ask("203.0.114.9", 6, 1).permit == "deny"
    assert rules.ask("10.0.0.3", 6, 2).permit == "allow"
    assert rules.ask("8.8.8.8", 6, 2).maybe == ("sgr-2",)  # it forwards with the client's address


def test_rules_without_ids_bear_that_of_their_group(tmp_path):
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    group = {"GroupId": "sg-1", "IpPermissions": [permission], "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}  # fmt: skip
    rules = ingress(tmp_path, [], describe_security_groups={"SecurityGroups": [group]})
    assert rules.ask("10.2.2.2", 6, 22).rules == ("sg-1",)
    assert [one.text for one in rules.rules] == ["tcp 22 from 10.0.0.0/8"]


def test_acl_by_number_and_without_memory(tmp_path):
    def entry(number, action, protocol="6", first=None, last=None, egress=False, cidr="0.0.0.0/0"):
        ports = {} if first is None else {"PortRange": {"From": first, "To": last}}
        return {
            "RuleNumber": number,
            "RuleAction": action,
            "Protocol": protocol,
            "Egress": egress,
            "CidrBlock": cidr,
            **ports,
        }

    acl = {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}],
           "Entries": [entry(32767, "deny", "-1"), entry(200, "allow", first=0, last=1024),
                       entry(100, "deny", first=22, last=22, cidr="10.0.0.0/8"), entry(90, "allow", "17", 53, 53, True)]}  # fmt: skip
    default = {"NetworkAclId": "acl-2", "VpcId": "vpc-1", "IsDefault": True, "Entries": [entry(100, "allow", "-1")]}
    made = network(tmp_path, describe_network_acls={"NetworkAcls": [acl, default]},
                   describe_subnets={"Subnets": [{"SubnetId": "subnet-2", "VpcId": "vpc-1"}]})  # fmt: skip
    asked = made.acl("subnet-1", "ingress")
    assert (asked.ask("10.1.1.1", 6, 22).permit, asked.ask("10.1.1.1", 6, 22).rules) == ("deny", ("acl-1#100",))
    assert asked.ask("8.8.8.8", 6, 22).rules == ("acl-1#200",)
    assert asked.ask("8.8.8.8", 6, 40000).rules == ("acl-1#32767",)
    assert asked.ask("8.8.8.8", 6, 40000).missed[0] == ("acl-1#200", ("port",))
    assert made.acl("subnet-1", "egress").ask("8.8.8.8", 6, 53).rules == ("acl-1#32767",)  # which the answer lacks
    assert made.acl("subnet-1", "egress").ask("2001:db8::1", 6, 53).rules == ("acl-1#32768",)
    assert made.acl("subnet-2", "ingress").ask("8.8.8.8", 6, 22).rules == ("acl-2#100",)
    assert made.acl("subnet-3", "ingress").ask("8.8.8.8", 6, 22).permit == "maybe"


def test_routes(tmp_path):
    main = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}],
            "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"},
                       {"DestinationCidrBlock": "10.9.0.0/16", "VpcPeeringConnectionId": "pcx-1", "State": "blackhole"},
                       {"DestinationCidrBlock": "172.16.0.0/12", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
                       {"DestinationCidrBlock": "172.16.0.0/12", "TransitGatewayId": "tgw-1", "Origin": "CreateRoute"}]}  # fmt: skip
    own = {"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}],
           "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
                      {"DestinationPrefixListId": "pl-9", "GatewayId": "vpce-1"}]}  # fmt: skip
    subnets = [{"SubnetId": id, "VpcId": "vpc-1"} for id in ("subnet-1", "subnet-2")]
    made = network(tmp_path, describe_route_tables={"RouteTables": [main, own]}, describe_subnets={"Subnets": subnets})
    gone = made.route("subnet-2", "10.9.1.1")
    assert (gone.table, gone.target, gone.blackhole, gone.destination) == ("rtb-1", "pcx-1", True, "10.9.0.0/16")
    assert made.route("subnet-2", "172.20.0.1").target == "tgw-1"
    assert made.route("subnet-2", "8.8.8.8").target is None
    assert made.route("subnet-2", "8.8.8.8").certain
    out = made.route("subnet-1", "8.8.8.8")
    assert (out.target, out.certain) == ("nat-1", False)  # the prefix list may be longer
    assert not made.route("subnet-7", "8.8.8.8").certain


def test_rules_and_members_are_of_their_time(tmp_path):
    old = {"NetworkInterfaces": [eni("eni-1", "10.0.0.1", "sg-1"), eni("eni-2", "10.0.0.2", "sg-2")]}
    new = {"NetworkInterfaces": [eni("eni-1", "10.0.0.1", "sg-1"), eni("eni-2", "10.0.0.9", "sg-2")]}
    name = "describe-network-interfaces.{}.json"
    (tmp_path / name.format("2026-11-01")).write_text(json.dumps(old))
    (tmp_path / name.format("2026-11-10")).write_text(json.dumps(new))
    documents = {
        "describe_security_groups": groups("sg-1", "sg-2"),
        "describe_security_group_rules": {
            "SecurityGroupRules": [rule("sgr-1", "sg-1", "-1", ReferencedGroupInfo={"GroupId": "sg-2"})]
        },
    }
    day = 86400
    november = 1793491200
    before, after = (network(tmp_path, november + n * day, **documents) for n in (5, 12))
    for made, allowed, denied in ((before, "10.0.0.2", "10.0.0.9"), (after, "10.0.0.9", "10.0.0.2")):
        rules = made.security(made.interfaces["eni-1"], "ingress")
        assert (rules.ask(allowed, 6, 1).permit, rules.ask(denied, 6, 1).permit) == ("allow", "deny")
    held = vf.inventory(tmp_path)
    assert Network.at(held, november + 5 * day) is Network.at(held, november + 6 * day)
    assert Network.at(held, november + 5 * day) is not Network.at(held)


def test_interfaces_are_found_by_what_people_call_them(tmp_path):
    instance = {
        "InstanceId": "i-1",
        "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "aws:autoscaling:groupName", "Value": "webs"}],
    }
    one = eni("eni-1", "10.0.0.1", "sg-1", Attachment={"InstanceId": "i-1"}, Association={"PublicIp": "198.51.100.1"})
    made = network(tmp_path, describe_network_interfaces={"NetworkInterfaces": [one, eni("eni-2", "10.0.0.2", "sg-2")]},
                   describe_instances={"Reservations": [{"Instances": [instance]}]}, describe_security_groups=groups("sg-1", "sg-2"))  # fmt: skip
    for what in ("eni-1", "10.0.0.1", "198.51.100.1", "i-1", "web", "webs", "sg-1", "name of sg-1", "10.0.0.0/31"):
        assert [found.id for found in made.find(what)] == ["eni-1"], what
    assert {found.id for found in made.find("vpc-1")} == {"eni-1", "eni-2"}
    assert made.find("10.9.9.9") == ()
    with pytest.raises(vf.PlanError, match="did you mean 'webs'"):
        made.find("wbs")


@pytest.mark.parametrize(
    ("item", "kind"),
    [({"InterfaceType": "natGateway"}, "nat_gateway"), ({"InterfaceType": "nat_gateway"}, "nat_gateway"),
     ({"InterfaceType": "-"}, ""), ({}, ""), ({"InterfaceType": "gateway_load_balancer_endpoint"}, "gateway_load_balancer_endpoint"),
     ({"InterfaceType": "gatewayLoadBalancerEndpoint"}, "gateway_load_balancer_endpoint"),
     ({"InterfaceType": "interface", "Description": "Interface for NAT Gateway nat-1"}, "nat_gateway")],
)  # fmt: skip
def test_types_have_one_spelling(item, kind):
    assert kind_of(item) == kind
