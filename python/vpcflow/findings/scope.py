"""The scope of a conclusion: which records it is about."""

from __future__ import annotations

import dataclasses

from .._display import instant
from .._words import count
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.expr import n_unique
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import query

_QUERY = (
    query(allow_missing=True)
    .filter("log_status is null or log_status is not null")  # takes in NODATA and SKIPDATA
    .agg(
        start=min_of("start"), end=max_of("end"), interfaces=n_unique("interface_id"),
        attachments=n_unique("tgw_attachment_id"),
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Scope:
    """The records that a conclusion is drawn from."""

    records: int  # read
    matched: int  # of them, that pass the filter
    traffic: int  # of those read, that are not NODATA or SKIPDATA
    interfaces: int
    start: int | None  # first start and last end, Unix seconds
    end: int | None

    @staticmethod
    def query(flows: Flows) -> Flows:
        """Returns the query whose result :meth:`of` takes; for one pass with others."""
        return _QUERY.bind(flows)

    @staticmethod
    def of(result: Result) -> Scope:
        """Returns the scope that a result of :meth:`query` holds."""
        (row,) = result.rows() or [{"start": None, "end": None, "interfaces": 0, "attachments": 0}]
        report, interfaces = result.report, row["interfaces"] or row["attachments"]
        return Scope(report.records, report.matched, report.ok, interfaces, row["start"], row["end"])

    def __str__(self) -> str:
        some = f"{self.matched:,} of " if self.matched != self.records else ""
        text = f"{some}{count(self.records, 'record')}"
        if not self.traffic:
            text += " without traffic (all NODATA or SKIPDATA)"
        if self.interfaces:
            text += f" of {count(self.interfaces, 'interface')}"
        if self.start is not None and self.end is not None:
            text += f", {instant(self.start)} to {instant(self.end)} UTC"
        return text
