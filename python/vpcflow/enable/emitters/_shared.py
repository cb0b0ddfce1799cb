"""What the forms share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..._display import printable
from ..._words import count
from ...errors import PlanError
from ..plan import Plan, Step


def new_steps(plan: Plan) -> list[Step]:
    """Returns the steps that make a flow log."""
    return [step for step in plan.steps if step.action in ("create", "replace")]


def names_for(identities: Iterable[str], separator: str) -> dict[str, str]:
    """Returns for each id a name of letters, digits and the separator, each another one."""
    out: dict[str, str] = {}
    for identity in identities:
        name = base = re.sub("[^A-Za-z0-9]+", separator, identity).strip(separator) or "resource"
        number = 1
        while name in out.values():
            number += 1
            name = f"{base}{separator}{number}"
        out[identity] = name
    return out


def refuse_types(steps: Iterable[Step], form: str, wrong: Iterable[str]) -> None:
    """Raises the error of resources of types that a form does not have."""
    bad = [step for step in steps if step.spec.resource.type in set(wrong)]
    if bad:
        resource = bad[0].spec.resource
        raise PlanError(
            f"{form} has no flow logs of a {resource.type}: {resource.id}; write the plan --as cli or boto3"
        )


def remarks(plan: Plan) -> list[str]:
    """Returns the lines that a text begins with: what it is of, and what stays to be done. No line has a line break."""
    steps = plan.steps
    lines = [f"Made by vpcflow enable emit from plan {plan.id}: {count(len(new_steps(plan)), 'flow log')} to create."]
    for step in steps:
        if step.action == "replace":
            lines.append(f"{step.spec.resource.id}: delete {', '.join(step.flow_logs)} when the new one delivers.")
        elif step.action in ("keep", "tag", "blocked"):
            lines.append(f"{step.spec.resource.id}: {step.action}: {'; '.join(step.why)}")
    for bucket in plan.policies.get("buckets", ()):
        if not bucket["known"]:
            lines.append(
                f"The policy of bucket {bucket['bucket']} is not known, and is not in here, as writing it would "
                "replace it: add the statements of --as policies, or let apply do it."
            )
    if plan.policies.get("key"):
        lines.append(f"Add the statement of --as policies to the policy of the key {plan.policies['key']['key']}.")
    lines += plan.notes
    return [printable(line).replace("\n", " ") for line in lines]


def known_buckets(plan: Plan) -> list[dict[str, Any]]:
    """Returns the buckets whose policy changes, and is known, so that it can be written whole."""
    return [bucket for bucket in plan.policies.get("buckets", ()) if bucket["known"] and bucket["difference"]]


def new_groups(plan: Plan) -> list[dict[str, Any]]:
    """Returns the log groups that are not there."""
    return [dict(group) for group in plan.log_groups if group["create"]]


def new_role(plan: Plan) -> dict[str, Any] | None:
    """Returns the role that has to be made."""
    role = plan.policies.get("role")
    return role if role and role["create"] else None
