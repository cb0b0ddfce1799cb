"""docs/reference/schemas.md says what comes out: every command with --json, every Arrow table, by names, order and types."""

import importlib
import json
import re

import pytest

import vpcflow as vf
from conftest import HEADER, ROOT, SAMPLE, line, run_cli
from vpcflow.findings import Coverage

PAGE = (ROOT / "docs" / "reference" / "schemas.md").read_text()
INVENTORY = ROOT / "examples" / "inventory"
REACH = ROOT / "examples" / "reach"
EVENTS = ROOT / "examples" / "correlate"
AUDIT = ROOT / "examples" / "audit"
GROUPS = ROOT / "examples" / "groups"
RULES = """
- name: refused
  severity: high
  every: 10m
  by: [srcaddr]
  where: action = 'REJECT'
  aggregates: {ports: n_unique(dstport)}
  having: [ports >= 50]
"""


def table(title):
    """The rows of the first table below a heading, without its head."""
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)[1]
    rows = [[cell.strip() for cell in text.strip("|").split("|")] for text in re.findall(r"^\|.*\|$", section, re.M)]
    return [row for row in rows[2:] if row[0]]


def is_a(value, kind):
    """Whether a JSON value is of a type of the page."""
    if kind.endswith(" or null"):
        return value is None or is_a(value, kind.removesuffix(" or null"))
    if kind.startswith("array of "):
        return isinstance(value, list) and all(is_a(item, kind.removeprefix("array of ")) for item in value)
    if kind == "any":
        return True
    python = {"text": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict}[kind]
    return isinstance(value, python) and (kind == "boolean" or not isinstance(value, bool))


def objects(*args):
    return [json.loads(text) for text in run_cli(*args, "--json").stdout.decode().splitlines()]


def test_the_types_that_are_checked_differ():
    right = [(1, "integer"), (1.5, "number"), (None, "text or null"), (["x"], "array of text"), (True, "boolean")]
    wrong = [(True, "integer"), (1.5, "integer"), (None, "text"), ([1], "array of text"), (1, "boolean"), ("1", "number")]
    assert [is_a(*one) for one in right + wrong] == [True] * len(right) + [False] * len(wrong)
    assert all(table(title) for title in re.findall("^## (.*)$", PAGE, re.M))


@pytest.mark.parametrize(
    ("title", "args"),
    [
        ("Findings", ["detect", SAMPLE]),
        ("Findings", ["rules", "run", "RULES", SAMPLE]),
        ("Incidents", ["detect", SAMPLE, "--incidents"]),
        ("Summary", ["summary", SAMPLE]),
        ("Reports", ["report", SAMPLE]),
        ("Live views", ["live", SAMPLE, "--once"]),
        ("Queries of Logs Insights", ["cloudwatch", "queries"]),
        ("Replay", ["rules", "replay", "RULES", SAMPLE]),
        ("Capabilities", ["capabilities", "default"]),
        ("Fields", ["fields"]),
        ("Settings", ["detect", "--settings"]),
        ("Replay of settings", ["detect", SAMPLE, "--replay", "1d", "--only", "beacon"]),
        ("Scores by labels", ["detect", SAMPLE, "--label", "LABELS"]),
        ("Baselines", ["baseline", "build", SAMPLE, "-o", "BASELINE"]),
        ("Inventory", ["inventory", INVENTORY]),
        ("Digests", ["digest", "info", "DIGESTS"]),
        ("Hunts", ["hunt", "LIST", "--digests", "DIGESTS"]),
        ("Correlations", ["correlate", "--flows", EVENTS / "flow.log.gz", "--cloudtrail", EVENTS / "cloudtrail"]),
        ("Explanations", ["explain", REACH / "flow.log.gz", "--inventory", REACH / "aws", "--from", "web-1", "--to", "db-1", "--port", "5432"]),
        ("Health", ["health", SAMPLE]),
        ("Dependencies", ["dependencies", SAMPLE]),
        ("Costs", ["cost", SAMPLE, "--inventory", INVENTORY]),
        ("Usage of rules", ["sg", "usage", GROUPS / "flow.log.gz", "--inventory", GROUPS / "aws"]),
        ("Proposals", ["sg", "propose", GROUPS / "flow.log.gz", "--inventory", GROUPS / "aws"]),
        ("Checks of rules", ["sg", "check", GROUPS / "no-web.json", GROUPS / "flow.log.gz", "--inventory", GROUPS / "aws"]),
        ("Results of controls", ["audit", "check", AUDIT / "controls.yaml", AUDIT / "flow.log.gz"]),
        ("Probes", ["audit", "matrix", AUDIT / "tests.csv", AUDIT / "flow.log.gz", "--inventory", AUDIT / "aws"]),
        ("Anonymised logs", ["anonymise", SAMPLE, "-o", "SHARED", "--key", "KEY"]),
        ("Encrypted logs", ["protect", "encrypt", SAMPLE, "-o", "SHARED", "--keys", "KEYS"]),
        ("Policies", ["iam", "reader", "s3://logs/vpc/"]),
        ("Audit of flow logs", ["enable", "audit", "--from-json", INVENTORY]),
        ("Plan of flow logs", ["enable", "plan", "vpc-0a1b2c3d4e5f60718", "--to", "cloudwatch://flows", "--for", "cost", "--from-json", INVENTORY]),
        ("Cost of flow logs", ["enable", "cost", "--from", SAMPLE]),
        ("Manifests", ["manifest", "add", SAMPLE, "--to", "EVIDENCE"]),
        ("Verdicts of a manifest", ["manifest", "verify", "EVIDENCE", SAMPLE]),
        ("Compactions", ["compact", SAMPLE, "-o", "LAKE"]),
        ("Verdicts of compacted logs", ["compact", "--verify", "LAKE"]),
        ("Sent events", ["send", SAMPLE, "--to", "EVENTS", "--as", "ecs"]),
        ("Rollups", ["rollup", SAMPLE, "-o", "LAKE"]),
        ("Samples", ["sample", "draw", SAMPLE, "-o", "SAMPLE", "--rate", "0.1"]),
        ("Totals of a sample", ["sample", "totals", "SAMPLE"]),
        ("Objects that are due", ["retention", "due", ROOT / "examples" / "retention.json", "COPY", "--at", "2028-12-01"]),
        ("Erasures", ["retention", "erase", "LAKE", "--address", "10.0.14.92", "--reason", "12"]),
        ("Routes", ["route", SAMPLE, "--routes", ROOT / "examples" / "routes.json"]),
        ("Parts of routes", ["route", SAMPLE, "--routes", ROOT / "examples" / "routes.json", "-o", "LAKE"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_json_of_commands(title, args, tmp_path):
    made = {"RULES": tmp_path / "rules.yaml", "LABELS": tmp_path / "labels.csv", "BASELINE": tmp_path / "usual.vpcflow"}
    made |= {"EVIDENCE": tmp_path / "evidence", "LAKE": tmp_path / "lake", "SAMPLE": tmp_path / "sample.csv"}
    made |= {"SHARED": tmp_path / "shared.parquet", "KEY": tmp_path / "key", "KEYS": tmp_path / "keys" / "owner.json"}
    made |= {"EVENTS": f"file:{tmp_path / 'events.jsonl'}"}
    made["KEY"].write_text("0" * 64)
    if title == "Encrypted logs":
        run_cli("protect", "keys", tmp_path / "keys", check=0)
    if title == "Verdicts of a manifest":
        vf.manifest.add(SAMPLE, made["EVIDENCE"])
    if title in ("Verdicts of compacted logs", "Erasures"):
        vf.volume.compact(vf.scan(SAMPLE), made["LAKE"])
    if title == "Objects that are due":
        made["COPY"] = tmp_path / "copy"
        vf.volume.compact(vf.scan(SAMPLE), made["COPY"] / "lake")
    if title == "Totals of a sample":
        vf.volume.sample(vf.scan(SAMPLE), made["SAMPLE"], rate=0.1)
    made["RULES"].write_text(RULES)
    made["LABELS"].write_text("actor\n10.0.14.92\n")
    if "DIGESTS" in args:
        made |= {"DIGESTS": tmp_path / "digests", "LIST": tmp_path / "list.txt"}
        made["LIST"].write_text("77.55.92.203\n192.0.2.1\n")
        vf.digest.build(vf.scan(str(SAMPLE)), made["DIGESTS"])
    rows = objects(*(made.get(arg, arg) for arg in args))
    schema = {row[0]: row[1] for row in table(title)}
    assert rows
    for row in rows:
        assert list(row) == list(schema)
        assert {name: value for name, value in row.items() if not is_a(value, schema[name])} == {}
        assert row.get("schema_version") == (1 if "schema_version" in schema else None)


def test_files_of_manifests_and_bags(tmp_path):
    ev = tmp_path / "evidence"
    vf.manifest.add(SAMPLE, ev, inventory=vf.inventory(INVENTORY))
    vf.manifest.evidence.pack(SAMPLE, tmp_path / "bag", manifest=ev)
    written = {
        "Files of a manifest": (ev / "objects.jsonl").read_text(),
        "Heads of a manifest": (ev / "heads" / "000001.json").read_text(),
        "Proofs of a manifest": json.dumps(vf.manifest.prove(ev, str(SAMPLE))),
        "Custody": (tmp_path / "bag" / "custody.jsonl").read_text(),
    }
    for title, text in written.items():
        (value,) = map(json.loads, text.splitlines())
        assert list(value) == [row[0] for row in table(title)], title
        assert {row[0] for row in table(title) if not is_a(value[row[0]], row[1])} == set()
        for row in table(title):
            if row[1] == "object or null":
                assert list(value[row[0]]) == [name for name in re.findall(r"`(\w+)`", row[2]) if name != "first"]


def test_members_of_what_nests():
    said = re.findall(r"`(\w+)`", next(row[2] for row in table("Findings") if row[0] == "coverage"))
    assert set(said) == set(Coverage.__annotations__)
    (summary,) = objects("summary", SAMPLE)
    for row in table("Summary"):
        if row[1] == "array of object":
            assert {tuple(item) for item in summary[row[0]]} == {tuple(re.findall(r"`(\w+)`", row[2]))}, row[0]
    for incident in objects("detect", SAMPLE, "--incidents"):
        assert [list(at) for at in incident["timeline"]] == [["time", "what"]] * len(incident["findings"])
        assert {tuple(finding) for finding in incident["findings"]} == {tuple(row[0] for row in table("Findings"))}
    fields = {field.column for field in vf.fields()}
    for finding in objects("detect", SAMPLE):
        for sample in finding["samples"]:
            assert set(sample) - {"file", "offset"} <= fields
            assert None not in sample.values()


def test_rows_of_applying_verifying_and_deleting():
    from vpcflow.enable.apply import OUTCOMES, Applied
    from vpcflow.enable.delete import Deleted
    from vpcflow.enable.verify import VERDICTS, Verified

    for title, kind in (("Applied", Applied), ("Verified", Verified), ("Deleted", Deleted)):
        assert [row[0] for row in table(f"{title} flow logs")] == list(kind.__dataclass_fields__)
    said = {(title, row[0]): set(re.findall(r"`(\w+)`", row[2])) for title in ("Applied", "Verified") for row in table(f"{title} flow logs")}
    assert said["Verified", "verdict"] == set(VERDICTS)
    assert said["Applied", "outcome"] == set(OUTCOMES)


def test_members_and_verdicts_of_enabling():
    from vpcflow.enable.audit import VERDICTS

    assert [row[0].strip("`") for row in table("Verdicts of an audit")] == list(VERDICTS)
    (plan,) = objects("enable", "plan", "vpc-0a1b2c3d4e5f60718", "--to", "cloudwatch://flows", "--from-json", INVENTORY)
    (cost,) = objects("enable", "cost", "--from", SAMPLE)
    for title, document in (("Plan of flow logs", plan), ("Cost of flow logs", cost)):
        for row in table(title):
            if row[1] == "array of object":
                said = re.findall(r"`(\w+)`", row[2])
                assert {name for item in document[row[0]] for name in item} <= set(said), row[0]


def test_alerts_are_findings_with_an_id():
    from vpcflow.alerts import Alert

    (finding, *_) = vf.detect(vf.scan(SAMPLE), only=["port_scan"])
    names = [row[0] for row in table("Alerts")]
    assert list(Alert("x", finding).as_dict()) == [*names, *(row[0] for row in table("Findings")[2:])]


def schema(title):
    return [(row[0], row[1]) for row in table(title)]


def test_tables_of_commands(tmp_path):
    coverage = importlib.import_module("vpcflow.cli.coverage")
    assert schema("Coverage by interface") == coverage._SCHEMA
    assert list(objects("coverage", SAMPLE)[0]) == [name for name, _ in schema("Coverage by interface")]
    assert list(objects("timeline", SAMPLE)[0]) == [name for name, _ in schema("Timeline")]
    state = tmp_path / "state.sqlite"
    run_cli("watch", SAMPLE.parent, "--once", "--settle", "0", "--state", state)
    (row,) = objects("watch", "--status", "--state", state)
    assert {name: True for name, kind in schema("State of a watch") if is_a(row[name], kind)} == dict.fromkeys(row, True)


def test_tables_of_queries():
    flows = vf.scan(SAMPLE)
    assert flows.sessions().collect().schema == schema("Sessions")
    assert flows.coverage().schema == schema("Coverage")
    assert flows.describe().schema == schema("Describe")
    fields = {field.column: field.column_type for field in vf.fields()}
    records = flows.located().head(1).collect()
    assert records.schema == [*((name, fields[name]) for name in flows.columns), *schema("Records")]
    (row,) = objects("head", SAMPLE, "-n", "1")
    assert list(row) == flows.columns


def test_types_of_aggregates():
    made = {
        "count": vf.count(), "sum": vf.sum("bytes"), "mean": vf.mean("bytes"), "rate": vf.rate("bytes"), "n_unique": vf.n_unique("dstaddr"),
        "approx_n_unique": vf.approx_n_unique("dstaddr"), "quantile": vf.quantile("bytes", 0.5),
        "approx_quantile": vf.approx_quantile("bytes", 0.5), "min": vf.min("dstport"), "max": vf.max("start"), "first": vf.first("dstaddr"),
        "last": vf.last("action"), "arithmetic": "sum / count",
    }  # fmt: skip
    of_field = {"min": "int32", "max": "time", "first": "address", "last": "text"}
    said = {row[0]: of_field.get(row[0], row[1]) if row[1] == "of the field" else row[1] for row in table("Groups")}
    got = vf.scan(SAMPLE).group_by("srcaddr", "dstport", every="1h").agg(**made).collect().schema
    assert got == [("time", "time"), ("srcaddr", "address"), ("dstport", "int32"), *said.items()]
    grouped = vf.scan(SAMPLE).group_by("srcaddr").agg(b=vf.sum("bytes"))
    assert grouped.top_k(2, by="b", other=True).collect().schema[-1] == ("other", "bool")
    assert grouped.top_k(2, by="b", counters=9).collect().schema[-1] == ("b_error", "int64")


def test_findings_in_arrow():
    pytest.importorskip("pyarrow")
    findings = vf.detect(vf.scan(SAMPLE), only=["port_scan"])
    got = [(field.name, re.sub(r"<\w+: ", "<", str(field.type))) for field in findings.to_arrow().schema]
    assert got == schema("Findings in Arrow")


def test_every_type_in_every_frame(tmp_path):
    pa, pd, _ = (pytest.importorskip(name) for name in ("pyarrow", "pandas", "polars"))
    log = vf.scan(HEADER + line(size=2**62) * 3)
    sums = log.group_by("srcaddr", "dstport", "action", "bytes", every="1h").agg(total=vf.sum("bytes"), mean=vf.mean("bytes"))
    result = sums.top_k(1, by="total", other=True).collect()
    kinds = {kind: name for name, kind in result.schema}
    assert set(kinds) == {row[0] for row in table("Types")}
    arrow, frame, polars = result.to_arrow(), result.to_pandas(), result.to_polars()
    result.to_parquet(tmp_path / "a.parquet")
    plain = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "a.parquet")
    dictionary = pa.dictionary(pa.int32(), pa.large_string())
    for kind, json_kind, _, in_arrow, in_files, in_pandas, in_polars in table("Types"):
        name = kinds[kind]
        told = arrow.schema.field(name).type
        assert "dictionary of large_string, by int32" if told == dictionary else str(told) == in_arrow
        assert str(plain.schema.field(name).type) == in_files
        if in_pandas == "str":
            assert pd.api.types.is_string_dtype(frame[name])
        else:
            assert str(frame[name].dtype) == in_pandas
        shown = str(polars.schema[name]).replace("time_unit='us', time_zone='UTC'", "us, UTC").replace("precision=38, scale=0", "38, 0")
        assert shown == in_polars
        value = json.loads(result.to_json_lines().splitlines()[0])[name]
        assert is_a(value, json_kind.partition(",")[0])


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Served tables", "table/talkers"), ("Served annotations", "annotations"), ("Served nodes", "nodes?limit=5"),
        ("Served edges", "edges?limit=5"),
    ],
)  # fmt: skip
def test_what_is_served(served, title, path):
    rows = json.loads(served.reply(f"/api/v1/{path}").body)
    schema = {row[0]: row[1] for row in table(title)}
    assert rows
    for row in rows:
        assert list(row) == list(schema)
        assert all(is_a(row[name], kind) for name, kind in schema.items())


@pytest.fixture(scope="module")
def served():
    from vpcflow.detect.settings import Settings
    from vpcflow.serve import Board, Server, gather

    server = Server("127.0.0.1", 0, Board(gather(vf.scan(SAMPLE), settings=Settings())))
    yield server
    server.close()
