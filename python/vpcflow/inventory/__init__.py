"""What an account has, from answers of AWS's describe calls: tables with validity in time."""

from .fetch import fetch
from .inventory import Answerable, Inventory, inventory
from .names import names_of
from .table import Table, Version

__all__ = ["Answerable", "Inventory", "Table", "Version", "fetch", "inventory", "names_of"]


def __dir__() -> list[str]:
    return __all__
