"""Events beside flows: as one table, by entity, in sequences and as risk."""

from .correlate import Correlation, correlate
from .events import Event, Events
from .load import load, of
from .risk import risk
from .sequence import Match, matches
from .story import write_events
from .table import read_events

__all__ = ["Correlation", "Event", "Events", "Match", "correlate", "load", "matches", "of", "read_events", "risk",
           "write_events"]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
