"""The state of a watch: its versions, and that those of before are read."""

import os
import pathlib
import sqlite3

import pytest

import vpcflow as vf
from vpcflow.watch import Watch, store

GOLDEN = pathlib.Path(__file__).parent / "golden"
HEADER = "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
RULES = [
    {"name": "probes", "where": "action = 'REJECT'", "by": ["srcaddr", "dstaddr"], "having": "flows >= 10"},
    {"name": "tries", "over": "sessions", "by": "srcaddr", "having": "flows >= 5"},
]


class Memory:
    label = "memory"

    def __init__(self):
        self.got = []

    def send(self, alert):
        self.got.append(alert)


def probes(ports, time):
    return HEADER + "".join(
        f"198.51.100.7 10.0.0.9 {41000 + p} {p} 6 1 40 {time} {time + 10} REJECT OK\n" for p in ports
    )


def watching(channel):
    detectors = {"only": ["port_scan"], "scan_ports": 10, "scan_hosts": 1000}
    rules = vf.rules.of(RULES)
    return Watch("logs", rules, {"down": channel}, "w.sqlite", settle=0, detectors=detectors, min_severity="low")


@pytest.fixture
def old_state(tmp_path, monkeypatch):
    begun(tmp_path, monkeypatch, 2)


def begun(tmp_path, monkeypatch, version):
    """A state of that version that has read logs/a.log; its channel was down."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("logs")
    pathlib.Path("logs/a.log").write_text(probes(range(100, 112), 1_700_000_000))
    os.utime("logs/a.log", ns=(1_700_000_100_000_000_000,) * 2)
    with sqlite3.connect("w.sqlite") as db:
        db.executescript((GOLDEN / f"watch-{version}.sql").read_text())
    db.close()


def schema(path):
    with sqlite3.connect(path) as db:
        tables = db.execute("select name, sql from sqlite_master where sql is not null order by name").fetchall()
        numbers = [db.execute(f"pragma {name}").fetchone()[0] for name in ("user_version", "application_id")]
    db.close()
    return [(name, " ".join(sql.split())) for name, sql in tables], numbers


@pytest.mark.parametrize("version", range(2, store.VERSION))
def test_a_state_of_an_older_version_goes_on(tmp_path, monkeypatch, version):
    begun(tmp_path, monkeypatch, version)
    channel = Memory()
    watch = watching(channel)
    assert watch.poll() == []  # a.log was read before
    assert watch.undelivered == 2
    assert watch.deliver() == 2
    assert [alert.finding.detector for alert in channel.got] == ["probes", "port_scan"]
    # What goes on is the same incident; sessions and counts of before count.
    pathlib.Path("logs/b.log").write_text(probes(range(112, 116), 1_700_000_600))
    assert [alert.finding.detector for alert in watch.poll()] == []
    pathlib.Path("logs/c.log").write_text(probes(range(116, 118), 1_700_010_000))
    later = watch.poll()
    assert [(alert.finding.detector, alert.finding.evidence["flows"]) for alert in later] == [("tries", 16)]
    watch.close()


def test_a_migrated_state_is_as_a_new_one(old_state):
    watching(Memory()).close()
    store.Store("new.sqlite", 1.0).open()
    assert schema("w.sqlite") == schema("new.sqlite")
    assert schema("new.sqlite")[1][0] == store.VERSION
    watching(Memory()).close()  # once more, with nothing to do


def test_states_of_other_versions_stay_as_they_are(old_state):
    for number, what in (("1", "another"), ("999", "a newer"), ("x", "another")):
        with sqlite3.connect("w.sqlite") as db:
            db.execute("update meta set value = ?", (number,))
        db.close()
        before = pathlib.Path("w.sqlite").read_bytes()
        with pytest.raises(vf.RuleError, match=f"written by {what} version of vpcflow"):
            watching(Memory())
        assert pathlib.Path("w.sqlite").read_bytes() == before


def test_a_migration_that_fails_leaves_the_old_state(old_state, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(store, "_MIGRATIONS", {**store._MIGRATIONS, 2: ("drop table meta", "no statement")})
        with pytest.raises(vf.OutputError, match=r"w\.sqlite: the state cannot be written"):
            watching(Memory())
    watch = watching(Memory())
    assert watch.undelivered == 2
    watch.close()
