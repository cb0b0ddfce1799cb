"""When a sink may be asked: pauses that grow, and a circuit that opens."""

from __future__ import annotations

import random
import threading
import time
from typing import Callable

_FIRST, _LONGEST = 0.25, 60.0  # seconds of pause
_OPEN_AFTER = 5  # failures in a row


class Gate:
    """Before a sink that failed. Each failure in a row doubles the pause, with jitter; what the sink asks for holds if
    it is longer. After five the circuit is open: one request at a time tries whether it answers again.

    ``patience``: seconds without any success after which :meth:`failed` says that nobody waits longer.
    """

    def __init__(
        self, patience: float, clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:  # fmt: skip
        self._patience, self._clock = patience, clock
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        self._lock = threading.Lock()
        self._probe = threading.Lock()
        self._failures, self._until = 0, 0.0
        self._since: float | None = None  # of the first failure in a row

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open."""
        return self._failures >= _OPEN_AFTER

    def passed(self) -> bool:
        """Waits until a request may be sent. Returns whether it is the only one: then :meth:`succeeded` or
        :meth:`failed` must follow, and release it."""
        alone = self.is_open
        if alone:
            self._probe.acquire()
        while not self._ended.is_set() and (pause := self._until - self._clock()) > 0:
            self._wait(pause)
        return alone

    def release(self, alone: bool) -> None:
        """Lets the next one try, after a request that :meth:`passed` sent alone."""
        if alone:
            self._probe.release()

    def succeeded(self) -> None:
        """Closes the circuit."""
        with self._lock:
            self._failures, self._since = 0, None

    def failed(self, after: float | None = None) -> bool:
        """Makes the pause longer. Returns whether the sink has failed for longer than the patience."""
        with self._lock:
            now = self._clock()
            self._since = now if self._since is None else self._since
            pause = min(_FIRST * 2.0**self._failures, _LONGEST)
            pause = max(after or 0.0, random.uniform(pause / 2, pause))
            self._failures = min(self._failures + 1, 64)
            self._until = max(self._until, now + pause)
            return self._until - self._since > self._patience

    def end(self) -> None:
        """Ends all waiting."""
        self._ended.set()
