"""Findings of GuardDuty and of Security Hub as events. A finding of GuardDuty is the same event by either way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .events import Event, address_of, type_of
from .values import at, camel, items_in, unix

_LEVELS = {"CRITICAL": "high", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_OWN = re.compile(r"arn:[\w-]+:securityhub:[^:]*:(\d{12}):product/\1/default")  # of any program of the account


def of_guardduty(raw: Any, ref: str) -> Iterator[Event]:
    """Yields the event of a finding of GuardDuty."""
    one = camel(raw)
    service, kind = at(one, "service"), at(one, "type")
    if not isinstance(kind, str) or not isinstance(service, dict) or at(one, "severity") is None:
        return
    first = unix(service.get("eventFirstSeen") or one.get("createdAt"))
    last = unix(service.get("eventLastSeen") or one.get("updatedAt")) or first
    if first is None or last is None:
        return
    instance = at(one, "resource", "instanceDetails")
    cards = items_in(at(instance, "networkInterfaces"))
    calls = _calls(at(service, "action"))
    remotes = [one for call in calls for one in _remote(call)]
    entities = [at(instance, "instanceId"), *(card.get("networkInterfaceId") for card in cards)]
    entities += [card.get("privateIpAddress") for card in cards] + [card.get("publicIp") for card in cards]
    entities += [address for card in cards for address in _list(card.get("ipv6Addresses"))]
    entities += [*remotes, at(one, "resource", "accessKeyDetails", "accessKeyId"), one.get("accountId")]
    level = one["severity"]
    number = float(level) if isinstance(level, (int, float)) else 0.0
    severity = "high" if number >= 7 else "medium" if number >= 4 else "low"
    attrs = {
        "type": kind, "severity": number, "count": service.get("count"), "role": service.get("resourceRole"),
        "remote": next((r for r in remotes if r), None), "account": one.get("accountId"), "region": one.get("region"),
        "domain": next((at(c, "domain") for c in calls if at(c, "domain")), None), "title": one.get("title"),
        "direction": next((at(c, "connectionDirection") for c in calls if at(c, "connectionDirection")), None),
        "port": next((at(c, "localPortDetails", "port") for c in calls if at(c, "localPortDetails", "port")), None),
    }  # fmt: skip
    yield _event("guardduty", kind, first, last, entities, severity, ref, str(one.get("id") or ref), attrs,
                 str(one.get("updatedAt") or ""))  # fmt: skip


def is_own(one: Any) -> bool:
    """Tells whether a finding of Security Hub is one that vpcflow sent there."""
    arn, generator = at(one, "ProductArn"), at(one, "GeneratorId")
    own = isinstance(arn, str) and _OWN.fullmatch(arn) is not None
    return own and isinstance(generator, str) and generator.startswith("vpcflow/")


def of_securityhub(one: Any, ref: str) -> Iterator[Event]:
    """Yields the event of a finding in Security Hub's format; our own are none, so that nothing goes round. One of
    GuardDuty is an event of that source."""
    if not isinstance(at(one, "ProductArn"), str) or not isinstance(at(one, "Id"), str) or is_own(one):
        return
    types = [text for text in _list(one.get("Types")) if isinstance(text, str)]
    fields: Mapping[str, Any] = one["ProductFields"] if isinstance(one.get("ProductFields"), dict) else {}
    product = str(one.get("ProductName") or one["ProductArn"].rpartition("/")[2])
    first = unix(one.get("FirstObservedAt") or fields.get("aws/guardduty/service/eventFirstSeen")) or unix(
        one.get("CreatedAt")
    )
    last = unix(one.get("LastObservedAt") or one.get("UpdatedAt")) or first
    if first is None or last is None:
        return
    calls = _calls(camel(one.get("Action")))
    remotes = [one for call in calls for one in _remote(call)]
    remotes += [value for name, value in sorted(fields.items()) if str(name).endswith("/ipAddressV4")]
    remotes += [at(one, "Network", f"{end}IpV{n}") for end in ("Source", "Destination") for n in (4, 6)]
    entities = [entity for resource in items_in(one.get("Resources")) for entity in _of_resource(resource)]
    entities += [value for value in remotes if address_of(value) is not None]
    label = at(one, "Severity", "Label")
    severity = _LEVELS.get(str(label).upper(), "")
    attrs = {
        "type": types[0] if types else None, "severity": label, "title": one.get("Title"), "product": product,
        "remote": next((r for r in remotes if address_of(r) is not None), None), "account": one.get("AwsAccountId"),
        "region": one.get("Region"), "generator": one.get("GeneratorId"), "state": one.get("RecordState"),
        "compliance": at(one, "Compliance", "Status"), "role": fields.get("aws/guardduty/service/resourceRole"),
    }  # fmt: skip
    passed = attrs["compliance"] == "PASSED" or attrs["state"] == "ARCHIVED"
    source, kind, key = "securityhub", types[0] if types else product, one["Id"]
    if product.lower() == "guardduty":
        source, key = "guardduty", key.rpartition("/")[2]
        kind = kind.rpartition("/")[2].replace("-", "/", 1) if kind.count("/") > 1 else kind
    yield _event(source, kind, first, last, [*entities, one.get("AwsAccountId")], "" if passed else severity, ref, key,
                 attrs, str(one.get("UpdatedAt") or ""))  # fmt: skip


def _of_resource(resource: Mapping[str, Any]) -> Iterator[Any]:
    """Yields what a resource of a finding is, and its interfaces and addresses."""
    name = str(resource.get("Id") or "")
    last = name.rpartition("/")[2].rpartition(":")[2]
    if type_of(last) in ("instance", "interface", "group", "access-key", "account"):
        yield last
    elif re.match(r"arn:[\w-]+:(iam|sts):", name):
        yield name
    details = resource.get("Details")
    for detail in details.values() if isinstance(details, dict) else ():
        if isinstance(detail, dict):
            yield detail.get("NetworkInterfaceId")
            yield from (x for n in ("IpV4Addresses", "IpV6Addresses") for x in _list(detail.get(n)))
            yield from (x.get("NetworkInterfaceId") for x in items_in(detail.get("NetworkInterfaces")))
            yield from (x.get("PrivateIpAddress") for x in items_in(detail.get("PrivateIpAddresses")))


def _calls(action: Any) -> list[Mapping[str, Any]]:
    """Returns the actions of a finding, and the probes of a port."""
    held = action.items() if isinstance(action, dict) else ()
    calls: list[Mapping[str, Any]] = [v for n, v in held if n.endswith("Action") and isinstance(v, dict)]
    return calls + [probe for call in calls for probe in items_in(call.get("portProbeDetails"))]


def _remote(call: Mapping[str, Any]) -> Iterator[Any]:
    yield at(call, "remoteIpDetails", "ipAddressV4")
    yield at(call, "remoteIpDetails", "ipAddressV6")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _event(
    source: str, kind: str, first: int, last: int, entities: list[Any], severity: str, ref: str, key: str,
    attrs: Mapping[str, Any], version: str,
) -> Event:  # fmt: skip
    named = tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e))
    held = {k: v for k, v in attrs.items() if isinstance(v, (str, int, float))}
    return Event(first, max(first, last), source, kind, named, severity, ref, key, held, version)
