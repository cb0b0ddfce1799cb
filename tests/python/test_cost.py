"""Costs of a world whose ways and owners are known: each byte once, in the class that AWS charges."""

import collections
import json
import random
from decimal import Decimal

import pytest

import vpcflow as vf
from conftest import LONG
from vpcflow.cli import main
from vpcflow.cost.ground import ranges_in
from vpcflow.cost_world import make_costs

SHEET_OF = {
    "nat": "nat.gb", "cross_az": "cross_az", "peering": "peering", "interface_endpoint": "vpce.gb", "tgw": "tgw.gb",
    "public_in_region": "public_in_region",
}  # fmt: skip


@pytest.fixture(scope="module", params=[("v11", 7), ("v11", 1007), ("v5", 1008), ("default", 1009)])
def world(request, tmp_path_factory):
    form, seed = request.param
    folder = tmp_path_factory.mktemp("costs")
    make_costs(folder, seed=seed, conversations=150, hours=2, format=form)
    return form, folder


def truth(folder, but="none"):
    """Bytes by class and owner as the world knows them; of an outside leg of a NAT gateway the class is that."""
    out = collections.Counter()
    for path in (path for path in (folder / "truth").rglob("*.tsv") if but not in path.name):
        for line in path.read_text().splitlines()[1:]:
            kind, counted, size, sides, owner, leg = line.split("\t")[:6]
            if kind != "nodata" and (counted == "1" or kind == "rejected"):
                kind = "nat_outside" if leg == "outside" else kind
                out[kind, owner if owner != "-" else None, int(sides)] += int(size)
    return out


def costed(folder, by="class", **options):
    return vf.scan(folder / "logs").cost(folder / "inventory", folder / "prices.json", by=by, **options)


def sums(pairs):
    out = collections.Counter()
    for key, size in pairs:
        out[key] += size
    return +out


def test_each_byte_is_counted_once_in_its_class(world):
    _, folder = world
    found = costed(folder)
    assert sums((row["class"], row["bytes"]) for row in found) == sums((key[0], n) for key, n in truth(folder).items())
    assert found.elsewhere > 0
    assert not [row for row in found if row["class"] == "unpriced"]


def test_owners_are_told_behind_gateways_too(world):
    form, folder = world
    found = costed(folder, by=["class", "owner"])
    # The world gives what an endpoint sends to nobody, and what is refused to its address; here both have an owner.
    left_out = {"interface_endpoint", "rejected"}
    if form == "default":  # its inside legs do not say with whom the workload spoke
        assert {row["owner"] for row in found if row["class"] == "nat_outside"} == {None}
        left_out.add("nat_outside")
    mine = sums(((row["class"], row["owner"]), row["bytes"]) for row in found if row["class"] not in left_out)
    known = sums(((kind, owner), n) for (kind, owner, _), n in truth(folder).items() if kind not in left_out)
    assert mine == known
    assert None not in {row["owner"] for row in found if row["class"] == "interface_endpoint"}


def test_costs_are_bytes_times_sides_times_price(world):
    _, folder = world
    sheet = {
        (row["class"], row["region"]): row["tiers"]
        for row in json.loads((folder / "prices.json").read_text())["rows"]
        if "region" in row
    }
    for row in costed(folder, by=["class", "region"]) if world[0] != "default" else ():
        tiers = sheet.get((SHEET_OF.get(row["class"]), row["region"]))
        if tiers and len(tiers) == 1:
            exact = Decimal(row["bytes"]) / (1 << 30) * row["sides"] * Decimal(tiers[0][2])
            assert abs(row["list_cost"] - exact) < Decimal("1e-12"), row


def test_days_add_up(world):
    _, folder = world
    by_day, whole = costed(folder, by=["class", "day"]), costed(folder)
    assert sums((row["class"], row["bytes"]) for row in by_day) == sums((row["class"], row["bytes"]) for row in whole)
    assert abs(by_day.total() - whole.total()) < Decimal("1e-9")
    assert {row["day"] for row in by_day} == {"2026-11-02"}


def test_what_nothing_tells_has_no_price_and_says_why(tmp_path):
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "describe-subnets.json").write_text('{"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]}')
    log = b"version account-id interface-id srcaddr dstaddr bytes start end action log-status flow-direction\n"
    log += b"2 1 eni-1 10.0.0.1 8.8.8.8 100 1793577600 1793577660 ACCEPT OK egress\n"
    log += b"2 1 eni-1 10.0.0.1 10.9.9.9 10 1793577600 1793577660 ACCEPT OK egress\n"
    log += b"2 1 eni-1 8.8.8.8 10.0.0.1 1 1793577600 1793577660 REJECT OK ingress\n"
    rows = {(row["class"], row["bytes"]): row for row in vf.scan(log).cost(tmp_path / "aws")}
    assert rows["unpriced", 100]["list_cost"] is None
    assert "no route table" in rows["unpriced", 100]["why"]
    assert "in no file" in rows["unpriced", 10]["why"]
    assert rows["rejected", 1]["list_cost"] == 0


def test_a_region_that_the_sheet_lacks_is_unpriced(tmp_path):
    make_costs(tmp_path / "w", seed=3, conversations=60, hours=1)
    document = json.loads((tmp_path / "w" / "prices.json").read_text())
    gone = sorted({row["region"] for row in document["rows"] if row.get("class") == "nat.gb"})[0]
    document["rows"] = [row for row in document["rows"] if row.get("region") != gone]
    (tmp_path / "sheet.json").write_text(json.dumps(document))
    found = vf.scan(tmp_path / "w" / "logs").cost(tmp_path / "w" / "inventory", tmp_path / "sheet.json", by="class")
    lacking = [row for row in found if row["list_cost"] is None and row["class"] not in ("vgw", "local_gateway")]
    assert lacking
    assert all(f"in {gone}" in row["why"] for row in lacking)


def test_the_command(world, capsys):
    _, folder = world
    words = [
        "cost",
        str(folder / "logs"),
        "--inventory",
        str(folder / "inventory"),
        "--prices",
        str(folder / "prices.json"),
    ]
    assert main([*words, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"class", "bytes", "list_cost", "effective_cost", "currency", "sides", "why"} <= set(rows[0])
    assert main([*words, "--by", "class,owner,day"]) == 0
    out, err = capsys.readouterr()
    assert "USD at list prices of" in out
    assert "tell again" in err
    assert main([*words, "--by", "clas"]) == 2
    assert "clas" in capsys.readouterr().err


def test_published_addresses_are_read(world):
    assert ("AMAZON") in {service for _, service, _ in ranges_in(world[1] / "inventory")}


def test_an_owner_may_have_any_name(tmp_path):
    name = "a|b|local|% 'ä"
    own = {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.0.1"}
    own["TagSet"] = [{"Key": "team", "Value": name}]
    (tmp_path / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": [own]}))
    log = b"interface-id srcaddr dstaddr bytes start end action traffic-path flow-direction\n"
    log += b"eni-1 10.0.0.1 8.8.8.8 100 1793577600 1793577660 ACCEPT 8 egress\n"
    (row,) = vf.scan(log).cost(tmp_path, by=["class", "owner"]).rows
    assert (row["class"], row["owner"], row["bytes"]) == ("internet_out", name, 100)


def test_parts_add_up_to_the_cost_of_all(tmp_path):
    """Hours of logs, each alone, in any order; tiers are those of the whole."""
    make_costs(tmp_path, seed=31, conversations=90, hours=3)
    sheet = json.loads((tmp_path / "prices.json").read_text())
    for row in sheet["rows"]:
        if row["class"] == "internet.out":
            row["tiers"] = [[0, 1, "0.09"], [1, 3, "0.05"], [3, None, "0.01"]]
    (tmp_path / "prices.json").write_text(json.dumps(sheet))
    for by in (["class"], ["class", "owner", "hour"]):
        parts = [
            vf.scan([str(path) for path in sorted((tmp_path / "logs").glob(f"*-{hour:03d}.log"))]).cost(tmp_path / "inventory", tmp_path / "prices.json", by=by)
            for hour in (2, 0, 1)
        ]  # fmt: skip
        whole = costed(tmp_path, by=by)
        added = sum(parts)
        assert (added.rows, added.elsewhere, added.report.records) == (whole.rows, whole.elsewhere, whole.report.records)
        assert added.to_json_lines() == whole.to_json_lines()
    assert sum(part.total() for part in parts) > whole.total()  # alone, each begins in the first tier
    with pytest.raises(vf.PlanError, match="same keys"):
        parts[0] + costed(tmp_path)


# -- flow logs of the same interfaces


def by_class(found):
    return sums((row["class"], row["bytes"]) for row in found)


@pytest.fixture(scope="module", params=["v11", "default"])
def twice(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twice")
    made = make_costs(folder, seed=8, conversations=120, hours=2, gaps=["overlap"], format=request.param)
    inner = made.labels["gaps"]["overlap"]
    path = next(path for path in folder.rglob("describe-flow-logs.json") if inner in path.read_text())
    logs = {one["ResourceId"]: one["FlowLogId"] for one in json.loads(path.read_text())["FlowLogs"]}
    known = sums((key[0], n) for key, n in truth(folder, but=logs[inner]).items())
    return folder, logs[inner], known


def test_records_of_two_flow_logs_count_once(twice):
    folder, inner, known = twice
    found = costed(folder)
    assert by_class(found) == known
    assert found.repeated
    assert any(inner in note and "counted once" in note for note in found.notes())
    assert by_class(costed(folder, by=["class", "owner", "day"])) == known
    small = vf.scan(folder / "logs").filter("bytes < 100000").cost(folder / "inventory", folder / "prices.json", by=["class"])
    assert sum(row["bytes"] for row in small) + sum(small.repeated.values()) > sum(row["bytes"] for row in small) > 0


def test_a_flow_log_in_place_of_another_loses_nothing(twice, tmp_path):
    """The other one stops after the first hour, so that the second hour is told by one alone."""
    folder, inner, known = twice
    others = [path for path in (folder / "logs").iterdir() if inner not in path.name]
    first = sorted((folder / "logs").glob(f"{inner}-*"))
    ids = set(vf.scan([str(path) for path in first]).group_by("interface_id").agg(n=vf.count()).collect()["interface_id"])
    logs = tmp_path / "logs"
    logs.mkdir()
    for path in others:  # the outer one has nothing of these interfaces in the second hour
        lines = path.read_text().splitlines(keepends=True)
        at = lines[0].split().index("interface-id")
        kept = [line for line in lines if path.name.endswith("-000.log") or line.split(" ")[at] not in ids]
        (logs / path.name).write_text("".join(kept))
    for path in first:
        (logs / path.name).write_text(path.read_text())
    whole = vf.scan(logs).cost(folder / "inventory", folder / "prices.json")
    assert by_class(whole) == known


def test_flow_logs_of_refused_and_of_accepted_traffic_complete_each_other(twice, tmp_path):
    folder, inner, known = twice
    outer = [path for path in (folder / "logs").iterdir() if inner not in path.name]
    for word, name in (("ACCEPT", "fl-00000000a"), ("REJECT", "fl-00000000b")):
        for number, path in enumerate(outer):
            lines = path.read_text().splitlines(keepends=True)
            if own := [one for one in lines if word in one]:
                (tmp_path / f"{name}-{number:03d}.log").write_text("".join([lines[0], *own]))
    found = vf.scan(tmp_path).cost(folder / "inventory", folder / "prices.json")
    assert (by_class(found), found.repeated) == (known, {})
    rejected = sum(row["bytes"] for row in found if row["class"] == "rejected")
    assert rejected == sum(row["bytes"] for row in costed(folder) if row["class"] == "rejected") > 0


def nameless(folder, out, keep=lambda path: True, again=0.0):
    """The logs of a world under names that do not tell flow logs; AWS delivers a share of records ``again``."""
    draw = random.Random(5)
    out.mkdir()
    for n, path in enumerate(sorted(path for path in (folder / "logs").iterdir() if keep(path))):
        head, *lines = path.read_text().splitlines(keepends=True)
        (out / f"{n:03}.log").write_text("".join([head, *(line for own in lines for line in [own] * (1 + (draw.random() < again)))]))
    return vf.scan(out).cost(folder / "inventory", folder / "prices.json")


def test_what_may_be_counted_twice_is_said_where_no_name_tells(twice, tmp_path, capsys, monkeypatch):
    folder, inner, _ = twice
    inside = set(vf.scan([str(path) for path in (folder / "logs").glob(f"{inner}-*")]).group_by("interface_id").agg(n=vf.count()).collect()["interface_id"])
    found = nameless(folder, tmp_path / "all")
    assert found.twice.minutes
    assert set(found.twice.minutes) <= inside
    assert 0.8 * sum(costed(folder).repeated.values()) <= found.twice.bytes <= sum(costed(folder).repeated.values()) * 1.001 + found.elsewhere
    assert "; may be counted twice: eni-" in found.conclusion()
    assert "UTC" in found.conclusion()
    assert "fl-" in found.conclusion()
    assert (found + found).twice.minutes == found.twice.minutes
    rows = [json.loads(line) for line in found.to_json_lines().splitlines()]
    assert {row["counted_twice"] for row in rows} == {str(found.twice)}
    where = ["cost", str(tmp_path / "all"), "--inventory", str(folder / "inventory"), "--prices", str(folder / "prices.json")]
    assert main(where) == 0
    assert "may be counted twice: eni-" in " ".join(capsys.readouterr().out.split())
    # Each flow log alone, in whatever files, and with what AWS delivers again now and then: no word of it.
    for n, (keep, again) in enumerate([(lambda path: inner in path.name, 0), (lambda path: inner not in path.name, 0), (lambda path: inner not in path.name, 0.03)]):
        alone = nameless(folder, tmp_path / f"alone{n}", keep, again)
        assert (str(alone.twice), "twice" in " ".join([alone.conclusion(), *alone.notes()])) == ("no", False)
    assert str(costed(folder).twice) == "no"  # names tell
    # Of many records those of some ports stand for all.
    monkeypatch.setattr("vpcflow.cost.twice._MOST", found.report.records // 3)
    some = vf.scan(tmp_path / "all").cost(folder / "inventory", folder / "prices.json").twice
    assert some.minutes
    assert set(some.minutes) <= inside
    assert 0 < some.bytes < found.twice.bytes


@pytest.mark.parametrize("seed", range(12) if LONG else [3])
def test_ordinary_logs_are_not_counted_twice(seed, tmp_path):
    window, format = [60, 600][seed % 2], ["v11", "default"][seed // 2 % 2]
    folder = tmp_path / "world"
    make_costs(folder, seed=seed, conversations=100, hours=2, format=format, window=window)
    assert nameless(folder, tmp_path / "a", again=0.05).twice.minutes == {}
    lines = [path.read_text().splitlines(keepends=True) for path in sorted((folder / "logs").iterdir())]
    (tmp_path / "b").mkdir()
    for n in range(6):  # the same interfaces in several files, at the same time and at others
        (tmp_path / "b" / f"{n}.log").write_text("".join("".join([head, *own[n::6]]) for head, *own in lines))
    assert str(vf.scan(tmp_path / "b").cost(folder / "inventory", folder / "prices.json").twice) == "no"


def test_what_cannot_be_told_twice_is_said(twice):
    folder, *_ = twice
    small = vf.scan(b"interface-id srcaddr dstaddr bytes start\neni-1 10.0.0.1 10.0.0.2 100 1790000000\n")
    found = small.cost(folder / "inventory", folder / "prices.json")
    assert str(found.twice) == "cannot tell whether records are counted twice: the logs lack srcport, dstport, protocol"
    assert str(found.twice) in found.notes()
    assert "twice" not in found.conclusion()
    assert json.loads(found.to_json_lines().splitlines()[0])["counted_twice"] == str(found.twice)
