"""Loads events: AWS's logs and findings, also in OCSF's form, our findings, and anything with a mapping."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from .._hints import hint
from .._words import count
from ..errors import PlanError
from ..findings.finding import Finding
from . import access_logs, aws_findings, cloudtrail
from .documents import Reading, documents_of, files_of, text_of
from .events import Event, Events, address_of
from .ocsf import is_ocsf, original_of
from .table import MAPPED, EventTable, Loaded, none_found, note_of_others
from .values import at, digest, items_in, taken, unix

_MAPPING = ("source", "time", "end", "kind", "severity", "entities", "id")
_SEVERITIES = ("high", "medium", "low")
_LOOKED_AT = 20  # documents of another kind, to say of which
_LINES = ("alb", "nlb")  # that are no JSON
_PARQUET = ".parquet"
_OCSF = "class_uid"  # what its events have
#: Sources of AWS that are read.
KINDS = ("cloudtrail", "guardduty", "securityhub", "dns", "alb", "nlb", "waf")


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
    loading, paths = _Loading(source, mapping, changes), files_of(place)
    if source in MAPPED:
        loading.take_rows([path for path in paths if path.suffix != _PARQUET], kinds, entities)
        paths = [path for path in paths if path.suffix == _PARQUET]
    for path in paths:
        for ref, document in _documents(path, source, loading.reading, mapping):
            loading.take(ref, document)
    read = loading.loaded(os.fspath(place))
    if not read.count and not allow_empty:
        raise none_found(os.fspath(place), source, loading.reading.files, [*loading.likeness(), *read.notes])
    return read


class _Loading:
    """The events of a source, as its files are read."""

    def __init__(self, source: str, mapping: Mapping[str, Any] | None, changes: list[Any] | None) -> None:
        self.reading = Reading()
        self._source, self._mapping, self._changes = source, mapping, changes
        self._found, self._own = list[Event](), 0
        self._rows: dict[str, Any] = {}  # counts of what the engine read, chosen or not
        self._chosen: list[Event] = []
        self._strange: list[Any] = []  # documents of another kind

    def take(self, ref: str, document: Any) -> None:
        """Takes a document."""
        self._own += aws_findings.is_own(document)
        kind, document = _plain(self._source, document)
        events = taken(_events, kind, document, ref, self._mapping) if kind else []
        self.reading.taken, self.reading.other = self.reading.taken + bool(events), self.reading.other + (not events)
        self._found += events
        if not events and len(self._strange) < _LOOKED_AT:
            self._strange.append(document)
        if self._changes is not None and kind == "cloudtrail":
            self._changes += taken(cloudtrail.changes_of, document)

    def take_rows(self, paths: Sequence[Path], kinds: Collection[str], entities: Collection[str]) -> None:
        """Takes files that the engine reads; what is an event of OCSF as a document."""
        table = EventTable(paths, self._source, kinds, entities)
        self._chosen, others = cloudtrail.read_trail(table, self._changes, _OCSF)
        self._rows = table.counts
        self.reading.files += self._rows["files"]
        self.reading.other += self._rows["other"]
        self.reading.damage += table.damage
        for ref, document in others:
            self.take(ref, document)

    def likeness(self) -> list[str]:
        """Says which sources documents of another kind are of."""
        others = [kind for kind in KINDS if kind != self._source]
        kinds = [kind for kind in others if any(taken(_events, kind, one, "", None) for one in self._strange)]
        return [f"it looks like {' or '.join(kinds)}"] if kinds else []

    def loaded(self, place: str) -> Loaded:
        """Returns what was read."""
        notes = list(self.reading.damage)
        if self._own:
            notes.append(f"{place}: {count(self._own, 'finding')} of vpcflow itself left out")
        notes += note_of_others(place, self._source, self.reading.other - self._own)
        own = Events(self._found)
        times = [time for time in (self._rows.get("first"), self._rows.get("last")) if time is not None]
        times += [time for event in own for time in (event.time, event.end)]
        number = len(own) + self._rows.get("events", 0)
        events = own + self._chosen if self._chosen else own
        return Loaded(events, notes, number, min(times, default=None), max(times, default=None))


def _plain(source: str, document: Any) -> tuple[str, Any]:
    """Returns the source of a document and the document; of OCSF the original, if it is of that source."""
    if not is_ocsf(document):
        return (source if source != "ocsf" else "", document)
    kind, original = original_of(document) or ("", None)
    asked = source in ("ocsf", kind) or (source, kind) == ("guardduty", "securityhub")
    return (kind if asked else source if source == "mapped" else "", original if asked else document)


def _documents(
    path: Path, source: str, reading: Reading, mapping: Mapping[str, Any] | None
) -> Iterator[tuple[str, Any]]:
    if path.suffix == _PARQUET:
        yield from _parquet(path, reading)
    elif source in _LINES:
        byte = 0
        for line in text_of(path, reading).splitlines(keepends=True):
            if line.strip():
                yield f"{path}:byte {byte}", _cells(line)
            byte += len(line.encode())
    elif mapping is not None and ".csv" in path.suffixes:
        rows = csv.DictReader(io.StringIO(text_of(path, reading).replace("\0", "")))
        try:
            for number, row in enumerate(rows):
                yield f"{path}:record {number}", {str(name): value for name, value in row.items() if name is not None}
        except csv.Error as error:
            reading.damage.append(f"{path}: no CSV behind line {rows.line_num}: {error}")
    else:
        yield from documents_of(path, reading)


def _parquet(path: Path, reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yields the rows of a file of Parquet, as Security Lake writes it."""
    import pyarrow as pa  # an extra
    import pyarrow.parquet as pq

    reading.files += 1
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=4096):
                for row in batch.to_pylist():
                    yield f"{path}:record {number}", row
                    number += 1
    except (pa.ArrowException, OSError, ValueError) as error:
        reading.damage.append(f"{path}: no Parquet behind row {number}: {' '.join(str(error).split())[:200]}")


def _cells(line: str) -> list[str]:
    try:
        return next(iter(csv.reader([line.replace("\0", "")], delimiter=" ")), [])
    except csv.Error:
        return []


def _events(source: str, document: Any, ref: str, mapping: Mapping[str, Any] | None) -> Iterator[Event]:
    readers: dict[str, Callable[[Any, str], Iterable[Event]]] = {
        "cloudtrail": cloudtrail.events_of, "guardduty": aws_findings.of_guardduty, "dns": _resolver,
        "alb": access_logs.of_alb, "nlb": access_logs.of_nlb, "waf": access_logs.of_waf,
        "securityhub": aws_findings.of_securityhub, "findings": _finding,
        "mapped": lambda one, place: _mapped(one, place, mapping or {}),
    }  # fmt: skip
    return iter(readers[source](document, ref))


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


def _resolver(one: Any, ref: str) -> Iterator[Event]:
    time = unix(at(one, "query_timestamp"))
    if time is None or not isinstance(at(one, "query_name"), str):
        return
    answers = [a.get("Rdata") for a in items_in(one.get("answers"))]
    addresses = [a for a in dict.fromkeys(a for a in answers if isinstance(a, str)) if address_of(a) is not None]
    attrs = {name: one.get(name) for name in ("query_name", "query_type", "rcode", "firewall_rule_action", "vpc_id",
                                              "srcaddr", "account_id", "region")}  # fmt: skip
    attrs["query_name"] = attrs["query_name"].rstrip(".").lower() or "."
    severity, key = "medium" if attrs["firewall_rule_action"] in ("BLOCK", "ALERT") else "", digest(one)
    for number, answer in enumerate(addresses or [None]):
        entities = [at(one, "srcids", "instance"), one.get("srcaddr"), answer]
        yield Event(time, time, "dns", "query", tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e)),
                    severity if number == 0 else "", ref, f"{key}/{number}" if number else key,
                    {k: v for k, v in {**attrs, "answer": answer}.items() if isinstance(v, (str, int))})  # fmt: skip


def checked_mapping(mapping: Any) -> dict[str, Any]:
    """Checks a mapping of columns: ``time``, ``kind`` or a fixed ``source``, and ``entities``."""
    if not isinstance(mapping, dict):
        raise PlanError("mapping: expected names: {source: vpn, time: when, kind: action, entities: [user, address]}")
    for name in mapping:
        if name not in _MAPPING:
            raise PlanError(f"mapping: no key {str(name)!r}; {hint(str(name), _MAPPING)}")
    if not isinstance(mapping.get("time"), str) or not isinstance(mapping.get("source"), str):
        raise PlanError("mapping: `source`, a name for these events, and `time`, a column, are needed")
    entities = mapping.get("entities", [])
    entities = [entities] if isinstance(entities, str) else entities
    named = [value for name, value in mapping.items() if name != "entities"]
    if not isinstance(entities, list) or not all(isinstance(name, str) for name in [*named, *entities]):
        raise PlanError("mapping: expected names of columns as text, and a list of them for `entities`")
    return {**mapping, "entities": entities}


def _mapped(one: Any, ref: str, mapping: Mapping[str, Any]) -> Iterator[Event]:
    flat = _flat(one)
    time = unix(flat.get(mapping["time"]))
    if time is None:
        return
    end = unix(flat.get(mapping.get("end", ""))) or time
    kind = str(flat.get(mapping.get("kind", "")) or "event")
    entities = tuple(dict.fromkeys(str(flat[name]) for name in mapping["entities"] if flat.get(name)))
    attrs = {name.replace(".", "_").replace("-", "_"): value for name, value in flat.items() if value not in (None, "")}
    severity, key = _severity_of(flat.get(mapping.get("severity", ""))), flat.get(mapping.get("id", "")) or digest(one)
    yield Event(time, max(time, end), mapping["source"], kind, entities, severity, ref, str(key), attrs)


def _flat(value: Any, name: str = "", depth: int = 0) -> dict[str, Any]:
    """Returns the plain values of a document by their paths, ``user.name``."""
    if isinstance(value, dict) and depth < 6:
        out: dict[str, Any] = {}
        for key, inner in value.items():
            out |= _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
        return out
    return {name: value} if isinstance(value, (str, int, float)) and not isinstance(value, bool) else {}
