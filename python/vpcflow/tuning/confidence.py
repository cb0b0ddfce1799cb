"""How far what was seen tells of what was not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_Z = 1.96  # 95 %


def unseen_share(counts: Iterable[int]) -> float:
    """Returns the share of sessions to come that are of edges not seen yet, by Good and Turing: edges seen once among
    all sessions."""
    once = total = 0
    for number in counts:
        once += number == 1
        total += number
    return once / total if total else 0.0


def denial(denied: Mapping[Any, int], all_edges: Mapping[Any, int]) -> dict[str, Any]:
    """Returns the share of sessions that were denied, with an interval of 95 %. Sessions of one edge stand or fall
    together, so the interval is that of as many independent ones as the edges are worth (Kish)."""
    total, bad = sum(all_edges.values()), sum(denied.values())
    if not total:
        return {"denied": 0, "sessions": 0, "share": None, "low": None, "high": None}
    worth = max(1.0, total * total / sum(number * number for number in all_edges.values()))
    low, high = wilson(bad / total, worth)
    return {
        "denied": bad,
        "sessions": total,
        "share": round(bad / total, 6),
        "low": round(low, 6),
        "high": round(high, 6),
    }


def wilson(share: float, number: float) -> tuple[float, float]:
    """Returns Wilson's interval of 95 % of a share among so many."""
    middle = share + _Z * _Z / (2 * number)
    width = _Z * math.sqrt(share * (1 - share) / number + _Z * _Z / (4 * number * number))
    base = 1 + _Z * _Z / number
    return max(0.0, (middle - width) / base), min(1.0, (middle + width) / base)


def of_group(edges: Counter[Any], days: float, coverage: float, interfaces: int) -> dict[str, Any]:
    """Returns what is known of the completeness of a group's edges: ``sessions``, ``edges``, ``unseen`` (share of
    sessions to come of edges not seen), ``missed_below`` (what is rarer, in uses a day, has more than 5 % chance not to
    have been seen), ``days``, ``coverage``, ``interfaces``."""
    return {
        "sessions": sum(edges.values()), "edges": len(edges), "unseen": round(unseen_share(edges.values()), 6),
        "missed_below": round(3 / days, 4) if days else None, "days": days, "coverage": round(coverage, 4),
        "interfaces": interfaces,
    }  # fmt: skip
