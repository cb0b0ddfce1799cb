"""watch over a queue: every envelope, nothing twice, nothing lost; on moto and, if it is here, on ElasticMQ."""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest

import vpcflow as vf
from aws_servers import SECRET, elasticmq, environment, moto, versitygw
from conftest import HEADER, LONG, line, run_cli
from test_s3 import key
from vpcflow.io.aws import Connection, events
from vpcflow.io.aws.sqs import Queue
from vpcflow.watch import Watch

pytest.importorskip("boto3")
RULES = [{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}]
ETAG = "9b2cf535f27731c974343645a3985328"


def record(key="AWSLogs/a.log", name="ObjectCreated:Put", bucket="logs", **own):
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 7, "eTag": ETAG, "sequencer": "00", **own}},
    }


def notification(*records):
    return json.dumps({"Records": list(records)})


def sns(message):
    return json.dumps(
        {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": message}
    )


def eventbridge(key="AWSLogs/a.log", kind="Object Created"):
    return json.dumps(
        {
            "version": "0",
            "detail-type": kind,
            "source": "aws.s3",
            "detail": {"bucket": {"name": "logs"}, "object": {"key": key, "size": 7, "etag": ETAG}},
        }
    )


LAKE = json.dumps(
    {
        "source": "aws.s3",
        "time": "2026-11-23T06:05:00Z",
        "region": "us-east-1",
        "detail": {
            "bucket": {"name": "lake"},
            "object": {"key": "aws/VPC_FLOW/2.0/region=us-east-1/a.gz.parquet", "size": 7, "etag": ETAG},
        },
    }
)
TEST = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"})


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (notification(record()), [("logs", "AWSLogs/a.log")]),
        (notification(record(), record("b.log")), [("logs", "AWSLogs/a.log"), ("logs", "b.log")]),
        (
            notification(record("a+b%2Bc%3d%20d.log")),
            [("logs", "a b+c= d.log")],
        ),  # AWS's encoding, lower-case escapes too
        (notification(record("a%2Fb%2Fc.log")), [("logs", "a/b/c.log")]),  # moto's
        (
            notification(record("a b.log", name="s3:ObjectCreated:Put", eTag=f'"{ETAG}"')),
            [("logs", "a b.log")],
        ),  # versitygw's
        (notification(record(urlDecodedKey="x")), [("logs", "AWSLogs/a.log")]),
        (notification(record(name="ObjectRemoved:Delete")), []),
        (sns(notification(record())), [("logs", "AWSLogs/a.log")]),
        (sns(sns(notification(record()))), [("logs", "AWSLogs/a.log")]),
        (eventbridge("a+b%20c.log"), [("logs", "a+b%20c.log")]),
        (eventbridge(kind="Object Deleted"), []),
        (eventbridge(kind="Object Restore Completed"), [("logs", "AWSLogs/a.log")]),
        (LAKE, [("lake", "aws/VPC_FLOW/2.0/region=us-east-1/a.gz.parquet")]),
        (
            json.dumps({"s3Bucket": "trail", "s3ObjectKey": ["a.json.gz", "b.json.gz"]}),
            [("trail", "a.json.gz"), ("trail", "b.json.gz")],
        ),
        ("CloudTrail validation message.", []),
        (TEST, []),
        (sns(TEST), []),
    ],
)
def test_envelopes(body, found):
    message = events.parse(body)
    assert message.unknown == ""
    assert [(o.bucket, o.keys[0]) for o in message.objects] == found
    assert {o.etag for o in message.objects} <= {ETAG, ""}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "7",
        "{}",
        '{"Records": []}',
        '{"Records": [{}]}',
        '{"Records": [7]}',
        '{"detail": {}}',
        '{"Message": "{}"}',
        '{"s3ObjectKey": [1], "s3Bucket": "b"}',
        "[" * 100000,
        sns(sns(sns(sns(sns(sns(TEST)))))),
        notification(record(key="")),
    ],
    ids=range(14),
)
def test_what_nobody_can_read_is_unknown(body):
    assert events.parse(body).unknown


@pytest.fixture(scope="module")
def aws():
    """S3 and SQS of moto."""
    server = moto()
    yield server
    server.close()


@pytest.fixture(scope="module")
def real_queues(tmp_path_factory):
    server = elasticmq(tmp_path_factory.mktemp("elasticmq"))
    yield server
    server.close()


class Place:
    """A bucket and a queue of their own."""

    number = 0

    def __init__(self, s3, sqs, monkeypatch, visibility="30"):
        for name, value in environment(s3.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", sqs.url)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        monkeypatch.setattr("vpcflow.io.aws.sqs._WAIT", 0)
        Place.number += 1
        self.bucket, self.name = f"logs-{Place.number}", f"events-{Place.number}"
        self.s3, self.sqs = s3.client("s3"), sqs.client("sqs")
        self.s3.create_bucket(Bucket=self.bucket)
        self.queue = self.sqs.create_queue(QueueName=self.name, Attributes={"VisibilityTimeout": visibility})[
            "QueueUrl"
        ]
        self.url = f"sqs://{self.name}"
        self.log = []

    def put(self, n=0, name=None, data=None):
        name = name or key(n=n)
        data = data or gzip.compress(HEADER + line(src=f"10.9.{n // 200}.{n % 200}") * (n % 7 + 1))
        etag = self.s3.put_object(Bucket=self.bucket, Key=name, Body=data)["ETag"].strip('"')
        return record(urllib.parse.quote_plus(name, safe="/"), bucket=self.bucket, size=len(data), eTag=etag)

    def send(self, body):
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def left(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)

    def watch(self, state="w.sqlite"):
        return Watch(self.url, vf.rules.of(RULES), {}, state, log=self.log.append)


@pytest.fixture(params=["moto", "elasticmq"])
def place(request, aws, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    queues = aws if request.param == "moto" else request.getfixturevalue("real_queues")
    return Place(aws, queues, monkeypatch)


@pytest.fixture
def on_moto(aws, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return Place(aws, aws, monkeypatch)


def flows(alerts):
    return {alert.finding.actor: alert.finding.evidence["flows"] for alert in alerts}


def test_every_message_is_counted_once_and_deleted(place):
    watch = place.watch()
    place.send(TEST)
    place.send(sns(TEST))
    first = place.put(1)
    place.send(notification(first))
    place.send(notification(first))  # at least once
    place.send(sns(notification(place.put(2), place.put(3))))
    place.send(
        json.dumps(
            {
                "detail-type": "Object Created",
                "detail": {
                    "bucket": {"name": place.bucket},
                    "object": {
                        "key": first["s3"]["object"]["key"],
                        "etag": first["s3"]["object"]["eTag"],
                        "size": first["s3"]["object"]["size"],
                    },
                },
            }
        )
    )
    odd = place.put(4, name="odd/a b+c%20d.log")
    place.send(notification(odd))
    place.send(notification(place.put(5, name="AWSLogs/123456789010/CloudTrail/us-east-1/2026/11/23/x.json.gz")))
    found = flows(watch.poll())
    assert found == {"10.9.0.1": 2, "10.9.0.2": 3, "10.9.0.3": 4, "10.9.0.4": 5}
    assert place.left() == (0, 0)
    place.send(notification(first))  # comes again
    assert watch.poll() == []
    assert place.left() == (0, 0)
    text = "\n".join(place.log)
    assert text.count("S3's test message") == 2
    assert "1 message of objects that are no flow logs; deleted" in text
    watch.close()


def test_keys_as_they_stand(place):
    """Servers that do not encode keys."""
    watch = place.watch()
    place.put(1, name="plus+percent%41.log")
    made = place.put(1, name="plus+percent%41.log")
    made["s3"]["object"]["key"] = "plus+percent%41.log"
    place.send(notification(made))
    assert flows(watch.poll()) == {"10.9.0.1": 2}
    watch.close()


def test_one_bad_of_ten_leaves_the_nine(place):
    watch = place.watch()
    for n in range(9):
        place.send(notification(place.put(n)))
    place.send('{"hello": "world"}')
    gone = place.put(20)
    place.s3.delete_object(Bucket=place.bucket, Key=key(n=20))
    place.send(notification(gone))
    assert len(flows(watch.poll())) == 9
    assert place.left() == (0, 1)
    text = "\n".join(place.log)
    assert "no notification of an object (hello); the message stays in the queue" in text
    assert "it is gone; its message is deleted" in text
    assert "the queue has no dead-letter queue" in text
    watch.close()


def test_what_is_read_again_and_again_is_quarantined(on_moto, monkeypatch):
    kept, leave = [], Queue.leave

    def noted(queue, messages):
        messages = list(messages)
        kept.extend(messages)
        leave(queue, messages)

    monkeypatch.setattr(Queue, "leave", noted)
    watch = on_moto.watch()
    on_moto.send("nothing")
    for _ in range(7):
        assert watch.poll() == []
        watch._discovery._queue.release(kept)  # as if its time were over
    text = "\n".join(on_moto.log)
    assert text.count("no JSON; the message stays in the queue") == 1
    assert text.count("no JSON; received 5 times: in quarantine, left to the dead-letter queue") == 1
    watch.close()


def test_messages_in_hand_are_kept_and_released(place):
    queue = Queue(place.url, Connection(), place.log.append, visibility=1)
    place.send("a")
    (message,) = queue.receive()
    time.sleep(1.6)  # longer than the queue would keep it
    assert queue.receive() == []
    queue.release([message])
    (again,) = queue.receive()
    assert again.receives == 2
    queue.delete([again])
    assert place.left() == (0, 0)
    assert place.log == []


def test_an_error_gives_messages_back(place, monkeypatch):
    watch = place.watch()
    place.send(notification(place.put(1)))
    with monkeypatch.context() as patch:
        patch.setattr(watch._counts, "add", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watch.poll()
    assert place.left() == (1, 0)
    assert flows(watch.poll()) == {"10.9.0.1": 2}
    watch.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqs://", "the queue is missing; write sqs://NAME"),
        ("sqs://{name}x", "did you mean '{name}'?"),
        ("sqs://{name}?regon=us-east-1", "no option 'regon'; there is region"),
    ],
)
def test_wrong_queues(on_moto, url, said):
    url, said = url.format(name=on_moto.name), said.format(name=on_moto.name)
    with pytest.raises(vf.SourceError) as error:
        Watch(url, vf.rules.of(RULES), {}, "w.sqlite")
    assert said in str(error.value)


@pytest.mark.parametrize(
    "form",
    [
        "sqs://{name}?region=us-east-1",
        "sqs://arn:aws:sqs:us-east-1:123456789012:{name}",
        "sqs://sqs.us-east-1.amazonaws.com/123456789012/{name}",
    ],
)
def test_names_of_queues(on_moto, form):
    on_moto.send("x")
    assert len(Queue(form.format(name=on_moto.name), Connection(), on_moto.log.append).receive()) == 1


KILLED = """
import os, signal, sys, json
import vpcflow as vf
from vpcflow.io.aws import bucket, sqs
from vpcflow.watch import Watch, store
place, count = int(sys.argv[1]), 0
sqs._WAIT = 0
if len(sys.argv) > 4:  # seconds that a message is kept
    sqs.Queue.__init__.__defaults__ = (int(sys.argv[4]),)

def dies(call):
    def counted(*args, **kwargs):
        global count
        count += 1
        if count == place:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return counted

store.Store.execute = dies(store.Store.execute)
bucket.Bucket.fetched = dies(bucket.Bucket.fetched)
sqs.Queue.delete = dies(sqs.Queue.delete)
watch = Watch(sys.argv[2], vf.rules.of(json.loads(sys.argv[3])), {"out": vf.alerts.channel("jsonl:out.jsonl")}, "w.sqlite")
watch.poll()
watch.deliver()
print("whole", count)
"""


@pytest.mark.skipif(not LONG, reason="VPCFLOW_LONG: waits for messages to come again")
def test_killed_with_a_real_queue_and_a_real_server_of_objects(real_queues, tmp_path, monkeypatch):
    """SIGKILL at 50 places, on ElasticMQ and versitygw: what was in hand comes again by itself, when the queue's time for
    it is over."""
    objects = versitygw(tmp_path)
    try:
        (tmp_path / "killed.py").write_text(KILLED)

        def run(place, folder, at):
            folder.mkdir(exist_ok=True)
            command = [sys.executable, str(tmp_path / "killed.py"), str(at), place.url, json.dumps(RULES), "2"]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)

        def filled():
            place = Place(objects, real_queues, monkeypatch)
            for n in range(4):
                place.send(notification(place.put(n)))
            return place

        whole = run(filled(), tmp_path / "whole", 0)
        assert whole.returncode == 0, whole.stderr
        places, wanted = int(whole.stdout.split()[1]), told(tmp_path / "whole")
        assert wanted == {f"10.9.0.{n}": n + 1 for n in range(4)}
        for n in range(50):
            place, folder = filled(), tmp_path / f"killed{n}"
            assert run(place, folder, 1 + n * places // 50).returncode == -signal.SIGKILL
            end = time.monotonic() + 40
            while True:  # once what was in hand is there again
                time.sleep(0.5)
                assert run(place, folder, 0).returncode == 0
                if place.left() == (0, 0):
                    break
                assert time.monotonic() < end, place.left()
            assert told(folder) == wanted, n
    finally:
        objects.close()


def test_killed_anywhere_nothing_is_counted_twice_or_lost(aws, monkeypatch, tmp_path):
    """SIGKILL at places all over a poll (a handful; 50 with VPCFLOW_LONG)."""
    (tmp_path / "killed.py").write_text(KILLED)

    def run(place, folder, at):
        folder.mkdir(exist_ok=True)
        command = [sys.executable, str(tmp_path / "killed.py"), str(at), place.url, json.dumps(RULES)]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)

    def filled():
        place = Place(aws, aws, monkeypatch)
        for n in range(4):
            place.send(notification(place.put(n)))
        return place

    whole = run(filled(), tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    places = int(whole.stdout.split()[1])
    wanted = told(tmp_path / "whole")
    assert wanted == {f"10.9.0.{n}": n + 1 for n in range(4)}
    tries = 50 if LONG else 3
    for n in range(tries):
        place, folder = filled(), tmp_path / f"killed{n}"
        assert run(place, folder, 1 + n * places // tries).returncode == -signal.SIGKILL
        for made in range(4):  # what it had in hand comes again
            place.send(notification(place.put(made)))
        assert run(place, folder, 0).returncode == 0
        assert told(folder) == wanted, n


def told(folder):
    """Flows by actor, of all alerts; each told once."""
    alerts = [json.loads(text) for text in (folder / "out.jsonl").read_text().splitlines()]
    found = {alert["actor"]: alert["evidence"]["flows"] for alert in alerts}
    assert len(found) == len(alerts)
    return found


def test_the_command_and_its_secrets(on_moto):
    on_moto.send(notification(on_moto.put(1)))
    pathlib.Path("rules.json").write_text(json.dumps(RULES))
    done = run_cli(
        "watch",
        on_moto.url,
        "--once",
        "--rules",
        "rules.json",
        "--state",
        "w.sqlite",
        "--notify",
        "jsonl:out.jsonl",
        check=1,
    )
    for data in [done.stdout, done.stderr, *(pathlib.Path(name).read_bytes() for name in os.listdir())]:
        assert SECRET.encode() not in data
    assert told(pathlib.Path()) == {"10.9.0.1": 2}
