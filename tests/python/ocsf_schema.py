"""A walk over an event of OCSF beside the official schema: what lacks, is unknown, is of another type or outside of an enumeration."""

import functools
import importlib.resources
import json
import re

#: Profiles that an event names in metadata.profiles count; of the others attributes are unknown.
INTEGERS = {"integer_t", "long_t", "timestamp_t", "port_t"}


@functools.lru_cache(maxsize=4)
def schema_of(version):
    package = importlib.resources.files("ocsf_json_schema")
    return json.loads((package / "ocsf" / f"{version}.json").read_text("utf-8"))


def errors_of(event, version, class_name):
    schema = schema_of(version)
    profiles = set(event.get("metadata", {}).get("profiles", []))
    return list(_walk(event, schema["classes"][class_name], schema, profiles, ""))


def _walk(value, kind, schema, profiles, path):
    attributes = {
        name: a for name, a in kind["attributes"].items() if not a.get("profile") or a["profile"] in profiles
    }
    for name, attribute in attributes.items():
        if attribute["requirement"] == "required" and name not in value:
            yield f"{path}.{name}: required"
    for rule, names in (kind.get("constraints") or {}).items():
        there = sum(name in value for name in names)
        if (rule == "at_least_one" and there < 1) or (rule == "just_one" and there != 1):
            yield f"{path}: {rule} of {names}"
    for name, member in value.items():
        if name not in attributes:
            yield f"{path}.{name}: unknown"
            continue
        attribute = attributes[name]
        if bool(attribute.get("is_array")) != isinstance(member, list):
            yield f"{path}.{name}: array or not"
            continue
        for one in member if isinstance(member, list) else [member]:
            yield from _value(one, attribute, schema, profiles, f"{path}.{name}")


def _value(value, attribute, schema, profiles, path):
    kind = attribute["type"]
    if kind == "object_t":
        if not isinstance(value, dict):
            yield f"{path}: no object"
        elif attribute["object_type"] != "object":
            yield from _walk(value, schema["objects"][attribute["object_type"]], schema, profiles, path)
        return
    if kind == "json_t":
        return
    if kind == "boolean_t":
        if not isinstance(value, bool):
            yield f"{path}: no boolean"
        return
    if kind in INTEGERS:
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{path}: no integer"
            return
        if "enum" in attribute and str(value) not in attribute["enum"]:
            yield f"{path}: {value} is not in the enumeration"
        low, high = schema["types"].get(kind, {}).get("range", (-(2**63), 2**63 - 1))
        if not low <= value <= high:
            yield f"{path}: {value} is out of range"
        return
    if not isinstance(value, str):
        yield f"{path}: no string"
        return
    shape = schema["types"].get(kind, {}).get("regex")
    if shape and not re.search(shape, value):
        yield f"{path}: {value!r} is no {kind}"
