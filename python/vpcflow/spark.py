"""Flow logs on a Spark cluster: :mod:`vpcflow.distributed.spark`."""

from .distributed.spark import aggregate, records

__all__ = ["aggregate", "records"]
