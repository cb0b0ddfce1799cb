"""The command line: ``vpcflow COMMAND ...``."""

from ._shared import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return __all__
