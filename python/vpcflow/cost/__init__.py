"""What the traffic costs, and whose it is: path classes of records, priced."""

from .cost import Cost, cost_of
from .ground import Ranges, ranges_in

__all__ = ["Cost", "Ranges", "cost_of", "ranges_in"]


def __dir__() -> list[str]:
    return __all__
