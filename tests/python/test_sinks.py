"""Sinks: what becomes of each event, by fakes that answer as the real ones document it."""

import json
import re
import shlex
import socket
import threading

import pytest

import vpcflow as vf
from conftest import ROOT
from sink_fakes import EVENTS, Fake, Index, read_dead, sent, short_pauses  # noqa: F401
from vpcflow import cli, sinks
from vpcflow.alerts.addresses import RefusedError, own_addresses
from vpcflow.sinks import dead as dead_letters
from vpcflow.sinks import sending
from vpcflow.sinks.gate import Gate
from vpcflow.sinks.marks import Marks

pytestmark = pytest.mark.usefixtures("short_pauses")


@pytest.mark.parametrize("position", [0, 1, 7, 18, 19])
@pytest.mark.parametrize("status", [400, 429, 503])
def test_an_item_that_fails_at_any_position_is_sent_again_or_dead(position, status, tmp_path):
    index = Index(lambda n: status if n == position else 201)
    with Fake(lambda _, body: index.answer(body)) as fake:
        counts = sent(EVENTS[:20], f"opensearch+http://{fake.host}/flows", tmp_path)
        asked = len(fake.asked)
    expected_dead = [EVENTS[position]] if status == 400 else []
    assert read_dead(tmp_path) == expected_dead
    assert set(index.documents) == {identity for identity, _ in EVENTS[:20]} - {one for one, _ in expected_dead}
    assert (counts.accepted, counts.dead, counts.retried) == (
        20 - len(expected_dead),
        len(expected_dead),
        status != 400,
    )
    assert asked == (1 if status == 400 else 2)


def test_storms_resets_and_nonsense_lose_and_double_nothing(tmp_path):
    index = Index(lambda n: 429 if n % 5 == 0 else 201)

    def plan(n, body):
        if n % 4 == 0:
            return 429, {"Retry-After": "0"}, b""
        if n % 4 == 1:
            index.answer(body)  # taken, but nobody hears of it
            return None
        return (502, {}, b"<html>") if n % 7 == 2 else (200, {}, b"{}") if n % 7 == 3 else index.answer(body)

    with Fake(plan) as fake:
        counts = sent(EVENTS, f"elastic+http://{fake.host}/flows", tmp_path)
    assert {identity: {"n": i} for i, (identity, _) in enumerate(EVENTS)} == index.documents
    assert set(index.seen.values()) == {1}
    assert counts.accepted == len(EVENTS)
    assert counts.known
    assert counts.retried


def test_a_restart_at_any_place_sends_the_rest_and_each_dead_letter_once(tmp_path):
    bad = {EVENTS[5][0], EVENTS[2999][0]}

    index = Index(bad=bad)

    class Killed(BaseException):
        pass

    def cut(n):
        yield from EVENTS[:n]
        raise Killed

    with Fake(lambda _, body: index.answer(body)) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        for n in (1, 700, 1500, 1501, 2900):
            with pytest.raises(Killed):
                sent(cut(n), url, tmp_path, state="s.db")
        counts = sent(EVENTS, url, tmp_path, state="s.db")
        again = sent(EVENTS, url, tmp_path, state="s.db")
    assert counts.accepted + counts.dead + counts.before == again.before == len(EVENTS)
    assert again.accepted == 0
    assert len(index.documents) == len(EVENTS) - 2
    assert sorted(identity for identity, _ in read_dead(tmp_path)) == sorted(bad)


def test_an_event_more_does_not_move_the_chunks_behind_it(tmp_path):
    def chunk_marks(events):
        sink = sinks.open_sink("file:-", "ecs")
        marks = sending._Sending(sink, None, None, 1.0, print, sinks.Sent())
        return [chunk.mark for chunk in marks._chunks(events)]

    ids = [(f"{hash((i, 1)) % 2**128:032x}"[:24] + f"{i * 2654435761 % 2**32:08x}", b"{}") for i in range(20000)]
    old, new = chunk_marks(ids), chunk_marks([("f" * 24 + "00000000", b"{}"), *ids])
    assert len(old) > 5
    assert old[1:] == new[1:]


def test_a_dead_receiver_stops_the_source(tmp_path):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield f"{read:032x}", b'{"n":1}'

    with Fake(lambda *_: (503, {}, b"")) as fake, pytest.raises(vf.NotifyError, match="answered 503; given up"):
        sent(endless(), f"opensearch+http://{fake.host}/flows", tmp_path, patience=0.2)
    assert read < 30_000


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_will_never_be_taken_stops_at_once(status, tmp_path):
    with Fake(lambda *_: (status, {}, b"no")) as fake, pytest.raises(vf.NotifyError, match=f"answered {status}"):
        sent(EVENTS, f"opensearch+http://{fake.host}/flows", tmp_path)
    assert not read_dead(tmp_path)
    assert len(fake.asked) <= 2


def test_a_request_that_is_too_large_goes_in_halves(tmp_path):
    index = Index()
    with Fake(lambda _, body: (413, {}, b"") if body.count(b"\n") > 20 else index.answer(body)) as fake:
        counts = sent(EVENTS[:100], f"opensearch+http://{fake.host}/flows", tmp_path)
    assert counts.accepted == len(index.documents) == 100


def test_redirects_users_and_addresses_of_the_cloud_are_refused(tmp_path):
    answer = (307, {"Location": "http://169.254.169.254/"}, b"")
    with Fake(lambda *_: answer) as fake, pytest.raises(vf.NotifyError, match="redirects are not followed"):
        sent(EVENTS[:1], f"opensearch+http://{fake.host}/flows", tmp_path)
    refused_ones = (
        ("169.254.169.254", True),
        ("8.8.8.8", False),
        ("::ffff:169.254.169.254", True),
        ("224.0.0.1", True),
    )
    for address, secure in refused_ones:
        with pytest.raises(RefusedError):
            own_addresses(address, 443, secure)
    with pytest.raises(vf.RuleError, match="a user in the URL") as refused:
        sinks.open_sink("opensearch+https://me:hidden@example.org/flows", "ecs")
    assert "hidden" not in str(refused.value)


def test_credentials_are_headers_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH", "me:hidden")
    with Fake(lambda *_: (401, {}, b"")) as fake, pytest.raises(vf.NotifyError) as error:
        sent(EVENTS[:1], f"opensearch+http://{fake.host}/flows", tmp_path, auth="env:SEARCH")
    assert fake.asked[0][1]["Authorization"] == "Basic bWU6aGlkZGVu"
    assert "hidden" not in str(error.value)
    with pytest.raises(vf.RuleError, match="expected env:NAME or file:PATH"):
        sinks.open_sink("opensearch+http://127.0.0.1/flows", "ecs", auth="me:hidden")


def test_sentinel_takes_arrays_with_a_token(tmp_path, monkeypatch):
    monkeypatch.setenv("ENTRA", "tenant:client:se:cret")
    rows = []

    def plan(n, body):
        if b"client_secret=se%3Acret" in body:
            return 200, {}, b'{"access_token":"abc","expires_in":3600}'
        rows.extend(json.loads(body))
        return 204, {}, b""

    with Fake(plan) as fake:
        url = f"sentinel+http://{fake.host}/dcr-1/Custom-Flows?authority=http://{fake.host}"
        sent(EVENTS, url, tmp_path, "asim", auth="env:ENTRA")
    assert sorted(row["n"] for row in rows) == list(range(len(EVENTS)))
    path, headers, _ = fake.asked[-1]
    assert path == "/dataCollectionRules/dcr-1/streams/Custom-Flows?api-version=2023-01-01"
    assert headers["Authorization"] == "Bearer abc"


def test_syslog_is_octet_counted(tmp_path):
    listening = socket.create_server(("127.0.0.1", 0))
    got = []

    def receive():
        connection, _ = listening.accept()
        data = b""
        with connection:
            while part := connection.recv(65536):
                data += part
        while data:
            size, _, data = data.partition(b" ")
            got.append(data[: int(size)])
            data = data[int(size) :]

    thread = threading.Thread(target=receive)
    thread.start()
    sent(EVENTS[:50], f"syslog+tcp://127.0.0.1:{listening.getsockname()[1]}", tmp_path)
    thread.join(10)
    listening.close()
    assert [message.rpartition(b" ")[2] for message in got] == [line for _, line in EVENTS[:50]]
    assert got[0].startswith(b"<85>1 ")
    assert EVENTS[0][0].encode() in got[0]


def test_a_file_ends_a_torn_line_and_leaves_others_alone(tmp_path):
    path = tmp_path / "out.jsonl"
    for before, after in ((b'{"n":0}\n{"n":', b'{"n":0}\n'), (b"words", b"words\n"), (b'{"n":0}', b'{"n":0}\n')):
        path.write_bytes(before)
        sent(EVENTS[1:3], f"file:{path}", tmp_path)
        assert path.read_bytes() == after + b'{"n":1}\n{"n":2}\n'


def test_a_device_is_written_through(tmp_path):
    assert sent(EVENTS, "file:/dev/null", tmp_path).accepted == len(EVENTS)


def write_log(path, records):
    rest = "10.0.9.1 4000 443 6 5 500 1700000000 1700000060 ACCEPT OK"
    path.write_text("".join(f"2 123456789010 eni-1 10.0.0.{i} {rest}\n" for i in range(records)))
    return records


def test_the_command_sends_and_replays(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "flow.log", 9)
    index = Index(lambda n: 400 if n == 4 else 201)
    with Fake(lambda _, body: index.answer(body)) as fake:
        to = f"opensearch+http://{fake.host}/flows"
        send = ["send", "flow.log", "--to", to, "--as", "ecs", "--unit", "records", "--state", "s.db"]
        assert cli.main(send) == 2
        assert "1 event not taken" in capsys.readouterr().err
        assert len(index.documents) == 8
        assert all(event["event"]["id"] == identity for identity, event in index.documents.items())
        assert cli.main(send) == 0
        assert "9 were sent by an earlier run" in capsys.readouterr().err
        assert cli.main(["send", "--replay", "vpcflow-dead.jsonl", "--to", to]) == 0
    assert {event["source"]["ip"] for event in index.documents.values()} == {f"10.0.0.{i}" for i in range(9)}
    assert not (tmp_path / "vpcflow-dead.jsonl").exists()
    assert cli.main(["send", "flow.log", "--to", "opensaerch+http://h/i", "--as", "ecs"]) == 2
    assert "did you mean 'opensearch+http'" in capsys.readouterr().err


def test_the_guide_is_typed_as_it_stands(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "how-to" / "send-to-a-siem.md").read_text()
    commands = re.findall(r"^vpcflow ((?:send (?!findings)|siem ).*)$", page, re.M)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    records = write_log(tmp_path / "logs" / "flow.log", 30)
    index = Index(lambda n: 400 if n == 4 else 201)
    with Fake(lambda _, body: index.answer(body)) as fake:
        codes = [cli.main(shlex.split(command.replace("127.0.0.1:9200", fake.host))) for command in commands]
    assert codes == [0, 2, 0, 0, 0, 0]  # the second one has an event that is refused, the third one sends it again
    assert len(index.documents) == records == len((tmp_path / "events.jsonl").read_bytes().splitlines())


def test_a_state_or_dead_letters_of_others_stay(tmp_path):
    (tmp_path / "s.db").write_bytes(b"not a database" * 100)
    with pytest.raises(vf.RuleError, match="not a state of vpcflow send"):
        Marks(tmp_path / "s.db", "x")
    (tmp_path / "dead.jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(vf.SourceError, match="no dead letter"):
        dead_letters.DeadLetters(tmp_path / "dead.jsonl", "ecs", "x")


def test_a_state_is_of_one_process_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("vpcflow.sinks.marks._PATIENCE", 0.05)
    first = Marks(tmp_path / "s.db", "x")
    for _ in range(2):
        with pytest.raises(vf.OutputError, match="another vpcflow send uses it"):
            Marks(tmp_path / "s.db", "y")
        first.add(b"chunk", 1)
    first.close()
    second = Marks(tmp_path / "s.db", "x")
    assert second.has(b"chunk")
    second.close()


def test_pauses_grow_and_hold_what_the_sink_asks_for():
    now, waits = [0.0], []

    def wait(seconds):
        waits.append(seconds)
        now[0] += seconds

    gate = Gate(1000.0, clock=lambda: now[0], wait=wait)
    for _ in range(6):
        assert not gate.failed()
        gate.release(gate.passed())
    assert gate.is_open
    gate.succeeded()
    assert not gate.is_open
    gate.failed(after=7.0)
    gate.passed()
    assert waits[-1] == 7.0
    assert not gate.failed(after=900.0)
    assert gate.failed(after=995.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [("--to events.jsonl --as ecs", "a file is file:PATH"), ("--to opensearch://h/i --as ecs", "did you mean 'opensearch+http'"),
     ("--to http://h/i --as ecs", "an index is opensearch+https://"), ("--to opensearch+http://h/ --as ecs", "index ''; expected"),
     ("--to splunk+https://h --as cim", "the token is missing"), ("--to splunk+https://h --as cim --auth t0", "env:NAME or file:PATH"),
     ("--to splunk+https://h?idx=3 --as cim --auth env:TOKEN", "did you mean 'index'"), ("--to file:x", "--as SCHEMA is missing"),
     ("--to securityhub: --as ecs", "expected asff"), ("--to kafka://h --as ecs", "the topic is missing"),
     ("--to opensearch+http://h:x/i --as ecs", "invalid URL"), ("--to opensearch+http://h/i --as cef", "takes events of JSON")],
)  # fmt: skip
def test_a_sink_that_cannot_be_is_said_before_anything_is_read(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", "t0")
    write_log(tmp_path / "flow.log", 3)
    assert cli.main(["send", "flow.log", *arguments.split()]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["flow.log"]


def test_an_interrupt_tells_what_was_sent(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "flow.log", 200)
    monkeypatch.setattr("vpcflow.cli.send._pairs", lambda *_, **__: interrupted())

    def interrupted():
        yield from EVENTS
        while not (tmp_path / "out").exists():
            pass
        raise KeyboardInterrupt

    assert cli.main(["send", "flow.log", "--to", "file:out", "--as", "ecs"]) == 130
    assert "that is not all: run the same command again; with --state FILE" in capsys.readouterr().err
