"""top_k with counters: groups in bounded memory, whose totals are bounded from both sides."""

import collections
import pickle
import random

import pytest

import vpcflow as vf

HEADER = "srcaddr dstaddr bytes"


def log_of(seed: int, sources: int, peers: int, records: int, v6: bool = False) -> tuple[str, dict]:
    """Records with a few heavy peers of each source among many light ones, and the exact totals."""
    draw = random.Random(seed)
    lines, totals = [HEADER], {}
    for _ in range(records):
        source = f"10.0.0.{draw.randrange(sources)}"
        heavy = draw.random() < 0.5
        peer = draw.randrange(5) if heavy else 5 + draw.randrange(peers)
        name = f"2001:db8::{peer + 1:x}" if v6 else f"172.{16 + peer // 65536}.{peer // 256 % 256}.{peer % 256}"
        weight = draw.randrange(500, 1500) if heavy else draw.randrange(1, 100)
        lines.append(f"{source} {name} {weight}")
        totals[source, name] = totals.get((source, name), 0) + weight
    return "\n".join(lines) + "\n", totals


def question(flows: vf.Flows, counters: int = 50, n: int = 5) -> vf.Flows:
    return flows.group_by("srcaddr", "dstaddr").agg(bytes=vf.sum("bytes")).top_k(
        n, by="bytes", per="srcaddr", counters=counters
    )


def check(result: vf.Result, totals: dict, sources: int, n: int = 5) -> None:
    rows = result.rows()
    assert len(rows) == sources * n
    for row in rows:
        exact = totals[row["srcaddr"], row["dstaddr"]]
        assert row["bytes"] <= exact <= row["bytes"] + row["bytes_error"]
    for source in {row["srcaddr"] for row in rows}:
        own = [row for row in rows if row["srcaddr"] == source]
        shown, bound = {row["dstaddr"] for row in own}, own[0]["bytes_error"]
        least = min(row["bytes"] for row in own)
        for (src, peer), exact in totals.items():
            if src == source and peer not in shown:  # nothing that is left out can be much heavier
                assert exact <= least + bound


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_totals_are_bounded_and_the_heavy_are_there(v6: bool, threads: int) -> None:
    text, totals = log_of(1, sources=20, peers=3000, records=60_000, v6=v6)
    flows = vf.scan(text.encode(), threads=threads)
    result = question(flows).collect()
    assert result.columns == ["srcaddr", "dstaddr", "bytes", "bytes_error"]
    check(result, totals, 20)
    assert max(result["bytes_error"]) > 0  # it did drop something
    heaviest = {(s, p) for (s, p), b in totals.items() if b > 100_000}
    assert heaviest <= set(zip(result["srcaddr"], result["dstaddr"]))


def test_few_groups_are_exact() -> None:
    text, _ = log_of(2, sources=3, peers=100, records=3000)
    flows = vf.scan(text.encode())
    bounded, exact = question(flows).collect(), flows.group_by("srcaddr", "dstaddr").agg(bytes=vf.sum("bytes"))
    assert set(bounded["bytes_error"]) == {0}
    exact = exact.top_k(5, by="bytes", per="srcaddr").collect()
    for name in exact.columns:
        assert list(bounded[name]) == list(exact[name])


def test_groups_stay_few() -> None:
    text, _ = log_of(3, sources=2, peers=60_000, records=100_000)
    aggregation = vf.Aggregation.of(question(vf.scan(HEADER.encode() + b"\n")))
    aggregation.update(text.encode())
    assert len(aggregation) <= 4096
    exact = vf.Aggregation.of(vf.scan(HEADER.encode() + b"\n").group_by("srcaddr", "dstaddr").agg(bytes=vf.sum("bytes")))
    exact.update(text.encode())
    assert len(exact) > 40_000


def test_parts_merged_in_any_order_keep_the_bounds() -> None:
    parts, totals = [], {}
    for seed in range(6):
        text, own = log_of(10 + seed, sources=10, peers=2000, records=15_000)
        aggregation = vf.Aggregation.of(question(vf.scan(HEADER.encode() + b"\n")))
        aggregation.update(text.encode())
        parts.append(aggregation)
        for pair, weight in own.items():
            totals[pair] = totals.get(pair, 0) + weight
    draw = random.Random(4)
    for _ in range(5):
        order = [pickle.loads(pickle.dumps(p)) for p in parts]
        while len(order) > 1:
            draw.shuffle(order)
            order[0].merge(vf.Aggregation.from_bytes(order.pop().to_bytes()))
        check(order[0].collect(), totals, 10)


def test_without_per() -> None:
    text, _ = log_of(5, sources=50, peers=4000, records=80_000)
    result = (
        vf.scan(text.encode()).group_by("srcaddr", "dstaddr").agg(n=vf.count()).top_k(7, by="n", counters=500).collect()
    )
    assert len(result) == 7
    assert list(result["n"]) == sorted(result["n"], reverse=True)
    assert len(set(result["n_error"])) == 1


def test_what_does_not_go_together_is_said() -> None:
    flows = vf.scan(HEADER.encode() + b"\n").group_by("srcaddr", "dstaddr")
    with pytest.raises(vf.PlanError, match="one aggregate"):
        flows.agg(n=vf.count(), b=vf.sum("bytes")).top_k(5, by="n", counters=10).explain()
    with pytest.raises(vf.PlanError, match="one aggregate"):
        flows.agg(n=vf.mean("bytes")).top_k(5, by="n", counters=10).explain()
    with pytest.raises(vf.PlanError, match="nor other"):
        flows.agg(n=vf.count()).top_k(5, by="n", counters=10, other=True).explain()
    for counters in (4, 0):
        with pytest.raises(vf.PlanError, match="at least n"):
            flows.agg(n=vf.count()).top_k(5, by="n", counters=counters).explain()
    assert "within 10 counters" in flows.agg(n=vf.count()).top_k(5, by="n", counters=10).explain()
    a = vf.Aggregation.of(flows.agg(n=vf.count()).top_k(5, by="n", counters=10))
    b = vf.Aggregation.of(flows.agg(n=vf.count()).top_k(5, by="n", counters=20))
    with pytest.raises(vf.PlanError, match="different plans"):
        a.merge(b)


@pytest.mark.parametrize("per", ["time", "srcaddr", ["time", "action"], ["dstport", "time"]])
@pytest.mark.parametrize("by", ["bytes", "records", "longest", "ports"])
def test_the_largest_of_each_are_those_of_all_groups(per, by):
    """With ties, missing values and records without a time, whatever is ranked by."""
    draw = random.Random(f"{per}{by}")
    lines = [
        f"10.0.0.{draw.randrange(6)} {draw.choice(['-', *map(str, range(9))])} {draw.choice(['ACCEPT', 'REJECT', '-'])} "
        f"{draw.choice(['-', '40', str(draw.randrange(300))])} {draw.choice(['-', str(60 * draw.randrange(30))])}\n"
        for _ in range(3000)
    ]
    log = "".join(["srcaddr dstport action bytes start\n", *lines]).encode()
    names = [per] if isinstance(per, str) else per
    query = vf.scan(log).group_by("srcaddr", "dstport", "action", every="10m", bin_by="start")
    query = query.agg(bytes=vf.sum("bytes"), records=vf.count(), longest=vf.max("bytes"), ports=vf.n_unique("dstport"))
    whole = query.collect().rows()
    rank = lambda row: (row[by] is None, -(row[by] or 0))  # noqa: E731
    for n in (1, 3, 50):
        taken, wanted = collections.Counter(), []
        for row in sorted(whole, key=rank):  # which are in the order of their keys
            part = tuple(row[name] for name in names)
            if taken[part] < n:
                wanted.append(row)
            taken[part] += 1
        found = query.top_k(n, by=by, per=per).collect().rows()
        assert sorted(map(str, found)) == sorted(map(str, wanted))
