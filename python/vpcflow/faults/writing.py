"""Writes what interfaces logged as AWS delivers it, and the world as describe calls answer."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import json
import os
import urllib.parse
from collections.abc import Iterator
from typing import Any

from .. import _core
from ..errors import SynthError
from ..io.writing import write_whole
from .wire import Key, Seen, Wire
from .world import ACCOUNT, Item, World

#: The call that answers with a kind of items.
_FILES = {
    "Vpcs": "describe-vpcs", "Subnets": "describe-subnets", "NetworkInterfaces": "describe-network-interfaces",
    "SecurityGroups": "describe-security-groups", "SecurityGroupRules": "describe-security-group-rules",
    "NetworkAcls": "describe-network-acls", "RouteTables": "describe-route-tables",
    "PrefixLists": "describe-managed-prefix-lists", "NatGateways": "describe-nat-gateways",
    "VpcPeeringConnections": "describe-vpc-peering-connections", "TransitGateways": "describe-transit-gateways",
    "TransitGatewayAttachments": "describe-transit-gateway-attachments", "FlowLogs": "describe-flow-logs",
    "Instances": "describe-instances",
}  # fmt: skip
_TYPES = {
    "nat_gateway": "nat_gateway", "natGateway": "nat_gateway", "transit_gateway": "transit_gateway",
    "network_load_balancer": "network_load_balancer",
}  # fmt: skip


def fields_of_format(text: str) -> tuple[list[str], int]:
    """Returns the fields of a format of the logs of a VPC, and the version that AWS writes for it."""
    from .. import scan

    columns = scan(b"\n", format=text).columns
    known = {field["column"]: field for field in _core.fields()}
    wrong = [name for name in columns if name not in known or "vpc" not in known[name]["delivered_in"]]
    if wrong:
        raise SynthError(f"synth: format: {wrong[0]!r} is no field of the logs of a VPC")
    return [known[name]["name"] for name in columns], max(known[name]["version"] for name in columns)


def write_documents(world: World, folder: str) -> list[str]:
    """Writes the answers of every snapshot that say something new, and returns the names of the files."""
    names: list[str] = []
    last: dict[str, Any] = {}

    def write(call: str, date: str, answer: Any) -> None:
        if last.get(call) != answer:
            write_whole(os.path.join(folder, f"{call}.{date}.json"), (json.dumps(answer, indent=1) + "\n").encode())
            names.append(f"{call}.{date}.json")
        last[call] = answer

    for when in world.snapshots():
        date = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%dT%H-%M-%S")
        documents = world.at(when)
        for kind, call in _FILES.items():
            write(call, date, _answer(kind, documents))
        for one in documents["PrefixLists"]:
            name = one["PrefixListId"]
            held = [{"Cidr": e["Cidr"]} for e in documents["Entries"] if e["PrefixListId"] == name]
            write(f"get-managed-prefix-list-entries.{name}", date, {"Entries": held})
    return names


def _answer(kind: str, documents: dict[str, list[Item]]) -> Item:
    items = documents[kind]
    if kind == "Instances":
        return {
            "Reservations": [
                {"ReservationId": one["InstanceId"].replace("i-", "r-"), "OwnerId": ACCOUNT, "Instances": [one]}
                for one in items
            ]
        }
    if kind == "SecurityGroups":
        return {kind: [{**group, **_permissions(documents, group["GroupId"])} for group in items]}
    return {kind: items}


def _permissions(documents: dict[str, list[Item]], group: str) -> Item:
    """Returns the rules of a group as describe-security-groups has them: joined by protocol and ports."""
    out: Item = {"IpPermissions": [], "IpPermissionsEgress": []}
    for row in documents["SecurityGroupRules"]:
        if row["GroupId"] != group:
            continue
        place = out["IpPermissionsEgress" if row["IsEgress"] else "IpPermissions"]
        same = [
            p
            for p in place
            if (p["IpProtocol"], p.get("FromPort", -1), p.get("ToPort", -1))
            == (row["IpProtocol"], row["FromPort"], row["ToPort"])
        ]
        if not same:
            ports = {} if row["IpProtocol"] == "-1" else {"FromPort": row["FromPort"], "ToPort": row["ToPort"]}
            same = [
                {
                    "IpProtocol": row["IpProtocol"],
                    **ports,
                    "IpRanges": [],
                    "Ipv6Ranges": [],
                    "PrefixListIds": [],
                    "UserIdGroupPairs": [],
                }
            ]
            place.append(same[0])
        for member, list_name, name in (
            ("CidrIpv4", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ):
            if member in row:
                same[0][list_name].append({name: row[member]})
        if "ReferencedGroupInfo" in row:
            same[0]["UserIdGroupPairs"].append(row["ReferencedGroupInfo"])
    return out


def log_lines(wire: Wire, names: list[str], version: int) -> Iterator[tuple[str, int, str]]:
    """Yields interface, end, and line of each record, those of windows without traffic too."""
    world = wire.world
    by_window: dict[tuple[str, int], list[tuple[Key, Seen]]] = {}
    for key, seen in wire.seen.items():
        by_window.setdefault((key.interface, key.window), []).append((key, seen))
    lives = world.lives()
    kinds = {eni["NetworkInterfaceId"]: eni for eni, _, _ in lives}
    for eni, since, until in lives:
        name = eni["NetworkInterfaceId"]
        offset = wire.offset(name)
        zone = {"region": world.region, "az-id": eni["AvailabilityZoneId"]}
        base = {
            "version": version, "account-id": ACCOUNT, "interface-id": name, "vpc-id": eni["VpcId"],
            "subnet-id": eni["SubnetId"], "instance-id": eni.get("Attachment", {}).get("InstanceId", "-"), **zone,
        }  # fmt: skip
        more = {"interface-type": _TYPES.get(eni["InterfaceType"], "-")}
        tag = eni["TagSet"][0]["Value"] if eni["TagSet"] else None
        if tag is not None:
            more["instance-tag"] = more["interface-tag"] = urllib.parse.quote(tag, safe="").replace("-", "%2D")
        for window in range((since - offset) // wire.window + 1, (until - offset) // wire.window):
            own = by_window.get((name, window))
            if own is None:
                first = window * wire.window + offset
                values = {**base, "start": first, "end": first + wire.window - 1, "log-status": "NODATA"}
                yield name, first + wire.window - 1, _line(names, values)
                continue
            for key, seen in own:
                hop = kinds.get(key.next_hop)
                values = {**base, **more, **_values(key, seen), **_next_hop(hop), "log-status": "OK"}
                yield name, int(seen.last), _line(names, values)


def _values(key: Key, seen: Seen) -> dict[str, Any]:
    tcp = key.protocol == 6
    return {
        "srcaddr": key.src, "dstaddr": key.dst, "srcport": key.sport, "dstport": key.dport, "protocol": key.protocol,
        "packets": seen.packets, "bytes": "-" if key.reason == "BPA" else seen.size, "start": int(seen.first),
        "end": int(seen.last), "action": key.action, "tcp-flags": seen.flags if tcp else 0,
        "type": "IPv6" if ":" in key.src else "IPv4", "pkt-srcaddr": key.packet_src, "pkt-dstaddr": key.packet_dst,
        "flow-direction": "egress" if key.egress else "ingress", "traffic-path": key.path,
        "reject-reason": key.reason,
    }  # fmt: skip


def _next_hop(hop: Item | None) -> dict[str, Any]:
    if hop is None:
        return {}
    return {
        "next-hop-interface-id": hop["NetworkInterfaceId"], "next-hop-subnet-id": hop["SubnetId"],
        "next-hop-az-id": hop["AvailabilityZoneId"], "next-hop-vpc-id": hop["VpcId"],
        "next-hop-interface-type": _TYPES.get(hop["InterfaceType"], "-"),
    }  # fmt: skip


def _line(names: list[str], values: dict[str, Any]) -> str:
    return " ".join(str(values.get(name, "-")) for name in names)


def write_logs(wire: Wire, names: list[str], version: int, folder: str, one_file: str) -> tuple[int, int, list[str]]:
    """Writes gzip files of an hour each, or of an interface and hour; returns records, bytes of text, and names."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for interface, end, text in log_lines(wire, names, version):
        hour = datetime.datetime.fromtimestamp(end - end % 3600, datetime.timezone.utc)
        identity = hashlib.sha256((interface if one_file == "interface" else "").encode()).hexdigest()[:8]
        flow_log = f"fl-{wire.world.start:017x}"
        name = f"{ACCOUNT}_vpcflowlogs_{wire.world.region}_{flow_log}_{hour:%Y%m%dT%H%MZ}_{identity}.log.gz"
        groups.setdefault(f"{hour:%Y/%m/%d/%H}/{name}", []).append((end, text))
    records = size = 0
    for name, lines in sorted(groups.items()):
        text = "\n".join([" ".join(names), *(line for _, line in sorted(lines))]) + "\n"
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_whole(path, gzip.compress(text.encode(), 6, mtime=0))
        records, size = records + len(lines), size + len(text)
    return records, size, sorted(groups)
