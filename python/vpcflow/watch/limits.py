"""What detectors and rules of a watch see nothing of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Callable

from ..findings.findings import Limit


class Limits:
    """Logs each line that says so once, whatever its counts. ``now``: those of what was read last."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._known: set[str] = set()
        self.now: list[str] = []

    def tell(self, limits: Iterable[Limit]) -> None:
        """Logs those of :meth:`vpcflow.findings.findings.Findings.limits` that are about blind detectors and rules."""
        for limit in limits:
            if limit.kind != "blind":
                continue
            self.now.append(limit.text)
            uncounted = re.sub("[0-9,]+", "#", limit.text)
            if uncounted not in self._known:
                self._known.add(uncounted)
                self._log(limit.text)
