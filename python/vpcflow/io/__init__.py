"""What comes in and goes out: paths, streams, tables, files that are written."""

from ..typing import Input

__all__ = ["Input"]


def __dir__() -> list[str]:
    return __all__
