"""Fewer records of logs: rollups, samples and routes; findings stay the same, or those that would not are named."""

import collections
import json

import pytest

import vpcflow as vf
from conftest import HEADER, LONG
from vpcflow import volume
from vpcflow.cli import main
from vpcflow.errors import PlanError

pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    vf.synth(9000, seed=41, plant="beacon,brute_force,port_scan", hours=3, files=3, gzip=True, out=folder / "logs")
    return folder / "logs"


def test_the_same_verdicts_or_nothing(planted, tmp_path, capsys):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"name": "many", "by": ["srcaddr", "dstport"], "every": "10m", "having": "flows > 60"}]))
    what = f"detect,{rules}"
    assert main(["compact", str(planted), "-o", str(tmp_path / "lake"), "--prove", what]) == 0
    assert "proved:" in capsys.readouterr().err
    assert main(["rollup", str(planted), "-o", str(tmp_path / "rolled"), "--prove", "detect"]) == 0
    assert "proved:" in capsys.readouterr().err
    assert main(["rollup", str(planted), "-o", str(tmp_path / "edges"), "--every", "1h", "--no-client-ports", "--prove", "detect"]) == 1
    said = capsys.readouterr().err
    assert "lost: brute_force/" in said
    assert "nothing was written" in said
    assert main(["sample", "draw", str(planted), "-o", str(tmp_path / "tenth.csv"), "--rate", "0.1", "--prove", "detect"]) == 1
    said = capsys.readouterr().err
    assert "lost: beacon/" in said
    assert "invented: " in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "rolled", "rules.json"]


@pytest.mark.parametrize(("seed", "form"), [(1001, "v5")])
def test_held_out_plants_rolled_up(seed, form, tmp_path):
    vf.synth(21_000, seed=seed, format=form, plant="all", out=tmp_path / "logs")
    volume.rollup(vf.scan(tmp_path / "logs"), tmp_path / "rolled")
    proof = volume.prove(vf.scan(tmp_path / "logs"), vf.scan(tmp_path / "rolled"))
    assert proof.findings > 3
    assert proof.changes == []


@pytest.mark.skipif(not LONG, reason="make soak")
@pytest.mark.parametrize("seed", range(1003, 1006))
def test_held_out_offices_rolled_up(seed, tmp_path):
    vf.synth(seed=seed, world="office", hours=24, out=tmp_path / "logs")
    sources = vf.scan(tmp_path / "logs")
    volume.compact(sources, tmp_path / "lake")
    volume.rollup(sources, tmp_path / "rolled")
    for folder in ("lake", "rolled"):
        proof = volume.prove(sources, vf.scan(tmp_path / folder))
        assert proof.findings > 3
        assert proof.changes == []


def test_a_rollup_adds_up(tmp_path):
    vf.synth(1500, seed=12, format="v5", nodata_share=0.02, skipdata_share=0.02, out=tmp_path / "logs")
    whole = collections.Counter()
    first, last = {}, {}
    others = collections.Counter()
    for row in vf.scan(tmp_path / "logs").collect():
        if row["log_status"] != "OK":
            others[frozenset((k, v) for k, v in row.items() if v is not None)] += 1
            continue
        key = (*(v for k, v in row.items() if k not in ("packets", "bytes", "start", "end")), row["start"] // 300)
        whole[key, "packets"] += row["packets"]
        whole[key, "bytes"] += row["bytes"]
        first[key] = min(first.get(key, row["start"]), row["start"])
        last[key] = max(last.get(key, row["end"]), row["end"])
    volume.rollup(vf.scan(tmp_path / "logs"), tmp_path / "rolled")
    found = vf.scan(tmp_path / "rolled")
    assert sorted(found.columns) == sorted(vf.scan(tmp_path / "logs").columns)
    seen = set()
    for row in found.collect():
        if row["log_status"] != "OK":
            others[frozenset((k, v) for k, v in row.items() if v is not None)] -= 1
            continue
        key = (*(row[k] for k in vf.scan(tmp_path / "logs").columns if k not in ("packets", "bytes", "start", "end")), row["start"] // 300)
        assert key not in seen
        seen.add(key)
        assert (row["packets"], row["bytes"], row["start"], row["end"]) == (
            whole[key, "packets"], whole[key, "bytes"], first[key], last[key],
        )  # fmt: skip
    assert seen == set(first)
    assert not +others
    assert not -others
    with pytest.raises(PlanError, match="does not hold every record"):
        volume.delete_sources(tmp_path / "rolled")


def totals(flows, by):
    rows = flows.group_by(by).agg(records=vf.count(), bytes=vf.sum("bytes"), packets=vf.sum("packets")).collect()
    return {row[by]: row for row in rows}


def conversation(row):
    ends = sorted([(row["srcaddr"], row["srcport"]), (row["dstaddr"], row["dstport"])], key=str)
    return (*ends, row["protocol"])


def test_conversations_share_their_fate_and_what_is_kept_is_kept(planted, tmp_path):
    path = tmp_path / "s.csv"
    flows = vf.scan(planted)
    done = volume.sample(flows, path, rate=0.1, keep=["first-seen"], seed=4)
    rows = [row for row in vf.scan(path).collect() if row["log_status"] == "OK"]
    weights = collections.defaultdict(set)
    kept = collections.Counter(conversation(row) for row in rows if row["sampling_weight"] != "1")
    for row in rows:
        if row["sampling_weight"] != "1":
            weights[conversation(row)].add(row["sampling_weight"])
    assert all(len(some) == 1 for some in weights.values())
    pairs = {frozenset([row["srcaddr"], row["dstaddr"]]) for row in flows.filter("log_status = 'OK'").collect()}
    assert {frozenset([row["srcaddr"], row["dstaddr"]]) for row in rows} == pairs
    of_all = collections.Counter(conversation(row) for row in flows.filter("log_status = 'OK'").collect())
    assert all(of_all[one] - n <= 1 for one, n in kept.items())  # but for the first of its pair
    volume.sample(flows, tmp_path / "again.csv", rate=0.1, keep=["first-seen"], seed=4)
    assert path.read_bytes() == (tmp_path / "again.csv").read_bytes()
    volume.sample(flows, tmp_path / "other.csv", rate=0.1, seed=5, keep=["rejects"])
    other = vf.scan(tmp_path / "other.csv")
    assert other.filter("action = 'REJECT'").count() == flows.filter("action = 'REJECT'").count()
    assert other.filter("log_status != 'OK'").count() == flows.filter("log_status != 'OK'").count()
    assert done.kept < done.records


def share_within(flows, path, seeds):
    true, inside, told = totals(flows.filter("log_status = 'OK'"), "action"), collections.Counter(), collections.Counter()
    for seed in seeds:
        volume.sample(flows, path, rate=0.1, seed=seed)
        for row in volume.estimate(vf.scan(path).filter("log_status = 'OK'"), ["action"]):
            for name in ("records", "bytes", "packets"):
                told[name] += 1
                inside[name] += row[f"{name}_low"] <= true[row["action"]][name] <= row[f"{name}_high"]
    return {name: inside[name] / n for name, n in told.items()}


def test_totals_lie_within_their_interval(tmp_path):
    flows = vf.scan(vf.synth(8000, seed=9, reject_share=0.4).data)
    assert min(share_within(flows, tmp_path / "s.csv", range(5)).values()) >= 0.8


@pytest.mark.skipif(not LONG, reason="make soak")
def test_totals_lie_within_their_interval_in_95_of_100_samples(tmp_path):
    flows = vf.scan(vf.synth(20_000, seed=9).data)
    shares = share_within(flows, tmp_path / "s.csv", range(1000))
    assert min(shares.values()) >= 0.95 - 0.014, shares  # two standard errors of 1,000 seeds


def test_samples_need_what_they_need(planted, tmp_path):
    flows = vf.scan(planted)
    for ending in ("csv", "jsonl"):
        volume.sample(flows, tmp_path / f"s.{ending}", rate=0.5)
        with pytest.raises(PlanError, match="these logs are a sample"):
            vf.detect(vf.scan(tmp_path / f"s.{ending}"))
        (tmp_path / f"s.{ending}").unlink()
    for wrong in ({"rate": 0}, {"rate": 1.5}, {"rate": 0.1, "keep": ["reject"]}):
        with pytest.raises(PlanError):
            volume.sample(flows, tmp_path / "s.csv", **wrong)
    with pytest.raises(PlanError, match="csv"):
        volume.sample(flows, tmp_path / "s.parquet", rate=0.1)
    with pytest.raises(PlanError, match="two passes"):
        volume.sample(vf.scan(iter([HEADER])), tmp_path / "s.csv", rate=0.1)
    with pytest.raises(PlanError, match="sampling_weight"):
        volume.estimate(flows)
    assert list(tmp_path.iterdir()) == []


ROUTES = [
    {"name": "refused", "where": "action = 'REJECT'", "do": "keep"},
    {"name": "web", "where": "dstport = 443 or srcport = 443", "do": "summarise", "every": "10m"},
    {"name": "small", "where": "bytes < 500", "do": "drop"},
]


def test_the_first_route_that_a_record_passes_takes_it(planted, tmp_path):
    from vpcflow.volume.routing import routes_of, text_bytes

    flows = vf.scan(planted)
    done = volume.route(flows, tmp_path / "routed", routes_of(ROUTES))
    refused, web, small, rest = done.parts
    is_refused, is_web = "action = 'REJECT'", "(action = 'ACCEPT' and (dstport = 443 or srcport = 443))"
    assert refused.kept == refused.records == flows.filter(is_refused).count()
    assert web.records == flows.filter(is_web).count() > web.kept
    assert small.records == flows.filter(f"action = 'ACCEPT' and not {is_web} and bytes < 500").count()
    assert (small.kept, rest.kept) == (0, rest.records)
    assert done.total("records") == 9000
    left = vf.scan(done.folder)
    assert left.filter("log_status != 'OK'").count() == flows.filter("log_status != 'OK'").count()
    total = [one.filter(is_web).agg(b=vf.sum("bytes")).collect()["b"] for one in (flows, left)]
    assert total[0] == total[1]
    lines = vf.scan(next(planted.glob("*.gz")))
    from vpcflow.enable.costs import measured_cost
    from vpcflow.volume.hours import stored

    cost = measured_cost(lines, [name.replace("_", "-") for name in lines.columns])
    assert text_bytes(stored(lines.collect())) == cost.bytes


def test_a_null_field_is_no_reason_to_drop(tmp_path):
    from vpcflow.volume.routing import routes_of

    log = b"srcaddr dstport bytes start\n10.0.0.1 - 1 100\n10.0.0.2 22 1 100\n- - - -\n"
    done = volume.route(vf.scan(log), tmp_path / "a", routes_of([{"name": "a", "where": "not dstport = 443", "do": "drop"}]))
    assert [part.records for part in done.parts] == [1, 2]
    done = volume.route(vf.scan(log), tmp_path / "b", routes_of([{"name": "a", "where": "bytes = 1", "do": "summarise"}]))
    assert [(part.records, part.kept) for part in done.parts] == [(2, 2), (1, 1)]


def test_routes_say_what_they_save_and_blind(planted, tmp_path, capsys, monkeypatch):
    from vpcflow.volume import routing

    if not LONG:
        for name in ("accept_only", "no_inside", "rollup_1h"):
            monkeypatch.delitem(routing.USUAL, name)
    assert main(["route", str(planted), "--json"]) == 0
    rows = {row["plan"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    compact, rejects = rows["compact"], rows["reject_only"]
    assert (compact["kept"], compact["saving"], compact["blinds"], compact["findings_lost"]) == (9000, 0, None, 0)
    assert rows["rollup_5m"]["findings_changed"] == rows["rollup_5m"]["findings_lost"] == 0
    assert rejects["findings_lost"] > 0
    assert {"beacon", "brute_force", "exfiltration"} <= set(rejects["blinds"].split(", "))
    assert 0 < rejects["saving"] < rejects["cost"]
    assert rejects["saving"] / rejects["cost"] == pytest.approx(1 - rejects["kept_text_bytes"] / rejects["text_bytes"], abs=0.01)
    file = tmp_path / "routes.json"
    for wrong, words in (
        ([{"name": "a", "where": "dstprot = 22"}], "did you mean 'dstport'"), ([{"name": "a"}], "where: None"), ({}, "expected a list"),
        ([{"name": "a", "where": "dstport = 1", "do": "drp"}], "did you mean 'drop'"), ([{"name": "rest", "where": "bytes = 1"}], "is taken"),
        ([{"name": "a", "where": "bytes = 1", "evry": "5m"}], "did you mean 'every'"),
    ):  # fmt: skip
        file.write_text(json.dumps(wrong))
        assert main(["route", str(planted), "--routes", str(file)]) == 2
        assert words in capsys.readouterr().err
    file.write_text(json.dumps([{"name": "a", "where": "action = 'ACCEPT'"}]))
    assert main(["route", str(planted), "--routes", str(file), "-o", str(tmp_path / "out"), "--prove", "detect"]) == 1
    assert "lost: beacon/" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_lines_that_are_left_out_are_said(tmp_path, capsys):
    (tmp_path / "a.log").write_bytes(b"srcaddr bytes start\n10.0.0.1 1 60\n10.0.0.1 x 60\n")
    (tmp_path / "routes.json").write_text(json.dumps([{"name": "a", "where": "bytes > 9"}]))
    for args in (["rollup"], ["route", "--routes", str(tmp_path / "routes.json")]):
        out = str(tmp_path / args[0])
        assert main([args[0], str(tmp_path / "a.log"), "-o", out, "--max-rejects", "0", *args[1:]]) == 3
        assert "1 line rejected, and left out" in capsys.readouterr().err
