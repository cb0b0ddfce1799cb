"""Sigma rules: what they mean, by a slow reading of their text record by record; and what is refused."""

import collections
import ipaddress

import pytest

import vpcflow as vf
from conftest import run_cli

pytest.importorskip("sigma")

HEAD = """
title: {title}
name: {name}
status: test
logsource: {{product: aws, service: vpcflow}}
level: high
tags: [attack.discovery, attack.t1046]
"""


@pytest.fixture(scope="module")
def flows():
    return vf.scan(vf.synth(20_000, seed=4, plant="port_scan,brute_force", format="v5", peers=300, noise_sources=300).data)


@pytest.fixture(scope="module")
def rows(flows):
    return [row for row in flows.collect() if row["log_status"] not in ("NODATA", "SKIPDATA")]


def load(tmp_path, text):
    path = tmp_path / "rules.yml"
    path.write_text(text)
    return vf.rules.load(path)


def found(flows, rules):
    return {(f.evidence["srcaddr"], f.evidence["dstaddr"], f.evidence["dstport"]): f.evidence["flows"] for f in
            vf.rules.run(flows, rules, samples=0)}  # fmt: skip


def inside(text, prefix):
    return text is not None and ipaddress.ip_address(text) in ipaddress.ip_network(prefix)


CASES = [
    ("sel: {dst_port: 22, action: accept}\n  condition: sel", lambda r: r["dstport"] == 22 and r["action"] == "ACCEPT"),
    ("sel: {event.outcome: failure}\n  condition: sel", lambda r: r["action"] == "REJECT"),
    ("sel: {event.outcome: [success]}\n  condition: sel", lambda r: r["action"] == "ACCEPT"),
    ("sel: {src_ip|cidr: ['10.0.0.0/12', '192.168.0.0/16'], DestinationPort|gte: 1024}\n  condition: sel",
     lambda r: (inside(r["srcaddr"], "10.0.0.0/12") or inside(r["srcaddr"], "192.168.0.0/16")) and (r["dstport"] or 0) >= 1024),
    ("a: {source.ip: '10.1.*'}\n  b: {id.resp_p: [443, 80]}\n  condition: a and not b",
     lambda r: inside(r["srcaddr"], "10.1.0.0/16") and r["dstport"] not in (443, 80)),
    # A field that a record lacks equals nothing, so that the negation holds.
    ("a: {pkt-dst-aws-service: s3}\n  b: {Protocol: tcp}\n  condition: not a and b and 1 of b*",
     lambda r: (r["pkt_dst_aws_service"] or "").lower() != "s3" and r["protocol"] == 6),
    ("a: {pkt-dst-aws-service: null}\n  b: {bytes|gt: 100000}\n  condition: not a and b",
     lambda r: r["pkt_dst_aws_service"] is not None and (r["bytes"] or 0) > 100_000),
    ("a: {interface-id|startswith: 'ENI-1'}\n  b: {flow-direction: EGRESS}\n  c: {interface-id|endswith: 'f'}\n  condition: a and (b or c)",
     lambda r: r["interface_id"].startswith("eni-1") and (r["flow_direction"] == "egress" or r["interface_id"].endswith("f"))),
    ("a: {interface-id|re: '^eni-[0-9a]{3}'}\n  b: {interface-id|contains: '?b*c'}\n  condition: all of them",
     lambda r: all(c in "0123456789a" for c in r["interface_id"][4:7]) and "c" in r["interface_id"][r["interface_id"].find("b", 1) + 1:]
     and r["interface_id"].find("b", 1) > 0),
    ("a:\n    - dst_ip: '10.0.0.0/10'\n      action: REJECT\n    - dst_port: 3389\n  condition: a",
     lambda r: (inside(r["dstaddr"], "10.0.0.0/10") and r["action"] == "REJECT") or r["dstport"] == 3389),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_rule_means_what_it_says(tmp_path, flows, rows, number):
    text, test = CASES[number]
    (rule,) = load(tmp_path, HEAD.format(title="It {braces}", name="it") + f"detection:\n  {text}\n")
    assert (rule.name, rule.severity, rule.technique) == ("it", "high", "T1046")
    wanted = collections.Counter((r["srcaddr"], r["dstaddr"], r["dstport"]) for r in rows if test(r))
    assert len(wanted) > 0
    assert found(flows, [rule]) == wanted
    sentence = vf.rules.run(flows, [rule], samples=0)[0].sentence
    assert sentence.startswith("It {braces}: srcaddr ")


CORRELATION = """
---
title: many
status: test
level: medium
correlation:
  type: {kind}
  rules: [base]
  group-by: [source, dst_ip]
  aliases: {{source: {{base: src_ip}}}}
  timespan: 10m
  condition: {condition}
"""


@pytest.mark.parametrize(("kind", "condition", "value", "least"), [
    ("event_count", "{gte: 5}", len, 5),
    ("value_count", "{field: dst_port, gt: 4}", lambda rows: len({r["dstport"] for r in rows}), 5),
    ("value_sum", "{field: bytes, gte: 500}", lambda rows: sum(r["bytes"] for r in rows), 500),
])  # fmt: skip
def test_correlations_become_groupings(tmp_path, flows, rows, kind, condition, value, least):
    base = HEAD.format(title="base", name="base") + "detection:\n  a: {action: REJECT}\n  condition: a\n"
    (rule,) = load(tmp_path, base + CORRELATION.format(kind=kind, condition=condition))
    assert (rule.name, rule.severity, rule.every) == ("many", "medium", 600)
    groups = collections.defaultdict(list)
    for r in rows:
        if r["action"] == "REJECT":
            groups[r["srcaddr"], r["dstaddr"], r["start"] // 600].append(r)
    wanted = {key[:2] for key, own in groups.items() if value(own) >= least}
    assert wanted
    assert {(f.evidence["srcaddr"], f.evidence["dstaddr"]) for f in vf.rules.run(flows, [rule], samples=0)} == wanted


@pytest.mark.parametrize(("text", "message"), [
    ("logsource: {product: windows, service: security}\ndetection: {a: {b: 1}, condition: a}", "about windows/security"),
    ("logsource: {product: aws, service: cloudtrail}\ndetection: {a: {b: 1}, condition: a}", "about aws/cloudtrail"),
    ("logsource: {category: firewall}\ndetection: {a: {process: 1}, condition: a}", "no field 'process'"),
    ("logsource: {category: firewall}\ndetection: {a: {src_ip: host1}, condition: a}", "no address and no prefix"),
    ("logsource: {category: firewall}\ndetection: {keywords: [evil], condition: keywords}", "a value without a field"),
    ("logsource: {category: firewall}\ndetection: {a: {dst_port|contains: x*y}, condition: a}", "dstport|dst_port"),
    ("logsource: {category: firewall}\ndetection: {a: {dst_port: 1}, condition: b}", "Sigma"),
    ("logsource: {category: firewall}\ndetection: {a: {dst_port: 1}}", "Sigma"),
    ("correlation: {type: temporal, rules: [x], timespan: 5m}", "Sigma"),
    ("logsource: {category: firewall}\ndetection: {a: {src_ip|re: '10.*'}, condition: a}", "srcaddr"),
])  # fmt: skip
def test_what_cannot_be_compiled_is_refused_with_its_name(tmp_path, text, message):
    with pytest.raises(vf.RuleError, match=message) as error:
        load(tmp_path, f"title: bad rule\nname: bad\n{text}\n")
    assert "rules.yml" in str(error.value)


def test_rules_and_sigma_rules_do_not_mix_and_the_command_line_takes_both(tmp_path):
    own = tmp_path / "two.yml"
    own.write_text("- name: a\n---\n- name: b\n")
    with pytest.raises(vf.RuleError, match="several documents"):
        vf.rules.load(own)
    path = tmp_path / "sigma.yml"
    path.write_text(HEAD.format(title="SSH", name="ssh") + "detection:\n  a: {dst_port: 22}\n  condition: a\n")
    log = tmp_path / "a.log"
    log.write_text("srcaddr dstaddr dstport start end\n10.0.0.1 10.0.0.2 22 100 160\n10.0.0.1 10.0.0.2 80 100 160\n")
    assert b"SSH: srcaddr 10.0.0.1" in run_cli("rules", "run", path, log, check=1).stdout
    assert b"1 rule, " in run_cli("rules", "test", path, check=0).stdout
