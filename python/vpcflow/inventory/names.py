"""Names for addresses out of an inventory: by a tag, an instance, a group of instances, a subnet, at the time asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from .._hints import hint
from ..errors import PlanError
from ..labels.prefixes import Labels
from .inventory import Inventory
from .table import Version, members

#: What addresses can be named by, beside ``tag:KEY``.
NAMINGS = ("name", "instance", "interface", "asg", "subnet", "vpc", "az", "group", "type")
_ASG = "aws:autoscaling:groupName"
_Item = Mapping[str, Any]


def names_of(inventory: Inventory, by: str, of: Literal["address", "interface-id"] = "address") -> Labels:
    """Returns a table of names for address fields, or for the field ``interface-id``, each valid in the time of its
    snapshot; for :meth:`vpcflow.Flows.label`.

    ``by``: ``"name"`` (the tag Name of the instance, else of the interface, else its description), ``"instance"``,
    ``"interface"``, ``"asg"``, ``"subnet"``, ``"vpc"``, ``"az"``, ``"group"`` (security groups), ``"type"`` (of
    instances), or ``"tag:KEY"``. Addresses that the inventory does not name have no label.
    :class:`~vpcflow.PlanError` for any other, and for an inventory without what it takes.

    >>> import json, pathlib, tempfile, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> db = {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.1", "TagSet": [{"Key": "Name", "Value": "db"}]}
    >>> _ = (folder / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": [db]}))
    >>> names = names_of(vf.inventory(folder), "name")
    >>> flows = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n").label("src_name", "srcaddr", names)
    >>> flows.group_by("src_name").agg(vf.sum("bytes")).collect().rows()
    [{'src_name': 'db', 'bytes': 40}]
    """
    if of not in ("address", "interface-id"):
        raise PlanError(f"names_of: of={of!r}: expected 'address' or 'interface-id'")
    if by not in NAMINGS and not by.startswith("tag:"):
        raise PlanError(f"by={by!r}: no such name; {hint(by, [*NAMINGS, 'tag:KEY'])}")
    if not any(kind in inventory.tables for kind in ("NetworkInterfaces", "Instances", "Subnets")):
        raise PlanError(f"by={by!r}: the inventory has no describe-network-interfaces or describe-instances")
    out = Labels("names")
    keys = addresses_of if of == "address" else _interface_id
    for key, label, version in _names(inventory, by, keys):
        if of == "address":
            add_name(out, key, label, version)
        elif "/" not in key:  # the prefix of a subnet
            out._core.add_text(_text(key), _text(label), version.start, version.end)
    return out.done()


def _interface_id(interface: _Item) -> Iterator[str]:
    if interface.get("NetworkInterfaceId"):
        yield str(interface["NetworkInterfaceId"])


def add_name(table: Labels, prefix: Any, label: str, version: Version | None = None) -> bool:
    """Adds a name for a prefix, in the time of a version; tells whether it is a prefix: inventories hold anything."""
    start, end = (None, None) if version is None else (version.start, version.end)
    try:
        table._core.add_prefix(_text(prefix), _text(label), start, end)
    except PlanError:
        return False
    return True


def _text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


def interface_of_addresses(inventory: Inventory) -> Labels:
    """Returns a table of the interface ids of addresses."""
    return names_of(inventory, "interface")


def addresses_of(interface: _Item) -> Iterator[str]:
    """Yields the addresses of an interface, the public ones and delegated prefixes included."""
    single = {"PrivateIpAddress": interface.get("PrivateIpAddress"), "Association": interface.get("Association")}
    for one in [single, *members(interface, "PrivateIpAddresses")]:
        if one.get("PrivateIpAddress"):
            yield str(one["PrivateIpAddress"])
        association = one.get("Association")
        if isinstance(association, dict) and association.get("PublicIp"):
            yield str(association["PublicIp"])
    for name in ("Ipv6Address", "Ipv4Prefix", "Ipv6Prefix"):
        inner = members(interface, f"{name}es")  # Ipv6Addresses, Ipv4Prefixes, Ipv6Prefixes
        yield from (str(one[name]) for one in inner if one.get(name))


def kind_of_interface(interface: _Item) -> str:
    """Returns the type of an interface in one spelling: ``nat_gateway`` for ``natGateway``."""
    text = str(interface.get("InterfaceType") or "interface")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in text).replace("-", "_")


def tag_of(item: _Item, key: str) -> str | None:
    """Returns the value of a tag."""
    for name in ("TagSet", "Tags"):
        for tag in members(item, name):
            if tag.get("Key") == key and tag.get("Value"):
                return str(tag["Value"])
    return None


def _names(
    inventory: Inventory, by: str, keys: Callable[[_Item], Iterator[str]]
) -> Iterator[tuple[str, str, Version]]:
    instances = inventory.tables.get("Instances")
    interfaces = inventory.tables.get("NetworkInterfaces")
    subnets = inventory.tables.get("Subnets")
    if subnets is not None and (by in ("subnet", "vpc", "az") or by.startswith("tag:")):
        for versions in subnets.versions.values():
            for version in versions:
                own = _of_subnet(version.item, by)
                for prefix in _prefixes_of(version.item) if own else ():
                    yield prefix, str(own), version
    for instance_id, versions in instances.versions.items() if instances is not None else ():
        for version in versions:
            for interface in _interfaces_in(version.item):
                label = _label({**interface, "_Instance": version.item, "_Id": instance_id}, by)
                for key in keys(interface) if label else ():
                    yield key, str(label), version
    for versions in interfaces.versions.values() if interfaces is not None else ():
        for version in versions:
            attachment = version.item.get("Attachment")
            attached = attachment.get("InstanceId") if isinstance(attachment, dict) else None
            there = instances.versions.get(str(attached), ()) if instances is not None else ()
            # Of an instance with several versions each holds for the time that both have in common.
            for part, instance in _common(version, there):
                label = _label({**version.item, "_Instance": instance, "_Id": attached}, by)
                for key in keys(version.item) if label else ():
                    yield key, str(label), part


def _common(version: Version, others: tuple[Version, ...]) -> Iterator[tuple[Version, _Item]]:
    found = False
    for other in others:
        start = max((one for one in (version.start, other.start) if one is not None), default=None)
        end = min((one for one in (version.end, other.end) if one is not None), default=None)
        if start is None or end is None or start < end:
            found = True
            yield Version(version.item, start, end), other.item
    if not found:
        yield version, {}


def _interfaces_in(instance: _Item) -> Iterator[_Item]:
    own = members(instance, "NetworkInterfaces")
    about = {name: instance.get(name) for name in ("SubnetId", "VpcId")}
    for interface in own or [{"PrivateIpAddress": instance.get("PrivateIpAddress")}]:
        yield {**about, **{name: value for name, value in interface.items() if value is not None}}


def _prefixes_of(subnet: _Item) -> Iterator[str]:
    if subnet.get("CidrBlock"):
        yield str(subnet["CidrBlock"])
    for one in members(subnet, "Ipv6CidrBlockAssociationSet"):
        if one.get("Ipv6CidrBlock"):
            yield str(one["Ipv6CidrBlock"])


def _of_subnet(subnet: _Item, by: str) -> str | None:
    if by.startswith("tag:"):
        return tag_of(subnet, by[4:])
    member = {"subnet": "SubnetId", "vpc": "VpcId", "az": "AvailabilityZoneId"}[by]
    return str(subnet[member]) if subnet.get(member) else None


def _zone(instance: _Item) -> Any:
    placement = instance.get("Placement")
    return placement.get("AvailabilityZone") if isinstance(placement, dict) else None


# By naming: the label of an interface, with the instance that it is attached to.
_LABELS: dict[str, Callable[[_Item, _Item], Any]] = {
    "name": lambda own, instance: tag_of(instance, "Name") or tag_of(own, "Name") or own.get("Description"),
    "instance": lambda own, instance: own.get("_Id"),
    "interface": lambda own, instance: own.get("NetworkInterfaceId"),
    "asg": lambda own, instance: tag_of(instance, _ASG),
    "subnet": lambda own, instance: own.get("SubnetId"),
    "vpc": lambda own, instance: own.get("VpcId"),
    "az": lambda own, instance: own.get("AvailabilityZoneId") or own.get("AvailabilityZone") or _zone(instance),
    "group": lambda own, instance: "+".join(sorted(str(one.get("GroupId")) for one in members(own, "Groups"))),
    "type": lambda own, instance: instance.get("InstanceType"),
}


def _label(own: _Item, by: str) -> Any:
    instance = own["_Instance"]
    if by.startswith("tag:"):
        return tag_of(instance, by[4:]) or tag_of(own, by[4:])
    return _LABELS[by](own, instance)
