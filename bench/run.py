"""make bench: yardsticks, ours and the peers on the same data in one run, with the ratios that count.

Environment: RECORDS (default 1,000,000; 10,000,000 for the full size), PEERS=0 for ours alone, REPEAT (default 3; the best
counts). Writes build/bench/results.json and results.md. A timing never gates anything; ratios within one run are what counts.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import vpcflow as vf

HERE = Path(__file__).parent
RECORDS = int(os.environ.get("RECORDS", "1000000"))
REPEAT = int(os.environ.get("REPEAT", "3"))
PEERS = ["polars", "pyarrow", "duckdb", "pandas"] if os.environ.get("PEERS") != "0" else []
PEERS_OF = {"frame": ["vpcflow", "polars"], "pairs": ["vpcflow"], "conversations": ["vpcflow"], "detect": ["vpcflow"]}
V5 = " ".join(f["name"] for f in vf.fields() if f["version"] <= 5)
VARIANTS = {
    "default": {},
    "v5": {"format": "v5"},
    "v5-alphabetical": {"format": " ".join(sorted(V5.split()))},
    "ipv6-heavy": {"ipv6_share": 0.9},
    "reject-heavy": {"reject_share": 0.9},
    "nodata-heavy": {"nodata_share": 0.5},
}


NAMES = [f["name"].replace("-", "_") for f in vf.fields() if f["version"] == 2]


def as_object(line):
    values = [int(v) if v.isdigit() else v for v in line.decode().split(" ")]
    return json.dumps(dict(zip(NAMES, values))).encode()


# The records of the variant `default` in containers: the lines before them, and each as a line.
CONTAINERS = {
    "in-export": (b"", lambda line: b"2026-11-23T06:00:00.000Z " + line),
    "in-messages": (b"", lambda line: b'{"message":"' + line + b'"}'),
    "in-objects": (b"", as_object),
    "in-insights-csv": (b"@timestamp,@message\n", lambda line: b'2026-11-23 06:00:00.000,"' + line + b'"'),
    "in-athena-csv": (
        ",".join(f'"{n}"' for n in NAMES).encode() + b"\n",
        lambda line: b'"' + line.replace(b" ", b'","') + b'"',
    ),
}


def make(folder, records, **options):
    """A folder of logs, made once."""
    if not (folder / "manifest.json").exists():
        print(f"making {records:,} records in {folder}", file=sys.stderr)
        vf.synth(records, out=folder, seed=11, **options)
    return folder


def data(folder):
    """One text file; the same as gzip in 16 files; many small objects; variants, also in containers."""
    text = make(folder / f"text-{RECORDS}", RECORDS) / "flow-0000.log"
    packed = make(folder / f"gz-{RECORDS}", RECORDS, files=16, gzip=True)
    small = make(folder / f"small-{RECORDS}", RECORDS, files=max(16, RECORDS // 1000), gzip=True)
    variants = folder / f"variants-{RECORDS}"
    variants.mkdir(exist_ok=True)
    for name, options in VARIANTS.items():
        link = variants / f"{name}.log"
        if not link.exists():
            made = make(folder / f"variant-{name}-{RECORDS}", min(RECORDS, 1_000_000), **options)
            link.symlink_to(made / "flow-0000.log")
    plain = (variants / "default.log").read_bytes()
    for name, changed in (("crlf", (b"\n", b"\r\n")), ("runs-of-spaces", (b" ", b"  "))):
        if not (variants / f"{name}.log").exists():
            (variants / f"{name}.log").write_bytes(plain.replace(*changed))
    for name, (before, wrap) in CONTAINERS.items():
        if not (variants / f"{name}.log").exists():
            records = plain.splitlines()[1:]
            (variants / f"{name}.log").write_bytes(before + b"\n".join(map(wrap, records)) + b"\n")
    return text, packed, small, variants


def engine(build, paths, kernel=None, only="."):
    """The C++ benchmarks; name -> (bytes/s, records/s)."""
    text, packed, small, variants = paths
    env = dict(os.environ, VPCFLOW_BENCH_LOG=str(text), VPCFLOW_BENCH_GZ=str(packed))
    env.update(VPCFLOW_BENCH_SMALL=str(small), VPCFLOW_BENCH_VARIANTS=str(variants))
    if kernel:
        env["VPCFLOW_FORCE_SIMD"] = kernel
    command = [build / "bench" / "bench_engine", "--benchmark_format=json", f"--benchmark_repetitions={REPEAT}"]
    out = subprocess.run([*command, f"--benchmark_filter={only}"], env=env, capture_output=True, check=True).stdout
    best = {}
    for run in json.loads(out)["benchmarks"]:
        if run.get("run_type") == "iteration":
            rate, old = (run["bytes/s"], run["records/s"]), best.get(run["run_name"], (0, 0))
            best[run["run_name"]] = max(old, rate)
    return {name.replace("/real_time", ""): rate for name, rate in best.items()}


def python(peer, job, threads, path):
    """The best of some runs of a job; None if the peer is not there."""
    best = None
    for _ in range(REPEAT):
        command = [sys.executable, HERE / "jobs.py", peer, job, str(threads), path]
        env = dict(os.environ, POLARS_MAX_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
        done = subprocess.run(command, env=env, capture_output=True)
        if done.returncode != 0:
            print(f"{peer} {job}: {done.stderr.decode().strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        run = json.loads(done.stdout)
        if best is None or run["seconds"] < best["seconds"]:
            best = run
    return best


def jobs(text, packed, v5):
    """All jobs by us and by the peers: (job, threads, peer) -> run."""
    runs = {}
    for job, name, path in (
        ("parse", "parse", text),
        ("frame", "frame", text),
        ("agg", "agg", text),
        ("agg", "agg gz", packed),
        ("pairs", "pairs", v5),
        ("conversations", "conversations", v5),
        ("detect", "detect", v5),
    ):
        for threads in (1, 2):
            for peer in ["vpcflow", *PEERS]:
                if peer not in PEERS_OF.get(job, ["vpcflow", *PEERS]):
                    continue
                run = python(peer, job, threads, path)
                if run is not None:
                    runs[name, threads, peer] = run
    return runs


def targets(cpp, kernels, runs, size):
    """What must be shown: (work, measured, floor, goal); higher is better unless the work says otherwise."""
    rate = {name: r[0] for name, r in cpp.items()}
    text, inflate = rate["YardstickText"], rate["YardstickInflate"]
    small = rate["JobAggSmallObjects/1"] / rate["JobAggGzip/1"]
    rows = [
        ("C++: parse into batches, 1 core, of the text yardstick", rate["ParseBatches/1"] / text, 0.45, 0.75),
        ("C++: job agg, 1 core, of the text yardstick", rate["JobAggText/1"] / text, 0.26, 0.45),
        ("C++: job agg from gzip, 1 core, of inflate alone", rate["JobAggGzip/1"] / inflate, 0.50, 0.85),
        ("two cores against one: parse", rate["ParseBatches/2"] / rate["ParseBatches/1"], 1.8, 1.95),
        ("two cores against one: agg", rate["JobAggText/2"] / rate["JobAggText/1"], 1.6, 1.95),
        ("two cores against one: agg from gzip", rate["JobAggGzip/2"] / rate["JobAggGzip/1"], 1.7, 1.95),
        ("C++: RecordView walk of five fields, M records/s", cpp["WalkFiveFields"][1] / 1e6, 12, 25),
        ("all v5 fields, GB/s against default", rate["Parse:v5"] / rate["Parse:default"], 0.8, 1.0),
        ("v5 alphabetical, GB/s against default", rate["Parse:v5-alphabetical"] / rate["Parse:default"], 0.8, 1.0),
        ("many small objects, GB/s against 16 large", small, 1.0, 1.0),
        ("the same without what inflating them costs more", small * inflate / rate["YardstickInflateSmall"], 1.0, 1.0),
    ]
    for name in ("ipv6-heavy", "reject-heavy", "nodata-heavy", "crlf", "runs-of-spaces"):
        for job in ("Parse", "Agg"):
            rows.append((f"{job} {name}, GB/s against default", rate[f"{job}:{name}"] / rate[f"{job}:default"], 0.7, 1.0))

    def ours(job, threads):
        return runs[job, threads, "vpcflow"]

    if ("agg", 1, "vpcflow") in runs:
        in_cpp = size / rate["JobAggText/1"]
        rows.append(("Python: job agg against the same plans in C++", in_cpp / ours("agg", 1)["seconds"], 0.90, 0.97))
    for job, floor, goal in (("agg", 5, 10), ("agg gz", 3.3, 5)):
        for threads in (1, 2):
            peers = [r["seconds"] for (j, t, p), r in runs.items() if (j, t) == (job, threads) and p != "vpcflow"]
            if peers:
                times = min(peers) / ours(job, threads)["seconds"]
                rows.append((f"Python: {job} against the fastest peer, {threads} threads", times, floor, goal))
    for job, what in (("parse", "Arrow"), ("frame", "pandas")):
        for threads in (1, 2):
            peer = runs.get((job, threads, "polars"))
            if peer:
                times = peer["seconds"] / ours(job, threads)["seconds"]
                rows.append((f"Python: whole table to {what} against polars, {threads} threads", times, 4, 7))
    for threads in (1, 2):
        for by in ("pairs", "conversations"):
            share = ours(by, threads)["seconds"] / ours("detect", threads)["seconds"]
            rows.append((f"all detectors with samples, of the speed of grouping by {by}, v5, {threads} threads", share, 0.33, 1))
    for threads, bound in ((1, 0.15), (2, 0.40)):
        peers = [r["peak_MiB"] for (j, t, p), r in runs.items() if (j, t) == ("agg", threads) and p != "vpcflow"]
        if peers:
            share = ours("agg", threads)["peak_MiB"] / min(peers)
            rows.append((f"peak memory of agg, {threads} threads, of the smallest peer (lower is better)", share, bound, 0.10))
    peers = [r["seconds"] for (j, t, p), r in runs.items() if (j, t) == ("agg", 1) and p != "vpcflow"]
    for kernel, result in kernels.items():
        if peers:
            times = min(peers) / (size / result["JobAggText/1"][0])
            rows.append((f"C++: job agg with the {kernel} kernels against the fastest peer, 1 core", times, 3, 5))
    return rows


def page(cpp, runs, rows, size, v5_size):
    info = vf.build_info()
    lines = [
        f"{RECORDS:,} records, {size / 1e6:,.0f} MB of text; {platform.machine()}, {os.cpu_count()} cores, kernels {info['kernel']}, gzip by {info['gzip']}",
        "",
        "| what must be shown | measured | floor | held | goal |",
        "| --- | --- | --- | --- | --- |",
    ]
    for work, value, floor, goal in rows:
        held = value <= floor if "lower is better" in work else value >= floor
        lines.append(f"| {work} | {value:.2f} | {floor} | {'yes' if held else 'NO'} | {goal} |")
    lines += ["", "| engine, C++ | GB/s of text | M records/s | of its yardstick |", "| --- | --- | --- | --- |"]
    for name, (rate, records) in cpp.items():
        kind = "InflateSmall" if "Small" in name else "Inflate" if "Gzip" in name else "Text"
        yardstick = cpp[f"Yardstick{kind}"][0]
        lines.append(f"| {name} | {rate / 1e9:.2f} | {records / 1e6:.1f} | {rate / yardstick:.2f} |")
    lines += [
        "",
        "| Python | threads | seconds | MB/s of text | ours / it | peak MiB | same answer |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (job, threads, peer), run in runs.items():
        ours = runs[job, threads, "vpcflow"]
        same = "yes" if run["answer"] == ours["answer"] else "NO"
        read = v5_size if job in ("pairs", "conversations", "detect") else size
        rate, times = read / run["seconds"] / 1e6, run["seconds"] / ours["seconds"]
        lines.append(
            f"| {peer} {job} | {threads} | {run['seconds']:.3f} | {rate:.0f} | {times:.1f} | {run['peak_MiB']} | {same} |"
        )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    build = parser.parse_args().build.resolve()
    folder = build.parent / "bench"
    folder.mkdir(exist_ok=True)
    paths = data(folder)
    size = paths[0].stat().st_size
    cpp = engine(build, paths)
    kernels = {k: engine(build, paths, k, "JobAggText/1") for k in ("sse2", "swar") if k in vf.build_info()["kernels"]}
    v5 = paths[3] / "v5.log"
    runs = jobs(paths[0], paths[1], v5)
    rows = targets(cpp, kernels, runs, size)
    text = page(cpp, runs, rows, size, v5.stat().st_size)
    (folder / "results.md").write_text(text)
    results = {"records": RECORDS, "bytes": size, "targets": rows, "engine": cpp, "kernels": kernels}
    results["python"] = [{"job": j, "threads": t, "peer": p, **r} for (j, t, p), r in runs.items()]
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    print(text)


if __name__ == "__main__":
    main()
