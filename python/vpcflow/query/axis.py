"""Axes of plots: figures with their units, times in UTC, texts that matplotlib does not take for anything else."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._display import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_PLAIN = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def figures(values: Sequence[float], unit: str) -> list[str]:
    """Formats the numbers of an axis alike, with a unit that suits them and the fewest decimals that distinguish them.

    >>> figures([0, 500_000_000, 1_000_000_000], "B")
    ['0', '0.5 GB', '1.0 GB']
    >>> figures([0, 1500], "records")
    ['0', '1.5k']
    """
    is_bytes = unit.split("/")[0] == "B"
    steps = _BYTES if is_bytes else _PLAIN
    most = max((abs(value) for value in values), default=0.0)
    scale, name = next((step for step in steps if most >= step[0]), steps[-1])
    suffix = f" {name}{unit[1:]}" if is_bytes else name
    for decimals in range(7):
        texts = [f"{value / scale:.{decimals}f}" for value in values]
        if len(set(texts)) == len(set(values)) and all(abs(float(t) - v / scale) < 1e-9 for t, v in zip(texts, values)):
            break
    return ["0" if value == 0 else f"{text}{suffix}" for text, value in zip(texts, values)] if values else []


def figure(value: float, unit: str) -> str:
    """Formats one number in three digits, as beside a bar.

    >>> figure(27_253_932_543, "B"), figure(4249, "records"), figure(7, "")
    ('27.3 GB', '4.25k', '7')
    """
    is_bytes = unit.split("/")[0] == "B"
    steps = _BYTES if is_bytes else _PLAIN
    scale, name = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    suffix = f" {name}{unit[1:]}" if is_bytes else name
    return f"{float(f'{value / scale:.3g}'):g}{suffix}"


def label(name: str, unit: str, every: int) -> str:
    """Names a measure for an axis: ``bytes per 5 min``; units that the ticks show are not said again."""
    shown = "" if unit.split("/")[0] == "B" or unit in ("", name) else f" ({unit})"
    return plain(f"{name}{shown}{f' per {length(every)}' if every else ''}")


def length(seconds: int) -> str:
    """Formats a length of time.

    >>> length(300), length(3600), length(172_800), length(90)
    ('5 min', 'h', '2 days', '90 s')
    """
    for size, unit in ((604800, "week"), (86400, "day"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            number = seconds // size
            return unit if number == 1 else f"{number} {unit}{'s' if size >= 86400 else ''}"
    return f"{seconds} s"


def plain(text: object) -> str:
    """Returns a text as matplotlib shows it: no formulas, no control characters, and no legend that is left out."""
    shown = printable("-" if text is None else str(text)).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def cut(text: str, most: int = 40) -> str:
    """Shortens a text in its middle."""
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 2 + 3 :]}"


def set_figures(axis: Any, unit: str) -> None:
    """Makes an axis show numbers with a unit."""
    from matplotlib.ticker import Formatter, MaxNLocator

    class Figures(Formatter):
        def format_ticks(self, values: Any) -> list[str]:
            return figures([float(value) for value in values], unit)

        def __call__(self, x: float, pos: int | None = None) -> str:  # under the mouse
            return figures([x], unit)[0]

    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=unit not in ("", "B") and "/" not in unit))
    axis.set_major_formatter(Figures())


def set_times(axes: Axes) -> None:
    """Makes the x axis show times in UTC, as ``23 Jun 06:00``."""
    from matplotlib.dates import AutoDateLocator
    from matplotlib.ticker import Formatter

    class Times(Formatter):
        def format_ticks(self, values: Any) -> list[str]:
            return times([_at(value) for value in values])

        def __call__(self, x: float, pos: int | None = None) -> str:
            return times([_at(x)])[0]

    locator: Any = AutoDateLocator
    axes.xaxis.set_major_locator(locator(minticks=3, maxticks=7, tz=datetime.timezone.utc))
    axes.xaxis.set_major_formatter(Times())
    axes.set_xlabel("time (UTC)")


def _at(days: float) -> datetime.datetime:
    """The time of a number of matplotlib's, days since 1970, in whole seconds."""
    return datetime.datetime.fromtimestamp(round(days * 86400), datetime.timezone.utc)


def times(values: Sequence[datetime.datetime]) -> list[str]:
    """Formats the times of an axis alike: with seconds, minutes, days or years, as they need.

    >>> day = datetime.datetime(2026, 6, 23, 6)
    >>> times([day, day + datetime.timedelta(hours=6)]), times([day.replace(hour=0)])
    (['23 Jun 06:00', '23 Jun 12:00'], ['23 Jun'])
    """
    clock = ""
    if any((at.hour, at.minute, at.second) != (0, 0, 0) for at in values):
        clock = " %H:%M:%S" if any(at.second for at in values) else " %H:%M"
    years = len({at.year for at in values}) > 1
    return [f"{at.day} {_MONTHS[at.month - 1]}{f' {at.year}' if years else ''}{at.strftime(clock)}" for at in values]
