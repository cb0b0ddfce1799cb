"""Prints policies of least privilege: ``vpcflow iam``."""

from __future__ import annotations

import argparse
import json

from ..protect.iam import ROLES, policy
from ._output import print_note, write_out

HELP = "print the least that a reader, a watcher or a writer of flow logs may do in AWS"
EXAMPLES = (
    "iam reader s3://logs/AWSLogs/ arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555\n"
    "  vpcflow iam watcher sqs://flow-log-events s3://logs/AWSLogs/ --account 123456789012 --region eu-west-1\n"
    "  vpcflow iam writer s3://logs > policy.json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "role", choices=ROLES,
        help="reader: commands that read SOURCE; watcher: vpcflow watch; writer: vpcflow enable apply",
    )  # fmt: skip
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE",
        help="allow s3://BUCKET/PREFIX, cloudwatch://GROUP, sqs://QUEUE, kinesis://STREAM, firehose://STREAM, and the "
        "ARN of the KMS key that encrypts them",
    )  # fmt: skip
    parser.add_argument("--account", default="*", metavar="ID", help="of groups, queues and streams (default: any)")
    parser.add_argument("--region", default="*", metavar="NAME", help="of groups, queues and streams (default: any)")
    parser.add_argument("--pushdown", action="store_true", help="allow top --pushdown, too")
    parser.add_argument("--json", action="store_true", help="print an object a statement, with why it is there")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    made = policy(args.role, args.sources, account=args.account, region=args.region, pushdown=args.pushdown)
    if args.json:
        for one in made.allowed:
            write_out(json.dumps({"statement": one.statement, "why": one.why}) + "\n")
        return 0
    write_out(json.dumps(made.document(), indent=2) + "\n")
    for one in made.allowed:
        print_note(f"{one.statement['Sid']}: {one.why}")
    return 0
