"""Following a folder of logs: :class:`Watch`."""

from .service import Watch

__all__ = ["Watch"]


def __dir__() -> list[str]:
    return __all__
