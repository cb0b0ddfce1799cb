"""What receivers answer beside the plain: packed, cut, about the request and not the event; and what channels and sinks share."""

import gzip
import json
import socket
import ssl
import threading

import pytest

import vpcflow as vf
from sink_fakes import EVENTS, Fake, Index, certificate, read_dead, sent, short_pauses  # noqa: F401
from vpcflow import alerts, sinks
from vpcflow.alerts.opening import kept_elsewhere
from vpcflow.findings import Finding

pytestmark = pytest.mark.usefixtures("short_pauses")
FOUND = Finding("ssh", "high", "10.0.0.1", ["10.0.0.9"], 0, 60, None, "T1110", {}, {}, "10.0.0.1 tried")
ALERT = alerts.Alert("a" * 64, FOUND)


def test_a_packed_answer_is_read(tmp_path):
    index = Index()

    def plan(_, body):
        status, headers, text = index.answer(body)
        return status, {**headers, "Content-Encoding": "gzip"}, gzip.compress(text)

    with Fake(plan) as fake:
        assert sent(EVENTS, f"opensearch+http://{fake.host}/flows", tmp_path).accepted == len(EVENTS)
    assert len(index.documents) == len(EVENTS)


def test_an_answer_that_is_cut_is_no_answer_and_harms_no_other(tmp_path):
    """It is shorter than it says: the events may be there, and go again once, by another connection."""
    index, seen = Index(), []

    def plan(n, body):
        answer = index.answer(body)
        return (*answer, len(answer[2]) // 2) if n == 0 else answer

    with Fake(plan) as fake:
        url = f"opensearch+http://{fake.host}/flows"
        sink = sinks.open_sink(url, "ecs")
        pieces = [sinks.Piece(identity, line, line) for identity, line in EVENTS[:50]]
        for _ in range(2):
            try:
                seen.append(sink.send(pieces).known)
            except vf.NotifyError as error:
                seen.append(str(error).rpartition(": ")[2])
        sink.close()
    assert seen[0] in ("connection ended", "connection reset by peer")
    assert seen[1:] == [50]


def test_a_conflict_is_a_document_that_is_there_only_if_it_was_to_be_created(tmp_path):
    """To be replaced, it was changed by somebody else just now: the event goes again."""
    index = Index(lambda n: 409 if n % 3 == 0 and n < 900 else 201)
    with Fake(lambda _, body: index.answer(body)) as fake:
        counts = sent(EVENTS, f"opensearch+http://{fake.host}/flows?op=index", tmp_path)
    assert (counts.accepted, counts.known, counts.retried) == (len(EVENTS), 0, 300)
    assert len(index.documents) == len(EVENTS)


@pytest.mark.parametrize("index", ["a,b", "a*", "logs-%3Cx%3E", "..", "-a", "a b", "A", "a%23b"])
def test_a_name_that_is_no_index_is_said_before_anything_is_sent(index):
    with pytest.raises(vf.RuleError, match="one index or data stream, in lower case"):
        sinks.open_sink(f"opensearch+http://127.0.0.1:9200/{index}", "ecs")


def test_an_acknowledgement_that_cannot_be_asked_for_sends_no_event_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0")
    monkeypatch.setattr("vpcflow.sinks.kinds.splunk._ACK_LOOK", 0.01)
    polls = []

    def plan(_, body):
        if not body.startswith(b'{"acks"'):
            return 200, {}, b'{"code":0,"ackId":7}'
        polls.append(body)
        return [None, (503, {}, b""), (200, {}, b"<p>"), (200, {}, b'{"acks":{"7":true}}')][min(len(polls) - 1, 3)]

    with Fake(plan) as fake:
        counts = sent(EVENTS[:9], f"splunk+http://{fake.host}?acks=1", tmp_path, "cim", auth="env:TOKEN")
    assert (counts.accepted, counts.retried, len(polls)) == (9, 0, 4)
    missing = (400, {}, b'{"text":"Data channel is missing","code":10}')
    with Fake(lambda *_: missing) as fake, pytest.raises(vf.NotifyError, match=r"add \?acks=1"):
        sent(EVENTS[:9], f"splunk+http://{fake.host}", tmp_path, "cim", auth="env:TOKEN")
    assert read_dead(tmp_path) == []


def test_a_storm_is_told_once(tmp_path):
    index, told = Index(), []
    sink = None
    with Fake(lambda n, body: (429, {}, b"") if n % 2 else index.answer(body)) as fake:
        sink = sinks.open_sink(f"opensearch+http://{fake.host}/flows", "ecs")
        letters = sinks.sending.DeadLetters(tmp_path / "dead.jsonl", "ecs", sink.label)
        sinks.send(EVENTS, sink, letters, log=told.append)
        sink.close()
    assert len(index.documents) == len(EVENTS)
    assert [text.partition(":")[0] for text in told if "not sent" in text] == ["not sent, will be retried for 300 s"]


def test_a_secret_is_one_line_that_a_header_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "ApiKey abc\nX-Other: 1")
    with pytest.raises(vf.RuleError, match="auth env:SECRET: more than a line") as error:
        sinks.open_sink("opensearch+http://127.0.0.1/flows", "ecs", auth="env:SECRET")
    assert "abc" not in str(error.value)
    for url, secret in (
        ("opensearch+http://127.0.0.1/x", "ApiKey ä"), ("splunk+http://127.0.0.1", "ü"),
        ("sentinel+http://127.0.0.1/dcr-1/s", "Bearer é"),
    ):  # fmt: skip
        monkeypatch.setenv("SECRET", secret)
        with pytest.raises(vf.RuleError, match="auth: expected printable letters of ASCII"):
            sinks.open_sink(url, "asim", auth="env:SECRET")
    (tmp_path / "s").write_text("one\ntwo\n")
    with pytest.raises(vf.RuleError, match="more than a line"):
        kept_elsewhere(f"file:{tmp_path / 's'}")


def test_labels_tell_places_apart(monkeypatch):
    monkeypatch.setenv("T", "Bearer t")
    urls = ["syslog+tcp://h:1", "syslog+tcp://h:2", "splunk+http://h?index=a", "splunk+http://h?index=b",
            "sentinel+http://h/r/a", "sentinel+http://h/r/b", "opensearch+http://h/a", "opensearch+http://h/b"]  # fmt: skip
    assert len({sinks.open_sink(url, "ecs", auth="env:T").label for url in urls}) == len(urls)


@pytest.mark.parametrize(
    "url",
    ["alertmanager+http://169.254.169.254", "alertmanager+http://8.8.8.8", "alertmanager+http://u:p@127.0.0.1",
     "syslog://169.254.169.254", "syslog+tcp://8.8.8.8", "syslog://8.8.8.8", "syslog+tcp://u@127.0.0.1",
     "syslog+tls://169.254.169.254", "syslog+tcp://127.0.0.1/path"],
)  # fmt: skip
def test_channels_refuse_what_sinks_do(url, monkeypatch):
    def connected(*_, **__):
        raise AssertionError("it connected")

    monkeypatch.setattr(socket, "create_connection", connected)
    monkeypatch.setattr(socket.socket, "sendto", connected)
    opened = alerts.channel(url)
    with pytest.raises(vf.RuleError, match=r"channel .*(refused|expected)"):
        alerts.check(opened)
    with pytest.raises(vf.NotifyError):
        opened.send(ALERT)
    if "@" not in url and "/path" not in url:
        alerts.check(alerts.channel(url, allow_hosts=(url.rpartition("/")[2],)))


def test_each_address_of_a_host_is_tried(tmp_path, monkeypatch):
    """In the order of the system: one of a network that cannot be reached is no hindrance."""
    looked_up = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        hosts = ["127.0.0.2", "127.0.0.1"] if host == "two.example" else [host]
        return [info for one in hosts for info in looked_up(one, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    index = Index()
    with Fake(lambda _, body: index.answer(body)) as fake:
        counts = sent(EVENTS[:9], f"opensearch+http://two.example:{fake.server_port}/flows", tmp_path)
        assert fake.asked[0][1]["Host"] == f"two.example:{fake.server_port}"
    assert (counts.accepted, counts.retried) == (9, 0)
    with pytest.raises(vf.NotifyError, match="refused"):
        sent(EVENTS[:9], f"syslog+tcp://two.example:{fake.server_port}", tmp_path, patience=0.1)


def test_an_alert_by_syslog_over_tls(certificate):  # noqa: F811
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening, got = socket.create_server(("127.0.0.1", 0)), []

    def receive():
        for _ in range(2):
            plain, _ = listening.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    got.append(connection.recv(65536))
                    connection.unwrap()
            except OSError:  # the first one, whose certificate is a stranger's
                plain.close()

    thread = threading.Thread(target=receive)
    with listening:
        thread.start()
        url = f"syslog+tls://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(vf.NotifyError, match="certificate refused"):
            alerts.channel(url).send(ALERT)
        alerts.channel(f"{url}?ca={certificate}").send(ALERT)
        thread.join(10)
    size, _, text = got[0].partition(b" ")
    assert (int(size), text[:5]) == (len(text), b"<82>1")
    assert json.loads(alerts.cef(ALERT).partition("cs2=")[2].partition(" ")[0]) == {}
