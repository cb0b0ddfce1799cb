"""Suspicions: what several changes, or a change and a limit, have in common. Each with its bounds; none is a proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._display import instant
from .._words import count
from .common import common_ends
from .edge import Change, Edge
from .edges import Series
from .limits import NatUse, Throughput
from .suspicion import Suspicion

_NEAR = 0.8  # of a limit
_MORE = 1.25  # as much demand as before
_LONG = 5  # minutes above a baseline without a break, as burst credits last that long at least


def suspicions(
    edges: Sequence[Edge], series: Sequence[Series], nat: Iterable[NatUse], bandwidth: Iterable[Throughput], every: int
) -> list[Suspicion]:  # fmt: skip
    """Returns what may be behind the changes, and which limits are near."""
    out = common_ends(series, every)
    for edge, own in zip(edges, series):
        out += [_demand(edge, own, change, every) for change in edge.changes if _grew(own, change, every)]
    for use in nat:
        if use.upper >= _NEAR * use.limit:
            to = f"{use.destination}{'' if use.port is None else f' port {use.port}'}"
            out.append(
                Suspicion(
                    "nat", use.nat, use.time, use.lower, use.upper,
                    f"ports of {use.nat} towards {to}: {use.lower:,} to {use.upper:,} of {use.limit:,} in the minute "
                    f"from {instant(use.time)} UTC, near the documented limit",
                    "ErrorPortAllocation of the NAT gateway (PortAllocationErrorCount of a load balancer)",
                )
            )  # fmt: skip
    for one in bandwidth:
        if one.longest_above >= _LONG:
            half = 0.5 if one.direction == "both" else 1.0
            out.append(
                Suspicion(
                    "bandwidth", one.instance, None, one.max * half, one.max,
                    f"{one.instance} ({one.instance_type}) was above its baseline of {one.baseline:g} Gbit/s in "
                    f"{count(one.minutes_above, 'minute')}, {one.longest_above:,} of them without a break, "
                    f"{one.max:.3g} Gbit/s at the most"
                    + (" in both directions together" if one.direction == "both" else f" {one.direction}"),
                    "bw_in_allowance_exceeded and bw_out_allowance_exceeded of the ENA driver",
                )
            )  # fmt: skip
    return out


def _sides(series: Series, change: Change, every: int) -> tuple[float, float] | None:
    """Attempts a bin before and after a change, over as many bins on both sides."""
    at = change.time // every
    after = [counts.attempts for number, counts in series.bins.items() if at <= number < at + 12]
    before = [counts.attempts for number, counts in series.bins.items() if at - 12 <= number < at]
    if len(after) < 3 or len(before) < 3:
        return None
    return sum(before) / len(before), sum(after) / len(after)


def _grew(series: Series, change: Change, every: int) -> bool:
    sides = _sides(series, change, every) if change.signal == "answered" and change.worse else None
    return sides is not None and sides[1] >= _MORE * sides[0]


def _demand(edge: Edge, series: Series, change: Change, every: int) -> Suspicion:
    before, after = _sides(series, change, every) or (0.0, 0.0)
    return Suspicion(
        "demand", edge.name, change.time, change.low, change.high,
        f"{edge.name}: the answered share fell from {change.before:.2%} to {change.after:.2%} while attempts rose from "
        f"{before:,.1f} to {after:,.1f} in a bin: a limit may be reached (or the attempts are retries)",
        "the server's listen queue, its load, the metrics of its load balancer",
    )  # fmt: skip
