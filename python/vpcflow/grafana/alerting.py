"""Alert rules: for Grafana as a provisioning file, and for Prometheus."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from . import languages
from .panels import PANELS, Panel, lacks
from .sources import Wanted, Where, source_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Rule:
    """What to tell: ``metric`` in PromQL gives the value that is compared; of records that of the panel ``panel``."""

    name: str
    title: str
    summary: str
    severity: str
    sign: str  # gt, lt
    value: float
    metric: str
    panel: str = ""


_RULES = (
    _Rule("coverage", "Flow logs lack minutes of interfaces", "What was not recorded cannot be told of.", "warning",
          "lt", 0.95, "vpcflow_coverage_ratio"),
    _Rule("skipdata", "Flow records were lost", "SKIPDATA: counts are a floor.", "warning", "gt", 0,
          'vpcflow_lines{status="skipdata"}'),
    _Rule("findings", "A finding of high severity", "See the dashboard, or vpcflow detect.", "critical", "gt", 0,
          'sum(vpcflow_findings{severity="high"})'),
    _Rule("stale", "No new flow records", "The last flow is more than two hours old.", "warning", "gt", 7200,
          "time() - vpcflow_last_flow_timestamp_seconds"),
    _Rule("rejects", "Many rejected records", "Thousands of records in five minutes were rejected.", "warning", "gt",
          5000, 'sum(increase(vpcflow_records_total{action="REJECT"}[10m]))', "rejected"),
)  # fmt: skip
_SIGNS = {"gt": ">", "lt": "<"}


def alert_rules(
    source: str = "prometheus", format: str = "default", *, uid: str = "vpcflow", **where: Unpack[Where]
) -> Json:
    """Returns alert rules for logs of a format: of source ``prometheus`` of coverage, lost records, findings, silence
    and rejects; of those that hold records, of rejects. ``uid``: that of the data source in Grafana.

    The value is the content of a file in Grafana's ``provisioning/alerting``. Raises :class:`~vpcflow.ArgumentError`
    for a source that Grafana cannot ask without a page, :class:`~vpcflow.FormatError` for a format that answers none.

    >>> [rule["title"] for rule in alert_rules("victorialogs")["groups"][0]["rules"]]
    ['Many rejected records']
    """
    own = source_of(source)
    wanted = Wanted(format, page=False, **where)  # variables are of dashboards
    wanted.check()
    rules = []
    for rule in _RULES:
        target = _target(rule, source, wanted)
        if target is not None:
            rules.append(_grafana(rule, {**target, "datasource": {"type": own.plugin, "uid": uid}}, uid))
    if not rules:
        raise ArgumentError(f"alerts: source {source!r} answers none of them in this format; prometheus does")
    return {"apiVersion": 1, "groups": [
        {"orgId": 1, "name": "vpcflow", "folder": "vpcflow", "interval": "5m", "rules": rules},
    ]}  # fmt: skip


def _target(rule: _Rule, source: str, wanted: Wanted) -> Json | None:
    if source == "prometheus":
        return {"expr": rule.metric, "instant": True, "range": False}
    panel = next((panel for panel in PANELS if panel.name == rule.panel), None)
    if panel is None or panel.ask is None or source == "athena" or lacks(panel, wanted.format):
        return None  # Athena's times are those of a page
    once: Panel = dataclasses.replace(panel, ask=dataclasses.replace(panel.ask, over_time=False), kind="table")
    targets = source_of(source).targets(once, wanted)
    target = targets[0] if targets else None
    if target is not None and source == "cloudwatch":
        target["logGroupNames"] = [wanted.log_group]
    return target if source != "infinity" else None


def _grafana(rule: _Rule, target: Json, uid: str) -> Json:
    span = {"from": languages.BIN * 2, "to": 0}
    steps = [
        {"refId": "A", "datasourceUid": uid, "relativeTimeRange": span, "model": {**target, "refId": "A"}},
        {"refId": "B", "datasourceUid": "__expr__", "relativeTimeRange": span, "model": {
            "refId": "B", "type": "reduce", "expression": "A", "reducer": "last",
        }},
        {"refId": "C", "datasourceUid": "__expr__", "relativeTimeRange": span, "model": {
            "refId": "C", "type": "threshold", "expression": "B",
            "conditions": [{"evaluator": {"type": rule.sign, "params": [rule.value]}}],
        }},
    ]  # fmt: skip
    return {
        "uid": f"vpcflow-{rule.name}", "title": rule.title, "condition": "C", "data": steps, "for": "5m",
        "noDataState": "NoData", "execErrState": "Error", "labels": {"severity": rule.severity, "source": "vpcflow"},
        "annotations": {"summary": rule.summary}, "isPaused": False,
    }  # fmt: skip


def prometheus_rules() -> Json:
    """Returns the rules as a file of Prometheus or vmalert."""
    rules = [
        {"alert": "Vpcflow" + rule.name.capitalize(), "expr": f"{rule.metric} {_SIGNS[rule.sign]} {rule.value:g}",
         "for": "5m", "labels": {"severity": rule.severity, "source": "vpcflow"},
         "annotations": {"summary": rule.title, "description": rule.summary}}
        for rule in _RULES
    ]  # fmt: skip
    return {"groups": [{"name": "vpcflow", "interval": "5m", "rules": rules}]}
