"""What the sessions to keep need of each group: by direction, protocol and port the peers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from .judging import Judged
from .rules import Rule


@dataclasses.dataclass
class Need:
    """The peers of a group at a port, by sessions."""

    group: str
    egress: bool
    protocol: int
    first_port: int
    last_port: int
    peers: Counter[str] = dataclasses.field(default_factory=Counter)
    rules: dict[str, set[str]] = dataclasses.field(default_factory=dict)  # by peer: those that allowed it

    @property
    def ports(self) -> int:
        return self.last_port - self.first_port + 1


#: By group, direction, protocol and port.
Needs = dict[tuple[str, bool, int, int], Need]


def needs_of(
    kept: Iterable[Judged], scope: Collection[str], members: Mapping[str, int], rules: Mapping[str, Rule]
) -> Needs:
    """Returns what groups in ``scope`` must allow so that each kept session stays allowed.

    A session that a rule of another group allows for certain needs nothing of them. Of several groups that allow it
    that with the fewest interfaces must, so that the fewest others can be reached as well. ``members``: interfaces by
    group; ``rules``: of now, by id."""
    out: Needs = {}
    for one in kept:
        start = one.start
        for egress in ways(one, rules):
            sure = _groups(one.rules, rules, one.interface.groups, egress)
            if sure - set(scope):
                continue
            able = sure or _groups(one.maybe, rules, one.interface.groups, egress) & set(scope)
            if not able:
                continue
            group = min(able, key=lambda name: (members.get(name, 0), name))
            key = (group, egress, start.protocol, start.port)
            need = out.setdefault(key, Need(group, egress, start.protocol, start.port, start.port))
            need.peers[start.peer] += start.sessions
            need.rules.setdefault(start.peer, set()).update(one.rules or one.maybe)
    return out


def ways(one: Judged, rules: Mapping[str, Rule]) -> list[bool]:
    """Returns the directions in which rules must allow what was judged: two where nobody knows who began."""
    if one.start.client_known or one.start.port:
        return [one.start.egress]
    return sorted({rules[id].egress for id in (*one.rules, *one.maybe) if id in rules}) or [one.start.egress]


def _groups(ids: Iterable[str], rules: Mapping[str, Rule], carried: Collection[str], egress: bool) -> set[str]:
    """Returns the groups of rules of one direction; of rules without ids of their own, the id is the group's."""
    found = {
        rules[one].group if one in rules else one
        for one in ids
        if one not in rules or rules[one].egress == egress or one == rules[one].group
    }
    return found & set(carried)


_MOST_PORTS = 10  # of a service of one port each
_SELDOM = 3  # sessions of a port that is drawn at random


def dynamic(needs: Needs, current: Iterable[Rule]) -> list[Need]:
    """Joins the ports of services that draw them at random (FTP's data, RPC): ten or more ports from 1024 on with a few
    sessions each, of one group and protocol, within one current rule. Returns all needs, of which those have ranges."""
    by_service: dict[tuple[str, bool, int], list[Need]] = {}
    out = []
    for need in needs.values():
        if need.protocol in (6, 17) and need.first_port >= 1024 and sum(need.peers.values()) <= _SELDOM:
            by_service.setdefault((need.group, need.egress, need.protocol), []).append(need)
        else:
            out.append(need)
    rules = list(current)
    for (group, egress, protocol), own in by_service.items():
        for rule in sorted(rules, key=lambda one: one.last_port - one.first_port):
            within = [need for need in own if _has(rule, group, egress, protocol, need)]
            if len(within) >= _MOST_PORTS:
                ports = [need.first_port for need in within]
                joined = Need(group, egress, protocol, min(ports), max(ports))
                for need in within:
                    joined.peers += need.peers
                    for peer, allowed in need.rules.items():
                        joined.rules.setdefault(peer, set()).update(allowed)
                out.append(joined)
                own = [need for need in own if need not in within]
        out += own
    return sorted(out, key=lambda need: (need.group, need.egress, need.protocol, need.first_port))


def _has(rule: Rule, group: str, egress: bool, protocol: int, need: Need) -> bool:
    same = rule.group == group and rule.egress == egress and rule.protocol in (None, protocol)
    return same and rule.takes(protocol, need.first_port)
