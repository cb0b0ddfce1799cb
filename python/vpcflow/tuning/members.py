"""Which interfaces carry a group, when, and how much of that time logs speak of."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..inventory import Inventory
from ..inventory.table import members
from .observed import Observed


class Membership(NamedTuple):
    """What the logs show of the interfaces with a group."""

    interfaces: int
    seconds: int  # of all of them together, within the logs
    covered: int

    @property
    def coverage(self) -> float:
        """The share of the time of its interfaces that the logs speak of; 0 for a group without interfaces."""
        return self.covered / self.seconds if self.seconds else 0.0


def memberships(inventory: Inventory, observed: Observed) -> dict[str, Membership]:
    """Returns by group what the logs show of its interfaces. Interfaces that are attached to nothing are left out
    unless the logs have them, and so is the time before they were attached, as far as the inventory tells."""
    first, last = observed.span
    found: dict[str, tuple[set[str], int, int]] = {}
    silent = only_rejects(inventory)
    table = inventory.tables.get("NetworkInterfaces")
    for interface, versions in (table.versions if table is not None else {}).items():
        for version in versions:
            item = version.item
            if str(item.get("Status") or "").lower() == "available" and interface not in observed.coverage:
                continue
            start = max(first, version.start or first, attached(item) or first)
            end = min(last, version.end if version.end is not None else last)
            seconds = max(0, end - start)
            covered = 0 if interface in silent or not seconds else observed.covered(interface, start, end)
            for group in members(item, "Groups"):
                own = found.setdefault(str(group.get("GroupId")), (set(), 0, 0))
                found[str(group.get("GroupId"))] = ({*own[0], interface}, own[1] + seconds, own[2] + covered)
    return {group: Membership(len(own[0]), own[1], own[2]) for group, own in found.items()}


def attached(item: Mapping[str, Any]) -> int | None:
    """Returns when an interface was attached, in Unix seconds; ``None`` if that is not told."""
    attachment = item.get("Attachment")
    text = str(attachment.get("AttachTime") or "") if isinstance(attachment, dict) else ""
    try:
        when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int((when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp())


def only_rejects(inventory: Inventory) -> set[str]:
    """Returns the interfaces whose flow logs record no ACCEPT, so that their silence says nothing: those of which
    describe-flow-logs has flow logs, on them, their subnet or VPC, of REJECT alone."""
    kinds: dict[str, set[str]] = {}
    for log in inventory.at("FlowLogs").values():
        if str(log.get("FlowLogStatus") or "ACTIVE").upper() == "ACTIVE":
            kinds.setdefault(str(log.get("ResourceId")), set()).add(str(log.get("TrafficType") or "ALL").upper())
    out = set()
    for interface, item in inventory.at("NetworkInterfaces").items():
        own = [kinds.get(str(one), set()) for one in (interface, item.get("SubnetId"), item.get("VpcId"))]
        if set().union(*own) == {"REJECT"}:
            out.add(interface)
    return out
