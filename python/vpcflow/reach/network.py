"""The network of an inventory at a time: interfaces, their rules, the ACLs and routes of their subnets."""

from __future__ import annotations

import bisect
import difflib
import ipaddress
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from ..errors import PlanError
from ..inventory.inventory import Inventory
from ..inventory.table import members
from .answer import RouteAnswer
from .interface import Interface, instance_of, interface_of
from .rules import Acl, Routes, RuleSet, prefixes, rules_of_group, unknown_rules

Direction = Literal["ingress", "egress"]
_NETWORKS: weakref.WeakKeyDictionary[Inventory, dict[int, Network]] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


class Network:
    """What an inventory says of a network at a time, ready to be asked. Any number of threads may ask one.

    Get it by :meth:`at`, which keeps one for each stretch of time in which the inventory says the same.

    ``interfaces``: by id.
    """

    def __init__(self, inventory: Inventory, time: int | None = None) -> None:
        self.time = time
        kinds = ("NetworkInterfaces", "Subnets", "SecurityGroups", "SecurityGroupRules", "NetworkAcls", "RouteTables",
                 "Entries", "PrefixLists", "Instances", "NatGateways", "VpcEndpoints", "Vpcs",
                 "VpcPeeringConnections")  # fmt: skip
        self.items = {kind: inventory.at(kind, time) for kind in kinds}
        #: Kinds of which the inventory has answers, even empty ones: what those lack is not there.
        self.kinds = frozenset(inventory.tables)
        self.interfaces: dict[str, Interface] = {}
        for id, item in self.items["NetworkInterfaces"].items():
            instance = self.items["Instances"].get(instance_of(item), {})
            subnet = self.items["Subnets"].get(str(item.get("SubnetId") or ""), {})
            self.interfaces[id] = interface_of(id, item, instance, subnet)
        self._by_address: dict[str, list[Interface]] = {}
        self._delegated: list[tuple[Any, Interface]] = []
        self._members: dict[str, list[Interface]] = {}
        for one in self.interfaces.values():
            for text in one.addresses:
                block = ipaddress.ip_network(text)
                if block.num_addresses == 1:
                    self._by_address.setdefault(str(block.network_address), []).append(one)
                else:
                    self._delegated.append((block, one))
            for text in one.public:
                self._by_address.setdefault(text, []).append(one)
            for group in one.groups:
                self._members.setdefault(group, []).append(one)
        self._rules: dict[tuple[tuple[str, ...], Direction], RuleSet] = {}
        self._acls: dict[tuple[str, Direction], Acl] = {}
        self._routes: dict[str, Routes] = {}
        self._own: dict[str, list[Mapping[str, Any]]] = {}
        for rule in self.items["SecurityGroupRules"].values():
            self._own.setdefault(str(rule.get("GroupId")), []).append(rule)
        self._lists: dict[str, list[str]] = {}
        for entry in self.items["Entries"].values():
            self._lists.setdefault(str(entry.get("PrefixListId")), []).append(str(entry.get("Cidr")))
        for id, item in self.items["PrefixLists"].items():
            if item.get("Cidrs"):
                self._lists.setdefault(id, []).extend(map(str, item["Cidrs"]))

    @classmethod
    def at(cls, inventory: Inventory, time: int | None = None) -> Network:
        """Returns the network of an inventory at a time in Unix seconds (``None``: now). The same object for all times
        between which no snapshot lies."""
        times = sorted({one for table in inventory.tables.values() for one in table.times})
        key = -1 if time is None else max(bisect.bisect_right(times, time), 1)
        with _LOCK:
            own = _NETWORKS.setdefault(inventory, {})
            if key not in own:
                own[key] = cls(inventory, time)
            return own[key]

    def security(self, interface: Interface, direction: Direction) -> RuleSet:
        """Returns the rules of all groups of an interface. Ids are ``sgr-...``, or the group's where the inventory
        lacks describe-security-group-rules."""
        return self.rules_of(interface.groups, direction)

    def rules_of(self, groups: tuple[str, ...], direction: Direction) -> RuleSet:
        """Returns the rules of some groups together."""
        key = (tuple(sorted(groups)), direction)
        if key not in self._rules:
            rules = (rule for group in key[0] for rule in self._of_group(group, direction == "egress"))
            self._rules[key] = RuleSet(rules)
        return self._rules[key]

    def acl(self, subnet: str, direction: Direction) -> Acl:
        """Returns the ACL of a subnet: the one that it is associated with, else the default one of its VPC."""
        if (subnet, direction) not in self._acls:
            acl = self._associated("NetworkAcls", subnet, lambda acl: bool(acl.get("IsDefault")))
            egress = direction == "egress"
            entries = [one for one in members(acl, "Entries") if bool(one.get("Egress")) == egress]
            self._acls[subnet, direction] = Acl(str(acl.get("NetworkAclId") or ""), entries)
        return self._acls[subnet, direction]

    def route(self, subnet: str, address: str) -> RouteAnswer:
        """Returns where the route table of a subnet sends what goes to an address."""
        return self.routes(subnet).ask(address)

    def routes(self, subnet: str) -> Routes:
        """Returns the routes of a subnet: of the table that it is associated with, else of its VPC's main one."""
        if subnet not in self._routes:
            table = self._associated(
                "RouteTables", subnet, lambda table: any(one.get("Main") for one in members(table, "Associations"))
            )
            id = str(table.get("RouteTableId") or "")
            self._routes[subnet] = Routes(id, members(table, "Routes"), self.prefix_list)
        return self._routes[subnet]

    def vpc_of(self, subnet: str) -> str:
        """Returns the VPC of a subnet; ``""`` if it is not known."""
        item = self.items["Subnets"].get(subnet, {})
        here = (one.vpc for one in self.interfaces.values() if one.subnet == subnet and one.vpc)
        return str(item.get("VpcId") or "") or next(here, "")

    def prefix_list(self, id: str) -> tuple[list[str], bool]:
        """Returns the prefixes of a prefix list, and whether there may be more of them."""
        return prefixes(self._lists.get(id, ())), id not in self._lists

    def group_peers(self, group: str) -> tuple[list[str], bool]:
        """Returns the private prefixes of all interfaces that carry a group, and whether there may be more of them: if
        the group is of an account that is not in the inventory, or if a load balancer that keeps the clients' addresses
        is among them."""
        carriers = self._members.get(group, [])
        known = group in self.items["SecurityGroups"] and "NetworkInterfaces" in self.kinds
        forwards = any(one.kind == "network_load_balancer" for one in carriers)
        return [text for one in carriers for text in one.addresses], forwards or not known

    def members(self, group: str) -> tuple[Interface, ...]:
        """Returns the interfaces that carry a group."""
        return tuple(self._members.get(group, ()))

    def at_address(self, address: str) -> tuple[Interface, ...]:
        """Returns the interfaces whose private or public address it is, or in whose delegated prefixes it lies. There
        may be one in each VPC. O(delegated prefixes)."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return ()
        found = [*self._by_address.get(str(ip), ()), *(one for block, one in self._delegated if ip in block)]
        return tuple({one.id: one for one in found}.values())

    def find(self, what: str) -> tuple[Interface, ...]:
        """Returns the interfaces that somebody means: by an address, a prefix, an id (of an interface, instance, group,
        subnet, VPC, NAT gateway, endpoint) or a name (of an interface, instance, group, Auto Scaling group).

        Raises :class:`~vpcflow.PlanError` with the nearest name for what is not there; for an address and a prefix the
        answer may be empty. O(interfaces)."""
        if block := prefixes([what]):
            meant = ipaddress.ip_network(block[0])
            return tuple(
                one
                for one in self.interfaces.values()
                if any(_overlap(ipaddress.ip_network(text), meant) for text in (*one.addresses, *one.public))
            )
        names: dict[str, list[Interface]] = {}
        for one in self.interfaces.values():
            for name in {name for name in self._names(one) if name}:
                names.setdefault(name, []).append(one)
        if what not in names:
            near = "".join(f"; did you mean '{one}'?" for one in difflib.get_close_matches(what, names, 1))
            raise PlanError(f"inventory: '{what}' is no address, id or name in it{near}")
        return tuple(names[what])

    def _associated(self, kind: str, subnet: str, is_default: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Returns the item that a subnet is associated with, else the default one of its VPC; empty: not known."""
        items, vpc = self.items[kind].values(), self.vpc_of(subnet)
        for item in items:
            if any(one.get("SubnetId") == subnet for one in members(item, "Associations")):
                return item
        return next((item for item in items if vpc and item.get("VpcId") == vpc and is_default(item)), {})

    def _names(self, one: Interface) -> Iterator[str]:
        groups, nats, endpoints = (self.items[kind] for kind in ("SecurityGroups", "NatGateways", "VpcEndpoints"))
        yield from (one.id, one.instance, one.name, one.tags.get("Name", ""), one.asg, one.subnet, one.vpc)
        yield from one.groups
        yield from (str(groups[id].get("GroupName") or "") for id in one.groups if id in groups)
        for id, nat in nats.items():
            if any(address.get("NetworkInterfaceId") == one.id for address in members(nat, "NatGatewayAddresses")):
                yield id
        yield from (id for id, item in endpoints.items() if one.id in (item.get("NetworkInterfaceIds") or ()))

    def _of_group(self, group: str, egress: bool) -> Iterator[Any]:
        item = self.items["SecurityGroups"].get(group)
        own = self._own.get(group, [])
        if item is None and not own:
            return iter([unknown_rules(group)])
        return iter(rules_of_group(item or {"GroupId": group}, egress, own, self.group_peers, self.prefix_list))


def _overlap(one: Any, other: Any) -> bool:
    return one.version == other.version and bool(one.overlaps(other))
