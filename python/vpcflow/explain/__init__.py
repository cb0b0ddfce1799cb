"""Why one host cannot reach another: what flow logs prove, what they do not, and which rule is behind it."""

from .explain import explain
from .explanation import Explanation

__all__ = ["Explanation", "explain"]


def __dir__() -> list[str]:
    return __all__
