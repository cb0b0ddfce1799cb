"""How names of objects go together, where a copy lies elsewhere than what was listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .stores import absolute

_SAMPLE, _ALIKE = 500, 20  # objects that are looked at, and listed ones of the same name for each


class Alignment:
    """The way from listed names to places: ``drop`` parts of a listed name fall away, and ``base`` stands before the
    rest. ``None`` as base: names are those of places."""

    def __init__(self, names: Sequence[str], base: str | None, drop: int) -> None:
        self._base, self._drop = base, drop
        self._listed: dict[str, str | None] = {}
        for name in names:
            full = self.full(name)
            if full is not None:  # two names that become the same stand for none
                self._listed[full] = None if full in self._listed else name

    @classmethod
    def none(cls, names: Sequence[str]) -> Alignment:
        """Makes one by which every name is asked for, and found nowhere but at its own place."""
        return cls(names, None, 0)

    def full(self, name: str) -> str | None:
        """Returns the place of a listed name, ``None`` if it can have none."""
        if self._base is None:
            return absolute(name)
        parts = name.split("/")[self._drop :]
        return "/".join([self._base, *parts]) if parts and ".." not in parts else None

    def listed(self, full: str) -> str | None:
        """Returns the listed name of a place, ``None`` if there is none."""
        return self._listed.get(full)

    def asks_for(self, full: str, root: str) -> bool:
        """Tells whether a place lies at the path given, or below it."""
        return full == root or full.startswith(root.rstrip("/") + "/")


def aligned(names: Sequence[str], found: Sequence[str], root: str) -> Alignment | None:
    """Returns how listed names go with places: as they are, if any does, or anything listed lies below ``root``; else
    by the longest ends that agree, as most do; ``None`` if none does."""
    exact = Alignment.none(names)
    if any(exact.listed(full) is not None for full in found) or any(
        exact.asks_for(full, root) for name in names if (full := absolute(name))
    ):
        return exact
    by_end: dict[str, list[list[str]]] = {}
    for name in names:
        parts = name.split("/")
        by_end.setdefault(parts[-1], []).append(parts)
    votes: Counter[tuple[str, int]] = Counter()
    for full in found[:: max(1, len(found) // _SAMPLE)]:
        place = full.split("/")
        for parts in by_end.get(place[-1], ())[:_ALIKE]:
            same = 1
            while same < min(len(parts), len(place)) and parts[-1 - same] == place[-1 - same]:
                same += 1
            votes["/".join(place[:-same]), len(parts) - same] += 1
    if not votes:
        return None
    (base, drop), _ = max(votes.items(), key=lambda one: (one[1], -one[0][1], one[0][0]))
    return Alignment(names, base, drop)
