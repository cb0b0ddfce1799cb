"""The whole chain on real servers: objects in versitygw, its events through a relay into ElasticMQ, watch on both."""

import contextlib
import gzip
import http.server
import json
import threading
import time

import pytest

import vpcflow as vf
from aws_servers import ACCESS, SECRET, elasticmq, environment, free_port, versitygw
from conftest import HEADER, line, run_cli
from test_s3 import key
from vpcflow.watch import Watch

pytest.importorskip("boto3")
RULES = [{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}]


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A server of S3 that posts its events, a queue that gets them, and the variables to find both."""
    with contextlib.ExitStack() as ending:  # what was started ends, also where a server is missing
        queues = elasticmq(tmp_path_factory.mktemp("elasticmq"))
        ending.callback(queues.close)
        sqs = queues.client("sqs")
        queue = sqs.create_queue(QueueName="flow-logs")["QueueUrl"]

        class Relay(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sqs.send_message(QueueUrl=queue, MessageBody=body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        relay = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Relay)
        ending.callback(relay.server_close)
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        ending.callback(relay.shutdown)
        objects = versitygw(tmp_path_factory.mktemp("versitygw"), f"http://127.0.0.1:{relay.server_address[1]}/")
        ending.callback(objects.close)
        objects.client("s3").create_bucket(Bucket="logs")
        yield objects, queues, queue


@pytest.fixture
def placed(chain, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in environment(chain[0].url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", chain[1].url)
    return chain


def test_objects_are_read_and_followed_by_listing_and_by_events(placed):
    objects, queues, queue = placed
    s3, sqs = objects.client("s3"), queues.client("sqs")
    log = []
    by_events = Watch("sqs://flow-logs", vf.rules.of(RULES), {}, "events.sqlite", log=log.append)
    names = [*(key(hour=n, n=n) for n in range(6)), "odd/a b+c%20ü.log"]
    for n, name in enumerate(names):
        s3.put_object(Bucket="logs", Key=name, Body=gzip.compress(HEADER + line(src=f"10.9.0.{n}") * (n + 1)))
    wanted = {f"10.9.0.{n}": n + 1 for n in range(7)}
    assert vf.scan("s3://logs/").agg(n=vf.count()).collect()["n"] == [sum(wanted.values())]
    by_listing = Watch("s3://logs/", vf.rules.of(RULES), {}, "listing.sqlite", since="all")
    assert flows(by_listing.poll()) == wanted
    assert by_listing.poll() == []
    found, end = {}, time.monotonic() + 20
    while len(found) < 7 and time.monotonic() < end:
        found |= flows(by_events.poll())
    assert found == wanted
    assert sqs.receive_message(QueueUrl=queue).get("Messages", []) == []
    by_events.close()
    by_listing.close()


def flows(alerts):
    return {alert.finding.actor: alert.finding.evidence["flows"] for alert in alerts}


def test_the_command_lines(placed):
    objects, _, _ = placed
    objects.client("s3").put_object(Bucket="logs", Key=key(day=24), Body=gzip.compress(HEADER + line()))
    done = run_cli("summary", "s3://logs/AWSLogs/", "--json", check=0)
    assert json.loads(done.stdout)["records"] >= 1
    done = run_cli("summary", "s3://logs/AWSLogs/", "--start", "2020-01-01", "--end", "2020-01-02", check=2)
    assert b"can hold what is asked for" in done.stderr
    for data in (done.stdout, done.stderr):
        assert SECRET.encode() not in data
        assert ACCESS.encode() not in data


def test_wrong_credentials_are_said(placed, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARYwrongCANARY")
    done = run_cli("summary", "s3://logs/AWSLogs/", check=2)
    assert b"the secret key does not match the access key" in done.stderr
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDNOBODY")
    done = run_cli("summary", "s3://logs/AWSLogs/", check=2)
    assert b"access key" in done.stderr
    assert b"CANARY" not in done.stderr
