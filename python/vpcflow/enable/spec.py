"""One flow log as it should be, and how it differs from one that is there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _core
from ..errors import FormatError, PlanError
from ..formats.capabilities import capabilities
from .destinations import CLOUDWATCH, FIREHOSE, S3, Destination, destination_of, partition_of
from .resources import Resource, resource_from

TAG_FIELDS = {"instance": "instance-tag", "network-interface": "interface-tag", "auto-scaling-group": "asg-tag"}
MANAGED_BY, SPEC_TAG = ("managed-by", "vpcflow"), "vpcflow-spec"
DEFAULT_INTERVAL = 600


def _fields_of(format_text: str) -> tuple[str, ...]:
    return tuple(name for name, _ in _core.parse_format(format_text))


@dataclasses.dataclass(frozen=True)
class FlowLogSpec:
    """A flow log: what is recorded, how, and where it goes.

    A spec is canonical: two are equal if AWS would make the same flow log of them. So ``fields`` are spelt out, even
    where AWS's default is meant; destinations are places, not texts; what a type of resource or destination does not
    have is empty.
    """

    resource: Resource
    destination: Destination
    #: Names of fields in their order; empty for Cloud WAN's default, whose fields the catalogue does not have.
    fields: tuple[str, ...]
    #: ``"ALL"``, ``"ACCEPT"``, ``"REJECT"``; empty where AWS takes none.
    traffic: str = "ALL"
    #: Seconds, 60 or 600; 0 where an answer of AWS does not tell.
    interval: int = DEFAULT_INTERVAL
    #: Of S3 alone.
    parquet: bool = False
    hive: bool = False
    hourly: bool = False
    #: The role that delivers to CloudWatch Logs, or to a stream of another account; that account's role.
    role: str = ""
    destination_role: str = ""
    #: Types of resources whose tags are recorded, with one or two keys each.
    tag_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def canonical(self) -> FlowLogSpec:
        """Returns the spec without what its resource or destination does not have."""
        kind = self.resource.kind
        to_s3 = self.destination.type == S3
        return dataclasses.replace(
            self,
            traffic=(self.traffic or "ALL") if kind.family == "vpc" else "",
            interval=60 if kind.family != "vpc" else self.interval,
            fields=self.fields or default_fields(kind.family),
            parquet=self.parquet and to_s3,
            hive=self.hive and to_s3,
            hourly=self.hourly and to_s3,
            role="" if to_s3 else self.role,
            destination_role=self.destination_role if self.destination.type == FIREHOSE else "",
            tag_keys=tuple(sorted(self.tag_keys)),
        )

    @property
    def format(self) -> str:
        """The format as AWS takes it; empty for a default that is not known."""
        return " ".join(f"${{{name}}}" for name in self.fields)

    @property
    def hash(self) -> str:
        """A short name of all but the resource, by which batches are made and flow logs are tagged."""
        content = {**self.as_dict(), "resource": self.resource.type}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Returns the spec as plain values."""
        out = dataclasses.asdict(self)
        return {**out, "fields": list(self.fields), "tag_keys": {kind: list(keys) for kind, keys in self.tag_keys}}

    def request(self, ids: Sequence[str], region: str = "") -> dict[str, Any]:
        """Returns the arguments of CreateFlowLogs for resources that share this spec, without ClientToken."""
        out: dict[str, Any] = {"ResourceType": self.resource.type, "ResourceIds": list(ids)}
        if self.traffic:
            out["TrafficType"] = self.traffic
        out["LogDestinationType"] = self.destination.type
        if self.destination.type == CLOUDWATCH and not (self.destination.region and self.destination.account):
            out["LogGroupName"] = self.destination.name
        else:
            out["LogDestination"] = self.destination.arn(partition_of(self.destination.region or region))
        if self.role:
            out["DeliverLogsPermissionArn"] = self.role
        if self.destination_role:
            out["DeliverCrossAccountRole"] = self.destination_role
        if self.fields:
            out["LogFormat"] = self.format
        out["MaxAggregationInterval"] = self.interval
        if self.destination.type == S3:
            out["DestinationOptions"] = {
                "FileFormat": "parquet" if self.parquet else "plain-text",
                "HiveCompatiblePartitions": self.hive,
                "PerHourPartition": self.hourly,
            }
        if self.tag_keys:
            out["TagFieldSpecifications"] = [
                {"ResourceType": kind, "TagKeys": list(keys)} for kind, keys in self.tag_keys
            ]
        tags = [{"Key": key, "Value": value} for key, value in self.tags().items()]
        out["TagSpecifications"] = [{"ResourceType": "vpc-flow-log", "Tags": tags}]
        return out

    def tags(self) -> dict[str, str]:
        """Returns the tags by which flow logs that were made of a plan are known."""
        return dict([MANAGED_BY, (SPEC_TAG, self.hash)])


def default_fields(family: str) -> tuple[str, ...]:
    """Returns the fields of AWS's default format for resources of a family.

    >>> len(default_fields("vpc")), len(default_fields("tgw")), default_fields("wan")
    (14, 36, ())
    """
    return {"vpc": _fields_of("default"), "tgw": _fields_of("tgw")}.get(family, ())


def fields_of(text: str, family: str = "vpc") -> tuple[str, ...]:
    """Reads a format: AWS's ``${a} ${b}``, Terraform's ``$${a}``, names with blanks or commas, ``default``, ``v5``.
    An empty one, or ``default``, is that of AWS for the family. Names that the catalogue does not have stay.

    >>> fields_of("$${srcaddr}  $${tcp-flags} ")
    ('srcaddr', 'tcp-flags')
    """
    if text.strip() in ("", "default"):
        return default_fields(family)
    try:
        return _fields_of(text)
    except FormatError:
        names = tuple(re.findall(r"\$\{([a-z0-9-]+)\}", text))
        if not names:
            raise
        return names


@dataclasses.dataclass(frozen=True)
class Difference:
    """What differs between a flow log that is there and one that should be."""

    what: str
    have: str
    want: str
    #: The difference in words; of formats what the analyses lose.
    why: str

    def __str__(self) -> str:
        return self.why


def differences(have: FlowLogSpec, want: FlowLogSpec, analyses: Iterable[str] = ()) -> list[Difference]:
    """Compares two specs of one resource, both canonical, and returns what differs. What is not known of either one
    (an account, a role that Describe does not give) is no difference."""
    out = []

    def add(what: str, one: object, two: object, why: str = "") -> None:
        out.append(Difference(what, str(one), str(two), why or f"{what} is {one}, should be {two}"))

    if have.traffic != want.traffic:
        add("traffic", have.traffic, want.traffic)
    if not have.destination.is_at(want.destination):
        add("destination", have.destination.url, want.destination.url)
    if have.fields != want.fields:
        add("format", have.format, want.format, _format_words(have.fields, want.fields, analyses))
    if have.interval != want.interval and have.interval and want.interval:
        add("interval", have.interval, want.interval)
    if have.destination.type == want.destination.type == S3:
        for what in ("parquet", "hive", "hourly"):
            if getattr(have, what) != getattr(want, what):
                add(what, _yes(getattr(have, what)), _yes(getattr(want, what)))
    for what in ("role", "destination_role"):
        if getattr(have, what) and getattr(want, what) and getattr(have, what) != getattr(want, what):
            add(what, getattr(have, what), getattr(want, what))
    if have.tag_keys != want.tag_keys:
        add("tag_keys", dict(have.tag_keys), dict(want.tag_keys))
    return out


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _format_words(have: Sequence[str], want: Sequence[str], analyses: Iterable[str]) -> str:
    missing = [name for name in want if name not in have]
    if not missing:
        extra = [name for name in have if name not in want]
        return (
            f"format has {', '.join(extra)} more than is asked" if extra else "format has the fields in another order"
        )
    lost = [f"{analysis} {verdict}" for analysis, verdict, _ in shortfalls(have, analyses)]
    return f"format lacks {', '.join(missing)}" + (f": {', '.join(lost)}" if lost else "")


def shortfalls(fields: Sequence[str], analyses: Iterable[str], family: str = "vpc") -> list[tuple[str, str, list[str]]]:
    """Returns which of the analyses named could be answered better by other fields of the family: name, verdict, fields
    that lack."""
    names = set(analyses)
    if not fields or not names or family == "wan":
        return []
    known = {field["name"]: field["delivered_in"] for field in _core.fields()}
    text = " ".join(f"${{{name}}}" for name in fields if name in known)
    out = []
    for found in capabilities(text) if text else ():
        add = [name for name in found.add if family in known[name]]
        if found.analysis in names and add:
            out.append((found.analysis, str(found.verdict), add))
    return out


def spec_from(document: Any) -> FlowLogSpec:
    """Reads what :meth:`FlowLogSpec.as_dict` wrote. Raises :class:`~vpcflow.PlanError` for anything else."""
    try:
        values = dict(document)
        values["resource"] = resource_from(values["resource"])
        values["destination"] = Destination(**values["destination"])
        values["fields"] = tuple(map(str, values["fields"]))
        values["tag_keys"] = tuple((str(kind), tuple(map(str, keys))) for kind, keys in values["tag_keys"].items())
        spec = FlowLogSpec(**values)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise PlanError(f"no spec of a flow log: {document!r}; it needs what `enable plan` writes ({error})") from None
    if spec.destination.type not in (S3, CLOUDWATCH, FIREHOSE):
        raise PlanError(
            f"no type of destination: {spec.destination.type!r}; {S3}, {CLOUDWATCH}, {FIREHOSE} are allowed"
        )
    return spec


def described_spec(flow_log: Mapping[str, Any], resource: Resource, account: str, region: str) -> FlowLogSpec:
    """Returns the canonical spec of a flow log as DescribeFlowLogs gives it, whose resource has this account and
    region. AWS echoes defaults that nobody gave, and leaves out others: both mean the same."""
    to = str(flow_log.get("LogDestination") or "")
    try:
        destination = destination_of(to)
    except PlanError:  # CloudWatch Logs by name
        group = re.sub(r":\*$", "", str(flow_log.get("LogGroupName") or to))
        destination = Destination(str(flow_log.get("LogDestinationType") or CLOUDWATCH), group)
    options = flow_log.get("DestinationOptions") or {}
    return FlowLogSpec(
        resource=resource,
        destination=destination.within(account, region),
        fields=fields_of(str(flow_log.get("LogFormat") or ""), resource.kind.family),
        traffic=str(flow_log.get("TrafficType") or "ALL").upper(),
        interval=int(flow_log.get("MaxAggregationInterval") or 0),
        parquet=options.get("FileFormat") == "parquet",
        hive=bool(options.get("HiveCompatiblePartitions")),
        hourly=bool(options.get("PerHourPartition")),
        role=str(flow_log.get("DeliverLogsPermissionArn") or ""),
        destination_role=str(flow_log.get("DeliverCrossAccountRole") or ""),
        tag_keys=tuple(
            (str(entry.get("ResourceType")), tuple(map(str, entry.get("TagKeys") or ())))
            for entry in flow_log.get("TagFieldSpecifications") or ()
        ),
    ).canonical()
