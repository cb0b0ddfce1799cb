"""AWS Config's items, of snapshots, histories and notifications: who had which address, interface and group when."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._words import count
from ..errors import NoRecordsError
from ..inventory.documents import pascal
from .documents import Reading, documents_of, files_of
from .entities import Entities, add_interface
from .values import at, items_in, taken, unix

_GONE = ("ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded")
_WANTED = ("AWS::EC2::NetworkInterface", "AWS::EC2::Instance", "AWS::EC2::EIP", "AWS::EC2::NatGateway")


class Items(NamedTuple):
    """Items of AWS Config by type and id, then by the time of their capture. ``notes``: what could not be read."""

    found: Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]]
    notes: Sequence[str]

    def add_to(self, entities: Entities) -> None:
        """Adds what the items say: each holds from its capture to the next of its resource."""
        for (kind, name), versions in self.found.items():
            times = sorted(versions)
            for time, end in zip(times, [*times[1:], None]):
                if versions[time]:
                    list(taken(_add, entities, kind, name, versions[time], time, end))


def read_config(place: str | os.PathLike[str]) -> Items:
    """Reads the items of a file or folder. Raises :class:`~vpcflow.NoRecordsError` if no item is there."""
    reading, found = Reading(), dict[tuple[str, str], dict[int, Mapping[str, Any]]]()
    items = 0
    for path in files_of(place):
        for _, document in documents_of(path, reading):
            own = list(taken(_items, document))
            reading.taken, reading.other = reading.taken + bool(own), reading.other + (not own)
            items += len(own)
            for kind, name, time, item in own:
                if kind in _WANTED:
                    found.setdefault((kind, name), {})[time] = item
    if not items:
        raise NoRecordsError(f"{os.fspath(place)}: no item of AWS Config in {count(reading.files, 'file')}")
    left = f"{os.fspath(place)}: {count(reading.other, 'document')} of another kind than items of AWS Config; left out"
    return Items(found, [*reading.damage, *([left] if reading.other else [])])


def add_config(entities: Entities, place: str | os.PathLike[str]) -> list[str]:
    """Adds what the items of a file or folder say. Returns notes. Raises as :func:`read_config`."""
    items = read_config(place)
    items.add_to(entities)
    return list(items.notes)


def _items(document: Any, depth: int = 0) -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
    """Yields items as (type, id, time, configuration); an empty configuration says that the resource is gone."""
    if not isinstance(document, dict) or depth > 3:
        return
    for member in ("configurationItems", "baseConfigurationItems", "configurationItem"):
        held = document.get(member)
        for inner in held if isinstance(held, list) else [held]:
            yield from _items(inner, depth + 1)
    kind, name = document.get("resourceType"), document.get("resourceId")
    time = unix(document.get("configurationItemCaptureTime"))
    if not isinstance(kind, str) or not isinstance(name, str) or time is None:
        return
    held = document.get("configuration")
    if isinstance(held, str):
        try:
            held = json.loads(held)
        except (ValueError, RecursionError):
            held = None
    gone = document.get("configurationItemStatus") in _GONE
    yield kind, name, time, held if isinstance(held, dict) and not gone else {}


def _add(
    entities: Entities, kind: str, name: str, raw: Mapping[str, Any], start: int, end: int | None
) -> Iterable[None]:
    """Adds what an item says; nothing is yielded."""
    item, bounds = pascal(raw), (start, end, "config")
    if kind == "AWS::EC2::NetworkInterface":
        add_interface(entities, name, item, *bounds)
    elif kind == "AWS::EC2::Instance":
        for card in items_in(item.get("NetworkInterfaces")):
            if isinstance(card.get("NetworkInterfaceId"), str):
                add_interface(entities, card["NetworkInterfaceId"], card, *bounds)
                entities.add("instance", card["NetworkInterfaceId"], name, *bounds)
    elif kind == "AWS::EC2::EIP":
        owner = at(item, "NetworkInterfaceId") or at(item, "InstanceId")
        if isinstance(at(item, "PublicIp"), str) and isinstance(owner, str) and owner:
            entities.add("address", item["PublicIp"], owner, *bounds)
    else:
        for one in items_in(item.get("NatGatewayAddresses")):
            entities.shared |= {one[n] for n in ("PrivateIp", "PublicIp") if isinstance(one.get(n), str)}
    return ()
