"""A small world of security groups for tests: answers of describe calls in a folder, and logs of sessions."""

import json

DAY = 86400
START = 1760054400  # 2025-10-10T00:00:00Z
HEADER = (
    "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags "
    "flow-direction subnet-id pkt-srcaddr pkt-dstaddr\n"
)


def eni(id, address, *groups, subnet="subnet-1", **more):
    return {"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": subnet, "InterfaceType": "interface",
            "PrivateIpAddress": address, "PrivateIpAddresses": [{"PrivateIpAddress": address}],
            "Groups": [{"GroupId": group} for group in groups], **more}  # fmt: skip


def group(id, name=None, **more):
    return {
        "GroupId": id,
        "GroupName": name or id.replace("sg-", ""),
        "VpcId": "vpc-1",
        "OwnerId": "123456789012",
        **more,
    }


def rule(id, group, protocol="tcp", first=None, last=None, egress=False, **source):
    first = -1 if first is None else first
    made = {"SecurityGroupRuleId": id, "GroupId": group, "IsEgress": egress, "IpProtocol": protocol, "FromPort": first,
            "ToPort": first if last is None else last}  # fmt: skip
    if "ref" in source:
        made["ReferencedGroupInfo"] = {"GroupId": source.pop("ref"), "UserId": "123456789012"}
    if "cidr" in source:
        cidr = source.pop("cidr")
        made["CidrIpv6" if ":" in cidr else "CidrIpv4"] = cidr
    if "pl" in source:
        made["PrefixListId"] = source.pop("pl")
    return {**made, **source}


def write(folder, suffix="", *, interfaces=(), groups=(), rules=(), acls=None, entries=None, **more):
    folder.mkdir(exist_ok=True, parents=True)

    def put(call, **answer):
        (folder / f"{call}{suffix}.json").write_text(json.dumps(answer))

    put("describe-network-interfaces", NetworkInterfaces=list(interfaces))
    put("describe-security-groups", SecurityGroups=list(groups))
    put("describe-security-group-rules", SecurityGroupRules=list(rules))
    if acls is not None:
        put("describe-network-acls", NetworkAcls=acls)
    for id, cidrs in (entries or {}).items():
        (folder / f"get-managed-prefix-list-entries.{id}{suffix}.json").write_text(
            json.dumps({"Entries": [{"Cidr": cidr} for cidr in cidrs]})
        )
    for call, answer in more.items():
        put(call.replace("_", "-"), **answer)
    return folder


class Log:
    """Lines of a log; each session at one interface, with its reply."""

    def __init__(self):
        self.lines = []
        self._port = 40000

    def session(self, interface, client, server, port, at=0, *, protocol=6, egress=False, action="ACCEPT", reply=True,
                flags=(3, 19), bytes=840, length=30):  # fmt: skip
        """A session that begins `at` seconds behind the start, seen by the client's interface if `egress`."""
        self._port = 32768 + (self._port - 32767) % 28000
        own = self._port if protocol in (6, 17) else 0
        ways = [(client, server, own, port, flags[0], "egress" if egress else "ingress", action)]
        if reply and action == "ACCEPT":
            ways.append((server, client, port, own, flags[1], "ingress" if egress else "egress", "ACCEPT"))
        for source, target, srcport, dstport, flag, direction, done in ways:
            begin = START + at
            self.lines.append(
                f"5 {interface} {source} {target} {srcport} {dstport} {protocol} {max(bytes // 100, 1)} {bytes} {begin} "
                f"{begin + length} {done} OK {flag if protocol == 6 else 0} {direction} subnet-1 {source} {target}\n"
            )
        return self

    def quiet(self, *interfaces, days=1, since=0, but=()):
        """NODATA for each window of ten minutes, so that the log covers the interfaces."""
        for interface in interfaces:
            for at in range(since, since + int(days * DAY), 600):
                if not any(low <= at < high for low, high in but):
                    begin = START + at
                    self.lines.append(f"5 {interface} - - - - - - - {begin} {begin + 599} - NODATA - - - - -\n")
        return self

    @property
    def data(self):
        return (HEADER + "".join(self.lines)).encode()
