"""What detectors and rules of a watch see nothing of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Callable

from ..findings.findings import BLIND


class Limits:
    """Logs each line that says so once, whatever its counts."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._known: set[str] = set()

    def tell(self, lines: Iterable[str]) -> None:
        """Logs the lines of :meth:`vpcflow.findings.findings.Findings.limits` about blind detectors and rules."""
        for line in lines:
            kind = re.sub("[0-9,]+", "#", line)
            if BLIND in line and kind not in self._known:
                self._known.add(kind)
                self._log(line)
