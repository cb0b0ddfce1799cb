"""The handler for Lambda: events of all kinds, each added once, by several functions at once."""

import base64
import gzip
import json
import threading

import pytest

import vpcflow as vf
from conftest import HEADER, line
from test_s3 import SECRET, begun, key, log, server  # noqa: F401
from test_sqs import LAKE, TEST, eventbridge, notification, record
from vpcflow.aws_lambda import Handler

pytest.importorskip("boto3")
STATE = "s3://logs/state/ports"


@pytest.fixture
def s3(server, monkeypatch):  # noqa: F811
    return begun(server, monkeypatch)


def question():
    return vf.Aggregation(by="dstport", n=vf.count())


def handler(**options):
    return Handler(question(), STATE, **options)


def counts(made):
    return {row["dstport"]: row["n"] for row in made.result().collect()}


def put(s3, n, port=22):
    data = log(n, port=port)
    s3.put(key(n=n), data)
    return record(key(n=n), size=len(data), eTag=s3.etag(data).strip('"'))


def sqs(*bodies):
    return {
        "Records": [{"messageId": f"m{n}", "eventSource": "aws:sqs", "body": body} for n, body in enumerate(bodies)]
    }


def test_an_event_is_added_once_however_often_it_comes(s3):
    first, made = {"Records": [put(s3, 3), put(s3, 4, 443)]}, handler()
    assert made(first) == {"added": 2, "errors": [], "batchItemFailures": []}
    assert made(first)["added"] == 0
    assert handler()(first)["added"] == 0
    assert counts(made) == {22: 3, 443: 4}
    assert SECRET.encode() not in s3.objects["logs"]["state/ports"]


def test_messages_that_fail_are_named(s3):
    good, denied = put(s3, 3), put(s3, 5)
    s3.errors[key(n=5)] = (403, "AccessDenied", "kms:Decrypt")
    s3.put(key(n=6), b"no flow log\n" * 3)
    damaged = record(key(n=6), size=36, eTag=s3.etag(b"no flow log\n" * 3).strip('"'))
    made = handler()
    answer = made(sqs(notification(good), TEST, "what?", notification(denied), notification(damaged)))
    assert answer["added"] == 1
    assert answer["batchItemFailures"] == [{"itemIdentifier": f"m{n}"} for n in (2, 3, 4)]
    assert "access to its key was denied" in answer["errors"][1]
    assert counts(made) == {22: 3}
    del s3.errors[key(n=5)]
    assert made(sqs(notification(denied)))["added"] == 1
    assert counts(made) == {22: 8}


def test_eventbridge_and_lake(s3):
    s3.put("AWSLogs/a.log", HEADER + line())
    event = json.loads(eventbridge())
    del event["detail"]["object"]["etag"]
    assert handler()(event)["added"] == 1
    with pytest.raises(vf.SourceError, match=r"s3://lake/aws/VPC_FLOW/.*: there is no such bucket"):
        handler()(json.loads(LAKE))


def test_subscriptions_and_kinesis(s3):
    events = [{"id": str(n), "timestamp": n, "message": line(size=n).decode().rstrip()} for n in range(4)]
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "1",
        "logGroup": "g",
        "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": events,
    }
    data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    made = handler(format="default")
    assert made({"awslogs": {"data": data}})["added"] == 1
    assert made({"awslogs": {"data": data}})["added"] == 0
    plain = base64.b64encode(line()).decode()
    records = [
        {"eventSource": "aws:kinesis", "eventID": f"shard:{n}", "kinesis": {"sequenceNumber": str(n), "data": text}}
        for n, text in enumerate([plain, plain, "%", data])
    ]
    answer = made({"Records": records})
    assert (answer["added"], answer["batchItemFailures"]) == (3, [{"itemIdentifier": "2"}])
    assert counts(made) == {22: 4 + 1 + 1 + 4}


def test_several_at_once_lose_nothing(s3):
    events = [{"Records": [put(s3, n)]} for n in range(1, 9)]
    made = [handler() for _ in events]
    threads = [threading.Thread(target=one, args=(event,)) for one, event in zip(made, events)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(handler()) == {22: sum(range(1, 9))}


def test_a_state_of_something_else_stays(s3):
    s3.put("state/ports", b"mine")
    with pytest.raises(vf.errors.StateError, match="not a state of a handler"):
        handler()({"Records": [put(s3, 1)]})
    assert s3.objects["logs"]["state/ports"] == b"mine"
    with pytest.raises(vf.errors.ArgumentError, match="the state is an object"):
        Handler(question(), "s3://logs/state/")


def test_identities_are_kept_for_as_long_as_queues_keep_messages(s3):
    now = [1_795_000_000.0]
    made = Handler(question(), STATE, clock=lambda: now[0])
    made({"Records": [put(s3, 1)]})
    now[0] += 16 * 86400
    made({"Records": [put(s3, 2)]})
    assert len(json.loads(s3.objects["logs"]["state/ports"])["seen"]) == 1
    assert counts(made) == {22: 3}
