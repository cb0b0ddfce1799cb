"""Splunk: how events are read, and what the model Network Traffic finds in them."""

from __future__ import annotations

from typing import Any

from .kinds import schema_of

#: By schema: what comes before the time, its format, and how many letters it has at most.
_TIMES = {
    "cim": (r"\"_time\"\s*:\s*", "%s", 20), "ocsf": (r"\"time\"\s*:\s*", "%s%3N", 13),
    "ecs": (r"\"@timestamp\"\s*:\s*\"", "%Y-%m-%dT%H:%M:%SZ", 20),
}  # fmt: skip

#: What tells flows from findings of the same source type.
_FLOWS = {"cim": "", "ocsf": " class_uid=4001", "ecs": " event.dataset=aws.vpcflow"}


def splunk(schema: str, name: str, unit: str) -> dict[str, str]:
    """Returns the files of an app. Events of CIM have the names of the model; those of other schemas get them by
    aliases, made of the rows of the mapping table that write the same."""
    source = f"vpcflow:{schema}"
    prefix, form, longest = _TIMES[schema]
    props = [
        f"[{source}]", "KV_MODE = json", "SHOULD_LINEMERGE = false", "TRUNCATE = 0",
        "TIME_PREFIX = " + prefix.replace('\\"', '"'), f"TIME_FORMAT = {form}", f"MAX_TIMESTAMP_LOOKAHEAD = {longest}",
        "TZ = UTC",
    ]  # fmt: skip
    event = f"{name.replace('-', '_')}_network"
    if unit == "findings":
        return {"props.conf": "\n".join([*props, ""])}
    return {
        "props.conf": "\n".join([*props, *_names(schema), ""]),
        "eventtypes.conf": f"[{event}]\nsearch = sourcetype={source}{_FLOWS[schema]}\n",
        "tags.conf": f"[eventtype={event}]\nnetwork = enabled\ncommunicate = enabled\n",
    }


def _names(schema: str) -> list[str]:
    """Returns the lines that give events of a schema the names of CIM."""
    if schema == "cim":
        return []
    lines, aliases = [], []
    for model in schema_of("cim")["rows"]:
        name = model["pointer"][1:]
        row = next((row for row in schema_of(schema)["rows"] if _is_same(row, model)), None)
        if row is None:
            continue
        member = row["pointer"][1:].replace("/", ".")
        if row["as"] == "word":
            ours = {value: word for word, value in model["written"]}
            cases = [f'\'{member}\'=="{word}","{ours[value]}"' for word, value in row["written"] if ours.get(value)]
            lines.append(f"EVAL-{name} = case({', '.join(cases)})")
        else:
            aliases.append(f'"{member}" AS {name}')
    return [f"FIELDALIAS-cim = {' '.join(aliases)}", *lines]


def _is_same(row: dict[str, Any], model: dict[str, Any]) -> bool:
    """Returns whether a row of a schema writes what one of CIM writes, into a member of its own."""
    if not model["writes"] or row["writes"] != model["writes"] or "/-" in row["pointer"]:
        return False
    return row["as"] == model["as"] and row["as"] in ("natural", "protocol", "word")
