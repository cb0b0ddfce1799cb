"""What makes logs safe to hand over and to keep: anonymising, encryption by column, least privilege."""

from .addresses import KEPT_RANGES, SAME_RANGES, AddressMap
from .anonymise import Anonymised, Anonymiser, anonymise
from .cryptopan import CryptoPan
from .keyfile import new_key, read_key

__all__ = [
    "KEPT_RANGES", "SAME_RANGES", "AddressMap", "Anonymised", "Anonymiser", "CryptoPan", "anonymise", "new_key",
    "read_key",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
