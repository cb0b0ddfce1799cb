"""Savings: each kind of advice on a world where it pays and on one where it does not, held against the simulated bill."""

import csv
import dataclasses
import gzip
import json
from decimal import Decimal

import pytest

import vpcflow as vf
import vpcflow.cli
from conftest import ROOT, run_cli
from test_schemas import table
from vpcflow.cost_world import make_costs
from vpcflow.pricing import prices
from vpcflow.savings import advise_costs
from vpcflow.savings.rows import Observed

_HOURS = 3


def _world(tmp_path, only, **options):
    """A world of some conversations, and what its bill charges a month, by what of its lines is asked for."""
    folder = tmp_path / "world"
    make_costs(folder, **{"seed": 5, "conversations": 30, "hours": _HOURS, "only": only, **options})
    with gzip.open(folder / "bill" / "cur.csv.gz", "rt") as file:
        lines = [line for line in csv.DictReader(file) if line["line_item_line_item_type"] == "Usage"]

    def billed(end, operation="", resource=""):
        own = [
            line for line in lines
            if line["line_item_usage_type"].endswith(end) and line["line_item_operation"].startswith(operation)
            and line["line_item_resource_id"].endswith(resource)
        ]  # fmt: skip
        return float(sum(Decimal(line["line_item_unblended_cost"]) for line in own)) * 730 / _HOURS

    return folder, billed


def _advised(folder, sheet=None, ranges=True, **options):
    return advise_costs(
        vf.scan(str(folder / "logs")), vf.inventory(folder / "inventory"), sheet or prices(folder / "prices.json"),
        ip_ranges=folder / "inventory" / "ip-ranges.json" if ranges else None, **options,
    )  # fmt: skip


def _of(found, kind):
    return [one for one in found.savings if one.advice == kind]


def _total(found, kind):
    own = _of(found, kind)
    assert own
    assert all(one.low <= one.saving <= one.high for one in own)
    return sum(one.saving for one in own)


def test_gateway_endpoints(tmp_path):
    """Applied, all of the bill by the GB goes: the traffic is S3 of the own region."""
    folder, billed = _world(tmp_path, ["nat_s3"])
    gone = billed("NatGateway-Bytes") + billed("DataTransfer-Regional-Bytes", "InterZone")
    found = _advised(folder)
    assert _total(found, "gateway_endpoint") == pytest.approx(gone, abs=0.05)
    assert all("create-vpc-endpoint" in one.fix and "rtb-" in one.fix and "aws_vpc_endpoint" in one.terraform for one in _of(found, "gateway_endpoint"))
    unsure = _advised(folder, ranges=False)
    assert {one.low for one in _of(unsure, "gateway_endpoint")} == {0.0}


@pytest.mark.parametrize("only", ["nat_s3_far", "gateway_endpoint", "nat_internet"])
def test_no_gateway_endpoint(tmp_path, only):
    folder, _ = _world(tmp_path, [only])
    assert _of(_advised(folder), "gateway_endpoint") == []


def test_interface_endpoints(tmp_path):
    folder, billed = _world(tmp_path, ["nat_service"], conversations=60)
    found = _of(_advised(folder), "interface_endpoint")
    assert found
    sheet = prices(folder / "prices.json")
    nat = sum(billed("NatGateway-Bytes", resource=one.resource) for one in found)
    by_gb = sum(
        billed("NatGateway-Bytes", resource=one.resource) * (1 - 0.01 / float(sheet.price("nat.gb", one.region).rate()))
        for one in found
    )  # fmt: skip
    assert nat > by_gb > sum(one.saving for one in found) > by_gb - 3 * 7.3 * len(found) - 0.05
    assert any("209 GB a zone" in one.why for one in found)
    dear = [dataclasses.replace(row, tiers=((Decimal(0), None, Decimal(9)),)) if row.kind == "vpce.hour" else row for row in sheet.rows]
    assert _of(_advised(folder, vf.Sheet(dear)), "interface_endpoint") == []


def test_endpoints_that_are_not_worth_it(tmp_path):
    folder, _ = _world(tmp_path, ["interface_endpoint"], conversations=1)
    sheet = prices(folder / "prices.json")
    dear = vf.Sheet([dataclasses.replace(row, tiers=((Decimal(0), None, Decimal(9)),)) if row.kind == "vpce.hour" else row for row in sheet.rows])
    (row,) = _of(_advised(folder, dear), "endpoint_not_worth_it")
    assert 0 < row.saving < 2 * 9 * 730
    cheap = vf.Sheet([dataclasses.replace(row, tiers=((Decimal(0), None, Decimal(0)),)) if row.kind == "vpce.hour" else row for row in sheet.rows])
    assert _of(_advised(folder, cheap), "endpoint_not_worth_it") == []


def test_nat_in_another_zone(tmp_path):
    folder, billed = _world(tmp_path, ["nat_internet"], conversations=60)
    found = _of(_advised(folder), "nat_in_other_zone")
    zones = billed("DataTransfer-Regional-Bytes", "InterZone")
    hours = sum(35.04 if one.region == "eu-west-1" else 32.85 for one in found)
    assert found
    assert 0 < sum(one.saving for one in found) <= zones - hours + 0.05
    assert _of(_advised(_world(tmp_path / "b", ["same_az"])[0]), "nat_in_other_zone") == []


@pytest.mark.parametrize(("only", "kind", "end", "operation"), [
    ("cross_az", "cross_az_pair", "DataTransfer-Regional-Bytes", "InterZone"),
    ("public_pair", "hairpin", "DataTransfer-Regional-Bytes", "PublicIP"),
])  # fmt: skip
def test_pairs(tmp_path, only, kind, end, operation):
    folder, billed = _world(tmp_path, [only])
    found = _advised(folder)
    assert _total(found, kind) == pytest.approx(billed(end, operation), abs=0.2)
    assert {one.low for one in _of(found, kind)} == {0.0}
    assert _of(_advised(_world(tmp_path / "b", ["same_az", "internet"])[0]), kind) == []


def test_peering_instead_of_a_transit_gateway(tmp_path):
    folder, billed = _world(tmp_path, ["tgw"])
    saving = _total(_advised(folder), "peering_instead_of_tgw")
    assert 0 < saving < billed("TransitGateway-Bytes")
    sheet = prices(folder / "prices.json")
    free = vf.Sheet([dataclasses.replace(row, tiers=((Decimal(0), None, Decimal(0)),)) if row.kind == "peering" else row for row in sheet.rows])
    assert _total(_advised(folder, free), "peering_instead_of_tgw") == pytest.approx(billed("TransitGateway-Bytes"), abs=0.05)
    assert _of(_advised(_world(tmp_path / "b", ["peering"])[0]), "peering_instead_of_tgw") == []


def test_idle(tmp_path):
    """What has no traffic is idle, by the hours that the bill has; with an hour missing, nothing is."""
    folder, billed = _world(tmp_path, ["nat_internet", "interface_endpoint", "tgw", "internet"], conversations=80)
    found = _advised(folder)
    nats = _of(found, "idle_nat")
    assert len(nats) == 1
    assert nats[0].saving == pytest.approx(billed("NatGateway-Hours", resource=nats[0].resource), abs=0.01)
    (endpoint,) = _of(found, "idle_endpoint")
    assert endpoint.saving == pytest.approx(billed("VpcEndpoint-Hours", resource=endpoint.resource), abs=0.01)
    (attachment,) = _of(found, "idle_attachment")
    assert attachment.saving == 36.5
    assert all("purpose unknown" in one.why for one in (*nats, endpoint, attachment))
    logs = sorted((folder / "logs").glob("*-001.log"))
    for path in logs:
        path.unlink()
    fewer = _advised(folder)
    assert not any(one.advice.startswith("idle") for one in fewer.savings)
    assert any("nothing is called idle" in note for note in fewer.notes)


def test_flow_logs(tmp_path):
    """A flow log of a subnet of a logged VPC is there twice; one in CloudWatch costs twice as much as in S3."""
    folder, billed = _world(tmp_path, ["same_az"], gaps=["overlap"])
    (twice,) = _of(_advised(folder), "flow_log_twice")
    path = next(folder.glob("inventory/*/us-east-1/describe-flow-logs.json"))
    inner = [one for one in json.loads(path.read_text())["FlowLogs"] if one["ResourceId"].startswith("subnet-")]
    assert [one["FlowLogId"] for one in inner] == [twice.resource]
    assert 0 < twice.saving < billed("S3-Egress-Bytes")
    other, _ = _world(tmp_path / "b", ["same_az"], conversations=90)
    assert not any(one.advice.startswith("flow_log") for one in _advised(other).savings)
    for path in other.glob("inventory/*/*/describe-flow-logs.json"):
        path.write_text(path.read_text().replace('"LogDestinationType": "s3"', '"LogDestinationType": "cloud-watch-logs"'))
    sheet = prices(other / "prices.json")
    row = next(row for row in sheet.rows if row.kind == "logs.s3" and row.region == "us-east-1")
    dear = dataclasses.replace(row, kind="logs.cloudwatch", tiers=((Decimal(0), None, Decimal("0.5")),))
    found = _of(_advised(other, vf.Sheet([*sheet.rows, dear])), "flow_log_to_s3")
    here = {one.resource for one in found if one.region == "us-east-1"}
    text = sum(path.stat().st_size for path in (other / "logs").iterdir() if path.stem.rpartition("-")[0] in here)
    logged = sum(one.saving for one in found if one.resource in here)
    assert logged == pytest.approx(text / 2**30 * 730 / _HOURS * 0.25, abs=0.02)
    assert logged > 0.05
    assert {one.saving for one in found if one.region == "eu-west-1"} <= {None}


def test_what_two_flow_logs_tell_is_saved_once(tmp_path):
    """Savings are those of the bill, with a subnet that is logged twice as without."""
    folder, billed = _world(tmp_path, ["cross_az"], gaps=["overlap"])
    found = _advised(folder)
    assert _of(found, "flow_log_twice")
    assert _total(found, "cross_az_pair") == pytest.approx(billed("DataTransfer-Regional-Bytes", "InterZone"), abs=0.2)


def test_what_is_unpriced_is_said(tmp_path):
    folder, _ = _world(tmp_path, ["nat_s3"])
    sheet = prices(folder / "prices.json")
    found = _advised(folder, vf.Sheet([row for row in sheet.rows if row.kind != "nat.gb"]))
    assert {one.saving for one in _of(found, "gateway_endpoint")} == {None}
    assert any("nat.gb of us-east-1 is unpriced" in note for note in found.notes)


def test_intervals():
    """A steady use has a narrow interval, a single hour a wide one."""
    steady = Observed(range(10)).month(dict.fromkeys(range(10), Decimal(5)), Decimal("0.1"))
    assert steady == pytest.approx((365, 365, 365))
    mean, low, high = Observed(range(100)).month({hour: Decimal(hour % 24) for hour in range(100)}, Decimal(1))
    assert (mean, low, high) == pytest.approx((11.5 * 730,) * 3)  # every day is as the other
    mean, low, high = Observed([7]).month({7: Decimal(1)}, Decimal(1))
    assert (mean, low, high) == (730, 0, 1460)


def test_command(tmp_path, capsys):
    folder, _ = _world(tmp_path, ["nat_s3"])
    args = ["advise", str(folder / "logs"), "--inventory", str(folder / "inventory"), "--prices", str(folder / "prices.json")]
    assert vf.cli.main([*args, "--only", "cost", "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert list(rows[0]) == [row[0] for row in table("Advice")]
    assert [row["saving"] for row in rows] == sorted((row["saving"] for row in rows), reverse=True)
    assert vf.cli.main(args) == 1
    shown = capsys.readouterr().out
    assert "your discount changes it" in shown
    assert "aws ec2 create-vpc-endpoint" in shown
    assert vf.cli.main([*args, "--where", "srcaddr = '1.2.3.4'"]) == 2
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "describe-vpcs.json").write_text('{"Vpcs": []}')
    assert vf.cli.main(["advise", str(folder / "logs"), "--inventory", str(tmp_path / "empty")]) == 2
    assert "interfaces of the logs is in the inventory: nothing can be concluded" in capsys.readouterr().err
    enis = [item for item in vf.inventory(folder / "inventory").at("NetworkInterfaces").values() if item["InterfaceType"] == "interface" and "Association" not in item]
    (tmp_path / "empty" / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": enis[:1]}))
    assert vf.cli.main(["advise", str(folder / "logs"), "--inventory", str(tmp_path / "empty")]) == 0
    said = capsys.readouterr().err
    assert "nothing to advise, by 3 hours of logs" in said
    assert "interfaces of the logs are in no inventory" in said


def _scaled(folder, factor):
    """The logs with as many times the bytes."""
    for path in (folder / "logs").iterdir():
        head, *lines = path.read_text().splitlines()
        at = head.split().index("bytes")
        rows = [line.split(" ") for line in lines]
        rows = [[*row[:at], str(int(row[at]) * factor) if row[at] != "-" else "-", *row[at + 1 :]] for row in rows]
        path.write_text("\n".join([head, *map(" ".join, rows), ""]))


def test_provisioned_nat(tmp_path):
    """It pays where its hours cost less than the gigabytes, which takes much of both; else there is no row."""
    folder, billed = _world(tmp_path, ["nat_internet"], conversations=60)
    sheet = prices(folder / "prices.json")
    row = next(row for row in sheet.rows if row.kind == "nat.hour" and row.region == "us-east-1")
    dear = dataclasses.replace(row, kind="nat.provisioned.hour", tiers=((Decimal(0), None, Decimal("1.076")),))
    with_it = vf.Sheet([*sheet.rows, dear])
    assert _of(_advised(folder, with_it), "provisioned_nat") == []
    _scaled(folder, 300)
    found = _of(_advised(folder, with_it), "provisioned_nat")
    assert found
    assert {one.region for one in found} == {"us-east-1"}  # the other region's is not priced
    for one in found:
        provided = int(one.why.split("; ")[1].split(" ")[0])
        peak = float(one.why.split(" is ")[1].split(" ")[0])
        assert provided - 1 <= peak <= provided
        by_gb = billed("NatGateway-Bytes", resource=one.resource) * 300
        assert one.saving == pytest.approx(by_gb - provided * 1.076 * 730, rel=1e-6)
        assert "do not prove" in one.risk
    assert _of(_advised(folder, vf.Sheet([*sheet.rows, dataclasses.replace(dear, tiers=((Decimal(0), None, Decimal(10**7)),))])), "provisioned_nat") == []


def test_idle_addresses(tmp_path):
    """A public address of an interface that talks inside only, and not of one that talks outside."""
    folder, billed = _world(tmp_path, ["internet", "same_az"], conversations=60)
    outside, inside = ({one.resource for one in _of(_advised(_world(tmp_path / name, [name], conversations=60)[0]), "idle_address")} for name in ("internet", "same_az"))
    found = _of(_advised(folder), "idle_address")
    assert inside > outside
    assert {one.resource for one in found} < inside
    assert all(one.saving == pytest.approx(billed("PublicIPv4:InUseAddress", resource=one.resource), abs=0.01) for one in found)


def _typed(folder, hours, baseline):
    """Gives all instances a type with that baseline, and the logs more hours by repeating them."""
    for path in folder.rglob("describe-instances.json"):
        document = json.loads(path.read_text())
        for reservation in document["Reservations"]:
            for one in reservation["Instances"]:
                one["InstanceType"] = "x1.test"
        path.write_text(json.dumps(document))
        cards = [{"BaselineBandwidthInGbps": baseline, "PeakBandwidthInGbps": 10.0}]
        types = {"InstanceTypes": [{"InstanceType": "x1.test", "NetworkInfo": {"NetworkCards": cards}}]}
        path.with_name("describe-instance-types.json").write_text(json.dumps(types))
    for path in sorted((folder / "logs").glob("*-000.log")) if hours > _HOURS else ():
        head, *lines = path.read_text().splitlines()
        start, end = head.split().index("start"), head.split().index("end")
        for hour in range(_HOURS, hours):
            rows = [line.split(" ") for line in lines]
            for row in rows:
                row[start], row[end] = (str(int(row[at]) + 3600 * hour) for at in (start, end))
            path.with_name(path.name.replace("-000", f"-{hour:03d}")).write_text("\n".join([head, *map(" ".join, rows), ""]))


def test_networks_of_instances(tmp_path):
    folder, _ = _world(tmp_path, ["same_az", "cross_az"], conversations=60)
    assert not any(one.advice.endswith("_network") for one in _advised(folder).savings)  # no types: nothing is said
    _typed(folder, _HOURS, 1000.0)
    short = _advised(folder)
    assert not any(one.advice.endswith("_network") for one in short.savings)
    assert any("24 hours of logs are needed" in note for note in short.notes)
    _typed(folder, 24, 1000.0)
    found = _advised(folder)
    assert _of(found, "undersized_network") == []
    for one in _of(found, "oversized_network"):
        assert (one.saving, one.resource) == (None, "x1.test")
        assert "not the reason for this size" in one.why
        assert "this alone is no reason" in one.risk
    assert {one.region for one in _of(found, "oversized_network")} == {"us-east-1", "eu-west-1"}
    _typed(folder, _HOURS, 0.0001)
    found = _advised(folder)
    assert _of(found, "oversized_network") == []
    assert _of(found, "undersized_network")
    assert all("above the baseline of x1.test, 0.0001 Gbit/s" in one.why for one in _of(found, "undersized_network"))


def test_standard_input_is_read_as_often_as_needed():
    logs = gzip.decompress((ROOT / "examples/cost/flow.log.gz").read_bytes())
    inventory = ("--inventory", ROOT / "examples/cost/aws", "--prices", ROOT / "examples/cost/prices.json")
    for command, exits in (("cost", 0), ("advise", 1)):
        piped = run_cli(command, "-", *inventory, "--json", stdin=logs, check=exits).stdout
        assert piped == run_cli(command, ROOT / "examples/cost/flow.log.gz", *inventory, "--json", check=exits).stdout
        assert piped
