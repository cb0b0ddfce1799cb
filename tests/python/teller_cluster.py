"""A third teller of days: three accounts with a cluster behind NAT gateways, CI runners that come and go, pipelines that
open ports, an office behind one address, and the stories that the shipped sequences are for, with near misses. It shares
nothing with the other tellers. ``python teller_cluster.py SEED FOLDER`` writes a day."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import json
import random
import sys
import uuid
from pathlib import Path

from teller_cluster_stories import Stories

V2 = ["version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log-status"]
V5 = [*V2, "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr", "region", "az-id", "flow-direction", "traffic-path"]
V8 = ["interface-id", "start", "end", "action", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "flow-direction", "tcp-flags", "packets", "bytes",
      "account-id", "vpc-id", "instance-id", "pkt-srcaddr", "pkt-dstaddr", "log-status", "version", "ecs-cluster-name", "reject-reason"]
FORMATS = {"v2": V2, "v5": V5, "v8": V8}
OFFICE, HOUR, DAY = "198.18.7.1", 3600, 86400


def iso(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Eni:
    def __init__(self, day, vpc, ip, public="", instance="", group="", kind="interface", v6=""):
        self.id, self.vpc, self.ip, self.public, self.instance, self.group, self.kind, self.v6 = (
            day.hex("eni-"), vpc, ip, public, instance, group, kind, v6)
        self.pods, self.begin, self.end, self.offset = [], day.start, day.start + DAY, day.rng.randrange(vpc.aggregation)
        vpc.enis.append(self)

    def has(self, address):
        return address in (self.ip, self.v6, *self.pods)


class Vpc:
    def __init__(self, day, account, net, form, aggregation):
        self.id, self.account, self.net, self.form, self.aggregation = day.hex("vpc-"), account, net, form, aggregation
        self.enis, self.lines, self.gaps, self.used = [], [], [], set()
        self.flow_log, self.subnet = day.hex("fl-"), day.hex("subnet-")

    def address(self, rng):
        while True:
            ip = f"{self.net}.{rng.randrange(8)}.{rng.randrange(4, 250)}"
            if ip not in self.used:
                self.used.add(ip)
                return ip


class Day(Stories):
    """A day by its seed. ``forms``: formats of the three accounts; ``stories``: tell them; ``size``: how much goes on."""

    def __init__(self, seed, forms=None, stories=True, size=1.0):
        self.rng = rng = random.Random(f"cluster {seed}")
        self.seed, self.size = seed, size
        self.start = 1_790_000_000 // DAY * DAY + DAY * (seed % 60)
        self.trail, self.duty, self.dns, self.labels = [], [], [], []
        forms = forms or [rng.choice(["v2", "v5", "v8"]) for _ in range(3)]
        self.prod = Vpc(self, "111122223333", "10.20", forms[0], rng.choice([60, 600]))
        self.ci = Vpc(self, "444455556666", "10.20", forms[1], rng.choice([60, 600]))  # the same addresses
        self.corp = Vpc(self, "777788889999", "172.16", forms[2], rng.choice([60, 600]))
        self.vpcs = [self.prod, self.ci, self.corp]
        self.people = [f"user{n:03}" for n in range(200)]
        self.world()
        if stories:
            self.tell()
        self.background()

    def hex(self, prefix):
        return f"{prefix}{self.rng.getrandbits(68):017x}"

    def outside(self):
        return f"{self.rng.choice([23, 45, 91, 103, 141, 185, 193])}.{self.rng.randrange(256)}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"

    def outside6(self):
        return str(ipaddress.ip_address(0x2A0B << 112 | self.rng.getrandbits(90)))

    # -- flow logs

    def put(self, eni, time, long, src, dst, sport, dport, packets, size, action, way, proto=6, flags=0, via=None):
        """Records packets of one direction, cut into the windows of the interface. ``via``: what is in the packet."""
        vpc, left, n = eni.vpc, time, 0
        agg, end = vpc.aggregation, time + max(long, 0)
        parts = int((end - eni.offset) // agg - (time - eni.offset) // agg) + 1
        while left <= end:
            edge = ((left - eni.offset) // agg + 1) * agg + eni.offset
            last = min(edge - 1, end)
            share = max(packets // parts, 1)
            self.line(eni, left, last, src, dst, sport, dport, proto, share, max(size // parts, 40 * share), action, way,
                      flags | (2 if n == 0 and proto == 6 else 0) | (1 if last == end and proto == 6 else 0), via)
            n, left = n + 1, edge
            if action == "REJECT":
                return

    def line(self, eni, start, end, src, dst, sport, dport, proto, packets, size, action, way, flags, via, status="OK"):
        vpc = eni.vpc
        if not eni.begin <= start < eni.end or start >= self.start + DAY:
            return
        v = {"version": vpc.form[1], "account-id": vpc.account, "interface-id": eni.id, "srcaddr": src, "dstaddr": dst, "srcport": sport, "dstport": dport,
             "protocol": proto, "packets": packets, "bytes": size, "start": int(start), "end": int(end), "action": action, "log-status": status}
        if status == "OK":
            a, b = via or (src, dst)
            v |= {"tcp-flags": flags, "type": "IPv6" if ":" in src else "IPv4", "pkt-srcaddr": a, "pkt-dstaddr": b, "flow-direction": way,
                  "traffic-path": 8 if way == "egress" else "-", "reject-reason": "-"}
        v |= {"vpc-id": vpc.id, "subnet-id": vpc.subnet, "instance-id": eni.instance or "-", "region": "eu-west-1", "az-id": "euw1-az1"}
        late = self.rng.choice([60, 120, 300, 480]) + (self.rng.randrange(900) if self.rng.random() < 0.02 else 0)
        vpc.lines.append((int(end + late), start, end, " ".join(str(v.get(name, "-")) for name in FORMATS[vpc.form])))

    def conn(self, time, long, client, server, port, up=900, down=4000, accept=True, sport=None, proto=6, proto_flags=0):
        """Records a conversation at each interface that sees it: an end is an interface, (interface, pod), or an address."""
        sport = sport or self.rng.randrange(32768, 61000)
        c, cip = client if isinstance(client, tuple) else (client, None)
        s, sip = server if isinstance(server, tuple) else (server, None)
        if isinstance(c, str):
            c, cip = None, c
        if isinstance(s, str):
            s, sip = None, s
        six = ":" in (cip or sip or "")
        cip = cip or (c.v6 if six else c.ip)
        sip = sip or (s.v6 if six else s.ip)
        pu, pd = max(3, up // 900), max(2, down // 1200)
        args = dict(proto=proto)

        def both(eni, mine, peer, mport, pport, out, back, to_me_first):
            shown = mine if ":" in mine else eni.ip
            ways = [("ingress", True), ("egress", False)] if to_me_first else [("egress", False), ("ingress", True)]
            for number, (way, coming) in enumerate(ways):
                if number and not accept:
                    return
                packets, size = out if number == 0 else back
                ends = (peer, shown, pport, mport) if coming else (shown, peer, mport, pport)
                via = (peer, mine) if coming else (mine, peer)
                self.put(eni, time, long, *ends, packets, size, "ACCEPT" if accept else "REJECT", way, via=via, flags=16 if number else 0, **args)

        if c is not None:
            both(c, cip, sip, sport, port, (pu, up), (pd, down), False)
            if s is None and not c.public and not six:
                nat = next(e for e in c.vpc.enis if e.kind == "nat_gateway")
                inner = (pu, up), (pd, down)
                self.put(nat, time, long, c.ip, nat.ip, sport, port, *inner[0], "ACCEPT", "ingress", via=(c.ip, sip), proto=proto)
                self.put(nat, time, long, nat.ip, sip, sport, port, *inner[0], "ACCEPT", "egress", via=(nat.ip, sip), proto=proto)
                self.put(nat, time, long, sip, nat.ip, port, sport, *inner[1], "ACCEPT", "ingress", via=(sip, nat.ip), proto=proto, flags=16)
                self.put(nat, time, long, nat.ip, c.ip, port, sport, *inner[1], "ACCEPT", "egress", via=(sip, c.ip), proto=proto, flags=16)
        if s is not None and s is not c:
            both(s, sip, cip, port, sport, (pu, up), (pd, down), True)

    # -- other events

    def call(self, time, name, service="ec2", who="", vpc=None, asked=None, got=None, ip="", error="", more=None):
        vpc = vpc or self.corp
        kind, _, rest = (who or "user/alice").partition("/")
        identity = {"accountId": vpc.account, "principalId": f"AIDA{self.rng.randrange(10**12):016}"}
        if kind == "root":
            identity |= {"type": "Root", "arn": f"arn:aws:iam::{vpc.account}:root"}
        elif kind == "role":
            identity |= {"type": "AssumedRole", "arn": f"arn:aws:sts::{vpc.account}:assumed-role/{rest}", "accessKeyId": f"ASIA{self.rng.randrange(10**15):016}",
                         "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{vpc.account}:role/{rest.split('/')[0]}"}}}
        else:
            identity |= {"type": "IAMUser", "arn": f"arn:aws:iam::{vpc.account}:user/{rest}", "userName": rest, "accessKeyId": f"AKIA{self.rng.randrange(10**15):016}"}
        record = {"eventVersion": "1.11", "userIdentity": identity, "eventTime": iso(time), "eventSource": f"{service}.amazonaws.com", "eventName": name,
                  "awsRegion": "eu-west-1", "sourceIPAddress": ip or OFFICE, "userAgent": "aws-sdk-go/1.44", "requestParameters": asked, "responseElements": got,
                  "eventID": str(uuid.UUID(int=self.rng.getrandbits(128))), "eventType": "AwsApiCall", "recipientAccountId": vpc.account, **(more or {})}
        if error:
            record |= {"errorCode": error, "responseElements": None}
        self.trail.append((time, vpc, record))
        return record["eventID"]

    def opens(self, time, group, port, cidr, who, vpc, way="permissions", name="AuthorizeSecurityGroupIngress", **more):
        low, high = port if isinstance(port, tuple) else (port, port)
        proto = "-1" if low == -1 else "tcp"
        ranges = {"ipv6Ranges": {"items": [{"cidrIpv6": cidr}]}} if ":" in cidr else {"ipRanges": {"items": [{"cidrIp": cidr}]}}
        ends = {} if low == -1 else {"fromPort": low, "toPort": high}
        asked = {"groupId": group, "ipPermissions": {"items": [{"ipProtocol": proto, "groups": {}, "prefixListIds": {}, **ends, **ranges}]}}
        rule = {"groupOwnerId": vpc.account, "groupId": group, "securityGroupRuleId": self.hex("sgr-"), "isEgress": False, "ipProtocol": proto,
                "fromPort": low, "toPort": high, ("cidrIpv6" if ":" in cidr else "cidrIpv4"): cidr}
        got = {"requestId": self.hex(""), "_return": True}
        if way == "rules":
            got["securityGroupRuleSet"] = {"items": [rule]}
        if way == "modify":
            name, asked = "ModifySecurityGroupRules", {"ModifySecurityGroupRulesRequest": {"GroupId": group, "SecurityGroupRule": {
                "SecurityGroupRuleId": rule["securityGroupRuleId"], "tag": 1, "SecurityGroupRule": {
                    "IpProtocol": proto, **({} if low == -1 else {"FromPort": low, "ToPort": high}), ("CidrIpv6" if ":" in cidr else "CidrIpv4"): cidr}}}}
        return self.call(time, name, who=who, vpc=vpc, asked=asked, got=got, **more)

    def runs(self, time, who, vpc, groups=None, public="", v6="", ip=None, **more):
        """An instance starts, and has an interface until it is ended."""
        eni = Eni(self, vpc, ip or vpc.address(self.rng), public, self.hex("i-"), groups or self.hex("sg-"), v6=v6)
        eni.begin = time + 8
        card = {"networkInterfaceId": eni.id, "privateIpAddress": eni.ip, "vpcId": vpc.id, "subnetId": vpc.subnet, "groupSet": {"items": [{"groupId": eni.group}]},
                "privateIpAddressesSet": {"item": [{"privateIpAddress": eni.ip, "primary": True}]}}
        item = {"instanceId": eni.instance, "instanceType": "c5.xlarge", "imageId": "ami-1", "privateIpAddress": eni.ip, "vpcId": vpc.id, "subnetId": vpc.subnet,
                "groupSet": {"items": [{"groupId": eni.group}]}, "networkInterfaceSet": {"items": [card]}}
        key = self.call(time, "RunInstances", who=who, vpc=vpc, asked={"instanceType": "c5.xlarge", "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]}},
                        got={"reservationId": self.hex("r-"), "instancesSet": {"items": [item]}}, **more)
        return eni, key

    def ends(self, time, eni, who):
        eni.end = time
        self.call(time, "TerminateInstances", who=who, vpc=eni.vpc, asked={"instancesSet": {"items": [{"instanceId": eni.instance}]}})
        eni.vpc.used.discard(eni.ip)

    def finds(self, time, kind, eni, severity, role="ACTOR", remote=None, long=600):
        key = f"{self.rng.getrandbits(128):032x}"
        card = {"networkInterfaceId": eni.id, "privateIpAddress": eni.ip, "publicIp": eni.public or None, "ipv6Addresses": [eni.v6] if eni.v6 else [], "vpcId": eni.vpc.id,
                "privateIpAddresses": [{"privateIpAddress": eni.ip}]}
        call = {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {"connectionDirection": "INBOUND" if role == "TARGET" else "OUTBOUND", "blocked": False,
                "remoteIpDetails": {"ipAddressV4": remote or self.outside()}, "localPortDetails": {"port": 22}, "protocol": "TCP"}}
        self.duty.append({"schemaVersion": "2.0", "accountId": eni.vpc.account, "region": "eu-west-1", "id": key, "type": kind, "severity": severity, "title": kind,
                          "createdAt": iso(time + 300), "updatedAt": iso(time + long + 300), "resource": {"resourceType": "Instance", "instanceDetails": {
                              "instanceId": eni.instance, "networkInterfaces": [card]}},
                          "service": {"serviceName": "guardduty", "action": call, "resourceRole": role, "eventFirstSeen": iso(time), "eventLastSeen": iso(time + long), "count": 3}})
        return key

    def asks(self, time, eni, name, answers, address=None):
        self.dns.append({"version": "1.100000", "account_id": eni.vpc.account, "region": "eu-west-1", "vpc_id": eni.vpc.id, "query_timestamp": iso(time), "query_name": f"{name}.",
                         "query_type": "AAAA" if ":" in answers[0] else "A", "query_class": "IN", "rcode": "NOERROR",
                         "answers": [{"Rdata": f"edge.{name}.", "Type": "CNAME", "Class": "IN"}, *({"Rdata": a, "Type": "A", "Class": "IN"} for a in answers)],
                         "srcaddr": address or eni.ip, "srcport": "51000", "transport": "UDP", "srcids": {"instance": eni.instance}})
        return f"{name}"

    def label(self, rule, mark, want, what):
        """``mark``: what the row of a match names; ``want``: True, False, or None for such a sequence without harm."""
        self.labels.append({"rule": rule, "mark": mark, "want": want, "what": what})

    # -- the world

    def world(self):
        rng = self.rng
        self.nats = [Eni(self, vpc, vpc.address(rng), self.outside(), kind="nat_gateway") for vpc in self.vpcs]
        self.nodes = [Eni(self, self.prod, self.prod.address(rng), instance=self.hex("i-"), group="sg-nodes") for _ in range(8)]
        for node in self.nodes:
            node.pods = [self.prod.address(rng) for _ in range(6)]
        self.database = Eni(self, self.prod, self.prod.address(rng), group="sg-db")
        self.balancers = [Eni(self, self.prod, self.prod.address(rng), self.outside(), group=self.hex("sg-")) for _ in range(2)]
        self.bastion = Eni(self, self.corp, self.corp.address(rng), self.outside(), self.hex("i-"), self.hex("sg-"), v6="2600:1f18:1:1::22")
        self.servers = [Eni(self, self.corp, self.corp.address(rng), self.outside(), self.hex("i-"), self.hex("sg-"), v6=f"2600:1f18:1:2::{n:x}") for n in range(1, 9)]
        self.workers = [Eni(self, self.corp, self.corp.address(rng), "", self.hex("i-"), "sg-workers") for _ in range(6)]
        self.scanner = Eni(self, self.corp, self.corp.address(rng), "", self.hex("i-"), "sg-scanner")
        self.vpn = Eni(self, self.corp, self.corp.address(rng), group="sg-vpn")
        self.lambdas = [Eni(self, vpc, vpc.address(rng), group="sg-lambda") for vpc in (self.prod, self.corp) for _ in range(3)]
        self.services = [Eni(self, self.ci, self.ci.address(rng), group="sg-cache") for _ in range(2)]
        self.free = [*self.servers]
        rng.shuffle(self.free)
        self.private = [*self.workers]
        rng.shuffle(self.private)

    def background(self):
        rng, start, n = self.rng, self.start, lambda number: int(number * self.size)
        cdn = [self.outside() for _ in range(60)]
        names = [(f"{w}.{d}", rng.sample(cdn, 2)) for w in ("api", "www", "cdn", "img", "auth", "registry") for d in ("github.com", "docker.io", "npmjs.org", "stripe.com", "datadoghq.eu", "slack.com")]
        when = lambda: start + rng.randrange(DAY - 60)  # noqa: E731
        work = lambda: start + 8 * HOUR + rng.randrange(9 * HOUR)  # noqa: E731
        for node in self.nodes:  # long connections of pods, and short ones
            for pod in node.pods[:2]:
                self.conn(start + rng.randrange(900), DAY - 2000, (node, pod), self.database, 5432, 9_000_000, 40_000_000)
            for _ in range(n(60)):
                other = rng.choice(self.nodes)
                self.conn(when(), rng.randrange(40), (node, rng.choice(node.pods)), (other, rng.choice(other.pods)), rng.choice([8080, 9090, 6379, 9999, 5555, 4444]))
            for _ in range(n(80)):
                name, answers = rng.choice(names)
                at = when()
                self.asks(at, node, name, answers)
                self.conn(at + 1, rng.choice([2, 30, 3000, 9000]), (node, rng.choice(node.pods)), rng.choice(answers), 443, rng.choice([2000, 80_000]))
        for balancer in self.balancers:
            for _ in range(n(1500)):
                at, node = when(), rng.choice(self.nodes)
                self.conn(at, rng.randrange(60), self.outside(), balancer, 443)
                self.conn(at, rng.randrange(60), balancer, (node, rng.choice(node.pods)), 8080)
        for server in self.servers:
            for _ in range(n(150)):
                self.conn(when(), rng.randrange(90), self.outside() if rng.random() < 0.9 else self.outside6(), server, 443)
            for host in (self.database, *self.workers[:1]):
                self.conn(when(), 20, server, host, 5432)
        for _ in range(n(4000)):  # the noise of the internet
            target = rng.choice([self.bastion, *self.servers, *self.balancers, *self.nats])
            self.conn(when(), 0, self.outside(), target, rng.choice([22, 23, 80, 445, 3389, 5900, 6379, 8080, rng.randrange(1, 65000)]), 40, 0, accept=False)
        for _ in range(n(250)):  # the office and people of the VPN work on the bastion
            self.conn(work(), rng.randrange(4000), OFFICE, self.bastion, 22, 30_000, 90_000)
        for _ in range(n(150)):
            self.conn(work(), rng.randrange(2000), self.vpn, rng.choice(self.workers), rng.choice([22, 443, 3389]), 8000, 30_000)
        for person in rng.sample(self.people, n(60)):
            mfa = "No" if rng.random() < 0.3 else "Yes"
            role = rng.random() < 0.5
            self.call(work(), "ConsoleLogin", "signin", f"role/AWSReservedSSO_Admin/{person}" if role else f"user/{person}", self.corp, None, {"ConsoleLogin": "Success" if rng.random() < 0.95 else "Failure"},
                      ip=OFFICE, more={"additionalEventData": {"MFAUsed": mfa, "MobileVersion": "No"}, "eventType": "AwsConsoleSignIn"})
        for person in rng.sample(self.people, n(6)):  # from home: no flow of theirs
            self.call(work(), "ConsoleLogin", "signin", f"user/{person}", self.corp, None, {"ConsoleLogin": "Success"}, ip=self.outside(),
                      more={"additionalEventData": {"MFAUsed": "No"}, "eventType": "AwsConsoleSignIn"})
        at = start + 2 * HOUR  # the scanner of the company looks at everything
        for target in [*self.workers, *self.servers, *self.lambdas[3:]]:
            for port in rng.sample(range(1, 10_000), n(60)):
                at += 1
                self.conn(at, 0, self.scanner, target, port, 40, 0, accept=False)
            self.conn(at, 2, self.scanner, target, 443)
        for _ in range(n(70)):  # runners
            at = start + rng.randrange(DAY - 2 * HOUR)
            who = f"role/gh-runner-scaler/{rng.randrange(10**9)}" if rng.random() < 0.6 else "role/AWSServiceRoleForAutoScaling/AutoScaling"
            runner, _ = self.runs(at, who, self.ci, "sg-runner", ip=rng.choice([None, f"10.20.{rng.randrange(3)}.{rng.randrange(4, 250)}"]))
            for _ in range(12):
                name, answers = rng.choice(names)
                self.asks(at + 20, runner, name, answers)
                self.conn(at + rng.randrange(30, 900), rng.choice([3, 60, 4000]), runner, rng.choice(answers), 443, 9000, 2_000_000)
            self.asks(at + 40, runner, f"{self.hex('')}.s3.eu-west-1.amazonaws.com", [rng.choice(cdn)])
            self.conn(at + 45, 20, runner, rng.choice(self.services), rng.choice([443, 9999, 5555]), 900_000)
            self.ends(at + rng.randrange(1000, 6000), runner, who)
        for _ in range(n(8)):  # pipelines open ports, each for its own group
            at, vpc = work(), rng.choice(self.vpcs)
            group = rng.choice([self.hex("sg-"), rng.choice([e for e in vpc.enis if e.group]).group])
            who = "role/terraform-apply/GitHubActions"
            cidr, port = rng.choice([(f"{OFFICE}/32", 22), ("0.0.0.0/0", 443), ("10.0.0.0/8", 5432), ("::/0", 443), ("0.0.0.0/0", 80)])
            self.call(at - 30, "CreateSecurityGroup", who=who, vpc=vpc, asked={"groupName": "x", "vpcId": vpc.id}, got={"groupId": group})
            key = self.opens(at, group, port, cidr, who, vpc, rng.choice(["permissions", "rules"]), ip=rng.choice(["13.64.1.9", OFFICE]))
            if any(e.group == group for e in vpc.enis):
                self.label("opened-and-entered", key, None, f"pipeline opens {port} to {cidr}")
        for server in rng.sample(self.servers, 3):  # groups for load balancers: clients come after
            self.conn(work(), 30, self.outside(), server, 443)
        everybody = [e for e in [*self.servers, *self.workers, *self.nodes, self.bastion]]
        for _ in range(n(25)):
            host = rng.choice(everybody)
            kind, severity, role = rng.choice([("Recon:EC2/PortProbeUnprotectedPort", 2, "TARGET"), ("UnauthorizedAccess:EC2/SSHBruteForce", 2, "TARGET"),
                                               ("UnauthorizedAccess:EC2/RDPBruteForce", 2, "TARGET")])
            self.finds(when(), kind, host, severity, role)
        self.finds(start + 2 * HOUR, "Recon:EC2/Portscan", self.scanner, 5)
        self.finds(when(), "Behavior:EC2/NetworkPortUnusual", rng.choice(everybody), 5)
        for host in rng.sample(everybody, 2):  # backups go to the same vendor each night
            for hour in (1, 13):
                self.conn(start + hour * HOUR, 1200, host, "52.95.110.1", 443, 400_000_000, 3_000_000)
        for _ in range(n(20_000)):
            vpc = rng.choice(self.vpcs)
            name, service = rng.choice([("DescribeInstances", "ec2"), ("GetObject", "s3"), ("PutObject", "s3"), ("AssumeRole", "sts"), ("DescribeSecurityGroups", "ec2"), ("Decrypt", "kms"), ("ListBuckets", "s3")])
            self.call(when(), name, service, rng.choice(["role/app/session", f"user/{rng.choice(self.people)}", "role/terraform-apply/GitHubActions"]), vpc, {"x": 1})
        for _ in range(n(6)):
            self.call(work(), rng.choice(["CreateUser", "AttachUserPolicy", "CreateAccessKey"]), "iam", f"user/{rng.choice(self.people)}", rng.choice(self.vpcs), {"userName": "n"},
                      error="" if rng.random() < 0.7 else "AccessDenied")
        for vpc in self.vpcs:  # windows without traffic
            for eni in vpc.enis:
                for slot in range(144):
                    self.line(eni, start + slot * 600, start + slot * 600 + vpc.aggregation - 1, "-", "-", "-", "-", "-", "-", "-", "-", "-", 0, None, "NODATA")

    # -- files

    def write(self, folder, inventory=False):
        folder = Path(folder)
        for vpc in self.vpcs:
            files = {}
            for due, start, end, line in vpc.lines:
                if not any(a <= end and start < b for a, b in vpc.gaps):
                    files.setdefault(due // 300 * 300, []).append(line)
            for due, lines in files.items():
                self.rng.shuffle(lines)
                when = datetime.datetime.fromtimestamp(due, datetime.timezone.utc)
                path = folder / "flows" / vpc.account / f"{vpc.account}_vpcflowlogs_eu-west-1_{vpc.flow_log}_{when:%Y%m%dT%H%MZ}_{due:x}.log.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                with gzip.open(path, "wt", compresslevel=1) as out:
                    out.write("\n".join([" ".join(FORMATS[vpc.form]), *lines]) + "\n")
        trails = {}
        for time, vpc, record in self.trail:
            trails.setdefault((vpc.account, int(time) // 900 * 900), []).append(record)
        for (account, due), records in trails.items():
            self.rng.shuffle(records)
            path = folder / "cloudtrail" / account / f"{account}_CloudTrail_eu-west-1_{due}.json.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.open(path, "wt", compresslevel=1) as out:
                json.dump({"Records": records}, out)
        for name, rows in (("guardduty", self.duty), ("dns", self.dns)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        if inventory:
            (folder / "inventory").mkdir(exist_ok=True)
            day = iso(self.start).replace(":", "-")
            for vpc in self.vpcs:
                items = [{"NetworkInterfaceId": e.id, "VpcId": vpc.id, "OwnerId": vpc.account, "PrivateIpAddress": e.ip, "InterfaceType": e.kind,
                          "Groups": [{"GroupId": e.group, "GroupName": e.group}] if e.group else [], "Ipv6Addresses": [{"Ipv6Address": e.v6}] if e.v6 else [],
                          "Attachment": {"InstanceId": e.instance} if e.instance else {},
                          "PrivateIpAddresses": [{"PrivateIpAddress": a} for a in (e.ip, *e.pods)]} for e in vpc.enis if e.begin == self.start]
                (folder / "inventory" / f"describe-network-interfaces_{vpc.account}_{day}.json").write_text(json.dumps({"NetworkInterfaces": items}))
        (folder / "stories.json").write_text(json.dumps(self.labels, indent=1))
        return self.labels


def judged(labels, rows):
    """By rule: told, found, again, harmless, shown, near (misses), wrong (near misses shown), false; and what went wrong."""
    out, wrong, used = {}, [], set()
    for label in labels:
        one = out.setdefault(label["rule"], dict.fromkeys(("told", "found", "again", "harmless", "shown", "near", "wrong", "false"), 0))
        mine = [n for n, row in enumerate(rows) if row["rule"] == label["rule"] and label["mark"] in json.dumps(row)]
        used |= {*mine}
        names = {True: ("told", "found"), None: ("harmless", "shown"), False: ("near", "wrong")}[label["want"]]
        one[names[0]] += 1
        one[names[1]] += bool(mine)
        one["again"] += max(len(mine) - 1, 0)
        if (label["want"] is not None and label["want"] != bool(mine)) or len(mine) > 1:
            wrong.append(("missed" if label["want"] else "again" if len(mine) > 1 else "near", label))
    for n, row in enumerate(rows):
        if n not in used:
            one = out.setdefault(row["rule"], dict.fromkeys(("told", "found", "again", "harmless", "shown", "near", "wrong", "false"), 0))
            one["false"] += 1
            wrong.append(("false", row))
    return out, wrong


if __name__ == "__main__":
    Day(int(sys.argv[1])).write(sys.argv[2], int(sys.argv[1]) % 2 == 1)
