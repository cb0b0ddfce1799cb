"""Spans over time: what the logs have of interfaces, and when incidents were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._display import instant
from . import drawing as d
from .chart import Chart, Row
from .over_time import step_for

_HIGH = 18
_MOST = 3000  # spans of a picture, beyond which they are joined
_BINS = 400  # that are then made of the time


class Spans(Chart):
    """Lines with spans of time. ``rows``: ``line``, ``kind``, ``start`` and ``end`` (Unix seconds), ``what``.
    ``kinds``: the classes of each kind, the one that matters most first, and the share of the line's height that it
    takes, so that colour is not all that tells them apart."""

    def __init__(
        self, title: str, lines: Sequence[str], kinds: Mapping[str, tuple[str, float]], rows: list[Row], note: str = ""
    ) -> None:
        columns = [("line", "text"), ("kind", "text"), ("start", "time"), ("end", "time"), ("what", "text")]
        super().__init__(title, "", columns, rows, note)
        self.lines, self.kinds = list(lines), dict(kinds)

    def upwards(self) -> list[Row]:
        """Returns the rows as they are drawn over each other: the first of the kinds last, so that nothing hides it."""
        order = {kind: number for number, kind in enumerate(self.kinds)}
        return sorted(self.rows, key=lambda row: -order[row["kind"]])

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        left = min(max(map(len, self.lines)), 38) * d.LETTER + 12
        right, top = d.WIDTH - d.RIGHT, d.TOP
        first, end = min(row["start"] for row in self.rows), max(row["end"] for row in self.rows)
        scale = (right - left) / max(end - first, 1)
        y = {line: top + number * _HIGH for number, line in enumerate(self.lines)}
        out = [d.label(left - 6, y[line] + 12, line, anchor="end", most=38) for line in self.lines]
        for row in self.upwards():
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


def coarser(rows: list[Row], kinds: Sequence[str]) -> tuple[list[Row], int]:
    """Returns spans that are few enough to be seen, and the length of the bins that they are made of, in seconds: 0 if
    they are as they were. Of a line's bin the kind is drawn that takes most of it; of equals the first of ``kinds``.

    >>> minutes = [{"line": "a", "kind": "bc"[n % 3 == 0], "start": 60 * n, "end": 60 * n + 60} for n in range(90_000)]
    >>> rows, size = coarser(minutes, ["b", "c"])
    >>> rows, size
    ([{'line': 'a', 'kind': 'b', 'start': 0, 'end': 5400000, 'what': ''}], 14400)
    """
    if len(rows) <= _MOST:
        return rows, 0
    size = step_for(max(row["end"] for row in rows) - min(row["start"] for row in rows), _BINS)
    taken: dict[str, dict[int, dict[str, int]]] = {row["line"]: {} for row in rows}
    for row in rows:
        bins, at = taken[row["line"]], row["start"]
        while at < row["end"] or at == row["start"]:
            until = min((at // size + 1) * size, max(row["end"], at + 1))
            own = bins.setdefault(at // size, {})
            own[row["kind"]] = own.get(row["kind"], 0) + until - at
            at = until
    out: list[Row] = []
    for line, bins in taken.items():
        for number in sorted(bins):
            kind = max(bins[number], key=lambda one: (bins[number][one], -kinds.index(one)))
            last = out[-1] if out and out[-1]["line"] == line else None
            if last is not None and last["kind"] == kind and last["end"] == number * size:
                last["end"] += size
            else:
                span = {"line": line, "kind": kind, "start": number * size, "end": (number + 1) * size, "what": ""}
                out.append(span)
    return out, size
