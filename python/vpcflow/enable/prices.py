"""Prices of delivered logs, of the one sheet that there is, and widths of fields: data with source and date."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from ..pricing.classes import CLASSES
from ..pricing.sheet import prices
from .destinations import CLOUDWATCH, FIREHOSE, S3

#: The class of the price sheet by destination.
CLASS_OF = {CLOUDWATCH: "logs.cloudwatch", S3: "logs.s3", FIREHOSE: "logs.firehose"}
_PARQUET, _INSIGHTS = "logs.parquet", "logs.insights"


def price_date() -> str:
    """Returns the day of the prices."""
    return prices().published


def price_source() -> str:
    """Returns where the prices are from."""
    return "; ".join(dict.fromkeys(row.source.id for row in prices().rows if row.kind in CLASS_OF.values()))


def price_regions() -> list[str]:
    """Returns the regions that have prices of logs."""
    return sorted({row.region for row in prices().rows if row.kind in CLASS_OF.values()})


def usd_per_gb(region: str, destination: str, parquet: bool = False) -> float | None:
    """Returns the price of the first 10 TB of a month; ``None`` where none is known. A GB is that of the sheet.

    >>> usd_per_gb("us-east-1", "s3"), usd_per_gb("us-east-1", "s3", parquet=True), usd_per_gb("mars-1", "s3")
    (0.25, 0.285, None)
    """
    kinds = [CLASS_OF[destination], *([_PARQUET] if parquet else [])]
    rows = [prices().price(kind, region) for kind in kinds]
    return None if None in rows else float(sum(row.rate() for row in rows if row is not None))


def why_not_priced(destination: str) -> str:
    """Returns in words that a destination has no price, and why.

    >>> why_not_priced("s3")
    'not priced: no price of this region is known'
    """
    usage_type = CLASSES[CLASS_OF[destination]][1][0]
    why = next((gap for gap in prices().gaps if f"({usage_type})" in gap), "no price of this region is known")
    return f"not priced: {why}"


def insights_usd_per_gb(region: str) -> float | None:
    """Returns the price of what a query of Logs Insights scans; ``None`` where none is known.

    >>> insights_usd_per_gb("us-east-1"), insights_usd_per_gb("mars-1")
    (0.005, None)
    """
    row = prices().price(_INSIGHTS, region)
    return None if row is None else float(row.rate())


def monthly_usd(bytes_a_month: float, region: str, destination: str, parquet: bool = False) -> float | None:
    """Returns what a month of so many bytes costs, by tiers where they are known, else all at the first price."""
    kinds = [CLASS_OF[destination], *([_PARQUET] if parquet else [])]
    costs = [prices().cost(kind, region, round(bytes_a_month)) for kind in kinds]
    return None if None in costs else float(sum(cost for cost in costs if cost is not None))


@functools.cache
def _widths() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "widths.json").read_text(encoding="utf-8"))
    return found


def width(field: str, which: str = "usual") -> int:
    """Returns how many characters a value of a field has: ``least``, ``usual`` or ``most``."""
    found = _widths()["fields"].get(field, [1, 12, 64])
    return int(found[("least", "usual", "most").index(which)])
