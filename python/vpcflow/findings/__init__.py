"""Findings and incidents, with their evidence: what detectors and rules give."""

from .finding import SEVERITIES, Finding, Findings, Incident, Scope

__all__ = ["SEVERITIES", "Finding", "Findings", "Incident", "Scope"]


def __dir__() -> list[str]:
    return __all__
