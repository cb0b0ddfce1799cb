"""Who depends on whom: :func:`dependencies`, a graph of clients and servers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .._display import instant
from .._keyed import Keyed
from .._words import count
from ..errors import PlanError
from ..findings.scope import Scope
from ..query.arguments import instance, several, whole
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..query.running import collect_readable
from ..typing import ColumnType, Duration, Progress
from . import pictures
from .edges import Series, order_of, traffic_of, without_search_for_cycles
from .gaps import Gaps
from .intervals import wilson
from .limits import intermediaries_of
from .naming import By, Given, Naming, inventory_of, is_inside
from .outcomes import RESET
from .tables import table_of

_BIN = 86400
_CALL = "dependencies(vf.scan('logs/'), by='name')"
#: What a graph can be written as.
FORMS = ("dot", "mermaid", "graphml", "json", "svg")
_KINDS: dict[str, ColumnType] = {
    "client": "text", "server": "text", "port": "int32", "protocol": "int32", "sessions": "int64", "bytes": "int64",
    "attempts": "int64", "answered": "float64", "low": "float64", "high": "float64", "resets": "int64",
    "first": "time", "last": "time",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Dependency(Keyed):
    """A client that depends on a server at a port."""

    client: str
    server: str
    port: int | None
    protocol: int | None
    sessions: int
    bytes: int
    attempts: int
    #: The answered share of attempts with its 95 % interval; ``None`` where the logs cannot show it.
    answered: float | None
    low: float | None
    high: float | None
    resets: int
    #: Unix seconds of the first and the last record.
    first: int
    last: int


class Dependencies:
    """A graph of clients and servers: :func:`vpcflow.dependencies`. Never changed.

    ``edges``: of :class:`Dependency`, most bytes first; it is a sequence of them. ``nodes``: names, in the order of
    text. ``left_out``: edges of strangers that nobody answered, and those beyond a limit.
    """

    def __init__(self, edges: list[Dependency], left_out: int, scope: Scope, report: Report) -> None:
        self.edges = edges
        self.nodes = sorted({name for edge in edges for name in (edge.client, edge.server)})
        self.left_out, self.scope, self.report = left_out, scope, report

    def __len__(self) -> int:
        return len(self.edges)

    def __iter__(self) -> Iterator[Dependency]:
        return iter(self.edges)

    def __getitem__(self, number: int) -> Dependency:
        return self.edges[number]

    def __repr__(self) -> str:
        return f"<Dependencies: {count(len(self.nodes), 'node')}, {count(len(self.edges), 'edge')}; {self.scope}>"

    def head(self, n: int) -> Dependencies:
        """Returns the graph of the ``n`` edges with most bytes."""
        number = whole(n, "head", "head(50)")
        return Dependencies(
            self.edges[:number], self.left_out + max(0, len(self.edges) - number), self.scope, self.report
        )

    def rows(self) -> list[dict[str, Any]]:
        """Returns the edges as plain values, as ``vpcflow dependencies --json`` prints them."""
        return [edge.as_dict() for edge in self.edges]

    def to_result(self) -> Result:
        """Returns the edges as a result, sorted by their keys: for frames, files and :func:`vpcflow.diff`."""
        return table_of(_KINDS, [vars(edge) for edge in sorted(self.edges, key=order_of)], self.report)

    def to(self, form: str) -> str:
        """Returns the graph as text in one of :data:`FORMS`. Names of hosts cannot break out of any of them."""
        if form not in FORMS:
            raise PlanError(f"to={form!r}: no such form; there are {', '.join(FORMS)}")
        made: str = getattr(self, f"to_{form}")()
        return made

    def to_dot(self) -> str:
        """Returns the graph in Graphviz's DOT."""
        return pictures.dot(self.nodes, self.rows())

    def to_mermaid(self) -> str:
        """Returns the graph as a Mermaid flowchart."""
        return pictures.mermaid(self.nodes, self.rows())

    def to_graphml(self) -> str:
        """Returns the graph as GraphML, which networkx, Gephi and yEd read."""
        return pictures.graphml(self.nodes, self.rows(), _KINDS)

    def to_json(self) -> str:
        """Returns the graph as a JSON document of nodes and edges, which ``networkx.node_link_graph`` reads."""
        edges = [{"source": row.pop("client"), "target": row.pop("server"), **row} for row in self.rows()]
        nodes = [{"id": name} for name in self.nodes]
        return json.dumps(
            {"directed": True, "multigraph": True, "graph": {"left_out": self.left_out}, "nodes": nodes, "edges": edges}
        )

    def to_svg(self) -> str:
        """Returns a picture: by Graphviz if ``dot`` is installed, else in columns from clients to servers."""
        return pictures.svg(self.nodes, self.rows())

    def _repr_svg_(self) -> str:
        return self.head(60).to_svg()


def dependencies(
    flows: Flows, *, by: By = None, inventory: Given = None, strangers: bool = False, idle: Duration = "10m",
    intermediaries: Iterable[object] = (), progress: Progress | bool | None = None,
) -> Dependencies:  # fmt: skip
    """Finds who depends on whom: an edge for each client, server and port, out of sessions.

    ``by``, ``inventory``, ``idle``, ``intermediaries``: as for :func:`vpcflow.health`. ``strangers``: with the edges of
    clients outside that were never answered, such as scanners. Where records are missing (SKIPDATA) the figures are a
    floor. Errors as of :meth:`vpcflow.Flows.collect`; of damaged sources the graph of what could be read is
    ``partial``.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr srcport dstport protocol packets bytes start end action\\n"
    >>> log += b"10.0.0.1 10.0.0.2 40000 443 6 5 840 0 60 ACCEPT\\n10.0.0.2 10.0.0.1 443 40000 6 5 9000 0 60 ACCEPT\\n"
    >>> print(vf.dependencies(vf.scan(log), by={"10.0.0.1": "web", "10.0.0.2": "api"}).to_mermaid())
    flowchart LR
      n0["api"]
      n1["web"]
      n1 -->|"443 · 1"| n0
    """
    instance(flows, Flows, "dependencies", _CALL)
    known = inventory_of(inventory)
    naming = Naming(by, known)
    given = [str(address) for address in several(intermediaries, "intermediaries", "intermediaries=['10.0.0.5']")]
    between = sorted({*given, *intermediaries_of(known)})
    queries = [
        flows.sessions(idle=idle, intermediaries=between)._in_any_order(), Gaps.query(flows, _BIN), Scope.query(flows),
    ]  # fmt: skip
    (sessions, covered, scoped), damage = collect_readable(queries, progress=progress)
    with without_search_for_cycles():
        gaps = Gaps.of(covered, _BIN)
        traffic = traffic_of(sessions, gaps.leaving_nothing_out(), naming, _BIN)
        wanted = [one for one in traffic.series if strangers or _is_dependency(one)]
        edges = [_dependency(one, traffic.rejects_alone) for one in wanted]
        edges.sort(key=lambda edge: (-edge.bytes, -edge.sessions, order_of(edge)))
    out = Dependencies(edges, len(traffic.series) - len(wanted), Scope.of(scoped), sessions.report)
    if damage is not None:
        damage.partial = out
        raise damage
    return out


def _is_dependency(series: Series) -> bool:
    total = series.all
    return bool(total.answered or total.sessions - total.failed > 0) or is_inside(series.key.client)


def _dependency(series: Series, rejects_alone: bool) -> Dependency:
    total = series.all
    known = total.is_known and not rejects_alone
    low, high = wilson(total.answered, total.known) if known else (None, None)
    return Dependency(
        *series.key, sessions=total.sessions, bytes=total.bytes, attempts=total.attempts,
        answered=total.answered / total.known if known else None, low=low, high=high, resets=total[RESET],
        first=series.first, last=series.last,
    )  # fmt: skip


def told(graph: Dependencies) -> list[str]:
    """Returns what was found, in lines."""
    lines = [
        f"{count(len(graph.nodes), 'node')}, {count(len(graph.edges), 'edge')}; {graph.scope}",
    ]
    if graph.left_out:
        lines.append(f"{count(graph.left_out, 'edge')} left out")
    if graph.edges:
        first = min(edge.first for edge in graph.edges)
        lines[0] += f"; first seen {instant(first)} UTC"
    return lines
