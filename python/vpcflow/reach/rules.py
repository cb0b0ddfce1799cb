"""Rules of security groups, entries of network ACLs and routes, out of AWS's answers, ready to be asked."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from .. import _core
from ..inventory.table import members
from .answer import Answer, RouteAnswer

#: Resolves a group or prefix list to prefixes, and tells whether there may be more of them.
Peers = Callable[[str], "tuple[list[str], bool]"]

_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "all": None, "-1": None}
#: Of a rule that nobody knows: any packet, maybe.
UNKNOWN = _core.Match(None, 0, 65535, None, None, [], True)
# The members of a route that may name its target.
_TARGETS = ("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId",
            "InstanceId", "EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
            "VpcEndpointId")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule with one id: its match, and what it reads like."""

    id: str
    match: _core.Match
    text: str
    #: The answer of AWS that it was made of.
    item: Mapping[str, Any]


class RuleSet:
    """The rules of all groups of an interface, of one direction: what any of them allows is allowed. Any number of
    threads may ask one."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._core = _core.SecurityRules([rule.match for rule in self.rules])

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def core(self) -> _core.SecurityRules:
        """The engine's, whose numbers of rules are those of ``rules``."""
        return self._core

    def ask(
        self, peer: str, protocol: int, port: int = 0, icmp_type: int | None = None, icmp_code: int | None = None
    ) -> Answer:
        """Judges the packet that begins a session. ``peer``: the remote address; ``port``: the destination port.
        Replies need no rule: do not ask about them. O(log rules + log prefixes + rules that match)."""
        packet = _core.Packet(peer, protocol, port, icmp_type, icmp_code)
        permit, allow, maybe = self._core.ask(packet)
        return Answer(permit, self._of(allow), self._of(maybe), lambda: _missed(self.rules, packet, {*allow, *maybe}))

    def _of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.rules[number].id for number in numbers))


class Acl:
    """The entries of the network ACL of a subnet, of one direction: the first that matches, by number, decides. Any
    number of threads may ask one. ``id``: ``""`` if the inventory does not have it; then every answer is ``maybe``."""

    def __init__(self, id: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self.id = id
        made = sorted(((_number(one.get("RuleNumber"), 0), one) for one in entries), key=lambda pair: pair[0])
        self.rules = tuple(Rule(f"{id}#{number}", _match_of_entry(one), _entry_text(one), one) for number, one in made)
        allows = [str(one.get("RuleAction")).lower() == "allow" for _, one in made]
        self._core = _core.NetworkAcl(
            [(number, allow, rule.match) for (number, _), allow, rule in zip(made, allows, self.rules)]
        )

    def ask(
        self, peer: str, protocol: int, port: int = 0, icmp_type: int | None = None, icmp_code: int | None = None
    ) -> Answer:
        """Judges a packet that crosses the border of the subnet, request or reply. ``peer``: the remote address;
        ``port``: the destination port, so that of the client for a reply."""
        if not self.id:
            return Answer("maybe", (), (), tuple)
        packet = _core.Packet(peer, protocol, port, icmp_type, icmp_code)
        permit, numbers, decided = self._core.ask(packet)
        ids = [f"{self.id}#{number}" for number in numbers]
        if not decided:  # what every list ends with, whether the answer of AWS shows it or not
            ids.append(f"{self.id}#{32768 if ':' in peer else 32767}")
        sure = permit != "maybe"
        asked = {at for at, rule in enumerate(self.rules) if rule.id in ids}
        return Answer(
            permit, (ids[-1],) if sure else (), () if sure else tuple(ids),
            lambda: _missed(self.rules, packet, asked),
        )  # fmt: skip


class Routes:
    """The routes of one route table. Any number of threads may ask one. ``id``: ``""`` if the inventory has none."""

    def __init__(self, id: str, routes: Iterable[Mapping[str, Any]], prefix_list: Peers) -> None:
        self.id = id
        self.items = [route for route in routes if str(route.get("State", "active")).lower() != "filtered"]
        made = []
        for route in self.items:
            prefixes, unknown = destinations(route, prefix_list)
            made.append((prefixes, unknown, str(route.get("Origin")) == "EnableVgwRoutePropagation"))
        self._core = _core.RouteTable(made)

    def ask(self, address: str) -> RouteAnswer:
        """Returns the route of an address: that of the longest prefix, static before propagated. O(prefixes)."""
        at, certain = self._core.ask(address)
        if at is None:
            return RouteAnswer(self.id, None, "", False, certain and bool(self.id))
        route = self.items[at]
        target = next((str(route[name]) for name in _TARGETS if route.get(name)), "")
        gone = str(route.get("State", "active")).lower() == "blackhole"
        return RouteAnswer(self.id, target, destination(route), gone, certain)


def destination(route: Mapping[str, Any]) -> str:
    """Returns what a route is for, as AWS writes it: a prefix, or the id of a prefix list."""
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next((str(route[name]) for name in names if route.get(name)), "")


def destinations(route: Mapping[str, Any], prefix_list: Peers) -> tuple[list[str], bool]:
    """Returns the prefixes of a route, and whether there may be more of them."""
    one = destination(route)
    return prefix_list(one) if one.startswith("pl-") else (prefixes([one]), not prefixes([one]))


def rules_of_group(
    group: Mapping[str, Any], egress: bool, own: Sequence[Mapping[str, Any]], group_peers: Peers, prefix_list: Peers
) -> list[Rule]:
    """Returns the rules of a group in one direction: those with ids of their own if the inventory has them (``own``),
    else out of the group's permissions, which have none: those bear the group's id."""
    items = [item for item in own if bool(item.get("IsEgress")) == egress]
    if not own:
        permissions = members(group, "IpPermissionsEgress" if egress else "IpPermissions")
        items = [item for one in permissions for item in _single(one, str(group.get("GroupId")), egress)]
    return [
        Rule(
            str(item.get("SecurityGroupRuleId") or item.get("GroupId")),
            _match(item, *_one_peer(item, group_peers, prefix_list)), _rule_text(item), item,
        )
        for item in items
    ]  # fmt: skip


def unknown_rules(id: str) -> Rule:
    """Returns what stands for the rules of a group that the inventory does not have: any packet, maybe."""
    return Rule(id, UNKNOWN, "unknown rules", {})


def prefixes(texts: Iterable[str]) -> list[str]:
    """Returns prefixes with the bits behind them masked; what is none is left out."""
    out = []
    for text in texts:
        try:
            out.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            continue
    return out


def protocol_number(value: object) -> int | None:
    """Returns the number of a protocol as AWS writes it (``"tcp"``, ``"6"``, ``6``); ``None``: all; -1: it is none."""
    text = str(value).strip().lower()
    if text in _PROTOCOLS:
        return _PROTOCOLS[text]
    number = _number(text, -1)
    return number if 0 <= number <= 255 else -1


def _single(permission: Mapping[str, Any], group: str, egress: bool) -> Iterable[Mapping[str, Any]]:
    """Yields a permission of a group as rules of one source each, in the shape of describe-security-group-rules."""
    shared = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in permission}
    shared |= {"GroupId": group, "IsEgress": egress}
    for list_name, member, name in (("IpRanges", "CidrIp", "CidrIpv4"), ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
                                    ("PrefixListIds", "PrefixListId", "PrefixListId")):  # fmt: skip
        for one in members(permission, list_name):
            yield {**shared, name: one.get(member), "Description": one.get("Description")}
    for pair in members(permission, "UserIdGroupPairs"):
        yield {**shared, "ReferencedGroupInfo": pair, "Description": pair.get("Description")}


def _one_peer(item: Mapping[str, Any], group_peers: Peers, prefix_list: Peers) -> tuple[list[str], bool]:
    """Returns the prefixes of a rule's one source or destination, and whether there may be more of them."""
    if cidr := item.get("CidrIpv4") or item.get("CidrIpv6"):
        known = prefixes([str(cidr)])
        return known, not known
    if item.get("PrefixListId"):
        return prefix_list(str(item["PrefixListId"]))
    info = item.get("ReferencedGroupInfo")
    if isinstance(info, Mapping) and info.get("GroupId"):
        return group_peers(str(info["GroupId"]))
    return [], True


def _match(item: Mapping[str, Any], peers: list[str], unknown: bool) -> _core.Match:
    protocol = protocol_number(item.get("IpProtocol", "-1"))
    return _make_match(protocol, item.get("FromPort"), item.get("ToPort"), peers, unknown)


def _make_match(protocol: int | None, first: object, last: object, peers: list[str], unknown: bool) -> _core.Match:
    if protocol == -1:  # nobody knows what it is about
        return UNKNOWN
    low, high = _number(first, -1), _number(last, -1)
    if protocol in (1, 58):
        kind, code = (low if 0 <= low <= 255 else None), (high if 0 <= high <= 255 else None)
        return _core.Match(protocol, 0, 65535, kind, code if kind is not None else None, peers, unknown)
    return _core.Match(protocol, max(low, 0), high if 0 <= high <= 65535 else 65535, None, None, peers, unknown)


def _match_of_entry(entry: Mapping[str, Any]) -> _core.Match:
    peers = prefixes([str(entry[name]) for name in ("CidrBlock", "Ipv6CidrBlock") if entry.get(name)])
    protocol = protocol_number(entry.get("Protocol", "-1"))
    icmp, ports = entry.get("IcmpTypeCode"), entry.get("PortRange")
    if protocol in (1, 58):
        icmp = icmp if isinstance(icmp, Mapping) else {}
        return _make_match(protocol, icmp.get("Type"), icmp.get("Code"), peers, not peers)
    ports = ports if isinstance(ports, Mapping) else {}
    return _make_match(protocol, ports.get("From"), ports.get("To"), peers, not peers)


def _missed(rules: tuple[Rule, ...], packet: _core.Packet, hit: set[int]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = [(rule.id, tuple(rule.match.missed(packet))) for at, rule in enumerate(rules) if at not in hit]
    return tuple(sorted((one for one in found if one[1]), key=lambda one: len(one[1])))


def _rule_text(item: Mapping[str, Any]) -> str:
    """Returns a rule as people say it: ``tcp 443 from 10.0.0.0/8``."""
    info = item.get("ReferencedGroupInfo")
    group = info.get("GroupId") if isinstance(info, Mapping) else None
    peer = item.get("CidrIpv4") or item.get("CidrIpv6") or item.get("PrefixListId") or group or "unknown"
    what = _traffic_text(protocol_number(item.get("IpProtocol", "-1")), item.get("FromPort"), item.get("ToPort"))
    return f"{what} {'to' if item.get('IsEgress') else 'from'} {peer}"


def _entry_text(entry: Mapping[str, Any]) -> str:
    """Returns an entry as people say it: ``deny tcp 22 from 0.0.0.0/0``."""
    icmp, ports = entry.get("IcmpTypeCode"), entry.get("PortRange")
    icmp, ports = (one if isinstance(one, Mapping) else {} for one in (icmp, ports))
    first, last = (icmp.get("Type"), icmp.get("Code")) if icmp else (ports.get("From"), ports.get("To"))
    what = _traffic_text(protocol_number(entry.get("Protocol", "-1")), first, last)
    peer = entry.get("CidrBlock") or entry.get("Ipv6CidrBlock") or "unknown"
    return f"{str(entry.get('RuleAction')).lower()} {what} {'to' if entry.get('Egress') else 'from'} {peer}"


def _traffic_text(protocol: int | None, first: object, last: object) -> str:
    if protocol is None:
        return "all traffic"
    name = next((name for name, number in _PROTOCOLS.items() if number == protocol), f"protocol {protocol}")
    low, high = _number(first, -1), _number(last, -1)
    if protocol in (1, 58):
        return name if low < 0 else f"{name} type {low}" + ("" if high < 0 else f" code {high}")
    if protocol not in (6, 17):
        return name
    low, high = max(low, 0), high if high >= 0 else 65535
    return name if (low, high) == (0, 65535) else f"{name} {low}" if low == high else f"{name} {low}-{high}"


def _number(value: object, default: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return default
