"""Proposals: what they keep, that they widen nothing, what they would break, what they refuse."""

import ipaddress
import itertools
import json
import random
from collections import Counter

import pytest

import sg_random
import vpcflow as vf
from conftest import LONG
from sg_world import DAY, Log, eni, four_weeks, group, rule, write
from vpcflow.cli import main
from vpcflow.tuning.confidence import denial, unseen_share
from vpcflow.tuning.cover import best_choice, cover_curve

WEB, DB, APP = "10.0.1.10", "10.0.2.10", "10.0.1.20"
INTERFACES = [eni("eni-web", WEB, "sg-web"), eni("eni-db", DB, "sg-db"), eni("eni-app", APP, "sg-app")]
GROUPS = [group("sg-web"), group("sg-db"), group("sg-app")]


def inventory(folder, *rules, **more):
    more.setdefault("interfaces", INTERFACES)
    more.setdefault("groups", GROUPS)
    return vf.inventory(write(folder, rules=list(rules), **more))


def texts(proposal, id):
    """The rules of a group as short texts."""
    out = []
    for one in proposal.rules:
        if one["GroupId"] == id:
            source = (
                one.get("CidrIpv4")
                or one.get("CidrIpv6")
                or one.get("PrefixListId")
                or one["ReferencedGroupInfo"]["GroupId"]
            )
            way = "to" if one["IsEgress"] else "from"
            out.append(f"{one['IpProtocol']} {one['FromPort']}-{one['ToPort']} {way} {source}")
    return sorted(out)


def days(number=8, *interfaces):
    return Log().quiet(*(interfaces or ("eni-web", "eni-db", "eni-app")), days=number)


def test_peers_become_groups_prefixes_and_open_services(tmp_path):
    log = days()
    for day in range(8):
        for number in range(30):
            log.session("eni-web", f"198.51.{number}.{day + 1}", WEB, 443, at=day * DAY + number * 60)
        log.session("eni-db", APP, DB, 5432, at=day * DAY)
        for number in (4, 5, 6, 7):
            log.session("eni-web", f"10.0.9.{number}", WEB, 9100, at=day * DAY + 500)
    log.session("eni-web", "10.0.77.7", WEB, 9100, at=7 * DAY + 500)
    found = vf.propose_rules(vf.scan(log.data), inventory(
        tmp_path, rule("sgr-https", "sg-web", first=443, cidr="0.0.0.0/0"), rule("sgr-http", "sg-web", first=80, cidr="0.0.0.0/0"),
        rule("sgr-metrics", "sg-web", first=9000, last=9200, cidr="10.0.0.0/8"), rule("sgr-all", "sg-db", "-1", cidr="10.0.0.0/16"),
    ))  # fmt: skip
    assert texts(found, "sg-web") == ["tcp 443-443 from 0.0.0.0/0", "tcp 9100-9100 from 10.0.9.4/30"]
    assert texts(found, "sg-db") == ["tcp 5432-5432 from sg-app"]
    assert found.kept_rules == ["sgr-https"]
    assert {one["SecurityGroupRuleId"] for one in found.revoked} == {"sgr-http", "sgr-metrics", "sgr-all"}
    assert found.covers["sessions"] == found.covers["allowed"] == 6 * 35
    assert [(one["peer"], one["sessions"], one["why"]) for one in found.breaks] == [
        ("10.0.77.7", 1, "held out, not learned")
    ]
    held = found.held_out_denied
    assert (held["denied"], held["sessions"]) == (1, 2 * 35 + 1)
    assert held["low"] < held["share"] < held["high"]
    assert not found.widened


def test_hold_out_is_a_choice(tmp_path):
    log = days()
    for day in range(8):
        log.session("eni-web", f"10.{day}.9.1", WEB, 9100, at=day * DAY)
    known = inventory(tmp_path, rule("sgr-1", "sg-web", first=9100, cidr="10.0.0.0/8"))
    assert len(vf.propose_rules(vf.scan(log.data), known).breaks) == 2
    whole = vf.propose_rules(vf.scan(log.data), known, hold_out=0)
    assert (whole.breaks, whole.held_out_denied["share"]) == ([], None)
    with pytest.raises(vf.PlanError, match="hold out fewer"):
        vf.propose_rules(vf.scan(log.data), known, hold_out=8)


def test_what_is_not_kept_is_counted_and_what_is_pinned_stays(tmp_path):
    log = days(1)
    log.session("eni-web", "10.0.9.1", WEB, 22, reply=False, flags=(2, 0))  # nobody answers
    log.session("eni-web", "10.0.9.2", WEB, 514, protocol=17, reply=False, bytes=90000)  # nobody has to
    log.session("eni-web", "10.0.9.3", WEB, 22)
    log.session("eni-web", "10.0.9.4", WEB, 80, action="REJECT", flags=(2, 0))
    known = inventory(
        tmp_path, rule("sgr-all", "sg-web", "-1", cidr="10.0.0.0/8"), rule("sgr-dr", "sg-web", first=873, cidr="10.9.0.0/16"),
        rule("sgr-tag", "sg-web", first=874, cidr="10.9.0.0/16", Tags=[{"Key": "keep", "Value": "DR"}]),
        rule("sgr-text", "sg-web", first=875, cidr="10.9.0.0/16", Description="keep: yearly"),
        acls=[{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Associations": [{"SubnetId": "subnet-1"}], "Entries": []}],
    )  # fmt: skip
    found = vf.propose_rules(vf.scan(log.data), known, keep=["sgr-dr"])
    assert texts(found, "sg-web") == [
        "tcp 22-22 from 10.0.9.3/32", "tcp 873-873 from 10.9.0.0/16", "tcp 874-874 from 10.9.0.0/16", "tcp 875-875 from 10.9.0.0/16",
        "udp 514-514 from 10.0.9.2/32",
    ]  # fmt: skip
    assert found.dropped == {"unanswered": 1, "rejected": 1}
    assert [(one["peer"], one["why"]) for one in found.breaks] == [("10.0.9.1", "unanswered")]
    assert "tcp 22-22 from 10.0.9.3/32" not in texts(
        vf.propose_rules(vf.scan(log.data), known, exclude=["10.0.9.3"]), "sg-web"
    )
    with pytest.raises(vf.PlanError, match="no rule sgr-nope"):
        vf.propose_rules(vf.scan(log.data), known, keep=["sgr-nope"])


def test_hostile_sessions_are_not_kept(tmp_path):
    log = days(1)
    for port in range(1, 400):
        log.session("eni-web", "203.0.113.66", WEB, port, at=port, flags=(2, 20), bytes=100)
    log.session("eni-web", "203.0.113.66", WEB, 443, at=500, bytes=5000)
    log.session("eni-web", "10.0.9.1", WEB, 443, at=500, bytes=5000)
    found = vf.propose_rules(vf.scan(log.data), inventory(tmp_path, rule("sgr-all", "sg-web", "-1", cidr="0.0.0.0/0")))
    assert texts(found, "sg-web") == ["tcp 443-443 from 10.0.9.1/32"]
    assert sum(number for why, number in found.dropped.items() if why.startswith("hostile: ")) == 400


def test_ports_that_are_drawn_at_random_become_a_range(tmp_path):
    log = days(1)
    for port in range(50000, 50040, 2):
        log.session("eni-db", APP, DB, port, at=port - 50000)
    log.session("eni-db", APP, DB, 111, at=1)
    found = vf.propose_rules(
        vf.scan(log.data), inventory(tmp_path, rule("sgr-rpc", "sg-db", first=0, last=65535, cidr="10.0.0.0/8"))
    )
    assert texts(found, "sg-db") == ["tcp 111-111 from sg-app", "tcp 50000-50038 from sg-app"]


def test_a_proposal_is_refused_where_the_rules_do_not_explain_the_log(tmp_path):
    log = days(1)
    for number in range(100):
        log.session("eni-web", "10.0.9.1", WEB, 443, at=3600 + number)
    known = inventory(tmp_path, rule("sgr-1", "sg-web", first=443, cidr="10.0.0.0/8"))
    assert vf.propose_rules(vf.scan(log.data), known).contradictions == []
    log.session("eni-web", "10.0.9.1", WEB, 8080, at=9000)
    with pytest.raises(vf.PlanError, match=r"1 of 101 sessions \(1.0%\) contradict the rules"):
        vf.propose_rules(vf.scan(log.data), known)


def test_groups_whose_interfaces_are_not_covered_stay_as_they_are(tmp_path):
    log = Log().quiet("eni-web", "eni-app").quiet("eni-db", but=[(0, DAY // 2)])
    log.session("eni-web", "10.0.9.1", WEB, 443).session("eni-db", APP, DB, 5432, at=DAY - 500)
    rules = [rule("sgr-1", "sg-web", "-1", cidr="10.0.0.0/8"), rule("sgr-2", "sg-db", "-1", cidr="10.0.0.0/8")]
    found = vf.propose_rules(vf.scan(log.data), inventory(tmp_path, *rules))
    assert "sg-db" not in found.groups
    assert any("sg-db is left as it is" in note for note in found.notes)


def test_members_of_before_keep_their_reference(tmp_path):
    """A peer that is gone was allowed by a reference to its group: the reference stays, and no address is made a rule."""
    log = days(2).session("eni-db", "10.0.1.99", DB, 5432, at=3600).session("eni-db", APP, DB, 5432, at=DAY + 3600)
    rules = [rule("sgr-1", "sg-db", "-1", ref="sg-app")]
    before = [*INTERFACES[:2], eni("eni-old", "10.0.1.99", "sg-app")]
    write(tmp_path, ".2025-10-09", interfaces=before, groups=GROUPS, rules=rules)
    write(tmp_path, ".2025-10-11", interfaces=INTERFACES, groups=GROUPS, rules=rules)
    found = vf.propose_rules(vf.scan(log.data), vf.inventory(tmp_path), groups=["sg-db"], hold_out=0)
    assert texts(found, "sg-db") == ["tcp 5432-5432 from sg-app"]
    assert (found.covers["sessions"], found.widened) == (2, [])


def test_covers_are_the_best_there_are():
    """Against all sets of prefixes of a /28 with holes."""
    r = random.Random(5)
    base = int(ipaddress.ip_address("10.0.0.0"))
    prefixes = [(first, length) for length in range(28, 33) for first in range(0, 16, 1 << (32 - length))]
    for _ in range(40):
        wanted = set(r.sample(range(16), r.randint(1, 6)))
        holes = set(r.sample(range(16), r.randint(0, 3))) - wanted

        def inside(first, last, holes=holes):
            return base <= first and last < base + 16 and not any(first <= base + hole <= last for hole in holes)

        curve = cover_curve([str(ipaddress.ip_address(base + one)) for one in wanted], 4, inside, 4)
        for most in (1, 2, 3):
            best = None
            for chosen in itertools.chain(*(itertools.combinations(prefixes, number) for number in range(1, most + 1))):
                held = {first + at for first, length in chosen for at in range(1 << (32 - length))}
                if wanted <= held and not held & holes:
                    best = min(best or 99, len(held))
            assert min((one.addresses for one in curve if one.rules <= most), default=None) == best


def test_choices_within_a_budget_are_the_best_there_are():
    r = random.Random(6)
    for _ in range(60):
        curves = [[(rules, r.randint(0, 50)) for rules in range(1, r.randint(2, 4))] for _ in range(r.randint(1, 4))]
        budget = r.randint(1, 8)
        fitting = [
            sum(cost for _, cost in chosen)
            for chosen in itertools.product(*curves)
            if sum(rules for rules, _ in chosen) <= budget
        ]
        choice = best_choice(curves, budget)
        assert (choice is None) == (not fitting)
        if choice is not None:
            assert sum(curve[at][1] for curve, at in zip(curves, choice)) == min(fitting)


def test_a_budget_of_rules_holds(tmp_path):
    log = days(1)
    for number in range(40):
        log.session("eni-web", f"10.{number * 5}.9.1", WEB, 443, at=number)
    known = inventory(tmp_path, rule("sgr-1", "sg-web", first=443, cidr="10.0.0.0/8"))
    assert len(vf.propose_rules(vf.scan(log.data), known).rules) == 40
    few = vf.propose_rules(vf.scan(log.data), known, budget=3)
    assert len(few.rules) == 3
    assert not few.widened


def test_unseen_mass_and_intervals():
    assert unseen_share([1, 1, 2, 6]) == 0.2
    assert denial({}, {})["share"] is None
    wide, narrow = denial({"a": 10}, {"a": 10, "b": 90}), denial({1: 1}, dict.fromkeys(range(100), 1))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


@pytest.mark.parametrize("seed", range(20) if LONG else range(3))
def test_the_held_out_rate_tells_of_days_to_come(tmp_path, seed):
    """Edges come up at random all the time: the share denied in further days lies in the interval."""
    r = random.Random(seed)

    def add(log, day):
        for number in range(120):
            peer = f"10.0.{r.randint(20, 21)}.{int(r.paretovariate(0.7)) % 250}"
            log.session("eni-web", peer, WEB, 443, at=day * DAY + number * 700)

    log = days(12)
    for day in range(12):
        add(log, day)
    known = inventory(tmp_path, rule("sgr-1", "sg-web", first=443, cidr="10.0.0.0/8"))
    found = vf.propose_rules(vf.scan(log.data), known, budget=60)
    later = days(12)
    for day in range(12, 30):
        add(later, day)
    told = vf.check_rules(found, vf.scan(later.data), known).sessions
    assert found.held_out_denied["low"] <= told["share"] <= found.held_out_denied["high"]


@pytest.mark.parametrize("seed", range(200) if LONG else range(6))
def test_usage_in_random_worlds_is_what_few_lines_count(tmp_path, seed):
    made = sg_random.world(seed)
    found = {
        one["rule_id"]: one
        for one in vf.rule_usage(vf.scan(made.log.data), vf.inventory(write(tmp_path, **made.documents)))
    }
    sessions, exclusive, maybe = Counter(), Counter(), Counter()
    for interface, egress, peer, protocol, port, _, accepted in made.sessions:
        if accepted:
            allow, may = made.judge(interface, egress, peer, protocol, port)
            sessions.update(allow)
            maybe.update(may)
            if len(allow) == 1 and not may:
                exclusive[allow[0]] += 1
    for one in made.rules:
        row = found[one["SecurityGroupRuleId"]]
        wanted = [counted[row["rule_id"]] for counted in (sessions, exclusive, maybe)]
        if any(protocol == 50 for _, _, _, protocol, *_ in made.sessions) and one["IpProtocol"] in ("50", "-1"):
            assert row["sessions"] + row["maybe_sessions"] >= wanted[0] - wanted[2]  # who began may be open
        else:
            assert [row["sessions"], row["exclusive"], row["maybe_sessions"]] == wanted, one
    assert all(row["class"] != "unused" for row in found.values() if sessions[row["rule_id"]])


@pytest.mark.parametrize("seeds", [range(at, at + 50) for at in range(0, 1000, 50)] if LONG else [range(4)])
def test_proved_by_z3(tmp_path, seeds):
    """A proposal lies inside the current rules, and the kept traffic inside the proposal, whatever the packet."""
    z3 = pytest.importorskip("z3")

    def formula(made, rules, groups, egress, packet, version):
        peer, protocol, port, kind, code = packet
        bits = 32 if version == 4 else 128
        parts = []
        for one in rules:
            if one["GroupId"] not in groups or one["IsEgress"] != egress:
                continue
            nets = [net for net in made.networks(one) if net.version == version]
            is_peer = z3.Or([z3.LShR(peer, bits - net.prefixlen) == int(net.network_address) >> (bits - net.prefixlen)
                             if net.prefixlen else z3.BoolVal(True) for net in nets])  # fmt: skip
            meant = sg_random.PROTOCOLS[one["IpProtocol"]]
            terms = [is_peer] + ([] if meant is None else [protocol == meant])
            if meant in (6, 17):
                terms += [z3.ULE(one["FromPort"], port), z3.ULE(port, one["ToPort"])]
            if meant == 1 and one["FromPort"] >= 0:
                terms += [kind == one["FromPort"]] + ([code == one["ToPort"]] if one["ToPort"] >= 0 else [])
            parts.append(z3.And(terms))
        return z3.Or(parts)

    checked = 0
    for seed in seeds:
        made = sg_random.world(seed, sessions=60, days=1)
        found = vf.propose_rules(vf.scan(made.log.data), vf.inventory(write(tmp_path / str(seed), **made.documents)))
        proposed = [one for one in found.rules] + [one for one in made.rules if one["GroupId"] not in found.groups]
        for version in (4, 6):
            packet = (z3.BitVec("peer", 32 if version == 4 else 128), z3.BitVec("protocol", 8), z3.BitVec("port", 16),
                      z3.BitVec("kind", 8), z3.BitVec("code", 8))  # fmt: skip
            for id in found.groups:
                for egress in (False, True):
                    solver = z3.Solver()
                    solver.add(formula(made, proposed, {id}, egress, packet, version))
                    solver.add(z3.Not(formula(made, made.rules, {id}, egress, packet, version)))
                    assert solver.check() == z3.unsat, (seed, id, egress, solver.model())
                    checked += 1
        for interface, egress, peer, protocol, port, _, accepted in made.sessions:
            if accepted and protocol != 50:
                assert made.judge(interface, egress, peer, protocol, port, proposed)[0], (
                    seed,
                    interface,
                    egress,
                    peer,
                    protocol,
                    port,
                )
    assert checked > 4 * len(seeds)


def test_rules_are_replayed_over_logs(tmp_path):
    log = days(1).session("eni-web", "10.0.9.1", WEB, 443).session("eni-web", "10.0.9.2", WEB, 443, at=60)
    log.session("eni-web", "10.0.9.3", WEB, 80, action="REJECT", flags=(2, 0))
    known = inventory(tmp_path / "aws", rule("sgr-1", "sg-web", first=443, cidr="10.0.0.0/8"))
    by_hand = [
        rule("sgr-x", "sg-web", first=443, cidr="10.0.9.1/32"),
        rule("sgr-y", "sg-web", first=80, cidr="10.0.0.0/8"),
    ]
    found = vf.check_rules(by_hand, vf.scan(log.data), known)
    assert [(one["change"], one["peer"], one["sessions"]) for one in found.rows()] == [
        ("denied", "10.0.9.2", 1),
        ("allowed", "10.0.9.3", 1),
    ]
    assert found.sessions == {"accepted": 2, "denied": 1, "maybe": 0, "allowed": 1, "share": 0.5}
    (tmp_path / "rules.json").write_text(json.dumps({"SecurityGroupRules": by_hand}))
    (tmp_path / "groups.json").write_text(json.dumps({"SecurityGroups": [group("sg-web", IpPermissions=[])]}))
    assert vf.check_rules(tmp_path / "rules.json", vf.scan(log.data), known).rows() == found.rows()
    assert vf.check_rules(tmp_path / "groups.json", vf.scan(log.data), known).sessions["denied"] == 2
    for bad, said in (("{}", "no rules in it"), ('{"SecurityGroupRules": [{"GroupId": 1}]}', "rule 1 cannot be read")):
        (tmp_path / "bad.json").write_text(bad)
        with pytest.raises(vf.PlanError, match=said):
            vf.check_rules(tmp_path / "bad.json", vf.scan(log.data), known)


def test_commands(tmp_path, capsys):
    documents, log = four_weeks()
    (tmp_path / "flow.log").write_bytes(log.data)
    folder = write(tmp_path / "aws", **documents)
    there = [str(tmp_path / "flow.log"), "--inventory", str(folder)]
    assert main(["sg", "propose", *there, "-o", str(tmp_path / "proposal.json"), "--json"]) == 1
    proposal = json.loads(capsys.readouterr().out)
    assert proposal == json.loads((tmp_path / "proposal.json").read_text())
    assert proposal["held_out_denied"]["denied"] == 3
    assert main(["sg", "check", str(tmp_path / "proposal.json"), *there]) == 1
    assert "3 of 1,799 accepted sessions would have been denied" in capsys.readouterr().out
    assert main(["sg", "propose", *there, "--group", "db", "--hold-out", "0", "-o", str(tmp_path / "db.json")]) == 1
    page = capsys.readouterr().out
    assert "ingress tcp 5432 from sg-0a0000000000000a2" in page
    assert main(["sg", "check", str(tmp_path / "db.json"), *there]) == 0
    assert main(["sg", "propose", *there, "--group", "nope"]) == 2
    assert "no group nope" in capsys.readouterr().err
    assert main(["sg", "propose", *there, "--where", "dstport = 443"]) == 2
    assert "a filter left records out" in capsys.readouterr().err


def test_rules_without_ids_are_numbered(tmp_path):
    """An inventory of describe-security-groups alone: rules are revoked by what they say."""
    log = days(1).session("eni-web", "10.0.9.1", WEB, 443)
    permissions = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.9.1/32"}]},
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "192.168.0.0/16"}]},
    ]
    write(tmp_path, interfaces=INTERFACES, groups=[group("sg-web", IpPermissions=permissions)])
    (tmp_path / "describe-security-group-rules.json").unlink()
    known = vf.inventory(tmp_path)
    (used,) = vf.rule_usage(vf.scan(log.data), known)
    assert (used["rule_id"], used["sessions"]) == ("sg-web", 1)
    found = vf.propose_rules(vf.scan(log.data), known)
    assert texts(found, "sg-web") == ["tcp 443-443 from 10.0.9.1/32"]
    assert len(found.kept_rules) == 1
    assert sorted(one["CidrIpv4"] for one in found.revoked) == ["10.0.0.0/8", "192.168.0.0/16"]
    (text,) = (text for name, text in found.to_cli().items() if "revoke" in name)
    assert len(json.loads(text)["IpPermissions"]) == 2
