"""What the dashboard for Infinity asks, of a server of logs, by a plain client: each address answers with rows that are our
aggregates."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

import vpcflow as vf
from conftest import ROOT
from grafana_page import expanded, logs
from vpcflow import _core
from vpcflow.audit import check
from vpcflow.detect.settings import Settings
from vpcflow.grafana import dashboard
from vpcflow.serve import Board, Server, gather
from vpcflow.serve.beside import beside

V5 = " ".join(name for name, _ in _core.parse_format("v5"))
EVERYTHING = "log_status is null or log_status is not null"


class Served:
    """A server of logs, and the page over all of their time."""

    def __init__(self, flows, **documents):
        self.flows = flows
        self.figures = gather(flows, settings=Settings())
        self.server = Server("127.0.0.1", 0, Board(self.figures, None, beside(flows, **documents)))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        self.url = self.server.url.rstrip("/")
        format = " ".join(name.replace("_", "-") for name, _ in flows.schema)
        self.page = dashboard("infinity", format, url=self.url)
        self.start, self.end = 0, 2_000_000_000
        if {"start", "end"} <= {name for name, _ in flows.schema}:
            times = flows.agg(first=vf.min("start"), last=vf.max("end")).collect().rows()[0]
            self.start, self.end = times["first"] // 300 * 300, times["last"] + 1

    def panel(self, title, start=None, **chosen):
        """The rows of a panel's queries."""
        (panel,) = (one for one in self.page["panels"] if one["title"] == title)
        start = self.start if start is None else start
        return [self.get(expanded(one["url"], self.page, start, self.end, **chosen)) for one in panel["targets"]]

    def get(self, url):
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def close(self):
        self.server.stop()
        self.thread.join(20)


@pytest.fixture(scope="module")
def served():
    one = Served(vf.scan(logs()))
    yield one
    one.close()


def test_each_address_of_the_page_answers_with_the_columns_that_it_names(served):
    targets = [target for panel in served.page["panels"] for target in panel["targets"]]
    targets += [note["target"] for note in served.page["annotations"]["list"]]
    assert len(targets) > 20
    for target in targets:
        url = expanded(target["url"], served.page, served.start, served.end)
        rows = served.get(url)
        assert isinstance(rows, list)
        assert all(not isinstance(value, (dict, list)) for row in rows for value in row.values())
        if "findings" not in url and "annotations" not in url:
            assert rows, url
        for column in target["columns"] if rows and "why" not in rows[0] else []:
            assert column["selector"] in rows[0], (url, column)


def test_zones_and_flows_are_those_of_the_logs(served):
    (rows,) = served.panel("Bytes from zone (left) to zone (top)")
    chart = vf.charts.zone_matrix(served.flows)
    assert {(r["source"], r["target"]): r["bytes"] for r in rows} == {(r["row"], r["column"]): r["value"] for r in chart.rows}
    (rows,) = served.panel("Flows: who, to whom, at which port, with which answer")
    by = ("srcaddr", "dstaddr", "dstport", "protocol", "action")
    top = served.flows.group_by(*by).agg(n=vf.sum("bytes")).top_k(50, by="n").collect()
    assert [r["bytes"] for r in rows] == top["n"]
    (one,) = served.panel("Flows: who, to whom, at which port, with which answer", where="srcaddr = '2001:db8::7'")
    assert sum(r["bytes"] for r in one) == served.flows.filter("srcaddr = '2001:db8::7'").agg(n=vf.sum("bytes")).collect()["n"][0]


def test_what_is_new_is_what_was_not_there_before(served):
    middle = served.start + (served.end - served.start) // 2 // 300 * 300
    (rows,) = served.panel("New: who had not reached this service before", start=middle)
    by = ("srcaddr", "dstaddr", "dstport", "protocol")
    accepted = served.flows.filter("action != 'REJECT' and dstport < 32768")
    known = {tuple(row[name] for name in by) for row in accepted.filter(f"start < {middle}").select(*by).collect()}
    later = accepted.filter(f"start >= {middle}").group_by(*by).agg(n=vf.sum("bytes")).collect()
    new = {tuple(row[name] for name in by): row["n"] for row in later if tuple(row[name] for name in by) not in known}
    assert len(new) > 20
    assert [row["bytes"] for row in rows] == sorted(new.values(), reverse=True)[:20]
    assert all(new[tuple(row[name] for name in by)] == row["bytes"] for row in rows)
    assert all(row["first"] >= middle * 1000 for row in rows)
    (rows,) = served.panel("New: who had not reached this service before")
    assert [row["srcaddr"] for row in rows] == [None]  # not "nothing is new"
    assert "the logs begin at" in rows[0]["why"]


def test_status_and_lines_are_those_of_the_logs(served):
    coverage = served.flows.coverage().rows()
    (rows,) = served.panel("Status of interfaces")
    words = {0: "absent", 1: "NODATA", 2: "OK", 3: "SKIPDATA"}
    told = {(r["time"] // 1000, r["series"], words[r["value"]]) for r in rows if r["value"] is not None}
    assert told <= {(row["start"], row["interface_id"], row["seen"]) for row in coverage}
    assert len({name for _, name, _ in told}) == 20
    assert {"SKIPDATA", "OK"} <= {seen for _, _, seen in told}
    (rows,) = served.panel("Records by log status")
    every = served.flows.filter(EVERYTHING).group_by("log_status").agg(n=vf.count()).collect()
    counts = {row["status"]: row["records"] for row in rows}
    assert {name: n for name, n in counts.items() if n} == {row["log_status"]: row["n"] for row in every}
    (rows,) = served.panel("Findings by severity")
    assert {row["severity"] for row in rows} == {"high", "medium", "low"}
    assert sum(row["findings"] for row in rows) == len(vf.detect(served.flows))


def test_log_volume_has_the_price_of_the_public_list(served):
    ((row,),) = served.panel("Text of the logs")
    assert row["bytes"] == served.figures.report.text_bytes
    region = row["region"]
    assert row["cost_cloudwatch"] == pytest.approx(float(vf.prices().cost("logs.cloudwatch", region, row["bytes"])))


def test_without_documents_it_says_so_and_judges_nothing(served):
    ((row,),) = served.panel("Controls")
    assert row["verdict"] == "not evaluable"
    assert "--controls" in row["why"]
    ((row,),) = served.panel("Cost by path")
    assert row["cost"] is None
    assert "--inventory" in row["why"]


def test_controls_and_cost_are_those_of_their_commands(monkeypatch):
    monkeypatch.chdir(ROOT / "examples/audit")
    flows = vf.scan("flow.log.gz")
    one = Served(flows, controls="controls.yaml")
    try:
        (rows,) = one.panel("Controls")
        expected = check(flows, "controls.yaml")
        assert {row["control"]: row["verdict"] for row in rows} == {r.id: r.verdict.replace("_", " ") for r in expected}
    finally:
        one.close()
    flows = vf.scan("../cost/flow.log.gz")
    one = Served(flows, inventory="../cost/aws")
    try:
        (rows,) = one.panel("Cost by path")
        expected = flows.cost("../cost/aws")
        assert sum(row["cost"] or 0 for row in rows) == pytest.approx(float(expected.total()))
        assert [row["bytes"] for row in rows] == [row["bytes"] for row in expected]
        (rows,) = one.panel("Bytes from zone (left) to zone (top)")
        assert any(row["source"][-1].isalnum() and row["source"] not in ("private", "outside") for row in rows)
    finally:
        one.close()


@pytest.mark.parametrize(
    ("chosen", "condition"),
    [
        ({"action": "REJECT"}, "action = 'REJECT'"), ({"service": "22"}, "dstport = 22"),
        ({"address": "2001:db8::7"}, "srcaddr = '2001:db8::7' or dstaddr = '2001:db8::7'"),
        ({"service": "443", "where": "srcaddr = '2001:db8::7'"}, "dstport = 443 and srcaddr = '2001:db8::7'"),
        ({"interface": 0}, "interface_id = '{}'"), ({"account": 0, "action": "REJECT"}, "account_id = '{}' and action = 'REJECT'"),
        ({"vpc": 0, "region": 0}, "vpc_id = '{}' and region = '{}'"),
    ],
)  # fmt: skip
def test_choices_of_the_page_narrow_it(served, chosen, condition):
    variables = {one["name"]: one for one in served.page["templating"]["list"]}
    for name, value in chosen.items():
        if value == 0:  # the first of those that the variable's own query finds
            query = variables[name]["query"]["infinityQuery"]
            (column,) = query["columns"]
            known = [row[column["selector"]] for row in served.get(expanded(query["url"], served.page, served.start, served.end))]
            assert set(known) == set(served.flows.group_by(column["selector"]).agg(n=vf.count()).collect()[column["selector"]])
            chosen = {**chosen, name: known[0]}
    condition = condition.format(*[value for name, value in chosen.items() if name in ("account", "region", "vpc", "interface")])
    (rows,) = served.panel("Who sends most", **chosen)
    flows = served.flows.filter(condition)
    top = flows.group_by("srcaddr").agg(n=vf.sum("bytes")).top_k(10, by="n").collect()
    assert [row["bytes"] for row in rows] == top["n"]
    (rows,) = served.panel("Bytes by action", **chosen)
    assert sum(row["value"] for row in rows) == sum(flows.agg(n=vf.sum("bytes")).collect()["n"])
    (rows,) = served.panel("Rejected records", **chosen)
    assert {row["series"] for row in rows} <= {"REJECT"}
    assert sum(row["value"] for row in rows) == flows.filter("action = 'REJECT'").count()


def test_what_a_choice_does_not_narrow_is_said(served):
    """A panel that takes no part in a choice says so; an address may stand in a finding."""
    shown = {panel["title"]: panel.get("description", "") for panel in served.page["panels"]}
    assert shown["Findings"] == "Not narrowed by Account, Region, VPC, Interface, Action, Service."
    assert shown["Status of interfaces"].endswith("Not narrowed by Account, Region, VPC, Action, Service, Address.")
    assert "Not narrowed" not in shown["Who sends most"] + shown["Bytes by action"] + shown["Who talks with whom"]
    (rows,) = served.panel("Findings")
    assert rows[0]["trace"] == f"vpcflow trace {rows[0]['actor']} logs/"
    (own,) = served.panel("Findings", address=rows[0]["actor"])
    assert own == [{**row, "other": 0, "total": len(own)} for row in rows if rows[0]["actor"] in (row["actor"], *row["targets"].split(", "))]


FEW = ["srcaddr bytes", "interface-id action start end", "srcaddr dstaddr dstport protocol bytes start end", "srcaddr dstaddr protocol bytes"]


@pytest.mark.parametrize("format", FEW)
def test_logs_of_few_fields_have_a_page(format):
    """Each address of a page for a poor format is one that a server of such logs understands."""
    one = Served(vf.scan(logs(format)))
    try:
        for panel in one.page["panels"]:
            for target in panel["targets"]:
                assert isinstance(one.get(expanded(target["url"], one.page, one.start, one.end)), list)
    finally:
        one.close()


@pytest.mark.parametrize("path", ["table/talkers?action=DENY", "table/flows?service=70000", "nodes?address=x", "table/zones?where=x", "table/new?from=9&to=3", "series/status?where=a", "table/cost?by=1"])
def test_wrong_questions_are_refused(served, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.get(f"{served.url}/api/v1/{path}")
    assert refused.value.code == 400
    refused.value.close()
