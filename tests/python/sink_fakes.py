"""Receivers of events for tests: servers that answer, or fail, as a plan says."""

import collections
import http.server
import json
import socket
import struct
import threading

import pytest

from vpcflow import sinks
from vpcflow.sinks import dead as dead_letters
from vpcflow.sinks import sending
from vpcflow.sinks.marks import Marks

EVENTS = [(f"{i * 2654435761 % 2**128:032x}", b'{"n":%d}' % i) for i in range(3000)]


class Fake(http.server.ThreadingHTTPServer):
    """A server whose ``plan`` answers: a function of request number and body. It returns status, headers and text, and
    perhaps how many bytes of the text come before the connection breaks; ``None`` breaks it before. ``early`` says of a
    request number after how many bytes of the body it breaks, or None."""

    daemon_threads = True

    def __init__(self, plan, early=lambda n: None):
        self.asked, self.n = [], 0
        self.lock = threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1  # an answer in one piece

            def do_POST(self):
                with fake.lock:
                    fake.n += 1
                    cut = early(fake.n - 1)
                if cut is not None:
                    self.rfile.read(min(cut, int(self.headers["Content-Length"])))
                    return self.reset()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with fake.lock:
                    fake.asked.append((self.path, dict(self.headers), body))
                    answer = plan(len(fake.asked) - 1, body)
                if answer is None:
                    return self.reset()
                status, headers, text, *rest = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text[: rest[0]] if rest else text)
                if rest:
                    self.reset()

            def reset(self):
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server_port}"

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Index:
    """Documents of an index: ``verdict`` says the status of each item that is new, by its number; ``bad`` are ids that
    it never takes."""

    def __init__(self, verdict=lambda n: 201, bad=()):
        self.bad = set(bad)
        self.documents, self.verdict, self.seen = {}, verdict, collections.Counter()
        self.n = 0

    def answer(self, body):
        lines = body.split(b"\n")
        assert lines.pop() == b""
        items = []
        for action, document in zip(lines[::2], lines[1::2]):
            ((op, where),) = json.loads(action).items()
            identity = where["_id"]
            status = 409 if identity in self.documents and op == "create" else self.verdict(self.n)
            status = 400 if identity in self.bad else 200 if status == 201 and identity in self.documents else status
            self.n += 1
            if status in (200, 201):
                self.seen[identity] += 1
                self.documents[identity] = json.loads(document)
            reason = {"type": "document_parsing_exception", "reason": "failed to parse field [n]"}
            items.append({op: {"_id": identity, "status": status, **({"error": reason} if status >= 300 else {})}})
        return 200, {}, json.dumps({"errors": True, "items": items}).encode()


class Hec:
    """A collector: ``names``: it says which event is wrong; ``takes``: those before it are taken."""

    def __init__(self, bad, names=True, takes=True):
        self.bad, self.names, self.takes, self.taken = bad, names, takes, []

    def answer(self, body):
        events, decoder, at, text = [], json.JSONDecoder(), 0, body.decode()
        while at < len(text):
            event, at = decoder.raw_decode(text, at)
            events.append(event["fields"]["id"])
        wrong = next((i for i, identity in enumerate(events) if identity in self.bad), None)
        if wrong is None or self.takes:
            self.taken += events[:wrong]
        if wrong is None:
            return 200, {}, b'{"text":"Success","code":0}'
        named = {"invalid-event-number": wrong} if self.names else {}
        return 400, {}, json.dumps({"text": "Invalid data format", "code": 6, **named}).encode()


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr("vpcflow.sinks.gate._FIRST", 0.001)
    monkeypatch.setattr("vpcflow.sinks.gate._LONGEST", 0.01)
    monkeypatch.setattr(sending, "_LOOK", 0.01)


def sent(events, url, tmp_path, schema="ecs", state=None, patience=20.0, **more):
    sink = sinks.open_sink(url, schema, **more)
    letters = dead_letters.DeadLetters(tmp_path / "dead.jsonl", schema, sink.label)
    marks = Marks(tmp_path / state, url) if state else None
    counts = sinks.Sent()
    try:
        sinks.send(events, sink, letters, marks=marks, patience=patience, counts=counts)
    finally:
        sink.close()
        letters.close()
        if marks:
            marks.close()
    return counts


def read_dead(tmp_path):
    path = tmp_path / "dead.jsonl"
    return [(dead.id, dead.line) for dead in dead_letters.read_dead(path)] if path.exists() else []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody knows, with its key."""
    pytest.importorskip("cryptography")
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1)
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
    )
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path
