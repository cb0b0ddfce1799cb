"""Routes of records: what is kept, summarised and dropped, what that saves, and which detectors it blinds."""

from __future__ import annotations

import dataclasses
import functools
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._hints import hint
from .._units import seconds
from .._words import count
from ..detect.detect import detect
from ..errors import DataQualityWarning, NoRecordsError, PlanError, RuleError, VpcflowError
from ..query.aggregation import Aggregation
from ..query.flows import Flows
from ..query.scan import query, scan
from ..rules.files import content_of, with_known_keys
from ..synthetic import synth
from .compacting import Check
from .hashing import Hasher
from .hours import stored
from .lake import Lake
from .objects import Objects, Places, rows_in, run_name
from .reading import OneSource, logs_of, times_of
from .rollups import NOT_TRAFFIC, grouped

if TYPE_CHECKING:
    import pyarrow as pa

ACTIONS = ("keep", "summarise", "drop")
#: The name of what no route takes; it is kept.
REST = "rest"
_SEED, _RECORDS = 907, 21_000  # of planted logs
_PRIVATE = "('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')"


@dataclasses.dataclass(frozen=True)
class Route:
    """What becomes of the records that pass a filter, and that no route before takes: ``keep``, ``summarise`` (one
    record for those of a flow that begin within ``every``) or ``drop``."""

    name: str
    where: str
    do: str = "drop"
    every: str = "5m"

    def __str__(self) -> str:
        return f"{self.do} {self.where}" + (f" every {self.every}" if self.do == "summarise" else "")


#: Ways to have fewer records that many choose, with what each does.
USUAL: Mapping[str, tuple[str, tuple[Route, ...]]] = {
    "compact": ("every record, as sorted Parquet", ()),
    "reject_only": ("flow logs of REJECT alone", (Route("accepted", "action = 'ACCEPT'"),)),
    "accept_only": ("flow logs of ACCEPT alone", (Route("rejected", "action = 'REJECT'"),)),
    "no_inside": (
        "no accepted traffic between private addresses",
        (Route("inside", f"action = 'ACCEPT' and srcaddr in {_PRIVATE} and dstaddr in {_PRIVATE}"),),
    ),
    "rollup_5m": ("one record of a flow in 5 minutes", (Route("all", "start >= 0", "summarise", "5m"),)),
    "rollup_1h": ("one record of a flow in an hour", (Route("all", "start >= 0", "summarise", "1h"),)),
}


def load_routes(path: str | os.PathLike[str]) -> list[Route]:
    """Loads routes of a YAML or JSON file: a list of objects with ``name``, ``where``, ``do`` and ``every``; the first
    one that a record passes takes it. Raises :class:`~vpcflow.RuleError` for what is wrong where."""
    return routes_of(content_of(path), os.fspath(path))


def routes_of(data: Any, name: str = "routes") -> list[Route]:
    """Makes routes of plain values, as :func:`load_routes` reads them; ``name`` begins the errors.

    >>> routes_of([{"name": "quiet", "where": "dstport = 53"}])
    [Route(name='quiet', where='dstport = 53', do='drop', every='5m')]
    """
    if not isinstance(data, list) or not data:
        raise RuleError(f"{name}: expected a list of routes, as - {{name: dns, where: dstport = 53, do: drop}}")
    out: list[Route] = []
    for i, item in enumerate(data):
        place = f"{name}: route {i + 1}"
        values = with_known_keys(item, Route, place)
        for key in ("name", "where"):
            if not isinstance(values.get(key), str) or not values[key].strip():
                raise RuleError(f"{place}: {key}: {values.get(key)!r}; a text is needed")
        route = Route(**{key: str(value) for key, value in values.items()})
        if route.do not in ACTIONS:
            raise RuleError(f"{place}: do: {route.do!r}; {hint(route.do, ACTIONS)}")
        if route.name in {REST, *(one.name for one in out)}:
            raise RuleError(f"{place}: name: {route.name!r} is taken")
        try:
            seconds(route.every, "every")
            _ = query(allow_missing=True).filter(route.where).select("start").schema
        except VpcflowError as error:
            raise RuleError(f"{place}: {error}") from None
        out.append(route)
    return out


@dataclasses.dataclass
class Part:
    """What a route took: records and bytes as text before and after."""

    name: str
    do: str
    records: int = 0
    bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0


@dataclasses.dataclass
class Routed:
    """What routes made of logs: a part for each route, and one of the rest."""

    folder: str
    parts: list[Part]
    objects: list[dict[str, Any]]
    #: First start and last end of the logs, Unix seconds.
    start: int | None = None
    end: int | None = None
    #: Lines that are no records, and are left out.
    rejected: int = 0
    error: VpcflowError | None = None

    def total(self, what: str) -> int:
        """Returns ``records``, ``bytes``, ``kept`` or ``kept_bytes`` of all parts."""
        return sum(getattr(part, what) for part in self.parts)

    @property
    def size(self) -> int:
        """Returns the bytes of the objects."""
        return sum(int(row["size"]) for row in self.objects)


def route(
    flows: Flows, folder: str | os.PathLike[str], routes: Sequence[Route], *, layout: str = "hive", by: str = "day",
    check: Check | None = None, allow_missing: bool = False,
) -> Routed:  # fmt: skip
    """Writes what routes leave of logs, as :func:`vpcflow.volume.rollup` writes: flow records that every command reads.
    A record whose filter is neither true nor false, as a field is ``-``, is not taken by that route. NODATA and
    SKIPDATA records are never summarised.

    ``check``: as of :func:`vpcflow.volume.compact`. ``allow_missing``: fields of filters that the logs lack are null.
    Raises what :func:`vpcflow.volume.compact` does, and :class:`~vpcflow.FieldError` for fields that the logs lack.
    """
    places = Places(layout, by)
    logs = logs_of(flows, "route")
    lake = Lake(folder)
    lake.check_apart(logs)
    sources = [OneSource(logs, number) for number in range(len(logs.sources))]
    plan = "; ".join(str(one) for one in routes)
    with lake.locked():
        if lake.runs():
            raise PlanError(f"route: {lake.folder} has logs already; give a new folder")
        rows = [{**source.as_row(), "plan": f"route: {plan}"} for source in sources]
        name = run_name(0, [plan, [[row["uri"], row["identity"], row["sha256"]] for row in rows]])
        objects = Objects(lake, places, rows_in(None), name, Hasher())
        done = Routed(lake.folder, [*(Part(one.name, one.do) for one in routes), Part(REST, "keep")], [])
        routing = _Routing(routes, done, objects, allow_missing)
        for source in sources:
            for table in source.tables():
                routing.take(table, source.account, source.region)
            done.error = done.error or source.error
            done.rejected += source.report.rejected if source.report is not None else 0
        routing.finish()
        done.objects = objects.finish()
        if not done.total("records") and not logs.options.allow_empty:
            raise done.error or NoRecordsError(f"route: no record was read: {count(len(sources), 'source')}")
        if check is not None:
            check(scan(lake.staged(""), duplicates="all") if done.objects else scan(b"", allow_empty=True))
        lake.commit(name, [*rows, *done.objects])
    return done


class _Routing:
    """The way of records into what is kept."""

    def __init__(self, routes: Sequence[Route], done: Routed, objects: Objects, allow_missing: bool) -> None:
        self._routes, self._done, self._objects, self._allow_missing = routes, done, objects, allow_missing
        self._sums: dict[tuple[Any, ...], Aggregation] = {}

    def take(self, table: pa.Table, account: str | None, region: str | None) -> None:
        """Takes records; ``account`` and ``region`` are those of records that do not tell."""
        self._span(table)
        for number, chosen in self._by_route(table):
            part = self._done.parts[number]
            part.records += len(chosen)
            part.bytes += text_bytes(chosen)
            if part.do == "summarise":
                chosen = self._summarise(number, chosen, account, region)
            if part.do != "drop":
                self._keep(part, chosen, account, region)

    def _span(self, table: pa.Table) -> None:
        first, last = times_of(table)
        self._done.start = min(filter(None, (self._done.start, first)), default=None)
        self._done.end = max(filter(None, (self._done.end, last)), default=None)

    def _keep(self, part: Part, table: pa.Table, account: str | None, region: str | None) -> None:
        part.kept += len(table)
        part.kept_bytes += text_bytes(table)
        if len(table):
            self._objects.add(table, account, region)

    def _by_route(self, table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        """Yields the records of each route, by its number; those of none last."""
        import pyarrow as pa
        import pyarrow.compute as pc

        left = pa.nulls(len(table), pa.bool_()).fill_null(True)
        for number, one in enumerate(self._routes):
            flows = scan(table, allow_empty=True, allow_missing=self._allow_missing).filter(one.where)
            first = flows.columns[0]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataQualityWarning)
                rows = flows.select(first).located().collect()["offset"]
            passes = pc.is_in(pa.array(range(len(table)), pa.int64()), value_set=pa.array(rows, pa.int64()))
            yield number, table.filter(pc.and_(left, passes))
            left = pc.and_(left, pc.invert(passes))
        yield len(self._routes), table.filter(left)

    def _summarise(self, number: int, table: pa.Table, account: str | None, region: str | None) -> pa.Table:
        """Takes the records of traffic that begin at some time, and returns the others."""
        import pyarrow.compute as pc

        names = table.schema.names
        if "start" not in names:
            return table
        traffic = pc.is_valid(table.column("start"))
        if "log_status" in names:
            status = table.column("log_status").cast("string")
            traffic = pc.and_(traffic, pc.invert(pc.is_in(status, value_set=pc.cast(list(NOT_TRAFFIC), "string"))))
        key = (number, account, region, tuple(names))
        if key not in self._sums:
            span = seconds(self._routes[number].every, "every")
            self._sums[key] = Aggregation(grouped(query(allow_missing=True), names, span))
        chosen = table.filter(traffic)
        if len(chosen):
            self._sums[key].update(chosen)
        return table.filter(pc.invert(traffic))

    def finish(self) -> None:
        """Keeps what was summarised."""
        for (number, account, region, names), sums in self._sums.items():
            table = stored(sums.collect()).select(names)
            self._keep(self._done.parts[number], table, account, region)


def text_bytes(table: pa.Table) -> int:
    """Returns the bytes of records as lines of a log: each value with a separator, null as ``-``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            if pa.types.is_dictionary(chunk.type):
                sizes = pc.binary_length(chunk.dictionary).take(chunk.indices)
            else:
                sizes = pc.binary_length(chunk.cast(pa.string()))
            total += (pc.sum(sizes).as_py() or 0) + sizes.null_count + len(chunk)
    return total


@functools.cache
def _planted() -> tuple[bytes, frozenset[str]]:
    data = synth(_RECORDS, seed=_SEED, format="v5", plant="all").data or b""
    return data, frozenset(finding.detector for finding in detect(scan(data), samples=0))


def blinded(routes: Sequence[Route]) -> list[str]:
    """Returns the detectors that find nothing behind routes of what is planted in synthetic logs for them. Routes that
    name addresses of yours take nothing there."""
    data, found = _planted()
    if not routes:
        return []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        done = route(scan(data), Path(folder, "lake"), routes, allow_missing=True)
        if not done.objects:
            return sorted(found)
        left = {finding.detector for finding in detect(scan(done.folder), samples=0)}
    return sorted(found - left)
