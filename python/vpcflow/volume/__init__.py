"""The volume of logs: what they cost, and what keeps them for less without the loss of a verdict.

:func:`compact` writes every record to sorted zstd Parquet, :func:`verify` reads it back, :func:`delete_sources` deletes
what is proved to be there. :func:`rollup` makes one record of those of a flow, :func:`sample` keeps a part of the
conversations, with weights that :func:`estimate` adds up. :func:`route` keeps, summarises and drops by filters.
:func:`prove` compares what detectors and rules say.
"""

from .compacting import compact
from .proving import prove
from .rollups import rollup
from .routing import route
from .sampling import estimate, sample
from .verifying import delete_sources, verify

__all__ = ["compact", "delete_sources", "estimate", "prove", "rollup", "route", "sample", "verify"]


def __dir__() -> list[str]:
    return __all__
