"""The files that each receiver needs."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from ..._hints import hint
from ...errors import PlanError
from ..places import LAKE_PARTITION
from .kinds import members, schema_of
from .search import elastic, opensearch
from .splunk import splunk

#: The receivers, and the schemas that there are files for, the default first.
TARGETS = {
    "opensearch": ("ecs", "ocsf"), "elastic": ("ecs",), "splunk": ("cim", "ocsf", "ecs"),
    "sentinel": ("asim", "awsvpcflow"), "securityhub": ("asff",), "athena": ("ocsf",),
}  # fmt: skip
#: The same for findings, where they need other files.
_OF_FINDINGS = {
    "opensearch": ("ecs", "ocsf"), "elastic": ("ecs",), "splunk": ("ocsf", "ecs"), "securityhub": ("asff",),
}  # fmt: skip
_INDICES = {"opensearch": opensearch, "elastic": elastic}
UNITS = ("sessions", "records", "findings")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_INDEX = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
_FIRST_DAY = "20150601"  # of flow logs
_COLUMNS = {
    "ip": "string", "keyword": "string", "long": "long", "double": "real", "date": "datetime", "millis": "long",
}  # fmt: skip


def files(
    target: str, schema: str | None = None, *, name: str = "vpcflow", days: int = 30,
    location: str = "s3://BUCKET/PREFIX/", unit: str | None = None,
) -> dict[str, str]:  # fmt: skip
    """Returns the files that a receiver needs, by their names. Calls nothing.

    ``target``: one of :data:`TARGETS`. ``schema``: that of ``vpcflow send --as``. ``name``: of the index, table or
    event type. ``days``: how long OpenSearch and Elasticsearch keep events. ``location``: of the objects, for Athena.
    ``unit``: that of ``vpcflow send --unit``; findings have other members than sessions and records.
    Raises :class:`~vpcflow.PlanError` for a target, schema, unit or name that cannot be.

    >>> from vpcflow.siem import setup
    >>> list(setup.files("splunk"))
    ['props.conf', 'eventtypes.conf', 'tags.conf']
    """
    if target not in TARGETS:
        raise PlanError(f"siem: no target {target!r}; {hint(target, list(TARGETS))}")
    if unit not in (None, *UNITS):
        raise PlanError(f"siem: unit {unit!r}; {hint(str(unit), list(UNITS))}")
    known = _OF_FINDINGS.get(target, ()) if unit == "findings" else TARGETS[target]
    if not known:
        raise PlanError(f"siem: no files for findings in {target}; there are for {', '.join(_OF_FINDINGS)}")
    chosen = schema or known[0]
    if chosen not in known:
        what = f"{target} for findings" if unit == "findings" else target
        raise PlanError(f"siem: {what} with schema {chosen!r}; expected {' or '.join(known)}")
    is_index = target in _INDICES
    if not (_INDEX if is_index else _NAME).fullmatch(name):
        signs = "_, - and ." if is_index else "_ and -"
        raise PlanError(f"siem: name {name!r}; expected lower case letters, digits, {signs}, a letter first")
    if days < 1:
        raise PlanError(f"siem: days={days}; expected at least 1")
    if not re.fullmatch(r"s3://[A-Za-z0-9][A-Za-z0-9./_=-]*/", location):
        raise PlanError(f"siem: location {location!r}; expected s3://BUCKET/PREFIX/")
    search = _INDICES.get(target)
    if search is not None:
        return {path: _text(content) for path, content in search(chosen, name, days, unit or "").items()}
    makers: dict[str, Callable[[], dict[str, str]]] = {
        "splunk": lambda: splunk(chosen, name, unit or ""), "sentinel": lambda: _sentinel(chosen, name),
        "securityhub": _securityhub, "athena": lambda: _athena(name, location),
    }  # fmt: skip
    return makers[target]()


def _text(content: Any) -> str:
    return json.dumps(content, indent=2) + "\n"


def _sentinel(schema: str, name: str) -> dict[str, str]:
    columns = [{"name": member.path[0], "type": _COLUMNS[member.kind]} for member in members(schema)]
    own = schema_of(schema)["own"]
    if own:
        columns.append({"name": own[1:], "type": "dynamic"})
    table = f"{name.replace('-', '_')}_CL"
    stream = f"Custom-{table}"
    rule = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {p: {"type": "string"} for p in ("location", "workspaceResourceId", "endpointResourceId")},
        "resources": [{
            "type": "Microsoft.Insights/dataCollectionRules", "apiVersion": "2023-03-11", "name": name,
            "location": "[parameters('location')]",
            "properties": {
                "dataCollectionEndpointId": "[parameters('endpointResourceId')]",
                "streamDeclarations": {stream: {"columns": columns}},
                "destinations": {"logAnalytics": [
                    {"workspaceResourceId": "[parameters('workspaceResourceId')]", "name": "workspace"}
                ]},
                "dataFlows": [{
                    "streams": [stream], "destinations": ["workspace"], "transformKql": "source",
                    "outputStream": stream,
                }],
            },
        }],
    }  # fmt: skip
    # Tables have another word for a time than rules.
    typed = [{**column, "type": {"datetime": "dateTime"}.get(column["type"], column["type"])} for column in columns]
    made = {"properties": {"schema": {"name": table, "columns": typed}, "plan": "Analytics"}}
    return {f"{table}.json": _text(made), "dcr.json": _text(rule)}


def _securityhub() -> dict[str, str]:
    statement = {
        "Effect": "Allow", "Action": "securityhub:BatchImportFindings",
        "Resource": "arn:aws:securityhub:*:*:product/*/default",
    }  # fmt: skip
    return {"policy.json": _text({"Version": "2012-10-17", "Statement": [statement]})}


def _athena(name: str, location: str) -> dict[str, str]:
    """The table of objects of OCSF in Parquet, in Security Lake's partitions. Athena computes where they are, as it
    finds none whose names have capitals by itself; queries say of which region and account. Needs pyarrow."""
    from ..nested import nested_schema

    columns = ",\n".join(f"  `{field.name}` {_hive(field.type)}" for field in nested_schema())
    table = name.replace("-", "_")
    partition = LAKE_PARTITION.format(region="${region}", account="${accountid}", day="${eventday}")
    properties = {
        "projection.enabled": "true", "projection.region.type": "injected", "projection.accountid.type": "injected",
        "projection.eventday.type": "date", "projection.eventday.format": "yyyyMMdd",
        "projection.eventday.range": f"{_FIRST_DAY},NOW", "storage.location.template": f"{location}{partition}/",
    }  # fmt: skip
    projection = ",\n".join(f"  '{key}' = '{value}'" for key, value in properties.items())
    text = (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{table}` (\n{columns}\n)\n"
        "PARTITIONED BY (`region` string, `accountid` string, `eventday` string)\n"
        f"STORED AS PARQUET\nLOCATION '{location}'\nTBLPROPERTIES (\n{projection}\n);\n"
    )
    return {"table.sql": text}


def _hive(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_hive(field.type)}' for field in kind)}>"
    if pa.types.is_map(kind):
        return f"map<{_hive(kind.key_type)},{_hive(kind.item_type)}>"
    if pa.types.is_list(kind):
        return f"array<{_hive(kind.value_type)}>"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return {"string": "string", "int32": "int", "int64": "bigint"}[str(kind)]
