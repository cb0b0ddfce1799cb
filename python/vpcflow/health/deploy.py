"""Before and after a deploy: the same hours of both, edge by edge, with those named that show what else changed."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any

from .._display import instant, length
from .._keyed import Keyed
from .._units import unix_seconds
from ..errors import PlanError
from ..typing import Instant
from .edges import Counts, Series
from .intervals import difference, discoveries, exact_p, ratio
from .naming import is_inside

_DAY, _WEEK = 86400, 7 * 86400
_FALSE = 0.05  # the share of false discoveries
_SURELY = 0.001  # an edge whose absence is likelier than this is not called gone
_LEAST = 20  # attempts on both sides of a control edge


@dataclasses.dataclass(frozen=True)
class DeployEdge(Keyed):
    """An edge before and after a deploy."""

    client: str
    server: str
    port: int | None
    protocol: int | None
    #: ``"new"``, ``"gone"``, ``"worse"``, ``"better"``, ``"same"``; ``"rare"``: on one side only, by chance, as
    #: a stranger, or as tries that nobody answers.
    change: str
    attempts_before: int
    attempts: int
    answered_before: float | None
    answered: float | None
    #: The 95 % interval of the difference of both shares.
    low: float | None
    high: float | None
    #: Of Fisher's exact test, not corrected; ``change`` is corrected over all edges.
    p: float | None
    #: Sessions and bytes a bin, after divided by before, each with its 95 % interval; ``None`` where a side is empty.
    sessions_ratio: tuple[float, float, float] | None
    bytes_ratio: tuple[float, float, float] | None
    #: Whether it shows what changed besides: enough traffic on both sides, and the same answered share.
    control: bool

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        out = super().as_dict()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in out.items()}


@dataclasses.dataclass(frozen=True)
class Deploy:
    """A comparison of the same hours before and after a point in time."""

    time: int
    #: Unix seconds of both windows: begin and end.
    before: tuple[int, int]
    after: tuple[int, int]
    edges: tuple[DeployEdge, ...]
    #: How the control edges changed in sessions, after divided by before; ``None`` without any.
    control_ratio: float | None
    notes: tuple[str, ...]

    @property
    def changed(self) -> list[DeployEdge]:
        """Those that are new, gone, worse or better."""
        return [edge for edge in self.edges if edge.change not in ("same", "rare")]


def deploy_of(all_series: Sequence[Series], at: Instant, every: int, first: int, last: int) -> Deploy:
    """Compares what came after ``at`` with the same hours of the week before, else of the day before, else with what
    came right before. ``first``, ``last``: bins of the logs. :class:`~vpcflow.PlanError` for a time outside them."""
    time = unix_seconds("deploy", at)
    if time is None or not first * every < time < (last + 1) * every:
        span = f"{instant(first * every)} to {instant((last + 1) * every)} UTC"
        raise PlanError(f"deploy={at!r}: no record before it, or none after it; the logs cover {span}")
    begin = -(-time // every)  # the bin that the deploy is in is on neither side
    notes = []
    size = min(last + 1 - begin, _DAY // every)
    for shift, name in ((_WEEK, "a week"), (_DAY, "a day")):
        if begin - shift // every >= first and size <= shift // every:
            before = begin - shift // every
            notes.append(f"compared with the same hours {name} before")
            break
    else:
        own = time // every
        size = max(1, min(size, own - first))
        before = own - size
        notes.append(
            f"the logs do not reach back a day: compared with the {length(size * every)} right before, whose hours are "
            "others"
        )
    sides = (before, before + size), (begin, begin + size)
    edges = _compared(all_series, sides)
    ratios = [edge.sessions_ratio[0] for edge in edges if edge.control and edge.sessions_ratio]
    if not ratios:
        notes.append("no control edge: nothing shows whether traffic as a whole changed")
    return Deploy(
        time, (sides[0][0] * every, sides[0][1] * every), (sides[1][0] * every, sides[1][1] * every), tuple(edges),
        statistics.median(ratios) if ratios else None, tuple(notes),
    )  # fmt: skip


def _compared(all_series: Sequence[Series], sides: tuple[tuple[int, int], tuple[int, int]]) -> list[DeployEdge]:
    found = []
    for series in all_series:
        before, after = (series.total(*side) for side in sides)
        if before.sessions or after.sessions:
            found.append((series, before, after))
    known = [_share_p(before, after) for _, before, after in found]
    limit = discoveries([1.0 if p is None else p for p in known], _FALSE)
    out = []
    for (series, before, after), p in zip(found, known):
        bins = [_bins(series, side) for side in sides]
        change = _change(before, after, p is not None and p <= limit, is_inside(series.key.client))
        both = before.is_known and after.is_known
        low, high = difference(after.answered, after.known, before.answered, before.known) if both else (None, None)
        out.append(
            DeployEdge(
                *series.key, change=change, attempts_before=before.attempts, attempts=after.attempts,
                answered_before=before.answered / before.known if before.is_known else None,
                answered=after.answered / after.known if after.is_known else None, low=low, high=high, p=p,
                sessions_ratio=ratio([one.sessions for one in bins[1]], [one.sessions for one in bins[0]]),
                bytes_ratio=ratio([one.bytes for one in bins[1]], [one.bytes for one in bins[0]]),
                control=change == "same" and both and before.answered > 0 and min(before.known, after.known) >= _LEAST,
            )
        )  # fmt: skip
    order = {"gone": 0, "worse": 1, "new": 2, "better": 3, "same": 4, "rare": 5}
    return sorted(out, key=lambda edge: order[edge.change])


def _bins(series: Series, side: tuple[int, int]) -> list[Counts]:
    """The bins of a side that count; those without sessions are empty ones."""
    none = Counts()
    return [series.bins.get(number, none) for number in range(*side) if number not in series.left_out]


def _share_p(before: Counts, after: Counts) -> float | None:
    if not (before.is_known and after.is_known):
        return None
    return exact_p(after.answered, after.known, before.answered, before.known)


def _change(before: Counts, after: Counts, differs: bool, inside: bool) -> str:
    if not before.sessions or not after.sessions:
        there = before if before.sessions else after
        # As many sessions would be missed by chance as rarely as e to the power of minus their number.
        if not inside or not there.answered or math.exp(-there.sessions) >= _SURELY:
            return "rare"  # strangers, and tries that nobody answers, come and go
        return "gone" if before.sessions else "new"
    if not differs:
        return "same"
    return "worse" if after.answered / after.known < before.answered / before.known else "better"
