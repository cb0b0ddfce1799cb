"""Plots of results, by matplotlib (extra ``notebook``)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ..errors import PlanError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .result import Result

_NUMBERS = ("int32", "int64", "int128", "float64")


class Plot:
    """What ``result.plot`` gives. Each method draws into ``ax``, or a new figure, and returns the matplotlib axes.

    Complexity: one Python value per row; meant for the thousands of rows of a grouping, not for raw records.
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def _axes(self, ax: Axes | None) -> Axes:
        if ax is not None:
            return ax
        from matplotlib import pyplot

        return pyplot.subplots(figsize=(9, 3.5))[1]

    def _columns(self, kinds: tuple[str, ...]) -> list[str]:
        return [name for name, kind in self._result.schema if kind in kinds]

    def _value(self, y: str | None) -> str:
        if y is not None:
            return y
        keys = {name for name, kind in self._result.schema[:1] if kind in _NUMBERS}
        names = [n for n in self._columns(_NUMBERS) if n not in keys] or self._columns(_NUMBERS)
        if not names:
            raise PlanError("plot: no numeric column to draw")
        return names[0]

    def line(self, y: str | None = None, *, ax: Axes | None = None, **style: Any) -> Axes:
        """Draws a column over time, one line for each value of the first key beside it.

        ``y``: the column, by default the first numeric one. Needs a result of ``group_by(..., every=...)``.
        """
        times = self._columns(("time",))
        if not times:
            raise PlanError("plot.line needs a time column: group_by(..., every='5m')")
        y = self._value(y)
        keys = [n for n, kind in self._result.schema if kind in ("address", "text") and n != y]
        series: dict[str, list[tuple[Any, Any]]] = {}
        for row in self._result:
            if row[times[0]] is None:
                continue
            at = datetime.datetime.fromtimestamp(row[times[0]], datetime.timezone.utc)
            label = str(row[keys[0]]) if keys else y
            series.setdefault(label, []).append((at, row[y]))
        axes = self._axes(ax)
        for label, points in series.items():
            points.sort(key=lambda p: p[0])
            axes.plot([p[0] for p in points], [p[1] for p in points], **{"label": label, **style})
        axes.set_ylabel(y)
        if keys and series:
            axes.legend()
        return axes

    def bar(self, y: str | None = None, *, ax: Axes | None = None, **style: Any) -> Axes:
        """Draws a column as horizontal bars, one for each row in its order, named by the keys. At most 50 rows."""
        y = self._value(y)
        rows = self._result.rows()[:50]
        position = self._result.columns.index(y)
        names = self._result.columns[: max(position, 1)]
        labels = [" ".join("-" if row[n] is None else str(row[n]) for n in names if n != y) for row in rows]
        axes = self._axes(ax)
        places = list(range(len(rows)))
        axes.barh(places, [row[y] or 0 for row in rows], **style)
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.set_xlabel(y)
        return axes
