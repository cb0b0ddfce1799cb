"""make bench: yardsticks, ours and the peers on the same data in one run, with the ratios that count.

Environment: RECORDS (default 1,000,000; 10,000,000 for the full size), PEERS=0 for ours alone, REPEAT (rounds, default 3).
What a ratio compares runs one after the other in each round, and the median of the rounds counts: other load on the
machine comes and goes within minutes. Writes build/bench/results.json and results.md. A timing never gates anything.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

import vpcflow as vf

HERE = Path(__file__).parent
RECORDS = int(os.environ.get("RECORDS", "1000000"))
REPEAT = int(os.environ.get("REPEAT", "3"))
PEERS = ["polars", "pyarrow", "duckdb", "pandas"] if os.environ.get("PEERS") != "0" else []
PEERS_OF = {"agg json": ["polars", "duckdb"], "frame": ["polars"], "pairs": [], "conversations": [], "detect": []}
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
    values = [None if v == "-" else int(v) if v.isdigit() else v for v in line.decode().split(" ")]
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
    if not (variants / "in-objects.jsonl").exists():
        (variants / "in-objects.jsonl").symlink_to("in-objects.log")
    return text, packed, small, variants


def warm(path):
    """Reads a file, or all of a folder, so that the page cache has it: a host may have taken it from a guest."""
    buffer = memoryview(bytearray(1 << 20))
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        with open(file, "rb", buffering=0) as stream:
            while stream.readinto(buffer):
                pass


def engine(build, paths, kernel=None, only="."):
    """One round of the C++ benchmarks; name -> (bytes/s, records/s)."""
    text, packed, small, variants = paths
    env = dict(os.environ, VPCFLOW_BENCH_LOG=str(text), VPCFLOW_BENCH_GZ=str(packed))
    env.update(VPCFLOW_BENCH_SMALL=str(small), VPCFLOW_BENCH_VARIANTS=str(variants))
    if kernel:
        env["VPCFLOW_FORCE_SIMD"] = kernel
    command = [build / "bench" / "bench_engine", "--benchmark_format=json", f"--benchmark_filter={only}"]
    out = subprocess.run(command, env=env, capture_output=True, check=True).stdout
    runs = json.loads(out)["benchmarks"]
    return {run["name"].replace("/real_time", ""): (run["bytes/s"], run["records/s"]) for run in runs}


def python(peer, job, threads, path):
    """One run of a job in a process of its own; None if the peer is not there.

    Whole tables are made twice, and the second time counts: a guest that gave its free memory back to the host waits
    for it up to 2.5 s a GB, whoever asks first.
    """
    command = [sys.executable, HERE / "jobs.py", peer, job, str(threads), path]
    env = dict(os.environ, POLARS_MAX_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    if job in ("parse", "frame"):
        subprocess.run(command, env=env, capture_output=True)
    done = subprocess.run(command, env=env, capture_output=True)
    if done.returncode != 0:
        print(f"{peer} {job}: {done.stderr.decode().strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def jobs(build, paths):
    """All jobs by us and by the peers: (job, threads) -> rounds of contestant -> run.

    A round is ours and the peers one after the other. Peers that took half as long again as the fastest are in no later
    round, polars apart, which some of the targets name. Job agg on one core is done by the engine alone, too: as `C++`,
    and by other kernels.
    """
    text, packed, _, variants = paths
    v5, objects = variants / "v5.log", variants / "in-objects.jsonl"
    others = [k for k in ("sse2", "swar") if k in vf.build_info()["kernels"]]
    results = {}
    for job, name, path in (
        ("parse", "parse", text),
        ("frame", "frame", text),
        ("agg", "agg", text),
        ("agg", "agg gz", packed),
        ("agg", "agg json", objects),
        ("pairs", "pairs", v5),
        ("conversations", "conversations", v5),
        ("detect", "detect", v5),
    ):
        for threads in (1, 2):
            contestants = ["vpcflow", *(p for p in PEERS if p in PEERS_OF.get(name, PEERS))]
            rounds = results[name, threads] = []
            for _ in range(REPEAT):
                warm(path)
                runs = {c: python(c, job, threads, path) for c in contestants}
                runs = {c: run for c, run in runs.items() if run is not None}
                best = min((run["seconds"] for c, run in runs.items() if c != "vpcflow"), default=0)
                contestants = [c for c in runs if c in ("vpcflow", "polars") or runs[c]["seconds"] < 1.5 * best]
                if (name, threads) == ("agg", 1):
                    for kernel in (None, *others):
                        rate = engine(build, paths, kernel, "JobAggText/1")["JobAggText/1"][0]
                        runs[f"C++ {kernel}" if kernel else "C++"] = {"seconds": text.stat().st_size / rate}
                rounds.append(runs)
    return results


def targets(cpp, runs):
    """What must be shown: (work, measured in each round, floor, goal); higher is better unless the work says otherwise."""

    def rate(name, of):
        return [r[name][0] / r[of][0] for r in cpp]

    small = rate("JobAggSmallObjects/1", "JobAggGzip/1")
    inflate = rate("YardstickInflate", "YardstickInflateSmall")
    rows = [
        ("C++: parse into batches, 1 core, of the text yardstick", rate("ParseBatches/1", "YardstickText"), 0.45, 0.75),
        ("C++: job agg, 1 core, of the text yardstick", rate("JobAggText/1", "YardstickText"), 0.26, 0.45),
        ("C++: job agg from gzip, 1 core, of inflate alone", rate("JobAggGzip/1", "YardstickInflate"), 0.50, 0.85),
        ("two cores against one: parse", rate("ParseBatches/2", "ParseBatches/1"), 1.8, 1.95),
        ("two cores against one: agg", rate("JobAggText/2", "JobAggText/1"), 1.6, 1.95),
        ("two cores against one: agg from gzip", rate("JobAggGzip/2", "JobAggGzip/1"), 1.7, 1.95),
        ("C++: RecordView walk of five fields, M records/s", [r["WalkFiveFields"][1] / 1e6 for r in cpp], 12, 25),
        ("all v5 fields, GB/s against default", rate("Parse:v5", "Parse:default"), 0.8, 1.0),
        ("v5 alphabetical, GB/s against default", rate("Parse:v5-alphabetical", "Parse:default"), 0.8, 1.0),
        ("many small objects, GB/s against 16 large", small, 1.0, 1.0),
        ("the same without what opening and inflating them costs more", [s * i for s, i in zip(small, inflate)], 1.0, 1.0),
    ]
    for name in ("ipv6-heavy", "reject-heavy", "nodata-heavy", "crlf", "runs-of-spaces"):
        for job in ("Parse", "Agg"):
            rows.append((f"{job} {name}, GB/s against default", rate(f"{job}:{name}", f"{job}:default"), 0.7, 1.0))

    def compare(work, job, threads, who, floor, goal, peers=PEERS):
        """How many times as long as `who` the fastest of some peers takes, by rounds."""
        times = [[r[p]["seconds"] for p in peers if p in r] for r in runs[job, threads]]
        values = [min(t) / r[who]["seconds"] for r, t in zip(runs[job, threads], times) if t and who in r]
        if values:
            rows.append((work, values, floor, goal))

    compare("Python: job agg against the same plans in C++", "agg", 1, "vpcflow", 0.90, 0.97, ["C++"])
    for job, floor, goal in (("agg", 5, 10), ("agg gz", 3.3, 5), ("agg json", 1.5, 3)):
        for threads in (1, 2):
            work = f"Python: {job} against the fastest peer, {threads} threads"
            compare(work, job, threads, "vpcflow", floor, goal)
    for job, what in (("parse", "Arrow"), ("frame", "pandas")):
        for threads in (1, 2):
            work = f"Python: whole table to {what} against polars, {threads} threads"
            compare(work, job, threads, "vpcflow", 4, 7, ["polars"])
    for threads in (1, 2):
        for by in ("pairs", "conversations"):
            pairs = zip(runs[by, threads], runs["detect", threads])
            share = [r["vpcflow"]["seconds"] / own["vpcflow"]["seconds"] for r, own in pairs]
            rows.append((f"all detectors with samples, of the speed of grouping by {by}, v5, {threads} threads", share, 0.33, 1))
    for threads, bound in ((1, 0.15), (2, 0.40)):
        # Only the first round has all peers.
        first = runs["agg", threads][0]
        peers = [first[p]["peak_MiB"] for p in PEERS if p in first]
        if peers:
            work = f"peak memory of agg, {threads} threads, of the smallest peer (lower is better)"
            rows.append((work, [first["vpcflow"]["peak_MiB"] / min(peers)], bound, 0.10))
    for kernel in ("sse2", "swar"):
        work = f"C++: job agg with the {kernel} kernels against the fastest peer, 1 core"
        compare(work, "agg", 1, f"C++ {kernel}", 3, 5)
    return rows


def page(cpp, runs, rows, size, v5_size):
    info = vf.build_info()
    lines = [
        f"{RECORDS:,} records, {size / 1e6:,.0f} MB of text; {platform.machine()}, {os.cpu_count()} cores, kernels {info['kernel']}, gzip by {info['gzip']}; medians of {REPEAT} rounds",
        "",
        "| what must be shown | measured | in the rounds | floor | held | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for work, values, floor, goal in rows:
        value = median(values)
        held = value <= floor if "lower is better" in work else value >= floor
        between = f"{min(values):.2f} to {max(values):.2f}"
        lines.append(f"| {work} | {value:.2f} | {between} | {floor} | {'yes' if held else 'NO'} | {goal} |")
    lines += ["", "| engine, C++ | GB/s of text | M records/s | of its yardstick |", "| --- | --- | --- | --- |"]
    for name in cpp[0]:
        kind = "InflateSmall" if "Small" in name else "Inflate" if "Gzip" in name else "Text"
        rate, records = (median(r[name][i] for r in cpp) for i in (0, 1))
        share = median(r[name][0] / r[f"Yardstick{kind}"][0] for r in cpp)
        lines.append(f"| {name} | {rate / 1e9:.2f} | {records / 1e6:.1f} | {share:.2f} |")
    lines += [
        "",
        "| Python | threads | seconds | MB/s of text | ours / it | peak MiB | same answer |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (job, threads), rounds in runs.items():
        for peer in rounds[0]:
            own = [r for r in rounds if peer in r]
            if "answer" not in own[0][peer]:
                continue  # the engine alone, which is in the table above
            seconds, peak = (median(r[peer][what] for r in own) for what in ("seconds", "peak_MiB"))
            times = median(r[peer]["seconds"] / r["vpcflow"]["seconds"] for r in own)
            same = "yes" if all(r[peer]["answer"] == r["vpcflow"]["answer"] for r in own) else "NO"
            read = v5_size if job in ("pairs", "conversations", "detect") else size
            lines.append(
                f"| {peer} {job} | {threads} | {seconds:.3f} | {read / seconds / 1e6:.0f} | {times:.1f} | {peak:.0f} | {same} |"
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
    cpp = []
    for _ in range(REPEAT):
        for path in paths:
            warm(path)
        cpp.append(engine(build, paths))
    runs = jobs(build, paths)
    rows = targets(cpp, runs)
    text = page(cpp, runs, rows, size, (paths[3] / "v5.log").stat().st_size)
    (folder / "results.md").write_text(text)
    results = {"records": RECORDS, "bytes": size, "targets": rows, "engine": cpp}
    results["python"] = [{"job": j, "threads": t, "rounds": rounds} for (j, t), rounds in runs.items()]
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    print(text)


if __name__ == "__main__":
    main()
