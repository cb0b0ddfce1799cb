"""The kinds of values of events, from the mapping table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ... import _core

_TEXTS = ("text", "word", "protocol", "PROTOCOL", "list")
_LONG = ("bytes-", "packets-", "sent-", "received-")


class Member(NamedTuple):
    """A member of an event: where it is, and of what kind its value is: ``ip``, ``long``, ``double``, ``date``,
    ``millis``, ``keyword``, or ``observable``."""

    path: tuple[str, ...]
    kind: str
    is_list: bool


def schema_of(name: str) -> dict[str, Any]:
    """Returns the row of a schema in the mapping table."""
    (found,) = (schema for schema in _core.event_schemas() if schema["name"] == name)
    return found


def members(name: str) -> Iterator[Member]:
    """Yields the members that events of a schema can have, but for what is below the member of unmapped fields."""
    schema = schema_of(name)
    own = schema["own"]
    seen = set()
    for row in schema["rows"]:
        pointer = row["pointer"]
        written = row["writes"] or row["constant"]
        if not written or row["as"] in ("rest", "rest-texts") or (own and f"{pointer}/".startswith(f"{own}/")):
            continue
        parts = pointer[1:].split("/")
        path = tuple(part for part in parts if part != "-")
        kind = kind_of(row)
        if path not in seen:
            seen.add(path)
            yield Member(path, kind, "-" in parts or row["as"] == "list" or row["constant"].startswith("["))


def kind_of(row: dict[str, Any]) -> str:
    """Returns the kind of the values that a row of the mapping table writes."""
    how, what = row["as"], row["writes"].partition("@")[0]
    if how == "observable":
        return "observable"
    if how in ("millis", "rfc3339"):
        return "long" if what == "duration" else {"millis": "millis", "rfc3339": "date"}[how]
    if how in ("nanos", "number"):
        return "long"
    if how == "seconds":
        return "double"
    if how in _TEXTS:
        return "keyword"
    if row["constant"]:
        return "long" if isinstance(json.loads(row["constant"]), int) else "keyword"
    if what in ("src-ip", "dst-ip", "src-nat", "dst-nat") or "addr-differs" in what:
        return "ip"
    if what.startswith(_LONG):
        return "long"
    types = {field["name"]: field["type"] for field in _core.fields()}
    return kind_of_type(types.get(what, "text"))


def kind_of_type(kind: str) -> str:
    """Returns the kind of a field of the catalogue."""
    if kind.startswith(("int", "uint")):
        return "long"
    return "ip" if kind in ("ip", "address") else "keyword"
