"""watch: files are read once, alerts are told once, also over crashes; channels, and what webhooks refuse."""

import http.server
import json
import os
import socket
import threading
import time

import pytest

import vpcflow as vf
from vpcflow import alerts as notify
from vpcflow import cli
from vpcflow.findings import Finding
from vpcflow.watch import Watch
from vpcflow.watch.evaluation import DetectorWindow
from vpcflow.watch.reading import DAY

HEADER = "srcaddr dstaddr dstport action bytes packets start end\n"
FINDING = Finding("ssh", "high", "10.0.0.1", ["10.0.0.9"], 60, 120, 0.9, "T1110", {"n": 7}, {}, "10.0.0.1 tried it")
ALERT = notify.Alert("a" * 64, FINDING)


def rows(*times, source="10.0.0.1"):
    return HEADER + "".join(f"{source} 10.0.0.9 22 REJECT 40 1 {t} {t + 5}\n" for t in times)


def rule(**keys):
    return vf.rules.of([{"name": "ssh", "by": ["srcaddr", "dstaddr"], "having": "flows >= 3", "message": "{srcaddr}", **keys}])


class Memory:
    """A channel that keeps what it gets, and fails when told to."""

    label = "memory"

    def __init__(self):
        self.got, self.fail = [], 0

    def send(self, alert):
        if self.fail:
            self.fail -= 1
            raise vf.NotifyError("memory: full")
        self.got.append(alert)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def watching(folder, rules, channel=None, **options):
    channels = {} if channel is None else {"memory": channel}
    return Watch(folder, rules, channels, folder.parent / "state.sqlite", settle=0, **options)


def test_counts_go_on_over_files_and_restarts(folder):
    channel = Memory()
    for i in range(5):
        (folder / f"{i}.log").write_text(rows(100 * i))
        watch = watching(folder, rule(), channel)
        assert len(watch.poll()) == (1 if i == 2 else 0), i
        watch.deliver()
        assert watch.poll() == []
        watch.close()
    assert [alert.finding.evidence["flows"] for alert in channel.got] == [3]


def test_bins_far_apart_are_incidents_of_their_own_and_late_ones_are_not_lost(folder):
    watch = watching(folder, rule(every="1m"), throttle="1h")
    far = 10 * 3600
    (folder / "a.log").write_text(rows(far, far + 1, far + 2))
    assert [a.finding.start for a in watch.poll()] == [far]
    (folder / "b.log").write_text(rows(far + 70, far + 71, far + 72))  # the same incident
    assert watch.poll() == []
    (folder / "late.log").write_text(rows(100, 101, 102))
    assert [a.finding.start for a in watch.poll()] == [100]
    (folder / "c.log").write_text(rows(2 * far, 2 * far, 2 * far))
    assert [a.finding.start for a in watch.poll()] == [2 * far]
    assert watch.poll() == []


def test_several_days_and_what_is_forgotten(folder):
    watch = watching(folder, rule(), keep=2)
    (folder / "a.log").write_text(rows(100, DAY + 100))
    assert watch.poll() == []
    (folder / "b.log").write_text(rows(5 * DAY))
    assert watch.poll() == []  # the first days are forgotten
    (folder / "c.log").write_text(rows(5 * DAY + 1, 5 * DAY + 2))
    (alert,) = watch.poll()
    assert alert.finding.evidence["flows"] == 3


def test_an_incident_that_becomes_worse_is_told_again(folder):
    rules = rule(severity="low") + vf.rules.of([{"name": "x", "by": "srcaddr"}])[:0]
    watch = watching(folder, rules)
    (folder / "a.log").write_text(rows(1, 2, 3))
    assert [a.finding.severity for a in watch.poll()] == ["low"]
    watch.close()
    watch = watching(folder, rule(severity="high"))
    (folder / "b.log").write_text(rows(4))
    assert [a.finding.severity for a in watch.poll()] == ["high"]
    (folder / "c.log").write_text(rows(5))
    assert watch.poll() == []


def test_silences(folder, tmp_path):
    file = tmp_path / "rules.json"
    silence = {"rule": "ssh", "actor": "10.0.0.0/24", "reason": "our scanner", "until": "1970-01-02"}
    file.write_text(json.dumps({"rules": [], "silences": [silence]}))
    (own,) = vf.rules.load_silences(file)
    assert own.until == DAY
    channel = Memory()
    watch = watching(folder, rule(), channel, silences=[own], keep=30)
    (folder / "a.log").write_text(rows(1, 2, 3))
    (folder / "b.log").write_text(rows(1, 2, 3, source="10.0.1.1"))
    assert [a.finding.actor for a in watch.poll()] == ["10.0.1.1"]
    (folder / "c.log").write_text(rows(3 * DAY, 3 * DAY, 3 * DAY))
    watch.close()
    for wrong in ({"until": "1970-01-02"}, {"reason": "x"}, {"reason": "x", "until": "soon"}, {"why": "x"}, 3):
        file.write_text(json.dumps({"silences": [wrong]}))
        with pytest.raises(vf.RuleError, match="silence 1"):
            vf.rules.load_silences(file)


def test_sessions_are_counted_when_they_are_over(folder):
    header = "srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"
    line = "10.0.0.1 10.0.0.{} 4000 22 6 1 40 {} {} REJECT\n"
    rules = rule(over="sessions", by="srcaddr", where="action = 'rejected'", message="")
    watch = watching(folder, rules)
    (folder / "a.log").write_text(header + "".join(line.format(i, 100, 110) for i in range(2, 6)))
    assert watch.poll() == []
    watch.close()
    watch = watching(folder, rules)
    (folder / "b.log").write_text(header + line.format(9, 5000, 5010))
    (alert,) = watch.poll()
    assert alert.finding.evidence["flows"] == 4


def test_a_rule_may_be_named_sessions(folder):
    header = "srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"
    line = "10.0.0.1 10.0.0.{} 4000 22 6 1 40 {} {} REJECT\n"
    four = {"having": "flows >= 4"}
    rules = vf.rules.of([{"name": "sessions", **four}, {"name": "talks", "over": "sessions", **four}])
    watch = watching(folder, rules)
    (folder / "a.log").write_text(header + "".join(line.format(i, 100, 110) for i in range(2, 6)))
    assert [a.finding.detector for a in watch.poll()] == ["sessions"]
    (folder / "b.log").write_text(header + line.format(9, 5000, 5010))
    assert [a.finding.detector for a in watch.poll()] == ["talks"]


def test_damaged_and_changing_files(folder):
    told = []
    watch = watching(folder, rule(), log=told.append)
    (folder / "good.log").write_text(rows(1, 2, 3))
    (folder / "bad.log.gz").write_bytes(b"\x1f\x8b\x08\x00garbage")
    assert len(watch.poll()) == 1
    assert "bad.log.gz" in told[0]
    assert "will be retried" in told[0]
    for _ in range(10):
        assert watch.poll() == []
    assert len(told) == Watch.RETRIES
    assert "given up" in told[-1]
    (folder / "good.log").write_text(rows(1, 2, 3, 4, 5, 6))
    assert watch.poll() == []
    assert "changed after it was read" in told[-1]
    (folder / "half.log").write_text("srcaddr dstad")  # a log without records
    assert watch.poll() == []


def test_logs_without_times(folder):
    watch = watching(folder, rule(by="srcaddr"))
    (folder / "a.log").write_text("srcaddr\n10.0.0.1\n10.0.0.1\n")
    assert watch.poll() == []
    (folder / "b.log").write_text("srcaddr\n10.0.0.1\n")
    assert len(watch.poll()) == 1


def test_what_fails_is_delivered_later(folder, monkeypatch):
    channel, told = Memory(), []
    watch = watching(folder, rule(), channel, log=told.append)
    (folder / "a.log").write_text(rows(1, 2, 3))
    watch.poll()
    channel.fail = 2
    assert watch.deliver() == 0
    assert watch.deliver() == 0  # not yet due
    now = time.time()
    monkeypatch.setattr("vpcflow.watch.outbox.time.time", lambda: now + 10)
    assert watch.deliver() == 0
    monkeypatch.setattr("vpcflow.watch.outbox.time.time", lambda: now + 100)
    assert watch.deliver() == 1
    assert watch.deliver() == 0
    assert len(channel.got) == 1
    assert "will be retried" in told[0]


def test_other_files_as_state(folder, tmp_path):
    (tmp_path / "no.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(vf.RuleError, match=r"no\.sqlite"):
        Watch(folder, rule(), {}, tmp_path / "no.sqlite")


def test_a_state_in_use_is_said(folder, monkeypatch):
    monkeypatch.setattr(Watch, "LOCK_SECONDS", 0.1)
    one, two = watching(folder, rule()), watching(folder, rule())
    (folder / "a.log").write_text(rows(1, 2, 3))
    one._store.execute("begin immediate")
    with pytest.raises(vf.RuleError, match="another watch"):
        two.poll()
    one._store.execute("rollback")
    assert len(two.poll()) == 1
    assert one.poll() == []


# -- channels


class Server(http.server.BaseHTTPRequestHandler):
    got, answer = [], 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((self.path, self.headers.get("Idempotency-Key"), json.loads(body)))
        self.send_response(type(self).answer)
        if type(self).answer == 302:
            self.send_header("Location", "http://169.254.169.254/")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    Server.got, Server.answer = [], 200
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_address[1]
    httpd.shutdown()
    httpd.server_close()


def test_webhook_and_alertmanager(server):
    hook = notify.channel(f"http://127.0.0.1:{server}/in?token=secret", allow_hosts=(f"127.0.0.1:{server}",))
    hook.send(ALERT)
    path, key, body = Server.got[0]
    assert (path, key, body["id"], body["actor"]) == ("/in?token=secret", ALERT.id, ALERT.id, "10.0.0.1")
    notify.channel(f"alertmanager+http://127.0.0.1:{server}").send(ALERT)
    path, _, (body,) = Server.got[1]
    assert path == "/api/v2/alerts"
    assert body["labels"] == {
        "alertname": "ssh", "severity": "high", "actor": "10.0.0.1", "targets": "10.0.0.9", "id": ALERT.id,
    }  # fmt: skip
    for answer in (302, 404, 500):
        Server.answer = answer
        with pytest.raises(vf.NotifyError, match=str(answer)) as error:
            hook.send(ALERT)
        assert "secret" not in str(error.value)
    assert len(Server.got) == 5  # redirects are not followed


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest", "https://[fd00:ec2::254]/", "https://127.0.0.1/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:169.254.169.254]/", "https://2130706433/",
        "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/", "https://0.0.0.0/",
        "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/",
        "https://192.0.2.1/", "https://198.18.0.1/", "https://224.0.0.1/", "https://240.0.0.1/",
        "https://255.255.255.255/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[ff02::1]/", "https://[::]/",
        "https://[2002:7f00:1::]/", "https://[64:ff9b::7f00:1]/", "https://[2001:0:7f00:1::1]/",
        "https://localhost/", "https://localhost:8443/x", "https://user:pass@93.184.216.34/",
        "https://user@127.0.0.1/", "http://93.184.216.34/", "http://127.0.0.1/", "http://example.com@127.0.0.1/",
        "https://2852039166/", "https://0xa9fea9fe/", "https://[2001:db8::1]/", "https://169.254.169.254.:443/",
        "https://127.0.0.1:22/",
    ],
)  # fmt: skip
def test_t16_webhooks_refuse_what_is_not_public(url, monkeypatch):
    def no_connection(*args, **kwargs):
        raise AssertionError(f"it connected: {args}")

    monkeypatch.setattr(socket, "create_connection", no_connection)
    with pytest.raises(vf.NotifyError):
        notify.channel(url).send(ALERT)


def test_t16_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A resolver that answers another address the second time."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    went_to = []

    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address, *args, **kwargs):
        went_to.append(address)
        raise OSError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(vf.NotifyError):
        notify.channel("https://rebinding.example/").send(ALERT)
    assert went_to == [("93.184.216.34", 443)]


def test_t17_secrets_are_not_shown(folder, tmp_path, monkeypatch, capsys):
    canary = "CANARY-7f3a"
    urls = [
        f"https://{canary}:{canary}@169.254.169.254/{canary}?{canary}={canary}", f"https://127.0.0.1/{canary}",
        f"alertmanager+http://{canary}:{canary}@127.0.0.1:1/{canary}", f"json://user:{canary}@127.0.0.1:1/{canary}",
    ]  # fmt: skip
    seen = []
    monkeypatch.setenv("HOOK", urls[0])
    secret = tmp_path / "hook"
    secret.write_text(urls[1] + "\n")
    watch = Watch(
        folder, rule(), {str(i): notify.channel(url) for i, url in enumerate([*urls, "env:HOOK", f"file:{secret}"])},
        tmp_path / "state.sqlite", settle=0, log=seen.append,
    )  # fmt: skip
    (folder / "a.log").write_text(rows(1, 2, 3))
    watch.poll()
    assert watch.deliver() == 0
    assert len(seen) == 6
    watch.close()
    state = (tmp_path / "state.sqlite").read_bytes()
    for url in urls:
        try:
            notify.channel(url).send(ALERT)
        except vf.VpcflowError as error:
            seen += [str(error), repr(error)]
        seen.append(repr(notify.channel(url)))
    with pytest.raises(vf.RuleError) as error:
        notify.channel(f"nosuch-scheme://{canary}")
    seen += [str(error.value), capsys.readouterr().out, capsys.readouterr().err]
    assert not [text for text in seen if canary in text]
    assert canary.encode() not in state


def test_channels_that_cannot_be():
    for url in ("", "logs", "https://", "env:NOT_THERE", "file:/nowhere/at/all", "http://[::", "nosuch://x"):
        with pytest.raises(vf.RuleError):
            notify.channel(url)


def test_json_lines_hold_an_alert_once(tmp_path):
    channel = notify.channel(f"jsonl:{tmp_path}/out.jsonl")
    channel.send(ALERT)
    channel.send(ALERT)
    channel.send(notify.Alert("b" * 64, FINDING))
    path = tmp_path / "out.jsonl"
    assert [json.loads(line)["id"][0] for line in path.read_text().splitlines()] == ["a", "b"]
    path.write_bytes(path.read_bytes()[:-20])  # cut by a crash
    channel.send(notify.Alert("b" * 64, FINDING))
    assert [json.loads(line)["id"][0] for line in path.read_text().splitlines()] == ["a", "b"]
    with pytest.raises(vf.NotifyError, match="jsonl"):
        notify.channel(f"jsonl:{tmp_path}/no/folder").send(ALERT)


def test_syslog_and_cef():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)
        notify.channel(f"syslog://127.0.0.1:{udp.getsockname()[1]}").send(ALERT)
        message = udp.recv(65535).decode()
    head, body = message.split(" - CEF:", 1)
    assert head.startswith("<82>1 20")
    assert head.split()[3] == "vpcflow"
    assert body.startswith("0|vpcflow|vpcflow|1|ssh|10.0.0.1 tried it|9|externalId=aaaa")
    got = []

    def receive():
        connection, _ = tcp.accept()
        with connection, connection.makefile("rb") as file:
            got.append(file.read())

    with socket.create_server(("127.0.0.1", 0)) as tcp:
        receiver = threading.Thread(target=receive)
        receiver.start()
        notify.channel(f"syslog+tcp://127.0.0.1:{tcp.getsockname()[1]}").send(ALERT)
        receiver.join(10)
    length, text = got[0].split(b" ", 1)
    assert int(length) == len(text)


def test_cef_escapes_what_logs_may_have():
    hostile = Finding("a|b\\c", "low", "x=1\ny|", [], 0, 1, 0.5, "", {"k": "v=\n|"}, {}, "line one\nline | two = \\")
    text = notify.cef(notify.Alert("i", hostile))
    assert "\n" not in text
    heads = text.replace("\\\\", "").replace("\\|", "").split("|")
    assert heads[6] == "3"
    assert len(heads) > 7
    assert "src=x\\=1\\ny|" in text


# -- end to end


def test_the_command_line(folder, tmp_path, capsys):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [{"name": "ssh", "by": "srcaddr", "having": "flows >= 3"}]}))
    (folder / "a.log").write_text(rows(1, 2, 3))
    os.utime(folder / "a.log", (1, 1))  # long ago, so it is settled
    base = ["watch", str(folder), "--rules", str(rules), "--state", str(tmp_path / "w.sqlite"), "--once"]
    assert cli.main(base) == 1
    assert json.loads(capsys.readouterr().out)["actor"] == "10.0.0.1"
    assert cli.main(base) == 0
    assert capsys.readouterr().out == ""
    assert cli.main([*base, "--notify", "nonsense"]) == 2
    assert "channel" in capsys.readouterr().err


# -- with detectors

TALK = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"


def probes(ports, begin, source="198.51.100.7", target="10.0.0.9"):
    lines = [f"eni-1 {source} {target} 40000 {port} 6 1 40 {begin + i} {begin + i} REJECT\n" for i, port in enumerate(ports)]
    return TALK + "".join(lines)


def test_a_scan_over_several_files_is_told_once_and_again_when_it_is_worse(folder):
    channel = Memory()

    def look(name, ports, begin):
        (folder / name).write_text(probes(ports, begin))
        watch = watching(folder, [], channel, detectors={})  # a new process for each look
        watch.poll()
        watch.deliver()
        watch.close()
        return [(alert.finding.detector, alert.finding.severity, alert.finding.evidence["ports"]) for alert in channel.got]

    assert look("a.log", range(1000, 1020), 1000) == []
    assert look("b.log", range(1020, 1030), 1100) == []  # 30 ports by an outsider, nobody answered: of severity low
    assert look("c.log", range(1030, 1055), 1200) == [("port_scan", "medium", 55)]
    assert look("d.log", range(1055, 1070), 1300) == [("port_scan", "medium", 55)]
    assert look("e.log", range(1070, 1120), 1400)[1:] == [("port_scan", "high", 120)]
    sample = channel.got[1].finding.samples[0]  # of the file that made it worse
    assert (sample["file"], sample["dstport"]) == (str(folder / "e.log"), 1070)


def test_detectors_look_back_for_a_span_and_by_their_settings(folder, monkeypatch):
    def look(name, text, **options):
        (folder / name).write_text(text)
        watch = watching(folder, [], Memory(), **options)
        alerts = [alert.finding.evidence["ports"] for alert in watch.poll()]
        watch.close()
        return alerts

    few = {"only": ["port_scan"], "scan_ports": 10, "scan_hosts": 1000}
    assert look("a.log", probes(range(100, 110), 1000), detectors=few, span="1h", min_severity="low") == [10]
    # Two hours later the first ones are forgotten.
    assert look("b.log", probes(range(110, 118), 9000), detectors=few, span="1h", min_severity="low") == []
    assert look("c.log", probes(range(118, 120), 9100), detectors=few, span="1h", min_severity="low") == [10]
    # Sessions that were cut by another length of silence are not mixed with these.
    assert look("d.log", probes(range(120, 125), 9200, "198.51.100.8"), detectors={**few, "idle": "5m"}, span="1h", min_severity="low") == []
    monkeypatch.setattr(DetectorWindow, "PARTS", 1)
    assert look("e.log", probes(range(125, 130), 9210, "198.51.100.8"), detectors={**few, "idle": "5m"}, span="1h", min_severity="low") == [10]
    watch = watching(folder, [], None, detectors=few)
    assert watch._store.execute("select count(*) from sessions where idle = '5m'").fetchone() == (1,)
    watch.close()
    with pytest.raises(vf.PlanError, match="no setting"):
        watching(folder, [], None, detectors={"scan_port": 3})


def test_detectors_and_logs_that_they_cannot_see(folder):
    notes = []
    (folder / "a.log").write_text("srcaddr dstport\n10.0.0.1 22\n10.0.0.1 22\n10.0.0.1 22\n")
    watch = watching(folder, rule(by="srcaddr"), detectors={}, log=notes.append)
    assert [alert.finding.detector for alert in watch.poll()] == ["ssh"]
    assert "cannot see" in notes[0]
    watch.close()


def test_what_goes_on_is_told_again_if_asked(folder):
    channel = Memory()
    watch = watching(folder, rule(by=["srcaddr", "dstaddr"]), channel, repeat="30m")
    for i in range(8):  # every ten minutes
        begin = 600 * i
        (folder / f"{i}.log").write_text(rows(begin + 1, begin + 2, begin + 3))
        watch.poll()
        watch.deliver()
    watch.close()
    assert [alert.finding.end // 600 for alert in channel.got] == [0, 3, 6]
    assert len({alert.id for alert in channel.got}) == 3


def test_what_is_new_against_a_baseline(folder):
    def talks(target, begin):
        both = [f"eni-1 10.0.0.4 {target} 40000 22 6 20 5000 {begin} {begin + 5} ACCEPT\n",
                f"eni-1 {target} 10.0.0.4 22 40000 6 20 5000 {begin} {begin + 5} ACCEPT\n"]  # fmt: skip
        return TALK + "".join(both)

    usual = vf.detection.baseline(vf.scan(talks("10.0.0.9", 1000).encode()))
    (folder / "a.log").write_text(talks("10.0.0.9", 90_000))
    (folder / "b.log").write_text(talks("10.0.0.10", 90_000))
    watch = watching(folder, [], None, detectors={}, baseline=usual)
    assert [(a.finding.detector, a.finding.targets) for a in watch.poll()] == [("new_admin_edge", ["10.0.0.10"])]
    watch.close()


def test_a_file_that_makes_no_sessions_holds_up_nothing(folder):
    told = []
    rules = [*rule(by="srcaddr"), *rule(name="talks", over="sessions", by="srcaddr")]
    watch = watching(folder, rules, log=told.append)
    header = "srcaddr dstaddr srcport dstport protocol start\n"
    (folder / "b.log").write_text(header + "10.0.0.1 10.0.0.9 40000 22 6 100\n" * 3)
    assert [alert.finding.detector for alert in watch.poll()] == ["ssh"]
    assert told == ["not looked for: talks: some logs lack end"]
    assert watch.poll() == []
    watch.close()


def test_records_with_and_without_times_in_one_look(folder):
    watch = watching(folder, rule(by="srcaddr"))
    (folder / "a.log").write_text("srcaddr\n10.0.0.1\n10.0.0.1\n")
    (folder / "b.log").write_text("srcaddr start end\n10.0.0.1 100 160\n10.0.0.2 100 160\n")
    (alert,) = watch.poll()
    assert (alert.finding.actor, alert.finding.evidence["flows"]) == ("10.0.0.1", 3)
    watch.close()
