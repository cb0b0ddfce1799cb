"""Rules and ACLs of random inventories, by the matcher and by the kernel: nftables with connection tracking.

Groups are chains that let pass what is established, and ACLs chains that look at each packet. Needs nft, ip, and the right
to make a network namespace.
"""

import ipaddress
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from in_namespace import PORTS
from test_reach_oracle import LONG, Inventory, world
from vpcflow.faults import slow
from vpcflow.reach import Network

SCENARIOS = 200 if LONG else 8


def can():
    """Why the kernel cannot be asked, or nothing."""
    missing = [name for name in ("nft", "ip", "unshare") if not shutil.which(name)]
    if missing:
        return f"{missing[0]} is not installed"
    tried = subprocess.run(["unshare", "--net", "nft", "add", "table", "inet", "t"], capture_output=True, text=True)
    return tried.stderr.strip() or "no network namespace" if tried.returncode else ""


def prefixes(texts, far):
    """A condition on the remote address, or conditions, one of which must hold."""
    for text in texts:
        block = ipaddress.ip_network(text, strict=False)
        name = "ip" if block.version == 4 else "ip6"
        # The kernel takes no prefix of no bits.
        yield f"meta nfproto ipv{block.version}" + (f" {name} {far} {block}" if block.prefixlen else "")


def traffic(row):
    """A condition on protocol and ports, or on the type of ICMP: by bytes of the header, for both families."""
    name = str(row["IpProtocol"])
    if name == "-1":
        return ""
    number = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}.get(name) or int(name)
    first, last = row.get("FromPort", -1), row.get("ToPort", -1)
    if number in (6, 17):
        return f"meta l4proto {number} th dport {max(first, 0)}-{65535 if last == -1 else last}"
    if number in (1, 58) and first != -1:
        return f"meta l4proto {number} @th,0,8 {first}" + ("" if last == -1 else f" @th,8,8 {last}")
    return f"meta l4proto {number}"


def peers(documents, row):
    if "ReferencedGroupInfo" in row:
        group = row["ReferencedGroupInfo"]["GroupId"]
        return [a for eni in documents["NetworkInterfaces"] if {"GroupId": group} in eni["Groups"] for a in slow.addresses_of(eni)]
    if "PrefixListId" in row:
        lists = [one["Cidr"] for one in documents["Entries"] if one["PrefixListId"] == row["PrefixListId"]]
        return lists or [cidr for one in documents["PrefixLists"] if one["PrefixListId"] == row["PrefixListId"] for cidr in one.get("Cidrs", ())]
    return [row.get("CidrIpv4") or row["CidrIpv6"]]


def of_groups(documents, eni, egress):
    yield "ct state established,related return"
    for group in eni["Groups"]:
        for row in slow.rule_rows(documents, group["GroupId"]):
            if row["IsEgress"] == egress:
                for far in prefixes(peers(documents, row), "daddr" if egress else "saddr"):
                    yield f"{far} {traffic(row)} return"
    yield "drop"


def of_acl(documents, subnet, egress):
    for entry in sorted(slow.acl_of(documents, subnet)["Entries"], key=lambda one: one["RuleNumber"]):
        if entry["Egress"] == egress:
            icmp, ports = entry.get("IcmpTypeCode", {}), entry.get("PortRange", {})
            row = {"IpProtocol": entry["Protocol"], "FromPort": ports.get("From", icmp.get("Type", -1)), "ToPort": ports.get("To", icmp.get("Code", -1))}
            for far in prefixes([entry.get("CidrBlock") or entry["Ipv6CidrBlock"]], "daddr" if egress else "saddr"):
                yield f"{far} {traffic(row)} {'return' if entry['RuleAction'] == 'allow' else 'drop'}"
    yield "drop"


def rule_set(documents, client, server):
    """What the two interfaces let pass of each other's packets, and their subnets' ACLs if those differ."""
    chains, hooks = [], {"input": [], "output": []}
    for side, eni, own, other in (("client", client[0], client[1], server[1]), ("server", server[0], server[1], client[1])):
        name = "ip6" if ":" in own else "ip"
        for egress in (False, True):
            way = "out" if egress else "in"
            chains.append((f"{side}_{way}", of_groups(documents, eni, egress)))
            ends = (own, other) if egress else (other, own)
            which = f"{name} saddr {ends[0]} {name} daddr {ends[1]}"
            jumps = [f"{which} jump {side}_{way}"]
            if client[0]["SubnetId"] != server[0]["SubnetId"]:
                chains.append((f"{side}_acl_{way}", of_acl(documents, eni["SubnetId"], egress)))
                jumps.append(f"{which} jump {side}_acl_{way}")
            hooks["output" if egress else "input"] += jumps if egress else jumps[::-1]
    text = "".join(f"chain {name} {{\n" + "\n".join(rules) + "\n}\n" for name, rules in chains)
    base = "".join(f"chain {hook} {{ type filter hook {hook} priority 0;\n" + "\n".join(rules) + "\n}\n" for hook, rules in hooks.items())
    return f"table inet world {{\n{text}{base}}}\n"


def expected(network, client, server, protocol, client_port, port):
    """Whether a request and its answer pass, by the matcher; None: it cannot tell."""
    kind, back = {1: (8, 0), 58: (128, 129)}.get(protocol, (None, None))
    code = None if kind is None else 0
    (c, c_address), (s, s_address) = client, server
    asked = [
        network.security(network.interfaces[c["NetworkInterfaceId"]], "egress").ask(s_address, protocol, port, kind, code),
        network.security(network.interfaces[s["NetworkInterfaceId"]], "ingress").ask(c_address, protocol, port, kind, code),
    ]
    if c["SubnetId"] != s["SubnetId"]:
        asked += [
            network.acl(c["SubnetId"], "egress").ask(s_address, protocol, port, kind, code),
            network.acl(s["SubnetId"], "ingress").ask(c_address, protocol, port, kind, code),
            network.acl(s["SubnetId"], "egress").ask(c_address, protocol, client_port, back, code),
            network.acl(c["SubnetId"], "ingress").ask(s_address, protocol, client_port, back, code),
        ]
    permits = {one.permit for one in asked}
    return False if "deny" in permits else None if "maybe" in permits else True


def ends_of(eni):
    return [(eni, address) for address in slow.addresses_of(eni) if "/" not in address]


def open_up(rng, documents):
    """Adds rules that let much pass, so that ACLs and ports decide as often as the lack of a rule."""
    for group in {group["GroupId"] for eni in documents["NetworkInterfaces"] for group in eni["Groups"]}:
        for egress in (False, True):
            if rng.random() < 0.6:
                documents.setdefault("SecurityGroupRules", []).extend(
                    {"SecurityGroupRuleId": f"sgr-{group}-{egress}-{name}", "GroupId": group, "IsEgress": egress, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, **{name: cidr}}
                    for name, cidr in (("CidrIpv4", "0.0.0.0/0"), ("CidrIpv6", "::/0"))
                )
    for acl in documents["NetworkAcls"]:
        for number, (egress, name, cidr) in enumerate((e, *f) for e in (False, True) for f in (("CidrBlock", "0.0.0.0/0"), ("Ipv6CidrBlock", "::/0"))):
            if rng.random() < 0.6:
                acl["Entries"].append({"RuleNumber": 1000 + number, "Egress": egress, "Protocol": "-1", "RuleAction": "allow", name: cidr})


def scenario(seed):
    rng = random.Random(seed)
    documents = world(rng)
    for eni in documents["NetworkInterfaces"]:
        eni["SubnetId"] = rng.choice(["subnet-1", "subnet-2"])
    open_up(rng, documents)
    network = Network(Inventory(documents))
    ends = [end for eni in documents["NetworkInterfaces"] for end in ends_of(eni)]
    pairs = [(c, s) for c in ends for s in ends if (":" in c[1]) == (":" in s[1]) and c[1] != s[1] and c[0] is not s[0]]
    client, server = rng.choice(pairs)
    probes, right = [], []
    for number in range(24):
        protocol = rng.choice([6, 6, 6, 17, 17, 58 if ":" in client[1] else 1])
        client_port, port = 20000 + 1000 * rng.randrange(40) + number, rng.choice(PORTS) if protocol in (6, 17) else 0
        said = expected(network, client, server, protocol, client_port, port)
        if said is not None and (protocol in (6, 17) or all(probe[0] in (6, 17) for probe in probes)):
            probes.append((protocol, client[1], client_port, server[1], port))
            right.append(said)
    return {"rules": rule_set(documents, client, server), "probes": probes}, right


def test_the_kernel_lets_pass_what_the_matcher_allows():
    why = can()
    if why:
        pytest.skip(f"the kernel cannot be asked: {why}")
    made = [scenario(seed) for seed in range(SCENARIOS)]
    command = ["unshare", "--net", sys.executable, str(Path(__file__).with_name("in_namespace.py"))]
    done = subprocess.run(command, input=json.dumps([one for one, _ in made]), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    wrong = [(seed, probe, says, said) for seed, ((one, right), told) in enumerate(zip(made, answers)) for probe, says, said in zip(one["probes"], right, told) if says != said]
    assert wrong == []
    counts = [says for _, right in made for says in right]
    assert min(counts.count(True), counts.count(False)) > len(counts) / 10
