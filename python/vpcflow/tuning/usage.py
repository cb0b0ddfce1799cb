"""Which rules of security groups are used, by whom, and which are not, as far as logs show."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar

from ..errors import PlanError, VpcflowError
from ..inventory import Inventory
from ..inventory import inventory as read_inventory
from ..query.arguments import instance
from ..query.flows import Flows
from ..query.report import Report
from ..typing import Progress
from .almost import Almost
from .contradictions import Contradictions, Weighing
from .facts import Facts
from .judging import Judge, JudgedStarts, Times
from .members import Membership, memberships
from .observed import Observed, observe
from .rules import Rule, rules_at

_T = TypeVar("_T")
#: Of the time of a group's interfaces, so much must be covered before silence means anything.
LEAST_COVERAGE = 0.95
#: Classes of rules, and what each means.
CLASSES = {
    "used": "sessions needed it",
    "one_peer": "used by one peer alone: its source can be narrower",
    "shadowed": "used, and another rule allows each of its sessions, too",
    "unused": "no session needed it",
    "dead": "it can match nothing: its group is on no interface, or what it refers to is gone",
    "unknown": "the logs cannot tell",
}
#: Classes that are advice.
ADVICE = ("one_peer", "shadowed", "unused", "dead")


@dataclasses.dataclass
class _Count:
    """What was counted for a rule."""

    sessions: int = 0
    exclusive: int = 0
    may_be_exclusive: int = 0
    maybe: int = 0
    bytes: int = 0
    peers: set[str] = dataclasses.field(default_factory=set)
    first: int | None = None
    last: int | None = None
    beside: Counter[str] = dataclasses.field(default_factory=Counter)  # other rules that allow the same sessions

    def add(self, rules: tuple[str, ...], maybe: tuple[str, ...], some: _Sums) -> None:
        """Adds sessions that these rules allow."""
        self.sessions += some.sessions
        self.bytes += some.bytes
        self.peers |= some.peers
        self.first = some.first if self.first is None else min(self.first, some.first)
        self.last = some.last if self.last is None else max(self.last, some.last)
        if len(rules) > 1:
            for rule in rules:
                self.beside[rule] += some.sessions
        elif maybe:
            self.may_be_exclusive += some.sessions
        else:
            self.exclusive += some.sessions


@dataclasses.dataclass
class _Sums:
    """Sessions of which the rules say the same."""

    sessions: int = 0
    bytes: int = 0
    peers: set[str] = dataclasses.field(default_factory=set)
    first: int = 1 << 62
    last: int = 0


class RuleUsage:
    """How rules of security groups were used: rows, most needed first, by :func:`vpcflow.rule_usage`.

    ``rows``: see :func:`vpcflow.rule_usage`. ``contradictions``: what AWS logged and the rules do not say. ``almost``:
    rejected sessions that a rule would have allowed at another port or of another peer. ``left_out``: sessions that no
    rule was asked about, by reason. ``days``: how long the logs are. ``report``: what was read.
    """

    def __init__(
        self, rows: list[dict[str, Any]], contradictions: Contradictions, almost: list[dict[str, Any]],
        left_out: dict[str, int], days: float, report: Report, notes: list[str],
    ) -> None:  # fmt: skip
        self.rows = rows
        self.contradictions = contradictions
        self.almost = almost
        self.left_out = left_out
        self.days = days
        self.report = report
        self.notes = notes

    @property
    def advice(self) -> list[dict[str, Any]]:
        """The rows that say that something can be narrowed or taken away."""
        return [row for row in self.rows if row["class"] in ADVICE]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        counts = Counter(row["class"] for row in self.rows)
        return f"<RuleUsage: {', '.join(f'{counts[one]} {one}' for one in CLASSES if counts[one])}, {self.days:g} days>"


def rule_usage(
    flows: Flows | Observed, inventory: Inventory | str | os.PathLike[str], *, progress: Progress | bool | None = None
) -> RuleUsage:  # fmt: skip
    """Counts for each rule of security groups the sessions that began by it, and says which rules are not needed.

    ``flows``: logs; or an :class:`vpcflow.Observed`, merged from days or machines. ``inventory``: of
    :func:`vpcflow.inventory`, or its folder, with ``describe-network-interfaces`` and ``describe-security-group-rules``
    (without the latter, ``describe-security-groups``, and then groups stand for their rules). Of several snapshots each
    session is judged by those of its time.

    Only what begins a session is judged: ingress rules at the server's interface, egress rules at the client's, by the
    address of the packet (``pkt-srcaddr``, ``pkt-dstaddr``, else ``srcaddr``, ``dstaddr``). Replies, REJECT and traffic
    of before a rule was there never count.

    Rows: ``rule_id``, ``group``, ``group_name``, ``direction``, ``rule`` (its text), ``description``; ``class``
    (``used``, ``one_peer``, ``shadowed``, ``unused``, ``dead``, ``unknown``) and ``why``; ``sessions`` (that it
    allowed, answered or not), ``exclusive`` (that no other rule allows), ``maybe_sessions`` (that it allowed, if they
    were of its ICMP type, or by a load balancer), ``bytes`` in both directions, ``peers``, ``first`` and ``last`` (Unix
    seconds); ``days`` of logs, ``coverage`` (share of the time of the group's ``members`` that the logs speak of);
    ``shadowed_by``, ``contained_in`` (rules of the group that allow all it does), ``same_as`` (equal rules of other
    groups), ``almost`` (what it missed). ``unused``, ``one_peer`` and ``shadowed`` need a coverage of 95 %. What is
    rarer than three times in ``days`` may be missing: no class says that a rule is safe to remove.

    Errors: those of :meth:`vpcflow.Flows.collect`; :class:`~vpcflow.FieldError` for logs that lack a field;
    :class:`~vpcflow.PlanError` for an inventory without interfaces or rules.

    >>> import json, pathlib, tempfile, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> def put(call, **answer): (folder / f"{call}.json").write_text(json.dumps(answer))
    >>> put("describe-network-interfaces", NetworkInterfaces=[
    ...     {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.2", "Groups": [{"GroupId": "sg-1"}]}])
    >>> put("describe-security-group-rules", SecurityGroupRules=[
    ...     {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": False, "IpProtocol": "tcp",
    ...      "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8"}])
    >>> log = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\\n"
    >>> log += b"eni-1 10.0.0.1 10.0.0.2 40000 443 6 9 900 0 60 ACCEPT\\n"
    >>> [(row["rule_id"], row["class"], row["sessions"]) for row in vf.rule_usage(vf.scan(log), vf.inventory(folder))]
    [('sgr-1', 'one_peer', 1)]
    """
    instance(flows, (Flows, Observed), "rule_usage", "rule_usage(vf.scan('logs/'), vf.inventory('aws/'))")
    known = inventory_for(inventory, "rule_usage")
    observed, damage = observe(flows, progress)
    return concluded(usage_of(observed, known), damage)


def concluded(found: _T, damage: VpcflowError | None) -> _T:
    """Returns what was found; if sources are damaged, the error is raised with it."""
    if damage is not None:
        damage.partial = found
        raise damage
    return found


def inventory_for(given: Inventory | str | os.PathLike[str], call: str) -> Inventory:
    """Returns an inventory, or that of a folder; :class:`~vpcflow.PlanError` for one that rules cannot be judged by."""
    inventory = read_inventory(given) if isinstance(given, (str, os.PathLike)) else given
    instance(inventory, Inventory, call, f"{call}(vf.scan('logs/'), vf.inventory('aws/'))")
    for kinds, call in (
        (("NetworkInterfaces",), "describe-network-interfaces"),
        (("SecurityGroupRules", "SecurityGroups"), "describe-security-group-rules"),
    ):
        if not any(kind in inventory.tables for kind in kinds):
            raise PlanError(
                f"the inventory has no {call}: rules cannot be judged without; add its answer as {call}.json"
            )
    return inventory


def usage_of(observed: Observed, inventory: Inventory) -> RuleUsage:
    """Judges what was observed."""
    first, last = observed.span
    times = Times.of(inventory, observed)
    rules = rules_at(inventory)
    facts = Facts(inventory, rules)
    judge = Judge(times, [rule.id for rule in rules if facts.dead(rule)])
    weighing = Weighing(judge, inventory, observed)
    almost = Almost(times)
    starts = judge.judged(observed)
    counts, accepted = _counted(starts, weighing, almost)
    blind = _blindness(observed, accepted)
    members = memberships(inventory, observed)
    days = round((last - first) / 86400, 2)
    rows = _rows(rules, counts, facts, members, days, blind)
    missed = almost.rows(starts)
    for row in rows:
        row["almost"] = [
            {name: value for name, value in one.items() if name != "rule_id"}
            for one in missed
            if one["rule_id"] == row["rule_id"]
        ]
    gone = set(counts) - {rule.told for rule in rules}
    notes = [f"{len(gone)} used rules are gone by the last snapshot"] if gone else []
    return RuleUsage(
        rows,
        weighing.found,
        missed,
        judge.left_out,
        days,
        observed.report,
        [*notes, *([blind] if blind else [])],
    )


def _counted(starts: JudgedStarts, weighing: Weighing, almost: Almost) -> tuple[dict[str, _Count], bool]:
    """Counts what rules allowed; returns also whether anything was accepted."""
    sums: dict[tuple[tuple[str, ...], tuple[str, ...]], _Sums] = {}
    by_code = [sums.setdefault((one.rules, one.maybe), _Sums()) for one in starts.answers]
    denies = [one.permit == "deny" for one in starts.answers]
    accepted = False
    c = starts.columns
    rows = zip(starts.codes, c["action"], c["client_known"], c["direction"], c["client"], c["server"], c["sessions"],
               c["bytes"], c["first"], c["last"])  # fmt: skip
    for row, (code, action, known, direction, client, server, sessions, bytes, first, last) in enumerate(rows):
        if code < 0:
            continue
        some = by_code[code]
        if action == "REJECT" and denies[code] and known:
            weighing.found.sessions += sessions
            almost.add(row, sessions)
            continue
        accepted |= action != "REJECT"
        if action == "REJECT" or not known or denies[code] or direction is None:
            one = starts[row]
            weighing.add(one)
            if action == "REJECT":
                continue
            some = sums.setdefault((one.rules, one.maybe), _Sums())
            peer = one.start.peer
        else:
            weighing.found.sessions += sessions
            peer = server if direction == "egress" else client
        some.sessions += sessions
        some.bytes += bytes
        some.peers.add(peer)
        some.first = min(some.first, first)
        some.last = max(some.last, last)
    counts: dict[str, _Count] = {}
    for (rules, maybe), some in sums.items():
        if some.sessions:
            for rule in rules:
                counts.setdefault(rule, _Count()).add(rules, maybe, some)
            for rule in dict.fromkeys(maybe):
                counts.setdefault(rule, _Count()).maybe += some.sessions
    return counts, accepted


def _blindness(observed: Observed, accepted: bool) -> str:
    """Returns why silence says nothing in these logs; empty if it does."""
    if observed.filtered:
        return "a filter left records out: no rule is called unused"
    if not accepted:
        return "the logs hold no accepted session at interfaces of the inventory: no rule is called unused"
    return "the logs hold one direction only: no rule is called unused" if observed.one_direction else ""


def _rows(
    rules: list[Rule], counts: dict[str, _Count], facts: Facts, members: dict[str, Membership], days: float, blind: str
) -> list[dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for rule in rules:
        if rule.told in out:  # of a group whose rules have no ids
            out[rule.told]["rule"] += f"; {rule}"
            continue
        own, member = counts.get(rule.told, _Count()), members.get(rule.group, Membership(0, 0, 0))
        kind, why = _class_of(rule, own, facts, member, days, blind)
        beside = [one for one, _ in own.beside.most_common() if one != rule.told]
        out[rule.told] = {
            "rule_id": rule.told, "group": rule.group, "group_name": facts.name_of(rule.group),
            "direction": rule.direction, "rule": str(rule), "description": rule.description, "class": kind, "why": why,
            "sessions": own.sessions, "exclusive": own.exclusive, "maybe_sessions": own.maybe, "bytes": own.bytes,
            "peers": len(own.peers), "first": own.first, "last": own.last, "days": days,
            "members": member.interfaces, "coverage": round(member.coverage, 4),
            "shadowed_by": beside if kind == "shadowed" else [], "contained_in": facts.contained_in(rule),
            "same_as": facts.same_as(rule),
        }  # fmt: skip
    return sorted(out.values(), key=lambda row: (-row["sessions"], row["group"], row["rule_id"]))


def _class_of(rule: Rule, own: _Count, facts: Facts, member: Membership, days: float, blind: str) -> tuple[str, str]:
    """Returns the class of a rule, and the reason in words."""
    if (dead := facts.dead(rule)) is not None:
        return "dead", dead
    enough = member.coverage >= LEAST_COVERAGE and not blind
    seen = f"{days:g} days at {member.coverage:.1%} coverage"
    if own.sessions:
        if enough and not own.exclusive and not own.may_be_exclusive:
            return "shadowed", f"other rules allow each of its {own.sessions:,} sessions, in {seen}"
        if enough and len(own.peers) == 1 and not own.maybe and facts.is_wide(rule):
            return "one_peer", f"only {min(own.peers)} in {seen}"
        return "used", f"{own.sessions:,} sessions of {len(own.peers):,} peers in {seen}"
    if own.maybe:
        return (
            "unknown",
            f"{own.maybe:,} sessions may have needed it: flow logs show no ICMP type, and no load balancer",
        )
    if facts.is_forwarded(rule):
        return "unknown", f"a load balancer of {rule.source} may keep the addresses of its clients"
    if blind:
        return "unknown", blind
    if not enough:
        return "unknown", f"no session, but only {member.coverage:.1%} of the time of its interfaces is covered"
    return (
        "unused",
        f"no session in {seen}; what is rarer than {3 / days:.2g} times a day may be missing" if days else "",
    )
