"""Error budgets: how fast the failures of an edge use them up, by the burn rates of usual practice."""

from __future__ import annotations

from typing import Any

from .._display import instant, length
from ..errors import ArgumentError, PlanError
from .edges import Series
from .intervals import wilson

#: (burn rate, long window, short window) in seconds: an alert needs both windows above the rate.
RULES = ((14.4, 3600, 300), (6.0, 21600, 1800))
_LEAST_FAILURES = 2  # one failure is no rate


def objective_of(given: float | str) -> float:
    """Returns an objective in percent as a share: 99.9 as 0.999."""
    try:
        value = float(str(given).rstrip("%"))
    except ValueError:
        raise ArgumentError(f"slo={given!r}: a percentage is needed, as 99.9") from None
    if not 50 <= value < 100:
        raise PlanError(f"slo={given!r}: expected a percentage from 50 to below 100, as 99.9")
    return value / 100


def burn_of(series: Series, objective: float, every: int) -> dict[str, Any]:
    """Returns how much of the error budget is used, the burn rates at the end, and when alerts were on.

    A burn rate is the failed share of a window divided by the share that may fail."""
    numbers = sorted(number for number, counts in series.bins.items() if counts.known)
    budget = 1 - objective
    total = series.all
    out: dict[str, Any] = {
        "objective": objective, "failed": total.failed,
        "burn": total.failed / total.known / budget if total.known else None,
        "burn_low": (1 - wilson(total.answered, total.known)[1]) / budget if total.known else None,
        "windows": {}, "alerts": [],
    }  # fmt: skip
    if not numbers:
        return out
    first, last = numbers[0], numbers[-1]
    tries, failed = [0], [0]
    for number in range(first, last + 1):
        counts = series.bins.get(number)
        tries.append(tries[-1] + (counts.known if counts else 0))
        failed.append(failed[-1] + (counts.failed if counts else 0))

    def rate(end: int, window: int) -> float:
        begin = max(0, end - window // every)
        n, k = tries[end] - tries[begin], failed[end] - failed[begin]
        return k / n / budget if n and k >= _LEAST_FAILURES else 0.0

    for factor, long, short in RULES:
        for window in (long, short):
            out["windows"][f"{window // 60}m"] = rate(len(tries) - 1, window)
        on: list[int] = []
        for end in range(1, len(tries)):
            if rate(end, long) > factor and rate(end, short) > factor:
                on.append(end)
        out["alerts"] += [
            {"burn": factor, "window": long, "start": (first + begin - 1) * every, "end": (first + end) * every}
            for begin, end in _runs(on)
        ]
    return out


def burned(slo: dict[str, Any]) -> str:
    """Returns the alerts of :func:`burn_of` in words."""
    parts = []
    for factor, _, _ in RULES:
        own = [alert for alert in slo["alerts"] if alert["burn"] == factor]
        if own:
            whole = length(sum(alert["end"] - alert["start"] for alert in own))
            last = own[-1]
            parts.append(
                f"more than {factor:g} times too fast for {whole} in all, last from {instant(last['start'])} to "
                f"{instant(last['end'])} UTC"
            )
    return f"the error budget of {100 * slo['objective']:.6g}% burned {'; '.join(parts)}"


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return out
