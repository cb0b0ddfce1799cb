"""The pool of threads that wait for answers of AWS."""

from __future__ import annotations

import atexit
import functools
import os
import queue
import random
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Callable, TypeVar

from .fetcher import Buffer, FetchError
from .session import MOST_REQUESTS

T = TypeVar("T")
_TRIES = 8  # of a request that fails for a cause that may pass
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 20.0  # seconds
_LAST_WAIT = 30.0  # seconds, for requests under way when the program ends


class Pool:
    """At most :data:`~vpcflow.io.aws.session.MOST_REQUESTS` threads, started as they are needed.

    When a service asks for fewer requests, or a connection breaks, all threads pause, the longer the more often that
    happens, and the request is sent again. Any thread may use it, after a fork, too.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._pending = 0
        self._pause, self._resume = 0.0, 0.0  # the last pause, and when it is over

    def submit(self, task: Callable[[], None]) -> None:
        """Runs a task, which raises nothing, in one of the threads."""
        with self._lock:
            if self._process != os.getpid():
                self._begin()
            self._pending += 1
            self._tasks.put(task)
            if len(self._threads) < min(self._pending, MOST_REQUESTS):
                thread = threading.Thread(target=self._work, args=(self._tasks,), name="vpcflow-aws", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self, tasks: queue.SimpleQueue[Callable[[], None] | None]) -> None:
        while True:
            task = tasks.get()
            if task is None:
                return
            task()
            del task  # and with it the object that it fetched
            with self._lock:
                self._pending -= 1

    def end(self) -> None:
        """Drops what waits, and ends the threads, which takes as long as the requests under way. A thread that comes
        back from native code while Python ends would end the process."""
        if self._process != os.getpid():
            return
        with self._lock:
            threads = list(self._threads)
            while not self._tasks.empty():
                self._tasks.get_nowait()
        for _ in threads:
            self._tasks.put(None)
        deadline = time.monotonic() + _LAST_WAIT
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def future(self, call: Callable[[], T]) -> Future[T]:
        """Runs a call in one of the threads; the future has what comes of it."""
        made: Future[T] = Future()

        def run() -> None:
            if not made.set_running_or_notify_cancel():
                return
            try:
                made.set_result(call())
            except BaseException as error:
                made.set_exception(error)

        self.submit(run)
        return made

    def map(self, calls: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Yields what calls give, in their order."""
        for waiting in [self.future(call) for call in calls]:
            yield waiting.result()

    def fetched(self, get: Callable[[], Buffer]) -> Buffer:
        """Returns what ``get`` gives. What fails for a cause that may pass, such as throttling, is called again after a
        pause of all threads."""
        for left in range(_TRIES - 1, -1, -1):
            pause = self._resume - time.monotonic()
            if pause > 0:
                self._sleep(pause)
            try:
                data = get()
            except FetchError as error:
                if not error.passing or not left:
                    raise
                self._slow_down()
            else:
                self._pause = self._pause / 2 if self._pause > _FIRST_PAUSE else 0.0
                return data
        raise AssertionError("the last try returns or raises")

    def _slow_down(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._resume:
                return  # another one was told before
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._resume = now + self._pause * random.uniform(0.5, 1.0)


@functools.cache
def the_pool() -> Pool:
    """Returns the pool of this process."""
    pool = Pool()
    atexit.register(pool.end)
    return pool
