"""Rows of advice, and how a saving of the observed hours becomes one of a month, with its interval."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

HOURS = 730  # of a month, as AWS estimates
_DAY = 24


@dataclasses.dataclass(frozen=True)
class Saving:
    """One way to pay less, per month. ``None`` for what no price tells."""

    advice: str
    resource: str
    region: str
    saving: float | None
    low: float | None
    high: float | None
    currency: str
    why: str
    fix: str
    risk: str
    terraform: str | None = None

    def row(self) -> dict[str, Any]:
        """Returns the row as ``--json`` has it."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Observed:
    """The hours that the logs cover, as Unix seconds by 3,600, without a gap or with some."""

    hours: Sequence[int]

    @property
    def whole(self) -> bool:
        """Tells whether every hour between the first and the last is there."""
        return bool(self.hours) and max(self.hours) - min(self.hours) + 1 == len(set(self.hours))

    @property
    def said(self) -> str:
        return f"{len(self.hours):,} hour{'s' if len(self.hours) != 1 else ''} of logs"

    def month(self, by_hour: Mapping[int, Decimal], price: Decimal) -> tuple[float, float, float]:
        """Returns what a month costs at a price if it is as the observed hours: mean, and its interval, which is two
        standard errors of days (of hours, below three days) around it; of one hour, from nothing to twice as much."""
        values = [float(by_hour.get(hour, Decimal(0)) * price) for hour in sorted(self.hours)]
        if len(values) >= 3 * _DAY:
            values = [sum(values[at : at + _DAY]) / _DAY for at in range(0, len(values) - _DAY + 1, _DAY)]
        count = len(values)
        mean = sum(values) / count
        if count == 1:
            return mean * HOURS, 0.0, 2 * mean * HOURS
        error = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)
        return mean * HOURS, max(0.0, mean - 2 * error) * HOURS, (mean + 2 * error) * HOURS
