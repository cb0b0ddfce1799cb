"""A plan as a shell script of aws commands."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ..plan import Plan
from ._shared import known_buckets, new_groups, new_role, remarks


def emit(plan: Plan) -> str:
    """Returns the plan as a script for bash; values are JSON in single quotes."""
    lines = ["#!/bin/bash\n", *(f"# {line}\n" for line in remarks(plan)), "set -euo pipefail\n\n"]
    for bucket in known_buckets(plan):
        lines.append(_command("s3api put-bucket-policy", Bucket=bucket["bucket"], Policy=bucket["policy"]))
    for group in new_groups(plan):
        region = plan.steps[0].region if plan.steps else ""
        name, days = group["name"], group["retention_days"]
        lines.append(_command("logs create-log-group", region, logGroupName=name))
        lines.append(_command("logs put-retention-policy", region, logGroupName=name, retentionInDays=days))
    role = new_role(plan)
    if role:
        name, trust, own = role["name"], json.dumps(role["trust"]), json.dumps(role["policy"])
        lines.append(_command("iam create-role", RoleName=name, AssumeRolePolicyDocument=trust))
        lines.append(_command("iam put-role-policy", RoleName=name, PolicyName=name, PolicyDocument=own))
    for call in plan.calls():
        arguments: dict[str, Any] = {**call.arguments, "ClientToken": plan.token(call)}
        lines.append(_command("ec2 create-flow-logs", call.region, **arguments))
    return "".join(lines)


def _command(verb: str, region: str = "", **arguments: Any) -> str:
    """Writes a command. All values are in one document, as aws reads a file where a plain value begins with file://."""
    where = f" --region {shlex.quote(region)}" if region else ""
    return f"aws {verb}{where} --cli-input-json {shlex.quote(json.dumps(arguments))}\n"
