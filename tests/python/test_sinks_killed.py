"""Sending, killed again and again, at times of chance and at chosen points of a request: each event once where ids are
taken, at least once elsewhere, dead letters exact. Two hundred times for `make soak`, a few every day."""

import collections
import json
import os
import random
import signal
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import LONG, run_cli
from sink_fakes import Fake, Hec, Index

KILLS = 200 if LONG else 4
RECORDS = 80_000 if LONG else 6_000
POINTS = ("body", "taken", "answer", "answered")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    run_cli("synth", "--records", RECORDS, "--seed", "5", "--out", folder, check=0)
    events = vf.export(vf.scan(str(folder)), "ecs", unit="records")
    return folder, [identity for batch in events.batches() for identity in batch.ids]


class Killer:
    """Starts a command again and again. Each run is killed by its receiver, at a point of one of its requests, or after
    a time; the last one is not."""

    def __init__(self, answer, seed):
        self.answer, self.rng, self.process, self.left, self.point = answer, random.Random(seed), None, 0, None
        self.kills = 0

    def now(self, point):
        """Kills the process if it is time, at a point of a request."""
        if self.point == point and self.left <= 0 and self.process is not None:
            self.point = None
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def early(self, n):
        self.left -= 1
        self.now("body")  # the handler has read the head
        return 0 if self.process is None or self.process.returncode is not None else None

    def plan(self, n, body):
        status, headers, text = self.answer(body)
        self.now("taken")
        if self.point == "answer" and self.left <= 0:
            self.now("answer")
            return status, headers, text, len(text) // 2
        return status, headers, text

    def run(self, command, folder, kills):
        for n in range(kills + 1):
            self.point, self.left, wait = None, self.rng.randrange(1, 3), None
            if n < kills:
                self.point = POINTS[n % len(POINTS)] if n % 3 else None
                wait = None if self.point in POINTS[:3] else self.rng.uniform(0.2, 0.8)
            self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
            try:
                _, text = self.process.communicate(timeout=wait)
            except subprocess.TimeoutExpired:
                self.process.kill()
                _, text = self.process.communicate()
            self.kills += self.process.returncode == -signal.SIGKILL
        return self.process.returncode, text.decode()


def command(log, to, *more):
    start = [sys.executable, "-m", "vpcflow", "send", str(log), "--to", to, "--as", "ecs"]
    return [*start, "--unit", "records", "--state", "s.db", *more]


def dead_in(folder):
    path = folder / "vpcflow-dead.jsonl"
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


def test_an_index_has_each_event_once_and_dead_letters_are_exact(log, tmp_path):
    folder, ids = log
    bad = set(ids[::997])
    index = Index(lambda n: 429 if n % 1111 == 0 else 201, bad)
    killer = Killer(index.answer, 1)
    with Fake(killer.plan, killer.early) as fake:
        code, text = killer.run(command(folder, f"opensearch+http://{fake.host}/flows"), tmp_path, KILLS)
    assert code in (0, 2), text
    assert killer.kills > KILLS // 2
    assert set(index.documents) == set(ids) - bad
    assert set(index.seen.values()) == {1}
    assert sorted(dead_in(tmp_path)) == sorted(bad)
    assert "run the same command again" not in text


@pytest.mark.skipif(not LONG, reason="make soak")
def test_a_collector_has_each_event_and_dead_letters_are_exact(log, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0")
    folder, ids = log
    bad = set(ids[::1999])
    hec = Hec(bad)
    killer = Killer(hec.answer, 2)
    with Fake(killer.plan, killer.early) as fake:
        to = f"splunk+http://{fake.host}"
        code, text = killer.run(command(folder, to, "--auth", "env:TOKEN"), tmp_path, KILLS // 3)
    assert code in (0, 2), text
    assert killer.kills > KILLS // 6
    assert set(hec.taken) == set(ids) - bad
    assert sorted(dead_in(tmp_path)) == sorted(bad)


@pytest.mark.skipif(not LONG, reason="make soak")
def test_a_file_has_each_event_and_few_twice(log, tmp_path):
    folder, ids = log
    killer = Killer(None, 3)
    code, text = killer.run(command(folder, f"file:{tmp_path / 'out.jsonl'}"), tmp_path, KILLS // 5)
    assert code == 0, text
    rows = [json.loads(line)["event"]["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    counted = collections.Counter(rows)
    assert set(counted) == set(ids)
    assert len(rows) - len(ids) <= 4096 * KILLS
