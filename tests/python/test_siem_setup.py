"""What receivers need before events come: each event fits the template or table of its schema."""

import ipaddress
import json
import re

import pytest

import vpcflow as vf
from conftest import SAMPLE
from vpcflow import cli
from vpcflow.siem import setup
from vpcflow.sinks.kinds.s3 import _partition

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id "
    "instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service "
    "pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn ecs-service-name reject-reason"
)
LINE = (
    "8 123456789010 eni-1 10.0.0.1 2001:db8::1 1 443 6 5 500 1700000000 1700000060 REJECT OK vpc-1 subnet-1 i-1 2 IPv6 10.0.0.9 "
    "2001:db8::2 us-east-1 use1-az1 wavelength w-1 S3 EC2 egress 8 arn:aws:ecs:x svc BPA"
)
WIDE = f"{HEADER}\n{LINE}\n8{' -' * (len(HEADER.split()) - 2)} BPA\n".encode()


def refused(event, properties, dynamic, path=""):
    """The members that a template refuses, as OpenSearch does: by name and by type."""
    for name, value in event.items():
        here = f"{path}.{name}".lstrip(".")
        known = properties.get(name)
        if known is None:
            if not dynamic:
                yield here
        elif known.get("type") in ("flat_object", "flattened"):
            if not isinstance(value, dict):
                yield f"{here}: no object"
        elif "properties" in known:
            for one in value if isinstance(value, list) else [value]:
                yield from refused(one, known["properties"], known.get("dynamic", False), here)
        else:
            for one in value if isinstance(value, list) else [value]:
                if one is not None and not FITS[known["type"]](one):
                    yield f"{here}: {one!r} is no {known['type']}"


def is_ip(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


FITS = {
    "ip": is_ip,
    "long": lambda value: isinstance(value, int),
    "integer": lambda value: isinstance(value, int),
    "double": lambda value: isinstance(value, (int, float)),
    "date": lambda value: isinstance(value, int) or (isinstance(value, str) and value[10] == "T"),
    "keyword": lambda value: isinstance(value, (str, int)),
    "text": lambda value: isinstance(value, str),
}  # fmt: skip


def events_of(schema):
    sample = SAMPLE.read_bytes() if SAMPLE.suffix != ".gz" else str(SAMPLE)
    for data in (sample, WIDE):
        for unit in ("records", "sessions"):
            batches = vf.export(vf.scan(data), schema, unit=unit).batches()
            for batch in batches:
                for line in batch.lines.splitlines()[:300]:
                    yield json.loads(line)
                break


@pytest.mark.parametrize(("target", "schema"), [("opensearch", "ecs"), ("opensearch", "ocsf"), ("elastic", "ecs")])
@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_a_strict_template_takes_all_events_and_no_foreign_member(target, schema):
    made = setup.files(target, schema, name="flows")
    mappings = json.loads(made["_index_template/flows.json"])["template"]["mappings"]
    assert mappings["dynamic"] == "strict"
    events = list(events_of(schema))
    assert len(events) > 500
    assert {member for event in events for member in refused(event, mappings["properties"], False)} == set()
    assert list(refused({**events[0], "foreign": 1}, mappings["properties"], False)) == ["foreign"]
    wrong = {"source": {"ip": "no address"}} if schema == "ecs" else {"src_endpoint": {"ip": "no address"}}
    assert len(list(refused(wrong, mappings["properties"], False))) == 1


@pytest.fixture(scope="module")
def findings():
    return vf.detect(vf.scan(vf.synth(120_000, seed=101, plant="all", format="v5").data), samples=0)


@pytest.mark.parametrize(("target", "schema"), [("opensearch", "ecs"), ("opensearch", "ocsf"), ("elastic", "ecs")])
def test_findings_fit_a_template_of_their_own(target, schema, findings):
    made = setup.files(target, schema, name="found", unit="findings")
    mappings = json.loads(made["_index_template/found.json"])["template"]["mappings"]
    assert mappings["dynamic"] == "strict"
    lines = [line for batch in vf.export(findings, schema).batches() for _, line in batch]
    events = [json.loads(line) for line in lines]
    assert len({finding.detector for finding in findings}) > 5
    assert {member for event in events for member in refused(event, mappings["properties"], False)} == set()
    assert list(refused({**events[0], "foreign": 1}, mappings["properties"], False)) == ["foreign"]
    flows = json.loads(setup.files(target, schema, name="flows")["_index_template/flows.json"])["template"]["mappings"]
    assert list(refused(events[0], flows["properties"], False))


def test_splunk_gives_other_schemas_the_names_of_its_model():
    cim = vf.export(vf.scan(WIDE), "cim", unit="records")
    model = next(json.loads(line) for batch in cim.batches() for _, line in batch)
    for schema in ("ecs", "ocsf"):
        made = setup.files("splunk", schema)
        (aliases,) = re.findall(r"^FIELDALIAS-cim = (.*)$", made["props.conf"], re.MULTILINE)
        cases = dict(re.findall(r"^EVAL-(\w+) = case\((.*)\)$", made["props.conf"], re.MULTILINE))
        events = vf.export(vf.scan(WIDE), schema, unit="records")
        event = next(json.loads(line) for batch in events.batches() for _, line in batch)

        def value_of(path, at=event):
            for name in path.split("."):
                at = at.get(name) if isinstance(at, dict) else None
            return at

        named = {name: value_of(path) for path, name in re.findall(r'"([^"]+)" AS (\w+)', aliases)}
        for name, text in cases.items():
            pairs = re.findall(r"'([^']+)'==\"([^\"]+)\",\"([^\"]+)\"", text)
            named[name] = next(ours for path, word, ours in pairs if value_of(path) == word)
        assert len(named) > 15
        same = {name: value for name, value in named.items() if value is not None and name != "id"}
        assert same == {name: model[name] for name in same}
        assert {"src_ip", "dest_ip", "dest_port", "action", "direction", "transport", "bytes"} <= set(same)
        assert "TIME_FORMAT" in setup.files("splunk", schema, unit="findings")["props.conf"]


@pytest.mark.parametrize("schema", ["asim", "awsvpcflow"])
@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_a_table_of_sentinel_has_a_column_of_its_type_for_each_member(schema):
    made = setup.files("sentinel", schema)
    columns = {
        one["name"]: one["type"].lower()
        for one in json.loads(made["vpcflow_CL.json"])["properties"]["schema"]["columns"]
    }
    rule = json.loads(made["dcr.json"])["resources"][0]["properties"]
    assert {one["name"]: one["type"] for one in rule["streamDeclarations"]["Custom-vpcflow_CL"]["columns"]} == columns
    kinds = {"string": str, "long": int, "datetime": str, "dynamic": dict, "real": (int, float)}
    events = list(events_of(schema))
    assert {(name, columns.get(name)) for event in events for name, value in event.items()
            if name not in columns or not isinstance(value, kinds[columns[name]])} == set()  # fmt: skip


def test_athena_has_the_columns_of_the_objects(tmp_path):
    text = setup.files("athena", location="s3://lake/flows/")["table.sql"]
    for name in vf.export(vf.scan(WIDE), unit="records").to_arrow().schema.names:
        assert f"  `{name}` " in text
    assert "LOCATION 's3://lake/flows/'" in text
    (template,) = re.findall(r"'storage.location.template' = 's3://lake/flows/(.*)/'", text)
    names = {"${region}": "eu-west-1", "${accountid}": "000000000001", "${eventday}": "20260102"}
    for name, value in names.items():
        assert f"'projection.{name[2:-1]}.type' = " in text
        template = template.replace(name, value)
    assert template == _partition(*names.values())  # as objects are named
    with pytest.raises(vf.PlanError, match="location"):
        setup.files("athena", location="s3://lake/'; drop table x/")


def test_the_command_writes_files_and_refuses_what_there_is_not(tmp_path, capsys):
    for target in setup.TARGETS:
        assert cli.main(["siem", "setup", target, "-o", str(tmp_path / target)]) == 0
        written = {
            str(path.relative_to(tmp_path / target)) for path in (tmp_path / target).rglob("*") if path.is_file()
        }
        assert written == set(setup.files(target))
    policy = json.loads((tmp_path / "opensearch/_plugins/_ism/policies/vpcflow.json").read_text())
    assert policy["policy"]["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "30d"}
    capsys.readouterr()
    assert cli.main(["siem", "setup", "elastic", "--as", "ocsf"]) == 2
    assert "elastic with schema 'ocsf'; expected ecs" in capsys.readouterr().err
    assert cli.main(["siem", "setup", "splunk", "--name", "Bad Name"]) == 2
    assert cli.main(["siem", "setup", "athena", "--unit", "findings"]) == 2
    assert (
        "no files for findings in athena; there are for opensearch, elastic, splunk, securityhub"
        in capsys.readouterr().err
    )
    assert cli.main(["siem", "setup", "opensearch", "--unit", "findings", "-o", str(tmp_path / "f")]) == 0
