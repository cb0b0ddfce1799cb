"""Interface-minutes that a control needs, and those that the logs have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from .members import Member, Stretch
from .model import Control, Place
from .seen import Seen

_MINUTE = 60
_NAMED = 5  # interfaces in a sentence


@dataclasses.dataclass
class Side:
    """The interfaces of one side of a control in a day: seconds expected, and as they were seen."""

    place: Place
    expected: dict[str, int] = dataclasses.field(default_factory=dict)
    seen: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)

    def add(self, one: Member, start: int, end: int, seen: Seen) -> None:
        """Adds the time [start, end) of an interface."""
        start = max(start, one.since or start)
        if start >= end:
            return
        self.expected[one.id] = self.expected.get(one.id, 0) + end - start
        own = self.seen.setdefault(one.id, {"OK": 0, "NODATA": 0, "SKIPDATA": 0})
        for kind, length in seen.seconds(one.id, start, end).items():
            own[kind] += length

    @property
    def share(self) -> float:
        """The share of the time that the logs have."""
        expected = sum(self.expected.values())
        return sum(one["OK"] + one["NODATA"] for one in self.seen.values()) / expected if expected else 0.0

    def never(self) -> list[str]:
        """Returns the interfaces that logged nothing at all."""
        return sorted(id for id, one in self.seen.items() if not sum(one.values()))

    def skipped(self) -> list[str]:
        """Returns the interfaces of which AWS skipped records."""
        return sorted(id for id, one in self.seen.items() if one["SKIPDATA"])

    def gaps(self) -> list[str]:
        """Returns the interfaces of which minutes lack."""
        return sorted(id for id, one in self.seen.items() if sum(one.values()) < self.expected[id])


def sides_of(control: Control, pieces: Iterable[tuple[int, int, Stretch]], seen: Seen) -> list[Side]:
    """Returns the sides whose logs a control needs, over pieces of time each with its members. A control that says
    where clients may go needs those of its clients, any other both."""
    sides = [Side(control.source)]
    if control.kind != "allow_only" and control.target is not None:
        sides.append(Side(control.target))
    for start, end, stretch in pieces:
        for side in sides:
            for one in stretch.interfaces(side.place):
                side.add(one, start, end, seen)
    return sides


def minutes(sides: Iterable[Side]) -> dict[str, int]:
    """Returns the interface-minutes of sides together, each interface once."""
    expected: dict[str, int] = {}
    kinds: dict[str, Mapping[str, int]] = {}
    for side in sides:
        for id, length in side.expected.items():
            if length > expected.get(id, 0):
                expected[id], kinds[id] = length, side.seen[id]
    total = sum(expected.values())
    out = {kind: sum(one[kind] for one in kinds.values()) for kind in ("OK", "NODATA", "SKIPDATA")}
    return {
        "expected": total // _MINUTE, "ok": out["OK"] // _MINUTE, "nodata": out["NODATA"] // _MINUTE,
        "skipdata": out["SKIPDATA"] // _MINUTE, "absent": (total - sum(out.values())) // _MINUTE,
    }  # fmt: skip


def doubts(control: Control, sides: Iterable[Side], blind: Iterable[str]) -> list[str]:
    """Returns why the logs of the sides are not enough for a pass."""
    out: list[str] = []
    sides = list(sides)
    if not any(side.expected for side in sides):
        names = " or ".join(str(side.place) for side in sides)
        return [f"no interface of {names} is known: nothing would have seen a session"]
    for side in sides:
        if never := side.never():
            out.append(f"{named(never)} of {side.place} logged nothing: absent, not silent")
        if skipped := side.skipped():
            out.append(f"SKIPDATA: AWS lost records of {named(skipped)} of {side.place}")
        if side.expected and side.share < control.least:
            whole = "all" if control.least == 1 else f"{control.least:.4%}"
            out.append(
                f"the logs have {side.share:.4%} of the interface-minutes of {side.place}, needed are {whole}; "
                f"minutes lack of {named(side.gaps() or side.skipped())}"
            )
        if hidden := sorted(set(side.expected) & set(blind)):
            out.append(f"the flow logs of {named(hidden)} of {side.place} record REJECT alone")
    return list(dict.fromkeys(out))


def named(ids: list[str]) -> str:
    """Writes the first ids of some, and how many more there are."""
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return f"{', '.join(ids[:_NAMED])}{more}"
