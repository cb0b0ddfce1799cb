"""The policies of a plan alone."""

from __future__ import annotations

import json

from ..plan import Plan
from ._shared import remarks


def emit(plan: Plan) -> str:
    """Returns the policies as JSON: of buckets with their difference, of the role, of the key, of the caller."""
    return json.dumps({"notes": remarks(plan), **plan.policies}, indent=2, ensure_ascii=False) + "\n"
