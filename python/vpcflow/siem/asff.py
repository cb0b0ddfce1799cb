"""Findings in the AWS Security Finding Format, as Security Hub takes them."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import PlanError
from ..findings.finding import Finding
from .places import address, port_of, present, targets_of, utc

_HUB = re.compile(r"([0-9]{12})/((?:[a-z]+-)+[0-9]+)")
_SEVERITY = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
# What Security Hub takes, in letters and in members.
_TITLE, _DESCRIPTION, _ID, _KEY, _VALUE = 256, 1024, 512, 128, 2048
_RESOURCES, _FIELDS, _BYTES = 32, 50, 240_000
_KINDS = {"eni": ("network-interface", "AwsEc2NetworkInterface"), "i": ("instance", "AwsEc2Instance"),
          "vpc": ("vpc", "AwsEc2Vpc"), "subnet": ("subnet", "AwsEc2Subnet")}  # fmt: skip
_RESOURCE_ID = re.compile(r"(eni|i|vpc|subnet)-[0-9a-f]+")


@dataclasses.dataclass(frozen=True)
class Hub:
    """The account and region of a Security Hub, which refuses findings of others, and the resources of addresses."""

    account: str = "000000000000"
    region: str = "us-east-1"
    resources: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def partition(self) -> str:
        """Returns the partition of the region."""
        kinds = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
        return next((name for start, name in kinds if self.region.startswith(start)), "aws")


def hub_of(hub: str | None, resources: Mapping[str, str] | None) -> Hub | None:
    """Makes the hub of ``ACCOUNT/REGION``, if anything is given. :class:`~vpcflow.PlanError` for what is none."""
    if hub is None and resources is None:
        return None
    match = _HUB.fullmatch(hub or "")
    if match is None:
        raise PlanError(f"export: hub={hub!r}: expected account and region of Security Hub, as 123456789012/eu-west-1")
    for place, name in (resources or {}).items():
        if address(place) is None or not isinstance(name, str) or not 0 < len(name) <= _ID:
            raise PlanError(
                f"export: resources {place!r}: {name!r}: expected an address and its ARN or id, as "
                "{'10.0.0.5': 'eni-0a1b2c3d'}"
            )
    return Hub(match[1], match[2], {str(address(place)): name for place, name in (resources or {}).items()})


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _resource(name: str, hub: Hub) -> dict[str, str]:
    """Returns a resource by the ARN or id of an address, else of the address itself."""
    known = hub.resources.get(address(name) or "", name)
    at = {"Partition": hub.partition, "Region": hub.region}
    if _RESOURCE_ID.fullmatch(known):
        segment, kind = _KINDS[known.split("-")[0]]
        return {"Type": kind, "Id": f"arn:{hub.partition}:ec2:{hub.region}:{hub.account}:{segment}/{known}", **at}
    if known.startswith("arn:"):
        kinds = (kind for segment, kind in _KINDS.values() if ":ec2:" in known and f":{segment}/" in known)
        return {"Type": next(kinds, "Other"), "Id": known, **at}
    return {"Type": "Other", "Id": _cut(known, _ID), **at}


def asff(finding: Finding, hub: Hub = Hub()) -> dict[str, Any]:
    """Returns a finding in the AWS Security Finding Format, as BatchImportFindings takes it: within its limits."""
    actor, targets = address(finding.actor), targets_of(finding)
    network = present({
        "SourceIpV4": actor if actor and ":" not in actor else None,
        "SourceIpV6": actor if actor and ":" in actor else None,
        "DestinationIpV4": targets[0] if targets and ":" not in targets[0] else None,
        "DestinationIpV6": targets[0] if targets and ":" in targets[0] else None, "DestinationPort": port_of(finding),
    })  # fmt: skip
    product = {
        _cut(f"vpcflow/{name}", _KEY): _cut(value if isinstance(value, str) else json.dumps(value, default=str), _VALUE)
        for name, value in list(finding.evidence.items())[:_FIELDS]
    }
    names = [name for name in dict.fromkeys([finding.actor, *finding.targets]) if name]
    out = present({
        "SchemaVersion": "2018-10-08", "Id": _cut(finding.id, _ID),
        "ProductArn": f"arn:{hub.partition}:securityhub:{hub.region}:{hub.account}:product/{hub.account}/default",
        "GeneratorId": _cut(f"vpcflow/{finding.detector}", _ID), "AwsAccountId": hub.account,
        "Types": [_cut(f"TTPs/{(finding.technique or finding.detector).replace('/', ' ')}", _ID)],
        "FirstObservedAt": utc(finding.start), "LastObservedAt": utc(finding.end),
        "CreatedAt": utc(finding.start), "UpdatedAt": utc(finding.end),
        "Severity": {"Label": _SEVERITY[finding.severity]},
        "Confidence": None if finding.confidence is None else round(finding.confidence * 100),
        "Title": _cut(f"{finding.detector}: {finding.actor}", _TITLE),
        "Description": _cut(finding.sentence, _DESCRIPTION) or finding.detector,
        "Network": network, "ProductFields": product,
        "Resources": [_resource(name, hub) for name in names[:_RESOURCES]] or [_resource("unknown", hub)],
    })  # fmt: skip
    while product and len(json.dumps(out).encode()) > _BYTES:
        product.popitem()  # the evidence that matters most stands first
    return out
