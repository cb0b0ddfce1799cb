"""How names of objects go together, where a copy lies elsewhere than what was listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .checking import Listed
from .stores import Stored, absolute

_SAMPLE, _ALIKE = 500, 20  # objects that are looked at, and listed ones of the same name for each


class Alignment:
    """The way from listed names to places: ``drop`` parts of a listed name fall away, and ``base`` stands before the
    rest. Without a base, and where objects lie ``at_home``, where they were listed, absolute names are those of places.
    """

    def __init__(self, listed: Sequence[Listed], base: str | None, drop: int, at_home: bool) -> None:
        self._base, self._drop, self._at_home = base, drop, at_home
        self._by_place = {one.place or one.object: one.object for one in listed}
        self._by_name: dict[str, str | None] = {}
        for name in dict.fromkeys(one.object for one in listed):
            full = self.full(name)
            if full is not None:  # two names that become the same stand for none
                self._by_name[full] = None if full in self._by_name else name

    def full(self, name: str) -> str | None:
        """Returns the place of a listed name, ``None`` if it can have none."""
        if self._base is None or (self._at_home and absolute(name) == name):
            return absolute(name)
        parts = name.split("/")[self._drop :]
        return "/".join([self._base, *parts]) if parts and ".." not in parts else None

    def listed(self, stored: Stored) -> str | None:
        """Returns the listed name of an object, ``None`` if there is none."""
        return self._by_place.get(stored.place or stored.full) or self._by_name.get(stored.full)


def is_below(full: str, root: str) -> bool:
    """Tells whether a place lies at a path, or below it."""
    return full == root or full.startswith(root.rstrip("/") + "/")


def aligned(listed: Sequence[Listed], found: Sequence[Stored], root: str) -> Alignment | None:
    """Returns how listed objects go with those found. Where some lie where they were listed, so do the others; else
    names go together by the longest ends that agree, as most do; else as they are. ``None`` if nothing was found, and
    nothing listed lies below ``root``."""
    by_place = {one.place or one.object: one.object for one in listed}
    home = [(one.full, by_place[key]) for one in found if (key := one.place or one.full) in by_place]
    pairs = home or _alike(listed, found[:: max(1, len(found) // _SAMPLE)])
    votes = Counter(_way(full.split("/"), name.split("/")) for full, name in pairs)
    if votes:
        (base, drop), _ = max(votes.items(), key=lambda one: (one[1], -one[0][1], one[0][0] or ""))
        return Alignment(listed, base, drop, bool(home))
    if not found and not any(is_below(absolute(one.object), root) for one in listed):
        return None
    return Alignment(listed, None, 0, True)


def _alike(listed: Sequence[Listed], found: Iterable[Stored]) -> list[tuple[str, str]]:
    """Returns pairs of objects with the same last part of their names."""
    by_end: dict[str, list[str]] = {}
    for name in dict.fromkeys(one.object for one in listed):
        by_end.setdefault(name.rpartition("/")[2], []).append(name)
    return [(one.full, name) for one in found for name in by_end.get(one.full.rpartition("/")[2], ())[:_ALIKE]]


def _way(place: list[str], name: list[str]) -> tuple[str | None, int]:
    """Returns the base and the drop by which a name becomes a place."""
    same = 0
    while same < min(len(place), len(name)) and place[-1 - same] == name[-1 - same]:
        same += 1
    if same == len(place) == len(name):
        return None, 0
    return "/".join(place[: len(place) - same]), len(name) - same
