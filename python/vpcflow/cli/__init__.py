"""The command line: ``vpcflow COMMAND ...``.

Exit codes: 0 fine, 1 findings, or examples of rules or controls that failed, 2 error, 3 more rejects than
``--max-rejects``, or controls that cannot be evaluated. A closed pipe is no error.
"""

from ._main import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return __all__
