"""The fewest prefixes, and those with the fewest further addresses, that cover some addresses: exactly."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .rules import Net

#: A prefix as its first address and length.
Prefix = tuple[int, int]
#: Of a set of addresses by number of prefixes less one: how many addresses they hold, and which they are.
_Table = list[tuple[int, "_Plan"]]
_Plan = tuple[object, ...]  # a Prefix, or two plans


class Cover(NamedTuple):
    """Prefixes that cover addresses."""

    rules: int
    addresses: int  # in them
    nets: tuple[Net, ...]


def cover_curve(addresses: Iterable[str], version: int, inside: Callable[[int, int], bool], most: int) -> list[Cover]:
    """Returns for 1, 2, ... ``most`` prefixes the cover of all addresses with the fewest addresses in it; only where
    one more prefix is better than without.

    ``version``: 4 or 6, of all addresses. ``inside(first, last)`` tells whether all of a range may be in the cover;
    each of the addresses may. By a dynamic programme over the tree of their common prefixes: O(addresses x most^2) at
    worst, O(addresses x most) of balanced trees."""
    bits = 32 if version == 4 else 128
    numbers = sorted({int(ipaddress.ip_address(one)) for one in addresses})
    if not numbers:
        return []
    out: list[Cover] = []
    for rules, (size, plan) in enumerate(_table(numbers, bits, inside, most), 1):
        if size is not _NONE and (not out or size < out[-1].addresses):
            out.append(Cover(rules, size, tuple(_nets(plan, version))))
    return out


_NONE = 1 << 200  # more than there are addresses: no such cover


def _table(numbers: list[int], bits: int, inside: Callable[[int, int], bool], most: int) -> _Table:
    """Returns the covers of ascending addresses, by a stack of subtrees from left to right."""
    stack: list[tuple[int, int, int, _Table]] = []  # first, last address, length of the common prefix, table
    for number in numbers:
        # The length of the prefix that a subtree shares with what comes next decides when it is complete.
        shared = _shared(stack[-1][1], number, bits) if stack else -1
        while len(stack) > 1 and _shared(stack[-2][1], stack[-1][0], bits) > shared:
            _join(stack, bits, inside, most)
        stack.append((number, number, bits, [(1, (number, bits))]))
    while len(stack) > 1:
        _join(stack, bits, inside, most)
    return stack[0][3]


def _join(stack: list[tuple[int, int, int, _Table]], bits: int, inside: Callable[[int, int], bool], most: int) -> None:
    first_right, last, _, right = stack.pop()
    first, last_left, _, left = stack.pop()
    length = _shared(last_left, first_right, bits)
    size = 1 << (bits - length)
    base = first >> (bits - length) << (bits - length)
    table: _Table = [(size, (base, length)) if inside(base, base + size - 1) else (_NONE, ())]
    for rules in range(2, min(most, len(left) + len(right)) + 1):
        best = min(
            (left[a - 1][0] + right[rules - a - 1][0], a)
            for a in range(max(1, rules - len(right)), min(len(left), rules - 1) + 1)
        )
        cost, a = best
        if cost >= table[-1][0]:
            table.append(table[-1])
        else:
            table.append((cost, (left[a - 1][1], right[rules - a - 1][1])) if cost < _NONE else (_NONE, ()))
    stack.append((first, last, length, table))


def _shared(one: int, other: int, bits: int) -> int:
    """Returns how many leading bits two numbers have in common."""
    return bits - (one ^ other).bit_length()


def _nets(plan: _Plan, version: int) -> list[Net]:
    kind = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
    out: list[Net] = []
    waiting: list[_Plan] = [plan]
    while waiting:
        one = waiting.pop()
        if isinstance(one[0], int):
            out.append(kind((one[0], one[1])))
        else:
            waiting += [one[1], one[0]]  # type: ignore[list-item]
    return out


def best_choice(curves: list[list[tuple[int, int]]], budget: int) -> list[int] | None:
    """Chooses a point of each curve (rules, cost) so that the costs together are least within a budget of rules;
    ``None`` if none fits. Exact: O(curves x points x budget)."""
    best: list[tuple[int, tuple[int, ...]] | None] = [(0, ())] + [None] * budget
    for curve in curves:
        following: list[tuple[int, tuple[int, ...]] | None] = [None] * (budget + 1)
        for used, own in enumerate(best):
            if own is None:
                continue
            for number, (rules, cost) in enumerate(curve):
                to = used + rules
                if to <= budget and ((now := following[to]) is None or own[0] + cost < now[0]):
                    following[to] = (own[0] + cost, (*own[1], number))
        best = following
    found = [one for one in best if one is not None]
    return list(min(found)[1]) if found else None
