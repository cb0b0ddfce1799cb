"""Answers of AWS's describe calls, as they lie in files: pages, wrappers, dates in names."""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import SourceError, SourceNotFoundError

# What answers hold, by the name of the member with its items: the call, and the member by which an item is known.
_CALLS = {
    "FlowLogs": ("describe-flow-logs", "FlowLogId"),
    "Vpcs": ("describe-vpcs", "VpcId"),
    "Subnets": ("describe-subnets", "SubnetId"),
    "NetworkInterfaces": ("describe-network-interfaces", "NetworkInterfaceId"),
    "TransitGateways": ("describe-transit-gateways", "TransitGatewayId"),
    "TransitGatewayAttachments": ("describe-transit-gateway-attachments", "TransitGatewayAttachmentId"),
    "TransitGatewayVpcAttachments": ("describe-transit-gateway-vpc-attachments", "TransitGatewayAttachmentId"),
    "NatGateways": ("describe-nat-gateways", "NatGatewayId"),
    "CoreNetworks": ("list-core-networks", "CoreNetworkId"),
    "Attachments": ("list-attachments", "AttachmentId"),
    "LogGroups": ("describe-log-groups", "LogGroupName"),
    "Buckets": ("list-buckets", "Name"),
    "DeliveryStreamNames": ("list-delivery-streams", ""),
    "Roles": ("list-roles", "RoleName"),
    "Policy": ("get-bucket-policy", ""),
    "SecurityGroups": ("describe-security-groups", "GroupId"),
    "SecurityGroupRules": ("describe-security-group-rules", "SecurityGroupRuleId"),
    "StaleSecurityGroupSet": ("describe-stale-security-groups", "GroupId"),
    "NetworkAcls": ("describe-network-acls", "NetworkAclId"),
    "RouteTables": ("describe-route-tables", "RouteTableId"),
    "PrefixLists": ("describe-managed-prefix-lists", "PrefixListId"),
    "Entries": ("get-managed-prefix-list-entries", "Cidr"),
    "VpcEndpoints": ("describe-vpc-endpoints", "VpcEndpointId"),
    "VpcPeeringConnections": ("describe-vpc-peering-connections", "VpcPeeringConnectionId"),
    "Reservations": ("describe-instances", "ReservationId"),
    "InstanceTypes": ("describe-instance-types", "InstanceType"),
}
_BY_CALL = {re.sub("[^a-z]", "", call): kind for kind, (call, _) in _CALLS.items()}
_BY_CALL["describeprefixlists"] = "PrefixLists"
_KINDS = {kind.lower(): kind for kind in _CALLS}
_DATE = re.compile(
    r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])"
    r"(?:[T_-]?([0-2][0-9])[-:]?([0-5][0-9])(?:[-:]?([0-5][0-9]))?Z?)?(?![0-9])"
)
_PAGE = re.compile(r"[-_.]*(?:page|part|p)?[-_.]*[0-9]{1,5}$", re.I)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_PREFIX_LIST = re.compile(r"pl-[0-9a-f]+")
_REGION = re.compile(r"(?<![a-z])(?:[a-z]{2}|us-gov|us-iso[a-z]?)-(?:[a-z]+)-[0-9](?![0-9])")


@dataclasses.dataclass(frozen=True)
class Document:
    """The items of one answer, all of one kind."""

    #: As ``"Vpcs"``; ``"Policy"`` for the policy of a bucket.
    kind: str
    items: tuple[Any, ...]
    #: Where it is from, as far as the name of the file or the caller tells.
    account: str = ""
    region: str = ""
    source: str = ""
    #: What the file's name says besides: the bucket of a policy, the prefix list of entries.
    about: str = ""
    #: Whether AWS had more to give.
    has_more: bool = False
    #: The file's name without page and date: answers of one series are the same question at several times.
    series: str = ""
    #: When it was asked, in Unix seconds, as the file's name tells; none: now.
    time: int | None = None


def documents_in(
    folder: str | os.PathLike[str], every_date: bool = False
) -> tuple[list[Document], list[str]]:
    """Reads the answers in a folder with all below it, and returns them with notes on what was not read.

    Files are named as the calls are (``describe-vpcs.json``, ``DescribeVpcs.json``), with pages, dates, accounts and
    regions as suffixes or folders; of several dates the latest counts, unless ``every_date``. An answer may stand
    alone, in a list of pages, in a wrapper, one a line; a list of items may stand without its answer.

    Raises :class:`~vpcflow.SourceNotFoundError` for a folder that is not there or holds no answer,
    :class:`~vpcflow.SourceError` for a file that is no JSON.
    """
    place = Path(folder)
    if not place.exists():
        raise SourceNotFoundError(f"{place}: no such folder; name one with the answers of describe calls")
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    found: dict[tuple[str, ...], dict[str, list[Document]]] = {}
    notes = []
    for path in files:
        if not re.search(r"\.(json|jsonl|ndjson)(\.gz)?$", path.name, re.I):
            notes.append(
                f"{path.relative_to(place) if place.is_dir() else path}: not read: its name does not end in .json"
            )
            continue
        read = list(_documents_of(path, str(path.relative_to(place)) if place.is_dir() else path.name))
        if not read:
            notes.append(f"{path}: not read: it is no answer of a describe call that is known")
        for document, series, date in read:
            found.setdefault((document.kind, *series), {}).setdefault(date, []).append(document)
    out = [
        document
        for dates in found.values()
        for date in (sorted(dates) if every_date else [max(dates)])
        for document in dates[date]
    ]
    if not out:
        raise SourceNotFoundError(
            f"{place}: no answer of a describe call in it; expected files such as describe-flow-logs.json, "
            "describe-vpcs.json"
        )
    for dates in found.values():
        pages = dates[max(dates)]
        if all(page.has_more for page in pages):
            notes.append(f"{pages[-1].source}: AWS had more to give (NextToken), and there is no file with it")
    return out, notes


def _documents_of(path: Path, name: str) -> Iterator[tuple[Document, tuple[str, ...], str]]:
    """Yields what a file holds, each with the series of files that it belongs to and its date in there."""
    stem = re.sub(r"\.(json|jsonl|ndjson)(\.gz)?$", "", name, flags=re.I)
    dated = _DATE.search(stem)
    # A file without a date is the present.
    date = "".join(part or "00" for part in dated.groups()) if dated else "99999999"
    listed = next(iter(_PREFIX_LIST.findall(os.path.basename(stem))), "")
    series = (_DATE.sub("", stem) if listed else _PAGE.sub("", _DATE.sub("", stem))).strip("-_. ")
    account = next(iter(_ACCOUNT.findall(stem)), "")
    region = next(iter(_REGION.findall(stem)), "")
    call = _call_of(os.path.basename(stem))
    for value in _values_in(path):
        for kind, items, has_more in _answers(value, call):
            about = _about(os.path.basename(series)) if kind == "Policy" else listed if kind == "Entries" else ""
            document = Document(kind, tuple(items), account, region, name, about, has_more, series, _time_of(dated))
            yield document, (series,), date


def _time_of(dated: re.Match[str] | None) -> int | None:
    """Returns the Unix seconds of a date in the name of a file."""
    if dated is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in dated.groups())
    try:
        when = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
        return int(when.timestamp())
    except ValueError:
        return None


def _call_of(stem: str) -> str | None:
    """Returns the kind that the name of a file tells."""
    letters = re.sub("[^a-z]", "", stem.lower())
    matching = [call for call in _BY_CALL if letters.startswith(call)] or [call for call in _BY_CALL if call in letters]
    if matching:
        return _BY_CALL[max(matching, key=len)]
    nouns = {re.sub("^(describe|list|get)", "", call): kind for call, kind in _BY_CALL.items()}
    return nouns.get(letters)


def _about(series: str) -> str:
    """Returns the bucket in the name of a policy's file."""
    return re.sub(r"^get[-_ ]?bucket[-_ ]?policy", "", series, flags=re.I).strip("-_. ")


def _values_in(path: Path) -> Iterator[Any]:
    """Yields the JSON values of a file, which may be glued together."""
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        utf16 = raw[:2] in (b"\xff\xfe", b"\xfe\xff")  # as PowerShell writes the output of the aws command
        text = raw.decode("utf-16" if utf16 else "utf-8-sig").strip()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from None
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{path}: invalid JSON: {error}") from None
        yield value
        while position < len(text) and text[position] in " \t\r\n,\x1e":
            position += 1


def _answers(value: Any, call: str | None, depth: int = 0) -> Iterator[tuple[str, list[Any], bool]]:
    """Yields the answers in a JSON value: kind, items, and whether there were more."""
    if depth > 6:
        return
    if isinstance(value, list):
        known = _CALLS[call][1] if call else ""
        if call and all(isinstance(item, dict) and _member(item, known) for item in value) and known:
            yield call, value, False
            return
        for item in value:
            yield from _answers(item, call, depth + 1)
        return
    if not isinstance(value, dict):
        return
    more = any(_member(value, token) for token in ("NextToken", "NextMarker"))
    found = False
    for name, items in value.items():
        kind = _KINDS.get(name.lower())
        if kind == "Policy" and call == "Policy" and isinstance(items, (str, dict)):
            found = True
            yield kind, [items], False
        elif kind and kind != "Policy" and isinstance(items, list):
            found = True
            yield kind, items, more
    if call == "Policy" and not found and isinstance(value.get("Statement"), (list, dict)):
        found = True
        yield call, [value], False
    if isinstance(value.get("CoreNetwork"), dict):
        found = True
        yield "CoreNetworks", [value["CoreNetwork"]], False
    if found:
        return
    if call and _CALLS[call][1] and _member(value, _CALLS[call][1]):
        yield call, [value], False
        return
    for inner in value.values():
        if isinstance(inner, (dict, list)):
            yield from _answers(inner, call, depth + 1)


def _member(item: Mapping[str, Any], name: str) -> Any:
    """Returns a member, whose first letter may be small."""
    return item.get(name) or item.get(name[:1].lower() + name[1:])


def pascal(value: Any) -> Any:
    """Returns a value with names as EC2 writes them: ``logGroupName`` as ``LogGroupName``; values stay."""
    if isinstance(value, dict):
        return {str(name)[:1].upper() + str(name)[1:]: pascal(item) for name, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value
