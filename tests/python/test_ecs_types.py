"""What vendors' own types, parsers and checks say of our events of ECS, and of what `siem setup` writes. For `make soak`;
what is missing is skipped (tools/servers.sh, or `VPCFLOW_ECS_TYPES` with a folder that has `@elastic/ecs` and `typescript`
in node_modules)."""

import copy
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import LONG, ROOT
from test_export import NAT, PAIR, exported, random_log
from vpcflow.siem import setup

pytestmark = pytest.mark.skipif(not LONG, reason="Elastic's types: make soak")
PLACES = [pathlib.Path(os.environ.get("VPCFLOW_ECS_TYPES", "/nonexistent")), ROOT / "build" / "servers" / "ecs"]
WRONG = [
    lambda e: e["network"].update(iana_number=6), lambda e: e["network"].update(bytes="many"), lambda e: e.update(foreign=1),
    lambda e: e["source"].update(ip=17), lambda e: e["source"].update(port="22"), lambda e: e["source"].update(vpc="vpc-1"),
    lambda e: e["event"].update(category=1), lambda e: e["event"].update(start=1), lambda e: e["event"].update(why="x"),
    lambda e: e["related"].update(ip=7), lambda e: e["related"].update(ip=[1]), lambda e: e.pop("@timestamp"),
    lambda e: e.pop("ecs"), lambda e: e["cloud"].update(account={"id": 123456789010}), lambda e: e.update(destination="10.0.0.2"),
]  # fmt: skip


@pytest.fixture
def tsc(tmp_path):
    folder = next((place for place in PLACES if (place / "node_modules/@elastic/ecs").is_dir()), None)
    if folder is None or shutil.which("node") is None:
        pytest.skip("no @elastic/ecs and typescript here")
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")

    def check(name, values, kind="Ecs", head="import type {Ecs} from '@elastic/ecs';"):
        text = f"{head}\n"
        text += "".join(f"export const e{i}: {kind} = {json.dumps(value)};\n" for i, value in enumerate(values))
        (tmp_path / f"{name}.ts").write_text(text)
        command = ["node", folder / "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
        command += ["--moduleResolution", "bundler", "--module", "esnext", "--target", "es2022", tmp_path / f"{name}.ts"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False).stdout

    check.has = lambda package: (folder / "node_modules" / package).is_dir()
    return check


def events_of(source, unit):
    events = [json.loads(line) for line in exported(source, "ecs", unit=unit)[0].splitlines()]
    for event in events:
        event.pop("aws", None)  # Elastic's integration's, not of ECS
    return events


def test_the_types_take_our_events_and_refuse_what_is_wrong(tsc):
    events = [event for seed in range(12) for event in events_of(random_log(random.Random(seed), 40), "records")]
    events += events_of(PAIR, "sessions")
    found = vf.Finding("port_scan", "high", "203.0.113.7", ["10.0.0.2"], 0, 60, 0.91, "T1046", {"dstport": 22}, {}, "a scan")
    findings = vf.detect(vf.scan(PAIR))._like([found])
    (alert,) = (json.loads(batch.lines) for batch in vf.export(findings, "ecs").batches())
    alert.pop("vpcflow")
    assert tsc("ours", [*events, alert]) == ""
    (good,) = events_of(NAT, "records")
    wrong = [copy.deepcopy(good) for _ in WRONG]
    for change, event in zip(WRONG, wrong):
        change(event)
    said = tsc("wrong", wrong)
    for i in range(len(WRONG)):
        assert f"wrong.ts({i + 2}," in said, (i, said[:2000])


ELASTIC = "import type {estypes} from '@elastic/elasticsearch';"
OPENSEARCH = "./node_modules/@opensearch-project/opensearch/api"
#: By target and the folder of a file: what it is a body of, and a change that is wrong.
BODIES = {
    ("elastic", "_index_template"): (
        ELASTIC, "Omit<estypes.IndicesPutIndexTemplateRequest, 'name' | 'body'>", lambda b: b["template"]["mappings"].update(dynamic="rigid"),
    ),
    ("elastic", "_ilm"): (
        ELASTIC, "Omit<estypes.IlmPutLifecycleRequest, 'name' | 'body'>",
        lambda b: b["policy"]["phases"]["hot"]["actions"]["rollover"].update(min_index_age="1d"),
    ),
    ("opensearch", "_index_template"): (
        f"import type {{Indices_PutIndexTemplate_RequestBody as Body}} from '{OPENSEARCH}/indices/putIndexTemplate';", "Body",
        lambda b: b.update(index_pattern=["x"]),
    ),
    ("opensearch", "_plugins"): (
        f"import type {{PutPolicyRequest as Body}} from '{OPENSEARCH}/_types/ism._common';", "Body",
        lambda b: b["policy"]["states"][0]["actions"][0]["rollover"].update(max_age="1d"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("target", "folder"), BODIES)
def test_bodies_are_of_the_types_of_the_clients(target, folder, tsc):
    package = {"elastic": "@elastic/elasticsearch", "opensearch": "@opensearch-project/opensearch"}[target]
    if not tsc.has(package):
        pytest.skip(f"no {package} here")
    head, kind, change = BODIES[target, folder]
    bodies = []
    for unit in ("records", "findings"):
        for schema in ("ecs", "ocsf") if target == "opensearch" else ("ecs",):
            made = setup.files(target, schema, name="logs-flows.vpc-default", unit=unit)
            bodies += [json.loads(text) for path, text in made.items() if path.startswith(folder)]
    assert tsc("bodies", bodies, kind, head) == ""
    change(bodies[0])
    assert "wrong.ts(2," in tsc("wrong", bodies, kind, head)


#: Runs in a process of its own, as these packages ask for other versions than we do.
AZURE = """
import json, sys
from azure.mgmt.loganalytics.models import ColumnTypeEnum, Table, TablePlanEnum
from azure.mgmt.monitor.models import DataCollectionRuleResource as Rule, KnownColumnDefinitionType as Kind
for made in map(json.loads, sys.stdin):
    resource = json.loads(made["dcr.json"])["resources"][0]
    read = Rule.deserialize(resource)
    assert read.serialize()["properties"] == resource["properties"], read
    kinds = {column.type for stream in read.stream_declarations.values() for column in stream.columns}
    assert kinds <= {kind.value for kind in Kind}, kinds
    (text,) = (text for name, text in made.items() if name != "dcr.json")
    table = Table(json.loads(text))
    schema = table.properties.schema
    assert schema.name.endswith("_CL") and table.properties.plan == TablePlanEnum.ANALYTICS
    types = {column.type for column in schema.columns}
    assert types <= {kind.value for kind in ColumnTypeEnum} and {kind.lower() for kind in types} == kinds
    print(len(schema.columns))
"""
ATHENA = """
import sys, sqlglot
made = sqlglot.parse_one(sys.stdin.read(), dialect="athena", error_level=sqlglot.ErrorLevel.RAISE)
assert isinstance(made, sqlglot.exp.Create), made
print(len(made.this.expressions))
"""


def ran(*command, given=""):
    folder = ROOT / "build" / "servers" / "siem"
    if not folder.is_dir():
        pytest.skip("no packages of vendors here: tools/servers.sh build/servers all")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    found = subprocess.run([sys.executable, *command], input=given, capture_output=True, text=True, env=environment, check=False)
    assert found.returncode == 0, (found.stdout + found.stderr)[-2000:]
    return found.stdout


def test_azure_reads_each_member_of_rules_and_tables():
    made = "\n".join(json.dumps(setup.files("sentinel", schema)) for schema in ("asim", "awsvpcflow"))
    assert all(int(count) > 30 for count in ran("-c", AZURE, given=made).split())


def test_a_parser_of_athena_reads_the_table():
    assert int(ran("-c", ATHENA, given=setup.files("athena")["table.sql"])) == 30


@pytest.mark.parametrize("schema", ["cim", "ecs", "ocsf"])
def test_splunk_s_own_check_of_an_app_finds_no_fault(schema, tmp_path):
    default = tmp_path / "flows" / "default"
    default.mkdir(parents=True)
    for name, text in setup.files("splunk", schema).items():
        (default / name).write_text(text)
    app = "[install]\nis_configured = 0\n[ui]\nis_visible = 0\nlabel = flows\n[launcher]\nauthor = us\nversion = 1.0.0\n"
    (default / "app.conf").write_text(app + "[package]\nid = flows\n[id]\nname = flows\nversion = 1.0.0\n")
    code = "import sys; from splunk_appinspect.main import execute; sys.exit(execute())"
    ran("-c", code, "inspect", tmp_path / "flows", "--output-file", tmp_path / "out.json", "--data-format", "json")
    found = json.loads((tmp_path / "out.json").read_text())["summary"]
    assert (found["error"], found["failure"]) == (0, 0), found
    assert found["success"] > 50
