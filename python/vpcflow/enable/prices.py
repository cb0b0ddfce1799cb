"""Prices of delivered logs, and widths of fields: data with source and date, never constants of code."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

GB = 10**9


@functools.cache
def _table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return found


def price_date() -> str:
    """Returns the day of the prices."""
    return str(_table("prices.json")["date"])


def price_source() -> str:
    """Returns where the prices are from."""
    return str(_table("prices.json")["source"])


def price_regions() -> list[str]:
    """Returns the regions that have prices."""
    return list(_table("prices.json")["regions"])


def usd_per_gb(region: str, destination: str, parquet: bool = False) -> float | None:
    """Returns the price of the first 10 TB of a month; ``None`` where none is known.

    >>> usd_per_gb("us-east-1", "s3"), usd_per_gb("us-east-1", "s3", parquet=True), usd_per_gb("mars-1", "s3")
    (0.25, 0.285, None)
    """
    prices = _table("prices.json")["regions"].get(region, {})
    base = prices.get(destination)
    if base is None:
        return None
    return round(float(base) + (float(prices["parquet"]) if parquet else 0.0), 6)


def why_not_priced(destination: str) -> str:
    """Returns in words that a destination has no price, and why.

    >>> why_not_priced("s3")
    'not priced: no price of this region is known'
    """
    why = _table("prices.json")["not_priced"].get(destination, "no price of this region is known")
    return f"not priced: {why}"


def insights_usd_per_gb(region: str) -> float | None:
    """Returns the price of what a query of Logs Insights scans; ``None`` where none is known.

    >>> insights_usd_per_gb("us-east-1"), insights_usd_per_gb("mars-1")
    (0.005, None)
    """
    price = _table("prices.json")["regions"].get(region, {}).get("insights")
    return None if price is None else float(price)


def monthly_usd(bytes_a_month: float, region: str, destination: str, parquet: bool = False) -> float | None:
    """Returns what a month of so many bytes costs, by tiers where they are known, else all at the first price."""
    first = usd_per_gb(region, destination)
    if first is None:
        return None
    table = _table("prices.json")
    steps = table["tier_prices"].get(region, {}).get(destination, [first])
    sizes = [*(size * 1000 * GB for size in _tier_sizes(table["tiers_tb"])[: len(steps) - 1]), float("inf")]
    total, left = 0.0, bytes_a_month
    for price, size in zip(steps, sizes):
        part = min(left, size)
        total += part / GB * price
        left -= part
    if parquet:
        total += bytes_a_month / GB * float(table["regions"][region]["parquet"])
    return total


def _tier_sizes(ends: list[float]) -> list[float]:
    return [end - begin for begin, end in zip([0, *ends], ends)]


def width(field: str, which: str = "usual") -> int:
    """Returns how many characters a value of a field has: ``least``, ``usual`` or ``most``."""
    found = _table("widths.json")["fields"].get(field, [1, 12, 64])
    return int(found[("least", "usual", "most").index(which)])
