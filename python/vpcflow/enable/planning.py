"""Makes plans: compares what should be with what is there. Nothing is called."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from .._hints import hint
from .._words import count
from ..errors import ArgumentError, PlanError
from . import policies
from .costs import record_cost
from .destinations import CLOUDWATCH, FIREHOSE, S3, Destination, destination_of, doubts, partition_of
from .inventory import FlowLog, Inventory, Known
from .plan import Plan, Step
from .resources import Resource, resource_of
from .spec import SPEC_TAG, FlowLogSpec, differences
from .wanted import analyses_of, tag_keys_of, unreachable, wanted_fields

QUOTA = 2  # flow logs of a VPC, subnet or interface; AWS does not raise it
RETENTION_DAYS = 90
_LIMITED = ("VPC", "Subnet", "NetworkInterface")


def plan(
    resources: Iterable[str] | str,
    *,
    to: str,
    for_: Iterable[str] | str = (),
    inventory: Inventory | None = None,
    format: str = "",
    interval: int = 60,
    traffic: str = "ALL",
    parquet: bool = False,
    hive: bool = False,
    hourly: bool = False,
    tag_keys: Iterable[str] = (),
    role: str = "",
    destination_role: str = "",
    kms_key: str = "",
    retention_days: int = RETENTION_DAYS,
    replace: Iterable[str] = (),
    account: str = "",
    region: str = "",
    id: str = "",
) -> Plan:  # options of one plan, all named
    """Plans the flow logs of resources, and calls nothing.

    ``resources`` are ids, ARNs or ``TYPE:ID``; ``to`` is a destination (``s3://bucket/folder``, ``cloudwatch://group``,
    ``firehose://stream``, or an ARN); ``for_`` names analyses of :func:`vpcflow.capabilities`, ``detect`` or ``all``,
    whose fields the format gets, unless ``format`` says it. ``interval`` is in seconds, 60 or 600. ``replace`` names
    flow logs of others that the plan may delete once the new ones deliver. What is there comes from ``inventory``.

    Raises :class:`~vpcflow.PlanError` for what cannot be: a name that means nothing, a resource that the inventory
    does not have. What AWS limits is a step ``blocked``, with its reason.

    >>> made = plan(["vpc-0a1"], to="s3://flow-logs", for_=["port_scan"], account="123456789012", region="eu-west-1")
    >>> made.steps[0].action, made.calls()[0].arguments["LogDestination"]
    ('create', 'arn:aws:s3:::flow-logs')
    """
    there = inventory or Inventory()
    if interval not in (60, 600):
        raise PlanError(f"interval={interval}: 60 and 600 seconds are allowed")
    if traffic not in ("ALL", "ACCEPT", "REJECT"):
        raise PlanError(f"traffic={traffic!r}: ALL, ACCEPT and REJECT are allowed")
    analyses = analyses_of(_names(for_, "for_")) or ([] if format else ["visibility"])
    keys = tag_keys_of(tag_keys)
    wanted = [resource_of(text) for text in _names(resources, "resources")]
    if not wanted:
        raise PlanError("plan: no resource; name at least one, such as vpc-0123456789abcdef0")
    _check_known(wanted, there)
    target = destination_of(to)
    options = {"interval": interval, "traffic": traffic, "parquet": parquet, "hive": hive, "hourly": hourly}
    base = FlowLogSpec(wanted[0], target, (), role=role, destination_role=destination_role, tag_keys=keys, **options)  # type: ignore[arg-type]
    maker = _Maker(there, base, analyses, format, account or there.account, region or there.region, tuple(replace))
    steps = maker.steps(list(dict.fromkeys(wanted)))
    notes = [*doubts(target), *maker.notes, *_notes_of(steps, there)]
    made = [step.spec for step in steps]
    return Plan(
        id=id or secrets.token_hex(8),
        steps=tuple(steps),
        analyses=tuple(analyses),
        policies=_policies(steps, there, maker, kms_key, notes),
        log_groups=_log_groups(target, there, retention_days),
        impossible=tuple(_impossible(made, analyses)),
        cost=record_cost(next(iter(made)), maker.region),
        notes=tuple(dict.fromkeys([*notes, *there.notes])),
    )


def _names(given: Iterable[str] | str, what: str) -> list[str]:
    if isinstance(given, str):
        given = given.split(",")
    names = list(given)
    if not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"{what}={names!r}: names are needed")
    return [name for name in names if name.strip()]


def _check_known(wanted: Sequence[Resource], inventory: Inventory) -> None:
    for resource in wanted:
        if inventory.lists(resource.type) and resource.id not in inventory.resources:
            known = [one for one, item in inventory.resources.items() if item.resource.type == resource.type]
            advice = hint(resource.id, known) if known else "there are none"
            raise PlanError(f"no {resource.type} {resource.id} in the inventory; {advice}")


@dataclasses.dataclass
class _Maker:
    """Makes the steps of one plan."""

    inventory: Inventory
    base: FlowLogSpec
    analyses: Sequence[str]
    format: str
    account: str
    region: str
    replace: tuple[str, ...]
    notes: list[str] = dataclasses.field(default_factory=list)
    #: Whether the plan makes the role itself.
    makes_role: bool = False

    def steps(self, resources: Sequence[Resource]) -> list[Step]:
        unknown = [one for one in self.replace if one not in self.inventory.flow_logs]
        if unknown and "FlowLogs" in self.inventory.kinds:
            raise PlanError(
                f"no flow log {unknown[0]} in the inventory; {hint(unknown[0], list(self.inventory.flow_logs))}"
            )
        together = {resource.id for resource in resources}
        return [self._step(resource, together) for resource in resources]

    def _step(self, resource: Resource, together: set[str]) -> Step:
        known = self.inventory.resources.get(resource.id, Known(resource))
        account, region = known.account or self.account, known.region or self.region
        spec = self._spec(resource, account, region)
        own = [log for log in self.inventory.of(resource.id) if log.active]
        action, why, ids = self._compared(spec, own)
        if action == "create":
            action, why, ids = self._beside_those_above(spec, known, together, why)
        reason = self._hindrance(spec, known, own, account, action)
        if reason:
            action, why = "blocked", [reason, *why]
        return Step(action, spec, tuple(why), ids, account, region, known.name)

    def _beside_those_above(
        self, spec: FlowLogSpec, known: Known, together: set[str], why: list[str]
    ) -> tuple[str, list[str], tuple[str, ...]]:
        """Returns what to do for a resource without flow log where one of what it is in may record it."""
        twice = f"every byte would be delivered twice to {spec.destination.url}"
        above = [log for upper in known.above for log in self.inventory.of(upper) if log.active]
        for log in above:
            if _covers(log, spec):
                told = f"{log.id} of {log.spec.resource.id} records it there already, with all that is asked"
                return "keep", [told], (log.id,)
        why = why + [
            f"{twice}: {log.id} of {log.spec.resource.id} records it, too"
            for log in above
            if _same_place(log, spec) and _overlap(log.spec.traffic, spec.traffic)
        ]
        planned = [upper for upper in known.above if upper in together]
        return "create", why + [f"{twice}: {upper} is in this plan, too; leave one out" for upper in planned], ()

    @staticmethod
    def _hindrance(spec: FlowLogSpec, known: Known, own: Sequence[FlowLog], account: str, action: str) -> str:
        """Returns why AWS would refuse a flow log; nothing if it would not."""
        if known.unloggable:
            return known.unloggable
        elsewhere = bool(account) and spec.destination.account not in ("", account)
        if spec.destination.type == FIREHOSE and elsewhere and not spec.destination_role:
            return f"the stream is of account {spec.destination.account}: --role and --destination-role are needed"
        if action in ("create", "replace") and spec.resource.type in _LIMITED and len(own) >= QUOTA:
            there = ", ".join(log.id for log in own)
            return f"{spec.resource.id} has {len(own)} flow logs ({there}), and AWS allows {QUOTA}: delete one first"
        return ""

    def _spec(self, resource: Resource, account: str, region: str) -> FlowLogSpec:
        family = resource.kind.family
        tag_keys = self.base.tag_keys if family == "vpc" else ()
        fields = wanted_fields(self.analyses, family, self.format if family == "vpc" else "", tag_keys)
        destination = self.base.destination.within(account, region)
        role = self.base.role
        if destination.type == CLOUDWATCH and not role:
            if account:
                role = f"arn:{partition_of(region)}:iam::{account}:role/{policies.ROLE_NAME}"
                self.makes_role = True
            else:
                self.notes.append("the account is not known, so no role is named: give --account or --role")
        spec = dataclasses.replace(
            self.base, resource=resource, destination=destination, fields=fields, role=role, tag_keys=tag_keys
        )
        return spec.canonical()

    def _compared(self, spec: FlowLogSpec, own: Sequence[FlowLog]) -> tuple[str, list[str], tuple[str, ...]]:
        """Returns what to do beside the flow logs of the resource itself, why, and which of them it is about."""
        differing = {log.id: differences(log.spec, spec, self.analyses) for log in own}
        for log in own:
            if not differing[log.id]:
                return self._same(log, spec)
        replaced = [log for log in own if log.id in self.replace or (log.managed and _same_place(log, spec))]
        if replaced:
            why = [f"{log.id}: {one}" for log in replaced for one in differing[log.id]]
            why.append("AWS changes no flow log: a new one is created, verified, and then the old one deleted")
            return "replace", why, tuple(log.id for log in replaced)
        why = [
            f"every byte would be delivered twice to {spec.destination.url}: {log.id} writes there, too "
            f"({'; '.join(map(str, differing[log.id]))}), and vpcflow did not make it; "
            f"give --replace {log.id} to have it deleted"
            for log in own
            if _same_place(log, spec) and _overlap(log.spec.traffic, spec.traffic)
        ]
        return "create", why, ()

    def _same(self, log: FlowLog, spec: FlowLogSpec) -> tuple[str, list[str], tuple[str, ...]]:
        failing = [f"{log.id}: delivery fails: {log.error or 'AWS does not say why'}"] if log.failed else []
        if not log.managed:
            return "keep", [f"{log.id} is as asked; vpcflow did not make it", *failing], (log.id,)
        wanted = spec.tags()
        if any(log.tags.get(key) != value for key, value in wanted.items()):
            return "tag", [f"{log.id} is as asked, its tag {SPEC_TAG} is not", *failing], (log.id,)
        return "keep", [f"{log.id} is as asked", *failing], (log.id,)


def _same_place(log: FlowLog, spec: FlowLogSpec) -> bool:
    return log.spec.destination.is_at(spec.destination)


def _overlap(one: str, two: str) -> bool:
    """Tells whether two flow logs record some traffic both."""
    return one == two or "ALL" in (one, two) or not one or not two


def _covers(log: FlowLog, spec: FlowLogSpec) -> bool:
    """Tells whether a flow log of what a resource is in records all that is asked for the resource, at that place."""
    has = log.spec
    return (
        not log.failed
        and has.destination.is_at(spec.destination)
        and has.traffic in ("ALL", spec.traffic, "")
        and has.interval <= spec.interval
        and set(spec.fields) <= set(has.fields)
        and (has.parquet, has.hive, has.hourly) == (spec.parquet, spec.hive, spec.hourly)
    )


def _notes_of(steps: Sequence[Step], inventory: Inventory) -> list[str]:
    notes = []
    if "FlowLogs" not in inventory.kinds:
        notes.append("it is not known which flow logs are there: no answer of describe-flow-logs was read")
    unknown = [step.spec.resource.id for step in steps if step.spec.resource.id not in inventory.resources]
    if unknown and inventory.kinds:
        notes.append(f"not in the inventory, and taken as written: {', '.join(unknown)}")
    parquet = next((step for step in steps if step.spec.parquet), None)
    if parquet:
        notes.append(
            "Parquet below 100 kB an object may be larger than text, and its conversion is charged: "
            "small VPCs take text"
        )
    target = steps[0].spec.destination
    if target.type == FIREHOSE:
        notes.append(f"the stream {target.name} must have the tag LogDeliveryEnabled=true")
    if target.type == CLOUDWATCH and len({step.spec.fields for step in steps}) > 1:
        notes.append(
            f"records of two formats in log group {target.name}: readers cannot tell them apart; take two groups"
        )
    return notes


def _log_groups(target: Destination, inventory: Inventory, retention_days: int) -> tuple[dict[str, Any], ...]:
    if target.type != CLOUDWATCH:
        return ()
    known = "LogGroups" in inventory.kinds
    create = target.name not in inventory.log_groups if known else None
    return ({"name": target.name, "create": create, "retention_days": None if create is False else retention_days},)


def _impossible(specs: Sequence[FlowLogSpec], analyses: Sequence[str]) -> list[dict[str, Any]]:
    formats = {spec.fields: spec.resource.kind.family for spec in specs}
    return [{"family": family, **one} for fields, family in formats.items() for one in unreachable(fields, analyses)]


def _policies(
    steps: Sequence[Step], inventory: Inventory, maker: _Maker, kms_key: str, notes: list[str]
) -> dict[str, Any]:
    target = maker.base.destination
    made = [step for step in steps if step.action in ("create", "replace", "keep", "tag")]
    partition = partition_of(maker.region or target.region)
    out: dict[str, Any] = {}
    if target.type == S3:
        named = list(dict.fromkeys((step.account, step.region, step.spec.hive) for step in made if step.account))
        if made and not named:
            notes.append("the account is not known, so the policy of the bucket is left out: give --account")
        elif any(not step.region for step in made):
            notes.append("the region is not known: policies name any region; give --region")
        if named:
            spec = made[0].spec
            statements = [
                one
                for account, region, hive in named
                for one in policies.bucket_statements(dataclasses.replace(spec, hive=hive), account, region, partition)
            ]
            out["buckets"] = [_bucket(target.name, statements, inventory, notes)]
        if kms_key and named:
            statements = [policies.key_statement(account, region, partition) for account, region, _ in named]
            out["key"] = {"key": kms_key, "statements": statements}
            notes.append("the policy of the key is shown, not applied: add its statement yourself")
    if target.type == CLOUDWATCH and maker.makes_role and made:
        step = made[0]
        out["role"] = {
            "name": policies.ROLE_NAME,
            "arn": step.spec.role,
            "create": policies.ROLE_NAME not in inventory.names.get("roles", ()),
            "trust": policies.trust_policy(step.account, step.region, partition),
            "policy": policies.role_policy(step.spec.destination, partition),
        }
    roles = sorted({role for step in made for role in (step.spec.role,) if role})
    out["caller"] = policies.caller_policy([step.spec.destination for step in made], roles, partition)
    return out


def _bucket(name: str, statements: list[dict[str, Any]], inventory: Inventory, notes: list[str]) -> dict[str, Any]:
    of = name if name in inventory.bucket_policies else ""  # one that tells no bucket is that of the only one
    known = of in inventory.bucket_policies
    merged = policies.merge(inventory.bucket_policies.get(of, ""), statements, f"policy of bucket {name}")
    notes.extend(merged.warnings)
    if not known:
        notes.append(
            f"the policy of bucket {name} is not known: apply reads it, and adds {count(len(statements), 'statement')}"
        )
    return {
        "bucket": name,
        "known": known,
        "statements": statements,
        "policy": merged.text,
        "difference": merged.difference,
    }
