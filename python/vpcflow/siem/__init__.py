"""Flow logs into SIEMs and lakes: records, sessions and findings as events of their schemas."""

from .events import EventBatch, Events
from .export import export, schemas

__all__ = ["EventBatch", "Events", "export", "schemas"]


def __dir__() -> list[str]:
    return __all__
