"""Sets of addresses as ranges, fast to compare."""

from __future__ import annotations

import bisect
import ipaddress
from collections.abc import Iterable

from .rules import Net

#: Ranges of one family, ascending and apart from each other: their first and their last addresses.
Ranges = tuple[list[int], list[int]]


class Addresses:
    """A set of addresses of both families."""

    def __init__(self, nets: Iterable[Net] = ()) -> None:
        by_family: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for net in nets:
            by_family[net.version].append((int(net.network_address), int(net.broadcast_address)))
        self.ranges = {version: _joined(own) for version, own in by_family.items()}

    def holds(self, version: int, first: int, last: int) -> bool:
        """Tells whether all of a range is in the set. O(log ranges)."""
        firsts, lasts = self.ranges[version]
        at = bisect.bisect_right(firsts, first) - 1
        return at >= 0 and last <= lasts[at]

    def holds_net(self, net: Net) -> bool:
        return self.holds(net.version, int(net.network_address), int(net.broadcast_address))

    def holds_all(self, other: Addresses) -> bool:
        """Tells whether another set is in this one."""
        return all(
            self.holds(version, first, last)
            for version, (firsts, lasts) in other.ranges.items()
            for first, last in zip(firsts, lasts)
        )

    def __contains__(self, address: str) -> bool:
        one = ipaddress.ip_address(address)
        return self.holds(one.version, int(one), int(one))

    def __and__(self, other: Addresses) -> Addresses:
        out = Addresses()
        for version, (firsts, lasts) in self.ranges.items():
            theirs = list(zip(*other.ranges[version]))
            both = [
                (max(first, one), min(last, end))
                for first, last in zip(firsts, lasts)
                for one, end in theirs
                if max(first, one) <= min(last, end)
            ]
            out.ranges[version] = _joined(both)
        return out

    @property
    def size(self) -> int:
        return sum(last - first + 1 for firsts, lasts in self.ranges.values() for first, last in zip(firsts, lasts))


def _joined(ranges: list[tuple[int, int]]) -> Ranges:
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(ranges):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
