"""Aggregations: the laws that every aggregate obeys, saved states, and the bytes of attackers (T18)."""

import concurrent.futures
import math
import multiprocessing
import pickle
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vpcflow as vf
from conftest import LONG
from vpcflow import _core

GOLDEN = Path(__file__).parent / "golden"

# An example of each aggregate. A new one in the engine must be put here, or test_the_registry_is_whole fails.
EXAMPLES = {
    "count": vf.count(),
    "sum": vf.sum("bytes"),
    "min": vf.min("start"),
    "max": vf.max("packets"),
    "mean": vf.mean("bytes"),
    "n_unique": vf.n_unique("dstaddr"),
    "first": vf.first("interface_id"),
    "last": vf.last("dstaddr"),
    "rate": vf.rate("bytes"),
    "approx_n_unique": vf.approx_n_unique("dstaddr"),
    "quantile": vf.quantile("bytes", 0.9),
    "approx_quantile": vf.approx_quantile("bytes", 0.9),
}
MORE = {
    "unique_texts": vf.n_unique("interface_id"),
    "unique_numbers": vf.n_unique("bytes"),
    "approx_texts": vf.approx_n_unique("interface_id"),
    "approx_numbers": vf.approx_n_unique("bytes"),
    "rejected": vf.count(where="action = 'REJECT'"),
    "web": vf.sum("bytes", where="dstport in (80, 443)"),
    "last_rejected": vf.last("srcaddr", where="action = 'REJECT'"),
}
DATA = vf.synth(4_000, seed=6, ipv6_share=0.2, nodata_share=0.05, interfaces=20, peers=300, noise_sources=100).data
HEADER, *LINES = DATA.splitlines(keepends=True)
QUESTIONS = {name: {"by": ["action"], name: agg} for name, agg in {**EXAMPLES, **MORE}.items()}
QUESTIONS["everything"] = {"by": ["srcaddr", "protocol"], "every": "10m", **EXAMPLES, **MORE}
QUESTIONS["no keys"] = {**EXAMPLES}
QUESTIONS["windows"] = {"by": ["action"], "every": "1m", "bytes": vf.sum("bytes")}


SESSIONS = {"idle": "2m"}
QUESTIONS["sessions"] = "sessions"


def make(question):
    """An empty aggregation."""
    if question == "sessions":
        return vf.Aggregation.of(vf.scan(b"").sessions(**SESSIONS))
    if question == "bounded":  # not among QUESTIONS: the bounds hold in any order (test_bounded_top.py), the bytes do not
        flows = vf.scan(b"").group_by("srcaddr", "dstaddr").agg(n=vf.count())
        return vf.Aggregation.of(flows.top_k(2, by="n", per="srcaddr", counters=3))
    return vf.Aggregation(**question)


def part(question, lines, place=0):
    """An aggregation of some lines; `place`: of the first among all."""
    return make(question).update(HEADER + b"".join(lines), first_source=place, threads=1)


def test_the_registry_is_whole():
    assert set(EXAMPLES) == {name for name, _, _ in _core.aggregates()}


@pytest.mark.parametrize("name", QUESTIONS)
def test_any_split_and_any_tree_give_the_bytes_of_one_pass(name):
    """1,000 splits and merge trees (of each question with VPCFLOW_LONG, else of all together); each part in a source of
    its own, numbered by its place."""
    question = QUESTIONS[name]
    dice = random.Random(name)
    lines = dice.sample(LINES, 400)
    lines_of = [(i, line) for i, line in enumerate(lines)]
    whole = make(question)
    singles = []
    for i, line in lines_of:
        singles.append(part(question, [line], i))
    for one in singles:
        whole.merge(one)
    wanted = whole.to_bytes()
    # One pass over as many sources, by four threads.
    assert make(question).update([HEADER + line for line in lines], threads=4).to_bytes() == wanted
    for _ in range(1000 if LONG else 1000 // len(QUESTIONS) + 1):
        states = singles[:]
        dice.shuffle(states)
        cuts = sorted(dice.sample(range(1, len(states)), dice.randint(1, 30)))
        parts = [states[a:b] for a, b in zip([0, *cuts], [*cuts, len(states)])]
        merged = [sum(some) for some in parts]
        if dice.random() < 0.3:
            merged = [vf.Aggregation.from_bytes(one.to_bytes()) for one in merged]
        while len(merged) > 1:
            a = merged.pop(dice.randrange(len(merged)))
            b = merged.pop(dice.randrange(len(merged)))
            merged.append(a + b if dice.random() < 0.5 else b.merge(a))
        assert merged[0].to_bytes() == wanted
    assert whole.collect().rows() == vf.Aggregation.from_bytes(wanted).collect().rows()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**63 - 1), st.sampled_from("ab-")), max_size=40),
    st.data(),
)
@settings(max_examples=1000)
def test_merging_is_a_commutative_monoid(records, data):
    question = {"by": "dstport", "b": vf.sum("bytes"), "m": vf.min("bytes"), "n": vf.n_unique("action"),
                "q": vf.approx_quantile("bytes", 0.5), "a": vf.approx_n_unique("bytes")}  # fmt: skip
    header = b"dstport bytes action\n"
    texts = [f"{p} {b} {a}\n".encode() for p, b, a in records]
    cut = data.draw(st.integers(0, len(texts)))
    one, two = (
        vf.Aggregation(**question).update(header + b"".join(t), allow_empty=True) for t in (texts[:cut], texts[cut:])
    )
    empty = vf.Aggregation(**question)
    both = one + two
    assert both == two + one == vf.Aggregation(**question).update(header + b"".join(texts), allow_empty=True)
    assert one + empty == one == empty + one
    assert sum([one, two, empty]) == both


def test_sessions_say_what_a_query_says():
    wanted = vf.scan(DATA).sessions(**SESSIONS).collect()
    got = make("sessions").update(DATA)
    assert got.collect().rows() == wanted.rows()
    assert got.report.as_dict() == wanted.report.as_dict()


def test_sessions_of_a_stream_in_bounded_memory():
    """Taken out when they are over, a sorted log gives the sessions of one pass, and never holds all of them."""
    wanted = vf.scan(DATA).sessions(**SESSIONS).collect().rows()
    lines = sorted((line for line in LINES if b" OK" in line), key=lambda line: int(line.split()[10]))
    state, taken_out, most = make("sessions"), [], 0
    for at in range(0, len(lines), 100):
        some = lines[at : at + 100]
        taken_out += state.take_idle(int(some[0].split()[10])).rows()
        state.update(HEADER + b"".join(some))
        most = max(most, len(state))
    taken_out += state.collect().rows()
    assert sorted(taken_out, key=str) == sorted(wanted, key=str)
    assert most < len(wanted) / 3
    with pytest.raises(vf.PlanError, match="only sessions end"):
        vf.Aggregation(by="srcaddr").take_idle(0)


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "sessions"])
def test_it_says_what_a_query_says(name):
    question = dict(QUESTIONS[name])
    by, every = question.pop("by", []), question.pop("every", None)
    wanted = vf.scan(DATA).group_by(*by, every=every).agg(**question).collect()
    got = vf.Aggregation(**QUESTIONS[name]).update(DATA)
    assert got.collect().rows() == wanted.rows()
    assert got.report.as_dict() == wanted.report.as_dict()
    of = vf.Aggregation.of(vf.scan(DATA).group_by(*by, every=every).agg(**question))
    assert of.update(vf.scan(DATA)).collect().rows() == wanted.rows()


def test_approximate_is_near_exact():
    """Against exact answers over the same groups; the promises of the headers."""
    flows = vf.scan(vf.synth(60_000, seed=8, noise_sources=40_000, reject_share=0.8).data)
    shares = (0.01, 0.25, 0.5, 0.9, 0.99, 1.0)
    names = {f"q{i}": vf.quantile("bytes", q) for i, q in enumerate(shares)}
    names |= {f"a{i}": vf.approx_quantile("bytes", q) for i, q in enumerate(shares)}
    names |= {"n": vf.n_unique("srcaddr"), "approx": vf.approx_n_unique("srcaddr")}
    rows = flows.group_by("protocol").agg(**names).collect().rows()
    assert max(row["n"] for row in rows) > 5000
    for row in rows:
        for i in range(len(shares)):
            assert abs(row[f"a{i}"] - row[f"q{i}"]) <= row[f"q{i}"] / 256
        assert abs(row["approx"] - row["n"]) <= (0 if row["n"] <= 256 else 5 * 0.0163 * row["n"])


def slow_quantile(values, q):
    values = sorted(values)
    return values[max(1, math.ceil(q * len(values))) - 1] if values else None


def test_filters_inside_and_exact_quantiles_the_obvious_way():
    records = [row for row in vf.scan(DATA).collect() if row["log_status"] == "OK"]
    q = {
        "rejected": vf.count(where=vf.col("action") == "REJECT"),
        "web": vf.sum("bytes", where="dstport = 443"),
        "q": vf.quantile("bytes", 0.3, where="dstport < 1024"),
        "share": vf.ratio("rejected", "n"),
        "n": vf.count(),
        "less": vf.difference("n", "rejected"),
    }
    for row in vf.scan(DATA).group_by("protocol").agg(**q).collect():
        mine = [r for r in records if r["protocol"] == row["protocol"]]
        rejected = [r for r in mine if r["action"] == "REJECT"]
        assert row["rejected"] == len(rejected)
        assert row["web"] == sum(r["bytes"] for r in mine if r["dstport"] == 443)
        assert row["q"] == slow_quantile([r["bytes"] for r in mine if r["dstport"] < 1024], 0.3)
        assert row["share"] == len(rejected) / len(mine)
        assert row["less"] == len(mine) - len(rejected)


def test_windows_the_obvious_way():
    records = [row for row in vf.scan(DATA).collect() if row["log_status"] == "OK"]
    flows = vf.scan(DATA)
    sliding = flows.group_by("protocol", every="5m", window="15m", bin_by="start").agg(b=vf.sum("bytes"), n=vf.count())
    wanted = {}
    for r in records:
        for back in range(3):
            key = (r["start"] // 300 * 300 - 300 * back, r["protocol"])
            wanted.setdefault(key, []).append(r["bytes"])
    got = {(row["time"], row["protocol"]): (row["b"], row["n"]) for row in sliding.collect()}
    assert got == {key: (sum(values), len(values)) for key, values in wanted.items()}

    gap = flows.group_by("srcaddr", every="1m", gap="5m", bin_by="start").agg(n=vf.count(), last=vf.max("start"))
    runs = {}
    for r in sorted(records, key=lambda r: r["start"]):
        mine = runs.setdefault(r["srcaddr"], [])
        minute = r["start"] // 60 * 60
        if not mine or minute - mine[-1][1] > 300:
            mine.append([minute, minute, 0, 0])
        mine[-1][1:] = [minute, mine[-1][2] + 1, r["start"]]
    wanted = sorted((run[0], address, run[2], run[3]) for address, all_runs in runs.items() for run in all_runs)
    assert sorted((r["time"], r["srcaddr"], r["n"], r["last"]) for r in gap.collect()) == wanted
    for wrong in ({"window": "7m"}, {"gap": "90s"}, {"window": "10m", "gap": "10m"}):
        with pytest.raises(vf.PlanError, match="window"):
            flows.group_by("srcaddr", every="2m", **wrong).agg().collect()


def test_top_per_key_and_having_the_obvious_way():
    flows = vf.scan(DATA)
    pairs = flows.group_by("srcaddr", "dstaddr").agg(bytes=vf.sum("bytes"), n=vf.count())
    rows = pairs.collect().rows()
    wanted = []
    for source in sorted({r["srcaddr"] for r in rows}):
        mine = sorted((r for r in rows if r["srcaddr"] == source and r["n"] >= 2), key=lambda r: (-r["bytes"], r["dstaddr"]))
        wanted += mine[:3]
    assert pairs.having("n >= 2").top_k(3, by="bytes", per="srcaddr").collect().rows() == wanted
    best = sorted((r for r in rows if r["n"] > 1), key=lambda r: (-r["n"], r["srcaddr"], r["dstaddr"]))[:5]
    assert pairs.having("n > 1").top_k(5, by="n").collect().rows() == best
    for wrong in ("n", "n ~ 3", "n > x", "bytez > 3", "srcaddr > 3"):
        with pytest.raises(vf.PlanError, match="having"):
            pairs.having(wrong).collect()
    with pytest.raises(vf.PlanError, match="per"):
        pairs.top_k(3, by="n", per="dstport").collect()


def test_diff():
    def talkers(lines):
        return vf.scan(HEADER + b"".join(lines)).group_by("srcaddr", "dstaddr").agg(b=vf.sum("bytes")).collect()

    before, today = talkers(LINES[:2500]), talkers(LINES[1500:])
    old = {(r["srcaddr"], r["dstaddr"]): r["b"] for r in before}
    new = {(r["srcaddr"], r["dstaddr"]): r["b"] for r in today}
    got = vf.diff(today, before, by=["srcaddr", "dstaddr"])
    assert [(r["srcaddr"], r["dstaddr"]) for r in got] == sorted({*old, *new})
    for r in got:
        key = (r["srcaddr"], r["dstaddr"])
        kind = "gone" if key not in new else "new" if key not in old else "same" if old[key] == new[key] else "changed"
        assert (r["change"], r["b"], r["b_before"]) == (kind, new.get(key), old.get(key))
        assert r["b_change"] == new.get(key, 0) - old.get(key, 0)
    with pytest.raises(vf.PlanError, match="two rows"):
        vf.diff(today, before, by="srcaddr")
    with pytest.raises(vf.PlanError, match="no column"):
        vf.diff(today, before, by="dstport")


def _aggregate(task):
    question, lines, place = task
    return part(question, lines, place).to_bytes()


def test_from_two_processes():
    question = QUESTIONS["everything"]
    tasks = [(question, LINES[i : i + 500], i) for i in range(0, len(LINES), 500)]
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        states = list(pool.map(_aggregate, tasks))
    apart = vf.merge_all(states)
    here = vf.Aggregation(**question)
    for task in tasks:
        here.update(HEADER + b"".join(task[1]), first_source=task[2])
    assert apart == here


def test_pickle_copy_and_report():
    a = vf.Aggregation(by="action", n=vf.count()).update(DATA)
    b = pickle.loads(pickle.dumps(a))
    assert b == a
    assert b.report.as_dict() == a.report.as_dict()
    assert b.report.records == 4_000
    c = a.copy()
    c += a
    assert c.collect()["n"] == [2 * n for n in a.collect()["n"]]
    assert c.report.records == 8_000
    assert len(a) == 2
    a += a
    assert a == c


def test_mistakes():
    a = vf.Aggregation(by="action", n=vf.count())
    with pytest.raises(vf.PlanError, match="different plans"):
        a.merge(vf.Aggregation(by="action", n=vf.sum("bytes")))
    with pytest.raises(TypeError, match="Aggregation is needed"):
        a.merge(b"x")
    with pytest.raises(TypeError):
        a + 1
    with pytest.raises(vf.FieldError, match="srcadr"):
        vf.Aggregation(by="srcadr")
    with pytest.raises(vf.FieldError, match="in none of the logs"):
        vf.Aggregation(by="az-id").update(DATA)
    with pytest.raises(vf.PlanError, match="comes before group_by"):
        a.update(vf.scan(DATA).group_by("action").agg())
    with pytest.raises(vf.PlanError, match="no aggregations"):
        vf.merge_all([])
    assert a == vf.Aggregation(by="action", n=vf.count())


def test_updates_from_tables_and_filtered_queries():
    pa = pytest.importorskip("pyarrow")
    question = {"by": "srcaddr", "b": vf.sum("bytes"), "n": vf.count()}
    whole = vf.Aggregation(**question).update(DATA).collect().rows()
    batched = vf.Aggregation(**question)
    for batch in vf.scan(DATA).batches(700):
        batched.update(batch)
    assert batched.collect().rows() == whole
    assert vf.Aggregation(**question).update(pa.table(vf.scan(DATA).collect())).collect().rows() == whole
    some = vf.Aggregation(**question).update(vf.scan(DATA).filter("dstport = 443")).collect().rows()
    assert some == vf.scan(DATA).filter("dstport = 443").group_by("srcaddr").agg(b=vf.sum("bytes"), n=vf.count()).collect().rows()


def test_updates_from_a_filtered_query_have_its_whole_report(quiet):
    """Formats, rejects and counts of what was read, as of the query itself."""
    log = b"srcaddr dstaddr bytes start end\n10.0.0.1 10.0.0.2 40 0 60\n10.0.0.3 10.0.0.2 4 0 60\n10.0.0.1 x\n"
    flows = vf.scan([log, b"srcaddr bytes custom\n10.0.0.4 50 a\n"]).filter("bytes > 10")
    question = vf.query().group_by("srcaddr").agg(n=vf.count())
    direct, updated = question.bind(flows).collect(), vf.Aggregation(question).update(flows).collect()
    assert updated.rows() == direct.rows()
    assert updated.report == direct.report
    assert (updated.report.rejected, updated.report.records, updated.report.matched) == (1, 3, 2)
    assert len(updated.report.formats) == 2
    late = vf.scan(log, start=1_000, allow_empty=True)
    assert len(vf.Aggregation(question).update(late)) == 0
    with pytest.raises(vf.NoRecordsError, match="no record in the time asked for"):
        vf.Aggregation(question).update(vf.scan(log, start=1_000))


def test_updates_from_a_filtered_query_know_what_the_formats_hide():
    log = b"srcaddr dstaddr protocol bytes start end action\n10.0.0.1 10.0.0.2 6 40 0 60 ACCEPT\n"
    sessions = vf.Aggregation(vf.query().sessions()).update(vf.scan(log).filter("bytes >= 0"))
    assert vf.detect(sessions, only=["unauthorised_access"]).not_detected == {"unauthorised_access": ["dstport", "packets"]}


def test_what_a_filtered_query_and_a_question_name_is_their_own(quiet):
    inside, guests = (vf.labels.prefixes({"10.0.0.0/8": name}) for name in ("inside", "guests"))
    log = b"srcaddr bytes custom\n10.0.0.1 40 a\n10.0.0.2 2 b\n"
    question = vf.query().label("net", "srcaddr", inside).group_by("net").agg(n=vf.count())
    flows = vf.scan(log).label("net", "srcaddr", guests).filter("net = 'guests'").select("bytes")
    assert vf.Aggregation(question).update(flows).collect().rows() == [{"net": "inside", "n": 2}]
    assert len(vf.Aggregation(by="srcaddr").update(vf.scan(log).filter("custom = 'a'"))) == 1
    with pytest.raises(vf.FieldError, match="az-id is in none of the logs"):
        vf.Aggregation(by="srcaddr").update(vf.scan(log).filter("az_id = 'a'"))
    assert len(vf.Aggregation(by="srcaddr").update(vf.scan(log, allow_missing=True).filter("az_id is null"))) == 2
    with pytest.raises(vf.FieldError, match="az-id is in none of the logs"):
        vf.Aggregation(by="az_id").update(vf.scan(log).filter("bytes > 0"))
    assert vf.Aggregation(by="az_id").update(log, allow_missing=True).collect()["az_id"] == [None]


# -- saved states


GOLDEN_QUESTIONS = {
    "everything": QUESTIONS["everything"],
    "no-keys": QUESTIONS["no keys"],
    "windows": {"by": ["action"], "every": "1m", "bytes": vf.sum("bytes")},
    "sessions": "sessions",
    "bounded": "bounded",
    "filter": {"by": "dstport", "where": "action = 'REJECT' and bytes > 40", "n": vf.count()},
}


def golden_state(name):
    lines = (GOLDEN / "lines.log").read_bytes().splitlines(keepends=True)
    return part(GOLDEN_QUESTIONS[name], lines)


@pytest.mark.parametrize("name", GOLDEN_QUESTIONS)
def test_states_of_this_release_are_read_for_ever(name):
    """Golden files; made by `python tests/python/test_aggregation.py [FOLDER]`, and never again for a name that is there.
    0.1.0-sessions-3: sessions with rejections by interface and the fields that had values, which older states lack."""
    folder = sorted(GOLDEN.glob(f"*/{name}.state"))
    assert folder
    for path in folder:
        read = vf.Aggregation.from_bytes(path.read_bytes())
        older = name == "sessions" and path.parent.name != "0.1.0-sessions-3"
        assert (read == golden_state(name)) is not older
        assert read.collect().rows() == golden_state(name).collect().rows()
        assert (read + golden_state(name)).collect().rows() == golden_state(name).merge(golden_state(name)).collect().rows()


def taken(data):
    """Whether bytes are read; what is read must hold together."""
    try:
        state = vf.Aggregation.from_bytes(data)
    except vf.VpcflowError:
        return False
    state.collect()
    assert vf.Aggregation.from_bytes(state.to_bytes()) == state
    return True


@pytest.mark.parametrize("name", GOLDEN_QUESTIONS)
def test_t18_every_bit_and_every_cut(name):
    whole = golden_state(name).to_bytes()
    assert taken(whole)
    for cut in range(len(whole)):
        assert not taken(whole[:cut])
    step = 1 if len(whole) < 4000 else 7
    for bit in range(0, 8 * len(whole), step):
        hurt = bytearray(whole)
        hurt[bit // 8] ^= 1 << bit % 8
        assert not taken(bytes(hurt)), bit
    assert not taken(whole + b"\0")
    assert not taken(b"")


def sealed(payload, version=1, kind=1):
    """A blob with the right checksum, by the format's description."""
    mask = 2**64 - 1
    body = b"VPCS" + bytes([version, kind, 0, 0]) + len(payload).to_bytes(8, "little") + payload
    total = 0x9E3779B97F4A7C15 ^ len(body)
    for at in range(0, len(body), 8):
        total = ((total ^ int.from_bytes(body[at : at + 8], "little")) * 0xD6E8FEB86659FD93) & mask
        total ^= total >> 32
    return body + total.to_bytes(8, "little")


@pytest.mark.parametrize("name", GOLDEN_QUESTIONS)
def test_t18_bytes_of_an_attacker_with_the_right_checksum(name):
    whole = golden_state(name).to_bytes()
    payload = whole[16:-8]
    assert sealed(payload) == whole
    dice = random.Random(name)
    for _ in range(4000):
        hurt = bytearray(payload)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(hurt))
            kind = dice.randrange(4)
            if kind == 0:
                hurt[at] = dice.randrange(256)
            elif kind == 1:
                del hurt[at : at + dice.randint(1, 9)]
            elif kind == 2:
                hurt[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 9)))
            else:
                hurt[at : at + 8] = dice.choice((b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f\0\0\0\0"))
            if not hurt:
                break
        taken(sealed(bytes(hurt)))
    with pytest.raises(vf.StateError, match="newer version"):
        vf.Aggregation.from_bytes(sealed(payload, version=2))
    with pytest.raises(vf.StateError, match="another kind"):
        vf.Aggregation.from_bytes(sealed(payload, kind=2))
    with pytest.raises(vf.StateError, match="no state"):
        vf.Aggregation.from_bytes(b"PK\x03\x04")
    with pytest.raises(vf.StateError, match="damaged"):
        vf.Aggregation.from_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def test_t18_memory():
    """Reading a state takes no more than eight times its size and 64 KiB (measured with an allowance for Python)."""
    code = """
import resource, sys, vpcflow as vf
data = open(sys.argv[1], "rb").read()
vf.Aggregation.from_bytes(open(sys.argv[2], "rb").read())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
state = vf.Aggregation.from_bytes(data)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, len(data))
"""


    small = vf.Aggregation(by="srcaddr").to_bytes()
    log = b"srcaddr bytes interface-id\n" + b"".join(b"10.%d.%d.%d %d e-%x\n" % (i >> 16, i >> 8 & 255, i & 255, i, i) for i in range(300_000))
    for question in (
        {"by": "srcaddr"},
        {"by": ["srcaddr", "interface-id"], "n": vf.mean("bytes")},
        {"by": "interface-id", "f": vf.n_unique("srcaddr"), "a": vf.approx_n_unique("bytes")},
        {"n": vf.n_unique("srcaddr"), "q": vf.quantile("bytes", 0.5)},
        {"by": "srcaddr", "a": vf.max("bytes"), "q": vf.approx_quantile("bytes", 0.5)},
    ):
        with tempfile.TemporaryDirectory() as folder:
            one, two = Path(folder, "one"), Path(folder, "two")
            one.write_bytes(vf.Aggregation(**question).update(log).to_bytes())
            two.write_bytes(small)
            done = subprocess.run([sys.executable, "-c", code, str(one), str(two)], capture_output=True, text=True, check=True)
        grown, size = map(int, done.stdout.split())
        assert grown <= 8 * size + (64 << 10), question


if __name__ == "__main__":
    folder = GOLDEN / (vf.__version__ if len(sys.argv) < 2 else sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if not (GOLDEN / "lines.log").exists():
        (GOLDEN / "lines.log").write_bytes(b"".join([line for line in LINES if b" NODATA" not in line][:60]))
    for name in GOLDEN_QUESTIONS:
        path = folder / f"{name}.state"
        if not path.exists():
            path.write_bytes(golden_state(name).to_bytes())
