"""Sigma's temporal correlations: the same as our own rules, and what is refused."""

import json
import random

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, run_cli
from vpcflow.correlate import Event, Events, load, matches, of

pytest.importorskip("sigma")

EXAMPLE = ROOT / "examples/correlate"
BASES = """
title: A group is opened
name: opened
logsource: {product: aws, service: cloudtrail}
detection:
  a: {eventSource: ec2.amazonaws.com, eventName|startswith: Authorize, requestParameters.groupId: '*'}
  b: {errorCode|exists: true}
  condition: a and not b
---
title: Remote access
name: entered
logsource: {product: aws, service: vpcflow}
detection:
  a: {dst_port: [22, 3389], action: accept, flow-direction: ingress, interface-id|re: '^eni-.*$'}
  condition: a
---
title: An address of the world signs in
name: login
logsource: {product: aws, service: cloudtrail}
detection:
  a: {eventName: ConsoleLogin, responseElements.ConsoleLogin: Success}
  b: {sourceIPAddress|cidr: 10.0.0.0/8}
  condition: a and not b
"""
STORIES = "---".join(text for text in BASES.split("---") if "name: opened" not in text)
STORY = """---
title: Signed in, then came in
name: story
level: high
tags: [attack.t1078.004]
correlation:
  type: {type}
  rules: [{rules}]
  group-by: [who]
  timespan: 2h
  aliases:
    who: {{login: sourceIPAddress, entered: src_ip}}
"""
OURS = {
    "name": "story", "severity": "high", "technique": "T1078.004", "within": "2h", "by": [],
    "sequence": [
        {"source": "cloudtrail", "failed": True, "where": "kind = 'ConsoleLogin' and outcome = 'Success' and not address in ('10.0.0.0/8')", "bind": {"ip": "address"}},
        {"source": "flows", "where": "dstport in (22, 3389) and action = 'ACCEPT' and flow_direction = 'ingress'", "bind": {"ip": "srcaddr"}},
    ],
}  # fmt: skip


def sigma(tmp_path, text):
    path = tmp_path / "story.yml"
    path.write_text(text)
    return path


def chains(found):
    return [(m.rule, m.severity, m.technique, m.entity, [(e.source, e.key) for e in m.events]) for m in found]


@pytest.mark.parametrize(("kind", "rules"), [("temporal_ordered", "login, entered"), ("temporal", "entered, login")])
def test_a_sigma_file_finds_what_our_own_rule_finds(tmp_path, kind, rules):
    flows = vf.scan(EXAMPLE / "flow.log.gz")
    path = sigma(tmp_path, STORIES + STORY.format(type=kind, rules=rules))
    own = {**OURS, "ordered": kind != "temporal", "sequence": OURS["sequence"][:: 1 if kind != "temporal" else -1]}
    wanted = vf.correlate(flows, cloudtrail=EXAMPLE / "cloudtrail", rules=of([own])).matches
    found = vf.correlate(flows, cloudtrail=EXAMPLE / "cloudtrail", rules=path).matches
    assert chains(found) == chains(wanted)
    assert len(found) == 1
    done = run_cli("correlate", "--flows", EXAMPLE / "flow.log.gz", "--cloudtrail", EXAMPLE / "cloudtrail", "--rules", path, "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["rule"] == "story"


def test_three_rules_in_any_order_are_those_of_the_specification(tmp_path):
    """All of them within the timespan, with the same values of group-by: by brute force."""
    base = "title: {0}\nname: {0}\nlogsource: {{product: {0}}}\ndetection:\n  a: {{level|gte: {1}}}\n  condition: a\n---\n"
    text = "".join(base.format(name, level) for name, level in (("a", 1), ("b", 0), ("c", 1)))
    rule = "title: t\nname: t\ncorrelation: {type: TYPE, rules: [a, b, c], group-by: [user, addr], timespan: 30s, aliases: {user: {a: user, b: who, c: user}}}\n"
    total = 0
    for kind in ("temporal", "temporal_ordered"):
        rules = load(sigma(tmp_path, text + rule.replace("TYPE", kind)))
        for seed in range(5000 if LONG else 60):
            rng = random.Random(seed)
            events = []
            for number in range(rng.randrange(3, 14)):
                source = rng.choice("abc")
                attrs = {"who" if source == "b" else "user": rng.choice(["x", "X ", "y", None]), "addr": rng.choice([1, 2]), "level": rng.choice([0, 1, 1])}
                events.append(Event(rng.randrange(60), 0, source, "k", (), "", "f", str(number), {k: v for k, v in attrs.items() if v is not None}))
            events = [Event(e.time, e.time, *[getattr(e, n) for n in ("source", "kind", "entities", "severity", "ref", "key", "attrs")]) for e in events]
            own = {s: [e for e in events if e.source == s and e.attrs["level"] >= (s != "b")] for s in "abc"}
            same = lambda e: (str(e.attrs.get("user", e.attrs.get("who", id(e)))).strip().lower(), e.attrs["addr"])  # noqa: E731
            wanted = [
                {x.key, y.key, z.key} for x in own["a"] for y in own["b"] for z in own["c"]
                if same(x) == same(y) == same(z) and max(x.time, y.time, z.time) - min(x.time, y.time, z.time) <= 30
                and (kind == "temporal" or x.time <= y.time <= z.time)
            ]  # fmt: skip
            found = [{e.key for e in m.events} for m in matches(rules, Events(events))]
            assert all(one in wanted for one in found)
            assert bool(found) == bool(wanted)
            assert all(any(one & other for other in found) or any(one & w and w & f for w in wanted for f in found) for one in wanted)
            total += len(found)
    assert total > 10


def test_a_count_may_be_the_first_of_a_sequence(tmp_path):
    base = "logsource: {product: aws, service: vpcflow}\ndetection:\n  a: {action: ACTION}\n  condition: a\n---\n"
    text = "title: refused\nname: refused\n" + base.replace("ACTION", "reject") + "title: taken\nname: taken\n" + base.replace("ACTION", "accept")
    text += "title: many\nname: many\ncorrelation: {type: event_count, rules: [refused], group-by: [src_ip], timespan: 10m, condition: {gte: 5}}\n---\n"
    text += "title: in\nname: in\nlevel: high\ncorrelation: {type: temporal_ordered, rules: [many, taken], group-by: [src_ip], timespan: 1h}\n"
    line = lambda time, host, action: f"2 123456789012 eni-1 {host} 10.0.0.1 40000 22 6 1 40 {time} {time + 5} {action} OK\n"  # noqa: E731
    begin = 1_795_413_600
    log = "".join(line(begin + n, "198.51.100.1", "REJECT") for n in range(6)) + line(begin + 300, "198.51.100.1", "ACCEPT")
    log += "".join(line(begin + n, "198.51.100.2", "REJECT") for n in range(3)) + line(begin + 300, "198.51.100.2", "ACCEPT")
    log += "".join(line(begin + n, "198.51.100.3", "REJECT") for n in range(6)) + line(begin + 9000, "198.51.100.3", "ACCEPT")
    (match,) = vf.correlate(vf.scan(log.encode()), rules=sigma(tmp_path, text)).matches
    assert (match.rule, match.severity, match.events[0].kind, match.events[1].attrs["srcaddr"]) == ("in", "high", "many", "198.51.100.1")


@pytest.mark.parametrize(("text", "says"), [
    (BASES, "no sequence and no base of one"),
    (STORIES + "---\ntitle: t\ncorrelation: {type: temporal, rules: [login, entered], timespan: 5m, condition: {gte: 1}}", "all rules are looked for"),
    (STORIES + "---\ntitle: t\ncorrelation: {type: temporal, rules: [login, entered], timespan: 5m, group-by: [userIdentity.nme]}", "no field 'userIdentity.nme'"),
    (BASES.replace("eventSource", "eventSorce") + "---\ntitle: t\ncorrelation: {type: temporal, rules: [login, entered, opened], timespan: 5m}", "did you mean 'eventsource'"),
    (STORIES + "---\ntitle: t\ncorrelation: {type: temporal, rules: [login, nothing], timespan: 5m}", "Sigma"),
    (STORIES + "---\ntitle: t\ncorrelation: {type: temporal, rules: [login, entered], timespan: soon}", "Sigma"),
    ("title: k\nname: k\nlogsource: {service: cloudtrail}\ndetection: {keywords: [evil], condition: keywords}\n---\ntitle: t\ncorrelation: {type: temporal, rules: [k, k], timespan: 5m}", "a value without a field"),
])  # fmt: skip
def test_what_is_not_compiled_is_refused_with_its_name(tmp_path, text, says):
    with pytest.raises(vf.RuleError, match=says) as error:
        load(sigma(tmp_path, text))
    assert "story.yml" in str(error.value)


def test_rules_that_are_no_sequences_and_sequences_point_to_the_command_that_runs_them(tmp_path):
    path = sigma(tmp_path, BASES.split("---")[1] + STORY.format(type="temporal", rules="entered, entered"))
    with pytest.raises(vf.RuleError, match="vpcflow correlate --flows PATH --rules FILE"):
        vf.rules.load(path)
    path = sigma(tmp_path, BASES)
    with pytest.raises(vf.RuleError, match="for vpcflow rules run"):
        load(path)


@pytest.mark.parametrize(("test", "fits"), [
    ("eventName|contains: 'sumeR'", True), ("eventName: 'Assume*'", True), ("eventName|endswith: 'ole'", True), ("eventName|cased: assumerole", False),
    ("eventName|re: '^Assume'", True), ("eventName|re|i: '^assume'", True), ("sourceIPAddress|cidr: 192.0.2.0/24", True), ("sourceIPAddress: 192.0.2.0/24", False),
    ("requestParameters.roleName: \"it's\"", True), ("requestParameters.durationSeconds|gte: 900", True), ("requestParameters.durationSeconds: 3600", True),
    ("requestParameters.policyName: null", True), ("requestParameters.roleName|contains|all: [it, s]", True), ("readOnly: true", True), ("userAgent: '[x]*'", True),
])  # fmt: skip
def test_values(tmp_path, test, fits):
    text = f"title: x\nname: x\nlogsource: {{service: cloudtrail}}\ndetection:\n  a: {{{test}}}\n  condition: a\n---\ntitle: t\ncorrelation: {{type: temporal, rules: [x, x], timespan: 5m}}\n"
    (rule,) = load(sigma(tmp_path, text))
    attrs = {"address": "192.0.2.7", "roleName": "it's", "durationSeconds": 3600, "readOnly": True, "userAgent": "[x] y", "errorCode": "AccessDenied"}
    event = Event(1, 1, "cloudtrail", "AssumeRole", (), "", "", "k", attrs)
    assert rule.steps[0].takes(event) is fits
    assert rule.steps[0].takes(Event(1, 1, "cloudtrail", "Other", (), "", "", "k", {})) is (test.endswith("null"))
