"""Loads events: AWS's logs and findings, also in OCSF's form, our findings, and anything with a mapping."""

from __future__ import annotations

import bisect
import dataclasses
import gzip
import itertools
import json
import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _core
from ..findings.finding import Finding
from . import cloudtrail
from .documents import Reading, documents_of, files_of
from .events import Event, Events
from .mapped import Mapped
from .table import EVENTS_OF, EventTable, Loaded, events_in, none_found, note_of_others
from .values import items_in, taken, unix

_SEVERITIES = ("high", "medium", "low")
_LOOKED_AT = 1 << 18  # bytes of a file of another kind, to say of which
_PARQUET = ".parquet"
_ROWS = 4096  # of Parquet, at a time
#: Sources of AWS that are read.
KINDS = ("cloudtrail", "guardduty", "securityhub", "dns", "alb", "nlb", "clb", "waf")


def load_events(
    place: str | os.PathLike[str], source: str, changes: list[Any] | None = None,
    mapping: Mapping[str, Any] | None = None, *, kinds: Collection[str] = (), allow_empty: bool = False,
) -> tuple[Events, list[str]]:  # fmt: skip
    """Loads the events of a file, or of a folder with all below it, as :func:`load_source`. Returns the events and
    notes on what was not read."""
    read = load_source(place, source, changes, mapping, kinds=kinds, allow_empty=allow_empty)
    return read.events, read.notes


def load_source(
    place: str | os.PathLike[str], source: str, changes: list[Any] | None = None,
    mapping: Mapping[str, Any] | None = None, *, kinds: Collection[str] = (), entities: Collection[str] = (),
    allow_empty: bool = False,
) -> Loaded:  # fmt: skip
    """Loads the events of a file, or of a folder with all below it.

    ``source``: one of :data:`KINDS`, whose OCSF forms are read, too; ``ocsf`` for such forms of several sources;
    ``findings``; ``mapped`` with a ``mapping``.
    ``changes``: takes what CloudTrail says of addresses, interfaces and instances. ``kinds``, ``entities``: of
    CloudTrail, events of other kinds, or that name none of these, are counted alone, unless they are such changes.
    Raises :class:`~vpcflow.NoRecordsError` if no event is there, unless ``allow_empty``."""
    loading, paths = _Loading(os.fspath(place), source, mapping, changes), files_of(place)
    if source in EVENTS_OF:
        loading.take_rows([path for path in paths if path.suffix != _PARQUET], kinds, entities)
        for path in (path for path in paths if path.suffix == _PARQUET):
            loading.take_parquet(path)
    elif source == "mapped":
        loading.take_mapped(paths)
    else:
        loading.take_findings(paths)
    read = loading.loaded()
    if not read.count and not allow_empty:
        notes = [*_likeness(source, paths), *read.notes]
        raise none_found(os.fspath(place), loading.name, loading.reading.files, notes)
    return read


class _Loading:
    """The events of a source, as its files are read."""

    def __init__(self, place: str, source: str, mapping: Mapping[str, Any] | None, changes: list[Any] | None) -> None:
        self.reading = Reading()
        self._place, self._source, self._changes = place, source, changes
        self.name = source if mapping is None else mapping["source"]
        self._mapped = Mapped(mapping, place) if mapping is not None else None
        self._found = list[Event]()
        self._rows: dict[str, Any] = {}  # counts of what the engine read, chosen or not
        self._others: dict[str, int] = {}  # documents of other kinds
        self._chosen: list[Event] = []

    def take_rows(self, paths: Sequence[Path], kinds: Collection[str], entities: Collection[str]) -> None:
        """Takes files that the engine reads."""
        table = EventTable(paths, self._source, kinds, entities)
        self._chosen = cloudtrail.read_trail(table, self._changes)
        self._rows = table.counts
        self.reading.files += self._rows["files"]
        self._others = self._rows["others"]
        self.reading.damage += table.damage

    def take_parquet(self, path: Path) -> None:
        """Takes a file of Parquet, as Security Lake writes it."""
        wanted = cloudtrail.CHANGES if self._changes is not None else ()
        number = 0
        for rows in _parquet(path, self.reading):
            lines = [json.dumps(row, default=str).encode() + b"\n" for row in rows]
            begins = [0, *itertools.accumulate(map(len, lines))]
            table = _core.event_rows(b"".join(lines), self._source, wanted)
            events = list(events_in(table))
            bytes_ = table.column("byte")
            if self._changes is not None:
                self._changes += cloudtrail.changes_in(table)
            places = [number + bisect.bisect_right(begins, byte) - 1 for byte in bytes_]
            for event, place in zip(events, places):
                ref = f"{path}:record {place}"
                key = event.key.replace(event.ref, ref, 1) if event.key.startswith(event.ref) else event.key
                self._found.append(dataclasses.replace(event, ref=ref, key=key))
            if others := len(rows) - len(set(places)):
                self._others["row"] = self._others.get("row", 0) + others
            number += len(rows)

    def take_mapped(self, paths: Sequence[Path]) -> None:
        """Takes files of any events, by a mapping."""
        assert self._mapped is not None
        for path in paths:
            for ref, document in self._mapped.documents(path, self.reading):
                self._found += taken(self._mapped.events, document, ref)
        self._mapped.check()

    def take_findings(self, paths: Sequence[Path]) -> None:
        """Takes lines of findings of ``vpcflow detect``."""
        for path in paths:
            for ref, document in documents_of(path, self.reading):
                events = taken(_finding, document, ref)
                self._found += events
                if not events:
                    self._others["document"] = self._others.get("document", 0) + 1

    def loaded(self) -> Loaded:
        """Returns what was read."""
        notes = [*self.reading.damage, *note_of_others(self._place, self._source, self._others)]
        if self._mapped is not None:
            notes += self._mapped.notes()
        own = Events(self._found)
        times = [time for time in (self._rows.get("first"), self._rows.get("last")) if time is not None]
        times += [time for event in own for time in (event.time, event.end)]
        number = len(own) + self._rows.get("events", 0)
        events = own + self._chosen if self._chosen else own
        return Loaded(events, notes, number, min(times, default=None), max(times, default=None))


def _likeness(source: str, paths: Sequence[Path]) -> list[str]:
    """Says which sources a first file is of, whose documents are of another kind."""
    if not paths or source not in EVENTS_OF:
        return []
    head = _head(paths[0])
    kinds = [kind for kind in KINDS if kind != source and _core.event_rows(head, kind).column("byte")]
    return [f"it looks like {' or '.join(kinds)}"] if kinds else []


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return gzip.GzipFile(fileobj=file).read(_LOOKED_AT) if zipped else file.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return b""


def _parquet(path: Path, reading: Reading) -> Iterator[list[Any]]:
    """Yields the rows of a file of Parquet, some at a time."""
    import pyarrow as pa  # an extra
    import pyarrow.parquet as pq

    reading.files += 1
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                yield (rows := batch.to_pylist())
                number += len(rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        reading.damage.append(f"{path}: no Parquet behind row {number}: {' '.join(str(error).split())[:200]}")


def events_of_findings(findings: Iterable[Finding | Mapping[str, Any]]) -> Events:
    """Converts findings of :func:`vpcflow.detect` or of rules to events."""
    plain = (one.as_json() if isinstance(one, Finding) else one for one in findings)
    return Events(event for one in plain for event in _finding(one, "findings"))


def _finding(one: Any, ref: str) -> Iterator[Event]:
    if not isinstance(one, dict) or not isinstance(one.get("detector"), str):
        return
    start, end = unix(one.get("start")), unix(one.get("end"))
    if start is None or end is None:
        return
    listed = one.get("targets")
    targets = [target for target in listed if isinstance(target, str)] if isinstance(listed, list) else []
    samples = items_in(one.get("samples"))
    place = f"{samples[0].get('file')}:byte {samples[0].get('offset')}" if samples and "offset" in samples[0] else ref
    evidence = one.get("evidence")
    held = evidence.items() if isinstance(evidence, dict) else ()
    attrs: dict[str, Any] = {k: v for k, v in held if isinstance(v, (str, int, float))}
    attrs |= {"actor": one.get("actor"), "target": targets[0] if targets else None, "score": one.get("score"),
              "technique": one.get("technique"), "sentence": one.get("sentence")}  # fmt: skip
    key = str(one.get("id") or f"{one['detector']}/{one.get('actor')}/{start}")
    entities = tuple(dict.fromkeys(str(e) for e in [one.get("actor"), *targets] if e))
    yield Event(start, max(start, end), "findings", one["detector"], entities, _severity_of(one.get("severity")), place,
                key, {k: v for k, v in attrs.items() if v is not None})  # fmt: skip


def _severity_of(value: Any) -> str:
    return value.lower() if isinstance(value, str) and value.lower() in _SEVERITIES else ""
