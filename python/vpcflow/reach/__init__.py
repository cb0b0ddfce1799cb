"""What AWS's rules say of a packet: security groups, network ACLs and route tables of an inventory, at a time."""

from .answer import Answer, RouteAnswer
from .interface import Interface
from .network import Network
from .rules import Acl, Routes, RuleSet

__all__ = ["Acl", "Answer", "Interface", "Network", "RouteAnswer", "Routes", "RuleSet"]


def __dir__() -> list[str]:
    return __all__
