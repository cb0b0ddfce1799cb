"""A suspicion: what may be the cause of trouble, with its bounds."""

from __future__ import annotations

import dataclasses
from typing import Any

from .._keyed import Keyed
from .edges import Key


@dataclasses.dataclass(frozen=True)
class Suspicion(Keyed):
    """What may be the cause of trouble. ``low`` and ``high`` bound the figure that the sentence is about; ``proof``
    says what would tell."""

    #: ``"server"``, ``"client"``, ``"demand"``, ``"nat"``, ``"bandwidth"``.
    kind: str
    subject: str
    time: int | None
    low: float
    high: float
    sentence: str
    proof: str
    #: The edges whose changes it accounts for, as client, server, port and protocol.
    edges: tuple[Key, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {**vars(self), "edges": [list(edge) for edge in self.edges]}
