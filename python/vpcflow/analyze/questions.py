"""Questions about traffic that have one answer wherever they are asked: in a terminal, over HTTP, in the state of a
watch."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from ..query import expr as of

#: Fields that tell flows apart, of which :data:`TABLES` ask.
KEYS = ("srcaddr", "dstaddr", "dstport", "protocol", "action")


@dataclasses.dataclass(frozen=True)
class Table:
    """A question that a table answers: the fields by which it groups, the measure by which it ranks, and a filter."""

    by: tuple[str, ...]
    measure: str
    where: str = ""


TABLES: Mapping[str, Table] = {
    "talkers": Table(("srcaddr",), "bytes"),
    "receivers": Table(("dstaddr",), "bytes"),
    "pairs": Table(("srcaddr", "dstaddr"), "bytes"),
    "ports": Table(("dstport", "protocol"), "bytes", "dstport < 32768 and (action is null or action != 'REJECT')"),
    "protocols": Table(("protocol",), "bytes"),
    "actions": Table(("action",), "records"),
    "rejects": Table(("srcaddr", "dstaddr", "dstport", "protocol"), "records", "action = 'REJECT'"),
    "rejected_sources": Table(("srcaddr",), "records", "action = 'REJECT'"),
    "rejected_ports": Table(("dstport", "protocol"), "records", "action = 'REJECT'"),
}


def volume() -> dict[str, of.Agg]:
    """Returns the three measures of records."""
    return {"bytes": of.sum("bytes"), "packets": of.sum("packets"), "records": of.count()}


def measure_of(table: Table, fields: Collection[str]) -> str:
    """Returns the measure by which a table ranks: of logs that lack its field, records."""
    return table.measure if table.measure in fields else "records"
