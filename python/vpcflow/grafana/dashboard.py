"""Dashboards of Grafana, classic and version 2, and of VictoriaMetrics, from the one list of panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cloudwatch import metric_panels
from .drawing import drawn, place, text
from .infinity import deaf
from .panels import PANELS, Panel, lacks
from .sources import Source, Wanted, Where, source_of
from .variables import DIALECTS, chosen, lacking, models, typed

if TYPE_CHECKING:
    from typing_extensions import Unpack

Json = dict[str, Any]

_SCHEMA = 41  # of classic dashboards
_TITLE = "VPC flow logs"
_QUOTED = ("opensearch", "victorialogs")  # where an address is typed in quotes


def dashboard(source: str, format: str = "default", *, version: int = 1, **where: Unpack[Where]) -> Json:
    """Returns a dashboard for logs of a format, as the JSON that Grafana imports.

    ``source``: one of :data:`SOURCES`. ``version``: 1 is the classic form, 2 that of ``v2beta1``. ``where``: what
    :class:`~vpcflow.grafana.sources.Wanted` has, ``log_group``, ``database``, ``table``, ``layout``, ``url``. Panels
    are there for the questions that the format answers; a text says of the others which fields they need. Raises
    :class:`~vpcflow.FormatError` and :class:`~vpcflow.ArgumentError`.

    >>> [panel["title"] for panel in dashboard("victorialogs", "srcaddr dstaddr bytes")["panels"]][:2]
    ['Who sends most', 'Who receives most']
    """
    own = source_of(source)
    wanted = Wanted(format, **where)
    wanted.check()
    shown = [(panel, own.targets(panel, wanted)) for panel in PANELS if not lacks(panel, format)]
    panels = [
        _narrowed(drawn(panel, targets, source, own.plugin), source, format) for panel, targets in shown if targets
    ]
    if source == "cloudwatch":
        panels += metric_panels(format, wanted.log_group)
    titles = {panel["title"] for panel in panels}
    said = _missing(format, own, [panel for panel, targets in shown if not targets and panel.title not in titles])
    choices = lacking(source, format)
    if choices:
        said.append(f"- A choice of **{'**, **'.join(choices)}**: not by this source, which does not tell them apart")
    panels += _tracing(source, format)
    if said:
        panels.append(text("What is not shown", said))
    place(panels)
    made = _classic(source, own, wanted, panels)
    return made if version == 1 else _version_2(made)


def _narrowed(panel: Json, source: str, format: str) -> Json:
    """Adds to a panel by which of the page's choices it is not narrowed."""
    kept = [one.title for one in chosen(format) if one.name in deaf(panel["targets"])] if source == "infinity" else []
    if kept:
        about = [panel.get("description", ""), f"Not narrowed by {', '.join(kept)}."]
        panel["description"] = " ".join(filter(None, about))
    return panel


#: Where logs that a source holds can be read, as far as the page knows it.
_LOGS = {"cloudwatch": "'cloudwatch://${log_group}'"}


def _tracing(source: str, format: str) -> list[Json]:
    """Returns a panel with the command that tells all of an address: of the one that is chosen, if one can be."""
    names = [one.name for one in chosen(format)]
    if "address" not in names:
        return []
    can = "address" in DIALECTS[source].names
    quote = "" if source in _QUOTED else "'"
    address = f"{quote}${{address}}{quote}" if can else "ADDRESS"
    how = "Click an address in a table, or type one above." if can else "These metrics hold no addresses."
    command = (
        f"vpcflow trace {address} {_LOGS.get(source, 'logs/')} --start ${{__from:date:iso}} --end ${{__to:date:iso}}"
    )
    about = f"{how} In a shell this tells who had it, its findings, what it offered and tried, where to look next:"
    return [text("Trace an address", [about, "", "```sh", command, "```"])]


def _missing(format: str, source: Source, elsewhere: list[Panel]) -> list[str]:
    """Says which panels are not there, and why."""
    lines = []
    for panel in PANELS:
        fields = lacks(panel, format)
        if fields:
            lines.append(f"- **{panel.title}**: add {', '.join(f'`{name}`' for name in fields)} to the log format")
    if elsewhere:
        lines.append(f"- **{'**, **'.join(panel.title for panel in elsewhere)}**: not by this source: {source.why}")
    return lines


def _classic(source: str, own: Source, wanted: Wanted, panels: list[Json]) -> Json:
    choices: list[Json] = [{
        "name": "datasource", "label": "Data source", "type": "datasource", "query": own.plugin,
        "hide": 0, "refresh": 1, "regex": "", "options": [], "multi": False, "includeAll": False,
    }]  # fmt: skip
    choices += [typed(name, name.replace("_", " "), getattr(wanted, name)) for name in own.variables]
    choices += models(source, wanted.format, own.plugin)
    notes: list[Json] = []
    note = own.notes(wanted)
    if note:
        notes.append({
            "name": "Findings", "enable": True, "iconColor": "red",
            "datasource": {"type": own.plugin, "uid": "${datasource}"}, **note,
        })  # fmt: skip
    return {
        "uid": f"vpcflow-{source}", "title": _TITLE, "tags": ["vpcflow"], "schemaVersion": _SCHEMA, "version": 1,
        "editable": True, "graphTooltip": 1, "timezone": "utc", "time": {"from": "now-24h", "to": "now"},
        "refresh": "", "description": f"Made by vpcflow grafana dashboard for the format: {wanted.format}",
        "templating": {"list": choices}, "annotations": {"list": notes}, "links": [], "panels": panels,
    }  # fmt: skip


# -- version 2 -------------------------------------------------------------------------------------------------------


def _query(target: Json, plugin: str) -> Json:
    spec = {name: value for name, value in target.items() if name not in ("refId", "datasource")}
    return {
        "kind": "DataQuery",
        "group": plugin,
        "version": "v0",
        "datasource": {"name": "${datasource}"},
        "spec": spec,
    }


def _element(panel: Json) -> Json:
    plugin = panel.get("datasource", {}).get("type", "")
    queries = [
        {"kind": "PanelQuery", "spec": {"refId": target["refId"], "hidden": False, "query": _query(target, plugin)}}
        for target in panel["targets"]
    ]
    return {"kind": "Panel", "spec": {
        "id": panel["id"], "title": panel["title"], "description": panel.get("description", ""), "links": [],
        "data": {"kind": "QueryGroup", "spec": {"queries": queries, "transformations": [
            {"kind": one["id"], "spec": one} for one in panel.get("transformations", [])
        ], "queryOptions": {}}},
        "vizConfig": {"kind": "VizConfig", "group": panel["type"], "version": "", "spec": {
            "options": panel["options"], "fieldConfig": panel["fieldConfig"],
        }},
    }}  # fmt: skip


def _variable(one: Json) -> Json:
    base = {"name": one["name"], "label": one["label"], "hide": "dontHide", "skipUrlSync": False}
    if one["type"] == "datasource":
        return {"kind": "DatasourceVariable", "spec": {
            **base, "pluginId": one["query"], "refresh": "onDashboardLoad", "regex": "", "current": {
                "text": "", "value": "",
            }, "options": [], "multi": False, "includeAll": False, "allowCustomValue": True,
        }}  # fmt: skip
    current = {name: one["current"][name] for name in ("text", "value")}
    if one["type"] == "textbox":
        return {"kind": "TextVariable", "spec": {**base, "query": one["query"], "current": current}}
    several = {name: one[name] for name in ("multi", "includeAll", "allValue", "allowCustomValue")}
    options = [{"text": own["text"], "value": own["value"]} for own in one["options"]]
    spec = {**base, **several, "current": current, "options": options}
    if one["type"] == "custom":
        return {"kind": "CustomVariable", "spec": {**spec, "query": one["query"]}}
    query = one["query"] if isinstance(one["query"], dict) else {"__legacyStringValue": one["query"]}
    return {"kind": "QueryVariable", "spec": {
        **spec, "definition": query.get("query", query.get("__legacyStringValue", "")), "regex": "",
        "refresh": "onTimeRangeChanged", "sort": "alphabeticalAsc",
        "query": _query(query, one["datasource"]["type"]),
    }}  # fmt: skip


def _annotation(one: Json) -> Json:
    return {"kind": "AnnotationQuery", "spec": {
        "name": one["name"], "enable": True, "hide": False, "iconColor": one["iconColor"],
        "query": _query(one["target"], one["datasource"]["type"]),
        "legacyOptions": {name: one[name] for name in ("titleFormat", "tagKeys") if name in one},
    }}  # fmt: skip


def _version_2(made: Json) -> Json:
    names = {panel["id"]: f"panel-{panel['id']}" for panel in made["panels"]}
    items = [
        {"kind": "GridLayoutItem", "spec": {
            "x": panel["gridPos"]["x"], "y": panel["gridPos"]["y"], "width": panel["gridPos"]["w"],
            "height": panel["gridPos"]["h"], "element": {"kind": "ElementReference", "name": names[panel["id"]]},
        }}
        for panel in made["panels"]
    ]  # fmt: skip
    head = {"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "metadata": {"name": made["uid"]}}
    return {**head, "spec": {
        "title": made["title"], "description": made["description"], "tags": made["tags"], "editable": True,
        "cursorSync": "Crosshair", "liveNow": False, "preload": False, "links": [],
        "annotations": [_annotation(one) for one in made["annotations"]["list"]],
        "variables": [_variable(one) for one in made["templating"]["list"]],
        "elements": {names[panel["id"]]: _element(panel) for panel in made["panels"]},
        "layout": {"kind": "GridLayout", "spec": {"items": items}},
        "timeSettings": {
            "timezone": "utc", "from": "now-24h", "to": "now", "autoRefresh": "",
            "autoRefreshIntervals": ["1m", "5m", "1h"], "hideTimepicker": False, "fiscalYearStartMonth": 0,
        },
    }}  # fmt: skip


# -- VictoriaMetrics -------------------------------------------------------------------------------------------------


_UNITS = {"bytes": "B", "Bps": "B/s", "cps": "/s"}  # that page has no units of its own


def victoriametrics(format: str = "default") -> Json:
    """Returns a dashboard for the page of VictoriaMetrics itself (``-vmui.customDashboardsPath``), of the panels that
    metrics answer: those through time first, then those of a moment.

    >>> [row["title"] for row in victoriametrics()["rows"]]
    ['Through time', 'At the last reading']
    """
    shown = [panel for panel in PANELS if panel.metric and not lacks(panel, format)]
    rows = {
        "Through time": [panel for panel in shown if panel.kind == "timeseries"],
        "At the last reading": [panel for panel in shown if panel.kind != "timeseries"],
    }
    return {"title": _TITLE, "rows": [
        {"title": title, "panels": [_drawn(panel) for panel in panels]} for title, panels in rows.items() if panels
    ]}  # fmt: skip


def _drawn(panel: Panel) -> Json:
    """Returns a panel of VictoriaMetrics."""
    return {
        "title": panel.title, "description": panel.about, "width": 6 if panel.kind == "timeseries" else 3,
        "unit": _UNITS.get(panel.metric_unit or panel.unit, ""), "showLegend": True,
        "expr": [panel.metric.replace("$__rate_interval", "10m")], "alias": [panel.legend],
    }  # fmt: skip
