"""Intervals and tests of shares: Wilson's, Newcombe's, exact tails, ratios of counts, false-discovery rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

_Z = 1.959963984540054  # of 95 %


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share by Wilson's method; of no tries it is 0 to 1.

    >>> tuple(round(x, 4) for x in wilson(97, 100))
    (0.9155, 0.9897)
    """
    if n <= 0:
        return 0.0, 1.0
    share, z2 = hits / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # The ends are exact where nothing or all hit.
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == n else min(1.0, centre + half))


def difference(hits: int, n: int, hits_before: int, n_before: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share minus that before, by Newcombe's method (from both Wilson intervals)."""
    if not n or not n_before:
        return -1.0, 1.0
    now, before = hits / n, hits_before / n_before
    low, high = wilson(hits, n)
    low_before, high_before = wilson(hits_before, n_before)
    down = math.hypot(now - low, high_before - before)
    up = math.hypot(high - now, before - low_before)
    return max(-1.0, now - before - down), min(1.0, now - before + up)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def exact_p(hits: int, n: int, hits_other: int, n_other: int) -> float:
    """Returns the two-sided p-value that two shares are one, as Fisher's exact test has it: twice the smaller tail of
    the hypergeometric distribution, given all hits. O(hits) at worst; the sum ends when its terms do not count."""
    total, successes = n + n_other, hits + hits_other
    if not n or not n_other or successes in (0, total):
        return 1.0
    least, most = max(0, successes - n_other), min(successes, n)
    start = math.exp(_log_choose(n, hits) + _log_choose(n_other, hits_other) - _log_choose(total, successes))
    upper = hits * total >= successes * n
    term = tail = start
    x = hits
    while term > tail * 1e-17 and (x < most if upper else x > least):
        if upper:
            term *= (successes - x) * (n - x) / ((x + 1) * (n_other - successes + x + 1))
            x += 1
        else:
            term *= x * (n_other - successes + x) / ((successes - x + 1) * (n - x + 1))
            x -= 1
        tail += term
    return min(1.0, 2 * tail)


def chi_square_p(value: float) -> float:
    """Returns the tail of the chi-square distribution with one degree of freedom."""
    return math.erfc(math.sqrt(max(value, 0.0) / 2))


def discoveries(p_values: Sequence[float], rate: float) -> float:
    """Returns the largest p-value that counts as a discovery if a share of at most ``rate`` of them may be false
    (Benjamini and Hochberg); 0 if none does."""
    ordered = sorted(p_values)
    hits = [p for i, p in enumerate(ordered, 1) if p <= rate * i / len(ordered)]
    return hits[-1] if hits else 0.0


def ratio(after: Sequence[float], before: Sequence[float]) -> tuple[float, float, float] | None:
    """Returns the ratio of two means with its 95 % interval, on the scale of logarithms, by the spread of the values
    of equal bins; ``None`` if a side is empty or its mean is 0."""
    if len(after) < 2 or len(before) < 2:
        return None
    means, variance = [], 0.0
    for values in (after, before):
        mean = sum(values) / len(values)
        if mean <= 0:
            return None
        spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        variance += spread / len(values) / mean**2
        means.append(mean)
    middle, half = math.log(means[0] / means[1]), _Z * math.sqrt(variance)
    return means[0] / means[1], math.exp(middle - half), math.exp(min(middle + half, 700.0))
