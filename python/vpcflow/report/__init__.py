"""The report: one page on flow logs for people who decide."""

from .report import ReportPage, report

__all__ = ["ReportPage", "report"]


def __dir__() -> list[str]:
    return __all__
