"""A watch that sends on what it reads and finds: each event once, whatever the receiver does; findings as a unit of send."""

import contextlib
import datetime
import io
import json
import sys

import pytest

import vpcflow as vf
from conftest import HEADER, line
from test_sinks import Fake, Index
from vpcflow import alerts, cli, sinks
from vpcflow.findings import Finding
from vpcflow.sinks.dead import read_dead
from vpcflow.watch import Watch, status
from vpcflow.watch.outbox import Target

FOUND = Finding("ssh", "high", "10.0.0.1", ["10.0.0.9"], 60, 120, 0.9, "T1110", {"dstport": 22}, {}, "10.0.0.1 tried it")
OTHER = Finding("dns", "low", "10.0.0.2", [], 60, 120, 0.9, "", {}, {}, "10.0.0.2 asked")


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vpcflow.sinks.gate._FIRST", 0.001)
    monkeypatch.setattr("vpcflow.sinks.gate._LONGEST", 0.01)
    monkeypatch.setattr("vpcflow.watch.feed._PATIENCE", 0.05)
    monkeypatch.setattr("vpcflow.sinks.sending._LOOK", 0.01)


def log(folder, name, number, start=1_790_000_000):
    lines = [line(src=f"10.1.{i // 200}.{i % 200}", start=start + i, end=start + i + 30) for i in range(number)]
    (folder / name).write_bytes(HEADER + b"".join(lines))


class Posts:
    """A plan of a fake that keeps bodies and answers what it is told to."""

    def __init__(self):
        self.bodies, self.status = [], 200

    def __call__(self, n, body):
        self.bodies.append(json.loads(body))
        return self.status, {}, b"{}"


def test_findings_of_a_file_are_sent(tmp_path, capsys, monkeypatch):
    rows = [json.dumps(one.as_json()) for one in (FOUND, OTHER)]
    withdrawn = json.dumps(alerts.Alert("ab12", FOUND, "it is none").as_dict())
    (tmp_path / "f.jsonl").write_text("\n".join([*rows, withdrawn]) + "\n")
    posts = Posts()
    with Fake(posts) as fake:
        assert cli.main(["send", "f.jsonl", "--to", f"alertmanager+http://{fake.host}", "--state", "s.db"]) == 0
        sent = [body[0] for body in posts.bodies]
        assert [one["labels"]["alertname"] for one in sent] == ["ssh", "dns", "ssh"]
        assert [("endsAt" in one) for one in sent] == [False, False, True]
        assert sent[2]["labels"]["id"] == "ab12"
        assert cli.main(["send", "f.jsonl", "--to", f"alertmanager+http://{fake.host}", "--state", "s.db"]) == 0
        assert len(posts.bodies) == 3  # they were sent
        hook = f"http://{fake.host}/in?token=secret"
        assert cli.main(["send", "f.jsonl", "--to", hook, "--allow-host", fake.host]) == 0
        assert posts.bodies[3]["actor"] == "10.0.0.1"
        assert "secret" not in capsys.readouterr().err
    for schema in ("ecs", "ocsf", "asff", "cef", "leef", "vpcflow"):
        assert cli.main(["send", "f.jsonl", "--to", f"file:{schema}.out", "--as", schema]) == 0
        made = (tmp_path / f"{schema}.out").read_text().splitlines()
        assert len(made) == 3
        assert "withdrawn, it is none" in made[2] or schema == "vpcflow"
    assert json.loads((tmp_path / "ocsf.out").read_text().splitlines()[2])["activity_name"] == "Close"
    ids = [json.loads(text).get("finding_id") for text in (tmp_path / "vpcflow.out").read_text().splitlines()]
    assert ids == [FOUND.id, OTHER.id, FOUND.id]
    # What an alert was, it is again.
    assert cli.main(["send", "vpcflow.out", "--to", "jsonl:again.jsonl"]) == 0
    assert (tmp_path / "again.jsonl").read_text().splitlines()[2] == withdrawn
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BufferedReader(io.BytesIO(rows[0].encode()))}))
    assert cli.main(["send", "-", "--to", "file:-", "--as", "ecs"]) == 0
    assert json.loads(capsys.readouterr().out)["rule"]["name"] == "ssh"


@pytest.mark.parametrize("change", [
    {"severity": "severe"}, {"targets": "x"}, {"targets": [1]}, {"start": "soon"}, {"start": True}, {"evidence": []}, {"actor": None},
    {"confidence": "much"},
])  # fmt: skip
def test_what_is_no_finding_is_said_with_its_place(tmp_path, capsys, change):
    good = json.dumps(FOUND.as_json())
    (tmp_path / "f.jsonl").write_text(f"{good}\n{json.dumps({**FOUND.as_json(), **change})}\n{good}\n")
    assert cli.main(["send", "f.jsonl", "--to", "file:out.jsonl", "--as", "ecs"]) == 2
    assert f"f.jsonl:2: {next(iter(change))}: " in capsys.readouterr().err
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1  # what came before it


def test_wrong_calls_of_send_say_what_is_right(tmp_path, capsys):
    log(tmp_path, "a.log", 3)
    (tmp_path / "f.jsonl").write_text(json.dumps(FOUND.as_json()) + "\n")
    for command, says in (
        (["f.jsonl", "--to", "file:x"], "--as SCHEMA is missing"),
        (["f.jsonl", "--to", "file:x", "--as", "cim"], "schema 'cim' of findings"),
        (["a.log", "--to", "alertmanager+http://127.0.0.1:1", "--unit", "records", "--as", "ecs"], "takes findings as they are"),
        (["f.jsonl", "--to", "nothing://x"], "Apprise knows no such URL"),
        (["f.jsonl", "--to", "https://127.0.0.1/x"], "not a public address"),
        (["f.jsonl", "--to", "opensaerch+http://127.0.0.1/x", "--as", "ecs"], "did you mean 'opensearch+http'"),
    ):
        assert cli.main(["send", *command]) == 2
        assert says in capsys.readouterr().err


def watching(folder, targets, tmp_path, rules=None, **options):
    found = vf.rules.of(rules or [{"name": "many", "by": "srcaddr", "having": "flows >= 3"}])
    return contextlib.closing(
        Watch(folder, found, {}, tmp_path / "state.sqlite", settle=0, targets=targets, **options)
    )


def target(fake, name="flows", unit="records", schema="ecs"):
    sink = sinks.open_sink(f"opensearch+http://{fake.host}/{name}", schema, unit={"incidents": "findings"}.get(unit, unit))
    return Target(sink, schema, unit)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("unit", ["records", "sessions"])
def test_each_event_is_there_once_over_restarts_and_storms(folder, tmp_path, unit):
    index = Index(lambda n: 429 if n % 7 == 0 else 201)
    plan = lambda n, body: None if n % 5 == 3 else (503, {}, b"") if n % 5 == 1 else index.answer(body)  # noqa: E731
    with Fake(plan) as fake:
        for i in range(4):
            log(folder, f"{i}.log", 300, 1_790_000_000 + 5000 * i)
            with watching(folder, {"search": target(fake, unit=unit)}, tmp_path) as watch:
                watch.poll()
                watch.deliver()
        with watching(folder, {"search": target(fake, unit=unit)}, tmp_path) as watch:
            for _ in range(50):
                watch._store.execute("update sinks set next = 0")
                watch.deliver()
            assert watch.undelivered == 0
    events = vf.export(vf.scan(str(folder)), "ecs", unit=unit)
    expected = {identity: json.loads(text) for batch in events.batches() for identity, text in batch}
    if unit == "sessions":  # those of the last file may go on
        last = datetime.datetime.fromtimestamp(1_790_015_000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        expected = {identity: one for identity, one in expected.items() if one["event"]["start"] < last}
        assert len(expected) == 900
    assert index.documents == expected
    assert set(index.seen.values()) == {1}
    assert status(tmp_path / "state.sqlite")["sinks"][0]["sent"] == len(expected)
    assert not (tmp_path / "vpcflow-dead.jsonl").exists()


def test_a_dead_receiver_stops_nothing_and_loses_nothing(folder, tmp_path, capsys):
    seen = []
    with Fake(lambda n, body: (503, {}, b"")) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        log(folder, "0.log", 500)
        with watching(folder, {"search": target(fake)}, tmp_path, outbox=30_000, log=seen.append) as watch:
            told = []
            for i in range(6):
                log(folder, f"{i}.log", 500, 1_790_000_000 + 100 * i)
                told += watch.poll()
                watch.deliver()
    assert any(alert.finding.detector == "many" for alert in told)  # it goes on
    found = status(tmp_path / "state.sqlite")
    (sink,) = found["sinks"]
    assert (sink["sink"], sink["sent"], sink["failures"] > 0) == (f"{url} (records)", 0, True)
    assert sink["bytes"] <= 30_000
    assert sink["waiting"] + sink["dead"] == 3000
    assert sink["dead"] == found["dead"] > 0
    assert cli.main(["watch", "--status", "--state", "state.sqlite"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "in a row, next try at" in page
    assert f"{sink['dead']:,} not taken" in page
    assert any("the outbox is full" in text for text in seen)
    index = Index()
    with Fake(lambda n, body: index.answer(body)) as fake:
        with watching(folder, {"search": target(fake)}, tmp_path) as back:
            back._store.execute("update sinks set next = 0")
            back.deliver()
            assert back.undelivered == 0
        to = f"opensearch+http://{fake.host}/flows"
        assert cli.main(["send", "--replay", "vpcflow-dead.jsonl", "--to", to]) == 0
    ids = [i for batch in vf.export(vf.scan(str(folder)), "ecs", unit="records").batches() for i in batch.ids]
    assert set(index.documents) == set(ids)
    assert len(ids) == 3000


def test_alerts_go_to_an_index_as_findings_and_as_incidents(folder, tmp_path):
    every, last = Index(), Index()
    plan = lambda n, body: (last if fake.asked[n][0].startswith("/incidents") else every).answer(body)  # noqa: E731
    with Fake(plan) as fake:
        targets = {"all": target(fake, "alerts", "findings"), "last": target(fake, "incidents", "incidents")}
        rule = {"name": "many", "by": "srcaddr", "having": "flows >= 1"}
        for severity in ("low", "high"):
            log(folder, f"{severity}.log", 3)
            with watching(folder, targets, tmp_path, [{**rule, "severity": severity}]) as watch:
                watch.poll()
                watch.deliver()
    assert len(every.documents) == 6  # each alert
    assert len(last.documents) == 3
    assert {one["event"]["severity"] for one in last.documents.values()} == {73}
    assert set(last.documents) < set(every.documents)  # the first alert's id stays


def test_alerts_that_are_refused_are_dead_letters_and_others_go_on(folder, tmp_path):
    index = Index(lambda n: 400 if n == 1 else 201)
    log(folder, "a.log", 5)
    rule = [{"name": "many", "by": "srcaddr", "having": "flows >= 1"}]
    with Fake(lambda n, body: index.answer(body)) as fake:
        with watching(folder, {"x": target(fake, unit="findings")}, tmp_path, rule) as watch:
            watch.poll()
            assert watch.deliver() == 4
            assert watch.deliver() == 0
        (dead,) = read_dead(tmp_path / "vpcflow-dead.jsonl")
        assert "failed to parse" in dead.reason
        assert status(tmp_path / "state.sqlite")["dead"] == 1
        assert cli.main(["send", "--replay", "vpcflow-dead.jsonl", "--to", f"opensearch+http://{fake.host}/flows"]) == 0
    assert len(index.documents) == 5


def test_the_command_sends_to_several_sinks(folder, tmp_path, capsys):
    log(folder, "a.log", 5)
    (tmp_path / "rules.json").write_text('[{"name": "many", "by": "srcaddr", "having": "flows >= 1"}]')
    index, posts = Index(), Posts()
    plan = lambda n, body: index.answer(body) if fake.asked[n][0].endswith("_bulk") else posts(n, body)  # noqa: E731
    with Fake(plan) as fake:
        command = ["watch", "logs", "--once", "--settle", "0", "--rules", "rules.json", "--state", "s.db"]
        sends = ["--send", f"opensearch+http://{fake.host}/flows", "--send", "file:out.jsonl", "--send", f"alertmanager+http://{fake.host}"]
        how = ["--as", "ecs", "--as", "ocsf", "--as", "vpcflow", "--unit", "records", "--unit", "findings", "--unit", "findings"]
        assert cli.main([*command, *sends, *how]) == 1
        assert capsys.readouterr().out == ""
        assert len(index.documents) == len(posts.bodies) == len((tmp_path / "out.jsonl").read_text().splitlines()) == 5
        assert cli.main([*command, *sends, *how]) == 0
        assert len(posts.bodies) == 5
    for wrong, says in (
        ([*sends, "--as", "ecs", "--as", "ocsf"], "given 2 times for 3 --send"), (["--as", "ecs"], "give --send"),
        (["--send", "file:x"], "--as SCHEMA is missing"), (["--send", "file:x", "--as", "asff", "--unit", "records"], "--as asff: of records"),
        (["--send", "file:x", "--as", "cim"], "of findings"), (["--send", "file:x", "--as", "ecs", "--outbox", "much"], "--outbox"),
        (["--send", f"alertmanager+http://{fake.host}", "--unit", "records"], "takes findings as they are"),
    ):  # fmt: skip
        assert cli.main([*command, *wrong]) == 2
        assert says in capsys.readouterr().err


def test_a_channel_and_a_sink_are_one_protocol():
    class Down:
        label = "down"
        got = ()

        def send(self, alert):
            if alert.finding.detector == "dns":
                raise vf.NotifyError("down: no")
            self.got = (*self.got, alert.id)

    from vpcflow.sinks.kinds.alerts import OfAlerts

    channel = Down()
    sink = OfAlerts(channel)
    lines = [json.dumps(alerts.Alert(f"{i:x}", one).as_dict()).encode() for i, one in enumerate((FOUND, OTHER, FOUND))]
    pieces = [sinks.Piece(f"{i:x}", text, sink.encode(f"{i:x}", text)) for i, text in enumerate(lines)]
    assert list(sink.send(pieces).retry) == [1, 2]
    assert channel.got == ("0",)
    with pytest.raises(vf.NotifyError):
        sink.send(pieces[1:])
    for text in (b"{", b"[]", b'{"detector": 3}', b'{"detector": "x"}'):
        with pytest.raises(ValueError, match=r"finding|expected|Expecting"):
            sink.encode("a", text)


def test_the_status_says_which_channel_fails_since_when_and_why(tmp_path, capsys):
    """Of an alert channel as of a sink of events; until it takes something; without secrets."""
    (tmp_path / "logs").mkdir()
    posts = Posts()
    posts.status = 503
    with Fake(posts) as fake:
        url = f"http://{fake.host}/services/T0/B0/s3cr3t-token?key=s3cr3t-key"
        where = ["watch", "logs", "--state", "s.db", "--once", "--settle", "0", "--allow-host", "127.0.0.1", "--notify", url, "--notify", "jsonl:a.jsonl"]
        (tmp_path / "rules.json").write_text(json.dumps([{"name": "busy", "by": "srcaddr", "having": "flows >= 1"}]))
        log(tmp_path / "logs", "a.log", 3)
        before = int(datetime.datetime.now().timestamp())
        assert cli.main([*where, "--rules", "rules.json"]) == 2
        assert cli.main([*where, "--rules", "rules.json"]) == 2  # it is not due yet, and still said
        rows = {one["sink"].partition(":")[0]: one for one in status("s.db")["sinks"]}
        assert rows["jsonl"]["why"] is None
        assert rows["jsonl"]["since"] is None
        assert rows["jsonl"]["sent"] == 3
        failing = rows["http"]
        assert failing["why"].endswith("answered 503")
        assert before <= failing["since"] <= before + 60
        assert failing["failures"] == 1
        capsys.readouterr()
        assert cli.main(["watch", "--status", "--state", "s.db"]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "1 failure in a row, next try at" in text
        assert "UTC; fails since 20" in text
        assert "answered 503" in text
        assert cli.main(["watch", "--status", "--state", "s.db", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["sinks"] == status("s.db")["sinks"]
        assert b"s3cr3t" not in b"".join(path.read_bytes() for path in tmp_path.glob("s.db*"))
        assert "s3cr3t" not in text
        posts.status = 200
        with contextlib.closing(Watch("logs", [], {}, "s.db")) as watch:
            watch._store.execute("update outbox set next = 0")
        assert cli.main([*where, "--rules", "rules.json"]) == 0
        assert [(one["why"], one["since"], one["failures"]) for one in status("s.db")["sinks"]] == [(None, None, 0)] * 2
