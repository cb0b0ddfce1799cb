"""Advice about the flow logs themselves: where they go, and which are there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..enable.costs import Cost, measured_cost
from ..enable.destinations import CLOUDWATCH, S3
from ..enable.prices import CLASS_OF
from ..errors import PlanError
from .rows import HOURS, Saving

if TYPE_CHECKING:
    from .advise import Case

_PRICED = (CLOUDWATCH, S3)
_FIELD = re.compile(r"\$\{([a-z0-9-]+)\}")
_DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)


def advice(case: Case) -> Iterator[Saving]:
    """Yields advice about the flow logs of the inventory, each by the records of what it logs."""
    flow_logs = case.network.inventory.at("FlowLogs")
    sizes: dict[str, tuple[Cost, Decimal]] = {}
    for name, item in sorted(flow_logs.items()):
        destination = str(item.get("LogDestinationType", ""))
        outer = _outer(case, item, flow_logs)
        if destination not in _PRICED or not (destination == CLOUDWATCH or outer):
            continue
        region = case.network.region({"VpcId": _vpc(case, item), "SubnetId": item.get("ResourceId")})
        month = _bytes_a_month(case, str(item.get("LogFormat") or ""), str(item.get("ResourceId")), sizes)
        if not month or not region:
            continue
        if outer:
            yield _row(
                case, "flow_log_twice", name, region, month, CLASS_OF[destination], None,
                f"{item.get('ResourceId')} is logged by {outer}, too: its records are there twice",
                f"aws ec2 delete-flow-logs --flow-log-ids {name}",
                "who reads its destination must read the other one; formats and intervals may differ",
            )  # fmt: skip
        elif destination == CLOUDWATCH:
            yield _row(
                case, "flow_log_to_s3", name, region, month, CLASS_OF[CLOUDWATCH], CLASS_OF[S3],
                f"{name} goes to CloudWatch Logs",
                "vpcflow enable plan --destination s3; then create the flow log, and delete this one",
                "alarms, metric filters and queries of CloudWatch Logs end; storing and reading are not priced here",
            )  # fmt: skip


def _row(
    case: Case, kind: str, name: str, region: str, month: int, old: str, new: str | None, why: str, fix: str, risk: str,
) -> Saving:  # fmt: skip
    sheet, hours = case.sheet, case.observed.said
    cost, other = sheet.cost(old, region, month), Decimal(0) if new is None else sheet.cost(new, region, month)
    for price, unpriced in ((old, cost is None), (new, other is None)):
        if unpriced:
            case.price(str(price), region)  # says so
    saving = None if cost is None or other is None else round(float(cost - other), 2)
    said = f"{why}; {Decimal(month) / sheet.gb:,.2f} GB a month of text, by {hours}"
    return Saving(kind, name, region, saving, saving, saving, sheet.currency, said, fix, risk)


def _vpc(case: Case, item: Mapping[str, Any]) -> str:
    """Returns the VPC of what a flow log is of."""
    resource = str(item.get("ResourceId", ""))
    own = case.network.subnets.get(resource) or case.network.interfaces.get(resource) or {}
    return resource if resource.startswith("vpc-") else str(own.get("VpcId", ""))


def _outer(case: Case, item: Mapping[str, Any], flow_logs: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the flow log of the VPC, or of the subnet, that logs the same traffic; empty if there is none."""
    resource = str(item.get("ResourceId", ""))
    around = {_vpc(case, item), str(case.network.interfaces.get(resource, {}).get("SubnetId", ""))} - {resource, ""}
    for name, other in sorted(flow_logs.items()):
        same = other.get("LogDestinationType") == item.get("LogDestinationType")
        if other.get("ResourceId") in around and same and other.get("TrafficType") in ("ALL", item.get("TrafficType")):
            return name
    return ""


def _bytes_a_month(case: Case, log_format: str, resource: str, sizes: dict[str, tuple[Cost, Decimal]]) -> int:
    """Returns the bytes of the records of a VPC, subnet or interface in a format, in a month as the observed hours."""
    fields = _FIELD.findall(log_format) or _DEFAULT.split()
    key = " ".join(fields)
    if key not in sizes:
        try:
            cost = measured_cost(case.observer.flows, fields)
        except PlanError:
            return 0
        sizes[key] = (cost, Decimal(cost.bytes) / max(1, cost.records))
    cost, size = sizes[key]
    return round(size * _records(case, resource) * HOURS / len(case.observed.hours))


def _records(case: Case, resource: str) -> int:
    network = case.network
    names = {
        name for name, item in network.interfaces.items() if resource in (name, item.get("VpcId"), item.get("SubnetId"))
    }  # fmt: skip
    return sum(number for name, number in case.observer.records().items() if name in names)
