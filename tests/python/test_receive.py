"""The endpoint for Firehose, over HTTP: what is acknowledged is on disk, once."""

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zlib

import pytest

import vpcflow as vf
from conftest import line, run_cli
from vpcflow.io.aws.receive import Receiver, RefusedError, Spool, delivery_of, unpacked

KEY = "CANARYaccessCANARYkey"


@pytest.fixture
def receiver(tmp_path):
    log = []
    made = Receiver("127.0.0.1", 0, KEY, Spool(tmp_path / "spool"), 1 << 20, log.append)
    made.log = log
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(20)
    assert not thread.is_alive()


def request(*records, id="11111111-2222-3333-4444-555555555555"):
    data = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"requestId": id, "timestamp": 1795392000000, "records": data}).encode()


def post(receiver, body, **headers):
    """Posts as Firehose does; returns the status and the answer."""
    host, port = receiver.url.removeprefix("http://").rstrip("/").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    named = {
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Access-Key": KEY,
        "Content-Type": "application/json",
    }
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        connection.request("POST", "/", body, {name: value for name, value in named.items() if value is not None})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.getheader("Content-Type") == "application/json"
        assert int(answer.getheader("Content-Length")) == len(text)
        return answer.status, json.loads(text)
    finally:
        connection.close()


def read(folder):
    return vf.scan(folder, format="default").agg(n=vf.count(), bytes=vf.sum("bytes")).collect().rows()[0]


def test_a_delivery_is_on_disk_before_it_is_acknowledged(receiver, tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    status, answer = post(receiver, request(line(size=1), line(size=2).rstrip(b"\n")))
    assert status == 200
    assert answer["requestId"] == "11111111-2222-3333-4444-555555555555"
    assert isinstance(answer["timestamp"], int)
    assert "errorMessage" not in answer
    assert len(synced) == 2  # the file and its folder
    assert read(tmp_path / "spool") == {"n": 2, "bytes": 3}


def test_what_comes_again_is_taken_once(receiver, tmp_path):
    for _ in range(3):
        assert post(receiver, request(line(size=1)))[0] == 200
    assert post(receiver, request(line(size=5), id="other"))[0] == 200
    assert read(tmp_path / "spool") == {"n": 2, "bytes": 6}
    assert sum("came before" in text for text in receiver.log) == 2


def test_shapes_of_records(receiver, tmp_path):
    events = [{"id": "1", "timestamp": 1, "message": line(size=7).decode().rstrip()}]
    subscription = json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789010",
            "logGroup": "g",
            "logStream": "s",
            "subscriptionFilters": ["f"],
            "logEvents": events,
        }
    ).encode()
    assert post(receiver, request(gzip.compress(subscription), zlib.compress(subscription), id="a"))[0] == 200
    assert post(receiver, gzip.compress(request(line(size=1), id="b")), Content_Encoding="gzip")[0] == 200
    assert read(tmp_path / "spool") == {"n": 3, "bytes": 15}


@pytest.mark.parametrize(
    ("body", "headers", "status", "why"),
    [
        (request(line()), {"X_Amz_Firehose_Access_Key": None}, 401, "the access key is missing or wrong"),
        (request(line()), {"X_Amz_Firehose_Access_Key": KEY + "x"}, 401, "the access key is missing or wrong"),
        (b"x" * ((1 << 20) + 1), {}, 413, "the request has 1,048,577 bytes; at most 1,048,576 are taken"),
        (b"no", {}, 400, "the body is no JSON"),
        (b"[" * 100000, {}, 400, "the body is no JSON"),
        (b"[]", {}, 400, "the body has no requestId and records"),
        (b'{"requestId": "../../etc/passwd", "records": []}', {}, 400, "the body has no requestId and records"),
        (b'{"requestId": "a", "records": [{"data": "%"}]}', {}, 400, "record 0: no data in base64"),
        (b'{"requestId": "a", "records": [7]}', {}, 400, "record 0: no data in base64"),
        (request(line()), {"X_Amz_Firehose_Request_Id": "another"}, 400, "not that of the header"),
        (b"x", {"Content_Encoding": "gzip"}, 400, "the packed data is"),
        (gzip.compress(request(line()))[:-9], {"Content_Encoding": "gzip"}, 400, "the packed data is cut off"),
        (request(line()), {"Content_Encoding": "br"}, 415, "neither gzip nor identity"),
    ],
    ids=range(13),
)
def test_what_is_refused(receiver, tmp_path, body, headers, status, why):
    got, answer = post(receiver, body, **headers)
    assert (got, why in answer["errorMessage"]) == (status, True), answer
    assert os.listdir(tmp_path / "spool") == []
    assert KEY not in "".join(receiver.log) + json.dumps(answer)
    assert post(receiver, request(line()))[0] == 200  # and it goes on


def test_what_unpacks_to_too_much_is_refused():
    bomb = gzip.compress(b"\0" * (1 << 20))
    with pytest.raises(RefusedError, match="unpacks to more than 1,000 bytes"):
        unpacked(bomb, 1000)
    assert unpacked(gzip.compress(b"a") + gzip.compress(b"b"), 2) == b"ab"
    assert delivery_of(request(line(), id="x")) == ("x", line())


def test_a_disk_that_is_full_is_no_acknowledgement(receiver, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        status, answer = post(receiver, request(line()))
    assert (status, answer["errorMessage"]) == (500, "the delivery could not be written")
    assert os.listdir(tmp_path / "spool") == []
    assert post(receiver, request(line()))[0] == 200


def test_a_connection_that_breaks_delivers_nothing(receiver, tmp_path):
    host, port = receiver.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Firehose-Access-Key: {KEY}\r\nContent-Length: 100\r\n\r\n{{".encode()
        )
    assert post(receiver, request(line()))[0] == 200
    assert len(os.listdir(tmp_path / "spool")) == 1


def test_many_at_once(receiver, tmp_path):
    statuses = []
    threads = [
        threading.Thread(target=lambda n=n: statuses.append(post(receiver, request(line(size=n), id=f"r{n}"))[0]))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert read(tmp_path / "spool") == {"n": 20, "bytes": sum(range(20))}


def test_the_command_is_killed_and_nothing_acknowledged_is_lost(tmp_path):
    """SIGKILL between deliveries, and the end by SIGTERM; then watch reads the spool."""
    environment = {**os.environ, "FIREHOSE_KEY": KEY}
    command = [
        sys.executable,
        "-m",
        "vpcflow",
        "receive",
        "--listen",
        "127.0.0.1:0",
        "--key",
        "env:FIREHOSE_KEY",
        "--spool",
        "spool",
    ]
    said, acknowledged = [], 0
    for end in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        said.append(process.stderr.readline())

        class Here:
            url = said[-1].split()[3].rstrip(";")

        for n in range(5):
            acknowledged += post(Here, request(line(size=n + 5 * (end == signal.SIGTERM)), id=f"{end}-{n}"))[0] == 200
        process.send_signal(end)
        assert process.wait(20) == (0 if end == signal.SIGTERM else -end)
        said.append(process.stderr.read())
        process.stderr.close()
    assert read(tmp_path / "spool") == {"n": acknowledged, "bytes": sum(range(10))}
    assert KEY not in "".join(said)
    done = run_cli(
        "watch",
        tmp_path / "spool",
        "--format",
        "default",
        "--once",
        "--settle",
        "0",
        "--state",
        tmp_path / "w.sqlite",
        "--notify",
        f"jsonl:{tmp_path / 'out'}",
    )
    assert done.returncode in (0, 1), done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--key", KEY), "a secret on a command line is seen by all; give env:NAME or file:PATH"),
        (("--key", "env:NOT_SET"), "--key env:NOT_SET: the variable is not set"),
        (("--key", "env:HOME", "--listen", "8080"), "expected HOST:PORT"),
        (("--key", "env:HOME", "--listen", "127.0.0.1:99999"), "expected HOST:PORT"),
        (("--key", "env:HOME", "--max-request", "much"), "--max-request"),
        (("--key", "env:HOME", "--spool", "/proc/none"), "/proc/none: cannot be written"),
    ],
)
def test_wrong_options(arguments, said):
    done = run_cli("receive", *arguments, check=2)
    assert said in done.stderr.decode()
    assert KEY not in done.stderr.decode()
