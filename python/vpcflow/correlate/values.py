"""Values of AWS's documents, whose shapes change: members, lists, times."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Callable, TypeVar

_T = TypeVar("_T")
_LATEST = 9_999_999_999


def at(value: Any, *names: str) -> Any:
    """Returns the member of a member ..., or nothing where one is not there."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def items_in(value: Any) -> list[Mapping[str, Any]]:
    """Returns the objects of a list, of ``{"items": [...]}``, or the one object of ``{"item": {...}}``."""
    if isinstance(value, dict):
        value = value.get("items") or value.get("item") or []
    value = [value] if isinstance(value, dict) else value
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def unix(value: Any) -> int | None:
    """Converts a time to Unix seconds: ISO 8601 of any zone (UTC without), a number of seconds or milliseconds."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) <= 13:
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        seconds = value / 1000 if value > _LATEST else value
        return int(seconds) if 0 <= seconds <= _LATEST else None
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    text = value.strip().replace("Z", "+00:00")
    head, dot, rest = text.partition(".")
    if dot:  # Python 3.9 takes three or six digits of a second
        text = head + rest.lstrip("0123456789")
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    seconds = when.timestamp()
    return int(seconds) if 0 <= seconds <= _LATEST else None


def camel(value: Any, depth: int = 0) -> Any:
    """Returns a value with names that begin small: answers of get-findings have ``Service``, events ``service``."""
    if depth > 40:
        return None
    if isinstance(value, dict):
        return {str(name)[:1].lower() + str(name)[1:]: camel(item, depth + 1) for name, item in value.items()}
    return [camel(item, depth + 1) for item in value] if isinstance(value, list) else value


def digest(document: Any) -> str:
    """Returns the key of an event that has no id: deliveries of the same bytes are one event."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:24]


def taken(read: Callable[..., Iterable[_T]], *arguments: Any) -> list[_T]:
    """Returns what a reader takes from a document; nothing, if that is nested deeper than Python's stack."""
    try:
        return list(read(*arguments))
    except RecursionError:
        return []
