"""Aggregation in AWS Lambda: :mod:`vpcflow.distributed.aws_lambda`."""

from .distributed.aws_lambda import Handler

__all__ = ["Handler"]
