"""What comes in and goes out: paths, streams, tables, files that are written."""

from .inputs import Input

__all__ = ["Input"]


def __dir__() -> list[str]:
    return __all__
