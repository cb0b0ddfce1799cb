"""Sinks: each event is taken or dead, once or at least once, whatever the receiver does. Set arithmetic over ids."""

import http.client
import json
import random
import socket
import ssl
import threading

import pytest

import vpcflow as vf
from sink_fakes import EVENTS, Fake, Hec, Index, certificate, read_dead, sent, short_pauses  # noqa: F401
from vpcflow import sinks
from vpcflow.alerts import http as own_http
from vpcflow.sinks.dead import DeadLetters, Ids, locked
from vpcflow.sinks.dead import read_dead as dead_of
from vpcflow.sinks.sink import Piece

pytestmark = pytest.mark.usefixtures("short_pauses")
ALL = {identity for identity, _ in EVENTS}


def faulty(n, body, answer, rng):
    """What goes wrong with a request: before it was taken, after it, or in the answer."""
    kind = rng.randrange(12)
    if kind < 3:
        return [(429, {"Retry-After": "0"}, b""), (503, {}, b"busy"), (502, {}, b"<html>")][kind]
    status, headers, text = answer(body)
    if kind == 3:
        return None
    if kind == 4:
        return status, headers, text, len(text) // 2
    if kind == 5:
        return 200, {}, b"<html>proxy</html>"
    if kind == 6:
        return 200, {}, b"[" * 100_000
    found = json.loads(text)
    if kind == 7 and isinstance(found.get("items"), list):
        found["items"] = found["items"][:-1]
    elif kind == 8 and isinstance(found.get("items"), list):
        found["items"].reverse()
    elif kind == 9:
        found = {}
    return status, headers, json.dumps(found).encode()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("op", ["create", "index"])
def test_an_index_has_each_event_once_whatever_goes_wrong(seed, op, tmp_path):
    rng = random.Random(seed)
    bad = {identity for identity, _ in rng.sample(EVENTS, 7)}
    index = Index(lambda n: 429 if rng.random() < 0.1 else 201, bad)

    def plan(n, body):
        return faulty(n, body, index.answer, rng) if rng.random() < 0.6 else index.answer(body)

    with Fake(plan, early=lambda n: [0, 10, 5000][n % 3] if n % 4 == 3 else None) as fake:
        counts = sent(EVENTS, f"opensearch+http://{fake.host}/flows?op={op}", tmp_path)
    assert index.documents == {identity: json.loads(line) for identity, line in EVENTS if identity not in bad}
    assert sorted(identity for identity, _ in read_dead(tmp_path)) == sorted(bad)
    assert (counts.accepted, counts.dead) == (len(EVENTS) - len(bad), len(bad))
    if op == "create":
        assert set(index.seen.values()) == {1}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("takes", [True, False])
def test_splunk_has_each_event_and_those_that_are_wrong_are_dead(names, takes, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0")
    rng = random.Random(1)
    bad = {EVENTS[0][0], EVENTS[1][0], EVENTS[-1][0], *(identity for identity, _ in rng.sample(EVENTS, 5))}
    hec = Hec(bad, names, takes)
    plan = lambda n, body: faulty(n, body, hec.answer, rng) if rng.random() < 0.2 else hec.answer(body)  # noqa: E731
    with Fake(plan) as fake:
        counts = sent(EVENTS, f"splunk+http://{fake.host}?index=net", tmp_path, "cim", auth="env:TOKEN")
        _, headers, body = fake.asked[0]
    assert set(hec.taken) == ALL - bad
    assert sorted(identity for identity, _ in read_dead(tmp_path)) == sorted(bad)
    assert (counts.accepted, counts.dead) == (len(EVENTS) - len(bad), len(bad))
    assert headers["Authorization"] == "Splunk t0"
    assert body.startswith(b'{"time":0.000,"host":"vpcflow","index": "net", "sourcetype": "vpcflow:cim",')


def test_splunk_refuses_all_and_is_not_asked_for_ever(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0")
    hec = Hec(ALL, names=False)
    with (
        Fake(lambda n, body: hec.answer(body)) as fake,
        pytest.raises(vf.NotifyError, match="it took none of 100 events"),
    ):
        sent(EVENTS, f"splunk+http://{fake.host}", tmp_path, "cim", auth="env:TOKEN")
    assert len(read_dead(tmp_path)) == 100


@pytest.mark.parametrize(
    ("answer", "error"),
    [((200, {}, b'{"code":9}'), "does not say that the events were taken"), ((200, {}, b'{"code":0}'), r"leave \?acks=1 out"),
     ((400, {}, b'{"code":14,"text":"ACK is disabled"}'), "ACK is disabled"), ((401, {}, b'{"code":3}'), "--auth"),
     ((400, {}, b'{"code":7,"text":"Incorrect index"}'), "Incorrect index"),
     ((200, {}, b'{"code":0,"ackId":1,"acks":{"1":false}}'), "not indexed within")],
)  # fmt: skip
def test_splunk_says_what_will_never_be(answer, error, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0")
    monkeypatch.setattr("vpcflow.sinks.kinds.splunk._ACK_PATIENCE", 0.05)
    monkeypatch.setattr("vpcflow.sinks.kinds.splunk._ACK_LOOK", 0.01)
    with Fake(lambda *_: answer) as fake, pytest.raises(vf.NotifyError, match=error):
        sent(EVENTS[:9], f"splunk+http://{fake.host}?acks=1", tmp_path, "cim", auth="env:TOKEN", patience=0.1)
    assert read_dead(tmp_path) == []


def test_sentinel_halves_what_it_refuses(tmp_path, monkeypatch):
    monkeypatch.setenv("ENTRA", "Bearer t")
    rng = random.Random(3)
    bad = {EVENTS[i] for i in (0, 1500, 2999)}
    rows = []

    def answer(body):
        events = json.loads(body)
        if len(events) > 700:
            return 413, {}, b""
        if any((EVENTS[event["n"]]) in bad for event in events):
            return 400, {}, b'{"error":{"code":"InvalidContent"}}'
        rows.extend(event["n"] for event in events)
        return 204, {}, b""

    def plan(n, body):
        if rng.random() < 0.2:
            return 429, {"Retry-After": "0"}, b""
        taken = answer(body)
        return None if rng.random() < 0.1 else taken

    with Fake(plan, early=lambda n: 100 if n % 7 == 3 else None) as fake:
        sent(EVENTS, f"sentinel+http://{fake.host}/dcr-1/Custom-Flows", tmp_path, "asim", auth="env:ENTRA")
    assert {EVENTS[n] for n in rows} == set(EVENTS) - bad
    assert set(read_dead(tmp_path)) == bad
    assert len(read_dead(tmp_path)) == 3


@pytest.mark.parametrize("unit", ["sessions", "records", None])
def test_sessions_replace_their_older_selves_but_in_data_streams(unit, tmp_path):
    index = Index()
    with Fake(lambda _, body: index.answer(body)) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        sent(EVENTS[:5], url, tmp_path, unit=unit)
        grown = [(identity, b'{"n":-1}') for identity, _ in EVENTS[:6]]
        counts = sent(grown, url, tmp_path, unit=unit)
        first = index.documents[EVENTS[0][0]]
    assert first == {"n": -1 if unit == "sessions" else 0}
    assert len(index.documents) == counts.accepted == 6


def test_a_data_stream_gets_what_it_takes(tmp_path):
    index = Index()

    def plan(_, body):
        if b'{"index"' in body:
            why = {
                "type": "illegal_argument_exception",
                "reason": "only write ops with an op_type of create are allowed",
            }
            items = [{"index": {"status": 400, "error": why}}] * body.count(b'{"index"')
            return 200, {}, json.dumps({"items": items}).encode()
        return index.answer(body)

    with Fake(plan) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        assert sent(EVENTS, url, tmp_path, unit="sessions").accepted == len(index.documents) == len(EVENTS)
        with pytest.raises(vf.NotifyError, match=r"leave \?op=index out"):
            sent(EVENTS, f"{url}?op=index", tmp_path)
    assert read_dead(tmp_path) == []


def test_a_session_that_has_grown_is_sent_again_by_its_state(tmp_path):
    index = Index()
    with Fake(lambda _, body: index.answer(body)) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        sent(EVENTS, url, tmp_path, state="s.db", unit="sessions")
        grown = [*EVENTS[:-1], (EVENTS[-1][0], b'{"n":-1}')]
        counts = sent(grown, url, tmp_path, state="s.db", unit="sessions")
    assert index.documents[EVENTS[-1][0]] == {"n": -1}
    assert 0 < counts.accepted < len(EVENTS) == counts.accepted + counts.before


def answering_early(status, head):
    """A server that answers when it has read ``head`` bytes, and ends the connection; small requests are taken."""
    listening = socket.create_server(("127.0.0.1", 0))
    index = Index()

    def serve(connection):
        with connection:
            file = connection.makefile("rb")
            file.readline()
            length = int(http.client.parse_headers(file)["Content-Length"])
            if length > 20_000:
                file.read(head)
                connection.sendall(b"HTTP/1.1 %d no\r\nContent-Length: 0\r\n\r\n" % status)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # as servers do, so that the client sees the answer
                    pass
                return
            code, _, text = index.answer(file.read(length))
            connection.sendall(
                b"HTTP/1.1 %d ok\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (code, len(text), text)
            )

    def run():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return listening, index


def test_an_answer_before_the_end_of_the_request_is_heard(tmp_path):
    listening, index = answering_early(413, 1000)
    with listening:
        counts = sent(EVENTS, f"opensearch+http://127.0.0.1:{listening.getsockname()[1]}/flows", tmp_path)
    assert counts.accepted == len(index.documents) == len(EVENTS)


def test_a_slow_receiver_gets_all_as_long_as_it_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(own_http, "_PATIENCE", 1.0)
    monkeypatch.setattr(own_http, "_LOOK", 0.1)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    events = [(f"{i:032x}", b'{"n":"%s"}' % (b"x" * 100_000)) for i in range(40)]
    got = []

    def serve():
        connection, _ = listening.accept()
        pause = threading.Event()
        with connection, connection.makefile("rb", buffering=65536) as file:
            file.readline()
            left = int(http.client.parse_headers(file)["Content-Length"])
            while left:
                part = file.read(min(left, 200_000))
                left -= len(part)
                got.append(len(part))
                pause.wait(0.1)  # twenty times: longer than the patience with the whole
            items = json.dumps({"items": [{"create": {"status": 201}}] * len(events)}).encode()
            connection.sendall(b"HTTP/1.1 200 ok\r\nContent-Length: %d\r\n\r\n%s" % (len(items), items))
            file.read(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        counts = sent(events, f"opensearch+http://127.0.0.1:{listening.getsockname()[1]}/flows", tmp_path, patience=0.1)
    assert (counts.accepted, counts.retried) == (40, 0)
    assert sum(got) > 4_000_000


def test_strangers_and_hosts_without_tls_end_at_once(certificate, tmp_path):  # noqa: F811
    index = Index()
    with Fake(lambda _, body: index.answer(body)) as fake:
        with pytest.raises(vf.NotifyError, match="no TLS"):
            sent(EVENTS, f"opensearch+https://{fake.host}/flows", tmp_path)
        with pytest.raises(vf.NotifyError, match="no TLS"):
            sent(EVENTS, f"syslog+tls://{fake.host}", tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        fake.socket = context.wrap_socket(fake.socket, server_side=True)
        for scheme in ("opensearch+https", "syslog+tls"):
            with pytest.raises(vf.NotifyError, match=r"certificate refused: .*; \?ca=FILE"):
                sent(EVENTS, f"{scheme}://{fake.host}" + "/flows" * (scheme[0] == "o"), tmp_path)
        assert sent(EVENTS, f"opensearch+https://{fake.host}/flows?ca={certificate}", tmp_path).accepted == len(EVENTS)
    assert len(index.documents) == len(EVENTS)


@pytest.mark.parametrize("url", ["opensearch+http://h.invalid/flows", "syslog+tcp://h.invalid"])
def test_a_host_that_does_not_exist_ends_at_once(url, tmp_path, monkeypatch):
    def no_host(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_host)
    with pytest.raises(vf.NotifyError, match=r"h\.invalid: Name or service not known"):
        sent(EVENTS, url, tmp_path, patience=1000.0)


class Receiver:
    """A receiver of syslog that keeps the ids it has read. ``resets``: it breaks connections, by their number, after so
    many bytes, and forgets what it has not read."""

    def __init__(self, resets=None):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.ids, self.resets = [], resets or {}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        for n in range(1 << 30):
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as file:
                limit, read = self.resets.get(n), 0
                while size := self.number(file):
                    message = file.read(size)
                    read += size
                    self.ids.append(message.split(b" ")[5].decode())
                    if limit is not None and read >= limit:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        break

    @staticmethod
    def number(file):
        digits = b""
        while (one := file.read(1)) not in (b" ", b""):
            digits += one
        return int(digits or b"0")


def test_syslog_gets_again_what_was_on_the_way_when_a_connection_broke(tmp_path):
    receiver = Receiver({0: 1, 1: 40_000, 3: 90_000})
    with receiver.listening:
        counts = sent(EVENTS, f"syslog+tcp://127.0.0.1:{receiver.listening.getsockname()[1]}", tmp_path)
    assert set(receiver.ids) == ALL
    assert counts.retried > 0
    assert counts.accepted == len(EVENTS)


def test_dead_letters_are_of_one_process_at_a_time_and_survive_a_replay(tmp_path):
    path = tmp_path / "dead.jsonl"
    letters = DeadLetters(path, "ecs", "x")
    pieces = [(Piece(identity, line, b""), "no") for identity, line in EVENTS[:3]]
    letters.add(pieces[:2])
    index = Index(bad={EVENTS[0][0]})

    def plan(_, body):
        if not adding.is_alive():
            adding.start()  # while the replay has the file
        with path.open("rb") as other, pytest.raises(vf.OutputError, match="another vpcflow send"):
            locked(other, str(path), wait=False)
        return index.answer(body)

    adding = threading.Thread(target=letters.add, args=(pieces,))
    with Fake(plan) as fake:
        counts = sinks.replay(path, f"opensearch+http://{fake.host}/flows")
    adding.join(10)
    letters.close()
    assert (counts.accepted, counts.dead) == (1, 1)
    # The sink of the replay is another one than that of the letters, so the first event is there for each.
    assert sorted(dead.id for dead in dead_of(path)) == sorted([EVENTS[0][0], EVENTS[2][0]])


def test_a_replay_of_one_schema_leaves_the_others(tmp_path):
    path = tmp_path / "dead.jsonl"
    for schema, some in (("ecs", EVENTS[:3]), ("ocsf", EVENTS[3:5])):
        letters = DeadLetters(path, schema, "x")
        letters.add([(Piece(identity, line, b""), "no") for identity, line in some])
        letters.close()
    index = Index(bad={EVENTS[0][0]})
    with Fake(lambda _, body: index.answer(body)) as fake:
        to = f"opensearch+http://{fake.host}/flows"
        for schema in (None, "cim"):
            with pytest.raises(vf.RuleError, match="events of ecs, ocsf; --as says which"):
                sinks.replay(path, to, schema=schema)
        assert sinks.replay(path, to, schema="ecs").accepted == 2
    assert [(dead.id, dead.schema) for dead in dead_of(path)] == [
        (EVENTS[0][0], "ecs"), (EVENTS[3][0], "ocsf"), (EVENTS[4][0], "ocsf"),
    ]  # fmt: skip


def test_a_replay_of_hostile_letters_sends_no_foreign_action(tmp_path):
    path = tmp_path / "dead.jsonl"
    row = {"schema": "ecs", "sink": "x", "reason": "y", "time": 0, "event": "{}"}
    ids = ['a"}}\n{"delete":{"_id":"b', "two words", "", "x" * 300, 'quote"', "good"]
    path.write_text("".join(json.dumps({**row, "id": identity}) + "\n" for identity in ["first", *ids, "good"]))
    index = Index()
    with Fake(lambda _, body: index.answer(body)) as fake:
        sinks.replay(path, f"opensearch+http://{fake.host}/flows")
    assert sorted(index.documents) == ["first", "good", 'quote"']


def test_ids_are_a_set():
    ids = Ids()
    assert [ids.add(one) for one in ("a", "b", "a")] == [True, True, False]
    ids.close()
