"""Sketches: the error promised, the error measured over 100 seeds, bytes and time per update, beside Apache DataSketches.

    python bench/sketches.py            # prints the table, writes docs/explanation/sketches.md; needs numpy and datasketches

One million values a seed for speed and memory; 100,000 different values a seed for the error of distinct counts; 100,000
lognormal sizes for quantiles; a Zipf stream of 200,000 for heavy hitters.
"""

import time
from pathlib import Path

import datasketches as ds
import numpy as np

from vpcflow import sketches

ROOT = Path(__file__).resolve().parents[1]
SEEDS = 100
SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def timed(make, update, values):
    sketch = make()
    began = time.perf_counter()
    update(sketch, values)
    return (time.perf_counter() - began) / len(values) * 1e9, sketch


def percent(x):
    return f"{100 * x:.2f} %"


def one_by_one(sketch, values):
    for value in values.tolist():
        sketch.update(value)


def distinct():
    n = 100_000
    ours, theirs, small = [], [], []
    for seed in range(SEEDS):
        values = np.random.default_rng(seed).integers(0, 2**63, n, dtype=np.uint64)
        a = sketches.DistinctSketch()
        a.update(values)
        ours.append(a.estimate() / n - 1)
        b = ds.hll_sketch(12)
        one_by_one(b, values)
        theirs.append(b.get_estimate() / n - 1)
        few = sketches.DistinctSketch()
        few.update(values[:256])
        small.append(few.estimate() - 256)
    values = np.random.default_rng(0).integers(0, 2**63, 1_000_000, dtype=np.uint64)
    ns, sketch = timed(sketches.DistinctSketch, lambda s, v: s.update(v), values)
    peer_ns, peer = timed(lambda: ds.hll_sketch(12), one_by_one, values)
    assert not any(small)
    root = lambda errors: float(np.sqrt(np.mean(np.square(errors))))  # noqa: E731
    return [
        ("DistinctSketch", "0 up to 256, then 1.63 % (standard error)", percent(root(ours)), len(sketch.to_bytes()), ns),
        ("datasketches hll_sketch(12)", "1.6 %", percent(root(theirs)), len(peer.serialize_compact()), peer_ns),
    ]


def quantiles():
    n = 100_000
    worst_rank, worst_value, peer_rank = [], [], []
    for seed in range(SEEDS):
        values = np.random.default_rng(seed).lognormal(8, 2.5, n).astype(np.uint64)
        order = np.sort(values)
        kll, log, peer = sketches.KllSketch(seed=seed), sketches.LogHistogram(), ds.kll_floats_sketch(200)
        kll.update(values)
        log.update(values)
        peer.update(values.astype(np.float32))

        def off(value, q, order=order):
            low, high = np.searchsorted(order, value, "left") / n, np.searchsorted(order, value, "right") / n
            return max(0.0, low - q, q - high)

        worst_rank.append(max(off(kll.quantile(q), q) for q in SHARES))
        peer_rank.append(max(off(int(peer.get_quantile(q)), q) for q in SHARES))
        exact = [int(order[max(1, int(np.ceil(q * n))) - 1]) for q in SHARES]
        worst_value.append(max(abs(log.quantile(q) - x) / x for q, x in zip(SHARES, exact)))
    values = np.random.default_rng(0).lognormal(8, 2.5, 1_000_000).astype(np.uint64)
    ns, kll = timed(sketches.KllSketch, lambda s, v: s.update(v), values)
    log_ns, log = timed(sketches.LogHistogram, lambda s, v: s.update(v), values)
    peer_ns, peer = timed(lambda: ds.kll_floats_sketch(200), lambda s, v: s.update(v), values.astype(np.float32))
    p99 = lambda errors: float(np.quantile(errors, 0.99))  # noqa: E731
    return [
        ("KllSketch(200)", "1.65 % of rank (99 of 100)", percent(p99(worst_rank)), len(kll.to_bytes()), ns),
        ("datasketches kll_floats(200)", "1.33 % of rank (99 of 100)", percent(p99(peer_rank)), len(peer.serialize()), peer_ns),
        ("LogHistogram", "0.39 % of the value (always)", percent(max(worst_value)), len(log.to_bytes()), log_ns),
    ]


def hitters():
    counters, n = 1000, 200_000
    worst, peer_worst = [], []
    for seed in range(SEEDS):
        values = (np.random.default_rng(seed).zipf(1.2, n) % (1 << 40)).astype(np.uint64)
        keys, counts = np.unique(values, return_counts=True)
        truth = dict(zip(keys.tolist(), counts.tolist()))
        hits = sketches.HeavyHitters(counters)
        hits.update(values)
        for key, least, most in hits.top(counters):
            assert least <= truth[key] <= most, "the guarantee"
            worst.append((most - truth[key]) / n)
        assert {k for k, c in truth.items() if c > n / counters} <= {k for k, _, _ in hits.top(counters)}
        peer = ds.frequent_items_sketch(10)
        one_by_one(peer, values[:20_000])
        found = peer.get_frequent_items(ds.frequent_items_error_type.NO_FALSE_NEGATIVES)
        part = dict(zip(*map(list, np.unique(values[:20_000], return_counts=True))))
        peer_worst.append(max((abs(item[1] - part[np.uint64(item[0])]) / 20_000 for item in found), default=0))
    values = (np.random.default_rng(0).zipf(1.2, 1_000_000) % (1 << 40)).astype(np.uint64)
    ns, sketch = timed(lambda: sketches.HeavyHitters(counters), lambda s, v: s.update(v), values)
    return [
        ("HeavyHitters(1000)", "0.1 % of all (always)", percent(max(worst)), sketch.bytes, ns),
        ("datasketches frequent_items(10)", "0.34 % of all (its documents)", percent(max(peer_worst)), "-", "-"),
    ]


def main():
    rows = [*distinct(), *quantiles(), *hitters()]
    lines = [
        "# Sketches: errors promised and measured",
        "",
        "Made by `python bench/sketches.py`: 100 seeds; what is measured is the standard error of distinct counts, the",
        "99th percentile of the worst rank among seven quantiles, the worst error of a value, the worst overcount. Bytes:",
        "as saved, after a million values (of HeavyHitters in memory). Times are of the Python bindings: one call for all",
        "values, but of hll_sketch, which takes one call for each. frequent_items has seen 20,000 values a seed.",
        "",
        "| sketch | promised | measured | bytes | ns a value |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, promised, measured, size, ns in rows:
        shown = ns if isinstance(ns, str) else f"{ns:.1f}"
        lines.append(f"| {name} | {promised} | {measured} | {size} | {shown} |")
    lines += [
        "",
        "Which obey the law that any split and merge gives the same bytes: DistinctSketch, LogHistogram, HashSample,",
        "SeenBefore, and all aggregates of plans. KllSketch and HeavyHitters keep their bounds in any order of merging, but",
        "not their bytes; that is why no plan uses them.",
        "",
    ]
    page = "\n".join(lines)
    print(page)
    (ROOT / "docs" / "explanation" / "sketches.md").write_text(page)


if __name__ == "__main__":
    main()
