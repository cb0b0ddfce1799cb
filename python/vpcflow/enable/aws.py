"""The calls of AWS that enabling needs, each named by what it does. Everything that this room calls is in here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import SourceError

Client = Callable[[str, "str | None"], Any]
_FILTER_VALUES = 200  # of one filter of a describe call
_GONE = ("InvalidFlowLogId.NotFound", "NoSuchBucketPolicy", "NoSuchEntity", "ResourceNotFoundException")


def code_of(error: BaseException) -> str:
    """Returns the code of an error of AWS, as ``"AccessDenied"``; empty for other errors."""
    response = getattr(error, "response", None)
    return str((response or {}).get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def message_of(error: BaseException) -> str:
    """Returns the sentence of an error of AWS with its code; no parameter of the call is in it."""
    response = getattr(error, "response", None)
    found = (response or {}).get("Error", {}) if isinstance(response, dict) else {}
    return f"{found.get('Code')}: {found.get('Message')}" if found else f"{type(error).__name__}: {error}"


class Aws:
    """AWS, reached by clients of boto3: ``client(service, region)`` makes one, and each is made once.

    Errors are botocore's; :func:`message_of` puts them in words. Retries are the clients' own.
    """

    def __init__(self, client: Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._make, self.sleep = client, sleep
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = "") -> Any:
        """Returns the client of a service, in a region or in that of the configuration."""
        if (service, region) not in self._clients:
            self._clients[service, region] = self._make(service, region or None)
        return self._clients[service, region]

    def account(self) -> str:
        """Returns the caller's account."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def region(self) -> str:
        """Returns the region of the configuration."""
        return str(self.client("ec2").meta.region_name or "")

    # -- flow logs

    def flow_logs(self, region: str, resources: Iterable[str] = (), ids: Iterable[str] = ()) -> list[dict[str, Any]]:
        """Returns flow logs: all of a region, or those of resources, or those with these ids. Ids that are gone are
        left out."""
        named, wanted = list(resources), list(ids)
        client = self.client("ec2", region)
        found: list[dict[str, Any]] = []
        for begin in range(0, max(len(named), 1) if not wanted else len(wanted), _FILTER_VALUES):
            query: dict[str, Any] = {}
            if named:
                query["Filters"] = [{"Name": "resource-id", "Values": named[begin : begin + _FILTER_VALUES]}]
            if wanted:
                query["Filters"] = [{"Name": "flow-log-id", "Values": wanted[begin : begin + _FILTER_VALUES]}]
            found += self._paged(client.describe_flow_logs, "FlowLogs", query, "NextToken")
        return found

    def may_create(self, region: str, arguments: Mapping[str, Any]) -> str:
        """Asks whether CreateFlowLogs would be allowed; returns why not, or nothing."""
        try:
            self.client("ec2", region).create_flow_logs(**arguments, DryRun=True)
        except Exception as error:
            if not code_of(error):
                raise
            return "" if code_of(error) == "DryRunOperation" else message_of(error)
        raise SourceError("CreateFlowLogs: the endpoint ignores DryRun, and may have created flow logs; it is not AWS")

    def create(self, region: str, arguments: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Creates flow logs; returns AWS's answer."""
        answer: dict[str, Any] = self.client("ec2", region).create_flow_logs(**arguments, ClientToken=token)
        return answer

    def delete(self, region: str, ids: Sequence[str]) -> dict[str, str]:
        """Deletes flow logs; returns by id why one is still there. One that is gone already is no failure."""
        if not ids:
            return {}
        try:
            answer = self.client("ec2", region).delete_flow_logs(FlowLogIds=list(ids))
        except Exception as error:
            if code_of(error) not in _GONE:
                raise
            if len(ids) == 1:
                return {}
            return {key: why for one in ids for key, why in self.delete(region, [one]).items()}
        failed = {one.get("ResourceId", ""): one.get("Error", {}) for one in answer.get("Unsuccessful", ())}
        there = {key: why for key, why in failed.items() if why.get("Code") not in _GONE}
        return {key: f"{why.get('Code')}: {why.get('Message')}" for key, why in there.items()}

    def tag(self, region: str, ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Sets tags of flow logs."""
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.client("ec2", region).create_tags(Resources=list(ids), Tags=pairs)

    # -- what flow logs need

    def bucket_policy(self, bucket: str) -> str:
        """Returns the policy of a bucket; empty if it has none."""
        try:
            return str(self.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        except Exception as error:
            if code_of(error) in _GONE:
                return ""
            raise

    def put_bucket_policy(self, bucket: str, policy: str) -> None:
        """Sets the policy of a bucket."""
        self.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    def log_group(self, region: str, name: str) -> dict[str, Any] | None:
        """Returns a log group; ``None`` if it is not there."""
        client = self.client("logs", region)
        for group in self._paged(client.describe_log_groups, "logGroups", {"logGroupNamePrefix": name}, "nextToken"):
            if group["logGroupName"] == name:
                return dict(group)
        return None

    def make_log_group(self, region: str, name: str) -> None:
        """Makes a log group; one that is there already is no failure."""
        try:
            self.client("logs", region).create_log_group(logGroupName=name)
        except Exception as error:
            if code_of(error) != "ResourceAlreadyExistsException":
                raise

    def keep_log_group(self, region: str, name: str, days: int) -> None:
        """Sets for how long a log group keeps its events."""
        self.client("logs", region).put_retention_policy(logGroupName=name, retentionInDays=days)

    def has_role(self, name: str) -> bool:
        """Tells whether a role is there."""
        try:
            self.client("iam").get_role(RoleName=name)
        except Exception as error:
            if code_of(error) in _GONE:
                return False
            raise
        return True

    def role_policy(self, name: str) -> Any:
        """Returns the policy that a role has by its own name, as :meth:`make_role` makes it; ``None`` without one."""
        try:
            return self.client("iam").get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
        except Exception as error:
            if code_of(error) in _GONE:
                return None
            raise

    def make_role(self, name: str, trust: Mapping[str, Any], policy: Mapping[str, Any]) -> None:
        """Makes a role with one policy of its own; one that is there gets the policy."""
        client = self.client("iam")
        try:
            client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        except Exception as error:
            if code_of(error) != "EntityAlreadyExists":
                raise
        client.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))

    # -- evidence

    def keys(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Yields the objects below a prefix."""
        client = self.client("s3")
        query: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            answer = client.list_objects_v2(**query)
            yield from answer.get("Contents", ())
            if not answer.get("IsTruncated"):
                return
            query["ContinuationToken"] = answer["NextContinuationToken"]

    def content(self, bucket: str, key: str) -> bytes:
        """Returns the bytes of an object."""
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def events(self, region: str, group: str, since: int) -> list[dict[str, Any]]:
        """Returns some events of a log group since a time in milliseconds."""
        client = self.client("logs", region)
        query: dict[str, Any] = {"logGroupName": group, "startTime": since, "limit": 100}
        for _ in range(20):  # pages may be empty
            answer = client.filter_log_events(**query)
            if answer.get("events"):
                return list(answer["events"])
            if not answer.get("nextToken"):
                break
            query["nextToken"] = answer["nextToken"]
        return []

    # -- inventories

    def answers(self, service: str, operation: str, kind: str, region: str = "") -> list[Any]:
        """Returns the items of all pages of a describe call; ``kind`` is their member, as ``"Vpcs"``."""
        call = getattr(self.client(service, region), operation)
        small = service == "logs"  # which begins its names with small letters
        member, token = (kind[:1].lower() + kind[1:], "nextToken") if small else (kind, "NextToken")
        return self._paged(call, member, {}, token)

    @staticmethod
    def _paged(call: Callable[..., Any], member: str, query: dict[str, Any], token: str) -> list[Any]:
        found: list[Any] = []
        while True:
            answer = call(**query)
            found += answer.get(member, ())
            if not answer.get(token):
                return found
            query = {**query, token: answer[token]}
