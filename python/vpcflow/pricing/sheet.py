"""The price sheet: prices by class and region as exact decimals, with tiers, sources and dates."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

from .._hints import hint
from ..errors import PriceError, SourceError, SourceNotFoundError
from .classes import check_usage_type, unit_of

SCHEMA = 1
GB = 1 << 30
#: From an amount, up to another (``None``: no end), at a price.
Tier = tuple[Decimal, "Decimal | None", Decimal]
_MEMBERS = (
    "class", "region", "from", "to", "usage_types", "operation", "unit", "scope", "tiers", "source", "note",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Source:
    """Where prices are from, and the day on which they were seen."""

    id: str
    seen: str = ""


@dataclasses.dataclass(frozen=True)
class PriceRow:
    """The price of a class in a region, or from one region to another."""

    kind: str
    region: str
    to: str | None
    tiers: tuple[Tier, ...]
    source: Source
    unit: str = "GB"
    usage_types: tuple[str, ...] = ()
    operation: str | None = None
    #: ``"payer-month"``: its tiers are of what the payer used in the month, all accounts together.
    scope: str | None = None
    note: str | None = None

    def cost(self, amount: Decimal, before: Decimal = Decimal(0)) -> Decimal:
        """Returns the cost of an amount in the row's unit, after ``before`` was used in the same month; exact.

        Tiers are half-open: an amount up to a bound, and the one from it on.
        """
        with localcontext() as context:
            context.prec = 60
            total, end = Decimal(0), before + amount
            for begin, stop, price in self.tiers:
                low, high = max(before, begin), end if stop is None else min(end, stop)
                if high > low:
                    total += (high - low) * price
            if self.tiers[-1][1] is not None and end > self.tiers[-1][1]:
                total += (end - max(before, self.tiers[-1][1])) * self.tiers[-1][2]
            return total

    def rate(self, before: Decimal = Decimal(0)) -> Decimal:
        """Returns the price of what is used next."""
        return next((price for _, stop, price in self.tiers if stop is None or before < stop), self.tiers[-1][2])


class Sheet:
    """Prices with their date and sources: ``vpcflow.prices()``. Never changed; any number of threads may read one.

    ``currency``; ``published``: the day of the prices; ``gb``: the bytes of a GB; ``rows``; ``sources``; ``gaps``: what
    the sheet knows that it lacks. A region that the sheet lacks is unpriced, never as another one.
    """

    def __init__(
        self, rows: Iterable[PriceRow], *, currency: str = "USD", published: str = "", gb: int = GB,
        gaps: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.rows = tuple(rows)
        self.currency, self.published, self.gb, self.gaps = currency, published, gb, tuple(gaps)
        self._by_key: dict[tuple[str, str, str | None], PriceRow] = {}
        for row in self.rows:
            if self._by_key.setdefault((row.kind, row.region, row.to), row).tiers != row.tiers:
                where = row.region + (f" to {row.to}" if row.to else "")
                raise PriceError(f"prices: {row.kind} of {where} has two prices; keep one of the rows")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sheet) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[object, ...]:
        return self.rows, self.currency, self.published, self.gb, self.gaps

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of the rows, each once."""
        return tuple(dict.fromkeys(row.source for row in self.rows))

    @property
    def regions(self) -> list[str]:
        """The regions that have a price, sorted."""
        return sorted({row.region for row in self.rows})

    def price(self, kind: str, region: str, to: str | None = None) -> PriceRow | None:
        """Returns the price of a class in a region (for ``region.out``, ``to`` another), or ``None``: it is unpriced.

        Raises :class:`~vpcflow.PriceError` with the nearest name for a class that is none.

        >>> import vpcflow as vf
        >>> sheet = vf.prices()
        >>> str(sheet.price("nat.gb", "us-east-1").rate()), sheet.price("nat.gb", "mars-north-1")
        ('0.045', None)
        """
        unit_of(kind)
        return self._by_key.get((kind, region, to))

    def cost(
        self, kind: str, region: str, amount: int, to: str | None = None, before: Decimal = Decimal(0)
    ) -> Decimal | None:
        """Returns the cost of bytes (of hours, for classes by the hour), or ``None``: it is unpriced.

        ``before``: GB (hours) of the class that the payer used in the month so far, which decides the tier.

        >>> import vpcflow as vf
        >>> str(vf.prices().cost("internet.out", "us-east-1", 2 << 30, before=10239))
        '0.175'
        """
        row = self.price(kind, region, to)
        if row is None:
            return None
        return row.cost(self.amount(kind, amount), Decimal(before))

    def amount(self, kind: str, count: int) -> Decimal:
        """Returns bytes in GB, and hours as they are: the amount that a bill has."""
        with localcontext() as context:
            context.prec = 60
            return Decimal(count) / self.gb if unit_of(kind) == "GB" else Decimal(count)

    def to_dict(self, region: str | None = None) -> dict[str, Any]:
        """Returns the sheet as its JSON has it; of one region, its own rows."""
        kept = [row for row in self.rows if region in (None, row.region)]
        sources = list(dict.fromkeys(row.source for row in kept))
        return {
            "schema": SCHEMA, "currency": self.currency, "published": self.published, "gb": self.gb,
            "sources": [dataclasses.asdict(source) for source in sources],
            "rows": [_row_json(row, sources.index(row.source)) for row in kept], "gaps": list(self.gaps),
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<Sheet of {self.published}: {len(self.rows):,} prices, {', '.join(self.regions)}>"


def prices(path: str | os.PathLike[str] | None = None) -> Sheet:
    """Reads a price sheet: JSON, see the schemas; without a path, the public list prices that are part of
    the package. Those name their date, sources and gaps, and are few: import more from AWS's price lists, or your own
    from a bill (``vpcflow prices import``).

    Raises :class:`~vpcflow.PriceError` for a file that is no sheet: it names the row and what is allowed;
    :class:`~vpcflow.SourceNotFoundError` for one that is not there.

    >>> import vpcflow as vf
    >>> vf.prices().currency
    'USD'
    """
    if path is None:
        return _public()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SourceNotFoundError(f"{os.fspath(path)}: no such file; expected a price sheet") from None
    except UnicodeDecodeError:
        text = "no text"
    except OSError as error:
        raise SourceError(f"{os.fspath(path)}: cannot be read: {error}") from None
    try:
        document = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise PriceError(
            f"{os.fspath(path)}: invalid JSON: {error}; expected a price sheet, which 'vpcflow prices import' makes of "
            "price lists and bills"
        ) from None
    return sheet_of(document, os.fspath(path))


@functools.cache
def _public() -> Sheet:
    text = (Path(__file__).parent / "public.json").read_text(encoding="utf-8")
    return sheet_of(json.loads(text, parse_float=Decimal), "public.json")


def sheet_of(document: Any, name: str) -> Sheet:
    """Makes a sheet of its JSON; ``name`` is that of the file, for errors."""
    if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
        raise PriceError(
            f"{name}: no price sheet: expected an object with 'rows'; 'vpcflow prices import' makes one of price lists "
            "and bills"
        )
    if document.get("schema", SCHEMA) != SCHEMA:
        raise PriceError(f"{name}: schema: {document['schema']!r}; this version reads {SCHEMA}")
    gb = document.get("gb", GB)
    if gb not in (GB, 10**9):
        raise PriceError(f"{name}: gb: {gb!r}; allowed are {GB} and {10**9}")
    sources = [_source(one, name) for one in document.get("sources") or ()]
    rows = [_row(row, number, sources, name) for number, row in enumerate(document["rows"])]
    if not rows:
        raise PriceError(f"{name}: a sheet without rows prices nothing")
    try:
        return Sheet(
            rows, currency=str(document.get("currency", "USD")), published=str(document.get("published", "")), gb=gb,
            gaps=[str(gap) for gap in document.get("gaps") or ()],
        )  # fmt: skip
    except PriceError as error:
        raise PriceError(f"{name}: {error}") from None


def _source(value: Any, name: str) -> Source:
    if not isinstance(value, dict) or not value.get("id"):
        raise PriceError(f"{name}: sources: {value!r}; expected objects with 'id' and 'seen'")
    return Source(str(value["id"]), str(value.get("seen", "")))


def _row(row: Any, number: int, sources: list[Source], name: str) -> PriceRow:
    try:
        if not isinstance(row, dict):
            raise PriceError("expected an object")
        for member in row:
            if member not in _MEMBERS:
                raise PriceError(f"{member!r} is no member of a row; {hint(str(member), list(_MEMBERS))}")
        kind = str(row.get("class", ""))
        unit = unit_of(kind)
        region, to = (row.get("from"), row.get("to")) if "from" in row else (row.get("region"), None)
        if (
            not region
            or not isinstance(region, str)
            or (("from" in row) != (kind == "region.out"))
            or ("from" in row and not to)
        ):
            wanted = "'from' and 'to'" if kind == "region.out" else "'region'"
            raise PriceError(f"{kind} needs {wanted}")
        if row.get("unit", unit) != unit:
            raise PriceError(f"unit: {row['unit']!r}; {kind} is by {unit}")
        usage_types = tuple(str(one) for one in row.get("usage_types") or ())
        for usage_type in usage_types:
            check_usage_type(kind, usage_type)
        source = row.get("source", 0)
        if not isinstance(source, int) or not 0 <= source < max(1, len(sources)):
            raise PriceError(f"source: {source!r}; there are {len(sources)} sources, from 0")
        return PriceRow(
            kind, region, to, _tiers(row.get("tiers")), sources[source] if sources else Source("not said"), unit,
            usage_types, row.get("operation"), row.get("scope"), row.get("note"),
        )  # fmt: skip
    except PriceError as error:
        text = str(error).removeprefix("prices: ") if hasattr(str, "removeprefix") else str(error)
        raise PriceError(f"{name}: row {number + 1}: {text}") from None


def _tiers(value: Any) -> tuple[Tier, ...]:
    if not isinstance(value, list) or not value:
        raise PriceError('tiers: expected [[0, null, "0.045"]], or more of them')
    tiers: list[Tier] = []
    for one in value:
        if not isinstance(one, list) or len(one) != 3:
            raise PriceError(f"tiers: {one!r}; expected a start, an end or null, and a price")
        begin, end, price = decimal_of(one[0]), None if one[1] is None else decimal_of(one[1]), decimal_of(one[2])
        expected = tiers[-1][1] if tiers else Decimal(0)
        if begin != expected or (end is not None and end <= begin):
            raise PriceError(f"tiers: from {one[0]} to {one[1]}; they follow each other, the first from 0")
        tiers.append((begin, end, price))
    return tuple(tiers)


def decimal_of(value: Any) -> Decimal:
    """Returns a number of a sheet, a price list or a bill; :class:`~vpcflow.PriceError` for what is none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise PriceError(f"{value!r} is no price or amount; expected decimal text as '0.045'")
    return number


def text_of(number: Decimal) -> str:
    """Returns a decimal as plain text without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _row_json(row: PriceRow, source: int) -> dict[str, Any]:
    place = {"from": row.region, "to": row.to} if row.to else {"region": row.region}
    more: Mapping[str, Any] = {
        "usage_types": list(row.usage_types), "operation": row.operation, "unit": row.unit, "scope": row.scope,
    }  # fmt: skip
    tiers = [[_bound(begin), _bound(end), text_of(price)] for begin, end, price in row.tiers]
    out = {**place, "class": row.kind, **{name: value for name, value in more.items() if value}, "tiers": tiers}
    return {**out, "source": source, **({"note": row.note} if row.note else {})}


def _bound(value: Decimal | None) -> int | str | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else text_of(value)
