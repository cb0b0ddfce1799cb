"""The world of costs: what its logs add up to is what its bill charges, and each gap takes from the logs what it says."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest

import vpcflow as vf
import vpcflow.cli
from test_schemas import table
from vpcflow.cost_world import GAPS, make_costs
from vpcflow.cost_world.talks import PRICE_OF

#: Ends of usage types by class of the sheet, as bills have them.
_USAGE = {
    "nat.gb": ("NatGateway-Bytes",), "cross_az": ("InterZone-In", "InterZone-Out"), "tgw.gb": ("TransitGateway-Bytes",),
    "vpce.gb": ("VpcEndpoint-Bytes",), "peering": ("VpcPeering-In-Bytes", "VpcPeering-Out-Bytes"),
    "public_in_region": ("PublicIP-In", "PublicIP-Out"), "region.out": ("-AWS-Out-Bytes",),
    "internet.out": ("DataTransfer-Out-Bytes",),
}


def _make(tmp_path, **options):
    out = tmp_path / "world"
    made = make_costs(out, **{"conversations": 120, "hours": 3, **options})
    truth, lines = [], []
    for path in sorted((out / "truth").iterdir()):
        truth += csv.DictReader(io.StringIO(path.read_text()), delimiter="\t")
        header, *rest = (out / "logs" / f"{path.stem}.log").read_text().splitlines()
        lines += [dict(zip(header.split(), text.split())) for text in rest]
    with gzip.open(out / "bill" / "cur.csv.gz", "rt") as file:
        return out, made, truth, lines, list(csv.DictReader(file))


def _billed(bill, price):
    usage = [line for line in bill if line["line_item_line_item_type"] == "Usage"]
    own = [line for line in usage if any(line[of].endswith(_USAGE[price]) for of in ("line_item_usage_type", "line_item_operation"))]
    return sum(Decimal(line["line_item_usage_amount"]) for line in own)


@pytest.mark.parametrize("seed", range(1, 4))
def test_logs_add_up_to_the_bill(tmp_path, seed):
    _, made, truth, lines, bill = _make(tmp_path, seed=seed)
    assert made.records == len(truth) == len(lines)
    assert all(row["bytes"] == (line["bytes"].replace("-", "0")) for row, line in zip(truth, lines))
    for kind, price in PRICE_OF.items():
        explained = sum(int(row["bytes"]) * int(row["sides"]) for row in truth if row["class"] == kind)
        assert abs(Decimal(explained) / 2**30 - _billed(bill, price)) < Decimal("1e-6"), kind
        assert explained, kind


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    worlds = [make_costs(tmp_path / name, seed=seed, conversations=30, hours=1) for name, seed in (("a", 5), ("b", 5), ("c", 6))]
    read = [{name: (tmp_path / folder / name).read_bytes() for name in made.files} for folder, made in zip("abc", worlds)]
    assert read[0] == read[1] != read[2]


@pytest.mark.parametrize("gap", ["skipdata", "vpc_not_logged", "one_side", "hours_missing", "overlap"])
def test_a_gap_is_in_the_logs_alone(tmp_path, gap):
    _, _, _, lines, bill = _make(tmp_path / "whole", seed=2)
    _, made, _, left, other = _make(tmp_path / "gap", seed=2, gaps=[gap])
    own = [line for line in bill if "S3-Egress" not in line["line_item_usage_type"]]
    assert own == [line for line in other if "S3-Egress" not in line["line_item_usage_type"]]
    hit = made.labels["gaps"][gap]
    if gap == "overlap":
        twice = [line for line in lines if line["subnet-id"] == hit]
        assert len(left) == len(lines) + len(twice) > len(lines)
        return
    gone = {
        "skipdata": lambda line: line["log-status"] == "OK" and len(left) < len(lines),
        "vpc_not_logged": lambda line: line["vpc-id"] == hit,
        "one_side": lambda line: line["subnet-id"] in hit,
        "hours_missing": lambda line: any(hour <= int(line["end"]) < hour + 3600 for hour in hit),
    }[gap]
    there = {json.dumps(line) for line in left}
    lost = [line for line in lines if json.dumps(line) not in there]
    assert lost
    assert all(gone(line) for line in lost)
    assert sum(line["log-status"] == "SKIPDATA" for line in left) == (hit if gap == "skipdata" else 0)


def test_gaps_of_the_bill(tmp_path):
    _, _, truth, _, whole = _make(tmp_path / "whole", seed=3)
    _, _, _, _, decimal = _make(tmp_path / "base", seed=3, gaps=["base_1e9"])
    _, made, _, _, hidden = _make(tmp_path / "hidden", seed=3, gaps=["not_visible"])
    assert abs(_billed(decimal, "nat.gb") / _billed(whole, "nat.gb") - Decimal(2**30) / 10**9) < Decimal("1e-9")
    assert _billed(hidden, "nat.gb") == _billed(whole, "nat.gb")
    assert _billed(hidden, "cross_az") > _billed(whole, "cross_az")
    assert made.labels["gaps"]["not_visible"] == ["cross_az"]
    assert truth


def test_documents_and_logs_are_read(tmp_path):
    out, made, truth, _, _ = _make(tmp_path, seed=4, format="v5", window=600)
    assert set(made.labels["bytes"]) >= set(PRICE_OF)
    assert vf.inventory(out / "inventory").at("NatGateways")
    flows = vf.scan(str(out / "logs"))
    assert made.records == len(truth)
    assert {row["interface_id"] for row in flows.group_by("interface_id", "log_status").agg(n=vf.count()).collect().rows()} >= {
        one for one in vf.inventory(out / "inventory").at("NetworkInterfaces")
    }
    assert flows.agg(n=vf.count(), bytes=vf.sum("bytes")).collect().rows() == [
        {"n": sum(row["class"] != "nodata" for row in truth), "bytes": sum(int(row["bytes"]) for row in truth)}
    ]
    rejected = flows.filter("action = 'REJECT'").agg(n=vf.count()).collect().rows()[0]["n"]
    assert rejected == sum(row["class"] == "rejected" for row in truth)


def test_labels_are_as_the_schema_says(tmp_path, capsys):
    with pytest.raises(vf.SynthError, match="synth: by: the world of costs has no such option"):
        vf.synth(world="costs", out=tmp_path / "w", by="hour")
    assert vf.cli.main(["synth", "--world", "costs", "--hours", "1", "--plant", "skipdata", "-o", str(tmp_path / "w")]) == 0
    assert "planted skipdata: 5 %" in capsys.readouterr().out
    labels = json.loads((tmp_path / "w" / "labels.json").read_text())
    assert list(labels) == [row[0] for row in table("Labels of the world of costs")]
    truth = next((tmp_path / "w" / "truth").iterdir()).read_text().splitlines()[0]
    assert truth.split("\t") == [row[0] for row in table("Truth of the world of costs")]
    assert set(vf.plants("costs")) == set(GAPS)


@pytest.mark.parametrize(("options", "said"), [
    ({"window": 90}, "window: 90"), ({"hours": 0}, "0 hours"), ({"gaps": ["skipdat"]}, "did you mean 'skipdata'"),
    ({"only": ["nat_s4"]}, "did you mean 'nat_s3'"), ({"format": "tgw"}, "is no field of the logs of a VPC"),
])
def test_what_is_not_allowed(tmp_path, options, said):
    with pytest.raises(vf.SynthError, match=said):
        make_costs(tmp_path / "world", **options)
    assert not (tmp_path / "world").exists()
    assert set(GAPS) >= {"skipdata", "overlap"}
