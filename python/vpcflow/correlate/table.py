"""Events of files as a table that the engine reads: Arrow columns for others, or events for rules."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _core
from .._hints import hint
from .._words import count
from ..errors import NoRecordsError, PlanError
from .documents import files_of
from .events import COLUMNS, Event, Events

#: Sources whose events the engine makes rows of.
EVENTS_OF = tuple(_core.event_sources())
_A_BATCH = 8192
_OWN = "finding of vpcflow itself"  # as the engine names it
_SHOWN = 3  # kinds of other documents


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The events of a source that were chosen, what was not read, and of all events, chosen or not, how many there are
    and the first and last Unix second."""

    events: Events
    notes: list[str]
    count: int
    first: int | None
    last: int | None


class EventTable:
    """Events of a file or folder, read anew each time they are asked for. ``__arrow_c_stream__`` gives them to pyarrow,
    polars, pandas and DuckDB, a batch at a time, so that memory stays the same however many they are.

    Columns: ``time``, ``end``, ``source``, ``kind``, ``severity``, ``entities`` (a JSON list), ``file``, ``byte`` (in
    the unpacked file, where the document begins), ``key`` (the same for each delivery of an event), ``attrs`` (a JSON
    object) and ``version`` (of deliveries of one event the highest counts). For one thread at a time.
    """

    def __init__(
        self, paths: Sequence[Path], source: str, kinds: Collection[str], entities: Collection[str], place: str = ""
    ) -> None:
        self._place, self._source, self._kinds, self._entities = place, source, sorted(kinds), sorted(entities)
        self._paths = [os.fsencode(path) for path in paths]
        self._reader: _core.EventReader | None = None

    def __repr__(self) -> str:
        return f"EventTable({self._place!r}, {self._source!r}, {len(self._paths):,} files)"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Returns a stream of batches. It ends with an error if no event at all was read."""
        return self.read().__arrow_c_stream__(requested_schema)

    def read(self, documents: Sequence[tuple[str, Sequence[str]]] = ()) -> _core.EventReader:
        """Begins to read, and returns the reader. ``documents``: kinds, with members that they have, that are always
        chosen, and whose documents a column holds."""
        self._reader = _core.EventReader(self._paths, self._source, self._kinds, self._entities, documents)
        return self._reader

    def events(self) -> Events:
        """Reads all, as events. Raises :class:`~vpcflow.NoRecordsError` if no event at all was read, chosen or not."""
        reader, found = self.read(), list[Event]()
        while (rows := reader.next(_A_BATCH)) is not None:
            found += events_in(rows)
        if not self.counts["events"]:
            raise none_found(self._place, self._source, self.counts["files"], self.notes)
        return Events(found)

    def times(self) -> Iterator[int]:
        """Yields the Unix second of each event."""
        reader = self.read()
        while (rows := reader.next(_A_BATCH)) is not None:
            yield from rows.column("time")

    @property
    def counts(self) -> dict[str, Any]:
        """What the last reading saw, all of it when it is over: ``files``, ``documents``, ``events`` (chosen or not),
        ``other`` (documents that are no events), ``others`` (these by what they seem to be), ``first``, ``last`` (Unix
        seconds), ``kinds`` (events of each)."""
        report = {} if self._reader is None else self._reader.report
        return {name: value for name, value in report.items() if name != "damage"}

    @property
    def damage(self) -> list[str]:
        """What of files the last reading could not read, a line each."""
        return [] if self._reader is None else list(self._reader.report["damage"])

    @property
    def notes(self) -> list[str]:
        """What the last reading found damaged, and what it left out, a line each."""
        return [*self.damage, *note_of_others(self._place, self._source, self.counts.get("others", {}))]


def read_events(
    place: str | os.PathLike[str], source: str = "cloudtrail", *, kinds: Collection[str] = (),
    entities: Collection[str] = (),
) -> EventTable:  # fmt: skip
    """Opens the events of a file, or of a folder with all below it, as a table that is read when it is asked for.

    ``source``: ``cloudtrail``, ``guardduty``, ``securityhub``, ``dns``, ``alb``, ``nlb``, ``clb``, ``waf``, also in
    OCSF's form, or ``ocsf`` for that form of all. ``kinds``: events of these alone, in any case; ``entities``: those
    alone that name one of these. What is damaged is read as far as it goes, and :attr:`EventTable.notes` says so.

    >>> from vpcflow.correlate import read_events
    >>> table = read_events("examples/correlate/cloudtrail", kinds=["ConsoleLogin"])
    >>> [event.attrs["mfa"] for event in table.events()], table.counts["events"]
    (['No'], 7)
    """
    if source not in EVENTS_OF:
        raise PlanError(f"read_events: no source {source!r}; {hint(source, EVENTS_OF)}")
    if isinstance(kinds, str) or isinstance(entities, str):
        raise PlanError("read_events: kinds and entities: expected lists of texts")
    return EventTable(files_of(place), source, kinds, entities, os.fspath(place))


def events_in(rows: _core.Table) -> Iterator[Event]:
    """Yields the events that rows are."""
    column = {name: rows.column(name) for name in COLUMNS}
    entities = json.loads(f"[{','.join(column['entities'])}]")
    attrs = json.loads(f"[{','.join(column['attrs'])}]")
    names = ("time", "end", "source", "kind", "severity", "file", "byte", "key", "version")
    for row, named, values in zip(zip(*(column[name] for name in names)), entities, attrs):
        time, end, source, kind, severity, file, byte, key, version = row
        place = f"{file}:byte {byte}"
        yield Event(time, end, source, kind, tuple(named), severity or "", place, key, values, version or "")


def note_of_others(place: str, source: str, others: Mapping[str, int]) -> list[str]:
    """Returns the notes on documents that are no events of a source, by what they seem to be."""
    rest = dict(others)
    own = rest.pop(_OWN, 0)
    out = [f"{place}: {count(own, 'finding')} of vpcflow itself left out"] if own else []
    if not rest:
        return out
    names = sorted((name for name in rest if name), key=lambda name: (-rest[name], name))
    shown = [f"{name} ({rest[name]:,})" for name in names[:_SHOWN]]
    more = sum(rest.values()) - sum(rest[name] for name in names[:_SHOWN])
    shown += [f"others ({more:,})"] if more else []
    number = count(sum(rest.values()), "document")
    return [*out, f"{place}: {number} of another kind than {source}; left out: {'; '.join(shown)}"]


def none_found(place: str, source: str, files: int, notes: Sequence[str]) -> NoRecordsError:
    """Returns the error of a place without an event of its source."""
    more = f"; {notes[0]}" if notes else ""
    return NoRecordsError(f"{place}: no event of {source} in {count(files, 'file')}{more}")
