"""What an address did: its trace, timelines for other tools, Community ID."""

from ..siem.community import community_id
from .timelines import timeline
from .trace import Trace, trace

__all__ = ["Trace", "community_id", "timeline", "trace"]


def __dir__() -> list[str]:
    return __all__
