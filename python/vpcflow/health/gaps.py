"""Time bins in which the logs of an interface lack records, so that silence in them says nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result

# Bins with records for each run of them, from which on the bins between are gaps; an interface with fewer is idle
# there, unless it has NODATA records.
_DENSE = 5


class Gaps:
    """The bins of interfaces that are left out: those with SKIPDATA, those without records, and the bin before
    (answers to what began in it may be lost). Bins are numbers of the epoch: seconds divided by their length."""

    def __init__(self, rows: Iterable[dict[str, Any]], every: int) -> None:
        seen: dict[Any, set[int]] = defaultdict(set)
        skipped: dict[Any, set[int]] = defaultdict(set)
        told: set[Any] = set()
        self.first: int | None = None
        self.last: int | None = None
        for row in rows:
            interface, status, begin, end = row["interface_id"], row["log_status"], row["start"], row["end"]
            if begin is None:
                continue
            bins = range(begin // every, max(begin, (begin if end is None else end) - 1) // every + 1)
            self.first = bins[0] if self.first is None else min(self.first, bins[0])
            self.last = bins[-1] if self.last is None else max(self.last, bins[-1])
            if status == "SKIPDATA":
                skipped[interface].update(bins)
            seen[interface].update(bins)
            if status == "NODATA":
                told.add(interface)
        everywhere: set[int] = set().union(*seen.values()) if seen else set()
        dense_logs = _is_dense(everywhere)
        self._bad: dict[Any, set[int]] = {}
        for interface, own in seen.items():
            dense = interface in told or _is_dense(own)
            absent = {
                number
                for number in range(min(own), max(own) + 1)
                if number not in own and (dense or (dense_logs and number not in everywhere))
            }
            self._bad[interface] = absent | {b - 1 for b in absent} | skipped[interface]

    @staticmethod
    def query(flows: Flows, every: int) -> Flows:
        """Returns the query whose rows the class takes: of all records, whatever the filter of the traffic."""
        everything = flows.unfiltered().filter("log_status is null or log_status is not null")
        grouped = everything._with(allow_missing=True).group_by(
            "interface_id", "log_status", every=every, bin_by="start"
        )
        return grouped.agg(start=of.min("start"), end=of.max("end"))

    @staticmethod
    def of(result: Result, every: int) -> Gaps:
        """Returns the gaps that a result of :meth:`query` holds."""
        return Gaps(result, every)

    def leaving_nothing_out(self) -> Gaps:
        """Returns this without bins to leave out: for totals, which may be a floor."""
        out = Gaps((), 1)
        out.first, out.last = self.first, self.last
        return out

    def bad(self, interface: Any) -> set[int]:
        """Returns the bins of an interface that are left out."""
        return self._bad.get(interface, set())


def _is_dense(bins: set[int]) -> bool:
    """Tells whether bins lie in few long runs."""
    return len(bins) >= _DENSE * sum(number - 1 not in bins for number in bins)
