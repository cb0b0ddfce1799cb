"""Lazy queries over flow logs: scans, expressions, aggregations, results."""

from .aggregation import Aggregation, merge_all
from .flows import Flows, Grouped, scan
from .report import Reject, Report
from .result import Result, diff
from .running import collect_all

__all__ = ["Aggregation", "Flows", "Grouped", "Reject", "Report", "Result", "collect_all", "diff", "merge_all", "scan"]


def __dir__() -> list[str]:
    return __all__
