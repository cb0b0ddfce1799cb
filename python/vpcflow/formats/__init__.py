"""What log formats can and cannot answer."""

from .capabilities import capabilities, recommended_format
from .catalogue import containers, fields, reject_reasons

__all__ = ["capabilities", "containers", "fields", "recommended_format", "reject_reasons"]


def __dir__() -> list[str]:
    return __all__
