"""A plan as a template of CloudFormation."""

from __future__ import annotations

import json
from typing import Any

from ..plan import Plan, Step
from ..resources import RESOURCE_TYPES
from ._shared import known_buckets, names_for, new_groups, new_role, new_steps, refuse_types, remarks


def emit(plan: Plan) -> str:
    """Returns the plan as a template, in JSON, without functions: each text means itself."""
    steps = new_steps(plan)
    refuse_types(steps, "CloudFormation", (kind.name for kind in RESOURCE_TYPES.values() if not kind.cloudformation))
    names = names_for((step.spec.resource.id for step in steps), "")
    resources: dict[str, Any] = {}
    for bucket in known_buckets(plan):
        properties = {"Bucket": bucket["bucket"], "PolicyDocument": json.loads(bucket["policy"])}
        resources["BucketPolicy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    for group in new_groups(plan):
        properties = {"LogGroupName": group["name"], "RetentionInDays": group["retention_days"]}
        kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        resources["LogGroup"] = {"Type": "AWS::Logs::LogGroup", **kept, "Properties": properties}
    role = new_role(plan)
    if role:
        inline = [{"PolicyName": role["name"], "PolicyDocument": role["policy"]}]
        properties = {"RoleName": role["name"], "AssumeRolePolicyDocument": role["trust"], "Policies": inline}
        resources["Role"] = {"Type": "AWS::IAM::Role", "Properties": properties}
    needs = list(resources)
    for step in steps:
        entry: dict[str, Any] = {"Type": "AWS::EC2::FlowLog", "Properties": properties_of(step)}
        if needs:
            entry["DependsOn"] = needs
        resources[f"FlowLog{names[step.spec.resource.id]}"] = entry
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09", "Metadata": {"vpcflow": remarks(plan)}}
    return json.dumps({**template, "Resources": resources}, indent=2) + "\n"


def properties_of(step: Step) -> dict[str, Any]:
    """Returns the properties of an ``AWS::EC2::FlowLog``."""
    spec = step.spec
    request = spec.request([spec.resource.id], step.region)
    del request["ResourceIds"], request["TagSpecifications"]
    tags = [{"Key": key, "Value": value} for key, value in spec.tags().items()]
    return {"ResourceId": spec.resource.id, **request, "Tags": tags}
