"""A small network with one fault: four vantage points in a flow log, and the documents of its account, by hand."""

import json

#: 2026-11-01T12:00:00Z
START = 1_793_534_400
HOURS = 3
CLIENT, SERVER, OTHER = "10.0.1.5", "10.0.2.9", "10.0.3.3"
FULL = """
    version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
    vpc-id subnet-id tcp-flags pkt-srcaddr pkt-dstaddr flow-direction reject-reason
""".split()  # noqa: SIM905
V2 = FULL[:14]
#: When attempts are made, in seconds from the beginning: in all three hours.
TIMES = tuple(range(330, HOURS * 3600 - 900, 600))
AT = START + TIMES[len(TIMES) // 2] + 1


def record(interface, time, source, target, ports, action="ACCEPT", flags=0, packets=1, size=60, length=1, **more):
    """Returns a record as a dictionary of texts."""
    direction = "egress" if (interface, source) in (("eni-c", CLIENT), ("eni-s", SERVER)) else "ingress"
    out = dict.fromkeys(FULL, "-") | {
        "version": "5", "account-id": "123456789012", "interface-id": interface, "srcaddr": source, "dstaddr": target,
        "srcport": str(ports[0]), "dstport": str(ports[1]), "protocol": "6", "packets": str(packets),
        "bytes": str(packets * size), "start": str(START + time), "end": str(START + time + length), "action": action,
        "log-status": "OK", "vpc-id": "vpc-1", "subnet-id": f"subnet-{interface[-1]}", "tcp-flags": str(flags),
        "pkt-srcaddr": source, "pkt-dstaddr": target, "flow-direction": direction,
    }  # fmt: skip
    return out | more


def attempt(time, port, points, *, there=(3, 6, 120), back=(19, 6, 400), client=CLIENT, server=SERVER):
    """Returns the records of one attempt. ``points``: what A, B, C and D see: a, r, or n; ``there``, ``back``: flags,
    packets and bytes of each."""
    action = {"a": "ACCEPT", "r": "REJECT"}
    out = []
    for point, interface, forward in zip(points, ("eni-c", "eni-s", "eni-s", "eni-c"), (True, True, False, False)):
        if point == "n":
            continue
        flags, packets, size = there if forward else back
        ends = (client, server, (port, 5432)) if forward else (server, client, (5432, port))
        out.append(record(interface, time, *ends, action[point], flags, packets, size))
    return out


def around(with_reject=True):
    """Returns what else the two interfaces log: a talk with another host, a REJECT, and a record each minute."""
    rows = []
    for interface, own in (("eni-c", CLIENT), ("eni-s", SERVER)):
        for minute in range(HOURS * 60):
            quiet = dict.fromkeys(FULL, "-") | {
                "version": "5", "account-id": "123456789012", "interface-id": interface, "log-status": "NODATA",
                "start": str(START + 60 * minute), "end": str(START + 60 * minute + 59),
            }  # fmt: skip
            rows.append(quiet)
        for minute in range(1, HOURS * 60, 20):
            rows.append(record(interface, 60 * minute, own, OTHER, (50000, 443), flags=3, packets=9))
            rows.append(record(interface, 60 * minute, OTHER, own, (443, 50000), flags=19, packets=9))
            if with_reject:
                rows.append(record(interface, 60 * minute, OTHER, own, (50001, 23), "REJECT", 2))
    return rows


SYN = (2, 3, 60)
#: Records of each fault, and its verdict.
FAULTS = {
    "works": (lambda t, p: attempt(t, p, "aaaa"), "works"),
    "not_sent": (lambda t, p: [], "not_sent"),
    "client_group": (lambda t, p: attempt(t, p, "rnnn", there=SYN), "blocked_at_client"),
    "client_acl": (lambda t, p: attempt(t, p, "rnnn", there=SYN), "blocked_at_client"),
    "no_route": (lambda t, p: attempt(t, p, "annn", there=SYN), "lost_between"),
    "blackhole": (lambda t, p: attempt(t, p, "annn", there=SYN), "lost_between"),
    "server_group": (lambda t, p: attempt(t, p, "arnn", there=SYN), "blocked_at_server"),
    "server_acl": (lambda t, p: attempt(t, p, "arnn", there=SYN), "blocked_at_server"),
    "silent_server": (lambda t, p: attempt(t, p, "aann", there=SYN), "silent_server"),
    "no_listener": (lambda t, p: attempt(t, p, "aaaa", there=(2, 1, 60), back=(20, 1, 40)), "no_listener"),
    "reply_server_acl": (lambda t, p: attempt(t, p, "aarn", there=SYN, back=(18, 3, 60)), "reply_blocked_server_acl"),
    "reply_client_acl": (lambda t, p: attempt(t, p, "aaar", there=SYN, back=(18, 3, 60)), "reply_blocked_client_acl"),
    "reply_lost": (lambda t, p: attempt(t, p, "aaan", there=SYN, back=(18, 3, 60)), "reply_lost"),
    "cut": (lambda t, p: _cut(t, p), "cut_after"),
    "mtu": (lambda t, p: _large(t, p), "mtu_suspected"),
    "some_minutes": (lambda t, p: attempt(t, p, "arnn", there=SYN) if 4000 < t < 6500 else attempt(t, p, "aaaa"), "intermittent"),
    "late": (lambda t, p: _late(t, p), "works"),
}  # fmt: skip


def _cut(time, port):
    rows = attempt(time, port, "aaaa", there=(2, 6, 120), back=(18, 6, 400))
    rows += attempt(time + 351, port, "annn", there=(0, 2, 300))
    return [*rows, *attempt(time + 351, port, "nnna", back=(4, 1, 40))]


def _large(time, port):
    rows = attempt(time, port, "aann", there=(2, 4, 80)) + attempt(time, port, "nnna", back=(18, 2, 56))
    return [*rows, record("eni-s", time, SERVER, CLIENT, (5432, port), "ACCEPT", 18, 12, 1260)]


def _late(time, port):
    late = record("eni-s", time + 40, SERVER, CLIENT, (5432, port), "REJECT", 1, 1, 52)
    return [*attempt(time, port, "aaaa"), late]


def rows_of(name, with_reject=True):
    """Returns the records of a fault, in the order of time."""
    make = FAULTS[name][0]
    rows = around(with_reject)
    for number, time in enumerate(TIMES):
        rows += make(time, 40000 + number)
    return sorted(rows, key=lambda row: int(row["start"]))


def text_of(rows, fields=FULL):
    """Returns records as a log with a header."""
    return "\n".join([" ".join(fields), *(" ".join(row[name] for name in fields) for row in rows), ""]).encode()


def rule(id, group, egress, first=-1, last=-1, cidr="0.0.0.0/0"):
    return {"SecurityGroupRuleId": id, "GroupId": group, "IsEgress": egress, "IpProtocol": "-1" if first < 0 else "tcp",
            "FromPort": first, "ToPort": last, "CidrIpv4": cidr}  # fmt: skip


def entry(number, action, egress, ports=None, cidr="0.0.0.0/0"):
    out = {"RuleNumber": number, "RuleAction": action, "Egress": egress, "CidrBlock": cidr, "Protocol": "-1"}
    return out if ports is None else {**out, "Protocol": "6", "PortRange": {"From": ports[0], "To": ports[1]}}


def documents_of(name):
    """Returns the documents of an account in which a fault is, by the names of their files."""
    allow = [entry(100, "allow", True), entry(100, "allow", False)]
    acls = {"c": list(allow), "s": list(allow)}
    route = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    routes = {"c": [route], "s": [route]}
    rules = [rule("sgr-c", "sg-c", True), rule("sgr-s", "sg-s", False, 5432, 5432, "10.0.1.0/24"), rule("sgr-s2", "sg-s", True)]
    if name == "client_group":
        rules[0] = rule("sgr-c", "sg-c", True, 443, 443)
    if name == "server_group":
        rules[1] = rule("sgr-s", "sg-s", False, 5432, 5432, "10.0.7.0/24")
    if name == "client_acl":
        acls["c"][0] = entry(100, "allow", True, (443, 443))
    if name == "server_acl":
        acls["s"].insert(0, entry(90, "deny", False, (5432, 5432)))
    if name == "reply_server_acl":
        acls["s"][0] = entry(100, "allow", True, (0, 1023))
    if name == "reply_client_acl":
        acls["c"][1] = entry(100, "allow", False, (0, 1023))
    if name == "no_route":
        routes["c"] = [{"DestinationCidrBlock": "10.0.1.0/24", "GatewayId": "local", "State": "active"}]
    if name == "blackhole":
        routes["c"] = [route, {"DestinationCidrBlock": "10.0.2.0/24", "VpcPeeringConnectionId": "pcx-1", "State": "blackhole"}]
    interfaces = [
        {"NetworkInterfaceId": f"eni-{end}", "SubnetId": f"subnet-{end}", "VpcId": "vpc-1", "PrivateIpAddress": address,
         "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}], "InterfaceType": "interface",
         "Groups": [{"GroupId": f"sg-{end}"}], "TagSet": [{"Key": "Name", "Value": called}]}
        for end, address, called in (("c", CLIENT, "web-1"), ("s", SERVER, "db-1"))
    ]  # fmt: skip
    log = {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "ALL", "FlowLogStatus": "ACTIVE"}
    return {
        "describe-network-interfaces": {"NetworkInterfaces": interfaces},
        "describe-subnets": {"Subnets": [{"SubnetId": f"subnet-{end}", "VpcId": "vpc-1"} for end in "cs"]},
        "describe-security-groups": {"SecurityGroups": [{"GroupId": f"sg-{end}", "VpcId": "vpc-1"} for end in "cs"]},
        "describe-security-group-rules": {"SecurityGroupRules": rules},
        "describe-network-acls": {"NetworkAcls": [
            {"NetworkAclId": f"acl-{end}", "VpcId": "vpc-1", "Entries": acls[end], "Associations": [{"SubnetId": f"subnet-{end}"}]}
            for end in "cs"]},
        "describe-route-tables": {"RouteTables": [
            {"RouteTableId": f"rtb-{end}", "VpcId": "vpc-1", "Routes": routes[end], "Associations": [{"SubnetId": f"subnet-{end}"}]}
            for end in "cs"]},
        "describe-flow-logs": {"FlowLogs": [log]},
    }  # fmt: skip


def write_documents(folder, documents):
    """Writes documents as files of an inventory."""
    folder.mkdir(exist_ok=True)
    for name, content in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
