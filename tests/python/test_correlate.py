"""Sequences and risk against brute force on random timelines, planted stories, hostile and damaged files."""

import dataclasses
import gzip
import itertools
import json
import os
import random

import pytest

import vpcflow as vf
from conftest import ROOT
from vpcflow.cli import main
from vpcflow.correlate import Event, Events, matches, of, risk, write_events
from vpcflow.correlate.conditions import Condition, conjuncts
from vpcflow.correlate.entities import Entities, add_changes
from vpcflow.correlate.shipped import SHIPPED
from vpcflow.correlate.sources import load_events

SEEDS = 10_000 if os.environ.get("VPCFLOW_LONG") else 60
EXAMPLE = ROOT / "examples/correlate"
HOSTS = ["i-1", "i-2", "eni-3", "10.0.0.9"]
RULES = [
    {"name": "ab", "within": "40s", "sequence": [{"source": "a"}, {"source": "b"}]},
    {"name": "abc", "within": "60s", "sequence": [{"source": "a"}, {"source": "b", "kind": ["x", "y"]}, {"source": "c"}]},
    {"name": "not-between", "within": "50s", "sequence": [{"source": "a"}, {"not": {"source": "c", "kind": "y"}}, {"source": "b"}]},
    {"name": "not-before", "within": "30s", "sequence": [{"not": {"source": "c"}, "within": "20s"}, {"source": "a"}, {"source": "b"}]},
    {"name": "not-after", "within": "30s", "sequence": [{"source": "a"}, {"source": "b"}, {"source": "c", "not": True}]},
    {"name": "bound", "within": "60s", "sequence": [{"source": "a", "bind": {"n": "n"}}, {"source": "b", "where": "n = $n"}]},
    {"name": "in", "within": "60s", "sequence": [{"source": "a", "bind": {"h": "host"}}, {"source": ["b", "c"], "entity_in": "$h"}]},
    {"name": "in-not-before", "within": "60s", "sequence": [{"not": {"source": "c", "entity_in": "$h"}, "within": "30s"}, {"source": "a", "bind": {"h": "host"}}, {"source": "b", "entity_in": "$h"}]},
    {"name": "in-not-between", "within": "60s", "sequence": [{"source": "a", "bind": {"h": "host"}}, {"not": {"source": "c", "entity_in": "$h"}}, {"source": "b", "entity_in": "$h"}]},
    {"name": "same", "within": "60s", "sequence": [{"source": "a", "bind": {"n": "n"}}, {"source": "b", "bind": {"n": "n"}}]},
    {"name": "same-any-order", "within": "60s", "ordered": False, "sequence": [{"source": "a", "bind": {"n": "n"}}, {"source": ["b", "c"], "kind": "x", "bind": {"n": "n"}}, {"source": "c", "kind": "y", "bind": {"n": "n"}}]},
    {"name": "lasting", "within": "60s", "sequence": [{"source": "a"}, {"source": "b", "lasts": "10s"}]},
    {"name": "new", "within": "60s", "sequence": [{"not": {"source": "a", "where": "n = $n"}, "within": "30s"}, {"source": "a", "bind": {"n": "n"}}, {"source": "b", "where": "n = $n"}]},
    {"name": "either", "within": "60s", "sequence": [{"source": "a", "where": "n = 1 or kind_of = 'x'"}, {"source": "b", "where": "not (n = 1 and not kind_of like 'X*')"}]},
    {"name": "any-order", "within": "30s", "ordered": False, "sequence": [{"source": "a", "kind": "x"}, {"source": "b", "kind": "x"}]},
]


def timeline(seed):
    rng = random.Random(seed)
    out = []
    for number in range(rng.randrange(2, 16)):
        time = rng.randrange(0, 100, 5)  # many ties
        host = rng.choice(HOSTS)
        out.append(Event(time, time + rng.choice([0, 0, 12]), rng.choice("abc"), rng.choice("xy"), (host,), rng.choice(["", "low", "high"]), f"f:{number}", str(number), {"n": rng.choice([0, 1, 1, None]), "host": host}))
        out[-1] = dataclasses.replace(out[-1], attrs={"kind_of": out[-1].kind, **{k: v for k, v in out[-1].attrs.items() if v is not None}})
    return out


def brute(rule, events):
    """What the definition says, without search: all tuples, the first that fits by each first event, one a story."""
    steps, positive = rule["sequence"], [s for s in rule["sequence"] if not s.get("not")]
    within = int(rule["within"][:-1])

    def takes(step, e):
        step = step["not"] if isinstance(step.get("not"), dict) else step
        sources, kinds = step["source"], step.get("kind", "xy")
        n, kind = e.attrs.get("n"), e.kind
        held = {"n = 1 or kind_of = 'x'": n == 1 or kind == "x", "not (n = 1 and not kind_of like 'X*')": n == 0 or kind == "x"}
        return e.source in sources and e.kind in kinds and e.end - e.time >= int(step.get("lasts", "0s")[:-1]) and held.get(step.get("where"), True)

    def fits(step, e, first):
        step = step["not"] if isinstance(step.get("not"), dict) else step
        by_n = "$n" in step.get("where", "") or (step.get("bind") == {"n": "n"} and rule["name"].startswith("same"))
        if by_n and (e.attrs.get("n") is None or e.attrs.get("n") != first.attrs.get("n")):
            return False
        host = first.attrs["host"]
        kind = host.partition("-")[0] + "-"  # of an event without an instance nobody can tell that it is not of this one
        unknown = host != "10.0.0.9" and not any(one.startswith(kind) for one in e.entities)
        return "entity_in" not in step or host in e.entities or unknown

    joined = not any("$" in s.get("where", "") or "entity_in" in str(s) for s in steps) and not rule["name"].startswith("same")
    order = lambda e: (e.time, e.end, e.source, e.kind, e.key)  # noqa: E731
    best = {}
    for perm in itertools.permutations(positive) if rule.get("ordered") is False else [positive]:
        for chain in itertools.permutations(events, len(perm)):
            if not all(takes(s, e) and fits(s, e, chain[0]) for s, e in zip(perm, chain)):
                continue
            if joined and not set.intersection(*(set(e.entities) for e in chain)):
                continue
            if any(not (b.time >= a.time or b.end > a.time) for a, b in zip(chain, chain[1:])) or any(e.time > chain[0].time + within for e in chain):
                continue
            bad = False
            for number, step in enumerate(steps):
                if step.get("not"):
                    before = sum(not s.get("not") for s in steps[:number])
                    for e in events:
                        named = "entity_in" in str(step) and chain[0].attrs["host"] not in e.entities
                        alike = {one for x in chain for one in x.entities if one.startswith("eni-")}
                        unsure = any("entity_in" in s and chain[0].attrs["host"] not in x.entities for s, x in zip(perm, chain))
                        if named and not (unsure and alike & set(e.entities)):  # nobody can tell, and it is of no interface of the chain
                            continue
                        if e in chain or not takes(step, e) or not fits(step, e, chain[0]) or (joined and e.entities != chain[0].entities):
                            continue
                        if before == 0:
                            bad |= chain[0].time - int(step["within"][:-1]) <= e.time < chain[0].time and e.end <= chain[0].time
                        elif before == len(perm):
                            bad |= chain[-1].time <= e.time <= chain[0].time + within
                        else:
                            bad |= chain[before - 1].time <= e.time <= chain[before].time
            if not bad:
                key = (tuple(map(id, perm)), chain[0].key)
                unsure = any("entity_in" in s and chain[0].attrs["host"] not in e.entities for s, e in zip(perm, chain))
                if key not in best or (unsure, [order(e) for e in chain]) < best[key][:2]:
                    best[key] = (unsure, [order(e) for e in chain], chain)
    out, told = [], set()
    for _, _, chain in sorted(best.values(), key=lambda c: c[1]):
        if not told & {e.key for e in chain}:
            out.append([e.key for e in chain])
        told |= {e.key for e in chain}
    return out


def test_sequences_are_those_of_the_definition_in_any_order_of_delivery():
    rules, found = of(RULES), dict.fromkeys((rule["name"] for rule in RULES), 0)
    for seed in range(SEEDS):
        events = timeline(seed)
        got = matches(rules, Events(events))
        for rule in RULES:
            own = [[e.key for e in m.events] for m in got if m.rule == rule["name"]]
            assert sorted(own) == sorted(brute(rule, events)), (seed, rule["name"])
            found[rule["name"]] += len(own)
        rng = random.Random(-seed)
        shuffled = [*events, *rng.sample(events, len(events) // 2)]
        rng.shuffle(shuffled)
        cut = rng.randrange(len(shuffled) + 1)
        joined = Events(shuffled[cut:]) + Events(shuffled[:cut])
        as_bytes = [json.dumps([[m.as_row() for m in matches(rules, e)], risk(e, matches(rules, e)), e.rows()]) for e in (Events(events), joined)]
        assert as_bytes[0] == as_bytes[1]
    assert min(found.values()) > 3  # no rule that the timelines never try


def test_risk_is_the_sum_of_its_parts():
    events = [Event(t, t, source, kind, ("i-1",), severity, "", f"{kind}{t}") for t, source, kind, severity in [(0, "a", "x", "high"), (43200, "a", "x", "low"), (43200, "b", "y", "medium"), (43200, "b", "z", "")]]
    (row,) = risk(Events(events))
    assert [(p["kind"], p["points"]) for p in row["parts"]] == [("x", 20.0), ("y", 4.0)]  # 10 * (1 + log2 2), the youngest is of now
    assert row["score"] == 27.0
    assert row["sources"] == ["a", "b"]
    assert risk(Events(events), entities=Entities(shared=["i-1"])) == []
    assert risk(Events(events), at=43200 + 43200)[0]["score"] == 15.0  # a half-life later


def test_a_later_version_of_an_event_counts_whatever_comes_first():
    old, new = (Event(1, 1, "guardduty", "k", ("i-1",), "low", "f", "id", {"count": n}, f"2026-11-2{n}") for n in (1, 2))
    assert [e.attrs["count"] for e in Events([old, new])] == [e.attrs["count"] for e in Events([new, old])] == [2]


def test_addresses_that_are_used_again_do_not_cross_talk():
    entities = Entities(shared=["198.51.100.1"])
    add_changes(entities, [("address", "10.0.0.7", "i-old", 100, True), ("gone", "i-old", "", 200, False), ("address", "10.0.0.7", "i-new", 300, True)])
    at = lambda time, end, *named: entities.resolve(Event(time, end, "s", "k", named, "", "", "k"))  # noqa: E731
    assert at(150, 150, "10.0.0.7") == {"10.0.0.7", "i-old"}
    assert at(250, 250, "10.0.0.7") == {"10.0.0.7"}
    assert at(350, 350, "10.0.0.7") == {"10.0.0.7", "i-new"}
    assert at(150, 350, "10.0.0.7") == {"10.0.0.7", "i-old", "i-new"}  # both, as it lasts over the boundary
    assert at(150, 150, "198.51.100.1") == set()
    regrouped = Entities()
    add_changes(regrouped, [("group", "eni-1", "sg-1", 100, True), ("regrouped", "eni-1", "", 200, False), ("group", "eni-1", "sg-2", 200, True)])
    of_group = lambda time, eni, group: regrouped.member(Event(time, time, "flows", "record", (eni,), "", "", "k"), group)  # noqa: E731
    assert [of_group(150, "eni-1", "sg-1"), of_group(250, "eni-1", "sg-1"), of_group(250, "eni-1", "sg-2"), of_group(150, "eni-9", "sg-1")] == [True, False, True, None]
    rules = of([{"name": "r", "within": "1h", "by": "instance", "sequence": [{"source": "a"}, {"source": "b"}]}])
    event = lambda time, source: Event(time, time, source, "k", ("10.0.0.7",), "", "", f"{source}{time}")  # noqa: E731
    assert matches(rules, Events([event(150, "a"), event(350, "b")]), entities) == []
    assert [m.entity for m in matches(rules, Events([event(150, "a"), event(160, "b")]), entities)] == ["i-old"]


def test_private_addresses_are_of_a_vpc_and_others_of_the_world():
    resolve = lambda vpc, *named: Entities().resolve(Event(1, 1, "flows", "record", named, "", "", "k", {"vpc_id": vpc}))  # noqa: E731
    assert resolve("vpc-1", "10.0.0.1", "203.0.113.5", "fd00::1") == {"10.0.0.1@vpc-1", "203.0.113.5", "fd00::1@vpc-1"}
    assert not resolve("vpc-1", "10.0.0.1") & resolve("vpc-2", "10.0.0.1")


def test_a_relation_ends_where_the_next_one_begins():
    for seed in range(200):
        rng = random.Random(seed)
        changes = {("address", "10.0.0.1", rng.choice("abc"), rng.randrange(6), True) for _ in range(rng.randrange(1, 7))}
        entities = Entities()
        add_changes(entities, changes)
        for _, one, other, time, _ in changes:
            end = min((t for _, _, name, t, _ in changes if name != other and t > time), default=2**40)
            assert any((s.start, s.end, s.other) == (time, end, other) for s in entities.spans("address", one, 0, 99))


@pytest.mark.parametrize(("hour", "found"), [(1, ["i-a"]), (3, [])])
def test_an_instance_does_not_take_the_blame_for_the_next_at_its_address(tmp_path, hour, found):
    begin = 1_795_413_600
    started = lambda time, name: {"eventTime": time, "eventSource": "ec2", "eventName": "RunInstances", "eventID": name, "responseElements": {"instancesSet": {"items": [{"instanceId": f"i-{name}", "networkInterfaceSet": {"items": [{"networkInterfaceId": f"eni-{name}", "privateIpAddress": "10.0.1.10"}]}}]}}}  # noqa: E731
    ended = {"eventTime": begin + 7200, "eventSource": "ec2", "eventName": "TerminateInstances", "eventID": "t", "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-a"}]}}}
    (tmp_path / "trail.json").write_text(json.dumps([started(begin, "a"), ended, started(begin + 8000, "b")]))
    (tmp_path / "gd.json").write_text(json.dumps({"type": "T", "severity": 5, "id": "g", "resource": {"instanceDetails": {"instanceId": "i-a"}}, "service": {"eventFirstSeen": begin + 3600, "eventLastSeen": begin + 3700}}))
    time = begin + hour * 3600
    (tmp_path / "found.jsonl").write_text(json.dumps({"detector": "exfiltration", "severity": "high", "actor": "10.0.1.10", "targets": [], "start": time, "end": time + 60}))
    log = "\n".join(f"2 123456789012 {eni} 10.0.1.10 198.51.100.9 443 50000 6 9 840 {t} {t + 50} ACCEPT OK" for eni, t in (("eni-a", begin + 60), ("eni-b", begin + 9000)))
    own = vf.correlate(vf.scan(log.encode()), cloudtrail=tmp_path / "trail.json", guardduty=tmp_path / "gd.json", findings=tmp_path / "found.jsonl")
    assert [m.entity for m in own.matches if m.rule == "guardduty-and-exfiltration"] == found


@pytest.mark.parametrize(
    ("text", "attrs", "holds"),
    [
        ("port = $p", {"port": 22}, True), ("port = $range", {"port": 22}, True), ("port = $range", {"port": 31}, False),
        ("address in $net", {"address": "10.1.2.3"}, True), ("address in $net", {"address": "11.1.2.3"}, False),
        ("not address in $net", {"address": "11.1.2.3"}, True), ("mfa is null", {}, True), ("mfa is not null", {}, False),
        ("mfa != 'Yes'", {}, False), ("mfa = 'no'", {"mfa": "No"}, True), ("n >= 7", {"n": "7.5"}, True),
        ("n > 7", {"n": "x"}, False), ("cidr in ('0.0.0.0/0', '::/0')", {"cidr": "::/0"}, True), ("port = $nothing", {"port": 1}, False),
        ("name = 'it''s'", {"name": "it's"}, True), ("cidr not in ('a', 'b')", {"cidr": "c"}, True),
    ],
)  # fmt: skip
def test_conditions(text, attrs, holds):
    assert Condition.parse(text).holds(attrs, {"p": "22", "range": "20-30", "net": "10.0.0.0/8"}) is holds


def test_an_or_is_one_part():
    assert conjuncts("a = 1 or b = 2 and c = 3") == ["a = 1 or b = 2 and c = 3"]
    assert conjuncts("a between 1 and 5 and b = 2") == ["a between 1 and 5", "b = 2"]


def test_rules_that_nothing_given_can_decide_are_no_all_clear(tmp_path, capsys):
    rules = tmp_path / "rules.json"
    flows = ["--flows", str(EXAMPLE / "flow.log.gz"), "--cloudtrail", str(EXAMPLE / "cloudtrail"), "--rules", str(rules)]
    never = {"name": "never", "sequence": [{"source": "cloudtrial"}, {"source": "flows"}]}
    rules.write_text(json.dumps([never]))
    assert main(["correlate", *flows]) == 2
    assert "did you mean 'cloudtrail'" in capsys.readouterr().err
    rules.write_text(json.dumps([never, {"name": "none", "sequence": [{"source": "cloudtrail", "kind": "DeleteTrail"}, {"source": "flows"}]}]))
    assert main(["correlate", *flows, "--json"]) == 3
    assert "never: not evaluated" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sequence": [{"source": "a"}]}, "1 steps; expected 2"), ({"within": "soon"}, "within: 'soon'"), ({"whithin": "1h"}, "did you mean 'within'"),
        ({"by": "instanse"}, "did you mean 'instance'"), ({"severity": "urgent"}, "expected one of high"), ({"name": None}, "name is missing"),
        ({"sequence": [{"source": "a"}, {"source": "b", "where": "n = $m"}]}, "$m is not bound"), ({"sequence": [{"source": "a"}, {"kind": "b"}]}, "source is missing"),
        ({"sequence": [{"source": "a"}, {"source": "flows", "where": "dstprot = 22"}]}, "did you mean 'dstport'"),
        ({"sequence": [{"source": "a"}, {"source": "b", "where": "x = 1 or y = $m"}]}, "stands by itself"),
        ({"sequence": [{"source": "a"}, {"source": "b", "where": "x matches '('"}]}, "no regular expression"), ({"sequence": [{"source": "a", "seen": "1h"}, {"source": "b"}]}, "of a step with `not`"),
        ({"sequence": [{"source": "a"}, {"source": "b", "where": "(" * 99 + "x = 1" + ")" * 99}]}, "in each other"),
        ({"ordered": False, "sequence": [{"source": "a", "bind": {"x": "y"}}, {"source": "b"}]}, "ordered: false goes without"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_rule_is_said_where(change, says):
    with pytest.raises(vf.RuleError) as e:
        of([{"name": "r", "sequence": [{"source": "a"}, {"source": "b"}], **change}], "my.yaml")
    assert "my.yaml: rule 1" in str(e.value)
    assert says in str(e.value)


RECORD = {"eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress", "eventTime": "2026-11-23T06:00:00Z", "eventID": "e"}
ITEM = {"ipProtocol": "tcp", "fromPort": 8000, "toPort": "8100"}


@pytest.mark.parametrize(
    "shape",
    [
        {"requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": [{**ITEM, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}]}}},
        {"requestParameters": {"groupId": "sg-1", "ipPermissions": {}, "cidrIp": "10.0.0.0/8", **ITEM}},
        {"requestParameters": {"groupId": "sg-1"}, "responseElements": {"securityGroupRuleSet": {"items": [{**ITEM, "groupId": "sg-1", "cidrIpv4": "10.0.0.0/8"}]}}},
    ],
)  # fmt: skip
def test_shapes_of_a_change_of_a_group_say_the_same(tmp_path, shape):
    (tmp_path / "a.json").write_text(json.dumps({**RECORD, **shape}))
    (event,) = load_events(tmp_path, "cloudtrail")[0]
    assert (event.attrs["groupId"], event.attrs["cidr"], event.attrs["port"]) == ("sg-1", "10.0.0.0/8", "8000-8100")


def test_files_in_all_their_forms_and_damage_after_what_was_read(tmp_path):
    records = [{**RECORD, "eventID": f"e{n}", "eventName": "CreateUser"} for n in range(6)]
    whole = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
    (tmp_path / "a.json.gz").write_bytes(whole)
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    (tmp_path / "c.json").write_text(json.dumps({"detail-type": "x", "detail": records[0]}))
    (tmp_path / "looked-up.json").write_text(json.dumps({"Events": [{"EventId": "e1", "CloudTrailEvent": json.dumps(records[1])}]}))
    events, notes = load_events(tmp_path, "cloudtrail")
    assert len(events) == 6
    assert notes == []
    assert load_events(tmp_path / "b.jsonl", "cloudtrail")[0].rows()[1]["ref"].endswith(f"b.jsonl:byte {len(json.dumps(records[0])) + 1}")
    for name, cut in (("d.json", json.dumps({"Records": records}).encode()[:-90]), ("e.json", b"\xff\xfe{[[\n" + json.dumps(records[0]).encode())):
        (tmp_path / name).write_bytes(cut)
        events, notes = load_events(tmp_path / name, "cloudtrail")
        assert len(events) >= 1
        assert name in notes[0]
    for hostile in (b"[" * 100_000, b"", b"{}", whole[:20], b'{"Records": [1, null, {"eventName": 7}]}'):
        (tmp_path / "f.json").write_bytes(hostile)
        with pytest.raises(vf.NoRecordsError, match=r"f\.json: no event of cloudtrail"):
            load_events(tmp_path / "f.json", "cloudtrail")


def test_other_sources(tmp_path):
    guardduty = {"Findings": [{"Id": "g", "Type": "CryptoCurrency:EC2/BitcoinTool.B", "Severity": 8, "AccountId": "123456789012", "UpdatedAt": "2026-11-23T07:00:00.123Z", "Resource": {"InstanceDetails": {"InstanceId": "i-1", "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.1"}]}}, "Service": {"EventFirstSeen": "2026-11-23T06:00:00Z", "EventLastSeen": "2026-11-23T06:30:00Z", "Action": {"NetworkConnectionAction": {"ConnectionDirection": "OUTBOUND", "RemoteIpDetails": {"IpAddressV4": "198.51.100.9"}}}}}]}
    (tmp_path / "g.json").write_text(json.dumps(guardduty))
    (event,) = load_events(tmp_path / "g.json", "guardduty")[0]
    assert event.entities == ("i-1", "eni-1", "10.0.0.1", "198.51.100.9", "123456789012")
    assert event.severity == "high"
    assert event.end - event.time == 1800
    (tmp_path / "d.log").write_text(json.dumps({"query_timestamp": "2026-11-23T06:00:00Z", "query_name": "a.example.", "srcaddr": "10.0.0.1", "srcids": {"instance": "i-1"}, "answers": [{"Rdata": "198.51.100.9"}]}))
    assert load_events(tmp_path / "d.log", "dns")[0].rows()[0]["entities"] == ["i-1", "10.0.0.1", "198.51.100.9"]
    line = 'https 2026-11-23T06:00:05.1Z app/x/1 192.0.2.9:4711 10.0.0.1:80 0.0 0.1 0.0 200 200 1 2 "GET https://a/ b HTTP/1.1" "curl" c d arn "t" "a" "c" 0 2026-11-23T06:00:01.5Z "forward" "-"'
    (tmp_path / "a.log").write_text(line + "\n" + line.replace("10.0.0.1:80", "-").replace("200 200", "403 -") + "\nnoise\n")
    events, notes = load_events(tmp_path / "a.log", "alb")
    assert [e.entities for e in events] == [("192.0.2.9", "10.0.0.1"), ("192.0.2.9",)] or [e.entities for e in events] == [("192.0.2.9",), ("192.0.2.9", "10.0.0.1")]
    assert events.rows()[0]["end"] - events.rows()[0]["time"] == 4
    assert "1 document of another kind" in notes[0]
    (tmp_path / "v.csv").write_text("when,user,addr,what\n2026-11-23 06:00:00,ann,192.0.2.9,login\nnever,x,y,z\n")
    mapping = {"source": "vpn", "time": "when", "kind": "what", "entities": ["user", "addr"]}
    ((event,), _) = load_events(tmp_path / "v.csv", "mapped", mapping=mapping)
    assert (event.source, event.kind, event.entities) == ("vpn", "login", ("ann", "192.0.2.9"))


HOSTILE = [None, True, -1, 1e999, float("nan"), "", "\ud800", "-", [], {}, [[]], {"items": 7}, "9" * 400, "2026-99-99T00:00:00Z", {"item": [None]}]


def mutated(value, rng):
    if rng.random() < 0.08:
        return rng.choice(HOSTILE)
    if isinstance(value, dict):
        return {name: mutated(inner, rng) for name, inner in value.items() if rng.random() > 0.02}
    return [mutated(inner, rng) for inner in value] if isinstance(value, list) else value


def test_hostile_documents_are_events_or_none_but_never_an_error(tmp_path):
    from vpcflow.correlate.cloudtrail import changes_of

    finding = {"detector": "exfiltration", "severity": "high", "actor": "10.0.0.1", "targets": ["192.0.2.1"], "start": 10, "end": 20, "samples": [{"file": "f", "offset": 1}], "evidence": {"n": 1}}
    query = {"query_timestamp": "2026-11-23T06:00:00Z", "query_name": "a.example.", "srcaddr": "10.0.0.1", "srcids": {"instance": "i-1"}, "answers": [{"Rdata": "198.51.100.9"}]}
    documents = [("cloudtrail", r) for r in json.loads(next((EXAMPLE / "cloudtrail").glob("*.json")).read_text())["Records"]]
    documents += [("guardduty", json.loads((EXAMPLE / "guardduty" / "finding.json").read_text())), ("findings", finding), ("dns", query)]
    rng, count = random.Random(5), 0
    for _ in range(SEEDS):
        bad, changes = [(source, mutated(document, rng)) for source, document in documents], []
        for source in ("cloudtrail", "guardduty", "findings", "dns"):
            (tmp_path / source).write_text("".join(json.dumps(one) + "\n" for kind, one in bad if kind == source))
        events = [event for source in ("cloudtrail", "guardduty", "findings", "dns") for event in load_events(tmp_path / source, source, allow_empty=True)[0]]
        for _, one in bad:
            changes += changes_of(one)
        entities = Entities()
        add_changes(entities, changes)
        found = matches(of(RULES), Events(events), entities)
        json.loads(json.dumps([Events(events).rows(), [m.as_row() for m in found], risk(Events(events), found, entities)], allow_nan=False))
        count += len(events)
    assert count > 3 * SEEDS


@pytest.fixture(scope="module")
def planted():
    return vf.correlate(vf.scan(EXAMPLE / "flow.log.gz"), cloudtrail=EXAMPLE / "cloudtrail", guardduty=EXAMPLE / "guardduty")


def test_planted_stories_are_found_once(planted):
    found = [(match.rule, match.entity) for match in planted.matches]
    assert sorted(found) == [
        ("console-without-mfa-then-flows", "i-0aaa000000000001"), ("flow-log-deleted-then-activity", "123456789012"), ("gap-then-activity", "123456789012"),
        ("guardduty-and-exfiltration", "i-0aaa000000000001"), ("new-instances-then-mining", "i-0bbb000000000002"),
        ("opened-and-entered", "i-0aaa000000000001"), ("scanned-entered-called-out", "i-0aaa000000000001"),
    ]  # fmt: skip
    assert planted.risk()[0]["score"] >= planted.risk()[-1]["score"] > 0
    assert {row["source"] for row in planted.about("i-0bbb000000000002")} == {"cloudtrail", "flows"}
    assert planted.not_evaluated == {"new-name-then-long-session": ["dns"]}


@pytest.mark.parametrize("seed", range(40) if os.environ.get("VPCFLOW_LONG") else [3])
def test_stories_of_synthetic_logs_are_found_once(tmp_path, seed):
    made = vf.synth(20_000, seed=seed, format="v5", peers=500, noise_sources=500, interfaces=60, hours=3, plant="brute_force,exfiltration,port_scan,backup")
    stories = write_events(made.labels, tmp_path, seed=seed, benign=2000)
    found = vf.correlate(vf.scan(made.data), **{name: tmp_path / name for name in ("cloudtrail", "guardduty", "dns")})
    assert sorted(m.rule for m in found.matches) == sorted(s["rule"] for s in stories)  # each once, and nothing else
    assert len(stories) == 5
    for story in stories:
        (match,) = [m for m in found.matches if m.rule == story["rule"]]
        assert any(story["about"] in found.entities.resolve(event) for event in match.events)


def test_the_face_and_what_could_not_be_seen(tmp_path, capsys):
    rules = tmp_path / "rules.json"
    steps = [
        {"source": "cloudtrail", "kind": "AuthorizeSecurityGroupIngress", "where": "cidr = '0.0.0.0/0'", "bind": {"sg": "groupId", "port": "port"}},
        {"source": "flows", "where": "action = 'ACCEPT' and dstport = $port and flow_direction = 'ingress'", "entity_in": "$sg"},
    ]
    rules.write_text(json.dumps([{"name": "opened", "sequence": steps, "within": "24h", "severity": "high"}]))
    log = gzip.decompress((EXAMPLE / "flow.log.gz").read_bytes()).decode().splitlines()
    bare = tmp_path / "bare.log"  # without the direction, the interface is all that joins
    bare.write_text("\n".join(line.rpartition(" ")[0] for line in log) + "\n")
    trail = tmp_path / "trail"
    trail.mkdir()
    records = json.loads(next((EXAMPLE / "cloudtrail").glob("*.json")).read_text())["Records"]
    (trail / "later.json").write_text(json.dumps({"Records": [r for r in records if r["eventName"] != "RunInstances"]}))
    rows = []
    for flows, cloudtrail in ((EXAMPLE / "flow.log.gz", EXAMPLE / "cloudtrail"), (bare, EXAMPLE / "cloudtrail"), (EXAMPLE / "flow.log.gz", trail)):
        assert main(["correlate", "--flows", str(flows), "--cloudtrail", str(cloudtrail), "--rules", str(rules), "--json"]) == 1
        (row,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (row["rule"], row["entity"]) == ("opened", "i-0aaa000000000001")
        assert [e["source"] for e in row["events"]] == ["cloudtrail", "flows"]
        rows.append(row)
    assert rows[0]["could_not_see"] == []
    assert rows[0]["start"] < rows[0]["end"]
    assert "flow-direction" in rows[1]["could_not_see"][0]
    assert "sg-0web00001" in rows[2]["could_not_see"][0]


def test_a_name_that_nobody_asked_for_before_and_a_long_session(tmp_path):
    begin = 1_795_413_600
    ask = lambda time, name, who, *answers: {"query_timestamp": begin + time, "query_name": name, "srcaddr": who, "answers": [{"Rdata": a, "Type": "A"} for a in answers]}  # noqa: E731
    line = lambda time, host, to: f"2 123456789012 eni-1 {host} {to} 40000 443 6 9 840 {begin + time} {begin + time + 55} ACCEPT OK\n2 123456789012 eni-1 {to} {host} 443 40000 6 9 840 {begin + time} {begin + time + 55} ACCEPT OK\n"  # noqa: E731
    told = {"10.0.0.1": "198.51.100.1", "10.0.0.2": "198.51.100.2", "10.0.0.3": "198.51.100.3", "10.0.0.4": "10.9.9.9", "10.0.0.5": "198.51.100.5"}
    log = "".join(line(7210 + minute, host, to) for host, to in told.items() for minute in range(0, 4000 if host != "10.0.0.5" else 900, 60))
    queries = [
        ask(7200, "new.example.", "10.0.0.1"), ask(7200, "NEW.example.", "10.0.0.1", "198.51.100.77", "198.51.100.1"),  # at the same second, of several addresses
        ask(600, "known.example", "10.0.0.9", "198.51.100.2"), ask(7200, "known.example.", "10.0.0.2", "198.51.100.2"),
        ask(7200, "other.example.", "10.0.0.9", "198.51.100.3"),  # of another host
        ask(7200, "inside.example.", "10.0.0.4", "10.9.9.9"), ask(7200, "short.example.", "10.0.0.5", "198.51.100.5"),
    ]  # fmt: skip
    (tmp_path / "dns.log").write_text("".join(json.dumps(q) + "\n" for q in queries))
    own = [rule for rule in of(SHIPPED) if rule.name == "new-name-then-long-session"]
    found = vf.correlate(vf.scan(log.encode()), dns=tmp_path / "dns.log", rules=own)
    (match,) = found.matches
    assert [(e.source, e.time - begin, e.attrs.get("answer", e.attrs.get("duration"))) for e in match.events] == [("dns", 7200, "198.51.100.1"), ("sessions", 7210, 3955 + 60)]
    assert any("dns: nothing is there from" in note for note in match.could_not_see)  # seven days back, of which two hours are there
    (tmp_path / "dns.log").write_text("".join(json.dumps(q) + "\n" for q in queries if q["query_timestamp"] > begin + 600))
    found = vf.correlate(vf.scan(log.encode()), dns=tmp_path / "dns.log", rules=own)
    assert (found.matches, found.notes) == ([], ["new-name-then-long-session: 2 sequences of the first 60 min of dns left out: what came before is not known there"])


def test_what_is_wrong_with_the_input_is_said(tmp_path, capsys):
    flows = ["correlate", "--flows", str(EXAMPLE / "flow.log.gz")]
    assert main([*flows, "--guardduty", str(EXAMPLE / "cloudtrail")]) == 2
    assert "it looks like cloudtrail" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([*flows, "--cloudtrail", str(tmp_path / "empty")]) == 2
    assert "no event of cloudtrail in 0 files" in capsys.readouterr().err
    records = json.loads(next((EXAMPLE / "cloudtrail").glob("*.json")).read_text())["Records"]
    later = [{**one, "eventID": f"{n}", "eventTime": one["eventTime"].replace("2026", "2031")} for n, one in enumerate(records)]
    (tmp_path / "later.json").write_text(json.dumps(later))
    (tmp_path / "both.json").write_text(json.dumps([*records, later[-1]]))
    assert main([*flows, "--cloudtrail", str(tmp_path / "later.json")]) == 1
    assert "cloudtrail: from 2031-11-22 06:00:00 to 2031-11-23 08:05:00; the flow logs are of another time" in " ".join(capsys.readouterr().out.split())
    # A clock that is wrong makes nothing else old.
    risks = [vf.correlate(vf.scan(EXAMPLE / "flow.log.gz"), cloudtrail=place).risk() for place in (EXAMPLE / "cloudtrail", tmp_path / "both.json")]
    assert [row["score"] for row in risks[0] if row["entity"].startswith("i-")] == [row["score"] for row in risks[1] if row["entity"].startswith("i-")]
    log = "interface-id srcaddr dstaddr protocol packets bytes start end action\n" + "eni-1 10.0.0.1 198.51.100.1 6 1 40 1795413600 1795413660 ACCEPT\n"
    (tmp_path / "bare.log").write_text(log)  # without ports
    assert main(["correlate", "--flows", str(tmp_path / "bare.log"), "--cloudtrail", str(EXAMPLE / "cloudtrail"), "--json"]) in (0, 1)
    said = capsys.readouterr()
    assert "scanned-entered-called-out: the logs cannot show port_scan: dstport" in said.err
    assert all("no log has dstport" in str(row["could_not_see"]) for row in map(json.loads, said.out.splitlines()) if any(e["source"] == "flows" for e in row["events"]))


def test_the_story_of_an_entity_is_a_text(planted):
    lines = str(planted.about("i-0bbb000000000002")).splitlines()
    assert lines[0].startswith("2026-11-23 08:05:00 cloudtrail RunInstances of i-0bbb000000000002 by arn:aws:iam::123456789012:user/ops from 198.51.100.23 (")
    assert "flows eni-0bbb000000000002 10.0.1.66 to 198.51.100.200 port 3333 ACCEPT" in lines[1]
    assert str(planted.about("i-0bbb0000000002")) == "no event of i-0bbb0000000002; did you mean 'i-0bbb000000000002'?"
