"""Tables of labels for :meth:`vpcflow.Flows.label`: names for networks, AWS services, interfaces, ports, countries.

They are in memory and need no database: a lookup takes some tens of nanoseconds. Of prefixes the longest one wins.
"""

from .aws import interfaces, ip_ranges
from .geo import mmdb
from .iana import protocols, services
from .prefixes import Labels, prefixes

__all__ = ["Labels", "interfaces", "ip_ranges", "mmdb", "prefixes", "protocols", "services"]


def __dir__() -> list[str]:
    return __all__
