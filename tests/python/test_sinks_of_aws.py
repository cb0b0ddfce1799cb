"""Sinks of AWS and Kafka: what becomes of each event, by clients that answer as the services document it."""

import gzip
import json
import sys
import types
import typing

import pytest

import vpcflow as vf
from kafka_servers import FakeError, FakeException
from vpcflow import sinks
from vpcflow.io.aws import Connection
from vpcflow.sinks.sink import Piece

EVENTS = [(f"{i:032x}", b'{"@timestamp":"2026-01-0%dT00:00:00Z","n":%d}' % (1 + i % 3, i)) for i in range(9)]


def asked(url, client, monkeypatch, schema="ecs", events=EVENTS):
    """The receipt of one request."""
    monkeypatch.setattr(Connection, "client", lambda *_, **__: client)
    sink = sinks.open_sink(url, schema)
    return sink.send([Piece(identity, line, sink.encode(identity, line)) for identity, line in events])


def client_error(code, name="Put"):
    botocore = pytest.importorskip("botocore.exceptions")
    return botocore.ClientError({"Error": {"Code": code, "Message": "m"}}, name)


def raising(error):
    def call(**_):
        raise error

    return call


@pytest.mark.parametrize("position", range(9))
def test_streams_send_again_what_failed_alone(position, monkeypatch):
    answer = [{"ErrorCode": "ProvisionedThroughputExceededException"} if i == position else {} for i in range(9)]
    got = []
    kinesis = types.SimpleNamespace(put_records=lambda **a: (got.append(a), {"Records": answer})[1])
    assert asked("kinesis://flows", kinesis, monkeypatch).retry == [position]
    assert got[0]["StreamName"] == "flows"
    assert [one["PartitionKey"] for one in got[0]["Records"]] == [identity for identity, _ in EVENTS]
    firehose = types.SimpleNamespace(put_record_batch=lambda **a: {"RequestResponses": answer})
    assert asked("firehose://flows", firehose, monkeypatch).retry == [position]
    del answer[position]
    for url, client in (("kinesis://flows", kinesis), ("firehose://flows", firehose)):
        with pytest.raises(sinks.sink.BusyError, match="does not say"):
            asked(url, client, monkeypatch)


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", sinks.sink.BusyError), ("InternalFailure", sinks.sink.BusyError),
     ("ResourceNotFoundException", sinks.sink.StoppedError), ("AccessDeniedException", sinks.sink.StoppedError)],
)  # fmt: skip
def test_errors_of_services_are_busy_or_final(code, error, monkeypatch):
    call = raising(client_error(code))
    client = types.SimpleNamespace(put_records=call, put_log_events=call, batch_import_findings=call)
    for url, schema in (("kinesis://flows", "ecs"), ("cloudwatch://g?stream=s", "ecs")):
        with pytest.raises(error):
            asked(url, client, monkeypatch, schema)
    client = types.SimpleNamespace(put_records=raising(client_error("AccessDeniedException")))
    with pytest.raises(sinks.sink.StoppedError, match="the sender needs kinesis:PutRecords"):
        asked("kinesis://flows", client, monkeypatch)


def test_cloudwatch_gets_days_in_order_and_old_events_are_dead(monkeypatch):
    calls = []

    def put(logGroupName, logStreamName, logEvents):  # noqa: N803
        times = [event["timestamp"] for event in logEvents]
        assert times == sorted(times)
        assert times[-1] - times[0] < 24 * 3600 * 1000
        calls.append([json.loads(event["message"])["n"] for event in logEvents])
        return {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 2}} if len(calls) == 1 else {}

    receipt = asked("cloudwatch:///vpc/flows?stream=s", types.SimpleNamespace(put_log_events=put), monkeypatch)
    assert calls == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert [i for i, _ in receipt.dead] == [0, 3]

    def fails_later(**arguments):
        if len(calls) == 4:
            raise client_error("ThrottlingException")
        return put(**arguments)

    receipt = asked("cloudwatch:///vpc/flows?stream=s", types.SimpleNamespace(put_log_events=fails_later), monkeypatch)
    assert receipt.retry == [1, 4, 7, 2, 5, 8]


def test_security_hub_names_findings_that_failed(monkeypatch):
    events = [(f"{i:032x}", b'{"Id":"%d"}' % i) for i in range(4)]
    failed = [{"Id": "1", "ErrorCode": "InvalidInput", "ErrorMessage": "m"}, {"Id": "3", "ErrorCode": "InternalFailure"}]
    got = []

    def imported(Findings):  # noqa: N803
        got.extend(Findings)
        return {"FailedFindings": failed, "FailedCount": n_failed}

    hub = types.SimpleNamespace(
        batch_import_findings=imported, meta=types.SimpleNamespace(partition="aws-cn", region_name="cn-north-1"),
        get_caller_identity=lambda: {"Account": "111122223333"},
    )  # fmt: skip
    n_failed = 2
    receipt = asked("securityhub:", hub, monkeypatch, "asff", events)
    assert (receipt.retry, receipt.dead) == ([3], [(1, "InvalidInput: m")])
    product = "arn:aws-cn:securityhub:cn-north-1:111122223333:product/111122223333/default"
    assert {(one["AwsAccountId"], one["ProductArn"]) for one in got} == {("111122223333", product)}
    n_failed = 3
    with pytest.raises(sinks.sink.BusyError, match="does not say which"):
        asked("securityhub:", hub, monkeypatch, "asff", events)
    with pytest.raises(vf.RuleError, match="expected asff"):
        sinks.open_sink("securityhub:", "ecs")


class Bucket:
    """Objects that are put where there is none."""

    def __init__(self):
        self.objects = {}
        self.exceptions = pytest.importorskip("botocore.exceptions")

    def put_object(self, Bucket, Key, Body, IfNoneMatch):  # noqa: N803
        if Key in self.objects:
            raise client_error("PreconditionFailed")
        self.objects[Key] = Body


def test_a_lake_has_each_object_once_by_day(monkeypatch):
    bucket = Bucket()
    assert asked("s3://lake/flows/", bucket, monkeypatch).known == 0
    assert len(bucket.objects) == 3
    assert asked("s3://lake/flows/", bucket, monkeypatch).known == 9
    rows = [json.loads(line)["n"] for body in bucket.objects.values() for line in gzip.decompress(body).splitlines()]
    assert sorted(rows) == list(range(9))
    assert all(key.startswith("flows/region=unknown/accountId=unknown/eventDay=2026010") for key in bucket.objects)


def test_a_lake_of_ocsf_is_parquet_that_is_read_as_a_log(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    log = b"version account-id interface-id srcaddr dstaddr start end action log-status region sublocation-id\n" + b"".join(
        b"5 123456789010 eni-1 10.0.0.%d 10.0.0.9 1700000000 1700000060 ACCEPT OK eu-west-1 w%d\n" % (i, i) for i in range(5)
    )
    flows = vf.scan(log)
    events = [pair for batch in vf.export(flows, "ocsf", unit="records").batches() for pair in batch]
    bucket = Bucket()
    asked("s3://lake", bucket, monkeypatch, "ocsf", events)
    ((key, body),) = bucket.objects.items()
    assert key.startswith("region=eu-west-1/accountId=123456789010/eventDay=20231114/")
    path = tmp_path / "o.parquet"
    path.write_bytes(body)
    names = ["srcaddr", "account-id", "start", "action", "sublocation-id"]
    assert vf.scan(str(path)).select(*names).collect().rows() == flows.select(*names).collect().rows()


class Producer:
    errors: typing.ClassVar = {}  # by number of the message
    made: typing.ClassVar = []
    down: typing.ClassVar = False

    def __init__(self, config):
        self.config, self.waiting, self.sent, self.silent = config, [], [], []
        Producer.made.append(self)

    def produce(self, topic, value, key, on_delivery):
        if len(self.waiting) >= 4:
            raise BufferError
        self.waiting.append((value, on_delivery))

    def poll(self, timeout):
        for value, told in self.waiting:
            error = self.errors.get(json.loads(value)["n"])
            if error is None:
                self.sent.append(value)
            if error == "silent":
                self.silent.append(value)
            else:
                told(error, None)
        self.waiting = []

    def flush(self, timeout):
        self.poll(timeout)
        return len(self.silent)

    def list_topics(self, timeout):
        if self.down:
            raise FakeException(FakeError("_TRANSPORT", "no transport"))

    def purge(self):
        self.silent.clear()


def test_kafka_waits_for_the_report_of_each_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", types.SimpleNamespace(Producer=Producer, KafkaException=FakeException))
    monkeypatch.setattr(Producer, "errors", {2: FakeError("MSG_SIZE_TOO_LARGE"), 5: FakeError("_TIMED_OUT"), 7: "silent"})
    receipt = asked("kafka://one,two/flows", None, monkeypatch)
    assert (receipt.retry, [i for i, _ in receipt.dead]) == ([5, 7], [2])
    assert Producer.made[-1].silent == []  # it will not come beside the one that is sent again
    assert Producer.made[-1].config["enable.idempotence"] is True
    assert Producer.made[-1].config["bootstrap.servers"] == "one:9092,two:9092"
    asked("kafka://one:9093,two/flows", None, monkeypatch)
    assert Producer.made[-1].config["bootstrap.servers"] == "one:9093,two:9092"
    monkeypatch.setattr(Producer, "errors", {0: FakeError("TOPIC_AUTHORIZATION_FAILED")})
    with pytest.raises(sinks.sink.StoppedError):
        asked("kafka://one/flows", None, monkeypatch)
    monkeypatch.setattr(Producer, "down", True)
    with pytest.raises(sinks.sink.BusyError, match="no broker answers"):
        asked("kafka://one/flows", None, monkeypatch)
