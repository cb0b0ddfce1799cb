"""Health of edges, out of sessions: :func:`health`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .._display import length
from .._units import seconds
from .._words import count
from ..errors import PlanError
from ..findings.scope import Scope
from ..inventory.inventory import Inventory
from ..query.arguments import instance, several
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..query.running import collect_readable
from ..typing import ColumnType, Duration, Instant, Progress
from .common import is_covered
from .deploy import Deploy, deploy_of
from .edge import REJECTS_ALONE, Edge, changes_of, edge_of
from .edges import Key, Series, order_of, traffic_of, without_search_for_cycles
from .gaps import Gaps
from .limits import (
    NatUse,
    Throughput,
    Tracked,
    can_tell_throughput,
    intermediaries_of,
    nat_use,
    throughput,
    throughput_query,
    tracked,
)
from .naming import By, Given, Naming, inventory_of, is_inside
from .slo import burn_of, burned, objective_of
from .suspects import suspicions
from .suspicion import Suspicion
from .tables import table_of

_LONGEST_BIN = 86400
_SLO_BIN = 300
_LEAST_BROKEN = 5  # attempts
_BROKEN = 0.5  # an edge of which less is answered, surely, is told even if it was never better
_CALL = "health(vf.scan('logs/'), by='service')"


class Health:
    """Health of all edges: :func:`vpcflow.health`. Never changed.

    ``edges``: worst first, of :class:`Edge`; it is a sequence of them. ``deploy``: the comparison that was asked for.
    ``nat``, ``tracked``, ``throughput``: use of limits, the busiest first. ``suspicions``: what changes have in common,
    and which limits are near. ``notes``: what the logs could not show. ``every``: seconds of a bin.
    """

    def __init__(
        self, edges: list[Edge], series: list[Series], every: int, *, scope: Scope, notes: list[str],
        deploy: Deploy | None, nat: list[NatUse], tracked: list[Tracked], throughput: list[Throughput],
        suspicions: list[Suspicion], report: Report,
    ) -> None:  # fmt: skip
        order = sorted(range(len(edges)), key=lambda i: _worst_first(edges[i]))
        self.edges = [edges[i] for i in order]
        self._series = [series[i] for i in order]
        self.every, self.scope, self.notes, self.deploy = every, scope, notes, deploy
        self.nat, self.tracked, self.throughput, self.suspicions = nat, tracked, throughput, suspicions
        self.report = report

    def __len__(self) -> int:
        return len(self.edges)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    def __getitem__(self, number: int) -> Edge:
        return self.edges[number]

    def rows(self) -> list[dict[str, Any]]:
        """Returns the edges as plain values, as ``vpcflow health --json`` prints them."""
        return [edge.as_dict() for edge in self.edges]

    def to_json_lines(self) -> str:
        """Returns an edge a line, as JSON."""
        return "".join(json.dumps(row) + "\n" for row in self.rows())

    def to_result(self) -> Result:
        """Returns the figures of the edges as a result, sorted by their keys: for frames, files and
        :func:`vpcflow.diff`."""
        kinds: dict[str, ColumnType] = {
            "client": "text", "server": "text", "port": "int32", "protocol": "int32", "attempts": "int64",
            "answered": "float64", "low": "float64", "high": "float64", "rejected": "int64", "half": "int64",
            "refused": "int64", "silent": "int64", "unknown": "int64", "resets": "int64", "late": "int64",
            "bytes": "int64",
        }  # fmt: skip
        return table_of(kinds, [vars(edge) for edge in sorted(self.edges, key=order_of)], self.report)

    def bins(self) -> list[dict[str, Any]]:
        """Returns a row a bin of each edge: its ends, ``time``, ``attempts``, ``answered`` (share or ``None``),
        ``rejected``, ``half``, ``refused``, ``silent``, ``unknown``, ``resets``, ``late``, ``bytes``, ``left_out``."""
        out = []
        for series in self._series:
            ends = series.key._asdict()
            for number in sorted({*series.bins, *series.left_out}):
                counts = series.bins.get(number)
                row: dict[str, Any] = {**ends, "time": number * self.every}
                row["attempts"] = counts.attempts if counts else 0
                row["answered"] = counts.answered / counts.known if counts and counts.is_known else None
                for name in ("rejected", "half", "refused", "silent", "unknown"):
                    row[name] = counts[name] if counts else 0
                row["resets"], row["late"] = (counts[name] if counts else 0 for name in ("reset", "late"))
                row["bytes"] = counts.bytes if counts else 0
                row["left_out"] = number in series.left_out
                out.append(row)
        return out

    def told(self) -> list[str]:
        """Returns what there is to say, a sentence each, most important first; empty: nothing. Changes that a
        suspicion accounts for are not told again."""
        out = [one.sentence for one in self.suspicions]
        by_edge: dict[Key, list[Suspicion]] = {}
        for one in self.suspicions:
            for key in one.edges:
                by_edge.setdefault(key, []).append(one)
        for edge in self.edges:
            own = by_edge.get(Key(edge.client, edge.server, edge.port, edge.protocol), ())
            out += [
                f"{edge.name}: {change.sentence}"
                for change in edge.changes
                if not any(is_covered(one, change, self.every) for one in own)
            ]
            if is_broken(edge) and not edge.changes:
                out.append(
                    f"{edge.name}: {edge.answered:.2%} of {count(edge.attempts, 'attempt')} answered in all of the "
                    f"time ({edge.low:.2%} to {edge.high:.2%})"
                )
            if edge.slo and edge.slo["alerts"]:
                out.append(f"{edge.name}: {burned(edge.slo)}")
        if self.deploy is not None:
            out += [_told_of(edge) for edge in self.deploy.changed]
        return out

    def conclusion(self) -> str:
        """Returns what was found, or that nothing was, and of what."""
        told = self.told()
        first = f"{count(len(told), 'thing')} to say" if told else "nothing to say"
        known = sum(edge.answered is not None for edge in self.edges)
        return (
            f"{first} of {count(len(self.edges), 'edge')} ({known:,} with a known answered share), in bins of "
            f"{length(self.every)}; {self.scope}"
        )

    def __repr__(self) -> str:
        return f"<Health: {self.conclusion()}>"


def is_broken(edge: Edge) -> bool:
    """Tells whether most attempts fail, of a client that once was answered or is no stranger."""
    if edge.high is None or edge.attempts < _LEAST_BROKEN:
        return False
    return edge.high < _BROKEN and (edge.succeeded > 0 or is_inside(edge.client))


def _worst_first(edge: Edge) -> tuple[Any, ...]:
    said = bool(edge.changes or (edge.slo and edge.slo["alerts"]))
    failed = 0 if edge.answered is None else edge.rejected + edge.half + edge.refused + edge.silent
    stranger = not edge.succeeded and not is_inside(edge.client)
    return (not said, not is_broken(edge), stranger, -failed, -edge.attempts, order_of(edge))


def _told_of(edge: Any) -> str:
    name = f"{edge.client} -> {edge.server}{'' if edge.port is None else f' port {edge.port}'}"
    if edge.change in ("new", "gone"):
        tries = f"{edge.attempts_before:,} attempts before, {edge.attempts:,} after"
        return f"{name}: {edge.change} after the deploy ({tries})"
    return (
        f"{name}: {edge.change} after the deploy: {edge.answered:.2%} answered, {edge.answered_before:.2%} before "
        f"(difference {edge.low:+.2%} to {edge.high:+.2%})"
    )


def health(
    flows: Flows, *, by: By = None, every: Duration = "5m", inventory: Given = None, deploy: Instant | None = None,
    slo: float | str | None = None, idle: Duration = "10m", intermediaries: Iterable[object] = (),
    progress: Progress | bool | None = None,
) -> Health:  # fmt: skip
    """Measures how well each client reaches each server and port, and finds where that changed.

    An attempt is a session that began in the logs: one with SYN, without TCP flags any. It is answered if the server
    accepted (SYN-ACK) or, without flags, replied; rejected, refused and silent ones are failures. What the logs cannot
    show is unknown, never a failure: logs of one direction, of rejected traffic alone, protocols without replies.
    That the server accepted does not say that the application worked.

    ``by``: ``"address"`` (default), ``"service"`` (a server and port, whoever its clients are), a name of
    the inventory (``"name"``, ``"instance"``, ``"asg"``, ``"subnet"``, ``"vpc"``, ``"az"``, ``"group"``, ``"type"``,
    ``"tag:KEY"``), or a table of labels for addresses (:mod:`vpcflow.labels`, or a mapping of prefixes). ``every``: the
    length of the bins in which changes are looked for; bins in which records are missing (SKIPDATA, gaps) are left out
    and counted. ``inventory``: a folder of describe-* answers, or :func:`vpcflow.inventory` of it. ``deploy``: a time;
    the same hours before and after it are compared. ``slo``: an objective in percent, as 99.9, for burn rates.
    ``idle``, ``intermediaries``: as for :meth:`vpcflow.Flows.sessions`.

    Of series without a change one in 2,000 shows one at most, and of all changes one in twenty is false at most.
    Latency, loss and retransmissions are not in flow logs; :class:`~vpcflow.PlanError` says what has them.
    Errors as of :meth:`vpcflow.Flows.collect`; of damaged sources the health of what could be read is ``partial``.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr srcport dstport protocol packets bytes start end action\\n"
    >>> for port in range(40000, 40010):
    ...     log += b"10.0.0.1 10.0.0.2 %d 443 6 5 840 0 60 ACCEPT\\n" % port
    ...     log += b"10.0.0.2 10.0.0.1 443 %d 6 5 9000 0 60 ACCEPT\\n" % port
    >>> [(edge.server, edge.attempts, edge.answered) for edge in vf.health(vf.scan(log))]
    [('10.0.0.2', 10, 1.0)]
    """
    instance(flows, Flows, "health", _CALL)
    length_of_bins = seconds(every, "every")
    if length_of_bins > _LONGEST_BIN:
        raise PlanError(f"every={every!r}: expected at most a day")
    objective = None if slo is None else objective_of(slo)
    if objective is not None and _SLO_BIN % length_of_bins:
        raise PlanError(f"every={every!r}: burn rates need bins that 5 minutes are a multiple of")
    known = inventory_of(inventory)
    naming = Naming(by, known)
    given = [str(address) for address in several(intermediaries, "intermediaries", "intermediaries=['10.0.0.5']")]
    between = sorted({*given, *intermediaries_of(known)})
    queries = [
        flows.sessions(idle=idle, intermediaries=between)._in_any_order(), Gaps.query(flows, length_of_bins),
        Scope.query(flows),
    ]  # fmt: skip
    if can_tell_throughput(known):
        queries.append(throughput_query(flows))
    (sessions, covered, scoped, *others), damage = collect_readable(queries, progress=progress)
    with without_search_for_cycles():
        out = _measured(
            sessions, Gaps.of(covered, length_of_bins), Scope.of(scoped), others, naming, known, given, length_of_bins,
            objective, deploy,
        )  # fmt: skip
    if damage is not None:
        damage.partial = out
        raise damage
    return out


def _measured(
    sessions: Result, gaps: Gaps, scope: Scope, others: list[Result], naming: Naming, known: Inventory | None,
    given: list[str], length_of_bins: int, objective: float | None, deploy: Instant | None,
) -> Health:  # fmt: skip
    """Measures health out of sessions."""
    series, rejects_alone = traffic_of(sessions, gaps, naming, length_of_bins)
    logged = _logged(known)
    rejects_alone = rejects_alone or logged == {"REJECT"}
    changes = changes_of(series, length_of_bins)
    edges = [edge_of(one, length_of_bins, own, rejects_alone) for one, own in zip(series, changes)]
    if objective is not None:
        edges = [_with_slo(edge, one, objective, length_of_bins) for edge, one in zip(edges, series)]
    first, last = gaps.first or 0, gaps.last or 0
    nat = nat_use(sessions, known, given)
    minutes = (last + 1 - first) * length_of_bins // 60
    bandwidth = throughput(others[0], known, minutes) if others and known is not None else []
    return Health(
        edges, series, length_of_bins, scope=scope, notes=_notes(edges, rejects_alone, logged),
        deploy=None if deploy is None else deploy_of(series, deploy, length_of_bins, first, last), nat=nat,
        tracked=tracked(sessions, known), throughput=bandwidth,
        suspicions=suspicions(edges, series, nat, bandwidth, length_of_bins), report=sessions.report,
    )  # fmt: skip


def _with_slo(edge: Edge, series: Series, objective: float, every: int) -> Edge:
    if edge.answered is None or not (edge.succeeded or is_inside(edge.client)):
        return edge  # nobody promised anything to strangers that knock
    return dataclasses.replace(edge, slo=burn_of(series, objective, every))


def _logged(known: Inventory | None) -> set[str]:
    """Returns which traffic the flow logs of an inventory record: ``"ALL"``, ``"ACCEPT"``, ``"REJECT"``."""
    return set() if known is None else {str(one.get("TrafficType")) for one in known.at("FlowLogs").values()}


def _notes(edges: list[Edge], rejects_alone: bool, logged: set[str]) -> list[str]:
    """What the logs could not show, a line each."""
    out = []
    if rejects_alone:
        out.append(REJECTS_ALONE)
    if logged == {"ACCEPT"}:
        out.append("the flow logs record accepted traffic alone: rejected attempts are missing in the answered share")
    unknown: dict[str, int] = {}
    for edge in edges:
        if edge.why and edge.why != REJECTS_ALONE:
            why = "answers are not logged" if edge.why.startswith("answers to") else edge.why
            unknown[why] = unknown.get(why, 0) + 1
    out += [f"answered share unknown of {count(n, 'edge')}: {why}" for why, n in sorted(unknown.items())]
    left_out = sum(edge.bins_left_out for edge in edges)
    if left_out:
        sessions_in = count(sum(edge.sessions_left_out for edge in edges), "session")
        bins = count(left_out, "bin")
        out.append(f"{bins} of edges left out, with {sessions_in}: records are missing in them (SKIPDATA, gaps)")
    return out
