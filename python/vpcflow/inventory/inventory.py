"""What an account has, by the time in which it was so, and which questions that is enough for."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from .documents import documents_in
from .table import Table, members, tables_of

# What each question needs, as kinds of answers: of alternatives one is enough.
_QUESTIONS: dict[str, tuple[str, ...]] = {
    "explain: which rule": ("NetworkInterfaces", "SecurityGroups|SecurityGroupRules", "NetworkAcls", "Subnets"),
    "explain: which route": ("NetworkInterfaces", "Subnets", "RouteTables"),
    "explain: what silence means": ("FlowLogs",),
    "rule usage": ("NetworkInterfaces", "SecurityGroupRules"),
    "rule proposals": ("NetworkInterfaces", "SecurityGroups", "SecurityGroupRules"),
    "cost by path, of logs without traffic-path": ("NetworkInterfaces", "Subnets", "RouteTables", "NatGateways"),
    "cost by owner": ("NetworkInterfaces|Instances",),
    "instance bandwidth": ("Instances", "InstanceTypes"),
}
# The call that answers with a kind.
_CALLS = {
    "FlowLogs": "describe-flow-logs", "InstanceTypes": "describe-instance-types", "Instances": "describe-instances",
    "NatGateways": "describe-nat-gateways", "NetworkAcls": "describe-network-acls",
    "NetworkInterfaces": "describe-network-interfaces", "RouteTables": "describe-route-tables",
    "SecurityGroupRules": "describe-security-group-rules", "SecurityGroups": "describe-security-groups",
    "Subnets": "describe-subnets",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Answerable:
    """Whether an inventory is enough for a question."""

    question: str
    #: The calls whose answers are not there; empty: it is enough.
    missing: tuple[str, ...]


class Inventory:
    """Tables of describe-* answers with validity in time: ``vpcflow.inventory(folder)``. Never changed; any number of
    threads may read one.

    ``tables``: by kind, as AWS names the list in the answer (``"NetworkInterfaces"``, ``"SecurityGroups"``, ...;
    instances as ``"Instances"``, entries of prefix lists as ``"Entries"``). ``notes``: what was not read, and what a
    table refers to but does not have.
    """

    def __init__(self, tables: Mapping[str, Table], notes: list[str] | tuple[str, ...] = ()) -> None:
        self.tables = dict(tables)
        self.notes = (*notes, *_dangling(self))

    def at(self, kind: str, time: int | None = None) -> dict[str, Mapping[str, Any]]:
        """Returns the items of a kind that were there at a time in Unix seconds (``None``: now), by id; empty for a
        kind that the inventory lacks."""
        table = self.tables.get(kind)
        return table.at(time) if table is not None else {}

    def questions(self) -> list[Answerable]:
        """Returns for each question that needs an inventory which answers it lacks."""
        return [
            Answerable(
                question,
                tuple(
                    " or ".join(_CALLS[kind] for kind in need.split("|"))
                    for need in needs
                    if not any(kind in self.tables for kind in need.split("|"))
                ),
            )
            for question, needs in _QUESTIONS.items()
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Returns a row a kind: ``kind``, ``items`` (of now), ``versions``, ``snapshots``, ``first`` and ``last``: Unix
        seconds of the first and the last snapshot with a date, else ``None``."""
        return [
            {
                "kind": kind,
                "items": len(table.at()),
                "versions": sum(len(versions) for versions in table.versions.values()),
                "snapshots": max(len(table.times), 1),
                "first": table.times[0] if table.times else None,
                "last": table.times[-1] if table.times else None,
            }
            for kind, table in sorted(self.tables.items())
        ]

    def __repr__(self) -> str:
        kinds = [f"{row['items']:,} {row['kind']}" for row in self.rows()]
        return f"<Inventory: {', '.join(kinds)}>"


def inventory(folder: str | os.PathLike[str]) -> Inventory:
    """Reads an inventory from a folder of answers of AWS's describe calls, with all below it.

    Files are named as the calls (``describe-network-interfaces.json``), with pages, dates
    (``describe-security-groups.2026-11-02.json``), accounts and regions as suffixes or folders. Entries of a managed
    prefix list need its id in the file's name: ``get-managed-prefix-list-entries.pl-0123.json``. Several dates of one
    file make a history: each item is as the last snapshot before a time says.

    Raises :class:`~vpcflow.SourceNotFoundError` for a folder that is not there or holds no answer, and
    :class:`~vpcflow.SourceError` for a file that is no JSON.

    >>> import json, pathlib, tempfile, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "describe-subnets.json").write_text(json.dumps({"Subnets": [{"SubnetId": "subnet-1"}]}))
    >>> vf.inventory(folder).rows()[0]["kind"]
    'Subnets'
    """
    documents, notes = documents_in(folder, every_date=True)
    return Inventory(tables_of(documents), notes)


def _dangling(inventory: Inventory) -> Iterator[str]:
    """Yields what rules of now refer to, and the inventory does not have."""
    groups = {str(one.get("GroupId")) for one in inventory.at("SecurityGroups").values()}
    lists = {str(one.get("PrefixListId")) for one in inventory.at("Entries").values()}
    lists |= {one for one, item in inventory.at("PrefixLists").items() if item.get("Cidrs")}
    wanted_groups, wanted_lists = set(), set()
    for group in inventory.at("SecurityGroups").values():
        for permission in [*members(group, "IpPermissions"), *members(group, "IpPermissionsEgress")]:
            wanted_groups |= {str(pair.get("GroupId")) for pair in members(permission, "UserIdGroupPairs")}
            wanted_lists |= {str(one.get("PrefixListId")) for one in members(permission, "PrefixListIds")}
    for rule in inventory.at("SecurityGroupRules").values():
        wanted_groups |= {str(one.get("GroupId") or "") for one in members({"": [rule.get("ReferencedGroupInfo")]}, "")}
        wanted_lists |= {str(rule.get("PrefixListId") or "")}
    for route_table in inventory.at("RouteTables").values():
        wanted_lists |= {str(one.get("DestinationPrefixListId") or "") for one in members(route_table, "Routes")}
    if lacking := sorted(wanted_lists - lists - {""}):
        yield f"prefix lists without entries: {', '.join(lacking)}: rules of them match maybe"
    if groups and (lacking := sorted(wanted_groups - groups - {""})):
        yield f"groups that rules refer to and that are not here: {', '.join(lacking)}"
