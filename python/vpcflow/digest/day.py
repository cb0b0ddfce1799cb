"""A day's digest: what was seen, and the objects that it was seen in."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import PlanError
from .tables import Addresses, Pairs, merged

DAY = 86400


class Object(NamedTuple):
    """An object whose records are in a digest, and how many of them are of its day.

    ``identity``: SHA-256 of a file's stored bytes, of an object in S3 what its listing tells of it. ``name``: the last
    part of a file's path, the URL of an object. ``rejected``: lines of the whole object. ``damaged``: it could not be
    read to its end. ``days``: how many days its records are of."""

    identity: str
    name: str
    size: int
    records: int
    nodata: int
    skipdata: int
    first: int  # Unix seconds, the least start
    last: int
    rejected: int
    damaged: bool
    days: int

    def joined(self, other: Object) -> Object:
        """Returns what two readings of one object say together."""
        return Object(
            self.identity, self.name, max(self.size, other.size), max(self.records, other.records),
            max(self.nodata, other.nodata), max(self.skipdata, other.skipdata), min(self.first, other.first),
            max(self.last, other.last), max(self.rejected, other.rejected), self.damaged or other.damaged,
            max(self.days, other.days),
        )  # fmt: skip


class Hours(NamedTuple):
    """The hours of a day, a bit each, in which an interface has records: of traffic or NODATA, and SKIPDATA."""

    seen: int
    skipped: int

    def joined(self, other: Hours) -> Hours:
        """Returns the hours of both."""
        return Hours(self.seen | other.seen, self.skipped | other.skipped)


class Day(NamedTuple):
    """What was seen on a day (UTC) by the start of its records. Never changed; :meth:`merge` makes another."""

    date: datetime.date
    addresses: Addresses
    pairs: Pairs
    interfaces: Mapping[str, Hours]
    objects: Mapping[tuple[str, str], Object]

    @property
    def start(self) -> int:
        """Returns the Unix seconds of its begin."""
        return start_of(self.date)

    def as_row(self) -> dict[str, Any]:
        """Returns what ``vpcflow digest info`` says of it."""
        objects = {one.identity: one for one in self.objects.values()}.values()  # copies hold nothing more
        seen = 0
        for hours in self.interfaces.values():
            seen |= hours.seen
        return {
            "day": self.date.isoformat(),
            "records": sum(one.records for one in objects),
            "nodata": sum(one.nodata for one in objects),
            "skipdata": sum(one.skipdata for one in objects),
            "rejected": sum(one.rejected for one in objects),
            "addresses": len(self.addresses.keys),
            "pairs": len(self.pairs.low),
            "interfaces": len(self.interfaces),
            "hours": bits(seen),
            "interface_hours": sum(bits(hours.seen) for hours in self.interfaces.values()),
            "skipdata_hours": sum(bits(hours.skipped) for hours in self.interfaces.values()),
            "objects": len(objects),
            "damaged": sum(one.damaged for one in objects),
        }


def merge(days: Sequence[Day]) -> Day:
    """Merges digests of the same day: any order, and any of them twice, gives the same."""
    dates = {day.date for day in days}
    if len(dates) != 1:
        raise PlanError(f"merge: digests of {len(dates)} days: {', '.join(sorted(map(str, dates)))}; expected one day")
    if len(days) == 1:
        return days[0]
    addresses, pairs = merged([(day.addresses, day.pairs) for day in days])
    interfaces = joined(item for day in days for item in day.interfaces.items())
    objects = joined(item for day in days for item in day.objects.items())
    return Day(days[0].date, addresses, pairs, interfaces, objects)


def joined(items: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """Returns what is known by each key, sorted by it."""
    out: dict[Any, Any] = {}
    for key, value in items:
        out[key] = out[key].joined(value) if key in out else value
    return dict(sorted(out.items()))


def bits(number: int) -> int:
    """Counts the bits of a number."""
    return f"{number:b}".count("1")


def start_of(date: datetime.date) -> int:
    """Returns the Unix seconds of a day's begin in UTC."""
    return (date - datetime.date(1970, 1, 1)).days * DAY


def date_of(seconds: int) -> datetime.date:
    """Returns the day of Unix seconds in UTC."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=seconds // DAY)
