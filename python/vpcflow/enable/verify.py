"""Proves that flow logs deliver: their status, and the first record, read by this library."""

from __future__ import annotations

import dataclasses
import datetime
import time
import warnings
from collections.abc import Callable
from contextlib import suppress

from .._keyed import Keyed
from .._words import count
from ..errors import DataQualityWarning, PlanError, VpcflowError
from ..inventory.documents import Document
from ..query.scan import scan
from . import policies
from .aws import Aws, code_of, message_of
from .destinations import CLOUDWATCH, S3, partition_of
from .inventory import FlowLog, inventory_of
from .plan import Plan, Step
from .spec import differences

#: Verdicts on a flow log of a plan, with their meaning.
VERDICTS = {
    "delivering": "records arrive, and have the fields of the plan",
    "not_yet": "it is there, and no record has come",
    "differs": "what is there, or what it delivers, is not what the plan asks",
    "failed": "AWS says that it delivers nothing, or not all",
    "missing": "there is no such flow log",
    "cannot_tell": "the destination cannot be looked into",
}
_WINDOW = 3 * 3600  # seconds that a log group is searched back
_LARGEST = 256 * 1024 * 1024  # bytes of an object that is opened


@dataclasses.dataclass(frozen=True)
class Verified(Keyed):
    """The verdict on the flow log of one resource."""

    resource: str
    flow_log: str
    #: One of :data:`VERDICTS`.
    verdict: str
    why: list[str]
    #: Unix seconds of the first record that was looked at; ``None`` without one.
    first_record: int | None = None
    #: The fields that the records have.
    fields: int = 0

    @property
    def told(self) -> str:
        """The verdict in words."""
        return f"{self.flow_log or self.resource}: {self.verdict}" + (f": {'; '.join(self.why)}" if self.why else "")


def verify(
    plan: Plan, aws: Aws, *, wait: float = 0, report: Callable[[str], None] = lambda text: None
) -> list[Verified]:
    """Looks for what a plan asks, and for what it delivers: the newest object, or event, is opened and read.

    Waits up to ``wait`` seconds for the first records. Returns a verdict for each step that is not blocked, and is
    of the caller's account. Raises :class:`~vpcflow.PlanError` if none is.
    """
    account, waited = aws.account(), 0.0
    own = [step for step in plan.steps if step.account in ("", account)]
    if plan.steps and not own:
        raise PlanError(f"verify: the plan is of account {plan.steps[0].account}, the credentials of {account}")
    while True:
        found = [_verified(step, aws, account) for step in own if step.action != "blocked"]
        left = [one for one in found if one.verdict == "not_yet"]
        if not left or waited >= wait:
            return found
        report(f"waiting for the first records of {count(len(left), 'flow log')}")
        aws.sleep(30)
        waited += 30


def _verified(step: Step, aws: Aws, account: str) -> Verified:
    items = aws.flow_logs(step.region, [step.spec.resource.id])
    document = Document("FlowLogs", tuple(items), account, step.region or aws.region(), "DescribeFlowLogs")
    known = [step.spec.resource]
    inventory = inventory_of([document], account=account, region=document.region, known=known)
    logs = list(inventory.flow_logs.values())
    if not logs and step.action == "keep":  # one of what it is in
        items = aws.flow_logs(step.region, ids=step.flow_logs)
        kept = dataclasses.replace(document, items=tuple(items))
        logs = list(inventory_of([kept], account=account, region=document.region).flow_logs.values())
        return verify_flow_log(step, logs[0] if logs else None, aws, account, compare=False)
    same = [log for log in logs if log.active and not differences(log.spec, step.spec)]
    there = same or [log for log in logs if log.spec.destination.is_at(step.spec.destination)]
    return verify_flow_log(step, there[0] if there else None, aws, account)


def verify_flow_log(step: Step, log: FlowLog | None, aws: Aws, account: str, *, compare: bool = True) -> Verified:
    """Judges one flow log by its status, and by the newest of what it delivered."""
    resource = step.spec.resource.id
    if log is None:
        return Verified(resource, "", "missing", [f"no flow log of {resource} to {step.spec.destination.url}"])
    if log.failed:
        return Verified(
            resource, log.id, "failed", [log.error or "AWS does not say why", *_causes(step, log, aws, account)]
        )
    wrong = [str(one) for one in differences(log.spec, step.spec)] if compare else []
    if wrong:
        return Verified(resource, log.id, "differs", wrong)
    try:
        return _evidence(step, log, aws, account)
    except ImportError as error:
        return Verified(resource, log.id, "cannot_tell", [f"{error.name} is not installed, by which Parquet is read"])
    except Exception as error:
        if not code_of(error) and not isinstance(error, VpcflowError):
            raise
        told = message_of(error) if code_of(error) else str(error)
        return Verified(resource, log.id, "cannot_tell", [f"{log.spec.destination.url}: {told}"])


def _evidence(step: Step, log: FlowLog, aws: Aws, account: str) -> Verified:
    if log.spec.destination.type == S3:
        return _of_bucket(step, log, aws, account)
    if log.spec.destination.type == CLOUDWATCH:
        return _of_group(step, log, aws, account)
    return Verified(
        step.spec.resource.id,
        log.id,
        "cannot_tell",
        [f"AWS says {log.delivery or 'nothing'}; a stream cannot be looked into"],
    )


def folders_of(log: FlowLog, account: str, region: str, now: float) -> list[str]:
    """Returns the folders in which a flow log's objects of today and yesterday lie, the newest first."""
    spec = log.spec
    folder = f"{spec.destination.folder}/" if spec.destination.folder else ""
    out = []
    for days in (0, 1):
        day = datetime.datetime.fromtimestamp(now, datetime.timezone.utc) - datetime.timedelta(days=days)
        if spec.hive:
            head = f"{folder}AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/"
            out.append(f"{head}year={day:%Y}/month={day:%m}/day={day:%d}/")
        else:
            out.append(f"{folder}AWSLogs/{account}/vpcflowlogs/{region}/{day:%Y/%m/%d}/")
    return out


def _of_bucket(step: Step, log: FlowLog, aws: Aws, account: str) -> Verified:
    bucket = log.spec.destination.name
    for folder in folders_of(log, log.account or account, log.region or aws.region(), time.time()):
        keys = {
            str(item["Key"]): int(item.get("Size", 0))
            for item in aws.keys(bucket, folder)
            if f"_{log.id}_" in item["Key"]
        }
        if keys:
            newest = max(keys, key=lambda key: (key.rsplit("_", 2)[-2], key))
            if keys[newest] > _LARGEST:
                return Verified(
                    step.spec.resource.id,
                    log.id,
                    "cannot_tell",
                    [f"{newest}: {keys[newest]:,} bytes are too many to open"],
                )
            return _read(step, log, aws.content(bucket, newest), newest, None)
    return _not_yet(step, log, aws, account)


def _of_group(step: Step, log: FlowLog, aws: Aws, account: str) -> Verified:
    group = log.spec.destination.name
    region = log.spec.destination.region or step.region
    events = aws.events(region, group, int((time.time() - _WINDOW) * 1000))
    if not events:
        return _not_yet(step, log, aws, account)
    text = "".join(f"{event['message']}\n" for event in events).encode()
    return _read(step, log, text, f"log group {group}", log.spec.format or None)


def _read(step: Step, log: FlowLog, data: bytes, where: str, format: str | None) -> Verified:
    """Reads what was delivered; its fields must be those of the plan."""
    resource = step.spec.resource.id
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        flows = scan(data, format=format, allow_empty=True)
        result = flows.limit(1000).collect()
    report = result.report
    has = [name.replace("_", "-") for name in flows.columns]
    if report.rejected and not report.records:
        return Verified(resource, log.id, "differs", [f"{where}: no line has the format of the plan"])
    wanted = list(log.spec.fields)
    if format is None and wanted and sorted(has) != sorted(wanted):
        lacks, more = [x for x in wanted if x not in has], [x for x in has if x not in wanted]
        words = [f"lacks {', '.join(lacks)}"] * bool(lacks) + [f"has {', '.join(more)} more"] * bool(more)
        return Verified(resource, log.id, "differs", [f"{where}: {'; '.join(words)}"], fields=len(has))
    starts = [row["start"] for row in result.rows() if row.get("start") is not None] if "start" in flows.columns else []
    first = min(starts, default=None)
    at = datetime.datetime.fromtimestamp(first, datetime.timezone.utc).strftime("%H:%M") if first is not None else "?"
    return Verified(
        resource, log.id, "delivering", [f"first record {at}, {count(len(has), 'field')} as asked"], first, len(has)
    )


def _not_yet(step: Step, log: FlowLog, aws: Aws, account: str) -> Verified:
    causes = _causes(step, log, aws, account)
    why = causes or ["records come up to 15 minutes after their traffic; without traffic none come"]
    return Verified(step.spec.resource.id, log.id, "not_yet", why)


def _causes(step: Step, log: FlowLog, aws: Aws, account: str) -> list[str]:
    """Returns what keeps records from coming, as far as it can be seen."""
    out: list[str] = []
    spec = log.spec
    with suppress(Exception):  # who may not look gets no cause
        if spec.destination.type == S3:
            region = log.region or aws.region()
            wanted = policies.bucket_statements(spec, log.account or account, region, partition_of(region))
            if policies.merge(aws.bucket_policy(spec.destination.name), wanted).added:
                named = spec.destination.name
                out.append(f"the policy of bucket {named} lacks statements: see vpcflow enable emit --as policies")
        if spec.destination.type == CLOUDWATCH and spec.role and not aws.has_role(spec.role.rsplit("/", 1)[-1]):
            out.append(f"role {spec.role} is not there")
        if not _has_interfaces(step, aws):
            out.append(f"{spec.resource.id} has no network interface")
    return out


def _has_interfaces(step: Step, aws: Aws) -> bool:
    names = {"VPC": "vpc-id", "Subnet": "subnet-id"}
    if step.spec.resource.type not in names:
        return True
    wanted = [{"Name": names[step.spec.resource.type], "Values": [step.spec.resource.id]}]
    answer = aws.client("ec2", step.region).describe_network_interfaces(Filters=wanted)
    return bool(answer.get("NetworkInterfaces"))
