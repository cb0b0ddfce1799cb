"""Lazy queries over flow logs: scans, expressions, aggregations, results."""

from .aggregation import Aggregation, merge_all
from .flows import Flows
from .report import Reject, Report
from .result import Result, diff
from .running import collect_all
from .scan import query, scan

__all__ = ["Aggregation", "Flows", "Reject", "Report", "Result", "collect_all", "diff", "merge_all", "query", "scan"]


def __dir__() -> list[str]:
    return __all__
