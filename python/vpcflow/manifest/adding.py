"""Adds objects to a manifest: a line an object, a head a day."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import time
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from .._display import printable
from .._words import count
from ..errors import ArgumentError, DataQualityWarning, SourceError, VpcflowError
from ..inventory.inventory import Inventory
from ..io.aws.layout import NOTHING_CHOSEN, Selection
from ..io.aws.session import Connection
from ..typing import AwsOptions, Progress
from .checking import Checked, Listed, check_files
from .coverage import Coverage
from .days import Day, all_days, between, day_of, days_of, period_of, runs
from .entries import Entry
from .folder import Folder
from .heads import SCHEMA, Head, head_file, tool_name, utc_text
from .measuring import Measured, measure, stored_hash
from .stores import Bucket, Files, GoneError, Stored, UnreadableError, store_of
from .tree import Tree, leaf_hash

_READERS, _BUCKET_READERS = 4, 12  # the latter wait for most of their time
_SUMS = ("records", "ok", "nodata", "skipdata")
_DAY, _EPOCH = 86400, Day(1970, 1, 1)


@dataclasses.dataclass(frozen=True)
class Added:
    """What :func:`add` did. ``objects``: names of those that have a new line; ``same``: how many had one before, with
    the same bytes; ``replaced``: names of those that are listed with other bytes; ``damaged``: those with a line that
    could not be read to the end, with the kind of error; ``unreadable``: those without a line, with the cause;
    ``empty``: periods without objects that got a head; ``notes``: what was left out; ``head``: the newest head.
    """

    objects: list[str]
    same: int
    replaced: list[str]
    damaged: dict[str, str]
    unreadable: dict[str, str]
    empty: list[str]
    notes: list[str]
    head: Head | None

    def __str__(self) -> str:
        text = f"{count(len(self.objects), 'object')} added, {self.same:,} listed before"
        return text + (f"; {self.head}" if self.head else "")


def add(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    to: str | os.PathLike[str],
    *,
    period: str | None = None,
    format: str | None = None,
    inventory: Inventory | None = None,
    aws: AwsOptions | None = None,
    created: float | None = None,
    progress: Progress | None = None,
) -> Added:
    """Lists objects in the manifest in the folder ``to``, which is made if it is not there.

    ``paths``: files, folders, patterns or ``s3://`` URLs, found as :func:`vpcflow.scan` finds them. An object is listed
    under its path as given, or its URL. Those that are listed with the same bytes get no second line: adding twice
    changes nothing.

    ``period``: a month or a day, as ``"2026-11"`` or ``"2026-11-23"``: only objects of it are added, and its days
    without objects get a head, too, but for those that are not over. Without it that holds for the days between
    the first and the last with objects. ``format``: of logs without header line. ``inventory``: of
    :func:`vpcflow.inventory`; heads then say which of its interfaces have no record. ``created``: the time of heads,
    Unix seconds, by default now.

    Raises :class:`~vpcflow.ManifestError` if the manifest is not as it was written, and
    :class:`~vpcflow.SourceNotFoundError` if there are no objects and no period is given.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.log").write_bytes(b"srcaddr bytes\\n10.0.0.1 40\\n")
    >>> vf.manifest.add(folder / "a.log", folder / "evidence").objects == [str(folder / "a.log")]
    True
    >>> vf.manifest.add(folder / "a.log", folder / "evidence").same
    1
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise ArgumentError("manifest.add: no path; give files, folders, patterns or s3:// URLs")
    now = time.time() if created is None else created
    asked = None if period is None else period_of(period)
    folder = Folder(to)
    if not folder.is_new():
        check_files(folder).require_whole("manifest add")
    found, notes = _found(given, folder, asked, Connection.of(aws))
    with folder.locked():
        before = Checked(folder) if folder.is_new() else check_files(folder)
        before.require_whole("manifest add")
        return _Adding(before, notes, asked, format, inventory, now).run(found, progress)


class _Found(NamedTuple):
    store: Files | Bucket
    stored: Stored


def _found(
    paths: Iterable[Any], folder: Folder, asked: tuple[Day, Day] | None, connection: Connection
) -> tuple[list[_Found], list[str]]:
    """Finds the objects of all paths, each once, in the order of their names."""
    selection = NOTHING_CHOSEN
    if asked is not None:
        begin, last = ((day - _EPOCH).days * _DAY for day in asked)
        selection = Selection(begin, last + _DAY)
    found: dict[str, _Found] = {}
    notes = []
    for path in paths:
        store = store_of(path, connection)
        try:
            objects, said = store.find(selection, os.path.realpath(folder.path))
        except VpcflowError as error:
            empty = error.kind == "no-records" or (error.kind == "not-found" and store.exists())
            if asked is None or not empty:
                raise
            objects, said = [], [f"{printable(os.fspath(path))}: no objects of the period"]
        notes += said
        for one in objects:
            found.setdefault(one.full, _Found(store, one))
    if not found and asked is None:
        raise SourceError("manifest add: no objects there but those of the manifest itself")
    return sorted(found.values(), key=lambda one: os.fsencode(one.stored.name)), notes


def _periods(given: Iterable[str | None]) -> list[tuple[Day, Day]]:
    """Returns the first and last days of what is a period."""
    return [own for period in given if (own := days_of(period)) is not None]


class _Adding:
    def __init__(
        self, before: Checked, notes: list[str], asked: tuple[Day, Day] | None, format: str | None,
        inventory: Inventory | None, now: float,
    ) -> None:  # fmt: skip
        self._before, self._notes, self._asked, self._format, self._now = before, notes, asked, format, now
        self._inventory = inventory
        self._known = {one.place or one.object: one for one in before.listed}
        self._names = {one.object: one for one in before.listed}
        self._same = 0
        self._unreadable: dict[str, str] = {}

    def run(self, found: Sequence[_Found], progress: Progress | None) -> Added:
        with warnings.catch_warnings():  # what they would say is in the lines
            warnings.simplefilter("ignore", DataQualityWarning)
            measured = self._measure(found, progress)
        days: dict[Day | None, list[Measured]] = {}
        outside = 0
        for one in measured:
            if self._asked and one.day is not None and not self._asked_for(one):
                outside += 1
            else:
                days.setdefault(one.day, []).append(one)
        if outside:
            self._notes.append(f"{count(outside, 'object')} of other days left out")
        plan: list[tuple[str | None, list[Measured]]] = [
            (str(day), own) for day, own in days.items() if day is not None
        ]
        empty = self._empty_periods(all_days(own for one in measured for own in _periods(one.figures["days"])))
        plan += [(period, []) for period in empty]
        plan.sort(key=lambda one: one[0] or "")
        plan += [(None, own) for day, own in days.items() if day is None]
        heads, lines, entries = self._made(plan)
        self._write(heads, lines)
        return Added(
            [entry.object for entry in entries], self._same, [e.object for e in entries if e.replaces is not None],
            {entry.object: entry.error for entry in entries if entry.error}, self._unreadable, empty, self._notes,
            heads[-1] if heads else self._before.last,
        )  # fmt: skip

    def _asked_for(self, one: Measured) -> bool:
        """Tells whether an object stands for a day of the period."""
        assert self._asked is not None
        begin, end = self._asked
        return any(first <= end and begin <= last for first, last in _periods(one.figures["days"]))

    # -- reading --------------------------------------------------------------------------------------------------

    def _measure(self, found: Sequence[_Found], progress: Progress | None) -> list[Measured]:
        """Looks at the objects, some at once; returns those that need a line."""
        out = []
        total = sum(one.stored.size for one in found)
        done = 0
        waits = any(isinstance(one.store, Bucket) for one in found)
        readers = ThreadPoolExecutor(_BUCKET_READERS if waits else _READERS)
        try:
            for number, (one, measured) in enumerate(zip(found, readers.map(self._look, found)), 1):
                done += one.stored.size
                if progress is not None:
                    progress(done, total, number, len(found))
                if isinstance(measured, str):
                    self._unreadable[one.stored.name] = measured
                elif measured is None:
                    self._same += 1
                else:
                    out.append(measured)
        finally:
            readers.shutdown(cancel_futures=True)
        return out

    def _look(self, found: _Found) -> Measured | str | None:
        """Looks at an object; ``None`` if it is listed as it is, a text if it cannot be read."""
        store, stored = found
        listed = self._known.get(stored.place or stored.full) or self._moved(store, stored)
        try:
            if listed is not None:
                same = stored.etag is not None and (stored.etag, stored.size) == (listed.etag, listed.size)
                if same or stored_hash(store, stored)[0] == listed.sha256:
                    return None
            return measure(store, stored, self._format)
        except GoneError:
            return "it is gone since it was listed"
        except UnreadableError as error:
            return str(error)

    def _moved(self, store: Files | Bucket, stored: Stored) -> Listed | None:
        """Returns the line of the same name, if it has the same bytes: all was moved since. Another file may have the
        name too, seen from another folder."""
        listed = self._names.get(stored.name)
        if listed is None or stored.size != listed.size:
            return None
        with contextlib.suppress(GoneError, UnreadableError):
            if stored_hash(store, stored)[0] == listed.sha256:
                return listed
        return None

    # -- periods --------------------------------------------------------------------------------------------------

    def _empty_periods(self, days: set[Day]) -> list[str]:
        """Returns the periods without objects that this call accounts for."""
        covered = _periods(head.period for head in self._before.heads.values())
        covered += _periods(period for one in self._before.listed for period in one.days)
        today = day_of(int(self._now))
        if self._asked is not None:
            first, last = self._asked
        elif days:
            first, last = min([*days, *(own[0] for own in covered)]), max([*days, *(own[1] for own in covered)])
        else:
            return []
        if today is not None and last >= today and self._asked is not None:
            last = Day.fromordinal(today.toordinal() - 1)
            self._notes.append(f"the period is not over: days from {max(first, today)} on are left open")
        if self._unreadable:
            self._notes.append("days without objects got no head, as not all objects could be read")
            return []
        return runs(between(first, last) - days - all_days(covered))

    # -- writing --------------------------------------------------------------------------------------------------

    def _made(self, plan: Sequence[tuple[str | None, list[Measured]]]) -> tuple[list[Head], list[bytes], list[Entry]]:
        """Makes the lines and the heads."""
        tree, heads, lines, entries = Tree(), [], [], []
        for leaf in self._before.leaves:
            tree.add(leaf)
        last = self._before.last
        for period, objects in plan:
            size = tree.size
            own = []
            coverage = Coverage()
            for one in objects:
                entry = self._entry(tree.size, one)
                own.append(entry)
                tree.add(leaf_hash(entry.line()))
                coverage.add(one.runs)
            written = [entry.line() + b"\n" for entry in own]
            last = Head(
                schema=SCHEMA, number=1 if last is None else last.number + 1, tree_size=tree.size,
                root=tree.root().hex(), prev_head_sha256=None if last is None else last.sha256, prev_tree_size=size,
                lines_sha256=hashlib.sha256(b"".join(written)).hexdigest(), period=period, created=utc_text(self._now),
                tool=tool_name(), **{name: sum(getattr(entry, name) for entry in own) for name in _SUMS},
                rejects=sum(sum(entry.rejects.values()) for entry in own), expected=self._expected(period, coverage),
                coverage=coverage.as_dict(),
            )  # fmt: skip
            heads.append(last)
            lines += written
            entries += own
        return heads, lines, entries

    def _entry(self, number: int, one: Measured) -> Entry:
        """Makes the line of an object, under the name that it has, or under a new one."""
        stored = one.stored
        listed = self._known.get(stored.place or stored.full)
        name = stored.full if listed is None and stored.name in self._names else stored.name
        return Entry(
            seq=number, object=name if listed is None else listed.object, place=stored.place,
            replaces=None if listed is None else listed.seq, **one.figures,
        )  # fmt: skip

    def _expected(self, period: str | None, coverage: Coverage) -> dict[str, Any] | None:
        """Returns which interfaces the inventory has, and which of them have no record; ``None`` without inventory."""
        day = days_of(period)
        if self._inventory is None or day is None:
            return None
        noon = (day[0] - _EPOCH).days * _DAY + _DAY // 2
        names = sorted(self._inventory.at("NetworkInterfaces", noon))
        silent = [name for name in names if name not in coverage.interfaces]
        return {"interfaces": len(names), "silent": len(silent), "first_silent": silent[:20]}

    def _write(self, heads: Sequence[Head], lines: list[bytes]) -> None:
        folder = self._before.folder
        if heads:
            folder.prepare()
            folder.append(lines, self._before.covered)
            for head in heads:
                folder.write(head_file(head.number), head.data())
        if heads or self._before.sums:
            folder.write_sums()
