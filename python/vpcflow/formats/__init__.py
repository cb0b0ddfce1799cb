"""What log formats can and cannot answer."""

from .capabilities import capabilities, recommended_format

__all__ = ["capabilities", "recommended_format"]


def __dir__() -> list[str]:
    return __all__
