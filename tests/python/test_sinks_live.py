"""A real OpenSearch of tools/servers.sh: our templates take what we send, once, and refuse what is foreign. For `make soak`."""

import json
import shutil
import socket
import urllib.request

import pytest

import vpcflow as vf
from aws_servers import SERVERS, Server
from conftest import LONG, SAMPLE
from vpcflow import cli
from vpcflow.siem import setup

pytestmark = pytest.mark.skipif(not LONG, reason="make soak")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """The URL of a node."""
    jars = SERVERS / "opensearch" / "lib"
    if not jars.is_dir() or shutil.which("java") is None:
        pytest.skip("no OpenSearch: tools/servers.sh build/servers all")
    port = next(port for port in range(9221, 9299) if is_free(port))  # the runner takes no others
    java = ["java", "-Xmx1g", "-cp", f"{jars}/*", "org.codelibs.opensearch.runner.OpenSearchRunner"]
    folder = str(tmp_path_factory.mktemp("search"))
    # The first node listens one behind the base.
    node = Server([*java, "-basePath", folder, "-numOfNode", "1", "-baseHttpPort", str(port - 1)], port, 120)
    yield node.url
    node.close()


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ask(url, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("schema", ["ecs", "ocsf"])
def test_a_data_stream_of_our_template_takes_all_once(search, schema, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = f"flows-{schema}"
    place = f"_index_template/{name}"
    ask(f"{search}/{place}", "PUT", json.loads(setup.files("opensearch", schema, name=name)[f"{place}.json"]))
    to = f"opensearch+{search}/{name}"
    send = ["send", str(SAMPLE), "--to", to, "--unit", "records", "--as"]
    assert cli.main([*send, schema]) == 0
    assert cli.main([*send, schema]) == 0
    flows = vf.scan(str(SAMPLE))
    records = len(flows.collect())
    assert f"{records:,} of them were there" in capsys.readouterr().err
    ask(f"{search}/{name}/_refresh", "POST")
    source = {"ecs": "source.ip", "ocsf": "src_endpoint.ip"}[schema]
    total = {"ecs": "network.bytes", "ocsf": "traffic.bytes"}[schema]
    asked = {"query": {"term": {source: "10.0.0.0/8"}}, "track_total_hits": True, "aggs": {"b": {"sum": {"field": total}}}}
    found = ask(f"{search}/{name}/_search?size=0", "POST", asked)
    ours = flows.filter("srcaddr in 10.0.0.0/8").agg(n=vf.count(), b=vf.sum("bytes")).collect().rows()
    assert [{"n": found["hits"]["total"]["value"], "b": int(found["aggregations"]["b"]["value"])}] == ours
    assert cli.main([*send, "ecs" if schema == "ocsf" else "ocsf"]) == 2
    dead = [json.loads(line) for line in (tmp_path / "vpcflow-dead.jsonl").read_text().splitlines()]
    assert len(dead) == records
    assert all("strict_dynamic_mapping_exception" in one["reason"] for one in dead)
