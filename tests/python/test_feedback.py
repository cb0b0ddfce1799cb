"""What users tell detectors: labels, by which they are scored; and what settings would have cost in alerts."""

import collections
import json

import pytest

import vpcflow as vf
from conftest import SAMPLE, run_cli
from test_incidents import IN, LATE, OUT, finding
from vpcflow.detect.scoring import load_labels, scored, wilson

HEAD = "actor,target,start,end,detectors,verdict\n"


def labels(tmp_path, *lines, head=HEAD):
    file = tmp_path / "labels.csv"
    file.write_text(head + "".join(f"{line}\n" for line in lines))
    return load_labels(file)


def test_wilson_intervals():
    low, high = wilson(0, 10)
    assert (low, round(high, 4)) == (0.0, 0.2775)  # as published: Newcombe 1998, of 0 of 10
    low, high = wilson(15, 148)
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)  # likewise, of 15 of 148
    assert wilson(0, 0) == (None, None)


def test_found_missed_and_false(tmp_path):
    own = labels(
        tmp_path, f"{OUT},{IN},,,brute_force,", "10.0.0.5,,,,beacon,attack", f",{IN},{LATE + 90_000},,port_scan,attack",
        "10.0.0.6,,,,,benign", "198.51.0.0/16,,,,,attack", "2001:db8::/32,,,,,attack",
    )  # fmt: skip
    findings = [
        finding("brute_force", OUT, IN), finding("unauthorised_access", OUT, IN),  # of a label that names another
        finding("exfiltration", "10.0.0.6", "203.0.113.1"), finding("beacon", "10.0.0.7", OUT, severity="low"),
        finding("port_scan", "203.0.113.1", IN),  # a day before its label
        finding("flood", "10.0.0.8", [], dstaddr="10.0.0.8"),
    ]  # fmt: skip
    scores, missed = scored(findings, own)
    by_name = {score["detector"]: score for score in scores}
    assert scores[0]["detector"] == "all"
    assert [label.line for label in missed] == [3, 4, 7]
    # That of access is about the last label but one, which any detector may tell.
    assert {name: (s["labels"], s["found"], s["right"], s["false"]) for name, s in by_name.items()} == {
        "all": (5, 2, 2, 3), "brute_force": (1, 1, 1, 0), "unauthorised_access": (0, 0, 1, 0), "beacon": (1, 0, 0, 0),
        "exfiltration": (0, 0, 0, 1), "port_scan": (1, 0, 0, 1), "flood": (0, 0, 0, 1),
    }  # fmt: skip
    assert by_name["all"]["precision"] == 0.4
    assert by_name["beacon"]["precision"] is None
    assert scored([], []) == scored([finding("beacon", IN, OUT, severity="low")], [])
    # Roles may be told either way round, as of floods, whose actor is the victim.
    scores, missed = scored([finding("flood", IN, [], dstaddr=IN)], labels(tmp_path, f"{OUT},{IN},,,flood,"))
    assert (scores[0]["right"], missed) == (1, [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected a header line with actor or target"),
        (b"start,end\n", "expected a header line with actor or target"),
        (b"acter,target\n10.0.0.1,\n", "no column 'acter'; did you mean 'actor'?"),
        (b"actor,actor\n", "twice"),
        (b"actor\n10.0.0\n", "line 2: actor: '10.0.0'; expected an address or prefix"),
        (b"actor,target,verdict\n,,\n10.0.0.1,,\n,,benign\n", "line 4: expected an actor or a target"),
        (b"actor,target\n10.0.0.1\n", "line 2: 1 cells; expected 2"),
        (b"actor,start\n10.0.0.1,soon\n", "line 2: start"),
        (b"actor,start\n10.0.0.1,99999999999999999999999999\n", "line 2: start"),
        (b"actor,detectors\n10.0.0.1,beacons\n", "did you mean 'beacon'?"),
        (b"actor,verdict\n10.0.0.1,attck\n", "did you mean 'attack'?"),
        (b"actor\n\xff\xfe\n", "UTF-8"),
        (b'actor\n"10.0.0.1\n', "invalid CSV"),
        (b"actor\n\x1b[31m\x00\n", "labels"),
        (b"actor\n" + b"1" * 200_000 + b"\n", "labels"),
    ],
)
def test_wrong_labels(tmp_path, content, words):
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    with pytest.raises(vf.ArgumentError) as error:
        load_labels(file)
    assert words in str(error.value)
    assert len(str(error.value)) < 300
    assert str(error.value).isprintable()


def test_labels_on_the_command_line(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("actor,detectors\n10.0.14.92,lateral_movement\n10.0.0.99,beacon\n")
    page = run_cli("detect", SAMPLE, "--label", file, check=1).stdout.decode()
    assert "missed: line 3: 10.0.0.99 to anybody (beacon)" in page
    done = run_cli("detect", SAMPLE, "--label", file, "--json", check=1)
    rows = {row["detector"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["lateral_movement"]["precision"], rows["lateral_movement"]["recall"]) == (1.0, 1.0)
    assert (rows["beacon"]["found"], rows["beacon"]["missed"]) == (0, 1)
    assert b"missed: line 3" in done.stderr
    assert b"cannot read the labels" in run_cli("detect", SAMPLE, "--label", tmp_path / "none.csv", check=2).stderr


def test_replaying_settings(tmp_path):
    done = run_cli("detect", SAMPLE, "--replay", "30d", "--json", check=0)
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    assert {row["detector"] for row in rows} == set(vf.detection.DETECTORS)
    as_it_is = {row["detector"]: row for row in rows if not row["setting"]}
    found = collections.Counter(f.detector for f in vf.detect(vf.scan(SAMPLE), samples=0))
    assert {name: row["findings"] for name, row in as_it_is.items() if row["findings"]} == found
    halved = {(row["setting"], row["value"]) for row in rows if row["detector"] == "port_scan"}
    assert {("scan_ports", "12"), ("scan_ports", "50"), ("scan_failed", "0.25")} <= halved
    # Each as if it had been set alone.
    sessions = vf.Aggregation(vf.query().sessions()).update(vf.scan(SAMPLE))
    for row in rows:
        if row["detector"] in ("port_scan", "lateral_movement", "brute_force") and row["setting"]:
            value = float(row["value"].replace(",", ""))
            own = {row["setting"]: int(value) if value == int(value) else value}
            alone = [f for f in vf.detect(sessions, samples=0, **own) if f.detector == row["detector"]]
            assert (row["findings"], row["actors"]) == (len(alone), len({f.actor for f in alone})), row
    short = [json.loads(t) for t in run_cli("detect", SAMPLE, "--replay", "5m", "--json", check=0).stdout.splitlines()]
    assert sum(row["findings"] for row in short if not row["setting"]) < len(vf.detect(vf.scan(SAMPLE), samples=0))
    assert b"--replay" in run_cli("detect", SAMPLE, "--replay", "soon", check=2).stderr
