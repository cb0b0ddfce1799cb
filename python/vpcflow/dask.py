"""Aggregation on a Dask cluster: :mod:`vpcflow.distributed.dask`."""

from .distributed.dask import aggregate

__all__ = ["aggregate"]
