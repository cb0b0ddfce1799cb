"""What is served beside the figures of logs: controls, the cost by path, the zones of addresses."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Optional, Union

from .._addresses import PRIVATE
from ..audit import ControlResults, check
from ..cost import Cost, cost_of, ranges_in
from ..errors import FieldError, SourceError
from ..inventory.inventory import inventory as read_inventory
from ..inventory.names import names_of
from ..labels import Labels, prefixes
from ..query.flows import Flows

_Path = Optional[Union[str, "os.PathLike[str]"]]

INSIDE, OUTSIDE = "private", "outside"


@dataclasses.dataclass(frozen=True)
class Beside:
    """What logs say by other documents: ``controls`` and ``cost`` of all of them; ``zones``: a table of names for
    addresses. ``why``: reasons for what is not there, by name."""

    zones: Labels
    controls: ControlResults | None = None
    cost: Cost | None = None
    why: dict[str, str] = dataclasses.field(default_factory=dict)


def beside(
    flows: Flows | None = None, *, controls: _Path = None, inventory: _Path = None, prices: _Path = None,
    zones: _Path = None,
) -> Beside:  # fmt: skip
    """Reads logs for what other documents say of them. ``controls``: a file as ``vpcflow audit check`` has it;
    ``inventory``: a folder of answers of describe calls, by which traffic is priced with the sheet ``prices``;
    ``zones``: a CSV file of prefixes and names. Zones are availability zones without it, if there is an inventory, else
    private and outside. Raises as :func:`vpcflow.audit.check` and :meth:`vpcflow.Flows.cost`; what logs cannot answer
    is in ``why``."""
    why = {
        "controls": "vpcflow serve was started without --controls FILE",
        "cost": "vpcflow serve was started without --inventory DIR",
    }  # fmt: skip
    known = None if inventory is None else read_inventory(inventory)
    if zones is not None:
        table = prefixes(Path(zones))
    else:
        table = prefixes(dict.fromkeys(PRIVATE, INSIDE)) if known is None else names_of(known, "az")
    judged, priced = None, None
    if flows is not None and controls is not None:
        try:
            judged = check(flows, controls, inventory=known)
        except (FieldError, SourceError) as error:
            judged = error.partial if isinstance(error.partial, ControlResults) else None
            why["controls"] = str(error)
    if flows is not None and known is not None and inventory is not None:
        try:
            priced = cost_of(flows, known, prices, "class", ranges=ranges_in(inventory))
        except (FieldError, SourceError) as error:
            why["cost"] = str(error)
    return Beside(table, judged, priced, why)
