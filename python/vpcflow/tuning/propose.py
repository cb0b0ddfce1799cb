"""Proposes narrower rules for security groups, and proves what they keep."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..errors import PlanError
from ..inventory import Inventory
from ..query.arguments import instance, whole
from ..query.flows import Flows
from ..reach import Network
from ..typing import Progress
from .confidence import denial, of_group
from .contradictions import MOST_UNEXPLAINED, Contradictions, Weighing
from .digest import digest_of
from .facts import Facts
from .judging import DAY, Judge, Judged, Times
from .kept import Sorted, hostile_in, sort_out
from .members import Membership, memberships
from .narrowing import ADMIN_PORTS, BUDGET, Narrowing, Piece, chosen, rules_for
from .needs import dynamic, needs_of, ways
from .observed import Observed, observe
from .proposal import Proposal
from .ranges import Addresses
from .replay import Candidate
from .rules import Rule, by_group, rules_at
from .slow_matcher import SlowMatcher
from .usage import LEAST_COVERAGE, inventory_for


def propose_rules(
    flows: Flows | Observed, inventory: Inventory | str | os.PathLike[str], *, groups: Sequence[str] = (),
    keep: Sequence[str] = (), exclude: Sequence[str] = (), hold_out: int | None = None, budget: int = BUDGET,
    progress: Progress | bool | None = None,
) -> Proposal:  # fmt: skip
    """Proposes rules that allow what was seen and less beside it than the current ones.

    Kept is what was accepted and answered (of other protocols than TCP also what nobody answers), but for what
    detection calls hostile and the addresses ``exclude``; ``dropped`` counts the rest by reason. Rules named in
    ``keep`` stay, and so do those with a tag ``keep`` or ``keep:`` in the description.

    For each group, protocol and port the peers become references to groups whose interfaces they are, prefix lists, and
    the prefixes with the fewest further addresses (exactly, by a dynamic programme; ``choices`` has the curve), all
    within the current rules, and within ``budget`` rules for each direction and family. Services for anybody stay open.
    The last quarter of the days is held out (``hold_out``: so many days): it is not learned from, and what the proposal
    would have denied of it is in ``breaks`` and ``held_out_denied``. Every kept session is checked by a second, slow
    matcher.

    ``groups``: ids; all of the inventory that interfaces carry without. Groups whose interfaces are covered less than
    95 % are left as they are, which ``notes`` say.

    Raises :class:`~vpcflow.PlanError` if more than 0.5 % of the sessions contradict the rules and nothing explains it,
    for an unknown group, and for a filter in ``flows``; else errors as of :func:`vpcflow.rule_usage`.
    """
    instance(flows, (Flows, Observed), "propose_rules", "propose_rules(vf.scan('logs/'), vf.inventory('aws/'))")
    known = inventory_for(inventory, "propose_rules")
    budget = whole(budget, "budget", "propose_rules(flows, inventory, budget=60)")
    observed, damage = observe(flows, progress)
    if observed.filtered:
        raise PlanError("propose: a filter left records out, whose sessions would be denied; give all of the logs")
    if damage is not None:  # what was not read would be denied
        raise damage
    return _Proposing(observed, known, groups, keep, exclude, hold_out, budget).run()


class _Proposing:
    """One proposal in the making."""

    def __init__(
        self, observed: Observed, inventory: Inventory, groups: Sequence[str], keep: Sequence[str],
        exclude: Sequence[str], hold_out: int | None, budget: int,
    ) -> None:  # fmt: skip
        self.observed, self.inventory, self.budget, self.exclude = observed, inventory, budget, exclude
        self.notes: list[str] = []
        self.times = Times.of(inventory, observed, days=True)
        self.network = Network.at(inventory)
        self.matcher = SlowMatcher(inventory)
        self._nets = {
            one.id: [ipaddress.ip_network(text) for text in one.addresses] for one in self.network.interfaces.values()
        }
        self.current = rules_at(inventory)
        facts = Facts(inventory, self.current)
        self.judge = Judge(self.times, [rule.id for rule in self.current if facts.dead(rule)])
        self.by_id = {rule.id: rule for rule in self.current}
        if unknown := sorted(set(keep) - set(self.by_id)):
            raise PlanError(f"propose: no rule {unknown[0]} to keep in the inventory")
        self.keep = set(keep) | {rule.id for rule in self.current if _is_pinned(rule)}
        self.members = memberships(inventory, observed)
        self.scope = self._scope(groups)
        first, last = observed.span
        self.days = round((last - first) / DAY, 2)
        number = last // DAY - first // DAY + (1 if last % DAY else 0)
        self.held_out = (
            number // 4
            if hold_out is None
            else whole(hold_out, "hold_out", "propose_rules(flows, inventory, hold_out=7)")
        )
        if not 0 <= self.held_out < max(number, 1):
            raise PlanError(f"propose: hold_out={self.held_out}: the logs have {number} days; hold out fewer")
        self.learned_until = (first // DAY + number - self.held_out) * DAY

    def _scope(self, groups: Sequence[str]) -> set[str]:
        here = {group for group in self.network.items["SecurityGroups"] if self.network.members(group)}
        here |= {rule.group for rule in self.current if self.network.members(rule.group)}
        names = {str(item.get("GroupName")): one for one, item in self.network.items["SecurityGroups"].items()}
        wanted = {names.get(one, one) if one not in here else one for one in groups} or here
        if unknown := sorted(wanted - here):
            raise PlanError(f"propose: no group {unknown[0]} that an interface of the inventory carries")
        for group in sorted(wanted):
            member = self.members.get(group, Membership(0, 0, 0))
            if member.coverage < LEAST_COVERAGE:
                self.notes.append(
                    f"{group} is left as it is: {member.coverage:.1%} of the time of its interfaces is covered"
                )
        return {one for one in wanted if self.members.get(one, Membership(0, 0, 0)).coverage >= LEAST_COVERAGE}

    def run(self) -> Proposal:
        """Makes the proposal."""
        starts = self.judge.judged(self.observed)
        weighing = Weighing(self.judge, self.inventory, self.observed)
        for one in starts:
            weighing.add(one)
        self._refuse(weighing.found)
        hostile = hostile_in(self.observed)
        found = sort_out(starts, hostile, self.exclude)
        found = self._of_now(found)
        learned = [one for one in found.kept if one.start.first < self.learned_until]
        later = [one for one in found.kept if one.start.first >= self.learned_until]
        pieces, notes, rules = self._narrowed(learned)
        self.notes += notes
        candidate = Candidate(_with_groups(rules, self.scope))
        covers = self._proved(learned, rules, candidate)
        denied = [one for one in later if not self._allows(candidate, one)]
        by_edge = Counter[Any]()
        for one in later:
            by_edge[one.start.edge] += one.start.sessions
        bad = Counter[Any]()
        for one in denied:
            bad[one.start.edge] += one.start.sessions
        ids = {rule.id for rule in rules}
        scoped = [rule for rule in self.current if rule.group in self.scope]
        return Proposal(
            rules=[rule.as_item() for rule in rules],
            kept_rules=sorted(ids & {rule.id for rule in scoped}),
            revoked=[rule.as_item() for rule in scoped if rule.id not in ids],
            covers=covers,
            breaks=self._breaks(denied, found, candidate),
            widened=self._widened(rules),
            held_out_denied=denial(bad, by_edge),
            confidence=self._confidence(learned),
            dropped=dict(found.dropped.most_common()),
            choices=[_choice(piece) for piece in pieces],
            objective=self._objective(scoped, rules),
            contradictions=weighing.found.rows(),
            groups=sorted(self.scope),
            notes=self.notes,
            inventory_digest=digest_of(self.inventory),
            days=self.days,
            held_out_days=self.held_out,
        )

    def _of_now(self, found: Sorted) -> Sorted:
        """Leaves out what only rules allowed that are gone: a proposal allows nothing that the rules of now do not."""
        kept = []
        for one in found.kept:
            if self._allows_now(one):
                kept.append(one)
            else:
                found.dropped["allowed by rules that are gone"] += one.start.sessions
        return dataclasses.replace(found, kept=kept)

    def _allows_now(self, one: Judged) -> bool:
        """Tells whether the rules of now allow a start, with the members of their groups and lists at its time."""
        start = one.start
        for id in one.rules or one.maybe:
            rule = self.by_id.get(id)
            if rule is not None and rule.kind in ("group", "prefix-list") and rule.takes(start.protocol, start.port):
                return True
        asked = (self.judge.ask(self.network, one.interface.groups, egress, start.peer, start.protocol, start.port)
                 for egress in ways(one, self.by_id))  # fmt: skip
        return all(answer.permit != "deny" for answer in asked)

    def _refuse(self, found: Contradictions) -> None:
        if found.unexplained_share > MOST_UNEXPLAINED:
            example = next(row["examples"][0] for row in found.rows() if row["cause"] == "unexplained")
            raise PlanError(
                f"propose: {found.unexplained:,} of {found.sessions:,} sessions ({found.unexplained_share:.1%}) "
                f"contradict the rules, and nothing explains it; {MOST_UNEXPLAINED:.1%} are allowed; such as "
                f"{example}; the inventory may be of another time or lack describe-network-acls: "
                "vpcflow sg usage shows all"
            )

    def _narrowed(self, learned: Sequence[Judged]) -> tuple[list[Piece], list[str], list[Rule]]:
        """Returns what each need became, notes, and the rules of all groups in scope."""
        counts = {group: member.interfaces for group, member in self.members.items()}
        needs = needs_of(learned, self.scope, counts, self.by_id)
        narrowing = Narrowing(self.network, self.matcher, self.current)
        pieces: list[Piece] = []
        notes: list[str] = []
        rules: list[Rule] = []
        all_needs = dynamic(needs, self.current)
        for group in sorted(self.scope):
            own = [piece for need in all_needs if need.group == group for piece in narrowing.pieces(need)]
            current = [rule for rule in self.current if rule.group == group]
            pinned = [rule for rule in current if rule.id in self.keep]
            covers, said = chosen(own, self.budget - len(pinned), narrowing.weight)
            if not own and current:
                said.append(f"{group}: no session was kept, and all of its rules but those to keep would go")
            made = rules_for(own, covers, current)
            for rule in made:
                inside = [port for port in ADMIN_PORTS if rule.has_ports and rule.first_port < port < rule.last_port]
                if inside:
                    said.append(f"{rule} spans ports that administer hosts: {', '.join(map(str, inside))}")
            rules += _renamed([*made, *(rule for rule in pinned if rule not in made)], len(rules))
            pieces += own
            notes += said
        return pieces, notes, rules

    def _allows(self, candidate: Candidate, one: Judged) -> bool:
        """Tells whether the rules allow what the current ones do, as surely as they do."""
        network = self.times.networks[one.start.span]
        for egress in ways(one, self.by_id):
            permit = candidate.ask(network, one.interface.groups, one.start._replace(egress=egress)).permit
            if permit == "deny" or (permit == "maybe" and one.verdict == "allow" and one.start.client_known):
                return False
        return True

    def _proved(self, learned: Sequence[Judged], rules: Sequence[Rule], candidate: Candidate) -> dict[str, Any]:
        """Checks each kept session by the slow matcher; returns how many each rule allows. Raises
        :class:`~vpcflow.PlanError` for one that no rule does: then the proposal is none."""
        mine = by_group(rules)
        others = by_group(rule for rule in self.current if rule.group not in self.scope)
        matchers: dict[int, SlowMatcher] = {}
        told: dict[tuple[Any, ...], list[str]] = {}
        by_rule: Counter[str] = Counter()
        total = 0
        for one in learned:
            start = one.start
            network = self.times.networks[start.span]
            for egress in ways(one, self.by_id):
                key = (id(network), one.interface.groups, egress, start.peer, start.protocol, start.port)
                if key not in told:
                    if id(network) not in matchers:
                        matchers[id(network)] = SlowMatcher(self.inventory, network.time)
                    asked = [
                        rule
                        for group in one.interface.groups
                        for rule in (mine.get(group, []) if group in self.scope else others.get(group, []))
                        if rule.egress == egress
                    ]
                    allowed, maybe = matchers[id(network)].ask(asked, start.peer, start.protocol, start.port)
                    told[key] = allowed or maybe
                if not told[key]:
                    raise PlanError(
                        f"propose: no rule of the proposal allows {start}: this is a defect, please report it"
                    )
                for rule in told[key]:
                    by_rule[rule] += start.sessions
            total += start.sessions
        return {
            "sessions": total,
            "allowed": total,
            "by_rule": dict(sorted(by_rule.items())),
            "checked_by": "slow matcher",
        }

    def _breaks(self, denied: Iterable[Judged], found: Sorted, candidate: Candidate) -> list[dict[str, Any]]:
        """Returns the edges that were accepted and that the rules would deny, by when they were first seen."""
        edges: dict[tuple[Any, ...], dict[str, Any]] = {}
        reasons = [(one, "held out, not learned") for one in denied]
        reasons += [(one, why) for one, why in found.refused if not self._allows(candidate, one)]
        for one, why in reasons:
            start = one.start
            row = edges.setdefault((*start.edge, why), {
                "interface": start.interface, "direction": "egress" if start.egress else "ingress", "peer": start.peer,
                "protocol": start.protocol, "port": start.port, "why": why, "sessions": 0, "bytes": 0,
                "first": start.first, "last": start.last, "rules": list(one.rules or one.maybe),
            })  # fmt: skip
            row["sessions"] += start.sessions
            row["bytes"] += start.bytes
            row["first"], row["last"] = min(row["first"], start.first), max(row["last"], start.last)
        return sorted(edges.values(), key=lambda row: (row["first"], row["interface"], row["peer"], row["port"]))

    def _widened(self, rules: Iterable[Rule]) -> list[dict[str, Any]]:
        """Returns what the rules allow, at the interfaces of now, and the current ones do not."""
        ids = {rule.id for rule in self.current}
        return [
            {"rule": rule.as_item(), "allows": wide}
            for rule in rules
            if rule.id not in ids and (wide := self.matcher.widening(rule, self.current))
        ]

    def _confidence(self, learned: Iterable[Judged]) -> dict[str, dict[str, Any]]:
        edges: dict[str, Counter[Any]] = {group: Counter() for group in sorted(self.scope)}
        for one in learned:
            for group in self.scope.intersection(one.interface.groups):
                edges[group][one.start.edge] += one.start.sessions
        days = max(0.0, round(self.days - self.held_out, 2))
        none = Membership(0, 0, 0)
        return {
            group: of_group(own, days, self.members.get(group, none).coverage, self.members.get(group, none).interfaces)
            for group, own in edges.items()
        }

    def _objective(self, before: Sequence[Rule], after: Sequence[Rule]) -> dict[str, Any]:
        """Returns rules, addresses x ports (of rules added up) and interfaces that reach a group, before and after."""
        out: dict[str, Any] = {}
        for group in sorted(self.scope):
            own = [[rule for rule in rules if rule.group == group] for rules in (before, after)]
            out[group] = {
                "rules": [len(rules) for rules in own],
                "address_ports": [sum(self._volume(rule) for rule in rules) for rules in own],
                "interfaces_that_reach_it": [self._reaching(rules) for rules in own],
            }
        return out

    def _volume(self, rule: Rule) -> int:
        ports = rule.last_port - rule.first_port + 1 if rule.has_ports else 65536 if rule.protocol is None else 1
        return ports * sum(net.num_addresses for net in self.matcher.networks(rule) or [])

    def _reaching(self, rules: Iterable[Rule]) -> int:
        allowed = Addresses([net for rule in rules if not rule.egress for net in self.matcher.networks(rule) or []])
        return sum(any(allowed.holds_net(net) for net in nets) for nets in self._nets.values())


def _is_pinned(rule: Rule) -> bool:
    return rule.description.lower().startswith("keep:") or any(key.lower() == "keep" for key, _ in rule.tags)


def _with_groups(rules: Iterable[Rule], groups: Collection[str]) -> Mapping[str, list[Rule]]:
    out: dict[str, list[Rule]] = {group: [] for group in groups}
    for rule in rules:
        out[rule.group].append(rule)
    return out


def _renamed(rules: Iterable[Rule], number: int) -> list[Rule]:
    """Numbers the new among the rules of a group on from those of the groups before."""
    out: list[Rule] = []
    for rule in rules:
        out.append(dataclasses.replace(rule, id=f"new-{number + len(out) + 1}") if rule.id.startswith("new-") else rule)
    return out


def _choice(piece: Piece) -> dict[str, Any]:
    need = piece.need
    return {
        "group": need.group, "direction": "egress" if need.egress else "ingress", "protocol": need.protocol,
        "first_port": need.first_port, "last_port": need.last_port, "peers": len(need.peers),
        "sessions": sum(need.peers.values()), "sources": [source for _, source in dict.fromkeys(piece.sources)],
        "extra_interfaces": piece.extra, "why": piece.why,
        "curve": {
            f"ipv{version}": [{"rules": one.rules, "addresses": one.addresses} for one in curve]
            for version, curve in piece.curves.items()
        },
    }  # fmt: skip
