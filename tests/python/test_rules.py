"""Rules: what they find, errors that name their place, replay, the command line."""

import json

import pytest

import vpcflow as vf
from conftest import run_cli
from vpcflow import cli

HEADER = "srcaddr dstaddr dstport action bytes packets start end"


def log(*rows):
    return (HEADER + "\n" + "".join(row + "\n" for row in rows)).encode()


def rule(**keys):
    (made,) = vf.rules.of([{"name": "r", **keys}])
    return made


DATA = log(
    "10.0.0.1 10.0.0.9 22 REJECT 40 1 1000 1010",
    "10.0.0.1 10.0.0.9 22 REJECT 40 1 1100 1110",
    "10.0.0.1 10.0.0.8 22 ACCEPT 900 9 1200 1260",
    "10.0.0.2 10.0.0.9 443 ACCEPT 5000 50 1000 1060",
)


def test_groups_that_meet_all_conditions_are_findings():
    found = vf.rules.run(
        vf.scan(DATA),
        [
            rule(
                where="dstport = 22", by=["srcaddr", "dstaddr"], aggregates={"tries": "count()", "b": "sum(bytes)"},
                having=["tries >= 2"], severity="high", message="{srcaddr} tried {dstaddr} {tries} times, {b:,} B",
                technique="T1110",
            )
        ],
    )  # fmt: skip
    (finding,) = found
    assert finding.sentence == "10.0.0.1 tried 10.0.0.9 2 times, 80 B"
    assert (finding.actor, finding.targets, finding.start, finding.end) == ("10.0.0.1", ["10.0.0.9"], 1000, 1110)
    assert finding.evidence == {"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.9", "tries": 2, "b": 80}
    assert (finding.detector, finding.severity, finding.technique) == ("r", "high", "T1110")


def test_columns_out_of_two_and_several_rules_in_one_pass():
    rules = vf.rules.of(
        [
            {"name": "share", "by": "srcaddr", "having": ["share > 0.5"], "aggregates": {
                "n": "count()", "bad": "count() where action = 'REJECT'", "share": "ratio(bad, n)"}},
            {"name": "much", "having": "bytes >= 5000", "aggregates": {"bytes": "sum(bytes)"}, "severity": "high"},
        ]
    )  # fmt: skip
    found = vf.rules.run(vf.scan(DATA), rules)
    assert [(f.detector, f.actor) for f in found] == [("much", ""), ("share", "10.0.0.1")]


def test_bins_that_follow_each_other_are_one_finding():
    rows = [f"10.0.0.1 10.0.0.9 22 REJECT 40 1 {60 * i} {60 * i + 5}" for i in (0, 1, 2, 2, 7, 8)]
    found = vf.rules.run(vf.scan(log(*rows)), [rule(by="srcaddr", every="1m", message="{time}: {flows}")])
    assert sorted((f.start, f.end, f.evidence["bins"], f.evidence["flows"]) for f in found) == [
        (0, 125, 3, 2),
        (420, 485, 2, 1),
    ]
    assert found[0].sentence.startswith("1970-01-01")


def test_unusual_bins_stand_out_of_the_groups_own():
    rows = [f"10.0.0.1 10.0.0.9 443 ACCEPT {1000 + i % 3} 1 {60 * i} {60 * i + 5}" for i in range(20)]
    rows += [f"10.0.0.2 10.0.0.9 443 ACCEPT {10_000 * (i + 1)} 1 {60 * i} {60 * i + 5}" for i in range(20)]  # grows
    rows.append("10.0.0.1 10.0.0.9 443 ACCEPT 9000 1 605 610")
    rows.append("10.0.0.3 10.0.0.9 443 ACCEPT 9000000 1 605 610")  # seen once: there is nothing to compare with
    own = rule(by="srcaddr", every="1m", aggregates={"bytes": "sum(bytes)"}, unusual={"of": "bytes", "deviations": 6})
    (finding,) = vf.rules.run(vf.scan(log(*rows)), [own])
    assert (finding.actor, finding.evidence["bytes"], finding.evidence["usual"]) == ("10.0.0.1", 10_001, 1001)


def test_sessions():
    rows = [
        "10.0.0.1 10.0.0.9 22 REJECT 40 1 1000 1010",
        "10.0.0.1 10.0.0.7 22 REJECT 40 1 1000 1010",
    ]
    text = b"srcaddr dstaddr srcport dstport protocol packets bytes start end action\n" + b"".join(
        b"10.0.0.1 10.0.0.%d 4000%d 22 6 1 40 1000 1010 REJECT\n" % (i, i) for i in range(5)
    )
    own = rule(over="sessions", where="action = 'rejected'", by="srcaddr", aggregates={"hosts": "n_unique(dstaddr)"})
    (finding,) = vf.rules.run(vf.scan(text), [own])
    assert (finding.actor, finding.evidence["hosts"]) == ("10.0.0.1", 5)
    assert rows


def test_a_log_without_the_fields_is_said():
    found = vf.rules.run(vf.scan(DATA), [rule(where="tcp-flags = 2 and flow-direction = 'ingress'")])
    assert not len(found)
    assert found.not_detected == {"r": ["flow-direction", "tcp-flags"]}
    assert found.report.records == 4


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"wher": "dstport = 22"}, "no key 'wher'; did you mean 'where'?"),
        ({"where": "dsport = 22"}, "unknown field 'dsport'; did you mean"),
        ({"where": "dstport = "}, "filter"),
        ({"where": 22}, "where: expected text"),
        ({"by": "srcadr"}, "did you mean 'srcaddr'?"),
        ({"aggregates": {"n": "cuont()"}}, "did you mean 'count'?"),
        ({"aggregates": ["count()"]}, "aggregates: expected a mapping"),
        ({"having": "m >= 2", "aggregates": {"n": "count()"}}, "no aggregate 'm'"),
        ({"severity": "urgent"}, "'urgent'; expected one of high, medium, low"),
        ({"over": "packets"}, "'packets'; expected one of records, sessions"),
        ({"every": "5 parsecs"}, "every"),
        ({"message": "{srcadd}", "by": "srcaddr"}, "did you mean {srcaddr}?"),
        ({"message": "{flows.__class__}"}, "no column {flows.__class__}"),
        ({"message": "{flows:>99999999}"}, "expected {name}"),
        ({"message": "{flows!r}"}, "expected {name}"),
        ({"message": "{flows"}, "message"),
        ({"actor": "dstaddr", "by": "srcaddr"}, "actor: 'dstaddr'; expected one of srcaddr"),
        ({"unusual": {"of": "flows"}}, "`every` is missing"),
        ({"unusual": {"of": "bytes"}, "every": "1m"}, "of: expected one of flows"),
        ({"unusual": {"of": "flows", "bins": 0}, "every": "1m"}, "bins: expected a number above 0"),
        ({"unusual": {"off": "flows"}, "every": "1m"}, "no key 'off'"),
    ],
)
def test_errors_name_rule_and_key(keys, message):
    with pytest.raises(vf.RuleError) as error:
        vf.rules.of([{"name": "fine"}, {"name": "wrong", **keys}], "my.yaml")
    assert str(error.value).startswith("my.yaml: rule 2 (wrong): ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "a list of rules"),
        ([3], "rule 1: expected a mapping of keys, not int"),
        ([{}], "name is missing"),
        ([{"name": "a"}, {"name": "a"}], "duplicate rule name 'a'"),
    ],
)
def test_errors_of_the_list(data, message):
    with pytest.raises(vf.RuleError, match=message):
        vf.rules.of(data)


def test_files(tmp_path):
    yaml = tmp_path / "rules.yaml"
    yaml.write_text("rules:\n  - name: ssh\n    where: dstport = 22\n    by: [srcaddr]\n    having: [flows >= 2]\n")
    (tmp_path / "rules.json").write_text('[{"name": "ssh", "where": "dstport = 22", "by": "srcaddr", "having": "flows >= 2"}]')
    assert vf.rules.load(yaml) == vf.rules.load(tmp_path / "rules.json")
    for name, text in (("a.json", "{"), ("b.yaml", "a: [\n"), ("c.yaml", "!!python/object:os.system {}"), ("d.json", "[" * 100_000)):
        (tmp_path / name).write_text(text)
        with pytest.raises(vf.RuleError, match=name):
            vf.rules.load(tmp_path / name)
    with pytest.raises(vf.RuleError, match="gone"):
        vf.rules.load(tmp_path / "gone.yaml")
    (tmp_path / "e.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(vf.RuleError, match=r"e\.yaml"):
        vf.rules.load(tmp_path / "e.yaml")


def test_hostile_values_stay_text(capsys):
    text = b"srcaddr action bytes\n10.0.0.1 \x1b[31m{flows}<b> 40\n"
    text = text.replace(b"\x1b", b"\xc2\x9b")  # a control byte that a log may have
    found = vf.rules.run(vf.scan(text), [rule(by="action", message="{action}")])
    print(found)
    assert "\x9b" not in capsys.readouterr().out
    assert "{flows}<b>" in found[0].sentence


def test_examples(tmp_path):
    good = {"log": DATA.decode(), "findings": 1}
    own = {"name": "r", "where": "dstport = 22", "by": "srcaddr", "having": "flows >= 2"}
    assert vf.rules.test(vf.rules.of([{**own, "examples": [good]}])) == []
    wrong = [{"log": DATA.decode(), "findings": 2}, {"log": "x"}, {"log": "no log at all", "findings": 0}]
    texts = vf.rules.test(vf.rules.of([{**own, "examples": wrong}]))
    assert texts[0] == "r: example 1: 1 finding instead of 2"
    assert len(texts) == 3


def test_replay_counts_alerts_after_the_throttle():
    day = 86400
    times = [0, 60, 120, 3600 * 5, day, day + 30]
    rows = [f"10.0.0.1 10.0.0.9 22 REJECT 40 1 {t} {t + 5}" for t in times]
    rows.append(f"10.0.0.2 10.0.0.9 443 ACCEPT 1 1 {2 * day - 10} {2 * day}")
    own = rule(where="dstport = 22", by="srcaddr", every="1m")
    (row,) = vf.rules.replay(vf.scan(log(*rows)), [own])
    assert (row["findings"], row["alerts"], row["alerts_a_day"], row["actors"]) == (3, 3, 1.5, 1)
    (row,) = vf.rules.replay(vf.scan(log(*rows)), [own], throttle="6h")
    assert (row["findings"], row["alerts"]) == (3, 2)
    assert (row["first"], row["last"]) == (0, day + 35)


def test_replay_counts_what_watch_would_tell(tmp_path):
    from vpcflow.watch import Watch

    times = [*range(0, 8 * 1800, 1800), 40_000, 40_100]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(log(*(f"10.0.0.1 10.0.0.9 22 REJECT 40 1 {t} {t + 5}" for t in times)))
    own = [rule(by="srcaddr", every="1m")]
    watch = Watch(tmp_path / "logs", own, {}, tmp_path / "state.sqlite", settle=0, throttle="1h")
    (row,) = vf.rules.replay(vf.scan(tmp_path / "logs"), own, throttle="1h")
    assert row["alerts"] == len(watch.poll()) == 2
    assert row["findings"] == 10


def test_the_command_line(tmp_path, capsys):
    path, logs = tmp_path / "r.json", tmp_path / "flows.log"
    logs.write_bytes(DATA)
    own = {"name": "ssh", "where": "dstport = 22", "by": "srcaddr", "having": "flows >= 2", "message": "{srcaddr} tried"}
    path.write_text(json.dumps([own]))
    assert cli.main(["rules", "test", str(path)]) == 0
    assert "1 rule, 0 examples, 0 wrong" in capsys.readouterr().out
    assert cli.main(["rules", "run", str(path), str(logs)]) == 1
    assert "10.0.0.1 tried" in capsys.readouterr().out
    assert cli.main(["rules", "run", str(path), str(logs), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["actor"] == "10.0.0.1"
    assert cli.main(["rules", "run", str(path), str(logs), "--where", "dstport = 443"]) == 0
    capsys.readouterr()
    assert cli.main(["rules", "replay", str(path), str(logs)]) == 0
    assert "alerts_a_day" in capsys.readouterr().out
    assert cli.main(["rules", "replay", str(path), str(logs), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alerts"] == 1
    path.write_text(json.dumps([{**own, "examples": [{"log": DATA.decode(), "findings": 7}]}]))
    assert cli.main(["rules", "test", str(path)]) == 1
    assert "1 finding instead of 7" in capsys.readouterr().err
    path.write_text("[{}]")
    assert cli.main(["rules", "test", str(path)]) == 2
    assert "rule 1: name is missing" in capsys.readouterr().err


def test_too_many_rejects(tmp_path):
    (tmp_path / "r.json").write_text('[{"name": "r", "by": "srcaddr"}]')
    (tmp_path / "a.log").write_text("srcaddr start end\n10.0.0.1 1 2\nbad\n")
    for verb, fine in (("run", 1), ("replay", 0)):
        args = ["rules", verb, tmp_path / "r.json", tmp_path / "a.log"]
        run_cli(*args, "--max-rejects", "1", check=fine)
        assert b"--max-rejects allows 0" in run_cli(*args, "--max-rejects", "0", check=3).stderr


REJECTS = rule(where="dstport = 22", by="srcaddr")
OF_SESSIONS = rule(name="s", over="sessions", by="srcaddr")


def test_fields_of_a_later_header_line_count():
    begin = b"srcaddr start end\n" + b"10.0.0.1 100 160\n" * 2000
    found = vf.rules.run(vf.scan(begin + b"srcaddr dstport start end\n10.0.0.2 22 100 160\n"), [REJECTS])
    assert [f.actor for f in found] == ["10.0.0.2"]
    assert found.not_detected == {}
    assert list(found.degraded) == ["r"]


SESSION = dict(srcaddr="10.0.0.1", dstaddr="10.0.0.2", srcport=40000, dstport=22, protocol=6, start=100, end=160)


@pytest.mark.parametrize("field", ["srcaddr", "dstaddr", "start", "end"])
def test_logs_that_make_no_sessions_blind_the_rules_of_sessions_alone(field):
    record = {name: str(value) for name, value in SESSION.items() if name != field}
    text = f"{' '.join(record)}\n{' '.join(record.values())}\n".encode()
    found = vf.rules.run(vf.scan(text), [rule(name="ports", by="dstport"), OF_SESSIONS])
    assert [f.detector for f in found] == ["ports"]
    assert found.not_detected == {"s": [field]}


def test_records_without_start_are_in_no_bin():
    timed = b"srcaddr start end\n10.0.0.1 100 160\n"
    own = rule(by="srcaddr", every="1m")
    found = vf.rules.run(vf.scan([timed, b"srcaddr\n10.0.0.1\n"]), [own])
    assert [f.evidence["flows"] for f in found] == [1]
    assert "lack start" in found.degraded["r"][0]
    assert vf.rules.run(vf.scan(b"srcaddr\n10.0.0.1\n"), [own]).not_detected == {"r": ["start"]}


def test_fields_that_are_null_in_every_record_are_said():
    own = vf.rules.of([
        {"name": "flags", "by": "srcaddr", "where": "tcp_flags = 2"},
        {"name": "direction", "by": "srcaddr", "having": "out >= 0", "aggregates": {"out": "count() where flow_direction = 'egress'"}},
        {"name": "services", "by": "srcaddr", "where": "pkt_dst_aws_service = 'S3'"},
        {"name": "talks", "by": "srcaddr", "over": "sessions", "where": "dstport = 22"},
        {"name": "plain", "by": "srcaddr", "where": "packets > 100"},
    ])  # fmt: skip
    head = b"srcaddr dstaddr dstport packets start end tcp-flags flow-direction pkt-dst-aws-service\n"
    log = head + b"10.0.0.1 10.0.0.2 - 5 0 60 - - -\n10.0.0.3 10.0.0.2 - 5 0 60 - - -\n"
    found = vf.rules.run(vf.scan(log), own)
    assert found.not_detected == {"flags": ["tcp-flags"], "talks": ["dstport"]}
    assert found.degraded == {
        "direction": ["flow-direction is - in every record"], "services": ["pkt-dst-aws-service is - in every record"]
    }  # fmt: skip
    assert "not looked for: flags: tcp-flags is - in every record" in found.conclusion()
    one_value = log + b"10.0.0.3 10.0.0.2 443 5 0 60 16 ingress -\n"
    found = vf.rules.run(vf.scan(one_value), own)
    assert found.not_detected == {}
    assert list(found.degraded) == ["services"]
    assert vf.rules.run(vf.scan(head, allow_empty=True), own).not_detected == {}
