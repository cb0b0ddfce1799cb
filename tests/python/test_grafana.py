"""Dashboards, alerts and provisioning of Grafana, and what CloudWatch gets: by their structure, for formats that answer
all, some and none of the questions. What servers say of them: test_grafana_live.py."""

import json
import re

import pytest

import vpcflow as vf
from grafana_page import check, expanded, logs, ours
from grafana_page import text as said
from insights_stand_in import answer
from vpcflow import _core
from vpcflow.cli import main
from vpcflow.grafana import (
    SOURCES,
    alert_rules,
    contributor_rules,
    dashboard,
    insights_queries,
    metric_filters,
    provisioning,
    victoriametrics,
)
from vpcflow.grafana.alerting import prometheus_rules
from vpcflow.grafana.languages import partitions
from vpcflow.grafana.panels import LOGS_PRICE, PANELS, lacks
from vpcflow.io.aws.insights import alias
from vpcflow.serve.server import ROUTES

V5 = " ".join(name for name, _ in _core.parse_format("v5"))
NO_PORTS = "version account-id interface-id srcaddr dstaddr protocol packets bytes start end action log-status"
NO_ACTION = "interface-id srcaddr dstaddr srcport dstport protocol bytes start end log-status"
EVERY = " ".join(one.name for one in vf.fields())
ODD = "action bytes dstport log-status protocol srcaddr dstaddr start"
POOR = "srcaddr bytes"
RECORDS = ("victorialogs", "cloudwatch", "athena", "opensearch")


def titles(made):
    return [panel["title"] for panel in made["panels"]]


def missing(made):
    return "\n".join(p["options"]["content"] for p in made["panels"] if p["type"] == "text")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("format", ["default", V5, ODD, NO_PORTS, NO_ACTION, EVERY, "tgw"])
def test_panels_are_those_that_the_format_answers(source, format):
    made = dashboard(source, format)
    shown, said = titles(made), missing(made)
    there = [name for name, _ in _core.parse_format(format)]
    assert len(shown) > 3
    for panel in PANELS:
        assert (panel.title in shown) != (f"**{panel.title}**" in said), panel.name
        for field in panel.needs:
            if field not in there:
                assert panel.title not in shown
    for field in set(re.findall(r"`([a-z-]+)`", said)):
        assert field in {one.name for one in vf.fields()}
        assert field not in there or source == ""


@pytest.mark.parametrize("source", SOURCES)
def test_places_do_not_overlap(source):
    made = dashboard(source, V5)
    taken = set()
    for panel in made["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
    assert "null" not in json.dumps(made)
    assert json.dumps(made) == json.dumps(dashboard(source, V5))


@pytest.mark.parametrize("source", SOURCES)
def test_each_panel_asks_its_source(source):
    made = dashboard(source, V5)
    variables = {one["name"] for one in made["templating"]["list"]}
    for panel in made["panels"]:
        if panel["type"] == "text":
            continue
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == {"type": SOURCES[source].plugin, "uid": "${datasource}"}
            assert target["refId"]
    for name in re.findall(r"\$\{?(\w+)", json.dumps(made)):
        assert name in variables or name.startswith("__")


def test_actions_have_their_colours_and_rejects_a_panel_of_their_own():
    made = dashboard("prometheus")
    by_action = next(p for p in made["panels"] if p["title"] == "Bytes by action")
    colours = {o["matcher"]["options"]: o["properties"][0]["value"]["fixedColor"] for o in by_action["fieldConfig"]["overrides"]}
    assert "red" in colours[".*REJECT.*"]
    assert "green" in colours[".*ACCEPT.*"]
    rejected = next(p for p in made["panels"] if p["title"] == "Rejected records")
    assert [target["expr"] for target in rejected["targets"]] == [
        'sum by (action) (rate(vpcflow_records_total{action="REJECT", action=~"${action}"}[$__rate_interval]))'
    ]


def test_the_price_of_logs_is_that_of_the_public_list():
    rate = float(vf.prices().price("logs.cloudwatch", "us-east-1").rate())
    assert rate == LOGS_PRICE
    shown = {panel["title"]: panel for panel in dashboard("cloudwatch", log_group="/g")["panels"]}
    taken, priced = shown["What CloudWatch takes for that text"]["targets"]
    assert (taken["id"], taken["hide"], priced["expression"]) == ("taken", True, f"taken / {2**30} * {rate}")
    assert taken["dimensions"] == {"LogGroupName": "${log_group}"}


def test_infinity_asks_what_is_served():
    made = dashboard("infinity", V5, url="https://flows.example/vpc")
    targets = [target for panel in made["panels"] for target in panel["targets"]]
    targets += [note["target"] for note in made["annotations"]["list"]]
    asked = set()
    for target in targets:
        path, _, query = target["url"].removeprefix("${url}").partition("?")
        names = [pair.partition("=")[0] for pair in query.split("&")]
        assert set(names) <= set(ROUTES[path].parameters), target["url"]
        assert {"from", "to"} <= set(names)
        asked.add(path)
    assert {"/api/v1/nodes", "/api/v1/edges", "/api/v1/annotations", "/api/v1/table/findings"} <= asked
    filtered = {target["url"].partition("?")[0] for target in targets if "&where=${where:percentencode}" in target["url"]}
    assert {"${url}/api/v1/table/talkers", "${url}/api/v1/nodes", "${url}/api/v1/edges"} <= filtered
    assert "${url}/api/v1/annotations" not in filtered
    formats = {target["format"] for target in targets}
    assert {"node-graph-nodes", "node-graph-edges", "table", "timeseries"} == formats
    assert '"https://flows.example/vpc"' in json.dumps(made)


def test_metrics_that_panels_ask_for_are_exposed():
    from vpcflow.serve import Board, exposition, gather

    text = exposition(Board(gather(vf.scan(vf.synth(500, seed=1, peers=20, noise_sources=20).data))))
    exposed = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    rules = [rule["expr"] for rule in prometheus_rules()["groups"][0]["rules"]]
    asked = set(re.findall(r"vpcflow_\w+", " ".join([*(p.metric for p in PANELS), *rules])))
    assert asked
    assert asked <= exposed


def test_athena_reads_no_whole_table():
    """Each statement has its partitions and its time beside every other test, none behind an OR."""
    for layout, column in (("daily", "log_time"), ("hourly", "log_time"), ("hive", "log_year"), ("hive-hourly", "log_year")):
        made = dashboard("athena", V5, layout=layout, database="logs", table="flows")
        sql = [target["rawSQL"] for panel in made["panels"] for target in panel["targets"]]
        assert len(sql) > 10
        for text in sql:
            where = text.partition("WHERE ")[2].partition("\nGROUP BY")[0].split("\n  AND ")
            assert where[0].startswith(column)
            times = '"start" BETWEEN ${__from:date:seconds} AND ${__to:date:seconds}'
            if "HAVING" in text:  # what is new is so against a week
                times = times.replace(" AND", " - 604800 AND")
            assert times in where
            for test in where:
                while "(" in test:
                    test = re.sub(r"\([^()]*\)", "", test)
                assert " OR " not in test
            assert 'FROM "logs"."flows"' in text
    assert len(partitions("hive")) == 2


def test_athena_columns_are_those_of_the_table():
    from vpcflow.io.aws.athena import Place, ddl

    table = ddl(V5, Place("s3://my-logs/AWSLogs/", "daily"), accounts=["123456789012"], regions=["us-east-1"])
    columns = set(re.findall(r"`(\w+)`", table))
    for panel in dashboard("athena", V5)["panels"]:
        for target in panel["targets"]:
            used = set(re.findall(r'"(\w+)"', target["rawSQL"])) - {"default", "vpc_flow_logs"}
            assert used <= columns, used - columns


@pytest.mark.parametrize("format", ["default", V5, ODD])
def test_insights_parses_lines_of_the_format(format):
    fields = [name for name, _ in _core.parse_format(format)]
    queries = insights_queries(format)
    assert {"talkers", "rejected_ports", "bytes_by_action"} <= set(queries)
    for text in queries.values():
        assert text.startswith(f'parse @message "{" ".join("*" * len(fields))}" as {", ".join(map(alias, fields))}\n')
        assert set(re.findall(r"\bf_\w+", text)) <= {alias(field) for field in fields}
    assert 'filter f_log_status = "OK"' in queries["talkers"]
    assert "f_log_status =" not in insights_queries("default")["status"]
    assert set(insights_queries(POOR)) == {panel.name for panel in PANELS if panel.ask and not lacks(panel, POOR)} == {"talkers"}


def counted(rule, lines):
    """What Contributor Insights would count: a plain reading of a rule's definition."""
    own = json.loads(rule["RuleDefinition"])
    what = own["Contribution"]
    sums = {}
    for line in lines:
        cells = line.split()
        row = {name: cells[int(place) - 1] for place, name in own["Fields"].items()}
        for test in what["Filters"]:
            value = row[test["Match"]]
            if not (value in test["In"] if "In" in test else value == str(test["EqualTo"])):
                break
        else:
            key = tuple(row[name] for name in what["Keys"])
            sums[key] = sums.get(key, 0) + (int(row[what["ValueOf"]]) if own["AggregateOn"] == "Sum" else 1)
    return sums


@pytest.mark.parametrize("order", [None, ODD + " interface-id packets"])
def test_contributor_rules_count_what_we_do(order):
    """Whatever the order of the fields is."""
    flows = vf.scan(vf.synth(2000, seed=5, peers=30, noise_sources=30).data)
    names = [name for name, _ in flows.schema] if order is None else [name.replace("-", "_") for name in order.split()]
    everything = flows.filter("log_status is null or log_status is not null").select(*names).collect().rows()
    lines = [" ".join("-" if row[name] is None else str(row[name]) for name in names) for row in everything]
    rules = contributor_rules(" ".join(name.replace("_", "-") for name in names))
    assert len(rules) == 8
    for rule in rules:
        own = json.loads(rule["RuleDefinition"])
        keys = own["Contribution"]["Keys"]
        ours = flows
        for test in own["Contribution"]["Filters"]:
            if test["Match"] != "log_status":
                value = f"'{test['In'][0]}'" if "In" in test else test["EqualTo"]
                ours = ours.filter(f"{test['Match']} = {value}")
        agg = vf.sum(own["Contribution"]["ValueOf"]) if own["AggregateOn"] == "Sum" else vf.count()
        expected = {tuple(str(row[key]) for key in keys): row["n"] for row in ours.group_by(*keys).agg(n=agg).collect()}
        assert counted(rule, lines) == expected, rule["RuleName"]
        assert expected or "443" in rule["RuleName"]
        assert len(keys) <= 4
        assert len(own["Contribution"]["Filters"]) <= 4


@pytest.mark.parametrize("format", ["default", V5, ODD, NO_PORTS, NO_ACTION])
@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")  # of choices that nothing passes
def test_insights_queries_of_the_page_give_what_we_do(format):
    """Read by a stand-in of the language; the page as it opens, and with choices made in it."""
    flows, lines = vf.scan(logs(format, 600)), logs(format, 600).decode().splitlines()[1:]
    names = [name for name, _ in _core.parse_format(format)]
    times = [int(line.split()[names.index("start")]) for line in lines]
    made = dashboard("cloudwatch", format)
    chosen = {"action": (["REJECT"], "action = 'REJECT'"), "service": (["22", "443"], "dstport in (22, 443)"),
              "address": ("2001:db8::7", "srcaddr = '2001:db8::7' or dstaddr = '2001:db8::7'")}  # fmt: skip
    pages = [({}, flows)] + [
        ({name: value}, flows.filter(condition)) for name, (value, condition) in chosen.items()
        if name in {one["name"] for one in made["templating"]["list"]}
    ]  # fmt: skip
    seen = set()
    for panel in asked(made):
        for values, ours_ in pages if panel.name in ("talkers", "services", "rejected_ports") else pages[:1]:
            query = expanded(target_of(made, panel)["expression"], made, 0, 1, **values)
            rows = [list(row.values()) for row in answer(query, lines, times)[0]]
            over = panel.ask.over_time
            found = {(*row[:over], *map(said, row[over:-1])): int(row[-1]) for row in rows if not over or int(row[-1])}
            check(panel, found, ours(ours_, panel.ask))
            seen.add(panel.name)
    assert {"status", "talkers"} <= seen


def asked(made):
    """The panels of a dashboard that ask records."""
    return [panel for panel in PANELS if panel.ask and panel.title in titles(made)]


def target_of(made, panel):
    return next(one for one in made["panels"] if one["title"] == panel.title)["targets"][0]


@pytest.mark.parametrize("source", RECORDS)
def test_each_variable_narrows_each_question(source):
    made = dashboard(source, V5)
    named = {one["name"] for one in made["templating"]["list"]}
    wanted = {"account", "region", "vpc", "interface", "action", "service", "address"}
    assert wanted <= named
    for panel in asked(made):
        target = json.dumps(target_of(made, panel))
        there = set(re.findall(r"\$\{(\w+):", target)) - {"__from", "__to"}
        assert there == (wanted - {"address"} if panel.ask.every_record else wanted), panel.name
    assert {one["name"] for one in dashboard(source, POOR)["templating"]["list"]} & wanted == set()


def test_an_address_leads_to_the_page_of_it_alone():
    for source in (*RECORDS, "infinity"):
        made = dashboard(source, V5)
        tables = [panel for panel in made["panels"] if panel["type"] == "table" and "transformations" not in panel]
        assert len(tables) > 5
        for panel in tables:
            links = [own for one in panel["fieldConfig"]["overrides"] for own in one["properties"] if own["id"] == "links"]
            url = links[0]["value"][0]["url"]
            assert url.startswith(f"/d/{made['uid']}?")
            variable = re.search(r"&var-(\w+)=", url)[1]
            assert variable in {one["name"] for one in made["templating"]["list"]}


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("infinity", "vpcflow trace '${address}' logs/"), ("athena", "vpcflow trace '${address}' logs/"),
        ("opensearch", "vpcflow trace ${address} logs/"), ("prometheus", "vpcflow trace ADDRESS logs/"),
        ("cloudwatch", "vpcflow trace '${address}' 'cloudwatch://${log_group}'"),
    ],
)  # fmt: skip
def test_the_page_has_the_command_that_tells_all_of_an_address(source, command):
    words = {panel["title"]: panel["options"]["content"] for panel in dashboard(source, V5)["panels"] if panel["type"] == "text"}
    assert f"{command} --start ${{__from:date:iso}} --end ${{__to:date:iso}}" in words["Trace an address"].splitlines()
    assert "Trace an address" not in titles(dashboard(source, POOR))


def test_metric_filters_have_a_place_for_each_field():
    for format in ("default", V5, ODD):
        fields = [name for name, _ in _core.parse_format(format)]
        made = metric_filters(format, "/my/logs")
        assert {"vpcflow-bytes", "vpcflow-rejects", "vpcflow-skipdata"} <= {one["filterName"] for one in made}
        for one in made:
            places = one["filterPattern"].strip("[]").split(", ")
            assert [place.partition("=")[0] for place in places] == [field.replace("-", "_") for field in fields]
            value = one["metricTransformations"][0]["metricValue"]
            assert value == "1" or value[1:] in [field.replace("-", "_") for field in fields]
    rejects = next(one for one in metric_filters(ODD) if one["filterName"] == "vpcflow-rejected-ssh")
    assert rejects["filterPattern"] == '[action="REJECT", bytes, dstport=22, log_status="OK", protocol=6, srcaddr, dstaddr, start]'


def test_moto_takes_the_metric_filters():
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    with moto.mock_aws():
        logs = boto3.client("logs", "us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
        logs.create_log_group(logGroupName="/vpc/flow-logs")
        made = metric_filters()
        for one in made:
            logs.put_metric_filter(**one)
        found = logs.describe_metric_filters(logGroupName="/vpc/flow-logs")["metricFilters"]
        assert {one["filterPattern"] for one in found} == {one["filterPattern"] for one in made}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dashboard("grafana"), "source='grafana'"),
        (lambda: dashboard("promethius"), "did you mean 'prometheus'"),
        (lambda: dashboard("athena", table="x; drop table y"), "table="),
        (lambda: dashboard("athena", database='a"b'), "database="),
        (lambda: dashboard("athena", layout="weekly"), "layout='weekly'"),
        (lambda: dashboard("cloudwatch", log_group="a\nb"), "log_group="),
        (lambda: dashboard("infinity", url="file:///etc/passwd"), "url="),
        (lambda: dashboard("prometheus", "srcadr bytes"), "srcadr"),
        (lambda: contributor_rules("srcaddr srcaddr bytes"), "twice"),
        (lambda: contributor_rules("default", 'x"'), "log_group="),
        (lambda: insights_queries("version"), "answer none"),
        (lambda: alert_rules("athena"), "answers none"),
        (lambda: alert_rules("infinity"), "answers none"),
        (lambda: alert_rules("opensearch", "srcaddr bytes"), "answers none"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(vf.VpcflowError, match=re.escape(says)):
        call()


def test_version_2_has_the_same_panels():
    for source in SOURCES:
        one, two = dashboard(source, V5), dashboard(source, V5, version=2)
        assert two["apiVersion"] == "dashboard.grafana.app/v2beta1"
        elements = two["spec"]["elements"]
        assert [element["spec"]["title"] for element in elements.values()] == titles(one)
        placed = [item["spec"]["element"]["name"] for item in two["spec"]["layout"]["spec"]["items"]]
        assert placed == list(elements)
        for panel, element in zip(one["panels"], elements.values()):
            queries = [q["spec"]["query"]["spec"] for q in element["spec"]["data"]["spec"]["queries"]]
            assert queries == [{k: v for k, v in t.items() if k not in ("refId", "datasource")} for t in panel["targets"]]


def test_victoriametrics_draws_the_metrics():
    made = victoriametrics()
    through_time, now = (row["panels"] for row in made["rows"])
    assert {"Bytes by action", "Rejected records"} <= {panel["title"] for panel in through_time}
    assert all("rate(" in panel["expr"][0] for panel in through_time)
    assert not any("rate(" in panel["expr"][0] for panel in now)
    assert all(panel["expr"] and "$" not in panel["expr"][0] for panel in [*through_time, *now])
    assert {panel["title"] for panel in [*through_time, *now]} == {p.title for p in PANELS if p.metric and not lacks(p, "default")}


def test_alerts_end_in_their_condition():
    for source in ("prometheus", "victorialogs", "cloudwatch", "opensearch"):
        rules = alert_rules(source, uid="mine")["groups"][0]["rules"]
        assert len({rule["uid"] for rule in rules}) == len(rules) == (5 if source == "prometheus" else 1)
        for rule in rules:
            assert [step["refId"] for step in rule["data"]] == ["A", "B", "C"]
            assert rule["condition"] == "C"
            assert rule["data"][0]["datasourceUid"] == "mine"
            assert "${" not in json.dumps(rule)


def test_provisioning_has_no_secret():
    for source in SOURCES:
        files = provisioning(source)
        data = files["datasources/vpcflow.yaml"]["datasources"][0]
        assert (data["uid"], data["type"]) == ("vpcflow", SOURCES[source].plugin)
        assert all(value.startswith("$") for value in data.get("secureJsonData", {}).values())


def test_the_commands(tmp_path, capsys):
    yaml = pytest.importorskip("yaml")

    def command(*args, code=0):
        assert main([str(arg) for arg in args]) == code

    out = tmp_path / "d.json"
    command("grafana", "dashboard", "--source", "athena", "--format", V5, "--table", "flows", "-o", out)
    assert json.loads(out.read_text()) == dashboard("athena", V5, table="flows")
    command("grafana", "provisioning", "--source", "prometheus", "-o", tmp_path / "p")
    assert yaml.safe_load((tmp_path / "p/alerting/vpcflow.yaml").read_text()) == alert_rules("prometheus")
    (tmp_path / "a.log").write_bytes(vf.synth(300, seed=1, peers=10, noise_sources=10).data)
    command("grafana", "history", tmp_path / "a.log", "-o", tmp_path / "h.om")
    assert (tmp_path / "h.om").read_text().endswith("# EOF\n")
    capsys.readouterr()
    command("cloudwatch", "contributor-insights", "--format", ODD, "--log-group", "/g")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == contributor_rules(ODD, "/g")
    command("cloudwatch", "metric-filters", "--format", "srcaddr dstport", "--log-group", "a b", code=2)
    assert "log_group=" in capsys.readouterr().err
