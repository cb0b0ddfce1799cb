"""What rules of security groups are without any traffic: dead, contained in others, the same as others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..inventory import Inventory
from ..inventory.table import members
from ..reach import Network
from .ranges import Addresses
from .rules import Rule, by_group
from .slow_matcher import SlowMatcher

_GONE = ("deleted", "deleting", "failed", "rejected", "expired")  # of peering connections


class Facts:
    """The static facts of the rules of now."""

    def __init__(self, inventory: Inventory, rules: Sequence[Rule]) -> None:
        self._groups = inventory.at("SecurityGroups")
        self._has_groups = "SecurityGroups" in inventory.tables
        self._stale = _stale(inventory)
        self._network = Network.at(inventory)
        self._matcher = SlowMatcher(inventory)
        self._known: dict[str, Addresses | None] = {}
        self._own = by_group(rules)
        self._same: dict[tuple[Any, ...], list[Rule]] = {}
        for rule in rules:
            self._same.setdefault(_content(rule), []).append(rule)

    def name_of(self, group: str) -> str:
        return str(self._groups.get(group, {}).get("GroupName") or "")

    def dead(self, rule: Rule) -> str | None:
        """Returns why a rule can match nothing; ``None`` if it can, or nobody knows."""
        if not self._network.members(rule.group):
            return "its group is on no interface"
        if rule.kind != "group":
            return None
        if rule.peering.lower() in _GONE:
            return f"the peering connection to {rule.source} is {rule.peering.lower()}"
        if (rule.group, rule.source) in self._stale:
            return f"{rule.source} is gone (describe-stale-security-groups)"
        if not self._has_groups or rule.source in self._groups:
            return None
        owner = str(self._groups.get(rule.group, {}).get("OwnerId") or "")
        return None if rule.owner and rule.owner != owner else f"{rule.source} is not among the groups"

    def is_forwarded(self, rule: Rule) -> bool:
        """Tells whether a rule refers to a group of a load balancer that keeps the clients' addresses."""
        return rule.kind == "group" and any(
            one.kind == "network_load_balancer" for one in self._network.members(rule.source)
        )

    def is_wide(self, rule: Rule) -> bool:
        """Tells whether a rule allows more than one address."""
        known = self._addresses(rule)
        return known is None or known.size > 1

    def contained_in(self, rule: Rule) -> list[str]:
        """Returns the other rules of the same group and direction each of which allows all that a rule does."""
        own = self._addresses(rule)
        out = []
        for one in self._own.get(rule.group, []):
            if one.id == rule.id or one.egress != rule.egress or not _takes_all(one, rule):
                continue
            theirs = self._addresses(one)
            if one.source == rule.source or (own is not None and theirs is not None and theirs.holds_all(own)):
                out.append(one.id)
        return out

    def _addresses(self, rule: Rule) -> Addresses | None:
        if rule.source not in self._known:
            nets = self._matcher.networks(rule)
            self._known[rule.source] = None if nets is None else Addresses(nets)
        return self._known[rule.source]

    def same_as(self, rule: Rule) -> list[str]:
        """Returns the rules of other groups that say the same."""
        return [one.id for one in self._same[_content(rule)] if one.group != rule.group]


def _takes_all(one: Rule, rule: Rule) -> bool:
    """Tells whether a rule is about all protocols and ports that another is about."""
    if one.protocol is None or one.protocol != rule.protocol:
        return one.protocol is None
    if one.is_icmp:
        return one.first_port < 0 or (one.first_port == rule.first_port and one.last_port in (-1, rule.last_port))
    return one.first_port <= rule.first_port and rule.last_port <= one.last_port


def _content(rule: Rule) -> tuple[Any, ...]:
    return (rule.egress, rule.protocol, rule.first_port, rule.last_port, rule.kind, rule.source)


def _stale(inventory: Inventory) -> set[tuple[str, str]]:
    """Returns groups with those that their rules refer to and that are gone, as describe-stale-security-groups says."""
    return {
        (group, str(pair.get("GroupId")))
        for group, item in inventory.at("StaleSecurityGroupSet").items()
        for listed in ("StaleIpPermissions", "StaleIpPermissionsEgress")
        for permission in members(item, listed)
        for pair in members(permission, "UserIdGroupPairs")
    }
