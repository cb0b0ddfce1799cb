"""`vpcflow grafana try`: what it starts, what these get, and that nothing stays. Here the programs are small ones of this
test; test_grafana_live.py has the real ones."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

import vpcflow as vf
from conftest import SAMPLE
from vpcflow.cli import main

STAND_IN = f"""#!{sys.executable}
import http.server, pathlib, signal, sys
folder = pathlib.Path(__file__).parent
own = pathlib.Path(__file__).name
flags = dict(argument[1:].split("=", 1) for argument in sys.argv[1:])
class Asked(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.partition("?")[0].strip("/").replace("/", "_")
        if body:
            (folder / (own + "." + name)).write_bytes(body)
        there = not (name.endswith("vmui") and (folder / "no-page").exists())
        self.send_response(200 if there else 404)
        self.end_headers()
        lines = folder / (own + ".insert_jsonline")
        if name == "select_logsql_query":
            self.wfile.write(b'{{"n":"%d"}}' % lines.read_bytes().count(b"\\n"))
    do_GET = do_POST = answer
    def log_message(self, *_):
        pass
if (folder / "broken").exists():
    sys.exit("no room here")
(folder / (own + ".flags")).write_text(repr(flags))
host, port = flags["httpListenAddr"].split(":")
http.server.ThreadingHTTPServer((host, int(port)), Asked).serve_forever()
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("victoria-metrics", "victoria-logs"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    (tmp_path / "t").mkdir()
    for name, value in (("PATH", folder), ("TMPDIR", tmp_path / "t"), ("HOME", tmp_path), ("GOBIN", ""), ("GOPATH", "")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return folder


def trial(*args):
    return subprocess.Popen(
        [sys.executable, "-m", "vpcflow", "grafana", "try", *map(str, args), "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(vf.__file__).parents[1])},
    )  # fmt: skip


def test_what_is_installed_gets_the_logs_and_ends_with_the_command(programs, tmp_path):
    process = trial(SAMPLE, "--open")
    shown = {row["name"]: row for row in (json.loads(process.stdout.readline()) for _ in range(2))}
    assert set(shown) == {"victoriametrics", "victorialogs"}
    for row in shown.values():
        assert row["page"].startswith(row["url"] + "/")
        assert urllib.parse.urlsplit(row["url"]).hostname == "127.0.0.1"
        urllib.request.urlopen(row["url"] + "/health", timeout=10)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=20)[1]
    assert process.returncode == 0, errors
    assert "no display here" in errors
    for row in shown.values():
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(row["url"] + "/health", timeout=10)
    assert list((tmp_path / "t").iterdir()) == []

    flows = vf.scan(str(SAMPLE))
    everything = len(flows.filter("log_status is null or log_status is not null").collect())
    lines = [json.loads(line) for line in (programs / "victoria-logs.insert_jsonline").read_text().splitlines()]
    assert len(lines) == everything
    samples = [line.rsplit(" ", 2) for line in (programs / "victoria-metrics.api_v1_import_prometheus").read_text().splitlines()]
    last = max(int(time) for _, _, time in samples)
    ends = {name: float(value) for name, value, time in samples if int(time) == last}
    assert last > 10**12
    total = sum(value for name, value in ends.items() if name.startswith("vpcflow_bytes_total"))
    assert total == flows.agg(n=vf.sum("bytes")).collect()["n"][0]
    assert sum(value for name, value in ends.items() if name.startswith("vpcflow_findings")) == len(vf.detect(flows))
    for name in ("victoria-metrics", "victoria-logs"):
        assert "'retentionPeriod': '100y'" in (programs / f"{name}.flags").read_text()


def test_a_killed_command_leaves_no_server(programs):
    process = trial(SAMPLE, "--with", "victoriametrics", "--no-detect")
    url = json.loads(process.stdout.readline())["url"]
    process.kill()
    process.communicate()
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=10)
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError("it still answers")


def test_without_logs_it_makes_some(programs):
    process = trial("--with", "victorialogs", "--no-detect")
    assert json.loads(process.stdout.readline())["has"] == "30,000 records"
    process.send_signal(signal.SIGINT)
    assert "made records" in process.communicate(timeout=20)[1]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (b"srcaddr bytes\n10.0.0.1 5\n", "the records have no time"),
        (b"interface-id start end log-status\neni-1 1700000000 1700000060 NODATA\n", "no record (1 NODATA, 0 SKIPDATA)"),
        (b"", "no record was read"),
    ],
)
def test_logs_that_cannot_be_drawn_are_refused(programs, tmp_path, capsys, log, says):
    (tmp_path / "a.log").write_bytes(log)
    assert main(["grafana", "try", str(tmp_path / "a.log")]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("made", "args", "says"),
    [
        ("broken", ["--with", "victorialogs"], "victoria-logs: it did not start: no room here"),
        ("no-page", ["--with", "victoriametrics"], "this build has no page"),
        ("", ["--with", "victorialog"], "did you mean 'victorialogs'"),
        ("", ["--with", "victorialogs", "--where", "dstport = 70000"], "70000"),
    ],
)
def test_what_fails_is_said(programs, tmp_path, capsys, made, args, says):
    if made:
        (programs / made).touch()
    try:
        code = main(["grafana", "try", str(SAMPLE), "--no-detect", *args])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert says in capsys.readouterr().err
    assert list((tmp_path / "t").iterdir()) == []


def test_without_programs_it_says_how_to_get_them(programs, capsys):
    for name in ("victoria-metrics", "victoria-logs"):
        (programs / name).unlink()
    assert main(["grafana", "try", str(SAMPLE)]) == 2
    said = capsys.readouterr().err
    assert "no victoria-metrics and no victoria-logs on PATH" in said
    assert said.count("go install ") == 2
