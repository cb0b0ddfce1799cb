"""Controls: verdicts against a slow oracle, vantage points, splits, gaps, exceptions; no answer turns into its opposite."""

import json
import random

import pytest

import audit_world as aw
import vpcflow as vf
from conftest import LONG
from vpcflow import audit

OPPOSITE = {"fail": ("pass_enforced", "pass_silent"), "pass_enforced": ("fail",), "pass_silent": ("fail",)}


def checked(log, document, **more):
    (one,) = audit.check(vf.scan(log), document, **more)
    return one


@pytest.mark.parametrize("seed", range(400 if LONG else 40))
def test_verdicts_are_those_of_the_oracle(seed, tmp_path):
    world = aw.with_gaps(aw.World(seed))
    control = aw.some_control(world)
    inventory = world.inventory(tmp_path / "aws")
    fields = aw.FIELDS if seed % 2 else aw.FIELDS[:14]
    begin, end = aw.DAY, aw.DAY + world.minutes * world.window
    flows = vf.scan(aw.text_of(world.records(), fields), start=begin, end=end)
    (one,) = audit.check(flows, aw.document(control), inventory=inventory)
    assert one.verdict == aw.verdict(world, control, world.zone.get), (control, one.why)


def test_the_oracle_knows_all_verdicts():
    found = set()
    for seed in range(40):
        world = aw.with_gaps(aw.World(seed))
        found.add(aw.verdict(world, aw.some_control(world), world.zone.get))
    assert found == {"fail", "pass_enforced", "pass_silent", "not_evaluable"}


ZONES = {"dev": {"cidr": "10.30.0.0/16"}, "cde": {"cidr": "10.20.0.0/16"}}
DENY = {"zones": ZONES, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde", "except": ["tcp/443"]}}]}


def two_hosts(fate, port=22, back=False):
    """A developer's host and one of the CDE, with a session between them."""
    world = aw.World(0, minutes=6, hosts=2, talks=0)
    ends = ("eni-dev0", "eni-cde0")
    world.talks.append(aw.Talk(*(ends[::-1] if back else ends), port, 3, fate, 40000))
    return world


# Of a session from dev to cde what is concluded where only some of the ends are logged, and the other one lacks.
VANTAGE = {
    ("both", "answered"): "fail", ("both", "accepted"): "fail", ("both", "rejected_there"): "pass_enforced",
    ("both", "rejected_here"): "pass_enforced", ("both", "lost"): "pass_silent",
    ("source", "answered"): "fail", ("source", "accepted"): "not_evaluable", ("source", "rejected_there"): "not_evaluable",
    ("source", "rejected_here"): "not_evaluable", ("source", "lost"): "not_evaluable",
    ("target", "answered"): "fail", ("target", "accepted"): "fail", ("target", "rejected_there"): "not_evaluable",
    ("target", "rejected_here"): "not_evaluable", ("target", "lost"): "not_evaluable",
    ("neither", "answered"): "not_evaluable", ("neither", "accepted"): "not_evaluable",
    ("neither", "rejected_there"): "not_evaluable", ("neither", "rejected_here"): "not_evaluable", ("neither", "lost"): "not_evaluable",
}  # fmt: skip


@pytest.mark.parametrize(("side", "fate"), VANTAGE, ids="-".join)
def test_vantage_points(side, fate, tmp_path):
    world = two_hosts(fate)
    for eni, own in (("eni-dev0", "source"), ("eni-cde0", "target")):
        if side not in (own, "both"):
            world.blind(eni, 2, 3)
    inventory = world.inventory(tmp_path / "aws")
    assert checked(aw.text_of(world.records()), DENY, inventory=inventory).verdict == VANTAGE[side, fate]
    # What is half blind may be so by the user's leave: then what is seen decides, and nothing else.
    lax = {**DENY, "coverage": {"least": 0.1}}
    one = checked(aw.text_of(world.records()), lax, inventory=inventory)
    leave = {"not_evaluable": ("not_evaluable", "pass_enforced", "pass_silent")}
    assert one.verdict in leave.get(VANTAGE[side, fate], (VANTAGE[side, fate],))
    assert (one.verdict == "not_evaluable") == (side == "source" and fate in ("accepted", "rejected_there", "lost"))


@pytest.mark.parametrize("turned", [False, True])
def test_return_traffic_of_the_other_direction_does_not_fail_a_deny(turned, tmp_path):
    world = two_hosts("answered", back=True)
    lines = world.records()
    parts = [lines[:5], lines[5:]]
    files = []
    for number, part in enumerate(reversed(parts) if turned else parts):
        files.append(tmp_path / f"{number}.log")
        files[-1].write_bytes(aw.text_of(part))
    inventory = world.inventory(tmp_path / "aws")
    assert checked(files, DENY, inventory=inventory).verdict == "pass_silent"
    assert checked(aw.text_of(two_hosts("answered").records()), DENY, inventory=inventory).verdict == "fail"


def told(results):
    """All of a result but where its records stand."""
    rows = results.rows()
    for row in rows:
        for one in [*row["violating"], *(v for day in row["days"] for v in day["violating"])]:
            one["record"] = None
    return rows


@pytest.mark.parametrize("seed", range(60 if LONG else 6))
def test_splits_and_threads_change_nothing(seed, tmp_path):
    world = aw.with_gaps(aw.World(seed))
    document = aw.document(aw.some_control(world), by="cidr")
    lines = world.records()
    whole = told(audit.check(vf.scan(aw.text_of(lines), threads=1), document))
    world.random.shuffle(lines)
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.log")
        files[-1].write_bytes(aw.text_of(lines[number::3]))
    assert told(audit.check(vf.scan(files, threads=2), document)) == whole


@pytest.mark.parametrize("seed", range(200 if LONG else 16))
def test_what_is_taken_away_never_turns_an_answer_into_its_opposite(seed, tmp_path):
    dice = random.Random(seed)
    world = aw.World(seed)
    control = {**aw.some_control(world), "least": 1}
    document, inventory = aw.document(control), world.inventory(tmp_path / "aws")
    span = {"start": aw.DAY, "end": aw.DAY + world.minutes * world.window}

    def verdict(fields=aw.FIELDS):
        (one,) = audit.check(vf.scan(aw.text_of(world.records(), fields), **span), document, inventory=inventory)
        return one.verdict

    before = verdict()
    less = [name for name in aw.FIELDS if name in ("srcaddr", "dstaddr", "start", "end") or dice.random() < 0.8]
    assert verdict(less) not in OPPOSITE.get(before, ())
    side = dice.choice(sorted(world.zones))
    begin = dice.randrange(world.minutes - 2)
    for eni in [one for one in world.address if world.zone[one] == side] if dice.random() < 0.5 else dice.sample(sorted(world.address), 3):
        world.blind(eni, begin, dice.choice((2, 5, world.minutes)))
    assert verdict() not in OPPOSITE.get(before, ())


def test_exceptions_expire_at_midnight_in_utc(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    document = {**DENY, "controls": [{**DENY["controls"][0], "exceptions": [
        {"id": "EX-1", "from": "dev", "ports": "tcp/22", "until": "2026-11-02", "owner": "net", "ticket": "T-1"}]}]}
    verdicts = {}
    for begin in (86400 - 60, 86400):
        world = two_hosts("answered")
        lines = world.records()
        for one in lines:
            one["start"], one["end"] = one["start"] + begin - 180, one["end"] + begin - 180
        verdicts[begin] = checked(aw.text_of(lines), document, inventory=world.inventory(tmp_path / "aws"))
    last, first = verdicts.values()
    assert (last.verdict, last.exceptions[0]["used"], last.exceptions[0]["past"]) == ("pass_silent", 1, 0)
    assert (first.verdict, first.exceptions[0]["used"], first.exceptions[0]["past"]) == ("fail", 0, 1)
    assert first.violating[0]["exception_past"] == "EX-1"
    assert any("under an exception that is past" in text for text in first.why)


def test_one_violating_record_among_many_is_found_with_its_place(tmp_path):
    world = aw.World(1, minutes=60, hosts=3, talks=0)
    for i in range(3000 if LONG else 600):
        world.talks.append(aw.Talk("eni-dev0", "eni-web1", 443, i % 60, "answered", 1024 + i))
    world.talks.append(aw.Talk("eni-dev1", "eni-cde2", 3306, 41, "accepted", 60001))
    log = tmp_path / "flow.log"
    log.write_bytes(aw.text_of(world.records()))
    one = checked(log, DENY, inventory=world.inventory(tmp_path / "aws"))
    (found,) = one.violating
    assert (one.verdict, one.total("violations")) == ("fail", 1)
    with open(log, "rb") as file:
        file.seek(found["record"]["offset"])
        assert b" 10.30.0.5 10.20.0.6 60001 3306 6 " in file.readline()
    assert found["record"]["file"] == str(log)


@pytest.mark.parametrize("fields", [("log-status",), ("interface-id",), ("action",), ("srcport", "dstport"), ("protocol",)])
def test_a_missing_field_never_passes(fields, tmp_path):
    world = two_hosts("rejected_there")
    log = aw.text_of(world.records(), [name for name in aw.FIELDS if name not in fields])
    one = checked(log, DENY, inventory=world.inventory(tmp_path / "aws"))
    assert one.verdict == "not_evaluable"
    assert fields[0] in " ".join(one.why)
    both = [tmp_path / "a.log", tmp_path / "b.log"]
    both[0].write_bytes(log)
    both[1].write_bytes(aw.text_of(world.records()))
    assert checked(both, DENY, inventory=tmp_path / "aws").verdict == "not_evaluable"


def test_logs_of_reject_alone_never_pass(tmp_path):
    world = two_hosts("rejected_there")
    lines = [one for one in world.records() if one["action"] != "ACCEPT"]
    one = checked(aw.text_of(lines), DENY, inventory=world.inventory(tmp_path / "aws"))
    assert one.verdict == "not_evaluable"
    assert "REJECT alone" in " ".join(one.why)
    (tmp_path / "aws" / "describe-flow-logs.json").write_text(
        json.dumps({"FlowLogs": [{"FlowLogId": "fl-1", "ResourceId": "eni-cde0", "TrafficType": "REJECT"}]})
    )
    one = checked(aw.text_of(world.records()), DENY, inventory=tmp_path / "aws")
    assert "the flow logs of eni-cde0 of cde record REJECT alone" in one.why


def test_filters_and_rejected_lines_prevent_a_pass(tmp_path):
    world = two_hosts("rejected_there")
    log, inventory = aw.text_of(world.records()), world.inventory(tmp_path / "aws")
    assert checked(log, DENY, inventory=inventory).verdict == "pass_enforced"
    (one,) = audit.check(vf.scan(log).filter("dstport != 22"), DENY, inventory=inventory)
    assert one.why == ["a filter left records out"]
    with pytest.warns(vf.DataQualityWarning):
        one = checked(log + b"2 1 eni-cde0 what\n", DENY, inventory=inventory)
    assert (one.verdict, one.why) == ("not_evaluable", ["lines that could not be read: 1"])


def test_an_older_inventory_and_an_interface_that_never_logged(tmp_path):
    world = two_hosts("rejected_there")
    folder = world.inventory(tmp_path / "aws")
    plain = folder / "describe-network-interfaces.json"
    plain.rename(folder / "describe-network-interfaces.2026-10-31.json")
    one = checked(aw.text_of(world.records()), DENY, inventory=folder)
    assert one.verdict == "not_evaluable"
    assert "the inventory is older than the day" in one.why[0]
    (folder / "describe-network-interfaces.2026-10-31.json").rename(folder / "describe-network-interfaces.2026-11-01.json")
    assert checked(aw.text_of(world.records()), DENY, inventory=folder).verdict == "pass_enforced"
    lines = [one for one in world.records() if one["interface-id"] != "eni-cde1"]
    one = checked(aw.text_of(lines), {**DENY, "coverage": {"least": 0}}, inventory=folder)
    assert (one.verdict, one.days["2026-11-01"].absent_interfaces) == ("not_evaluable", ("eni-cde1",))


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ({"tag": {"env": "prod"}}, "zone cde has no member"),
        ({"vpc": "vpc-0b"}, "zone cde has no member"),
        ({"cidr": "10.99.0.0/16"}, "outside: true"),
        ({"interface": ["eni-cde0", "eni-gone"]}, "zone cde names eni-gone"),
    ],
)
def test_zones_without_members_are_errors(zone, said, tmp_path):
    world = two_hosts("rejected_there")
    document = {**DENY, "zones": {**ZONES, "cde": zone}}
    one = checked(aw.text_of(world.records()), document, inventory=world.inventory(tmp_path / "aws"))
    assert said in " ".join(one.why)
    assert one.verdict == ("not_evaluable" if "interface" in zone else "error")
    assert not one.days or "interface" in zone


def test_overlapping_ranges_need_their_vpc(tmp_path):
    world = two_hosts("rejected_there")
    folder = world.inventory(tmp_path / "aws")
    path = folder / "describe-network-interfaces.json"
    items = json.loads(path.read_text())["NetworkInterfaces"]
    path.write_text(json.dumps({"NetworkInterfaces": [*items, {**items[2], "NetworkInterfaceId": "eni-x", "VpcId": "vpc-0b",
                                                               "PrivateIpAddress": "10.20.0.4", "Status": "in-use"}]}))
    lines = world.records()
    lines += [{**one, "interface-id": "eni-x"} for one in lines if one["interface-id"] == "eni-web0" and one["action"] == "-"]
    lines += [{**one, "interface-id": "eni-x"} for one in lines if one["interface-id"] == "eni-cde1"]
    one = checked(aw.text_of(lines), DENY, inventory=folder)
    assert (one.verdict, one.errors[0]) == (
        "error", "zone cde: 10.20.0.4 is in vpc-0a and vpc-0b: name its vpc or account beside cidr")
    keyed = {**DENY, "zones": {**ZONES, "cde": {"cidr": "10.20.0.0/16", "vpc": "vpc-0a"}}}
    assert checked(aw.text_of(lines), keyed, inventory=folder).verdict == "pass_enforced"


def test_icmp_and_ipv6_can_be_said():
    header = " ".join(aw.FIELDS[:14]) + "\n"

    def line(eni, src, dst, ports, protocol, action="ACCEPT"):
        return f"2 1 {eni} {src} {dst} {ports} {protocol} 3 240 {aw.DAY} {aw.DAY + 60} {action} OK\n"

    base = "".join(line("eni-d", f"10.30.0.{i}", "10.20.0.5", "40000 443", 6) + line("eni-d", "10.20.0.5", f"10.30.0.{i}", "443 40000", 6)
                   for i in (4, 5))
    ping = line("eni-d", "10.30.0.4", "10.20.0.5", "0 0", 1) + line("eni-d", "10.20.0.5", "10.30.0.4", "0 0", 1)
    v6 = line("eni-d", "2001:db8:30::4", "2001:db8:20::5", "40000 443", 6) + line("eni-d", "2001:db8:20::5", "2001:db8:30::4", "443 40000", 6)
    zones = {"dev": {"cidr": ["10.30.0.0/16", "2001:db8:30::/48"]}, "cde": {"cidr": ["10.20.0.0/16", "2001:db8:20::/48"]}}

    def verdict(log, spared):
        return checked((header + base + log).encode(), {
            "zones": zones, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde", "except": spared}}]}).verdict

    assert verdict("", ["tcp/443"]) == "pass_silent"
    assert verdict(ping, ["tcp/443"]) == "not_evaluable"  # nobody knows who began
    assert verdict(ping, ["tcp/443", "icmp"]) == "pass_silent"
    assert verdict(v6, ["ipv4 tcp/443"]) == "fail"
    assert verdict(v6, ["ipv4 tcp/443", "ipv6 tcp/443"]) == "pass_silent"
    assert verdict(v6, ["any"]) == "pass_silent"


def nat_world(packet_ends):
    """A developer's host behind a NAT gateway in the DMZ has a session with the CDE."""
    world = aw.World(0, minutes=6, hosts=2, talks=0)
    lines = [one for one in world.records() if not (one["interface-id"] in ("eni-dev0", "eni-web0", "eni-cde0") and
                                                    one["start"] == aw.DAY + 120)]

    def leg(eni, src, dst, ports, direction, real):
        own = dict(zip(("srcaddr", "dstaddr", "srcport", "dstport"), (src, dst, *ports)))
        return {**lines[0], "interface-id": eni, **own, "protocol": 6, "packets": 6, "bytes": 600, "start": aw.DAY + 120,
                "end": aw.DAY + 180, "action": "ACCEPT", "log-status": "OK", "flow-direction": direction,
                "pkt-srcaddr": real[0], "pkt-dstaddr": real[1]}

    dev, nat, cde = "10.30.0.4", "10.40.0.4", "10.20.0.4"
    there, back = (40000, 5432), (5432, 40000)
    lines += [leg("eni-dev0", dev, cde, there, "egress", (dev, cde)), leg("eni-dev0", cde, dev, back, "ingress", (cde, dev)),
              leg("eni-web0", dev, nat, there, "ingress", (dev, cde)), leg("eni-web0", nat, dev, back, "egress", (cde, dev)),
              leg("eni-web0", nat, cde, (50000, 5432), "egress", (nat, cde)), leg("eni-web0", cde, nat, (5432, 50000), "ingress", (cde, nat)),
              leg("eni-cde0", nat, cde, (50000, 5432), "ingress", (nat, cde)), leg("eni-cde0", cde, nat, (5432, 50000), "egress", (cde, nat))]
    if not packet_ends:  # what the first leg shows without them: a session with the gateway
        for one in lines:
            if one["interface-id"] == "eni-dev0" and one["srcaddr"] == dev and one["dstaddr"] == cde:
                one["dstaddr"] = nat
            if one["interface-id"] == "eni-dev0" and one["srcaddr"] == cde:
                one["srcaddr"] = nat
    fields = aw.FIELDS if packet_ends else [name for name in aw.FIELDS if not name.startswith("pkt-")]
    return world, aw.text_of(lines, fields)


@pytest.mark.parametrize(("packet_ends", "verdict"), [(True, "fail"), (False, "not_evaluable")])
def test_across_a_nat_gateway(packet_ends, verdict, tmp_path):
    world, log = nat_world(packet_ends)
    folder = world.inventory(tmp_path / "aws")
    path = folder / "describe-network-interfaces.json"
    path.write_text(path.read_text().replace('"InterfaceType": "interface"', '"InterfaceType": "nat_gateway"', 5).replace(
        '"InterfaceType": "nat_gateway"', '"InterfaceType": "interface"', 4))
    items = {one["NetworkInterfaceId"]: one["InterfaceType"] for one in json.loads(path.read_text())["NetworkInterfaces"]}
    assert [eni for eni, kind in items.items() if kind == "nat_gateway"] == ["eni-web0"]
    document = {"zones": ZONES, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]}
    one = checked(log, document, inventory=folder)
    assert one.verdict == verdict
    if not packet_ends:
        assert "10.40.0.4 is a device that begins sessions for others" in " ".join(one.why)


def test_without_times_nothing_is_judged(tmp_path):
    world = two_hosts("rejected_there")
    log = aw.text_of(world.records(), [name for name in aw.FIELDS if name not in ("start", "end")])
    one = checked(log, DENY, inventory=world.inventory(tmp_path / "aws"))
    assert (one.verdict, one.days) == ("not_evaluable", {})
    assert "they lack start, end" in " ".join(one.why)


@pytest.mark.parametrize(("sides", "verdict"), [(("eni-dev0", "eni-cde0"), "fail"), (("eni-dev0",), "not_evaluable"), (("eni-cde0",), "not_evaluable")])
def test_of_two_interfaces_that_accept_one_is_the_targets(sides, verdict):
    """Without inventory and flow-direction nobody knows whose an interface is; but two of two ends are one of each."""
    world = two_hosts("accepted")
    lines = [one for one in world.records() if one["interface-id"] in sides or "web" in one["interface-id"]]
    assert checked(aw.text_of(lines, aw.FIELDS[:14]), DENY).verdict == verdict


def test_what_is_not_a_clients_address_is_the_servers():
    """eni-dev0 has sessions with two others, so that its address is known, and so is that of eni-cde0."""
    world = two_hosts("accepted")
    world.talks.append(aw.Talk("eni-dev0", "eni-web1", 443, 1, "answered", 41000))
    lines = [one for one in world.records() if one["interface-id"] != "eni-dev0" or one["start"] != aw.DAY + 180]
    one = checked(aw.text_of(lines, aw.FIELDS[:14]), {**DENY, "coverage": {"least": 0.5}})
    assert (one.verdict, one.violating[0]["interface"]) == ("fail", "eni-cde0")


@pytest.mark.parametrize("seed", range(300 if LONG else 24))
def test_without_inventory_it_is_the_truth_or_not_evaluable(seed):
    """What nobody knows without an inventory is said; nothing else is concluded."""
    world = aw.with_gaps(aw.World(seed, talks=20))
    control = {**aw.some_control(world), "least": 1}
    fields = aw.FIELDS if seed % 2 else aw.FIELDS[:14]
    flows = vf.scan(aw.text_of(world.records(), fields), start=aw.DAY, end=aw.DAY + world.minutes * world.window)
    (one,) = audit.check(flows, aw.document(control, by="cidr"))
    truth = aw.verdict(world, control, world.zone.get)
    silent = [eni for eni in world.address if not any(world.seen[eni, m] for m in range(world.minutes))]
    if silent and truth == "not_evaluable":
        return  # that they are there only an inventory knows
    assert one.verdict in (truth, "not_evaluable"), one.why


def test_zones_by_what_the_logs_say_of_their_interfaces():
    """vpc-id, subnet-id and account-id of the records stand in for an inventory, as far as they go."""
    world = two_hosts("answered")
    lines = [{**one, "vpc-id": f"vpc-{one['interface-id'][4:7]}", "subnet-id": "subnet-1"} for one in world.records()]
    fields = [*aw.FIELDS, "vpc-id", "subnet-id"]
    document = {"zones": {"dev": {"vpc": "vpc-dev"}, "cde": {"vpc": "vpc-cde"}}, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]}
    assert checked(aw.text_of(lines, fields), document).verdict == "fail"
    turned = {**document, "controls": [{"id": "c", "deny": {"from": "cde", "to": "dev"}}]}
    assert checked(aw.text_of(lines, fields), turned).verdict == "pass_silent"
    assert checked(aw.text_of(lines), document).verdict == "not_evaluable"  # no vpc-id: nobody knows
    gone = {**document, "zones": {**document["zones"], "cde": {"vpc": "vpc-old"}}}
    assert checked(aw.text_of(lines, fields), gone).verdict == "error"
    tagged = {**document, "zones": {**document["zones"], "cde": {"tag": {"env": "cde"}}}}
    one = checked(aw.text_of(lines, fields), tagged)
    assert (one.verdict, "zone cde is by tag, and there is no inventory" in one.why) == ("not_evaluable", True)


def test_members_are_those_of_the_time(tmp_path):
    """An interface leaves the zone at noon: what it does then breaks nothing."""
    hours = {}
    for hour in (6, 15):
        world = two_hosts("answered")
        folder = world.inventory(tmp_path / "aws")
        plain = folder / "describe-network-interfaces.json"
        text = plain.read_text()
        plain.unlink()
        (folder / "describe-network-interfaces.2026-11-01T00-00.json").write_text(text)
        left = text.replace('"PrivateIpAddress": "10.30.0.4", "VpcId": "vpc-0a"', '"PrivateIpAddress": "10.30.0.4", "VpcId": "vpc-0b"')
        assert left != text
        (folder / "describe-network-interfaces.2026-11-01T12-00.json").write_text(left)
        lines = [{**one, "start": one["start"] + hour * 3600, "end": one["end"] + hour * 3600} for one in world.records()]
        document = {"zones": {"dev": {"cidr": "10.30.0.0/16", "vpc": "vpc-0a"}, "cde": {"cidr": "10.20.0.0/16"}},
                    "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]}
        hours[hour] = checked(aw.text_of(lines), document, inventory=folder)
    assert {hour: one.verdict for hour, one in hours.items()} == {6: "fail", 15: "pass_silent"}
    (zone,) = hours[15].days["2026-11-01"].zones["dev"]
    assert zone["interfaces"] == ["eni-dev1"]


def test_behind_a_load_balancer_nobody_knows_the_client(tmp_path):
    """With the packets' own ends, too: the balancer begins a session of its own."""
    world = aw.World(0, minutes=6, hosts=2, talks=0)
    world.talks += [aw.Talk("eni-dev0", "eni-web0", 443, 3, "answered", 40000), aw.Talk("eni-web0", "eni-cde0", 5432, 3, "answered", 40001)]
    folder = world.inventory(tmp_path / "aws")
    path = folder / "describe-network-interfaces.json"
    document = {"zones": ZONES, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]}
    assert checked(aw.text_of(world.records()), document, inventory=folder).verdict == "pass_silent"
    items = json.loads(path.read_text())["NetworkInterfaces"]
    for item in items:
        if item["NetworkInterfaceId"] == "eni-web0":
            item["InterfaceType"] = "network_load_balancer"
    path.write_text(json.dumps({"NetworkInterfaces": items}))
    one = checked(aw.text_of(world.records()), document, inventory=folder)
    assert one.verdict == "not_evaluable"
    assert "10.40.0.4 is a device that begins sessions for others" in " ".join(one.why)


def test_damage_does_not_swallow_what_was_read(tmp_path):
    import gzip

    whole = gzip.compress(aw.text_of(two_hosts("answered").records()) * 40, mtime=0)
    good, cut = tmp_path / "a.log", tmp_path / "b.log.gz"
    good.write_bytes(aw.text_of(two_hosts("answered").records()))
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(vf.SourceError) as raised:
        audit.check(vf.scan([good, cut]), DENY)
    assert raised.value.partial["c"].verdict == "fail"
    good.write_bytes(aw.text_of(two_hosts("rejected_there").records()))
    cut.write_bytes(gzip.compress(aw.text_of(two_hosts("rejected_there").records()) * 40, mtime=0)[:-20])
    with pytest.raises(vf.SourceError) as raised:
        audit.check(vf.scan([good, cut]), DENY)
    assert "a source could not be read to its end" in raised.value.partial["c"].why


def test_a_mistyped_target_is_an_error_without_inventory_too():
    log = aw.text_of(two_hosts("rejected_there").records())
    wrong = {**DENY, "zones": {**ZONES, "cde": {"cidr": "10.21.0.0/16"}}}
    one = checked(log, wrong)
    assert (one.verdict, one.why) == ("error", ["zone cde has no member: no interface that is known; if it is elsewhere, say outside: true"])
    assert checked(log, {**wrong, "zones": {**ZONES, "cde": {"cidr": "10.21.0.0/16", "outside": True}}}).verdict == "pass_silent"
    # A day that could not be asked is a hole in the period, not an end of it.
    (both,) = audit.check(vf.scan(log), DENY) + audit.check(vf.scan(log), wrong)
    assert (both.verdict, len(both.days)) == ("pass_enforced", 1)


def test_a_session_counts_where_it_began_and_one_that_never_began_each_day():
    """A tunnel that is up for three days shows in each day that is judged alone; one over midnight in the first."""
    base = two_hosts("rejected_there").records()
    pattern = [dict(one) for one in two_hosts("answered").records() if one["srcport"] in (22, 40000)]

    def log(minutes):
        lines = [{**one, "start": one["start"] + day * 86400 + m * 60, "end": one["end"] + day * 86400 + m * 60}
                 for one in base for day in range(3) for m in range(0, 1440, 6)]  # fmt: skip
        for m in minutes:
            begin = aw.DAY + m * 60
            lines += [{**one, "start": begin, "end": begin + 60, "srcport": 50000 if one["srcport"] == 40000 else 22,
                       "dstport": 50000 if one["dstport"] == 40000 else 22} for one in pattern]
        lines = [one for one in lines if not (one["srcport"] == 40000 and one["start"] != aw.DAY + 180)]
        return aw.text_of(lines)

    def days(text):
        out = {}
        for day in (1, 2, 3):
            begin = aw.DAY + (day - 1) * 86400
            flows = vf.scan(text, start=begin - 3600, end=begin + 86400 + 3600)
            (one,) = audit.check(flows, {**DENY, "coverage": {"least": 0.5}}, period=f"2026-11-0{day}")
            out[day] = one.total("violations")
        return out

    tunnel = log(range(5, 4320, 5))
    assert days(tunnel) == {1: 1, 2: 1, 3: 1}
    (whole,) = audit.check(vf.scan(tunnel), {**DENY, "coverage": {"least": 0.5}})
    # In one run it is counted once, and no day on which it went on passes.
    assert whole.total("violations") == 1
    assert {day: (one.verdict, one.why[0]) for day, one in whole.days.items()} == {
        "2026-11-01": ("fail", "1 session broke it"), "2026-11-02": ("fail", "1 session of earlier days that broke it went on"),
        "2026-11-03": ("fail", "1 session of earlier days that broke it went on")}
    (over,) = audit.check(vf.scan(log(range(1430, 1450, 2))), {**DENY, "coverage": {"least": 0.5}})
    assert [one.verdict for one in over.days.values()] == ["fail", "pass_silent", "pass_silent"]
    assert days(log(range(1430, 1450, 2))) == {1: 1, 2: 0, 3: 0}


@pytest.mark.parametrize("kind", ["interface", "nat_gateway"])
def test_a_gateway_that_only_the_logs_name_hides_its_clients(kind):
    """interface-type and flow-direction of the records, without an inventory and without the packets' own ends."""
    _, log = nat_world(False)
    fields = [name for name in aw.FIELDS if not name.startswith("pkt-")]
    rows = [dict(zip(fields, text.split())) for text in log.decode().splitlines()[1:]]
    lines = [{**one, "interface-type": kind if one["interface-id"] == "eni-web0" else "interface"} for one in rows]
    document = {"zones": ZONES, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]}
    one = checked(aw.text_of(lines, [*fields, "interface-type"]), document)
    assert one.verdict == {"interface": "pass_silent", "nat_gateway": "not_evaluable"}[kind]


def test_an_exception_in_force_comes_before_one_that_is_past(tmp_path):
    world = two_hosts("answered")
    past, now = ({"id": id, "from": "dev", "until": until, "owner": "net"} for id, until in (("OLD", "2026-10-30"), ("NEW", "2026-11-30")))
    for order in ([past, now], [now, past]):
        document = {**DENY, "controls": [{**DENY["controls"][0], "exceptions": order}]}
        one = checked(aw.text_of(world.records()), document, inventory=world.inventory(tmp_path / "aws"))
        assert (one.verdict, {e["id"]: (e["used"], e["past"]) for e in one.exceptions}) == ("pass_silent", {"OLD": (0, 0), "NEW": (1, 0)})
        assert "exception OLD of net ended 2026-10-30 00:00:00 UTC; renew it or take it out" in one.not_known


@pytest.mark.parametrize(("kind", "verdict"), [("ALL", "pass_silent"), ("REJECT", "not_evaluable")])
def test_the_silence_of_a_flow_log_of_rejects_says_nothing(kind, verdict, tmp_path):
    """dev may only go to the web; a try at the CDE was let out, and the CDE's interface has not seen it."""
    world = two_hosts("lost")
    folder = world.inventory(tmp_path / "aws")
    logs = [{"FlowLogId": "fl-1", "ResourceId": "eni-cde0", "TrafficType": kind}]
    (folder / "describe-flow-logs.json").write_text(json.dumps({"FlowLogs": logs}))
    document = {"zones": {**ZONES, "web": {"cidr": "10.40.0.0/16"}}, "controls": [{"id": "c", "allow_only": {"from": "dev", "to": "web"}}]}
    one = checked(aw.text_of(world.records()), document, inventory=folder)
    assert (one.verdict, one.total("lost")) == (verdict, 1 if kind == "ALL" else 0)
