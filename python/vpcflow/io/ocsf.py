"""OCSF Network Activity as nested Arrow batches, as Security Lake's Parquet has them, into columns of fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _core

if TYPE_CHECKING:
    import pyarrow as pa


def is_ocsf(names: list[str]) -> bool:
    """Whether columns are those of OCSF network activity."""
    return {"class_uid", "src_endpoint", "dst_endpoint"} <= set(names)


def _member(values: Any, name: str) -> Any:
    """The member of structs or maps, or the element of lists, as an array, or None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_struct(kind):
        return pc.struct_field(values, name) if kind.get_field_index(name) >= 0 else None
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if is_list and name.isdigit():
        some = pc.greater(pc.list_value_length(values), int(name))
        return pc.list_element(pc.if_else(some, values, pa.scalar(None, kind)), int(name))
    if is_list and pa.types.is_struct(kind.value_type) and {f.name for f in kind.value_type} == {"key", "value"}:
        values = _as_map(values)
    elif not pa.types.is_map(kind):
        return None
    return pc.map_lookup(values, pa.scalar(name, values.type.key_type), "first")


def _as_map(values: Any) -> Any:
    """Maps of lists of ``{key, value}``; entries without key are left out."""
    import pyarrow as pa

    pairs = [None if row is None else [(e["key"], e["value"]) for e in row if e and e["key"] is not None]
             for row in values.to_pylist()]  # fmt: skip
    entry = values.type.value_type
    return pa.array(pairs, pa.map_(entry.field("key").type, entry.field("value").type))


def _at(batch: pa.RecordBatch, pointer: str) -> Any:
    """The values that a JSON pointer names, as an array, or None."""
    first, *rest = pointer[1:].split("/")
    values = batch.column(batch.schema.get_field_index(first)) if first in batch.schema.names else None
    for part in rest:
        values = None if values is None else _member(values, part)
    return values


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)


def _texts(values: Any) -> Any:
    """Texts of numbers, times in seconds, and texts; ``-`` and empty texts are null. What is no whole number stays as
    it is, and what is no single value is its JSON, for the engine to reject."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    if pa.types.is_nested(values.type):
        values = pa.array([None if row is None else _json(row) for row in values.to_pylist()], pa.string())
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        values = pc.if_else(whole, values.cast(pa.int64(), safe=False).cast(pa.string()), values.cast(pa.string()))
    texts = values.cast(pa.string())
    return pc.if_else(pc.is_in(texts, value_set=pa.array(["", "-"])), pa.scalar(None, pa.string()), texts)


def _translated(texts: Any, translation: dict[str, str]) -> Any:
    """Texts with those that the translation has, in any case, in its words; its ``-`` is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    index = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(list(translation)))
    words = pa.array([None if word == "-" else word for word in translation.values()], pa.string())
    return pc.if_else(pc.is_valid(index), words.take(index), texts)


def _times(texts: Any) -> Any:
    import pyarrow as pa

    encoded = texts.dictionary_encode()
    times = [None if text is None else _core.ocsf_time(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(times, pa.string()).take(encoded.indices)


def _own_names(batch: pa.RecordBatch, fields: set[str] | None) -> Iterator[tuple[str, Any]]:
    """The fields that ``unmapped`` holds under their own names."""
    unmapped = _at(batch, "/unmapped")
    if unmapped is None:
        return
    for field in _core.fields():
        if fields is not None and field["name"] not in fields:
            continue
        for name in (field["column"], field["name"]):
            values = _member(unmapped, name)
            if values is not None:
                yield field["name"], _texts(values)
                break


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """A batch of a schema without rows."""
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)


def columns(schema: pa.Schema) -> list[str]:
    """The fields that events of a schema can have."""
    own = (name for name, _ in _own_names(empty_batch(schema), None))
    return list(dict.fromkeys([*(field[0] for field in _core.ocsf_fields()), *own]))


def _field(batch: pa.RecordBatch, places: list[tuple[str, dict[str, str], bool]], time: bool) -> list[Any]:
    """The texts at each place of a field; of a place that the batch lacks, nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nulls = pa.nulls(batch.num_rows, pa.string())
    any_set = pc.is_valid(nulls)
    texts = []
    for pointer, translation, last_resort in places:
        for suffix in ("", "_dt") if time else ("",):
            values = _at(batch, pointer + suffix)
            if values is None:
                texts.append(nulls)
                continue
            found = _texts(values)
            found = _times(found) if time else _translated(found, translation) if translation else found
            texts.append(pc.if_else(any_set, nulls, found) if last_resort else found)
            any_set = pc.or_(any_set, pc.is_valid(values))
    return texts


def flat_batch(batch: pa.RecordBatch, fields: set[str] | None) -> pa.RecordBatch:
    """The columns of flow log fields, as texts, by the table that the engine has for JSON events, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = {name: (places, time, ends) for name, places, time, ends in _core.ocsf_fields()}
    direction = pc.coalesce(*_field(batch, table["flow-direction"][0], time=False))
    inbound = pc.fill_null(pc.equal(direction, "ingress"), False)
    flat: dict[str, Any] = {}
    for name, (places, time, ends) in table.items():
        if fields is not None and name not in fields:
            continue
        if not any(_at(batch, pointer + suffix) is not None for pointer, *_ in places for suffix in ("", "_dt")):
            continue
        texts = _field(batch, places, time)
        flat[name] = texts[0] if len(texts) == 1 else pc.coalesce(*texts)
        if ends:
            flat[name] = pc.if_else(pc.and_(inbound, pc.is_valid(texts[1])), texts[1], flat[name])
    for name, values in _own_names(batch, fields):
        flat[name] = pc.coalesce(flat[name], values) if name in flat else values
    if not flat:  # the rows count even so
        flat["version"] = pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_arrays(list(flat.values()), names=list(flat))
