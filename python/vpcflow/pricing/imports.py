"""Makes a price sheet of AWS's price lists, and of bills."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path

from ..errors import PriceError
from .bill import read_bill
from .classes import unit_of
from .files import Parquet, Text, files_of, json_of
from .offers import get_products, offer_csv, offer_json
from .sheet import PriceRow, Sheet, Source, sheet_of

_PRICES = Decimal("1e-10")


def import_prices(paths: Sequence[str | os.PathLike[str]], gb: int = 1 << 30) -> Sheet:
    """Makes a sheet of files: offer files of AWS's price list (JSON of any size, or CSV), answers of ``aws pricing
    get-products``, other sheets, and bills (CUR, FOCUS, Cost Explorer), whose net cost by amount is what the user
    really pays.

    Prices of a bill come before those of lists; of several lists, they must agree. ``gb``: bytes of a GB. Raises
    :class:`~vpcflow.PriceError` for a file that is none of these, that has no price of traffic, and for prices that
    contradict each other; :class:`~vpcflow.SourceError` for what cannot be read.
    """
    listed: list[PriceRow] = []
    paid: list[PriceRow] = []
    published = ""
    for path in paths:
        for file in files_of(Path(path)):
            rows, day, is_bill = _import(file)
            (paid if is_bill else listed).extend(rows)
            published = max(published, day)
    known = {(row.kind, row.region, row.to) for row in paid}
    gaps = []
    merged: dict[tuple[str, str, str | None], PriceRow] = {}
    for row in [*paid, *(row for row in listed if (row.kind, row.region, row.to) not in known)]:
        there = merged.setdefault((row.kind, row.region, row.to), row)
        if there.tiers != row.tiers:
            gaps.append(_other_price(there, row))
        else:
            usage_types = tuple(dict.fromkeys((*there.usage_types, *row.usage_types)))
            merged[row.kind, row.region, row.to] = dataclasses.replace(there, usage_types=usage_types)
    rows = sorted(merged.values(), key=lambda row: (row.region, row.kind, row.to or ""))
    return Sheet(rows, published=published or _today(), gb=gb, gaps=dict.fromkeys(gaps))


def _other_price(there: PriceRow, other: PriceRow) -> str:
    """Says that a usage type has another price than that of its class; contradictions of one usage type are errors."""
    if set(there.usage_types) & set(other.usage_types) and there.operation == other.operation:
        raise PriceError(
            f"prices: {there.kind} of {there.region}: {other.usage_types[0]} costs {there.rate()} by "
            f"{there.source.id}, and {other.rate()} by {other.source.id}; import one of them"
        )
    return (
        f"{other.kind} of {other.region}: {', '.join(other.usage_types)} ({other.operation or 'any operation'}) costs "
        f"{other.rate()}, {', '.join(there.usage_types)} costs {there.rate()}, which is taken"
    )


def _import(file: Text | Parquet) -> tuple[list[PriceRow], str, bool]:
    """Returns the rows of a file, the day of its prices, and whether it is a bill."""
    if isinstance(file, Text):
        name = file.path.name
        head = file.head.lstrip("\ufeff").lstrip()
        if head.startswith(('"FormatVersion"', "FormatVersion")):
            with file.open() as text:
                return (*offer_csv(text, name, _today()), False)
        if file.is_json and '"rows"' in head and '"sources"' in head:
            sheet = sheet_of(json_of(file), name)
            return list(sheet.rows), sheet.published, False
        if file.is_json and '"ResultsByTime"' not in head:
            if '"PriceList"' not in head and '"product"' not in head and '"formatVersion"' in head:
                with file.open() as text:
                    return (*offer_json(text, name, _today()), False)
            return (*get_products(json_of(file), name, _today()), False)
    return (*_of_bill(file), True)


def _of_bill(file: Text | Parquet) -> tuple[list[PriceRow], str]:
    """Returns effective prices: net cost by amount, of each class and region."""
    bill = read_bill(file.path)
    sums: dict[tuple[str, str, str | None], tuple[Decimal, Decimal]] = {}
    usage_types: dict[tuple[str, str, str | None], dict[str, None]] = {}
    last, currencies, lines = 0, set(), 0
    for line in bill:
        lines += 1
        if line.kind is None or not line.amount or not line.region or (line.kind == "region.out" and not line.to):
            continue
        key = (line.kind, line.region, line.to if line.kind == "region.out" else None)
        amount, cost = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (amount + line.amount, cost + line.net)
        if line.usage_type:
            usage_types.setdefault(key, {})[line.usage_type] = None
        last = max(last, line.end or line.start or 0)
        currencies.add(line.currency)
    if not sums:
        raise PriceError(f"{bill.name}: no line with a region is one of traffic, gateways or logs, of {lines:,} of use")
    if currencies != {"USD"}:
        raise PriceError(f"{bill.name}: currency: {', '.join(sorted(currencies))}; a sheet has one, USD")
    day = datetime.datetime.fromtimestamp(last, datetime.timezone.utc).strftime("%Y-%m-%d") if last else _today()
    source = Source(f"bill {file.path.name} ({bill.form})", day)
    rows = []
    for (kind, region, to), (amount, cost) in sums.items():
        with localcontext() as context:
            context.prec = 60
            rate = max(Decimal(0), (cost / amount)).quantize(_PRICES)
        own = tuple(usage_types.get((kind, region, to), ()))
        note = "what was paid by amount, after discounts and over all tiers"
        rows.append(PriceRow(kind, region, to, ((Decimal(0), None, rate),), source, unit_of(kind), own, note=note))
    return rows, day


def _today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
