"""Aggregation over many processes: :mod:`vpcflow.distributed.processes`."""

from .distributed.processes import aggregate

__all__ = ["aggregate"]
