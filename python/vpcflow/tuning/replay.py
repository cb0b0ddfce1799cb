"""Rules that somebody thinks of, asked about what was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reach import Network, RuleSet
from ..reach.rules import rules_of_group
from .judging import Answer, Start
from .rules import Rule


class Candidate:
    """Rules of some groups in place of those that the inventory has; all other groups keep theirs. Members of groups
    and entries of prefix lists are those of the time of what is asked."""

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        self.rules = rules
        self._items = {group: [rule.as_item() for rule in own] for group, own in rules.items()}
        self._sets: dict[tuple[int, tuple[str, ...], bool], RuleSet] = {}
        self._told: dict[tuple[int, tuple[str, ...], bool, str, int, int], Answer] = {}

    def ask(self, network: Network, groups: tuple[str, ...], start: Start) -> Answer:
        """Returns what the rules say of a start of sessions at an interface with these groups."""
        key = (id(network), groups, start.egress, start.peer, start.protocol, start.port)
        if key not in self._told:
            told = self._set(network, groups, start.egress).ask(start.peer, start.protocol, start.port)
            self._told[key] = Answer(told.permit, told.rules, tuple(one for one in told.maybe if one not in told.rules))
        return self._told[key]

    def _set(self, network: Network, groups: tuple[str, ...], egress: bool) -> RuleSet:
        key = (id(network), groups, egress)
        if key not in self._sets:
            found = []
            for group in groups:
                if group in self._items:
                    found += rules_of_group(
                        {"GroupId": group}, egress, self._items[group], network.group_peers, network.prefix_list
                    )
                else:
                    found += network.rules_of((group,), "egress" if egress else "ingress").rules
            self._sets[key] = RuleSet(found)
        return self._sets[key]
