"""Health of applications as flow logs show it: who answers, where that changed, which limits are near, who depends on
whom."""

from .dependencies import Dependencies, Dependency, dependencies
from .deploy import Deploy, DeployEdge
from .edge import Change, Edge
from .health import Health, health
from .suspicion import Suspicion

__all__ = [
    "Change", "Dependencies", "Dependency", "Deploy", "DeployEdge", "Edge", "Health", "Suspicion", "dependencies",
    "health",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
