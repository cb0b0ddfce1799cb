"""Sequences and risk in a watch: the same as of one look over all, in any order of arrival, over restarts, told once."""

import collections
import gzip
import json
import random

import pytest

import vpcflow as vf
from conftest import LONG, ROOT
from s3_stand_in import StandIn
from test_s3 import begun
from vpcflow import cli
from vpcflow.correlate import of
from vpcflow.watch import Correlating, Watch, correlating

EXAMPLE = ROOT / "examples/correlate"
END = 1_795_424_395  # of its logs
LATER = END + 7 * 86400
DETECTORS = {}


class Memory:
    """A channel that keeps what it gets."""

    label = "memory"

    def __init__(self):
        self.got = []

    def send(self, alert):
        self.got.append(alert)


class Clock:
    def __init__(self, now=LATER):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def places(tmp_path):
    for name in ("logs", "trail", "duty"):
        (tmp_path / name).mkdir()
    return tmp_path


def pieces(rng, logs=4, trails=3):
    """The example in parts: (folder, name, bytes)."""
    header, *lines = gzip.decompress((EXAMPLE / "flow.log.gz").read_bytes()).decode().splitlines(keepends=True)
    records = json.loads(next((EXAMPLE / "cloudtrail").glob("*.json")).read_text())["Records"]
    if rng.random() < 0.5:
        rng.shuffle(lines)
    rng.shuffle(records)
    out = []
    for i in range(logs):
        part = lines[i * len(lines) // logs : (i + 1) * len(lines) // logs]
        out.append(("logs", f"{i}.log", (header + "".join(part)).encode()))
    for i in range(trails):
        out.append(("trail", f"{i}.json", json.dumps({"Records": records[i::trails]}).encode()))
    out.append(("trail", "again.json", json.dumps({"Records": records[:2]}).encode()))  # delivered twice
    out.append(("duty", "finding.json", next((EXAMPLE / "guardduty").glob("*.json")).read_bytes()))
    return out


def watching(places, channel=None, clock=None, **options):
    settings = {"lateness": None, "clock": clock or Clock(), **options}
    correlation = Correlating({"cloudtrail": places / "trail", "guardduty": places / "duty"}, **settings)
    return Watch(
        places / "logs", [], {"memory": channel} if channel else {}, places / "state.sqlite", settle=0, detectors=DETECTORS,
        min_severity="high", correlation=correlation,
    )  # fmt: skip


def held(places):
    """What the state has of matches."""
    import sqlite3

    with sqlite3.connect(places / "state.sqlite") as db:
        rows = [json.loads(body) for (body,) in db.execute("select body from matches")]
    db.close()
    return {plain(row) for row in rows}


def plain(row):
    # The records that a finding rests on are those of the last look.
    events = tuple((e["source"], e["kind"], e["time"], e["end"], e["ref"] if e["source"] != "findings" else "") for e in row["events"])
    return (row["rule"], row["id"], row["entity"], row["start"], row["end"], row["severity"], events)


def whole(places, **options):
    found = vf.correlate(vf.scan(str(places / "logs")), cloudtrail=places / "trail", guardduty=places / "duty", **options)
    return {plain(row) for row in found.rows()}




@pytest.mark.parametrize("seed", range(40) if LONG else [1, 2])
def test_any_order_of_arrival_gives_the_matches_of_one_look(places, seed):
    rng = random.Random(seed)
    parts = pieces(rng)
    rng.shuffle(parts)
    channel = Memory()
    while parts:
        for _ in range(rng.randrange(1, 4)):
            if parts:
                folder, name, data = parts.pop()
                (places / folder / name).write_bytes(data)
        watch = watching(places, channel)
        watch.poll()
        watch.deliver()
        watch.close()
    expected = whole(places)
    assert len(expected) >= 7
    assert held(places) == expected
    rules = {row[0] for row in expected}
    told = collections.Counter()
    for alert in channel.got:
        if alert.finding.detector in rules:
            told[alert.finding.detector, alert.finding.actor, alert.finding.start] += -1 if alert.withdrawn else 1
    assert {one for one, n in told.items() if n} == {(rule, entity, start) for rule, _, entity, start, *_ in expected}
    assert len({alert.id for alert in channel.got}) == len(channel.got)


def opened(time, name="e1", group="sg-1", cidr="0.0.0.0/0"):
    return {
        "eventName": "AuthorizeSecurityGroupIngress", "eventSource": "ec2.amazonaws.com", "eventID": name,
        "eventTime": f"2026-11-23T{time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}Z", "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/ops"}, "sourceIPAddress": "192.0.2.9",
        "requestParameters": {"groupId": group, "ipPermissions": {"items": [
            {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": cidr}]}}]}},
    }  # fmt: skip


DAY = 1_795_392_000  # of those records
FIELDS = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action flow-direction log-status\n"


def entered(time, source="203.0.113.5", port=22):
    return f"eni-1 {source} 10.0.0.9 4000 {port} 6 5 500 {DAY + time} {DAY + time + 60} ACCEPT ingress OK\n"


RULES = [
    {"name": "entered", "within": "1h", "severity": "high", "sequence": [
        {"source": "cloudtrail", "kind": "AuthorizeSecurityGroupIngress", "bind": {"port": "port", "cidr": "cidr"}},
        {"source": "flows", "where": "action = 'ACCEPT' and dstport = $port and srcaddr in $cidr"},
    ]},
    {"name": "left-open", "within": "1h", "sequence": [
        {"source": "cloudtrail", "kind": "AuthorizeSecurityGroupIngress", "bind": {"sg": "groupId"}},
        {"source": "flows", "where": "action = 'ACCEPT' and dstport = 22"},
        {"not": {"source": "cloudtrail", "kind": "RevokeSecurityGroupIngress", "where": "groupId = $sg"}},
    ]},
]  # fmt: skip


def put(places, folder, name, content):
    text = content if isinstance(content, str) else json.dumps({"Records": content})
    (places / folder / name).write_text(text)


def told(watch):
    return [(alert.finding.detector, bool(alert.withdrawn)) for alert in watch.poll()]


def test_a_match_is_told_when_nothing_can_change_it_any_more(places):
    clock = Clock(DAY + 3600)
    options = {"rules": of(RULES), "risk": None, "clock": clock, "lateness": {"flows": "5m", "cloudtrail": "15m"}}
    watch = watching(places, **options)
    put(places, "trail", "a.json", [opened(1800)])
    put(places, "logs", "a.log", FIELDS + entered(2000))
    clock.now = DAY + 2100
    assert told(watch) == []
    watch.close()
    watch = watching(places, **options)
    clock.now = DAY + 2060 + 899
    assert told(watch) == []
    clock.now += 1
    assert told(watch) == [("entered", False)]
    assert told(watch) == []
    # What must not come may come until an hour after the first event, and 15 minutes later.
    clock.now = DAY + 1800 + 3600 + 899
    assert told(watch) == []
    clock.now += 1
    assert told(watch) == [("left-open", False)]
    # It comes later than that after all.
    revoked = {**opened(2500, "e2"), "eventName": "RevokeSecurityGroupIngress"}
    put(places, "trail", "b.json", [revoked])
    assert told(watch) == [("left-open", True)]
    assert told(watch) == []


def test_a_match_that_grows_is_told_once(places):
    options = {"rules": of(RULES[:1]), "risk": None}
    watch = watching(places, **options)
    put(places, "trail", "a.json", [opened(1800)])
    put(places, "logs", "a.log", FIELDS + entered(2500))
    assert told(watch) == [("entered", False)]
    ((_, before, *_, events),) = held(places)
    put(places, "logs", "late.log", FIELDS + entered(1900, "203.0.113.6"))  # an earlier record, late
    assert told(watch) == []
    ((_, after, *_, grown),) = held(places)
    assert before == after
    assert [e[2] - DAY for e in (*events, *grown)] == [1800, 2500, 1800, 1900]


def test_what_is_held_is_bounded_and_says_what_it_left_out(places, monkeypatch):
    monkeypatch.setattr(correlating, "_MOST", 50)
    before = {"not": {**RULES[0]["sequence"][1]}, "within": "2h"}
    rule = {**RULES[0], "sequence": [before, *RULES[0]["sequence"]]}
    watch = watching(places, rules=of([rule]), risk=None, clock=Clock(DAY + 86400))
    for i in range(4):  # the same few sources again and again: the last of each stands for all
        put(places, "logs", f"{i}.log", FIELDS + "".join(entered(600 * i + 10 * n, f"203.0.113.{n % 5}") for n in range(60)))
        watch.poll()
    count = lambda: watch._store.execute("select count(*) from records").fetchone()[0]  # noqa: E731
    assert count() <= 50
    put(places, "trail", "a.json", [opened(7200)])
    put(places, "logs", "x.log", FIELDS + entered(7300, "203.0.113.9"))
    assert told(watch) == []  # it was open before: a record of it is there still
    for i in range(4):
        many = "".join(entered(20_000 + i, f"198.51.{i}.{n}") for n in range(100))
        put(places, "logs", f"m{i}.log", FIELDS + many)
        watch.poll()
    assert count() <= 50
    put(places, "trail", "b.json", [opened(30_000, "e9", cidr="203.0.113.0/24")])
    put(places, "logs", "y.log", FIELDS + entered(30_300))
    (alert,) = watch.poll()
    assert any("were left out, as there were too many" in note for note in alert.finding.evidence["could_not_see"])
    # What is older than the rules look back leaves.
    far = 5 * 86400
    put(places, "logs", "z.log", FIELDS + entered(far))
    watch._correlation._settings.clock.now = DAY + far + 86400
    watch.poll()
    for table, left in (("records", 1), ("events", 0), ("matches", 0), ("covered", 1)):
        assert watch._store.execute(f"select count(*) from {table}").fetchone() == (left,), table


def test_a_future_event_makes_nothing_old(places):
    watch = watching(places, rules=of(RULES[:1]), risk=None, clock=Clock(DAY + 5000))
    put(places, "trail", "a.json", [opened(1800), {**opened(5, "e7"), "eventTime": "2201-01-01T00:00:00Z"}])
    put(places, "logs", "a.log", FIELDS + entered(2000))
    assert told(watch) == [("entered", False)]


def test_risk_is_told_of_what_it_is_of_once_and_again_when_it_rises(places):
    clock = Clock()
    channel = Memory()
    for folder, name, data in pieces(random.Random(3), 1, 1):
        (places / folder / name).write_bytes(data)
    watch = watching(places, channel, clock)
    watch.poll()
    watch.deliver()
    risks = [alert.finding for alert in channel.got if alert.finding.detector == "risk"]
    assert {"i-0aaa000000000001"} <= {f.actor for f in risks}
    assert "eni-0aaa000000000001" not in {f.actor for f in risks}  # it is that of the instance
    assert all(f.evidence["points"] >= 20 for f in risks)
    expected = vf.correlate(vf.scan(str(places / "logs")), cloudtrail=places / "trail", guardduty=places / "duty")
    points = {row["entity"]: row["score"] for row in expected.risk()}
    assert points["i-0aaa000000000001"] == next(f.evidence["points"] for f in risks if f.actor == "i-0aaa000000000001")
    watch.close()
    watch = watching(places, channel, clock)
    assert watch.poll() == []


def test_damage_and_wrong_places_are_said(places, tmp_path):
    log = []
    put(places, "trail", "a.json", json.dumps({"Records": [opened(1800)]})[:-20] + "x")
    put(places, "trail", "b.json.gz", "no gzip")
    put(places, "logs", "a.log", FIELDS + entered(2000))
    correlation = Correlating({"cloudtrail": places / "trail"}, clock=Clock())
    watch = Watch(places / "logs", [], {}, places / "s.sqlite", settle=0, detectors={}, correlation=correlation, log=log.append)
    watch.poll()
    text = "\n".join(log)
    for name in ("a.json", "b.json.gz"):
        assert f"{name}: cut or damaged JSON; 0 documents" in text
    assert "not evaluated, guardduty is not given" in text
    with pytest.raises(vf.SourceNotFoundError, match="no such folder"):
        Watch(places / "logs", [], {}, tmp_path / "n.sqlite", correlation=Correlating({"cloudtrail": places / "nowhere"}))
    for wrong, says in (
        ({"sources": {"trail": "x"}}, "sources: 'trail'"), ({"risk": "severe"}, "risk='severe'"),
        ({"lateness": {"dns": "1m"}}, "lateness: 'dns'"), ({"lateness": "soon"}, "soon"), ({"sources": {"mapped": "x"}}, "mapping"),
    ):  # fmt: skip
        with pytest.raises(vf.PlanError, match=says):
            Correlating(**wrong)


def test_events_of_any_source_by_a_mapping(places):
    put(places, "logs", "a.log", FIELDS + entered(2000, "192.0.2.40"))
    (places / "vpn").mkdir()
    put(places, "vpn", "a.csv", f"when,user,address\n{DAY + 1900},eve,192.0.2.40\n")
    rules = [{"name": "vpn", "sequence": [{"source": "vpn", "bind": {"who": "address"}}, {"source": "flows", "where": "srcaddr = $who"}]}]
    correlation = Correlating(
        {"mapped": places / "vpn"}, mapping={"source": "vpn", "time": "when", "entities": ["user", "address"]},
        rules=of(rules), clock=Clock(),
    )  # fmt: skip
    watch = Watch(places / "logs", [], {}, places / "s.sqlite", settle=0, correlation=correlation)
    assert told(watch) == [("vpn", False)]


def test_the_command(places, capsys, monkeypatch):
    monkeypatch.chdir(places)
    for folder, name, data in pieces(random.Random(4), 1, 1):
        (places / folder / name).write_bytes(data)
    command = ["watch", "logs", "--once", "--settle", "0", "--state", "s.db", "--cloudtrail", "trail", "--guardduty", "duty"]
    assert cli.main([*command, "--risk", "none"]) == 1
    got = capsys.readouterr()
    rows = [json.loads(line) for line in got.out.splitlines()]
    assert {"opened-and-entered", "guardduty-and-exfiltration"} <= {row["detector"] for row in rows}
    assert "new-name-then-long-session: not evaluated, dns is not given" in got.err
    assert cli.main([*command, "--risk", "none"]) == 0
    assert cli.main(["watch", "--status", "--state", "s.db"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "3 files of events; held: " in page
    assert "cloudtrail 2026-11-23 08:05:00 (up to 15 min late)" in page
    assert "7 matches, 0 provisional" in page
    for wrong in (["--lateness", "5m", "--lateness", "dns=1m"], ["--lateness", "x=5m"], ["--risk", "much"]):
        assert cli.main([*command, *wrong]) == 2
    assert cli.main(["watch", "logs", "--once", "--lateness", "5m"]) == 2
    assert "nothing to correlate" in capsys.readouterr().err


SIGMA = """
title: Group opened
name: opened
logsource: {product: aws, service: cloudtrail}
detection:
  ok: {eventName: AuthorizeSecurityGroupIngress}
  condition: ok
---
title: Flow
name: tried
logsource: {product: aws, service: vpcflow}
detection:
  ok: {dst_port: 22}
  condition: ok
---
title: Tried often
name: often
correlation: {type: event_count, rules: [tried], group-by: [src_ip], timespan: 10m, condition: {gte: 3}}
---
title: Tried, then opened
name: both
correlation:
  type: temporal
  rules: [opened, often]
  group-by: [who]
  aliases: {who: {opened: sourceIPAddress, often: src_ip}}
  timespan: 2h
"""


def test_counts_of_sigma_go_on_from_file_to_file(places):
    pytest.importorskip("sigma")
    (places / "seq.yml").write_text(SIGMA)
    put(places, "trail", "a.json", [opened(1800)])
    watch = watching(places, rules=places / "seq.yml", risk=None)
    for i in range(3):
        assert told(watch) == []
        put(places, "logs", f"{i}.log", FIELDS + entered(1850 + 5 * i, "192.0.2.9"))
    assert [name for name, _ in told(watch)] == ["both"]  # the count itself is no alert
    found = vf.correlate(vf.scan(str(places / "logs")), cloudtrail=places / "trail", rules=places / "seq.yml")
    assert [match.rule for match in found.matches] == ["both"]


@pytest.fixture
def trail(tmp_path, monkeypatch):
    """A bucket with a trail, and a look at it: the refs of its events."""
    pytest.importorskip("boto3")
    server = begun(StandIn(), monkeypatch)
    clock = Clock(DAY + 86400)
    (tmp_path / "logs").mkdir()
    put(tmp_path, "logs", "a.log", FIELDS + entered(2000))
    log = []

    def look():
        correlation = Correlating({"cloudtrail": "s3://logs/AWSLogs/1/CloudTrail"}, rules=of(RULES[:1]), risk=None, clock=clock)
        watch = Watch(tmp_path / "logs", [], {}, tmp_path / "s.db", settle=0, correlation=correlation, log=log.append)
        watch.poll()
        found = [json.loads(body)[6] for (body,) in watch._store.execute("select body from events order by key")]
        watch.close()
        return [ref.removeprefix("s3://logs/AWSLogs/1/CloudTrail/") for ref in found]

    look.clock, look.log, look.server = clock, log, server
    yield look
    server.close()


def test_objects_of_a_trail_are_read_once_and_old_days_are_not_listed(trail):
    def store(day, name, *events, folder="CloudTrail"):
        data = gzip.compress(json.dumps({"Records": list(events)}).encode())
        trail.server.put(f"AWSLogs/1/{folder}/us-east-1/2026/{day}/{name}.json.gz", data)

    store("11/23", "a", opened(1800, "a"))
    store("11/23", "digest", opened(1800, "x"), folder="CloudTrail-Digest")
    store("10/01", "old", opened(1800, "y"))
    trail.server.errors["AWSLogs/1/CloudTrail/us-east-1/2026/11/23/b.json.gz"] = [(500, "InternalError", "no")] * 20
    store("11/23", "b", opened(1900, "b"))
    assert trail() == ["us-east-1/2026/11/23/a.json.gz:byte 13"]
    assert any("b.json.gz" in text and "will be retried" in text for text in trail.log)
    trail.server.errors.clear()
    got = len(trail.server.got)
    assert trail() == [f"us-east-1/2026/11/23/{name}.json.gz:byte 13" for name in "ab"]
    assert len(trail.server.got) == got + 1
    assert not any("/10/" in prefix or "Digest/" in prefix for prefix, _ in trail.server.listed)
    store("11/24", "late", opened(1850, "c"))
    assert len(trail()) == 3
    assert trail.server.listed.pop() == ("AWSLogs/1/CloudTrail/us-east-1/2026/11/24/", "/")


def test_names_that_are_no_text_are_kept(places):
    """Keys and names with lone surrogates, which JSON may hold and SQLite does not."""
    bad = "\ud800"
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::1:user/{bad}"}
    put(places, "trail", "a.json", [{**opened(1800, f"e{bad}"), "userIdentity": who}, {**opened(1800, f"e{bad}"), "userIdentity": who}])
    (places / "trail" / "nothing\udcff.json").write_text("{")
    put(places, "logs", "a.log", FIELDS + entered(2000))
    watch = watching(places, Memory(), rules=of(RULES[:1]), risk="low")
    assert told(watch)[0] == ("entered", False)
    watch.deliver()
    assert told(watch) == []


SAW = [
    {"name": "blocked-then-in", "within": "2h", "sequence": [
        {"source": "cloudtrail", "kind": "AuthorizeSecurityGroupIngress", "bind": {"sg": "groupId"}},
        {"source": "flows", "where": "action = 'ACCEPT' and dstport = 22", "entity_in": "$sg"},
    ]},
]  # fmt: skip


def card(interface, minute, group, status="OK"):
    """An item of AWS Config: the groups of an interface from a minute of the day on."""
    configuration = {"networkInterfaceId": interface, "privateIpAddress": "10.0.0.9", "groups": [{"groupId": group}], "attachment": {"instanceId": f"i-{interface[-1]}"}}
    return {
        "resourceType": "AWS::EC2::NetworkInterface", "resourceId": interface, "configurationItemStatus": status,
        "configurationItemCaptureTime": f"2026-11-23T{minute // 60:02}:{minute % 60:02}:00.000Z", "configuration": configuration,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(40) if LONG else [1, 2, 3])
def test_what_config_says_joins_as_in_one_look(places, seed):
    """Interfaces move between groups; files of all kinds, Config's too, come in any order."""
    rng = random.Random(seed)
    (places / "config").mkdir()
    items = [card(f"eni-{n}", rng.randrange(0, 90), f"sg-{rng.randrange(3)}", rng.choice(["OK", "OK", "ResourceDeleted"])) for n in range(1, 4) for _ in range(4)]
    first, *later = [{"configurationItems": items[n::3]} for n in range(3)]
    (places / "config" / "0.json").write_text(json.dumps({**first, "configSnapshotId": "s"}))
    records = [entered(60 * rng.randrange(95), f"203.0.113.{n}").replace("eni-1", f"eni-{rng.randrange(1, 4)}") for n in range(40)]
    calls = [opened(60 * rng.randrange(60), f"e{n}", f"sg-{n % 3}") for n in range(6)]
    parts = [("config", f"{n}.json", json.dumps(one)) for n, one in enumerate(later, 1)]
    parts += [("logs", f"{n}.log", FIELDS + "".join(records[n::4])) for n in range(4)]
    parts += [("trail", f"{n}.json", json.dumps({"Records": calls[n::3]})) for n in range(3)]
    rng.shuffle(parts)
    (places / "duty" / "x.json").write_text("{}")
    options = {"rules": of(SAW), "risk": None, "config": places / "config"}
    watch = watching(places, **options)
    for folder, name, text in parts:
        (places / folder / name).write_text(text)
        if rng.random() < 0.6:
            watch.poll()
        if rng.random() < 0.3:
            watch.close()
            watch = watching(places, **options)
    watch.poll()
    one_look = lambda **more: {plain(row) for row in vf.correlate(vf.scan(str(places / "logs")), cloudtrail=places / "trail", rules=of(SAW), **more).rows()}  # noqa: E731
    expected = one_look(config=places / "config")
    assert held(places) == expected != one_look()
    watch.close()


def test_config_in_a_watch_by_the_command(places, capsys):
    (places / "config").mkdir()
    where = ["watch", str(places / "logs"), "--state", str(places / "s.sqlite"), "--config", str(places / "config")]
    assert cli.main([*where, "--once"]) == 2
    assert "--config: nothing to correlate" in capsys.readouterr().err
    trail = ["--cloudtrail", str(places / "trail"), "--once", "--settle", "0"]
    assert cli.main([*where, *trail]) == 2
    assert "no item of AWS Config in 0 files" in capsys.readouterr().err
    (places / "config" / "a.json").write_text(json.dumps({"configurationItems": [card("eni-1", 0, "sg-1")]}))
    (places / "rules.json").write_text(json.dumps(SAW))
    put(places, "trail", "a.json", [opened(1800)])
    put(places, "logs", "a.log", FIELDS + entered(2500) + entered(2500).replace("eni-1", "eni-2"))
    assert cli.main([*where, *trail, "--correlate-rules", str(places / "rules.json")]) == 1
    assert [json.loads(line)["detector"] for line in capsys.readouterr().out.splitlines()].count("blocked-then-in") == 1
    # What it said counts on while it cannot be read.
    watch = watching(places, rules=of(SAW), risk=None, config=places / "config")
    (places / "config" / "a.json").write_text("{}")
    watch.poll()
    assert len(held(places)) == 1
    watch.close()
