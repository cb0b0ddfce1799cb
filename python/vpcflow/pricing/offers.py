"""AWS's price lists: offer files as JSON and as CSV, and answers of ``aws pricing get-products``."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any

from ..errors import PriceError
from .classes import price_class
from .sheet import PriceRow, Source, Tier, decimal_of
from .streaming import JsonReader

_PREAMBLE = 5  # lines of an offer's CSV before its header


def _place(attributes: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Returns class, region and region sent to of a product; no class: it is none of traffic."""
    usage_type, operation = str(attributes.get("usagetype") or ""), str(attributes.get("operation") or "")
    kind = price_class(usage_type, operation)
    from_region = attributes.get("fromRegionCode") or attributes.get("regionCode") or ""
    if kind is None or not from_region:
        return "", None, None
    to = str(attributes.get("toRegionCode") or "") or None
    if kind == "region.out":
        return (kind, str(from_region), to) if to and to != from_region else ("", None, None)
    if kind == "region.in":
        return "", None, None
    return kind, str(from_region), None


class Products:
    """Products with their prices, as they are found; makes the rows of a sheet."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen = 0
        self._products: dict[str, tuple[str, str, str | None, str, str]] = {}
        self._tiers: dict[str, list[Tier]] = {}

    def product(self, sku: str, attributes: Mapping[str, Any]) -> None:
        """Takes a product of traffic; others are counted only."""
        self.seen += 1
        kind, region, to = _place(attributes)
        if region is not None:
            usage = (str(attributes.get("usagetype")), str(attributes.get("operation") or ""))
            self._products[sku] = (kind, region, to, *usage)

    def wants(self, sku: str) -> bool:
        return sku in self._products

    def terms(self, sku: str, terms: Mapping[str, Any]) -> None:
        """Takes the prices on demand of a product: offers by code, each with dimensions by code."""
        for offer in _objects(terms):
            for dimension in _objects(offer.get("priceDimensions") or {}):
                per_unit = dimension.get("pricePerUnit") or {}
                if isinstance(per_unit, dict) and "USD" in per_unit:
                    self.tier(sku, dimension.get("beginRange", "0"), dimension.get("endRange"), per_unit["USD"])

    def tier(self, sku: str, begin: Any, end: Any, price: Any) -> None:
        stop = None if end in (None, "", "Inf") else decimal_of(end)
        self._tiers.setdefault(sku, []).append((decimal_of(begin or "0"), stop, decimal_of(price)))

    def rows(self, name: str) -> list[PriceRow]:
        """Returns the rows; :class:`~vpcflow.PriceError` if no product is one of traffic, since a question with an
        impossible usage type gets an empty answer."""
        out = []
        for sku, (kind, region, to, usage_type, operation) in sorted(self._products.items()):
            tiers = tuple(sorted(set(self._tiers.get(sku, ())), key=lambda tier: tier[0]))
            if tiers:
                out.append(_made(kind, region, to, tiers, self.source, usage_type, operation, f"{name}: {sku}"))
        if not out:
            raise PriceError(
                f"{name}: no price of traffic, gateways or logs in {self.seen:,} products; check the service code, the "
                "region and the usage type that were asked for"
            )
        return out


def _made(
    kind: str, region: str, to: str | None, tiers: tuple[Tier, ...], source: Source, usage_type: str, operation: str,
    name: str,
) -> PriceRow:  # fmt: skip
    expected: Decimal | None = Decimal(0)
    for begin, end, _ in tiers:
        if begin != expected:
            raise PriceError(f"{name}: tiers: from {begin} to {end}; they follow each other, the first from 0")
        expected = end
    scope = "payer-month" if len(tiers) > 1 else None
    unit = "Hrs" if kind.endswith(".hour") else "GB"
    unit = "Gbps-Hrs" if kind == "nat.provisioned.hour" else unit
    return PriceRow(kind, region, to, tiers, source, unit, (usage_type,), operation or None, scope)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, dict)]


def offer_json(file: IO[str], name: str, seen: str) -> tuple[list[PriceRow], str]:
    """Reads an offer file, of any size: products first, then their terms, as AWS writes it. Returns rows and the day of
    its publication."""
    reader, said = JsonReader(file, name), {}
    found = Products(Source(name, seen))
    for member in reader.members():
        if member == "products" and reader.is_object():
            for sku in reader.members():
                product = reader.value()
                found.product(sku, product.get("attributes") or {} if isinstance(product, dict) else {})
        elif member == "terms" and reader.is_object():
            for kind in reader.members():
                for sku in reader.members() if reader.is_object() else ():
                    terms = reader.value()
                    if kind == "OnDemand" and found.wants(sku) and isinstance(terms, dict):
                        found.terms(sku, terms)
        else:
            said[member] = reader.value()
    published = str(said.get("publicationDate") or "")
    found.source = Source(f"offer {said.get('offerCode', name)}, version {said.get('version', 'not said')}", seen)
    return found.rows(name), published[:10]


def offer_csv(file: IO[str], name: str, seen: str) -> tuple[list[PriceRow], str]:
    """Reads an offer's CSV: lines of what it is, a header whose columns differ by offer, and a line a price."""
    lines = csv.reader(file)
    said = {row[0].strip(): row[1].strip() for _, row in zip(range(_PREAMBLE), lines) if len(row) > 1}
    header = [_letters(column) for column in next(lines, [])]
    lacking = [wanted for wanted in ("sku", "usagetype", "priceperunit", "startingrange") if wanted not in header]
    if lacking:
        raise PriceError(f"{name}: no offer: the header in line {_PREAMBLE + 1} lacks {', '.join(lacking)}")
    published = said.get("Publication Date", "")
    found = Products(Source(f"offer {said.get('OfferCode', name)}, version {said.get('Version', 'not said')}", seen))
    known: set[str] = set()
    for row in lines:
        line = dict(zip(header, row))
        sku = line.get("sku", "")
        if sku not in known:
            known.add(sku)
            found.product(sku, _attributes(line))
        if found.wants(sku) and line.get("termtype", "OnDemand") == "OnDemand":
            if line.get("currency", "USD") not in ("USD", ""):
                raise PriceError(f"{name}: currency: {line['currency']!r}; a sheet has one, USD")
            found.tier(sku, line.get("startingrange"), line.get("endingrange"), line.get("priceperunit"))
    return found.rows(name), published[:10]


def _attributes(line: Mapping[str, str]) -> dict[str, str]:
    return {
        "usagetype": line.get("usagetype", ""), "operation": line.get("operation", ""),
        "regionCode": line.get("regioncode", ""), "fromRegionCode": line.get("fromregioncode", ""),
        "toRegionCode": line.get("toregioncode", ""),
    }  # fmt: skip


def _letters(column: str) -> str:
    return re.sub("[^a-z]", "", column.lower())


def get_products(value: Any, name: str, seen: str) -> tuple[list[PriceRow], str]:
    """Reads answers of ``aws pricing get-products``: ``PriceList`` is a list of JSON texts."""
    found, published = Products(Source(f"aws pricing get-products ({name})", seen)), ""
    for one in _listed(value, name):
        product = one.get("product") or {}
        sku = str(product.get("sku") or "")
        found.product(sku, product.get("attributes") or {})
        if found.wants(sku):
            found.terms(sku, (one.get("terms") or {}).get("OnDemand") or {})
            published = max(published, str(one.get("publicationDate") or "")[:10])
    return found.rows(name), published


def _listed(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    for answer in value if isinstance(value, list) else [value]:
        items = answer.get("PriceList") if isinstance(answer, dict) else None
        for item in items if isinstance(items, list) else [answer]:
            try:
                product = json.loads(item) if isinstance(item, str) else item
            except ValueError as error:
                raise PriceError(f"{name}: PriceList: invalid JSON in an item: {error}") from None
            if isinstance(product, dict) and isinstance(product.get("product"), dict):
                yield product
