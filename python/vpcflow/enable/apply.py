"""Carries out plans: each step as far as it is not done yet, so that a plan may be applied any number of times.

An old flow log is deleted only when the new one delivers; one that neither vpcflow made nor the plan names is never
touched. Whatever is interrupted goes on by applying the same plan again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._keyed import Keyed
from .._words import count
from ..errors import PlanError
from ..inventory.documents import Document
from . import policies
from .aws import Aws, code_of, message_of
from .inventory import FlowLog, inventory_of
from .plan import Call, Plan, Step, calls_for
from .resources import Resource
from .spec import differences
from .verify import Verified, verify_flow_log

#: What became of a resource, with its meaning.
OUTCOMES = {
    "created": "a flow log was created",
    "there": "what is asked was there already",
    "replaced": "the new flow log delivers, and the old one is deleted",
    "pending": "the new flow log is there, and the old one stays until the new one delivers: apply again later",
    "tagged": "its tags were set",
    "would_create": "a dry run: AWS would allow it",
    "refused": "a dry run: AWS would not allow it",
    "failed": "AWS did not do it",
    "blocked": "the plan says why it cannot be",
    "skipped": "it is of another account",
}
DONE = ("created", "there", "replaced", "tagged", "would_create")
_ROLE_TRIES, _SEEN_TRIES = 6, 6
_ALREADY = "FlowLogAlreadyExists"


@dataclasses.dataclass(frozen=True)
class Applied(Keyed):
    """What became of one resource of a plan."""

    resource: str
    #: Of the plan, as ``"create"``.
    action: str
    #: One of :data:`OUTCOMES`.
    outcome: str
    #: The flow log that records it now; empty if none does.
    flow_log: str
    why: list[str]


Report = Callable[[str], None]


def apply(
    plan: Plan, aws: Aws, *, dry_run: bool = False, wait: float = 0, report: Report = lambda text: None
) -> list[Applied]:
    """Carries out a plan, and returns what became of each resource, in the order of its steps.

    First each batch is tried by DryRun; if AWS refuses one, nothing is changed. Then come the policy of the bucket, the
    role and the log group that the plan names, then the flow logs, then tags. With ``wait`` (seconds) replaced flow
    logs are watched until the new one delivers, and then deleted. ``dry_run`` changes nothing at all. ``report`` gets a
    sentence about each change. Raises :class:`~vpcflow.PlanError` if the plan is of another account alone.
    """
    return _Run(plan, aws, report).run(dry_run, wait)


class _Run:
    """One application of a plan."""

    def __init__(self, plan: Plan, aws: Aws, report: Report) -> None:
        self.plan, self.aws, self.report = plan, aws, report
        self.account = aws.account()
        self.results: dict[Resource, Applied] = {}
        self.made_role = False

    def run(self, dry_run: bool, wait: float) -> list[Applied]:
        own = [step for step in self.plan.steps if step.account in ("", self.account)]
        if self.plan.steps and not own:
            of = self.plan.steps[0].account
            raise PlanError(f"apply: the plan is of account {of}, the credentials of {self.account}")
        there = self._there(own)
        todo = []
        for step in self.plan.steps:
            if step.account not in ("", self.account):
                self._done(step, "skipped", f"it is of account {step.account}, the credentials of {self.account}")
            elif step.action == "blocked":
                self._done(step, "blocked", *step.why)
            elif not self._is_there(step, there.get(step.spec.resource.id, ())):
                todo.append(step)
        calls = _calls(todo)
        refused = [self.aws.may_create(call.region, call.arguments) for call in calls]
        if dry_run or any(refused):
            for call, why in zip(calls, refused):
                self._all(call.steps, "refused" if why else "would_create", *([why] if why else []))
            return self._in_order()
        self._prepare(own[0].region if own else "")
        for call in calls:
            self._create(call)
        self._finish(own, wait)
        return self._in_order()

    # -- what is there

    def _there(self, steps: Sequence[Step]) -> dict[str, list[FlowLog]]:
        """Returns the active flow logs of the steps' resources, by resource."""
        found: dict[str, list[FlowLog]] = {}
        for region in dict.fromkeys(step.region for step in steps):
            ids = list(dict.fromkeys(step.spec.resource.id for step in steps if step.region == region))
            for log in self._read(region, self.aws.flow_logs(region, ids)):
                found.setdefault(log.spec.resource.id, []).append(log)
        return found

    def _read(self, region: str, items: Iterable[Mapping[str, object]]) -> list[FlowLog]:
        document = Document("FlowLogs", tuple(items), self.account, region or self.aws.region(), "DescribeFlowLogs")
        known = [step.spec.resource for step in self.plan.steps]
        inventory = inventory_of([document], account=self.account, region=document.region, known=known)
        return [log for log in inventory.flow_logs.values() if log.active]

    def _is_there(self, step: Step, logs: Sequence[FlowLog]) -> bool:
        """Settles a step for which nothing has to be created."""
        same = [log for log in logs if not differences(log.spec, step.spec) and log.id not in self._replaced(step)]
        if same:
            self._done(step, "there", f"{same[0].id} is as asked", flow_log=same[0].id)
            return True
        if step.action in ("create", "replace"):
            return False
        if self.aws.flow_logs(step.region, ids=step.flow_logs):
            self._done(step, "there", *step.why, flow_log=step.flow_logs[0])
        else:
            self._done(step, "failed", f"{', '.join(step.flow_logs)} is not there any more: make a new plan")
        return True

    @staticmethod
    def _replaced(step: Step) -> tuple[str, ...]:
        return step.flow_logs if step.action == "replace" else ()

    # -- what flow logs need

    def _prepare(self, region: str) -> None:
        for bucket in self.plan.policies.get("buckets", ()):
            existing = self.aws.bucket_policy(bucket["bucket"])
            merged = policies.merge(existing, bucket["statements"], f"policy of bucket {bucket['bucket']}")
            if merged.added:
                self.report(f"policy of bucket {bucket['bucket']}: {count(len(merged.added), 'statement')} added")
                self.aws.put_bucket_policy(bucket["bucket"], merged.text)
        role = self.plan.policies.get("role")
        if role and role["create"] and self.aws.role_policy(role["name"]) is None:
            self.report(f"role {role['name']} made")
            self.made_role = True
            self.aws.make_role(role["name"], role["trust"], role["policy"])
        for group in self.plan.log_groups:
            self._prepare_group(group, region)

    def _prepare_group(self, group: Mapping[str, object], region: str) -> None:
        name, days = str(group["name"]), group["retention_days"]
        there = self.aws.log_group(region, name)
        if there is None and group["create"] is not False:
            self.report(f"log group {name} made")
            self.aws.make_log_group(region, name)
        if isinstance(days, int) and not (there or {}).get("retentionInDays"):
            self.report(f"log group {name}: kept for {days} days")
            self.aws.keep_log_group(region, name, days)

    # -- creating

    def _create(self, call: Call) -> None:
        region = call.region
        token = self.plan.token(call)
        try:
            answer = self._created(region, call, token)
        except Exception as error:
            if code_of(error) == _ALREADY:
                self._compare(call, message_of(error))
                return
            if not code_of(error):
                raise
            self._all(call.steps, "failed", message_of(error))
            return
        failed = {one.get("ResourceId"): one.get("Error", {}) for one in answer.get("Unsuccessful") or ()}
        self.report(f"{count(len(answer.get('FlowLogIds', ())), 'flow log')} created, {len(failed)} failed")
        by_resource = self._by_resource(region, answer.get("FlowLogIds", ()))
        for step in call.steps:
            wrong = failed.get(step.spec.resource.id)
            if wrong is None:
                log = by_resource.get(step.spec.resource.id, "")
                self._done(step, "created", *([] if log else ["AWS does not list it yet"]), flow_log=log)
            elif wrong.get("Code") == _ALREADY:
                self._compare(Call((step,), call.arguments), f"{wrong.get('Code')}: {wrong.get('Message')}")
            else:
                self._done(step, "failed", f"{wrong.get('Code')}: {wrong.get('Message')}")

    def _created(self, region: str, call: Call, token: str) -> Mapping[str, Any]:
        """Calls CreateFlowLogs; a role that was made just now is not known everywhere at once."""
        for attempt in range(_ROLE_TRIES):
            try:
                return self.aws.create(region, call.arguments, token)
            except Exception as error:
                last = attempt + 1 == _ROLE_TRIES
                if not self.made_role or last or not code_of(error).startswith("InvalidParameter"):
                    raise
                self.aws.sleep(2.0**attempt)
        raise AssertionError("unreachable")

    def _by_resource(self, region: str, ids: Iterable[str]) -> dict[str, str]:
        """Returns which of new flow logs is of which resource; a new one is not listed at once."""
        wanted = list(ids)
        found: dict[str, str] = {}
        for attempt in range(_SEEN_TRIES):
            items = self.aws.flow_logs(region, ids=wanted) if wanted else []
            found = {str(item.get("ResourceId")): str(item["FlowLogId"]) for item in items}
            if len(items) >= len(wanted):
                break
            self.aws.sleep(min(2.0**attempt, 8.0))
        return found

    def _compare(self, call: Call, message: str) -> None:
        """Settles what AWS says is there: it may be what is asked, or something else."""
        there = self._there(call.steps)
        for step in call.steps:
            created = dataclasses.replace(step, action="create", flow_logs=())
            if not self._is_there(created, there.get(step.spec.resource.id, ())):
                self._done(step, "failed", message)

    # -- replacing and tagging

    def _finish(self, steps: Sequence[Step], wait: float) -> None:
        for step in steps:
            result = self._result(step)
            if step.action == "tag" and result.outcome == "there":
                self.aws.tag(step.region, step.flow_logs, step.spec.tags())
                self._done(step, "tagged", flow_log=result.flow_log)
        replacing = [step for step in steps if step.action == "replace" and self._result(step).flow_log]
        self._replace(replacing, wait)

    def _replace(self, steps: Sequence[Step], wait: float) -> None:
        there = self._there(steps)
        waited = 0.0
        left = list(steps)
        while left:
            for step in list(left):
                new = self._result(step).flow_log
                old = [log.id for log in there.get(step.spec.resource.id, ()) if log.id in step.flow_logs]
                verified = self._verified(step, new) if old else None
                if verified is None or verified.verdict == "delivering":
                    left.remove(step)
                    self._delete_old(step, new, old, [verified.told] if verified else [])
                else:
                    self._done(step, "pending", verified.told, f"{', '.join(old)} stays", flow_log=new)
            if not left or waited >= wait:
                return
            self.report(f"waiting for the first records of {count(len(left), 'flow log')}")
            self.aws.sleep(30)
            waited += 30

    def _verified(self, step: Step, new: str) -> Verified:
        items = self.aws.flow_logs(step.region, ids=[new])
        logs = self._read(step.region, items)
        return verify_flow_log(step, logs[0] if logs else None, self.aws, self.account)

    def _delete_old(self, step: Step, new: str, old: Sequence[str], told: Sequence[str]) -> None:
        failed = self.aws.delete(step.region, old)
        if failed:
            self._done(step, "pending", *told, *(f"{one}: {why}" for one, why in failed.items()), flow_log=new)
        else:
            gone = [f"{', '.join(old)} deleted"] if old else ["what it replaces is not there any more"]
            self._done(step, "replaced", *told, *gone, flow_log=new)

    # -- results

    def _done(self, step: Step, outcome: str, *why: str, flow_log: str = "") -> None:
        self.results[step.spec.resource] = Applied(step.spec.resource.id, step.action, outcome, flow_log, list(why))

    def _result(self, step: Step) -> Applied:
        return self.results[step.spec.resource]

    def _all(self, steps: Iterable[Step], outcome: str, *why: str) -> None:
        for step in steps:
            self._done(step, outcome, *why)

    def _in_order(self) -> list[Applied]:
        return [self._result(step) for step in self.plan.steps]


def _calls(steps: Sequence[Step]) -> list[Call]:
    batches: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        batches.setdefault((step.account, step.region, step.spec.hash), []).append(step)
    return [call for batch in batches.values() for call in calls_for(batch)]
