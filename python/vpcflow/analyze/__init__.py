"""First looks at logs: the summary."""

from .summary import Summary, summarize

__all__ = ["Summary", "summarize"]


def __dir__() -> list[str]:
    return __all__
