"""Measures over time: areas on top of each other, in the steps of their bins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..query.axis import figure, length
from . import drawing as d
from .chart import Chart, Row

ALL = "all"
OTHER = "other"
_HEIGHT = 150
_LEFT = 66
_STEPS = (
    60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400, 172800, 604800, 2419200, 31536000,
    315360000,
)  # fmt: skip
BINS = 96  # that a picture has of itself
MOST_BINS = 2000  # that it has room for


def step_for(span: int, most: int = BINS) -> int:
    """Returns the length of bins in seconds, so that a span has at most ``most`` of them.

    >>> step_for(3600), step_for(86400), step_for(30 * 86400)
    (60, 900, 28800)
    """
    return next((step for step in _STEPS if span / step <= most), _STEPS[-1])


class Timeline(Chart):
    """A measure over time, of one series or of several on top of each other. ``rows``: ``time`` (the beginning of a
    bin, Unix seconds), ``series``, ``value``; bins without records are 0. ``every``: the length of a bin. ``colours``:
    numbers of colours of series; others take theirs by their place."""

    def __init__(
        self, title: str, unit: str, every: int, rows: Iterable[Row], note: str = "",
        colours: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        columns = [("time", "time"), ("series", "text"), ("value", "int64")]
        super().__init__(title, unit, columns, list(rows), note)
        self.every, self._colours = every, {OTHER: 7, **(colours or {})}
        self.series: list[str] = list(dict.fromkeys(row["series"] for row in self.rows))

    def _bins(self) -> tuple[list[int], dict[str, list[float]]]:
        """Returns the beginnings of all bins, and the values of each series in them."""
        moments = [row["time"] for row in self.rows]
        begins = list(range(min(moments), max(moments) + 1, self.every))
        place = {begin: number for number, begin in enumerate(begins)}
        values = {name: [0.0] * len(begins) for name in self.series}
        for row in self.rows:
            values[row["series"]][place[row["time"]]] += row["value"]
        return begins, values

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        begins, values = self._bins()
        first, end = begins[0], begins[-1] + self.every
        tops = [0.0] * len(begins)
        most = max(map(sum, zip(*values.values())))
        left, right, top = _LEFT, d.WIDTH - d.RIGHT, d.TOP + 12
        grid, peak = d.y_axis(most, self.unit, left, right, top, _HEIGHT)
        out = [d.label(0, 11, f"per {length(self.every)}, times in UTC", kind="s")]
        out += grid
        width = (right - left) / (end - first)

        def x(moment: int) -> str:
            return d.at(left + (moment - first) * width)

        def y(value: float) -> str:
            return d.at(top + _HEIGHT * (1 - value / peak))

        edges = [*begins[1:], end]
        for number, name in enumerate(self.series):
            below, tops = tops, [low + value for low, value in zip(tops, values[name])]
            way = f"M{x(first)} {y(below[0])}" + "".join(_stairs(begins, edges, tops, x, y))
            way += "".join(_stairs(edges[::-1], begins[::-1], below[::-1], x, y)) + "Z"
            shown = f"{name}: {figure(sum(values[name]), self.unit)}"
            out.append(d.path(way, f"c{self._colour_of(number)} e", shown))
        out += d.x_axis(first, end, left, right, top + _HEIGHT)
        height = float(top + _HEIGHT + d.BOTTOM)
        if self.series != [ALL]:
            names = [(f"c{self._colour_of(number)}", name) for number, name in enumerate(self.series)]
            drawn, more = d.legend(names, left, height + 14)
            out, height = out + drawn, height + more
        return out, height

    def _colour_of(self, number: int) -> int:
        return self._colours.get(self.series[number], number % 7)

    def colours(self) -> list[str]:
        """Returns the colours of the series, on light."""
        return [d.LIGHT[self._colour_of(number)] for number in range(len(self.series))]

    def altair(self) -> Any:
        """Returns it as an Altair chart."""
        from .vega import timeline

        return timeline(self)


def _stairs(begins: list[int], ends: list[int], values: list[float], x: Any, y: Any) -> Iterable[str]:
    """Yields the way along the tops of bins; bins of the same value are one step."""
    last = len(values) - 1
    for number, (begin, end, value) in enumerate(zip(begins, ends, values)):
        if number == 0:
            yield f"L{x(begin)} {y(value)}"
        elif values[number - 1] != value:
            yield f"V{y(value)}"
        if number == last or values[number + 1] != value:
            yield f"H{x(end)}"
