"""Colours and bars: by rich on a terminal, if it is installed; else there are none."""

from __future__ import annotations

import os
import sys
from typing import Any

_SEVERITIES = {
    "critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim",
}  # fmt: skip


class Paint:
    """Paints nothing."""

    bars = False

    def severity(self, text: str, severity: str) -> str:
        """Colours a text by a severity."""
        return text

    def title(self, text: str) -> str:
        """Makes a title stand out."""
        return text

    def bar(self, share: float, width: int) -> str:
        """Draws a share of 1 as a bar of at most ``width`` columns."""
        return ""


class _Rich(Paint):
    def __init__(self, console: Any) -> None:
        self._console = console
        self.bars = not console.options.ascii_only

    def _styled(self, text: str, style: str) -> str:
        from rich.text import Text

        return self._printed(Text(text, style=style))

    def _printed(self, what: Any) -> str:
        with self._console.capture() as capture:
            self._console.print(what, end="", soft_wrap=True)
        shown: str = capture.get()
        return shown

    def severity(self, text: str, severity: str) -> str:
        return self._styled(text, _SEVERITIES.get(severity, ""))

    def title(self, text: str) -> str:
        return self._styled(text, "bold")

    def bar(self, share: float, width: int) -> str:
        from rich.bar import Bar

        return self._printed(Bar(1.0, 0, min(max(share, 0), 1), width=width, color="cyan")).rstrip("\n ")


def paint_of() -> Paint:
    """Returns what paints: plain unless standard output is a terminal, ``NO_COLOR`` is not set and rich is there."""
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return Paint()
    try:
        from rich.console import Console
    except ImportError:
        return Paint()
    return _Rich(Console(file=sys.stdout, highlight=False, emoji=False, markup=False, legacy_windows=False))
