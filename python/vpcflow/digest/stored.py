"""Digests as bytes: version 1.

A file is ``VPCFDIG`` and the version as a byte; the length of the head (4 bytes, little endian); its SHA-256; the head,
JSON by zstd; the sections one behind the other. The head names day, counts, objects, interfaces, and of each section
length and SHA-256. A section is a column, its lowest bytes first, by zstd: ``v4``, ``v6_high``, ``v6_low`` (each but
``v6_low`` the difference to the one before), ``first``, ``last`` (difference to first), ``hours`` (without that of
first), ``roles``; ``low`` (difference), ``high`` (difference where low is the same), ``pair_roles``."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import StateError
from .day import Day, Hours, Object
from .keys import WIDTH
from .tables import Addresses, Pairs

if TYPE_CHECKING:
    from .keys import Keys
    from .tables import Column

MAGIC, VERSION = b"VPCFDIG", 1
_FIXED = len(MAGIC) + 1 + 4 + 32
_LEVEL = 9
_MOST = 1 << 28  # rows of a table, and bytes of a head
_SECTIONS = {
    "v4": "<u4", "v6_high": "<u8", "v6_low": "<u8", "first": "<u4", "last": "<u4", "hours": "<u4", "roles": "u1",
    "low": "<u4", "high": "<u4", "pair_roles": "u1",
}  # fmt: skip


def to_bytes(day: Day) -> bytes:
    """Returns the bytes of a digest; equal digests give equal bytes."""
    columns = _packed(day)
    sections = {name: _compress(_planes(column, _SECTIONS[name])) for name, column in columns.items()}
    head = {
        "day": day.date.isoformat(),
        "v4": len(columns["v4"]),
        "v6": len(columns["v6_low"]),
        "pairs": len(columns["low"]),
        "objects": [list(one) for _, one in sorted(day.objects.items())],
        "interfaces": [[name, *hours] for name, hours in sorted(day.interfaces.items())],
        "sections": [[name, len(data), hashlib.sha256(data).hexdigest()] for name, data in sections.items()],
    }
    text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    stored = len(text).to_bytes(4, "little") + _compress(text)
    begin = MAGIC + bytes([VERSION]) + len(stored).to_bytes(4, "little") + hashlib.sha256(stored).digest()
    return b"".join([begin, stored, *sections.values()])


class Stored:
    """A digest in a file: its head is read and checked at once, its sections when they are needed.

    ``read(begin, length)`` gives bytes of it. :class:`~vpcflow.StateError`, with its name, for what is no digest,
    damaged, or of another version."""

    def __init__(self, name: str, size: int, read: Callable[[int, int], bytes]) -> None:
        self.name, self.size, self._read = name, size, read
        try:
            self._open()
        except (ValueError, TypeError, KeyError, IndexError, OSError, RecursionError) as error:
            if isinstance(error, StateError):
                raise
            self._refuse(f"its head is damaged ({error})")

    def _open(self) -> None:
        begin = self._read(0, _FIXED)
        if not begin.startswith(MAGIC[: len(begin)]) or len(begin) <= len(MAGIC):
            self._refuse("it does not begin as one" if begin else "it is empty")
        if begin[len(MAGIC)] != VERSION:
            self._refuse(f"it is of version {begin[len(MAGIC)]}; this program reads version {VERSION}")
        length = int.from_bytes(begin[len(MAGIC) + 1 : len(MAGIC) + 5], "little")
        stored = self._read(_FIXED, length)
        if len(begin) < _FIXED or len(stored) != length or hashlib.sha256(stored).digest() != begin[-32:]:
            self._refuse("its head is cut or altered")
        size = int.from_bytes(stored[:4], "little")
        if size > _MOST:
            self._refuse(f"its head has {size:,} bytes, and no more than {_MOST:,} can be")
        head = json.loads(_decompress(stored[4:], size))
        self.date = datetime.date.fromisoformat(head["day"])
        self.v4, self.v6, self.pair_count = (_count(head[name]) for name in ("v4", "v6", "pairs"))
        self.objects = {(one.identity, one.name): one for one in (Object(*row) for row in head["objects"])}
        self.interfaces = {str(name): Hours(int(seen), int(skipped)) for name, seen, skipped in head["interfaces"]}
        self._places: dict[str, tuple[int, int, str]] = {}
        place = _FIXED + length
        for name, own, digest in head["sections"]:
            self._places[name] = (place, _count(own), digest)
            place += own
        if set(self._places) != set(_SECTIONS) or place != self.size:
            self._refuse(f"it has {self.size:,} bytes, and its head tells of {place:,}")

    def _refuse(self, why: str) -> NoReturn:
        error = StateError(f"{self.name}: no digest of a day: {why}")
        error.source = self.name
        raise error

    def _column(self, name: str, rows: int) -> Column:
        import numpy as np

        place, length, digest = self._places[name]
        data = self._read(place, length)
        if len(data) != length or hashlib.sha256(data).hexdigest() != digest:
            self._refuse(f"its section {name} is cut or altered")
        kind = np.dtype(_SECTIONS[name])
        try:
            raw = _decompress(data, rows * kind.itemsize)
        except (ValueError, OSError) as error:
            self._refuse(f"its section {name} is damaged ({error})")
        planes = np.frombuffer(raw, "u1").reshape(kind.itemsize, rows)
        return np.ascontiguousarray(planes.T).reshape(-1).view(kind) if rows else np.empty(0, kind)

    def keys(self) -> Keys:
        """Reads the keys of the addresses, sorted."""
        import numpy as np

        v4 = np.cumsum(self._column("v4", self.v4), dtype="u4")
        high, low = np.cumsum(self._column("v6_high", self.v6), dtype="u8"), self._column("v6_low", self.v6)
        rows = np.zeros((self.v4 + self.v6, WIDTH), "u1")
        rows[: self.v4, 0], rows[self.v4 :, 0] = 4, 6
        rows[: self.v4, 1:5] = v4.astype(">u4").view("u1").reshape(-1, 4)
        rows[self.v4 :, 1:9] = high.astype(">u8").view("u1").reshape(-1, 8)
        rows[self.v4 :, 9:] = low.astype(">u8").view("u1").reshape(-1, 8)
        return rows.reshape(-1).view(f"S{WIDTH}")

    def addresses(self, keys: Keys | None = None) -> Addresses:
        """Reads the table of addresses; ``keys``: those of :meth:`keys`, if they were read."""
        import numpy as np

        rows = self.v4 + self.v6
        first = self._column("first", rows)
        last = first + self._column("last", rows)
        hours = self._column("hours", rows) ^ (np.uint32(1) << np.minimum(first // 3600, 31).astype("u4"))
        return Addresses(self.keys() if keys is None else keys, first, last, hours, self._column("roles", rows))

    def pairs(self) -> Pairs:
        """Reads the table of pairs."""
        import numpy as np

        steps, within = self._column("low", self.pair_count), self._column("high", self.pair_count)
        low = np.cumsum(steps, dtype="u4")
        sums = np.cumsum(within, dtype="u8")
        starts = np.flatnonzero((steps > 0) | (np.arange(len(steps)) == 0))
        before = sums[starts] - within[starts]
        high = sums - np.repeat(before, np.diff(np.append(starts, len(steps))))
        rows = self.v4 + self.v6
        if self.pair_count and (int(low.max()) >= rows or int(high.max()) >= rows):
            self._refuse(f"its pairs are of more than its {rows:,} addresses")
        return Pairs(low, high.astype("u4"), self._column("pair_roles", self.pair_count))

    def day(self) -> Day:
        """Reads all of it."""
        return Day(self.date, self.addresses(), self.pairs(), self.interfaces, self.objects)


def from_bytes(data: bytes, name: str = "<bytes>") -> Stored:
    """Opens a digest that is in memory."""
    return Stored(name, len(data), lambda begin, length: data[begin : begin + length])


def _packed(day: Day) -> dict[str, Column]:
    """Returns the columns as they are stored."""
    import numpy as np

    rows = day.addresses.keys.view("u1").reshape(-1, WIDTH)
    split = int(np.count_nonzero(rows[:, 0] == 4)) if len(rows) else 0
    v4 = np.ascontiguousarray(rows[:split, 1:5]).reshape(-1).view(">u4").astype("u4")
    high = np.ascontiguousarray(rows[split:, 1:9]).reshape(-1).view(">u8").astype("u8")
    low = np.ascontiguousarray(rows[split:, 9:]).reshape(-1).view(">u8").astype("u8")
    first = day.addresses.first
    steps = np.diff(day.pairs.low, prepend=day.pairs.low[:0].dtype.type(0))
    within = np.diff(day.pairs.high, prepend=day.pairs.high[:0].dtype.type(0))
    begins = (steps > 0) | (np.arange(len(steps)) == 0)
    return {
        "v4": np.diff(v4, prepend=np.uint32(0)),
        "v6_high": np.diff(high, prepend=np.uint64(0)),
        "v6_low": low,
        "first": first,
        "last": day.addresses.last - first,
        "hours": day.addresses.hours ^ (np.uint32(1) << np.minimum(first // 3600, 31).astype("u4")),
        "roles": day.addresses.roles,
        "low": steps,
        "high": np.where(begins, day.pairs.high, within),
        "pair_roles": day.pairs.roles,
    }


def _planes(column: Column, kind: str) -> bytes:
    """Returns the first bytes of all values, then their second bytes, and so on: alike ones stand together."""
    import numpy as np

    values = np.ascontiguousarray(column.astype(kind, copy=False))
    return values.view("u1").reshape(len(values), values.itemsize).T.tobytes() if len(values) else b""


def _compress(data: bytes) -> bytes:
    import pyarrow as pa

    return bytes(pa.Codec("zstd", compression_level=_LEVEL).compress(data, asbytes=True)) if data else b""


def _decompress(data: bytes, size: int) -> bytes:
    import pyarrow as pa

    if not size or not data:
        if size or data:
            raise ValueError(f"{len(data):,} bytes for {size:,}")
        return b""
    raw = pa.Codec("zstd").decompress(data, decompressed_size=size, asbytes=True)
    if len(raw) != size:
        raise ValueError(f"{len(raw):,} bytes instead of {size:,}")
    return bytes(raw)


def _count(number: Any) -> int:
    if not isinstance(number, int) or not 0 <= number <= _MOST:
        raise ValueError(f"{number!r}: expected a number from 0 to {_MOST:,}")
    return number
