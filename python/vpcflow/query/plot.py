"""Plots of results, by matplotlib (extra ``notebook``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, PlanError
from .axis import plain
from .drawing import BARS, Picture, Series, coverage, grouped, largest, new_axes, shown
from .meaning import Meaning, meanings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .result import Result

_PANELS = 6
_GROUP = "flows.group_by(every='5m').agg(bytes=vf.sum('bytes')).collect().plot()"


#: Arguments of pandas' plot, with what there is in place of them.
_OF_PANDAS = {
    "kind": "plot.bar() or plot.line()", "x": "plot('bytes', by='action'), where keys and time find their axis",
    "stacked": "vf.charts.top_n(flows, 'srcaddr')", "subplots": "plot.facets('action')",
    **dict.fromkeys(("title", "logy", "rot", "grid", "legend"), "it on the axes that it returns: ax.set_title('...')"),
    "figsize": "plot(ax=pyplot.subplots(figsize=(8, 4))[1])",
}  # fmt: skip


def _refuse_of_pandas(style: Mapping[str, Any]) -> None:
    """Raises :class:`~vpcflow.ArgumentError` for arguments of pandas, which matplotlib would not understand."""
    for name in style:
        if name in _OF_PANDAS:
            right = f"{_OF_PANDAS[name]}, or result.to_pandas().plot(...)"
            raise ArgumentError(f"plot: no argument {name!r}; write {right}")


class Plot:
    """What ``result.plot`` is: called, it chooses the picture by the kinds of columns; ``line`` and ``bar`` name it.

    Time goes on x, keys (addresses, texts, ports, protocols, ...) name series or bars, and only measures (sums, counts,
    means, ...) are drawn. Axes have units: GB, k, times in UTC. Of many series or bars the largest are drawn, and the
    picture says of how many. Of :meth:`vpcflow.Flows.coverage` it draws the spans of interfaces.

    Each draws into ``ax``, or a new figure, and returns the matplotlib axes; ``facets`` makes a panel for each value of
    a key. :class:`~vpcflow.PlanError` says what cannot be drawn, and the query that can.

    Complexity: one Python value per row; meant for the thousands of rows of a grouping, not for raw records.

    >>> import vpcflow as vf
    >>> log = b"srcaddr bytes start end\\n10.0.0.1 4000 0 60\\n10.0.0.2 9000 60 120\\n"
    >>> axes = vf.scan(log).group_by(every="1m").agg(vf.sum("bytes")).collect().plot()
    >>> axes.get_ylabel(), axes.get_xlabel()
    ('bytes per min', 'time (UTC)')
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self._meanings = meanings(result.schema, result._asked)

    def __call__(self, y: str | None = None, *, by: str | None = None, ax: Axes | None = None, **style: Any) -> Axes:
        """Draws a measure: over time as lines if the result has a time column, else as bars.

        ``y``: the measure, by default the first. ``by``: the key whose values are series, by default all that are not
        on an axis; ``""`` for none. ``style`` goes to matplotlib.
        """
        _refuse_of_pandas(style)
        if self._result.columns == ["interface_id", "seen", "start", "end", "minutes"]:
            if not len(self._result):
                raise PlanError("plot: nothing to draw: the result has no rows")
            return coverage(self._result.rows(), ax)
        return self.bar(y, by=by, ax=ax, **style) if self._time() is None else self.line(y, by=by, ax=ax, **style)

    def line(self, y: str | None = None, *, by: str | None = None, ax: Axes | None = None, **style: Any) -> Axes:
        """Draws a measure over time, one line for each value of the keys. Needs a result of ``group_by(every=...)``."""
        _refuse_of_pandas(style)
        picture, series = self._lines(y, by, self._named("key"))
        axes = new_axes(1, 3.5)[0] if ax is None else ax
        picture.lines(axes, picture.rows, series, style)
        return axes

    def bar(self, y: str | None = None, *, by: str | None = None, ax: Axes | None = None, **style: Any) -> Axes:
        """Draws a measure as horizontal bars, named by the keys: in the order of the rows, of more than twenty the
        largest."""
        _refuse_of_pandas(style)
        picture, names, series = self._bars(y, by, self._named("key"))
        bars = grouped(picture.rows, names)
        axes = new_axes(1, 1.2 + 0.26 * min(len(bars), BARS))[0] if ax is None else ax
        picture.bars(axes, picture.rows, names, series, style)
        return axes

    def facets(self, key: str, y: str | None = None, *, by: str | None = None, **style: Any) -> list[Axes]:
        """Draws a panel for each value of a key, of more than six the largest, and returns their axes."""
        self._check_key(key, "facets")
        others = [name for name in self._named("key") if name != key]
        over_time = self._time() is not None
        picture = self._picture(y, by)
        lines = self._lines(y, by, others)[1] if over_time else None
        names, colours = ([], None) if over_time else self._bars(y, by, others)[1:]
        groups = grouped(picture.rows, [key])
        chosen = largest(groups, picture.y, _PANELS)
        panels = new_axes(len(chosen), 2.4, share=over_time)
        for axes, (value, own) in zip(panels, chosen):
            if lines is not None:
                picture.lines(axes, own, lines, style)
                axes.label_outer()
            else:
                picture.bars(axes, own, names, colours, style)
            axes.set_title(plain(f"{key} {shown(key, value[0])}"), loc="left", fontsize="medium")
        if len(chosen) < len(groups):
            panels[0].set_title(f"the {len(chosen)} largest of {len(groups):,}", loc="right", fontsize="small")
        return panels

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"plot has no {name!r}; it has plot(), plot.line(), plot.bar() and plot.facets('action'); for others "
                "result.to_pandas().plot"
            )

    # -- choosing -------------------------------------------------------------------------------------------------

    def _named(self, role: str) -> list[str]:
        return [name for name, meaning in self._meanings.items() if meaning.role == role]

    def _time(self) -> str | None:
        times = self._named("time")
        return "time" if "time" in times else times[0] if times else None

    def _lines(self, y: str | None, by: str | None, keys: list[str]) -> tuple[Picture, Series]:
        time = self._time()
        if time is None:
            raise PlanError(f"plot.line needs a time column: {_GROUP}")
        picture = self._picture(y, by)
        own = keys if by is None else [by] if by else []
        if len(own) < len(keys) and not picture.meaning.adds_up:
            raise PlanError(f"plot: {picture.y} of several keys does not add up; group by the keys that are to be seen")
        return picture, Series.of(own, picture)

    def _bars(self, y: str | None, by: str | None, keys: list[str]) -> tuple[Picture, list[str], Series | None]:
        picture = self._picture(y, by)
        time = self._time()
        if not keys and time is None and len(picture.rows) == 1:
            raise PlanError(f"plot: the result is one row of totals; group it: {_GROUP}")
        by = _colouring(picture, keys) if by is None else by or None
        names = [*([time] if time else []), *(key for key in keys if key != by)]
        if by is not None and not names:
            names, by = [by], None
        return picture, names, None if by is None else Series.of([by], picture)

    def _picture(self, y: str | None, by: str | None) -> Picture:
        """Checks what is asked for."""
        asked = self._result._asked
        if not len(self._result):
            raise PlanError(f"plot: nothing to draw: the result has no rows ({self._result.report})")
        if asked.known and not asked.grouped:
            raise PlanError(f"plot: each row is a record or a session; group them: {_GROUP}")
        y = self._measure(y)
        if by:
            self._check_key(by, "by")
        rows = [row for row in self._result if row[y] is not None]
        if not rows:
            raise PlanError(f"plot: nothing to draw: all values of {y} are null")
        return Picture(rows, y, self._meanings[y], self._time() or "", asked.every)

    def _measure(self, y: str | None) -> str:
        measures = self._named("measure")
        if y is None:
            if not measures:
                known = ", ".join(f"{name} is {meaning.because}" for name, meaning in self._meanings.items())
                raise PlanError(f"plot: no measure to draw: {known}; compute one: {_GROUP}")
            return measures[0]
        meaning: Meaning | None = self._meanings.get(y)
        if meaning is None:
            self._result[y]  # raises, with the nearest name
        elif meaning.role != "measure":
            there = f"measures are {', '.join(measures)}" if measures else "there is no measure"
            raise PlanError(f"plot: {y} is {meaning.because}, which is not drawn as an amount; {there}")
        return y

    def _check_key(self, name: str, argument: str) -> None:
        keys = self._named("key")
        if name not in keys:
            raise PlanError(f"plot: {argument}={name!r} is no key of the result; keys are {', '.join(keys) or 'none'}")


def _colouring(picture: Picture, keys: list[str]) -> str | None:
    """The key whose values colour stacked bars: of several the one with the fewest, if those are few."""
    if len(keys) < 2 or not picture.meaning.adds_up:
        return None
    different = {key: len({row[key] for row in picture.rows}) for key in keys}
    fewest = min(different, key=lambda key: different[key])
    return fewest if different[fewest] <= 6 else None
