"""Cost of the traffic by path class and owner: :func:`cost_of`."""

from __future__ import annotations

import dataclasses
import json
import os
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from .. import _core
from .._display import human_bytes
from ..errors import PlanError
from ..inventory.inventory import Inventory
from ..inventory.inventory import inventory as read_inventory
from ..pricing.classes import PRICE_OF
from ..pricing.sheet import Sheet
from ..pricing.sheet import prices as read_prices
from ..query.flows import Flows
from ..query.report import Report
from .flow_logs import logged, run_parts
from .ground import Ranges, classifier, ranges_in, read_ranges
from .nats import Owners, rows_of_nats
from .twice import Twice, twice_in
from .way import PATH, Way

#: Path classes that no price of ours is for, though AWS may charge for them.
_UNKNOWN_PRICE = {
    "vgw": "Direct Connect and VPN are priced by location: not in the sheet",
    "local_gateway": "an Outpost's local gateway is not in the sheet",
}
#: What a table of costs is grouped by beside fields of the logs.
KEYS = ("class", "priced_as", "owner", "day", "hour", "service")
_SERVICES = ("pkt_src_aws_service", "pkt_dst_aws_service")
_TAGS = ("instance_tag", "interface_tag", "asg_tag")


@dataclasses.dataclass
class _Group:
    """Bytes of one path and one set of values of the keys."""

    path: Way
    values: Mapping[str, Any]
    owner: str | None
    bytes: int

    @classmethod
    def of(cls, row: Mapping[str, Any], tags: Sequence[str]) -> _Group:
        path = Way.of(row[PATH])
        tag = next((row[name] for name in tags if row.get(name)), None) if path.owner_is_local else None
        return cls(path, row, urllib.parse.unquote(tag) if tag else path.owner or None, row["bytes"] or 0)

    def owned(self, shares: Mapping[str | None, Decimal]) -> Iterator[_Group]:
        """Yields its bytes by owner; they add up to the whole."""
        left = self.bytes
        for n, (owner, share) in enumerate(shares.items()):
            part = left if n + 1 == len(shares) else min(left, round(self.bytes * share))
            left -= part
            yield dataclasses.replace(self, owner=owner, bytes=part)

    def value(self, key: str) -> Any:
        """Returns the value of a key."""
        if key == "class":
            return self.path.kind
        if key == "owner":
            return self.owner
        if key == "priced_as":
            return self.path.priced_as
        if key == "day":
            return time.strftime("%Y-%m-%d", time.gmtime(self.values["time"]))
        if key == "hour":
            return self.values["time"]
        if key == "service":
            return next((self.values[name] for name in reversed(_SERVICES) if self.values[name]), None)
        return self.values[key]

    def price(self) -> tuple[str, str, str | None] | None:
        """Returns the class, region and region sent to by which the sheet prices it; ``None``: it costs nothing, or
        nobody knows what."""
        kind = PRICE_OF.get(self.path.priced_as)
        if kind is None or self.path.sides == 0:
            return None
        return kind, self.path.region, (self.path.to or None) if kind == "region.out" else None

    def cost(self, rates: Mapping[tuple[str, str, str | None], Decimal | None]) -> tuple[Decimal | None, str]:
        """Returns its cost, or ``None`` and why it is not known."""
        price = self.price()
        if price is None:
            unknown = _UNKNOWN_PRICE.get(self.path.priced_as, "")
            known = self.path.priced_as != "unpriced" and not unknown
            return (Decimal(0) if known else None), self.path.why or unknown
        rate = rates.get(price)
        if rate is None:
            kind, region, to = price
            where = (f" in {region}" if region else ": the region is not known") + (f" to {to}" if to else "")
            return None, f"the sheet has no {kind}{where}"
        return rate * (self.bytes * self.path.sides), self.path.why


@dataclasses.dataclass(frozen=True)
class _Pricing:
    """By what groups are priced: the keys of a table, the sheets, and what was used before."""

    keys: tuple[str, ...]
    sheet: Sheet
    effective: Sheet | None
    month_to_date: Mapping[str, Decimal]

    def rows(self, groups: Sequence[_Group]) -> list[dict[str, Any]]:
        return _priced(groups, self.keys, self.sheet, self.effective, self.month_to_date)


class Cost:
    """What traffic costs: :meth:`vpcflow.Flows.cost`. Never changed.

    ``rows``: dictionaries with the keys that were asked for, ``bytes``, ``list_cost`` and ``effective_cost`` (exact
    decimals; ``None``: not known), ``currency``, ``sides`` (how many ends of a byte AWS charges), ``priced_as`` and
    ``why``; the most expensive first. ``elsewhere``: bytes of records that tell again what another record counts.
    ``repeated``: bytes, by what they are priced as, of records that another flow log has, too, which are left out;
    ``repeats``: sentences about these flow logs, which the names of files tell. ``twice``: whether records may be
    counted twice, where names do not tell: as text ``no``, ``may be counted twice: ...`` or ``cannot tell ...``.
    ``error``: of a damaged source, of which the readable part was counted.

    Costs of parts, such as days, add up: ``monday + tuesday`` is the cost of both, tiers included, if each interface
    that is logged has a record in each part. :class:`~vpcflow.PlanError` for costs by other keys or prices.
    """

    def __init__(
        self, groups: Sequence[_Group], pricing: _Pricing, elsewhere: int, report: Any, error: Any,
        repeats: Sequence[str] = (), repeated: Mapping[str, int] | None = None, twice: Twice | None = None,
    ) -> None:  # fmt: skip
        self._groups, self._pricing = _summed(groups, pricing.keys), pricing
        self.rows, self.keys, self.sheet = pricing.rows(self._groups), pricing.keys, pricing.sheet
        self.elsewhere, self.report, self.error = elsewhere, report, error
        self.repeats, self.repeated, self.twice = tuple(repeats), dict(repeated or {}), twice or Twice()

    def __add__(self, other: Cost) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        if self._pricing != other._pricing:
            raise PlanError("costs that are added must be by the same keys, sheets and month_to_date")
        kinds = {*self.repeated, *other.repeated}
        return Cost(
            [*self._groups, *other._groups], self._pricing, self.elsewhere + other.elsewhere,
            Report(_core.merge_reports(self.report, other.report)), self.error or other.error,
            sorted({*self.repeats, *other.repeats}),
            {kind: self.repeated.get(kind, 0) + other.repeated.get(kind, 0) for kind in kinds},
            self.twice + other.twice,
        )  # fmt: skip

    def __radd__(self, other: object) -> Cost:
        return self if other == 0 else NotImplemented  # sum() begins with 0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Cost: {len(self.rows):,} rows by {', '.join(self.keys)}, {self.total():.2f} {self.sheet.currency}>"

    def total(self) -> Decimal:
        """Returns the list cost of all rows that have one."""
        return sum((row["list_cost"] for row in self.rows if row["list_cost"] is not None), Decimal(0))

    def conclusion(self) -> str:
        """Returns in a sentence what all of it costs, and how much has no price."""
        whole = sum(row["bytes"] for row in self.rows)
        unknown = sum(row["bytes"] for row in self.rows if row["list_cost"] is None)
        said = f"{self.total():,.2f} {self.sheet.currency} at list prices of {self.sheet.published or 'an unknown day'}"
        lacking = f"{_percent(unknown, whole)} of the bytes have no price" if unknown else "all of it has a price"
        return f"{said} for {human_bytes(whole)}; {lacking}" + (f"; {self.twice}" if self.twice.minutes else "")

    def notes(self) -> list[str]:
        """Returns what the figures leave out."""
        out = []
        if self.elsewhere:
            out.append(
                f"{human_bytes(self.elsewhere)} in records that tell again what the other end, or a gateway, tells; "
                "counted there"
            )
        out += self.repeats
        out += [str(self.twice)] if self.twice.lacking and not self.twice.minutes else []
        out += sorted({f"not priced: {row['why']}" for row in self.rows if row["list_cost"] is None and row["why"]})
        return out

    def to_json_lines(self) -> str:
        """Returns a row a line, as JSON; costs are numbers."""
        rows = ({**row, "counted_twice": str(self.twice)} for row in self.rows)
        return "".join(json.dumps({k: _plain(v) for k, v in row.items()}) + "\n" for row in rows)


def cost_of(
    flows: Flows,
    inventory: Inventory | str | os.PathLike[str],
    prices: Sheet | str | os.PathLike[str] | None = None,
    by: str | Sequence[str] = "class",
    *,
    owner_tag: str = "team",
    ranges: Ranges | str | os.PathLike[str] | None = None,
    effective: Sheet | str | os.PathLike[str] | None = None,
    month_to_date: Mapping[str, Decimal] | None = None,
) -> Cost:
    """Prices the traffic of logs; as :meth:`vpcflow.Flows.cost`, whose arguments these are."""
    keys = [by] if isinstance(by, str) else list(by)
    keys = ["class", *(key for key in dict.fromkeys(keys) if key != "class")]
    if ranges is None and isinstance(inventory, (str, os.PathLike)):
        ranges = ranges_in(inventory)
    known = ranges if isinstance(ranges, list) else read_ranges(Path(ranges)) if ranges is not None else []
    things = inventory if isinstance(inventory, Inventory) else read_inventory(inventory)
    sheet, paid = (one if isinstance(one, Sheet) else read_prices(one) for one in (prices, effective))
    known_logs = logged(flows)
    core = classifier(things, known, known_logs.ids, owner_tag)
    tags = [name for name in _TAGS if any(name.replace("_", "-") in form for form in known_logs.formats)]
    fields = _fields(keys, tags)
    every = "1h" if "hour" in keys else "1d" if "day" in keys else None

    def labelled(query: Flows) -> Flows:
        return query._with(labels=[*query._spec.labels, (PATH, "", core)], allow_missing=True)

    found, again, report, error = run_parts(
        known_logs.parts, lambda query: labelled(query).group_by(PATH, *fields, every=every).agg(bytes="sum(bytes)")
    )
    groups = [_Group.of(row, tags) for row in found if row[PATH] is not None]
    elsewhere = sum(row["bytes"] or 0 for row in found if row[PATH] is None)
    if "owner" in keys and any(group.path.kind == "nat_outside" for group in groups):
        legs = [row for part in known_logs.parts for row in rows_of_nats(labelled(part.kept), fields, every)]
        owners = Owners(legs)
        groups = [group for group in groups if group.path.kind != "nat_outside"]
        for row in legs:
            if row[PATH].startswith("nat_outside"):
                groups += _Group.of(row, tags).owned(owners.of(row))
    pricing = _Pricing(tuple(keys), sheet, paid if effective is not None else None, dict(month_to_date or {}))
    twice = Twice() if known_logs.apart else twice_in(flows, known_logs.formats, known_logs.records)
    return Cost(groups, pricing, elsewhere, report, error, known_logs.repeats, _repeated(again, tags), twice)


def _summed(groups: Sequence[_Group], keys: Sequence[str]) -> list[_Group]:
    """Returns groups of equal paths, values and owners as one, in an order that is that of no source."""
    out: dict[tuple[Any, ...], _Group] = {}
    for group in groups:
        values = {name: group.values[name] for name in (*keys, *_SERVICES, "time") if name in group.values}
        key = (group.path, group.owner, *values.values())
        before = out.get(key)
        size = group.bytes + (before.bytes if before is not None else 0)
        out[key] = _Group(group.path, values, group.owner, size)
    return [out[key] for key in sorted(out, key=str)]


def _repeated(rows: Sequence[Mapping[str, Any]], tags: Sequence[str]) -> dict[str, int]:
    """Returns the bytes of rows by the class that they are priced as."""
    out: dict[str, int] = {}
    for group in (_Group.of(row, tags) for row in rows if row[PATH] is not None and row["bytes"]):
        out[group.path.priced_as] = out.get(group.path.priced_as, 0) + group.bytes
    return out


def _fields(keys: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Returns the fields to group by."""
    out = [key for key in keys if key not in KEYS]
    out += tags if "owner" in keys else []
    return out + (list(_SERVICES) if "service" in keys else [])


def _priced(
    groups: Sequence[_Group], keys: Sequence[str], prices: Sheet, effective: Sheet | None,
    month_to_date: Mapping[str, Decimal],
) -> list[dict[str, Any]]:  # fmt: skip
    charged: dict[tuple[str, str, str | None], int] = {}  # bytes by price, region and region sent to
    for group in groups:
        if (price := group.price()) is not None:
            charged[price] = charged.get(price, 0) + group.bytes * group.path.sides
    lists, effectives = (_rates(charged, sheet, month_to_date) for sheet in (prices, effective))
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for group in groups:
        list_cost, why = group.cost(lists)
        paid = group.cost(effectives)[0] if effective is not None else None
        own = {key: group.value(key) for key in keys}
        at = (*own.values(), group.path.sides, list_cost is None and why, paid is None)
        row = rows.setdefault(at, {
            **own, "bytes": 0, "list_cost": _zero(list_cost), "effective_cost": _zero(paid),
            "currency": prices.currency, "sides": group.path.sides, "as": set(), "why": set(),
        })  # fmt: skip
        row["bytes"] += group.bytes
        row["as"].add(group.path.priced_as)
        row["why"] |= {why} - {""}
        if list_cost is not None:
            row["list_cost"] += list_cost
        if paid is not None:
            row["effective_cost"] += paid
    for row in rows.values():
        row["priced_as"], row["why"] = ", ".join(sorted(row.pop("as"))), "; ".join(sorted(row["why"])) or None
    return sorted(
        rows.values(), key=lambda row: (-(row["list_cost"] or 0), -row["bytes"], *(str(row[key]) for key in keys))
    )


def _rates(
    charged: Mapping[tuple[str, str, str | None], int], sheet: Sheet | None, month_to_date: Mapping[str, Decimal]
) -> dict[tuple[str, str, str | None], Decimal | None]:
    """Returns what a byte costs by price, region and region sent to: the mean over the tiers that the bytes reach."""
    if sheet is None:
        return {}
    out: dict[tuple[str, str, str | None], Decimal | None] = {}
    for (kind, region, to), count in charged.items():
        whole = sheet.cost(kind, region, count, to, Decimal(month_to_date.get(kind, 0)))
        out[kind, region, to] = whole / count if whole is not None and count else None if whole is None else Decimal(0)
    return out


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.1f} %" if share >= 0.1 else "less than 0.1 %"


def _zero(cost: Decimal | None) -> Decimal | None:
    return None if cost is None else Decimal(0)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
