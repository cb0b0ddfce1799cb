"""What is seen live: the figures of a watch and of logs equal their aggregates, what is missing is said first."""

import json
import pathlib
import subprocess
import sys
import time

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli
from vpcflow import _display
from vpcflow.cli import main
from vpcflow.detect.settings import Settings
from vpcflow.live import of_logs, picture, read_state, view
from vpcflow.live.sources import LogSource, StateSource
from vpcflow.serve import gather
from vpcflow.watch import Watch, traffic

MADE = vf.synth(6000, seed=3, plant="port_scan", peers=60, noise_sources=60)
KEYS = {"talkers": ["srcaddr"], "ports": ["dstport", "protocol"], "rejected_sources": ["srcaddr"], "rejected_ports": ["dstport", "protocol"]}
WHERE = {"talkers": None, "ports": "dstport < 32768 and action != 'REJECT'", "rejected_sources": "action = 'REJECT'",
         "rejected_ports": "action = 'REJECT'"}  # fmt: skip
HOSTILE = "a\x1b[31m\u202eb[red]c[/red]\x9b0m"


def watched(folder, *pieces, detectors=None, state="w.sqlite"):
    """The state of a watch that looked after each piece of logs had come."""
    (folder / "logs").mkdir(exist_ok=True)
    watch = Watch(folder / "logs", [], {}, folder / state, settle=0, detectors=detectors)
    for number, piece in enumerate(pieces):
        (folder / "logs" / f"{number}.log").write_bytes(piece)
        watch.poll()
    watch.close()
    return folder / state


def pieces(data, n):
    head, *lines = data.splitlines(keepends=True)
    return [head + b"".join(lines[i::n]) for i in range(n)]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return watched(tmp_path_factory.mktemp("live"), *pieces(MADE.data, 3), detectors={})


@pytest.fixture(scope="module")
def logs():
    return of_logs("logs/", gather(vf.scan(MADE.data), settings=Settings()))


@pytest.fixture
def both(state, logs):
    return {"state": read_state(state, None), "logs": logs}


def groups(by, measure, *conditions):
    """Groups and their total, by another way: the measure of each key."""
    flows = vf.scan(MADE.data)
    for condition in filter(None, conditions):
        flows = flows.filter(condition)
    rows = flows.group_by(*by).agg(records=vf.count(), bytes=vf.sum("bytes")).collect().rows()
    return {tuple(row[name] for name in by): row[measure] for row in rows}


@pytest.mark.parametrize("where", ["", "dstport = 443 or action = 'REJECT'"])
@pytest.mark.parametrize("kind", ["state", "logs"])
def test_figures_are_the_aggregates(both, kind, where):
    made = view(both[kind], where=where, rows=1000)
    expected = sum(groups(["action"], "records", where).values())
    if not made.floor:
        assert made.totals["records"] == expected
        assert made.totals["bytes"] == sum(groups(["action"], "bytes", where).values())
        assert made.totals["rejected"] == groups(["action"], "records", where)[("REJECT",)]
    assert {name: sum(row[name] for row in made.bins) for name in made.totals} == made.totals
    for name, panel in made.panels.items():
        own = groups(KEYS[name], panel.measure, WHERE[name], where)
        found = {tuple(row[key] for key in KEYS[name]): row[panel.measure] for row in panel.rows}
        if not panel.floor:
            assert panel.total == sum(own.values())
        assert panel.other == panel.total - sum(found.values())
        assert all(value <= own[key] for key, value in found.items())
        if not panel.floor and panel.other == 0:
            assert found == own
        # Nothing is greater than what stands first.
        assert list(found.values()) == sorted(found.values(), reverse=True)
        assert panel.floor or max(found.values()) == max(own.values())


def test_the_figures_of_logs_are_whole(logs):
    assert not view(logs, where="dstport = 443").floor
    assert len(logs.told) == len(vf.detect(vf.scan(MADE.data)))


def test_when_records_come_does_not_matter(state, tmp_path):
    """What is not cut off is the same, whether it came at once or in parts; sums are the same in any case."""
    once = view(read_state(watched(tmp_path, MADE.data), None)).as_dict()
    parts = view(read_state(state, None)).as_dict()
    for name in ("records", "bytes", "packets", "rejected", "start", "end", "bins", "interface_minutes", "talkers"):
        assert once[name] == parts[name]


def test_records_without_a_time_are_counted_once(tmp_path):
    """Whatever comes after them, in one place of time or in several."""
    now = int(time.time())
    undated = HEADER + line(src="10.0.0.1", start="-", end="-", size=7)
    dated = [HEADER + line(src="10.0.0.2", start=at, end=at + 30, size=100) for at in (now - 900, now - 900, now - 300, now - 900)]
    made = view(read_state(watched(tmp_path, undated, *dated[:2], undated, *dated[2:]), None))
    assert made.totals["records"] == 6
    assert made.totals["bytes"] == 414
    assert [(row["srcaddr"], row["bytes"]) for row in made.panels["talkers"].rows] == [("10.0.0.2", 400), ("10.0.0.1", 14)]


@pytest.mark.parametrize("memory", [1 << 28, 1])
def test_what_is_cut_off_is_other(tmp_path, monkeypatch, memory):
    """Also where there is no memory for all groups."""
    monkeypatch.setattr(traffic, "BUDGET", memory)
    chosen, counted = [], traffic._chosen
    monkeypatch.setattr(traffic, "_chosen", lambda *args: chosen.append(1) or counted(*args))
    few = {name: question._replace(most=2) for name, question in traffic.QUESTIONS.items()}
    monkeypatch.setattr(traffic, "QUESTIONS", few)
    path = watched(tmp_path, *pieces(MADE.data, 3))
    made = view(read_state(path, None), rows=1000)
    slots = len({row["time"] // 300 for row in made.bins})
    for name, panel in made.panels.items():
        own = groups(KEYS[name], panel.measure, WHERE[name])
        assert len(panel.rows) <= 2 * slots
        assert panel.total == sum(own.values())
        assert panel.other == panel.total - sum(row[panel.measure] for row in panel.rows) > 0
        assert panel.floor
        found = {tuple(row[key] for key in KEYS[name]): row[panel.measure] for row in panel.rows}
        assert all(found.get(key, 0) <= size <= found.get(key, 0) + panel.bound for key, size in own.items())
    assert bool(chosen) == (memory == 1)
    asked = view(read_state(path, None), where="dstport = 443")
    assert asked.floor
    assert all(panel.floor for panel in asked.panels.values())
    assert any("the largest flows" in text and "floor" in text for text in asked.unseen)
    assert "at least" in picture(asked)


@pytest.mark.parametrize("kind", ["state", "logs"])
def test_the_last_part_is_that_of_commands(state, logs, kind):
    reading = read_state(state, 1800) if kind == "state" else logs
    made = view(reading, span=1800)
    assert made.end - made.start == 1800
    flows = vf.scan(MADE.data).filter(f"start >= {made.start} and start < {made.end}")
    (row,) = flows.agg(records=vf.count(), bytes=vf.sum("bytes")).collect().rows()
    assert {name: made.totals[name] for name in row} == row
    assert made.panels["talkers"].total == row["bytes"]


def test_times_that_are_wrong_hide_nothing(tmp_path):
    now = int(time.time())
    old = HEADER + line(src="10.0.0.1", start=now - 7200, end=now - 7140)
    future = HEADER + line(src="10.0.0.2", start=4_000_000_000, end=4_000_000_060)
    ancient = HEADER + line(src="10.0.0.3", start=1000, end=1060)
    new = HEADER + line(src="10.0.0.4", start=now - 60, end=now)
    made = view(read_state(watched(tmp_path, old, future, ancient, new), None))
    assert [row["srcaddr"] for row in made.panels["talkers"].rows] == ["10.0.0.1", "10.0.0.4"]
    assert len(made.bins) < 200
    # Of such logs alone the newest counts.
    (tmp_path / "more").mkdir()
    assert view(read_state(watched(tmp_path / "more", ancient), None)).totals["records"] == 1


def test_what_is_old_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(traffic, "KEEP", 3600)
    days = [HEADER + line(start=start, end=start + 60) for start in (1_000_000, 1_010_000, 1_020_000)]
    made = view(read_state(watched(tmp_path, *days), None))
    assert made.totals["records"] == 1


# -- what is not seen ------------------------------------------------------------------------------------------------


def test_nothing_missing_is_said_of_what():
    data = HEADER + b"".join(line(start=at, end=at + 60) for at in range(6000, 12000, 60))
    text = picture(view(of_logs("logs", gather(vf.scan(data), settings=Settings()))))
    assert "nothing that these logs show: 1 interface, 100 minutes of them with traffic, 100 records" in " ".join(text.split())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEADER + line() + b"2 1 eni-1 - - - - - - - 2000 2060 - SKIPDATA\n", "lost records (SKIPDATA): counts are a floor"),
        (HEADER + line() + line(start=9000, end=9060), "have no record: eni-1"),
        (HEADER + line() + b"2 1 eni-1 nonsense\n", "1 line of 2 rejected"),
        (HEADER + b"2 1 eni-1 - - - - - - - 2000 2060 - NODATA\n", "any traffic: 1 record, all NODATA or SKIPDATA"),
        (b"srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 5\n", "coverage: the logs name no interfaces and times"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["state", "logs"])
@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_what_is_missing_stands_first(tmp_path, data, expected, kind):
    if kind == "state":
        reading = read_state(watched(tmp_path, data, detectors={}), None)
    else:
        reading = of_logs("logs", gather(vf.scan(data), settings=Settings()))
    made = view(reading)
    assert any(expected in text for text in made.unseen), made.unseen
    shown = picture(made).splitlines()
    assert shown.index("Not seen:") < next(i for i, text in enumerate(shown) if text.startswith("Bytes"))


def test_a_watch_that_ended_is_said(state, tmp_path):
    assert not any("last looked" in text for text in view(read_state(state, None)).unseen)
    import sqlite3

    path = tmp_path / "w.sqlite"
    with sqlite3.connect(state) as db, sqlite3.connect(path) as copy:
        db.backup(copy)
        copy.execute("update marks set value = value - 3600 where name = 'looked'")
    db.close(), copy.close()
    assert "does it run?" in view(read_state(path, None)).unseen[0]


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ("srcaddr dstaddr bytes start end action", {"ports": "dstport", "rejected_ports": "dstport"}),
        ("srcaddr dstaddr dstport protocol start end", {"rejected_sources": "action", "rejected_ports": "action"}),
        ("dstaddr dstport bytes action", {"talkers": "srcaddr", "rejected_sources": "srcaddr"}),
    ],
)
@pytest.mark.parametrize("kind", ["state", "logs"])
def test_panels_name_the_field_that_is_missing(tmp_path, fields, lacking, kind):
    values = {"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "bytes": "50", "dstport": "22", "protocol": "6", "start": "60",
              "end": "120", "action": "REJECT"}  # fmt: skip
    other = {**values, "srcaddr": "10.0.0.9", "dstport": "23", "bytes": "70"}
    rows = [values, values, other]
    data = "\n".join([fields, *(" ".join(row[name] for name in fields.split()) for row in rows), ""]).encode()
    reading = read_state(watched(tmp_path, data), None) if kind == "state" else of_logs("x", gather(vf.scan(data)))
    made = view(reading)
    assert {name: panel.lacking for name, panel in made.panels.items() if panel.lacking} == lacking
    assert f"the logs have no field {next(iter(lacking.values()))}" in picture(made)
    assert made.totals["records"] == 3
    if "bytes" not in fields:  # records rank
        assert [row["srcaddr"] for row in made.panels["talkers"].rows] == ["10.0.0.1", "10.0.0.9"]


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 63, 80, 200])
def test_pictures_fit(both, width):
    for reading in both.values():
        for where in ("", "srcaddr in '10.0.0.0/8'"):
            lines = picture(view(reading, where=where), width).splitlines()
            assert max(map(len, lines)) <= width


def test_ascii(logs, monkeypatch):
    monkeypatch.setattr(_display, "_encoding", "ascii")
    assert picture(view(logs)).isascii()


def test_spans_of_bars():
    from vpcflow.live.picture import spark

    assert spark([0, 8, 4], 6) == "  ██▄▄"
    assert spark([0, 0, 8, 8], 2) == " █"
    assert spark([], 5) == spark([1], 0) == ""
    assert spark([0, 0], 4) == "    "
    assert spark([10**30, 1], 2) == "█▁"


def test_hostile_texts_never_reach_a_terminal(tmp_path):
    name = "eni-[red]\u202e\u2066\u200f\xad[/red]"  # control characters are no text of a line
    row = line(start=6000, end=6060).replace(b"eni-1", name.encode())
    data = HEADER + row + row.replace(b"6000 6060", b"9000 9060")
    for reading in (read_state(watched(tmp_path, data), None), of_logs(HOSTILE, gather(vf.scan(data)))):
        text = picture(view(reading))
        assert all(c.isprintable() or c == "\n" for c in text)
    assert "a\\x1b[31m\\u202eb[red]c[/red]\\x9b0m" in text
    assert "eni-[red]\\u202e\\u2066\\u200f\\xad[/red]" in text


# -- the command -----------------------------------------------------------------------------------------------------


def command(capsys, *args):
    code = main(["live", *map(str, args)])
    return code, *capsys.readouterr()


def test_the_command(state, tmp_path, capsys):
    folder = state.parent / "logs"
    code, out, err = command(capsys, "--state", state, "--once", "--json", "--span", "all", "-n", 3)
    one = json.loads(out)
    assert (code, err) == (0, "")
    code, out, _ = command(capsys, folder, "--once", "--json", "-n", 3)
    other = json.loads(out)
    assert code == 0
    assert list(one) == list(other)
    assert {name: one[name] for name in ("records", "bytes", "packets", "rejected")} == {
        name: other[name] for name in ("records", "bytes", "packets", "rejected")
    }
    assert one["records"] == json.loads(run_cli("summary", folder, "--json", check=0).stdout)["ok"]
    assert len(one["talkers"]["rows"]) == 3
    code, out, _ = command(capsys, folder)  # not a terminal: as --once
    assert code == 0
    assert out.startswith(f"{folder}: 20")
    code, out, _ = command(capsys, "--state", state, "--where", "dstport = 22", "--json", "--once")
    assert json.loads(out)["where"] == "dstport = 22"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["nowhere"], "no such file"),
        (["EMPTY"], "it is empty"),
        (["--state", "nowhere.sqlite"], "no such state file"),
        (["--state", "TEXT"], "not a watch state file"),
        (["--state", "NEW"], "has read no records yet"),
        (["--state", "OLD"], "a state of an older version; the next run of the watch migrates it"),
        (["--state", "STATE", "--where", "dstprot = 22"], "did you mean"),
        (["--state", "STATE", "--where", "bytes > 5"], "held are srcaddr, dstaddr, dstport, protocol, action"),
        (["--state", "STATE", "--start", "-2h"], "of a state --span is shown"),
        (["--state", "STATE", "--span", "soon"], "--span"),
        (["--state", "STATE", "--state", "STATE"], "given twice"),
    ],
)  # fmt: skip
def test_wrong_input(state, tmp_path, capsys, args, expected):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("srcaddr\n")
    Watch(tmp_path / "empty", [], {}, tmp_path / "new", settle=0).close()
    import sqlite3

    with sqlite3.connect(tmp_path / "old") as db:
        db.executescript((pathlib.Path(__file__).parent / "golden" / "watch-5.sql").read_text())
    db.close()
    places = {"EMPTY": "empty", "TEXT": "text", "NEW": "new", "OLD": "old"}
    words = [str(state) if word == "STATE" else str(tmp_path / places[word]) if word in places else word for word in args]
    code, out, err = command(capsys, *words, "--once")
    assert (code, out) == (2, "")
    assert expected in " ".join(err.split())


def test_a_state_that_is_being_written_is_read(state, tmp_path):
    """Reading waits for nobody, and sees what was before the transaction."""
    import sqlite3

    before = view(read_state(state, None)).as_dict()
    db = sqlite3.connect(state, isolation_level=None)
    db.execute("begin immediate")
    db.execute("delete from traffic")
    try:
        assert view(read_state(state, None)).as_dict() == before
    finally:
        db.execute("rollback")
        db.close()


def test_objects_come_until_the_reader_has_enough(state):
    command = [sys.executable, "-m", "vpcflow", "live", "--state", str(state), "--json", "--refresh", "1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    assert first["records"] == second["records"] > 0


def test_sources_tell_what_is_new(tmp_path):
    path = watched(tmp_path, HEADER + line())
    source = StateSource(str(path))
    assert source.read(None).figures.report.records == 1
    assert not source.is_new()
    watched(tmp_path, HEADER + line(), HEADER + line(src="10.0.0.7"))
    assert source.is_new()
    assert source.read(None).figures.report.records == 2
    folder = tmp_path / "logs"
    read = LogSource([str(folder)], lambda: vf.scan(folder), lambda flows, _: gather(flows), "logs/")
    one = read.read(None)
    assert read.read(None) is one
    assert not read.is_new()
    (folder / "0.log").write_bytes(HEADER + line() + line())
    assert read.is_new()
    assert sum(row["records"] for row in read.read(None).figures.totals) == 3
    assert not LogSource(["s3://bucket/"], vf.scan, gather, "").is_new()
