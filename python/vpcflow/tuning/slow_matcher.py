"""Says which rules allow a packet, by going through all of them: short, slow, and written apart from the engine's
matcher, so that what a proposal says of itself is proved by another."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from ..inventory import Inventory
from ..inventory.table import members
from .rules import Net, Rule


class SlowMatcher:
    """Judges packets by rules, with the groups and prefix lists of an inventory at a time.

    ``addresses``: private addresses and prefixes of the interfaces with a group, by group. ``entries``: of prefix
    lists.
    """

    def __init__(self, inventory: Inventory, time: int | None = None) -> None:
        self.addresses: dict[str, list[Net]] = {}
        known = set(inventory.at("SecurityGroups", time)) if "NetworkInterfaces" in inventory.tables else set()
        forwards = set()  # groups of interfaces that pass on what others send
        for interface in inventory.at("NetworkInterfaces", time).values():
            kind = str(interface.get("InterfaceType") or "").replace("_", "").lower()
            own = [_net(text) for text in _private(interface)]
            for group in members(interface, "Groups"):
                self.addresses.setdefault(str(group.get("GroupId")), []).extend(own)
                if kind == "networkloadbalancer":
                    forwards.add(str(group.get("GroupId")))
        self.known = known - forwards  # groups whose members are all here
        self.entries: dict[str, list[Net]] = {}
        for entry in inventory.at("Entries", time).values():
            self.entries.setdefault(str(entry.get("PrefixListId")), []).append(_net(str(entry.get("Cidr"))))
        for one, listed in inventory.at("PrefixLists", time).items():
            if isinstance(listed.get("Cidrs"), list):
                self.entries.setdefault(one, [_net(str(cidr)) for cidr in listed["Cidrs"]])

    def networks(self, rule: Rule) -> list[Net] | None:
        """Returns the addresses that a rule is about, as far as they are known; ``None``: nobody knows them all."""
        if rule.kind == "prefix-list":
            return self.entries.get(rule.source)
        if rule.kind == "group":
            return self.addresses.get(rule.source, []) if rule.source in self.known else None
        try:
            return [_net(rule.source)]
        except ValueError:  # no CIDR: nobody knows what it is about
            return None

    def judge(self, rule: Rule, peer: str, protocol: int, port: int) -> str:
        """Returns ``"allow"``, ``"maybe"`` or ``"deny"``."""
        if not rule.takes(protocol, port):
            return "deny"
        known = self.networks(rule)
        if known is None and rule.kind == "group":
            inside = any(_holds(net, peer) for net in self.addresses.get(rule.source, []))
        else:
            inside = known is not None and any(_holds(net, peer) for net in known)
        if not inside:
            return "maybe" if known is None else "deny"
        return "maybe" if rule.is_icmp and rule.first_port >= 0 else "allow"

    def ask(self, rules: Iterable[Rule], peer: str, protocol: int, port: int) -> tuple[list[str], list[str]]:
        """Returns the ids of the rules that allow a packet, and of those that may."""
        allowed: set[str] = set()
        maybe: set[str] = set()
        for rule in rules:
            verdict = self.judge(rule, peer, protocol, port)
            if verdict != "deny":
                (allowed if verdict == "allow" else maybe).add(rule.id)
        return sorted(allowed), sorted(maybe - allowed)

    def widening(self, rule: Rule, current: Sequence[Rule]) -> list[str]:
        """Returns what a rule allows and none of the current rules of its group and direction does, as texts; empty if
        it lies within them. Rules whose peers nobody knows lie within a rule with the same source alone."""
        same = [one for one in current if one.group == rule.group and one.egress == rule.egress]
        out = []
        for protocol, first, last in _pieces(rule, same):
            named = [one for one in same if _covers(one, rule, protocol, first, last)]
            own = self.networks(rule)
            if any(one.source == rule.source for one in named):
                continue
            wide = [net for one in named for net in self.networks(one) or []]
            left = [net for net in (own or []) if not _within(net, wide)]
            if own is None or left:
                what = "all protocols" if protocol is None else f"protocol {protocol}"
                ports = f" ports {first}-{last}" if protocol in (6, 17) else ""
                out += [f"{what}{ports} of {net}" for net in (left if own is not None else [rule.source])]
        return out


def _pieces(rule: Rule, current: Iterable[Rule]) -> list[tuple[int | None, int, int]]:
    """Cuts a rule where current rules begin or end: protocol and ports, within each of which all are the same."""
    if rule.protocol is None or not rule.has_ports:
        return [(rule.protocol, rule.first_port, rule.last_port)]
    cuts = {rule.first_port}
    for one in current:
        if one.protocol == rule.protocol:
            cuts |= {cut for cut in (one.first_port, one.last_port + 1) if rule.first_port < cut <= rule.last_port}
    begins = sorted(cuts)
    return [(rule.protocol, begin, end - 1) for begin, end in zip(begins, [*begins[1:], rule.last_port + 1])]


def _covers(one: Rule, rule: Rule, protocol: int | None, first: int, last: int) -> bool:
    if one.protocol is None:
        return True
    if protocol is None or one.protocol != protocol:
        return False
    if one.is_icmp:
        return one.first_port < 0 or (one.first_port == rule.first_port and one.last_port in (-1, rule.last_port))
    return not one.has_ports or (one.first_port <= first and last <= one.last_port)


def _within(net: Net, wide: Sequence[Net]) -> bool:
    """Tells whether a network lies in the union of others, by halving it."""
    near = [one for one in wide if one.version == net.version and one.overlaps(net)]
    if any(one.prefixlen <= net.prefixlen for one in near):
        return True
    return bool(near) and all(_within(half, near) for half in net.subnets())


def _net(text: str) -> Net:
    return ipaddress.ip_network(text.strip(), strict=False)


def _holds(net: Net, address: str) -> bool:
    one = ipaddress.ip_address(address)
    return one.version == net.version and one in net


def _private(interface: Mapping[str, object]) -> list[str]:
    """Returns the private addresses and prefixes of an interface, IPv6 included."""
    named = [
        ("PrivateIpAddresses", "PrivateIpAddress"), ("Ipv6Addresses", "Ipv6Address"), ("Ipv4Prefixes", "Ipv4Prefix"),
        ("Ipv6Prefixes", "Ipv6Prefix"),
    ]  # fmt: skip
    found = [str(one[member]) for listed, member in named for one in members(interface, listed) if one.get(member)]
    primary = interface.get("PrivateIpAddress")
    return list(dict.fromkeys([*([str(primary)] if primary else []), *found]))
