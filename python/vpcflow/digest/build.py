"""Digests out of logs: what the records of each object say, by day."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import _core
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..query.expr import count
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from .day import DAY, Day, Hours, Object, date_of, joined
from .keys import keys_of
from .tables import RECEIVED, SENT, Addresses, Pairs, addresses_of, no_addresses, no_pairs, pairs_of

if TYPE_CHECKING:
    from .keys import Keys
    from .tables import Column

_ENDS = (("srcaddr", "dstaddr"), ("pkt_srcaddr", "pkt_dstaddr"))
_PLACES = ("interface_id", "tgw_attachment_id", "resource_id")  # where a record was made, the first that it names
_PIECE = 1 << 20


@dataclasses.dataclass
class Piece:
    """What one object gave: its part of each day, and what is to be said of it."""

    name: str
    days: list[Day]
    notes: list[str]
    error: VpcflowError | None = None


def identity_of(source: _core.Source) -> str:
    """Returns what an object is known by, however it is called: of files and bytes SHA-256, of objects in S3 what their
    listing tells of them. :class:`~vpcflow.PlanError` for streams, which have nothing."""
    data = source.memory()
    if data is not None:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    if os.path.isfile(source.name):
        found = hashlib.sha256()
        with open(source.name, "rb") as file:
            while block := file.read(_PIECE):
                found.update(block)
        return f"sha256:{found.hexdigest()}"
    if source.identity:
        return source.identity
    raise PlanError(f"digest: {source.name}: expected files or objects, by which a digest knows what is in it; save it")


def label_of(source: _core.Source) -> str:
    """Returns the name of an object that does not depend on the folder from which it is read."""
    return source.name if "://" in source.name else os.path.basename(source.name)


def size_of(source: _core.Source) -> int:
    """Returns the stored bytes of a source, 0 if they are not known."""
    data = source.memory()
    if data is not None:
        return len(data)
    return os.path.getsize(source.name) if os.path.isfile(source.name) else 0


def pieces(flows: Flows, known: Iterable[tuple[str, str]] = ()) -> Iterator[Piece]:
    """Reads the objects of logs one by one, but for those that are ``known`` by identity and name; equal ones once."""
    seen = set(known)
    for source in flows._sources:
        key = (identity_of(source), label_of(source))
        if key in seen:
            continue
        seen.add(key)
        yield piece_of(flows, source, *key)


def piece_of(flows: Flows, source: _core.Source, identity: str, name: str) -> Piece:
    """Reads one object."""
    own = Flows(dataclasses.replace(flows._logs, sources=[source], _peeked={}), flows._spec.replace(asked=None))
    own = own.unfiltered()._with(allow_missing=True)
    ends = [field for pair in _ENDS for field in pair]
    seen = own.group_by(*ends, "action", every="1h", bin_by="start").agg(first=min_of("start"), last=max_of("end"))
    made = own.filter("log_status is null or log_status is not null")  # takes in NODATA and SKIPDATA
    places_of = made.group_by(*_PLACES, "log_status", every="1h", bin_by="start")
    made = places_of.agg(n=count(), first=min_of("start"), last=max_of("end"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            (pairs, places), damage = collect_readable([seen, made])
        except NoRecordsError as error:
            return Piece(source.name, [], [str(error)])
        except VpcflowError as error:
            return Piece(source.name, [], [], error)
    notes = []
    undated = sum(row["n"] for row in places if row["time"] is None)
    if undated:
        notes.append(f"{source.name}: {undated:,} records without start are in no digest")
    days = _days(pairs, places, Object(identity, name, size_of(source), 0, 0, 0, 0, 0, 0, damage is not None, 0))
    return Piece(source.name, days, notes, damage)


def _days(pairs: Result, places: Result, about: Object) -> list[Day]:
    tables = dict(_tables(pairs))
    out = []
    for number, (interfaces, own) in _places(places, about).items():
        addresses, among = tables.get(number, (no_addresses(), no_pairs()))
        objects = {(own.identity, own.name): own}
        out.append(Day(date_of(number * DAY), addresses, among, interfaces, objects))
    return out


def _places(places: Result, about: Object) -> dict[int, tuple[dict[str, Hours], Object]]:
    """Returns by day the hours of the interfaces, and what the object has of it."""
    hours: dict[int, list[tuple[str, Hours]]] = {}
    counts: dict[int, Object] = {}
    for row in places:
        if row["time"] is None:
            continue
        number, second = divmod(row["time"], DAY)
        status = (row["log_status"] or "OK").upper()
        bit = 1 << second // 3600
        place = next((row[name] for name in _PLACES if row[name]), "")
        lost = status == "SKIPDATA"
        hours.setdefault(number, []).append((place, Hours(0 if lost else bit, bit if lost else 0)))
        was = counts.get(number, about._replace(first=row["first"], last=row["first"]))
        counts[number] = was._replace(
            records=was.records + row["n"],
            nodata=was.nodata + (row["n"] if status == "NODATA" else 0),
            skipdata=was.skipdata + (row["n"] if lost else 0),
            first=min(was.first, row["first"]),
            last=max(was.last, row["last"] or row["first"]),
            rejected=places.report.rejected,
        )
    return {number: (joined(hours[number]), counts[number]._replace(days=len(counts))) for number in sorted(counts)}


def _tables(pairs: Result) -> Iterator[tuple[int, tuple[Addresses, Pairs]]]:
    """Yields by day what the groups say of addresses and pairs."""
    import numpy as np

    table = pairs.to_arrow()
    keys, codes = _coded([table[name] for end in _ENDS for name in end])
    time, first, last = (_seconds(table[name]) for name in ("time", "first", "last"))
    dated = time >= 0
    last = np.maximum(first, last)
    action = table["action"].to_pylist()
    sent, received = (np.array([of.get(one, of[None]) for one in action], "u1") for of in (SENT, RECEIVED))
    day, hour = time // DAY, np.uint32(1) << (np.maximum(time, 0) % DAY // 3600).astype("u4")
    columns = []
    both = []
    for source, target in zip(codes[::2], codes[1::2]):
        for end, role in ((source, sent), (target, received)):
            known = dated & (end >= 0)
            columns.append((day[known], end[known], first[known], last[known], hour[known], role[known]))
        known = dated & (source >= 0) & (target >= 0)
        low, high = np.minimum(source, target)[known], np.maximum(source, target)[known]
        both.append((day[known], low, high, np.where(source <= target, sent, received)[known]))
    rows = [np.concatenate(column) for column in zip(*columns)]
    links = [np.concatenate(column) for column in zip(*both)]
    for number in np.unique(rows[0]):
        _, code, *values = (column[rows[0] == number] for column in rows)
        begin = int(number) * DAY
        spans = [np.clip(one - begin, 0, 2**32 - 1).astype("u4") for one in values[:2]]
        addresses = addresses_of(code, spans[0], spans[1], values[2], values[3])  # folded by number, which is quicker
        _, low, high, role = (column[links[0] == number] for column in links)
        place = np.zeros(len(keys), "u4")
        place[addresses.keys] = np.arange(len(addresses.keys), dtype="u4")
        yield int(number), (addresses._replace(keys=keys[addresses.keys]), pairs_of(place[low], place[high], role))


def _coded(columns: list[Any]) -> tuple[Keys, list[Column]]:
    """Returns the different addresses of columns as sorted keys, and each column as places among them, null as -1."""
    import numpy as np
    import pyarrow as pa

    chunks = [column.combine_chunks() for column in columns]
    chunks = [one.chunk(0) if isinstance(one, pa.ChunkedArray) and one.num_chunks else one for one in chunks]
    texts = [one.dictionary.to_pylist() if len(one) else [] for one in chunks]
    keys, places = np.unique(keys_of(text for own in texts for text in own), return_inverse=True)
    out, begin = [], 0
    for one, own in zip(chunks, texts):
        mine = np.append(places[begin : begin + len(own)].reshape(-1), -1).astype("i8")
        begin += len(own)
        index = one.indices.fill_null(-1).to_numpy(zero_copy_only=False) if len(one) else np.empty(0, "i8")
        out.append(mine[index])
    return keys, out


def _seconds(column: Any) -> Column:
    """Returns times as Unix seconds, null as -1."""
    import numpy as np
    import pyarrow as pa

    micro = column.combine_chunks().cast(pa.int64()).fill_null(-1)
    whole = np.asarray(micro.to_numpy(zero_copy_only=False) if len(column) else np.empty(0, "i8"), "i8")
    return np.where(whole < 0, -1, whole // 1_000_000)
