"""What AWS charges: price sheets as data, made from price lists and bills."""

from .bill import Bill, BillLine, read_bill
from .classes import CLASSES, PRICE_OF, price_class
from .imports import import_prices
from .sheet import PriceRow, Sheet, prices

__all__ = [
    "CLASSES",
    "PRICE_OF",
    "Bill",
    "BillLine",
    "PriceRow",
    "Sheet",
    "import_prices",
    "price_class",
    "prices",
    "read_bill",
]


def __dir__() -> list[str]:
    return __all__
