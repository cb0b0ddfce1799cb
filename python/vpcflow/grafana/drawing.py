"""Panels as Grafana draws them, in the classic form: options, units, colours, links, places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .panels import Panel

Json = dict[str, Any]

_SIZES = {
    "stat": (6, 5), "timeseries": (12, 8), "table": (12, 8), "nodeGraph": (24, 12), "state-timeline": (24, 8),
    "text": (24, 6),
}  # fmt: skip
_RED, _GREEN, _BLUE, _ORANGE = "semi-dark-red", "semi-dark-green", "semi-dark-blue", "semi-dark-orange"
#: What the numbers of a status are.
_STATUS = {"0": ("absent", _RED), "1": ("NODATA", _BLUE), "2": ("OK", _GREEN), "3": ("SKIPDATA", _ORANGE)}
_ADDRESSES = "(f_)?((pkt_)?srcaddr|(pkt_)?dstaddr|actor|client|server)"


def drawn(panel: Panel, targets: Sequence[Json], source: str, plugin: str) -> Json:
    """Returns a panel with the queries of a source."""
    unit = panel.metric_unit if source == "prometheus" and panel.metric_unit else panel.unit
    kind = panel.kind
    if kind == "matrix" or (kind == "stat" and source != "prometheus"):
        kind = "table"  # rows say more than one number
        unit = unit if panel.kind == "matrix" or unit == "bytes" else "short"
    place = {"type": plugin, "uid": "${datasource}"}
    made: Json = {
        "type": kind, "title": panel.title, "datasource": place, "options": _options(kind),
        "targets": [{**target, "refId": "ABC"[n], "datasource": place} for n, target in enumerate(targets)],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": _colours(panel)},
    }  # fmt: skip
    if panel.about:
        made["description"] = panel.about
    if kind == "timeseries":
        made["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 20, "drawStyle": "bars", "stacking": {
            "group": "A", "mode": "normal",
        }}  # fmt: skip
    elif kind == "state-timeline":
        made["fieldConfig"]["defaults"] = {"custom": {"fillOpacity": 70, "lineWidth": 0}, "mappings": [_states()]}
    elif panel.kind == "matrix":
        _lay_out_matrix(made)
    elif kind == "table":
        made["fieldConfig"] = {"defaults": {}, "overrides": [*_units(unit), *_verdicts(panel), _trace(source)]}
    return made


def _options(kind: str) -> Json:
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    options: dict[str, Json] = {
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value"},
        "timeseries": {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}},
        "table": {"showHeader": True, "cellHeight": "sm"},
        "nodeGraph": {},
        "state-timeline": {"mergeValues": True, "showValue": "never", "rowHeight": 0.9, "perPage": 20, "legend": legend,
                           "tooltip": {"mode": "single", "sort": "none"}},
    }  # fmt: skip
    return options[kind]


def _states() -> Json:
    return {"type": "value", "options": {
        value: {"text": text, "color": colour, "index": n} for n, (value, (text, colour)) in enumerate(_STATUS.items())
    }}  # fmt: skip


def _lay_out_matrix(made: Json) -> None:
    """Makes a table with a row for each source and a column for each target, the deeper the more."""
    made["transformations"] = [{"id": "groupingToMatrix", "options": {
        "rowField": "source", "columnField": "target", "valueField": "bytes",
    }}]  # fmt: skip
    made["fieldConfig"] = {
        "defaults": {
            "unit": "bytes", "color": {"mode": "continuous-YlRd"},
            "custom": {"cellOptions": {"type": "color-background", "mode": "gradient"}},
        },
        "overrides": [{"matcher": {"id": "byRegexp", "options": "source.*"}, "properties": [
            {"id": "custom.cellOptions", "value": {"type": "auto"}},
        ]}],
    }  # fmt: skip


def _colours(panel: Panel) -> list[Json]:
    """Returns that denials are red and what passed green, wherever actions are series."""
    if panel.ask is None or "action" not in panel.ask.by:
        return []
    return [
        {"matcher": {"id": "byRegexp", "options": f".*{name}.*"},
         "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]}
        for name, colour in (("REJECT", _RED), ("ACCEPT", _GREEN))
    ]  # fmt: skip


def _units(unit: str) -> list[Json]:
    """Returns the unit of the columns that are measures; ports and times have none."""
    if unit == "currencyUSD":
        columns = {"currencyUSD": "cost.*|Value.*", "bytes": "bytes"}
    else:
        columns = {unit: "(sum_)?bytes.*|Value.*" if unit == "bytes" else "(sum_)?(records|bytes).*|Value.*"}
    return [
        {"matcher": {"id": "byRegexp", "options": names}, "properties": [{"id": "unit", "value": own}]}
        for own, names in columns.items()
    ]  # fmt: skip


def _verdicts(panel: Panel) -> list[Json]:
    """Returns the colours of verdicts and severities, which are words, too."""
    words = {
        "controls": {"pass": _GREEN, "enforced": _GREEN, "not evaluable": _ORANGE, "fail": _RED},
        "findings": {"high": _RED, "medium": _ORANGE},
    }.get(panel.name)  # fmt: skip
    if words is None:
        return []
    mapping = {"type": "value", "options": {
        word: {"color": colour, "index": n} for n, (word, colour) in enumerate(words.items())
    }}  # fmt: skip
    return [{"matcher": {"id": "byRegexp", "options": "verdict|severity"}, "properties": [
        {"id": "mappings", "value": [mapping]},
        {"id": "custom.cellOptions", "value": {"type": "color-text"}},
    ]}]  # fmt: skip


def _trace(source: str) -> Json:
    """Returns that an address leads to the page of it alone."""
    value = "${__value.raw}"
    quote = "%22" if source in ("opensearch", "victorialogs") else ""  # around the colons of IPv6
    asks = f"${{datasource:queryparam}}&var-address={quote}{value}{quote}"
    url = f"/d/vpcflow-{source}?${{__url_time_range}}&{asks}"
    links = [{"title": "Trace this address", "url": url, "targetBlank": False}]
    return {
        "matcher": {"id": "byRegexp", "options": _ADDRESSES}, "properties": [{"id": "links", "value": links}],
    }  # fmt: skip


def text(title: str, lines: Sequence[str]) -> Json:
    """Returns a panel of words."""
    return {
        "type": "text", "title": title, "options": {"mode": "markdown", "content": "\n".join(lines)},
        "fieldConfig": {"defaults": {}, "overrides": []}, "targets": [],
    }  # fmt: skip


def place(panels: Sequence[Json]) -> None:
    """Gives each panel its number and its place: rows of 24 columns, as the panels come."""
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        width, height = _SIZES[panel["type"]]
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        panel["id"], panel["gridPos"] = number, {"x": x, "y": y, "w": width, "h": height}
        x, tallest = x + width, max(tallest, height)
