"""The slow matcher: what rules say of a packet, by reading AWS's answers from the first item to the last.

Written from AWS's semantics and for nothing but being right: no table, no memory of what it was asked before. It
decides what is accepted in the world of faults, and is the oracle of faster ones.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: What describe calls answer: items by kind, as ``{"SecurityGroups": [...]}``; entries of prefix lists with their
#: ``PrefixListId`` as ``"Entries"``.
Documents = Mapping[str, Sequence[Mapping[str, Any]]]

_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}


@dataclasses.dataclass(frozen=True)
class Asked:
    """A packet as an interface sees it: the remote address, and the destination port of TCP and UDP."""

    peer: str
    protocol: int = 6
    port: int = 0
    icmp_type: int | None = None
    icmp_code: int | None = None


@dataclasses.dataclass(frozen=True)
class Said:
    """``permit``: ``"allow"``, ``"deny"`` or ``"maybe"``; ``rules``: the ids that decide it; ``maybe``: the ids that
    would, if what is not known were so."""

    permit: str
    rules: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Way:
    """Where a route table sends a packet; ``target`` is ``None`` without a route."""

    table: str
    target: str | None = None
    destination: str = ""
    blackhole: bool = False
    certain: bool = True


def security(documents: Documents, interface: str, egress: bool, asked: Asked) -> Said:
    """Returns what all groups of an interface say of a packet that begins a session."""
    allow: list[str] = []
    maybe: list[str] = []
    for eni in _items(documents, "NetworkInterfaces", "NetworkInterfaceId", interface):
        for group in sorted(one["GroupId"] for one in eni.get("Groups", ())):
            rows = list(rule_rows(documents, group))
            if not rows and not _items(documents, "SecurityGroups", "GroupId", group):
                maybe.append(group)  # whatever its rules are
            for row in rows:
                about = _least(_about(row, asked), _from_source(documents, row, asked.peer))
                if row["IsEgress"] == egress and about != "no":
                    (allow if about == "yes" else maybe).append(row["SecurityGroupRuleId"])
    return Said("allow" if allow else "maybe" if maybe else "deny", tuple(allow), tuple(maybe))


def acl(documents: Documents, subnet: str, egress: bool, asked: Asked) -> Said:
    """Returns what the network ACL of a subnet says of a packet that crosses the subnet's border."""
    own = acl_of(documents, subnet)
    if not own:
        return Said("maybe")
    may: list[tuple[str, str]] = []
    for entry in sorted(own.get("Entries", ()), key=lambda entry: entry["RuleNumber"]):
        ports, icmp = entry.get("PortRange", {}), entry.get("IcmpTypeCode", {})
        tcp = str(entry["Protocol"]) in ("6", "17")
        row = {
            "IpProtocol": str(entry["Protocol"]),
            "FromPort": ports.get("From", -1) if tcp else icmp.get("Type", -1),
            "ToPort": ports.get("To", -1) if tcp else icmp.get("Code", -1),
        }
        about = _least(_about(row, asked), _holds(entry.get("CidrBlock") or entry["Ipv6CidrBlock"], asked.peer))
        if entry["Egress"] != egress or about == "no":
            continue
        may.append((entry["RuleAction"], entry_id(own, entry)))
        if about == "yes":
            break
    else:
        may.append(("deny", f"{own['NetworkAclId']}#{32768 if ':' in asked.peer else 32767}"))
    if len({action for action, _ in may}) == 1:
        return Said(may[0][0], (may[-1][1],), tuple(one for _, one in may[:-1]))
    return Said("maybe", (), tuple(one for _, one in may))


def route(documents: Documents, subnet: str, address: str) -> Way:
    """Returns the route of an address out of a subnet: the longest prefix, then static before propagated."""
    table = table_of(documents, subnet)
    best: tuple[tuple[int, bool], Way] | None = None
    certain = bool(table)
    for one in table.get("Routes", ()):
        if one.get("State") == "filtered":
            continue
        for cidr in _destinations(documents, one):
            if cidr is None:
                certain = False
            elif _holds(cidr, address) == "yes":
                rank = (int(cidr.split("/")[1]), one.get("Origin") != "EnableVgwRoutePropagation")
                way = Way(table["RouteTableId"], _target(one), cidr, one.get("State") == "blackhole")
                best = (rank, way) if best is None or rank > best[0] else best
    way = best[1] if best else Way(str(table.get("RouteTableId", "")))
    return dataclasses.replace(way, certain=certain)


def rule_rows(documents: Documents, group: str) -> Iterator[dict[str, Any]]:
    """Yields the rules of a group, one source each: with their ids, or with that of the group where rules have none."""
    rows = _items(documents, "SecurityGroupRules", "GroupId", group)
    yield from (dict(row) for row in rows)
    for own in _items(documents, "SecurityGroups", "GroupId", group) if not rows else ():
        for member, egress in (("IpPermissions", False), ("IpPermissionsEgress", True)):
            for permission in own.get(member, ()):
                base = {"SecurityGroupRuleId": group, "GroupId": group, "IsEgress": egress, **permission}
                yield from ({**base, "CidrIpv4": r["CidrIp"]} for r in permission.get("IpRanges", ()))
                yield from ({**base, "CidrIpv6": r["CidrIpv6"]} for r in permission.get("Ipv6Ranges", ()))
                yield from ({**base, "PrefixListId": r["PrefixListId"]} for r in permission.get("PrefixListIds", ()))
                yield from ({**base, "ReferencedGroupInfo": r} for r in permission.get("UserIdGroupPairs", ()))


def acl_of(documents: Documents, subnet: str) -> Mapping[str, Any]:
    """Returns the network ACL of a subnet: the one associated with it, else its VPC's default one."""
    acls = documents.get("NetworkAcls", ())
    for own in acls:
        if any(one.get("SubnetId") == subnet for one in own.get("Associations", ())):
            return own
    vpc = _vpc_of(documents, subnet)
    return next((own for own in acls if own.get("IsDefault") and own.get("VpcId") == vpc), {})


def table_of(documents: Documents, subnet: str) -> Mapping[str, Any]:
    """Returns the route table of a subnet: the one associated with it, else its VPC's main one."""
    tables = documents.get("RouteTables", ())
    for table in tables:
        if any(one.get("SubnetId") == subnet for one in table.get("Associations", ())):
            return table
    vpc = _vpc_of(documents, subnet)
    main = (t for t in tables if t.get("VpcId") == vpc and any(a.get("Main") for a in t.get("Associations", ())))
    return next(main, {})


def entry_id(own: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Returns the id of an entry: ``acl-1#100``."""
    return f"{own['NetworkAclId']}#{entry['RuleNumber']}"


def addresses_of(eni: Mapping[str, Any]) -> list[str]:
    """Returns the private addresses of an interface and the prefixes that were delegated to it."""
    return [
        *(one["PrivateIpAddress"] for one in eni.get("PrivateIpAddresses", ())),
        *(one["Ipv6Address"] for one in eni.get("Ipv6Addresses", ())),
        *(one["Ipv4Prefix"] for one in eni.get("Ipv4Prefixes", ())),
        *(one["Ipv6Prefix"] for one in eni.get("Ipv6Prefixes", ())),
    ]


def _vpc_of(documents: Documents, subnet: str) -> str | None:
    return next((one["VpcId"] for one in _items(documents, "Subnets", "SubnetId", subnet)), None)


def _about(row: Mapping[str, Any], asked: Asked) -> str:
    """Whether a rule is about the protocol, and the port or the type of ICMP: yes, no or maybe."""
    name = str(row["IpProtocol"])
    number = -1 if name == "-1" else _NUMBERS.get(name) or int(name)
    if number == -1:
        return "yes"
    if number != asked.protocol:
        return "no"
    first, last = (-1 if row.get(end) is None else row[end] for end in ("FromPort", "ToPort"))
    if number in (6, 17):
        return "yes" if max(first, 0) <= asked.port <= (65535 if last == -1 else last) else "no"
    if number not in (1, 58) or first == -1:
        return "yes"
    if asked.icmp_type is None:
        return "maybe"
    if asked.icmp_type != first:
        return "no"
    return "yes" if last in (-1, asked.icmp_code) else "maybe" if asked.icmp_code is None else "no"


def _from_source(documents: Documents, row: Mapping[str, Any], peer: str) -> str:
    """Whether a peer is of a rule's source or destination: yes, no or maybe."""
    if row.get("PrefixListId"):
        held = [_holds(cidr, peer) for cidr in _prefix_list(documents, row["PrefixListId"])]
        return "yes" if "yes" in held else "no" if held else "maybe"
    if not row.get("ReferencedGroupInfo"):
        return _holds(row.get("CidrIpv4") or row["CidrIpv6"], peer)
    group = row["ReferencedGroupInfo"]["GroupId"]
    members = [
        eni
        for eni in documents.get("NetworkInterfaces", ())
        if any(one["GroupId"] == group for one in eni.get("Groups", ()))
    ]
    if any(_holds(address, peer) == "yes" for eni in members for address in addresses_of(eni)):
        return "yes"
    # Of a group of another account, who carries it is known in part, if at all.
    known = _items(documents, "SecurityGroups", "GroupId", group)
    # What a load balancer hands on may keep the client's address, and is allowed all the same.
    balances = any(eni.get("InterfaceType") == "network_load_balancer" for eni in members)
    return "no" if known and not balances else "maybe"


def _holds(cidr: str, address: str) -> str:
    """Whether an address lies in a prefix of its family; bits beyond the prefix do not count."""
    return "yes" if ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False) else "no"


def _prefix_list(documents: Documents, name: str) -> list[str]:
    """Returns the prefixes of a list; none if nobody knows them."""
    lists = _items(documents, "PrefixLists", "PrefixListId", name)
    return [entry["Cidr"] for entry in _items(documents, "Entries", "PrefixListId", name)] or [
        cidr for one in lists for cidr in one.get("Cidrs", ())
    ]


def _destinations(documents: Documents, one: Mapping[str, Any]) -> list[str | None]:
    cidr = one.get("DestinationCidrBlock") or one.get("DestinationIpv6CidrBlock")
    return [cidr] if cidr else list(_prefix_list(documents, one["DestinationPrefixListId"])) or [None]


def _target(one: Mapping[str, Any]) -> str:
    """Returns the id of where a route leads."""
    members = (
        "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId",
        "EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
    )  # fmt: skip
    return next((str(one[member]) for member in members if one.get(member)), "")


def _items(documents: Documents, kind: str, member: str, value: str) -> list[Mapping[str, Any]]:
    return [item for item in documents.get(kind, ()) if item.get(member) == value]


def _least(one: str, other: str) -> str:
    return min(one, other, key=("no", "maybe", "yes").index)
