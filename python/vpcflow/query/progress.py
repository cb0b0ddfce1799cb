"""Progress of a read: a bar of tqdm, a line of text, or a function of the caller's."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

from .._display import human_bytes
from ..errors import ArgumentError
from ..typing import Progress

_DELAY = 1.0  # seconds before there is something to see


@contextlib.contextmanager
def shown(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Yields what the engine calls: the function as it is; for ``True`` one that shows a bar while the block runs, by
    tqdm where that is installed, else as a line on standard error; for ``False`` nothing; for ``None`` in a notebook a
    bar if it takes longer than a second, else nothing."""
    if progress is None and _in_notebook():
        progress = True
    if progress is None or progress is False:
        yield None
    elif progress is not True:
        if not callable(progress):
            raise ArgumentError(f"progress={progress!r}: true or a function is needed; write collect(progress=True)")
        yield progress
    else:
        bar = _bar()
        try:
            yield bar
        finally:
            bar.close()


def _in_notebook() -> bool:
    """Whether a kernel of Jupyter runs this, in its main thread."""
    shell = sys.modules.get("ipykernel.zmqshell")
    on_main = threading.current_thread() is threading.main_thread()
    return shell is not None and on_main and bool(shell.ZMQInteractiveShell.initialized())


def _bar() -> _Bar | _Line:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of notebooks without widgets, where it writes text
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _Line()
        return _Bar(tqdm(unit="B", unit_scale=True, unit_divisor=1024, delay=_DELAY))


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def __call__(self, read: int, total: int, sources: int, total_sources: int, /) -> None:
        self._bar.total = max(total, read) or None
        self._bar.set_postfix_str(f"{sources:,}/{total_sources:,} files", refresh=False)
        self._bar.update(read - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Line:
    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = self._began + _DELAY
        self._width = 0

    def __call__(self, read: int, total: int, sources: int, total_sources: int, /) -> None:
        now = time.monotonic()
        if now - self._last < 0.2 or sys.stderr is None:
            return
        self._last = now
        share = f" {min(read / total, 1):.0%}" if total else ""
        rate = human_bytes(read / (now - self._began))
        self._write(f"{human_bytes(read)}{share}, {sources:,}/{total_sources:,} files, {rate}/s")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed or full
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
        self._width = len(text)

    def close(self) -> None:
        """Removes the line."""
        if self._width:
            self._write("")
            sys.stderr.write("\r")
