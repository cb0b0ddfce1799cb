"""Events of OCSF as nested columns: the types are those of the mapping table."""

from __future__ import annotations

import functools
import io
import json
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

    return [pa.field(name, _kind(member)) for name, member in tree.items()]


def _kind(member: Any) -> Any:
    import pyarrow as pa

    if not isinstance(member, dict):
        return member
    return pa.list_(member["-"]) if "-" in member else pa.struct(_grown(member))


@functools.cache
def _tree() -> tuple[Tree, dict[str, Any], str]:
    """The types of the members, the constants by their pointers, and the member that is a map."""
    import pyarrow as pa

    (ocsf,) = (schema for schema in _core.event_schemas() if schema["name"] == "ocsf")
    own = ocsf["own"][1:]
    tree: Tree = {}
    constants = {}
    for row in ocsf["rows"]:
        *path, last = row["pointer"][1:].split("/")
        if not (row["writes"] or row["constant"]) or path == [own]:
            continue
        at = tree
        for name in path:
            at = at.setdefault(name, {})
        at[last] = _type_of(row)
        if not row["writes"]:
            constants[row["pointer"]] = pa.scalar(json.loads(row["constant"]), at[last])
    return tree, constants, own


@functools.cache
def nested_schema() -> pa.Schema:
    """Returns the schema of :meth:`vpcflow.siem.Events.arrow_batches`."""
    import pyarrow as pa

    tree, _, own = _tree()
    return pa.schema([*_grown(tree), (own, pa.map_(pa.string(), pa.string()))])


class _Columns:
    """The columns of the events of one batch."""

    def __init__(
        self, count: int, constants: dict[str, Any], values: dict[str, Any], elements: dict[str, pa.Table]
    ) -> None:
        self._count, self._constants, self._values, self._elements = count, constants, values, elements

    def struct(self, tree: Tree, path: str) -> tuple[list[pa.Array], list[pa.Field]]:
        """Returns the arrays and fields of the members of a tree."""
        return [self._array(member, f"{path}/{name}") for name, member in tree.items()], _grown(tree)

    def _array(self, member: Any, pointer: str) -> pa.Array:
        import pyarrow as pa

        if pointer in self._constants:
            return _repeated(self._constants[pointer], self._count)
        if not isinstance(member, dict):
            if pointer not in self._values:
                return pa.nulls(self._count, member)
            return self._values[pointer].combine_chunks().cast(member)
        if "-" in member:
            return self._list(member["-"], pointer)
        arrays, fields = self.struct(member, pointer)
        return pa.StructArray.from_arrays(arrays, fields=fields, mask=_none_of(arrays))

    def _offsets(self, pointer: str) -> pa.Array:
        """Where the elements of each event begin: null where there are none, and an end behind the last."""
        import pyarrow as pa
        import pyarrow.compute as pc

        counts = self._values[pointer].combine_chunks()
        ends = pc.cumulative_sum(counts)
        begins = pc.if_else(pc.equal(counts, 0), pa.scalar(None, pa.int32()), pc.subtract(ends, counts))
        return pa.concat_arrays([begins, pa.array([len(self._elements[pointer])], pa.int32())])

    def _element(self, pointer: str, name: str) -> pa.Array:
        import pyarrow as pa

        return self._elements[pointer][name].combine_chunks().cast(pa.string())

    def _list(self, kind: Any, pointer: str) -> pa.Array:
        import pyarrow as pa

        values = self._element(pointer, "value")
        if pa.types.is_struct(kind):  # an observable
            size = len(values)
            kind_id = pa.scalar(2, pa.int32())
            parts = [self._element(pointer, "key"), pa.repeat("IP Address", size), pa.repeat(kind_id, size), values]
            values = pa.StructArray.from_arrays(parts, fields=list(kind))
        return pa.ListArray.from_arrays(self._offsets(pointer), values)

    def map(self, pointer: str) -> pa.Array:
        """Returns the array of an object of names that no schema fixes."""
        import pyarrow as pa

        keys, values = self._element(pointer, "key"), self._element(pointer, "value")
        return pa.MapArray.from_arrays(self._offsets(pointer), keys, values)


@functools.lru_cache(maxsize=64)
def _repeated(value: Any, count: int) -> pa.Array:
    """Returns a constant for each event; most batches are of one size."""
    import pyarrow as pa

    return pa.repeat(value, count)


def _none_of(arrays: list[pa.Array]) -> pa.Array | None:
    """Returns where all arrays are null; ``None`` if one has no nulls."""
    import pyarrow.compute as pc

    if any(array.null_count == 0 for array in arrays):
        return None
    return functools.reduce(pc.and_, (array.is_null() for array in arrays))


def nested_batch(version: str, ids: str, values: Any, elements: dict[str, Any]) -> pa.RecordBatch:
    """Makes the record batch of what ``_core.EventWriter.columns`` gives."""
    import pyarrow as pa

    tree, constants, own = _tree()
    size = len(ids) // len(values)
    table = pa.table(values)
    columns = dict(zip(table.column_names, table.columns))
    uids = pa.Array.from_buffers(pa.binary(size), len(values), [None, pa.py_buffer(ids.encode())])
    columns["/metadata/uid"] = pa.chunked_array([uids.cast(pa.binary()).cast(pa.string())])
    known = {**constants, "/metadata/version": pa.scalar(version)}
    batch = _Columns(len(values), known, columns, {pointer: pa.table(table) for pointer, table in elements.items()})
    arrays, _ = batch.struct(tree, "")
    return pa.RecordBatch.from_arrays([*arrays, batch.map(f"/{own}")], schema=nested_schema())


def nested_table(lines: bytes) -> pa.Table:
    """Reads lines of events whose ``unmapped`` is a list of pairs (``Events.batches(maps=True)``)."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import json as pa_json

    tree, _, own = _tree()
    pairs = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
    options = pa_json.ParseOptions(
        explicit_schema=pa.schema([*_grown(tree), (own, pairs)]), unexpected_field_behavior="error"
    )
    block = pa_json.ReadOptions(block_size=max(len(lines), 1 << 20), use_threads=False)
    table = pa_json.read_json(io.BytesIO(lines), read_options=block, parse_options=options)
    columns = [column.combine_chunks() for column in table.columns]
    entries = columns[-1].values
    # The offset of a null map is null; behind the last stands the end.
    is_there = pa.concat_arrays([columns[-1].is_valid(), pa.array([True])])
    offsets = pc.if_else(is_there, columns[-1].offsets, pa.scalar(None, pa.int32()))
    columns[-1] = pa.MapArray.from_arrays(offsets, entries.field("key"), entries.field("value"))
    return pa.Table.from_arrays(columns, schema=nested_schema())
