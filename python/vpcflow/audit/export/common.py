"""What the forms share: names that stay, times, sentences."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from ... import _core
from ..._display import instant, protocol_names
from ..result import WORDS, ControlResult, ControlResults, midnight_of
from ..seen import DAY

_NAMESPACE = uuid.UUID("6f0a6f0e-5b0c-5c38-9d4b-2f7b9ac27d11")
PRODUCT = "vpcflow"


def version() -> str:
    """Returns the version of this package."""
    return str(_core.build_info()["version"])


def uid(*parts: str) -> str:
    """Returns a UUID that is the same for the same parts."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def span_of(results: Iterable[ControlResult]) -> tuple[int, int]:
    """Returns the time that results are of, in Unix seconds; zeros for none."""
    days = [day for one in results for day in one.days.values()]
    periods = [one.period for one in results if one.period is not None]
    if not days:
        return (midnight_of(periods[0][0]), midnight_of(periods[0][1]) + DAY) if periods else (0, 0)
    return min(day.start for day in days), max(day.end for day in days)


def iso(seconds: int) -> str:
    """Formats Unix seconds as ``2026-11-30T00:00:00+00:00``."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def headline(one: ControlResult) -> str:
    """Returns the verdict and what it rests on, in a sentence."""
    why = "; ".join(one.why)
    return f"{WORDS[one.verdict]}: {why}" if why else WORDS[one.verdict]


def title_of(one: ControlResult) -> str:
    """Returns the title of a control, or what it asserts."""
    return one.title or one.question


def sentence_of(violation: Mapping[str, Any]) -> str:
    """Returns a session that broke a control, with its record, as a line."""
    port, protocol, record = violation["server_port"], violation["protocol"], violation["record"]
    name = protocol_names().get(protocol, str(protocol))
    where = f"{violation['client']} to {violation['server']}, {name}" + ("" if port is None else f" port {port}")
    place = f" ({place_of(record)})" if record else ""
    return f"{instant(violation['first'])} UTC {where}: {violation['why']}{place}"


def place_of(record: Mapping[str, Any]) -> str:
    """Returns where a record stands: its file, and the byte if that is known."""
    offset = record.get("offset")
    return f"{record.get('file')}" + ("" if offset is None else f" at {offset}")


def all_of(results: ControlResults) -> list[ControlResult]:
    """Returns results by id."""
    return sorted(results, key=lambda one: one.id)
