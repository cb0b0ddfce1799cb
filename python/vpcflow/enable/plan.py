"""A plan: what would be created, replaced or left, and all that it needs, as data that can be read and kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import PlanError, SourceError
from ..io.writing import write_whole
from .spec import FlowLogSpec, spec_from

SCHEMA_VERSION = 1
ACTIONS = ("create", "replace", "tag", "keep", "blocked")


@dataclasses.dataclass(frozen=True)
class Step:
    """What a plan does for one resource."""

    #: ``create``; ``replace``: create, verify, delete ``flow_logs``; ``tag``: only tags differ; ``keep``: what is there
    #: does; ``blocked``: it cannot be, and ``why`` tells.
    action: str
    spec: FlowLogSpec
    why: tuple[str, ...] = ()
    #: The flow logs that are kept, tagged or replaced.
    flow_logs: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns the step as plain values."""
        return {
            "action": self.action,
            "resource": self.spec.resource.id,
            "name": self.name,
            "account": self.account,
            "region": self.region,
            "flow_logs": list(self.flow_logs),
            "why": list(self.why),
            "spec": self.spec.as_dict(),
        }


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of CreateFlowLogs for some resources that share a spec."""

    steps: tuple[Step, ...]
    arguments: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account that makes it; empty where the plan does not know."""
        return self.steps[0].account

    @property
    def region(self) -> str:
        """The region that it is made in; empty where the plan does not know."""
        return self.steps[0].region


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan of :func:`vpcflow.enable.plan`. It names no credentials, and nothing is called to make one."""

    #: Random; part of the tokens by which AWS knows a repeated call.
    id: str
    steps: tuple[Step, ...]
    analyses: tuple[str, ...] = ()
    #: ``buckets``, ``role``, ``key``, ``caller``: documents, and for buckets the difference to what is there.
    policies: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    #: Log groups that are needed: ``name``, ``create`` (null where it is not known), ``retention_days`` (of a group
    #: that is made, or keeps for ever; null leaves it).
    log_groups: tuple[Mapping[str, Any], ...] = ()
    #: Analyses that the logs cannot answer exactly, by family of resources.
    impossible: tuple[Mapping[str, Any], ...] = ()
    #: What a record costs: ``record_bytes``, ``usd_per_gb``, ``usd_per_million_records``, ``price_date``.
    cost: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def calls(self) -> list[Call]:
        """Returns the calls that create what is missing, as large as AWS allows, in the order of the steps."""
        batches: dict[tuple[str, str, str], list[Step]] = {}
        for step in self.steps:
            if step.action in ("create", "replace"):
                batches.setdefault((step.account, step.region, step.spec.hash), []).append(step)
        return [call for steps in batches.values() for call in calls_for(steps)]

    def token(self, call: Call) -> str:
        """Returns the ClientToken of a call: the same for the same call of the same plan, and else another."""
        content = json.dumps([self.id, call.account, call.region, call.arguments], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:64]

    def as_dict(self) -> dict[str, Any]:
        """Returns the plan as plain values, as its file has them."""
        return {
            "schema_version": SCHEMA_VERSION,
            "id": self.id,
            "analyses": list(self.analyses),
            "steps": [step.as_dict() for step in self.steps],
            "calls": [
                {"account": call.account, "region": call.region, "create_flow_logs": dict(call.arguments)}
                for call in self.calls()
            ],
            "policies": dict(self.policies),
            "log_groups": [dict(group) for group in self.log_groups],
            "impossible": [dict(one) for one in self.impossible],
            "cost": dict(self.cost),
            "notes": list(self.notes),
        }

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the plan as JSON. Raises :class:`~vpcflow.OutputError`."""
        write_whole(path, (json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Plan:
        """Reads a plan from its file. Raises :class:`~vpcflow.SourceError` or :class:`~vpcflow.PlanError`."""
        return _read(path)


def calls_for(steps: Sequence[Step]) -> list[Call]:
    """Returns the calls for steps that share a spec, an account and a region."""
    spec, size = steps[0].spec, steps[0].spec.resource.kind.batch
    parts = [tuple(steps[begin : begin + size]) for begin in range(0, len(steps), size)]
    return [Call(part, spec.request([step.spec.resource.id for step in part], part[0].region)) for part in parts]


def plan_of(document: Any) -> Plan:
    """Reads what :meth:`Plan.as_dict` gives. Raises :class:`~vpcflow.PlanError` for anything else."""
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION or "steps" not in document:
        raise PlanError(
            f"no plan: an object with schema_version {SCHEMA_VERSION} and steps is needed, as enable plan writes"
        )
    try:
        steps = tuple(
            Step(
                action=str(step["action"]),
                spec=spec_from(step["spec"]),
                why=tuple(map(str, step.get("why", ()))),
                flow_logs=tuple(map(str, step.get("flow_logs", ()))),
                account=str(step.get("account") or ""),
                region=str(step.get("region") or ""),
                name=str(step.get("name") or ""),
            )
            for step in document["steps"]
        )
        wrong = [step.action for step in steps if step.action not in ACTIONS]
        if wrong:
            raise PlanError(f"no action of a plan: {wrong[0]!r}; {', '.join(ACTIONS)} are allowed")
        return Plan(
            id=str(document["id"]),
            steps=steps,
            analyses=tuple(document.get("analyses", ())),
            policies=dict(document.get("policies", {})),
            log_groups=tuple(dict(group) for group in document.get("log_groups", ())),
            impossible=tuple(dict(one) for one in document.get("impossible", ())),
            cost=dict(document.get("cost", {})),
            notes=tuple(map(str, document.get("notes", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, PlanError):
            raise
        raise PlanError(f"no plan: {type(error).__name__} {error}; write it by enable plan") from None


def _read(path: str | os.PathLike[str]) -> Plan:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        raise SourceError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{os.fspath(path)}: invalid JSON: {error}") from None
    return plan_of(document)
