"""Sending, killed again and again: each event once where ids are taken, at least once elsewhere. For `make soak`."""

import collections
import json
import random
import signal
import subprocess
import sys
import time

import pytest

import vpcflow as vf
from conftest import LONG, run_cli
from sink_fakes import Fake, Index

KILLS = 100  # in each test
RECORDS = 40_000
pytestmark = pytest.mark.skipif(not LONG, reason="make soak")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    run_cli("synth", "--records", RECORDS, "--seed", "5", "--out", folder, check=0)
    events = vf.export(vf.scan(str(folder)), "ecs", unit="records")
    return folder, [identity for batch in events.batches() for identity in batch.ids]


def killed_until_done(command, folder):
    """Runs a command, kills it at random times, and lets it end when it was killed often enough."""
    rng = random.Random(7)
    for n in range(KILLS + 1):
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
        if n < KILLS:
            try:
                process.communicate(timeout=rng.uniform(0.2, 0.9))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        _, text = process.communicate()
    return process.returncode, text.decode()


def command(log, to):
    start = [sys.executable, "-m", "vpcflow", "send", str(log), "--to", to, "--as", "ecs"]
    return [*start, "--unit", "records", "--state", "s.db"]


def test_an_index_has_each_event_once_and_dead_letters_are_exact(log, tmp_path):
    folder, ids = log
    bad = set(ids[::997])
    index = Index(lambda n: 429 if n % 11 == 0 else 201)

    def plan(n, body):
        time.sleep(0.02)
        status, headers, text = index.answer(body)
        answer = json.loads(text)
        for item in answer["items"]:
            if item["create"]["_id"] in bad:
                index.documents.pop(item["create"]["_id"], None)
                item["create"].update(status=400, error={"type": "mapping", "reason": "no"})
        return None if n % 13 == 5 else (status, headers, json.dumps(answer).encode())

    with Fake(plan) as fake:
        code, text = killed_until_done(command(folder, f"opensearch+http://{fake.host}/flows"), tmp_path)
    assert code in (0, 2), text
    assert set(index.documents) == set(ids) - bad
    assert {identity: n for identity, n in index.seen.items() if n > 1 and identity not in bad} == {}
    dead = [json.loads(line)["id"] for line in (tmp_path / "vpcflow-dead.jsonl").read_text().splitlines()]
    assert sorted(dead) == sorted(bad)


def test_a_file_has_each_event_and_few_twice(log, tmp_path):
    folder, ids = log
    code, text = killed_until_done(command(folder, f"file:{tmp_path / 'out.jsonl'}"), tmp_path)
    assert code == 0, text
    rows = [json.loads(line)["event"]["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    counted = collections.Counter(rows)
    assert set(counted) == set(ids)
    assert len(rows) - len(ids) <= 4096 * KILLS
