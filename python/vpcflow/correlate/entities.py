"""Entities with validity: which interface, instance and groups an address or interface had at a time, and how that is
known. Addresses that are used again belong to each owner in its time alone."""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..inventory.inventory import Inventory
from ..inventory.names import addresses_of, kind_of_interface
from .events import Event, Events, address_of, is_inside, type_of

#: How a relation is known, best first.
SOURCES = ("inventory", "config", "cloudtrail", "flows")
_EVER = 2**40
_ASKS = 86400  # seconds for which an instance has the address from which it asked
_BEGINS = 900  # seconds that the first record of an interface may take
_OWNING = ("address", "instance", "session")
_PLACES = {"account": "account_id", "vpc": "vpc_id"}  # what a group and a record are of: the field of the record


@dataclasses.dataclass(frozen=True, order=True)
class Span:
    """``one`` belonged to ``other`` from ``start`` to before ``end`` (Unix seconds), by the source ``by``."""

    start: int
    end: int
    other: str
    by: str

    def overlaps(self, start: int, end: int) -> bool:
        """Tells whether it held at some time from ``start`` to ``end``."""
        return self.start <= end and start < self.end


def subnets(addresses: Iterable[str]) -> list[str]:
    """Returns the subnets of addresses of IPv6, which in a VPC are of 64 bits, those that several networks can have
    left out: ``10.0.0.0/8`` and the like are known to be inside, these must be told.

    >>> subnets(["10.0.0.1", "2600:1f18::5", "2600:1f18::6", "fd00::1"])
    ['2600:1f18::/64']
    """
    six = {f"{one}/64" for one in addresses if ":" in one and not is_inside(one)}
    return sorted({str(ipaddress.ip_network(one, strict=False)) for one in six})


class Entities:
    """Relations between addresses, interfaces, instances and groups, each with its time. ``shared``: addresses of NAT
    gateways, which stand for many and join nothing; ``places``: accounts and VPCs that other sources name."""

    def __init__(self, shared: Iterable[str] = ()) -> None:
        self.shared = set(shared)
        self._spans: dict[tuple[str, str], list[Span]] = {}
        self.places: dict[str, set[str]] = {relation: set() for relation in _PLACES}
        self._owned: dict[str, list[Span]] = {}  # by owner
        self._cache: dict[tuple[str, int, int], frozenset[str]] = {}
        self._resolved: dict[tuple[str, str, int], tuple[Event, frozenset[str]]] = {}

    def add(self, relation: str, one: str, other: str, start: int | None, end: int | None, by: str) -> None:
        """Adds a relation: ``address``, ``instance``, ``group``, ``vpc``, ``account``, or ``session``, by its access
        key; a bound of ``None`` is open. Nothing as ``other`` says that it had none."""
        span = Span(start if start is not None else 0, end if end is not None else _EVER, other, by)
        self._spans.setdefault((relation, one), []).append(span)
        if relation in _PLACES and by != "flows":
            self.places[relation].add(other)
        if relation in _OWNING:
            self._owned.setdefault(other, []).append(span)
        self._cache.clear()
        self._resolved.clear()

    @property
    def networks(self) -> list[str]:
        """The subnets of IPv6 of addresses with an owner, as prefixes."""
        own = (address_of(one) for relation, one in self._spans if relation == "address")
        return subnets(str(address) for address in own if address is not None)

    def spans(self, relation: str, one: str, start: int, end: int) -> list[Span]:
        """Returns the relations of a time, of the best source that knows the time."""
        found = [span for span in self._spans.get((relation, one), ()) if span.overlaps(start, end)]
        best = min((SOURCES.index(span.by) for span in found), default=0)
        return sorted({span for span in found if span.by == SOURCES[best] and span.other})

    def resolve(self, event: Event) -> frozenset[str]:
        """Returns the entities of an event with those that they belonged to at its time; shared addresses are left
        out. Private addresses of a known VPC are ``10.0.0.5@vpc-1``, so that those of others are not joined."""
        key = (event.source, event.key, len(self.shared))
        held = self._resolved.get(key)
        if held is None or held[0] is not event:
            held = self._resolved[key] = (event, self._resolve(event))
        return held[1]

    def _resolve(self, event: Event) -> frozenset[str]:
        out: set[str] = set()
        vpc = event.attrs.get("vpc_id")
        subject = any(type_of(one) in ("interface", "instance") for one in event.entities)
        for one in event.entities:
            address = address_of(one)
            if one in self.shared:
                continue
            if vpc and is_inside(one):
                out.add(f"{one}@{vpc}")
            else:
                out.add(one)
            # Of an event that names its interface or instance, addresses of peers are no owners.
            if address is None or not subject:
                out |= self._owners(one, event.time, event.end)
            if ("session", one) in self._spans:
                out |= self._lenders(one, event.time, event.end)
        return frozenset(out)

    def _owners(self, one: str, start: int, end: int) -> frozenset[str]:
        key = (one, start, end)
        if key not in self._cache:
            out: set[str] = set()
            for span in self.spans("address", one, start, end):
                out |= {span.other, *self._owners(span.other, max(start, span.start), min(end, span.end))}
            out |= {span.other for span in self.spans("instance", one, start, end)}
            self._cache[key] = frozenset(out)
        return self._cache[key]

    def changes(self, interface: str, start: int, end: int) -> bool:
        """Tells whether what an interface belonged to began or ended within a time."""
        spans = [*self._spans.get(("instance", interface), ()), *self._spans.get(("group", interface), ())]
        for instance in {span.other for span in spans}:
            spans += self._spans.get(("group", instance), ())
        edges = {edge for span in spans if span.by != "flows" for edge in (span.start, span.end)}
        return any(start < edge <= end for edge in edges)

    def is_untold(self, interface: str) -> bool:
        """Tells whether nothing says, of any time, which groups an interface or its instance had."""
        instances = (span.other for span in self._spans.get(("instance", interface), ()))
        return not any(("group", one) in self._spans for one in (interface, *instances))

    def is_new(self, interface: str, time: int) -> bool:
        """Tells whether an interface began at a time, or a few minutes before, as a call has it: its first packets take
        that long."""
        owned = self._spans.get(("instance", interface), []) + self._owned.get(interface, [])
        told = [span.start for span in owned if span.by == "cloudtrail"]
        return bool(told) and time - _BEGINS <= min(told) <= time

    def _lenders(self, key: str, start: int, end: int) -> set[str]:
        """Returns of whom a session is, and of whom theirs were: a user who took a role, and from that another one."""
        out, more = set[str](), [key]
        while more:
            for span in self.spans("session", more.pop(), start, end):
                if span.other not in out:
                    out.add(span.other)
                    more.append(span.other)
        return out

    def names_of(self, entity: str) -> set[str]:
        """Returns the entity, with all that belonged to it at some time: what events name that are its."""
        owned: dict[str, set[str]] = {}
        for (relation, one), spans in self._spans.items():
            for span in spans if relation in _OWNING else ():
                owned.setdefault(span.other, set()).add(one)
        out, more = set[str](), [entity, entity.partition("@")[0]]
        while more:
            one = more.pop()
            if one not in out:
                out.add(one)
                more += owned.get(one, ())
        return out

    def member(self, event: Event, entity: str) -> bool | None:
        """Tells whether an event is of an entity: the entity itself, one of its group, or an address in its prefix;
        ``None``: nothing tells which groups the event's interface had then. A group of another account or VPC than the
        event's is none of its."""
        own = self.resolve(event)
        if entity in event.entities or entity in own:
            return True
        if address_of(entity) is not None:  # another address of whoever has it
            return entity not in self.shared and bool(own & self._owners(entity, event.time, event.end))
        if "/" in entity:
            try:
                network = ipaddress.ip_network(entity, strict=False)
            except ValueError:
                return False
            return any(a is not None and a in network for a in map(address_of, event.entities))
        if type_of(entity) != "group":
            return False if self._knows(entity, event) or self._is_elsewhere(entity, event) else None
        known = False
        for one in self.resolve(event):
            if any(span.other == entity for span in self.spans("group", one, event.time, event.end)):
                return True
            told = self._spans.get(("group", one), ())
            known = known or any(span.overlaps(event.time, event.end) for span in told)
        return False if known or self._is_elsewhere(entity, event) else None

    def _is_elsewhere(self, entity: str, event: Event) -> bool:
        """Tells whether an event is of another account or VPC than an entity: one that other sources name, too, as
        documents without the right numbers say nothing."""
        for relation, field in _PLACES.items():
            own = {span.other for span in self._spans.get((relation, entity), ())}
            there = {str(event.attrs[field])} if field in event.attrs else set[str]()
            for one in event.entities if not there else ():
                there |= {span.other for span in self._spans.get((relation, one), ())}
            if own and there and not own & there and there <= self.places[relation]:
                return True
        return False

    def _knows(self, entity: str, event: Event) -> bool:
        """Tells whether it is known that an event, which does not name an entity, is of none of its: it is of another
        of its type, or what the entity had then is known, or the entity was not there yet, or no more."""
        wanted = type_of(entity)
        if wanted not in ("instance", "interface") or any(type_of(one) == wanted for one in self.resolve(event)):
            return True
        owned = self._owned.get(entity, ())
        told = [span for span in owned if span.by != "flows"]  # records end before what they are of
        gone = bool(told) and all(span.end <= event.time for span in told)
        begun = any(span.by != "cloudtrail" or span.start <= event.end for span in told)
        return gone or bool(told and not begun) or any(span.overlaps(event.time, event.end) for span in owned)


def add_askers(entities: Entities, events: Events) -> None:
    """Adds the addresses of instances that queries of names tell of."""
    asked: dict[tuple[str, str], tuple[int, int]] = {}
    for event in events.of(("dns",)):
        address = event.attrs.get("srcaddr")
        for one in event.entities:
            if isinstance(address, str) and type_of(one) == "instance":
                first, last = asked.get((address, one), (event.time, event.time))
                asked[address, one] = (min(first, event.time), max(last, event.time))
    for (address, instance), (first, last) in sorted(asked.items()):
        entities.add("address", address, instance, first, last + _ASKS, "flows")


def add_accounts(entities: Entities, events: Events) -> None:
    """Adds the accounts of security groups and instances, as calls about them have it."""
    calls = [event.attrs for event in events.of(("cloudtrail",)) if "account" in event.attrs]
    entities.places["account"] |= {str(one["account"]) for one in calls}
    told = {(str(one[name]), str(one["account"])) for one in calls for name in ("groupId", "instanceId") if name in one}
    for entity, account in sorted(told):
        entities.add("account", entity, account, None, None, "cloudtrail")


def add_inventory(entities: Entities, inventory: Inventory) -> None:
    """Adds what describe answers say, with the time of their snapshots."""
    table = inventory.tables.get("NetworkInterfaces")
    for interface, versions in table.versions.items() if table is not None else ():
        for version in versions:
            add_interface(entities, interface, version.item, version.start, version.end, "inventory")
    nats = inventory.tables.get("NatGateways")
    for versions in nats.versions.values() if nats is not None else ():
        for version in versions:
            for address in version.item.get("NatGatewayAddresses") or ():
                if isinstance(address, Mapping):
                    entities.shared |= {str(address[n]) for n in ("PrivateIp", "PublicIp") if address.get(n)}


def add_interface(
    entities: Entities, interface: str, item: Mapping[str, Any], start: int | None, end: int | None, by: str
) -> None:
    """Adds the addresses, instance and groups of an interface, as a describe answer has it."""
    for address in addresses_of(item):
        if address_of(address) is not None:
            entities.add("address", address, interface, start, end, by)
            if kind_of_interface(item) == "nat_gateway":
                entities.shared.add(address)
    attachment = item.get("Attachment")
    if isinstance(attachment, Mapping) and attachment.get("InstanceId"):
        entities.add("instance", interface, str(attachment["InstanceId"]), start, end, by)
    groups = item.get("Groups") or item.get("GroupSet")
    if isinstance(groups, list):
        named = [str(group["GroupId"]) for group in groups if isinstance(group, Mapping) and group.get("GroupId")]
        for group in named or [""] * (not groups):
            entities.add("group", interface, group, start, end, by)
        if isinstance(item.get("VpcId"), str):
            for group in named:
                entities.add("vpc", group, item["VpcId"], None, None, by)


def add_changes(entities: Entities, changes: Iterable[tuple[str, str, str, int, bool]]) -> None:
    """Adds what CloudTrail says: each relation of an address or interface ends where the next begins, or where one of
    its ends is gone; groups end where others are set."""
    own = sorted(set(changes), key=lambda one: (one[3], one[:3]))
    gone: dict[str, list[int]] = {}
    for relation, one, _, time, _ in own:
        if relation == "gone":
            gone.setdefault(one, []).append(time)
    regrouped: dict[str, list[int]] = {}
    for relation, one, _, time, _ in own:
        if relation == "regrouped":
            regrouped.setdefault(one, []).append(time)
    replaced = _replaced(own)
    for change in own:
        relation, one, other, time, begins = change
        if relation == "gone" or not begins:
            continue
        if relation in ("vpc", "session"):  # no group is in two, and no key of two
            entities.add(relation, one, other, time if relation == "session" else None, None, "cloudtrail")
            continue
        ends = [t for name in (one, other) for t in gone.get(name, ()) if t >= time]
        if relation == "group":
            ends += [later for later in regrouped.get(one, ()) if later > time]
        elif change in replaced:
            ends.append(replaced[change])
        entities.add(relation, one, other, time, min(ends, default=None), "cloudtrail")


def _replaced(own: Sequence[tuple[str, str, str, int, bool]]) -> dict[tuple[str, str, str, int, bool], int]:
    """Returns for changes, which are in order of time, when the next of the same relation and end names another."""
    out = {}
    near: dict[tuple[str, str], list[tuple[int, str]]] = {}  # the next two that name different ones
    for time, together in itertools.groupby(reversed(own), key=lambda change: change[3]):
        changes = list(together)
        for change in changes:
            later = [t for t, other in near.get(change[:2], ()) if other != change[2]]
            if later:
                out[change] = later[0]
        for relation, one, other, _, _ in changes:
            rest = [pair for pair in near.get((relation, one), ()) if pair[1] != other]
            near[relation, one] = [(time, other), *rest[:1]]
    return out


def add_flows(entities: Entities, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds what records say of interfaces: their account, and their instance from the first record to the last."""
    for row in rows:
        interface, instance = row.get("interface_id"), row.get("instance_id")
        if interface and row.get("account_id"):
            entities.add("account", interface, row["account_id"], None, None, "flows")
        if interface and instance and row.get("first") is not None:
            entities.add("instance", interface, instance, row["first"], (row["last"] or row["first"]) + 1, "flows")
