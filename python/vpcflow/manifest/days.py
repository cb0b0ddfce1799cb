"""Days of UTC as periods of heads."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from .._display import printable
from ..errors import PlanError

Day = datetime.date
_ONE = datetime.timedelta(days=1)


def day_of(seconds: int | None) -> Day | None:
    """Returns the day of Unix seconds; ``None`` for those beyond any calendar."""
    if seconds is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date()
    except (OverflowError, ValueError, OSError):
        return None


def period_of(text: str) -> tuple[Day, Day]:
    """Parses a period, a month or a day, to its first and last day.

    >>> [str(day) for day in period_of("2026-11")], [str(day) for day in period_of("2026-11-23")]
    (['2026-11-01', '2026-11-30'], ['2026-11-23', '2026-11-23'])
    """
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text, re.ASCII):
            first = Day.fromisoformat(f"{text}-01")
            return first, (first + 31 * _ONE).replace(day=1) - _ONE
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            return Day.fromisoformat(text), Day.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    raise PlanError(f"period: {printable(text)!r}; expected a month or a day, as 2026-11 or 2026-11-23")


def days_of(period: object) -> tuple[Day, Day] | None:
    """Returns the first and last day of the ``period`` of a head; ``None`` for none, or what is no period."""
    first, _, last = period.partition("/") if isinstance(period, str) else ("", "", "")
    try:
        return Day.fromisoformat(first), Day.fromisoformat(last or first)
    except ValueError:
        return None


def runs(missing: set[Day]) -> list[str]:
    """Returns days as periods, those that follow each other as one: ``2026-11-14/2026-11-16``."""
    out: list[list[Day]] = []
    for day in sorted(missing):
        if out and out[-1][1] + _ONE == day:
            out[-1][1] = day
        else:
            out.append([day, day])
    return [str(first) if first == last else f"{first}/{last}" for first, last in out]


def between(first: Day, last: Day) -> set[Day]:
    """Returns all days from the first to the last."""
    return {Day.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)}


def all_days(periods: Iterable[tuple[Day, Day]]) -> set[Day]:
    """Returns the days of some periods, in the time that their days take once, however many periods have them.

    >>> len(all_days([(Day(2026, 1, 1), Day(2026, 1, 3)), (Day(2026, 1, 2), Day(2026, 1, 4))]))
    4
    """
    out: set[Day] = set()
    done = 0  # the last day so far
    for first, last in sorted(periods):
        begin = max(first.toordinal(), done + 1)
        out.update(Day.fromordinal(n) for n in range(begin, last.toordinal() + 1))
        done = max(done, last.toordinal())
    return out
