"""Who had an address, and when: interfaces and instances, out of records and inventories."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from ..inventory.inventory import Inventory
from ..inventory.names import addresses_of, tag_of
from ..inventory.table import Version
from ..query.expr import col, count, n_unique
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from .timelines import about

#: Fields of records that say whose interface it is.
FIELDS = (
    "interface_id", "instance_id", "account_id", "vpc_id", "subnet_id", "tgw_attachment_id", "interface_tag",
    "interface_tag_2", "instance_tag", "instance_tag_2", "asg_tag", "asg_tag_2", "ecs_cluster_name", "ecs_service_name",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Owner:
    """An interface that had the address. ``start`` and ``end``: the time in which its records are taken for those of
    this owner; ``None``: without bound. ``alone``: another had the address at the same time, so that only records of
    this interface are taken for its."""

    interface: str | None
    known: Mapping[str, Any]  # fields of the records and of the inventory
    first: int | None  # of the records
    last: int | None
    records: int
    by: str  # "flow-direction", "inventory", "all records", "most records" (of that family at the interface)
    certain: bool
    start: int | None = None
    end: int | None = None
    alone: bool = False

    def condition(self) -> str:
        """Returns the filter of the records of this owner; empty: all of the address."""
        if self.alone:
            return str(col("interface_id") == self.interface)
        bounds = [f"start >= {self.start}"] if self.start is not None else []
        return " and ".join([*bounds, *([f"start < {self.end}"] if self.end is not None else [])])

    def as_row(self) -> dict[str, Any]:
        """Returns the row of a trace."""
        return {
            "kind": "identity", "interface": self.interface, "instance": self.known.get("instance_id"),
            "name": self.known.get("name"), "account": self.known.get("account_id"), "vpc": self.known.get("vpc_id"),
            "subnet": self.known.get("subnet_id"), "first": self.first, "last": self.last, "records": self.records,
            "valid_from": self.known.get("valid_from"), "valid_until": self.known.get("valid_until"),
            "tags": self.known.get("tags") or {}, "by": self.by, "certain": self.certain,
        }  # fmt: skip


def owner_query(flows: Flows, address: str) -> Flows:
    """Returns the query whose rows :func:`owners_in` takes: a row an interface, with what it says of an address."""
    own = about([address])
    sent = f"(srcaddr = '{address}' and flow_direction = 'egress')"
    got = f"(dstaddr = '{address}' and flow_direction = 'ingress')"
    told = f"flow_direction is not null and (srcaddr = '{address}' or dstaddr = '{address}')"
    family = "srcaddr in 0.0.0.0/0" if ":" not in address else "not srcaddr in 0.0.0.0/0"
    grouped = flows._with(allow_missing=True).group_by(*FIELDS)
    return grouped.agg(
        records=count(where=family), own=count(where=own), at=count(where=f"{sent} or {got}"), told=count(where=told),
        direct=count(where=f"srcaddr = '{address}' or dstaddr = '{address}'"),
        sources=n_unique("srcaddr", where=f"dstaddr = '{address}'"),
        targets=n_unique("dstaddr", where=f"srcaddr = '{address}'"),
        first=min_of("start", where=own), last=max_of("end", where=own),
    ).having("own > 0")  # fmt: skip


def owners_in(rows: Sequence[Mapping[str, Any]], address: str, inventory: Inventory | None) -> list[Owner]:
    """Returns who had the address, in order of time, each with its share of the time."""
    merged: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["interface_id"]:
            _add(merged.setdefault(row["interface_id"], {}), row)
    sure: list[Owner] = []
    maybe: list[Owner] = []
    for interface, row in merged.items():
        tags = {name: row[name] for name in FIELDS[6:] if row.get(name)}
        own = Owner(
            interface, {**{name: row.get(name) for name in FIELDS[1:5]}, "tags": tags}, row["first"], row["last"],
            row["own"], "flow-direction", True,
        )  # fmt: skip
        if row["told"]:
            sure += [own] if row["at"] else []
            continue
        several = max(row["sources"], row["targets"]) > 1  # at the interface of a peer it talks to that one alone
        if row["records"] == row["direct"]:
            (sure if several else maybe).append(dataclasses.replace(own, by="all records", certain=several))
        elif several and 2 * row["direct"] >= row["records"]:
            maybe.append(dataclasses.replace(own, by="most records", certain=False))
    known = _of_inventory(inventory, address, merged) if inventory is not None else []
    named = {one.interface for one in known}
    owners = [*known, *(one for one in sure if one.interface not in named)]
    for one in sorted(maybe, key=lambda one: one.by != "most records"):  # those have several peers
        owners += [] if any(_overlap(one, other) for other in owners if other.by != one.by) else [one]
    return _shared_out(owners)


def _add(into: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Adds a row of the same interface, whose tags or instance changed."""
    if not into:
        into.update(row)
        return
    for name in ("records", "own", "at", "told", "direct"):
        into[name] += row[name]
    for name in ("sources", "targets"):
        into[name] = max(into[name], row[name])
    into["first"], into["last"] = min(into["first"], row["first"]), max(into["last"], row["last"])
    for name in FIELDS:
        values = dict.fromkeys(str(one) for one in (into.get(name), row.get(name)) if one)
        into[name] = ", ".join(values) or None


def _of_inventory(inventory: Inventory, address: str, seen: Mapping[str, Mapping[str, Any]]) -> list[Owner]:
    """Returns the interfaces that had the address by the inventory, and that have records of it or are valid now."""
    table = inventory.tables.get("NetworkInterfaces")
    wanted = ipaddress.ip_address(address)
    out = []
    for interface, versions in table.versions.items() if table is not None else ():
        own = [version for version in versions if _has(version.item, wanted)]
        if not own:
            continue
        row = seen.get(interface, {})
        known = {**_known(inventory, own[-1]), "valid_from": own[0].start, "valid_until": own[-1].end}
        out.append(Owner(interface, known, row.get("first"), row.get("last"), row.get("own", 0), "inventory", True))
    return out


def _has(item: Mapping[str, Any], address: Any) -> bool:
    for text in addresses_of(item):
        try:
            if address in ipaddress.ip_network(text, strict=False):
                return True
        except ValueError:
            continue
    return False


def _known(inventory: Inventory, version: Version) -> dict[str, Any]:
    item = version.item
    attachment = item.get("Attachment")
    instance = attachment.get("InstanceId") if isinstance(attachment, dict) else None
    there = inventory.at("Instances", version.start).get(str(instance), {})
    tags = {
        str(tag.get("Key")): str(tag.get("Value"))
        for holder in (item, there) for name in ("TagSet", "Tags") for tag in holder.get(name) or ()
        if isinstance(tag, dict)
    }  # fmt: skip
    return {
        "instance_id": instance, "account_id": item.get("OwnerId"), "vpc_id": item.get("VpcId"),
        "subnet_id": item.get("SubnetId"), "tags": tags,
        "name": tag_of(there, "Name") or tag_of(item, "Name") or item.get("Description") or None,
    }  # fmt: skip


def _span(one: Owner) -> tuple[int, int]:
    """Returns the time of an owner: of its records, else of the inventory."""
    start = one.first if one.first is not None else one.known.get("valid_from")
    end = one.last if one.last is not None else one.known.get("valid_until")
    return (start if start is not None else 0, end if end is not None else 2**40)


def _overlap(one: Owner, other: Owner) -> bool:
    (a, b), (c, d) = _span(one), _span(other)
    return a < d and c < b


def _shared_out(owners: list[Owner]) -> list[Owner]:
    """Gives each owner its share of the time: up to the first record of the next; those at the same time have the
    records of their interface alone."""
    ordered = sorted(owners, key=lambda one: (_span(one), one.interface or ""))
    out = []
    for number, one in enumerate(ordered):
        if any(_overlap(one, other) for other in ordered if other is not one):
            out.append(dataclasses.replace(one, alone=True))
            continue
        start = None if number == 0 else _span(one)[0]
        end = None if number + 1 == len(ordered) else _span(ordered[number + 1])[0]
        out.append(dataclasses.replace(one, start=start, end=end))
    return out
