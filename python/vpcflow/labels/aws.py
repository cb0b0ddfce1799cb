"""Tables of labels out of AWS's documents: address ranges, network interfaces."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from ..errors import PlanError
from .prefixes import Labels, Path, reading


def ip_ranges(path: Path, what: str = "service") -> Labels:
    """Labels AWS's published addresses, from its ``ip-ranges.json``: ``what`` is ``"service"`` (the most
    particular one, as ``S3`` before ``AMAZON``), ``"region"`` or ``"network_border_group"``. For address fields."""
    document = _json(path)
    out = Labels("AWS prefixes")
    rows = [(p["ip_prefix"], p) for p in document.get("prefixes", [])]
    rows += [(p["ipv6_prefix"], p) for p in document.get("ipv6_prefixes", [])]
    if not rows or any(what not in p for _, p in rows):
        raise PlanError(f"labels: {os.fspath(path)} has no {what!r} of prefixes; expected AWS's ip-ranges.json")
    # Among equal prefixes the last one wins.
    rows.sort(key=lambda row: {"AMAZON": 0, "EC2": 1}.get(row[1]["service"], 2))
    for prefix, entry in rows:
        out._core.add_prefix(str(prefix), str(entry[what]))
    return out.done()


def interfaces(
    snapshots: Path | Sequence[tuple[Path, int]], what: str = "Attachment.InstanceId", by: str = "interface-id"
) -> Labels:
    """Labels network interfaces, from ``aws ec2 describe-network-interfaces --output json``.

    ``snapshots``: one file, or several with the Unix time of each: then a record gets the label of the last snapshot
    before its start (of the first one, if it is older). ``what``: a value of an interface, as
    ``"Attachment.InstanceId"``, ``"Description"``, ``"SubnetId"``, ``"Groups.0.GroupName"``, or a tag, as
    ``"tag:Name"``. ``by``: ``"interface-id"`` for the field of that name, ``"address"`` for address fields.
    Interfaces without the value have no label.
    """
    if by not in ("interface-id", "address"):
        raise PlanError(f"labels: by={by!r}: expected 'interface-id' or 'address'")
    files = [(snapshots, 0)] if isinstance(snapshots, (str, os.PathLike)) else sorted(snapshots, key=lambda s: s[1])
    out = Labels("interfaces")
    for i, (path, time) in enumerate(files):
        since = None if i == 0 else time
        until = None if i + 1 == len(files) else files[i + 1][1]
        document = _json(path)
        if not isinstance(document.get("NetworkInterfaces"), list):
            raise PlanError(f"labels: {os.fspath(path)} has no NetworkInterfaces")
        for interface in document["NetworkInterfaces"]:
            label = value_at(interface, what)
            if label is None:
                continue
            if by == "interface-id":
                out._core.add_text(interface["NetworkInterfaceId"], label, since, until)
                continue
            addresses = [a["PrivateIpAddress"] for a in interface.get("PrivateIpAddresses", [])]
            addresses += [a["Ipv6Address"] for a in interface.get("Ipv6Addresses", [])]
            for address in addresses:
                out._core.add_prefix(address, label, since, until)
    return out.done()


def _json(path: Path) -> dict[str, Any]:
    with reading(path) as name, open(name, encoding="utf-8") as file:
        try:
            document = json.load(file)
        except ValueError as error:
            raise PlanError(f"labels: {os.fspath(path)}: invalid JSON: {error}") from None
    if not isinstance(document, dict):
        raise PlanError(f"labels: {os.fspath(path)}: invalid document: expected an object at the top")
    return document


def value_at(entry: Any, path: str) -> str | None:
    if path.startswith("tag:"):
        tags = entry.get("TagSet") or entry.get("Tags") or []
        return next((str(tag["Value"]) for tag in tags if tag.get("Key") == path[4:]), None)
    for part in path.split("."):
        if isinstance(entry, list) and part.isdigit() and int(part) < len(entry):
            entry = entry[int(part)]
        elif isinstance(entry, dict):
            entry = entry.get(part)
        else:
            return None
    return str(entry) if isinstance(entry, (str, int)) and not isinstance(entry, bool) else None
