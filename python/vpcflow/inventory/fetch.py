"""Inventories read from AWS, as files that :func:`vpcflow.inventory` reads."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..io.writing import write_whole

# The calls of EC2, each with the list in its answer.
_CALLS = (
    ("describe_network_interfaces", "NetworkInterfaces"), ("describe_security_groups", "SecurityGroups"),
    ("describe_security_group_rules", "SecurityGroupRules"), ("describe_network_acls", "NetworkAcls"),
    ("describe_route_tables", "RouteTables"), ("describe_subnets", "Subnets"), ("describe_vpcs", "Vpcs"),
    ("describe_managed_prefix_lists", "PrefixLists"), ("describe_prefix_lists", "PrefixLists"),
    ("describe_nat_gateways", "NatGateways"), ("describe_vpc_endpoints", "VpcEndpoints"),
    ("describe_vpc_peering_connections", "VpcPeeringConnections"), ("describe_transit_gateways", "TransitGateways"),
    ("describe_transit_gateway_attachments", "TransitGatewayAttachments"), ("describe_flow_logs", "FlowLogs"),
    ("describe_instances", "Reservations"),
)  # fmt: skip
_AT_ONCE = 4  # calls
Answer = tuple[str, "dict[str, Any] | None", str]


def fetch(
    client: Callable[..., Any], out: str | os.PathLike[str], region: str | None = None
) -> tuple[list[str], list[str]]:
    """Reads what describe calls of EC2 answer and writes each answer to a file of a folder; changes nothing in AWS.

    ``client``: makes a client of boto3, by service and region: :meth:`Connection.client`. ``region``: that of the
    configuration without. Names have region and time, so that answers of several times in one folder make a history.
    Returns the names of the files, and a note for each call that AWS refused. Raises :class:`~vpcflow.SourceError` if
    all were, and :class:`~vpcflow.OutputError` for files that cannot be written.
    """
    ec2 = client("ec2", region)
    place = str(ec2.meta.region_name)
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    files, notes = [], []
    for name, answer, note in _answers(ec2):
        if answer is None:
            notes.append(note)
            continue
        file = f"{name}.{place}.{stamp}.json"
        Path(out).mkdir(parents=True, exist_ok=True)
        write_whole(Path(out) / file, (json.dumps(answer, indent=1, default=_plain) + "\n").encode())
        files.append(file)
    if not files:
        raise SourceError(f"inventory: AWS answered no call in {place}; {notes[0]}")
    return files, notes


def _answers(ec2: Any) -> Iterator[Answer]:
    """Yields the name of each call with its answer, or with why there is none."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda call: _ask(ec2, *call), _CALLS))
        yield from found
        known = {name: answer for name, answer, _ in found if answer is not None}
        lists = [one["PrefixListId"] for one in known.get("describe-managed-prefix-lists", {}).get("PrefixLists", ())]
        yield from pool.map(lambda id: _entries(ec2, id), lists)
    reservations = known.get("describe-instances", {}).get("Reservations", ())
    types = sorted({one["InstanceType"] for part in reservations for one in part["Instances"]})
    if types:
        yield _ask(ec2, "describe_instance_types", "InstanceTypes", InstanceTypes=types)


def _entries(ec2: Any, id: str) -> Answer:
    name, answer, note = _ask(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=id)
    return f"{name}.{id}", answer, note


def _ask(ec2: Any, operation: str, kind: str, **arguments: Any) -> Answer:
    """Asks one call, all its pages."""
    name = operation.replace("_", "-")
    try:
        return name, {kind: list(_items(ec2, operation, kind, arguments))}, ""
    except Exception as error:  # of botocore, which is not imported here
        if not hasattr(error, "response"):  # it did not reach AWS
            raise
        return name, None, f"not read: {name}: {' '.join(str(error).split())[:200]}"


def _items(ec2: Any, operation: str, kind: str, arguments: dict[str, Any]) -> Iterable[Any]:
    if ec2.can_paginate(operation):
        for page in ec2.get_paginator(operation).paginate(**arguments):
            yield from page.get(kind, ())
    else:
        yield from getattr(ec2, operation)(**arguments).get(kind, ())


def _plain(value: Any) -> str:
    """Writes what JSON lacks as the AWS command line does: times as ISO 8601."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
