"""Events of OCSF as nested columns: the types are those of the mapping table."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import _core

if TYPE_CHECKING:
    import pyarrow as pa

_TEXTS = ("text", "word", "protocol", "PROTOCOL")
_LONG = ("bytes-out", "bytes-in", "packets-out", "packets-in")
Tree = dict[str, Any]


def _type_of(row: dict[str, Any]) -> Any:
    import pyarrow as pa

    if row["as"] == "observable":
        text = pa.string()
        return pa.struct([("name", text), ("type", text), ("type_id", pa.int32()), ("value", text)])
    if row["constant"]:
        value = json.loads(row["constant"])
        if isinstance(value, list):
            return pa.list_(pa.string())
        return pa.int32() if isinstance(value, int) else pa.string()
    if row["as"] in _TEXTS:
        return pa.string()
    if row["as"] == "rfc3339":
        return pa.timestamp("ms", "UTC")
    if row["as"] == "millis" or row["writes"] in _LONG:
        return pa.int64()
    if row["as"] == "number":
        return pa.int64() if row["pointer"] == "/type_uid" else pa.int32()
    kinds = {field["name"]: field["type"] for field in _core.fields()}
    return {"uint8": pa.int32(), "uint16": pa.int32(), "int32": pa.int32(), "int64": pa.int64()}.get(
        kinds.get(row["writes"], "text"), pa.string()
    )


def _grown(tree: Tree) -> list[Any]:
    import pyarrow as pa

    fields = []
    for name, member in tree.items():
        kind = member
        if isinstance(member, dict):
            kind = pa.list_(member["-"]) if "-" in member else pa.struct(_grown(member))
        fields.append(pa.field(name, kind))
    return fields


@functools.cache
def _schemas() -> tuple[Any, Any]:
    """The schema as it is read, in which ``unmapped`` is a list, and as it is given, in which it is a map."""
    import pyarrow as pa

    (ocsf,) = (schema for schema in _core.event_schemas() if schema["name"] == "ocsf")
    own = ocsf["own"][1:]
    tree: Tree = {}
    for row in ocsf["rows"]:
        *path, last = row["pointer"][1:].split("/")
        if not (row["writes"] or row["constant"]) or path == [own]:
            continue
        at = tree
        for name in path:
            at = at.setdefault(name, {})
        at[last] = _type_of(row)
    fields = _grown(tree)
    pairs = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
    return pa.schema([*fields, (own, pairs)]), pa.schema([*fields, (own, pa.map_(pa.string(), pa.string()))])


def nested_schema() -> pa.Schema:
    """Returns the schema of :meth:`vpcflow.siem.Events.arrow_batches`."""
    schema: pa.Schema = _schemas()[1]
    return schema


def nested_batches(parts: Iterable[bytes | memoryview]) -> Iterator[pa.RecordBatch]:
    """Yields the lines of each part as a record batch."""
    import pyarrow as pa
    from pyarrow import json as pa_json

    as_read, as_given = _schemas()
    options = pa_json.ParseOptions(explicit_schema=as_read, unexpected_field_behavior="error")
    for lines in parts:
        block = pa_json.ReadOptions(block_size=max(len(lines), 1 << 20))
        table = pa_json.read_json(io.BytesIO(lines), read_options=block, parse_options=options)
        columns = [column.combine_chunks() for column in table.columns]
        columns[-1] = _as_map(columns[-1])
        yield pa.RecordBatch.from_arrays(columns, schema=as_given)


def _as_map(pairs: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    entries = pairs.values
    # The offset of a null map is null; behind the last stands the end.
    is_there = pa.concat_arrays([pairs.is_valid(), pa.array([True])])
    offsets = pc.if_else(is_there, pairs.offsets, pa.scalar(None, pa.int32()))
    return pa.MapArray.from_arrays(offsets, entries.field("key"), entries.field("value"))
