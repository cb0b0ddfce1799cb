"""Sending in bounded memory, whatever the receiver does: the source waits. For `make soak`."""

import json
import os
import subprocess
import sys
import time

import pytest

from aws_servers import environment
from conftest import LONG, run_cli
from sink_fakes import Fake, Index

pytestmark = pytest.mark.skipif(not LONG, reason="make soak")
RECORDS = 250_000  # some 400 MB of events
MOST = 256  # MiB
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    run_cli("synth", "--records", RECORDS, "--seed", "5", "--out", folder, check=0)
    return folder


# Of the memory that the process has had since it is this program: what wait4 tells includes that of the tests.
MEASURED = """
import re, sys
from vpcflow import cli
code = cli.main(sys.argv[1:])
print("most", int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) // 1024, file=sys.stderr)
sys.exit(code)
"""


def sent(tmp_path, *options):
    """Sends by a process. Returns its code, what it said, and the most memory it had, in MiB."""
    env = {**os.environ, **environment(f"http://{NOWHERE}"), "TOKEN": "t"}
    command = [sys.executable, "-c", MEASURED, "send", *map(str, options)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    said, _, most = done.stderr.rstrip().rpartition("most ")
    return done.returncode, said, int(most)


@pytest.mark.parametrize(
    ("to", "schema"),
    [(f"opensearch+http://{NOWHERE}/x", "ocsf"), (f"splunk+http://{NOWHERE}", "cim"), (f"syslog+tcp://{NOWHERE}", "cef"),
     (f"kafka://{NOWHERE}/x", "ecs"), ("s3://b/x", "ocsf"), ("s3://b/x", "ecs"), ("cloudwatch://g?stream=s", "ocsf"),
     ("kinesis://s", "ecs"), ("firehose://s", "ocsf")],
)  # fmt: skip
def test_a_dead_receiver(to, schema, log, tmp_path):
    auth = ["--auth", "env:TOKEN"] if to.startswith("splunk") else []
    code, said, most = sent(tmp_path, log, "--unit", "records", "--to", to, "--as", schema, "--patience", "5s", *auth)
    assert code == 2, said
    assert "given up" in said
    assert most < MOST
    assert not (tmp_path / "vpcflow-dead.jsonl").exists()


def test_a_slow_receiver(log, tmp_path):
    index = Index()

    def plan(n, body):
        time.sleep(0.02)
        return 200, {}, json.dumps({"items": [{"create": {"status": 201}}] * (body.count(b"\n") // 2)}).encode()

    with Fake(plan) as fake:
        to = f"opensearch+http://{fake.host}/x"
        code, said, most = sent(tmp_path, log, "--unit", "records", "--to", to, "--as", "ocsf", "--state", "s.db")
    assert (code, index.documents) == (0, {})
    assert f"{RECORDS:,} events sent" in said
    assert most < MOST


def test_a_receiver_that_takes_nothing_at_all(log, tmp_path):
    reason = {"type": "strict_dynamic_mapping_exception", "reason": "foreign"}

    def plan(n, body):
        item = {"create": {"status": 400, "error": reason}}
        return 200, {}, json.dumps({"items": [item] * (body.count(b"\n") // 2)}).encode()

    with Fake(plan) as fake:
        to = f"opensearch+http://{fake.host}/x"
        code, said, most = sent(tmp_path, log, "--unit", "records", "--to", to, "--as", "ecs")
        assert code == 2
        assert most < MOST
        assert f"error: {RECORDS:,} events not taken" in said
        code, said, most = sent(tmp_path, "--replay", "vpcflow-dead.jsonl", "--to", to)
        assert code == 2
        assert most < MOST
        assert f"error: {RECORDS:,} events not taken" in said
    with open(tmp_path / "vpcflow-dead.jsonl") as file:
        assert len({json.loads(line)["id"] for line in file}) == RECORDS
