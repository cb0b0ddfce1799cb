"""Usage of rules of security groups: what counts as use, classes, contradictions, coverage."""

import json

import pytest

import vpcflow as vf
from sg_world import DAY, START, Log, eni, group, rule, write
from vpcflow.cli import main

WEB, DB, APP = "10.0.1.10", "10.0.2.10", "10.0.1.20"
INTERFACES = [
    eni("eni-web", WEB, "sg-web"),
    eni("eni-db", DB, "sg-db", subnet="subnet-2"),
    eni("eni-app", APP, "sg-app"),
]
GROUPS = [group("sg-web"), group("sg-db"), group("sg-app")]
ANY = "0.0.0.0/0"
OUT = [rule(f"sgr-{one}-out", f"sg-{one}", "-1", egress=True, cidr=ANY) for one in ("web", "db", "app")]


def usage(tmp_path, log, *rules, **more):
    more.setdefault("interfaces", INTERFACES)
    more.setdefault("groups", GROUPS)
    folder = write(tmp_path / "aws", rules=[*OUT, *rules], **more)
    return vf.rule_usage(vf.scan(log.data if isinstance(log, Log) else log), vf.inventory(folder))


def row(found, id):
    return next(one for one in found if one["rule_id"] == id)


def covered():
    return Log().quiet("eni-web", "eni-db", "eni-app")


def test_classes(tmp_path):
    log = covered()
    for number in range(5):
        log.session("eni-web", f"198.51.100.{number}", WEB, 443, at=number * 100)
        log.session("eni-db", APP, DB, 5432, at=number * 100)
    log.session("eni-web", APP, WEB, 9100)
    found = usage(
        tmp_path, log,
        rule("sgr-https", "sg-web", first=443, cidr=ANY),
        rule("sgr-ssh", "sg-web", first=22, cidr=ANY),
        rule("sgr-metrics", "sg-web", first=9100, cidr="10.0.0.0/8"),
        rule("sgr-pg", "sg-db", first=5432, ref="sg-app"),
        rule("sgr-pg-wide", "sg-db", first=5432, cidr="10.0.0.0/8"),
        rule("sgr-gone", "sg-db", first=5432, ref="sg-deleted"),
        rule("sgr-ping", "sg-web", "icmp", 8, -1, cidr=ANY),
    )  # fmt: skip
    assert {one["rule_id"]: one["class"] for one in found if not one["rule_id"].endswith("-out")} == {
        "sgr-https": "used", "sgr-ssh": "unused", "sgr-metrics": "one_peer", "sgr-pg": "shadowed",
        "sgr-pg-wide": "shadowed", "sgr-gone": "dead", "sgr-ping": "unused",
    }  # fmt: skip
    https = row(found, "sgr-https")
    assert (https["sessions"], https["exclusive"], https["peers"], https["bytes"]) == (5, 5, 5, 5 * 2 * 840)
    assert (https["first"], https["last"], https["coverage"]) == (START, START + 430, 1.0)
    assert row(found, "sgr-pg")["shadowed_by"] == ["sgr-pg-wide"]
    assert row(found, "sgr-pg")["contained_in"] == ["sgr-pg-wide"]
    assert not found.contradictions.rows()


def test_each_side_has_its_own_rules_and_replies_need_none(tmp_path):
    log = covered().session("eni-app", APP, DB, 5432, egress=True).session("eni-db", APP, DB, 5432)
    found = usage(tmp_path, log, rule("sgr-pg", "sg-db", first=5432, ref="sg-app"))
    assert [row(found, one)["sessions"] for one in ("sgr-pg", "sgr-app-out", "sgr-db-out")] == [1, 1, 0]


def test_unanswered_sessions_count_and_rejected_ones_never(tmp_path):
    log = covered().session("eni-web", "198.51.100.1", WEB, 443, reply=False, flags=(2, 0))
    log.session("eni-web", "198.51.100.2", WEB, 22, action="REJECT", flags=(2, 0))
    found = usage(
        tmp_path,
        log,
        rule("sgr-https", "sg-web", first=443, cidr=ANY),
        rule("sgr-22", "sg-web", first=22, cidr="10.0.0.0/8"),
    )
    assert row(found, "sgr-https")["sessions"] == 1
    assert row(found, "sgr-22")["sessions"] == 0
    almost = [one for one in found.almost if one["rule_id"] == "sgr-22"]
    assert [(one["missed"], one["port"], one["peer"], one["sessions"]) for one in almost] == [
        ("peer", 22, "198.51.100.2", 1)
    ]


def test_a_rule_with_an_icmp_type_is_used_maybe(tmp_path):
    log = covered().session("eni-web", "198.51.100.1", WEB, 0, protocol=1)
    rules = [rule("sgr-ping", "sg-web", "icmp", 8, -1, cidr=ANY)]
    folder = write(tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS, rules=rules)
    found = vf.rule_usage(vf.scan(log.data), vf.inventory(folder))
    assert (row(found, "sgr-ping")["class"], row(found, "sgr-ping")["maybe_sessions"]) == ("unknown", 1)


def test_who_began_is_told_by_the_rules_where_only_one_side_may(tmp_path):
    log = covered().session("eni-web", "198.51.100.1", WEB, 0, protocol=1)
    folder = write(
        tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS, rules=[rule("sgr-ping", "sg-web", "icmp", cidr=ANY)]
    )
    assert row(vf.rule_usage(vf.scan(log.data), vf.inventory(folder)), "sgr-ping")["sessions"] == 1


@pytest.mark.parametrize("hidden", [[(0, DAY // 10)], [(i, i + 3600) for i in range(0, DAY, 7200)]])
def test_silence_needs_coverage(tmp_path, hidden):
    log = Log().quiet("eni-web", "eni-app").quiet("eni-db", but=hidden)
    found = usage(
        tmp_path, log, rule("sgr-pg", "sg-db", first=5432, ref="sg-app"), rule("sgr-ssh", "sg-web", first=22, cidr=ANY)
    )
    log.session("eni-web", "198.51.100.1", WEB, 443)
    assert row(found, "sgr-pg")["class"] == "unknown"
    found = usage(tmp_path, log, rule("sgr-pg", "sg-db", first=5432, ref="sg-app"), rule("sgr-ssh", "sg-web", first=22, cidr=ANY),
                  rule("sgr-https", "sg-web", first=443, cidr=ANY))  # fmt: skip
    assert (row(found, "sgr-pg")["class"], row(found, "sgr-ssh")["class"]) == ("unknown", "unused")


def test_logs_that_cannot_show_use_call_no_rule_unused(tmp_path):
    log = covered().session("eni-web", "198.51.100.1", WEB, 443)
    https, ssh = rule("sgr-https", "sg-web", first=443, cidr=ANY), rule("sgr-ssh", "sg-web", first=22, cidr=ANY)
    folder = write(tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS, rules=[https, ssh])
    inventory = vf.inventory(folder)
    assert row(vf.rule_usage(vf.scan(log.data), inventory), "sgr-ssh")["class"] == "unused"
    some = vf.scan(log.data).filter("action = 'REJECT'")
    assert row(vf.rule_usage(some, inventory), "sgr-ssh")["class"] == "unknown"
    write(folder, interfaces=INTERFACES, groups=GROUPS, rules=[https, ssh],
          describe_flow_logs={"FlowLogs": [{"FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "REJECT"}]})  # fmt: skip
    assert row(vf.rule_usage(vf.scan(log.data), vf.inventory(folder)), "sgr-ssh")["class"] == "unknown"


def test_rules_and_members_are_those_of_the_time(tmp_path):
    log = Log().quiet("eni-web", "eni-db", "eni-app", days=2)
    log.session("eni-web", "198.51.100.1", WEB, 443, at=3600).session(
        "eni-web", "198.51.100.1", WEB, 443, at=DAY + 3600
    )
    log.session("eni-db", APP, DB, 5432, at=3600).session("eni-db", APP, DB, 5432, at=DAY + 3600)
    https, pg = rule("sgr-https", "sg-web", first=443, cidr=ANY), rule("sgr-pg", "sg-db", first=5432, ref="sg-app")
    folder = tmp_path / "aws"
    before = [INTERFACES[0], INTERFACES[1], eni("eni-app", APP, "sg-web")]
    write(folder, ".2025-10-09", interfaces=before, groups=GROUPS, rules=[*OUT, pg])
    write(folder, ".2025-10-11", interfaces=INTERFACES, groups=GROUPS, rules=[*OUT, https, pg])
    found = vf.rule_usage(vf.scan(log.data), vf.inventory(folder))
    assert (row(found, "sgr-https")["sessions"], row(found, "sgr-pg")["sessions"]) == (1, 1)
    assert [(one["logged"], one["cause"], one["sessions"]) for one in found.contradictions.rows()] == [
        ("ACCEPT", "rules_changed", 2)
    ]


def test_contradictions_have_causes(tmp_path):
    log = covered()
    log.session("eni-web", "198.51.100.1", WEB, 443, action="REJECT", flags=(2, 0))  # nothing explains it
    log.session("eni-web", "198.51.100.2", WEB, 443, action="REJECT", flags=(4, 0))  # a late reset
    log.session("eni-db", "198.51.100.3", DB, 5432, action="REJECT", flags=(2, 0))  # the ACL
    log.session("eni-web", "198.51.100.4", WEB, 8080, at=3600)  # nothing
    log.session("eni-web", "198.51.100.5", WEB, 8080, flags=(1, 1))  # begun before
    acl = {"NetworkAclId": "acl-2", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-2"}], "Entries": [
        {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "198.51.100.0/24"}]}  # fmt: skip
    found = usage(
        tmp_path,
        log,
        rule("sgr-https", "sg-web", first=443, cidr=ANY),
        rule("sgr-pg", "sg-db", first=5432, cidr=ANY),
        acls=[acl],
    )
    assert {(one["logged"], one["cause"]): one["sessions"] for one in found.contradictions.rows()} == {
        ("REJECT", "unexplained"): 1, ("REJECT", "late_packet"): 1, ("REJECT", "nacl"): 1, ("ACCEPT", "unexplained"): 1,
        ("ACCEPT", "tracked"): 1,
    }  # fmt: skip


def test_days_that_are_merged_are_one_pass_byte_for_byte(tmp_path):
    days = [Log().quiet("eni-web", "eni-db", since=since) for since in (0, DAY)]
    for number, log in enumerate(days):
        log.session("eni-web", "198.51.100.1", WEB, 443, at=number * DAY + 3600)
        log.session("eni-db", APP, DB, 5432, at=number * DAY + 80000, length=7000)
    parts = [vf.Observed().update(log.data) for log in days]
    loaded = [vf.Observed.from_bytes(part.to_bytes()) for part in parts]
    whole = vf.Observed().update([log.data for log in days])
    assert loaded[1].merge(loaded[0]).to_bytes() == whole.to_bytes()
    folder = write(
        tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS, rules=[rule("sgr-https", "sg-web", first=443, cidr=ANY)]
    )
    inventory = vf.inventory(folder)
    assert vf.rule_usage(loaded[1], inventory).rows == vf.rule_usage(whole, inventory).rows
    for bad in (b"", b"x", parts[0].to_bytes()[:-1], parts[0].to_bytes()[:40]):
        with pytest.raises(vf.StateError):
            vf.Observed.from_bytes(bad)


def test_the_default_format_says_no_direction_but_the_inventory_does(tmp_path):
    ways = [f"eni-db {APP} {DB} 40000 5432", f"eni-db {DB} {APP} 5432 40000", f"eni-app {APP} {DB} 40000 5432"]
    text = "".join(f"2 1 {way} 6 9 900 {START} {START + 60} ACCEPT OK\n" for way in ways)
    found = usage(tmp_path, text.encode(), rule("sgr-pg", "sg-db", first=5432, ref="sg-app"))
    assert [row(found, one)["sessions"] for one in ("sgr-pg", "sgr-app-out")] == [1, 1]


# -- what AWS's sample of 2022 gets wrong


def test_udp_is_protocol_17(tmp_path):
    log = covered().session("eni-web", "198.51.100.1", WEB, 53, protocol=17)
    found = usage(tmp_path, log, rule("sgr-27", "sg-web", "27", cidr=ANY), rule("sgr-17", "sg-web", "udp", 53, cidr=ANY))
    assert (row(found, "sgr-17")["sessions"], row(found, "sgr-27")["sessions"]) == (1, 0)


def test_the_peer_counts(tmp_path):
    log = covered().session("eni-db", "198.51.100.2", DB, 5432).session("eni-db", "10.9.9.9", DB, 5432)
    near, far = (
        rule(f"sgr-{name}", "sg-db", first=5432, cidr=cidr) for name, cidr in (("in", "10.0.0.0/8"), ("out", "198.51.0.0/16"))
    )
    found = usage(tmp_path, log, near, far)
    assert (row(found, "sgr-in")["sessions"], row(found, "sgr-out")["sessions"]) == (1, 1)


def test_the_only_rule_of_a_group_is_not_credited_with_every_flow(tmp_path):
    log = covered().session("eni-db", APP, DB, 5432).session("eni-db", APP, DB, 9999, action="REJECT", flags=(2, 0))
    interfaces = [INTERFACES[0], eni("eni-db", DB, "sg-db", "sg-only"), INTERFACES[2]]
    found = usage(
        tmp_path, log, rule("sgr-only", "sg-only", first=22, cidr=ANY), rule("sgr-pg", "sg-db", first=5432, ref="sg-app"),
        interfaces=interfaces, groups=[*GROUPS, group("sg-only")],
    )  # fmt: skip
    assert (row(found, "sgr-pg")["sessions"], row(found, "sgr-only")["sessions"]) == (1, 0)


def test_reject_is_no_use(tmp_path):
    log = covered().session("eni-app", "198.51.100.4", APP, 22, action="REJECT", flags=(4, 0))
    found = usage(tmp_path, log, rule("sgr-ssh", "sg-app", first=22, cidr=ANY))
    assert row(found, "sgr-ssh")["sessions"] == 0


def test_replies_are_no_use(tmp_path):
    log = covered().session("eni-app", APP, "198.51.100.3", 443, egress=True)  # its replies come in from port 443
    high = rule("sgr-high", "sg-app", first=1024, last=65535, cidr=ANY)
    found = usage(tmp_path, log, rule("sgr-443", "sg-app", first=443, cidr=ANY), high)
    assert [row(found, one)["sessions"] for one in ("sgr-443", "sgr-high", "sgr-app-out")] == [0, 0, 1]


def test_command(tmp_path, capsys):
    log = covered().session("eni-web", "198.51.100.1", WEB, 443)
    (tmp_path / "flow.log").write_bytes(log.data)
    folder = write(tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS,
                   rules=[rule("sgr-https", "sg-web", first=443, cidr=ANY), rule("sgr-ssh", "sg-web", first=22, cidr=ANY)])  # fmt: skip
    assert main(["sg", "usage", str(tmp_path / "flow.log"), "--inventory", str(folder), "--json"]) == 1
    rows = {one["rule_id"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (rows["sgr-ssh"]["class"], rows["sgr-https"]["sessions"]) == ("unused", 1)
    assert main(["sg", "usage", str(tmp_path / "flow.log"), "--inventory", str(folder)]) == 1
    page = capsys.readouterr().out
    assert "sgr-ssh unused: no session in 1 days at 100.0% coverage" in page


def test_wrong_input(tmp_path, capsys):
    (tmp_path / "flow.log").write_bytes(covered().session("eni-web", "198.51.100.1", WEB, 443).data)
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "describe-subnets.json").write_text('{"Subnets": []}')
    assert main(["sg", "usage", str(tmp_path / "flow.log"), "--inventory", str(tmp_path / "aws")]) == 2
    assert "has no describe-network-interfaces" in capsys.readouterr().err
    folder = write(tmp_path / "aws", interfaces=INTERFACES, groups=GROUPS, rules=OUT)
    with pytest.raises(vf.FieldError, match="action"):
        vf.rule_usage(
            vf.scan(
                b"srcaddr dstaddr srcport dstport protocol start end interface-id\n10.0.0.1 10.0.0.2 1 2 6 0 60 eni-1\n"
            ),
            vf.inventory(folder),
        )
