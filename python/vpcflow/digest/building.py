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
from .day import DAY, Day, Hours, Object, date_of
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
    rejected: int = 0  # lines


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
            lines = error.partial.report.rejected if error.partial is not None else 0
            return Piece(source.name, [], [str(error)], rejected=lines)
        except VpcflowError as error:
            return Piece(source.name, [], [], error)
    notes = []
    undated = sum(n for time, n in zip(places["time"], places["n"]) if time is None)
    if undated:
        notes.append(f"{source.name}: {undated:,} records without start are in no digest")
    days = _days(pairs, places, Object(identity, name, size_of(source), 0, 0, 0, 0, 0, 0, damage is not None, 0))
    return Piece(source.name, days, notes, damage, places.report.rejected)


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
    seen: dict[int, dict[str, int]] = {}
    lost: dict[int, dict[str, int]] = {}
    rows: dict[int, list[tuple[int, int, int, str]]] = {}
    named = zip(*(places[name] for name in _PLACES))
    values = zip(*(places[name] for name in ("time", "log_status", "n", "first", "last")))
    for names, (time, status, n, first, last) in zip(named, values):
        if time is None:
            continue
        number, second = divmod(time, DAY)
        status = (status or "OK").upper()
        place = next((str(name) for name in names if name), "")
        hours = (lost if status == "SKIPDATA" else seen).setdefault(number, {})
        hours[place] = hours.get(place, 0) | 1 << second // 3600
        rows.setdefault(number, []).append((n, first, last or first, status))
    out = {}
    for number, own in sorted(rows.items()):
        of = {status: sum(n for n, _, _, one in own if one == status) for status in ("NODATA", "SKIPDATA")}
        counted = about._replace(
            records=sum(n for n, _, _, _ in own), nodata=of["NODATA"], skipdata=of["SKIPDATA"],
            first=min(first for _, first, _, _ in own), last=max(last for _, _, last, _ in own),
            rejected=places.report.rejected, days=len(rows),
        )  # fmt: skip
        mine, less = seen.get(number, {}), lost.get(number, {})
        hours_of = {name: Hours(mine.get(name, 0), less.get(name, 0)) for name in sorted({*mine, *less})}
        out[number] = (hours_of, counted)
    return out


def _tables(pairs: Result) -> Iterator[tuple[int, tuple[Addresses, Pairs]]]:
    """Yields by day what the groups say of addresses and pairs."""
    import numpy as np

    table = pairs.to_arrow()
    keys, codes = _coded([table[name] for end in _ENDS for name in end])
    time, first, last = (_seconds(table[name]) for name in ("time", "first", "last"))
    dated = time >= 0
    last = np.maximum(first, last)
    actions, action = _dictionary(table["action"])
    sent, received = (
        np.array([of.get(one, of[None]) for one in [*actions, None]], "u1")[action] for of in (SENT, RECEIVED)
    )
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

    read = [_dictionary(column) for column in columns]
    keys, places = np.unique(keys_of(text for texts, _ in read for text in texts), return_inverse=True)
    out, begin = [], 0
    for texts, index in read:
        mine = np.append(places[begin : begin + len(texts)].reshape(-1), -1).astype("i8")
        begin += len(texts)
        out.append(mine[index])
    return keys, out


def _dictionary(column: Any) -> tuple[list[str], Column]:
    """Returns the texts of a column, and by row the place of its text among them, -1 for null."""
    import numpy as np
    import pyarrow as pa

    own = column.combine_chunks()
    own = own.chunk(0) if isinstance(own, pa.ChunkedArray) and own.num_chunks else own
    if not len(own):
        return [], np.empty(0, "i8")
    return own.dictionary.to_pylist(), own.indices.fill_null(-1).to_numpy(zero_copy_only=False)


def _seconds(column: Any) -> Column:
    """Returns times as Unix seconds, null as -1."""
    import numpy as np
    import pyarrow as pa

    micro = column.combine_chunks().cast(pa.int64()).fill_null(-1)
    whole = np.asarray(micro.to_numpy(zero_copy_only=False) if len(column) else np.empty(0, "i8"), "i8")
    return np.where(whole < 0, -1, whole // 1_000_000)
