"""The sources of Grafana: the plug-in of each, its variables, and how it asks a panel."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, TypedDict

from .._hints import hint
from ..errors import ArgumentError
from ..io.aws.athena import LAYOUTS
from ..io.aws.insights import alias
from . import languages, variables
from .ecs import START
from .infinity import query as infinity_query
from .panels import Panel

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_GROUP = re.compile(r"[A-Za-z0-9_/.#-]{1,512}")
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]/_-]{1,500}")

Targets = list[dict[str, Any]]


class Where(TypedDict, total=False):
    """Where the logs are, as :class:`Wanted` has it."""

    log_group: str
    database: str
    table: str
    layout: str
    url: str


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Of what a dashboard is: the format of the logs, and where they are."""

    format: str
    log_group: str = "/vpc/flow-logs"
    database: str = "default"
    table: str = "vpc_flow_logs"
    layout: str = "daily"
    url: str = "http://127.0.0.1:9432"
    where: str = ""  # a filter, to be typed in the page
    page: bool = True  # with variables of a page

    def check(self) -> None:
        """Raises :class:`~vpcflow.ArgumentError` for names that would be something else in a query."""
        for what, value, allowed in (
            ("log_group", self.log_group, _GROUP), ("database", self.database, _NAME), ("table", self.table, _NAME),
            ("url", self.url, _URL),
        ):  # fmt: skip
            if not allowed.fullmatch(value):
                raise ArgumentError(f"{what}={value!r}: {allowed.pattern} is allowed")
        if self.layout not in LAYOUTS:
            raise ArgumentError(f"layout={self.layout!r}: {hint(self.layout, LAYOUTS)}")


@dataclasses.dataclass(frozen=True)
class Source:
    """A source: ``plugin`` is its id in Grafana, ``targets`` the queries of a panel, none if it has no answer.
    ``why``: what it cannot show. ``variables``: constants by name, with their values of :class:`Wanted`. ``notes``: how
    findings are asked as annotations, nothing if they are not there."""

    plugin: str
    targets: Callable[[Panel, Wanted], Targets]
    why: str = ""
    variables: tuple[str, ...] = ()
    notes: Callable[[Wanted], dict[str, Any]] = lambda wanted: {}


_MEASURED = re.compile(r"vpcflow_(?P<of>service_|place_|)(bytes|packets|records)_total(\{(?P<has>[^}]*)\})?")
_LABELS = {"service_": ("action", "service"), "place_": ("account", "region", "action"), "": ("action",)}


def _narrowed(metric: str) -> str:
    """Adds the variables of a page to an expression, where its metrics have their labels."""

    def one(found: re.Match[str]) -> str:
        own = [test for name, test in variables.matchers().items() if name in _LABELS[found["of"]]]
        return f"{found[0].partition('{')[0]}{{{', '.join(filter(None, [found['has'], *own]))}}}"

    return _MEASURED.sub(one, metric)


def _chosen(source: str, panel: Panel, wanted: Wanted) -> list[str]:
    return variables.tests(source, wanted.format, panel.ask) if wanted.page and panel.ask is not None else []


def _prometheus(panel: Panel, wanted: Wanted) -> Targets:
    if not panel.metric:
        return []
    instant = panel.kind != "timeseries"
    metric = _narrowed(panel.metric) if wanted.page else panel.metric
    target = {"expr": metric, "legendFormat": panel.legend, "instant": instant, "range": not instant}
    more = {"format": "table"} if panel.kind == "table" else {"interval": f"{languages.BIN}s"}
    return [{**target, **more}]


def _infinity(panel: Panel, wanted: Wanted) -> Targets:
    if not panel.path:
        return []
    names = variables.names(wanted.format)
    if panel.kind == "nodeGraph":
        limit = panel.path.partition("?")[2]
        return [infinity_query(f"{path}?{limit}", names, f"node-graph-{path}") for path in ("nodes", "edges")]
    through_time = panel.kind in ("timeseries", "state-timeline")
    return [infinity_query(panel.path, names, "timeseries" if through_time else "table")]


def _victorialogs(panel: Panel, wanted: Wanted) -> Targets:
    if panel.ask is None:
        return []
    legend = " ".join(f"{{{{{field.replace('-', '_')}}}}}" for field in panel.ask.by)
    kind = "statsRange" if panel.ask.over_time else "stats"
    query = languages.logsql(panel.ask, wanted.format, _chosen("victorialogs", panel, wanted))
    return [{"expr": query, "queryType": kind, "legendFormat": legend}]


def _cloudwatch(panel: Panel, wanted: Wanted) -> Targets:
    if panel.ask is None or panel.ask.new:  # it asks the time of the page alone
        return []
    groups = [f"bin({languages.BIN // 60}m)"] if panel.ask.over_time else []
    chosen = _chosen("cloudwatch", panel, wanted)
    return [{
        "queryMode": "Logs", "id": "", "region": "default",
        "expression": languages.insights(panel.ask, wanted.format, chosen),
        "logGroupNames": ["${log_group}"], "logGroups": [],
        "statsGroups": [*groups, *(alias(field) for field in panel.ask.by)],
    }]  # fmt: skip


def _athena(panel: Panel, wanted: Wanted) -> Targets:
    if panel.ask is None:
        return []
    place = f'"{wanted.database}"."{wanted.table}"'
    chosen = _chosen("athena", panel, wanted)
    return [{
        "rawSQL": languages.athena(panel.ask, wanted.format, place, wanted.layout, chosen),
        "format": 0 if panel.ask.over_time else 1, "table": wanted.table,
        "connectionArgs": {"catalog": "__default", "database": wanted.database, "region": "__default"},
    }]  # fmt: skip


def _opensearch(panel: Panel, wanted: Wanted) -> Targets:
    if panel.ask is None or panel.ask.new or panel.ask.measure == "status":  # buckets have no words, and no past
        return []
    query, metrics, buckets = languages.lucene(panel.ask, wanted.format, _chosen("opensearch", panel, wanted))
    return [{
        "query": query, "queryType": "lucene", "metrics": metrics, "bucketAggs": buckets, "timeField": START,
        "alias": "", "format": "table",
    }]  # fmt: skip


_APPEARED = "(vpcflow_findings - (vpcflow_findings offset 10m or vpcflow_findings * 0)) > 0"


def _notes_of_metrics(wanted: Wanted) -> dict[str, Any]:
    target = {"expr": _APPEARED, "interval": f"{languages.BIN}s", "refId": "Findings"}
    return {"target": target, "titleFormat": "{{severity}}: {{detector}}", "tagKeys": "detector,severity"}


def _notes_served(wanted: Wanted) -> dict[str, Any]:
    return {"target": {**infinity_query("annotations", variables.names(wanted.format)), "refId": "Findings"}}


_NO_RECORDS = "it holds records, and no findings, coverage or graph; vpcflow serve has them, for the source infinity"
SOURCES: dict[str, Source] = {
    "prometheus": Source(
        "prometheus", _prometheus, "it holds no addresses, which would be a series each; infinity and victorialogs do",
        notes=_notes_of_metrics,
    ),
    "infinity": Source(
        "yesoreyeram-infinity-datasource", _infinity, "vpcflow serve has no table of it", ("url", "where"),
        _notes_served,
    ),
    "victorialogs": Source("victoriametrics-logs-datasource", _victorialogs, _NO_RECORDS),
    "cloudwatch": Source("cloudwatch", _cloudwatch, _NO_RECORDS, ("log_group",)),
    "athena": Source("grafana-athena-datasource", _athena, _NO_RECORDS),
    "opensearch": Source("grafana-opensearch-datasource", _opensearch, _NO_RECORDS),
}  # fmt: skip


def source_of(name: str) -> Source:
    """Returns a source by its name. Raises :class:`~vpcflow.ArgumentError`."""
    if name not in SOURCES:
        raise ArgumentError(f"source={name!r}: {hint(str(name), list(SOURCES))}")
    return SOURCES[name]
