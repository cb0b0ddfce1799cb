"""Sequences and risk in a watch: the same as of one look over all, in any order of arrival, over restarts, told once."""

import collections
import gzip
import json
import random
import shutil

import pytest

import vpcflow as vf
from conftest import LONG, ROOT
from vpcflow.watch import Correlating, Watch

EXAMPLE = ROOT / "examples/correlate"
END = 1_795_424_395  # of its logs
LATER = END + 7 * 86400
DETECTORS = {}


class Memory:
    """A channel that keeps what it gets."""

    label = "memory"

    def __init__(self):
        self.got = []

    def send(self, alert):
        self.got.append(alert)


class Clock:
    def __init__(self, now=LATER):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def places(tmp_path):
    for name in ("logs", "trail", "duty"):
        (tmp_path / name).mkdir()
    return tmp_path


def pieces(rng, logs=4, trails=3):
    """The example in parts: (folder, name, bytes)."""
    header, *lines = gzip.decompress((EXAMPLE / "flow.log.gz").read_bytes()).decode().splitlines(keepends=True)
    records = json.loads(next((EXAMPLE / "cloudtrail").glob("*.json")).read_text())["Records"]
    if rng.random() < 0.5:
        rng.shuffle(lines)
    rng.shuffle(records)
    out = []
    for i in range(logs):
        part = lines[i * len(lines) // logs : (i + 1) * len(lines) // logs]
        out.append(("logs", f"{i}.log", (header + "".join(part)).encode()))
    for i in range(trails):
        out.append(("trail", f"{i}.json", json.dumps({"Records": records[i::trails]}).encode()))
    out.append(("trail", "again.json", json.dumps({"Records": records[:2]}).encode()))  # delivered twice
    out.append(("duty", "finding.json", next((EXAMPLE / "guardduty").glob("*.json")).read_bytes()))
    return out


def watching(places, channel=None, clock=None, **options):
    settings = {"lateness": None, "clock": clock or Clock(), **options}
    correlation = Correlating({"cloudtrail": places / "trail", "guardduty": places / "duty"}, **settings)
    return Watch(
        places / "logs", [], {"memory": channel} if channel else {}, places / "state.sqlite", settle=0, detectors=DETECTORS,
        min_severity="high", correlation=correlation,
    )  # fmt: skip


def held(places):
    """What the state has of matches."""
    import sqlite3

    with sqlite3.connect(places / "state.sqlite") as db:
        rows = [json.loads(body) for (body,) in db.execute("select body from matches")]
    db.close()
    return {plain(row) for row in rows}


def plain(row):
    # The records that a finding rests on are those of the last look.
    events = tuple((e["source"], e["kind"], e["time"], e["end"], e["ref"] if e["source"] != "findings" else "") for e in row["events"])
    return (row["rule"], row["id"], row["entity"], row["start"], row["end"], row["severity"], events)


def whole(places, **options):
    found = vf.correlate(vf.scan(str(places / "logs")), cloudtrail=places / "trail", guardduty=places / "duty", **options)
    return {plain(row) for row in found.rows()}




@pytest.mark.parametrize("seed", range(40) if LONG else [1, 2])
def test_any_order_of_arrival_gives_the_matches_of_one_look(places, seed):
    rng = random.Random(seed)
    parts = pieces(rng)
    rng.shuffle(parts)
    channel = Memory()
    while parts:
        for _ in range(rng.randrange(1, 4)):
            if parts:
                folder, name, data = parts.pop()
                (places / folder / name).write_bytes(data)
        watch = watching(places, channel)
        watch.poll()
        watch.deliver()
        watch.close()
    expected = whole(places)
    assert len(expected) >= 7
    assert held(places) == expected
    rules = {row[0] for row in expected}
    told = collections.Counter()
    for alert in channel.got:
        if alert.finding.detector in rules:
            told[alert.finding.detector, alert.finding.actor, alert.finding.start] += -1 if alert.withdrawn else 1
    assert {one for one, n in told.items() if n} == {(rule, entity, start) for rule, _, entity, start, *_ in expected}
    assert len({alert.id for alert in channel.got}) == len(channel.got)
