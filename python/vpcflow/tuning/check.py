"""Replays any rules over any log: what they would have denied and allowed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import PlanError
from ..inventory import Inventory
from ..query.flows import Flows
from ..query.report import Report
from ..typing import Progress
from .facts import Facts
from .judging import Answer, Judge, Judged, Times
from .observed import Observed, observe
from .proposal import Proposal, load_rules
from .replay import Candidate
from .rules import Rule, rule_of_item, rules_at
from .usage import concluded, inventory_for


@dataclasses.dataclass(frozen=True)
class RuleCheck:
    """What rules would have done to sessions that were observed."""

    #: Accepted, and the rules deny it: an edge a row, by when it was first seen.
    denied: list[dict[str, Any]]
    #: Rejected, current rules deny it, too, and the rules would allow it.
    allowed: list[dict[str, Any]]
    #: Accepted, and nobody knows whether the rules allow it, as rows of ``denied``.
    maybe: list[dict[str, Any]]
    #: Of sessions that were accepted: ``accepted``, ``denied``, ``maybe``, ``share`` of those denied.
    sessions: dict[str, Any]
    groups: list[str]
    left_out: dict[str, int]
    days: float
    report: Report

    def rows(self) -> list[dict[str, Any]]:
        """Returns all rows, each with ``change``: ``denied``, ``maybe``, ``allowed``."""
        parts = (("denied", self.denied), ("maybe", self.maybe), ("allowed", self.allowed))
        return [{"change": change, **row} for change, rows in parts for row in rows]

    def __repr__(self) -> str:
        return f"<RuleCheck: {self.sessions['denied']:,} of {self.sessions['accepted']:,} accepted sessions denied>"


def check_rules(
    rules: Proposal | str | os.PathLike[str] | Sequence[Mapping[str, Any]], flows: Flows | Observed,
    inventory: Inventory | str | os.PathLike[str], *, progress: Progress | bool | None = None,
) -> RuleCheck:  # fmt: skip
    """Replays rules over logs: which sessions that were accepted they would have denied, and which that were rejected
    they would have allowed.

    ``rules``: a :class:`Proposal`, a file of one, a file with an answer of ``describe-security-group-rules`` or
    ``describe-security-groups``, or such rows. They stand in place of all current rules of the groups that they name;
    other groups keep theirs. Members of groups and entries of prefix lists are those of the time of each session.

    Errors: :class:`~vpcflow.PlanError` for rules that cannot be read, and for groups that no interface of the inventory
    carries; else as of :func:`vpcflow.rule_usage`.
    """
    known = inventory_for(inventory, "check_rules")
    by_group = _rules_in(rules)
    observed, damage = observe(flows, progress)
    return concluded(_replayed(by_group, observed, known), damage)


def _replayed(by_group: dict[str, list[Rule]], observed: Observed, inventory: Inventory) -> RuleCheck:
    times = Times.of(inventory, observed)
    carried = {group for network in times.networks for one in network.interfaces.values() for group in one.groups}
    if not carried & set(by_group):
        raise PlanError(f"check: no interface of the inventory carries {', '.join(sorted(by_group)[:3])}")
    current = rules_at(inventory)
    facts = Facts(inventory, current)
    judge = Judge(times, [rule.id for rule in current if facts.dead(rule)])
    candidate = Candidate(by_group)
    found: dict[str, dict[Any, dict[str, Any]]] = {"denied": {}, "maybe": {}, "allowed": {}}
    accepted = 0
    for one in judge.judged(observed):
        network = times.networks[one.start.span]
        told = candidate.ask(network, one.interface.groups, one.start)
        if not one.start.client_known and not one.start.port:
            told = _either(
                told, candidate.ask(network, one.interface.groups, one.start._replace(egress=not one.start.egress))
            )
        if one.start.action != "REJECT":
            accepted += one.start.sessions
            goes_on = one.start.syn is False and one.verdict == "deny"  # begun before its rule was gone
            if (told.permit == "deny" and not goes_on) or (told.permit == "maybe" and one.verdict == "allow"):
                _add(found["denied" if told.permit == "deny" else "maybe"], one, told)
        elif one.verdict == "deny" and told.permit == "allow":
            _add(found["allowed"], one, told)
    rows = {
        kind: sorted(own.values(), key=lambda row: (row["first"], row["interface"], row["peer"], row["port"]))
        for kind, own in found.items()
    }
    numbers = {kind: sum(row["sessions"] for row in own) for kind, own in rows.items()}
    share = numbers["denied"] / accepted if accepted else None
    first, last = observed.span
    return RuleCheck(
        rows["denied"], rows["allowed"], rows["maybe"],
        {"accepted": accepted, **numbers, "share": share},
        sorted(by_group), judge.left_out, round((last - first) / 86400, 2), observed.report,
    )  # fmt: skip


def _rules_in(rules: Proposal | str | os.PathLike[str] | Sequence[Mapping[str, Any]]) -> dict[str, list[Rule]]:
    if isinstance(rules, (str, os.PathLike)):
        return load_rules(rules)
    items: Iterable[Mapping[str, Any]] = rules.rules if isinstance(rules, Proposal) else rules
    out: dict[str, list[Rule]] = {group: [] for group in rules.groups} if isinstance(rules, Proposal) else {}
    for item in items:
        rule = rule_of_item(item)
        if rule is None:
            raise PlanError(f"check: no rule: {item!r:.200}; expected a row as of describe-security-group-rules")
        out.setdefault(rule.group, []).append(rule)
    return out


def _either(one: Answer, other: Answer) -> Answer:
    """Returns what rules say of sessions of which nobody knows who began: no, if neither side may have."""
    permits = {one.permit, other.permit}
    return Answer("deny" if permits == {"deny"} else "allow" if "allow" in permits else "maybe", one.rules, one.maybe)


def _add(rows: dict[Any, dict[str, Any]], one: Judged, told: Answer) -> None:
    start = one.start
    row = rows.setdefault(start.edge, {
        "interface": start.interface, "direction": "egress" if start.egress else "ingress", "peer": start.peer,
        "protocol": start.protocol, "port": start.port, "sessions": 0, "answered": 0, "bytes": 0, "first": start.first,
        "last": start.last, "rules": list(told.rules or one.rules),
    })  # fmt: skip
    row["sessions"] += start.sessions
    row["answered"] += start.sessions if start.answered else 0
    row["bytes"] += start.bytes
    row["first"], row["last"] = min(row["first"], start.first), max(row["last"], start.last)
