"""watch: what cannot be is said at once, with exit codes and never with a traceback; channels of JSON lines."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vpcflow as vf
from vpcflow import alerts as notify
from vpcflow import cli
from vpcflow.findings import Finding
from vpcflow.watch import Watch, status

HEADER = "srcaddr dstaddr dstport action bytes packets start end\n"
FINDING = Finding("ssh", "high", "10.0.0.1", ["10.0.0.9"], 60, 120, 0.9, "T1110", {"n": 7}, {}, "10.0.0.1 tried it")
RULE = {"name": "ssh", "by": "srcaddr", "having": "flows >= 3"}


def alert(letter):
    return notify.Alert(letter * 64, FINDING)


def ids(path):
    return [json.loads(line)["id"][0] for line in path.read_text().splitlines()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text(HEADER + "10.0.0.1 10.0.0.9 22 REJECT 40 1 100 105\n" * 3)
    os.utime(tmp_path / "logs" / "a.log", (1, 1))
    (tmp_path / "rules.json").write_text(json.dumps([RULE]))
    return tmp_path / "logs"


def look(*args, source="logs", rules="rules.json"):
    return cli.main(["watch", source, "--rules", rules, "--once", *map(str, args)])


def one_error(capsys, *parts):
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("vpcflow: error: ")
    for part in parts:
        assert part in line
    assert captured.out == ""


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("jsnl:alerts.jsonl", ["did you mean 'jsonl'?"]),
        ("htps://hooks.example/x", ["htps://", "did you mean 'https'?"]),
        ("syslg://siem", ["did you mean 'syslog'?"]),
        ("nosuch://x", ["channel nosuch://"]),
        ("nonsense", ["a URL such as"]),
        ("https://", ["a URL such as"]),
        ("https://host:99999/", ["invalid URL"]),
        ("http://[::", ["invalid URL"]),
        ("env:NOT_THERE", ["env:NOT_THERE: the variable is not set"]),
        ("env:ITSELF", ["env:ITSELF", "expected a URL in it"]),
        ("file:missing", ["file:missing: No such file"]),
        ("file:logs", ["file:logs: Is a directory"]),
        ("file:/dev/null", ["/dev/null", "empty"]),
        ("file:/dev/urandom", ["/dev/urandom: not a text file"]),
        ("https://169.254.169.254/latest", ["169.254.169.254", "not a public address", "--allow-host 169.254.169.254"]),
        ("https://localhost:8443/", ["localhost", "not a public address"]),
        ("http://93.184.216.34/", ["expected https", "--allow-host 93.184.216.34"]),
        ("https://me:secret@93.184.216.34/", ["refused: a user in the URL"]),
        ("https://a..b/", ["invalid host name"]),
        ("jsonl:no/folder/a.jsonl", ["there is no folder"]),
        ("jsonl:logs", ["it is a folder"]),
        ("jsonl:", ["expected a path"]),
    ],
)
def test_channels_that_cannot_be_are_said_before_anything_is_read(folder, capsys, monkeypatch, url, parts):
    monkeypatch.setenv("ITSELF", "env:ITSELF")
    assert look("--notify", url) == 2
    one_error(capsys, *parts)
    assert not os.path.exists("vpcflow-watch.sqlite")


def test_all_channels_that_cannot_be_are_said(folder, capsys):
    assert look("--notify", "env:NOT_THERE", "--notify", "jsonl:fine.jsonl", "--notify", "nosuch://x") == 2
    assert [line.split()[3] for line in capsys.readouterr().err.splitlines()] == ["env:NOT_THERE:", "nosuch://:"]
    assert sorted(os.listdir()) == ["logs", "rules.json"]


def test_a_missing_extra(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert look("--notify", "slack://a/b/c") == 2
    one_error(capsys, "slack://", "pip install 'vpcflow[notify]'")


@pytest.mark.parametrize("source", ["missing", "missing/*.log", "missing/**/x.log", "logs/none*.log", "empty"])
def test_sources_that_are_not_there(folder, capsys, source):
    os.mkdir("empty")
    assert look(source=source) == 2
    one_error(capsys, f"{source}: no ")
    assert source in ("empty", "logs/none*.log") or not os.path.exists("vpcflow-watch.sqlite")


def foreign(path):
    with sqlite3.connect(path) as db:
        db.execute("create table visits (url text)")
        db.execute("insert into visits values ('https://example.com')")
    db.close()


def test_states_that_are_not_its_own(folder, capsys):
    foreign("browser.sqlite")
    before = Path("browser.sqlite").read_bytes()
    assert look("--state", "browser.sqlite") == 2
    one_error(capsys, "browser.sqlite", "another program")
    assert Path("browser.sqlite").read_bytes() == before
    with open("notes.txt", "w") as file:
        file.write("no database\n" * 100)
    assert look("--state", "notes.txt") == 2
    one_error(capsys, "notes.txt: not a watch state file")
    assert look("--state", "own.sqlite") == 1
    capsys.readouterr()
    with sqlite3.connect("own.sqlite") as db:
        db.execute("pragma user_version = 999")
    db.close()
    assert look("--state", "own.sqlite") == 2
    one_error(capsys, "own.sqlite: written by a newer version of vpcflow")
    for place, part in (("logs", "it is a folder"), ("no/folder/s.sqlite", "there is no folder"), ("/dev/full", "not a regular file")):
        assert look("--state", place) == 2
        one_error(capsys, place, part)


def test_a_full_disk_under_the_state(folder):
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); from vpcflow.cli import main; "
    command = [sys.executable, "-c", code + "sys.exit(main(sys.argv[1:]))", "watch", "logs", "--rules", "rules.json", "--once"]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "vpcflow-watch.sqlite: the state cannot be written: " in done.stderr
    assert look() == 1  # nothing was lost


def test_a_state_that_becomes_full_is_tried_again(folder, capsys):
    told = []
    watch = Watch("logs", vf.rules.of([RULE]), {}, "s.sqlite", settle=0, log=told.append)
    pages = watch._store.execute("pragma page_count").fetchone()[0]
    watch._store.execute(f"pragma max_page_count = {pages}")
    os.mkdir("logs/deep")
    for i in range(200):
        with open(f"logs/deep/{'x' * 200}{i}.log", "w") as file:
            file.write(HEADER)
    with pytest.raises(vf.OutputError, match=r"s\.sqlite: the state cannot be written: .*full"):
        watch.poll()
    watch._store.execute(f"pragma max_page_count = {pages + 10_000}")
    assert [a.finding.actor for a in watch.poll()] == ["10.0.0.1"]
    watch.close()


def test_files_that_are_too_young(folder, capsys):
    for name in ("b.log", "c.log"):
        (folder / name).write_text(HEADER)
        os.utime(folder / name)
    assert look("--settle", "1h") == 1
    assert capsys.readouterr().err == (
        "vpcflow: 2 files are younger than --settle 1h and were not read; run again or --settle 0\n"
    )
    (folder / "b.log").unlink()
    assert look("--settle", "1h") == 0
    assert "1 file is younger than --settle 1h and was not read" in capsys.readouterr().err
    assert look("--settle", "0") == 0
    assert capsys.readouterr().err == ""


def test_exit_codes(folder, capsys):
    assert look() == 1
    assert look() == 0
    (folder / "bad.log.gz").write_bytes(b"\x1f\x8b\x08\x00garbage")
    os.utime(folder / "bad.log.gz", (1, 1))
    assert look() == 2
    captured = capsys.readouterr()
    assert "bad.log.gz" in captured.err
    assert "will be retried" in captured.err
    assert "Traceback" not in captured.err


def test_what_is_not_delivered_is_an_error_of_a_single_look(folder, capsys):
    assert look("--notify", "jsonl:/dev/full", "--notify", "jsonl:good.jsonl") == 2
    assert "not delivered, will be retried: jsonl:/dev/full: No space left on device" in capsys.readouterr().err
    assert len(ids(folder.parent / "good.jsonl")) == 1


def test_pipes_and_its_own_files_in_the_folder_are_not_read(folder, capsys):
    os.mkfifo(folder / "fifo")
    assert look("--notify", "jsonl:logs/alerts.jsonl") == 1
    os.utime(folder / "alerts.jsonl", (1, 1))
    assert look("--notify", "jsonl:logs/alerts.jsonl") == 0
    assert capsys.readouterr().err == ""


# -- rules and silences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("silences: [{reason: x, until: 2027-31-01}]", ["silence 1", "2027-31-01"]),
        ("silences: [{reason: x, until: 2027-02-30}]", ["silence 1", "2027-02-30"]),
        ("silences: [{reason: x, until: 20270131}]", ["silence 1", "20270131", "2026-12-24"]),
        ("silences: [{reason: x, until: yes}]", ["silence 1", "until"]),
        ("silences: [{reason: x, until: 2027-01-31, ruel: ssh}]", ["silence 1", "'ruel'", "did you mean 'rule'?"]),
        ("silences: [{reason: x, until: 2027-01-31, rule: shh}]", ["'shh'", "did you mean 'ssh'?"]),
        ("silences: [{reason: x, until: 2027-01-31, rule: prot-scan}]", ["'prot-scan'", "did you mean 'port_scan'?"]),
        ("silences: [{reason: x}]", ["silence 1", "expected a reason and until"]),
        ("silence: []", ["no key 'silence'", "did you mean 'silences'?"]),
        ("rules2: []", ["no key 'rules2'"]),
    ],
)
def test_files_of_rules_with_slips(folder, capsys, text, parts):
    pytest.importorskip("yaml")
    with open("rules.yaml", "w") as file:
        file.write("rules: [{name: ssh, by: srcaddr, having: flows >= 3}]\n" + text + "\n")
    assert look(rules="rules.yaml") == 2
    one_error(capsys, *parts)
    assert cli.main(["rules", "test", "rules.yaml"]) == 2
    one_error(capsys, *parts)


def test_values_that_yaml_cannot_read_are_no_traceback(folder, capsys):
    pytest.importorskip("yaml")
    for text in ("[{name: !!timestamp 2027-31-01}]", "[{name: !!int x}]", "[{name: " + "9" * 5000 + "}]", "[{? [a] : b}]"):
        with open("rules.yaml", "w") as file:
            file.write(text)
        assert look(rules="rules.yaml") == 2
        one_error(capsys, "rules.yaml")


def test_days_may_be_written_in_every_way_that_yaml_has(folder):
    pytest.importorskip("yaml")
    for day in ("2027-01-31", "'2027-01-31'", "2027-01-31T00:00:00Z", "2027-01-31 00:00:00", "1801353600"):
        with open("rules.yaml", "w") as file:
            file.write(f"silences: [{{reason: x, until: {day}}}]")
        (silence,) = vf.rules.load_silences("rules.yaml")
        assert silence.until == 1801353600, day


def test_hyphens_and_underscores_are_the_same(folder, capsys):
    with_hyphens = vf.rules.of([{
        "name": "r", "by": ["pkt-srcaddr", "interface-id"], "aggregates": {"big-flows": "count() where bytes > 10", "all-flows": "count()",
                                                       "big-share": "ratio(big-flows, all-flows)"},
        "having": ["big-flows >= 1", "big-share > 0.5"], "message": "{pkt_srcaddr}: {big-flows:,} of {all-flows}",
    }])  # fmt: skip
    log = b"interface-id pkt-srcaddr bytes start end\neni-1 10.0.0.1 40 1 2\neni-1 10.0.0.1 50 1 2\neni-1 10.0.0.1 5 1 2\n"
    silence = vf.rules.Silence("ours", 2**31, "port-scan")
    assert silence.covers(Finding("port_scan", "high", "10.0.0.1", [], 0, 1, 0.5, "", {}, {}, ""))
    vf.rules.check_silences([silence], [])
    (finding,) = vf.rules.run(vf.scan(log), with_hyphens)
    assert finding.sentence == "10.0.0.1: 2 of 3"
    assert finding.evidence["big_flows"] == 2
    with pytest.raises(vf.RuleError, match="duplicate name 'a_b'"):
        vf.rules.of([{"name": "r", "aggregates": {"a-b": "count()", "a_b": "count()"}}])
    common = ["detect", "logs/a.log", "--json"]
    assert cli.main([*common, "--set", "scan-ports=50", "--only", "port-scan"]) == cli.main([*common, "--set", "scan_ports=50", "--only", "port_scan"])
    assert cli.main([*common, "--set", "scan-prots=50"]) == 2
    assert "did you mean 'scan_ports'?" in capsys.readouterr().err


# -- JSON lines


def test_json_lines_do_not_read_their_file_again(tmp_path):
    path = tmp_path / "out.jsonl"
    size = 1_000_000
    path.write_text("".join(json.dumps(alert("c").as_dict()) + "\n" for _ in range(size // 300)))
    channel = notify.channel(f"jsonl:{path}")

    def read_by_sending(one):
        def bytes_read():
            with open("/proc/self/io") as file:
                return int(file.readline().split()[1])

        before = bytes_read()
        channel.send(one)
        return bytes_read() - before

    assert read_by_sending(alert("a")) > size / 2
    assert read_by_sending(alert("b")) < 5000
    assert read_by_sending(alert("c")) < 5000  # it was there from the beginning
    assert read_by_sending(alert("a")) < 5000
    assert set(ids(path)) == {"a", "b", "c"}
    assert ids(path)[-2:] == ["a", "b"]


def test_json_lines_after_rotation(tmp_path):
    path = tmp_path / "out.jsonl"
    channel = notify.channel(f"jsonl:{path}")
    channel.send(alert("a"))
    channel.send(alert("b"))
    os.rename(path, tmp_path / "out.jsonl.1")
    channel.send(alert("c"))
    assert ids(path) == ["c"]
    assert ids(tmp_path / "out.jsonl.1") == ["a", "b"]
    path.write_text("")  # copied and cut
    channel.send(alert("d"))
    channel.send(alert("d"))
    assert ids(path) == ["d"]
    another = notify.channel(f"jsonl:{path}")  # of another process
    another.send(alert("e"))
    channel.send(alert("e"))
    assert ids(path) == ["d", "e"]
    path.unlink()
    channel.send(alert("f"))
    assert ids(path) == ["f"]


def test_json_lines_behind_what_somebody_else_wrote(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("a note without an end of line")
    notify.channel(f"jsonl:{path}").send(alert("a"))
    first, second = path.read_text().splitlines()
    assert first == "a note without an end of line"
    assert json.loads(second)["id"] == "a" * 64


def test_json_lines_through_what_is_no_file(tmp_path):
    (tmp_path / "link").symlink_to("real.jsonl")
    notify.channel(f"jsonl:{tmp_path}/link").send(alert("a"))
    assert (tmp_path / "link").is_symlink()
    assert ids(tmp_path / "real.jsonl") == ["a"]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    notify.channel(f"jsonl:{fifo}").send(alert("a"))
    assert json.loads(os.read(reader, 65536))["id"] == "a" * 64
    os.close(reader)
    with pytest.raises(vf.NotifyError, match="No space left"):
        notify.channel("jsonl:/dev/full").send(alert("a"))


def test_names_of_any_characters_are_told_once_with_the_error(folder):
    (folder / "a.log").unlink()
    for name in (b"x\n\x1b[31mred.gz", b"\xff\xfez.gz", b"plain.gz"):
        with open(os.path.join(os.fsencode(str(folder)), name), "wb") as out:
            out.write(b"\x1f\x8b\x08junkjunkjunk")
    said: list[str] = []
    with contextlib.closing(Watch(folder, vf.rules.of([{"name": "any", "having": "flows >= 1"}]), {}, folder / "s.sqlite", settle=0, log=said.append)) as watch:
        watch.poll()
        assert len(watch.damaged) == 3
        assert all(text.startswith("is damaged gzip (unknown header flags set)") for text in watch.damaged.values())
    assert sorted(line.partition(": is damaged")[0] for line in said) == sorted(map(str, watch.damaged))


def test_files_that_change_after_they_were_read_are_one_line_and_in_the_status(folder, capsys):
    (folder / "a.log").unlink()
    log = "srcaddr start end\n10.0.0.1 60 120\n"
    for n in range(10):
        (folder / f"{n}.log").write_text(log)
    rules, said = vf.rules.of([{"name": "any", "having": "flows >= 1"}]), []
    for again in range(2):
        with contextlib.closing(Watch(folder, rules, {}, folder / "s.sqlite", settle=0, log=said.append)) as watch:
            watch.poll()
            for n in range(10 if again else 1):
                (folder / f"{n}.log").write_text(log + f"10.0.0.{n} 60 120\n" * (again + 1))
            watch.poll()
            watch.poll()
    changes = [line for line in said if "changed after" in line]
    assert [line.count(".log") for line in changes] == [1, 1, 3]  # the second process says it again
    assert changes[0].endswith("0.log: changed after it was read; what is new in it is not read")
    assert changes[2].endswith(" and 6 more: changed after they were read; what is new in them is not read")
    assert status(folder / "s.sqlite")["changed"] == 10
    assert cli.main(["watch", "--status", "--state", str(folder / "s.sqlite")]) == 0
    assert "10 files changed after that; what is new in them is not read" in capsys.readouterr().out


def test_a_clock_that_was_wrong_delays_nothing(folder, monkeypatch):
    """What was tried while the clock was ahead is tried now."""
    class Down:
        label, got = "down", 0

        def send(self, alert):
            self.got += 1
            raise vf.NotifyError("down: no answer")

    (folder / "a.log").write_text("srcaddr start end\n10.0.0.1 60 120\n")
    down, now = Down(), time.time()
    with contextlib.closing(Watch(folder, vf.rules.of([{"name": "any", "having": "flows >= 1"}]), {"down": down}, folder / "s.sqlite", settle=0)) as watch:
        watch.poll()
        monkeypatch.setattr(time, "time", lambda: now + 10 * 86400)
        watch.deliver()
        watch.deliver()
        assert down.got == 1  # not due yet
        monkeypatch.setattr(time, "time", lambda: now)
        watch.deliver()
        assert down.got == 2
