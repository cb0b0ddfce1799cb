"""make bench: yardsticks, ours and the peers on the same data in one run, with ratios.

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


def data(folder):
    """The logs: one text file, and the same as gzip in 8 files. Made once for each size."""
    text, packed = folder / f"text-{RECORDS}", folder / f"gz-{RECORDS}"
    for place, options in ((text, {}), (packed, {"files": 8, "gzip": True})):
        if not (place / "manifest.json").exists():
            print(f"making {RECORDS:,} records in {place}", file=sys.stderr)
            vf.synth(RECORDS, out=place, seed=11, **options)
    return text / "flow-0000.log", packed


def engine(build, text, packed):
    """The C++ benchmarks; name -> (bytes/s, records/s)."""
    env = dict(os.environ, VPCFLOW_BENCH_LOG=str(text), VPCFLOW_BENCH_GZ=str(packed / "flow-0000.log.gz"))
    command = [build / "bench" / "bench_engine", "--benchmark_format=json", f"--benchmark_repetitions={REPEAT}"]
    out = subprocess.run(command, env=env, capture_output=True, check=True).stdout
    best = {}
    for run in json.loads(out)["benchmarks"]:
        if run.get("run_type") == "iteration":
            rate = (run["bytes/s"], run["records/s"])
            best[run["run_name"]] = max(best.get(run["run_name"], (0, 0)), rate)
    return best


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    build = parser.parse_args().build.resolve()
    folder = build.parent / "bench"
    folder.mkdir(exist_ok=True)
    text, packed = data(folder)
    size = text.stat().st_size
    lines = [
        f"{RECORDS:,} records, {size / 1e6:,.0f} MB of text; {platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "",
        "| engine, C++ | GB/s of text | M records/s | of the yardstick |",
        "| --- | --- | --- | --- |",
    ]
    cpp = engine(build, text, packed)
    for name, (rate, records) in cpp.items():
        yardstick = cpp["YardstickInflate" if "Gzip" in name else "YardstickText"][0]
        lines.append(f"| {name} | {rate / 1e9:.2f} | {records / 1e6:.1f} | {rate / yardstick:.2f} |")
    lines += [
        "",
        "| Python | threads | seconds | MB/s of text | ours / it | peak MiB | same answer |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    runs = []
    for job, path in (("parse", text), ("agg", text), ("agg", packed)):
        for threads in (1, 2):
            ours = python("vpcflow", job, threads, path)
            for peer in ["vpcflow", *PEERS]:
                run = ours if peer == "vpcflow" else python(peer, job, threads, path)
                if run is None:
                    continue
                name = f"{peer} {job}{' gz' if path == packed else ''}"
                runs.append({"name": name, "threads": threads, **run})
                same = "yes" if run["answer"] == ours["answer"] else "NO"
                rate, times = size / run["seconds"] / 1e6, run["seconds"] / ours["seconds"]
                lines.append(
                    f"| {name} | {threads} | {run['seconds']:.3f} | {rate:.0f} | {times:.1f} | {run['peak_MiB']} | {same} |"
                )
    page = "\n".join(lines) + "\n"
    (folder / "results.md").write_text(page)
    (folder / "results.json").write_text(
        json.dumps({"records": RECORDS, "bytes": size, "engine": cpp, "python": runs}, indent=1)
    )
    print(page)


if __name__ == "__main__":
    main()
