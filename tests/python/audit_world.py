"""Small worlds of zones, interfaces and sessions whose truth is known; their logs, and the slow obvious verdicts of controls.

`example(folder)` writes examples/audit.
"""

import datetime
import gzip
import json
import random
from typing import NamedTuple

_DEFAULT = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
FIELDS = [*_DEFAULT.split(), "flow-direction", "pkt-srcaddr", "pkt-dstaddr"]
DAY = 1793491200  # 2026-11-01
SERVICES = (22, 443, 3306, 5432)
FATES = ("answered", "accepted", "rejected_there", "rejected_here", "lost")


class Talk(NamedTuple):
    """A session in one minute: its truth."""

    client: str  # interfaces
    server: str
    port: int
    minute: int
    fate: str
    source_port: int


class World:
    """Interfaces with an address and a tag each; `seen` tells what each logs in a minute: True, "SKIPDATA" or False."""

    def __init__(self, seed, minutes=24, hosts=3, talks=8, window=60):
        self.random = random.Random(seed)
        self.minutes, self.window = minutes, window
        self.zones = {"dev": "10.30.0", "cde": "10.20.0", "web": "10.40.0"}
        self.address = {f"eni-{zone}{i}": f"{net}.{i + 4}" for zone, net in self.zones.items() for i in range(hosts)}
        self.zone = {eni: next(z for z in self.zones if z in eni) for eni in self.address}
        self.seen = {(eni, m): True for eni in self.address for m in range(minutes)}
        pairs = [(a, b) for a in self.address for b in self.address if a != b]
        self.talks = []
        # So that logs of one direction alone, or of REJECT alone, are never what is tried here.
        for i, (a, b) in enumerate((("web", "web"), ("dev", "web"))):
            self.talks.append(Talk(f"eni-{a}0", f"eni-{b}1", 443, i, "answered", 50000 + i))
        for i in range(talks):
            client, server = self.random.choice(pairs)
            self.talks.append(Talk(client, server, self.random.choice(SERVICES), self.random.randrange(minutes),
                                   self.random.choice(FATES), 40000 + i))

    def blind(self, eni, begin, length, kind=False):
        """Takes minutes of an interface away: lost, or SKIPDATA."""
        for m in range(begin, min(begin + length, self.minutes)):
            self.seen[eni, m] = kind

    def records(self):
        """All lines of the logs, as mappings."""
        out = []
        for eni in self.address:
            for m in range(self.minutes):
                if self.seen[eni, m] is False:
                    continue
                own = [] if self.seen[eni, m] == "SKIPDATA" else list(self._of(eni, m))
                out += own or [self._line(eni, m, status="SKIPDATA" if self.seen[eni, m] == "SKIPDATA" else "NODATA")]
        return out

    def _of(self, eni, minute):
        for talk in self.talks:
            if talk.minute != minute or eni not in (talk.client, talk.server):
                continue
            here = eni == talk.client
            if talk.fate in ("lost", "rejected_here") and not here:
                continue
            blocked = talk.fate == "rejected_here" if here else talk.fate == "rejected_there"
            ends = (self.address[talk.client], self.address[talk.server], talk.source_port, talk.port)
            packets = 6 if talk.fate == "answered" else 2
            yield self._line(eni, minute, ends, packets, "REJECT" if blocked else "ACCEPT", "egress" if here else "ingress")
            if talk.fate == "answered":
                back = (ends[1], ends[0], ends[3], ends[2])
                yield self._line(eni, minute, back, packets, "ACCEPT", "ingress" if here else "egress")

    def _line(self, eni, minute, ends=None, packets="-", action="-", direction="-", status="OK"):
        begin = DAY + minute * self.window
        src, dst, srcport, dstport = ends or ("-",) * 4
        return {
            "version": 2, "account-id": "123456789012", "interface-id": eni, "srcaddr": src, "dstaddr": dst, "srcport": srcport,
            "dstport": dstport, "protocol": 6 if ends else "-", "packets": packets, "bytes": packets * 60 if ends else "-",
            "start": begin, "end": begin + self.window, "action": action, "log-status": status, "flow-direction": direction,
            "pkt-srcaddr": src, "pkt-dstaddr": dst,
        }

    def inventory(self, folder):
        """Writes what the interfaces are, by tag."""
        folder.mkdir(parents=True, exist_ok=True)
        items = [
            {"NetworkInterfaceId": eni, "PrivateIpAddress": address, "VpcId": "vpc-0a", "SubnetId": "subnet-0a", "OwnerId": "123456789012",
             "InterfaceType": "interface", "Status": "in-use", "TagSet": [{"Key": "env", "Value": self.zone[eni]}]}
            for eni, address in self.address.items()
        ]
        (folder / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": items}))
        return folder


def text_of(records, fields=FIELDS):
    """Lines with their header."""
    return "\n".join([" ".join(fields), *(" ".join(str(one[name]) for name in fields) for one in records)]).encode() + b"\n"


def verdict(world, control, zone_of):
    """The verdict of a control by the truth of a world and what was logged of it: slow and obvious.

    `control`: kind, source, target, ports, spared, least, excepted: pairs (address, port) that are let pass.
    """
    logged = lambda eni, m: world.seen[eni, m] is True  # noqa: E731
    covered = logged
    broken = unknown = tries = met = 0
    for talk in world.talks:
        source, target = zone_of(talk.client), zone_of(talk.server)
        at_port = not control["ports"] or talk.port in control["ports"]
        if control["kind"] == "allow_only":
            about = source == control["source"] and not (target == control["target"] and at_port)
        else:
            about = source == control["source"] and target == control["target"] and at_port and talk.port not in control["spared"]
        here, there = logged(talk.client, talk.minute), logged(talk.server, talk.minute)
        if not about or not (here or there):
            continue
        excepted = (world.address[talk.client], talk.port) in control["excepted"]
        if talk.fate == "answered":
            met += 1
            broken += not excepted
        elif talk.fate == "accepted" and there:
            broken += not excepted
        elif (talk.fate == "rejected_there" and there) or (talk.fate == "rejected_here" and here):
            tries += not excepted
        elif here and not covered(talk.server, talk.minute):  # accepted where the client is, and nobody saw more
            unknown += not excepted
    if control["kind"] == "require":
        if met:
            return "pass_enforced"
    elif broken:
        return "fail"
    sides = [control["source"]] if control["kind"] == "allow_only" else [control["source"], control["target"]]
    for side in sides:
        own = [eni for eni in world.address if zone_of(eni) == side]
        minutes = [world.seen[eni, m] for eni in own for m in range(world.minutes)]
        never = any(not any(world.seen[eni, m] for m in range(world.minutes)) for eni in own)
        if never or "SKIPDATA" in minutes or minutes.count(True) < control["least"] * len(minutes):
            return "not_evaluable"
    if unknown:
        return "not_evaluable"
    if control["kind"] == "require":
        return "fail"
    return "pass_enforced" if tries else "pass_silent"


def document(control, by="tag"):
    """A file of one control, as plain values."""
    zones = {name: {"tag": {"env": name}} if by == "tag" else {"cidr": f"{net}.0/24"}
             for name, net in {"dev": "10.30.0", "cde": "10.20.0", "web": "10.40.0"}.items()}
    said = {"from": control["source"], "to": control["target"]}
    if control["ports"]:
        said["ports"] = [f"tcp/{port}" for port in control["ports"]]
    if control["spared"]:
        said["except"] = [f"tcp/{port}" for port in control["spared"]]
    one = {"id": "c", control["kind"]: said, "coverage": {"least": control["least"]}}
    if control["excepted"]:
        one["exceptions"] = [
            {"id": f"EX-{i}", "from": address, "ports": [f"tcp/{port}"], "until": "2026-12-31", "owner": "net", "ticket": "T-1"}
            for i, (address, port) in enumerate(control["excepted"])
        ]
    return {"zones": zones, "controls": [one]}


def some_control(world):
    """A control of a world by its dice."""
    dice = world.random
    kind = dice.choice(("deny", "deny", "allow_only", "require"))
    source, target = dice.sample(sorted(world.zones), 2)
    ports = dice.sample(SERVICES, dice.choice((1, 2))) if dice.random() < (0.7 if kind == "allow_only" else 0.3) else []
    spared = dice.sample(SERVICES, 1) if kind == "deny" and dice.random() < 0.5 else []
    clients = [talk for talk in world.talks if world.zone[talk.client] == source]
    excepted = [(world.address[t.client], t.port) for t in dice.sample(clients, min(len(clients), dice.choice((0, 0, 1))))]
    return {"kind": kind, "source": source, "target": target, "ports": ports, "spared": spared,
            "excepted": excepted if kind != "require" else [], "least": dice.choice((1, 1, 0.9, 0.5))}


def with_gaps(world):
    """Takes away some minutes, two at least: less than two windows is no gap."""
    dice = world.random
    for _ in range(dice.choice((0, 0, 1, 2, 4))):
        eni, begin = dice.choice(sorted(world.address)), dice.randrange(world.minutes)
        kind = dice.choice((False, False, "SKIPDATA"))
        length = dice.choice((2, 3, 6, world.minutes))
        begin = min(begin, max(world.minutes - length, 0))
        if all(world.seen[eni, m] is True for m in range(max(begin - 2, 0), min(begin + length + 2, world.minutes))):
            world.blind(eni, begin, length, kind)
    return world


def day_text(time):
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%d")


def write_gz(path, data):
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file:
        file.write(data)


CONTROLS = """\
# Who may talk to whom around the cardholder data environment (CDE).
inventory: aws/
coverage: {least: 0.99}
zones:
  cde: {tag: {zone: cde}}
  dmz: {tag: {zone: dmz}}
  dev: {tag: {zone: dev}}
  payments: {cidr: [203.0.113.0/24]}
  elsewhere: {not: [cde, dmz]}
controls:
  - id: no-dev-in-cde
    title: Developers have no way into the CDE
    deny: {from: dev, to: cde}
    maps: [pci-4.0.1/1.3.1, pci-4.0.1/11.4.5, nist-800-53r5/sc-7.5, iso-27001-2022/a.8.22]
    exceptions:
      - {id: EX-12, from: 10.30.0.9, to: cde, ports: [tcp/22], until: 2026-11-02, owner: network team, ticket: CHG-77}
  - id: cde-in
    title: Into the CDE only from the DMZ
    deny: {from: elsewhere, to: cde}
    maps: [pci-4.0.1/1.3.1, pci-4.0.1/1.4.4, soc2-2017/cc6.6]
    exceptions:
      - {id: EX-12, from: 10.30.0.9, to: cde, ports: [tcp/22], until: 2026-11-02, owner: network team, ticket: CHG-77}
  - id: cde-out
    title: Out of the CDE only to the payment provider
    allow_only: {from: cde, to: [payments, cde], ports: [tcp/443, tcp/5432]}
    maps: [pci-4.0.1/1.3.2]
  - id: payments-answered
    title: The payment provider is reached every day
    require: {from: cde, to: payments, ports: [tcp/443]}
"""
PROBES = """\
source,destination,port,protocol,time,expected
10.30.0.7,10.20.0.5,22,tcp,2026-11-01T09:00:00Z,rejected
10.30.0.7,10.20.0.6,5432,tcp,2026-11-02T09:00:00Z,rejected
10.40.0.4,10.20.0.5,8443,tcp,2026-11-01T12:00:00Z,answered
10.30.0.7,10.20.0.6,3306,tcp,2026-11-01T15:00:00Z,rejected
"""


def example(folder):
    """Writes examples/audit: two days of a shop with a CDE, in windows of ten minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(0, minutes=288, hosts=0, talks=0, window=600)
    world.address = {
        "eni-0dmz000000000001": "10.40.0.4", "eni-0cde000000000001": "10.20.0.5", "eni-0cde000000000002": "10.20.0.6",
        "eni-0dev000000000001": "10.30.0.7", "eni-0dev000000000002": "10.30.0.9", "outside": "203.0.113.10",
    }
    dmz, app, db, dev, admin, outside = world.address
    world.zone = {eni: "payments" if eni == "outside" else eni[5:8] for eni in world.address}
    world.seen = {(eni, m): eni != "outside" for eni in world.address for m in range(world.minutes)}
    world.talks = [
        *(Talk(dmz, app, 8443, m, "answered", 40000 + m) for m in range(0, 288, 6)),
        *(Talk(app, db, 5432, m, "answered", 41000 + m) for m in range(0, 288, 6)),
        *(Talk(app, outside, 443, m, "answered", 42000 + m) for m in range(3, 288, 12)),
        *(Talk(dev, app, 22, m, "rejected_there", 43000 + m) for m in (54, 100, 180)),
        *(Talk(admin, app, 22, m, "answered", 44000 + m) for m in (60, 66)),
        Talk(dev, db, 5432, 198, "answered", 45000),
    ]
    write_gz(folder / "flow.log.gz", text_of([one for one in world.records()]))
    items = [
        {"NetworkInterfaceId": eni, "PrivateIpAddress": address, "VpcId": "vpc-0a1b2c3d4e5f60718", "SubnetId": "subnet-0a1b2c3d4e5f60718",
         "OwnerId": "123456789012", "InterfaceType": "interface", "Status": "in-use", "TagSet": [{"Key": "zone", "Value": world.zone[eni]}]}
        for eni, address in world.address.items() if eni != "outside"
    ]
    (folder / "aws").mkdir(exist_ok=True)
    text = json.dumps({"NetworkInterfaces": items}, indent=1)
    (folder / "aws" / "describe-network-interfaces.2026-11-02.json").write_text(text + "\n")
    (folder / "controls.yaml").write_text(CONTROLS)
    (folder / "tests.csv").write_text(PROBES)
