"""The page of the mapping of records to events, from the table that the engine reads and writes by."""

from typing import Any

from vpcflow import _core
from vpcflow.siem.findings import FINDING_SCHEMAS

AS = {
    "natural": "", "text": "text", "millis": "ms since 1970", "seconds": "s since 1970", "rfc3339": "RFC 3339", "nanos": "ns",
    "word": "word", "number": "number", "list": "list", "protocol": "name", "PROTOCOL": "name in capitals", "observable": "observable",
    "null": "null", "rest": "all else, by own names", "rest-texts": "all else, by own names, as texts",
}  # fmt: skip
TITLES = {
    "ocsf": "OCSF 4001", "ecs": "ECS", "cim": "Splunk CIM", "asim": "Sentinel ASIM NetworkSession", "awsvpcflow": "Sentinel AWSVPCFlow",
    "udm": "Google SecOps UDM", "cef": "CEF",
}  # fmt: skip
HEAD = """# Events of SIEMs and lakes

Made by `tools/generate_docs.py` from the table by which events are written, and those of OCSF and ECS read; do not edit.

`vpcflow convert LOGS -o FILE --to ocsf-jsonl` and `vpcflow.export(flows, "ocsf")` write an event of each session or, with
`--unit records`, of each record; [how to hand events over](../how-to/feed-a-siem.md) tells which to take.

## What is lossy

Reading events of records in OCSF (JSON, Parquet) or ECS gives the records, every field as it was, but for this:

- Columns that the catalogue lacks, labels and joined columns are written under their own names and not read back.
- Bytes of texts that are not UTF-8 become U+FFFD.
- As in all JSON, a text that spells a missing value (an empty one, `NaN`, `null`, `none`, `n/a`, `\\N`) is null when it is read, AWS's words get
  its letters (`accept`: `ACCEPT`), and an account id of fewer than twelve digits gets zeros before them. The file has all of them as they were.
- Milliseconds of times: a record holds seconds.
- A record without any field that names a flow (an address or an interface) is no record when it is read.

Of sessions a record for each is read, from client to server, with the bytes and packets of both sides. The other schemas are written, not read: what their table does not name is dropped, unless a row takes the rest.

## What is decided

- **NODATA and SKIPDATA** are events, too: without them a file would not show gaps. In OCSF their activity is 0 (Unknown),
  `status_code` names them, and SKIPDATA has `status` Failure; in ECS `event.type` is `info` and `event.kind` stays `event`, as
  Elastic's pipeline has it. To leave them out: `--where "log_status = 'OK'"`. Sessions have none.
- **Null** is absent. `unmapped` (`aws.vpcflow`) names a field with null where the field is null and a reader would take the
  value of another for it: logs without `pkt-srcaddr` have the interface's address as `src_endpoint.ip`.
- A value that has no word in the schema (a path of 77, an action that AWS does not document) is the schema's *Other*, and stands
  in `unmapped` as it was. There it comes before what the mapped place says.
- **REJECT** is activity 5 (Refuse) and action 2 (Denied); whether the log is complete is the status, not the action.
- **Ids of interface, VPC, subnet and instance** stand at the recording end: the source's of egress, the destination's of ingress,
  else at `device`.
- `tcp-flags` are those of all packets of the window, OR-ed: they say nothing of order.
- Where an end has nothing that OCSF takes for an identity its `name` is `unknown`, as 1.1.0 requires one.
- A record without any time has the time 0, which OCSF requires.
- ECS: `source.ip` is the packet's address and `source.nat.ip` the interface's; Elastic's pipeline has the interface's as
  `source.ip`. `observer.*.interface.id` is ours alone. The Community ID (version 1, seed 0:
  `network.community_id`, `connection_info.community_uid`, in OCSF 1.1.0 `unmapped.community_id`) is written if it is asked for, by
  `--community-id` or `community_id=True`: a SHA-1 for each conversation takes more time than all else (some 2 µs of 2.8 a record, 4 of 6.5 a session). It is that of the packet's
  addresses; ICMP has none, as flow logs do not hold its types.
- OCSF 2.0 is not published, and its drafts still change what Network Activity has: it is refused, as is each version that is not named here.

**Ids.** `metadata.uid`, `event.id` and their like are 32 hexadecimal digits: a hash of the file's name without folders, the offset
of the line in the unpacked text, and all values of the record. The same object gives the same ids, whoever reads it; equal lines
of one file have different ids. Of a session: its two ends, protocol and start, whichever is the client. The hash is not
cryptographic. Records that are wrapped in something else (subscriptions, JSON documents) have no offset: equal ones share an id.

**What was tried.** ECS events against the types of `@elastic/ecs` 9.4.0 (tsc accepts one; a number as `iana_number` and a foreign field are
refused) and a list of its fields. OCSF 1.1.0 and 1.5.0 against the official schema, as the package `ocsf-json-schema` holds it: no error on random
records of all formats, and wrong events are refused. Splunk, Sentinel, Google SecOps, QRadar, Security Lake and Security Hub were
not at hand: these mappings follow the vendors' documents and are checked against a writer that was made by hand.
"""


def _value(row: dict[str, Any]) -> str:
    if row["as"] == "observable":
        return f"`{row['writes']}`"
    if row["constant"]:
        return f"`{row['constant'].strip()}`"
    return f"`{row['writes']}`" if row["writes"] else ""


def _words(pairs: list[tuple[str, str]]) -> str:
    """What is written for each value; of many the first ones."""
    words = [f"{'*other*' if to == '-' else to}: {word or '(none)'}" for word, to in pairs]
    text = ", ".join(words)
    return text if len(text) <= 140 else ", ".join([*words[:3], "...", words[-1]])


def _table(schema: dict[str, Any]) -> list[str]:
    lines = [f"## {TITLES[schema['name']]}", "", f"{schema['meaning']}."]
    if schema["versions"]:
        lines[-1] += f" Versions: {', '.join(schema['versions'])}."
    lines += ["", "| member | written | as | words written | read as |", "| --- | --- | --- | --- | --- |"]
    for row in schema["rows"]:
        path = row["pointer"][1:].replace("/-", "[]").replace("/0", "[0]").replace("/", ".") or "(head)"
        value = _value(row).replace("|", "\\|")
        words = _words(row["written"] or (row["words"] if row["writes"] else [])).replace("|", "\\|")
        reads = f"`{row['reads']}`" if row["reads"] else ""
        lines.append(f"| `{path}` | {value} | {AS[row['as']] if row['writes'] or not row['constant'] else 'constant'} | {words} | {reads} |")
    return [*lines, ""]


def events_page() -> str:
    """The page of all schemas."""
    lines = [HEAD]
    lines += ["Values that are computed: `include/vpcflow/export/events.h` defines each. A member that stands several times is read for",
              "the fields of all its rows; of the rows that read one field the first that has a value counts.", ""]  # fmt: skip
    for schema in _core.event_schemas():
        lines += _table(schema)
    lines += ["## Findings", "", f"`vpcflow.export(vpcflow.detect(flows), schema)`: {', '.join(f'`{name}`' for name in FINDING_SCHEMAS)}.",
              "OCSF is Detection Finding (class 2004), ECS an event of kind `alert`. Severity low, medium, high: OCSF 2, 3, 4; ASFF LOW, MEDIUM,",
              "HIGH; ECS 21, 47, 73; CEF and LEEF 3, 6, 9. The id of the event is a hash of the finding's id.", ""]  # fmt: skip
    return "\n".join(lines)
