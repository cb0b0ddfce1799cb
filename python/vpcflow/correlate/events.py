"""Events of any source as one table. A table is a set: the same events in any order and any number give the same."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import json
import math
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from .. import _core
from .._addresses import PRIVATE
from .._display import instant, length

_TYPES = {
    "i": "instance", "eni": "interface", "sg": "group", "fl": "flow-log", "nat": "nat-gateway", "vpc": "vpc",
    "subnet": "subnet",
}  # fmt: skip
_ID = re.compile(r"(i|eni|sg|fl|nat|vpc|subnet)-[0-9A-Za-z][0-9A-Za-z-]*")
_INSIDE = [ipaddress.ip_network(text) for text in PRIVATE]
#: Columns of events as Arrow: `entities` a JSON list, `attrs` a JSON object.
COLUMNS = ("time", "end", "source", "kind", "severity", "entities", "file", "byte", "key", "attrs", "version")
_NO_BYTE = -(2**63)  # null
#: Types of entities that `by` of a rule can name; `entity` stands for the first three.
ENTITY_TYPES = ("entity", "interface", "instance", "address", "group", "principal", "access-key", "account",
                "flow-log")  # fmt: skip


@functools.lru_cache(maxsize=1 << 16)
def type_of(entity: str) -> str:
    """Returns the type of an entity by its id: ``instance``, ``interface``, ``address``, ``group``, ``principal``,
    ``account``, ..., else ``name``.

    >>> type_of("i-0abc"), type_of("10.0.0.1@vpc-1"), type_of("arn:aws:iam::1:user/x"), type_of("123456789012")
    ('instance', 'address', 'principal', 'account')
    """
    match = _ID.fullmatch(entity)
    if match:
        return _TYPES[match[1]]
    if re.fullmatch(r"[0-9]{12}", entity):
        return "account"
    if entity.startswith("arn:"):
        return "principal"
    if re.fullmatch(r"A[A-Z]{3}[0-9A-Z]{12,124}", entity):
        return "access-key"
    return "address" if address_of(entity.partition("@")[0]) is not None else "name"


def address_of(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Returns the address that a text is, or nothing."""
    return _address(value) if isinstance(value, str) else None


@functools.lru_cache(maxsize=1 << 16)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def is_inside(text: str) -> bool:
    """Tells whether a text is an address that several networks can have: RFC 1918, 6598 and 4193. Those of documents,
    which Python calls private, are not.

    >>> is_inside("10.0.0.1"), is_inside("192.0.2.1"), is_inside("fd00::1"), is_inside("i-1")
    (True, False, True, False)
    """
    address = address_of(text)
    return address is not None and any(address in network for network in _INSIDE if network.version == address.version)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened: at ``time``, or from ``time`` to ``end`` (Unix seconds), to ``entities``.

    ``source``: ``cloudtrail``, ``guardduty``, ``dns``, ``alb``, ``findings``, ``flows``, ``coverage``, or the user's.
    ``ref``: the file, and the byte or the number of the record in it. ``key`` is the same for deliveries of one event,
    of which the highest ``version`` counts. ``attrs``: plain values that conditions of rules name.
    """

    time: int
    end: int
    source: str
    kind: str
    entities: tuple[str, ...]
    severity: str  # "" for what is none by itself
    ref: str
    key: str
    attrs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    version: str = ""

    @property
    def order(self) -> tuple[Any, ...]:
        """The place in time; ties are decided by what the event is, never by the order of delivery."""
        return (self.time, self.end, self.source, self.kind, self.key)

    def as_dict(self) -> dict[str, Any]:
        """Returns the row of the event."""
        return {
            "time": self.time, "end": self.end, "source": self.source, "kind": self.kind,
            "entities": list(self.entities), "severity": self.severity or None, "ref": self.ref,
            "attrs": {name: _plain(value) for name, value in sorted(self.attrs.items())}, "key": self.key,
        }  # fmt: skip


def _plain(value: Any) -> Any:
    """Returns a value as JSON can have it."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _latest(event: Event) -> tuple[str, str]:
    return (event.version, json.dumps(event.as_dict(), sort_keys=True, default=str))


def supersedes(event: Event, other: Event) -> bool:
    """Tells whether an event stands for another one of its source and key: of deliveries the latest version."""
    return other != event and _latest(other) < _latest(event)


class Events:
    """A set of events, in order of time. ``+`` joins sets; the order of joining changes nothing.

    >>> one = Event(10, 10, "cloudtrail", "RunInstances", ("i-1",), "", "a.json:0", "e1")
    >>> two = Event(5, 5, "cloudtrail", "CreateUser", (), "", "a.json:1", "e2")
    >>> [event.kind for event in Events([one]) + Events([two, one])]
    ['CreateUser', 'RunInstances']
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        own: dict[tuple[str, str], Event] = {}
        for event in events:
            name = (event.source, event.key)
            other = own.get(name)
            if other is None or supersedes(event, other):
                own[name] = event
        self._events = sorted(own.values(), key=lambda event: event.order)
        self._kinds: dict[str, dict[str, list[Event]]] = {}

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __add__(self, other: Iterable[Event]) -> Events:
        return Events([*self._events, *other])

    def of(self, sources: Collection[str], kinds: Collection[str] = ()) -> list[Event]:
        """Returns the events of sources, and of kinds if any are named, in order of time."""
        if not self._kinds:
            for event in self._events:
                self._kinds.setdefault(event.source, {}).setdefault(event.kind, []).append(event)
        lists = [
            own for source in dict.fromkeys(sources) for kind, own in self._kinds.get(source, {}).items()
            if not kinds or kind in kinds
        ]  # fmt: skip
        return lists[0] if len(lists) == 1 else sorted((e for own in lists for e in own), key=lambda e: e.order)

    def about(self, entity: str, start: int | None = None, end: int | None = None) -> list[Event]:
        """Returns the events that name an entity, of a time if one is given."""
        return [
            event for event in self._events
            if entity in event.entities and (start is None or event.end >= start) and (end is None or event.time < end)
        ]  # fmt: skip

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Returns the events as Arrow, with the columns of :func:`vpcflow.correlate.read_events`."""
        return _table(self._events).__arrow_c_stream__(requested_schema)

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row an event."""
        return [event.as_dict() for event in self._events]


def _table(events: Sequence[Event]) -> _core.Table:
    """Returns events as rows of the engine, with :data:`COLUMNS`."""
    rows = [event.as_dict() for event in events]
    places = [row["ref"].rpartition(":byte ") for row in rows]
    texts: dict[str, list[str | None]] = {name: [row[name] for row in rows] for name in ("source", "kind", "severity")}
    texts["entities"] = [json.dumps(row["entities"], ensure_ascii=False) for row in rows]
    texts["file"] = [file if dash else row["ref"] for (file, dash, _), row in zip(places, rows)]
    texts["key"] = [event.key for event in events]
    texts["version"] = [event.version or None for event in events]
    texts["attrs"] = [json.dumps(row["attrs"], ensure_ascii=False, default=str) for row in rows]
    numbers = {name: [row[name] * 1_000_000 for row in rows] for name in ("time", "end")}
    numbers["byte"] = [int(place) if dash and place.isdecimal() else _NO_BYTE for _, dash, place in places]
    columns = {name: _texts(name, values) for name, values in texts.items()}
    for name, values in numbers.items():
        columns[name] = (name, "int64" if name == "byte" else "time", array("q", values).tobytes(), ())
    return _core.Table(len(rows), [columns[name] for name in COLUMNS])


def _texts(name: str, values: Sequence[str | None]) -> tuple[str, str, bytes, Sequence[bytes]]:
    codes = {value: number for number, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
    numbers = array("i", [-1 if value is None else codes[value] for value in values])
    return name, "text", numbers.tobytes(), [value.encode("utf-8", "replace") for value in codes]


class Story(list[dict[str, Any]]):
    """Rows of events, which print as lines; ``nothing`` is what is printed without."""

    def __init__(self, rows: Iterable[dict[str, Any]], nothing: str) -> None:
        super().__init__(rows)
        self._nothing = nothing

    def __str__(self) -> str:
        return "\n".join(map(line_of, self)) or self._nothing


def line_of(row: Mapping[str, Any]) -> str:
    """Returns the row of an event as a line for people."""
    attrs, source = row["attrs"], row["source"]
    what = _LINES[source](row, attrs) if source in _LINES else row["kind"]
    said = attrs.get("sentence") or attrs.get("title")
    return f"{instant(row['time'])} {source} {what}{f': {said}' * bool(said)} ({row['ref']})"


def _line_of_call(row: Mapping[str, Any], attrs: Mapping[str, Any]) -> str:
    port = "all" if attrs.get("port") == "0-65535" else attrs.get("port")
    parts = [
        f" of {attrs.get('groupId')} port {port} to {attrs['cidr']}" if "cidr" in attrs else "",
        f" of {attrs['instanceId']}" if "instanceId" in attrs else "",
        f" {attrs['outcome']}{', without MFA' * (attrs.get('mfa') == 'No')}" if "outcome" in attrs else "",
        f" by {attrs['principal']}" if "principal" in attrs else "",
        f" from {attrs['address']}" if "address" in attrs else "",
        f": {attrs['errorCode']}" if "errorCode" in attrs else "",
    ]
    return f"{row['kind']}{''.join(parts)}"


def _line_of_record(row: Mapping[str, Any], attrs: Mapping[str, Any]) -> str:
    size = f", {attrs['bytes']:,} bytes" if isinstance(attrs.get("bytes"), int) else ""
    long = f" for {length(row['end'] - row['time'])}" if row["source"] == "sessions" else ""
    ends = f"{attrs.get('srcaddr')} to {attrs.get('dstaddr')} port {attrs.get('dstport')} {attrs.get('action')}"
    at = f"{attrs['interface_id']} " if "interface_id" in attrs else ""
    return f"{at}{ends}{long}{size}"


def _line_of_query(row: Mapping[str, Any], attrs: Mapping[str, Any]) -> str:
    answer = attrs.get("answer") or attrs.get("rcode") or "nothing"
    asker = f", asked by {attrs['srcaddr']}" if "srcaddr" in attrs else ""
    return f"{attrs.get('query_name')} is {answer}{asker}"


def _line_of_gap(row: Mapping[str, Any], attrs: Mapping[str, Any]) -> str:
    return f"no record of any interface of {attrs.get('account') or 'the logs'} for {length(row['end'] - row['time'])}"


_LINES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "cloudtrail": _line_of_call, "flows": _line_of_record, "sessions": _line_of_record, "dns": _line_of_query,
    "coverage": _line_of_gap,
}  # fmt: skip
