"""watch, as a process that is killed again and again, with servers that others wrote: Debian's Alertmanager and
syslog-ng (tools/servers.sh), and a webhook."""

import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import ClassVar

import pytest

import vpcflow as vf
from vpcflow import alerts as notify
from vpcflow.findings import Finding

SERVERS = pathlib.Path(__file__).resolve().parents[2] / "build" / "servers"
LIB = SERVERS / "usr" / "lib"
ALERTMANAGER, SYSLOG_NG = SERVERS / "usr/bin/prometheus-alertmanager", SERVERS / "usr/sbin/syslog-ng"

ROUTES = """
route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{hook}/from-alertmanager', send_resolved: false}}]}}]
"""
SYSLOG = """
@version: 3.38
source s {{ syslog(ip("127.0.0.1") port({port}) transport("tcp")); }};
parser head {{ csv-parser(columns({columns}) delimiters(chars("|")) flags(greedy) template("${{MSG}}")); }};
parser pairs {{ kv-parser(prefix("ext.") pair-separator(" ") template("${{cef.extension}}")); }};
parser last {{ regexp-parser(patterns("msg=(?<msg>.*)$") prefix("last.") template("${{cef.extension}}")); }};
destination d {{ file("{out}" template("$(format-json --key cef.* --key ext.* --key last.* --key MSGID --key PRIORITY)\\n")); }};
log {{ source(s); parser(head); parser(pairs); parser(last); destination(d); }};
"""
COLUMNS = ("version", "vendor", "product", "device", "id", "name", "severity", "extension")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent, by path."""

    got: ClassVar[dict] = {}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Hook.got.setdefault(self.path, []).append((self.headers.get("Idempotency-Key"), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def hook():
    Hook.got = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(tmp_path):
    """Starts a server and waits until it answers; all are ended with the test."""
    running = []

    def run(command, port, **env):
        with open(tmp_path / f"{port}.log", "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **env}, cwd=SERVERS)
        running.append(process)
        wait_for(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None, (tmp_path / f"{port}.log").read_text()
        return port

    yield run
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture
def alertmanager(start, hook, tmp_path):
    if not ALERTMANAGER.exists():
        pytest.skip("no Alertmanager: tools/servers.sh build/servers")
    (tmp_path / "alertmanager.yml").write_text(ROUTES.format(hook=hook))
    port = free_port()
    return start([
        ALERTMANAGER, f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ], port)  # fmt: skip


@pytest.fixture
def syslog_ng(start, tmp_path):
    if not SYSLOG_NG.exists():
        pytest.skip("no syslog-ng: tools/servers.sh build/servers")
    port = free_port()
    columns = ", ".join(f'"cef.{name}"' for name in COLUMNS)
    (tmp_path / "syslog-ng.conf").write_text(SYSLOG.format(port=port, columns=columns, out=tmp_path / "syslog.jsonl"))
    libraries = [LIB / "syslog-ng", *LIB.glob("*-linux-gnu"), *(SERVERS / "lib").glob("*-linux-gnu")]
    return start([
        SYSLOG_NG, "--foreground", "--no-caps", f"--module-path={LIB / 'syslog-ng' / '3.38'}", "-f",
        tmp_path / "syslog-ng.conf", "-R", tmp_path / "persist", "-p", tmp_path / "pid", "-c",
        tmp_path / "control",
    ], port, LD_LIBRARY_PATH=":".join(map(str, libraries)))  # fmt: skip


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("by_rule", [False, True])
def test_killed_in_between_and_restarted_it_tells_once(hook, alertmanager, syslog_ng, tmp_path, by_rule):
    folder, out = tmp_path / "logs", tmp_path / "out.jsonl"
    folder.mkdir()
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"name": "scan", "by": "srcaddr", "where": "action = 'REJECT'", "having": "ports >= 15",
                                  "aggregates": {"ports": "n_unique(dstport)"}, "message": "{srcaddr}: {ports}"}]))
    made = vf.synth(20_000, out=tmp_path / "made", seed=5, plant="port_scan", files=6, peers=500, noise_sources=500)
    attackers = {label["actor"] for label in made.labels}
    command = [
        sys.executable, "-m", "vpcflow", "watch", str(folder), "--interval", "1s", "--settle", "1s",
        "--state", str(tmp_path / "w.sqlite"), "--notify", f"jsonl:{out}",
        "--notify", f"http://127.0.0.1:{hook}/direct", "--allow-host", "127.0.0.1",
        "--notify", f"alertmanager+http://127.0.0.1:{alertmanager}", "--notify", f"syslog+tcp://127.0.0.1:{syslog_ng}",
        *(["--rules", str(rules)] if by_rule else []),
    ]  # fmt: skip
    files = sorted(path for path in (tmp_path / "made").rglob("*.log*") if path.is_file())
    assert len(files) == 6
    for i, path in enumerate(files):
        os.replace(path, folder / path.name)
        os.utime(folder / path.name, (1, 1))
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        time.sleep(0.4 + 0.25 * i)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = subprocess.run([*command, "--once"], capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr  # whether this last look made alerts of its own

    alerts = lines_of(out)
    assert {alert["actor"] for alert in alerts} >= attackers
    ids = {alert["id"] for alert in alerts}
    assert len(ids) == len(alerts)
    told = [(alert["detector"], alert["actor"], *alert["targets"][:1], alert["severity"]) for alert in alerts]
    assert len(set(told)) == len(told)
    # A webhook may be told again by a process that was killed before it could note so; the key tells it is the same.
    assert {key for key, _ in Hook.got["/direct"]} == ids
    # Alertmanager has each alert once, and told its own receiver of each once.
    with urllib.request.urlopen(f"http://127.0.0.1:{alertmanager}/api/v2/alerts") as answer:
        there = json.load(answer)
    assert sorted(alert["labels"]["id"] for alert in there) == sorted(ids)

    def passed_on():
        got = [alert["labels"]["id"] for _, body in Hook.got.get("/from-alertmanager", ()) for alert in body["alerts"]]
        return got if set(got) == ids else None

    assert sorted(wait_for(passed_on)) == sorted(ids)
    # syslog-ng took the CEF apart: each field is what the alert has.
    by_id = {alert["id"]: alert for alert in alerts}

    def logged():
        rows = lines_of(tmp_path / "syslog.jsonl")
        return rows if {row["ext"]["externalId"] for row in rows} == ids else None

    for row in wait_for(logged):
        check_cef(row, by_id[row["ext"]["externalId"]])


def check_cef(row, alert):
    head, extension = row["cef"], row["ext"]
    assert [head[name] for name in COLUMNS[:5]] == ["CEF:0", "vpcflow", "vpcflow", "1", alert["detector"]]
    assert (head["name"], head["severity"]) == (alert["sentence"], {"high": "9", "medium": "6", "low": "3"}[alert["severity"]])
    assert (extension["src"], extension.get("dst", "")) == (alert["actor"], "".join(alert["targets"][:1]))
    assert [int(extension[name]) for name in ("start", "end")] == [alert["start"] * 1000, alert["end"] * 1000]
    assert (extension["cs1Label"], extension.get("cs1", "")) == ("technique", alert["technique"])
    assert (extension["cs2Label"], json.loads(extension["cs2"])) == ("evidence", alert["evidence"])
    assert row["last"]["msg"] == alert["sentence"]  # pairs end at a space, which CEF allows in values
    assert (row["MSGID"], row["PRIORITY"]) == (alert["id"][:32], {"high": "crit", "medium": "warning", "low": "notice"}[alert["severity"]])


def test_syslog_ng_reads_every_field_back(syslog_ng, tmp_path):
    channel = notify.channel(f"syslog+tcp://127.0.0.1:{syslog_ng}")
    found = Finding(
        "tunnel", "low", "2001:db8::1", ["2001:db8::2"], 60, 120, 0.9, "T1572", {"bytes": 7, "list": ["a", 2], "share": 0.25}, {},
        "2001:db8::1 sent 7 bytes of DNS to 2001:db8::2",
    )  # fmt: skip
    channel.send(notify.Alert("b" * 64, found))
    (row,) = wait_for(lambda: lines_of(tmp_path / "syslog.jsonl"))
    check_cef(row, {"id": "b" * 64, **found.as_dict()})
