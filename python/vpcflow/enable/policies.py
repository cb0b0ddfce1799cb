"""Who may deliver: policies of buckets, roles and keys, and what a plan adds to those that are there.

Sources: AWS's guides for flow logs to S3, CloudWatch Logs and Firehose. Statements that are there already stay as they
are, byte for byte.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from ..errors import PlanError
from .destinations import CLOUDWATCH, FIREHOSE, S3, Destination
from .spec import FlowLogSpec

Statement = dict[str, Any]
DELIVERY, FLOW_LOGS = "delivery.logs.amazonaws.com", "vpc-flow-logs.amazonaws.com"
ROLE_NAME = "vpcflow-flow-logs"
_GROUP_ACTIONS = ["CreateLogGroup", "CreateLogStream", "PutLogEvents", "DescribeLogGroups", "DescribeLogStreams"]


@dataclasses.dataclass(frozen=True)
class Merged:
    """A policy with what a plan adds."""

    text: str
    added: tuple[Statement, ...]
    #: The change as a unified diff of indented JSON; empty if there is none.
    difference: str
    warnings: tuple[str, ...] = ()


def bucket_statements(spec: FlowLogSpec, account: str, region: str, partition: str) -> list[Statement]:
    """Returns the statements that a bucket's policy needs for flow logs of an account and region to be delivered."""
    bucket = f"arn:{partition}:s3:::{spec.destination.name}"
    folder = f"{literal(spec.destination.folder)}/" if spec.destination.folder else ""
    below = f"aws-account-id={account}" if spec.hive else account
    caller = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:{partition}:logs:{region or '*'}:{account}:*"},
    }
    write: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY},
        "Action": "s3:PutObject",
        "Resource": f"{bucket}/{folder}AWSLogs/{below}/*",
        "Condition": {
            **caller,
            "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **caller["StringEquals"]},
        },
    }
    check: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY},
        "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
        "Resource": bucket,
        "Condition": caller,
    }
    return [{"Sid": _sid("Write", write), **write}, {"Sid": _sid("Check", check), **check}]


def literal(text: str) -> str:
    """Writes a text so that a policy takes it for itself: ``$``, ``*`` and ``?`` mean more there.

    >>> literal("a${b}*")
    'a${$}{b}${*}'
    """
    return re.sub(r"[$*?]", r"${\g<0>}", text)


def _sid(what: str, statement: Statement) -> str:
    """Makes a Sid of the content, so that plans of several accounts and folders do not replace each other's."""
    content = json.dumps(statement, sort_keys=True).encode()
    return f"VpcflowLogDelivery{what}{hashlib.sha256(content).hexdigest()[:8]}"


def key_statement(account: str, region: str, partition: str) -> Statement:
    """Returns the statement that the policy of a KMS key needs for delivery to a bucket that it encrypts."""
    return {
        "Sid": "VpcflowLogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:logs:{region or '*'}:{account}:*"},
        },
    }


def trust_policy(account: str, region: str, partition: str) -> dict[str, Any]:
    """Returns who may take the role that delivers to CloudWatch Logs: flow logs of this account and region alone."""
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": FLOW_LOGS},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:ec2:{region or '*'}:{account}:vpc-flow-log/*"},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def role_policy(group: Destination, partition: str) -> dict[str, Any]:
    """Returns what that role may do: write to one log group, and list groups."""
    arn = literal(group.arn(partition).replace("*", "\0")).replace("\0", "*")
    writing = [f"logs:{action}" for action in _GROUP_ACTIONS if action != "DescribeLogGroups"]
    statements: list[Statement] = [
        {"Effect": "Allow", "Action": writing, "Resource": [arn, f"{arn}:*"]},
        {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def caller_policy(destinations: Sequence[Destination], roles: Sequence[str], partition: str) -> dict[str, Any]:
    """Returns what who applies a plan with these destinations may do, and no more."""
    types = {destination.type for destination in destinations}
    actions = ["ec2:CreateFlowLogs", "ec2:DeleteFlowLogs", "ec2:DescribeFlowLogs", "ec2:CreateTags"]
    if types & {S3, FIREHOSE}:
        actions += ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"]
    statements: list[Statement] = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    for bucket in sorted({destination.name for destination in destinations if destination.type == S3}):
        actions = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:ListBucket"]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": f"arn:{partition}:s3:::{bucket}"})
        statements.append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:{partition}:s3:::{bucket}/*"})
    if CLOUDWATCH in types:
        actions = ["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DescribeLogGroups", "logs:FilterLogEvents"]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": "*"})
    if FIREHOSE in types:
        service = {"StringEquals": {"iam:AWSServiceName": "delivery.logs.amazonaws.com"}}
        statements.append(
            {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "*", "Condition": service}
        )
    if roles:
        actions = ["iam:PassRole", "iam:GetRole", "iam:CreateRole", "iam:PutRolePolicy"]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": sorted(roles)})
    return {"Version": "2012-10-17", "Statement": statements}


def merge(existing: str, statements: Sequence[Statement], source: str = "bucket policy") -> Merged:
    """Adds statements to a policy, as text; those that it has, under whatever Sid, are not added again.

    ``existing`` is empty where there is no policy. Raises :class:`~vpcflow.PlanError` if it is no policy.
    """
    if not existing.strip():
        new = {"Version": "2012-10-17", "Statement": list(statements)}
        text = json.dumps(new)
        return Merged(text, tuple(statements), _difference("", text))
    there = _statements_of(existing, source)
    known = [_without_sid(statement) for statement in there]
    added = [statement for statement in statements if _without_sid(statement) not in known]
    sids = {statement.get("Sid") for statement in there}
    clashing = [statement["Sid"] for statement in added if statement.get("Sid") in sids]
    if clashing:
        raise PlanError(f"{source}: it has other statements by the Sid {', '.join(clashing)}; rename them first")
    warnings = [
        f"{source}: a statement has {word}, with which AWS may refuse delivery; look at it first"
        for word in ("NotAction", "NotPrincipal")
        if any(word in statement for statement in there)
    ]
    text = _inserted(existing, added) if added else existing
    return Merged(text, tuple(added), _difference(existing, text), tuple(warnings))


def _without_sid(statement: Any) -> Any:
    return (
        {key: value for key, value in statement.items() if key != "Sid"} if isinstance(statement, dict) else statement
    )


def _statements_of(policy: str, source: str) -> list[Statement]:
    try:
        document = json.loads(policy)
    except ValueError as error:
        raise PlanError(f"{source}: invalid JSON: {error}") from None
    statements = document.get("Statement", []) if isinstance(document, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise PlanError(f"{source}: no policy: an object with Statement is needed")
    return statements


def _inserted(policy: str, added: Sequence[Statement]) -> str:
    """Returns the text of a policy with more statements at the end, and nothing else changed."""
    new = ", ".join(json.dumps(statement) for statement in added)
    place = _span_of(policy, "Statement")
    if place is None:
        end = policy.rindex("}")
        comma = ", " if json.loads(policy) else ""
        return f'{policy[:end]}{comma}"Statement": [{new}]{policy[end:]}'
    begin, end = place
    if policy[begin] == "{":  # one statement without a list
        return f"{policy[:begin]}[{policy[begin:end]}, {new}]{policy[end:]}"
    inner = policy[begin + 1 : end - 1].rstrip()
    comma = ", " if inner.strip() else ""
    return f"{policy[: begin + 1]}{inner}{comma}{new}{policy[begin + 1 + len(inner) :]}"


def _span_of(text: str, member: str) -> tuple[int, int] | None:
    """Returns where the value of a member of the outermost object begins and ends."""
    decoder, space = json.JSONDecoder(), re.compile(r"[\s,:]*")
    position = text.index("{") + 1
    found = None
    while True:
        position = space.match(text, position).end()  # type: ignore[union-attr]
        if position >= len(text) or text[position] == "}":
            return found
        name, position = decoder.raw_decode(text, position)
        begin = space.match(text, position).end()  # type: ignore[union-attr]
        _, position = decoder.raw_decode(text, begin)
        if name == member:
            found = (begin, position)  # of several the last one counts, as for AWS


def _difference(old: str, new: str) -> str:
    if old == new:
        return ""

    def lines(text: str) -> list[str]:
        return json.dumps(json.loads(text), indent=2).splitlines() if text.strip() else []

    return "\n".join(difflib.unified_diff(lines(old), lines(new), "there now", "with the plan", lineterm="", n=1))
