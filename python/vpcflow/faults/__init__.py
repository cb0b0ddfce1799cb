"""A world with faults: what keeps A from reaching B, planted one by one, with the logs, the documents and the truth."""

from .make import PLANTS, FaultWorld, make_faults
from .slow import Asked, Said, Way, acl, route, security

__all__ = ["PLANTS", "Asked", "FaultWorld", "Said", "Way", "acl", "make_faults", "route", "security"]


def __dir__() -> list[str]:
    return __all__
