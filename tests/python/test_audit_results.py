"""Files of controls and what is wrong with them, results that merge, the forms of results, the matrix of probes."""

import json
import random
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import audit_world as aw
import vpcflow as vf
import vpcflow.cli
from conftest import LONG, ROOT, run_cli
from vpcflow import audit
from vpcflow.audit.ports import ports_of
from vpcflow.audit.source import Value

EXAMPLE = ROOT / "examples" / "audit"
ZONES = {"dev": {"cidr": "10.30.0.0/16"}, "cde": {"cidr": "10.20.0.0/16"}}
PAGE = """\
zones:
  dev: {cidr: 10.30.0.0/16}
  cde: {cidr: [10.20.0.0/16]}
controls:
  - id: seg
    deny: {from: dev, to: cde, except: [tcp/443]}
"""


@pytest.fixture(scope="module")
def example():
    """The results of the example, by days and of both."""
    return audit.check(vf.scan(EXAMPLE / "flow.log.gz"), EXAMPLE / "controls.yaml")


def test_the_example_is_what_the_script_writes(tmp_path):
    aw.example(tmp_path)
    for path in sorted(one for one in tmp_path.rglob("*") if one.is_file()):
        assert (EXAMPLE / path.relative_to(tmp_path)).read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("except:", "exept:", "line 6: control seg: deny: no key 'exept'; did you mean 'except'?"),
        ("to: cde", "to: cda", "line 6: control seg: deny: to: no zone 'cda'; did you mean 'cde'?"),
        ("tcp/443", "tpc/443", "line 6: control seg: deny: except: no protocol 'tpc'; did you mean 'tcp'?"),
        ("tcp/443", "icmp/8", "ICMP has no port"), ("tcp/443", "22", "a port needs its protocol, as tcp/22"),
        ("tcp/443", "proto-300", "no protocol 'proto-300'"),
        ("tcp/443", "tcp/443-80", "the lower one first"),
        ("tcp/443", "tcp/99999", "expected ports from 0 to 65535"),
        ("tcp/443", "icmp/", "expected such as tcp/443"),
        ("10.20.0.0/16", "10.20.0.1/16", "line 3: zone cde: cidr: '10.20.0.1/16': 10.20.0.1/16 has host bits set"),
        ("cidr: [10", "cidrs: [10", "line 3: zone cde: no key 'cidrs'; did you mean 'cidr'?"),
        ("zones:\n", "zone:\n", "no key 'zone'; did you mean 'zones'?"),
        ("id: seg", "name: seg", "line 5: control: no key 'name'"),
        ("from: dev, ", "", "line 6: control seg: deny: from is missing"),
        ("    deny:", "    maps: [pci-4.0.1/1.3.9]\n    deny:", "no requirement 'pci-4.0.1/1.3.9'; did you mean 'pci-4.0.1/1.3."),
        ("    deny:", "    maps: [pci-3/1.3.1]\n    deny:", "did you mean 'pci-4.0.1'?"),
        ("    deny:", "    require: {from: dev, to: cde}\n    deny:", "expected one of deny, allow_only, require, not deny and require"),
        ("    deny:", "    coverage: {least: 99}\n    deny:", "expected a share from 0 to 1"),
        ("    deny:", "    exceptions: [{id: X, from: dev, owner: me, ticket: T}]\n    deny:", "exception X: until is missing"),
        ("    deny:", "    exceptions: [{id: X, owner: me, ticket: T, until: 2026-12-31}]\n    deny:", "it would except everything"),
        ("    deny:", "    exceptions: [{id: X, from: dev, owner: me, ticket: T, until: soon}]\n    deny:", "line 6: control seg: exception X: until="),
        ("  - id: seg", "  - id: seg\n    id: seg", "duplicate key 'id'"),
        ("  - id: seg", "  - id: seg\n    deny: {from: dev, to: cde}\n  - id: seg", "control seg: duplicate id"),
        ("dev: {", "dev: {not: dev, ", "zone dev: not: it leaves itself out"),
        ("{cidr: [10.20.0.0/16]}", "&a [*a]", "too deep"),
        ("controls:", "controls: []\nx:", "no key 'x'"),
        (PAGE, "a: [", "invalid YAML"),
        (PAGE, "", "expected one document, not 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old, new, said, tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "controls.yaml"
    path.write_text(PAGE)
    assert audit.load(path).controls[0].id == "seg"
    path.write_text(PAGE.replace(old, new))
    with pytest.raises(vf.RuleError) as raised:
        audit.load(path)
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(path))


def test_ports_are_what_they_say():
    def held(text, protocol, port, v6=False):
        (one,) = ports_of(Value(text, "x"), "ports")
        return one.holds(v6, protocol, port)

    assert (held("tcp/80-90", 6, 85), held("tcp/80-90", 6, 91), held("tcp/80-90", 17, 85), held("tcp/80", 6, None)) == (True, False, False, None)
    assert (held("udp", 17, 5), held("udp", None, 5), held("any", None, None), held("proto-47", 47, None)) == (True, None, True, True)
    assert (held("ipv6 tcp/443", 6, 443), held("ipv6 tcp/443", 6, 443, True), held("ipv6", 58, None, True)) == (False, True, True)
    assert (held("icmp", 1, 0), held("icmpv6", 58, 0, True), held("ipv6-icmp", 58, 0, True), held("ICMP", 58, 0, True)) == (True, True, True, False)


def test_hostile_yaml_does_not_unfold(tmp_path):
    pytest.importorskip("yaml")
    bomb = "".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 12))
    (tmp_path / "bomb.yaml").write_text("x0: &x0 [1]\n" + bomb)
    with pytest.raises(vf.RuleError, match="too many values"):
        audit.load(tmp_path / "bomb.yaml")


def test_json_needs_no_other_package_and_names_the_way(tmp_path):
    path = tmp_path / "controls.json"
    path.write_text(json.dumps({"zones": ZONES, "controls": [{"id": "seg", "deny": {"from": "dev", "tu": "cde"}}]}))
    with pytest.raises(vf.RuleError, match=r"controls.json: controls: 1: deny: tu: control seg: deny: no key 'tu'; there are from, to"):
        audit.load(path)


def test_requirements_of_the_users_own(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"frames": {"house": {"title": "House rules", "requirements": {"7": {"what": "no dev in cde"}}}}}))
    document = {"frames": str(tmp_path / "own.json"), "zones": ZONES,
                "controls": [{"id": "seg", "deny": {"from": "dev", "to": "cde"}, "maps": ["house/7", "PCI-4.0.1/1.3.1"]}]}
    assert audit.load(document).controls[0].maps == ("house/7", "PCI-4.0.1/1.3.1")
    (tmp_path / "own.json").write_text("[]")
    with pytest.raises(vf.RuleError, match="frames"):
        audit.load(document)


def test_mapping_is_dated_and_says_what_lacks():
    data = json.loads((Path(audit.__file__).parent / "frames.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", data["as_of"])
    for frame in data["frames"].values():
        assert all(all(one[key] for key in ("what", "shows", "lacks")) for one in frame["requirements"].values())
    assert {"pci-4.0.1", "nist-800-53r5", "iso-27001-2022", "soc2-2017", "cis-aws-1.4", "cis-aws-7.0"} <= set(data["frames"])
    numbers = {name: list(one["requirements"]) for name, one in data["frames"].items() if name.startswith("cis")}
    assert (numbers["cis-aws-2.0"], numbers["cis-aws-3.0"], numbers["cis-aws-6.0"]) == (["3.9"], ["3.7"], ["4.7"])


# -- results ------------------------------------------------------------------------------------------------------


def days_of(results):
    """Results of each day alone, as a daily run writes them."""
    out = []
    for name in sorted({name for one in results for name in one.days}):
        rows = [{**row, "days": [day for day in row["days"] if day["day"] == name]} for row in results.rows()]
        for row in rows:
            row["period"] = {"first": name, "last": name, "asked": False}
        out.append(rows)
    return out


def loaded(rows, path):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return audit.results_of(path)


def test_days_merge_in_any_order_and_twice(example, tmp_path):
    first, second = (loaded(rows, tmp_path / f"{i}.json") for i, rows in enumerate(days_of(example)))
    assert {one.id: one.verdict for one in first} != {one.id: one.verdict for one in second}
    assert first + second == second + first == audit.merge([second, first, second]) == example
    assert (first + second) + first == first + (second + first)


def test_a_day_without_result_is_a_hole(example, tmp_path):
    month = example.of_period("2026-11")
    assert {one.id: one.verdict for one in month} == {
        "no-dev-in-cde": "fail", "cde-in": "fail", "cde-out": "not_evaluable", "payments-answered": "not_evaluable"}
    assert len(month["cde-out"].holes) == 28
    assert month["cde-out"].why[0] == "no result of 28 days: 2026-11-03 to 2026-11-30"
    assert example.of_period("2026-11-01")["no-dev-in-cde"].verdict == "pass_enforced"
    first = loaded(days_of(example)[0], tmp_path / "a.json")
    later = loaded([{**row, "days": [{**day, "day": "2026-11-04"} for day in row["days"]]} for row in days_of(example)[1]], tmp_path / "b.json")
    assert (first + later)["cde-out"].holes == ["2026-11-02", "2026-11-03"]
    for wrong in ("2026-13", "november", "2026-11-31", "26", "2026-1"):
        with pytest.raises(vf.PlanError, match="expected a year, month or day"):
            example.of_period(wrong)


def test_only_a_part_of_a_day_is_no_day():
    results = audit.check(vf.scan(EXAMPLE / "flow.log.gz", end=aw.DAY + 86400 + 3600 * 8), EXAMPLE / "controls.yaml")
    assert results["cde-out"].verdict == "pass_silent"
    assert results.of_period("2026-11-02")["cde-out"].why[0] == "only a part of 2026-11-02 was judged"
    assert results.of_period("2026-11-02")["cde-out"].verdict == "not_evaluable"


def test_of_two_results_of_a_day_the_worse_stays(example, tmp_path):
    rows = days_of(example)[1]
    better = [{**row, "days": [{**day, "verdict": "pass_silent", "violations": 0} for day in row["days"]]} for row in rows]
    one, other = loaded(rows, tmp_path / "a.json"), loaded(better, tmp_path / "b.json")
    assert one + other == other + one == one
    changed = [{**row, "days": [{**day, "question_sha256": "0" * 64} for day in row["days"]]} for row in days_of(example)[0]]
    both = one + loaded(changed, tmp_path / "c.json")
    assert "the control was asked in 2 forms" in both["cde-out"].why[0]


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", '{"schema_version": 2}', '{"schema_version": 1, "id": "x"}', "\0"])
def test_other_files_are_no_results(text, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(vf.StateError):
        audit.results_of(tmp_path / "x.json")
    with pytest.raises(vf.StateError):
        audit.results_of(tmp_path / "nothing.json")


def test_a_result_that_somebody_changed_is_refused_or_shown(example, command, tmp_path):
    """Whatever is taken out or changed: an error of ours, or a page."""
    first = json.loads(example.to_json_lines().splitlines()[0])
    dice = random.Random(0)

    def places(value, way=()):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            yield (*way, key)
            yield from places(inner, (*way, key))

    for way in dice.sample(list(places(first)), 150 if LONG else 40):
        broken = json.loads(json.dumps(first))
        place = broken
        for key in way[:-1]:
            place = place[key]
        place[way[-1]] = dice.choice((None, -1, "<b>", [], {}, [None], "0001-01-01", 1e300))
        (tmp_path / "x.json").write_text(json.dumps(broken))
        try:
            results = audit.results_of(tmp_path / "x.json")
        except vf.StateError:
            continue
        vpcflow.cli.main(["audit", "merge", str(tmp_path / "x.json")])
        for form in ("html", "junit", "oscal", "ocsf"):
            audit.export(results, form)
        audit.export(results, "asff", hub="123456789012/eu-west-1")


def test_results_know_their_manifest(tmp_path):
    vf.manifest.add(EXAMPLE / "flow.log.gz", tmp_path / "evidence", created=0)
    results = audit.check(vf.scan(EXAMPLE / "flow.log.gz"), EXAMPLE / "controls.yaml", manifest=tmp_path / "evidence")
    one = results["no-dev-in-cde"]
    assert one.manifest["sha256"] == vf.manifest.head(tmp_path / "evidence").sha256
    assert one.violating[0]["record"]["leaf"] == 0


# -- forms --------------------------------------------------------------------------------------------------------


def test_forms_are_the_same_each_time(example):
    for form in ("json", "html", "junit", "oscal", "ocsf"):
        assert audit.export(example, form) == audit.export(example, form)
    with pytest.raises(vf.PlanError, match="did you mean 'oscal'"):
        audit.export(example, "oscall")


def test_junit_fails_what_cannot_be_told(example):
    root = ET.fromstring(audit.export(example.of_period("2026-11"), "junit"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "2")
    assert [len(case) for case in root.iter("testcase")] == [1, 1, 1, 1]


def test_asff(example):
    findings = json.loads(audit.export(example, "asff", hub="123456789012/eu-west-1"))
    assert [one["Compliance"]["Status"] for one in findings] == ["FAILED", "PASSED", "FAILED", "PASSED"]
    assert all(len(one["Title"]) <= 256 and len(one["Description"]) <= 1024 for one in findings)
    assert json.loads(audit.export(example.of_period("2026-11"), "asff", hub="123456789012/us-gov-west-1"))[1]["Compliance"]["Status"] == "NOT_AVAILABLE"
    for wrong in ("", "12/eu-west-1", "123456789012"):
        with pytest.raises(vf.PlanError, match="expected account and region"):
            audit.export(example, "asff", hub=wrong)


def test_security_hub_takes_the_findings(example, monkeypatch):
    moto, boto3 = pytest.importorskip("moto"), pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    findings = json.loads(audit.export(example, "asff", hub="123456789012/eu-west-1"))
    with moto.mock_aws():
        hub = boto3.client("securityhub", "eu-west-1")
        hub.enable_security_hub()
        assert hub.batch_import_findings(Findings=findings)["SuccessCount"] == 4
        got = {one["Id"].split("/")[3]: one["Compliance"]["Status"] for one in hub.get_findings()["Findings"]}
        assert got == {"no-dev-in-cde": "FAILED", "cde-in": "FAILED", "cde-out": "PASSED", "payments-answered": "PASSED"}
        del findings[0]["Severity"]["Label"]
        findings[0]["Compliance"]["Statuss"] = "PASSED"
        with pytest.raises(Exception, match="Statuss"):  # the client knows the shape
            hub.batch_import_findings(Findings=findings)


def test_ocsf(example):
    events = [json.loads(text) for text in audit.export(example.of_period("2026-11"), "ocsf").splitlines()]
    assert [(one["class_uid"], one["type_uid"], one["compliance"]["status_id"]) for one in events] == [
        (2003, 200301, 3), (2003, 200301, 99), (2003, 200301, 3), (2003, 200301, 99)]
    assert len({one["finding_info"]["uid"] for one in events}) == 4
    model = pytest.importorskip("py_ocsf_models.events.findings.compliance_finding").ComplianceFinding
    assert [model.model_validate(one).compliance.status_id for one in events] == [3, 99, 3, 99]
    with pytest.raises(ValueError, match="finding_info"):
        model.model_validate({name: value for name, value in events[0].items() if name != "finding_info"})


def test_oscal_by_the_models_of_compliance_trestle(example):
    document = json.loads(audit.export(example.of_period("2026-11"), "oscal"))
    (result,) = document["assessment-results"]["results"]
    assert len(result["observations"]) == 4
    # What cannot be told has an observation, and no finding that anybody could take for a verdict.
    assert {one["target"]["status"]["state"] for one in result["findings"]} == {"not-satisfied"}
    whole = json.loads(audit.export(example, "oscal"))["assessment-results"]["results"][0]
    assert {one["target"]["status"]["state"] for one in whole["findings"]} == {"not-satisfied", "satisfied"}
    model = pytest.importorskip("trestle.oscal.assessment_results").Model
    model.parse_obj(document)
    for path in (("import-ap",), ("results", 0, "reviewed-controls"), ("metadata", "oscal-version"), ("results", 0, "findings", 0, "target")):
        broken = json.loads(json.dumps(document))
        place = broken["assessment-results"]
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        with pytest.raises(Exception, match=r"(?i)required|missing|none"):
            model.parse_obj(broken)


def test_the_page_runs_nothing_and_escapes_all():
    nasty = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
    document = {"zones": {nasty: {"cidr": "10.30.0.0/16"}, "cde": {"cidr": "10.20.0.0/16"}}, "controls": [
        {"id": nasty, "title": nasty, "deny": {"from": nasty, "to": "cde"},
         "exceptions": [{"id": nasty, "owner": nasty, "ticket": nasty, "until": "2026-12-31", "from": nasty}]}]}
    world = aw.World(0, minutes=6, hosts=2, talks=0)
    world.talks.append(aw.Talk("eni-dev0", "eni-cde0", 22, 3, "answered", 40000))
    results = audit.check(vf.scan(aw.text_of(world.records())), document)
    page = audit.export(results, "html")
    assert "<img" not in page and "\x1b" not in page and "\u202e" not in page  # noqa: PT018
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"<script|https?://|style=", page)
    ET.fromstring(audit.export(results, "junit"))
    json.loads(audit.export(results, "oscal"))
    assert len(page) < 20_000


# -- the matrix ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "blind", "actual"),
    [
        ("answered", (), "answered"), ("accepted", (), "accepted_unanswered"), ("rejected_there", (), "rejected"),
        ("rejected_here", (), "rejected"), ("lost", (), "accepted_unanswered"), (None, (), "not_seen"),
        ("accepted", ("eni-cde0",), "accepted_unanswered"), (None, ("eni-cde0",), "not_seen"),
        (None, ("eni-dev0", "eni-cde0"), "cannot_tell"), ("answered", ("eni-dev0", "eni-cde0"), "cannot_tell"),
    ],
)  # fmt: skip
def test_probes_are_joined_with_what_was_logged(fate, blind, actual, tmp_path):
    world = aw.World(0, minutes=40, hosts=2, talks=0)
    if fate:
        world.talks.append(aw.Talk("eni-dev0", "eni-cde0", 22, 20, fate, 40000))
    world.talks.append(aw.Talk("eni-dev0", "eni-cde0", 22, 38, "answered", 40001))  # at another time
    for eni in blind:
        world.blind(eni, 12, 18)
    log = tmp_path / "flow.log"
    log.write_bytes(aw.text_of(world.records()))
    time = aw.DAY + 20 * 60 + 30
    (tmp_path / "tests.csv").write_text(f"Source,Destination,Port,Protocol,Time,Expected\n10.30.0.4,10.20.0.4,22,TCP,{time},denied\n")
    found = audit.matrix(vf.scan(log), tmp_path / "tests.csv", inventory=world.inventory(tmp_path / "aws"))
    (row,) = found.rows
    assert row["actual"] == actual
    assert row["verdict"] == ("cannot_tell" if actual == "cannot_tell" else "as_expected" if actual == "rejected" else "differs")
    assert found.exit_code == {"as_expected": 0, "differs": 1, "cannot_tell": 3}[row["verdict"]]
    if actual in ("not_seen", "cannot_tell"):
        assert row["record"] is None
    else:
        line = log.read_bytes()[row["record"]["offset"] :].split(b"\n")[0]
        assert b" 10.30.0.4 10.20.0.4 40000 22 " in line
        assert (b"REJECT" in line) == (actual == "rejected")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header line"), ("source,destinaton\n", "line 1: no column 'destinaton'; did you mean 'destination'?"),
        ("source,destination,port,protocol,time\n", "column expected is missing"),
        ("source,destination,port,protocol,time,expected\n", "no probe in it"),
        ("source,destination,port,protocol,time,expected\nx,10.0.0.1,22,tcp,1,rejected\n", "line 2: source: 'x': expected an address"),
        ("source,destination,port,protocol,time,expected\n10.0.0.2,10.0.0.1,22,tcp,1,rejcted\n", "did you mean 'rejected'?"),
        ("source,destination,port,protocol,time,expected\n10.0.0.2,10.0.0.1,x,tcp,1,rejected\n", "line 2: port and protocol"),
        ("source,destination,port,protocol,time,expected\n10.0.0.2,10.0.0.1,22,tcp,noon,rejected\n", "line 2: time='noon'"),
        ("source,destination,port,protocol,time,expected\n10.0.0.2,10.0.0.1\n", "line 2: 2 cells; the header has 6"),
        ('source,destination,port,protocol,time,expected\n"10.0.0.2,\n', "unexpected end"),
    ],
)
def test_what_is_wrong_with_a_plan_of_tests(text, said, tmp_path):
    path = tmp_path / "tests.csv"
    path.write_text(text)
    with pytest.raises(vf.RuleError, match=re.escape(said)):
        audit.matrix(vf.scan(EXAMPLE / "flow.log.gz"), path)


# -- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(capfd):
    """Runs `vpcflow audit` in this process, and returns what it wrote to standard output."""

    def run(*args, check=0):
        assert vpcflow.cli.main(["audit", *map(str, args)]) == check
        return run.read()

    run.read = lambda: capfd.readouterr().out
    return run


def test_the_command_and_its_exit_codes(command, tmp_path):
    log, controls = EXAMPLE / "flow.log.gz", EXAMPLE / "controls.yaml"
    rows = [json.loads(text) for text in command("check", controls, log, "--json", check=1).splitlines()]
    assert {row["id"]: row["verdict"] for row in rows} == {
        "no-dev-in-cde": "fail", "cde-in": "fail", "cde-out": "pass_silent", "payments-answered": "pass_enforced"}
    day = tmp_path / "day.json"
    command("check", controls, log, "--period", "2026-11-01", "--json", "-o", day)
    command("merge", day, "--period", "2026-11", check=3)
    wrong = tmp_path / "controls.json"
    wrong.write_text(json.dumps({"inventory": str(EXAMPLE / "aws"), "zones": {**ZONES, "cde": {"tag": {"zone": "cda"}}},
                                 "controls": [{"id": "seg", "deny": {"from": "dev", "to": "cde"}}]}))
    assert json.loads(command("check", wrong, log, "--json", check=2))["verdict"] == "error"
    for args in (["-o", tmp_path / "x"], ["--to", "asff"], ["--period", "2026-11", "--start", "-2h"], ["--period", "2026-12"]):
        assert command("check", controls, log, *args, check=2) == ""
    out = command("check", controls, log, "--period", "2026-11-02", "--to", "html", "-o", tmp_path / "e.html", check=1)
    assert "FAIL  no-dev-in-cde  2026-11-02" in out
    assert (tmp_path / "e.html").read_text().startswith("<!DOCTYPE html>")


def test_a_notebook_shows_a_table(example):
    assert example._repr_html_().count("<tr>") == 5


def test_nothing_read_is_no_pass():
    results = audit.check(vf.scan(b"", format="default", allow_empty=True), {"zones": ZONES, "controls": [{"id": "c", "deny": {"from": "dev", "to": "cde"}}]})
    assert (results["c"].verdict, results.exit_code) == ("not_evaluable", 3)
    assert "no record was read" in results["c"].why[-1]


def test_wrapped_records_have_a_file_and_no_byte(command, tmp_path):
    vf.scan(EXAMPLE / "flow.log.gz").sink_ndjson(tmp_path / "flow.jsonl")
    shown = command("check", EXAMPLE / "controls.yaml", tmp_path / "flow.jsonl", check=1)
    assert f"it was answered ({tmp_path / 'flow.jsonl'})" in shown.replace("\n    ", " ")
    rows = [json.loads(text) for text in command("check", EXAMPLE / "controls.yaml", tmp_path / "flow.jsonl", "--json", check=1).splitlines()]
    assert rows[0]["violating"][0]["record"]["offset"] is None
    inventory = ["--inventory", EXAMPLE / "aws"]
    assert "flow.jsonl, 2026-11-01" in command("matrix", EXAMPLE / "tests.csv", tmp_path / "flow.jsonl", *inventory, check=1).replace("\n", "")


def test_standard_input_is_read_as_often_as_is_needed():
    done = run_cli("audit", "check", EXAMPLE / "controls.yaml", "-", "--json", stdin=(EXAMPLE / "flow.log.gz").read_bytes(), check=1)
    assert json.loads(done.stdout.splitlines()[0])["violating"][0]["record"]["offset"] > 0


def test_the_page_says_what_the_commands_print(command, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "how-to" / "segmentation-evidence-for-pci.md").read_text()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = [text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S) if not kind]
    commands = [text for block in blocks for text in re.split(r"^\$ vpcflow ", block, flags=re.M)[1:]]
    assert [text.split()[1] for text in commands] == ["check", "matrix", "add", "check", "check", "merge"]
    for text in commands:
        line, *shown = text.splitlines()
        vpcflow.cli.main(shlex.split(line))
        printed = [one.rstrip() for one in command.read().splitlines()]
        assert [one for one in shown if one.rstrip() not in printed] == [], line
    assert (tmp_path / "november.html").read_text().count("no result: 28 days") == 4
    plan = re.search(r"^```yaml\n(.*?)^```", page, re.M | re.S)[1]
    (tmp_path / "controls.yaml").write_text(plan.replace("inventory: aws/", f"inventory: {EXAMPLE / 'aws'}"))
    said, own = audit.load(tmp_path / "controls.yaml"), audit.load(EXAMPLE / "controls.yaml")
    assert said.zones == own.zones
    assert {one.id: one.question for one in said.controls}.items() <= {one.id: one.question for one in own.controls}.items()
