"""Heat maps: ports by time, zones by zones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..query.axis import figure, length
from . import drawing as d
from .chart import Chart, Row

_SHADES = 5
_CELL = 20


class HeatMap(Chart):
    """A value for each pair of row and column. ``rows``: ``row``, ``column`` and ``value``; a pair without records has
    none. ``every``: the length of the columns' bins in seconds, 0 where columns are no times."""

    def __init__(
        self, title: str, unit: str, every: int, lines: Sequence[str], across: Sequence[Any], rows: list[Row],
        note: str = "",
    ) -> None:  # fmt: skip
        columns = [("row", "text"), ("column", "time" if every else "text"), ("value", "int64")]
        super().__init__(title, unit, columns, rows, note)
        self.every, self.lines, self.across = every, list(lines), list(across)

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        left = min(max(map(len, self.lines)), 34) * d.LETTER + 12
        right, top = d.WIDTH - d.RIGHT, d.TOP + (0 if self.every else 20)
        size = _CELL if self.every else 30
        width = (right - left) / len(self.across) if self.every else min((right - left) / len(self.across), 110)
        x = {column: left + number * width for number, column in enumerate(self.across)}
        y = {line: top + number * size for number, line in enumerate(self.lines)}
        bounds = self._bounds()
        out = [d.label(left - 6, y[line] + size / 2 + 4, line, anchor="end", most=34) for line in self.lines]
        if not self.every:
            out += [d.label(x[c] + width / 2, top - 8, c, anchor="middle", most=int(width / d.LETTER)) for c in x]
        for row in self.rows:
            shade = self._shade(row["value"], bounds)
            shown = figure(row["value"], self.unit)
            title = f"{row['row']}: {shown}" if self.every else f"{row['row']} to {row['column']}: {shown}"
            at = (x[row["column"]], y[row["row"]])
            out.append(d.box(at[0], at[1], max(width - 0.6, 0.6), size - 2, f"h{shade}", title))
            if not self.every:
                out.append(d.label(at[0] + width / 2, at[1] + size / 2 + 3, shown, anchor="middle", kind=f"h{shade}t"))
        bottom = top + len(self.lines) * size
        if self.every:
            out += d.x_axis(self.across[0], self.across[-1] + self.every, left, right, bottom)
            bottom += d.BOTTOM
        names = [
            (f"h{number}", f"to {figure(int(bound + 1e-6), self.unit)}") for number, bound in enumerate(bounds) if bound
        ]  # fmt: skip
        drawn, more = d.legend(names, left, bottom + 16)
        if self.every:
            drawn.append(d.label(0, bottom + 16, f"per {length(self.every)}, UTC", kind="s"))
        return out + drawn, bottom + 16 + more

    def _bounds(self) -> list[float]:
        """Returns the upper ends of the shades: of the same factor, as values of traffic differ by powers of ten."""
        values = [row["value"] for row in self.rows if row["value"] > 0]
        if not values:
            return [0.0] * _SHADES
        low, high = math.log(min(values)), math.log(max(values))
        return [math.exp(low + (high - low) * (n + 1) / _SHADES) for n in range(_SHADES - 1)] + [float(max(values))]

    @staticmethod
    def _shade(value: float, bounds: list[float]) -> int:
        return next((n for n, bound in enumerate(bounds) if value <= bound * (1 + 1e-9)), _SHADES - 1)

    def altair(self) -> Any:
        """Returns it as an Altair chart."""
        from .vega import heat

        return heat(self)
