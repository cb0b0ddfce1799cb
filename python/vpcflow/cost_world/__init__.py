"""A world with a bill: accounts, zones and gateways, what their interfaces log, and what AWS charges for it."""

from .gaps import GAPS
from .make import CostWorld, make_costs

__all__ = ["GAPS", "CostWorld", "make_costs"]


def __dir__() -> list[str]:
    return __all__
