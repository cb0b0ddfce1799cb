"""Sinks against servers that others wrote, of tools/servers.sh: syslog-ng over TLS every day; Kafka, S3 and AWS's
streams for `make soak`."""

import collections
import gzip
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

import vpcflow as vf
from aws_servers import SERVERS, environment, free_port, moto, versitygw
from conftest import LONG, SAMPLE
from kafka_servers import broker
from sink_fakes import EVENTS, certificate, sent, short_pauses  # noqa: F401
from vpcflow import cli

soak = pytest.mark.skipif(not LONG, reason="make soak")
LIB, SYSLOG_NG = SERVERS / "usr" / "lib", SERVERS / "usr" / "sbin" / "syslog-ng"
SYSLOG = """
@version: 3.38
options {{ flush-lines(1); log-msg-size(262144); }};
source s {{ syslog(ip("127.0.0.1") port({port}) transport("{transport}") {tls}); }};
destination d {{ file("{out}" template("${{MSGID}} ${{MSG}}\\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
"""
IDS = {identity for identity, _ in EVENTS}


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class SyslogNg:
    """A process that appends what it reads to `out`; it may be killed and started again."""

    def __init__(self, folder, transport, pem):
        if not SYSLOG_NG.exists():
            pytest.skip("no syslog-ng: tools/servers.sh build/servers")
        self.folder, self.port, self.out = folder, free_port(), folder / "syslog.txt"
        tls = f'tls(key-file("{pem}") cert-file("{pem}") peer-verify(optional-untrusted))' if transport == "tls" else ""
        text = SYSLOG.format(port=self.port, transport=transport, tls=tls, out=self.out)
        (folder / "syslog-ng.conf").write_text(text)
        self.start()

    def start(self):
        libraries = [LIB / "syslog-ng", *LIB.glob("*-linux-gnu"), *(SERVERS / "lib").glob("*-linux-gnu")]
        command = [SYSLOG_NG, "--foreground", "--no-caps", f"--module-path={LIB / 'syslog-ng' / '3.38'}"]
        files = ["-f", "syslog-ng.conf", "-R", "persist", "-p", "pid", "-c", "control"]
        env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        self.process = subprocess.Popen(
            [*command, *files], cwd=self.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        end = time.monotonic() + 20
        while not answers(self.port):
            assert time.monotonic() < end
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def lines(self):
        """The pairs of id and line that were written, without the rest of a line that a kill has cut."""
        return [tuple(line.split(b" ", 1)) for line in self.out.read_bytes().split(b"\n")[:-1] if b" " in line]


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("transport", ["tls", "tcp"])
def test_syslog_ng_reads_all_that_is_accepted(transport, certificate, tmp_path):  # noqa: F811
    server = SyslogNg(tmp_path, transport, certificate)
    try:
        option = f"?ca={certificate}" if transport == "tls" else ""
        events = [(identity, line[:-1] + b',"x":"%s"}' % (b"y" * 900)) for identity, line in EVENTS]
        counts = sent(events, f"syslog+{transport}://127.0.0.1:{server.port}{option}", tmp_path)
        assert (counts.accepted, counts.retried) == (len(EVENTS), 0)
        # It reads before it ends the connection, and writes in its own time.
        end = time.monotonic() + 10
        while len(server.lines()) < len(EVENTS) and time.monotonic() < end:
            time.sleep(0.02)
        assert sorted(server.lines()) == sorted((identity.encode(), line) for identity, line in events)
    finally:
        server.kill()


@soak
@pytest.mark.usefixtures("short_pauses")
def test_syslog_ng_is_killed_and_started_again(certificate, tmp_path):  # noqa: F811
    """What it had read and not written when it was killed is lost, as syslog has no answers; no more than that."""
    server = SyslogNg(tmp_path, "tls", certificate)
    events = [(f"{i * 2654435761 % 2**128:032x}", b'{"n":%d}' % i) for i in range(60_000)]
    ended = threading.Event()

    def kills():
        while not ended.wait(0.5):
            server.kill()
            server.start()

    killer = threading.Thread(target=kills)
    killer.start()
    try:
        url = f"syslog+tls://127.0.0.1:{server.port}?ca={certificate}"
        counts = sent(events, url, tmp_path)
        ended.set()
        killer.join(30)
        time.sleep(1)
        missing = {identity for identity, _ in events} - {identity.decode() for identity, _ in server.lines()}
        print(f"accepted {counts.accepted}, sent again {counts.retried}, lost by syslog-ng {len(missing)}")
        assert counts.accepted == len(events)
    finally:
        ended.set()
        server.kill()


@soak
def test_kafka_has_each_event_and_the_broker_dies_meanwhile(tmp_path):
    confluent_kafka = pytest.importorskip("confluent_kafka")
    from confluent_kafka.admin import AdminClient, NewTopic

    server = broker(tmp_path)
    at = server.url.removeprefix("http://")
    admin = AdminClient({"bootstrap.servers": at, "log_level": 0})
    made = admin.create_topics([NewTopic("flows", 3, 1), NewTopic("calm", 1, 1)])
    assert [made[name].result() for name in made] == [None, None]
    events = [(f"{i * 2654435761 % 2**128:032x}", b'{"n":%d,"x":"%s"}' % (i, b"y" * 500)) for i in range(60_000)]

    def consumed(topic):
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": at, "group.id": topic, "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([topic])
        found, silent = collections.Counter(), 0
        while silent < 5:
            got = consumer.consume(10_000, timeout=1.0)
            silent = 0 if got else silent + bool(found)
            found.update(message.key().decode() for message in got if not message.error())
        consumer.close()
        return found

    try:
        assert sent(events, f"kafka://{at}/calm", tmp_path).accepted == len(events)
        assert consumed("calm") == collections.Counter(identity for identity, _ in events)

        def slowly():
            for i, event in enumerate(events):
                if i % 20_000 == 10_000:
                    server._process.kill()
                    server._process.wait()
                    server._process = subprocess.Popen(
                        server._process.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                yield event

        counts = sent(slowly(), f"kafka://{at}/flows", tmp_path, patience=120)
        found = consumed("flows")
        assert counts.accepted == len(events)
        assert set(found) == {identity for identity, _ in events}
        print(f"sent again {counts.retried}, twice in the topic {sum(found.values()) - len(found)}")
        too_large = [("f" * 32, b'{"x":"%s"}' % (b"y" * 1_100_000)), EVENTS[0]]
        assert sent(too_large, f"kafka://{at}/calm", tmp_path).dead == 1
    finally:
        server.close()


@soak
@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("schema", ["ocsf", "ecs"])
@pytest.mark.parametrize("kind", ["versitygw", "moto"])
def test_a_lake_is_read_as_the_log(kind, schema, tmp_path, monkeypatch, capsys):
    server = versitygw(tmp_path) if kind == "versitygw" else moto()
    try:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        server.client("s3").create_bucket(Bucket="lake")
        send = ["send", str(SAMPLE), "--to", "s3://lake/flows/", "--as", schema, "--unit", "records"]
        for _ in range(2):
            assert cli.main(send) == 0
        flows = vf.scan(str(SAMPLE))
        records = len(flows.collect())
        assert f"{records:,} of them were there" in capsys.readouterr().err
        names = ["srcaddr", "dstaddr", "srcport", "bytes", "start", "action"]

        def rows(made):
            return sorted(made.select(*names).collect().rows(), key=str)

        assert rows(vf.scan("s3://lake/flows/", aws={"endpoint_url": server.url})) == rows(flows)
    finally:
        server.close()


@soak
def test_streams_and_logs_of_moto_have_each_event(tmp_path, monkeypatch):
    server = moto()
    try:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        day = int(time.time()) // 86400 * 86400 - 86400
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(day)).encode()
        events = [(identity, b'{"@timestamp":"%s","id":"%s"}' % (stamp, identity.encode())) for identity, _ in EVENTS]
        kinesis, logs, s3 = (server.client(name) for name in ("kinesis", "logs", "s3"))
        kinesis.create_stream(StreamName="flows", ShardCount=2)
        kinesis.get_waiter("stream_exists").wait(StreamName="flows", WaiterConfig={"Delay": 0})
        assert sent(events, "kinesis://flows", tmp_path).accepted == len(events)
        found = []
        for shard in kinesis.list_shards(StreamName="flows")["Shards"]:
            begin = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            at = kinesis.get_shard_iterator(StreamName="flows", **begin)["ShardIterator"]
            while records := (answer := kinesis.get_records(ShardIterator=at))["Records"]:
                found += [json.loads(record["Data"])["id"] for record in records]
                at = answer["NextShardIterator"]
        assert sorted(found) == sorted(IDS)

        logs.create_log_group(logGroupName="/flows")
        logs.create_log_stream(logGroupName="/flows", logStreamName="one")
        assert sent(events, "cloudwatch:///flows?stream=one", tmp_path).accepted == len(events)
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/flows")
        assert sorted(json.loads(one["message"])["id"] for page in pages for one in page["events"]) == sorted(IDS)

        s3.create_bucket(Bucket="out")
        place = {"BucketARN": "arn:aws:s3:::out", "RoleARN": "arn:aws:iam::123456789012:role/x"}
        server.client("firehose").create_delivery_stream(DeliveryStreamName="flows", S3DestinationConfiguration=place)
        assert sent(events, "firehose://flows", tmp_path).accepted == len(events)
        bodies = [
            s3.get_object(Bucket="out", Key=one["Key"])["Body"].read()
            for one in s3.list_objects_v2(Bucket="out")["Contents"]
        ]
        lines = [
            line for body in bodies for line in (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).split()
        ]
        assert sorted(json.loads(line)["id"] for line in lines) == sorted(IDS)

        hub = server.client("securityhub")
        hub.enable_security_hub()
        findings = tmp_path / "day"
        vf.synth(20_000, out=findings, seed=5, plant="port_scan")
        assert cli.main(["send", str(findings), "--to", "securityhub:", "--as", "asff", "--unit", "findings"]) == 0
        assert {one["AwsAccountId"] for one in hub.get_findings()["Findings"]} == {"123456789012"}
        for url in ("kinesis://none", "firehose://none", "cloudwatch:///none?stream=s", "s3://none/"):
            with pytest.raises(vf.NotifyError):
                sent(events[:1], url, tmp_path)
    finally:
        server.close()
