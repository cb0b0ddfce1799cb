"""A real OpenSearch of tools/servers.sh: our templates take what we send, once, and refuse what is foreign; it counts and
finds what we do. For `make soak`."""

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

import vpcflow as vf
from aws_servers import SERVERS, Server
from conftest import LONG, SAMPLE
from sink_fakes import sent, short_pauses  # noqa: F401
from vpcflow import cli
from vpcflow.siem import setup

pytestmark = [
    pytest.mark.skipif(not LONG, reason="make soak"),
    pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning"),
]
OK = "log_status = 'OK'"


class Node:
    """A node of OpenSearch, which may be killed and started again."""

    def __init__(self, folder):
        jars = SERVERS / "opensearch" / "lib"
        if not jars.is_dir() or shutil.which("java") is None:
            pytest.skip("no OpenSearch: tools/servers.sh build/servers all")
        self.port = next(port for port in range(9221, 9299) if is_free(port))  # the runner takes no others
        java = ["java", "-Xmx1g", "-cp", f"{jars}/*", "org.codelibs.opensearch.runner.OpenSearchRunner"]
        # The first node listens one behind the base.
        self.command = [*java, "-basePath", str(folder), "-numOfNode", "1", "-baseHttpPort", str(self.port - 1)]
        self.start()

    def start(self):
        self.server = Server(self.command, self.port, 120)
        self.url = self.server.url
        ask(f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=120s")

    def kill(self):
        self.server._process.kill()
        self.server._process.wait()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    made = Node(tmp_path_factory.mktemp("search"))
    yield made
    made.server.close()


@pytest.fixture(scope="module")
def search(node):
    """The URL of a node."""
    return node.url


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ask(url, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    end = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > end:  # 503: it still wakes up
                raise AssertionError(f"{error.code} {error.read()[:500]}") from None


def is_in(address, prefix):
    return address is not None and ipaddress.ip_address(address) in ipaddress.ip_network(prefix)


def set_up(search, name, schema, unit=None):
    place = f"_index_template/{name}"
    ask(
        f"{search}/{place}", "PUT", json.loads(setup.files("opensearch", schema, name=name, unit=unit)[f"{place}.json"])
    )
    return f"opensearch+{search}/{name}"


def found(search, name, query):
    """The ids of the documents that a query finds."""
    ask(f"{search}/{name}/_refresh", "POST")
    asked = {"query": query, "_source": False, "size": 10_000, "track_total_hits": True}
    answer = ask(f"{search}/{name}/_search", "POST", asked)["hits"]
    assert answer["total"]["value"] == len(answer["hits"]) < 10_000
    return {one["_id"] for one in answer["hits"]}


@pytest.mark.parametrize("schema", ["ecs", "ocsf"])
def test_a_data_stream_of_our_template_takes_all_once(search, schema, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = f"flows-{schema}"
    to = set_up(search, name, schema)
    send = ["send", str(SAMPLE), "--to", to, "--unit", "records", "--as"]
    assert cli.main([*send, schema]) == 0
    assert cli.main([*send, schema]) == 0
    flows = vf.scan(str(SAMPLE))
    records = len(flows.collect())
    assert f"{records:,} of them were there" in capsys.readouterr().err
    ask(f"{search}/{name}/_refresh", "POST")
    source = {"ecs": "source.ip", "ocsf": "src_endpoint.ip"}[schema]
    total = {"ecs": "network.bytes", "ocsf": "traffic.bytes"}[schema]
    rows = flows.select("srcaddr", "pkt_srcaddr", "bytes").collect().rows()
    for prefix in ("10.0.0.0/8", "10.0.1.0/24", "172.16.0.0/12", "0.0.0.0/0", "2000::/3", "2001:db8::/32"):
        asked = {
            "query": {"term": {source: prefix}},
            "track_total_hits": True,
            "aggs": {"b": {"sum": {"field": total}}},
        }
        got = ask(f"{search}/{name}/_search?size=0", "POST", asked)
        ours = [row["bytes"] or 0 for row in rows if is_in(row["pkt_srcaddr"] or row["srcaddr"], prefix)]
        assert (got["hits"]["total"]["value"], int(got["aggregations"]["b"]["value"])) == (len(ours), sum(ours))
    assert cli.main([*send, "ecs" if schema == "ocsf" else "ocsf"]) == 2
    dead = [json.loads(line) for line in (tmp_path / "vpcflow-dead.jsonl").read_text().splitlines()]
    assert len(dead) == records
    assert all("strict_dynamic_mapping_exception" in one["reason"] for one in dead)


@pytest.mark.parametrize("schema", ["ecs", "ocsf"])
def test_sessions_and_findings_have_templates_of_their_own(search, schema, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    vf.synth(120_000, out=tmp_path / "day", seed=101, plant="all", format="v5")
    for unit, least in (("findings", 9), ("sessions", 10_000)):
        to = set_up(search, f"{unit}-{schema}", schema, unit)
        send = ["send", str(tmp_path / "day"), "--as", schema, "--unit", unit, "--to"]
        assert cli.main([*send, to]) == 0
        assert cli.main([*send, to]) == 0
        ask(f"{search}/{unit}-{schema}/_refresh", "POST")
        count = ask(f"{search}/{unit}-{schema}/_count")["count"]
        assert f"{count:,} of them were there" in capsys.readouterr().err
        assert count >= least
    # A finding is none of the flows, and the reverse.
    assert (
        cli.main(
            [
                "send",
                str(tmp_path / "day"),
                "--as",
                schema,
                "--unit",
                "findings",
                "--to",
                f"opensearch+{search}/sessions-{schema}",
            ]
        )
        == 2
    )
    name = {"ecs": "rule.name", "ocsf": "finding_info.title"}[schema]
    evidence = {"ecs": "vpcflow.evidence", "ocsf": "evidences.data"}[schema]
    assert len(found(search, f"findings-{schema}", {"term": {name: "port_scan"}})) >= 1
    assert found(search, f"findings-{schema}", {"exists": {"field": f"{evidence}.ports"}})


RULES = {
    "prefix": "sel: {source.ip|cidr: '10.0.0.0/12', destination.port|gte: 1024}\n  condition: sel",
    "ports": "sel: {destination.port: [22, 3389, 443]}\n  refused: {event.action: REJECT}\n  condition: sel and not refused",
    "one of": "a: {destination.ip|cidr: ['10.1.0.0/16', '172.16.0.0/12']}\n  b: {source.port|lt: 1024}\n  condition: 1 of them",
    "all": "a: {event.action: REJECT}\n  b: {network.bytes|gt: 100}\n  c: {network.packets|lte: 5}\n  condition: all of them",
    "none": "sel: {destination.port: 22}\n  f: {source.ip|cidr: '0.0.0.0/0'}\n  condition: sel and not f",
}
CONVERT = """
import json, sys
from sigma.backends.opensearch import OpensearchLuceneBackend
from sigma.collection import SigmaCollection
print(json.dumps(OpensearchLuceneBackend().convert(SigmaCollection.from_yaml(sys.stdin.read()))))
"""


def lucene_of(text):
    """The query that pySigma makes of a rule for OpenSearch."""
    if not (SERVERS / "sigma" / "sigma" / "backends").is_dir():
        pytest.skip("no pySigma for OpenSearch: tools/servers.sh build/servers all")
    env = {**os.environ, "PYTHONPATH": str(SERVERS / "sigma")}
    done = subprocess.run(
        [sys.executable, "-c", CONVERT], input=text, capture_output=True, text=True, env=env, check=True
    )
    (query,) = json.loads(done.stdout)
    return query


def test_a_sigma_rule_finds_the_same_records_there_and_here(search, tmp_path, monkeypatch):
    pytest.importorskip("sigma")
    monkeypatch.chdir(tmp_path)
    vf.synth(
        9000, out=tmp_path / "day", seed=4, plant="port_scan,brute_force", format="v5", peers=300, noise_sources=300
    )
    to = set_up(search, "sigma", "ecs")
    assert cli.main(["send", "day", "--as", "ecs", "--unit", "records", "--where", OK, "--to", to]) == 0
    for name, detection in RULES.items():
        head = f"title: {name}\nname: rule\nstatus: test\nlogsource: {{product: aws, service: vpcflow}}\nlevel: high\n"
        text = f"{head}detection:\n  {detection}\n"
        (tmp_path / "rule.yml").write_text(text)
        (rule,) = vf.rules.load(tmp_path / "rule.yml")
        flows = vf.scan("day").filter(OK).filter(rule.where)
        ours = {identity for batch in vf.export(flows, "ecs", unit="records").batches() for identity in batch.ids}
        assert found(search, "sigma", {"query_string": {"query": lucene_of(text)}}) == ours
        assert ours or name == "none"


@pytest.mark.usefixtures("short_pauses")
def test_a_node_that_is_killed_meanwhile_has_each_event_once(node, tmp_path):
    name = "killed"
    events = [(f"{i * 2654435761 % 2**128:032x}", b'{"n":%d}' % i) for i in range(60_000)]
    ended = threading.Event()

    def kills():
        for _ in range(2):
            if ended.wait(0.5):
                return
            node.kill()
            node.start()

    killer = threading.Thread(target=kills)
    killer.start()
    try:
        slow = (time.sleep(0.0001) or event for event in events)
        counts = sent(slow, f"opensearch+{node.url}/{name}", tmp_path, patience=120.0)
    finally:
        ended.set()
        killer.join(180)
    ask(f"{node.url}/{name}/_refresh", "POST")
    print(f"sent again {counts.retried}, there before {counts.known}")
    assert counts.accepted == len(events) == ask(f"{node.url}/{name}/_count")["count"]
