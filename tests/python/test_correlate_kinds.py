"""What goes on beside stories: other accounts, closed ports, offices, CDNs, formats that differ, IPv6, busy services."""

import json
import random
import sys

import pytest

import teller_cluster
import vpcflow as vf
from conftest import LONG
from vpcflow._display import instant
from vpcflow.cli import main
from vpcflow.correlate import of
from vpcflow.errors import RuleError

T0 = 1_795_413_600 + 6 * 3600
V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
V5 = f"{V2} vpc-id instance-id tcp-flags flow-direction"
ACCOUNT, EVIL = "123456789012", "203.0.113.66"


def record(time, src=EVIL, dst="10.0.0.5", port=22, way="ingress", action="ACCEPT", eni="eni-1", account=ACCOUNT, sport=40000, form=V5, vpc="vpc-1"):
    plain = f"2 {account} {eni} {src} {dst} {sport} {port} 6 9 900 {T0 + time} {T0 + time + 30} {action} OK"
    return plain if form == V2 else f"{plain} {vpc} i-{eni} 3 {way}"


def logs(*lines, form=V5):
    return "\n".join([form, *lines]).encode() + b"\n"


def call(time, name, asked=None, got=None, who="user/eve", account=ACCOUNT, address="198.51.100.7", service="ec2", **more):
    at = instant(T0 + time).replace(" ", "T") + "Z"
    identity = {"type": "Root" if who == "root" else "IAMUser", "arn": f"arn:aws:iam::{account}:{who}", "accountId": account}
    return {"eventTime": at, "eventSource": f"{service}.amazonaws.com", "eventName": name, "userIdentity": identity, "sourceIPAddress": address, "requestParameters": asked,
            "responseElements": got, "eventID": f"{name}-{time}-{who}", "recipientAccountId": account, **more}


def opened(time, port=22, cidr="0.0.0.0/0", name="AuthorizeSecurityGroupIngress", group="sg-1", **more):
    low, high = port if isinstance(port, tuple) else (port, port)
    rule = {"ipProtocol": "tcp", "fromPort": low, "toPort": high, "ipRanges": {"items": [{"cidrIp": cidr}]}}
    return call(time, name, {"groupId": group, "ipPermissions": {"items": [rule]}}, **more)


def login(time, who="user/eve", mfa="No", address=EVIL):
    return call(time, "ConsoleLogin", None, {"ConsoleLogin": "Success"}, who, address=address, service="signin", additionalEventData={"MFAUsed": mfa})


def found(tmp_path, log, calls, dns=()):
    (tmp_path / "trail.json").write_text(json.dumps({"Records": list(calls)}))
    places = {"cloudtrail": tmp_path / "trail.json"}
    if dns:
        (tmp_path / "dns.jsonl").write_text("".join(json.dumps(one) + "\n" for one in dns))
        places["dns"] = tmp_path / "dns.jsonl"
    for number, one in enumerate(log if isinstance(log, list) else [log]):
        (tmp_path / f"{number}.log").write_bytes(one)
    return vf.correlate(vf.scan([str(path) for path in sorted(tmp_path.glob("*.log"))]), **places)


def told(correlation):
    return [(match.rule, match.events[-1].time - T0) for match in correlation.matches]


ENTERED = "opened-and-entered"


@pytest.mark.parametrize(("what", "calls", "lines", "when"), [
    ("plain", [opened(0)], [record(60)], [60]),
    ("closed before", [opened(0), opened(30, name="RevokeSecurityGroupIngress")], [record(60)], []),
    ("another rule closed", [opened(0), opened(30, cidr="198.51.100.0/24", name="RevokeSecurityGroupIngress")], [record(60)], [60]),
    ("closed after", [opened(0), opened(90, name="RevokeSecurityGroupIngress")], [record(60)], [60]),
    ("all ports, a site before", [opened(0, (0, 65535))], [record(-500, port=443), record(50, port=443), record(60)], [60]),
    ("all ports, answers of others", [opened(0, (0, 65535))], [record(40, sport=443, port=51000), record(60)], [60]),
    ("another account", [opened(0), call(-9, "CreateUser", account="999999999999")], [record(60, account="999999999999")], []),
    ("an account of which no source tells", [opened(0)], [record(60, account="999999999999")], [60]),
    ("another VPC", [call(-60, "CreateSecurityGroup", {"vpcId": "vpc-1"}, {"groupId": "sg-1"}), call(-50, "CreateSecurityGroup", {"vpcId": "vpc-2"}, {"groupId": "sg-2"}),
                     opened(0)], [record(50, vpc="vpc-2", eni="eni-2"), record(60)], [60]),
])  # fmt: skip
def test_who_came_in_by_the_port_that_was_opened(tmp_path, what, calls, lines, when):
    assert told(found(tmp_path, logs(*lines), calls)) == [(ENTERED, time) for time in when]


def test_without_directions_an_older_rule_is_seen_all_the_same(tmp_path):
    before, after = record(-500, form=V2), record(60, form=V2)
    assert told(found(tmp_path, logs(before, after, form=V2), [opened(0)])) == []
    correlation = found(tmp_path, logs(after, form=V2), [opened(0)])
    assert told(correlation) == [(ENTERED, 60)]
    assert any("flow-direction" in note for note in correlation.matches[0].could_not_see)


def test_logs_of_two_formats_hide_nothing(tmp_path):
    rules = [{"name": "in", "sequence": [
        {"source": "cloudtrail", "kind": "AuthorizeSecurityGroupIngress", "bind": {"sg": "groupId", "port": "port"}},
        {"source": "flows", "where": "action = 'ACCEPT' and dstport = $port and flow_direction = 'ingress'", "entity_in": "$sg"},
    ]}]  # fmt: skip
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [opened(0)]}))
    for name, text in (("a", logs(record(60, form=V2), form=V2)), ("b", logs(record(90, way="egress", eni="eni-2")))):
        (tmp_path / name).write_bytes(text)
    (match,) = vf.correlate(vf.scan([str(tmp_path / "a"), str(tmp_path / "b")]), cloudtrail=tmp_path / "trail.json", rules=of(rules)).matches
    assert match.events[1].time == T0 + 60
    assert any("which only some logs have" in note for note in match.could_not_see)


@pytest.mark.parametrize(("what", "calls", "lines", "number"), [
    ("plain", [login(0)], [record(60)], 1),
    ("came this way an hour and more before", [login(0)], [record(-4000), record(60)], 0),
    ("looked around just before", [login(0)], [record(-300), record(60)], 1),
    ("an office", [login(-900, "user/anna", "Yes"), login(0)], [record(60)], 0),
    ("two users of one intruder", [login(-10, "user/adam"), login(0)], [record(60)], 1),
])  # fmt: skip
def test_a_login_from_where_everybody_works(tmp_path, what, calls, lines, number):
    assert [rule for rule, _ in told(found(tmp_path, logs(*lines), calls))] == ["console-without-mfa-then-flows"] * number


def asked(time, name, answer, host="10.0.0.5"):
    at = instant(T0 + time).replace(" ", "T") + "Z"
    return {"query_timestamp": at, "query_name": name, "query_type": "A", "rcode": "NOERROR", "answers": [{"Rdata": answer, "Type": "A", "Class": "IN"}], "srcaddr": host, "srcids": {}}


@pytest.mark.parametrize(("what", "more", "number"), [
    ("plain", [], 1), ("a CDN", [asked(-60, "cdn.example.com", EVIL, "10.0.0.9")], 0), ("another name between", [asked(5, "cdn.example.com", EVIL)], 0),
])  # fmt: skip
def test_a_new_name_for_an_address_of_others(tmp_path, what, more, number):
    session = [record(10 + 60 * n, "10.0.0.5", EVIL, 443, "egress") for n in range(70)] + [record(10 + 60 * n, EVIL, "10.0.0.5", 40000, sport=443) for n in range(70)]
    dns = [asked(-5000, "old.example.com", "198.51.100.9"), asked(0, "c2.example.net", EVIL), *more]
    assert [rule for rule, _ in told(found(tmp_path, logs(*session), [call(0, "X")], dns))] == ["new-name-then-long-session"] * number


def test_a_name_is_asked_for_by_ipv4_and_gone_to_by_ipv6(tmp_path):
    there, own = "2001:db8:9::9", "2600:1f18::5"
    session = [record(10 + 60 * n, own, there, 443, "egress") for n in range(70)] + [record(10 + 60 * n, there, own, 40000, sport=443) for n in range(70)]
    dns = [asked(-5000, "old.example.com", "198.51.100.9"), {**asked(0, "c2.example.net", there), "srcids": {"instance": "i-eni-1"}}]
    assert [rule for rule, _ in told(found(tmp_path, logs(*session), [call(0, "X")], dns))] == ["new-name-then-long-session"]
    other = [line.replace("eni-1", "eni-2") for line in session]
    assert told(found(tmp_path, logs(*other, record(0)), [call(0, "X")], dns)) == []


def test_an_instance_without_an_id_is_not_every_instance(tmp_path):
    line = record(60, "10.0.0.5", EVIL, 3333, "egress")
    assert told(found(tmp_path, logs(line), [call(0, "RunInstances", {}, None)])) == []
    item = {"instanceId": "i-eni-1", "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-1"}]}}
    start = call(0, "RunInstances", {}, {"instancesSet": {"items": [item]}})
    assert told(found(tmp_path, logs(line), [start])) == [("new-instances-then-mining", 60)]
    inside = record(60, "10.0.0.5", "10.0.0.9", 3333, "egress")
    assert told(found(tmp_path, logs(inside), [start])) == []


def test_runners_that_are_gone_leave_no_gap(tmp_path):
    """Where no interface is, nothing is to be recorded; where one was before and is after, records lack."""
    change = call(5000, "CreateUser", {"userName": "x"}, service="iam")
    away = [record(60 * n, eni="eni-a") for n in range(5)] + [record(60 * n, eni="eni-b") for n in range(60, 70)]
    stayed = [record(60 * n) for n in [*range(5), *range(60, 70)]]
    assert told(found(tmp_path, logs(*away), [change])) == []
    assert [rule for rule, _ in told(found(tmp_path, logs(*stayed), [change]))] == ["gap-then-activity"]


def test_a_busy_service_takes_no_place_of_a_quiet_one(tmp_path, monkeypatch):
    for name in ("MOST", "_LEAST"):
        monkeypatch.setattr(sys.modules["vpcflow.correlate.records"], name, 20)
    lines = [record(-900 + n, f"198.51.100.{n % 200}", port=443) for n in range(300)] + [record(30 + n, f"198.51.100.{n % 200}", port=443) for n in range(300)]
    correlation = found(tmp_path, logs(*lines, record(700)), [opened(0, (0, 65535))])
    assert told(correlation) == [(ENTERED, 700)]


@pytest.mark.parametrize(("step", "says"), [
    ({"source": "a", "until": "1h"}, "until: of a step with `not` alone"),
    ({"not": {"source": "a"}, "until": "1h"}, "until: of a `not` step before the first"),
])  # fmt: skip
def test_until_is_of_what_must_not_be_before(step, says):
    with pytest.raises(RuleError, match=says):
        of([{"name": "x", "sequence": [{"source": "a"}, {"source": "b"}, step]}])


@pytest.mark.parametrize("seed", range(401, 409) if LONG else [])
def test_stories_of_a_cluster_are_found_once(tmp_path, seed):
    day = teller_cluster.Day(seed)
    labels = day.write(tmp_path, seed % 2 == 1)
    places = {name: tmp_path / name for name in ("cloudtrail", "guardduty", "dns", "inventory") if (tmp_path / name).exists()}
    rows, wrong = teller_cluster.judged(labels, vf.correlate(vf.scan(tmp_path / "flows"), **places).rows())
    assert [one for one in wrong if one[0] == "again"] == []
    assert sum(one[0] == "missed" for one in wrong) <= 1  # a story may lie in a gap that another one tells
    assert sum(row["false"] for row in rows.values()) <= 3


def test_what_is_taken_away_is_said(tmp_path):
    """Without an hour of a source, the end of one, or one kind of traffic, silence is no all-clear."""
    steady = [call(60 * n, "DescribeInstances", {}, service="ec2") for n in range(0, 240, 4) if n // 60 != 2]
    lines = [record(60 * n, "10.0.0.9", port=443) for n in range(400)]
    correlation = found(tmp_path, logs(*lines), steady)
    assert correlation.matches == []
    said = "\n".join(correlation.notes)
    assert f"cloudtrail: nothing is there from {instant(T0 + 7200)} to {instant(T0 + 10800)}" in said
    assert f"cloudtrail: nothing is there after {instant(T0 + 236 * 60)}; flow logs end" in said
    assert "no record is REJECT; if they leave such traffic out, scanned-entered-called-out cannot be seen" in said
    correlation = found(tmp_path, logs(*(line.replace("ACCEPT", "REJECT") for line in lines)), [opened(0)])
    assert any(note.startswith("flow logs: no record is ACCEPT; if they leave such traffic out, opened-and-entered, ") for note in correlation.notes)
    missing = [line for n, line in enumerate(lines) if n // 60 != 3]
    assert any("1 gap of 1 interface, longest" in note for note in found(tmp_path, logs(*missing), [opened(0)]).notes)
    blind = [" ".join([*line.split()[:12], *line.split()[13:]]) for line in lines]
    correlation = found(tmp_path, logs(*blind, form=V5.replace(" action", "")), [opened(0)])
    assert any("accepted_after_reject: refused tries look like accepted ones (without action)" in note for note in correlation.notes)


def test_a_hole_where_a_match_looked_for_what_must_not_be_is_of_the_match(tmp_path):
    calls = [call(60 * n, "DescribeInstances", {}) for n in range(-600, 600, 4) if n // 60 != -3]
    item = {"instanceId": "i-eni-1", "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-1"}]}}
    calls.append(call(0, "RunInstances", {}, {"instancesSet": {"items": [item]}}))
    (match,) = found(tmp_path, logs(record(-5000, eni="eni-2"), record(600, "10.0.0.5", EVIL, 3333, "egress")), calls).matches
    assert f"cloudtrail: nothing is there from {instant(T0 - 10800)} to {instant(T0 - 7200)}" in match.could_not_see
    assert not any(note.startswith("eni-1: no record from") for note in match.could_not_see)  # it began with the call
    row = match.as_row()
    assert row["title"].startswith("somebody who never did so")
    assert row["events"][0]["key"] == "RunInstances-0-user/eve"


def test_the_text_says_who_what_and_where_to_look_next(tmp_path, capsys):
    (tmp_path / "f.log").write_bytes(logs(record(60)))
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [opened(0)]}))
    assert main(["correlate", "--flows", str(tmp_path / "f.log"), "--cloudtrail", str(tmp_path / "trail.json")]) == 1
    text = " ".join(capsys.readouterr().out.split())
    for part in ("opened-and-entered: i-eni-1: a port was opened", "of sg-1 port 22 to 0.0.0.0/0 by arn:aws:iam::123456789012:user/eve from 198.51.100.7",
                 f"eni-1 {EVIL} to 10.0.0.5 port 22 ACCEPT, 900 bytes", "next: the same with --about i-eni-1; vpcflow trace 203.0.113.66"):
        assert part in text
    assert main(["correlate", "--flows", str(tmp_path / "f.log"), "--cloudtrail", str(tmp_path / "trail.json"), "--about", "i-eni-1"]) == 0
    assert "AuthorizeSecurityGroupIngress" in capsys.readouterr().out  # of its story, though it names the group alone


@pytest.mark.parametrize("seed", range(300 if LONG else 12))
def test_records_that_stand_for_others_change_no_match(tmp_path, monkeypatch, seed):
    """The same matches as with all records: whatever came before, belonged to a group for a time, or was closed."""
    rng = random.Random(seed)
    lines = [record(rng.randrange(-3000, 9000), f"203.0.113.{rng.randrange(3)}", port=rng.choice([22, 22, 443]), eni=f"eni-{rng.randrange(4)}",
                    way=rng.choice(["ingress", "ingress", "egress"]), sport=rng.choice([500, 40000])) for _ in range(rng.choice([5, 40, 200]))]  # fmt: skip
    calls = []
    for n in range(rng.randrange(1, 5)):
        calls.append(opened(rng.randrange(4000), rng.choice([22, (0, 65535)]), rng.choice(["0.0.0.0/0", "203.0.113.1/32"]), group=f"sg-{rng.randrange(3)}",
                            name=rng.choice(["AuthorizeSecurityGroupIngress"] * 3 + ["RevokeSecurityGroupIngress"]), who=f"user/u{n}"))
        group = {"items": [{"groupId": f"sg-{rng.randrange(3)}"}]}
        calls.append(call(rng.randrange(-3000, 8000), "ModifyNetworkInterfaceAttribute", {"networkInterfaceId": f"eni-{rng.randrange(4)}", "groupSet": group}, who=f"user/m{n}"))
    own = [match.as_row() for match in found(tmp_path, logs(*lines), calls).matches]
    monkeypatch.setattr(sys.modules["vpcflow.correlate.records"], "_differing", lambda *_: ())
    assert own == [match.as_row() for match in found(tmp_path, logs(*lines), calls).matches]
