"""What findings say to block: addresses with reasons and an end, for the places that can block them."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import PlanError
from ..findings.finding import Finding
from ..inventory import Inventory
from ..inventory.table import members
from .cover import cover_curve
from .kept import HOSTILE, is_inside
from .rules import Net

#: Entries of each family and direction that a network ACL has room for: AWS's default, and the most that it gives.
ACL_ROOM, ACL_MOST = 20, 40
# Networks whose addresses many share: one of them that attacks is not the only one behind it.
_SHARED = {ipaddress.ip_network("100.64.0.0/10"): "carrier-grade NAT"}


@dataclasses.dataclass(frozen=True)
class Block:
    """A prefix to block."""

    net: Net
    actors: tuple[str, ...]
    findings: tuple[str, ...]  # ids
    why: str
    expires: int  # Unix seconds
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the members of its JSON object."""
        return {
            "cidr": str(self.net), "actors": list(self.actors), "findings": list(self.findings), "why": self.why,
            "expires": self.expires, "note": self.note,
        }  # fmt: skip


def blocks_of(
    findings: Iterable[Finding | Mapping[str, Any]], *, expires: int, spare: Iterable[str] = (), most: int | None = None
) -> list[Block]:
    """Returns the prefixes of the actors of hostile findings, sorted.

    ``findings``: of :func:`vpcflow.detect`, or their JSON objects. ``expires``: seconds from the end of the last
    finding of an actor. ``spare``: addresses that must stay reachable; no prefix holds one. ``most``: merge to so many
    prefixes of each family, with the fewest further addresses. Actors inside are left out: whom to block there is for
    people.

    Raises :class:`~vpcflow.PlanError` if so few prefixes would hold an address to spare.
    """
    actors: dict[str, list[Mapping[str, Any]]] = {}
    for one in findings:
        finding = one.as_json() if isinstance(one, Finding) else one
        if finding.get("detector") not in HOSTILE:
            continue
        bad = [finding.get("actor")]
        if finding["detector"] == "known_bad" and is_inside(str(bad[0])):
            bad = list(finding.get("targets") or [])
        for address in bad:
            if _is_address(address) and not is_inside(str(address)):
                actors.setdefault(str(ipaddress.ip_address(str(address))), []).append(finding)
    spared = {str(ipaddress.ip_address(one)) for one in spare if _is_address(one)}
    for address in sorted(spared & set(actors)):
        del actors[address]
    out: list[Block] = []
    for version in (4, 6):
        own = [one for one in actors if (":" in one) == (version == 6)]
        if own:
            out += [_block(net, own, actors, expires) for net in _nets(own, version, spared, most)]
    return out


def _nets(own: list[str], version: int, spared: set[str], most: int | None) -> list[Net]:
    if most is None:
        nets = [ipaddress.ip_network(one) for one in own]
        return sorted(nets, key=lambda net: int(net.network_address))
    holes = [int(ipaddress.ip_address(one)) for one in spared if (":" in one) == (version == 6)]
    widest = 16 if version == 4 else 48  # no more of the internet than that for one attacker

    def inside(first: int, last: int) -> bool:
        fits = last - first < 1 << ((32 if version == 4 else 128) - widest)
        return fits and not any(first <= hole <= last for hole in holes)

    curve = cover_curve(own, version, inside, most)
    if not curve:
        raise PlanError(
            f"block: {len(own):,} addresses of IPv{version} do not fit {most} prefixes without blocking others; "
            "use a prefix list, a WAF IP set or nftables, which hold more"
        )
    return list(curve[-1].nets)


def _block(net: Net, own: list[str], actors: Mapping[str, list[Mapping[str, Any]]], expires: int) -> Block:
    inside = sorted(one for one in own if ipaddress.ip_address(one) in net)
    found = [finding for one in inside for finding in actors[one]]
    last = max(int(finding.get("end") or finding.get("start") or 0) for finding in found)
    detectors = sorted({str(finding["detector"]) for finding in found})
    others = net.num_addresses - len(inside)
    notes = [f"holds {others:,} addresses that did nothing"] if others else []
    notes += [
        f"shared by many: {what}"
        for wide, what in _SHARED.items()
        if wide.version == net.version and net.overlaps(wide)
    ]
    return Block(
        net, tuple(inside), tuple(str(finding.get("id") or "") for finding in found), ", ".join(detectors),
        last + expires, "; ".join(notes),
    )  # fmt: skip


def _is_address(text: object) -> bool:
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


def load_findings(lines: Iterable[str], name: str) -> list[dict[str, Any]]:
    """Reads findings, a JSON object a line, as of ``vpcflow detect --json``."""
    out = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PlanError(f"{name}:{number}: invalid JSON: {error}; expected findings, one a line") from None
        if not isinstance(found, dict) or not isinstance(found.get("detector"), str):
            raise PlanError(f"{name}:{number}: no finding; expected lines of vpcflow detect --json")
        out.append(found)
    return out


# -- where to block ---------------------------------------------------------------------------------------------------


def as_nacl(blocks: Sequence[Block], inventory: Inventory, acl: str) -> dict[str, str]:
    """Returns inputs of ``aws ec2 create-network-acl-entry`` by name of file, and of ``delete-network-acl-entry`` for
    the way back: denies with numbers below the first entry that allows what comes in.

    Raises :class:`~vpcflow.PlanError` for an ACL that the inventory lacks, and if there is no room."""
    found = inventory.at("NetworkAcls").get(acl)
    if found is None:
        known = ", ".join(sorted(inventory.at("NetworkAcls"))[:5])
        raise PlanError(
            f"block: no network ACL {acl} in the inventory; expected one of {known or 'describe-network-acls'}"
        )
    entries = [one for one in members(found, "Entries") if not one.get("Egress")]
    files: dict[str, str] = {}
    for version, member in ((4, "CidrBlock"), (6, "Ipv6CidrBlock")):
        own = [block for block in blocks if block.net.version == version]
        there = [int(one["RuleNumber"]) for one in entries if one.get(member) and int(one["RuleNumber"]) < 32767]
        allows = [
            int(one["RuleNumber"]) for one in entries if one.get(member) and str(one.get("RuleAction")) == "allow"
        ]
        first = min(allows, default=32767)
        taken = {int(one["RuleNumber"]) for one in entries}
        free = [number for number in range(1, first) if number not in taken]
        if len(there) + len(own) > ACL_MOST or len(own) > len(free):
            raise PlanError(
                f"block: {len(own)} denies of IPv{version} do not fit {acl}: it has {len(there)} entries of at most "
                f"{ACL_MOST}, and {len(free)} free numbers below {first}, its first allow; "
                "give --most to merge, or renumber it"
            )
        for number, block in zip(free[-len(own) :] if own else [], own):
            name = f"acl-{number}-{_date(block.expires)}"
            key = {"NetworkAclId": acl, "RuleNumber": number, "Egress": False}
            body = {**key, "Protocol": "-1", "RuleAction": "deny", member: str(block.net)}
            files[f"1-create-network-acl-entry.{name}.json"] = _text(body)
            files[f"rollback-delete-network-acl-entry.{name}.json"] = _text(key)
    return files


def as_prefix_list(blocks: Sequence[Block], name: str = "vpcflow-blocked") -> dict[str, str]:
    """Returns inputs of ``aws ec2 create-managed-prefix-list``, a list for each family."""
    files = {}
    for version in (4, 6):
        own = [block for block in blocks if block.net.version == version]
        if own:
            entries = [
                {"Cidr": str(one.net), "Description": f"{one.why} until {_date(one.expires)}"[:255]} for one in own
            ]
            body = {
                "PrefixListName": f"{name}-v{version}",
                "AddressFamily": f"IPv{version}",
                "MaxEntries": len(own),
                "Entries": entries,
            }
            files[f"create-managed-prefix-list.v{version}.json"] = _text(body)
    return files


def as_waf(blocks: Sequence[Block], name: str = "vpcflow-blocked") -> dict[str, str]:
    """Returns inputs of ``aws wafv2 create-ip-set``, a set for each family."""
    files = {}
    for version in (4, 6):
        own = [str(block.net) for block in blocks if block.net.version == version]
        if own:
            ends = _date(max(block.expires for block in blocks if block.net.version == version))
            files[f"create-ip-set.v{version}.json"] = _text({
                "Name": f"{name}-v{version}", "Scope": "REGIONAL", "IPAddressVersion": f"IPV{version}",
                "Addresses": own, "Description": f"made from findings by vpcflow until {ends}",
            })  # fmt: skip
    return files


def as_nftables(blocks: Sequence[Block], now: int, table: str = "vpcflow") -> dict[str, str]:
    """Returns a file for ``nft -f``, whose entries end by themselves; those that have ended by ``now`` are left out."""
    lines = [f"table inet {table} {{"]
    live = [block for block in blocks if block.expires > now]
    for version in (4, 6):
        lines += [f"  set blocked{version} {{", f"    type ipv{version}_addr", "    flags interval, timeout"]
        own = [f"{one.net} timeout {one.expires - now}s" for one in live if one.net.version == version]
        if own:
            lines += ["    elements = {", *(f"      {text}," for text in own), "    }"]
        lines.append("  }")
    lines += ["  chain input {", "    type filter hook input priority -10; policy accept;",
              "    ip saddr @blocked4 drop", "    ip6 saddr @blocked6 drop", "  }", "}"]  # fmt: skip
    return {"blocked.nft": "\n".join(lines) + "\n"}


def as_network_firewall(blocks: Sequence[Block], name: str = "vpcflow-blocked") -> dict[str, str]:
    """Returns inputs of ``aws network-firewall create-rule-group``, which alerts, and of ``update-rule-group``, which
    drops: for when the alerts were looked at."""
    files = {}
    for step, action in (("1-create-rule-group.alert", "ALERT"), ("2-update-rule-group.drop", "DROP")):
        rules = [
            {
                "Action": action,
                "Header": {
                    "Protocol": "IP", "Source": str(block.net), "SourcePort": "ANY", "Direction": "ANY",
                    "Destination": "ANY", "DestinationPort": "ANY",
                },
                "RuleOptions": [{"Keyword": "sid", "Settings": [str(number)]}],
            }
            for number, block in enumerate(blocks, 1)
        ]  # fmt: skip
        body: dict[str, Any] = {
            "RuleGroupName": name,
            "Type": "STATEFUL",
            "RuleGroup": {"RulesSource": {"StatefulRules": rules}},
        }
        if action == "ALERT":
            body["Capacity"] = max(100, 2 * len(blocks))
        else:
            body["UpdateToken"] = "PUT-THE-TOKEN-OF-describe-rule-group-HERE"
        files[f"{step}.json"] = _text(body)
    return files


def as_json(blocks: Sequence[Block]) -> dict[str, str]:
    """Returns the list itself, an object a line."""
    return {"blocked.jsonl": "".join(json.dumps(block.as_json()) + "\n" for block in blocks)}


def as_text(blocks: Sequence[Block]) -> dict[str, str]:
    """Returns the prefixes, one a line."""
    return {"blocked.txt": "".join(f"{block.net}\n" for block in blocks)}


def _date(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")


def _text(body: object) -> str:
    return json.dumps(body, indent=2) + "\n"
