"""Loads events: CloudTrail, GuardDuty, Resolver query logs, ALB access logs, findings, and anything with a mapping."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Callable

from .._hints import hint
from ..errors import NoRecordsError, PlanError
from ..findings.finding import Finding
from . import cloudtrail
from .documents import Reading, documents_of, files_of, text_of
from .events import Event, Events, address_of
from .values import at, camel, items_in, unix

_MAPPING = ("source", "time", "end", "kind", "severity", "entities", "id")
_SEVERITIES = ("high", "medium", "low")


def load_events(
    place: str | os.PathLike[str], source: str, changes: list[Any] | None = None,
    mapping: Mapping[str, Any] | None = None, *, allow_empty: bool = False,
) -> tuple[Events, list[str]]:  # fmt: skip
    """Loads the events of a file, or of a folder with all below it.

    ``source``: ``cloudtrail``, ``guardduty``, ``dns``, ``alb``, ``findings``, or ``mapped`` with a ``mapping``.
    ``changes``: takes what CloudTrail says of addresses, interfaces and instances. Returns the events and notes on
    what was not read. Raises :class:`~vpcflow.NoRecordsError` if no event is there, unless ``allow_empty``."""
    reading, found = Reading(), list[Event]()
    for path in files_of(place):
        for ref, document in _documents(path, source, reading, mapping):
            events = list(_events(source, document, ref, mapping))
            reading.taken, reading.other = reading.taken + bool(events), reading.other + (not events)
            found += events
            if changes is not None:
                changes += cloudtrail.changes_of(document)
    notes = list(reading.damage)
    if reading.other:
        notes.append(f"{os.fspath(place)}: {reading.other:,} documents are no events of {source}; they were left out")
    if not found and not allow_empty:
        more = f"; {notes[0]}" if notes else ""
        raise NoRecordsError(f"{os.fspath(place)}: no event of {source} in {reading.files:,} files{more}")
    return Events(found), notes


def _documents(
    path: Path, source: str, reading: Reading, mapping: Mapping[str, Any] | None
) -> Iterator[tuple[str, Any]]:
    if source == "alb":
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


def _cells(line: str) -> list[str]:
    try:
        return next(iter(csv.reader([line.replace("\0", "")], delimiter=" ")), [])
    except csv.Error:
        return []


def _events(source: str, document: Any, ref: str, mapping: Mapping[str, Any] | None) -> Iterator[Event]:
    readers: dict[str, Callable[[Any, str], Iterable[Event]]] = {
        "cloudtrail": cloudtrail.events_of, "guardduty": _guardduty, "dns": _resolver, "alb": _alb,
        "findings": _finding, "mapped": lambda one, place: _mapped(one, place, mapping or {}),
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


def _guardduty(raw: Any, ref: str) -> Iterator[Event]:
    one = camel(raw)
    service, kind = at(one, "service"), at(one, "type")
    if not isinstance(kind, str) or not isinstance(service, dict) or at(one, "severity") is None:
        return
    first = unix(service.get("eventFirstSeen") or one.get("createdAt"))
    last = unix(service.get("eventLastSeen") or one.get("updatedAt")) or first
    if first is None or last is None:
        return
    instance = at(one, "resource", "instanceDetails")
    cards = items_in(at(instance, "networkInterfaces"))
    action = at(service, "action")
    held = action.items() if isinstance(action, dict) else ()
    calls: list[Mapping[str, Any]] = [v for n, v in held if n.endswith("Action") and isinstance(v, dict)]
    calls += [probe for call in calls for probe in items_in(call.get("portProbeDetails"))]
    remotes = [at(call, "remoteIpDetails", "ipAddressV4") for call in calls]
    entities = [at(instance, "instanceId"), *(card.get("networkInterfaceId") for card in cards)]
    entities += [card.get("privateIpAddress") for card in cards] + [card.get("publicIp") for card in cards]
    entities += [*remotes, at(one, "resource", "accessKeyDetails", "accessKeyId"), one.get("accountId")]
    level = one["severity"]
    number = float(level) if isinstance(level, (int, float)) else 0.0
    severity = "high" if number >= 7 else "medium" if number >= 4 else "low"
    attrs = {
        "type": kind, "severity": number, "count": service.get("count"), "role": service.get("resourceRole"),
        "remote": next((r for r in remotes if r), None), "account": one.get("accountId"), "region": one.get("region"),
        "domain": next((at(c, "domain") for c in calls if at(c, "domain")), None), "title": one.get("title"),
        "direction": next((at(c, "connectionDirection") for c in calls if at(c, "connectionDirection")), None),
        "port": next((at(c, "localPortDetails", "port") for c in calls if at(c, "localPortDetails", "port")), None),
    }  # fmt: skip
    named = tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e))
    yield Event(
        first, max(first, last), "guardduty", kind, named, severity, ref, str(one.get("id") or ref),
        {k: v for k, v in attrs.items() if v is not None}, str(one.get("updatedAt") or ""),
    )  # fmt: skip


def _resolver(one: Any, ref: str) -> Iterator[Event]:
    time = unix(at(one, "query_timestamp"))
    if time is None or not isinstance(at(one, "query_name"), str):
        return
    answers = [a.get("Rdata") for a in items_in(one.get("answers"))]
    addresses = [a for a in dict.fromkeys(a for a in answers if isinstance(a, str)) if address_of(a) is not None]
    attrs = {name: one.get(name) for name in ("query_name", "query_type", "rcode", "firewall_rule_action", "vpc_id",
                                              "srcaddr", "account_id", "region")}  # fmt: skip
    attrs["query_name"] = attrs["query_name"].rstrip(".").lower() or "."
    severity, key = "medium" if attrs["firewall_rule_action"] in ("BLOCK", "ALERT") else "", _digest(one)
    for number, answer in enumerate(addresses or [None]):
        entities = [at(one, "srcids", "instance"), one.get("srcaddr"), answer]
        yield Event(time, time, "dns", "query", tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e)),
                    severity if number == 0 else "", ref, f"{key}/{number}" if number else key,
                    {k: v for k, v in {**attrs, "answer": answer}.items() if isinstance(v, (str, int))})  # fmt: skip


def _alb(line: list[str], ref: str) -> Iterator[Event]:
    if len(line) < 22 or line[0] not in ("http", "https", "h2", "grpcs", "ws", "wss"):
        return
    time = unix(line[21]) or unix(line[1])  # when the request came; the first time is that of the answer
    if time is None:
        return
    client, target = line[3].rpartition(":")[0].strip("[]"), line[4].rpartition(":")[0].strip("[]")
    attrs = {"client": client, "target": target, "status": line[8], "target_status": line[9], "request": line[12],
             "elb": line[2], "userAgent": line[13]}  # fmt: skip
    entities = tuple(dict.fromkeys(e for e in (client, target) if address_of(e) is not None))
    end = unix(line[1]) or time
    yield Event(time, max(time, end), "alb", "request", entities, "", ref, _digest(line),
                {k: v for k, v in attrs.items() if v and v != "-"})  # fmt: skip


def _digest(document: Any) -> str:
    """Returns the key of an event that has no id: deliveries of the same bytes are one event."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:24]


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
    severity, key = _severity_of(flat.get(mapping.get("severity", ""))), flat.get(mapping.get("id", "")) or _digest(one)
    yield Event(time, max(time, end), mapping["source"], kind, entities, severity, ref, str(key), attrs)


def _flat(value: Any, name: str = "", depth: int = 0) -> dict[str, Any]:
    """Returns the plain values of a document by their paths, ``user.name``."""
    if isinstance(value, dict) and depth < 6:
        out: dict[str, Any] = {}
        for key, inner in value.items():
            out |= _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
        return out
    return {name: value} if isinstance(value, (str, int, float)) and not isinstance(value, bool) else {}
