"""The making of plans, which know the fields that logs have beyond the catalogue."""

from __future__ import annotations

import contextlib
import re

from .. import _core
from ..errors import FieldError
from .logs import Logs

# Those of src/expr/short_names.h.
_SHORT = re.compile(r"\b(?:(?:src|dst)(?:[-_](?:addr|port))?|[sd]port|proto)\b", re.IGNORECASE)


def plan_of(logs: Logs | None, spec: _core.PlanSpec, formats: list[str]) -> _core.Plan:
    """Makes the plan of a query over logs. ``formats``: those that it must know in any case. For a name that is in none
    of them, nor in the catalogue, the beginnings of the logs are read until it is found; short names of fields may be
    columns of the first log, which then are meant."""
    names = f"{spec.where} {spec.filters} {spec.by} {spec.select} {spec.aggs}"
    if logs is not None and logs.sources and _SHORT.search(names):
        formats = [*formats, *(text for text in logs.peek(0) if text not in formats)]
    try:
        return _core.Plan(spec, formats)
    except FieldError:
        if logs is None or not logs.sources:
            raise
    seen: dict[str, None] = {}
    for number in range(len(logs.sources)):
        fresh = [text for text in logs.peek(number) if text not in seen]
        if fresh:
            seen.update(dict.fromkeys(fresh))
            with contextlib.suppress(FieldError):
                return _core.Plan(spec, list(seen))
    return _core.Plan(spec, list(seen))
