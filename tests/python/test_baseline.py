"""Baselines: what was usual, in bounded memory; and logs that are their own history."""

import dataclasses
import json

import pytest

import vpcflow as vf
from conftest import SAMPLE, run_cli
from test_detection import talk
from vpcflow.detect import Baseline

DAY = 86400


def days(*sessions):
    """Sessions of 10.0.0.4 with one server, a hundred a day, and others."""
    usual = [("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, day * DAY + i * 700, "answered") for day in range(4) for i in range(100)]
    return talk(*usual, *sessions)


def out(target, port, start, how="answered"):
    return ("10.0.0.4", target, port, 6, 20, 5000, start, how)


def test_what_is_in_it_and_that_parts_give_the_whole(tmp_path):
    first, second = talk(out("198.51.100.7", 443, 1000)), talk(out("198.51.100.7", 443, 90_000), out("203.0.113.5", 25, 95_000), out("203.0.113.6", 25, 96_000, "REJECT"))
    by_parts = Baseline().updated(vf.scan(first)).updated(vf.scan(second))
    both = Baseline().updated(vf.scan(first + second.partition(b"\n")[2]))
    assert by_parts == both == Baseline.from_bytes(both.to_bytes())
    assert both.describe() == {
        "version": 1, "conversations": 2, "clients": 1, "servers": 2, "ports": 2, "sessions": 3, "start": 1000,
        "end": 95_005, "forgotten": 0, "limit": 1_000_000,
    }  # fmt: skip
    assert both.of_pairs(["10.0.0.4"]) == {("10.0.0.4", "198.51.100.7"): (2, 1000, 90_005), ("10.0.0.4", "203.0.113.5"): (1, 95_000, 95_005)}
    assert len(Baseline()) == 0
    assert Baseline.from_bytes(Baseline().to_bytes()) == Baseline()


def test_it_is_bounded_and_says_what_it_forgot():
    some = [out(f"198.51.100.{i}", 443, 1000 + 700 * j) for i in range(1, 21) for j in range(i)]
    small = Baseline(limit=5).updated(vf.scan(talk(*some)))
    assert (len(small), small.forgotten, small.sessions) == (5, 15, len(some))
    assert {target for _, target in small.of_pairs(["10.0.0.4"])} == {f"198.51.100.{i}" for i in range(16, 21)}
    assert "15 rare ones forgotten" in str(small)


def test_both_forms_find_the_same():
    past, today = days(), talk(out("198.51.100.7", 6667, 500_000), out("203.0.113.5", 443, 500_100))
    old, new = vf.detection.baseline(vf.scan(past)), Baseline().updated(vf.scan(past))
    found = [(f.detector, f.targets) for f in vf.detect(vf.scan(today), baseline=new, samples=0)]
    assert found == [(f.detector, f.targets) for f in vf.detect(vf.scan(today), baseline=old, samples=0)]
    assert {name for name, _ in found} == {"new_port", "new_destination"}


def test_logs_of_days_are_their_own_history():
    log = days(out("198.51.100.7", 6667, 3 * DAY + 1000), out("198.51.100.7", 7000, 1000))
    found = vf.detect(vf.scan(log))
    (port,) = [f for f in found if f.detector == "new_port"]
    assert (port.evidence["dstport"], port.severity) == (6667, "low")
    assert "by the first half of these logs alone, until 1970-01-02 21:37:32 UTC" in found.conclusion()
    short = vf.detect(vf.scan(talk(out("198.51.100.7", 443, 1000))))
    assert "what is new for a host: not looked for: there is no baseline" in short.conclusion()
    given = vf.detect(vf.scan(log), baseline=Baseline().updated(vf.scan(log)))
    assert not [f for f in given if f.detector.startswith("new_")]
    assert "what is new" not in given.conclusion()
    asked = vf.detect(vf.scan(talk(out("198.51.100.7", 443, 1000))), only=["new_port"])
    assert asked.not_asked == {"new_port": ["baseline"]}
    assert "what is new" not in asked.conclusion()


def test_what_was_so_before_speaks_against_an_incident():
    upload = ("10.0.0.4", "203.0.113.5", 443, 6, 10**6, 3 * 10**9, 400_000, "sent")
    before = Baseline().updated(vf.scan(days(out("203.0.113.5", 443, 200_000))))
    for usual, known in ((None, []), (before, ["the baseline has 1 session of 10.0.0.4 with 203.0.113.5, 1970-01-03 07:33:20 to 1970-01-03 07:33:25 UTC"])):
        (incident,) = vf.detect(vf.scan(days(upload)), only=["exfiltration"], baseline=usual).incidents()
        assert incident.against == known


def test_the_commands(tmp_path):
    file, past, today = tmp_path / "usual.vpcflow", tmp_path / "past.log", tmp_path / "today.log"
    past.write_bytes(days())
    today.write_bytes(talk(out("198.51.100.7", 6667, 500_000)))
    built = run_cli("baseline", "build", past, "-o", file, check=0).stdout.decode()
    assert built == "1 conversation in 400 sessions, 1970-01-01 00:00:00 to 1970-01-04 19:15:05 UTC\n"
    assert run_cli("baseline", "show", file, check=0).stdout.decode() == built
    assert run_cli("baseline", "build", past, "-o", file, check=0).stdout.decode() == built
    (found,) = map(json.loads, run_cli("detect", today, "--baseline", file, "--json", check=1).stdout.splitlines())
    assert found["detector"] == "new_port"
    mark = ["findings", "mark", found["id"], "--benign", "--reason", "ours", "--silences", tmp_path / "s.json", "--baseline"]
    assert b"1 conversation added" in run_cli(*mark, file, check=0).stderr
    assert run_cli("detect", today, "--baseline", file, "--json", check=0).stdout == b""
    updated = json.loads(run_cli("baseline", "update", today, file, "--json", check=0).stdout)
    assert (updated["conversations"], updated["sessions"], updated["end"]) == (3, 402, 500_005)  # that of the mark has no protocol
    # What detect --learn began is read, and goes on in the form of baseline when that adds to it.
    file.write_bytes(vf.detection.baseline(vf.scan(past)).to_bytes())
    assert b"new_port" in run_cli("detect", today, "--baseline", file, "--learn", file, "--json", check=1).stdout
    assert run_cli("detect", today, "--baseline", file, "--json", check=0).stdout == b""
    assert b"1970" not in run_cli("baseline", "show", file, check=0).stdout
    run_cli("baseline", "update", today, file, check=0)
    assert file.read_bytes().startswith(b"vpcflow baseline 1 {")
    run_cli("detect", past, "--learn", file, check=1)
    assert run_cli("baseline", "show", file, check=0).stdout.startswith(b"2 conversations in 802 sessions, 1970-01-01")


@pytest.mark.parametrize("damage", ["cut", "version", "head", "text", "other"])
def test_damaged_files(tmp_path, damage):
    whole = Baseline().updated(vf.scan(SAMPLE)).to_bytes()
    head, _, body = whole.partition(b"\n")
    data = {
        "cut": whole[: len(whole) // 2], "version": whole.replace(b"baseline 1 ", b"baseline 9 ", 1),
        "head": b'vpcflow baseline 1 {"sessions": "x"}\n' + body, "text": head + b"\nnonsense",
        "other": vf.Aggregation(vf.query().group_by("srcaddr").agg(n="count()")).to_bytes(),
    }[damage]  # fmt: skip
    file = tmp_path / "usual.vpcflow"
    file.write_bytes(data)
    error = run_cli("baseline", "show", file, check=2).stderr.decode()
    assert f"{file}: not a baseline file" in error
    assert len(error.splitlines()) == 1
    assert file.read_bytes() == data
    run_cli("baseline", "update", SAMPLE, file, check=2)
    assert file.read_bytes() == data


def test_wrong_addresses_are_not_learned():
    with pytest.raises(vf.ArgumentError, match="expected an address"):
        Baseline().with_known("10.0.0.1\n10.0.0.2,", "10.0.0.9", 22)
    assert dataclasses.replace(Baseline(), limit=3).with_known("::1", "10.0.0.9").of_pairs(["::1"]) == {("::1", "10.0.0.9"): (1, None, None)}
