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


def four_weeks():
    """Rules and traffic of four weeks of a shop: of a balancer for anybody, two applications, a database, a bastion. There
    are rules too wide, a forgotten one, one for a group that is gone; a job that runs in the last week for the first time;
    a scanner. Returns what :func:`write` takes, and the log."""
    interfaces = [
        eni("eni-0a000000000000001", "10.0.0.10", "sg-0a0000000000000e1", subnet="subnet-0a00000000000000a"),
        eni("eni-0a000000000000002", "10.0.1.11", "sg-0a0000000000000a2", subnet="subnet-0a00000000000000b"),
        eni("eni-0a000000000000003", "10.0.1.12", "sg-0a0000000000000a2", subnet="subnet-0a00000000000000b"),
        eni("eni-0a000000000000004", "10.0.2.20", "sg-0a0000000000000d3", subnet="subnet-0a00000000000000c"),
        eni("eni-0a000000000000005", "10.0.3.30", "sg-0a0000000000000b4", subnet="subnet-0a00000000000000d"),
    ]
    web, app, db, adm = (f"sg-0a0000000000000{end}" for end in ("e1", "a2", "d3", "b4"))
    named = [group(web, "web"), group(app, "app"), group(db, "db"), group(adm, "bastion")]
    rules = [
        rule("sgr-0a000000000000001", web, first=443, cidr="0.0.0.0/0", Description="shop"),
        rule("sgr-0a000000000000002", web, first=8443, cidr="0.0.0.0/0", Description="old shop"),
        rule("sgr-0a000000000000003", app, first=0, last=65535, cidr="10.0.0.0/8", Description="from balancers"),
        rule("sgr-0a000000000000004", app, first=22, cidr="10.0.3.0/24", Description="bastion"),
        rule("sgr-0a000000000000005", db, "-1", cidr="10.0.0.0/16", Description="for now"),
        rule("sgr-0a000000000000006", db, first=5432, ref="sg-0a0000000000000f9", Description="reports"),
        rule("sgr-0a000000000000007", adm, first=22, cidr="203.0.113.0/24", Description="office"),
        rule("sgr-0a000000000000008", web, first=8080, last=8090, ref=app, egress=True),
        rule("sgr-0a000000000000009", app, "-1", cidr="0.0.0.0/0", egress=True),
        rule("sgr-0a00000000000000a", db, "-1", cidr="0.0.0.0/0", egress=True),
        rule("sgr-0a00000000000000b", adm, "-1", cidr="10.0.0.0/8", egress=True),
    ]
    log = Log().quiet(*(one["NetworkInterfaceId"] for one in interfaces), days=28)
    eni_web, *eni_apps, eni_db, eni_adm = (one["NetworkInterfaceId"] for one in interfaces)
    for day in range(28):
        at = day * DAY
        for number in range(30):
            log.session(
                eni_web, f"198.51.{(day * 7 + number) % 100}.{number + 1}", "10.0.0.10", 443, at=at + number * 2000
            )
        for number, eni_app in enumerate(eni_apps):
            address = f"10.0.1.{11 + number}"
            for hour in range(0, 24, 6):
                moment = at + hour * 3600 + number
                log.session(eni_web, "10.0.0.10", address, 8080, at=moment, egress=True)
                log.session(eni_app, "10.0.0.10", address, 8080, at=moment)
                log.session(eni_app, address, "10.0.2.20", 5432, at=moment + 60, egress=True)
                log.session(eni_db, address, "10.0.2.20", 5432, at=moment + 60)
        if day % 7 < 5:
            log.session(eni_adm, f"203.0.113.{5 + day % 3}", "10.0.3.30", 22, at=at + 30000)
            log.session(eni_adm, "10.0.3.30", "10.0.1.11", 22, at=at + 30060, egress=True)
            log.session(eni_apps[0], "10.0.3.30", "10.0.1.11", 22, at=at + 30060)
        log.session(eni_web, "192.0.2.66", "10.0.0.10", 22, at=at + 50000, action="REJECT", flags=(2, 0))
    for number in range(3):  # reports, quarterly
        log.session(eni_db, "10.0.9.99", "10.0.2.20", 5432, at=25 * DAY + 7200 + number * 60)
    return {"interfaces": interfaces, "groups": named, "rules": rules}, log
