"""Queries of Grafana's Infinity plug-in, of what :mod:`vpcflow.serve` answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..serve.asked import CHOICES
from ..serve.server import ROUTES

_COLUMNS = {
    "time": "timestamp_epoch",
    "timeEnd": "timestamp_epoch",
    "start": "timestamp_epoch",
    "end": "timestamp_epoch",
    "first": "timestamp_epoch",
}
_OF_TABLES = {
    "findings": ("start", "end", "severity", "detector", "actor", "targets", "what", "trace"),
    "coverage": ("interface_id", "seen", "start", "end", "minutes"),
    "series": ("time", "series", "value"),
    "severities": ("severity", "findings"),
    "lines": ("status", "records"),
    "volume": ("bytes", "records", "region", "cost_cloudwatch", "cost_s3"),
    "zones": ("source", "target", "bytes"),
    "controls": ("verdict", "control", "title", "sessions", "violating", "why"),
    "cost": ("path", "bytes", "cost", "currency", "why"),
    "new": ("first", "srcaddr", "dstaddr", "dstport", "protocol_name", "bytes", "records", "why"),
    "flows": ("srcaddr", "dstaddr", "dstport", "protocol_name", "action", "bytes", "packets", "records"),
    "accounts": ("account_id", "bytes", "packets", "records"),
    "regions": ("region", "bytes", "packets", "records"),
    "vpcs": ("vpc_id", "bytes", "packets", "records"),
    "interfaces": ("interface_id", "bytes", "packets", "records"),
    "annotations": ("time", "timeEnd", "title", "text", "tags"),
}
_NUMBERS = (
    "bytes", "packets", "records", "value", "minutes", "findings", "sessions", "violating", "dstport", "cost",
    "cost_cloudwatch", "cost_s3",
)  # fmt: skip


def query(path: str, names: Collection[str] = (), format: str = "table") -> dict[str, Any]:
    """Returns a query of the Infinity plug-in for a path of :mod:`vpcflow.serve`, which is narrowed by those of the
    variables ``names`` that the path takes."""
    table = path.partition("?")[0].removeprefix("table/")
    shown = _OF_TABLES.get(table.partition("/")[0], ())
    columns = [
        {"selector": name, "text": name, "type": _COLUMNS.get(name, "number" if name in _NUMBERS else "string")}
        for name in shown
    ]
    join = "&" if "?" in path else "?"
    filters = "".join(f"&{name}=${{{name}:percentencode}}" for name in taken(path) if name in names)
    return {
        "type": "json", "source": "url", "parser": "backend", "format": format, "root_selector": "",
        "url": f"${{url}}/api/v1/{path}{join}from=${{__from}}&to=${{__to}}{filters}", "columns": columns,
        "url_options": {"method": "GET", "data": ""}, "filters": [],
    }  # fmt: skip


def taken(path: str) -> list[str]:
    """Returns the variables by which a path of :mod:`vpcflow.serve` can be narrowed."""
    takes = ROUTES[f"/api/v1/{path.partition('?')[0]}"].parameters
    return [name for name in ("where", *CHOICES) if name in takes]


def deaf(targets: Collection[dict[str, Any]]) -> set[str]:
    """Returns the variables by which the queries of a panel are not narrowed."""
    paths = [target["url"].partition("/api/v1/")[2] for target in targets]
    return {name for name in CHOICES for path in paths if name not in taken(path)}


def values(field: str) -> dict[str, Any] | None:
    """Returns the query of a variable for the values that the logs have of a place; ``None`` for other fields."""
    tables = {"account-id": "accounts", "region": "regions", "vpc-id": "vpcs", "interface-id": "interfaces"}
    if field not in tables:
        return None
    own = query(f"table/{tables[field]}?limit=1000")
    return {"queryType": "infinity", "query": "", "refId": "values", "infinityQuery": {
        **own, "refId": "values", "columns": own["columns"][:1],
    }}  # fmt: skip
