"""One look at an object: the hash of its stored bytes, and what its records say."""

from __future__ import annotations

import hashlib
import os
from typing import Any, NamedTuple

from .. import _core
from ..errors import NoRecordsError, VpcflowError
from ..query import expr as of
from ..query.flows import Flows
from ..query.report import Report
from ..query.scan import scan
from .coverage import Run
from .days import Day, all_days, day_of, runs
from .stores import IN_MEMORY, Bucket, Files, Stored, UnreadableError

_MEASURED = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes")  # beside those of the figures
_COUNTS = {
    "n": of.count(), "start": of.min("start"), "end": of.max("end"), "interfaces": of.n_unique("interface_id"),
    "accepted": of.count(where="action = 'ACCEPT'"), "rejected": of.count(where="action = 'REJECT'"),
    **{f"with_{name}": of.count(where=f"{name} is not null") for name in _MEASURED},
}  # fmt: skip
_ALL = "log_status is null or log_status is not null"  # takes in NODATA and SKIPDATA
_LONG = 26 * 3600  # seconds: a file of a day may end after it
_MOST_PERIODS = 1000
_NONE = {"start": None, "end": None, "interfaces": None, "accepted": None, "rejected": None}


class Measured(NamedTuple):
    """What a look at an object found. ``figures``: members of its line, but for its number, its name and what it
    replaces. ``day``: that it belongs to, as its name tells, else its first record. An object of more than a day and
    two hours stands for all days that it has records of, as ``figures["days"]`` says."""

    stored: Stored
    figures: dict[str, Any]
    runs: list[Run]
    day: Day | None


def stored_hash(store: Files | Bucket, stored: Stored) -> tuple[str, int]:
    """Returns the SHA-256 of the stored bytes, and how many they are."""
    found, size = hashlib.sha256(), 0
    for chunk in store.chunks(stored):
        found.update(chunk)
        size += len(chunk)
    return found.hexdigest(), size


def measure(store: Files | Bucket, stored: Stored, format: str | None) -> Measured:
    """Reads an object. One of at most 64 MiB is read once: the bytes that are hashed are those that are parsed.

    Raises :class:`~vpcflow.manifest.stores.GoneError` or :class:`~vpcflow.manifest.stores.UnreadableError`.
    """
    if stored.size <= IN_MEMORY:
        data = b"".join(store.chunks(stored))
        digest, size = hashlib.sha256(data).hexdigest(), len(data)
        return _measured(stored, digest, size, data, format)
    version = store.version(stored)
    digest, size = stored_hash(store, stored)
    found = _measured(stored, digest, size, store.scanned(stored), format)
    if store.version(stored) != version:
        raise UnreadableError("it was written while it was read; add it when it is complete")
    return found


def _measured(stored: Stored, digest: str, size: int, data: Any, format: str | None) -> Measured:
    report, row, error = _figures(data, format)
    minutes = _runs(data, format) if report is not None and report.records else []
    formats = list(report.formats) if report is not None else []
    figures = {
        "size": size,
        "sha256": digest,
        "etag": stored.etag,
        "modified": stored.modified,
        "format_sha256": hashlib.sha256(formats[0].encode()).hexdigest() if len(formats) == 1 else None,
        **{name: getattr(report, name, 0) for name in ("records", "ok", "nodata", "skipdata")},
        "rejects": dict(sorted(report.rejects_by_reason.items())) if report is not None else {},
        **{name: row[name] for name in ("accepted", "rejected", "start", "end", "interfaces")},
        "error": error,
    }
    shown = os.fsencode(stored.full).decode("utf-8", "replace")
    named = _core.Source.data(shown, b"").object_path["begin"]
    day = day_of(row["start"] if named is None else named)
    figures["days"] = _days(minutes, day)
    return Measured(stored, figures, minutes, day)


def _days(found: list[Run], day: Day | None) -> list[str]:
    """Returns the days that an object stands for, as periods: its own; of a longer one those with records."""
    days = {day} if day is not None else set()
    if found and max(run.end for run in found) - min(run.start for run in found) > _LONG:
        spans = ((day_of(run.start), day_of(run.end - 1)) for run in found)
        days |= all_days((first, last) for first, last in spans if first is not None and last is not None)
    periods = runs(days)
    return periods if len(periods) <= _MOST_PERIODS else [f"{min(days)}/{max(days)}"]


def _scan(data: Any, format: str | None) -> Flows:
    """Opens an object: one in memory for one thread, as others are read at once."""
    threads = 1 if isinstance(data, bytes) else None
    return scan(data, format=format, threads=threads, allow_empty=True, allow_missing=True)


def _figures(data: Any, format: str | None) -> tuple[Report | None, dict[str, Any], str | None]:
    """Returns the report, the figures and the kind of error of an object."""
    error = None
    try:
        flows = _scan(data, format).filter(_ALL)
        result = flows.agg(**_COUNTS).collect()
    except VpcflowError as raised:
        error, result = raised.kind, raised.partial
    if result is None or not len(result):
        return None, dict(_NONE), error
    row = result.rows()[0]
    return result.report, row if result.report.records else dict(_NONE), error


def _runs(data: Any, format: str | None) -> list[Run]:
    """Returns the minutes of interfaces; none where the logs do not tell them."""
    try:
        result = _scan(data, format).coverage()
    except NoRecordsError:
        return []
    except VpcflowError as raised:
        result = raised.partial
    rows = [] if result is None else result.rows()
    return [
        Run(row["interface_id"], row["start"], row["end"], row["seen"] == "SKIPDATA")
        for row in rows
        if row["seen"] != "absent" and row["interface_id"] is not None
    ]
