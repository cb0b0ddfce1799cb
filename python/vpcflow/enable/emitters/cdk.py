"""A plan as a stack for the CDK, in Python."""

from __future__ import annotations

import json
import re
from typing import Any

from ..plan import Plan, Step
from ..resources import RESOURCE_TYPES
from ._shared import known_buckets, names_for, new_groups, new_role, new_steps, refuse_types, remarks
from .cloudformation import properties_of

_HEAD = """import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2, aws_iam as iam, aws_logs as logs, aws_s3 as s3
from constructs import Construct


class FlowLogs(cdk.Stack):
    def __init__(self, scope: Construct, construct_id: str, **kwargs) -> None:
        super().__init__(scope, construct_id, **kwargs)
        needs = []
"""
_TAIL = """

app = cdk.App()
FlowLogs(app, "VpcflowFlowLogs")
app.synth()
"""


def emit(plan: Plan) -> str:
    """Returns the plan as a program of one stack; values are Python's literals."""
    steps = new_steps(plan)
    refuse_types(steps, "The CDK", (kind.name for kind in RESOURCE_TYPES.values() if not kind.cloudformation))
    names = names_for((step.spec.resource.id for step in steps), "")
    lines = [f"# {line}\n" for line in remarks(plan)]
    lines.append(_HEAD)
    for bucket in known_buckets(plan):
        document = json.loads(bucket["policy"])
        lines.append(
            _needed("s3.CfnBucketPolicy", "BucketPolicy", {"bucket": bucket["bucket"], "policy_document": document})
        )
    for group in new_groups(plan):
        values = {"log_group_name": group["name"], "retention_in_days": group["retention_days"]}
        lines.append(_needed("logs.CfnLogGroup", "LogGroup", values))
    role = new_role(plan)
    if role:
        values = {"role_name": role["name"], "assume_role_policy_document": role["trust"]}
        lines.append(_needed("iam.CfnRole", "Role", values))
        values = {"policy_name": role["name"], "policy_document": role["policy"], "role_name": role["name"]}
        lines.append(_needed("iam.CfnRolePolicy", "RolePolicy", values))
    for step in steps:
        lines.append(_flow_log(step, f"FlowLog{names[step.spec.resource.id]}"))
    return "".join(lines) + _TAIL


def _needed(kind: str, name: str, values: dict[str, Any]) -> str:
    arguments = "".join(f", {key}={value!r}" for key, value in values.items())
    return f"        needs.append({kind}(self, {name!r}{arguments}))\n"


def _flow_log(step: Step, name: str) -> str:
    arguments = [f"            {_snake(key)}={_literal(key, value)},\n" for key, value in properties_of(step).items()]
    begin = f"        flow_log = ec2.CfnFlowLog(\n            self,\n            {name!r},\n"
    end = "        )\n        for needed in needs:\n            flow_log.node.add_dependency(needed)\n"
    return f"{begin}{''.join(arguments)}{end}"


def _literal(key: str, value: Any) -> str:
    if key == "Tags":
        tags = [f"cdk.CfnTag(key={tag['Key']!r}, value={tag['Value']!r})" for tag in value]
        return f"[{', '.join(tags)}]"
    if key == "TagFieldSpecifications":
        return f"[{', '.join(map(_tag_fields, value))}]"
    return repr(value)  # of the options of S3, too: the CDK passes them on as they are


def _tag_fields(value: dict[str, Any]) -> str:
    arguments = ", ".join(f"{_snake(key)}={item!r}" for key, item in value.items())
    return f"ec2.CfnFlowLog.TagFieldSpecificationProperty({arguments})"


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()
