"""The charts by Altair, with the same rows, units and order as the pictures of our own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._display import printable
from . import drawing as d

if TYPE_CHECKING:
    from .flow import NodeGraph, Sankey
    from .heat import HeatMap
    from .over_time import Timeline
    from .spans import Spans

_WIDTH = 680
_CURVE = 24  # points of a ribbon


def _data(rows: list[dict[str, Any]]) -> Any:
    """Returns rows as inline data: no limit of rows, no server."""
    import altair

    return altair.InlineData(values=rows)


def _texts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: printable(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]


def _utc(name: str) -> dict[str, Any]:
    import altair

    return {"shorthand": f"{name}:T", "title": "time (UTC)", "scale": altair.Scale(type="utc")}


def _moment(name: str, title: str = "time (UTC)") -> Any:
    import altair

    return altair.Tooltip(f"{name}:T", timeUnit="utcyearmonthdatehoursminutesseconds", title=title)


def _amount(unit: str) -> str:
    return ".3~s" if unit in ("B", "packets", "records") else ",.0f"


def _named(unit: str, every: int = 0) -> str:
    from ..query.axis import length

    name = {"B": "bytes"}.get(unit, unit)
    return f"{name} per {length(every)}" if every else name


def _finished(chart: Any, own: Any) -> Any:
    import altair

    title = altair.TitleParams(printable(own.title), subtitle=own.note, anchor="start")
    return chart.properties(title=title)


def timeline(own: Timeline) -> Any:
    """Draws areas on top of each other."""
    import altair as alt

    begins, values = own._bins()
    rows = [
        {"time": begin * 1000, "series": printable(name), "value": values[name][place], "order": number}
        for number, name in enumerate(own.series)
        for place, begin in enumerate(begins)
    ]
    names = [printable(name) for name in own.series]
    chart = alt.Chart(_data(rows)).mark_area(interpolate="step-after").encode(
        x=alt.X(**_utc("time")),
        y=alt.Y("value:Q", stack="zero", title=_named(own.unit, own.every), axis=alt.Axis(format=_amount(own.unit))),
        color=alt.Color("series:N", sort=names, scale=alt.Scale(domain=names, range=own.colours()), title=None),
        order=alt.Order("order:Q"),
        tooltip=[_moment("time"), "series:N", alt.Tooltip("value:Q", format=",.0f", title=_named(own.unit))],
    )  # fmt: skip
    return _finished(chart.properties(width=_WIDTH, height=180), own)


def heat(own: HeatMap) -> Any:
    """Draws cells whose colour goes by the logarithm of their value."""
    import altair as alt

    rows = _texts(own.rows)
    order = [printable(line) for line in own.lines]
    if own.every:
        rows = [{**row, "column": row["column"] * 1000, "end": (row["column"] + own.every) * 1000} for row in rows]
        x: dict[str, Any] = {"x": alt.X(**_utc("column")), "x2": "end:T"}
    else:
        across = [printable(name) for name in own.across]
        x = {"x": alt.X("column:N", sort=across, title=None, axis=alt.Axis(orient="top", labelAngle=0))}
    scale = alt.Scale(type="symlog", scheme="blues")
    chart = alt.Chart(_data(rows)).mark_rect().encode(
        y=alt.Y("row:N", sort=order, title=None),
        color=alt.Color("value:Q", scale=scale, title=_named(own.unit), legend=alt.Legend(format=_amount(own.unit))),
        tooltip=["row:N", alt.Tooltip("value:Q", format=",.0f", title=_named(own.unit))],
        **x,
    )  # fmt: skip
    return _finished(chart.properties(width=_WIDTH), own)


def spans(own: Spans) -> Any:
    """Draws bars from start to end."""
    import altair as alt

    rows = [{**row, "start": row["start"] * 1000, "end": row["end"] * 1000} for row in _texts(own.upwards())]
    kinds = list(own.kinds)
    colours = [{"o": "#f3c9a5"}.get(cls) or d.LIGHT[int(cls[1:])] for cls, _ in own.kinds.values()]
    chart = alt.Chart(_data(rows)).mark_bar(minBandSize=3).encode(
        x=alt.X(**_utc("start")), x2="end:T",
        y=alt.Y("line:N", sort=[printable(line) for line in own.lines], title=None),
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=colours), title=None),
        tooltip=["line:N", "kind:N", "what:N", _moment("start", "start"), _moment("end", "end")],
    )  # fmt: skip
    return _finished(chart.properties(width=_WIDTH), own)


def _blank(field: str, high: bool = False) -> Any:
    import altair as alt

    scale = alt.Scale(reverse=True, zero=False, nice=False) if high else alt.Scale(zero=False, nice=False)
    return (alt.Y if high else alt.X)(f"{field}:Q", axis=None, scale=scale)


def sankey(own: Sankey) -> Any:
    """Draws ribbons between boxes, laid out as in the picture of our own."""
    import altair as alt

    nodes, ribbons = own.layout()
    rows = []
    for number, ribbon in enumerate(ribbons):
        begin, end = ribbon.source.x + 12, ribbon.target.x
        for step in range(_CURVE + 1):
            share = step / _CURVE
            y = ribbon.y0 + (ribbon.y1 - ribbon.y0) * (1 - math.cos(math.pi * share)) / 2
            rows.append({
                "x": begin + (end - begin) * share, "y": y, "y2": y + ribbon.wide, "link": number,
                "source": printable(ribbon.source.name), "target": printable(ribbon.target.name),
                "value": ribbon.value,
            })  # fmt: skip
    boxes = [
        {"x": n.x, "x2": n.x + 12, "y": n.y, "y2": n.y + n.high, "name": printable(n.name), "value": n.value}
        for n in nodes
    ]
    links = alt.Chart(_data(rows)).mark_area(opacity=0.45).encode(
        x=_blank("x"), y=_blank("y", True), y2="y2:Q", detail="link:N", color=alt.Color("source:N", legend=None),
        tooltip=["source:N", "target:N", alt.Tooltip("value:Q", format=_amount(own.unit), title=_named(own.unit))],
    )  # fmt: skip
    drawn = alt.Chart(_data(boxes)).mark_rect(color=d.LIGHT[7]).encode(
        x=_blank("x"), x2="x2:Q", y=_blank("y", True), y2="y2:Q", tooltip=["name:N", "value:Q"]
    )  # fmt: skip
    names = alt.Chart(_data(boxes)).mark_text(align="left", dx=14, dy=6, baseline="top").encode(
        x=_blank("x"), y=_blank("y", True), text="name:N"
    )  # fmt: skip
    return _finished(alt.layer(links, drawn, names).properties(width=_WIDTH, height=320), own)


def graph(own: NodeGraph) -> Any:
    """Draws lines between nodes on a circle."""
    import altair as alt

    places = own.places()
    lines = [
        {"x": places[row["source"]][0], "y": places[row["source"]][1], "x2": places[row["target"]][0],
         "y2": places[row["target"]][1], **row}
        for row in own.rows
    ]  # fmt: skip
    nodes = [
        {"x": x, "y": y, "size": size * size * 4, "name": printable(name)} for name, (x, y, size) in places.items()
    ]
    edges = alt.Chart(_data(_texts(lines))).mark_rule(opacity=0.45).encode(
        x=_blank("x"), y=_blank("y", True), x2="x2:Q", y2="y2:Q",
        size=alt.Size("value:Q", legend=None),
        color=alt.Color("rejected:N", scale=alt.Scale(domain=[False, True], range=[d.LIGHT[0], d.LIGHT[1]])),
        strokeDash=alt.StrokeDash("rejected:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [5, 4]])),
        tooltip=["source:N", "target:N", alt.Tooltip("value:Q", format=_amount(own.unit), title=_named(own.unit))],
    )  # fmt: skip
    points = alt.Chart(_data(nodes)).mark_circle(color=d.LIGHT[0], opacity=1).encode(
        x=_blank("x"), y=_blank("y", True), size=alt.Size("size:Q", scale=None), tooltip="name:N"
    )  # fmt: skip
    names = alt.Chart(_data(nodes)).mark_text(dy=-12).encode(x=_blank("x"), y=_blank("y", True), text="name:N")
    both = alt.layer(edges, points, names).resolve_scale(size="independent")
    return _finished(both.properties(width=_WIDTH, height=420), own)
