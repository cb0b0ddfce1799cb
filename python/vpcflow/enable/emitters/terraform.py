"""A plan as HCL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ..plan import Plan, Step
from ..resources import RESOURCE_TYPES
from ._shared import known_buckets, names_for, new_groups, new_role, new_steps, refuse_types, remarks


class Reference(str):
    """An expression, not a text."""


class Blocks(list):  # type: ignore[type-arg]
    """Blocks of one name, each a dictionary."""


def emit(plan: Plan) -> str:
    """Returns the plan as resources of Terraform's AWS provider."""
    steps = new_steps(plan)
    refuse_types(steps, "Terraform", (kind.name for kind in RESOURCE_TYPES.values() if not kind.terraform))
    names = names_for((step.spec.resource.id for step in steps), "_")
    parts = ["".join(f"# {line}\n" for line in remarks(plan))]
    needs = []
    for bucket in known_buckets(plan):
        needs.append(Reference("aws_s3_bucket_policy.vpcflow"))
        parts.append(
            _block("aws_s3_bucket_policy", "vpcflow", {"bucket": bucket["bucket"], "policy": bucket["policy"]})
        )
    groups = new_groups(plan)
    named = {step.spec.destination.name for step in steps if "LogGroupName" in step.spec.request([], step.region)}
    for name in () if groups else sorted(named):
        parts.append(_block("aws_cloudwatch_log_group", "vpcflow", {"name": name}, "data"))
    for group in groups:
        needs.append(Reference("aws_cloudwatch_log_group.vpcflow"))
        values = {"name": group["name"], "retention_in_days": group["retention_days"]}
        parts.append(_block("aws_cloudwatch_log_group", "vpcflow", values))
    role = new_role(plan)
    if role:
        needs.append(Reference("aws_iam_role_policy.vpcflow"))
        values = {"name": role["name"], "assume_role_policy": json.dumps(role["trust"])}
        parts.append(_block("aws_iam_role", "vpcflow", values))
        values = {"role": Reference("aws_iam_role.vpcflow.id"), "policy": json.dumps(role["policy"])}
        parts.append(_block("aws_iam_role_policy", "vpcflow", {"name": role["name"], **values}))
    arn = Reference(f"{'' if groups else 'data.'}aws_cloudwatch_log_group.vpcflow.arn")
    for step in steps:
        name = names[step.spec.resource.id]
        parts.append(_block("aws_flow_log", f"_{name}" if name[0].isdigit() else name, _arguments(step, needs, arn)))
    return "\n".join(parts)


def _arguments(step: Step, needs: Sequence[Reference], group_arn: Reference) -> dict[str, Any]:
    """Returns the arguments of an ``aws_flow_log``."""
    spec = step.spec
    request = spec.request([spec.resource.id], step.region)
    out: dict[str, Any] = {spec.resource.kind.terraform: spec.resource.id}
    names = {
        "TrafficType": "traffic_type",
        "LogDestinationType": "log_destination_type",
        "LogDestination": "log_destination",
        "DeliverLogsPermissionArn": "iam_role_arn",
        "DeliverCrossAccountRole": "deliver_cross_account_role",
        "LogFormat": "log_format",
        "MaxAggregationInterval": "max_aggregation_interval",
    }
    out.update((names[name], value) for name, value in request.items() if name in names)
    if "LogGroupName" in request:  # the provider takes an ARN alone
        out["log_destination"] = group_arn
    out["tags"] = spec.tags()
    options = request.get("DestinationOptions")
    if options:
        block = {
            "file_format": options["FileFormat"],
            "hive_compatible_partitions": options["HiveCompatiblePartitions"],
            "per_hour_partition": options["PerHourPartition"],
        }
        out["destination_options"] = Blocks([block])
    if spec.tag_keys:
        blocks = [{"resource_type": kind, "tag_keys": list(keys)} for kind, keys in spec.tag_keys]
        out["tag_field_specification"] = Blocks(blocks)
    if needs:
        out["depends_on"] = list(needs)
    return out


def _block(kind: str, name: str, values: dict[str, Any], what: str = "resource") -> str:
    return f'{what} "{kind}" "{name}" {{\n{_body(values, 1)}}}\n'


def _body(values: dict[str, Any], depth: int) -> str:
    indent = "  " * depth
    out = []
    for name, value in values.items():
        if isinstance(value, Blocks):
            out += [f"\n{indent}{name} {{\n{_body(block, depth + 1)}{indent}}}\n" for block in value]
        else:
            out.append(f"{indent}{name} = {_value(value, depth)}\n")
    return "".join(out)


def _value(value: Any, depth: int) -> str:
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item, depth) for item in value)}]"
    if isinstance(value, dict):
        inner = "".join(f"{'  ' * (depth + 1)}{quoted(key)} = {_value(item, depth)}\n" for key, item in value.items())
        return f"{{\n{inner}{'  ' * depth}}}"
    return quoted(str(value))


def quoted(text: str) -> str:
    """Writes a text as HCL's quoted template that means just that text.

    >>> print(quoted('a"b${c}'))
    "a\\"b$${c}"
    """
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    out = "".join(
        escapes.get(c, c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
        for c in text
    )
    return '"' + re.sub(r"([$%])\{", r"\1\1{", out) + '"'
