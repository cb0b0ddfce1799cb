"""The detectors once more, slow and obvious: as loops over sessions and as questions to the query engine. What the
engine's own detectors find is compared with what these find."""

from __future__ import annotations

from .floods_by_hand import FloodDetectors
from .tries_by_hand import TryDetectors

__all__ = ["Run"]


class Run(TryDetectors, FloodDetectors):
    """One detection: a method for each of DETECTORS."""
