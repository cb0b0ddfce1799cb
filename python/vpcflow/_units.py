"""Times and sizes as people write them."""

from __future__ import annotations

import datetime
import os
import re
import time

from ._hints import nearest
from .errors import PlanError
from .typing import Duration, Instant, Size

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# A capital M is left out, as some write months by it.
_UNIT = r"(?:[sS]|sec(?:ond)?s?|m|min(?:ute)?s?|[hH]|hrs?|hours?|[dD]|days?|[wW]|weeks?)"
_PART = rf"([0-9]{{1,12}})\s*({_UNIT})(?![A-Za-z])"
_LONGEST = 3653 * 86400
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_LATEST = 9_999_999_999  # in 2286; what a time of ten digits can be, as the engine has it (kMaxTimeSeconds)


def seconds(duration: Duration, name: str = "every") -> int:
    """Converts a length of time to whole seconds: ``"5m"``, ``"5min"``, ``"1h30m"``, a ``timedelta``; units s, m, h, d,
    w, and their usual longer names.

    >>> seconds("5m"), seconds("1 hour"), seconds(datetime.timedelta(minutes=5))
    (300, 3600, 300)
    """
    value = _whole_seconds(duration)
    if value is not None and 0 < value <= _LONGEST:
        return value
    raise PlanError(
        f"{name}={duration!r}: expected a time of whole seconds such as '30s', '5m', '1h', '1d' or a timedelta"
    )


def _whole_seconds(duration: Duration) -> int | None:
    """Seconds of a length of time; ``None`` for what is none, or not of whole seconds."""
    if hasattr(duration, "item"):  # numpy's
        duration = duration.item()
    if isinstance(duration, datetime.timedelta):
        whole, rest = divmod(duration, datetime.timedelta(seconds=1))
        return None if rest else whole
    if isinstance(duration, int) and not isinstance(duration, bool):
        return duration
    if isinstance(duration, str) and re.fullmatch(rf"(\s*{_PART})+\s*", duration, re.ASCII):
        return sum(int(number) * _unit(unit) for number, unit in re.findall(_PART, duration, re.ASCII))
    return None


def _unit(name: str) -> int:
    return _UNITS[name if name in _UNITS else name[0].lower()]


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
    if isinstance(value, str) and value.lstrip().startswith("-"):
        ago = _whole_seconds(value.strip()[1:])
        if ago is not None:
            return max(int(time.time()) - ago, 0)
    try:
        when = value if isinstance(value, datetime.datetime) else None
        if isinstance(value, datetime.date) and when is None:
            when = datetime.datetime(value.year, value.month, value.day)
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


def zone_of(name: str | None) -> tuple[datetime.tzinfo | None, str]:
    """Returns the time zone of a name, as ``Europe/Berlin`` or ``local``, and how it is shown; ``None`` for UTC."""
    if name is None or name.upper() in ("UTC", "Z"):
        return None, "UTC"
    import zoneinfo

    try:
        if name != "local":
            return zoneinfo.ZoneInfo(name), name
        if os.environ.get("TZ"):
            return zoneinfo.ZoneInfo(os.environ["TZ"].lstrip(":")), "local"
        with open("/etc/localtime", "rb") as file:
            return zoneinfo.ZoneInfo.from_file(file), "local"
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = ["local", *sorted(zoneinfo.available_timezones())]
        near = nearest(name, known)
        advice = f"did you mean {near!r}?" if near else "expected a name such as 'UTC', 'local' or 'Europe/Berlin'"
        raise PlanError(f"--tz {name}: no such time zone; {advice}") from None
