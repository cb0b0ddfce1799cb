"""Pictures of flow logs for notebooks and pages: by Altair where that is installed (extra ``charts``), else as SVG of
our own. Each has the table of its numbers, and says of how many it shows the largest."""

from .ask import (
    coverage_timeline,
    heat_map,
    incident_timeline,
    node_graph,
    sankey,
    timeline,
    top_n,
    zone_matrix,
)
from .chart import Chart

__all__ = [
    "Chart", "coverage_timeline", "heat_map", "incident_timeline", "node_graph", "sankey", "timeline", "top_n",
    "zone_matrix",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
