"""OpenSearch and Elasticsearch: a strict template of a data stream, and when its indices roll over and go."""

from __future__ import annotations

from typing import Any

from ... import _core
from .findings import finding_members
from .kinds import kind_of_type, members, schema_of

_TYPES: dict[str, dict[str, Any]] = {
    "ip": {"type": "ip"}, "long": {"type": "long"}, "double": {"type": "double"}, "date": {"type": "date"},
    "millis": {"type": "date", "format": "epoch_millis"}, "keyword": {"type": "keyword", "ignore_above": 1024},
    "observable": {"properties": {
        "name": {"type": "keyword"}, "type": {"type": "keyword"}, "type_id": {"type": "integer"},
        "value": {"type": "keyword"},
    }},
    "text": {"type": "text"},
}  # fmt: skip
_ROLL_SIZE, _ROLL_AGE = "50gb", "1d"


def mappings(schema: str) -> dict[str, Any]:
    """Returns the mappings of a schema. A member that the mapping table does not have is refused, but below that of
    unmapped fields: there a field that AWS adds becomes a keyword."""
    made: dict[str, Any] = {}
    for member in members(schema):
        _put(made, member.path, _TYPES[member.kind])
    own = schema_of(schema)["own"]
    dynamic: list[dict[str, Any]] = []
    if own:
        path = tuple(own[1:].split("/"))
        fields = {
            field["name"].replace("-", "_"): _TYPES[kind_of_type(field["type"])] for field in _core.fields()
        }  # fmt: skip
        # A time stands there as it came, also one that no date can hold.
        _put(made, path, {"dynamic": True, "properties": fields})
        match = {"path_match": f"{'.'.join(path)}.*", "match_mapping_type": "string"}
        dynamic = [{"unmapped": {**match, "mapping": _TYPES["keyword"]}}]
    return {"dynamic": "strict", "dynamic_templates": dynamic, "properties": made}


def mappings_of_findings(schema: str, anything: str) -> dict[str, Any]:
    """Returns the mappings of findings. ``anything``: the type of members of any shape."""
    made: dict[str, Any] = {}
    for member in finding_members(schema):
        _put(made, member.path, {"type": anything} if member.kind == "any" else _TYPES[member.kind])
    return {"dynamic": "strict", "properties": made}


def _put(tree: dict[str, Any], path: tuple[str, ...], what: dict[str, Any]) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {}).setdefault("properties", {})
    tree[path[-1]] = what


def opensearch(schema: str, name: str, days: int, unit: str) -> dict[str, Any]:
    """Returns the template and the ISM policy."""
    own = mappings_of_findings(schema, "flat_object") if unit == "findings" else mappings(schema)
    time = {"ecs": "@timestamp", "ocsf": "time"}[schema]
    template = {
        "index_patterns": [name], "priority": 200, "data_stream": {"timestamp_field": {"name": time}},
        "template": {"settings": {"index.codec": "best_compression"}, "mappings": own},
    }  # fmt: skip
    roll = {"rollover": {"min_size": _ROLL_SIZE, "min_index_age": _ROLL_AGE}}
    leave = [{"state_name": "delete", "conditions": {"min_index_age": f"{days}d"}}]
    policy = {"policy": {
        "description": f"vpcflow: a new index at {_ROLL_SIZE} or {_ROLL_AGE}, deleted after {days} days",
        "default_state": "hot",
        "states": [
            {"name": "hot", "actions": [roll], "transitions": leave},
            {"name": "delete", "actions": [{"delete": {}}], "transitions": []},
        ],
        "ism_template": [{"index_patterns": [name], "priority": 200}],
    }}  # fmt: skip
    return {f"_index_template/{name}.json": template, f"_plugins/_ism/policies/{name}.json": policy}


def elastic(schema: str, name: str, days: int, unit: str) -> dict[str, Any]:
    """Returns the template and the ILM policy."""
    own = mappings_of_findings(schema, "flattened") if unit == "findings" else mappings(schema)
    template = {
        "index_patterns": [name], "priority": 200, "data_stream": {},
        "template": {
            "settings": {"index.codec": "best_compression", "index.lifecycle.name": name},
            "mappings": own,
        },
    }  # fmt: skip
    roll = {"rollover": {"max_primary_shard_size": _ROLL_SIZE, "max_age": _ROLL_AGE}}
    phases = {
        "hot": {"actions": roll}, "delete": {"min_age": f"{days}d", "actions": {"delete": {}}},
    }  # fmt: skip
    return {f"_index_template/{name}.json": template, f"_ilm/policy/{name}.json": {"policy": {"phases": phases}}}
