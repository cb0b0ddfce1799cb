"""Random groups, rules and sessions; and what rules mean, said again in few lines that share nothing with the package."""

import dataclasses
import ipaddress
import random

from sg_world import DAY, Log, eni, group, rule

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "-1": None, "50": 50}


@dataclasses.dataclass
class World:
    interfaces: list
    groups: list
    rules: list
    entries: dict
    log: Log = dataclasses.field(default_factory=Log)
    sessions: list = dataclasses.field(default_factory=list)  # interface, egress, peer, protocol, port, at, accepted

    @property
    def documents(self):
        return {"interfaces": self.interfaces, "groups": self.groups, "rules": self.rules, "entries": self.entries}

    def networks(self, one):
        """The networks that a rule is about."""
        if cidr := one.get("CidrIpv4") or one.get("CidrIpv6"):
            return [ipaddress.ip_network(cidr)]
        if listed := one.get("PrefixListId"):
            return [ipaddress.ip_network(cidr) for cidr in self.entries[listed]]
        wanted = one["ReferencedGroupInfo"]["GroupId"]
        return [
            ipaddress.ip_network(each)
            for interface in self.interfaces
            if any(own["GroupId"] == wanted for own in interface["Groups"])
            for each in [interface["PrivateIpAddress"], *(v6["Ipv6Address"] for v6 in interface["Ipv6Addresses"])]
        ]

    def judge(self, interface, egress, peer, protocol, port, rules=None):
        """The ids of the rules that allow it, and of those that may."""
        groups = {own["GroupId"] for own in interface["Groups"]}
        allow, maybe = [], []
        for one in self.rules if rules is None else rules:
            meant = PROTOCOLS[one["IpProtocol"]]
            if one["GroupId"] not in groups or one["IsEgress"] != egress or meant not in (None, protocol):
                continue
            if meant in (6, 17) and not one["FromPort"] <= port <= one["ToPort"]:
                continue
            address = ipaddress.ip_address(peer)
            if any(address.version == net.version and address in net for net in self.networks(one)):
                (maybe if meant == 1 and one["FromPort"] >= 0 else allow).append(one["SecurityGroupRuleId"])
        return allow, maybe


def world(seed, sessions=300, days=8):
    """A world of a few groups and interfaces, and sessions that its rules decide."""
    r = random.Random(seed)
    names = [f"sg-{number}" for number in range(r.randint(2, 5))]
    interfaces = []
    for number in range(r.randint(3, 8)):
        address = f"10.0.{number % 3}.{10 + number}"
        own = r.sample(names, r.randint(1, min(2, len(names))))
        v6 = [{"Ipv6Address": f"2001:db8::{number + 1:x}"}]
        interfaces.append(eni(f"eni-{number}", address, *own, subnet=f"subnet-{number % 3}", Ipv6Addresses=v6))
    entries = {"pl-1": ["10.0.0.0/24", "192.0.2.0/25"], "pl-2": ["2001:db8::/64"]}
    made = World(interfaces, [group(name) for name in names], [], entries)
    for number in range(r.randint(4, 14)):
        protocol = r.choice(["tcp", "tcp", "tcp", "udp", "icmp", "-1", "50"])
        first, last = None, None
        if protocol in ("tcp", "udp"):
            first = r.choice([22, 80, 443, 1000, 5432])
            last = first + r.choice([0, 0, 10, 2000])
        elif protocol == "icmp" and r.random() < 0.5:
            first, last = 8, -1
        source = r.choice([
            {"cidr": r.choice(["10.0.0.0/8", "10.0.1.0/24", "10.0.0.0/16", "0.0.0.0/0", "192.0.2.7/32", "10.0.2.12/31"])},
            {"cidr": r.choice(["::/0", "2001:db8::/125"])}, {"pl": r.choice(["pl-1", "pl-2"])}, {"ref": r.choice(names)},
        ])  # fmt: skip
        made.rules.append(
            rule(f"sgr-{number}", r.choice(names), protocol, first, last, egress=r.random() < 0.4, **source)
        )
    made.log.quiet(*(one["NetworkInterfaceId"] for one in interfaces), days=days)
    outside = ["192.0.2.7", "192.0.2.200", "198.51.100.9", "2001:db8::5", "2001:db8:1::9", "10.0.1.77", "10.0.2.13"]
    peers = outside + [one["PrivateIpAddress"] for one in interfaces]
    for number in range(sessions):
        interface, egress = r.choice(interfaces), r.random() < 0.4
        peer = r.choice([one for one in peers if one != interface["PrivateIpAddress"]])
        own = interface["Ipv6Addresses"][0]["Ipv6Address"] if ":" in peer else interface["PrivateIpAddress"]
        protocol = r.choice([6, 6, 6, 17, 50])
        port = r.choice([22, 80, 443, 449, 1500, 5432, 9000]) if protocol in (6, 17) else 0
        allow, _ = made.judge(interface, egress, peer, protocol, port)
        client, server = (own, peer) if egress else (peer, own)
        at = number * (days * DAY - 4000) // sessions
        accepted = bool(allow)
        made.log.session(
            interface["NetworkInterfaceId"], client, server, port, at=at, protocol=protocol, egress=egress, reply=protocol != 50,
            action="ACCEPT" if accepted else "REJECT", flags=(3, 19) if accepted else (2, 0),
        )  # fmt: skip
        made.sessions.append((interface, egress, peer, protocol, port, at, accepted))
    return made
