"""Tables of labels for :meth:`vpcflow.Flows.label`."""

from .prefixes import Labels, interfaces, ip_ranges, mmdb, prefixes, protocols, services

__all__ = ["Labels", "interfaces", "ip_ranges", "mmdb", "prefixes", "protocols", "services"]


def __dir__() -> list[str]:
    return __all__
