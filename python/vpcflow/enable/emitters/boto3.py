"""A plan as a Python program."""

from __future__ import annotations

import json
import pprint
from typing import Any

from ..plan import Plan
from ._shared import known_buckets, new_groups, new_role, remarks

_PROGRAM = """
session = boto3.Session()
for bucket in PLAN["buckets"]:
    session.client("s3").put_bucket_policy(Bucket=bucket["Bucket"], Policy=bucket["Policy"])
for group in PLAN["log_groups"]:
    logs = session.client("logs", region_name=group["region"] or None)
    logs.create_log_group(logGroupName=group["name"])
    logs.put_retention_policy(logGroupName=group["name"], retentionInDays=group["retention_days"])
for role in PLAN["roles"]:
    iam = session.client("iam")
    iam.create_role(RoleName=role["name"], AssumeRolePolicyDocument=role["trust"])
    iam.put_role_policy(RoleName=role["name"], PolicyName=role["name"], PolicyDocument=role["policy"])
for call in PLAN["calls"]:
    ec2 = session.client("ec2", region_name=call["region"] or None)
    answer = ec2.create_flow_logs(**call["create_flow_logs"])
    print(*answer["FlowLogIds"])
    for failed in answer["Unsuccessful"]:
        print(failed["ResourceId"], failed["Error"]["Code"], failed["Error"]["Message"])
"""


def emit(plan: Plan) -> str:
    """Returns the plan as a program; all that is of the plan stands in one literal."""
    role = new_role(plan)
    roles = [{**role, "trust": json.dumps(role["trust"]), "policy": json.dumps(role["policy"])}] if role else []
    region = plan.steps[0].region if plan.steps else ""
    content: dict[str, Any] = {
        "buckets": [{"Bucket": one["bucket"], "Policy": one["policy"]} for one in known_buckets(plan)],
        "log_groups": [{**group, "region": region} for group in new_groups(plan)],
        "roles": [{name: one[name] for name in ("name", "trust", "policy")} for one in roles],
        "calls": [
            {"region": call.region, "create_flow_logs": {**call.arguments, "ClientToken": plan.token(call)}}
            for call in plan.calls()
        ],
    }
    head = "".join(f"# {line}\n" for line in remarks(plan))
    literal = pprint.pformat(content, width=110, sort_dicts=False)
    return f"{head}import boto3\n\nPLAN = {literal}\n{_PROGRAM}"
