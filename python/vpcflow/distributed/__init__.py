"""Aggregation by many processes and machines: processes, Dask, Spark."""

from .processes import aggregate

__all__ = ["aggregate"]


def __dir__() -> list[str]:
    return __all__
