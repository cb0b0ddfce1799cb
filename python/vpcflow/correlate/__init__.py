"""Events beside flows: as one table, by entity, in sequences and as risk."""

from .correlate import Correlation as Correlation  # also vpcflow.Correlation
from .correlate import correlate
from .events import Event, Events
from .load import load, of
from .risk import risk
from .sequence import Match, matches
from .story import write_events
from .table import read_events

__all__ = ["Event", "Events", "Match", "correlate", "load", "matches", "of", "read_events", "risk", "write_events"]


def __dir__() -> list[str]:
    return __all__
