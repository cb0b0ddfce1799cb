"""Tells days of an office for the rules that come with vpcflow, apart from ``vpcflow synth --events``: flow logs of its
office world, and beside them CloudTrail, GuardDuty and DNS with the shapes, orders and wrappings that real documents
have. What is right is labelled: stories, and harmless sequences of the same kind."""

import dataclasses
import datetime
import gzip
import json
import random
from pathlib import Path

import vpcflow as vf

STORY_FORMAT = "version start end interface-id instance-id vpc-id account-id srcaddr srcport dstaddr dstport protocol action bytes packets log-status tcp-flags flow-direction"
READS = ["DescribeInstances", "DescribeVolumes", "DescribeSecurityGroups", "ListRoles", "GetCallerIdentity", "Decrypt", "GenerateDataKey", "AssumeRole", "GetObject", "ListObjects", "DescribeLogStreams", "LookupEvents", "GetBucketAcl", "BatchGetItem"]
CHANGES = ["CreateUser", "CreateAccessKey", "AttachUserPolicy", "PutBucketPolicy", "CreateRoute", "CreateKeyPair"]
PORTS = [22, 3389, 5900, 8080, 5432, 9200]
POOLS = [3333, 4444, 5555, 7777, 14433, 14444, 45700]


@dataclasses.dataclass(frozen=True)
class Host:
    interface: str
    address: str
    instance: str
    account: str
    vpc: str


@dataclasses.dataclass(frozen=True)
class Label:
    """A sequence that is there: ``about`` has an entity of each of its events' rule; ``benign``: of no attack."""

    rule: str
    about: str
    benign: bool


class Day:
    """A day: :meth:`write` makes its files, of ``calls`` ordinary records of CloudTrail, half as many queries, and a
    finding of GuardDuty for 20,000 of them."""

    def __init__(self, seed, *, calls=20_000, hosts=120, records=None, config=None, plant=None):
        self.draw = random.Random(f"teller {seed}")
        self.seed, self.calls, self.hosts, self.records, self.plant = seed, calls, hosts, records, plant
        self.config = self.draw.random() < 0.5 if config is None else config
        self.trail, self.duty, self.dns, self.lines, self.items = [], [], [], [], []
        self.labels, self.gaps, self._used = [], [], set()

    # -- the office

    def write(self, folder):
        """Writes ``flows/``, ``trail/``, ``duty/``, ``dns/`` and perhaps ``config/``. Returns the labels."""
        folder = Path(folder)
        made = vf.synth(self.records, world="office", seed=self.seed, format="v5", plant=self.plant, interfaces=self.hosts, peers=3000, noise_sources=3000)
        head, *lines = made.data.decode().splitlines()
        names = head.split()
        at = {name: names.index(name) for name in names}
        self.start, self.end = self._look(lines, at)
        self._tell()
        self._ordinary(lines, at)
        gone = {account: (begin, begin + 1800) for account, begin in self.gaps}
        for line in self.lines:  # an account that has a story then is not silent
            cells = line.split(" ")
            window = gone.get(cells[6])
            if window is not None and int(cells[2]) > window[0] and int(cells[1]) < window[1]:
                del gone[cells[6]]
                self.labels = [label for label in self.labels if label.rule != "gap-then-activity"]
        kept = []
        for line in lines:
            cells = line.split(" ")
            window = gone.get(cells[at["account-id"]])
            if window is None or not (int(cells[at["end"]]) > window[0] and int(cells[at["start"]]) < window[1]):
                kept.append(line)
        for name in ("flows", "trail", "duty", "dns", *(["config"] if self.items else [])):
            (folder / name).mkdir(parents=True)
        (folder / "flows" / "office.log").write_text("\n".join([head, *kept]) + "\n")
        if self.lines:
            (folder / "flows" / "more.log.gz").write_bytes(gzip.compress("\n".join([STORY_FORMAT, *self.lines]).encode(), mtime=0))
        self._files(folder)
        return self.labels

    def _look(self, lines, at):
        found, seen = {}, []
        for line in lines[:: max(1, len(lines) // 60_000)]:
            cells = line.split(" ")
            seen.append(cells[at["start"]])
            own = cells[at["dstaddr" if cells[at["flow-direction"]] == "ingress" else "srcaddr"]]
            if cells[at["instance-id"]] != "-" and cells[at["log-status"]] == "OK" and own.startswith("10."):
                name = cells[at["interface-id"]]
                found[name] = Host(name, own, cells[at["instance-id"]], cells[at["account-id"]], cells[at["vpc-id"]])
        times = [int(text) for text in seen if text.isdigit()]
        self.known = [found[name] for name in sorted(found)]
        return min(times), max(times)

    def _host(self):
        free = [host for host in self.known if host not in self._used]
        host = self.draw.choice(free)
        self._used.add(host)
        return host

    def _time(self, low=0.1, high=0.6):
        return int(self.start + (self.end - self.start) * self.draw.uniform(low, high))

    def _stranger(self):
        return f"45.{self.draw.randrange(1, 250)}.{self.draw.randrange(256)}.{self.draw.randrange(1, 255)}"

    # -- flows

    def _flow(self, host, peer, time, end, *, out, port, near, sent=900, got=700, accept=True):
        """Adds the records of a conversation, a minute each, as the interface of the host sees them."""
        ends = (host.address, near, peer, port) if out else (peer, near, host.address, port)
        for begin in range(time, max(end, time + 1), 60):
            last = min(begin + 55, max(end, begin + 1))
            for forth in (True, False) if accept else (True,):
                a, b, c, d = ends if forth else (ends[2], ends[3], ends[0], ends[1])
                size = max(sent if forth else got, 40)
                way = "egress" if forth == out else "ingress"
                flags = 3 if begin == time and not out and forth else 2 if begin == time and forth else 18 if begin == time else 0
                self.lines.append(f"5 {begin} {last} {host.interface} {host.instance} {host.vpc} {host.account} {a} {b} {c} {d} 6 {'ACCEPT' if accept else 'REJECT'} {size} {max(size // 700, 1)} OK {flags} {way}")

    # -- documents

    def _call(self, time, name, service, who, address, account, **more):
        kind = {"user": "IAMUser", "assumed-role": "AssumedRole", "root": "Root"}[who.partition("/")[0]]
        arn = f"arn:aws:{'sts' if kind == 'AssumedRole' else 'iam'}::{account}:{who}"
        identity = {"type": kind, "principalId": f"AID{sum(map(ord, who)):06}" if kind != "Root" else account, "arn": arn, "accountId": account}
        if kind == "AssumedRole":
            role = who.split("/")[1]
            identity |= {"accessKeyId": "ASIAEXAMPLE1234567890", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "userName": role}, "attributes": {"mfaAuthenticated": "false"}}}
        record = {
            "eventVersion": "1.10", "userIdentity": identity, "eventTime": iso(time), "eventSource": service, "eventName": name, "awsRegion": self.draw.choice(["eu-west-1", "us-east-1"]),
            "sourceIPAddress": address, "userAgent": self.draw.choice(["Boto3/1.34", "console.amazonaws.com", "aws-cli/2.15", "terraform"]), "requestParameters": None, "responseElements": None,
            "requestID": f"{self.draw.getrandbits(64):x}", "eventID": f"{self.draw.getrandbits(128):032x}", "readOnly": name.startswith(("Describe", "List", "Get", "Lookup")), "eventType": "AwsApiCall",
            "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management", **more,
        }  # fmt: skip
        items = list(record.items())
        self.draw.shuffle(items)
        self.trail.append(dict(items))

    def _opening(self, time, group, port, cidr, who, address, account):
        """A rule for a group, in one of the shapes that AWS's records have."""
        shape = self.draw.randrange(4)
        v6 = ":" in cidr
        ranges = {"ipRanges": {} if v6 else {"items": [{"cidrIp": cidr, "description": "x"}]}, "ipv6Ranges": {"items": [{"cidrIpv6": cidr}]} if v6 else {}, "groups": {}, "prefixListIds": {}}
        item = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, **ranges}
        asked, answered = {"groupId": group, "ipPermissions": {"items": [item]}}, {"requestId": "r", "_return": True}
        if shape == 0:
            asked = {"groupId": group, "ipPermissions": {}, "cidrIp": cidr, "ipProtocol": "tcp", "fromPort": str(port), "toPort": str(port)} if not v6 else asked
        elif shape == 1:
            other = {"ipProtocol": "tcp", "fromPort": 65000, "toPort": 65010, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}, "ipv6Ranges": {}, "groups": {}}
            asked = {"groupId": group, "ipPermissions": {"items": [other, item]}}
        elif shape == 2:
            rule = {"groupOwnerId": account, "groupId": group, "securityGroupRuleId": "sgr-0123", "isEgress": False, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv6" if v6 else "cidrIpv4": cidr}
            answered = {"requestId": "r", "_return": True, "securityGroupRuleSet": {"items": [rule]}}
        self._call(time, "AuthorizeSecurityGroupIngress", "ec2.amazonaws.com", who, address, account, requestParameters=asked, responseElements=answered)

    def _query(self, time, host, name, answers):
        kind = "AAAA" if not answers else "A"
        chain = [{"Rdata": f"edge.{name}", "Type": "CNAME", "Class": "IN"}] if self.draw.random() < 0.3 else []
        listed = [*chain, *({"Rdata": one, "Type": kind, "Class": "IN"} for one in answers)]
        own = {"query_name": name, "answers": listed, "srcids": {"instance": host.instance}, "srcaddr": host.address, "vpc_id": host.vpc, "rcode": "NOERROR", "query_timestamp": iso(time),
               "query_type": kind, "query_class": "IN", "transport": "UDP", "srcport": "55555", "account_id": host.account, "region": "eu-west-1", "version": "1.100000"}  # fmt: skip
        self.dns.append(own)

    def _finding(self, kind, severity, first, last, host, remote):
        card = {"networkInterfaceId": host.interface, "privateIpAddress": host.address, "ipv6Addresses": [], "securityGroups": [{"groupId": "sg-x", "groupName": "x"}], "vpcId": host.vpc}
        action = {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {"blocked": False, "connectionDirection": "OUTBOUND", "protocol": "TCP", "remoteIpDetails": {"ipAddressV4": remote, "country": {"countryName": "X"}}, "remotePortDetails": {"port": 443}, "localPortDetails": {"port": 51234}}}
        if "PortProbe" in kind:
            action = {"actionType": "PORT_PROBE", "portProbeAction": {"blocked": False, "portProbeDetails": [{"localPortDetails": {"port": 22}, "remoteIpDetails": {"ipAddressV4": remote}}]}}
        self.duty.append({
            "schemaVersion": "2.0", "accountId": host.account, "region": "eu-west-1", "partition": "aws", "id": f"{self.draw.getrandbits(120):030x}", "type": kind, "severity": severity,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": host.instance, "networkInterfaces": [card]}}, "createdAt": iso(last + 300, ".123Z"), "updatedAt": iso(last + 400, ".456Z"),
            "service": {"serviceName": "guardduty", "count": 3, "archived": False, "resourceRole": "TARGET", "eventFirstSeen": iso(first), "eventLastSeen": iso(last), "action": action}, "title": "t",
        })  # fmt: skip

    # -- stories

    def _tell(self):
        for story in (self._opened, self._scanned, self._console, self._blinded, self._gap, self._exfiltrated, self._named, self._mined):
            if self.draw.random() < 0.8:
                story()
        for harmless in (self._harmless_opening, self._teardown):
            if self.draw.random() < 0.8:
                harmless()

    def _label(self, rule, about, benign=False):
        self.labels.append(Label(rule, about, benign))

    def _of_group(self, host, group):
        if self.config:
            card = {"networkInterfaceId": host.interface, "privateIpAddress": host.address, "groups": [{"groupId": group, "groupName": "x"}], "attachment": {"instanceId": host.instance}}
            self.items.append({"resourceType": "AWS::EC2::NetworkInterface", "resourceId": host.interface, "configurationItemCaptureTime": iso(self.start - 86400, ".000Z"), "configurationItemStatus": "OK", "configuration": json.dumps(card)})

    def _opened(self, benign=False):
        host, time, who = self._host(), self._time(), self._stranger()
        group, port = f"sg-0{self.draw.getrandbits(60):015x}", self.draw.choice(PORTS)
        self._of_group(host, group)
        cidr = self.draw.choice([f"{who}/32", who.rpartition(".")[0] + ".0/24", "0.0.0.0/0"]) if not benign else f"{who}/32"
        self._opening(time, group, port, cidr, f"user/{'admin' if benign else 'mallory'}", self._stranger(), host.account)
        self._flow(host, who, time + self.draw.randrange(120, 7200), 0, out=False, port=port, near=40_001)
        self._label("opened-and-entered", who, benign)

    def _harmless_opening(self):
        self._opened(benign=True)

    def _scanned(self):
        host, time, who = self._host(), self._time(0.1, 0.5), self._stranger()
        ports = self.draw.sample(range(1, 10_000), 400)
        for number, port in enumerate(ports):
            self._flow(host, who, time + number, 0, out=False, port=port, near=50_000 + number, sent=40, accept=False)
        port = self.draw.choice([22, 3389])
        for number in range(12):
            self._flow(host, who, time + 500 + 5 * number, 0, out=False, port=port, near=52_000 + number, sent=60, accept=False)
        self._flow(host, who, time + 1200, time + 1800, out=False, port=port, near=53_000, sent=40_000, got=90_000)
        self._flow(host, self._stranger(), time + 4000, time + 7000, out=True, port=443, near=44_000, sent=120_000_000, got=90_000)
        self._label("scanned-entered-called-out", who)

    def _console(self):
        host, time, who = self._host(), self._time(), self._stranger()
        root = self.draw.random() < 0.3
        self._call(time, "ConsoleLogin", "signin.amazonaws.com", "root" if root else "user/mallory", who, host.account, eventType="AwsConsoleSignIn",
                   additionalEventData={"LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No", "MFAUsed": "No"}, responseElements={"ConsoleLogin": "Success"})  # fmt: skip
        begin = time + self.draw.randrange(300, 40_000)
        self._flow(host, who, begin, begin + 600, out=False, port=self.draw.choice([22, 3389]), near=40_002, sent=9000, got=20_000)
        self._label("console-without-mfa-then-flows", who)

    def _blinded(self, benign=False):
        account, time = self.draw.choice(self.known).account, self._time(0.1, 0.8)
        who = "assumed-role/terraform/ci" if benign else "user/mallory"
        kind = self.draw.randrange(3)
        if kind == 0 or benign:
            ids = [{"tag": number, "content": f"fl-0{self.draw.getrandbits(60):015x}"} for number in (1, 2)]
            self._call(time, "DeleteFlowLogs", "ec2.amazonaws.com", who, self._stranger(), account, requestParameters={"DeleteFlowLogsRequest": {"FlowLogId": ids}}, responseElements={"DeleteFlowLogsResponse": {"unsuccessful": ""}})
        else:
            name = ["StopLogging", "DeleteTrail"][kind - 1]
            self._call(time, name, "cloudtrail.amazonaws.com", who, self._stranger(), account, requestParameters={"name": f"arn:aws:cloudtrail:eu-west-1:{account}:trail/main"})
        self._call(time + self.draw.randrange(60, 9000), self.draw.choice(CHANGES), "iam.amazonaws.com", who, self._stranger(), account, requestParameters={"userName": "x"})
        self._label("flow-log-deleted-then-activity", account, benign)

    def _teardown(self):
        self._blinded(benign=True)

    def _gap(self):
        accounts = sorted({host.account for host in self.known})
        account, begin = self.draw.choice(accounts), self._time(0.3, 0.6)
        self.gaps.append((account, begin))
        self._call(begin + 1800 + self.draw.randrange(60, 9000), self.draw.choice(CHANGES), "iam.amazonaws.com", "user/mallory", self._stranger(), account, requestParameters={"userName": "y"})
        self._label("gap-then-activity", account)

    def _exfiltrated(self):
        host, time, to = self._host(), self._time(0.2, 0.6), self._stranger()
        self._flow(host, to, time, time + 2400, out=True, port=443, near=44_100, sent=150_000_000, got=100_000)
        when = time + self.draw.choice([-7200, 600, 9000])
        self._finding(self.draw.choice(["Trojan:EC2/DNSDataExfiltration", "Behavior:EC2/TrafficVolumeUnusual", "Backdoor:EC2/C&CActivity.B"]), self.draw.choice([5, 8, 8.5]), when, when + 900, host, to)
        self._label("guardduty-and-exfiltration", host.instance)

    def _named(self):
        host, time, to = self._host(), self._time(0.1, 0.5), self._stranger()
        name = f"{self.draw.getrandbits(36):09x}.Cdn-Sync.example."
        self._query(time, host, name, [])
        self._query(time, host, name, self.draw.sample([to, self._stranger(), self._stranger()], 3))
        begin = time + self.draw.randrange(1, 900)
        self._flow(host, to, begin, begin + self.draw.randrange(4000, 20_000), out=True, port=self.draw.choice([443, 8443, 993]), near=44_200)
        self._label("new-name-then-long-session", to)

    def _mined(self):
        near, time = self.draw.choice(self.known), self._time(0.2, 0.6)
        host = Host(f"eni-0{self.draw.getrandbits(64):016x}", f"10.9.{self.draw.randrange(256)}.{self.draw.randrange(4, 250)}", f"i-0{self.draw.getrandbits(64):016x}", near.account, near.vpc)
        self._launch(time, "user/mallory", host, self._stranger())
        begin = time + self.draw.randrange(120, 3000)
        self._flow(host, self._stranger(), begin, begin + 5000, out=True, port=self.draw.choice(POOLS), near=44_300, sent=800, got=900)
        self._label("new-instances-then-mining", host.instance)

    def _launch(self, time, who, host, address):
        card = {"networkInterfaceId": host.interface, "privateIpAddress": host.address, "groupSet": {"items": [{"groupId": "sg-0launched", "groupName": "x"}]}}
        item = {"instanceId": host.instance, "imageId": "ami-1", "instanceType": "g4dn.xlarge", "privateIpAddress": host.address, "vpcId": host.vpc, "networkInterfaceSet": {"items": [card]}, "groupSet": {"items": [{"groupId": "sg-0launched"}]}, "instanceState": {"code": 0, "name": "pending"}}
        self._call(time, "RunInstances", "ec2.amazonaws.com", who, address, host.account, requestParameters={"instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1, "maxCount": 1}]}, "instanceType": "g4dn.xlarge"}, responseElements={"requestId": "r", "reservationId": "r-1", "ownerId": host.account, "groupSet": {}, "instancesSet": {"items": [item]}})

    # -- every day

    def _ordinary(self, lines, at):
        partners = self._partners(lines, at)
        reads = 1 - min(0.05, 500 / self.calls)  # changes are a few hundred a day
        for _ in range(self.calls):
            time, account = self._time(0, 1), self.draw.choice(self.known).account
            kind = 0.0 if self.draw.random() < reads else self.draw.uniform(0.95, 1)
            role = f"assumed-role/{self.draw.choice(['app', 'ecs', 'ci', 'backup', 'monitor'])}/{self.draw.randrange(40)}"
            if kind < 0.95:
                failed = {"errorCode": "AccessDenied", "errorMessage": "no"} if self.draw.random() < 0.02 else {}
                self._call(time, self.draw.choice(READS), "ec2.amazonaws.com", role, self.draw.choice(["ec2.amazonaws.com", "10.0.3.4", "52.19.3.3"]), account, **failed)
            elif kind < 0.97:  # people: IAM users with MFA, and federated ones, whose MFA AWS does not see
                federated = self.draw.random() < 0.7
                self._call(time, "ConsoleLogin", "signin.amazonaws.com", "assumed-role/sso-dev/ann" if federated else f"user/dev{self.draw.randrange(9)}", self.draw.choice(partners), account,
                           additionalEventData={"MFAUsed": "No" if federated else "Yes"}, responseElements={"ConsoleLogin": "Success"})  # fmt: skip
            elif kind < 0.98:
                host = self.draw.choice(self.known)
                fresh = dataclasses.replace(host, interface=f"eni-0{self.draw.getrandbits(64):016x}", instance=f"i-0{self.draw.getrandbits(64):016x}", address=f"10.8.{self.draw.randrange(256)}.{self.draw.randrange(1, 250)}")
                self._launch(time, "assumed-role/AWSServiceRoleForAutoScaling/AutoScaling", fresh, "autoscaling.amazonaws.com")
            elif kind < 0.985:  # services open ports to each other, and the web's to all
                public = self.draw.random() < 0.3
                cidr = "0.0.0.0/0" if public else self.draw.choice(["10.0.0.0/8", "10.1.0.0/16", "10.2.8.0/24"])
                self._opening(time, f"sg-0{self.draw.randrange(200):015x}", 443 if public else self.draw.choice([5432, 6379, 8080, 9092, 22, 443]), cidr, role, self.draw.choice(["cloudformation.amazonaws.com", "52.19.3.3"]), account)
            elif kind < 0.99:
                self._call(time, self.draw.choice(CHANGES), "iam.amazonaws.com", role, "52.19.3.3", account)
            else:
                self._call(time, "DeleteFlowLogs", "ec2.amazonaws.com", role, "52.19.3.3", account, errorCode="Client.UnauthorizedOperation")
        self._names(lines, at)
        for _ in range(max(self.calls // 2000, 1)):
            host, time = self.draw.choice(self.known), self._time(0, 1)
            kind, severity = self.draw.choice([("Recon:EC2/PortProbeUnprotectedPort", 2), ("Recon:EC2/PortProbeUnprotectedPort", 5), ("UnauthorizedAccess:EC2/TorClient", 5), ("Discovery:S3/AnomalousBehavior", 2)])
            self._finding(kind, severity, time, time + 3600, host, self._stranger())

    def _partners(self, lines, at):
        """Outside addresses that come by ssh all day: where developers sit."""
        found = set()
        for line in lines[:200_000]:
            cells = line.split(" ")
            if cells[at["dstport"]] == "22" and cells[at["action"]] == "ACCEPT" and not cells[at["srcaddr"]].startswith("10."):
                found.add(cells[at["srcaddr"]])
        return sorted(found)[:50] or ["192.0.2.1"]

    def _names(self, lines, at):
        """What hosts of the office ask for before they call: names of all days, and one in a hundred that is new."""
        calls = {}
        for line in lines:
            cells = line.split(" ")
            if cells[at["flow-direction"]] == "egress" and cells[at["srcaddr"]].startswith("10.") and not cells[at["dstaddr"]].startswith("10.") and cells[at["start"]].isdigit():
                calls.setdefault((cells[at["srcaddr"]], cells[at["dstaddr"]]), int(cells[at["start"]]))
        by_address = {host.address: host for host in self.known}
        pairs = sorted((pair, time) for pair, time in calls.items() if pair[0] in by_address)
        servers = sorted({server for (_, server), _ in pairs})
        fresh = set(self.draw.sample(servers, len(servers) // 100))
        for server in servers:
            if server not in fresh:
                back = self.draw.randrange(1, 7) * 86400 - self.draw.randrange(3600)
                self._query(self.start - back, self.draw.choice(self.known), name_of(server), [server])
        for _ in range(self.calls // 2):
            (host, server), time = self.draw.choice(pairs)
            later = time if self.draw.random() < 0.5 else self.draw.randrange(time, max(self.end, time + 1))
            self._query(later - self.draw.randrange(1, 3), by_address[host], name_of(server), [server])

    # -- files

    def _files(self, folder):
        draw = self.draw
        draw.shuffle(self.trail)
        for number in range(0, len(self.trail), 5000):
            part, shape = self.trail[number : number + 5000], number // 5000 % 3
            name = folder / "trail" / f"{number:07}"
            if shape == 0:
                name.with_suffix(".json.gz").write_bytes(gzip.compress(json.dumps({"Records": part}).encode(), mtime=0))
            elif shape == 1:
                name.with_suffix(".jsonl").write_text("".join(json.dumps({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": r}) + "\n" for r in part))
            else:
                name.with_suffix(".json").write_text(json.dumps(part, indent=1))
        half = len(self.duty) // 2
        (folder / "duty" / "events.jsonl").write_text("".join(json.dumps({"detail-type": "GuardDuty Finding", "detail": one}) + "\n" for one in self.duty[:half]))
        (folder / "duty" / "answer.json").write_text(json.dumps({"Findings": [pascal(one) for one in self.duty[half:]]}))
        draw.shuffle(self.dns)
        (folder / "dns" / "queries.log").write_text("".join(json.dumps(one) + "\n" for one in self.dns))
        if self.items:
            (folder / "config" / "snapshot.json").write_text(json.dumps({"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": self.items}))


def iso(time, rest="Z"):
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + rest


def name_of(server):
    return f"h{server.replace('.', '-')}.example.org."


def pascal(value):
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


def correlated(folder):
    """Correlates what a day wrote."""
    config = folder / "config"
    return vf.correlate(vf.scan(folder / "flows"), cloudtrail=folder / "trail", guardduty=folder / "duty", dns=folder / "dns", config=config if config.exists() else None)


def judged(labels, matches):
    """Returns by rule what was told, found, harmless but there, found of that, found more than once, and false."""
    out = {}
    left = list(matches)
    row_of = lambda rule: out.setdefault(rule, {"told": 0, "found": 0, "harmless": 0, "shown": 0, "again": 0, "false": 0})  # noqa: E731
    is_about = lambda m, label: m.rule == label.rule and any(label.about in event.entities for event in m.events)  # noqa: E731
    for label in labels:
        own = next((m for m in left if is_about(m, label)), None)
        left = [m for m in left if m is not own]
        row_of(label.rule)["harmless" if label.benign else "told"] += 1
        row_of(label.rule)["shown" if label.benign else "found"] += own is not None
    for match in left:
        row_of(match.rule)["again" if any(is_about(match, label) for label in labels) else "false"] += 1
    return out
