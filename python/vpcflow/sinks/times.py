"""The time of an event, for sinks that ask for it beside the event."""

from __future__ import annotations

import datetime
import json
import re

_CEF = re.compile(rb"(?:^|[ |])start=(\d+)")
#: Members that hold a time, by schema: the first that is there. Milliseconds in OCSF, else RFC 3339 or seconds.
_MEMBERS = {
    "ocsf": ("time",), "ecs": ("@timestamp",), "cim": ("_time",), "asim": ("TimeGenerated",),
    "awsvpcflow": ("TimeGenerated",), "udm": ("metadata", "event_timestamp"), "asff": ("UpdatedAt",),
}  # fmt: skip


def time_of(schema: str, line: bytes) -> float:
    """Returns the time of an event, Unix seconds; 0 if it has none.

    >>> time_of("ecs", b'{"@timestamp":"2026-01-01T00:00:00Z"}'), time_of("ocsf", b'{"time":1500}')
    (1767225600.0, 1.5)
    """
    if schema in ("cef", "leef"):
        match = _CEF.search(line)
        return int(match[1]) / 1000 if match else 0.0
    value = json.loads(line)
    for name in _MEMBERS.get(schema, ()):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, (int, float)):
        return value / 1000 if schema == "ocsf" else float(value)
    if not isinstance(value, str):
        return 0.0
    try:
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
