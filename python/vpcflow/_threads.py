"""What several threads may use at once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from typing import Any, Callable, Generic, TypeVar

from .errors import PlanError

T = TypeVar("T")
_served = threading.local()


def asking_thread() -> int:
    """Returns the thread that waits for what this one reads; this one if none does."""
    asking: int = getattr(_served, "asking", threading.get_ident())
    return asking


def read_for(thread: int) -> None:
    """Notes which thread waits for what this one reads from now on."""
    _served.asking = thread


class SharedIterator(Iterator[T], Generic[T]):
    """An iterator for several threads: each item goes to one of them, and the others wait meanwhile.

    >>> squares = SharedIterator(n * n for n in range(3))
    >>> list(squares)
    [0, 1, 4]
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._lock = threading.Lock()
        self._taking: int | None = None  # the thread that has the lock

    def __iter__(self) -> SharedIterator[T]:
        return self

    def __next__(self) -> T:
        if self._taking == asking_thread():  # would wait for itself
            raise PlanError("batches: the callback of a read asked for the next batch")
        with self._lock:
            self._taking = asking_thread()
            try:
                return next(self._items)
            finally:
                self._taking = None


def locked(method: Callable[..., T]) -> Callable[..., T]:
    """Decorates a method: other threads wait during it for the object's ``_lock``."""

    @functools.wraps(method)
    def waiting(self: Any, *args: Any, **kwargs: Any) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return waiting
