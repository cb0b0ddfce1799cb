"""What is recorded, and what is not: each resource with the flow logs that cover it, and a verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from .._keyed import Keyed
from .._words import count
from ..errors import PlanError
from .destinations import CLOUDWATCH, destination_of
from .inventory import FlowLog, Inventory, Known
from .plan import Plan
from .planning import RETENTION_DAYS, plan
from .resources import RESOURCE_TYPES, Resource
from .spec import shortfalls
from .wanted import analyses_of

#: Verdicts, worst first, with their meaning.
VERDICTS = {
    "none": "no flow log records it",
    "failed": "a flow log delivers nothing, or not all",
    "destination_gone": "the log group or stream that a flow log delivers to is not there",
    "only_accept": "traffic that is rejected is not recorded",
    "only_reject": "traffic that is accepted is not recorded",
    "bytes_twice": "two flow logs record the same traffic into the same place",
    "format_lacks": "the format lacks fields that the analyses of --for need",
    "interval_600": "records span up to 600 seconds",
    "no_retention": "the log group keeps for ever",
    "resource_gone": "a flow log is of a resource that is not there",
    "cannot_tell": "an account or a region could not be read",
    "cannot_be_logged": "AWS makes no flow logs of it",
    "ok": "it is recorded as it should be",
}
FINE = ("ok", "cannot_be_logged")
_ORDER = {verdict: place for place, verdict in enumerate(VERDICTS)}
_UNRECORDED = ("none", "failed", "destination_gone", "only_accept", "only_reject")
_MENDED_BY_PLAN = ("none", "destination_gone", "only_accept", "only_reject", "format_lacks", "interval_600")


@dataclasses.dataclass(frozen=True)
class AuditRow(Keyed):
    """The verdict on one resource."""

    resource: str
    #: As ``"VPC"``.
    type: str
    #: Its tag Name.
    name: str
    account_id: str
    region: str
    #: The worst of ``verdicts``.
    verdict: str
    #: One for each sentence of ``why``.
    verdicts: list[str]
    #: The flow logs that cover it: its own, those of its subnet, VPC, gateway.
    flow_logs: list[str]
    #: A sentence for each verdict.
    why: list[str]
    #: Of interfaces, in one spelling.
    interface_type: str
    #: Ids of what it is in, whose flow logs cover it, too: subnet and VPC, transit gateway, core network.
    within: list[str]

    @property
    def amiss(self) -> bool:
        """Whether something is to be mended."""
        return self.verdict not in FINE


def audit(inventory: Inventory, for_: Iterable[str] = (), *, interval: int = 60) -> list[AuditRow]:
    """Judges each resource of an inventory by the union of the flow logs that cover it; worst first.

    ``for_`` names analyses whose fields the format must have; ``interval`` is the longest that is accepted, in seconds.
    Raises :class:`~vpcflow.PlanError` for a name that is no analysis, and for an inventory without flow logs: that
    nothing is recorded cannot be told without.
    """
    if "FlowLogs" not in inventory.kinds:
        raise PlanError("audit: it is not known which flow logs are there; describe-flow-logs.json is needed")
    analyses = analyses_of(for_)
    rows = [_row(known, _judge(inventory, known, analyses, interval), inventory) for known in _judged(inventory)]
    rows += [row for log in inventory.flow_logs.values() for row in _gone(log, inventory)]
    rows = _containers(rows, inventory)
    types = {name: place for place, name in enumerate(RESOURCE_TYPES)}
    return sorted(
        rows, key=lambda row: (_ORDER[row.verdict], row.account_id, row.region, types.get(row.type, 99), row.resource)
    )


def _judged(inventory: Inventory) -> list[Known]:
    """Returns the resources to judge: those of the inventory, and of flow logs where it does not list the type."""
    out = dict(inventory.resources)
    for log in inventory.flow_logs.values():
        resource = log.spec.resource
        if resource.id not in out and not inventory.lists(resource.type):
            out[resource.id] = Known(resource, account=log.account, region=log.region)
    return list(out.values())


Verdicts = list[tuple[str, str]]


def _row(known: Known, found: Verdicts, inventory: Inventory) -> AuditRow:
    found = sorted(found, key=lambda one: _ORDER[one[0]]) or [("ok", VERDICTS["ok"])]
    return AuditRow(
        resource=known.resource.id,
        type=known.resource.type,
        name=known.name,
        account_id=known.account,
        region=known.region,
        verdict=found[0][0],
        verdicts=[word for word, _ in found],
        flow_logs=sorted(log.id for log in inventory.covering(known.resource.id)),
        why=[why for _, why in found],
        interface_type=known.interface_type,
        within=list(known.above),
    )


def _judge(inventory: Inventory, known: Known, analyses: Sequence[str], interval: int) -> Verdicts:
    if known.unloggable:
        return [("cannot_be_logged", known.unloggable)]
    logs = [log for log in inventory.covering(known.resource.id) if log.active]
    found: Verdicts = []
    working = []
    for log in logs:
        at = f"{log.id} of {log.spec.resource.id}"
        gone = inventory.is_gone(log.spec.destination)
        if log.failed:
            found.append(("failed", f"{at}: delivery fails: {log.error or 'AWS does not say why'}"))
        if gone:
            found.append(("destination_gone", f"{at}: {log.spec.destination.url} is not there"))
        if not log.failed and not gone:
            working.append(log)
    if not logs:
        return [("none", f"no flow log covers {known.resource.id}")]
    if working:
        found += _traffic(working)
        found += _format(working, analyses)
        found += _interval(working, interval)
        found += _twice(working)
    found += _retention(logs, inventory)
    return found


def _traffic(logs: Sequence[FlowLog]) -> Verdicts:
    kinds = {log.spec.traffic or "ALL" for log in logs}
    if "ALL" in kinds or {"ACCEPT", "REJECT"} <= kinds:
        return []
    (kind,) = kinds
    named = ", ".join(log.id for log in logs)
    missing = "rejected" if kind == "ACCEPT" else "accepted"
    return [(f"only_{kind.lower()}", f"{named}: traffic that is {missing} is not recorded")]


def _combinations(logs: Sequence[FlowLog]) -> list[tuple[FlowLog, ...]]:
    """Returns the flow logs that together record as much traffic as all of them, one or two at a time."""
    whole = [(log,) for log in logs if (log.spec.traffic or "ALL") == "ALL"]
    accept = [log for log in logs if log.spec.traffic == "ACCEPT"]
    reject = [log for log in logs if log.spec.traffic == "REJECT"]
    pairs = [(one, two) for one in accept for two in reject]
    return [*whole, *pairs] or [(log,) for log in logs]


def _format(logs: Sequence[FlowLog], analyses: Sequence[str]) -> Verdicts:
    best: tuple[int, str] | None = None
    for combination in _combinations(logs):
        common = set.intersection(*(set(log.spec.fields) for log in combination))
        fields = [name for name in combination[0].spec.fields if name in common]
        lost = shortfalls(fields, analyses, combination[0].spec.resource.kind.family)
        named = "+".join(log.id for log in combination)
        if best is None or len(lost) < best[0]:
            best = (len(lost), f"{named}: {_lost_words(lost)}")
    return [("format_lacks", best[1])] if best and best[0] else []


def _lost_words(lost: Sequence[tuple[str, str, list[str]]]) -> str:
    add = list(dict.fromkeys(name for _, _, names in lost for name in names))
    by_verdict: dict[str, list[str]] = {}
    for name, verdict, _ in lost:
        by_verdict.setdefault(verdict, []).append(name)
    effects = [f"{', '.join(names)} {verdict}" for verdict, names in by_verdict.items()]
    return f"lacks {', '.join(add)}: {'; '.join(effects)}"


def _interval(logs: Sequence[FlowLog], interval: int) -> Verdicts:
    longest = min(max(log.spec.interval for log in combination) for combination in _combinations(logs))
    if longest <= interval:
        return []
    named = ", ".join(log.id for log in logs if log.spec.interval > interval)
    return [("interval_600", f"{named}: records span up to {longest} seconds (interfaces of Nitro instances: 60)")]


def _twice(logs: Sequence[FlowLog]) -> Verdicts:
    found = []
    for place, one in enumerate(logs):
        for two in logs[place + 1 :]:
            same = {one.spec.traffic, two.spec.traffic} != {"ACCEPT", "REJECT"}
            if same and one.spec.destination.is_at(two.spec.destination):
                at = " and ".join(f"{log.id} of {log.spec.resource.id}" for log in (one, two))
                found.append(("bytes_twice", f"every byte is delivered twice to {one.spec.destination.url}: by {at}"))
    return found


def _retention(logs: Sequence[FlowLog], inventory: Inventory) -> Verdicts:
    groups = {log.spec.destination.name: log.id for log in logs if log.spec.destination.type == CLOUDWATCH}
    kept = [(group, named) for group, named in groups.items() if inventory.log_groups.get(group) == 0]
    return [("no_retention", f"{named}: log group {group} keeps for ever") for group, named in kept]


def _gone(log: FlowLog, inventory: Inventory) -> list[AuditRow]:
    resource = log.spec.resource
    if resource.id in inventory.resources or not inventory.lists(resource.type):
        return []
    known = Known(resource, account=log.account, region=log.region)
    return [_row(known, [("resource_gone", f"{log.id}: there is no {resource.type} {resource.id}")], inventory)]


def _containers(rows: Sequence[AuditRow], inventory: Inventory) -> list[AuditRow]:
    """Judges what has no flow log itself by what is in it: a VPC whose interfaces all have one is recorded."""
    inside: dict[str, list[AuditRow]] = {}
    by_id = {row.resource: row for row in rows}
    for row in rows:
        known = inventory.resources.get(row.resource)
        for upper in known.above if known else ():
            inside.setdefault(upper, []).append(row)
    out = []
    for row in rows:
        content = [one for one in inside.get(row.resource, ()) if not _is_container(one, inside)]
        if row.verdict == "none" and content and row.resource in by_id:
            bare = [one for one in content if one.verdict == "none"]
            what = count(len(content), "interface" if row.type in ("VPC", "Subnet") else "attachment")
            if bare:
                why = f"no flow log covers {row.resource}, nor {len(bare):,} of its {what}"
                row = dataclasses.replace(row, why=[why])
            else:
                why = f"its {what} have flow logs of their own; what is added later has none"
                row = dataclasses.replace(row, verdict="ok", verdicts=["ok"], why=[why])
        out.append(row)
    return out


def _is_container(row: AuditRow, inside: dict[str, list[AuditRow]]) -> bool:
    return bool(inside.get(row.resource))


def mending_plan(
    inventory: Inventory,
    rows: Sequence[AuditRow],
    *,
    to: str = "",
    for_: Iterable[str] = (),
    interval: int = 60,
    replace: Iterable[str] = (),
    retention_days: int = RETENTION_DAYS,
    **options: str,
) -> Plan:
    """Plans what mends the rows: flow logs where traffic, fields or minutes lack, at the largest resource that is
    amiss. What no plan does, as deleting one of two, is a note.

    Without ``to`` the destination is that of the flow logs that are there. Raises :class:`~vpcflow.PlanError` if they
    have several, or none, and if nothing is amiss.
    """
    amiss = [row for row in rows if row.amiss]
    if not amiss:
        raise PlanError("audit --plan: nothing is amiss; there is nothing to plan")
    wanted = _largest([row for row in amiss if set(row.verdicts) & set(_MENDED_BY_PLAN)], inventory)
    notes = [why for row in amiss for word, why in zip(row.verdicts, row.why) if word not in _MENDED_BY_PLAN]
    groups = sorted(
        {
            log.spec.destination.name
            for row in amiss
            if "no_retention" in row.verdicts
            for log in inventory.covering(row.resource)
            if log.spec.destination.type == CLOUDWATCH and inventory.log_groups.get(log.spec.destination.name) == 0
        }
    )
    retained = tuple({"name": name, "create": False, "retention_days": retention_days} for name in groups)
    if not wanted:
        return Plan("mend", (), notes=tuple(dict.fromkeys(notes)), log_groups=retained)
    made = plan(
        [f"{resource.type}:{resource.id}" for resource in wanted],
        to=to or _only_destination(inventory),
        for_=list(for_),
        interval=interval,
        inventory=inventory,
        replace=replace,
        retention_days=retention_days,
        **options,  # type: ignore[arg-type]
    )
    merged = (*(group for group in made.log_groups if group["name"] not in groups), *retained)
    return dataclasses.replace(made, notes=tuple(dict.fromkeys([*made.notes, *notes])), log_groups=merged)


def _largest(rows: Sequence[AuditRow], inventory: Inventory) -> list[Resource]:
    """Returns the resources that have no other one of them above."""
    there = {row.resource for row in rows}
    out = []
    for row in rows:
        known = inventory.resources.get(row.resource)
        if known is not None and not there & set(known.above):
            out.append(known.resource)
    return out


def _only_destination(inventory: Inventory) -> str:
    places = sorted({log.spec.destination.url for log in inventory.flow_logs.values() if log.active})
    if len(places) != 1:
        there = f"flow logs go to {', '.join(places)}" if places else "no flow log is there"
        raise PlanError(f"audit --plan: {there}; give --to, such as s3://bucket/folder")
    destination_of(places[0])
    return places[0]
