"""Finds what would make the traffic cheaper, and ranks it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from ..errors import NoRecordsError, PlanError
from ..inventory import Inventory
from ..pricing import Sheet
from ..query.flows import Flows
from . import gateways, idle, instances, logs, pairs
from .network import Network
from .observe import NEEDED, Observer, Ranges
from .rows import Observed, Saving


@dataclasses.dataclass(frozen=True)
class Advised:
    """Ways to pay less, the greatest saving first. ``notes``: what could not be told, and why."""

    savings: tuple[Saving, ...]
    notes: tuple[str, ...]
    hours: int

    def rows(self) -> list[dict[str, Any]]:
        """Returns the rows as ``vpcflow advise --json`` prints them."""
        return [one.row() for one in self.savings]


@dataclasses.dataclass(frozen=True)
class Case:
    """What each kind of advice is given."""

    observer: Observer
    network: Network
    sheet: Sheet
    observed: Observed
    ranges: Ranges
    notes: list[str]

    def price(self, kind: str, region: str) -> Any:
        """Returns the price of what is used next, in the first tier, or ``None`` with a note: it is unpriced."""
        row = self.sheet.price(kind, region)
        if row is None:
            note = f"{kind} of {region or 'a region that is not known'} is unpriced: import a sheet that has it"
            if note not in self.notes:
                self.notes.append(note)
            return None
        return row.rate()


def advise_costs(
    flows: Flows, inventory: Inventory, prices: Sheet, *, ip_ranges: str | os.PathLike[str] | None = None,
    owner_tag: str = "team",
) -> Advised:  # fmt: skip
    """Returns ways to pay less for what the logs show: gateway endpoints and interface endpoints instead of NAT,
    endpoints that are not worth it, NAT gateways in another zone, provisioned ones, pairs across zones, own traffic by
    public addresses or a transit gateway, what is idle, instances whose network is far from what their type has, and
    flow logs that go where it is dear or are there twice.

    ``inventory``: answers of describe calls; without those of a kind there is no advice about it. ``ip_ranges``: AWS's
    ip-ranges.json, which tells the region of an address. ``owner_tag``: the tag that names whose an interface is.
    Savings are of a month of 730 hours, by the observed hours and the prices of the sheet.

    Raises :class:`~vpcflow.PlanError` if the logs lack what is needed or the inventory has none of their interfaces,
    :class:`~vpcflow.NoRecordsError` for logs without traffic, and what reading raises. Reads the logs
    once for each kind of advice.
    """
    lacking = [name for name in NEEDED if name not in flows.columns]
    if lacking:
        raise PlanError(f"advise: the logs lack {', '.join(name.replace('_', '-') for name in lacking)}")
    network = Network(inventory, owner_tag)
    observer = Observer(flows, network)
    hours = observer.hours()
    if not hours:
        raise NoRecordsError("advise: the logs have no traffic: nothing can be concluded")
    recorded, _ = observer.recorded()
    known = recorded & {*network.interfaces, *inventory.at("NatGateways")}
    if not known:
        raise PlanError(
            f"advise: none of the {len(recorded):,} interfaces of the logs is in the inventory: nothing can be "
            "concluded; give the answers of describe-network-interfaces of the same account and time"
        )
    case = Case(
        observer, network, prices, Observed(hours), Ranges(Path(ip_ranges) if ip_ranges is not None else None), []
    )
    if len(known) < len(recorded):
        case.notes.append(
            f"{len(recorded) - len(known):,} of {len(recorded):,} interfaces of the logs are in no inventory"
        )
    kinds = (gateways, pairs, idle, logs, instances)
    found = [one for kind in kinds for one in kind.advice(case)]
    found = [one for one in found if one.saving is None or one.saving > 0]
    found.sort(key=lambda one: (-(one.saving or 0), one.advice, one.resource))
    return Advised(tuple(found), tuple(case.notes), len(hours))
