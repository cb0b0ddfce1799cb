"""Tables of what AWS has, each item with the time in which it was so."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .documents import Document, pascal

# The member by which an item of a kind is known.
_IDS = {
    "Entries": "Cidr", "FlowLogs": "FlowLogId", "InstanceTypes": "InstanceType", "Instances": "InstanceId",
    "NatGateways": "NatGatewayId", "NetworkAcls": "NetworkAclId", "NetworkInterfaces": "NetworkInterfaceId",
    "PrefixLists": "PrefixListId", "RouteTables": "RouteTableId", "SecurityGroupRules": "SecurityGroupRuleId",
    "SecurityGroups": "GroupId", "StaleSecurityGroupSet": "GroupId", "Subnets": "SubnetId",
    "TransitGatewayAttachments": "TransitGatewayAttachmentId",
    "TransitGatewayVpcAttachments": "TransitGatewayAttachmentId", "TransitGateways": "TransitGatewayId",
    "VpcEndpoints": "VpcEndpointId", "VpcPeeringConnections": "VpcPeeringConnectionId", "Vpcs": "VpcId",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Version:
    """An item as it was from one snapshot to the next."""

    item: Mapping[str, Any]
    #: Unix seconds; ``None``: as far back as logs go. What stood before the first snapshot is taken to be as in it.
    start: int | None = None
    #: Unix seconds at which it was gone or other; ``None``: it is so until now.
    end: int | None = None

    def is_at(self, time: int | None) -> bool:
        """Tells whether the item was so at a time; ``None``: now."""
        if time is None:
            return self.end is None
        return (self.start is None or self.start <= time) and (self.end is None or time < self.end)


class Table:
    """All items of one kind by id, each with its versions in the order of time. Nothing in here is changed."""

    def __init__(self, kind: str, versions: Mapping[str, tuple[Version, ...]], times: tuple[int, ...]) -> None:
        self.kind = kind
        self.versions = versions
        #: Of the snapshots, ascending; empty if no file has a date.
        self.times = times

    def __len__(self) -> int:
        return len(self.versions)

    def __repr__(self) -> str:
        return f"<Table {self.kind}: {len(self):,} items>"

    def at(self, time: int | None = None) -> dict[str, Mapping[str, Any]]:
        """Returns the items that were there at a time in Unix seconds, by id; ``None``: those of now."""
        return {
            one: version.item for one, versions in self.versions.items() for version in versions if version.is_at(time)
        }


def tables_of(documents: Iterable[Document]) -> dict[str, Table]:
    """Makes tables of answers, by kind.

    Answers of one series (files whose names differ in page and date alone) are one question asked again: what a later
    one lacks was gone by then. Answers of different series say nothing of each other's items. O(items log items)."""
    snapshots: dict[str, dict[str, dict[int | None, dict[str, Mapping[str, Any]]]]] = {}
    for document in documents:
        for kind, one, item in _items_of(document):
            by_time = snapshots.setdefault(kind, {}).setdefault(document.series, {})
            by_time.setdefault(document.time, {})[one] = item
        for kind in {"Instances" if document.kind == "Reservations" else document.kind} & set(_IDS):
            snapshots.setdefault(kind, {}).setdefault(document.series, {}).setdefault(document.time, {})
    return {kind: _table(kind, series) for kind, series in snapshots.items()}


def _items_of(document: Document) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yields kind, id and item."""
    for raw in document.items:
        item = pascal(raw)
        if not isinstance(item, dict):
            continue
        if document.kind == "Reservations":
            for instance in members(item, "Instances"):
                if instance.get("InstanceId"):
                    yield "Instances", str(instance["InstanceId"]), instance
        elif document.kind == "Entries":
            if document.about and item.get("Cidr"):
                yield "Entries", f"{document.about} {item['Cidr']}", {**item, "PrefixListId": document.about}
        elif item.get(_IDS.get(document.kind, "")):
            yield document.kind, str(item[_IDS[document.kind]]), item


def members(item: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Returns the objects in a list of an item; none for a list that is not there, or is none."""
    inner = item.get(name)
    return [one for one in inner if isinstance(one, dict)] if isinstance(inner, list) else []


def _table(kind: str, series: Mapping[str, Mapping[int | None, Mapping[str, Mapping[str, Any]]]]) -> Table:
    found: dict[str, list[Version]] = {}
    times: set[int] = set()
    for by_time in series.values():
        # A file without a date is of now, behind those with one.
        ordered = sorted(by_time, key=lambda time: (time is None, time or 0))
        times.update(time for time in ordered if time is not None)
        for number, time in enumerate(ordered):
            start = None if number == 0 else time
            end = ordered[number + 1] if number + 1 < len(ordered) else None
            for one, item in by_time[time].items():
                _add(found.setdefault(one, []), Version(item, start, end))
    versions = {
        one: tuple(sorted(own, key=lambda version: (version.start is not None, version.start or 0)))
        for one, own in sorted(found.items())
    }
    return Table(kind, versions, tuple(sorted(times)))


def _add(own: list[Version], new: Version) -> None:
    """Adds a version; one that says the same as the one before goes on with it."""
    if own and own[-1].end == new.start and new.start is not None and _text(own[-1].item) == _text(new.item):
        own[-1] = dataclasses.replace(own[-1], end=new.end)
    elif not any(version == new for version in own):
        own.append(new)


def _text(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, default=str)
