"""Where events go: SIEMs, streams, files. :func:`send` delivers the events of :func:`vpcflow.export` to a sink.

A sink is named by a URL; each module of ``kinds`` is a kind of them. Secrets are never in a URL, and never shown.
"""

from .opening import open_sink
from .replay import replay
from .sending import Sent, send
from .sink import Limits, Piece, Receipt, Sink

__all__ = ["Limits", "Piece", "Receipt", "Sent", "Sink", "open_sink", "replay", "send"]


def __dir__() -> list[str]:
    return __all__
