"""Figures of logs with more addresses than the memory asked for has room for: the largest by counters, then exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..query.scan import query

_COUNTERS = 50_000  # addresses that are told apart, in some 200 bytes each
_CHOSEN = 200  # of which so many are counted exactly
_VOLUME = {"bytes": of.sum("bytes"), "n": of.count()}


@dataclasses.dataclass(frozen=True)
class _Part:
    """A table by address: the field, the measure by which it ranks, and a filter."""

    field: str
    measure: str
    where: str = ""

    def of(self, flows: Flows) -> Flows:
        loose = query(allow_missing=True).bind(flows)
        return loose.filter(self.where)._with(lenient=True) if self.where else loose


#: The tables that may have a row for each address, in the summary and among those of logs without bytes.
_SUMMARY = {
    "talkers": _Part("srcaddr", "bytes"), "listeners": _Part("dstaddr", "bytes"),
    "rejected_sources": _Part("srcaddr", "n", "action = 'REJECT'"),
}  # fmt: skip
_OWN = {"talkers": _Part("srcaddr", "n"), "listeners": _Part("dstaddr", "n")}


def bounded(flows: Flows, summary: Mapping[str, Flows], own: Mapping[str, Flows]) -> tuple[Any, Any]:
    """Returns queries in place of those of the summary and of the report whose memory grows with the addresses."""
    loose, rejected = query(allow_missing=True).bind(flows), _SUMMARY["rejected_sources"].of(flows)
    unique = of.approx_n_unique
    few = {
        "distinct": loose.agg(sources=unique("srcaddr"), targets=unique("dstaddr"), vpcs=of.n_unique("vpc_id")),
        "distinct_rejected": rejected.agg(sources=unique("srcaddr"), ports=of.n_unique("dstport")),
    }
    return (
        {**summary, **{name: _counted(flows, part) for name, part in _SUMMARY.items()}},
        {**own, **few, **{name: _counted(flows, part) for name, part in _OWN.items() if name in own}},
    )


def _counted(flows: Flows, part: _Part) -> Flows:
    groups = part.of(flows).group_by(part.field).agg(**{part.measure: _VOLUME[part.measure]})
    return groups.top_k(_CHOSEN, by=part.measure, counters=_COUNTERS)


def exact(flows: Flows, summary: dict[str, Result], own: dict[str, Result], most: int) -> dict[str, int]:
    """Replaces the rows that counters gave by exact ones, of the ``most`` largest, in another reading; returns what a
    group that is not listed can have at most, by table, where that may be more than those listed have."""
    every = ((summary, _SUMMARY), (own, _OWN))
    asked = [(own, name, part) for own, parts in every for name, part in parts.items() if name in own]
    queries = [_exactly(flows, part, results[name], most) for results, name, part in asked]
    bounds: dict[str, int] = {}
    for (results, name, part), found in zip(asked, collect_readable(queries)[0]):
        bound = _bound(results[name], part.measure)
        results[name] = found
        least = min((row[part.measure] or 0 for row in found), default=0)
        if bound > least:
            bounds[name] = bound
    return bounds


def _exactly(flows: Flows, part: _Part, counted: Result, most: int) -> Flows:
    chosen: Iterable[Any] = {row[part.field] for row in counted} - {None}
    some = part.of(flows).filter(str(of.col(part.field).is_in(sorted(chosen) or ["0.0.0.0"])))._with(lenient=True)
    volume = _VOLUME if part.measure == "bytes" else {"n": _VOLUME["n"]}
    return some.group_by(part.field).agg(**volume).top_k(most, by=part.measure)


def _bound(counted: Result, measure: str) -> int:
    """Returns what a group can have at most that is not among those counted."""
    rows = counted.rows()
    error = max((row[f"{measure}_error"] or 0 for row in rows), default=0)
    return error + (rows[-1][measure] or 0 if len(rows) == _CHOSEN else 0)
