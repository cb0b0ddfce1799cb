"""The engines that dashboards ask in SQL and in buckets: Trino, of which Athena's engine is made, and OpenSearch, which has
what `vpcflow send` sent it. Each query of each panel answers what our aggregates are. For `make soak`; what is not there is
skipped."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.request

import pytest

import vpcflow as vf
from aws_servers import Server
from conftest import LONG, ROOT
from grafana_page import check, expanded, logs, ours, search_body, search_rows, text
from vpcflow import _core, cli
from vpcflow.grafana import dashboard
from vpcflow.grafana.panels import PANELS
from vpcflow.io.aws.athena import Place, ddl
from vpcflow.siem import setup

pytestmark = pytest.mark.skipif(not LONG, reason="make soak")
V5 = " ".join(name for name, _ in _core.parse_format("v5"))
NO_PORTS = "version account-id interface-id srcaddr dstaddr protocol packets bytes start end action log-status"
FOLDERS = [pathlib.Path(os.environ.get("VPCFLOW_GRAFANA_TOOLS", "/nonexistent")), ROOT / "build" / "servers"]
_TYPES = {"int": "integer", "bigint": "bigint", "string": "varchar"}


def jars(name):
    """The class path of a program of tools/servers.sh."""
    folder = next((one / name / "lib" for one in FOLDERS if (one / name / "lib").is_dir()), None)
    if folder is None or shutil.which("java") is None:
        pytest.skip(f"no {name}: tools/servers.sh build/servers all")
    return f"{folder}/*"


def panels(made):
    """The panels of a dashboard that ask records, each with its first query."""
    by_title = {panel.title: panel for panel in PANELS}
    return [(by_title[one["title"]], one["targets"][0]) for one in made["panels"] if one["targets"]]


# -- Trino, for Athena -----------------------------------------------------------------------------------------------


def table(flows, format, layout):
    """Statements that make the table of `vpcflow athena ddl` and fill it, partitions and all."""
    own = ddl(format, Place("s3://my-logs/AWSLogs/", layout), accounts=["123456789012"], regions=["us-east-1"])
    columns = re.findall(r"`(\w+)` (\w+)", own)
    empty = ", ".join(f'CAST(NULL AS {_TYPES[kind]}) AS "{name}"' for name, kind in columns)
    rows = flows.filter("log_status is null or log_status is not null").select(*(name for name, _ in flows.schema)).collect()

    def cell(row, name):
        when = time.gmtime(row["start"])
        more = {"log_year": when.tm_year, "log_month": when.tm_mon, "log_day": when.tm_mday, "log_hour": when.tm_hour}
        more["log_time"] = time.strftime("%Y/%m/%d/%H" if layout == "hourly" else "%Y/%m/%d", when)
        value = row[name] if name in row else more.get(name, "x")
        return "" if value is None else str(value)

    lines = "\n".join("|".join(cell(row, name) for name, _ in columns) for row in rows.rows())
    cells = ", ".join(f"CAST(NULLIF(c[{n}], '') AS {_TYPES[kind]})" for n, (_, kind) in enumerate(columns, 1))
    name = "t_" + layout.replace("-", "_")
    return [
        f'CREATE TABLE "{name}" AS SELECT {empty} WHERE 1 = 0',
        f"INSERT INTO \"{name}\" SELECT {cells} FROM (SELECT split(l, '|') AS c FROM UNNEST(split('{lines}', chr(10))) AS u(l))",
    ], name


def test_trino_answers_what_we_do():
    path = jars("trino")
    statements, asked = [], []
    for format, layout in ((V5, "daily"), (NO_PORTS, "hourly"), (V5, "hive")):
        flows = vf.scan(logs(format, 400))
        times = flows.select("start").collect()["start"]
        start, end = min(times) // 300 * 300, max(times) + 1
        middle = start + (end - start) // 2 // 300 * 300
        more, name = table(flows, format, layout)
        statements += more
        made = dashboard("athena", format, table=name, layout=layout)
        for panel, target in panels(made):
            begin = middle if panel.ask.new else start
            asked.append((len(statements), panel, ours(flows, panel.ask, begin)))
            statements.append(expanded(target["rawSQL"], made, begin, end))
        target = next(target for panel, target in panels(made) if panel.name == "talkers")
        asked.append((len(statements), "chosen", flows.filter("action = 'REJECT'")))
        statements.append(expanded(target["rawSQL"], made, start, end, action=["REJECT"]))
    asked.append((len(statements), "wrong", None))
    statements.append("SELECT srcaddr, sum(bytes) FROM t_daily")  # without GROUP BY
    java = ["java", "-Xmx1g", "-cp", path, ROOT / "tests/python/AskTrino.java"]
    done = subprocess.run(java, input="\n;\n".join(statements), capture_output=True, text=True, timeout=600, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(statements), done.stderr[-2000:]
    for place, panel, expected in asked:
        if panel == "wrong":
            assert "GROUP BY" in answers[place]["error"]
            continue
        rows = answers[place].get("rows")
        assert rows is not None, (statements[place], answers[place])
        if panel == "chosen":
            top = expected.group_by("srcaddr").agg(n=vf.sum("bytes")).top_k(10, by="n").collect()
            assert [int(row[-1]) for row in rows] == top["n"]
            continue
        check(panel, dict(_keyed(row, panel.ask.over_time) for row in rows if row[-1] not in (None, "0")), expected)


def _keyed(row, over_time):
    keys = [text(cell) for cell in row[:-1]]
    if over_time:
        moment = datetime.datetime.fromisoformat(keys[0].removesuffix(" UTC"))
        keys[0] = int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())
    return tuple(keys), int(row[-1])


# -- OpenSearch ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """The URL of a node."""
    path = jars("opensearch")
    port = next(port for port in range(9221, 9299) if _is_free(port))  # the runner takes no others
    folder = str(tmp_path_factory.mktemp("search"))
    java = ["java", "-Xmx1g", "-cp", path, "org.codelibs.opensearch.runner.OpenSearchRunner", "-basePath", folder]
    node = Server([*java, "-numOfNode", "1", "-baseHttpPort", str(port - 1)], port, 180)  # it listens one behind
    yield node.url
    node.close()


def _is_free(port):
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ask(url, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize(("name", "format"), [("flows-default", "default"), ("flows-v5", V5), ("flows-few", NO_PORTS)])
def test_opensearch_answers_what_we_do(search, name, format, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = " ".join(one for one, _ in _core.parse_format(format))
    data = logs(fields)
    (tmp_path / "a.log").write_bytes(data)
    place = f"_index_template/{name}"
    ask(f"{search}/{place}", "PUT", json.loads(setup.files("opensearch", "ecs", name=name)[f"{place}.json"]))
    assert cli.main(["send", "a.log", "--to", f"opensearch+{search}/{name}", "--unit", "records", "--as", "ecs"]) == 0
    ask(f"{search}/{name}/_refresh", "POST")
    flows = vf.scan(data)
    # Addresses of events are those of the packets.
    packets = vf.scan(_as_packets(data))
    times = flows.select("start").collect()["start"]
    start, end = min(times), max(times) + 1
    made = dashboard("opensearch", format)
    for panel, target in panels(made):
        body = search_body(target, expanded(target["query"], made, start, end), start, end)
        found = search_rows(target, ask(f"{search}/{name}/_search", "POST", body))
        if not panel.ask.over_time:  # the table shows the largest first
            found = dict(sorted(found.items(), key=lambda item: -item[1])[: panel.ask.n])
        expected = ours(flows if panel.name == "behind_nat" else packets, panel.ask)
        check(panel, found, {key: value for key, value in expected.items() if "" not in key})  # buckets are of values
    panel, target = next(one for one in panels(made) if one[0].name == "talkers")
    for values, condition in (({"action": ["REJECT"]}, "action = 'REJECT'"), ({"address": '"2001:db8::7"'}, "srcaddr = '2001:db8::7'")):
        body = search_body(target, expanded(target["query"], made, start, end, **values), start, end)
        found = search_rows(target, ask(f"{search}/{name}/_search", "POST", body))
        check(panel, found, ours(packets.filter(condition), panel.ask))


def _as_packets(data):
    """Logs whose addresses are those of the packets."""
    head, *lines = data.decode().splitlines()
    names = head.split()
    pairs = [(names.index(end), names.index(f"pkt-{end}")) for end in ("srcaddr", "dstaddr") if f"pkt-{end}" in names]
    rows = [line.split() for line in lines]
    for row in rows:
        for end, packet in pairs:
            if row[packet] != "-":
                row[end] = row[packet]
    return "\n".join([head, *map(" ".join, rows), ""]).encode()
