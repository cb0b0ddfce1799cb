"""watch over a bucket: every object once, whatever comes late, goes, or is killed in between."""

import gzip
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli
from test_s3 import DAY, SECRET, begun, key, server  # noqa: F401
from vpcflow.io.aws import Connection
from vpcflow.watch import Watch, objects, status
from vpcflow.watch.store import Store

pytest.importorskip("boto3")
URL = "s3://logs/AWSLogs/"
NOON = DAY + 12 * 3600
RULES = [{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}]


@pytest.fixture
def s3(server, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    return begun(server, monkeypatch)


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


class Look:
    """A discovery of its own, with a clock; what it gives is read at once."""

    def __init__(self, clock, since="all", state="s.sqlite", url=URL, keep=2):
        self.log = []
        self.store = Store(state, 1.0)
        self.found = objects.Objects(self.store, url, Connection(), since, keep, self.log.append, clock)
        self.store.open()
        self.found.begin()

    def __call__(self):
        names = []
        for batch in self.found.batches(set()):
            with self.store.transaction():
                for one in batch:
                    self.found.record(one, None)
                    names.append(one.path.removeprefix("s3://logs/"))
        self.found.finished()
        return names


def body(n=0):
    return gzip.compress(HEADER + line(src=f"10.9.{n // 200}.{n % 200}", start=NOON, end=NOON + 60))


def test_each_object_once(s3):
    clock = Clock()
    look = Look(clock)
    s3.put(key(n=1), body())
    assert look() == [key(n=1)]
    assert look() == []
    # The flow log id sorts before the time: what comes later has the smaller key.
    s3.put(key(hour=12, n=2, flow_log="fl-0"), body())
    assert look() == [key(hour=12, n=2, flow_log="fl-0")]
    s3.put(key(hour=12, n=2, flow_log="fl-0"), body(1))  # another version is another object
    assert look() == [key(hour=12, n=2, flow_log="fl-0")]
    assert Look(clock)() == []  # after a restart


def test_only_folders_that_can_grow_are_listed(s3):
    clock = Clock()
    for day in range(1, 24):
        s3.put(key(day=day, hour=11), body())
    look = Look(clock)
    assert len(look()) == 23
    s3.listed.clear()
    assert look() == []
    assert [prefix for prefix, _ in s3.listed if prefix.count("/") > 6] == [
        "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/"
    ]
    clock.now += 13 * 3600  # 01:00 of the next day: both can grow
    look()
    s3.listed.clear()
    s3.put(key(day=24, hour=0), body())
    assert look() == [key(day=24, hour=0)]
    assert len([prefix for prefix, _ in s3.listed if prefix.count("/") > 6]) == 2


def test_late_objects_are_read_and_said(s3):
    clock = Clock()
    look = Look(clock)
    s3.put(key(hour=11, n=1), body())
    look()
    s3.put(key(day=22, hour=3, n=2), body())
    clock.now += 600
    assert look() == []
    clock.now += 3600  # the hourly look at all days that are kept
    assert look() == [key(day=22, hour=3, n=2)]
    assert look.log == [
        "s3://logs/AWSLogs/: 1 object came more than 2 hours after the time in the name; they were read (late-objects: 1 in all)"
    ]
    assert look() == []
    assert status("s.sqlite")["late"] == 1


def test_what_a_long_stop_missed_is_read(s3):
    clock = Clock()
    look = Look(clock)
    s3.put(key(hour=11), body())
    look()
    for day in range(24, 29):
        s3.put(key(day=day), body())
    clock.now += 6 * 86400
    assert len(Look(clock)()) == 5


@pytest.mark.parametrize(("since", "read"), [("all", [20, 22, 23]), ("24h", [22, 23]), ("now", [])])
def test_since(s3, since, read):
    for day, hour in ((20, 6), (22, 13), (23, 11)):
        s3.put(key(day=day, hour=hour), body())
    clock = Clock()
    look = Look(clock, since)
    assert [int(name.split("/")[-2]) for name in look()] == read
    clock.now += 60
    s3.put(key(hour=12), body())
    assert Look(clock, since)() == [key(hour=12)]
    if since == "now":
        assert look.log == ["s3://logs/AWSLogs/: begins now; what is there already is not read (--since now)"]


def test_identities_do_not_grow_for_ever(s3):
    clock = Clock()
    look = Look(clock)
    for day in range(1, 28):
        clock.now = DAY + (day - 23) * 86400 + 12 * 3600
        s3.put(key(day=day, hour=11), body())
        assert look() == [key(day=day, hour=11)]
    (rows,) = look.store.execute("select count(*) from seen").fetchone()
    assert rows < 8
    clock.now += 3601
    assert look() == []


def test_what_cannot_be_fetched_is_tried_until_it_can(s3):
    look = Look(Clock())
    s3.put(key(n=1), body())
    s3.put(key(n=2), body(2))
    s3.errors[key(n=1)] = (403, "AccessDenied", "not authorized to perform: kms:Decrypt")
    assert look() == [key(n=2)]
    for _ in range(7):
        assert look() == []
    assert list(look.found.failed) == [f"s3://logs/{key(n=1)}"]
    assert len(look.log) == 1
    assert "kms:Decrypt on the KMS key" in look.log[0]
    del s3.errors[key(n=1)]
    assert look() == [key(n=1)]
    assert look() == []


def test_an_old_object_that_does_not_come_is_given_up(s3):
    look = Look(Clock(DAY + 9 * 86400))
    s3.put(key(n=1), body())
    s3.put(key(n=2), body(2))
    s3.errors[key(n=1)] = (403, "InvalidObjectState", "archived")
    assert look() == [key(n=2)]
    for _ in range(9):
        assert look() == []
    assert [text.split("; ")[-1] for text in look.log] == ["will be retried", "given up"]
    assert status("s.sqlite")["unreadable"] == 1


def test_states_and_options(s3):
    s3.put(key(), body())
    rules = vf.rules.of(RULES)
    with pytest.raises(vf.errors.ArgumentError, match="--since now, 24h or all"):
        Watch(URL, rules, {}, "w.sqlite")
    with pytest.raises(vf.errors.ArgumentError, match="since='yesterday': there are now, 24h, all"):
        Watch(URL, rules, {}, "w.sqlite", since="yesterday")
    Watch(URL, rules, {}, "w.sqlite", since="all").close()
    Watch(URL, rules, {}, "w.sqlite").close()
    with pytest.raises(vf.RuleError, match=r"the state is that of s3://logs/AWSLogs/; give another --state"):
        Watch("s3://logs/other/", rules, {}, "w.sqlite", since="all")
    with pytest.raises(vf.errors.ArgumentError, match="it is for URLs"):
        Watch(".", rules, {}, "w2.sqlite", since="all")


def test_the_command_tells_a_scan_once(s3):
    scan = HEADER + b"".join(
        line(src="198.51.100.7", dstport=port, start=NOON + port // 10, end=NOON + 60, action="REJECT")
        for port in range(1, 500)
    )
    s3.put(key(hour=12), gzip.compress(scan))
    arguments = ("watch", URL, "--since", "all", "--once", "--state", "w.sqlite", "--notify", "jsonl:out.jsonl")
    done = run_cli(*arguments, check=1)
    told = pathlib.Path("out.jsonl").read_text()
    assert told.count("198.51.100.7") >= 1
    assert f"s3://logs/{key(hour=12)}" in told  # where its samples lie
    run_cli(*arguments, check=0)
    assert pathlib.Path("out.jsonl").read_text() == told
    assert "1 file read, 0 unreadable" in run_cli("watch", "--status", "--state", "w.sqlite", check=0).stdout.decode()
    for file in os.listdir():
        assert SECRET.encode() not in pathlib.Path(file).read_bytes(), file
    assert SECRET.encode() not in done.stdout + done.stderr


KILLED = """
import os, signal, sys
import vpcflow as vf
from vpcflow.watch import Watch, objects, service, store
place, count = int(sys.argv[1]), 0
objects._BATCH_OBJECTS = 2

def dies(call):
    def counted(*args, **kwargs):
        global count
        count += 1
        if count == place:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return counted

store.Store.execute = dies(store.Store.execute)
objects.Objects._fetched = dies(objects.Objects._fetched)
objects.Objects.committed = dies(objects.Objects.committed)
rules = vf.rules.of(__import__("json").loads(sys.argv[2]))
channel = vf.alerts.channel("jsonl:out.jsonl")
watch = Watch("s3://logs/AWSLogs/", rules, {"out": channel}, "w.sqlite", since="all", settle=0)
watch.poll()
watch.deliver()
print("whole", count)
"""


def test_killed_anywhere_nothing_is_counted_twice_or_lost(s3, tmp_path):
    """SIGKILL at places all over a look (a handful; 50 with VPCFLOW_LONG)."""
    import json

    for n in range(5):
        s3.put(key(hour=11, n=n), gzip.compress(HEADER + line(src=f"10.9.0.{n}", start=NOON, end=NOON + 60) * (n + 1)))
    (tmp_path / "killed.py").write_text(KILLED)
    rules = json.dumps([{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}])

    def run(folder, place):
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, str(tmp_path / "killed.py"), str(place), rules],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
        )

    whole = run(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    places = int(whole.stdout.split()[1])
    wanted = told(tmp_path / "whole")
    assert sorted(wanted.values()) == [1, 2, 3, 4, 5]
    tries = 50 if os.environ.get("VPCFLOW_LONG") else 3
    for n in range(tries):
        folder = tmp_path / f"killed{n}"
        first = run(folder, 1 + n * places // tries)
        assert first.returncode == -signal.SIGKILL
        assert run(folder, 0).returncode == 0
        assert told(folder) == wanted, n


def told(folder):
    """Flows by actor, of all alerts; each told once."""
    import json

    alerts = [json.loads(text) for text in (folder / "out.jsonl").read_text().splitlines()]
    flows = {alert["actor"]: alert["evidence"]["flows"] for alert in alerts}
    assert len(flows) == len(alerts)
    return flows
