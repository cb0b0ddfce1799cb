"""Policies of least privilege: what a reader, a watcher or a writer of flow logs may do, and why.

Which calls of AWS a command makes is said here alone; what who enables flow logs may do, in ``enable.policies``.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

from .._hints import hint
from ..enable.destinations import CLOUDWATCH, destination_of, partition_of
from ..enable.policies import ROLE_NAME, Statement, caller_policy, literal
from ..errors import PlanError
from ..io.aws.cloudwatch import GroupUrl
from ..io.aws.sqs import place_of_queue
from ..io.aws.url import S3Url, scheme_of

ROLES = ("reader", "watcher", "writer")
_KEY = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):(key/[A-Za-z0-9-]+|alias/.+)")
_SOURCES = {
    "reader": "s3://BUCKET/PREFIX, cloudwatch://GROUP, and the ARN of a KMS key",
    "watcher": "s3://BUCKET/PREFIX, sqs://QUEUE, cloudwatch://GROUP, kinesis://STREAM, and the ARN of a KMS key",
    "writer": "s3://BUCKET/FOLDER, cloudwatch://GROUP, firehose://STREAM",
}


@dataclasses.dataclass(frozen=True)
class Allowed:
    """A statement of a policy, and why it is there."""

    statement: Statement
    why: str


@dataclasses.dataclass(frozen=True)
class Policy:
    """An identity policy of IAM."""

    allowed: tuple[Allowed, ...]

    def document(self) -> dict[str, Any]:
        """Returns the policy as IAM takes it."""
        return {"Version": "2012-10-17", "Statement": [one.statement for one in self.allowed]}

    def without(self, sid: str) -> Policy:
        """Returns the policy without one statement."""
        return Policy(tuple(one for one in self.allowed if one.statement["Sid"] != sid))


def policy(
    role: str, sources: Sequence[str], *, account: str = "*", region: str = "*", pushdown: bool = False
) -> Policy:
    """Returns the least that a role needs for some sources: ``reader`` for commands that read them, ``watcher`` for
    ``vpcflow watch``, ``writer`` for who runs ``vpcflow enable apply`` with these destinations.

    ``account``, ``region``: where log groups, queues and streams lie whose URL does not say it; ``*`` for any.
    ``pushdown``: also Logs Insights. Raises :class:`~vpcflow.PlanError` for a source that the role does not have.

    >>> for one in policy("reader", ["s3://logs/AWSLogs/"]).allowed:
    ...     print(one.statement["Action"], one.statement["Resource"])
    s3:ListBucket arn:aws:s3:::logs
    s3:GetObject arn:aws:s3:::logs/AWSLogs/*
    """
    if role not in ROLES:
        raise PlanError(f"iam: no role {role!r}; {hint(role, ROLES)}")
    if not sources:
        raise PlanError(f"iam {role}: the sources are missing; allowed are {_SOURCES[role]}")
    place = _Place(account, region, partition_of("" if region == "*" else region))
    if role == "writer":
        return _numbered(_writer(sources, place))
    keys = [source for source in sources if source.startswith("arn:") and ":kms:" in source]
    others = [source for source in sources if source not in keys]
    if not others:
        raise PlanError(f"iam {role}: a key alone is read by nobody; give what it encrypts, too")
    queues = any(_scheme(role, source) == "sqs" for source in others)
    found: list[Allowed] = []
    for source in others:
        scheme = _scheme(role, source)
        if scheme == "s3":
            found += _bucket(source, place, listed=not queues)
        elif scheme == "cloudwatch":
            found += _group(source, place, pushdown)
        elif scheme == "sqs":
            found += _queue(source, place)
        else:
            found += _stream(source, place)
    if queues and not any(_scheme(role, source) == "s3" for source in others):
        raise PlanError(f"iam {role}: messages of a queue name objects; give their bucket, too: s3://BUCKET/PREFIX/")
    for key in keys:
        found += _key(key, [_scheme(role, source) for source in others])
    return _numbered(found)


@dataclasses.dataclass(frozen=True)
class _Place:
    account: str
    region: str
    partition: str

    def arn(self, service: str, rest: str, region: str | None = None, account: str | None = None) -> str:
        where = region or self.region
        partition = partition_of(where) if where != "*" else self.partition
        return f"arn:{partition}:{service}:{where}:{account or self.account}:{rest}"


def _scheme(role: str, source: str) -> str:
    schemes = ("s3", "cloudwatch", "sqs", "kinesis") if role == "watcher" else ("s3", "cloudwatch")
    scheme = scheme_of(source) if "://" in source else ""
    if scheme not in schemes:
        raise PlanError(f"iam {role}: no source {source!r}; allowed are {_SOURCES[role]}")
    return scheme


def _allow(
    sid: str, actions: str | Sequence[str], resource: str | Sequence[str], why: str, **condition: Any
) -> Allowed:
    actions = actions if isinstance(actions, str) else list(actions)
    resource = resource if isinstance(resource, str) else list(resource)
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return Allowed({**statement, **({"Condition": condition} if condition else {})}, why)


def _bucket(source: str, place: _Place, *, listed: bool) -> Iterator[Allowed]:
    url = S3Url.of(source)
    key = url.key[: re.search(r"[*?\[]|$", url.key).start()]  # type: ignore[union-attr]  # it always matches
    if url.bucket.startswith("arn:"):
        bucket, objects = url.bucket, f"{url.bucket}/object/{literal(key)}*"
    else:
        bucket = f"arn:{place.partition}:s3:::{url.bucket}"
        objects = f"{bucket}/{literal(key)}*"
    if listed:
        below: dict[str, Any] = {"StringLike": {"s3:prefix": f"{literal(key)}*"}} if key else {}
        yield _allow("List", "s3:ListBucket", bucket, f"lists the objects of {source}", **below)
    yield _allow("Read", "s3:GetObject", objects, f"reads the objects of {source}")


def _group(source: str, place: _Place, pushdown: bool) -> Iterator[Allowed]:
    url = GroupUrl.of(source)
    group = literal(url.group)
    one = place.arn("logs", f"log-group:{group}:*", url.region)
    yield _allow(
        "FindGroup", "logs:DescribeLogGroups", place.arn("logs", "log-group:*", url.region),
        "finds the log group, its age and size; AWS has no narrower resource for it",
    )  # fmt: skip
    yield _allow("ReadEvents", "logs:FilterLogEvents", one, f"reads the lines of {url.group}")
    yield _allow(
        "FindFormat", "ec2:DescribeFlowLogs", "*",
        "finds the format of the lines, which CloudWatch does not keep; not needed with --format; AWS has no narrower "
        "resource for it",
    )  # fmt: skip
    if pushdown:
        yield _allow("StartQuery", "logs:StartQuery", one, "top --pushdown: lets Logs Insights compute the groups")
        yield _allow(
            "GetQuery", ["logs:GetQueryResults", "logs:StopQuery"], "*",
            "top --pushdown: takes the answer, or stops the query; AWS has no narrower resource for it",
        )  # fmt: skip


def _queue(source: str, place: _Place) -> Iterator[Allowed]:
    name, region, account = place_of_queue(source)
    actions = ["GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]
    yield _allow(
        "Messages", [f"sqs:{action}" for action in actions], place.arn("sqs", literal(name), region, account),
        f"finds {name} and its dead-letter queue, takes messages, keeps them while it works, and deletes those done",
    )  # fmt: skip


def _stream(source: str, place: _Place) -> Iterator[Allowed]:
    rest, _, query = source.partition("://")[2].partition("?")
    region = dict(urllib.parse.parse_qsl(query)).get("region")
    name = urllib.parse.unquote(rest.strip("/"))
    actions = ["kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"]
    yield _allow(
        "Stream", actions, place.arn("kinesis", f"stream/{literal(name)}", region), f"reads the shards of {name}"
    )


def _key(arn: str, schemes: Sequence[str]) -> Iterator[Allowed]:
    match = _KEY.fullmatch(arn)
    if match is None:
        raise PlanError(f"iam: no KMS key: {arn!r}; allowed are arn:aws:kms:REGION:ACCOUNT:key/ID and .../alias/NAME")
    if match[4].startswith("alias/"):
        raise PlanError(f"iam: {arn}: policies go by the key, not by an alias; aws kms describe-key names it")
    # CloudWatch Logs decrypts for whoever may read the group; the others ask with the reader's rights.
    services = [f"{name}.{match[2]}.amazonaws.com" for name in ("s3", "sqs", "kinesis") if name in schemes]
    if not services:
        raise PlanError(f"iam: {arn}: of log groups CloudWatch Logs decrypts by itself; leave the key out")
    yield _allow(
        "Decrypt", "kms:Decrypt", arn, "decrypts what this key encrypts, only on the way through these services",
        StringEquals={"kms:ViaService": services},
    )  # fmt: skip


def _writer(sources: Sequence[str], place: _Place) -> Iterator[Allowed]:
    """What who enables flow logs may do, of ``enable.policies``."""
    account, region = place.account.replace("*", ""), place.region.replace("*", "")
    destinations = [destination_of(source).within(account, region) for source in sources]
    groups = any(destination.type == CLOUDWATCH for destination in destinations)
    roles = [f"arn:{place.partition}:iam::{account or '*'}:role/{ROLE_NAME}*"] if groups else []
    for number, statement in enumerate(caller_policy(destinations, roles, place.partition)["Statement"]):
        actions = statement["Action"]
        first = actions if isinstance(actions, str) else actions[0]
        sid, why = _WRITERS.get(first, (f"Writer{number}", "enables flow logs"))
        yield Allowed({"Sid": sid, **statement}, why)


_WRITERS = {
    "ec2:CreateFlowLogs": ("FlowLogs", "enable apply: makes, tags, lists and replaces flow logs, and lets AWS deliver"),
    "s3:GetBucketPolicy": ("BucketPolicy", "enable apply: adds the delivery to the bucket's policy"),
    "s3:GetObject": ("Verify", "enable verify: reads the first objects that arrive"),
    "logs:CreateLogGroup": ("LogGroup", "enable apply and verify: makes the log group, and reads what arrives"),
    "iam:CreateServiceLinkedRole": ("LinkedRole", "enable apply: AWS's own role for delivery to streams"),
    "iam:PassRole": ("Role", "enable apply: makes the role that delivers to CloudWatch Logs, and hands it to AWS"),
}


def _numbered(found: Sequence[Allowed] | Iterator[Allowed]) -> Policy:
    """Drops what is there twice, and numbers statements of the same name: a policy has each Sid once."""
    out: dict[str, Allowed] = {}
    for one in found:
        known = [{**other.statement, "Sid": ""} for other in out.values()]
        if {**one.statement, "Sid": ""} in known:
            continue
        sid = name = one.statement["Sid"]
        number = 1
        while sid in out:
            number += 1
            sid = f"{name}{number}"
        out[sid] = Allowed({**one.statement, "Sid": sid}, one.why)
    return Policy(tuple(out.values()))
