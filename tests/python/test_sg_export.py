"""Exports of proposals and blocklists: they parse, they are what AWS takes, and they lead there and back."""

import dataclasses
import functools
import ipaddress
import json
import re
import subprocess
import warnings

import pytest

import vpcflow as vf
from sg_world import DAY, START, Log, four_weeks, rule, write
from test_enable_emit import read_hcl
from vpcflow.cli import main
from vpcflow.tuning import blocks_of, export
from vpcflow.tuning.blocks import as_nacl, as_network_firewall, as_nftables, as_prefix_list, as_waf
from vpcflow.tuning.proposal import load_proposal
from vpcflow.tuning.rules import rule_of_item

HOSTILE = 'a"b\\c ${path.module} %{ if } \n "; drop table'


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The inventory and the proposal of four weeks, with a rule of a hostile name and an inventory of now."""
    documents, log = four_weeks()
    documents["rules"][1]["Description"] = HOSTILE
    documents["rules"][1]["Tags"] = [{"Key": 'own"er', "Value": "${x}"}, {"Key": "aws:stack", "Value": "s"}]
    folder = write(tmp_path_factory.mktemp("aws"), **documents)
    return vf.inventory(folder), vf.propose_rules(vf.scan(log.data), vf.inventory(folder)), documents


def content(item):
    """What a rule says, as AWS compares rules; with description and the user's tags."""
    tags = frozenset((tag["Key"], tag["Value"]) for tag in item.get("Tags") or [] if not tag["Key"].startswith("aws:"))
    one = rule_of_item(item)
    return (
        one.group,
        one.egress,
        one.protocol,
        one.first_port,
        one.last_port,
        one.kind,
        one.source,
        one.description,
        tags,
    )


def from_hcl(text):
    """The rules in resources of Terraform, and the ids that are imported, by the address of the resource."""
    document = read_hcl(text)
    out = {}
    for block in document.get("resource", []):
        ((kind, named),) = block.items()
        ((name, values),) = named.items()
        item = {
            "GroupId": values["security_group_id"], "IsEgress": "egress" in kind, "IpProtocol": values["ip_protocol"],
            "FromPort": values.get("from_port", -1), "ToPort": values.get("to_port", -1), "CidrIpv4": values.get("cidr_ipv4"),
            "CidrIpv6": values.get("cidr_ipv6"), "PrefixListId": values.get("prefix_list_id"),
            "Description": values.get("description"), "Tags": [{"Key": k, "Value": v} for k, v in values.get("tags", {}).items()],
        }  # fmt: skip
        if "referenced_security_group_id" in values:
            item["ReferencedGroupInfo"] = {"GroupId": values["referenced_security_group_id"].rpartition("/")[2]}
        assert (
            sum(bool(item.get(source)) for source in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupInfo"))
            == 1
        )
        out[f"{kind}.{name}"] = content(item)
    imports = {re.sub(r"^\$\{|\}$", "", one["to"]): one["id"] for one in document.get("import", [])}
    return out, imports


def test_terraform_says_the_steps(made, tmp_path):
    inventory, proposal, documents = made
    export(proposal, "terraform", tmp_path, inventory)
    steps = {name: from_hcl((tmp_path / name / "rules.tf").read_text()) for name in ("1", "3", "rollback")}
    wanted = {content(item) for item in proposal.rules}
    current = {content(item) for item in documents["rules"]}
    assert set(steps["1"][0].values()) == wanted | current
    assert set(steps["3"][0].values()) == wanted
    assert set(steps["rollback"][0].values()) == current
    ids = {item["SecurityGroupRuleId"] for item in documents["rules"]}
    assert set(steps["1"][1].values()) == ids
    assert set(steps["1"][1]) <= set(steps["1"][0])
    assert set(from_hcl(proposal.to_terraform())[0].values()) == wanted
    assert "Never keep these beside in-line" in (tmp_path / "1" / "rules.tf").read_text()


def test_cloudformation_is_taken_by_cfn_lint(made, tmp_path):
    api = pytest.importorskip("cfnlint.api")
    _, proposal, _ = made
    export(proposal, "cloudformation", tmp_path)
    text = (tmp_path / "1.template.json").read_text()
    assert text == proposal.to_cloudformation()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [str(match) for match in api.lint_all(text) if match.rule.id[0] in "EW"] == []
    resources = json.loads(text)["Resources"]
    assert len(resources) == sum(item["SecurityGroupRuleId"].startswith("new-") for item in proposal.rules)


@functools.cache
def model(service):
    """botocore's model of a service."""
    return pytest.importorskip("botocore.session").get_session().get_service_model(service)


def checked(service, operation, body):
    """Checks the input of a command by botocore's model."""
    validate = pytest.importorskip("botocore.validate")
    report = validate.ParamValidator().validate(body, model(service).operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()


def operation_of(name):
    """The operation of a file: ``1-authorize-security-group-ingress.sg-1.json``."""
    verb = re.sub(r"^(rollback-)?(\d+-)?", "", name).partition(".")[0]
    return "".join(part.capitalize() for part in verb.split("-"))


def test_inputs_of_commands_are_what_botocore_takes(made, tmp_path):
    _, proposal, _ = made
    export(proposal, "cli", tmp_path)
    files = sorted(path for path in tmp_path.iterdir() if path.suffix == ".json")
    assert {name for path in files for name in [operation_of(path.name)]} == {
        f"{verb}SecurityGroup{way}" for verb in ("Authorize", "Revoke") for way in ("Ingress", "Egress")
    }
    for path in files:
        checked("ec2", operation_of(path.name), json.loads(path.read_text()))


def test_moto_goes_there_and_back(tmp_path):
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    with moto.mock_aws():
        ec2 = boto3.Session("AKID", "secret", region_name="us-east-1").client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        ids = [
            ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("web", "app")
        ]
        ec2.authorize_security_group_ingress(
            GroupId=ids[0],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 0,
                    "ToPort": 65535,
                    "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "for now"}],
                },
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": ids[1]}]},
                {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
            ],
            TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "owner", "Value": "shop"}]}],
        )
        nics = [ec2.create_network_interface(SubnetId=subnet, Groups=[id])["NetworkInterface"] for id in ids]

        def rules():
            found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": ids}])[
                "SecurityGroupRules"
            ]
            return {content(item) for item in found}

        folder = tmp_path / "aws"
        folder.mkdir()
        (folder / "describe-network-interfaces.json").write_text(
            json.dumps(
                {
                    "NetworkInterfaces": [
                        {**nic, "Status": "in-use"} for nic in ec2.describe_network_interfaces()["NetworkInterfaces"]
                    ]
                },
                default=str,
            )
        )
        (folder / "describe-security-groups.json").write_text(json.dumps(ec2.describe_security_groups(), default=str))
        (folder / "describe-security-group-rules.json").write_text(
            json.dumps(ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": ids}]), default=str)
        )
        before = rules()
        web, app = nics
        log = Log().quiet(web["NetworkInterfaceId"], app["NetworkInterfaceId"])
        log.session(web["NetworkInterfaceId"], app["PrivateIpAddress"], web["PrivateIpAddress"], 443)
        log.session(web["NetworkInterfaceId"], "10.0.7.7", web["PrivateIpAddress"], 22)
        log.session(web["NetworkInterfaceId"], "2001:db8::7", "2001:db8::1", 53, protocol=17)
        log.session(app["NetworkInterfaceId"], app["PrivateIpAddress"], web["PrivateIpAddress"], 443, egress=True)
        proposal = vf.propose_rules(vf.scan(log.data), vf.inventory(folder))
        assert proposal.narrows

        def call(files, step):
            for name, text in files.items():
                if name.startswith(step):
                    verb = re.sub(r"(?<!^)(?=[A-Z])", "_", operation_of(name)).lower()
                    getattr(ec2, verb)(**json.loads(text))

        steps, back = proposal.to_cli(), proposal.rollback()
        call(steps, "1-")
        assert {one[:7] for one in rules()} == {one[:7] for one in before} | {
            content(item)[:7] for item in proposal.rules
        }
        call(steps, "3-")
        assert {one[:7] for one in rules()} == {content(item)[:7] for item in proposal.rules}
        call(back, "rollback-1")
        call(back, "rollback-2")
        assert {one[:8] for one in rules()} == {one[:8] for one in before}


def test_a_state_that_is_gone_is_refused(made, tmp_path):
    inventory, proposal, documents = made
    changed = [*documents["rules"], rule("sgr-new", documents["groups"][0]["GroupId"], first=25, cidr="0.0.0.0/0")]
    other = vf.inventory(write(tmp_path / "aws", **{**documents, "rules": changed}))
    with pytest.raises(vf.PlanError, match="the inventory differs"):
        export(proposal, "cli", tmp_path / "out", other)
    assert not (tmp_path / "out").exists()
    with pytest.raises(vf.PlanError, match="expected terraform, cloudformation, cli"):
        export(proposal, "pulumi", tmp_path / "out", inventory)


def test_export_command(made, tmp_path, capsys):
    _, proposal, documents = made
    proposal.save(tmp_path / "proposal.json")
    folder = write(tmp_path / "aws", **documents)
    args = ["sg", "export", str(tmp_path / "proposal.json"), "--as", "cli", "-o", str(tmp_path / "out")]
    assert main(args) == 2
    assert "give --inventory" in capsys.readouterr().err
    assert main([*args, "--inventory", str(folder)]) == 0
    dataclasses.replace(proposal, inventory=str(folder)).save(tmp_path / "proposal.json")
    assert main(args) == 0
    write(folder, **{**documents, "rules": documents["rules"][1:]})
    assert main(args) == 2
    assert "the inventory differs" in capsys.readouterr().err
    assert "Of these 3 of 452 sessions would have been denied" in (tmp_path / "out" / "README.md").read_text()
    (tmp_path / "no.json").write_text("[]")
    assert main([*args[:2], str(tmp_path / "no.json"), *args[3:]]) == 2
    assert "is no proposal" in capsys.readouterr().err


# -- blocklists


def finding(actor, detector="port_scan", end=START, **more):
    return {"detector": detector, "actor": actor, "end": end, "targets": [], "id": f"{detector}/{actor}", **more}


def test_whom_to_block_and_until_when():
    found = blocks_of(
        [finding("203.0.113.5"), finding("203.0.113.5", "brute_force", START + 60), finding("10.0.0.9"), finding("203.0.113.9", "beacon"),
         finding("2001:db8::1"), finding("10.0.0.5", "known_bad", targets=["198.51.100.7"]), finding("*")],
        expires=DAY,
    )  # fmt: skip
    assert [(str(one.net), one.why, one.expires) for one in found] == [
        ("198.51.100.7/32", "known_bad", START + DAY), ("203.0.113.5/32", "brute_force, port_scan", START + 60 + DAY),
        ("2001:db8::1/128", "port_scan", START + DAY),
    ]  # fmt: skip
    assert found[1].findings == ("port_scan/203.0.113.5", "brute_force/203.0.113.5")


def test_blocks_are_merged_around_whom_to_spare():
    actors = [finding(f"203.0.113.{number}") for number in (1, 2, 3, 8, 9)]
    found = blocks_of(actors, expires=DAY, most=2)
    assert [str(one.net) for one in found] == ["203.0.113.0/30", "203.0.113.8/31"]
    assert found[0].note == "holds 1 addresses that did nothing"
    spared = blocks_of(actors, expires=DAY, most=3, spare=["203.0.113.0"])
    assert not any(ipaddress.ip_address("203.0.113.0") in one.net for one in spared)
    with pytest.raises(vf.PlanError, match="do not fit 1 prefixes"):
        blocks_of([finding("203.0.113.1"), finding("8.8.8.8")], expires=DAY, most=1)


def nacl(*entries):
    made = [
        {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": False, "CidrBlock": "0.0.0.0/0"}
        for number, action in entries
    ]
    return [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Associations": [], "Entries": made}]


def test_denies_of_a_network_acl_stand_before_its_first_allow(tmp_path):
    blocks = blocks_of([finding("203.0.113.5"), finding("2001:db8::1")], expires=7 * DAY)
    inventory = vf.inventory(write(tmp_path / "1", acls=nacl((100, "allow"), (32767, "deny"))))
    files = {name: json.loads(text) for name, text in as_nacl(blocks, inventory, "acl-1").items()}
    for name, body in files.items():
        checked("ec2", "CreateNetworkAclEntry" if "create" in name else "DeleteNetworkAclEntry", body)
    denies = [body for name, body in files.items() if "create" in name]
    assert [one["RuleNumber"] < 100 and one["RuleAction"] == "deny" for one in denies if "CidrBlock" in one] == [True]
    assert len(denies) == len(files) - len(denies) == 2
    assert all("2025-10-17" in name for name in files)
    full = vf.inventory(write(tmp_path / "2", acls=nacl((1, "allow"))))
    with pytest.raises(vf.PlanError, match="0 free numbers below 1"):
        as_nacl(blocks, full, "acl-1")
    with pytest.raises(vf.PlanError, match="no network ACL acl-9"):
        as_nacl(blocks, full, "acl-9")


def test_other_places_take_what_is_written(tmp_path):
    blocks = blocks_of([finding("203.0.113.5"), finding("2001:db8::1")], expires=7 * DAY)
    for text in as_prefix_list(blocks).values():
        checked("ec2", "CreateManagedPrefixList", json.loads(text))
    for text in as_waf(blocks).values():
        checked("wafv2", "CreateIPSet", json.loads(text))
    alert, drop = (json.loads(text) for text in as_network_firewall(blocks).values())
    checked("network-firewall", "CreateRuleGroup", alert)
    checked("network-firewall", "UpdateRuleGroup", drop)
    assert [one["Action"] for body in (alert, drop) for one in body["RuleGroup"]["RulesSource"]["StatefulRules"]] == [
        "ALERT"
    ] * 2 + ["DROP"] * 2
    text = as_nftables(blocks, START)["blocked.nft"]
    assert "203.0.113.5/32 timeout 604800s" in text
    assert "203.0.113.5" not in as_nftables(blocks, START + 8 * DAY)["blocked.nft"]
    (tmp_path / "blocked.nft").write_text(text)
    try:
        done = subprocess.run(["nft", "--check", "-f", str(tmp_path / "blocked.nft")], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no nft here")
    if "Operation not permitted" in done.stderr:
        pytest.skip("nft may not ask the kernel here")
    assert done.returncode == 0, done.stderr


def test_block_command(tmp_path, capsys, monkeypatch):
    lines = tmp_path / "findings.jsonl"
    lines.write_text("".join(json.dumps(finding(f"203.0.113.{number}")) + "\n" for number in (1, 2)))
    assert main(["sg", "block", str(lines), "--as", "text"]) == 1
    assert capsys.readouterr().out == "203.0.113.1/32\n203.0.113.2/32\n"
    assert main(["sg", "block", str(lines), "--as", "json", "--expires", "2d", "-o", str(tmp_path / "out")]) == 1
    (first, _) = map(json.loads, (tmp_path / "out" / "blocked.jsonl").read_text().splitlines())
    assert first["expires"] == START + 2 * DAY
    assert main(["sg", "block", str(lines), "--as", "nacl"]) == 2
    assert "needs --acl and --inventory" in capsys.readouterr().err
    lines.write_text('{"no": 1}\n')
    assert main(["sg", "block", str(lines), "--as", "text"]) == 2
    assert "findings.jsonl:1: no finding" in capsys.readouterr().err
    lines.write_text("")
    assert main(["sg", "block", str(lines), "--as", "text"]) == 0


def test_a_hostile_proposal_is_data(made, tmp_path):
    """Ids that are paths, and rules that are none."""
    inventory, proposal, _ = made
    evil = "../../../tmp/x"
    rules = [{**item, "GroupId": evil} for item in proposal.rules]
    export(dataclasses.replace(proposal, rules=rules), "cli", tmp_path / "out", inventory)
    assert all(path.parent == tmp_path / "out" for path in tmp_path.rglob("*") if path.is_file())
    (tmp_path / "bad.json").write_text(json.dumps({**proposal.as_json(), "revoked": [{"GroupId": "sg-1"}]}))
    with pytest.raises(vf.SourceError, match="revoked: rule 1 cannot be read"):
        load_proposal(tmp_path / "bad.json")
    proposal.save(tmp_path / "good.json")
    assert load_proposal(tmp_path / "good.json") == proposal
