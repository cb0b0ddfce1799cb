"""Change points of a share in a series of bins: where it changed, by how much, and how sure that is.

One change is found by a scan of the binomial likelihood ratio over all splits; several by the same scan within
intervals of many lengths (seeded binary segmentation: Kovacs and others, 2023). A change counts if the exact test of
its two sides, times all splits that were looked at, is rarer than :data:`RARE`; and if the spread of the bins beyond
the binomial one (bursts of retries) does not explain it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .intervals import chi_square_p, exact_p

#: How often a series without a change may show one; at most one in 2,000.
RARE = 0.0005
_BEYOND = 2.0  # times what bursts explain
_WIDE = 1.3  # times the binomial spread, from which on bins are not taken for binomial ones
_WORTH_A_TEST = 6.0  # a log likelihood ratio below cannot be as rare, in any series


class Split(NamedTuple):
    """A change between two bins: the first bin after it, and hits and tries on both sides, as far as the next
    changes; ``p`` is corrected for all splits that were looked at."""

    bin: int
    hits_before: int
    tries_before: int
    hits: int
    tries: int
    p: float


def could_change(hits: int, tries: int, rare: float = RARE) -> bool:
    """Tells whether so many hits in so many tries could show a change in any order."""
    few = min(hits, tries - hits)
    # The rarest order has all hits on one side, as likely as one choice of them.
    return few > 0 and (few > 4 or 2 / math.comb(tries, few) <= rare)


def _xlogx(x: float) -> float:
    return x * math.log(x) if x > 0 else 0.0


class _Sums:
    """Running sums of a series."""

    def __init__(self, tries: Sequence[int], hits: Sequence[int]) -> None:
        self.tries, self.hits = [0], [0]
        for n, k in zip(tries, hits):
            self.tries.append(self.tries[-1] + n)
            self.hits.append(self.hits[-1] + k)

    def of(self, begin: int, end: int) -> tuple[int, int]:
        """Returns hits and tries of the bins from begin to before end."""
        return self.hits[end] - self.hits[begin], self.tries[end] - self.tries[begin]

    def best(self, begin: int, end: int) -> tuple[float, int]:
        """Returns the greatest log likelihood ratio of a split between two bins, and the first bin after it."""
        hits, tries = self.of(begin, end)
        if hits in (0, tries):
            return 0.0, begin
        first_hit, first_try = self.hits[begin], self.tries[begin]
        alike = _xlogx(hits) + _xlogx(tries - hits) - _xlogx(tries)
        best, place = 0.0, begin
        for split in range(begin + 1, end):
            k, n = self.hits[split] - first_hit, self.tries[split] - first_try
            if n == 0 or n == tries:
                continue
            left = _xlogx(k) + _xlogx(n - k) - _xlogx(n)
            k, n = hits - k, tries - n
            value = left + _xlogx(k) + _xlogx(n - k) - _xlogx(n) - alike
            if value > best:
                best, place = value, split
        return best, place


def _intervals(bins: int) -> Iterator[tuple[int, int]]:
    """Yields all of the series, and intervals of half its length, a quarter and so on, each half over the next."""
    yield 0, bins
    length = bins / 2
    while length >= 2:
        count = max(2, math.ceil(2 * bins / length) - 1)
        for i in range(count):
            begin = round(i * (bins - length) / (count - 1))
            yield begin, min(bins, begin + math.ceil(length))
        length /= 2


def changes_in(tries: Sequence[int], hits: Sequence[int], rare: float = RARE) -> list[Split]:
    """Returns the changes of the share of hits in tries from bin to bin, in the order of time.

    ``rare``: the probability of any change in a series that has none. O(bins log bins)."""
    sums = _Sums(tries, hits)
    if not could_change(*sums.of(0, len(tries))):
        return []
    looked = sum(end - begin - 1 for begin, end in _intervals(len(tries)))
    chosen: list[int] = []
    for split, begin, end in _candidates(sums):
        clear = looked * exact_p(*sums.of(begin, split), *sums.of(split, end)) <= rare
        if clear and not any(begin < other < end for other in chosen):
            chosen.append(split)
    return _proved(sums, sorted(chosen), looked, rare)


def _candidates(sums: _Sums) -> list[tuple[int, int, int]]:
    """Returns the best split of each interval with the interval, the clearest first."""
    found = []
    for begin, end in _intervals(len(sums.tries) - 1):
        value, split = sums.best(begin, end)
        if value > _WORTH_A_TEST:
            found.append((-value, split, begin, end))
    return [one[1:] for one in sorted(found)]


def _proved(sums: _Sums, chosen: list[int], looked: int, rare: float) -> list[Split]:
    """Moves each change to the best place between its neighbours, and drops the least certain one until all hold."""
    bins = len(sums.tries) - 1
    while chosen:
        for i in range(len(chosen)):
            begin = chosen[i - 1] if i else 0
            end = chosen[i + 1] if i + 1 < len(chosen) else bins
            value, split = sums.best(begin, end)
            chosen[i] = split if value > 0 else chosen[i]
        edges = [0, *chosen, bins]
        spread = _spread(sums, edges)
        splits = []
        for begin, split, end in zip(edges, chosen, edges[2:]):
            before, after = sums.of(begin, split), sums.of(split, end)
            p = exact_p(*before, *after)
            if spread > 1:
                p = max(p, chi_square_p(2 * sums.best(begin, end)[0] / spread))
            splits.append(Split(split, *before, *after, min(1.0, p * looked)))
        worst = max(splits, key=lambda one: one.p)
        if worst.p <= rare and (spread <= _WIDE or _more_than_bursts(sums, edges)):
            return splits
        chosen = [one.bin for one in splits if one is not worst]
    return []


def _more_than_bursts(sums: _Sums, edges: Sequence[int]) -> bool:
    """Tells whether changes explain more than as many bursts of a bin each would: bins that fail alone, in any order,
    are no changes, those that fail one after the other are."""
    bins = len(sums.tries) - 1
    alike = _likelihood(sums, [0, bins])
    hits, tries = sums.of(0, bins)
    alone = []
    for k, n in (sums.of(i, i + 1) for i in range(bins)):
        rest = _xlogx(hits - k) + _xlogx(tries - n - hits + k) - _xlogx(tries - n)
        alone.append(rest + _xlogx(k) + _xlogx(n - k) - _xlogx(n) - alike)
    bursts = sorted(alone, reverse=True)[: (len(edges) - 1) // 2]  # two changes cut out one
    return _likelihood(sums, edges) - alike >= _BEYOND * sum(bursts)


def _likelihood(sums: _Sums, edges: Sequence[int]) -> float:
    """Returns the log likelihood of a series with a share of its own in each segment."""
    total = 0.0
    for begin, end in zip(edges, edges[1:]):
        hits, tries = sums.of(begin, end)
        total += _xlogx(hits) + _xlogx(tries - hits) - _xlogx(tries)
    return total


def _spread(sums: _Sums, edges: Sequence[int]) -> float:
    """Returns how much more the bins spread within their segments than binomial ones do: 1 for as much. Measured on
    Anscombe's scale, where a rare hit in a small bin does not count for many."""
    total, bins = 0.0, 0
    for begin, end in zip(edges, edges[1:]):
        hits, tries = sums.of(begin, end)
        if hits in (0, tries):
            continue
        middle = _angle(hits, tries)
        used = 0
        for i in range(begin, end):
            k, n = sums.of(i, i + 1)
            if n:
                total += (4 * n + 2) * (_angle(k, n) - middle) ** 2
                used += 1
        bins += used - 1
    return total / bins if bins > 0 else 1.0


def _angle(hits: int, tries: int) -> float:
    return math.asin(math.sqrt((hits + 0.375) / (tries + 0.75)))
