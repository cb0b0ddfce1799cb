"""Deletes flow logs: those that vpcflow made, or those that are named."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .._hints import hint
from .._keyed import Keyed
from ..errors import PlanError
from ..inventory.documents import Document
from .aws import Aws
from .inventory import FlowLog, inventory_of


@dataclasses.dataclass(frozen=True)
class Deleted(Keyed):
    """What became of one flow log."""

    flow_log: str
    resource: str
    destination: str
    region: str
    #: ``deleted``, ``would_delete`` or ``failed``.
    outcome: str
    why: list[str]


def delete(
    aws: Aws, ids: Iterable[str] = (), *, managed: bool = False, regions: Iterable[str] = ("",), dry_run: bool = False
) -> list[Deleted]:
    """Deletes the flow logs with these ids, or with ``managed`` those with the tag of vpcflow, and no others.

    Raises :class:`~vpcflow.PlanError` for an id that is not there: nothing is deleted then.
    """
    wanted = list(dict.fromkeys(ids))
    account = aws.account()
    chosen: list[tuple[str, FlowLog]] = []
    known: list[str] = []
    for region in regions:
        items = aws.flow_logs(region)
        document = Document("FlowLogs", tuple(items), account, region or aws.region(), "DescribeFlowLogs")
        logs = inventory_of([document], account=account, region=document.region).flow_logs
        known += logs
        chosen += [(region, log) for log in logs.values() if log.id in wanted or (managed and log.managed)]
    missing = [one for one in wanted if one not in known]
    if missing:
        raise PlanError(f"delete: no flow log {missing[0]}; {hint(missing[0], known) if known else 'there are none'}")
    out = []
    for region, log in chosen:
        failed = {} if dry_run else aws.delete(region, [log.id])
        outcome = "would_delete" if dry_run else "failed" if failed else "deleted"
        where = (log.spec.resource.id, log.spec.destination.url, log.region)
        out.append(Deleted(log.id, *where, outcome, list(failed.values())))
    return out
