"""OCSF Network Activity as nested Arrow batches, as Security Lake's Parquet has them, into columns of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    import pyarrow as pa


def is_ocsf(names: list[str]) -> bool:
    """Whether columns are those of OCSF network activity."""
    return {"class_uid", "src_endpoint", "dst_endpoint"} <= set(names)


def _at(batch: pa.RecordBatch, pointer: str) -> Any:
    """The values that a JSON pointer names, as an array, or None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first, *rest = pointer[1:].split("/")
    if first not in batch.schema.names:
        return None
    values = batch.column(batch.schema.get_field_index(first))
    for part in rest:
        if part.isdigit() and (pa.types.is_list(values.type) or pa.types.is_large_list(values.type)):
            some = pc.greater(pc.list_value_length(values), int(part))
            values = pc.list_element(pc.if_else(some, values, pa.scalar(None, values.type)), int(part))
        elif pa.types.is_struct(values.type) and values.type.get_field_index(part) >= 0:
            values = pc.struct_field(values, part)
        else:
            return None
    return None if pa.types.is_nested(values.type) else values


def _texts(values: Any) -> Any:
    """Texts of numbers, times in milliseconds, and texts; ``-`` and empty texts are null. What is no whole number stays
    as it is, for the engine to reject."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        values = pc.if_else(whole, values.cast(pa.int64(), safe=False).cast(pa.string()), values.cast(pa.string()))
    texts = values.cast(pa.string())
    return pc.if_else(pc.is_in(texts, value_set=pa.array(["", "-"])), pa.scalar(None, pa.string()), texts)


def flat_batch(batch: pa.RecordBatch, fields: set[str] | None) -> pa.RecordBatch:
    """The columns of flow log fields, as texts, by the table that the engine has for JSON events, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names, columns = [], []
    for name, pointers, translation, only, time in _core.ocsf_fields():
        if fields is not None and name not in fields:
            continue
        found = [_at(batch, pointer + suffix) for pointer in pointers for suffix in (("", "_dt") if time else ("",))]
        texts = [_texts(values) for values in found if values is not None]
        if not texts:
            continue
        values = texts[0] if len(texts) == 1 else pc.coalesce(*texts)
        if translation:
            index = pc.index_in(values, value_set=pa.array(list(translation)))
            translated = pa.array(list(translation.values())).take(index)
            values = translated if only else pc.coalesce(translated, values)
        names.append(name)
        columns.append(values)
    if not names:  # the rows count even so
        names, columns = ["version"], [pa.nulls(batch.num_rows, pa.string())]
    return pa.RecordBatch.from_arrays(columns, names=names)
