"""The lines of ``objects.jsonl``: an object each, as it was when it was collected."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import ManifestError
from .days import days_of
from .strict import checked, is_sha256, json_bytes, json_value

_NONE = type(None)
_KINDS: dict[str, tuple[type, ...]] = {
    "seq": (int,), "object": (str,), "place": (str, _NONE), "size": (int,), "sha256": (str,), "etag": (str, _NONE),
    "modified": (int, _NONE), "format_sha256": (str, _NONE), "records": (int,), "ok": (int,), "nodata": (int,),
    "skipdata": (int,), "rejects": (dict,), "accepted": (int, _NONE), "rejected": (int, _NONE), "start": (int, _NONE),
    "end": (int, _NONE), "days": (list,), "interfaces": (int, _NONE), "error": (str, _NONE), "replaces": (int, _NONE),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Entry:
    """An object of a manifest. ``seq``: its number, from 0. ``object``: its path as it was given, or its URL.
    ``place``: SHA-256 of its absolute path, by which it is the same from any folder; null for URLs.
    ``size`` and ``sha256`` are of the stored bytes, packed as they are. ``etag``: of S3's listing; ``modified``: when
    it was written, as its store says, Unix seconds. ``format_sha256``: of the field list of its records, null if it
    has several or none. ``records`` = ``ok`` + ``nodata`` + ``skipdata``; ``rejects`` counts lines by reason;
    ``accepted`` and ``rejected`` count records by action. ``start``, ``end``: first start and last end of its records,
    Unix seconds; ``days``: of UTC that it stands for, as periods. ``error``: the kind of error that ended the reading,
    as ``"damaged"``. ``replaces``: the number of the line that has the same object with other bytes."""

    seq: int
    object: str
    place: str | None
    size: int
    sha256: str
    etag: str | None
    modified: int | None
    format_sha256: str | None
    records: int
    ok: int
    nodata: int
    skipdata: int
    rejects: dict[str, int]
    accepted: int | None
    rejected: int | None
    start: int | None
    end: int | None
    days: list[str]
    interfaces: int | None
    error: str | None
    replaces: int | None

    def line(self) -> bytes:
        """Returns the line, without its end."""
        return json_bytes(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Returns the members in the order of the line."""
        return {name: getattr(self, name) for name in _KINDS}

    @classmethod
    def of(cls, line: bytes, what: str) -> Entry:
        """Parses a line. Raises :class:`~vpcflow.ManifestError`, which names ``what``."""
        value = checked(json_value(line, what), _KINDS, what)
        counts = value["rejects"].values()
        if (
            not is_sha256(value["sha256"])
            or not is_sha256(value["place"] or value["sha256"])
            or not all(map(days_of, value["days"]))
            or any(type(n) is not int or n < 0 for n in counts)
        ):
            raise ManifestError(f"{what}: has a value that cannot be")
        return cls(**value)
