"""Findings and incidents, with their evidence: what detectors and rules give."""

from .finding import SEVERITIES, Coverage, Finding
from .findings import Findings
from .incident import Incident
from .scope import Scope

__all__ = ["SEVERITIES", "Coverage", "Finding", "Findings", "Incident", "Scope"]


def __dir__() -> list[str]:
    return __all__
