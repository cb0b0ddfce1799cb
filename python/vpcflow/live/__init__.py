"""Traffic and findings as they come: the state of a watch, or logs, as text, as JSON, and on a screen with keys."""

from .picture import picture
from .reading import Reading, of_logs
from .state import read_state
from .view import View, view

__all__ = ["Reading", "View", "of_logs", "picture", "read_state", "view"]


def __dir__() -> list[str]:
    return __all__
