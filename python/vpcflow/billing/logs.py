"""Holds logs against a bill: costs of their records by hour, and what the logs lack."""

from __future__ import annotations

import dataclasses
import os

from ..cost import Ranges, cost_of
from ..inventory import Inventory
from ..inventory import inventory as read_inventory
from ..pricing import Sheet, read_bill
from ..pricing import prices as read_prices
from ..query.flows import Flows
from .evidence import evidence_of
from .reconcile import Reconciliation, reconcile_rows


def reconcile(
    flows: Flows, bill: str | os.PathLike[str], *, inventory: Inventory | str | os.PathLike[str],
    prices: Sheet | str | os.PathLike[str] | None = None,
    ranges: Ranges | str | os.PathLike[str] | None = None, start: int | None = None, end: int | None = None,
) -> Reconciliation:  # fmt: skip
    """Holds what logs count against a bill: how much of the billed use of each path class they explain, and why not
    all.

    ``bill``: a CUR 2.0, a legacy CUR, a FOCUS export (CSV, gzip or Parquet, or a folder of such), or JSON of Cost
    Explorer by usage type. ``inventory``, ``prices``, ``ranges``: as for :meth:`vpcflow.Flows.cost`; of the sheet, the
    GB is taken. ``start``, ``end``: Unix seconds of what is compared of the bill; without them the days (UTC) in which
    the logs have a record. Raises :class:`~vpcflow.PriceError` for what is no bill, and what reading raises. Reads the
    logs some seven times.
    """
    opened = read_bill(bill)
    things = inventory if isinstance(inventory, Inventory) else read_inventory(inventory)
    sheet = prices if isinstance(prices, Sheet) else read_prices(prices)
    cost = cost_of(flows, inventory, sheet, ["class", "priced_as", "hour"], ranges=ranges)
    if cost.error is not None:
        raise cost.error
    rows = [{**row, "time": row["hour"]} for row in cost.rows]
    evidence = dataclasses.replace(evidence_of(flows, things), repeated=frozenset(cost.repeated))
    return reconcile_rows(rows, opened, gb=sheet.gb, evidence=evidence, start=start, end=end)
