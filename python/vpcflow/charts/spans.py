"""Spans over time: what the logs have of interfaces, and when incidents were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._display import instant
from . import drawing as d
from .chart import Chart, Row

_HIGH = 18


class Spans(Chart):
    """Lines with spans of time. ``rows``: ``line``, ``kind``, ``start`` and ``end`` (Unix seconds), ``what``.
    ``kinds``: the classes of each kind, and the share of the line's height that it takes, so that colour is not all
    that tells them apart."""

    def __init__(
        self, title: str, lines: Sequence[str], kinds: Mapping[str, tuple[str, float]], rows: list[Row], note: str = ""
    ) -> None:
        columns = [("line", "text"), ("kind", "text"), ("start", "time"), ("end", "time"), ("what", "text")]
        super().__init__(title, "", columns, rows, note)
        self.lines, self.kinds = list(lines), dict(kinds)

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        left = min(max(map(len, self.lines)), 38) * d.LETTER + 12
        right, top = d.WIDTH - d.RIGHT, d.TOP
        first, end = min(row["start"] for row in self.rows), max(row["end"] for row in self.rows)
        scale = (right - left) / max(end - first, 1)
        y = {line: top + number * _HIGH for number, line in enumerate(self.lines)}
        out = [d.label(left - 6, y[line] + 12, line, anchor="end", most=38) for line in self.lines]
        for row in self.rows:
            kind, share = self.kinds[row["kind"]]
            high = (_HIGH - 4) * share
            begin = left + (row["start"] - first) * scale
            width = max((row["end"] - row["start"]) * scale, 1.5)
            title = f"{row['kind']}, {instant(row['start'])} to {instant(row['end'])} UTC"
            title = f"{title}: {row['what']}" if row["what"] else title
            place = y[row["line"]] + 1 + (_HIGH - 4 - high)
            out.append(d.box(min(begin, right - width), place, width, high, kind, title))
        bottom = top + len(self.lines) * _HIGH
        out += [*d.x_axis(first, end, left, right, bottom), d.label(0, bottom + 17, "UTC", kind="s")]
        used = [kind for kind in self.kinds if any(row["kind"] == kind for row in self.rows)]
        drawn, more = d.legend([(self.kinds[kind][0], kind) for kind in used], left, bottom + d.BOTTOM + 14)
        return out + drawn, bottom + d.BOTTOM + 14 + more

    def altair(self) -> Any:
        """Returns it as an Altair chart."""
        from .vega import spans

        return spans(self)
