"""Inventories fetched from AWS: what is written is what an inventory reads."""

import json

import pytest

import vpcflow as vf
from vpcflow import cli
from vpcflow.inventory import fetch
from vpcflow.reach import Network

moto = pytest.importorskip("moto")


@pytest.fixture
def aws(monkeypatch):
    boto3 = pytest.importorskip("boto3")
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    with moto.mock_aws():
        yield boto3.client("ec2", region_name="us-east-1")


def test_what_is_fetched_is_an_inventory_that_answers(aws, tmp_path, capsys):
    vpc = aws.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = aws.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = aws.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    listed = aws.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=3, AddressFamily="IPv4", Entries=[{"Cidr": "203.0.113.0/24"}]
    )["PrefixList"]["PrefixListId"]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": listed}]}
    aws.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    eni = aws.create_network_interface(SubnetId=subnet, Groups=[group], PrivateIpAddress="10.0.1.9")["NetworkInterface"]
    aws.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet)
    assert cli.main(["inventory", "fetch", "-o", str(tmp_path / "aws")]) == 0
    names = sorted(path.name for path in (tmp_path / "aws").iterdir())
    assert any(name.startswith(f"get-managed-prefix-list-entries.{listed}.us-east-1.20") for name in names)
    assert all(name.endswith(".json") for name in names)
    out = capsys.readouterr().out
    assert "enough for explain: which rule" in out
    found = vf.inventory(tmp_path / "aws")
    assert "t3.micro" in found.at("InstanceTypes")
    network = Network.at(found)
    answer = network.security(network.interfaces[eni["NetworkInterfaceId"]], "ingress").ask("203.0.113.7", 6, 443)
    assert answer.permit == "allow"
    assert answer.rules[0].startswith("sgr-")


def test_a_second_fetch_makes_a_history(aws, tmp_path, monkeypatch):
    group = aws.create_security_group(GroupName="web", Description="web")["GroupId"]
    client = lambda service, region: aws  # noqa: E731
    monkeypatch.setattr("time.strftime", lambda *args: "2026-11-01T00-00-00")
    fetch(client, tmp_path)
    aws.delete_security_group(GroupId=group)
    monkeypatch.setattr("time.strftime", lambda *args: "2026-11-02T00-00-00")
    fetch(client, tmp_path)
    found = vf.inventory(tmp_path)
    assert group in found.at("SecurityGroups", 1_793_491_200 + 3600)
    assert group not in found.at("SecurityGroups")


def test_what_is_refused_is_a_note_and_nothing_at_all_is_an_error(tmp_path):
    class Refusal(Exception):  # noqa: N818
        response = {"Error": {"Code": "UnauthorizedOperation"}}  # noqa: RUF012

    class Client:
        meta = type("Meta", (), {"region_name": "eu-west-1"})
        allowed = ("describe_vpcs",)

        def can_paginate(self, operation):
            return False

        def __getattr__(self, operation):
            if operation not in self.allowed:
                raise Refusal("UnauthorizedOperation: no")
            return lambda **arguments: {"Vpcs": [{"VpcId": "vpc-1"}]}

    files, notes = fetch(lambda *args: Client(), tmp_path)
    assert [name.split(".")[:2] for name in files] == [["describe-vpcs", "eu-west-1"]]
    assert json.loads((tmp_path / files[0]).read_text()) == {"Vpcs": [{"VpcId": "vpc-1"}]}
    assert "not read: describe-subnets: UnauthorizedOperation: no" in notes
    Client.allowed = ()
    with pytest.raises(vf.SourceError, match="AWS answered no call in eu-west-1"):
        fetch(lambda *args: Client(), tmp_path)


def test_wrong_words(capsys, tmp_path):
    assert cli.main(["inventory", "fetch"]) == 2
    assert "give the folder to write to" in capsys.readouterr().err
    assert cli.main(["inventory", str(tmp_path), "-o", "x"]) == 2
    assert "--out belongs to fetch" in capsys.readouterr().err
