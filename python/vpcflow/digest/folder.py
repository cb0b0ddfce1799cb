"""Folders of digests, a file a day: :class:`Digests`, :func:`build`, :func:`merge`."""

from __future__ import annotations

import datetime
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .._words import count
from ..errors import NoRecordsError, OutputError, PlanError, SourceError, SourceNotFoundError, VpcflowError
from ..io.writing import write_whole
from ..query.arguments import instance
from ..query.flows import Flows
from .building import pieces
from .day import Day
from .day import merge as merge_days
from .stored import Stored, to_bytes

_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.digest")
_PENDING = 1 << 22  # rows that are held before they are written


class Digests:
    """The digests of a folder: ``DAY.digest``, one a day, as 2026-11-23.digest. Other files are passed over.

    :class:`~vpcflow.SourceNotFoundError` if there is no such folder, or no digest in it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self.paths = _paths(self.folder)
        if not self.paths:
            raise SourceNotFoundError(f"{self.folder}: no digest here; vpcflow digest build LOGS -o DIR makes some")

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def days(self) -> list[datetime.date]:
        """Returns the days that have a digest, in order."""
        return list(self.paths)

    @property
    def bytes(self) -> int:
        """Returns the bytes of all files."""
        return sum(os.path.getsize(path) for path in self.paths.values())

    def open(self, date: datetime.date) -> Stored:
        """Opens the digest of a day; of its file the head is read."""
        return open_digest(self.paths[date], date)

    def rows(self) -> list[dict[str, Any]]:
        """Reads and checks all digests, and returns a row a day, as ``vpcflow digest info --json`` prints them."""
        return [{**self.open(date).day().as_row(), "bytes": os.path.getsize(path)} for date, path in self.paths.items()]


class Built(NamedTuple):
    """What :func:`build` did: ``days`` that were written, ``objects`` that were read, and those ``known`` before;
    ``rejected``: lines of those that were read."""

    days: list[datetime.date]
    objects: int
    known: int
    records: int
    rejected: int
    notes: list[str]


def build(flows: Flows, folder: str | os.PathLike[str]) -> Built:
    """Adds the records of logs to the digests of a folder, which is made if it is not there.

    An object that is in a digest already, by its bytes and its name, is not read again; so the same logs, in any order
    and in any parts, give the same files. Filters and times of the query choose objects by their paths, never records:
    a day is digested whole or not covered. Needs ``srcaddr`` or ``dstaddr``, and ``start``; pyarrow and numpy.

    :class:`~vpcflow.NoRecordsError` if no object held a record, and none is known; of objects that are damaged what
    could be read is in the digests, then comes the error.

    >>> import tempfile, vpcflow as vf
    >>> folder = tempfile.mkdtemp()
    >>> vf.digest.build(vf.scan(vf.synth(2000, peers=100).data), folder).records
    2000
    >>> [row["records"] for row in vf.digest.Digests(folder).rows()]
    [2000]
    """
    instance(flows, Flows, "digest.build", "digest.build(vf.scan('logs/'), 'digests/')")
    if list(flows._filters) != list(flows._logs.filters):  # beside those of scan(start=, end=)
        raise PlanError("digest: filters leave records out, and a digest is of whole days; digest the logs unfiltered")
    folder = os.fspath(folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    known = _known(folder)
    pending: dict[datetime.date, list[Day]] = {}
    written: set[datetime.date] = set()
    notes: list[str] = []
    errors: list[VpcflowError] = []
    objects = records = rejected = held = 0
    for piece in pieces(flows, known):
        objects += 1
        notes += piece.notes
        rejected += piece.rejected
        errors += [piece.error] if piece.error is not None else []
        for day in piece.days:
            pending.setdefault(day.date, []).append(day)
            held += len(day.addresses.keys) + len(day.pairs.low)
            records += sum(one.records for one in day.objects.values())
        if held > _PENDING:
            written |= _write(folder, pending)
            held = 0
    written |= _write(folder, pending)
    built = Built(sorted(written), objects, len(flows._sources) - objects, records, rejected, notes)
    if errors:
        errors[0].partial = built
        raise errors[0]
    if not built.known and not records:
        raise NoRecordsError("; ".join([f"digest: no record with a start in {count(objects, 'object')}", *notes[:3]]))
    return built


def merge(folders: Sequence[str | os.PathLike[str]], into: str | os.PathLike[str]) -> list[datetime.date]:
    """Merges the digests of folders into those of another, and returns the days that were written. Any order, and a
    folder given twice, gives the same files. All of them are checked before the first file is written."""
    by_day: dict[datetime.date, list[Day]] = {}
    for one in folders:
        digests = Digests(one)
        for date in digests.days:
            by_day.setdefault(date, []).append(digests.open(date).day())
    os.makedirs(into, exist_ok=True)
    return sorted(_write(os.fspath(into), by_day))


def open_digest(path: str, date: datetime.date | None = None) -> Stored:
    """Opens the digest in a file; one of another day than ``date`` is an error."""

    def read(begin: int, length: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(begin)
            return file.read(length)

    try:
        size = os.path.getsize(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    stored = Stored(path, size, read)
    named = date or datetime.date.fromisoformat(os.path.basename(path)[:10])
    if stored.date != named:
        raise SourceError(f"{path}: holds the digest of {stored.date}; expected that of {named}, by its name")
    return stored


def _known(folder: str) -> set[tuple[str, str]]:
    """Returns the objects that are in the digests of all their days."""
    listed: Counter[tuple[str, str]] = Counter()
    days: dict[tuple[str, str], int] = {}
    for path in _paths(folder).values():
        for key, one in open_digest(path).objects.items():
            listed[key] += 1
            days[key] = one.days
    return {key for key, number in listed.items() if number >= days[key]}


def _paths(folder: str) -> dict[datetime.date, str]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        raise SourceNotFoundError(f"{folder}: there is no such folder") from None
    except OSError as error:
        raise SourceError(f"{folder}: cannot be read: {error.strerror}") from None
    return dict(_dated(folder, names))


def _dated(folder: str, names: list[str]) -> Iterator[tuple[datetime.date, str]]:
    for name in names:
        if _NAME.fullmatch(name):
            try:
                yield datetime.date.fromisoformat(name[:10]), os.path.join(folder, name)
            except ValueError:
                raise SourceError(f"{os.path.join(folder, name)}: {name[:10]} is no day") from None


def _write(folder: str, pending: dict[datetime.date, list[Day]]) -> set[datetime.date]:
    """Writes what is pending, with what the files have; a file that would be the same stays as it is."""
    out = set()
    for date, days in sorted(pending.items()):
        path = os.path.join(folder, f"{date}.digest")
        there = [open_digest(path, date).day()] if os.path.exists(path) else []
        data = to_bytes(merge_days([*there, *days]))
        write_whole(path, data)
        out.add(date)
    pending.clear()
    return out
