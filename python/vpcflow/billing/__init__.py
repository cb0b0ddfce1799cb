"""Holds what logs cost against the bill: how much of it they explain, and why not all."""

from .evidence import Evidence, evidence_of
from .logs import reconcile
from .reconcile import Reconciliation, reconcile_rows

__all__ = ["Evidence", "Reconciliation", "evidence_of", "reconcile", "reconcile_rows"]


def __dir__() -> list[str]:
    return __all__
