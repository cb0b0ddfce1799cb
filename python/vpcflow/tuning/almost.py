"""Rejected sessions that a rule would have allowed at another port, or of another peer."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any

from .judging import JudgedStarts, Times

_MOST_ASKED = 1000  # distinct rejected starts, those with most sessions
_MOST_SHOWN = 5  # of a rule


class Almost:
    """Collects rejected starts, and says which rules they just missed."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._rejected: list[tuple[int, int]] = []  # sessions, row

    def add(self, row: int, sessions: int) -> None:
        """Adds a start that the rules deny."""
        self._rejected.append((sessions, row))

    def rows(self, starts: JudgedStarts) -> list[dict[str, Any]]:
        """Returns a row for each rule, port, and what it missed by: ``rule_id``, ``missed`` (``port``, ``peer``),
        ``direction``, ``protocol``, ``port``, ``sessions``, ``peers`` (number), ``peer`` (one of them); of a rule those
        with most sessions."""
        found: dict[tuple[Any, ...], Counter[str]] = {}
        for sessions, row in heapq.nsmallest(_MOST_ASKED, ((-sessions, row) for sessions, row in self._rejected)):
            start, groups = starts.start(row), starts[row].interface.groups
            rules = self._times.networks[start.span].rules_of(groups, "egress" if start.egress else "ingress")
            for rule, missed in rules.ask(start.peer, start.protocol, start.port).missed:
                if missed in (("port",), ("peer",)):
                    at = (rule, missed[0], start.egress, start.protocol, start.port)
                    found.setdefault(at, Counter())[start.peer] -= sessions
        out: list[dict[str, Any]] = []
        shown: Counter[tuple[str, str]] = Counter()
        for (rule, missed, egress, protocol, port), peers in sorted(
            found.items(), key=lambda one: (-sum(one[1].values()), one[0])
        ):
            shown[rule, missed] += 1
            if shown[rule, missed] <= _MOST_SHOWN:
                out.append({
                    "rule_id": rule, "missed": missed, "direction": "egress" if egress else "ingress",
                    "protocol": protocol, "port": port, "sessions": sum(peers.values()), "peers": len(peers),
                    "peer": min(peers.items(), key=lambda one: (-one[1], one[0]))[0],
                })  # fmt: skip
        return out
