"""What an account has, from answers of AWS's describe calls: tables with validity in time."""

from .inventory import Answerable, Inventory, inventory
from .table import Table, Version

__all__ = ["Answerable", "Inventory", "Table", "Version", "inventory"]


def __dir__() -> list[str]:
    return __all__
