"""Sessions: against the obvious way, and against conversations whose truth is known."""

import itertools
import json
import random

import pytest

import vpcflow as vf

FULL = "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction pkt-srcaddr pkt-dstaddr interface-type"
PLANTS = ("nat_sessions", "balanced_sessions", "two_sided_sessions")


def planted(tmp_path, plant, window, fmt):
    vf.synth(20_000, out=tmp_path, seed=17, plant=plant, window=window, format=fmt, noise_sources=500, peers=2000, hours=4)
    labels = json.loads((tmp_path / "labels.json").read_text())
    return next(label for label in labels if label["kind"] == plant)["conversations"]


def key(row):
    return row["client"], row["client_port"], row["server"], row["server_port"]


@pytest.mark.parametrize("window", [60, 600])
@pytest.mark.parametrize("plant", PLANTS)
def test_planted_conversations(tmp_path, plant, window):
    """Bytes counted once, from whichever vantage point, the right one for the client, and each one session."""
    truth = planted(tmp_path, plant, window, FULL)
    assert len(truth) == 40
    logs = str(tmp_path / "**" / "*.log*")
    for vantage in ("most", "client", "server"):
        sessions = vf.scan(logs).sessions(idle=window * 3, vantage=vantage).collect().rows()
        counted = {}
        for row in sessions:
            if row["counted"]:
                counted.setdefault(key(row), []).append(row)
        for talk in truth:
            found = counted[key(talk)]
            assert sum(row["client_bytes"] for row in found) == talk["client_bytes"]
            assert sum(row["server_bytes"] for row in found) == talk["server_bytes"]
            assert len(found) == 1
            assert found[0]["state"] == "established"
            assert found[0]["decided_by"] == "syn"
    if plant != "two_sided_sessions":  # the second legs are there, and marked
        middle = {talk["server"] for talk in truth} if plant == "balanced_sessions" else None
        second = [row for row in sessions if not row["counted"]]
        assert len(second) >= 40
        if middle:
            assert middle <= {row["client"] for row in second}
    everything = vf.scan(logs).sessions(idle=window * 3, vantage="all").collect().rows()
    seen = {key(row): row for row in everything}
    if plant == "two_sided_sessions":
        assert all(seen[key(t)]["client_bytes"] == 2 * t["client_bytes"] for t in truth)


def test_the_share_of_right_orientation_by_what_the_format_has(tmp_path):
    """With fewer fields the roles are found by less; the shares are printed with -s."""
    shares = {}
    fields = FULL.split()
    for name, without in {
        "full": (),
        "without tcp-flags": ("tcp-flags",),
        "without tcp-flags and flow-direction": ("tcp-flags", "flow-direction"),
    }.items():
        folder = tmp_path / name.replace(" ", "-")
        truth = planted(folder, "two_sided_sessions", 60, " ".join(f for f in fields if f not in without))
        rows = vf.scan(str(folder / "**" / "*.log*")).sessions(idle="5m").collect().rows()
        found = {key(row) for row in rows}
        shares[name] = sum(key(talk) in found for talk in truth) / len(truth)
    print(shares)
    assert shares["full"] == 1.0
    assert min(shares.values()) >= 0.95


def test_intermediaries_of_logs_that_do_not_tell(tmp_path):
    truth = planted(tmp_path, "balanced_sessions", 60, "default")
    logs = str(tmp_path / "**" / "*.log*")
    balancer = truth[0]["server"]
    plain = vf.scan(logs).sessions().collect()
    assert all(plain["counted"])
    told = vf.scan(logs).sessions(intermediaries=[balancer]).collect()
    assert {row["client"] for row in told if not row["counted"]} == {balancer}


def slow(records, idle):
    """The obvious way: sort by key and time, cut at gaps; the roles by flags only."""
    runs = []
    by_key = {}
    for r in records:
        a, b = (r["srcaddr"], r["srcport"]), (r["dstaddr"], r["dstport"])
        by_key.setdefault((*sorted([a, b], key=str), r["protocol"]), []).append(r)
    for ends, mine in by_key.items():
        mine.sort(key=lambda r: r["start"])
        run, last = [], None
        for r in mine:
            if run and r["start"] > last + idle:
                runs.append((ends, run))
                run, last = [], None
            run.append(r)
            last = max(r["end"], r["start"]) if last is None else max(last, r["end"], r["start"])
        runs.append((ends, run))
    out = []
    for ends, run in runs:
        views = {}
        for r in run:
            view = views.setdefault(((r["srcaddr"], r["srcport"]), r["interface_id"], r["flow_direction"]), [0, 0])
            view[0] += r["bytes"]
            view[1] += r["packets"]
        most = [max((v[0] for (end, *_), v in views.items() if end == e), default=0) for e in ends[:2]]
        out.append((min(r["start"] for r in run), max(max(r["end"], r["start"]) for r in run), len(run), sorted(most)))
    return sorted(out)


@pytest.mark.parametrize("idle", [60, 600])
def test_against_the_obvious_way(idle):
    data = vf.synth(6_000, seed=3, format=FULL, noise_sources=300, peers=300, hours=2).data
    records = [r for r in vf.scan(data).collect() if r["log_status"] == "OK"]
    rows = vf.scan(data).sessions(idle=idle).collect().rows()
    got = sorted((r["start"], r["end"], r["records"], sorted([r["client_bytes"], r["server_bytes"]])) for r in rows)
    assert got == slow(records, idle)
    assert all(r["duration"] == r["end"] - r["start"] for r in rows)


def test_order_splits_and_threads_do_not_show():
    data = vf.synth(8_000, seed=5, format=FULL, noise_sources=300, peers=300, hours=2).data
    header, *lines = data.splitlines(keepends=True)
    wanted = vf.scan(data).sessions(idle="2m").collect()._table.to_json_lines()
    dice = random.Random(1)
    for threads in (1, 2, 4):
        dice.shuffle(lines)
        parts = [header + b"".join(lines[i::7]) for i in range(7)]
        assert vf.scan(parts, threads=threads).sessions(idle="2m").collect()._table.to_json_lines() == wanted


def talk(*records):
    """Sessions of records: (src, srcport, dst, dstport, start, action, flags, direction)."""
    log = "srcaddr srcport dstaddr dstport protocol start end packets bytes action tcp-flags flow-direction\n"
    for src, sport, dst, dport, start, action, flags, direction in records:
        log += f"{src} {sport} {dst} {dport} 6 {start} {start + 10} 1 40 {action} {flags} {direction}\n"
    return vf.scan(log.encode()).sessions(idle=60).collect().rows()


A, B = ("10.0.0.1", 15000), ("10.0.0.2", 16000)


@pytest.mark.parametrize(
    ("records", "client", "state", "decided"),
    [
        ([(*A, *B, 100, "ACCEPT", 2, "-"), (*B, *A, 100, "ACCEPT", 18, "-")], A, "established", "syn"),
        ([(*B, *A, 90, "ACCEPT", 18, "-"), (*A, *B, 100, "ACCEPT", 0, "-")], A, "established", "syn"),
        ([(*B, *A, 100, "ACCEPT", 3, "-")], B, "unanswered", "syn"),
        ([(*A, *B, 100, "REJECT", 2, "-")], A, "rejected", "syn"),
        ([(*A, *B, 100, "ACCEPT", 2, "-"), (*B, *A, 100, "REJECT", 18, "-")], A, "half", "syn"),
        ([(*A, *B, 100, "ACCEPT", 2, "-"), (*B, *A, 100, "ACCEPT", 4, "-")], A, "reset", "syn"),
        ([(*B, *A, 100, "ACCEPT", 0, "ingress"), (*A, *B, 101, "ACCEPT", 0, "egress")], B, "established", "flow-direction"),
        ([(*A, *B, 100, "ACCEPT", 0, "-"), (*B, *A, 101, "ACCEPT", 0, "-")], A, "established", "first-seen"),
        ([("10.0.0.1", 443, *B, 100, "ACCEPT", 0, "-")], B, "one-way", "service-port"),
        ([("10.0.0.1", 40000, "10.0.0.2", 9, 100, "ACCEPT", 0, "-")], ("10.0.0.1", 40000), "unanswered", "service-port"),
        ([(*A, *B, 100, "ACCEPT", 0, "-"), (*B, *A, 100, "ACCEPT", 0, "-")], A, "established", "none"),
        # Flags of many connections OR-ed together on both sides tell nothing.
        ([(*A, *B, 100, "ACCEPT", 19, "-"), (*B, *A, 101, "ACCEPT", 19, "-")], A, "established", "first-seen"),
    ],
)
def test_roles_and_states(records, client, state, decided):
    (row,) = talk(*records)
    assert (row["client"], row["client_port"]) == client
    assert (row["state"], row["decided_by"]) == (state, decided)


def test_gaps_and_stitching():
    minute = [(*A, *B, 60 * i, "ACCEPT", 0, "-") for i in range(10)]
    assert [(r["start"], r["end"], r["records"]) for r in talk(*minute)] == [(0, 550, 10)]
    torn = minute[:4] + minute[7:]
    assert [(r["start"], r["end"], r["records"]) for r in talk(*reversed(torn))] == [(0, 190, 4), (420, 550, 3)]


def test_mistakes():
    flows = vf.scan(b"srcaddr bytes\n10.0.0.1 3\n")
    with pytest.raises(vf.FieldError, match="dstaddr, start, end are in none"):
        flows.sessions().collect()
    with pytest.raises(vf.PlanError, match="vantage"):
        flows.sessions(vantage="best").collect()
    with pytest.raises(vf.PlanError, match="no address"):
        flows.sessions(intermediaries=["x"]).collect()
    with pytest.raises(vf.PlanError, match="idle"):
        flows.sessions(idle="soon")
    with pytest.raises(vf.PlanError, match="comes before"):
        flows.group_by("srcaddr").agg().sessions()
    with pytest.raises(vf.PlanError, match="top_k needs"):
        flows.sessions().top_k(3, by="bytes")
    with pytest.raises(vf.OutOfMemoryError):
        vf.scan(vf.synth(50_000).data, max_memory="1MB").sessions().collect()
    done = vf.scan(vf.synth(1000).data).filter("dstport = 443 or srcport = 443").sessions().sort("server_bytes", descending=True).collect()
    assert done["server_bytes"] == sorted(done["server_bytes"], reverse=True)
    assert vf.scan(vf.synth(1000).data).sessions().columns == done.columns


def test_records_without_interface_do_not_hide_the_others():
    """Of `vantage="all"`: whichever record comes first (found by fuzzing saved states)."""
    header = b"interface-id srcaddr dstaddr srcport dstport protocol bytes start end\n"
    lines = [b"%s 10.0.0.1 10.0.0.2 40000 443 6 10 0 60\n" % name for name in (b"eni-2", b"-", b"eni-1")]
    for order in itertools.permutations(lines):
        (row,) = vf.scan(header + b"".join(order)).sessions(vantage="all").collect()
        assert (row["interface"], row["client_bytes"], row["interfaces"]) == ("eni-1", 30, 2)
