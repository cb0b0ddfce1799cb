"""Forms of changed rules: inputs of the AWS command line, Terraform, CloudFormation; there and back.

Names and descriptions are whatever somebody called his groups: they are written as data of each form. Rules are rows of
describe-security-group-rules; new ones have ids ``new-N``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
_SOURCES = {"CidrIpv4": "cidr_ipv4", "CidrIpv6": "cidr_ipv6", "PrefixListId": "prefix_list_id"}
_CLOUDFORMATION = {
    "CidrIpv4": ("CidrIp", "CidrIp"), "CidrIpv6": ("CidrIpv6", "CidrIpv6"),
    "PrefixListId": ("SourcePrefixListId", "DestinationPrefixListId"),
}  # fmt: skip


def is_new(item: Item) -> bool:
    """Tells whether a rule is not there yet."""
    return str(item.get("SecurityGroupRuleId") or "").startswith("new-")


# -- the AWS command line ---------------------------------------------------------------------------------------------


def cli(rules: Sequence[Item], revoked: Sequence[Item]) -> dict[str, str]:
    """Returns the inputs of ``aws ec2 COMMAND --cli-input-json file://FILE`` by name of file, in the order of steps."""
    added = _authorizations((item for item in rules if is_new(item)), "1")
    return {**added, **_revocations(revoked, "3")}


def rollback(rules: Sequence[Item], revoked: Sequence[Item]) -> dict[str, str]:
    """Returns the way back from all steps, likewise: the old rules first. The narrow rules, whose ids nobody knows
    before they are made, are revoked by what they say."""
    files = _authorizations(revoked, "rollback-1")
    for (group, egress), items in _by_group(item for item in rules if is_new(item)).items():
        name = f"rollback-2-revoke-security-group-{_way(egress)}.{_safe(group)}.json"
        permissions = [_permission(item) for item in items]
        files[name] = _text({"GroupId": group, "IpPermissions": permissions})
    return files


def _authorizations(items: Iterable[Item], step: str) -> dict[str, str]:
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
            out[f"{step}-authorize-security-group-{_way(egress)}.{_safe(group)}{more}.json"] = _text(body)
    return out


def _revocations(items: Iterable[Item], step: str) -> dict[str, str]:
    out = {}
    for (group, egress), own in _by_group(items).items():
        ids = [str(item["SecurityGroupRuleId"]) for item in own]
        body: dict[str, Any] = {"GroupId": group}
        if all(id.startswith("sgr-") for id in ids):
            body["SecurityGroupRuleIds"] = ids
        else:  # an inventory without describe-security-group-rules
            body["IpPermissions"] = [_permission(item) for item in own]
        out[f"{step}-revoke-security-group-{_way(egress)}.{_safe(group)}.json"] = _text(body)
    return out


def _permission(item: Item) -> dict[str, Any]:
    out: dict[str, Any] = {"IpProtocol": item["IpProtocol"]}
    if item["IpProtocol"] in ("tcp", "udp", "icmp", "icmpv6"):
        out |= {"FromPort": item["FromPort"], "ToPort": item["ToPort"]}
    text = {"Description": item["Description"]} if item.get("Description") else {}
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


def _by_group(items: Iterable[Item]) -> dict[tuple[str, bool], list[Mapping[str, Any]]]:
    out: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for item in items:
        out.setdefault((str(item["GroupId"]), bool(item["IsEgress"])), []).append(item)
    return dict(sorted(out.items()))


def _safe(name: object) -> str:
    """Returns a name as part of the name of a file or resource, whatever it is."""
    return re.sub("[^A-Za-z0-9_-]", "_", str(name))


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


def terraform(rules: Sequence[Item], digest: str) -> str:
    """Returns the rules as Terraform resources, those that are there with import blocks."""
    return "\n".join([_TERRAFORM_HEAD.format(digest=digest), *(_resource(item) for item in rules)])


def terraform_files(rules: Sequence[Item], revoked: Sequence[Item], digest: str) -> dict[str, str]:
    """Returns Terraform for each step by name of file: narrow and broad rules together; narrow ones; what was."""
    head = _TERRAFORM_HEAD.format(digest=digest)
    was = [item for item in (*rules, *revoked) if not is_new(item)]
    return {
        "1/rules.tf": terraform([*rules, *revoked], digest),
        "3/rules.tf": terraform(rules, digest),
        "rollback/rules.tf": "\n".join([head, *(_resource(item, imports=False) for item in was)]),
    }


def _resource(item: Item, imports: bool = True) -> str:
    way = _way(bool(item["IsEgress"]))
    kind = f"aws_vpc_security_group_{way}_rule"
    name = _safe(f"{item['GroupId']}_{item['SecurityGroupRuleId']}{_content_name(item)}")
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


def _content_name(item: Item) -> str:
    """Returns a part of a name for rules that have no ids of their own."""
    if str(item["SecurityGroupRuleId"]).startswith(("sgr-", "new-")):
        return ""
    source = next(str(item[name]) for name in (*_SOURCES, "ReferencedGroupInfo") if item.get(name))
    return f"_{item['IpProtocol']}_{item['FromPort']}_{item['ToPort']}_{source}"


def _hcl(value: object) -> str:
    """Returns a text as one of Terraform, in which nothing is a template."""
    text = json.dumps(str(value), ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")


# -- CloudFormation ---------------------------------------------------------------------------------------------------


def cloudformation(rules: Sequence[Item], digest: str) -> str:
    """Returns the new rules as a CloudFormation template."""
    return _template((item for item in rules if is_new(item)), digest)


def cloudformation_files(rules: Sequence[Item], revoked: Sequence[Item], digest: str) -> dict[str, str]:
    """Returns the steps by name of file. CloudFormation cannot take away what it has not made: the broad rules are
    revoked by the AWS command line, and made again by it."""
    return {
        "1.template.json": cloudformation(rules, digest),
        **_revocations(revoked, "3"),
        **_authorizations(revoked, "rollback-1"),
        "rollback-2.md": "Delete the stack that was made of 1.template.json.\n",
    }


def _template(items: Iterable[Item], digest: str) -> str:
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
