"""What users may write shorter: names, sizes, aggregates; and what commands write for them to begin with."""

import json
import sqlite3

import pytest

import vpcflow as vf
from conftest import HEADER, SAMPLE, line, run_cli
from vpcflow.watch import Watch, status

LOG = HEADER + line(size=5) + line(src="10.0.0.2", dstport=443, size=2_000_000, action="REJECT") + line(size=9)
SHORT = {
    "src": "srcaddr", "dst": "dstaddr", "src_addr": "srcaddr", "dst-addr": "dstaddr", "src_port": "srcport", "dst-port": "dstport",
    "sport": "srcport", "DPORT": "dstport", "proto": "protocol",
}  # fmt: skip


def rows(done):
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.mark.parametrize(("short", "name"), SHORT.items())
def test_short_names(short, name):
    flows = vf.scan(LOG)
    assert flows.select(short).collect().columns == [name]
    assert flows.group_by(short).agg(n=vf.count()).collect().columns == [name, "n"]
    assert flows.agg(n=vf.n_unique(short)).collect().rows() == flows.agg(n=vf.n_unique(name)).collect().rows()
    value = repr(flows.collect()[name][0])
    assert flows.filter(f"{short} = {value}").collect().rows() == flows.filter(f"{name} = {value}").collect().rows()
    assert flows.filter(vf.col(short).is_not_null()).agg(n=vf.count()).collect()["n"] == [3]
    assert run_cli("top", "-", "--by", short, "--json", stdin=LOG, check=0).stdout == run_cli("top", "-", "--by", name, "--json", stdin=LOG, check=0).stdout


def test_columns_of_the_logs_come_before_short_names(quiet):
    log = b"srcaddr bytes action src proto\n10.0.0.1 5 ACCEPT here x\n"
    assert vf.scan(log).select("src", "proto").collect().rows() == [{"src": "here", "proto": "x"}]
    assert len(vf.scan(log).filter("src = 'here' and proto = 'x'").collect()) == 1
    with pytest.raises(vf.FieldError, match="unknown field 'srce'"):
        vf.scan(LOG).select("srce").collect()


def test_short_names_are_no_names_of_header_lines(quiet):
    assert vf.scan(b"src srcaddr bytes\nx 10.0.0.1 5\n").collect().columns == ["src", "srcaddr", "bytes"]


@pytest.mark.parametrize(
    ("condition", "n"),
    [("bytes > 1MB", 1), ("bytes >= 2mb", 1), ("bytes = 2000kB", 1), ("bytes < 1KiB", 2), ("bytes > 1.9MiB", 1), ("bytes in (5B, 9b)", 2)],
)
def test_sizes_in_filters(condition, n):
    assert len(vf.scan(LOG).filter(condition).collect()) == n
    assert len(rows(run_cli("head", "-", "--where", condition, "--json", stdin=LOG, check=0))) == n


def test_sizes_beside_filters():
    done = run_cli("top", "-", "--by", "src", "--agg", "b=sum:bytes", "--having", "b > 1MB", "--json", stdin=LOG, check=0)
    assert [row["srcaddr"] for row in rows(done)] == ["10.0.0.2"]
    with pytest.raises(vf.FilterError, match="\\^"):
        vf.scan(LOG).filter("bytes > 1 MB").collect()


def test_sizes_in_settings():
    found = {text: len(vf.detect(vf.scan(SAMPLE), only=["exfiltration"], exfil_bytes=text, samples=0)) for text in ("500MB", "25GB", "25GiB")}
    assert found == {"500MB": 2, "25GB": 1, "25GiB": 1}
    assert found["25GB"] == len(vf.detect(vf.scan(SAMPLE), only=["exfiltration"], exfil_bytes=25_000_000_000, samples=0))
    args = ["detect", SAMPLE, "--only", "exfiltration", "--samples", 0, "--json"]
    assert len(rows(run_cli(*args, "--set", "exfil_bytes=25GB", check=1))) == 1
    assert b"exfil_bytes='much': expected a number of bytes" in run_cli(*args, "--set", "exfil_bytes=much", check=2).stderr
    with pytest.raises(vf.PlanError, match="exfil_bytes='1 parsec': expected a number of bytes"):
        vf.detect(vf.scan(SAMPLE), exfil_bytes="1 parsec")


@pytest.mark.parametrize(
    ("given", "name", "call"),
    [
        ("sum:bytes", "sum_bytes", "sum(bytes)"),
        ("b=sum:bytes", "b", "sum(bytes)"),
        ("count", "count", "count()"),
        ("n=count", "n", "count()"),
        ("n=count:", "n", "count()"),
        ("max:pkt_srcaddr", "max_pkt_srcaddr", "max(pkt_srcaddr)"),
        ("p=quantile:bytes:0.9", "p", "quantile(bytes, 0.9)"),
        ("b=sum(bytes) where action = 'REJECT'", "b", "sum(bytes) where action = 'REJECT'"),
    ],
)
def test_aggregates_that_no_shell_minds(given, name, call, quiet):
    log = HEADER.replace(b"\n", b" pkt-srcaddr\n") + line().replace(b"\n", b" 10.0.0.1\n")
    try:
        want = vf.scan(log).agg(**{name: call}).collect().rows()
    except vf.PlanError:  # such as of addresses
        run_cli("top", "-", "--agg", given, stdin=log, check=2)
        return
    assert rows(run_cli("top", "-", "--agg", given, "--json", stdin=log, check=0)) == want
    assert rows(run_cli("top", "-", "--agg", f"{name}={call}", "--json", stdin=log, check=0)) == want


def test_derived_columns_are_still_derived():
    done = run_cli("top", "-", "--agg", "b=sum:bytes", "--agg", "n=count", "--agg", "each=b/n", "--json", stdin=LOG, check=0)
    assert rows(done)[0]["each"] == pytest.approx(2_000_014 / 3)


def test_rules_to_begin_with(tmp_path):
    pytest.importorskip("yaml")
    out = tmp_path / "rules.yaml"
    run_cli("rules", "new", "-o", out, check=0)
    assert run_cli("rules", "new", check=0).stdout.decode() == out.read_text()
    assert run_cli("rules", "test", out, check=0).stdout == b"2 rules, 2 examples, 0 wrong\n"
    own = vf.rules.load(out)
    assert {rule.name for rule in own} == {"rdp-from-outside", "much-sent-by-one-host"}
    assert vf.rules.run(vf.scan(SAMPLE), own)
    out.write_text("mine")
    assert b"is there already" in run_cli("rules", "new", "-o", out, check=2).stderr
    assert out.read_text() == "mine"


def test_status_of_a_watch(tmp_path):
    logs, state = tmp_path / "logs", tmp_path / "state.sqlite"
    logs.mkdir()
    (logs / "a.log").write_bytes(HEADER + line() + line())
    (logs / "b.log").write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(vf.SourceNotFoundError, match="no such state file"):
        status(state)
    assert not state.exists()
    rules = vf.rules.of([{"name": "busy", "by": "srcaddr", "having": "flows >= 2", "severity": "high"}])

    class Down:
        label = "down"

        def send(self, alert):
            raise vf.NotifyError("down")

    watch = Watch(logs, rules, {"x": Down()}, state, settle=0)
    watch.poll()
    watch.deliver()
    now = status(state)  # while the watch has it
    (sink,) = now["sinks"]
    assert sink | {"next_try": 0, "since": 0} == {
        "sink": "down (findings)", "waiting": 1, "bytes": 0, "sent": 0, "dead": 0, "failures": 1, "next_try": 0, "why": "down",
        "since": 0,
    }  # fmt: skip
    assert now | {"newest": 0, "last_alert": 0, "next_try": 0, "sinks": []} == {
        "files": 1, "unreadable": 1, "changed": 0, "events": 0, "late": 0, "newest": 0, "incidents": 1, "by_severity": {"high": 1}, "alerts": 1, "silenced": 0,
        "last_alert": 0, "undelivered": 1, "failing": 1, "next_try": 0, "dead": 0, "event_files": 0, "events_held": 0, "records_held": 0,
        "matches": 0, "provisional": 0, "next_match": None, "newest_event": {}, "lateness": {}, "sinks": [],
    }  # fmt: skip
    assert abs(now["newest"] - (logs / "a.log").stat().st_mtime) < 2
    assert now["next_try"] >= now["last_alert"] >= now["newest"]
    assert sink["next_try"] > sink["since"] >= int(now["last_alert"])
    before = state.read_bytes()
    page = run_cli("watch", "--status", "--state", state, check=0).stdout.decode()
    assert "1 file read, 1 unreadable" in page
    assert "1 incident: 1 high" in page
    assert "1 delivery pending, 1 failing; next try at " in page
    assert json.loads(run_cli("watch", "--status", "--json", "--state", state, check=0).stdout) == now
    assert state.read_bytes() == before
    watch.close()
    (tmp_path / "text").write_text("x" * 2000)
    for other in (tmp_path / "text", SAMPLE):
        assert b"not a watch state file" in run_cli("watch", "--status", "--state", other, check=2).stderr
    sqlite3.connect(tmp_path / "other.sqlite").execute("create table a (b)").connection.commit()
    assert b"another program" in run_cli("watch", "--status", "--state", tmp_path / "other.sqlite", check=2).stderr
