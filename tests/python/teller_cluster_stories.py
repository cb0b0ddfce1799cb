"""What happens on a day of teller_cluster: the stories that the shipped sequences are for, and near misses of them."""

import ipaddress


class Stories:
    def tell(self):
        for story in (self.opened, self.scanned, self.console, self.deleted, self.gap, self.exfiltrated, self.named, self.mined):
            if self.rng.random() < 0.85:
                story(True)
            if self.rng.random() < 0.85:
                story(False)

    def someone(self):
        return self.rng.choice([f"user/{self.rng.choice(self.people)}", "root", f"role/OrganizationAccountAccessRole/{self.rng.randrange(10**9)}", f"role/AWSReservedSSO_Admin/{self.rng.choice(self.people)}"])

    def at(self, low=1, high=20):
        return self.start + int(self.rng.uniform(low, high) * 3600)

    def opened(self, real):
        rng, host, who, bad = self.rng, self.free.pop(), self.someone(), self.outside()
        six = rng.random() < 0.25
        bad, wide = (self.outside6(), "::/0") if six else (bad, "0.0.0.0/0")
        port = rng.choice([22, 3389, 5432, 9200, (0, 65535), (-1, -1), (8000, 8999)])
        hit = port if isinstance(port, int) else 8443 if port == (8000, 8999) else rng.choice([22, 6379])
        cidr = rng.choice([wide, wide, str(ipaddress.ip_network(f"{bad}/{rng.choice([128, 64]) if six else rng.choice([32, 24])}", strict=False))])
        way, at = rng.choice(["permissions", "rules", "modify"]), self.at(1, 9)
        rule = "opened-and-entered"
        if real:
            later = at + rng.choice([40, 600, 4 * 3600, 13 * 3600])
            key = self.opens(at, host.group, port, cidr, who, self.corp, way, ip=self.outside())
            self.conn(later, rng.choice([20, 2000]), bad, host, hit, 9000, 60_000)
            self.label(rule, key, True, f"{way} {port} {cidr} +{later - at}")
            return
        miss = rng.choice(["before", "port", "closed", "rejected", "failed", "range"])
        error = {"error": "Client.UnauthorizedOperation"} if miss == "failed" else {}
        cidr = "192.0.2.0/24" if miss == "range" and not six else "2001:db8::/32" if miss == "range" else cidr
        key = self.opens(at, host.group, hit, cidr, who, self.corp, "permissions", **error)
        if miss == "before":
            self.conn(at - 900, 30, bad, host, hit)
        elif miss == "closed":
            self.opens(at + 300, host.group, hit, cidr, who, self.corp, "permissions", "RevokeSecurityGroupIngress")
            self.conn(at + 4000, 30, bad, host, hit)
        else:
            self.conn(at + 4000, 30, bad, host, hit + 1 if miss == "port" else hit, accept=miss != "rejected")
        self.label(rule, key, False, miss)

    def scanned(self, real):
        rng, bad, at, rule = self.rng, self.outside(), self.at(1, 12), "scanned-entered-called-out"
        way = rng.choice(["ports", "ports", "slow", "bastion", "six", "hosts"])
        host = self.bastion if way == "bastion" else self.free.pop()
        bad = self.outside6() if way == "six" else bad
        end = (host, host.v6) if way == "six" else host
        now = at
        order = "" if real else rng.choice(["none", "earlier", "other"])
        remote = self.outside6() if way == "six" else self.outside()
        if order == "earlier":
            self.conn(at - 3000, 1200, host, remote, 443, 2_500_000_000, 90_000)
        if way == "hosts":
            for other in [s for s in self.servers if s is not host]:
                now += 3
                self.conn(now, 0, bad, other, 8080, 40, 0, accept=False)
        for port in rng.sample(range(1, 20_000), 6 if way == "hosts" else 140):
            now += rng.randrange(60, 90) if way == "slow" else rng.randrange(1, 4)
            self.conn(now, 0, bad, end, port, 40, 0, accept=False)
        hit = 22 if way == "bastion" else 8080
        if order != "none":
            self.conn(now + 5, 3, bad, end, hit, 700, 900)
            self.conn(now + 400, 1900, bad, end, hit, 60_000, 200_000)
        out = rng.choice(["beacon", "upload"])
        sender = end if order != "other" else self.private[0]
        remote = self.outside() if order == "other" else remote
        if order in ("", "other") and out == "upload":
            self.conn(now + 4000, 1500, sender, remote, 443, 2_500_000_000, 90_000)
        elif order in ("", "other"):
            for beat in range(90):
                self.conn(now + 3000 + 120 * beat, 1, sender, remote, 8443, 700, 500)
        self.label(rule, bad, real, f"{way} {out} {order}")

    def console(self, real):
        rng, at, rule, host = self.rng, self.at(2, 10), "console-without-mfa-then-flows", self.free.pop()
        bad = self.outside6() if rng.random() < 0.2 else self.outside()
        who, mfa, outcome = rng.choice([f"user/{rng.choice(self.people)}", "root"]), "No", "Success"
        miss = "" if real else rng.choice(["mfa", "failure", "earlier", "port", "other"])
        mfa, outcome = "Yes" if miss == "mfa" else mfa, "Failure" if miss == "failure" else outcome
        key = self.call(at, "ConsoleLogin", "signin", who, self.corp, None, {"ConsoleLogin": outcome}, ip=bad,
                        more={"additionalEventData": {"MFAUsed": mfa}, "eventType": "AwsConsoleSignIn"})
        later = -3000 if miss == "earlier" else rng.choice([60, 3000, 12 * 3600])
        self.conn(at + later, 400, (self.outside6() if ":" in bad else self.outside()) if miss == "other" else bad, host, 443 if miss == "port" else rng.choice([22, 3389, 5986]), 9000, 40_000)
        self.label(rule, key, real, f"{who} {miss} +{later}")

    def deleted(self, real):
        rng, at, rule, who = self.rng, self.at(2, 14), "flow-log-deleted-then-activity", self.someone()
        vpc = self.corp if real else self.prod
        miss = "" if real else rng.choice(["failed", "none"])
        name, service, asked = rng.choice([("DeleteFlowLogs", "ec2", {"DeleteFlowLogsRequest": {"FlowLogId": vpc.flow_log}}), ("StopLogging", "cloudtrail", {"name": "t"}), ("DeleteTrail", "cloudtrail", {"name": "t"})])
        key = self.call(at, name, service, who, vpc, asked, {"_return": True}, error="AccessDenied" if miss == "failed" else "", ip=self.outside())
        if miss != "none":
            self.call(at + rng.choice([50, 4000]), rng.choice(["CreateAccessKey", "RunInstances", "AttachUserPolicy"]), "iam", who, vpc, {"userName": "b"}, {})
        self.label(rule, key, real if miss != "none" else None, f"{name} {miss}")

    def gap(self, real):
        rng, at, rule = self.rng, self.at(3, 15), "gap-then-activity"
        vpc, miss = (self.corp, "") if real else (self.prod, rng.choice(["one", "short"]))
        long = rng.choice([1800, 3600])
        if real:
            vpc.gaps.append((at, at + long))
            self.call(at + long + 900, "CreateUser", "iam", self.someone(), vpc, {"userName": "b"}, {}, ip=self.outside())
            self.label(rule, f"coverage:{vpc.account}", True, f"{long}")
        elif miss == "short":
            vpc.gaps.append((at, at + 240))

    def exfiltrated(self, real):
        rng, at, rule = self.rng, self.at(7, 15), "guardduty-and-exfiltration"
        host = rng.choice([self.private.pop(), self.free.pop() if self.free else self.bastion, rng.choice(self.nodes)])
        kind = rng.choice(["Trojan:EC2/DNSDataExfiltration", "Backdoor:EC2/C&CActivity.B", "Behavior:EC2/TrafficVolumeUnusual", "UnauthorizedAccess:EC2/TorClient"])
        miss = "" if real else rng.choice(["other", "window", "account"])
        remote = self.outside()
        named = host
        if miss == "other":
            named = rng.choice([e for e in [*self.workers, *self.nodes] if e is not host])
        elif miss == "account":
            named = type(host)(self, self.ci, host.ip, "", self.hex("i-"), "sg-runner")
        key = self.finds(at, kind, named, rng.choice([5, 8]), remote=remote)
        later = rng.choice([-2 * 3600, -900, 300, 5 * 3600])
        later = rng.choice([-6.9 * 3600, 7.5 * 3600]) if miss == "window" else later
        self.conn(int(at + later), rng.choice([900, 4000]), host, remote if rng.random() < 0.7 else self.outside(), rng.choice([443, 21, 8080]), 3_000_000_000, 60_000)
        self.label(rule, key, real, f"{kind} {miss} {later:+}")

    def named(self, real):
        rng, at, rule, host = self.rng, self.at(3, 14), "new-name-then-long-session", self.private.pop()
        if rng.random() < 0.3 and self.free:
            host = self.free.pop()
        remote, name = self.outside(), f"{self.hex('')[:8]}.{rng.choice(['example-cdn.net', 'duckdns.org', 'top'])}"
        if host.v6 and rng.random() < 0.5:
            remote = self.outside6()
        miss = "" if real else rng.choice(["known", "short", "before", "other"])
        if miss == "known":
            self.asks(at - 5000, rng.choice(self.nodes), name, [remote])
        if rng.random() < 0.3 and miss == "":
            for other in self.nodes[:3]:  # asked again, later
                self.asks(at + 20_000, other, name, [remote])
        self.asks(at, host, name.upper() if rng.random() < 0.2 else name, [self.outside6() if ":" in remote else self.outside(), remote], host.v6 if ":" in remote and rng.random() < 0.5 else None)
        later = -2000 if miss == "before" else rng.choice([1, 30, 3 * 3600])
        self.conn(at + later, 1500 if miss == "short" else rng.choice([3700, 9000]), self.workers[0] if miss == "other" and host is not self.workers[0] else self.nodes[0] if miss == "other" else host,
                  remote, rng.choice([443, 8443, 53]), 90_000, 200_000)
        self.label(rule, name, real, f"{miss} +{later} {remote}")

    def mined(self, real):
        rng, at, rule, who = self.rng, self.at(1, 6), "new-instances-then-mining", self.someone()
        vpc = rng.choice(self.vpcs)
        miss = "" if real else rng.choice(["usual", "port", "other", "address"])
        if miss == "usual":
            who = "role/AWSServiceRoleForAutoScaling/AutoScaling"
            self.runs(self.start + 60, who, vpc)
        host, key = self.runs(at, who, vpc, v6="2600:1f18:9::9" if rng.random() < 0.3 else "", ip=self.outside() and None)
        sender = host
        if miss == "address":  # the next owner of the address
            self.ends(at + 2000, host, who)
            sender, _ = self.runs(at + 4000, "role/AWSServiceRoleForAutoScaling/AutoScaling", vpc, ip=host.ip)
            self.runs(self.start + 61, "role/AWSServiceRoleForAutoScaling/AutoScaling", vpc)
        elif miss == "other":
            sender = self.nodes[-1]
        later = rng.choice([200, 5000, 17 * 3600])
        later = max(later, 5000) if miss == "address" else later
        remote = self.outside6() if host.v6 and sender is host else self.outside()
        self.conn(at + later, rng.choice([60, 5000]), sender, remote, 443 if miss == "port" else rng.choice([3333, 4444, 5555, 7777, 14444, 45700]), 20_000, 30_000)
        self.label(rule, key, real, f"{who} {miss} +{later} {vpc.form}")
