"""CloudTrail records as events, and the changes of addresses, interfaces and instances that they tell of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .events import Event, address_of
from .values import at, items_in, port_range, unix

_ID = re.compile(r"(?:i|eni|sg|fl|nat)-[0-9A-Za-z][0-9A-Za-z-]{0,40}")
_SEVERE = {
    "DeleteFlowLogs": "high", "StopLogging": "high", "DeleteTrail": "high", "DeleteDetector": "high",
    "AuthorizeSecurityGroupIngress": "low", "CreateAccessKey": "low", "CreateUser": "low", "AttachUserPolicy": "low",
    "PutBucketPolicy": "low", "RunInstances": "low", "CreateNetworkAclEntry": "low", "CreateRoute": "low",
}  # fmt: skip
_WORLD = ("0.0.0.0/0", "::/0")


def events_of(record: Any, ref: str) -> Iterator[Event]:
    """Yields the events of a CloudTrail record: one, or one for each rule of a security group and each instance."""
    if not isinstance(record, dict) or not isinstance(record.get("eventName"), str) or "eventSource" not in record:
        return
    time = unix(record.get("eventTime"))
    if time is None:
        return
    name, common = record["eventName"], _common(record)
    entities = [common.get("principal"), common.get("accessKeyId"), common.get("account")]
    if address_of(common.get("address")) is not None:
        entities.append(common["address"])
    ids = [*_ids(record.get("requestParameters")), *_ids(record.get("responseElements"))]
    parts: list[tuple[dict[str, Any], list[str]]] = [({}, ids)]
    if re.fullmatch(r"(Authorize|Revoke)SecurityGroup(Ingress|Egress)", name):
        parts = [(rule, ids) for rule in _rules(record)] or parts
    elif name == "RunInstances":
        parts = [(one, [*_ids(raw)]) for one, raw in _instances(record)] or parts
    severity = _severity(name, common)
    key = str(record.get("eventID") or ref)
    for number, (more, own) in enumerate(parts):
        attrs = {k: v for k, v in {**common, **more}.items() if v is not None}
        named = tuple(dict.fromkeys(str(one) for one in [*own, *entities] if one))
        worse = "medium" if severity == "low" and more.get("cidr") in _WORLD else severity
        yield Event(time, time, "cloudtrail", name, named, worse, ref, f"{key}/{number}" if number else key, attrs)


def _common(record: Mapping[str, Any]) -> dict[str, Any]:
    who = record.get("userIdentity")
    out = {
        "principal": at(who, "arn") or at(who, "principalId") or at(who, "invokedBy"), "userType": at(who, "type"),
        "accessKeyId": at(who, "accessKeyId"), "address": record.get("sourceIPAddress"),
        "account": record.get("recipientAccountId") or at(who, "accountId"), "region": record.get("awsRegion"),
        "eventSource": record.get("eventSource"), "errorCode": record.get("errorCode"),
        "userAgent": record.get("userAgent"), "mfa": at(record, "additionalEventData", "MFAUsed"),
        "outcome": at(record, "responseElements", "ConsoleLogin"), "readOnly": record.get("readOnly"),
    }  # fmt: skip
    asked = record.get("requestParameters")
    for name, value in asked.items() if isinstance(asked, dict) else ():
        if isinstance(value, (str, int, float)) and name not in out and re.fullmatch(r"\w{1,60}", name):
            out[name] = value
    return {name: value for name, value in out.items() if isinstance(value, (str, int, float))}


def _severity(name: str, common: Mapping[str, Any]) -> str:
    if common.get("errorCode"):
        return ""
    if name == "ConsoleLogin":
        return "medium" if common.get("mfa") == "No" and common.get("outcome") == "Success" else ""
    return _SEVERE.get(name, "")


def _ids(value: Any, depth: int = 0) -> Iterator[str]:
    """Yields the ids of resources in a value, wherever they stand."""
    if isinstance(value, str):
        if _ID.fullmatch(value):
            yield value
    elif depth < 12 and isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _ids(inner, depth + 1)


def _rules(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the rules of a change of a security group. The answer says it best; requests have two shapes."""
    asked = record.get("requestParameters")
    group = at(asked, "groupId") or at(asked, "groupName")
    answered = items_in(at(record, "responseElements", "securityGroupRuleSet"))
    for item in answered:
        source = item.get("cidrIpv4") or item.get("cidrIpv6") or at(item, "referencedGroupInfo", "groupId")
        yield _rule(item.get("groupId") or group, source, item)
    if answered:
        return
    for item in items_in(at(asked, "ipPermissions")):
        sources = [one.get("cidrIp") for one in items_in(item.get("ipRanges"))]
        sources += [one.get("cidrIpv6") for one in items_in(item.get("ipv6Ranges"))]
        sources += [one.get("groupId") for one in items_in(item.get("groups"))]
        for source in sources:
            yield _rule(group, source, item)
    if at(asked, "cidrIp"):
        yield _rule(group, at(asked, "cidrIp"), asked)


def _rule(group: Any, source: Any, item: Any) -> dict[str, Any]:
    first, last = item.get("fromPort"), item.get("toPort")
    protocol = str(item.get("ipProtocol", "-1"))
    return {
        "groupId": group, "cidr": source, "protocol": protocol, "port": port_range(first, last, protocol),
        "fromPort": first, "toPort": last,
    }  # fmt: skip


def _instances(record: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    for item in items_in(at(record, "responseElements", "instancesSet")):
        if isinstance(item.get("instanceId"), str):
            names = ("instanceId", "instanceType", "imageId", "privateIpAddress", "vpcId", "subnetId")
            yield {name: item[name] for name in names if isinstance(item.get(name), str)}, item


def changes_of(record: Any) -> Iterator[tuple[str, str, str, int, bool]]:
    """Yields what a record changes, as (relation, one, other, time, begins): ``address`` to an interface or instance,
    ``instance`` of an interface, ``group`` of an interface or instance, ``regrouped`` before its other groups,
    ``gone`` of one of them."""
    if not isinstance(record, dict) or record.get("errorCode"):
        return
    name, time = record.get("eventName"), unix(record.get("eventTime"))
    asked, got = record.get("requestParameters"), record.get("responseElements")
    if time is None:
        return
    if name == "RunInstances":
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
    for address in dict.fromkeys(one for one in addresses if _texts(one)):
        yield "address", address, eni, time, True
    for group in items_in(card.get("groupSet")):
        if _texts(group.get("groupId")):
            yield "group", eni, group["groupId"], time, True


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) and value for value in values)
