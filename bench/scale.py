"""make scale: 20 GB of generated logs against 1 GB: the rate must be within 10 %, memory must be flat.

Environment: PIECES (default 8, of 10,000,000 records or 1.1 GB each, different ones), PASSES (default 18 files read in all,
the pieces in turn, and the first one as often: links with names of their own). Each measurement is a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import vpcflow as vf

PIECES = int(os.environ.get("PIECES", "8"))
PASSES = int(os.environ.get("PASSES", "18"))
FOLDER = Path("build/bench/scale")

JOB = """
import json, sys, time
import vpcflow as vf
paths, threads = sys.argv[2:], int(sys.argv[1])
began = time.perf_counter()
flows = vf.scan(paths, threads=threads, duplicates="all")
top = flows.group_by("srcaddr").agg(bytes=vf.sum("bytes"), n=vf.count()).top_k(20, by="bytes").collect()
seconds = time.perf_counter() - began
peak = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "bytes": top.report.text_bytes, "records": top.report.records, "peak_MiB": peak / 1024}))
"""


def measure(paths, threads, repeat):
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-c", JOB, str(threads), *map(str, paths)]
        runs.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    return min(runs, key=lambda r: r["seconds"])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    links, same = [], []
    for n in range(PASSES):
        piece = n % PIECES
        made = FOLDER / f"piece-{piece}"
        if not (made / "manifest.json").exists():
            print(f"making piece {piece + 1} of {PIECES}", file=sys.stderr)
            vf.synth(10_000_000, out=made, seed=100 + piece)
        for kind, of, paths in (("pass", made, links), ("same", FOLDER / "piece-0", same)):
            link = FOLDER / f"{kind}-{n:03}.log"
            if not link.exists():
                link.symlink_to((of / "flow-0000.log").resolve())
            paths.append(link)
    print("| threads | what | GB | records | seconds | GB/s | peak MiB | rate / rate of the first |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    measure(links, 2, 1)  # into the page cache
    for threads in (1, 2):
        rates = []
        for what, paths, repeat in (
            ("the first piece", links[:1], 5),
            (f"the first piece {PASSES} times", same, 2),
            (f"{PIECES} pieces in turn", links, 2),
        ):
            run = measure(paths, threads, repeat)
            rates.append(run["bytes"] / run["seconds"] / 1e9)
            print(
                f"| {threads} | {what} | {run['bytes'] / 1e9:.1f} | {run['records']:,} | {run['seconds']:.2f} | {rates[-1]:.2f} | "
                f"{run['peak_MiB']:.0f} | {rates[-1] / rates[0]:.2f} |"
            )


if __name__ == "__main__":
    main()
