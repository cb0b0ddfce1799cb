"""What a sink is: limits, encode, send."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..errors import NotifyError


class Piece(NamedTuple):
    """An event on its way: its id, its line as it was exported, and what the sink made of it."""

    id: str
    line: bytes
    body: bytes


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one request may hold. ``bytes`` and ``items`` together, ``each``: bytes of one event; ``at_once``: requests
    that may be under way together, for sinks whose receiver minds no order; ``about``: how many events it has mostly, a
    power of two."""

    bytes: int = 5 << 20
    items: int = 10_000
    each: int = 5 << 20
    at_once: int = 1
    about: int = 1024


@dataclasses.dataclass(frozen=True)
class Receipt:
    """What a sink did with pieces, by their positions. The others were accepted; ``known`` of them it had before.

    ``retry``: to be sent again. ``dead``: never taken, with the reason. ``after``: seconds that the sink asks to wait
    before the next request.
    """

    retry: Sequence[int] = ()
    dead: Sequence[tuple[int, str]] = ()
    known: int = 0
    after: float | None = None
    reason: str = ""  # of those to be sent again


class BusyError(NotifyError):
    """The whole request is to be sent again, ``after`` seconds if the sink said so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class SplitError(NotifyError):
    """The sink refuses the request for an event that it does not name; halves of it may be taken."""


class TooLargeError(SplitError):
    """The request is larger than the sink takes; halves of it may be not."""


class StoppedError(NotifyError):
    """The sink takes nothing, however often it is tried: credentials, a name that there is not."""


class Sink(Protocol):
    """Takes events. ``label`` may be shown. ``takes_ids``: it keeps one event of each id, so that sending one again
    changes nothing. Any thread may call :meth:`encode`; :meth:`send` is called by up to ``limits.at_once`` threads."""

    label: str
    limits: Limits
    takes_ids: bool

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns what an event is in a request. :class:`ValueError`, with the reason, for one that it never takes."""

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Sends pieces by one request. Raises :class:`BusyError`, :class:`SplitError`, :class:`StoppedError`; any
        other :class:`~vpcflow.NotifyError` is as if busy."""

    def close(self) -> None:
        """Ends connections; waits for nothing."""
