"""Rollups: the records of a flow within a span of time as one record."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._units import seconds
from .._words import count
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.expr import sum as sum_of
from ..query.flows import Flows
from ..query.logs import Logs
from ..query.result import Result
from ..query.running import collect_readable
from ..query.scan import scan
from ..typing import Duration, Size
from .compacting import Check
from .hashing import Hasher
from .hours import stored
from .lake import Lake
from .objects import Objects, Places, rows_in, run_name
from .reading import OneSource, logs_of

if TYPE_CHECKING:
    import pyarrow as pa

_MEASURES = ("packets", "bytes", "start", "end")
_CLIENT_PORTS = 1024  # from here on a port may be a client's
NOT_TRAFFIC = ("NODATA", "SKIPDATA")


@dataclasses.dataclass
class Rollup:
    """What was rolled up: records and bytes before and after, and what could not be read to its end."""

    folder: str
    records_before: int
    objects: list[dict[str, Any]]
    size_before: int
    #: Lines that are no records, and are left out.
    rejected: int = 0
    error: VpcflowError | None = None

    @property
    def records(self) -> int:
        """Returns how many records were written."""
        return sum(int(row["records"]) for row in self.objects)

    @property
    def size(self) -> int:
        """Returns the bytes of the objects."""
        return sum(int(row["size"]) for row in self.objects)


def rollup(
    flows: Flows, folder: str | os.PathLike[str], *, every: Duration = "5m", client_ports: bool = True,
    layout: str = "hive", by: str = "day", max_memory: Size | None = None, check: Check | None = None,
) -> Rollup:  # fmt: skip
    """Writes one record for all those that begin in one span of time and are the same in all fields but ``packets``,
    ``bytes``, ``start`` and ``end``: the sums, the first start, the last end. NODATA and SKIPDATA records stay as they
    are. The files are as those of :func:`vpcflow.volume.compact`: flow records that every command reads.

    ``every``: the span, aligned to the epoch. ``client_ports=False`` drops the port of the side that has the higher one
    of two, if it is 1024 or above, and counts those dropped in the column ``client_ports``. ``layout``, ``by``,
    ``max_memory``, ``check``: as of :func:`vpcflow.volume.compact`. All groups of one format are held in memory.

    Raises :class:`~vpcflow.PlanError` for logs without ``start``, and what :func:`vpcflow.volume.compact` does.

    >>> import tempfile, vpcflow as vf
    >>> log = b"srcaddr bytes start end\\n10.0.0.1 40 60 120\\n10.0.0.1 2 120 180\\n10.0.0.1 5 300 360\\n"
    >>> done = rollup(vf.scan(log), tempfile.mkdtemp())
    >>> sorted((row["start"], row["end"], row["bytes"]) for row in vf.scan(done.folder).collect())
    [(60, 180, 42), (300, 360, 5)]
    """
    places = Places(layout, by)
    span = seconds(every, "every")
    logs = logs_of(flows, "rollup")
    lake = Lake(folder)
    sources = [OneSource(logs, number) for number in range(len(logs.sources))]
    lake.check_apart(logs)
    plan = f"rollup {span}s{'' if client_ports else ' without client ports'}"
    with lake.locked():
        before = lake.runs()
        if before:
            raise PlanError(f"rollup: {lake.folder} has logs already; give a new folder")
        rows = [{**source.as_row(), "plan": plan} for source in sources]
        name = run_name(0, [plan, [[row["uri"], row["identity"], row["sha256"]] for row in rows]])
        objects = Objects(lake, places, rows_in(max_memory), name, Hasher())
        done = Rollup(lake.folder, 0, [], sum(row["size"] or 0 for row in rows))
        for (account, region), part in _alike(logs, sources):
            for result in _rolled(part, span, done):
                table = stored(result)
                objects.add(table if client_ports else _without_client_ports(table), account, region)
        done.objects = objects.finish()
        if not done.records and not logs.options.allow_empty:
            raise done.error or NoRecordsError(f"rollup: no record was read: {count(len(sources), 'source')}")
        if check is not None and done.records:
            check(scan(lake.staged(""), duplicates="all"))
        lake.commit(name, [*rows, *done.objects])
    return done


def _alike(logs: Logs, sources: Sequence[OneSource]) -> Iterator[tuple[tuple[str | None, str | None], Flows]]:
    """Yields the logs of each format, account and region, as their paths tell the latter."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, source in enumerate(sources):
        key = (tuple(logs.peek(number)), source.account, source.region)
        groups.setdefault(key, []).append(number)
    for (_, account, region), numbers in groups.items():
        own = dataclasses.replace(logs, sources=[logs.sources[number] for number in numbers], _peeked={})
        yield (account, region), Flows(own, own.spec)


def grouped(flows: Flows, columns: Sequence[str], span: int) -> Flows:
    """Returns the query of one record for those of a flow within a span, in seconds. ``columns``: those of the logs."""
    how = {"packets": sum_of, "bytes": sum_of, "start": min_of, "end": max_of}
    keys = [name for name in columns if name not in _MEASURES]
    measures = {name: function(name) for name, function in how.items() if name in columns}
    return flows.group_by(*keys, every=span, bin_by="start").agg(**measures)


def _rolled(flows: Flows, span: int, done: Rollup) -> Iterator[Result]:
    """Yields the records of one format: of traffic rolled up, others as they are."""
    columns = flows.columns
    if not columns:
        return
    if "start" not in columns:
        raise PlanError("rollup: the logs have no field start, so that spans of time cannot be told")
    traffic, others = flows, None
    if "log_status" in columns:
        other = " or ".join(f"log_status = '{status}'" for status in NOT_TRAFFIC)
        traffic, others = flows.filter(f"log_status is null or not ({other})"), flows.filter(other)
    queries = [grouped(traffic, columns, span), *([] if others is None else [others.select(*columns)])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        results, error = collect_readable(queries)
    done.rejected += results[0].report.rejected
    done.error = done.error or error
    done.records_before += results[0].report.records
    yield from (result[columns] for result in results)


def _without_client_ports(table: pa.Table) -> pa.Table:
    """Returns records without the ports of clients, those that are the same then as one, with how many there were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = table.schema.names
    if not {"srcport", "dstport"} <= set(names):
        raise PlanError("rollup: the logs have no fields srcport and dstport, whose higher one could be dropped")
    source, target = table.column("srcport"), table.column("dstport")
    of_source = pc.and_(pc.greater(source, target), pc.greater_equal(source, _CLIENT_PORTS))
    of_target = pc.and_(pc.greater(target, source), pc.greater_equal(target, _CLIENT_PORTS))
    dropped = pc.if_else(of_source, source, pc.if_else(of_target, target, None)).cast(pa.int64())
    none = pa.scalar(None, pa.int32())
    for name, is_client in (("srcport", of_source), ("dstport", of_target)):
        kept = pc.if_else(pc.fill_null(is_client, False), none, table.column(name))
        table = table.set_column(names.index(name), name, kept)
    plain = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    table = table.cast(pa.schema(plain)).append_column("client_ports", dropped)
    how = {"packets": "sum", "bytes": "sum", "start": "min", "end": "max", "client_ports": "count_distinct"}
    how = {name: verb for name, verb in how.items() if name in table.schema.names}
    keys = [name for name in names if name not in how]
    out = table.group_by(keys, use_threads=False).aggregate(list(how.items()))
    made = {f"{name}_{verb}": name for name, verb in how.items()}
    return out.rename_columns([made.get(name, name) for name in out.schema.names]).select([*names, "client_ports"])
