"""Names of an inventory as columns of records: of both ends and of the interface, valid in time."""

import json

import pytest

import vpcflow as vf
from conftest import ROOT, run_cli
from vpcflow.inventory import names_of

REACH = ROOT / "examples" / "reach"
NOV_1 = 1_793_491_200
INVENTORY = ("--inventory", REACH / "aws", "--json")


def rows(*args):
    done = run_cli(*args, check=0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_names_of_the_interface_and_of_both_ends():
    log = REACH / "flow.log.gz"
    by_interface = {(row["name"], row["action"]): row["count"] for row in rows("top", log, *INVENTORY, "--by", "name,action")}
    assert by_interface == {("db-1", "ACCEPT"): 34, ("db-1", "REJECT"): 25, ("web-1", "ACCEPT"): 34, ("web-1", "REJECT"): 9}
    for by in ("src_name,dst_name", "src.name,dst.name"):
        found = {(row["src_name"], row["dst_name"]): row["count"] for row in rows("top", log, *INVENTORY, "--by", by)}
        assert found == {("web-1", "db-1"): 32, (None, "db-1"): 18, ("db-1", "web-1"): 16, ("db-1", None): 9, ("web-1", None): 9, (None, "web-1"): 18}
    (row,) = rows("top", log, *INVENTORY, "--where", "dst.subnet = 'subnet-s' and src_name = 'web-1'")
    assert row["count"] == 32
    (row,) = rows("head", log, *INVENTORY, "--columns", "src,dst_name,vpc", "--where", "dst_name = 'db-1'", "-n", 1)
    assert row == {"srcaddr": row["srcaddr"], "dst_name": "db-1", "vpc": "vpc-1"}


def test_a_name_is_that_of_its_time(tmp_path):
    def snapshot(day, *pairs):
        items = [
            {"NetworkInterfaceId": id, "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.0.1",
             "TagSet": [{"Key": "Name", "Value": name}, {"Key": "aws:autoscaling:groupName", "Value": "fleet"}]}
            for id, name in pairs
        ]  # fmt: skip
        (tmp_path / f"describe-network-interfaces.2026-11-0{day}.json").write_text(json.dumps({"NetworkInterfaces": items}))

    snapshot(1, ("eni-1", "old"))
    snapshot(3, ("eni-2", "new"))
    inventory = vf.inventory(tmp_path)
    log = b"interface-id srcaddr start bytes\n"
    for day, interface in ((0, b"eni-1"), (1, b"eni-1"), (2, b"eni-2"), (2, b"eni-1")):
        log += b"%s 10.0.0.1 %d 1\n" % (interface, NOV_1 + day * 86_400 + 60)
    flows = vf.scan(log).label("src_name", "srcaddr", names_of(inventory, "name"))
    flows = flows.label("name", "interface-id", names_of(inventory, "name", of="interface-id"))
    found = flows.select("src_name", "name").collect().rows()
    assert [(row["src_name"], row["name"]) for row in found] == [("old", "old"), ("old", "old"), ("new", "new"), ("new", None)]


def test_what_is_an_aggregate_or_a_field_stays_one():
    log = REACH / "flow.log.gz"
    (first, *_) = rows("top", log, "--json", "--by", "srcaddr", "--agg", "name=count", "--order-by", "name")
    assert first["name"] == 41
    assert rows("top", log, *INVENTORY, "--by", "vpc_id")[0]["vpc_id"] == "vpc-1"


def test_names_without_an_inventory_are_an_error():
    done = run_cli("top", REACH / "flow.log.gz", "--by", "src.name", check=2)
    assert b"'src_name' is a name of an inventory: give --inventory DIR, too" in done.stderr
    with pytest.raises(vf.PlanError, match="expected 'address' or 'interface-id'"):
        names_of(vf.inventory(REACH / "aws"), "name", of="port")
