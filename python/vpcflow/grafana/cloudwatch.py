"""What CloudWatch needs to answer of flow logs: queries, Contributor Insights rules, metric filters, each made for the
places that fields have in the user's own format."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ..errors import ArgumentError, FormatError
from . import languages
from .panels import LOGS_PRICE, PANELS, Test, fields_of, lacks
from .sources import Wanted

Json = dict[str, Any]
NAMESPACE = "VPCFlowLogs"


class _Rule(NamedTuple):
    name: str
    keys: tuple[str, ...]
    value: str  # "" counts records
    where: tuple[Test, ...] = ()


_OK: Test = ("log-status", "=", "OK")
_REJECT: Test = ("action", "=", "REJECT")
_RULES = (
    _Rule("bytes-by-source", ("srcaddr",), "bytes"),
    _Rule("bytes-by-target", ("dstaddr",), "bytes"),
    _Rule("bytes-by-pair", ("srcaddr", "dstaddr"), "bytes"),
    _Rule("bytes-by-interface", ("interface-id",), "bytes"),
    _Rule("packets-to-443-by-target", ("dstaddr",), "packets", (("dstport", "=", "443"),)),
    _Rule("rejects-by-source", ("interface-id", "srcaddr"), "", (_REJECT,)),
    _Rule("rejects-by-port", ("dstport", "protocol"), "", (_REJECT,)),
    _Rule("rejected-tcp-by-source", ("interface-id", "srcaddr"), "", (_REJECT, ("protocol", "=", "6"))),
    _Rule("bytes-behind-nat", ("pkt-srcaddr",), "bytes"),
    _Rule("bytes-by-aws-service", ("pkt-dst-aws-service",), "bytes"),
)


class _Filter(NamedTuple):
    name: str
    metric: str
    value: str
    unit: str
    where: tuple[Test, ...] = ()


_FILTERS = (
    _Filter("bytes", "Bytes", "bytes", "Bytes"),
    _Filter("records", "Records", "", "Count"),
    _Filter("rejects", "RejectedRecords", "", "Count", (_REJECT,)),
    _Filter("rejected-ssh", "RejectedSsh", "", "Count", (_REJECT, ("dstport", "=", "22"), ("protocol", "=", "6"))),
    _Filter("rejected-rdp", "RejectedRdp", "", "Count", (_REJECT, ("dstport", "=", "3389"), ("protocol", "=", "6"))),
    _Filter("skipdata", "SkipdataRecords", "", "Count", (("log-status", "=", "SKIPDATA"),)),
    _Filter("nodata", "NodataRecords", "", "Count", (("log-status", "=", "NODATA"),)),
)


def insights_queries(format: str = "default") -> dict[str, str]:
    """Returns queries of Logs Insights by name, for lines of a format.

    >>> print(insights_queries("srcaddr dstaddr bytes")["talkers"])
    parse @message "* * *" as f_srcaddr, f_dstaddr, f_bytes
    | stats sum(f_bytes) as sum_bytes by f_srcaddr
    | sort sum_bytes desc
    | limit 10
    """
    answered = [panel for panel in PANELS if panel.ask is not None and not lacks(panel, format)]
    if not answered:
        raise FormatError("logs of this format answer none of the questions; add srcaddr, dstaddr, bytes and action")
    return {panel.name: languages.insights(panel.ask, format) for panel in answered if panel.ask is not None}


def contributor_rules(format: str = "default", log_group: str = "/vpc/flow-logs") -> list[Json]:
    """Returns rules of Contributor Insights, each as the arguments of ``put-insight-rule``. Fields are known by their
    place in the line, which is the user's own.

    >>> import json
    >>> json.loads(contributor_rules("dstport srcaddr bytes")[0]["RuleDefinition"])["Fields"]
    {'2': 'srcaddr', '3': 'bytes'}
    """
    fields = fields_of(format)
    _check(fields, log_group)
    return [
        {
            "RuleName": f"vpcflow-{rule.name}",
            "RuleState": "ENABLED",
            "RuleDefinition": _definition(rule, fields, log_group),
        }
        for rule in _RULES
        if not _absent(fields, rule.keys, rule.value, rule.where)
    ]


def _absent(fields: list[str], keys: tuple[str, ...], value: str, where: tuple[Test, ...]) -> bool:
    needed = [*keys, *([value] if value else []), *(test[0] for test in where)]
    return any(field not in fields for field in needed)


def _definition(rule: _Rule, fields: list[str], log_group: str) -> str:
    where = [*([_OK] if "log-status" in fields else []), *rule.where]
    used = dict.fromkeys([*rule.keys, *([rule.value] if rule.value else []), *(test[0] for test in where)])
    places = sorted(fields.index(field) + 1 for field in used)
    contribution: Json = {
        "Keys": [_name(field) for field in rule.keys],
        "Filters": [
            {"Match": _name(field), "EqualTo": int(value)}
            if value.isdigit()
            else {"Match": _name(field), "In": [value]}
            for field, _, value in where
        ],
    }
    if rule.value:
        contribution["ValueOf"] = _name(rule.value)
    return json.dumps({
        "Schema": {"Name": "CloudWatchLogRule", "Version": 1}, "LogGroupNames": [log_group], "LogFormat": "CLF",
        "Fields": {str(place): _name(fields[place - 1]) for place in places}, "Contribution": contribution,
        "AggregateOn": "Sum" if rule.value else "Count",
    })  # fmt: skip


def metric_filters(format: str = "default", log_group: str = "/vpc/flow-logs") -> list[Json]:
    """Returns metric filters, each as the arguments of ``put-metric-filter``.

    >>> metric_filters("action bytes")[-1]["filterPattern"]
    '[action="REJECT", bytes]'
    """
    fields = fields_of(format)
    _check(fields, log_group)
    return [
        {
            "logGroupName": log_group, "filterName": f"vpcflow-{one.name}", "filterPattern": _pattern(one, fields),
            "metricTransformations": [{
                "metricName": one.metric, "metricNamespace": NAMESPACE, "unit": one.unit, "defaultValue": 0.0,
                "metricValue": f"${_name(one.value)}" if one.value else "1",
            }],
        }
        for one in _FILTERS
        if not _absent(fields, (), one.value, one.where)
    ]  # fmt: skip


def _pattern(one: _Filter, fields: list[str]) -> str:
    """Writes a pattern with a place for each field, so that lines of another length do not match."""
    tests = {field: value for field, _, value in one.where}
    if "log-status" in fields and "log-status" not in tests:
        tests["log-status"] = "OK"
    shown = [
        f"{_name(field)}={tests[field] if tests[field].isdigit() else _quoted(tests[field])}"
        if field in tests
        else _name(field)
        for field in fields
    ]
    return f"[{', '.join(shown)}]"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _name(field: str) -> str:
    return field.replace("-", "_")


def _check(fields: list[str], log_group: str) -> None:
    if len(set(fields)) < len(fields):
        raise FormatError("a field is twice in the format; each needs a place of its own")
    try:
        Wanted("default", log_group=log_group).check()
    except ArgumentError as error:
        raise ArgumentError(f"cloudwatch: {error}") from None


def metric_panels(format: str, log_group: str) -> list[Json]:
    """Returns the panels of what the rules and filters count, and of what the log group took in: the other two ways by
    which Grafana reads CloudWatch."""
    place = {"type": "cloudwatch", "uid": "${datasource}"}
    base: Json = {"queryMode": "Metrics", "metricQueryType": 0, "region": "default", "id": "", "datasource": place}
    made = [("Metric filters", [
        {**base, "refId": chr(65 + n), "metricEditorMode": 0, "namespace": NAMESPACE, "dimensions": {},
         "matchExact": True, "metricName": one["metricTransformations"][0]["metricName"], "statistic": "Sum",
         "period": "", "expression": ""}
        for n, one in enumerate(metric_filters(format, log_group))
    ])]  # fmt: skip
    for rule in contributor_rules(format, log_group):
        expression = f'INSIGHT_RULE_METRIC("{rule["RuleName"]}", "UniqueContributors")'
        made.append((f"Contributors: {rule['RuleName'].removeprefix('vpcflow-').replace('-', ' ')}", [
            {**base, "refId": "A", "metricEditorMode": 1, "expression": expression, "namespace": "", "metricName": "",
             "dimensions": {}, "statistic": "Average", "period": "", "matchExact": True},
        ]))  # fmt: skip
    units = dict.fromkeys((title for title, _ in made), "short")
    taken: Json = {
        **base, "refId": "A", "id": "taken", "metricEditorMode": 0, "namespace": "AWS/Logs", "dimensions": {
            "LogGroupName": "${log_group}",
        }, "matchExact": True, "metricName": "IncomingBytes", "statistic": "Sum", "period": "", "expression": "",
    }  # fmt: skip
    priced = {**taken, "refId": "B", "id": "", "metricEditorMode": 1, "expression": f"taken / {1 << 30} * {LOGS_PRICE}"}
    for name, targets in (("log_volume", [taken]), ("log_price", [{**taken, "hide": True}, priced])):
        panel = next(one for one in PANELS if one.name == name)
        made.append((panel.title, targets))
        units[panel.title] = panel.unit
    return [
        {"type": "timeseries", "title": title, "datasource": place, "targets": targets, "fieldConfig": {
            "defaults": {"unit": units[title]}, "overrides": [],
        }, "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                       "tooltip": {"mode": "multi", "sort": "desc"}}}
        for title, targets in made
        if targets
    ]  # fmt: skip
