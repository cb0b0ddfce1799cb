"""Writes proposals for the tools that change rules: Terraform, CloudFormation, the AWS command line; with the way back.

Names and descriptions are whatever somebody called his groups: they are written as data of each form."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import PlanError
from ..inventory import Inventory
from ..io.writing import write_whole
from .proposal import Proposal, is_new
from .propose import digest_of

#: The forms of :func:`export`.
FORMS = ("terraform", "cloudformation", "cli")
_SOURCES = {"CidrIpv4": "cidr_ipv4", "CidrIpv6": "cidr_ipv6", "PrefixListId": "prefix_list_id"}
_CLOUDFORMATION = {
    "CidrIpv4": ("CidrIp", "CidrIp"), "CidrIpv6": ("CidrIpv6", "CidrIpv6"),
    "PrefixListId": ("SourcePrefixListId", "DestinationPrefixListId"),
}  # fmt: skip
_STEPS = """Steps, in this order. Nothing was applied.

1. Add the narrow rules (step 1). Traffic is as before: rules only add up.
2. Wait, and watch: `vpcflow sg usage LOGS --inventory DIR` of the days since. The exclusive sessions of each rule that
   would go must fall to 0; a rule that keeps some is still needed.
3. Revoke the broad rules (step 3). Connections that are open go on until they are idle.
   If something breaks: the way back (rollback).

The way back makes the old rules again, with their descriptions and tags. AWS gives them new ids (sgr-...).
"""


def export(
    proposal: Proposal, form: str, folder: str | os.PathLike[str], inventory: Inventory | None = None
) -> list[Path]:
    """Writes a proposal as files to a folder, which is made if need be, and returns them: the steps in their order, the
    way back, ``README.md`` with what to do.

    ``form``: ``terraform``, ``cloudformation``, ``cli``. ``inventory``: what is there now, if it is at hand.

    Raises :class:`~vpcflow.PlanError` for a proposal that was made of another state than that of the inventory, for one
    that changes nothing, and for another form; :class:`~vpcflow.OutputError` for what cannot be written.
    """
    if form not in FORMS:
        raise PlanError(f"export: form '{form}'; expected {', '.join(FORMS)}")
    if inventory is not None and digest_of(inventory) != proposal.inventory_digest:
        raise PlanError(
            "export: the inventory differs from that of which the proposal was made: rules, groups or interfaces have "
            "changed since; propose anew"
        )
    if not proposal.narrows:
        raise PlanError("export: the proposal changes no rule")
    files = {"terraform": _terraform_files, "cloudformation": _cloudformation_files, "cli": cli}[form](proposal)
    files = {**files, **(rollback(proposal) if form == "cli" else {}), "README.md": _readme(proposal)}
    out = []
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        out.append(path)
    return out


def _readme(proposal: Proposal) -> str:
    held = proposal.held_out_denied
    lines = [_STEPS, f"Made from {proposal.days:g} days of logs, of which {proposal.held_out_days} days were held out."]
    if held["share"] is not None:
        lines.append(
            f"Of these {held['denied']:,} of {held['sessions']:,} sessions would have been denied "
            f"({held['share']:.2%}, {held['low']:.2%} to {held['high']:.2%})."
        )
    lines.append(f"Digest of the inventory: {proposal.inventory_digest}")
    return "\n".join(lines) + "\n"


# -- the AWS command line ---------------------------------------------------------------------------------------------


def cli(proposal: Proposal) -> dict[str, str]:
    """Returns the inputs of ``aws ec2 COMMAND --cli-input-json file://FILE`` by name of file, in the order of steps."""
    added = _authorizations((item for item in proposal.rules if is_new(item)), "1-add")
    return {**added, **_revocations(proposal.revoked, "3-revoke")}


def rollback(proposal: Proposal) -> dict[str, str]:
    """Returns the way back from all steps, likewise: the old rules first. The narrow rules, whose ids nobody knows
    before they are made, are revoked by what they say."""
    files = _authorizations(proposal.revoked, "rollback-1-add")
    for (group, egress), items in _by_group(item for item in proposal.rules if is_new(item)).items():
        name = f"rollback-2-revoke-security-group-{_way(egress)}.{group}.json"
        permissions = [_permission(item, described=False) for item in items]
        files[name] = _text({"GroupId": group, "IpPermissions": permissions})
    return files


def _authorizations(items: Iterable[Mapping[str, Any]], step: str) -> dict[str, str]:
    out = {}
    for (group, egress), own in _by_group(items).items():
        tagged: dict[str, list[Mapping[str, Any]]] = {}
        for item in own:  # tags are of one call
            tagged.setdefault(json.dumps(item.get("Tags") or [], sort_keys=True), []).append(item)
        for number, (tags, same) in enumerate(sorted(tagged.items()), 1):
            body: dict[str, Any] = {"GroupId": group, "IpPermissions": [_permission(item) for item in same]}
            own_tags = [tag for tag in json.loads(tags) if not tag["Key"].lower().startswith("aws:")]
            if own_tags:
                body["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": own_tags}]
            more = f".{number}" if len(tagged) > 1 else ""
            out[f"{step}-authorize-security-group-{_way(egress)}.{group}{more}.json"] = _text(body)
    return out


def _revocations(items: Iterable[Mapping[str, Any]], step: str) -> dict[str, str]:
    out = {}
    for (group, egress), own in _by_group(items).items():
        ids = [str(item["SecurityGroupRuleId"]) for item in own]
        body: dict[str, Any] = {"GroupId": group}
        if all(id.startswith("sgr-") for id in ids):
            body["SecurityGroupRuleIds"] = ids
        else:  # an inventory without describe-security-group-rules
            body["IpPermissions"] = [_permission(item, described=False) for item in own]
        out[f"{step}-revoke-security-group-{_way(egress)}.{group}.json"] = _text(body)
    return out


def _permission(item: Mapping[str, Any], described: bool = True) -> dict[str, Any]:
    out: dict[str, Any] = {"IpProtocol": item["IpProtocol"]}
    if item["IpProtocol"] in ("tcp", "udp", "icmp", "icmpv6"):
        out |= {"FromPort": item["FromPort"], "ToPort": item["ToPort"]}
    text = {"Description": item["Description"]} if described and item.get("Description") else {}
    if item.get("CidrIpv4"):
        out["IpRanges"] = [{"CidrIp": item["CidrIpv4"], **text}]
    elif item.get("CidrIpv6"):
        out["Ipv6Ranges"] = [{"CidrIpv6": item["CidrIpv6"], **text}]
    elif item.get("PrefixListId"):
        out["PrefixListIds"] = [{"PrefixListId": item["PrefixListId"], **text}]
    else:
        reference = item["ReferencedGroupInfo"]
        owner = {"UserId": reference["UserId"]} if reference.get("UserId") else {}
        out["UserIdGroupPairs"] = [{"GroupId": reference["GroupId"], **owner, **text}]
    return out


def _by_group(items: Iterable[Mapping[str, Any]]) -> dict[tuple[str, bool], list[Mapping[str, Any]]]:
    out: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for item in items:
        out.setdefault((str(item["GroupId"]), bool(item["IsEgress"])), []).append(item)
    return dict(sorted(out.items()))


def _way(egress: bool) -> str:
    return "egress" if egress else "ingress"


def _text(body: object) -> str:
    return json.dumps(body, indent=2) + "\n"


# -- Terraform --------------------------------------------------------------------------------------------------------

_TERRAFORM_HEAD = """# Rules of security groups, made from traffic by vpcflow. Inventory: {digest}
#
# Never keep these beside in-line ingress or egress blocks, or aws_security_group_rule, of the same group: each would
# overwrite the others. Take those out of the group first.
"""


def terraform(proposal: Proposal) -> str:
    """Returns the rules as Terraform resources, those that are there with import blocks."""
    parts = [_TERRAFORM_HEAD.format(digest=proposal.inventory_digest)]
    parts += [_resource(item) for item in proposal.rules]
    return "\n".join(parts)


def _terraform_files(proposal: Proposal) -> dict[str, str]:
    head = _TERRAFORM_HEAD.format(digest=proposal.inventory_digest)
    new = [item for item in proposal.rules if is_new(item)]
    all_rules = [*proposal.rules, *proposal.revoked]
    return {
        "1-add/rules.tf": "\n".join([head, *(_resource(item) for item in all_rules)]),
        "3-revoke/rules.tf": "\n".join([head, *(_resource(item) for item in proposal.rules)]),
        "rollback/rules.tf": "\n".join(
            [head, *(_resource(item, imports=False) for item in all_rules if item not in new)]
        ),
    }


def _resource(item: Mapping[str, Any], imports: bool = True) -> str:
    way = _way(bool(item["IsEgress"]))
    kind = f"aws_vpc_security_group_{way}_rule"
    name = re.sub("[^A-Za-z0-9_-]", "_", f"{item['GroupId']}_{item['SecurityGroupRuleId']}_{_content_name(item)}")
    lines = [f"security_group_id = {_hcl(item['GroupId'])}", f"ip_protocol = {_hcl(item['IpProtocol'])}"]
    if item["IpProtocol"] in ("tcp", "udp", "icmp", "icmpv6"):
        lines += [f"from_port = {int(item['FromPort'])}", f"to_port = {int(item['ToPort'])}"]
    for member, argument in _SOURCES.items():
        if item.get(member):
            lines.append(f"{argument} = {_hcl(item[member])}")
    reference = item.get("ReferencedGroupInfo")
    if reference:
        owner = f"{reference['UserId']}/" if reference.get("UserId") else ""
        lines.append(f"referenced_security_group_id = {_hcl(owner + reference['GroupId'])}")
    if item.get("Description"):
        lines.append(f"description = {_hcl(item['Description'])}")
    if tags := [tag for tag in item.get("Tags") or [] if not tag["Key"].lower().startswith("aws:")]:
        lines.append("tags = {")
        lines += [f"  {_hcl(tag['Key'])} = {_hcl(tag['Value'])}" for tag in tags]
        lines.append("}")
    body = "\n".join(f"  {line}" for line in lines)
    text = f'resource "{kind}" "{name}" {{\n{body}\n}}\n'
    id = str(item["SecurityGroupRuleId"])
    if imports and id.startswith("sgr-"):
        text += f"\nimport {{\n  to = {kind}.{name}\n  id = {_hcl(id)}\n}}\n"
    return text


def _content_name(item: Mapping[str, Any]) -> str:
    """Returns a part of a name for rules that have no ids of their own."""
    if str(item["SecurityGroupRuleId"]).startswith(("sgr-", "new-")):
        return ""
    source = next(str(item[name]) for name in (*_SOURCES, "ReferencedGroupInfo") if item.get(name))
    return f"{item['IpProtocol']}_{item['FromPort']}_{item['ToPort']}_{source}"


def _hcl(value: object) -> str:
    """Returns a text as one of Terraform, in which nothing is a template."""
    text = json.dumps(str(value), ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")


# -- CloudFormation ---------------------------------------------------------------------------------------------------


def cloudformation(proposal: Proposal) -> str:
    """Returns the new rules as a CloudFormation template."""
    return _template((item for item in proposal.rules if is_new(item)), proposal.inventory_digest)


def _cloudformation_files(proposal: Proposal) -> dict[str, str]:
    # CloudFormation cannot take away what it has not made: the broad rules are revoked by the command line.
    return {
        "1-add.template.json": cloudformation(proposal),
        **_revocations(proposal.revoked, "3-revoke"),
        **_authorizations(proposal.revoked, "rollback-1-add"),
        "rollback-2.md": "Delete the stack that was made of 1-add.template.json.\n",
    }


def _template(items: Iterable[Mapping[str, Any]], digest: str) -> str:
    resources = {}
    for number, item in enumerate(items, 1):
        egress = bool(item["IsEgress"])
        properties: dict[str, Any] = {"GroupId": item["GroupId"], "IpProtocol": item["IpProtocol"]}
        if item["IpProtocol"] in ("tcp", "udp", "icmp", "icmpv6"):
            properties |= {"FromPort": item["FromPort"], "ToPort": item["ToPort"]}
        for member, names in _CLOUDFORMATION.items():
            if item.get(member):
                properties[names[egress]] = item[member]
        if reference := item.get("ReferencedGroupInfo"):
            properties["DestinationSecurityGroupId" if egress else "SourceSecurityGroupId"] = reference["GroupId"]
            if reference.get("UserId") and not egress:
                properties["SourceSecurityGroupOwnerId"] = reference["UserId"]
        if item.get("Description"):
            properties["Description"] = item["Description"]
        kind = "Egress" if egress else "Ingress"
        resources[f"{kind}{number}"] = {"Type": f"AWS::EC2::SecurityGroup{kind}", "Properties": properties}
    return _text({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Rules of security groups, made from traffic by vpcflow. Inventory: {digest}",
        "Resources": resources,
    })  # fmt: skip
