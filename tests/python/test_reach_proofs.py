"""Rules and ACLs by a solver: packets that only one rule is about, orders that hide an entry, sets that contain another.

The solver finds the corners that no random packet meets; what it says of them, the matcher must say, too.
"""

import ipaddress
import random

import pytest

from test_reach_nft import peers
from test_reach_oracle import LONG, Inventory, world
from vpcflow.faults import slow
from vpcflow.reach import Network

z3 = pytest.importorskip("z3", reason="the solver is not installed: pip install z3-solver")
WORLDS = 1000 if LONG else 12


class Packet:
    """An unknown packet: what it is, and how it is asked about."""

    def __init__(self):
        self.six = z3.Bool("six")
        self.peer = z3.BitVec("peer", 128)
        self.protocol, self.kind, self.code = (z3.BitVec(name, 8) for name in ("protocol", "kind", "code"))
        self.port = z3.BitVec("port", 16)
        #: IPv4 addresses are 32 bits.
        self.sane = z3.Implies(z3.Not(self.six), z3.ULE(self.peer, 0xFFFFFFFF))

    def asked(self, model):
        """The packet of a model."""
        number = lambda term: model.eval(term, model_completion=True).as_long()  # noqa: E731
        six, protocol = z3.is_true(model.eval(self.six, model_completion=True)), number(self.protocol)
        peer = ipaddress.IPv6Address(number(self.peer)) if six else ipaddress.IPv4Address(number(self.peer))
        icmp = protocol in (1, 58)
        return (str(peer), protocol, number(self.port), number(self.kind) if icmp else None, number(self.code) if icmp else None)

    def within(self, cidr):
        block = ipaddress.ip_network(cidr, strict=False)
        family = self.six if block.version == 6 else z3.Not(self.six)
        mask, base = int(block.netmask), int(block.network_address)
        return z3.And(family, self.peer & mask == base)

    def about(self, name, first, last):
        """Whether a rule with a protocol and ports, or a type and code of ICMP, is about it."""
        if name == "-1":
            return z3.BoolVal(True)
        number = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}.get(name) or int(name)
        terms = [self.protocol == number]
        if number in (6, 17):
            terms += [z3.UGE(self.port, max(first, 0)), z3.ULE(self.port, 65535 if last == -1 else last)]
        if number in (1, 58) and first != -1:
            terms += [self.kind == first, *([] if last == -1 else [self.code == last])]
        return z3.And(terms)

    def matches(self, name, first, last, prefixes):
        return z3.And(self.about(name, first, last), z3.Or([self.within(cidr) for cidr in prefixes]))


def witness(packet, *terms):
    """A packet for which all terms hold, or None: there is none."""
    solver = z3.Solver()
    solver.add(packet.sane, *terms)
    found = solver.check()
    assert found != z3.unknown
    return packet.asked(solver.model()) if found == z3.sat else None


def known_world(seed):
    """A random world in which nothing is unknown."""
    rng = random.Random(seed)
    documents = world(rng)
    documents["SecurityGroups"] = [{"GroupId": f"sg-{n}", "VpcId": "vpc-1"} for n in range(1, 6)]
    for number, eni in enumerate(documents["NetworkInterfaces"]):
        eni["InterfaceType"] = "interface"
        eni["Groups"] = [{"GroupId": f"sg-{n}"} for n in rng.sample(range(1, 6), 1 + number % 2)]
    rows = documents.setdefault("SecurityGroupRules", [])
    rows[:] = [row for row in rows if row.get("PrefixListId") != "pl-4" and row.get("ReferencedGroupInfo", {}).get("GroupId") != "sg-far"]
    return documents


def entries_of(documents, packet, egress):
    """The entries of an ACL by number, each with what it is about."""
    acl = documents["NetworkAcls"][0]
    for entry in sorted((one for one in acl["Entries"] if one["Egress"] == egress), key=lambda one: one["RuleNumber"]):
        ports, icmp = entry.get("PortRange", {}), entry.get("IcmpTypeCode", {})
        first, last = ports.get("From", icmp.get("Type", -1)), ports.get("To", icmp.get("Code", -1))
        yield slow.entry_id(acl, entry), packet.matches(entry["Protocol"], first, last, [entry.get("CidrBlock") or entry["Ipv6CidrBlock"]])


def rules_of(documents, packet, eni, egress):
    """The rules of an interface, each with what it is about."""
    for group in eni["Groups"]:
        for row in slow.rule_rows(documents, group["GroupId"]):
            if row["IsEgress"] == egress:
                yield row["SecurityGroupRuleId"], packet.matches(row["IpProtocol"], row["FromPort"], row["ToPort"], peers(documents, row))


def test_each_entry_decides_where_no_earlier_one_matches():
    hidden = decided = 0
    for seed in range(WORLDS):
        documents, packet, egress = known_world(seed), Packet(), seed % 2 == 1
        acl = Network(Inventory(documents)).acl("subnet-1", "egress" if egress else "ingress")
        earlier = []
        for name, about in entries_of(documents, packet, egress):
            found = witness(packet, about, *(z3.Not(one) for one in earlier))
            if found is None:
                hidden += 1  # whatever matches it is decided before; a corner of its own must say so, too
                found = witness(packet, about)
                assert found is None or acl.ask(*found).rules != (name,), (seed, name, found)
            else:
                decided += 1
                assert acl.ask(*found).rules == (name,), (seed, name, found)
            earlier.append(about)
        found = witness(packet, *(z3.Not(one) for one in earlier))
        assert found is None or (acl.ask(*found).permit, acl.ask(*found).rules[0][:9]) == ("deny", "acl-1#327"), (seed, found)
    assert decided > hidden > 0


def test_each_rule_allows_what_only_it_allows():
    alone = 0
    for seed in range(WORLDS):
        documents, packet, egress = known_world(seed), Packet(), seed % 2 == 1
        network = Network(Inventory(documents))
        for eni in documents["NetworkInterfaces"][:2]:
            asked = network.security(network.interfaces[eni["NetworkInterfaceId"]], "egress" if egress else "ingress")
            rules = list(rules_of(documents, packet, eni, egress))
            for name, about in rules:
                found = witness(packet, about, *(z3.Not(other) for one, other in rules if one != name))
                if found is not None:
                    alone += 1
                    assert asked.ask(*found).rules == (name,), (seed, name, found)
            found = witness(packet, *(z3.Not(about) for _, about in rules))
            assert found is None or asked.ask(*found).permit == "deny", (seed, found)
            found = witness(packet, *(about for _, about in rules)) if len(rules) > 1 else None
            assert found is None or set(asked.ask(*found).rules) == {name for name, _ in rules}, (seed, found)
    assert alone > WORLDS


def test_what_one_interface_allows_more_than_another_is_found_and_true():
    """Containment, both ways: a packet that shows the difference is one for the matcher, too; without one they agree."""
    contained = apart = 0
    for seed in range(WORLDS):
        documents, packet = known_world(seed), Packet()
        network = Network(Inventory(documents))
        one, other = documents["NetworkInterfaces"][:2]
        # Half the time the one carries all that the other does, and so allows all of it.
        if seed % 2:
            one["Groups"] = [*{group["GroupId"]: group for group in (*one["Groups"], *other["Groups"])}.values()]
            network = Network(Inventory(documents))
        sets = [network.security(network.interfaces[eni["NetworkInterfaceId"]], "ingress") for eni in (one, other)]
        terms = [z3.Or([about for _, about in rules_of(documents, packet, eni, False)]) for eni in (one, other)]
        found = witness(packet, terms[1], z3.Not(terms[0]))
        if found is None:
            contained += 1
            tried = witness(packet, terms[1])
            assert tried is None or sets[0].ask(*tried).permit == "allow", (seed, tried)
        else:
            apart += 1
            assert [rules.ask(*found).permit for rules in sets] == ["deny", "allow"], (seed, found)
        assert found is None or seed % 2 == 0
    assert contained > 0
    assert apart > 0
