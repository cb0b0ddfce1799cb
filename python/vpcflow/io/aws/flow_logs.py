"""Where flow logs deliver to, and in which format, as DescribeFlowLogs says."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..._hints import nearest
from ...errors import ArgumentError, SourceError, SourceNotFoundError
from .session import Connection
from .words import code_of, error_of

_ID = re.compile(r"fl-[0-9a-f]{1,32}")


class Delivery(NamedTuple):
    """What a flow log delivers: ``url`` is that of a folder in S3 or of a log group, ``format`` that of lines without
    header. ``failing``: what AWS says is wrong with it, or an empty text."""

    id: str
    url: str
    format: str
    region: str
    failing: str


def check_ids(ids: Sequence[str]) -> None:
    """Raises :class:`~vpcflow.ArgumentError` for what is no id of a flow log."""
    for id in ids:
        if not _ID.fullmatch(id):
            raise ArgumentError(f"flow log {id!r}: an id such as fl-0123456789abcdef0 is needed")


def deliveries(ids: Sequence[str], connection: Connection) -> list[Delivery]:
    """Asks AWS where flow logs deliver to, in the order of ``ids``.

    Raises :class:`~vpcflow.SourceNotFoundError`, with the nearest id, for one that is not there, and
    :class:`~vpcflow.SourceError` for one whose destination cannot be read, or if AWS does not answer.
    """
    client = connection.client("ec2")
    known = {log["FlowLogId"]: log for log in _described(client, list(ids))}
    missing = [id for id in ids if id not in known]
    if missing:
        there = [log["FlowLogId"] for log in _described(client, [])]
        near = nearest(missing[0], there)
        hint = f"; did you mean {near}?" if near else ""
        region = client.meta.region_name
        raise SourceNotFoundError(f"{missing[0]}: no such flow log in {region} of this account{hint}")
    return [_delivery(known[id], client.meta.region_name) for id in ids]


def _described(client: Any, ids: list[str]) -> list[dict[str, Any]]:
    try:
        pages = client.get_paginator("describe_flow_logs").paginate(**({"FlowLogIds": ids} if ids else {}))
        return [log for page in pages for log in page.get("FlowLogs", ())]
    except Exception as error:
        if code_of(error)[0] == "InvalidFlowLogId.NotFound":
            return []
        raise error_of("ec2:DescribeFlowLogs", error) from None


def _delivery(log: dict[str, Any], region: str) -> Delivery:
    id, where = log["FlowLogId"], log.get("LogDestination", "")
    kind = log.get("LogDestinationType", "cloud-watch-logs")
    if kind == "s3":
        bucket, _, folder = where.partition(":::")[2].partition("/")
        url = f"s3://{bucket}/{folder.strip('/') + '/' if folder.strip('/') else ''}AWSLogs/"
    elif kind == "cloud-watch-logs":
        # arn:aws:logs:REGION:ACCOUNT:log-group:NAME, with :* behind it or not
        name = log.get("LogGroupName") or where.partition(":log-group:")[2].removesuffix(":*")
        there = where.split(":")[3] if where.count(":") > 3 else region
        url = f"cloudwatch://{urllib.parse.quote(name)}?region={there}"
    else:
        raise SourceError(f"{id}: it delivers to Firehose ({where}); give the place where that stream writes to")
    failing = log.get("DeliverLogsErrorMessage") or "" if log.get("DeliverLogsStatus") == "FAILED" else ""
    return Delivery(id, url, log.get("LogFormat", ""), region, failing)


def account_of(connection: Connection) -> str | None:
    """Returns the account whose credentials these are, ``None`` if nobody says so."""
    try:
        return str(connection.client("sts").get_caller_identity()["Account"])
    except Exception:  # as by a policy, or a stand-in without it
        return None
