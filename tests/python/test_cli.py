"""The command line: answers, exit codes, messages."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import vpcflow as vf
from conftest import HEADER, SAMPLE, line, run_cli

LOG = HEADER + line(size=5) + line(src="10.0.0.2", dstport=443, size=7, action="REJECT") + line(size=9)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "flow.log"
    path.write_bytes(LOG)
    return path


def rows(done):
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_top(log):
    args = ["top", log, "--by", "srcaddr", "--agg", "bytes=sum(bytes)", "--agg", "flows=count()", "-n", "20", "--json"]
    want = [{"srcaddr": "10.0.0.1", "bytes": 14, "flows": 2}, {"srcaddr": "10.0.0.2", "bytes": 7, "flows": 1}]
    assert rows(run_cli(*args, check=0)) == want
    assert rows(run_cli(*args, "--order-by", "flows", check=0)) == want
    assert rows(run_cli(*args, "--threads", 2, check=0)) == want
    text = run_cli(*args[:-1], check=0).stdout.decode()
    assert text.splitlines()[1].split() == ["10.0.0.1", "14", "2"]


def test_the_same_question_in_every_shape(log, tmp_path):
    packed = tmp_path / "flow.log.gz"
    packed.write_bytes(gzip.compress(LOG[:300]) + gzip.compress(LOG[300:]))
    question = ["--by", "srcaddr", "--agg", "bytes=sum(bytes)", "--json"]
    want = run_cli("top", log, *question, check=0).stdout
    assert run_cli("top", packed, *question, check=0).stdout == want
    assert run_cli("top", "-", *question, stdin=LOG, check=0).stdout == want
    assert run_cli("top", "-", *question, stdin=packed.read_bytes(), check=0).stdout == want
    headless = HEADER.join(LOG.split(HEADER)[1:])
    assert run_cli("top", "-", *question, stdin=headless, check=0).stdout == want


def test_a_custom_format_in_alphabetical_order():
    names = sorted(HEADER.decode().split())
    body = b""
    for row in vf.scan(LOG).collect():
        body += " ".join(str(row[n.replace("-", "_")]) for n in names).encode() + b"\n"
    question = ["--by", "srcaddr", "--agg", "bytes=sum(bytes)", "--json"]
    want = run_cli("top", "-", *question, stdin=LOG, check=0).stdout
    assert run_cli("top", "-", *question, stdin=" ".join(names).encode() + b"\n" + body, check=0).stdout == want
    wanted = " ".join(f"${{{n}}}" for n in names)
    assert run_cli("top", "-", "--format", wanted, *question, stdin=body, check=0).stdout == want
    inferred = run_cli("top", "-", *question, stdin=body, check=0)
    assert inferred.stdout == want
    assert b"taken to be default in alphabetical order (3 of 3 lines)" in inferred.stderr


def test_a_transit_gateway_log():
    made = vf.synth(2000, format="tgw", peers=100, noise_sources=100, header=False)
    done = run_cli(
        "top",
        "-",
        "--format",
        "tgw",
        "--by",
        "tgw_attachment_id",
        "--agg",
        "lost=sum(packets_lost_no_route)",
        "--json",
        stdin=made.data,
        check=0,
    )
    assert all(row["tgw_attachment_id"].startswith("tgw-attach-") for row in rows(done))
    assert sum(row["lost"] for row in rows(done)) > 0


def test_head():
    done = run_cli(
        "head",
        "-",
        "-n",
        2,
        "--json",
        stdin=HEADER + b"2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA\n" + line(),
        check=0,
    )
    first, second = rows(done)
    assert first["log_status"] == "NODATA"
    assert first["srcaddr"] is None
    assert first["start"] == 1431280876
    assert second == {
        "version": 2, "account_id": "123456789010", "interface_id": "eni-1", "srcaddr": "10.0.0.1", "dstaddr": "10.0.0.9",
        "srcport": 40000, "dstport": 22, "protocol": 6, "packets": 10, "bytes": 40, "start": 1000, "end": 1060,
        "action": "ACCEPT", "log_status": "OK",
    }  # fmt: skip
    assert len(rows(run_cli("head", SAMPLE, "-n", 7, "--json", check=0))) == 7


def test_summary():
    noise = (
        HEADER
        + line()
        + line(action="REJECT", dstport=23)
        + b"2 1 eni-2 - - - - - - - 900 960 - NODATA\n2 1 eni-1 - - - - - - - 1 2 - SKIPDATA\nbad line\n"
    )
    done = json.loads(run_cli("summary", "-", "--json", stdin=noise, check=0).stdout)
    want = {
        "records": 4,
        "ok": 2,
        "nodata": 1,
        "skipdata": 1,
        "rejects": 1,
        "files": 1,
        "bytes": 80,
        "packets": 20,
        "start": 1,
        "end": 1060,
    }
    assert {k: done[k] for k in want} == want
    assert done["interfaces_without_data"] == ["eni-2"]
    assert done["top_rejected_ports"][0]["dstport"] == 23
    page = run_cli("summary", "-", stdin=noise, check=0).stdout.decode()
    first = page.splitlines()[0]
    for part in (
        "1970-01-01 00:00:01 to 1970-01-01 00:17:40",
        "4 records",
        "80 B in 20 packets",
        "1 accepted",
        "1 rejected (50.0%)",
    ):
        assert part in first
    for part in (
        "Top talkers",
        "Top rejected ports",
        "23 telnet TCP",
        "without data: eni-2",
        "Lines rejected: 1 (1 too-few-fields)",
        "-:6:9: too-few-fields: bad line",
    ):
        assert part in page
    assert json.loads(run_cli("summary", "-", "--json", "--allow-empty", stdin=b"", check=0).stdout)["records"] == 0
    assert run_cli("summary", SAMPLE, check=0).stdout.startswith(b"2026-11-2")


def test_summary_says_how_many_records_pass():
    def figures(*more):
        got = json.loads(run_cli("summary", "-", "--json", *more, stdin=LOG, check=0).stdout)
        return got["records"], got["matched"], got["bytes"]

    assert figures() == (3, 3, 21)
    assert figures("--where", "bytes > 5") == (3, 2, 16)
    assert figures("--where", "bytes > 5", "--start", "900") == (3, 2, 16)
    assert figures("--where", "bytes > 500") == (3, 0, 0)

    def headline(*more, stdin=LOG):
        return run_cli("summary", "-", *more, stdin=stdin, check=0).stdout.decode().splitlines()[0]

    assert ": 3 records, " in headline()
    assert ": 2 of 3 records pass the filter, " in headline("--where", "bytes > 5")
    assert ": 0 of 3 records pass the filter, " in headline("--where", "bytes > 500")
    assert ": 3 of 3 records pass the filter, " in headline("--where", "bytes > 1")
    quiet = LOG + b"2 1 eni-2 - - - - - - - 900 960 - NODATA\n"
    assert ": 1 of 4 records pass the filter, " in headline("--where", "interface_id = 'eni-2'", stdin=quiet)
    assert ": 4 records, " in headline(stdin=quiet)


def test_relative_times():
    now = int(time.time())
    log = HEADER + b"".join(line(start=now - ago, end=now - ago + 60) for ago in (600, 7200, 200_000))
    for start, want in (("-30m", 1), ("-3h", 2), ("-1d", 2), ("-1w", 3)):
        assert len(rows(run_cli("head", "-", "--start", start, "--json", stdin=log, check=0))) == want
        assert len(vf.scan(log, start=start).collect()) == want
    assert len(rows(run_cli("head", "-", "--start", "-3h", "--end", "-1h", "--json", stdin=log, check=0))) == 1
    assert len(rows(run_cli("head", "-", "--end=-1h", "--json", stdin=log, check=0))) == 2


def test_tables_say_utc_and_have_no_colours(log):
    for args in (["head", log], ["sessions", log], ["coverage", log], ["summary", log]):
        for more in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}):
            command = [sys.executable, "-m", "vpcflow", *map(str, args)]
            page = subprocess.run(command, env={**os.environ, **more}, capture_output=True, check=True, timeout=60).stdout
            assert b"UTC" in page
            assert b"\x1b" not in page


def test_summary_of_a_log_with_few_fields():
    done = run_cli("summary", "-", stdin=b"srcaddr bytes\n10.0.0.1 5\n", check=0)
    assert b": 1 record, 5 B" in done.stdout


def test_convert(log, tmp_path):
    want = vf.scan(LOG).collect().rows()
    run_cli("convert", log, "-o", tmp_path / "a.jsonl", check=0)
    assert [json.loads(text) for text in (tmp_path / "a.jsonl").read_text().splitlines()] == want
    run_cli("convert", log, "-o", tmp_path / "a.csv", "--select", "srcaddr,bytes", "--where", "bytes > 5", check=0)
    assert (tmp_path / "a.csv").read_text() == "srcaddr,bytes\n10.0.0.2,7\n10.0.0.1,9\n"
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    run_cli("convert", log, "-o", tmp_path / "a.parquet", check=0)
    run_cli("convert", log, "-o", tmp_path / "a.arrow", check=0)
    for table in (parquet.read_table(tmp_path / "a.parquet"), pyarrow.ipc.open_file(tmp_path / "a.arrow").read_all()):
        assert table.column("bytes").to_pylist() == [5, 7, 9]
        assert table.schema.field("srcaddr").type == pyarrow.string()
    assert run_cli("convert", log, "-o", "-", "--to", "csv", "--select", "bytes", check=0).stdout == b"bytes\n5\n7\n9\n"
    assert b".parquet" in run_cli("convert", log, "-o", tmp_path / "a.xls", check=2).stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.arrow", "a.csv", "a.jsonl", "a.parquet", "flow.log"]


def test_t12_formulas_in_csv(tmp_path):
    """Every trigger a token can begin with, in every text field, in CSV of the command line and of a result."""
    texts = [f["name"] for f in vf.fields() if f["type"] == "text"]
    for trigger in ("=1+1", "+1", "-1+1", "@SUM(A1)", "=\"x\"", "-", "'=1"):
        log = (" ".join(texts) + "\n" + " ".join([trigger] * len(texts)) + "\n").encode()
        run_cli("convert", "-", "-o", tmp_path / "a.csv", stdin=log, check=0)
        with (tmp_path / "a.csv").open(newline="") as file:
            header, values = csv.reader(file)
        assert len(header) == len(texts)
        wanted = "" if trigger == "-" else trigger if trigger.startswith("'") else "'" + trigger
        assert values == [wanted] * len(texts)
    # Numbers are no texts, and stay as they are.
    run_cli("convert", "-", "-o", tmp_path / "b.csv", stdin=HEADER + line(), check=0)
    assert "'" not in (tmp_path / "b.csv").read_text()


def test_convert_keeps_what_came_before_damage(tmp_path):
    packed = gzip.compress(vf.synth(20_000, peers=100, noise_sources=100).data)
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) // 2])
    done = run_cli("convert", tmp_path / "cut.log.gz", "-o", tmp_path / "a.jsonl", check=2)
    assert b"middle of a gzip member" in done.stderr
    assert 1000 < len((tmp_path / "a.jsonl").read_text().splitlines()) < 20_000
    run_cli("convert", tmp_path / "cut.log.gz", "-o", tmp_path / "b.jsonl", "--where", "actoin = 'x'", check=2)
    assert not (tmp_path / "b.jsonl").exists()


def test_sessions(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(vf.synth(3000, peers=100, noise_sources=100).data)
    wanted = vf.scan(path).sessions().collect().rows()
    assert rows(run_cli("sessions", path, "--json", check=0)) == wanted
    first = rows(run_cli("sessions", path, "--json", "-n", 5, "--order-by", "server_bytes", "--idle", "5m", check=0))
    assert [r["server_bytes"] for r in first] == sorted((r["server_bytes"] for r in wanted), reverse=True)[:5]
    assert b"decided_by" in run_cli("sessions", path, "-n", 3, check=0).stdout
    assert run_cli("sessions", path, "--idle", "soon").returncode == 2


def test_top_per_key_and_having(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(vf.synth(3000, peers=100, noise_sources=100).data)
    got = rows(run_cli("top", path, "--by", "srcaddr,dstaddr", "--agg", "n=count()", "--per", "srcaddr", "-n", 2, "--having", "n > 1", "--json", check=0))
    query = vf.scan(path).group_by("srcaddr", "dstaddr").agg(n=vf.count()).having("n > 1").top_k(2, by="n", per="srcaddr")
    assert got == query.collect().rows()


def test_fields():
    assert [f["name"] for f in rows(run_cli("fields", "--json", check=0))] == [f["name"] for f in vf.fields()]
    assert b"pkt-srcaddr" in run_cli("fields", check=0).stdout


def test_synth(tmp_path):
    out = tmp_path / "logs"
    run_cli(
        "synth",
        "--records",
        9000,
        "--seed",
        5,
        "--plant",
        "beacon,health_check",
        "--peers",
        100,
        "--noise-sources",
        100,
        "--gzip",
        "--files",
        3,
        "--out",
        out,
        check=0,
    )
    assert sorted(p.name for p in out.iterdir()) == [
        "flow-0000.log.gz",
        "flow-0001.log.gz",
        "flow-0002.log.gz",
        "labels.json",
        "manifest.json",
    ]
    labels = json.loads((out / "labels.json").read_text())
    assert [(label["kind"], label["benign"]) for label in labels] == [("beacon", False), ("health_check", True)]
    actor = labels[0]["actor"]
    seen = (
        vf.scan(out)
        .filter(vf.col("srcaddr") == actor)
        .filter("dstport = 8443")
        .agg(n=vf.count(), bytes=vf.sum("bytes"))
        .collect()
        .rows()[0]
    )
    assert seen["n"] >= labels[0]["records"] / 2
    assert b"did you mean 'port_scan'" in run_cli("synth", "--plant", "port_scam", "--out", out, check=2).stderr


@pytest.mark.parametrize(
    ("args", "stdin", "code", "text"),
    [
        (["top", "missing.log"], b"", 2, b"missing.log: no such file or folder"),
        (["top", "-", "--by", "srcadr"], LOG, 2, b"unknown field 'srcadr'; did you mean 'srcaddr'?"),
        (["top", "-", "--where", "dstprot = 22"], LOG, 2, b"did you mean 'dstport'?\n  dstprot = 22\n  ^"),
        (["top", "-", "--format", "${srcadr}"], LOG, 2, b"token 1: unknown field 'srcadr'; did you mean 'srcaddr'?"),
        (["top", "-", "--agg", "sum(bytes)"], LOG, 2, b"expected NAME=FUNCTION(FIELD)"),
        (["top", "-", "--agg", "sum:bites"], LOG, 2, b"did you mean 'bytes'?"),
        (["top", "-", "--columns", "srcadr"], LOG, 2, b"no column 'srcadr'; there are count"),
        (["top", "-", "--tz", "Europe/Berlim"], LOG, 2, b"no such time zone; did you mean 'Europe/Berlin'?"),
        (["top", "-", "--agg", "x=summ(bytes)"], LOG, 2, b"did you mean 'sum'?"),
        (["top", "-", "--order-by", "bites", "--agg", "bytes=sum(bytes)"], LOG, 2, b"did you mean 'bytes'?"),
        (["top", "-", "--every", "5 fortnights"], LOG, 2, b"'30s', '5m'"),
        (["summary", "-"], b"127.0.0.1 - - [10/Oct/2000] GET /\n" * 3, 2, b"do not fit AWS's default format"),
        (["summary", "-"], gzip.compress(LOG, mtime=0)[:-1], 2, b"middle of a gzip member"),
        (["top", "a.log", "a.log"], b"", 2, b"given twice"),
        (
            ["head", "-", "--max-rejects", "0"],
            HEADER + b"bad\n" + line(),
            3,
            b"1 line rejected; the first: -:2:4: too-few-fields: bad",
        ),
        (["head", "-", "--max-rejects", "1"], HEADER + b"bad\n" + line(), 0, b"1 line rejected"),
        (["head", "-", "--on-error", "raise"], HEADER + b"bad\n" + line(), 2, b"-:2:4: too-few-fields"),
        (["summary", "-", "--max-rejects", "0"], HEADER + b"bad\n" + line(), 3, b"1 line was rejected; --max-rejects allows 0"),
        (["nonsense"], b"", 2, b"no 'nonsense'; there are summary, top, "),
        (["sumary", "-"], b"", 2, b"no 'sumary'; did you mean 'summary'?"),
        (["rules", "tset", "x"], b"", 2, b"no 'tset'; did you mean 'test'?"),
        (["convert", "-", "-o", "-", "--to", "cvs"], b"", 2, b"--to: no 'cvs'; did you mean 'csv'?"),
        (["top", "-", "--start", "-2 x"], LOG, 2, b"start='-2 x': expected Unix seconds"),
        (["top", "-", "--start", "soon"], LOG, 2, b"start='soon': expected Unix seconds, a datetime, or text such as"),
    ],
)
def test_mistakes(args, stdin, code, text):
    done = run_cli(*args, stdin=stdin, check=code)
    assert text in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_folder_without_logs(tmp_path):
    (tmp_path / "notes.md").write_text("x")
    done = run_cli("summary", tmp_path, check=2)
    assert b"no flow logs in this folder" in done.stderr
    assert b"1 file of this folder was not read: 1 " in done.stderr


def test_damage_prints_what_was_read_and_exits_with_2():
    done = run_cli("top", "-", "--by", "action", "--json", stdin=gzip.compress(LOG) + gzip.compress(LOG)[:-2], check=2)
    assert len(rows(done)) == 2
    done = run_cli("summary", "-", "--json", stdin=gzip.compress(LOG)[:-2], check=2)
    assert json.loads(done.stdout)["errors"]


def test_hostile_lines_lose_no_neighbour():
    for bad in (
        b"x" * (4 << 20),
        b"2 1 eni-1 \x00 10.0.0.1 1 2 6 1 1 1 2 ACCEPT OK",
        b"\x1b[31mred\x1b[0m",
        b"9" * 23,
        b"\xff\xfe",
    ):
        done = run_cli("summary", "-", "--json", stdin=LOG + bad + b"\n" + line(size=100), check=0)
        got = json.loads(done.stdout)
        assert (got["records"], got["rejects"], got["bytes"]) == (4, 1, 121)
        page = run_cli("head", "-", stdin=LOG + bad + b"\n" + line(), check=0)
        assert all(0x20 <= c < 0x7F or c == 0x0A for c in page.stderr + page.stdout)


def test_help_has_examples():
    for command in ("", "summary", "top", "sessions", "head", "convert", "fields", "synth"):
        page = run_cli(*([command] if command else []), "--help", check=0).stdout
        assert b"example" in page
    assert run_cli("--version", check=0).stdout.decode().split() == ["vpcflow", vf.__version__]


def test_ctrl_c():
    process = subprocess.Popen(
        [sys.executable, "-m", "vpcflow", "summary", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.0)
    sent = time.time()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 130
    assert time.time() - sent < 1
    _, err = process.communicate()
    assert b"interrupted" in err
    assert b"Traceback" not in err


def test_the_answer_for_the_log_of_another_project(corpus):
    duckdb = pytest.importorskip("duckdb")
    path = corpus / "small" / "allenliu-v2_synthetic.log"
    sql = f"select column03, sum(column09)::bigint b from read_csv('{path}', delim=' ', header=false) group by 1 order by b desc, 1 limit 20"
    want = [{"srcaddr": a, "bytes": b} for a, b in duckdb.sql(sql).fetchall()]
    assert (
        rows(run_cli("top", path, "--by", "srcaddr", "--agg", "bytes=sum(bytes)", "-n", 20, "--json", check=0)) == want
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "arrow"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, ending):
    if ending in ("parquet", "arrow"):
        pytest.importorskip("pyarrow")
    (tmp_path / "flow.log").write_bytes(vf.synth(3000, seed=2, peers=100, noise_sources=100).data)
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); from vpcflow.cli import main; "
    code += "sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "convert", "flow.log", "-o", f"out.{ending}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(b"vpcflow: error: ")
    assert b"File too large" in done.stderr
    assert os.listdir(tmp_path) == ["flow.log"]


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [
        ("duckdb", "duckdb", ["sql", SAMPLE, "select 1"]),
        ("pyarrow", "arrow", ["convert", SAMPLE, "-o", "x.parquet"]),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package, extra, command, tmp_path):
    code = f"import sys; sys.modules[{package!r}] = None; from vpcflow.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *map(str, command)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("vpcflow: error: ")
    assert f"pip install 'vpcflow[{extra}]'" in done.stderr
