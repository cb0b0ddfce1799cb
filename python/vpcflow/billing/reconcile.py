"""Holds costs from logs against a bill, class by class, and names the causes of what differs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from .._words import count
from ..pricing import PRICE_OF, Bill, BillLine
from .evidence import HOUR, Evidence

#: Below this share of explained use, costs by owner must not be charged back.
ENOUGH = Decimal("0.8")
_TOLERANCE = Decimal("0.001")
#: What is explained of a class if one side counts twice, or two count once; and how near to that it is.
_SIDES, _NEAR = (Decimal(2), Decimal("0.5")), Decimal("0.02")
_BASES = {"base_1e9": Decimal(10**9) / 2**30}
_PATH_OF = {price: path for path, price in PRICE_OF.items()}
#: Products whose interfaces are AWS's own, so that no flow log of the user has what passes between them.
_HIDDEN_PRODUCTS = re.compile(
    r"RDS|ELB|ElasticLoadBalancing|ElastiCache|Redshift|MSK|Kafka|OpenSearch|ES$|EFS|DocDB", re.I
)
_HIDDEN_OPERATIONS = re.compile(r"LoadBalancing", re.I)
_DAY = 24


@dataclasses.dataclass
class _Cell:
    """A class in an hour, or in all of the time."""

    billed: Decimal = Decimal(0)
    explained: Decimal = Decimal(0)


@dataclasses.dataclass
class _Class:
    cells: dict[int | None, _Cell] = dataclasses.field(default_factory=dict)
    cost: Decimal = Decimal(0)
    hidden: Decimal = Decimal(0)
    #: Use of resources in VPCs, and of those that no VPC is known of.
    by_vpc: dict[str | None, Decimal] = dataclasses.field(default_factory=dict)

    def cell(self, hour: int | None) -> _Cell:
        return self.cells.setdefault(hour, _Cell())

    def whole(self) -> _Class:
        """Returns the class without hours, if a line of the bill has none."""
        if None in self.cells:
            self.cells = {None: _Cell(self.billed, self.explained)}
        return self

    @property
    def billed(self) -> Decimal:
        return sum((cell.billed for cell in self.cells.values()), Decimal(0))

    @property
    def explained(self) -> Decimal:
        return sum((cell.explained for cell in self.cells.values()), Decimal(0))


@dataclasses.dataclass(frozen=True)
class Reconciliation:
    """How much of a bill logs explain.

    ``rows``: by path class: ``class``, ``billed`` and ``explained`` in ``unit``, ``billed_cost``, ``currency``,
    ``ratio`` (explained by billed), ``unexplained``, ``coverage`` (capped at 1 in each hour, so that surplus hides no
    deficit), ``bill_coverage`` (of all classes), ``causes``. ``coverage``: share of the billed use that logs explain.
    ``dropped``: lines and cost by kind of what is no use. ``notes``: what was not compared, in words.
    """

    rows: list[dict[str, Any]]
    coverage: float | None
    dropped: dict[str, tuple[int, Decimal]]
    notes: tuple[str, ...]
    #: Bytes of a GB by which the bill counts, if it is not that of the sheet.
    gb: int | None = None

    @property
    def charge_back(self) -> bool:
        """Tells whether enough of the bill is explained to charge costs back by these logs."""
        return self.coverage is not None and Decimal(str(self.coverage)) >= ENOUGH

    @property
    def verdict(self) -> str:
        """Says how much of the bill is explained, and what that is good for."""
        if self.coverage is None:
            return "the bill has no traffic in the time of the logs: nothing is held against it"
        said = f"the logs explain {self.coverage:.1%} of the billed traffic"
        return said if self.charge_back else f"{said}: do not charge back from this"


def reconcile_rows(
    rows: Iterable[Mapping[str, Any]], bill: Bill, *, gb: int = 1 << 30, evidence: Evidence = Evidence(),
    start: int | None = None, end: int | None = None,
) -> Reconciliation:  # fmt: skip
    """Holds rows of cost against a bill.

    ``rows``: with ``class``, ``bytes``, ``sides``, perhaps ``priced_as``, and ``time`` (Unix seconds of an hour) where
    costs are by hour.
    ``gb``: bytes of a GB of the sheet. ``start``, ``end``: Unix seconds of what is compared; without them the days
    (UTC) in which the logs have a record. Raises :class:`~vpcflow.PriceError` for a bill that cannot be read.
    """
    classes: dict[str, _Class] = {}
    cost_rows = list(rows)
    hourly = bool(cost_rows) and all(row.get("time") is not None for row in cost_rows)
    for row in cost_rows:
        name = row.get("priced_as") or row["class"]  # the outside leg of a NAT gateway is priced as what is behind it
        if name in PRICE_OF and row.get("bytes"):
            hour = int(row["time"]) // HOUR if hourly else None
            own = classes.setdefault(name, _Class())
            own.cell(hour).explained += Decimal(int(row["bytes"])) * int(row.get("sides") or 0) / gb
    billing = _Billing(evidence, start, end, hourly)
    for line in bill:
        billing.add(line, classes)
    classes = {name: own.whole() for name, own in classes.items() if own.billed or own.explained}
    base = _base_of(classes.values())
    out = []
    total = {name: _covered(own, base) for name, own in classes.items()}
    billed = sum((own.billed for own in classes.values()), Decimal(0))
    coverage = float(sum(total.values(), Decimal(0)) / billed) if billed else None
    order = [name for name in PRICE_OF if name in classes]
    for name in order:
        own = classes[name]
        causes = (["base_1e9"] if base != 1 else []) + causes_of(name, own, evidence, base)
        out.append(_row(name, own, total[name], coverage, billing.currency, causes))
    return Reconciliation(out, coverage, dict(bill.dropped), billing.notes(bill), 10**9 if base < 1 else None)


class _Billing:
    """Puts lines of a bill into classes and hours, and counts what is not compared."""

    def __init__(self, evidence: Evidence, start: int | None, end: int | None, hourly: bool) -> None:
        self._evidence, self._start, self._end, self._hourly = evidence, start, end, hourly
        self._days = {hour // _DAY for hour in evidence.hours}
        self.currency = "USD"
        self._outside, self._outside_cost = 0, Decimal(0)
        self._coarse = 0
        self._by_hour, self._other = Decimal(0), Decimal(0)

    def add(self, line: BillLine, classes: dict[str, _Class]) -> None:
        if self._is_outside(line):
            self._outside += 1
            self._outside_cost += line.net
            return
        name = _PATH_OF.get(line.kind or "")
        if name is None:
            if line.kind and line.kind.endswith(".hour"):
                self._by_hour += line.net
            elif line.kind is None:
                self._other += line.net
            return
        self.currency = line.currency
        own = classes.setdefault(name, _Class())
        coarse = line.start is None or line.end is None or line.end - line.start > HOUR
        self._coarse += coarse
        own.cell(None if coarse or not self._hourly or line.start is None else line.start // HOUR).billed += line.amount
        own.cost += line.net
        if _HIDDEN_PRODUCTS.search(line.product) or _HIDDEN_OPERATIONS.search(line.operation):
            own.hidden += line.amount
        vpc = self._evidence.vpc_of.get(line.resource.rpartition("/")[2])
        own.by_vpc[vpc] = own.by_vpc.get(vpc, Decimal(0)) + line.amount

    def _is_outside(self, line: BillLine) -> bool:
        if line.start is None or (line.end is not None and line.end - line.start > HOUR * _DAY):
            return False
        if self._start is not None or self._end is not None:
            begins = self._start is None or line.start >= self._start
            return not (begins and (self._end is None or (line.end or line.start) <= self._end))
        return bool(self._days) and line.start // HOUR // _DAY not in self._days

    def notes(self, bill: Bill) -> tuple[str, ...]:
        out = []
        for kind, (lines, cost) in sorted(bill.dropped.items()):
            out.append(f"not compared: {count(lines, 'line')} of {kind}, {cost:.2f} {self.currency}")
        if self._outside:
            out.append(
                f"not compared: {count(self._outside, 'line')} outside of the time of the logs, "
                f"{self._outside_cost:.2f} {self.currency}"
            )
        if self._by_hour:
            out.append(f"by the hour, not by bytes: {self._by_hour:.2f} {self.currency} of gateways and addresses")
        if self._other:
            out.append(f"no traffic: {self._other:.2f} {self.currency} of other use")
        if self._coarse and self._hourly:
            out.append("the bill is not by the hour: surplus of one hour may hide what another lacks")
        if self._evidence.silent:
            names = ", ".join(self._evidence.silent[:3])
            more = f" and {len(self._evidence.silent) - 3} more" if len(self._evidence.silent) > 3 else ""
            out.append(f"in use, in a VPC that is logged, and without a record: {names}{more}")
        return tuple(out)


def _base_of(classes: Iterable[_Class]) -> Decimal:
    """Returns how much smaller the bill's GB is than the sheet's: 1, or 0.931 if most hours differ by just that."""
    ratios = [
        cell.explained / cell.billed for own in classes for cell in own.cells.values() if cell.billed and cell.explained
    ]
    for base in _BASES.values():
        near = sum(abs(ratio / base - 1) < _TOLERANCE for ratio in ratios)
        same = sum(abs(ratio - 1) < _TOLERANCE for ratio in ratios)
        if near > same and near * 4 >= len(ratios):
            return base
    return Decimal(1)


def _covered(own: _Class, base: Decimal) -> Decimal:
    """Returns the explained part of the billed use; a surplus in one hour covers no deficit in another."""
    return sum((min(cell.billed, cell.explained / base) for cell in own.cells.values()), Decimal(0))


def causes_of(name: str, own: _Class, evidence: Evidence, base: Decimal = Decimal(1)) -> list[str]:
    """Returns the causes by which a class differs from the bill, in the order in which they are tested, and only those
    that the evidence has."""
    billed, explained = own.billed, own.explained / base
    lacks = billed - explained > billed * _TOLERANCE
    exceeds = explained - billed > billed * _TOLERANCE
    out: list[str] = []
    if lacks:
        deficits = [
            hour for hour, cell in own.cells.items() if cell.billed - cell.explained / base > cell.billed * _TOLERANCE
        ]
        whole = None in own.cells
        if evidence.skipped and (whole or any(hour in evidence.skipped for hour in deficits)):
            out.append("skipdata")
        if evidence.hours and (
            _gaps_inside(evidence) if whole else any(hour not in evidence.hours for hour in deficits)
        ):
            out.append("hours_missing")
        known = any(vpc is not None for vpc in own.by_vpc)
        for vpc in evidence.silent_vpcs:
            if own.by_vpc.get(vpc) or not known:
                out.append(f"vpc_not_logged: {vpc}")
    visible = billed - own.hidden
    doubled = any(abs(explained / visible / factor - 1) < _NEAR for factor in _SIDES) if visible > 0 else False
    sided = name in ("cross_az", "peering", "public_in_region")
    if name in evidence.one_sided or (sided and doubled and not out and not (exceeds and evidence.duplicates)):
        out.append("one_side")
    if (exceeds and evidence.duplicates) or name in evidence.repeated:
        out.append("overlap")
    if lacks and own.hidden:
        out.append("not_visible")
    return out


def _gaps_inside(evidence: Evidence) -> bool:
    """Tells whether an hour between the first and the last is not there."""
    return max(evidence.hours) - min(evidence.hours) + 1 > len(evidence.hours)


def _row(
    name: str, own: _Class, covered: Decimal, coverage: float | None, currency: str, causes: list[str]
) -> dict[str, Any]:
    billed, explained = own.billed, own.explained
    return {
        "class": name, "billed": float(round(billed, 9)), "explained": float(round(explained, 9)), "unit": "GB",
        "billed_cost": float(round(own.cost, 9)), "currency": currency,
        "ratio": float(round(explained / billed, 6)) if billed else None,
        "unexplained": float(round(max(billed - covered, Decimal(0)), 9)),
        "coverage": float(round(covered / billed, 6)) if billed else None,
        "bill_coverage": None if coverage is None else round(coverage, 6), "causes": causes,
    }  # fmt: skip
