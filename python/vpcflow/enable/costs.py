"""What flow logs cost: exact bytes of one's own logs in another format, or a range without logs."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import PlanError
from ..pricing.sheet import prices
from ..query.expr import count
from ..query.expr import max as maximum
from ..query.expr import min as minimum
from ..query.flows import Flows
from ..query.result import Result
from .destinations import CLOUDWATCH, FIREHOSE, S3
from .prices import monthly_usd, price_date, price_regions, usd_per_gb, width
from .spec import FlowLogSpec

DESTINATIONS = (CLOUDWATCH, S3, FIREHOSE)
_ROWS = 1 << 16
DAYS = 30
PRICED_REGION = "us-east-1"  # whose prices stand for those of regions without
# By which AWS aggregates: what differs in one of these is another record.
_FLOW = (
    "interface-id", "tgw-attachment-id", "srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr", "srcport", "dstport",
    "protocol", "action", "flow-direction",
)  # fmt: skip
_SAMPLE = 100_000  # records by which the interval of logs is told


def record_cost(spec: FlowLogSpec, region: str) -> dict[str, Any]:
    """Returns what a record of a spec costs, by the usual widths of its fields: an estimate, for plans."""
    size = sum(width(name) + 1 for name in spec.fields)
    if region not in price_regions():
        region = PRICED_REGION
    price = usd_per_gb(region, spec.destination.type, spec.parquet)
    return {
        "record_bytes": size,
        "usd_per_gb": price,
        "usd_per_million_records": None if price is None else round(size * 10**6 / prices().gb * price, 4),
        "price_region": region,
        "price_date": price_date(),
    }


@dataclasses.dataclass(frozen=True)
class FieldCost:
    """The share of a field in the bytes of a log."""

    field: str
    bytes: int
    #: Whether it was measured, or its usual width taken since the logs do not have it.
    measured: bool


@dataclasses.dataclass(frozen=True)
class Cost:
    """What logs in a format amount to."""

    #: ``"measured"``, ``"estimated"`` (some fields by their usual width), or ``"range"``.
    basis: str
    records: int
    #: Unpacked bytes of the records as text, with separators, in the time that the logs cover.
    bytes: int
    #: Seconds between the first start and the last end.
    seconds: int
    fields: tuple[FieldCost, ...]
    #: Records and bytes by interval, 60 and 600: least and most of each; from re-aggregation, or a bound.
    intervals: Mapping[int, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    #: The interval of the logs.
    interval: int = 60

    def per_month(self, bytes_there: int | None = None) -> float:
        """Returns bytes in 30 days, at the rate of the time that the logs cover."""
        found = self.bytes if bytes_there is None else bytes_there
        return found * DAYS * 86400 / self.seconds if self.seconds else float(found)

    def usd(self, destination: str, region: str, parquet: bool = False, bytes_there: int | None = None) -> float | None:
        """Returns dollars a month to a destination; ``None`` where no price is known."""
        return monthly_usd(self.per_month(bytes_there), region, destination, parquet and destination == S3)


def measured_cost(flows: Flows, fields: Sequence[str]) -> Cost:
    """Writes each record of logs in a format, and counts the bytes. Fields that the logs do not have count by their
    usual width.

    Raises :class:`~vpcflow.PlanError` if they have none of the fields, and what reading raises.
    """
    there = set(flows.columns)
    have = [name for name in fields if name.replace("-", "_") in there]
    if not have:
        raise PlanError("cost: the logs have none of the fields of the format")
    sizes, records = _bytes_by_field(flows, have)
    first, last, longest = _times(flows)
    out = tuple(
        FieldCost(name, sizes[name] if name in sizes else records * (width(name) + 1), name in sizes) for name in fields
    )
    total = sum(one.bytes for one in out)
    interval = 60 if longest <= 60 else 600
    cost = Cost(
        basis="measured" if len(have) == len(fields) else "estimated",
        records=records,
        bytes=total,
        seconds=max(last - first, 0),
        fields=out,
        interval=interval,
    )
    return dataclasses.replace(cost, intervals=_by_interval(flows, cost))


def _bytes_by_field(flows: Flows, names: Sequence[str]) -> tuple[dict[str, int], int]:
    """Counts for each field the bytes of its values as text, each with a separator; null is ``-``."""
    sizes = dict.fromkeys(names, 0)
    records = 0
    for batch in _all_records(flows, names):
        records += len(batch)
        for name in names:
            sizes[name] += _column_bytes(batch, name)
    return sizes, records


def _all_records(flows: Flows, names: Sequence[str]) -> Iterator[Result]:
    for batch in flows.select(*names)._batches(_ROWS):
        if len(batch):
            yield batch


def _column_bytes(batch: Result, name: str) -> int:
    column = name.replace("-", "_")
    text: bytes = batch[[column]]._table.to_csv(False, False)
    if b'"' in text:  # texts of users
        values = csv.reader(io.StringIO(text.decode("utf-8", "surrogateescape")))
        return sum(len("".join(row).encode("utf-8", "surrogateescape") or "-") + 1 for row in values)
    empty = text.split(b"\n").count(b"") - 1
    return len(text) + empty


def _times(flows: Flows) -> tuple[int, int, int]:
    """Returns first start, last end and the longest window of the first records."""
    if not {"start", "end"} <= set(flows.columns):
        return 0, 0, 60
    (row,) = flows.agg(first=minimum("start"), last=maximum("end")).collect().rows()
    batch = flows.select("start", "end").limit(_SAMPLE).collect()
    windows = [end - start for start, end in zip(batch["start"], batch["end"]) if None not in (start, end)]
    return row["first"] or 0, row["last"] or 0, max(windows, default=60)


def _by_interval(flows: Flows, cost: Cost) -> dict[int, dict[str, int]]:
    """Returns records and bytes at 60 and 600 seconds: of the longer one by summing records of a flow up, of the
    shorter one, which longer records do not tell, as a range."""
    as_is = {"records": cost.records, "bytes": cost.bytes}
    if cost.interval == 60:
        records = _summed_up(flows)
        return {60: as_is, 600: {"records": records, "bytes": _scaled(cost, records)}}
    most = _split_up(flows)
    return {600: as_is, 60: {**as_is, "most_records": most, "most_bytes": _scaled(cost, most)}}


def _scaled(cost: Cost, records: int) -> int:
    return round(cost.bytes * records / cost.records) if cost.records else 0


def _summed_up(flows: Flows) -> int:
    """Counts the records that are left if those of one flow within ten minutes become one."""
    keys = [name for name in _FLOW if name.replace("-", "_") in flows.columns]
    if "start" not in flows.columns or not keys:
        return 0
    return len(flows.group_by(*keys, every="10m").agg(n=count()).collect())


def _split_up(flows: Flows) -> int:
    """Counts the records that there are at most if each minute of a record becomes one."""
    total = 0
    for batch in flows.select("start", "end")._batches(_ROWS):
        for start, end in zip(batch["start"], batch["end"]):
            total += 1 if start is None or end is None else min(10, max(1, -(-(end - start) // 60)))
    return total


def estimated_range(fields: Sequence[str], flows_per_minute: float, interfaces: int) -> dict[str, Any]:
    """Returns bytes a month without logs: least, usual and most, by the widths that values of the fields can have.
    ``flows_per_minute`` are of one interface."""
    if flows_per_minute <= 0 or interfaces < 1:
        raise PlanError(f"cost: {flows_per_minute:g} flows a minute of {interfaces} interfaces; both must be above 0")
    records = flows_per_minute * interfaces * 60 * 24 * DAYS
    sizes = {which: sum(width(name, which) + 1 for name in fields) for which in ("least", "usual", "most")}
    return {
        "records_per_month": round(records),
        "record_bytes": sizes,
        "bytes_per_month": {which: round(records * size) for which, size in sizes.items()},
    }
