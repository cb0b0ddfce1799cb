"""Times and sizes as people write them."""

from __future__ import annotations

import datetime
import re
import time

from .errors import PlanError
from .typing import Duration, Instant, Size

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_LATEST = 9_999_999_999  # in 2286; what a time of ten digits can be, as the engine has it (kMaxTimeSeconds)


def seconds(duration: Duration, name: str = "every") -> int:
    """Converts a length of time to seconds: ``"5m"`` to 300; units s, m, h, d, w.

    >>> seconds("5m")
    300
    """
    if isinstance(duration, int) and not isinstance(duration, bool) and duration > 0:
        return duration
    if isinstance(duration, str) and duration[:-1].isascii() and duration[:-1].isdigit() and duration[-1] in _UNITS:
        value = int(duration[:-1]) * _UNITS[duration[-1]]
        if 0 < value <= 3653 * 86400:
            return value
    raise PlanError(f"{name}={duration!r}: expected a time such as '30s', '5m', '1h' or '1d'")


def byte_count(name: str, size: Size) -> int:
    """Converts a size to bytes: ``"2GB"`` to 2,000,000,000, ``"2GiB"`` to 2,147,483,648."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]i?)?b?\s*", str(size).lower())
    number = float(match[1]) * _SIZES[match[2] or ""] if match else 0.0
    if not 1 <= number < 2**63:
        raise PlanError(f"{name}={size!r}: expected a number of bytes, or one with a unit such as '512MB' or '2GiB'")
    return int(number)


def unix_seconds(name: str, value: Instant | None) -> int | None:
    """Converts a time to Unix seconds, at least 0. ``"-2h"`` is two hours ago."""
    if value is None:
        return None
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str) and re.fullmatch(r"\s*-[0-9]+[smhdw]\s*", value, re.ASCII):
        text = value.strip()
        return max(int(time.time()) - int(text[1:-1]) * _UNITS[text[-1]], 0)
    try:
        when = value if isinstance(value, datetime.datetime) else None
        if isinstance(value, str):
            when = datetime.datetime.fromisoformat(value.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        if when is not None:
            when = when if when.tzinfo is not None else when.replace(tzinfo=datetime.timezone.utc)
            number = int(when.timestamp())
    except ValueError:
        pass
    if number is not None and number <= _LATEST:
        return max(number, 0)
    expected = "Unix seconds, a datetime, or text such as '2026-11-23T06:00:00Z' or '-2h'"
    raise PlanError(f"{name}={value!r}: expected {expected}")
