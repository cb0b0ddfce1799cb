"""OCSF Network Activity as nested Arrow batches, as Security Lake's Parquet has them, into columns of fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

from .. import _core
from .arrow_streams import reader_of

if TYPE_CHECKING:
    import pyarrow as pa


#: A JSON pointer, what values there mean, and whether they count only where no place before has any.
Place = tuple[str, dict[str, str], bool]


def is_ocsf(names: list[str]) -> bool:
    """Returns whether columns are those of OCSF network activity."""
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


def _plain(values: Any) -> Any:
    """Whole numbers as int64, times in seconds; anything else as texts, of which ``-`` and empty ones are null. What is
    no whole number stays as it is, and what is no single value is its JSON, for the engine to reject."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), _texts(_plain(values.dictionary)))
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    if pa.types.is_integer(values.type) and not pa.types.is_uint64(values.type):
        return values.cast(pa.int64())
    if pa.types.is_nested(values.type):
        values = pa.array([None if row is None else _json(row) for row in values.to_pylist()], pa.string())
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        values = pc.if_else(whole, values.cast(pa.int64(), safe=False).cast(pa.string()), values.cast(pa.string()))
    texts = values.cast(pa.string())
    return pc.if_else(pc.is_in(texts, value_set=pa.array(["", "-"])), pa.scalar(None, pa.string()), texts)


def _texts(values: Any) -> Any:
    import pyarrow as pa

    return values.cast(pa.string())


def _encoded(values: Any) -> Any:
    """Texts as a dictionary, in which no entry is null, so that nulls are those of the indices."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
        return pa.DictionaryArray.from_arrays(values.indices, _texts(values.dictionary))
    if values.dictionary.null_count == 0:
        return values
    is_set = pc.take(values.dictionary.is_valid(), values.indices)
    indices = pc.if_else(is_set, values.indices, pa.scalar(None, values.indices.type))
    return pa.DictionaryArray.from_arrays(indices, values.dictionary.fill_null(""))


def _chosen(choose: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    """Values of two dictionaries, which choose(indices, indices) picks, as one; entries may be in it twice."""
    import pyarrow as pa
    import pyarrow.compute as pc

    behind = pa.scalar(len(first.dictionary), first.indices.type)
    indices = choose(first.indices, pc.add(second.indices, behind))
    return pa.DictionaryArray.from_arrays(indices, pa.concat_arrays([first.dictionary, second.dictionary]))


def _changed(encoded: Any, dictionary: Any) -> Any:
    """The values of a dictionary with other texts for its entries."""
    import pyarrow as pa

    return _encoded(pa.DictionaryArray.from_arrays(encoded.indices, dictionary))


def _translated(encoded: Any, translation: dict[str, str]) -> Any:
    """Texts with those that the translation has, in any case, in its words; its ``-`` is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = encoded.dictionary
    index = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(list(translation)))
    words = pa.array([None if word == "-" else word for word in translation.values()], pa.string())
    return _changed(encoded, pc.if_else(pc.is_valid(index), words.take(index), texts))


def _whole_times(times: Any) -> Any:
    """Times in microseconds and nanoseconds as seconds; of milliseconds the engine knows."""
    import pyarrow.compute as pc

    for least, ticks in ((10**15, 10**6), (10**18, 10**9)):
        most = min(least * 10 - 1, 2**63 - 1)
        some = pc.and_(pc.greater_equal(times, least), pc.less_equal(times, most))
        times = pc.if_else(some, pc.divide(times, ticks), times)
    return times


def _times(encoded: Any) -> Any:
    import pyarrow as pa

    return _changed(encoded, pa.array(map(_core.ocsf_time, encoded.dictionary.to_pylist()), pa.string()))


def _coalesced(first: Any, second: Any) -> Any:
    """The values of the first, and of the second where that is null, with the type of the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if first.null_count == 0 or second.null_count == len(second):
        return first
    if pa.types.is_integer(first.type):
        return pc.coalesce(first, _numbers(second))
    if pa.types.is_dictionary(first.type):
        return _chosen(pc.coalesce, _encoded(first), _encoded(second))
    return pc.coalesce(first, _texts(second))


def _numbers(values: Any) -> Any:
    """Texts as numbers; -1, which no field takes, for those that are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(values.type):
        return values
    texts = _texts(values)
    digits = pc.match_substring_regex(texts, "^[0-9]{1,18}$")
    return pc.if_else(digits, texts, pc.if_else(pc.is_valid(texts), "-1", texts)).cast(pa.int64())


#: Stands for the null of a map's entry, which is another than no entry; no text of a log has it.
_NULL = "\0null"


def _own_names(batch: pa.RecordBatch, fields: set[str] | None) -> Iterator[tuple[str, Any, Any]]:
    """The fields that ``unmapped`` holds under their own names, and where it says that they are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unmapped = _at(batch, "/unmapped")
    if unmapped is None:
        return
    is_map = pa.types.is_map(unmapped.type)
    keys = set(unmapped.keys.unique().to_pylist()) if is_map else None
    if is_map and unmapped.items.null_count > 0:
        unmapped = _with_nulls_marked(unmapped)
    for field in _core.fields():
        if fields is not None and field["name"] not in fields:
            continue
        for name in (field["column"], field["name"]):
            if keys is not None and name not in keys:
                continue
            values = _member(unmapped, name)
            if values is not None:
                texts = _texts(_plain(values))
                is_null = pc.fill_null(pc.equal(texts, _NULL), False)
                yield field["name"], pc.if_else(is_null, pa.scalar(None, pa.string()), texts), is_null
                break
        else:
            if keys is not None:  # a map may have it in another batch
                yield field["name"], pa.nulls(batch.num_rows, pa.string()), None


def _with_nulls_marked(maps: Any) -> Any:
    """Maps of texts with a mark in the place of null."""
    import pyarrow as pa

    offsets = pa.array([maps.offsets[i].as_py() if i == len(maps) or maps[i].is_valid else None
                        for i in range(len(maps) + 1)], pa.int32())  # fmt: skip
    return pa.MapArray.from_arrays(offsets, maps.keys, _texts(maps.items).fill_null(_NULL))


def _own_first(own: Any, is_null: Any, mapped: Any) -> Any:
    """The values under a field's own name, and the mapped ones where there are none, with the type of these."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_null is not None and pc.any(is_null).as_py():
        if pa.types.is_dictionary(mapped.type):
            mapped = _encoded(mapped)
            indices = pc.if_else(is_null, pa.scalar(None, mapped.indices.type), mapped.indices)
            mapped = pa.DictionaryArray.from_arrays(indices, mapped.dictionary)
        else:
            mapped = pc.if_else(is_null, pa.scalar(None, mapped.type), mapped)
    if own.null_count == len(own):
        return mapped
    if pa.types.is_integer(mapped.type):
        return pc.coalesce(_numbers(own), mapped)
    if pa.types.is_dictionary(mapped.type):
        return _chosen(pc.coalesce, _encoded(own), _encoded(mapped))
    return pc.coalesce(own, _texts(mapped))


def places_of(schema: pa.Schema, field: str) -> list[str]:
    """Returns the paths of the columns that a field is read from, the first that is not null first; none if their
    values mean others than they are."""
    names = {known["name"]: known["column"] for known in _core.fields()}
    for name, places, time, ends in _core.ocsf_fields():
        if name != field or ends or any(translation for _, translation, _ in places):
            continue
        pointers = [pointer + suffix for pointer, *_ in places for suffix in (("", "_dt") if time else ("",))]
        pointers += [f"/unmapped/{own}" for own in (names[field], field)]
        return [path for path in (_path(schema, pointer) for pointer in pointers) if path]
    return []


def paths_of(schema: pa.Schema, fields: list[str] | None) -> list[str] | None:
    """Returns the columns that hold some fields, of nested ones the paths of members; None for all."""
    if fields is None:
        return None
    names = {field["name"]: field["column"] for field in _core.fields()}
    table = {name: (places, time, ends) for name, places, time, ends in _core.ocsf_fields()}
    paths = [path for path in [_path(schema, "/class_uid")] if path]  # the rows count even so
    of_an_end = any(table[name][2] for name in fields if name in table)
    for name in [*fields, *(["flow-direction"] if of_an_end else [])]:
        places, time, _ = table.get(name, ([], False, False))
        pointers = [pointer + suffix for pointer, *_ in places for suffix in (("", "_dt") if time else ("",))]
        pointers += [f"/unmapped/{own}" for own in (name, names.get(name, name))]
        paths += [path for path in (_path(schema, pointer) for pointer in pointers) if path]
    return list(dict.fromkeys(paths))


def _path(schema: pa.Schema, pointer: str) -> str | None:
    """The path of the column that has what a JSON pointer names; None if there is no such column."""
    import pyarrow as pa

    first, *rest = pointer[1:].split("/")
    if first not in schema.names:
        return None
    path, kind = first, schema.field(first).type
    for part in rest:
        if not pa.types.is_struct(kind):
            break  # lists and maps are read whole
        if kind.get_field_index(part) < 0:
            return None
        path, kind = f"{path}.{part}", kind.field(part).type
    return path


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """Returns a batch of a schema without rows."""
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)


def columns(schema: pa.Schema) -> list[str]:
    """Returns the fields that events of a schema can have."""
    own = (name for name, *_ in _own_names(empty_batch(schema), None))
    return list(dict.fromkeys([*(field[0] for field in _core.ocsf_fields()), *own]))


def _field(batch: pa.RecordBatch, places: list[Place], time: bool = False, ends: bool = False) -> list[tuple[int, Any]]:
    """The values at each place of a field that the batch has, with the number of the place: whole numbers, or texts as
    dictionaries; the texts of a single place as they are. Places behind one that is nowhere null are left out, unless
    they are those of two ends."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for number, (pointer, translation, last_resort) in enumerate(places):
        for suffix in ("", "_dt") if time else ("",):
            values = _at(batch, pointer + suffix)
            if values is not None:
                found.append((number, translation, last_resort, values.is_valid(), _plain(values)))
    if all(pa.types.is_integer(values.type) and not translation for _, translation, *_, values in found):
        return [(number, _whole_times(values) if time else values) for number, *_, values in found]
    if len(found) == 1 and not time and not found[0][1]:
        return [(number, values) for number, *_, values in found]
    out: list[tuple[int, Any]] = []
    any_set = None
    for number, translation, last_resort, is_set, values in found:
        texts = _encoded(values)
        texts = _times(texts) if time else _translated(texts, translation) if translation else texts
        if last_resort and any_set is not None:
            nothing = pa.scalar(None, texts.indices.type)
            indices = pc.if_else(any_set, nothing, texts.indices)
            texts = pa.DictionaryArray.from_arrays(indices, texts.dictionary)
        out.append((number, texts))
        any_set = is_set if any_set is None else pc.or_(any_set, is_set)
        if texts.null_count == 0 and not ends:
            break
    return out


def _second_where(mask: Any, first: Any, second: Any) -> Any:
    import pyarrow.compute as pc

    return pc.if_else(mask, second, first)


def _of_its_end(batch: pa.RecordBatch, direction: list[Place], found: list[tuple[int, Any]]) -> Any:
    """The values of the source's end, and of the destination's where traffic comes in and they are set."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = functools.reduce(_coalesced, (values for _, values in found))
    of_destination = dict(found).get(1)
    directions = _field(batch, direction)
    if of_destination is None or not directions:
        return values
    of_flow = _encoded(functools.reduce(_coalesced, (texts for _, texts in directions)))
    inbound = pc.take(pc.equal(of_flow.dictionary, "ingress"), of_flow.indices)
    theirs = pc.and_(pc.fill_null(inbound, False), of_destination.is_valid())
    if pa.types.is_dictionary(values.type):
        return _chosen(functools.partial(_second_where, theirs), _encoded(values), _encoded(of_destination))
    return _second_where(theirs, values, of_destination)


def flat_batch(batch: pa.RecordBatch, fields: set[str] | None) -> pa.RecordBatch:
    """Returns the columns of flow log fields, by the table that the engine has for JSON events, too. Their types are
    the same for each batch of a schema."""
    import pyarrow as pa

    table = {name: (places, time, ends) for name, places, time, ends in _core.ocsf_fields()}
    flat: dict[str, Any] = {}
    for name, (places, time, ends) in table.items():
        if fields is not None and name not in fields:
            continue
        found = _field(batch, places, time, ends)
        if ends and found:
            flat[name] = _of_its_end(batch, table["flow-direction"][0], found)
        elif found:
            flat[name] = functools.reduce(_coalesced, (values for _, values in found))
    for name, values, is_null in _own_names(batch, fields):
        flat[name] = _own_first(values, is_null, flat[name]) if name in flat else values
    if not flat:  # the rows count even so
        flat["version"] = pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_arrays(list(flat.values()), names=list(flat))


def flat_reader(schema: pa.Schema, batches: Iterator[pa.RecordBatch], fields: list[str] | None) -> pa.RecordBatchReader:
    """Returns OCSF events, which are nested, as columns of fields."""
    wanted = None if fields is None else set(fields)
    return reader_of(
        (flat_batch(batch, wanted) for batch in batches), lambda: flat_batch(empty_batch(schema), wanted).schema
    )
