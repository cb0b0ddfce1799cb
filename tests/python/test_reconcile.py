"""Costs of logs against bills: the closed loop over simulated bills, and each planted gap by its name."""

import csv
import json
from decimal import Decimal

import pytest

import vpcflow as vf
import vpcflow.cli
from conftest import LONG
from test_schemas import table
from vpcflow.billing import Evidence, evidence_of, reconcile_rows
from vpcflow.cost_world import GAPS, make_costs
from vpcflow.pricing import PRICE_OF, read_bill


def _rows(world):
    """Cost rows by the truth about the records that are there, by hour."""
    sums = {}
    for path in sorted((world / "truth").iterdir()):
        lines = (world / "logs" / f"{path.stem}.log").read_text().splitlines()
        at = lines[0].split().index("start")
        for truth, line in zip(csv.DictReader(path.read_text().splitlines(), delimiter="\t"), lines[1:]):
            hour = int(line.split()[at]) // 3600 * 3600
            key = (truth["class"], int(truth["sides"]), hour)
            sums[key] = sums.get(key, 0) + int(truth["bytes"])
    return [{"class": kind, "sides": sides, "time": hour, "bytes": size} for (kind, sides, hour), size in sums.items()]


def _reconciled(tmp_path, **options):
    world = tmp_path / "world"
    made = make_costs(world, **{"conversations": 96, "hours": 6, "seed": 1, **options})
    evidence = evidence_of(vf.scan(str(world / "logs")), vf.inventory(world / "inventory"))
    return made, reconcile_rows(_rows(world), read_bill(world / "bill"), evidence=evidence)


def _causes(found):
    return {cause for row in found.rows for cause in row["causes"]}


@pytest.mark.parametrize("seed", [1, 2])
def test_whole_logs_explain_the_bill(tmp_path, seed):
    _, found = _reconciled(tmp_path, seed=seed)
    assert [row["class"] for row in found.rows] == list(PRICE_OF)
    assert all(abs(row["ratio"] - 1) < 1e-6 for row in found.rows)
    assert all(row["coverage"] == 1 and row["unexplained"] < 1e-6 for row in found.rows)
    assert _causes(found) == set()
    assert found.charge_back
    assert round(found.coverage, 6) == 1
    assert set(found.dropped) == {"Tax", "Credit", "EdpDiscount"}
    assert found.dropped["Tax"] == (1, Decimal("12.5"))
    assert any("by the hour" in note for note in found.notes)
    assert not any("without a record" in note for note in found.notes)


@pytest.mark.parametrize("gap", ["skipdata", "vpc_not_logged", "base_1e9", "hours_missing", "not_visible"])
def test_a_gap_is_named_and_no_other(tmp_path, gap):
    made, found = _reconciled(tmp_path, seed=2, gaps=[gap])
    hit = made.labels["gaps"][gap]
    assert _causes(found) == {f"vpc_not_logged: {hit}" if gap == "vpc_not_logged" else gap}
    for row in found.rows:
        differs = abs(row["ratio"] - 1) > 1e-3
        assert bool(row["causes"]) == differs, row


def test_several_gaps_at_once(tmp_path):
    _, found = _reconciled(tmp_path, gaps=["base_1e9", "hours_missing"])
    assert _causes(found) == {"base_1e9", "hours_missing"}
    assert all(row["causes"][0] == "base_1e9" for row in found.rows)
    assert found.gb == 10**9


def test_one_side(tmp_path):
    """Of sides that are not logged, the classes are named whose other side is."""
    _, found = _reconciled(tmp_path, gaps=["one_side"])
    assert _causes(found) == {"one_side"}
    assert {"cross_az", "peering"} <= {row["class"] for row in found.rows if row["causes"]}
    assert not found.charge_back
    assert found.verdict.endswith("do not charge back from this")


def test_overlapping_flow_logs(tmp_path):
    _, found = _reconciled(tmp_path, gaps=["overlap"])
    assert _causes(found) == {"overlap"}
    assert all((row["ratio"] > 1.001) == bool(row["causes"]) for row in found.rows)
    assert any(row["causes"] for row in found.rows)


@pytest.mark.parametrize("seed", range(1, 21) if LONG else [7, 8])
def test_costs_of_logs_are_the_bill_to_the_cent(tmp_path, seed):
    """The classifier of paths and the simulator know nothing of each other."""
    world = tmp_path / "world"
    make_costs(world, seed=seed, conversations=240 if LONG else 96, hours=3)
    flows = vf.scan(str(world / "logs"))
    found = vf.reconcile(flows, world / "bill" / "cur.csv.gz", inventory=world / "inventory", prices=world / "prices.json")
    assert [row["class"] for row in found.rows] == list(PRICE_OF)
    assert all(abs(row["ratio"] - 1) < 1e-6 and not row["causes"] for row in found.rows)
    cost = flows.cost(inventory=world / "inventory", prices=world / "prices.json", by=["class", "priced_as"])
    billed = {line.kind: Decimal(0) for line in read_bill(world / "bill") if line.kind in PRICE_OF.values()}
    for line in read_bill(world / "bill"):
        if line.kind in billed:
            billed[line.kind] += line.cost
    for kind, price in PRICE_OF.items():
        own = sum(row["list_cost"] for row in cost if row["priced_as"] == kind and row["list_cost"] is not None)
        assert abs(own - billed[price]) < Decimal("0.005"), kind


@pytest.mark.parametrize("gap", list(GAPS))
@pytest.mark.parametrize("seed", range(1, 6) if LONG else [1])
@pytest.mark.skipif(not LONG, reason="long: make soak")
def test_planted_gaps_by_costs_of_logs(tmp_path, gap, seed):
    world = tmp_path / "world"
    made = make_costs(world, seed=seed, conversations=240, hours=4, gaps=[gap])
    flows = vf.scan(str(world / "logs"))
    found = vf.reconcile(flows, world / "bill", inventory=world / "inventory", prices=world / "prices.json")
    assert _causes(found) == {f"{gap}: {made.labels['gaps'][gap]}" if gap == "vpc_not_logged" else gap}


def test_command(tmp_path, capsys):
    world = tmp_path / "world"
    make_costs(world, seed=2, conversations=48, hours=2, gaps=["vpc_not_logged"])
    args = ["reconcile", str(world / "logs"), "--bill", str(world / "bill" / "cur.csv.gz"), "--inventory", str(world / "inventory")]
    assert vf.cli.main([*args, "--prices", str(world / "prices.json"), "--json"]) == 0
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert list(rows[0]) == [row[0] for row in table("Reconciliation")]
    assert any(cause.startswith("vpc_not_logged: vpc-") for row in rows for cause in row["causes"])
    assert "of the billed traffic" in shown.err
    assert vf.cli.main(args) == 0
    assert "vpc_not_logged: vpc-" in capsys.readouterr().out
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    args[3] = str(tmp_path / "x.csv")
    assert vf.cli.main(args) == 2
    assert "no bill: its columns begin with a, b" in capsys.readouterr().err


# -- by hand

_HEADER = (
    "line_item_line_item_type,line_item_usage_type,line_item_operation,line_item_usage_amount,line_item_unblended_cost,"
    "line_item_usage_start_date,line_item_usage_end_date,line_item_product_code\n"
)


def _bill(tmp_path, *lines):
    (tmp_path / "cur.csv").write_text(_HEADER + "".join(f"{line}\n" for line in lines))
    return read_bill(tmp_path / "cur.csv")


def _hour(n, amount, usage="NatGateway-Bytes", operation="NatGateway", product="AmazonEC2"):
    return f"Usage,{usage},{operation},{amount},{Decimal(amount) * 45 / 1000},2026-11-02T{n:02}:00:00Z,2026-11-02T{n + 1:02}:00:00Z,{product}"


_T = 1793577600  # 2026-11-02T00:00:00Z


def test_surplus_of_an_hour_hides_no_deficit(tmp_path):
    rows = [{"class": "nat", "bytes": 3 << 30, "sides": 1, "time": _T}]
    found = reconcile_rows(rows, _bill(tmp_path, _hour(0, 2), _hour(1, 1)))
    (row,) = found.rows
    assert (row["ratio"], row["coverage"], row["unexplained"]) == (1.0, round(2 / 3, 6), 1.0)
    assert not found.charge_back


def test_sides_count(tmp_path):
    bill = [_hour(0, 1, "DataTransfer-Regional-Bytes", f"InterZone-{side}") for side in ("In", "Out")]
    rows = [{"class": "cross_az", "bytes": 1 << 30, "sides": 2, "time": _T}]
    assert reconcile_rows(rows, _bill(tmp_path, *bill)).rows[0]["ratio"] == 1
    (row,) = reconcile_rows(rows, _bill(tmp_path, bill[0])).rows
    assert (row["ratio"], row["causes"]) == (2, ["one_side"])


def test_days_without_logs_are_not_compared(tmp_path):
    rows = [{"class": "nat", "bytes": 1 << 30, "sides": 1, "time": _T}]
    other_day = _hour(0, 5).replace("2026-11-02", "2026-11-03")
    found = reconcile_rows(rows, _bill(tmp_path, _hour(0, 1), other_day), evidence=Evidence(hours=frozenset({_T // 3600})))
    assert found.rows[0]["ratio"] == 1
    assert "not compared: 1 line outside of the time of the logs, 0.22 USD" in found.notes
    found = reconcile_rows(rows, _bill(tmp_path, _hour(0, 1), _hour(1, 5)), end=_T + 3600)
    assert found.rows[0]["ratio"] == 1


def test_bills_of_days(tmp_path):
    """Without hours, sums are compared."""
    line = _hour(0, 4).replace("2026-11-02T01", "2026-11-03T00")
    rows = [{"class": "nat", "bytes": 2 << 30, "sides": 1, "time": _T + 3600 * n} for n in range(2)]
    found = reconcile_rows(rows, _bill(tmp_path, line))
    assert (found.rows[0]["ratio"], found.rows[0]["coverage"]) == (1, 1)
    assert any("surplus of one hour may hide" in note for note in found.notes)


def test_nothing_to_compare(tmp_path):
    found = reconcile_rows([], _bill(tmp_path, _hour(0, 1, "BoxUsage:m5.large", "RunInstances")))
    assert (found.rows, found.coverage, found.charge_back) == ([], None, False)
    assert "nothing is held against it" in found.verdict


def test_duplicates_need_all_of_a_record(tmp_path):
    header = "interface-id srcaddr dstaddr srcport dstport protocol start end action bytes log-status\n"
    line = "eni-1 10.0.0.1 10.0.0.2 1 2 6 1793577600 1793577659 ACCEPT 40 OK\n"
    assert evidence_of(vf.scan((header + line * 3).encode())).duplicates == 2
    assert evidence_of(vf.scan((header + line + line.replace(" 40 ", " 41 ")).encode())).duplicates == 0
    assert evidence_of(vf.scan(b"srcaddr bytes\n10.0.0.1 4\n")) == Evidence()
