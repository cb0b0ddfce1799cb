"""watch over a stream of Kinesis, on moto: shards, their children, places that survive a kill."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import zlib

import pytest

import vpcflow as vf
from aws_servers import SERVERS, environment, moto
from conftest import LONG, ROOT, line
from vpcflow.watch import Watch, status

pytest.importorskip("boto3")
RULES = [{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}]


@pytest.fixture(scope="module")
def server():
    made = moto()
    yield made
    made.close()


class Stream:
    number = 0

    def __init__(self, server, monkeypatch, shards=2):
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        Stream.number += 1
        self.name, self.client, self.log = f"flows-{Stream.number}", server.client("kinesis"), []
        self.client.create_stream(StreamName=self.name, ShardCount=shards)
        self.client.get_waiter("stream_exists").wait(StreamName=self.name, WaiterConfig={"Delay": 0})
        self.url = f"kinesis://{self.name}?region=us-east-1"
        self.put_count = 0

    def put(self, data):
        self.put_count += 1
        self.client.put_record(StreamName=self.name, Data=data, PartitionKey=f"key{self.put_count}")

    def watch(self, since=None, state="w.sqlite"):
        return Watch(self.url, vf.rules.of(RULES), {}, state, since=since, format="default", log=self.log.append)


@pytest.fixture
def stream(server, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return Stream(server, monkeypatch)


def sources(alerts):
    return {alert.finding.actor for alert in alerts}


def flow(n):
    return line(src=f"10.9.0.{n}")


def test_all_shapes_once_over_restarts(stream):
    events = [{"id": "1", "timestamp": 1, "message": flow(4).decode().rstrip()}]
    document = json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "1",
            "logGroup": "g",
            "logStream": "s",
            "subscriptionFilters": ["f"],
            "logEvents": events,
        }
    ).encode()
    stream.put(flow(1))
    stream.put(flow(2).rstrip(b"\n"))
    stream.put(gzip.compress(flow(3)))
    watch = stream.watch("all")
    assert sources(watch.poll()) == {f"10.9.0.{n}" for n in (1, 2, 3)}
    assert watch.poll() == []
    watch.close()
    stream.put(zlib.compress(document))
    watch = stream.watch()
    assert sources(watch.poll()) == {"10.9.0.4"}
    assert status("w.sqlite")["events"] == 4
    watch.close()


def test_children_are_read_after_their_parents(stream):
    for n in range(1, 9):
        stream.put(flow(n))
    watch = stream.watch("all")
    first = stream.client.list_shards(StreamName=stream.name)["Shards"][0]
    low, high = (int(first["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    stream.client.split_shard(
        StreamName=stream.name, ShardToSplit=first["ShardId"], NewStartingHashKey=str((low + high) // 2)
    )
    for n in range(11, 19):
        stream.put(flow(n))
    assert sources(watch.poll()) == {f"10.9.0.{n}" for n in [*range(1, 9), *range(11, 19)]}
    assert watch.poll() == []
    places = dict(watch._store.execute("select name, value from marks where name like 'shard %'").fetchall())
    assert places[f"shard {first['ShardId']}"] == "ended"
    watch.close()


@pytest.mark.parametrize(("since", "found"), [("all", 2), ("24h", 2), ("now", 1)])
def test_since(stream, since, found):
    import time

    stream.put(flow(1))
    time.sleep(1.1)  # moto's times are whole seconds
    watch = stream.watch(since)
    time.sleep(1.1 if since == "now" else 0)
    stream.put(flow(2))
    assert len(sources(watch.poll())) == found
    watch.close()


def test_an_error_within_a_poll_loses_and_repeats_nothing(stream, monkeypatch):
    for n in range(1, 6):
        stream.put(flow(n))
    watch = stream.watch("all")
    with monkeypatch.context() as patch:
        patch.setattr(watch._counts, "add", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watch.poll()
    assert sources(watch.poll()) == {f"10.9.0.{n}" for n in range(1, 6)}
    watch.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kinesis://", "the stream is missing"),
        ("kinesis://{name}x", "did you mean '{name}'?"),
        ("kinesis://{name}?regon=x", "no option 'regon'"),
    ],
)
def test_wrong_streams(stream, url, said):
    with pytest.raises(vf.SourceError) as error:
        Watch(url.format(name=stream.name), vf.rules.of(RULES), {}, "w.sqlite", since="all")
    assert said.format(name=stream.name) in str(error.value)
    with pytest.raises(vf.errors.ArgumentError, match="--since now, 24h or all"):
        stream.watch()


def test_a_record_that_cannot_be_unpacked_holds_up_no_other(stream):
    for data in (flow(1), gzip.compress(flow(2))[:20], b"\xf3\x89\x9a\xc2aggregated", flow(3)):
        stream.put(data)
    watch = stream.watch("all")
    assert sources(watch.poll()) == {"10.9.0.1", "10.9.0.3"}
    assert watch.poll() == []
    given_up = [line for line in stream.log if line.endswith("given up")]
    assert len(given_up) == 2
    assert any("producer library" in line for line in given_up)
    watch.close()
    stream.put(b"\xf3\x89\x9a\xc2aggregated")  # alone: its place is kept, too
    watch = stream.watch()
    assert watch.poll() == watch.poll() == []
    assert len([line for line in stream.log if line.endswith("given up")]) == 3
    watch.close()


LOCAL = """
import json, os, socket, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from conftest import line
import boto3, vpcflow as vf
from vpcflow.watch import Watch

server = subprocess.Popen(["node", "main.js"], cwd=sys.argv[2], env={**os.environ, "KINESIS_MOCK_PLAIN_PORT": "4567", "KINESIS_MOCK_TLS_PORT": "4568"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", 4567), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    client = boto3.client("kinesis")
    client.create_stream(StreamName="flows", ShardCount=2)
    active = lambda: client.describe_stream_summary(StreamName="flows")["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
    def ready():
        while not active():
            time.sleep(0.1)
    def put(first, last):
        records = [{"Data": line(src=f"10.{n // 250}.0.{n % 250}"), "PartitionKey": str(n)} for n in range(first, last)]
        assert client.put_records(StreamName="flows", Records=records)["FailedRecordCount"] == 0
    ready()
    rules = vf.rules.of([{"name": "once", "by": ["srcaddr"], "having": "flows >= 1"}, {"name": "twice", "by": ["srcaddr"], "having": "flows >= 2"}])
    found = []
    def look(since=None):
        watch = Watch("kinesis://flows", rules, {}, "w.sqlite", since=since, format="default")
        found.extend((alert.finding.detector, alert.finding.actor) for alert in watch.poll())
        watch.close()
    put(0, 300)
    look("all")
    shard = client.list_shards(StreamName="flows")["Shards"][0]
    low, high = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    put(300, 400)
    client.split_shard(StreamName="flows", ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
    ready()
    put(400, 700)
    look()
    open_ = [one["ShardId"] for one in client.list_shards(StreamName="flows")["Shards"] if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
    put(700, 800)
    client.merge_shards(StreamName="flows", ShardToMerge=open_[1], AdjacentShardToMerge=open_[2])
    ready()
    put(800, 1000)
    look()
    look()
    print(json.dumps(found))
finally:
    server.kill()
"""


@pytest.mark.skipif(not LONG, reason="VPCFLOW_LONG: kinesis-local takes its time")
def test_on_kinesis_local_shards_are_split_and_merged(tmp_path):
    """In a network of its own, as that server listens at all addresses."""
    server = SERVERS / "kinesis" / "node_modules" / "kinesis-local"
    if not server.is_dir() or not all(map(shutil.which, ("node", "unshare", "ip"))):
        pytest.skip("no kinesis-local: tools/servers.sh build/servers all; and node, unshare, ip")
    apart = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("no network of its own here: unshare -rn")
    (tmp_path / "local.py").write_text(LOCAL)
    command = [*apart, sys.executable, "local.py", str(ROOT / "tests" / "python"), str(server)]
    own = {**os.environ, **environment("http://127.0.0.1:4567"), "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    wanted = sorted(["once", f"10.{n // 250}.0.{n % 250}"] for n in range(1000))
    assert sorted(json.loads(done.stdout)) == wanted
