"""Drawing of plots: lines over time, bars, spans of interfaces."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .axis import cut, figure, label, plain, set_figures, set_times
from .meaning import Meaning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 20
_SERIES = 8  # lines or colours of one picture
_BINS = 100_000  # of a line; more than any picture has pixels
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#999999")
_SEEN = {"OK": "#0072b2", "NODATA": "#bbbbbb", "SKIPDATA": "#e69f00", "absent": "#f3c9a5"}

Row = dict[str, Any]
Groups = dict[tuple[Any, ...], list[Row]]


def grouped(rows: Sequence[Row], keys: Sequence[str]) -> Groups:
    """Groups rows by the values of keys, in the order of their first rows."""
    out: Groups = {}
    for row in rows:
        out.setdefault(tuple(row[key] for key in keys), []).append(row)
    return out


def largest(groups: Groups, y: str, most: int) -> list[tuple[tuple[Any, ...], list[Row]]]:
    """Returns the groups with the largest sums of a column, largest first."""
    return sorted(groups.items(), key=lambda item: -sum(row[y] for row in item[1]))[:most]


@dataclasses.dataclass(frozen=True)
class Series:
    """What lines or colours stand for: values of keys, largest first, and of how many."""

    keys: list[str]
    values: list[tuple[Any, ...]]
    there: int

    @staticmethod
    def of(keys: list[str], picture: Picture) -> Series:
        """Returns the largest series of all rows of a picture."""
        groups = grouped(picture.rows, keys)
        return Series(keys, [value for value, _ in largest(groups, picture.y, _SERIES)], len(groups))

    def legend(self, axes: Axes) -> None:
        """Draws the legend beside the axes."""
        title = plain(", ".join(self.keys))
        if len(self.values) < self.there:
            title += f"\nthe {len(self.values)} largest of {self.there:,}"
        _legend(axes, title)


@dataclasses.dataclass(frozen=True)
class Picture:
    """The data of a picture: the measure ``y`` of rows, and the column of their times with the length of its bins."""

    rows: list[Row]
    y: str
    meaning: Meaning
    time: str
    every: int

    def lines(self, axes: Axes, rows: list[Row], series: Series, style: dict[str, Any]) -> None:
        """Draws a line for each of the series."""
        groups = grouped([row for row in rows if row[self.time] is not None], series.keys)
        drawn = len(axes.lines)
        for number, value in enumerate(series.values):
            if value not in groups:
                continue
            at, amounts = self._points(groups[value])
            colour = _COLOURS[(drawn + number) % len(_COLOURS)]
            look = {"label": cut(_joined(series.keys, value)), "color": colour, **style}
            axes.plot(at, amounts, drawstyle="steps-post" if self.every else "default", **look)
            if len(series.values) == 1 and self.meaning.adds_up:
                step: Any = "post" if self.every else None
                axes.fill_between(at, amounts, step=step, alpha=0.15, color=look["color"])
        name, before = label(self.y, self.meaning.unit, self.every if self.meaning.adds_up else 0), axes.get_ylabel()
        axes.set_ylabel(name if before in ("", name) else f"{before}, {name}")
        set_figures(axes.yaxis, self.meaning.unit)
        set_times(axes)
        if self.meaning.adds_up:
            axes.set_ylim(bottom=0)
        if series.keys or "label" in style:
            series.legend(axes)

    def _points(self, rows: list[Row]) -> tuple[Any, list[float]]:
        """The points of a line. Bins without records are 0 for what adds up, else gaps."""
        sums: dict[int, float] = {}
        for row in rows:
            sums[row[self.time]] = sums.get(row[self.time], 0) + row[self.y]
        begins = sorted(sums)
        if self.every and (begins[-1] - begins[0]) // self.every < _BINS:
            begins = list(range(begins[0], begins[-1] + 1, self.every))
        nothing = 0.0 if self.meaning.adds_up else float("nan")
        amounts = [float(sums.get(at, nothing)) for at in begins]
        if self.every:  # the last bin has its length, too
            begins, amounts = [*begins, begins[-1] + self.every], [*amounts, amounts[-1]]
        return [datetime.datetime.fromtimestamp(at, datetime.timezone.utc) for at in begins], amounts

    def bars(self, axes: Axes, rows: list[Row], names: list[str], series: Series | None, style: dict[str, Any]) -> None:
        """Draws a bar for each value of the columns ``names``, stacked of the series."""
        groups = grouped(rows, names)
        chosen = list(groups.items()) if len(groups) <= BARS else largest(groups, self.y, BARS)
        ends = [0.0] * len(chosen)
        for number, value in enumerate([()] if series is None else series.values):
            keys = [] if series is None else series.keys
            widths = [float(sum(r[self.y] for r in own if tuple(r[k] for k in keys) == value)) for _, own in chosen]
            named = {} if series is None else {"label": cut(_joined(keys, value))}
            look = {"color": _COLOURS[number], **named, **style}
            drawn = axes.barh(range(len(chosen)), widths, left=ends, **look)
            ends = [end + width for end, width in zip(ends, widths)]
        if series is None or len(series.values) == series.there:
            axes.bar_label(drawn, [figure(end, self.meaning.unit) for end in ends], padding=3, fontsize="small")
            axes.margins(x=0.1)
        axes.set_yticks(range(len(chosen)), [cut(_joined(names, value)) for value, _ in chosen])
        axes.invert_yaxis()
        axes.set_ylabel(plain(", ".join(names)))
        axes.set_xlabel(label(self.y, self.meaning.unit, 0))
        set_figures(axes.xaxis, self.meaning.unit)
        if len(chosen) < len(groups):
            axes.set_title(f"the {len(chosen)} largest of {len(groups):,}", loc="right", fontsize="small")
        if series is not None:
            series.legend(axes)


def coverage(rows: list[Row], ax: Axes | None) -> Axes:
    """Draws what the logs have of each interface, those with the most gaps first."""
    interfaces = grouped(rows, ["interface_id"])
    worst = sorted(interfaces.items(), key=lambda item: -sum(r["minutes"] for r in item[1] if r["seen"] != "OK"))
    chosen = worst[:BARS]
    axes = new_axes(1, 1.2 + 0.26 * len(chosen))[0] if ax is None else ax
    for seen, colour in _SEEN.items():
        named: dict[str, Any] = {"label": seen}
        for place, (_, own) in enumerate(chosen):
            spans = [(row["start"] / 86400, (row["end"] - row["start"]) / 86400) for row in own if row["seen"] == seen]
            if spans:
                axes.broken_barh(spans, (place - 0.4, 0.8), color=colour, **named)
                named = {}
    axes.set_yticks(range(len(chosen)), [cut(plain(name[0])) for name, _ in chosen])
    axes.invert_yaxis()
    axes.set_ylabel("interface_id")
    axes.xaxis_date(tz=datetime.timezone.utc)
    set_times(axes)
    if len(chosen) < len(interfaces):
        title = f"the {len(chosen)} with most that is not OK, of {len(interfaces):,}"
        axes.set_title(title, loc="right", fontsize="small")
    _legend(axes, "seen")
    return axes


def new_axes(panels: int, height: float, share: bool = False) -> list[Axes]:
    """Makes the axes of a new figure, one below the other."""
    from matplotlib import pyplot

    _, axes = pyplot.subplots(
        panels, figsize=(9, height * panels), squeeze=False, sharex=share, sharey=share, layout="constrained"
    )
    return list(axes[:, 0])


def shown(key: str, value: Any) -> str:
    """Formats a value of a key for people: ports and protocols with their names."""
    if value is None:
        return "-"
    if key in ("dstport", "srcport", "client_port", "server_port"):
        names = {number: name for number, name, _ in _core.port_names()}
        return f"{value} {names[value]}" if names.get(value) else str(value)
    if key == "protocol":
        names = {number: name for number, name, _ in _core.protocol_names()}
        return names.get(value) or str(value)
    if key in ("time", "start", "end"):
        return f"{datetime.datetime.fromtimestamp(value, datetime.timezone.utc):%Y-%m-%d %H:%M}"
    return str(value)


def _joined(keys: Sequence[str], values: Sequence[Any]) -> str:
    return plain(" ".join(shown(key, value) for key, value in zip(keys, values)) or "all")


def _legend(axes: Axes, title: str) -> None:
    axes.legend(
        title=title or None, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize="small", frameon=False,
        title_fontsize="small",
    )  # fmt: skip
