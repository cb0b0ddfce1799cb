"""CloudTrail records as events, and the changes of addresses, interfaces and instances that they tell of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import _core
from .events import Event
from .model import SequenceRule
from .table import EventTable, events_in
from .values import at, items_in, taken, unix

#: Kinds of events that :func:`changes_of` reads.
CHANGING = frozenset((
    "RunInstances", "TerminateInstances", "ModifyNetworkInterfaceAttribute", "ModifyInstanceAttribute",
    "CreateSecurityGroup", "CreateNetworkInterface", "DeleteNetworkInterface", "AttachNetworkInterface",
    "AssociateAddress", "DisassociateAddress",
))  # fmt: skip
#: Kinds of events that begin a session for somebody.
_BEGINNING = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetFederationToken")
_WHO = ("arn", "userName", "accessKeyId")  # of whom sessions are, if it is no service
#: What :func:`changes_of` reads: kinds, with members that count.
CHANGES: tuple[tuple[str, list[str]], ...] = (
    *((kind, list[str]()) for kind in sorted(CHANGING)),
    *(
        (kind, ["responseElements.credentials.accessKeyId", f"userIdentity.{who}"])
        for kind in _BEGINNING
        for who in _WHO
    ),
)
_A_BATCH = 8192
_ALONE = "document:byte 0"  # the place of a document in memory


def read_trail(table: EventTable, changes: list[Any] | None) -> list[Event]:
    """Reads the events of a table, and those that change what addresses, interfaces, instances and sessions are:
    ``changes`` takes that."""
    found = list[Event]()
    reader = table.read(CHANGES if changes is not None else ())
    while (rows := reader.next(_A_BATCH)) is not None:
        found += events_in(rows)
        if changes is not None:
            changes += changes_in(rows)
    return found


def changes_in(rows: _core.Table) -> list[tuple[str, str, str, int, bool]]:
    """Returns what the documents of rows change."""
    return [one for text in rows.column("document") if text is not None for one in taken(_changes_in, text)]


def _changes_in(text: str) -> Iterator[tuple[str, str, str, int, bool]]:
    return changes_of(json.loads(text))


def kinds_asked(rules: Iterable[SequenceRule]) -> list[str]:
    """Returns the kinds of events that steps of rules can take, or that count for risk; empty: all."""
    out = {*_core.event_severities("cloudtrail")}
    for rule in rules:
        for step in rule.steps:
            if "cloudtrail" in step.sources:
                if not step.named_kinds:
                    return []
                out |= step.named_kinds
    return sorted(out)


def events_of(record: Any, ref: str) -> Iterator[Event]:
    """Yields the events of a CloudTrail record: one, or one for each rule of a security group and each instance."""
    if isinstance(record, dict):
        for event in events_in(_core.event_rows(json.dumps(record).encode(), "cloudtrail")):
            key = event.key.replace(_ALONE, ref, 1) if event.key.startswith(_ALONE) else event.key
            yield dataclasses.replace(event, ref=ref, key=key)


def changes_of(record: Any) -> Iterator[tuple[str, str, str, int, bool]]:
    """Yields what a record changes, as (relation, one, other, time, begins): ``address`` to an interface or instance,
    ``instance`` of an interface, ``group`` of an interface or instance, ``regrouped`` before its other groups, ``vpc``
    of a group, ``gone`` of one of them; ``session``, by its key, of a principal."""
    if not isinstance(record, dict) or record.get("errorCode"):
        return
    name, time = record.get("eventName"), unix(record.get("eventTime"))
    asked, got = record.get("requestParameters"), record.get("responseElements")
    if time is None:
        return
    if name in _BEGINNING:
        yield from _session(record.get("userIdentity"), at(got, "credentials", "accessKeyId"), time)
    elif name == "RunInstances":
        for item in items_in(at(got, "instancesSet")):
            if _texts(item.get("instanceId")):
                yield from _begun(item, str(item["instanceId"]), time)
    elif name in ("ModifyNetworkInterfaceAttribute", "ModifyInstanceAttribute"):
        one = at(asked, "networkInterfaceId") or at(asked, "instanceId")
        groups = [str(group.get("groupId")) for group in items_in(at(asked, "groupSet")) if group.get("groupId")]
        if groups and isinstance(one, str):
            yield "regrouped", one, "", time, False
            yield from (("group", one, group, time, True) for group in groups)
    elif name == "TerminateInstances":
        for item in items_in(at(asked, "instancesSet")):
            yield from [("gone", item["instanceId"], "", time, False)] if _texts(item.get("instanceId")) else ()
    elif name == "CreateSecurityGroup" and _texts(at(got, "groupId"), at(asked, "vpcId")):
        yield "vpc", at(got, "groupId"), at(asked, "vpcId"), time, True
    elif name == "CreateNetworkInterface":
        card = at(got, "networkInterface")
        yield from _card(card, at(card, "networkInterfaceId"), time)
    elif name == "DeleteNetworkInterface" and _texts(at(asked, "networkInterfaceId")):
        yield "gone", at(asked, "networkInterfaceId"), "", time, False
    elif name == "AttachNetworkInterface" and _texts(at(asked, "networkInterfaceId"), at(asked, "instanceId")):
        yield "instance", at(asked, "networkInterfaceId"), at(asked, "instanceId"), time, True
    elif name == "AssociateAddress":
        owner = at(asked, "networkInterfaceId") or at(asked, "instanceId")
        if _texts(at(asked, "publicIp"), owner):
            yield "address", at(asked, "publicIp"), owner, time, True
    elif name == "DisassociateAddress" and _texts(at(asked, "publicIp")):
        yield "address", at(asked, "publicIp"), "", time, False


def _session(who: Any, key: Any, time: int) -> Iterator[tuple[str, str, str, int, bool]]:
    for name in _WHO if _texts(key) and at(who, "type") != "AWSService" else ():
        if _texts(at(who, name)) and who[name] != key:
            yield "session", key, who[name], time, True


def _begun(item: Mapping[str, Any], instance: str, time: int) -> Iterator[tuple[str, str, str, int, bool]]:
    """Yields what an instance has from its start."""
    cards = items_in(item.get("networkInterfaceSet"))
    for card in cards:
        if _texts(card.get("networkInterfaceId")):
            yield from _card(card, card["networkInterfaceId"], time)
            yield "instance", card["networkInterfaceId"], instance, time, True
    for address in (item.get("privateIpAddress"), item.get("ipAddress")):
        if isinstance(address, str) and address:
            yield "address", address, instance, time, True
    for group in items_in(item.get("groupSet")) if not cards else ():
        if _texts(group.get("groupId")):
            yield "group", instance, group["groupId"], time, True


def _card(card: Any, eni: Any, time: int) -> Iterator[tuple[str, str, str, int, bool]]:
    if not isinstance(card, dict) or not _texts(eni):
        return
    addresses = [at(card, "privateIpAddress"), at(card, "association", "publicIp")]
    addresses += [one.get("privateIpAddress") for one in items_in(card.get("privateIpAddressesSet"))]
    addresses += [one.get("ipv6Address") for one in items_in(card.get("ipv6AddressesSet"))]
    for address in dict.fromkeys(one for one in addresses if _texts(one)):
        yield "address", address, eni, time, True
    for group in items_in(card.get("groupSet")):
        if _texts(group.get("groupId")):
            yield "group", eni, group["groupId"], time, True
            if _texts(card.get("vpcId")):
                yield "vpc", group["groupId"], card["vpcId"], time, True


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) and value for value in values)
