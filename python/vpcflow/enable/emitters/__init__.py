"""Plans as text for others' tools. A form is one module: ``emit(plan)`` returns its text; nothing is called.

Each makes data first and text last, by the quoting of its own language: whatever stands in a name stays data.
"""

from __future__ import annotations

import importlib

from ..._hints import hint
from ...errors import PlanError
from ..plan import Plan

FORMS = {
    "terraform": "HCL for Terraform and OpenTofu",
    "cloudformation": "a template, as JSON",
    "cdk": "a stack for the CDK, in Python",
    "cli": "a shell script of aws commands",
    "boto3": "a Python program",
    "policies": "the policies alone, as JSON",
}

__all__ = ["FORMS", "emit"]


def emit(plan: Plan, as_: str) -> str:
    """Returns a plan as text in one of :data:`FORMS`.

    Raises :class:`~vpcflow.PlanError` for another form, and for resources of a type that a form cannot say.
    """
    if as_ not in FORMS:
        raise PlanError(f"no form of a plan: {as_!r}; {hint(as_, list(FORMS))}")
    form = importlib.import_module(f".{as_}", __name__)
    text: str = form.emit(plan)
    return text


def __dir__() -> list[str]:
    return __all__
