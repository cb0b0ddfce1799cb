"""Rules of security groups, from answers of AWS's describe calls, and as they are written there."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

from ..inventory import Inventory
from ..inventory.table import members

Net = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_NAMES = {number: name for name, number in _NUMBERS.items()}
#: The members of a row of describe-security-group-rules that name its source or destination, by what it is.
SOURCES = {"cidr4": "CidrIpv4", "cidr6": "CidrIpv6", "prefix-list": "PrefixListId", "group": "ReferencedGroupInfo"}


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of a security group: one source or destination, as a row of describe-security-group-rules."""

    id: str  # sgr-...; where rules have none, that of its group and a number: sg-...#2
    group: str
    egress: bool
    protocol: int | None  # none: all
    first_port: int  # of TCP and UDP; of ICMP the type, -1 for any; 0 to 65535 of others
    last_port: int  # of ICMP the code, -1 for any
    kind: str  # of SOURCES
    source: str  # a CIDR, pl-..., or sg-...
    owner: str = ""  # account of the group in `source`, if AWS tells
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    peering: str = ""  # status of the peering connection that the reference goes over

    @property
    def told(self) -> str:
        """The id by which answers of matchers name it: of its group where rules have none."""
        return self.id.partition("#")[0]

    @property
    def direction(self) -> str:
        return "egress" if self.egress else "ingress"

    @property
    def has_ports(self) -> bool:
        return self.protocol in (6, 17)

    @property
    def is_icmp(self) -> bool:
        return self.protocol in (1, 58)

    @property
    def v6(self) -> bool | None:
        """Whether it is about IPv6; ``None``: about both families."""
        return None if self.kind in ("prefix-list", "group") else self.kind == "cidr6"

    def takes(self, protocol: int, port: int) -> bool:
        """Tells whether it is about a protocol and port, whatever the peer and the type of ICMP."""
        if self.protocol is None:
            return True
        return self.protocol == protocol and (not self.has_ports or self.first_port <= port <= self.last_port)

    @property
    def what(self) -> str:
        """The protocol and ports for people: ``tcp 443``, ``udp 1024-2048``, ``icmp type 8``, ``all``."""
        if self.protocol is None:
            return "all"
        name = _NAMES.get(self.protocol, f"protocol {self.protocol}")
        if self.is_icmp:
            kind = "" if self.first_port < 0 else f" type {self.first_port}"
            return name + kind + ("" if self.last_port < 0 or not kind else f" code {self.last_port}")
        if not self.has_ports:
            return name
        if (self.first_port, self.last_port) == (0, 65535):
            return f"{name} all ports"
        ports = f"{self.first_port}" if self.first_port == self.last_port else f"{self.first_port}-{self.last_port}"
        return f"{name} {ports}"

    def __str__(self) -> str:
        return f"{self.direction} {self.what} {'to' if self.egress else 'from'} {self.source}"

    def as_item(self) -> dict[str, Any]:
        """Returns it as a row of describe-security-group-rules."""
        ports = (self.first_port, self.last_port) if self.has_ports or self.is_icmp else (-1, -1)
        item: dict[str, Any] = {
            "SecurityGroupRuleId": self.id, "GroupId": self.group, "IsEgress": self.egress,
            "IpProtocol": "-1" if self.protocol is None else _NAMES.get(self.protocol, str(self.protocol)),
            "FromPort": ports[0], "ToPort": ports[1],
        }  # fmt: skip
        if self.kind == "group":
            item["ReferencedGroupInfo"] = {"GroupId": self.source, **({"UserId": self.owner} if self.owner else {})}
        else:
            item[SOURCES[self.kind]] = self.source
        if self.description:
            item["Description"] = self.description
        if self.tags:
            item["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags]
        return item


def masked(cidr: str) -> str:
    """Returns a CIDR without host bits; as it is if it is none."""
    try:
        return str(ipaddress.ip_network(cidr.strip(), strict=False))
    except ValueError:
        return cidr


def number_of(protocol: Any) -> int | None:
    """Returns the number of a protocol as AWS writes it; ``None`` for all. Raises ValueError for another text."""
    text = str(protocol).strip().lower()
    return None if text == "-1" else _NUMBERS[text] if text in _NUMBERS else int(text)


def _ports(protocol: int | None, first: Any, last: Any) -> tuple[int, int]:
    if protocol in (1, 58):
        return int(-1 if first is None else first), int(-1 if last is None else last)
    if protocol not in (6, 17):
        return 0, 65535
    low, high = int(-1 if first is None else first), int(-1 if last is None else last)
    return max(low, 0), 65535 if high < 0 else high


def rule_of_item(item: Mapping[str, Any]) -> Rule | None:
    """Returns the rule in a row of describe-security-group-rules; ``None`` for what is none."""
    reference = item.get("ReferencedGroupInfo")
    reference = reference if isinstance(reference, dict) else {}
    values = {
        "cidr4": item.get("CidrIpv4"), "cidr6": item.get("CidrIpv6"), "prefix-list": item.get("PrefixListId"),
        "group": reference.get("GroupId"),
    }  # fmt: skip
    kind = next((name for name, value in values.items() if value), None)
    try:
        protocol = number_of(item.get("IpProtocol"))
        first, last = _ports(protocol, item.get("FromPort"), item.get("ToPort"))
    except (TypeError, ValueError):
        return None
    if kind is None or not item.get("GroupId"):
        return None
    source = str(values[kind])
    tags = tuple((str(tag.get("Key")), str(tag.get("Value") or "")) for tag in members(item, "Tags"))
    return Rule(
        str(item.get("SecurityGroupRuleId") or item["GroupId"]), str(item["GroupId"]), item.get("IsEgress") is True,
        protocol, first, last, kind, masked(source) if kind.startswith("cidr") else source,
        str(reference.get("UserId") or ""), str(item.get("Description") or ""), tags,
        str(reference.get("PeeringStatus") or ""),
    )  # fmt: skip


def rules_of_group(group: Mapping[str, Any]) -> Iterator[Rule]:
    """Yields the rules in an item of describe-security-groups, which have no ids of their own."""
    identity = str(group.get("GroupId"))
    for egress, name in ((False, "IpPermissions"), (True, "IpPermissionsEgress")):
        for permission in members(group, name):
            sources = [("cidr4", "IpRanges", "CidrIp"), ("cidr6", "Ipv6Ranges", "CidrIpv6")]
            sources += [("prefix-list", "PrefixListIds", "PrefixListId"), ("group", "UserIdGroupPairs", "GroupId")]
            for kind, listed, member in sources:
                for one in members(permission, listed):
                    value: Any = one.get(member)
                    if kind == "group":
                        value = {
                            "GroupId": value,
                            "UserId": one.get("UserId"),
                            "PeeringStatus": one.get("PeeringStatus"),
                        }
                    made = rule_of_item({
                        "GroupId": identity, "IsEgress": egress, "IpProtocol": permission.get("IpProtocol"),
                        "FromPort": permission.get("FromPort"), "ToPort": permission.get("ToPort"),
                        SOURCES[kind]: value, "Description": one.get("Description"),
                    })  # fmt: skip
                    if made is not None:
                        yield made


def rules_at(inventory: Inventory, time: int | None = None) -> list[Rule]:
    """Returns the rules of all groups at a time in Unix seconds (``None``: now), sorted.

    Groups without rows of describe-security-group-rules have the rules of describe-security-groups, numbered."""
    found = [rule_of_item(item) for item in inventory.at("SecurityGroupRules", time).values()]
    out = [rule for rule in found if rule is not None]
    told = {rule.group for rule in out}
    for identity, group in inventory.at("SecurityGroups", time).items():
        if identity not in told:
            unnamed = sorted(rules_of_group(group), key=str)
            out += [dataclasses.replace(rule, id=f"{identity}#{number}") for number, rule in enumerate(unnamed, 1)]
    return sorted(out, key=lambda rule: (rule.group, rule.egress, rule.id, str(rule)))


def by_group(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Returns rules by their group."""
    out: dict[str, list[Rule]] = {}
    for rule in rules:
        out.setdefault(rule.group, []).append(rule)
    return out
