"""Which minutes of interfaces the objects of a head have records of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Run(NamedTuple):
    """Minutes of an interface that an object has records of, Unix seconds. ``lost``: they are SKIPDATA."""

    interface: str
    start: int
    end: int
    lost: bool


class Coverage:
    """The minutes of all interfaces of some objects.

    >>> coverage = Coverage()
    >>> coverage.add([Run("eni-1", 0, 120, False), Run("eni-1", 60, 180, False), Run("eni-1", 300, 360, True)])
    >>> coverage.as_dict()
    {'interfaces': 1, 'minutes': 4, 'skipdata': 1, 'absent': 2}
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[str, bool], list[list[int]]] = {}

    @property
    def interfaces(self) -> set[str]:
        """The interfaces with records."""
        return {name for name, _ in self._runs}

    def add(self, found: Iterable[Run]) -> None:
        """Adds the minutes of an object."""
        for run in found:
            own = self._runs.setdefault((run.interface, run.lost), [])
            if own and own[-1][0] <= run.start <= own[-1][1]:
                own[-1][1] = max(own[-1][1], run.end)
            else:
                own.append([run.start, run.end])

    def as_dict(self) -> dict[str, Any] | None:
        """Returns the sums over interfaces: ``minutes`` with records, ``skipdata`` among them, ``absent`` between the
        first and the last of an interface; ``None`` if no minute is known."""
        names = sorted(self.interfaces)
        if not names:
            return None
        minutes = skipdata = absent = 0
        for name in names:
            lost, kept = self._runs.get((name, True), []), self._runs.get((name, False), [])
            seen = _joined(lost + kept)
            own = _minutes(seen)
            minutes += own
            skipdata += _minutes(_joined(lost))
            absent += (seen[-1][1] - seen[0][0]) // 60 - own
        return {"interfaces": len(names), "minutes": minutes, "skipdata": skipdata, "absent": absent}


def _joined(runs: list[list[int]]) -> list[list[int]]:
    out: list[list[int]] = []
    for start, end in sorted(runs):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def _minutes(runs: list[list[int]]) -> int:
    return sum(end - start for start, end in runs) // 60
