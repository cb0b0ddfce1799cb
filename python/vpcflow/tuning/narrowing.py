"""Narrow rules for what is needed of a group, within its current ones."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..reach import Network
from .cover import Cover, best_choice, cover_curve
from .kept import is_inside
from .needs import Need
from .ranges import Addresses
from .rules import Rule
from .slow_matcher import SlowMatcher

#: Rules of a direction and family that a group has room for by AWS's default.
BUDGET = 60
#: As many further addresses one rule less is worth.
_RULE_COST = 16
_FEW_OTHERS = 0.2  # of a group's addresses that need nothing, where it stands for those that do
_PUBLIC = 20  # peers of the internet from which on a service is for anybody
_UNSEEN = 0.01  # share of sessions of peers not seen yet (Good-Turing), likewise
#: Ports by which hosts are administered, or databases read.
ADMIN_PORTS = (
    22,
    23,
    135,
    139,
    445,
    1433,
    1521,
    2049,
    2375,
    3306,
    3389,
    5432,
    5900,
    5985,
    5986,
    6379,
    9200,
    11211,
    27017,
)


@dataclasses.dataclass
class Piece:
    """What is needed at some ports, as sources, and the choices among covers of the remaining addresses."""

    need: Need
    spec: tuple[int | None, int, int]  # protocol, first and last port; of ICMP type and code
    sources: list[tuple[str, str]]  # kind of Rule, source
    extra: dict[str, list[str]]  # by source: addresses of interfaces that need nothing
    curves: dict[int, list[Cover]]  # by family
    why: str = ""


class Narrowing:
    """Makes rules for the needs of one group.

    ``current``: the rules of all groups, of now. ``network``: of now."""

    def __init__(self, network: Network, matcher: SlowMatcher, current: Sequence[Rule]) -> None:
        self._network, self._matcher, self._current = network, matcher, current
        self._sets: dict[str, Addresses] = {}
        self._groups = {
            group: self._addresses("group", group)
            for group in network.items["SecurityGroups"]
            if group in matcher.known and network.members(group)
        }

    def pieces(self, need: Need) -> Iterator[Piece]:
        """Yields what a need needs: one piece, but for ICMP one for each type that a current rule has."""
        mine = [one for one in self._current if one.group == need.group and one.egress == need.egress]
        if need.protocol in (1, 58):
            found = [one for one in mine if one.takes(need.protocol, 0)]
            for spec in dict.fromkeys(_icmp_spec(one, need.protocol) for one in found):
                rules = [one for one in found if _icmp_spec(one, need.protocol) == spec]
                reached, ids = self._union(rules), {one.told for one in rules}
                peers = [peer for peer in need.peers if peer in reached or ids & need.rules.get(peer, set())]
                if peers:
                    yield self._piece(need, spec, peers, rules)
            return
        spec = (need.protocol, need.first_port, need.last_port)
        rules = [one for one in mine if one.takes(need.protocol, need.first_port)]
        yield self._piece(need, spec, list(need.peers), rules)

    def _piece(self, need: Need, spec: tuple[int | None, int, int], peers: list[str], rules: list[Rule]) -> Piece:
        piece = Piece(need, spec, [], {}, {})
        allowed = self._allowed(need, rules)
        left = self._by_reference(piece, set(peers), rules, allowed)
        beyond = {peer for peer in left if peer not in allowed}
        for peer in sorted(beyond):  # allowed by what a group or list held then, or by what nobody knows
            able = [rule for rule in rules if rule.told in need.rules.get(peer, ())]
            able = able or [rule for rule in rules if self._matcher.networks(rule) is None]
            if able:
                best = min(able, key=lambda one: (one.kind not in ("group", "prefix-list"), one.id))
                piece.sources.append((best.kind, best.source))
            piece.why = "the members of its source at the time, or all of them, are not known"
        left -= beyond
        left = self._by_public_rule(piece, left, rules, need)
        for version in (4, 6):
            peers_of = [peer for peer in left if (":" in peer) == (version == 6)]
            if peers_of:
                piece.curves[version] = cover_curve(
                    peers_of, version, functools.partial(allowed.holds, version), BUDGET
                )
        return piece

    def _allowed(self, need: Need, rules: Iterable[Rule]) -> Addresses:
        """Returns the addresses that current rules allow at all ports of a need."""
        if need.protocol not in (6, 17) or need.ports == 1:
            return self._union(rules)
        cuts = {need.first_port}
        mine = [one for one in self._current if one.group == need.group and one.egress == need.egress]
        for one in mine:
            if one.protocol == need.protocol:
                cuts |= {cut for cut in (one.first_port, one.last_port + 1) if need.first_port < cut <= need.last_port}
        out: Addresses | None = None
        for cut in sorted(cuts):
            own = self._union([one for one in mine if one.takes(need.protocol, cut)])
            out = own if out is None else out & own
        return out or Addresses()

    def _union(self, rules: Iterable[Rule]) -> Addresses:
        nets = [net for rule in rules for net in self._matcher.networks(rule) or []]
        return Addresses(nets)

    def _addresses(self, kind: str, source: str) -> Addresses:
        if source not in self._sets:
            probe = Rule("", "", False, None, 0, 65535, kind, source)
            self._sets[source] = Addresses(self._matcher.networks(probe) or [])
        return self._sets[source]

    def weight(self, kind: str, source: str) -> int:
        """Returns how many rules a source counts as: a prefix list as many as it has room for entries."""
        if kind != "prefix-list":
            return 1
        room = self._network.items["PrefixLists"].get(source, {}).get("MaxEntries")
        return room if isinstance(room, int) else max(1, len(self._matcher.entries.get(source, ())))

    def _by_reference(self, piece: Piece, peers: set[str], rules: list[Rule], allowed: Addresses) -> set[str]:
        """Takes groups and prefix lists for peers that they hold; returns the peers that are left."""
        left = set(peers)
        own = {(rule.kind, rule.source) for rule in rules if rule.kind in ("group", "prefix-list")}
        vpc = str(self._network.items["SecurityGroups"].get(piece.need.group, {}).get("VpcId") or "")
        while left:
            best = None
            for kind, source, addresses in self._candidates(own, allowed, vpc):
                held = {peer for peer in left if peer in addresses}
                others = addresses.size - sum(peer in addresses for peer in peers)
                current = (kind, source) in own
                if held and (current or (others <= max(1, _FEW_OTHERS * len(held)) and len(held) > others)):
                    rank = (others > _FEW_OTHERS * len(held), -len(held), others, not current, source)
                    if best is None or rank < best[0]:
                        best = (rank, kind, source, held)
            if best is None:
                break
            _, kind, source, held = best
            piece.sources.append((kind, source))
            if kind == "group":
                needless = self._needless(source, peers)
                if needless:
                    piece.extra[source] = needless
            left -= held
        return left

    def _candidates(
        self, own: set[tuple[str, str]], allowed: Addresses, vpc: str
    ) -> Iterator[tuple[str, str, Addresses]]:
        for kind, source in sorted(own):
            if kind == "prefix-list" or source in self._groups:
                yield kind, source, self._addresses(kind, source)
        for group, addresses in self._groups.items():
            same = str(self._network.items["SecurityGroups"][group].get("VpcId") or "") == vpc
            if same and ("group", group) not in own and allowed.holds_all(addresses):
                yield "group", group, addresses

    def _needless(self, group: str, peers: set[str]) -> list[str]:
        return sorted(
            one.id
            for one in self._network.members(group)
            if not any(peer in Addresses(map(ipaddress.ip_network, one.addresses)) for peer in peers)
        )

    def _by_public_rule(self, piece: Piece, left: set[str], rules: list[Rule], need: Need) -> set[str]:
        """Leaves services for anybody as open as they are; returns the peers that are left."""
        public = {peer for peer in left if not is_inside(peer)}
        for version in (4, 6):
            own = {peer for peer in public if (":" in peer) == (version == 6)}
            once = sum(need.peers[peer] == 1 for peer in own)
            sessions = sum(need.peers[peer] for peer in own)
            if len(own) < _PUBLIC and not (len(own) >= 5 and once > _UNSEEN * sessions):
                continue
            wide = [rule for rule in rules if rule.kind == f"cidr{version}"]
            for rule in sorted(wide, key=lambda one: -ipaddress.ip_network(one.source).prefixlen):
                addresses = self._addresses(rule.kind, rule.source)
                held = {peer for peer in own if peer in addresses}
                if 2 * len(held) > len(own) and (need.ports == 1 or rule.takes(need.protocol, need.last_port)):
                    piece.sources.append((rule.kind, rule.source))
                    piece.why = f"{len(own):,} peers of the internet, {once:,} of them seen once: left open"
                    left -= {peer for peer in left if peer in addresses}
                    break
        return left


def _icmp_spec(rule: Rule, protocol: int) -> tuple[int | None, int, int]:
    return (protocol, rule.first_port, rule.last_port) if rule.is_icmp else (protocol, -1, -1)


def chosen(
    pieces: Sequence[Piece], budget: int, weight: Callable[[str, str], int]
) -> tuple[dict[int, dict[int, Cover]], list[str]]:
    """Chooses the cover of each piece, by its number and family, so that a group's rules stay within the budget of each
    direction and family, of which a source takes its ``weight``; returns also notes on what does not fit. Within the
    budget a rule is worth 16 addresses."""
    out: dict[int, dict[int, Cover]] = {}
    notes = []
    for egress in (False, True):
        for version in (4, 6):
            own = [
                (number, piece) for number, piece in enumerate(pieces)
                if piece.need.egress == egress and version in piece.curves
            ]  # fmt: skip
            if not own:
                continue
            fixed = sum(
                weight(kind, source)
                for piece in pieces if piece.need.egress == egress for kind, source in piece.sources
                if kind in ("group", "prefix-list", f"cidr{version}")
            )  # fmt: skip
            curves = [
                [
                    (one.rules, (one.addresses * piece.need.ports) + _RULE_COST * one.rules)
                    for one in piece.curves[version]
                ]
                for _, piece in own
            ]
            choice = [min(range(len(curve)), key=lambda at, c=curve: c[at][1]) for curve in curves]  # type: ignore[misc]
            if fixed + sum(curve[at][0] for curve, at in zip(curves, choice)) > budget:
                within = best_choice(curves, max(0, budget - fixed))
                if within is None:
                    way = "egress" if egress else "ingress"
                    notes.append(f"{pieces[0].need.group} needs more than {budget} {way} rules of IPv{version}")
                else:
                    choice = within
            for (number, piece), at in zip(own, choice):
                out.setdefault(number, {})[version] = piece.curves[version][at]
    return out, notes


def rules_for(
    pieces: Sequence[Piece], covers: Mapping[int, Mapping[int, Cover]], current: Sequence[Rule]
) -> list[Rule]:
    """Returns the rules of pieces, neighbouring ports of the same source as one; rules that are there keep their
    ids."""
    by_source: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for number, piece in enumerate(pieces):
        sources = list(dict.fromkeys(piece.sources))
        sources += [
            (f"cidr{version}", str(net)) for version, cover in covers.get(number, {}).items() for net in cover.nets
        ]
        protocol, first, last = piece.spec
        for kind, source in sources:
            key = (piece.need.group, piece.need.egress, protocol, kind, source)
            by_source.setdefault(key, []).append((first, last))
    known = {_content(rule): rule for rule in reversed(current)}
    out: list[Rule] = []
    for (group, egress, protocol, kind, source), ports in sorted(by_source.items(), key=str):
        spans = _joined(ports) if protocol in (6, 17) else sorted(set(ports))
        for first, last in spans:
            made = Rule(f"new-{len(out) + 1}", group, egress, protocol, first, last, kind, source)
            same = known.get(_content(made))
            owner = next(
                (one.owner for one in current if one.kind == "group" and one.source == source and one.owner), ""
            )
            out.append(same or dataclasses.replace(made, owner=owner, description="made from traffic by vpcflow"))
    return out


def _content(rule: Rule) -> tuple[Any, ...]:
    return (rule.group, rule.egress, rule.protocol, rule.first_port, rule.last_port, rule.kind, rule.source)


def _joined(ports: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for first, last in sorted(ports):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return out
