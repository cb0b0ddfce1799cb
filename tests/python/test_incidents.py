"""Incidents: which findings are one story, what is told of it, its place, and how it is silenced."""

import dataclasses
import json
import shlex
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import ROOT, SAMPLE, run_cli
from vpcflow.findings import Finding, Incident, Scope
from vpcflow.findings.identity import kind_named, kind_of
from vpcflow.findings.incident import incidents_of

HOUR, DAY = 3600, 86400
LATE = 1_760_000_000


def finding(detector, actor, targets, start=0, length=600, severity="medium", score=0.8, sentence="", **evidence):
    """A finding ``start`` seconds after a day began."""
    targets = [targets] if isinstance(targets, str) else targets
    said = sentence or f"{actor} did {detector} to {', '.join(targets)}"
    begin = LATE + start
    return Finding(detector, severity, actor, targets, begin, begin + length, score, "T1", evidence, {}, said)


def told(*findings):
    """The detectors of each incident."""
    return sorted(sorted(i.detectors) for i in incidents_of(findings))


IN = "10.0.0.9"
OUT = "198.51.100.7"


@pytest.mark.parametrize(
    "findings",
    [
        # one actor
        [finding("port_scan", OUT, IN), finding("unauthorised_access", OUT, "10.0.0.4", 5 * HOUR, dstport=22)],
        # the same ends in other roles: who read a store, and what the store sent
        [finding("unauthorised_access", OUT, IN), finding("exfiltration", IN, OUT, 60, dstport=9200)],
        # many sources at one service
        [finding("brute_force", OUT, IN, dstport=22), finding("brute_force", "203.0.113.5", IN, 60, dstport=22)],
        # many hosts that call one server
        [finding("beacon", IN, OUT, dstport=443), finding("exfiltration", "10.0.0.4", OUT, HOUR, dstport=443)],
        # got in, and that host goes on, twice
        [
            finding("brute_force", OUT, IN, dstport=22),
            finding("lateral_movement", IN, ["10.0.0.4", "10.0.0.5"], HOUR),
            finding("tunnel", "10.0.0.5", "203.0.113.77", 4 * HOUR),
        ],
        # what everybody may use, and one who guesses there
        [
            finding("brute_force", OUT, IN, dstport=22),
            finding("unauthorised_access", IN, ["203.0.113.1"], severity="low", dstaddr=IN, dstport=22, strangers=40),
        ],
    ],
)
def test_one_story(findings):
    assert len(incidents_of(findings)) == 1
    assert len(incidents_of(reversed(findings))) == 1
    assert len(incidents_of(findings * 2)) == 1


@pytest.mark.parametrize(
    "findings",
    [
        # one actor, two days apart
        [finding("port_scan", OUT, IN), finding("port_scan", OUT, "10.0.0.4", 2 * DAY)],
        # two who were let in at one service
        [
            finding("unauthorised_access", OUT, IN, dstport=22),
            finding("unauthorised_access", "203.0.113.5", IN, dstport=22),
        ],
        # what a host did before somebody got in
        [finding("beacon", IN, "203.0.113.5", dstport=443), finding("brute_force", OUT, IN, HOUR, dstport=22)],
        # one of many hosts that were reached, long after
        [
            finding("lateral_movement", "10.0.0.1", [f"10.0.1.{i}" for i in range(20)]),
            finding("beacon", "10.0.1.3", OUT, 8 * HOUR, dstport=443),
        ],
        # low, of an actor that is one of many
        [
            finding("exfiltration", IN, OUT, dstport=443),
            finding("beacon", IN, "203.0.113.5", severity="low", dstport=123, callers=20),
        ],
        # two hosts behind nothing in common
        [finding("port_scan", OUT, IN), finding("port_scan", "203.0.113.5", "10.0.0.4")],
    ],
)
def test_two_stories(findings):
    assert len(incidents_of(findings)) == 2


def test_what_is_low_joins_no_two_stories():
    loud = [finding("port_scan", OUT, IN), finding("port_scan", "203.0.113.5", "10.0.0.4")]
    bridge = finding("port_scan", OUT, ["10.0.0.4", IN], severity="low")
    assert told(*loud) == told(*loud, bridge) == [["port_scan"], ["port_scan"]]


def test_a_story_is_one_sentence_with_who_what_whom_and_when_in_utc():
    guess = finding(
        "brute_force", OUT, IN, dstport=22, severity="high",
        sentence=f"{OUT} opened 90 short sessions to {IN} port 22, 2025-10-09 08:53:20 to 2025-10-09 09:03:20",
    )  # fmt: skip
    move = finding("lateral_movement", IN, ["10.0.0.4"], HOUR, sentence=f"{IN} got into 10.0.0.4 at port 22")
    call = finding(
        "beacon", IN, OUT, 2 * HOUR, sentence=f"{IN} called {OUT} port 443 60 times, every 60 s", dstport=443
    )
    (incident,) = incidents_of([call, guess, move])
    assert incident.story == (
        f"{OUT} opened 90 short sessions to {IN} port 22; then {IN} got into 10.0.0.4 at port 22; "
        f"then it called {OUT} port 443 60 times, every 60 s, 2025-10-09 08:53:20 to 2025-10-09 11:03:20 UTC"
    )
    assert (incident.severity, incident.actor) == ("high", OUT)
    assert (incident.actors, incident.targets) == ([OUT, IN], [IN, OUT, "10.0.0.4"])
    assert [time - LATE for time, _ in incident.timeline] == [0, HOUR, 2 * HOUR]
    pods = [
        finding(
            "long_session", f"10.0.0.{i}", OUT, sentence=f"10.0.0.{i} kept a session with {OUT} port 333", dstport=333
        )
        for i in range(8)
    ]
    (several,) = incidents_of(pods)
    assert several.story.startswith(f"10.0.0.0 kept a session with {OUT} port 333, and so did 7 other hosts, 2025-")
    flood = finding("flood", IN, [], dstaddr=IN, dstport=443)
    (incident,) = incidents_of([flood])
    assert (incident.actors, incident.targets) == ([], [IN])


def test_the_worst_is_what_does_most_harm_and_has_least_against_it():
    scope = Scope(1, 1, 1, 1, LATE, LATE + DAY)
    sure = finding("lateral_movement", "10.0.0.1", ["10.0.0.2"], 4 * HOUR, severity="high", score=0.9)
    shared = finding("exfiltration", "10.0.0.3", OUT, severity="high", score=0.99, uploaders=2, dstport=443)
    scanner = finding("port_scan", "10.0.0.4", ["10.0.0.2"], 60, DAY - 120, severity="high", score=0.99)
    tried = finding("port_scan", "203.0.113.5", ["10.0.0.5"], severity="low", score=0.99)
    ranked = incidents_of([tried, shared, scanner, sure], scope)
    assert [i.actor for i in ranked] == ["10.0.0.1", "10.0.0.3", "10.0.0.4", "203.0.113.5"]
    assert ranked[0].against == []
    assert "as a scanner of yours does" in ranked[2].against[0]
    assert ranked[1].against == [f"2 inside hosts send {OUT} much"]
    twice = incidents_of([sure, finding("beacon", "10.0.0.9", OUT), finding("brute_force", "10.0.0.9", OUT, 60)], scope)
    alone = incidents_of([finding("beacon", "10.0.0.9", OUT), finding("brute_force", "10.0.0.8", IN, 60)], scope)
    assert [len(i.findings) for i in twice] == [1, 2]
    assert [len(i.findings) for i in alone] == [1, 1]


def test_ids_name_kinds_and_stay():
    one = finding("beacon", IN, OUT, dstport=443)
    assert one.id == "beacon/10.0.0.9/198.51.100.7/443@20251009T085320Z"
    assert kind_named(one.id) == kind_of(one) == kind_named(one.id.split("@")[0])
    guesses = finding("brute_force", OUT, IN, sources=25, dstport=22)  # of 25, of which one happens to be first
    assert guesses.id.startswith("brute_force/*/10.0.0.9/22@")
    odd = finding("a/rule", "x/y@z *\n%", [], dstport=None)
    assert kind_named(odd.id) == ("a/rule", "x/y@z *\n%", "", "")
    assert "\n" not in odd.id
    first, again = (
        [json.loads(text)["id"] for text in run_cli("detect", SAMPLE, "--json", "--threads", n).stdout.splitlines()]
        for n in (1, 2)
    )
    assert first == again
    assert len(set(first)) == len(first)
    for wrong in ("", "beacon", "beacon/a/b", "beacon/a/b/x@1", "a/b/c/1/2", "//a/1"):
        with pytest.raises(vf.ArgumentError, match="no finding's"):
            kind_named(wrong)


def test_marking_silences_for_good(tmp_path):
    file = tmp_path / "own.json"
    rows = [json.loads(text) for text in run_cli("detect", SAMPLE, "--json", check=1).stdout.splitlines()]
    done = run_cli(
        "findings", "mark", rows[0]["id"], "--benign", "--reason", "our scanner", "--silences", file, check=0
    )
    assert b"1 silence written" in done.stderr
    left = run_cli("detect", SAMPLE, "--json", "--silences", file, check=1)
    assert [json.loads(text)["id"] for text in left.stdout.splitlines()] == [row["id"] for row in rows[1:]]
    page = run_cli("detect", SAMPLE, "--silences", file, check=1).stdout.decode()
    assert "1 finding silenced: 1 our scanner" in page
    again = run_cli(
        "findings", "mark", *(row["id"] for row in rows), "--benign", "--reason", "x", "--silences", file, check=0
    )
    assert b"1 were there" in again.stderr or b"1 was there" in again.stderr
    none = run_cli("detect", SAMPLE, "--silences", file, check=0).stdout.decode()
    assert none.startswith("nothing found")
    assert f"{len(rows)} findings silenced" in none
    silences = vf.rules.load_silences(file)
    assert {s.until for s in silences} == {0}
    assert silences[0].reason == "our scanner"


def test_silences_of_targets_and_ports():
    one = finding("beacon", IN, OUT, dstport=443)
    silence = vf.rules.Silence("ours", 0, "beacon", IN, "198.51.100.0/24", 443)
    assert silence.covers(one)
    for other in (
        {"port": 80},
        {"target": "203.0.113.0/24"},
        {"actor": "10.0.1.0/24"},
        {"rule": "tunnel"},
        {"until": LATE},
    ):
        assert not dataclasses.replace(silence, **other).covers(one), other
    several = dataclasses.replace(one, targets=[OUT, "203.0.113.1"])
    assert not silence.covers(several)
    assert not silence.covers(dataclasses.replace(one, targets=[]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"silences": [{"reason": "x", "rule": "beacon"}]}', "expected a reason and until"),
        ('{"silences": [{"reason": "x", "actor": "10.0.0.1", "port": 70000}]}', "up to 65,535"),
        ('{"silences": {}}', "expected a list"),
        ("[1]", "expected an object"),
        ("nonsense", "invalid JSON"),
    ],
)
def test_files_that_cannot_take_silences(tmp_path, content, words):
    file = tmp_path / "s.json"
    file.write_text(content)
    name = "beacon/10.0.0.9/198.51.100.7/443"
    done = run_cli("findings", "mark", name, "--benign", "--reason", "x", "--silences", file, check=2)
    assert words in done.stderr.decode()
    assert file.read_text() == content


def test_wrong_marks(tmp_path):
    name = "beacon/10.0.0.9/198.51.100.7/443"
    for args, words in (
        (["mark", "nonsense", "--benign", "--reason", "x"], "no finding's"),
        (["mark", name, "--reason", "x"], "--benign"),
        (["mark", name, "--benign", "--reason", " "], "say why"),
        (["mark", name, "--benign", "--reason", "x", "--until", "soon"], "until"),
        (["mark", name, "--benign", "--reason", "x", "--silences", tmp_path / "x.yaml"], ".json"),
    ):
        extra = [] if "--silences" in args else ["--silences", tmp_path / "s.json"]
        assert words in run_cli("findings", *args, *extra, check=2).stderr.decode()
    assert not (tmp_path / "s.json").exists()
    args = ["mark", "baecon/10.0.0.9/*/*", "--benign", "--reason", "x", "--silences", tmp_path / "s.json"]
    assert b"did you mean 'beacon'" in run_cli("findings", *args, check=0).stderr
    unknown = run_cli("detect", SAMPLE, "--silences", tmp_path / "s.json", check=2).stderr
    assert b"no such rule or detector" in unknown


def test_the_page_fits_a_screen_and_all_has_what_to_do_next(tmp_path):
    lines = [
        f"2 1 eni-1 198.51.100.{i} 10.0.0.{i} 40000 {port} 6 1 40 {1000 + port} {1001 + port} REJECT OK"
        for i in range(1, 15)
        for port in range(60)
    ]
    log = tmp_path / "it's a log.txt"
    head = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    log.write_text("\n".join([head, *lines]) + "\n")
    page = run_cli("detect", log, check=1).stdout.decode()
    assert page.count("\nmedium  198.51.100.") + page.startswith("medium") == 10
    assert len(page.splitlines()) <= 24
    assert "and 4 more incidents: 4 medium (4 port_scan)" in page
    assert "how to silence: --all" in page
    whole = shell(f"vpcflow detect {shlex.quote(str(log))} --all")
    assert whole.returncode == 1
    assert whole.stdout.count("silence: ") == 14
    steps = [
        text.strip().removeprefix("next: ") for text in whole.stdout.splitlines() if text.strip().startswith("next: ")
    ]
    assert len(steps) == 4 * 14
    assert {text.split()[1] for text in steps} == {"sessions", "top", "timeline"}
    for step in steps[:4]:
        done = shell(step)
        assert done.returncode == 0, (step, done.stderr)
        assert "198.51.100." in done.stdout + step


def shell(command):
    own = f'vpcflow() {{ {shlex.quote(sys.executable)} -m vpcflow "$@"; }}\n{command}'
    return subprocess.run(["bash", "-c", own], capture_output=True, text=True, timeout=60, cwd=ROOT)


def test_incidents_as_json_and_html():
    rows = [
        json.loads(text) for text in run_cli("detect", SAMPLE, "--incidents", "--json", check=1).stdout.splitlines()
    ]
    incidents = vf.detect(vf.scan(SAMPLE)).incidents()
    assert [row["story"] for row in rows] == [incident.story for incident in incidents]
    assert sum(len(row["findings"]) for row in rows) == len(vf.detect(vf.scan(SAMPLE), samples=0))
    hostile = dataclasses.replace(finding("rule", "<script>", [], sentence="<script> \x1b[31m"), samples=[])
    shown = incidents_of([hostile])
    assert isinstance(shown[0], Incident)
    for text in (shown._repr_html_(), shown[0]._repr_html_()):
        assert "<script>" not in text
        assert "\x1b" not in text
    assert "\x1b" not in str(shown[0])
