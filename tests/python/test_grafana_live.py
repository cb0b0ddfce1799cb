"""What foreign servers say of our dashboards: Prometheus, VictoriaLogs and VictoriaMetrics get the data and each query of
each panel, and answer what our aggregates are; Grafana's published types check the JSON. For `make soak`; what is not
there is skipped. `VPCFLOW_GRAFANA_TOOLS` names a folder with the programs and, in `grafana/node_modules`, `@grafana/schema` and
`typescript`, beside those of build/servers."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, run_cli
from grafana_page import check, expanded, logs, ours
from vpcflow import _core
from vpcflow.detect.settings import Settings
from vpcflow.grafana import SOURCES, alert_rules, dashboard, victoriametrics
from vpcflow.grafana.panels import PANELS
from vpcflow.grafana.stand_ins import draw
from vpcflow.serve import Board, Server, exposition, gather, history
from vpcflow.serve.board import SERVICES

pytestmark = pytest.mark.skipif(not LONG, reason="foreign servers: make soak")

TOOLS = [pathlib.Path(os.environ.get("VPCFLOW_GRAFANA_TOOLS", "/nonexistent")), ROOT / "build" / "servers"]
NO_PORTS = "version account-id interface-id srcaddr dstaddr protocol packets bytes start end action log-status"
NO_ACTION = "interface-id srcaddr dstaddr srcport dstport protocol bytes start end log-status"
EVERY = " ".join(one.name for one in vf.fields())
MADE = vf.synth(6000, seed=3, plant="port_scan", peers=60, noise_sources=60)


def program(name):
    for folder in TOOLS:
        for place in ("", "bin", "usr/bin"):
            if os.access(folder / place / name, os.X_OK):
                return str(folder / place / name)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here")
    return found


@contextlib.contextmanager
def running(arguments, url, log):
    with open(log, "wb") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=out)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=5).read()
                break
            assert process.poll() is None, pathlib.Path(log).read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def asked(url, **parameters):
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def figures():
    return gather(vf.scan(MADE.data), settings=Settings())


def span(figures):
    times = [row["time"] for row in figures.bins]
    return min(times), max(times) + 300


def test_promtool_takes_metrics_and_rules(figures, tmp_path):
    promtool = program("promtool")
    subprocess.run([promtool, "check", "metrics"], input=exposition(Board(figures)).encode(), check=True)
    pytest.importorskip("yaml")
    run_cli("grafana", "alerts", "--source", "prometheus", "--for", "prometheus", "-o", tmp_path / "rules.yaml", check=0)
    subprocess.run([promtool, "check", "rules", tmp_path / "rules.yaml"], check=True)
    (tmp_path / "rules.yaml").write_text((tmp_path / "rules.yaml").read_text().replace("sum(", "sum((", 1))
    assert subprocess.run([promtool, "check", "rules", tmp_path / "rules.yaml"], check=False).returncode != 0


def test_prometheus_answers_each_panel(figures, tmp_path):
    prometheus, promtool = program("prometheus"), program("promtool")
    (tmp_path / "h.om").write_text("".join(history(figures)))
    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", tmp_path / "h.om", tmp_path / "data"], check=True)
    server = Server("127.0.0.1", 0, Board(figures))
    thread = threading.Thread(target=server.run)
    thread.start()
    port = free_port()
    (tmp_path / "p.yaml").write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "vpcflow", "static_configs": [{"targets": [server.url[7:-1]]}]}],
    }))  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    arguments = [
        prometheus, f"--config.file={tmp_path / 'p.yaml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
        "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    try:
        with running(arguments, f"{url}/-/ready", tmp_path / "log"):
            for _ in range(100):
                if asked(f"{url}/api/v1/query", query="vpcflow_bytes_total")["data"]["result"]:
                    break
                time.sleep(0.2)
            start, end = span(figures)
            made = dashboard("prometheus")
            count = 0
            for panel in made["panels"]:
                for target in panel["targets"]:
                    query = expanded(target["expr"], made, start, end)
                    if target["instant"]:
                        found = asked(f"{url}/api/v1/query", query=query)
                    else:
                        found = asked(f"{url}/api/v1/query_range", query=query, start=start, end=end, step=300)
                    assert found["data"]["result"], (panel["title"], query)
                    count += 1
            assert count >= 12
            total = vf.scan(MADE.data).group_by("action").agg(n=vf.sum("bytes")).collect()
            for time_ in (end, None):  # of the history, and of what is scraped
                when = {} if time_ is None else {"time": time_}
                query = "sum by (action) (vpcflow_bytes_total)"
                if time_ is not None:
                    query = 'sum by (action) (vpcflow_bytes_total{job=""})'
                found = asked(f"{url}/api/v1/query", query=query, **when)["data"]["result"]
                assert {r["metric"]["action"]: int(r["value"][1]) for r in found} == {r["action"]: r["n"] for r in total}
            refused = 'sum by (service) (vpcflow_service_records_total{job="",action="REJECT"})'
            found = asked(f"{url}/api/v1/query", query=refused, time=end)["data"]["result"]
            ports = vf.scan(MADE.data).filter("action = 'REJECT'").group_by("dstport").agg(n=vf.count()).collect()
            known = {name: port for port, name in SERVICES.items()}
            counts = {r["metric"]["service"]: int(r["value"][1]) for r in found}
            assert sum(counts.values()) == sum(ports["n"])
            by_port = {row["dstport"]: row["n"] for row in ports}
            assert all(by_port.get(known[name], 0) == n for name, n in counts.items() if name != "other")
            for note in made["annotations"]["list"]:
                assert asked(f"{url}/api/v1/query", query=note["target"]["expr"])["status"] == "success"
            for one in made["templating"]["list"]:
                if one["type"] == "query":
                    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", one["query"]["query"]).groups()
                    values = asked(f"{url}/api/v1/label/{label}/values", **{"match[]": metric})["data"]
                    assert values, one["name"]
            for rule in alert_rules("prometheus")["groups"][0]["rules"]:
                answer = asked(f"{url}/api/v1/query", query=rule["data"][0]["model"]["expr"])
                assert answer["status"] == "success"
    finally:
        server.stop()
        thread.join(20)


@pytest.mark.parametrize("format", ["v5", NO_PORTS])
def test_victorialogs_answers_each_panel(format, tmp_path):
    fields = " ".join(name for name, _ in _core.parse_format(format))
    flows = vf.scan(logs(fields))
    log = tmp_path / "a.log"
    log.write_bytes(logs(fields))
    every = ["--where", "log_status is null or log_status is not null"]
    run_cli("convert", log, "-o", tmp_path / "x.jsonl", *every, check=0)
    times = flows.select("start").collect()["start"]
    start, end = min(times) // 300 * 300, max(times) + 1
    middle = start + (end - start) // 2 // 300 * 300
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [program("victoria-logs"), f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path / 'data'}"]
    with running([*arguments, "-retentionPeriod=100y"], f"{url}/health", tmp_path / "log"):
        insert = f"{url}/insert/jsonline?_stream_fields=action&_time_field=start&_msg_field=version"
        kind = {"Content-Type": "application/stream+json"}  # of a form it would read nothing, and say 200
        lines = (tmp_path / "x.jsonl").read_bytes()
        urllib.request.urlopen(urllib.request.Request(insert, lines, kind), timeout=60).read()
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=60).read()
        made = dashboard("victorialogs", format)
        by_title = {panel.title: panel for panel in PANELS}

        def rows(target, begin, **chosen):
            query = expanded(target["expr"], made, begin, end, **chosen)
            if target["queryType"] == "stats":
                found = asked(f"{url}/select/logsql/stats_query", query=query, time=end, start=begin, end=end)
                return {_key(one["metric"]): int(one["value"][1]) for one in found["data"]["result"]}
            found = asked(f"{url}/select/logsql/stats_query_range", query=query, start=start, end=end, step="300s")
            pairs = [(time_, one) for one in found["data"]["result"] for time_ in one["values"]]
            return {(time_[0], *_key(one["metric"])): int(time_[1]) for time_, one in pairs if time_[1] not in ("", "0")}

        for panel in (by_title[one["title"]] for one in made["panels"] if one["targets"]):
            target = next(one["targets"][0] for one in made["panels"] if one["title"] == panel.title)
            begin = middle if panel.ask.new else start
            order = [name.replace("-", "_") for name in panel.ask.by]
            found = {_in_order(key, order): value for key, value in rows(target, begin).items()}
            check(panel, found, ours(flows, panel.ask, begin))
        talkers = next(one["targets"][0] for one in made["panels"] if one["title"] == "Who sends most")
        for chosen, condition in (
            ({"action": ["REJECT"]}, "action = 'REJECT'"), ({"address": '"2001:db8::7"'}, "srcaddr = '2001:db8::7'"),
        ):  # fmt: skip
            found = {_in_order(key, ["srcaddr"]): value for key, value in rows(talkers, start, **chosen).items()}
            check(by_title["Who sends most"], found, ours(flows.filter(condition), by_title["Who sends most"].ask))


def _key(metric):
    """The labels of a series; those that are empty are not there."""
    return tuple((name, value) for name, value in metric.items() if name != "__name__")


def _in_order(key, names):
    labels = dict(one for one in key if isinstance(one, tuple))
    return (*(one for one in key if not isinstance(one, tuple)), *(labels.get(name, "") for name in names))


def test_victoriametrics_answers_its_dashboard(figures, tmp_path):
    metrics = program("victoria-metrics")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "vpcflow.json").write_text(json.dumps(victoriametrics()))
    arguments = [
        metrics, f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path / 'data'}", "-retentionPeriod=100y",
        f"-vmui.customDashboardsPath={tmp_path / 'boards'}",
    ]  # fmt: skip
    with running(arguments, f"{url}/health", tmp_path / "log"):
        text = "".join(history(figures)).encode()
        kind = {"Content-Type": "text/plain"}
        history_ = urllib.request.Request(f"{url}/api/v1/import/prometheus", _in_milliseconds(text), kind)
        urllib.request.urlopen(history_, timeout=60).read()
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=60).read()
        shown = asked(f"{url}/vmui/custom-dashboards")
        assert [board["title"] for board in shown["dashboardsSettings"]] == ["VPC flow logs"]
        start, end = span(figures)
        for panel in victoriametrics()["rows"][0]["panels"]:
            found = asked(f"{url}/api/v1/query_range", query=panel["expr"][0], start=start, end=end, step=300)
            assert found["data"]["result"], panel["title"]


def test_grafatui_draws_the_dashboard_of_prometheus(tmp_path):
    """A program of others reads the JSON, strictly; it names panels that it cannot draw."""
    grafatui = program("grafatui")
    for version in (1, 2):
        path = tmp_path / f"d{version}.json"
        made = json.dumps(dashboard("prometheus", version=version))
        path.write_text(made.replace("grafana.app/v2beta1", "grafana.app/v2"))  # which it reads, and which are the same here
        own = subprocess.run([grafatui, "--validate", "--grafana-json", path], capture_output=True, text=True, check=False)
        assert own.returncode == 0, own.stdout + own.stderr
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"panels": 3}')
    assert subprocess.run([grafatui, "--validate", "--strict", "--grafana-json", wrong], check=False, capture_output=True).returncode != 0
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here")
    now = int(time.time())
    flows = vf.scan(vf.synth(4000, seed=3, plant="port_scan", peers=60, noise_sources=60, start=now - 3 * 3600, hours=3).data)
    running_ = draw(program("victoria-metrics"), gather(flows, settings=Settings()), "default")
    terminal = ["tmux", "-L", f"vpcflow-{os.getpid()}", "-f", "/dev/null"]
    try:
        own = f"{grafatui} --prometheus-url {running_.url} --range 4h --scrape-interval 5m --grafana-json {tmp_path / 'd1.json'}"
        subprocess.run([*terminal, "new-session", "-d", "-x", "180", "-y", "60", f"exec timeout --foreground -s KILL 120 {own}"], check=True)
        panes = subprocess.run([*terminal, "list-panes", "-F", "#{pane_pid}"], check=True, capture_output=True, text=True)
        for _ in range(60):
            time.sleep(0.5)
            screen = subprocess.run([*terminal, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout
            if "errors=0" in screen and "ACCEPT (" in screen:
                break
        assert "errors=0" in screen, screen
        assert "No data" not in screen, screen
        for title in ("Minutes of interfaces with a record", "Findings by severity", "Bytes by action", "Rejected records"):
            assert title[:25] in screen
        nodata = flows.agg(n=vf.count()).collect().report.nodata
        assert re.search(rf"nodata +{nodata}\.00", screen), screen
    finally:
        with contextlib.suppress(ProcessLookupError, NameError):
            os.killpg(int(panes.stdout), signal.SIGKILL)  # it outlives its terminal; and this process, by two minutes
        subprocess.run([*terminal, "kill-server"], check=False)
        running_.close()


def _in_milliseconds(text):
    lines = [line for line in text.splitlines() if not line.startswith(b"#")]
    return b"\n".join(line + b"000" for line in lines) + b"\n"


def _enums(made):
    """JSON whose members of an enumeration stand by their names, as TypeScript takes no texts for them."""
    text = json.dumps(made).replace('"color": {"mode": "continuous-YlRd"}', '"color": {"mode": FieldColorModeId.ContinuousYlRd}')
    return re.sub(r'"(mappings|value)": \[\{"type": "value"', r'"\1": [{"type": MappingType.ValueToText', text)


def test_grafanas_own_types_take_the_dashboards(tmp_path):
    folder = next((folder for folder in TOOLS if (folder / "grafana" / "node_modules" / "@grafana" / "schema").is_dir()), None)
    if folder is None or shutil.which("node") is None:
        pytest.skip("no @grafana/schema and typescript here")
    (tmp_path / "node_modules").symlink_to(folder / "grafana" / "node_modules")
    classic = "import {FieldColorModeId, MappingType, type Dashboard} from '@grafana/schema';\nexport const d: Dashboard = "
    path = "./node_modules/@grafana/schema/dist/types/schema/dashboard/v2beta1/types.spec.gen"
    second = f"import type {{Spec}} from '{path}';\nexport const d: Spec = "
    for source in SOURCES:
        for number, format in enumerate(("default", "v5", "srcaddr bytes", NO_PORTS, NO_ACTION, EVERY, "tgw")):
            made = dashboard(source, format)
            for note in made["annotations"]["list"]:  # whose own members are the plug-in's
                note["target"] = {"refId": note["target"]["refId"], "datasource": note["datasource"]}
                for own in ("titleFormat", "tagKeys"):
                    note.pop(own, None)
            (tmp_path / f"{source}{number}.ts").write_text(classic + _enums(made))
            (tmp_path / f"{source}{number}v2.ts").write_text(second + json.dumps(dashboard(source, format, version=2)["spec"]))
    tsc = ["node", folder / "grafana/node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
    tsc += ["--moduleResolution", "bundler", "--module", "esnext", "--target", "es2022"]
    good = subprocess.run([*tsc, *sorted(tmp_path.glob("*.ts"))], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert good.returncode == 0, good.stdout[:2000]
    for number, (key, wrong) in enumerate((("panels", "many"), ("time", {"from": 1}), ("graphTooltip", "all"))):
        (tmp_path / f"wrong{number}.ts").write_text(classic + json.dumps({**dashboard("prometheus"), key: wrong}))
        bad = subprocess.run([*tsc, tmp_path / f"wrong{number}.ts"], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert "TS2322" in bad.stdout, key
