"""What compaction saves: bytes beside gzip -6, and times of queries over both, in one run.

    python bench/volume.py [RECORDS]
"""

import gzip
import pathlib
import sys
import tempfile
import time

import vpcflow as vf
from vpcflow import volume

QUERIES = {
    "records by action": lambda flows: flows.group_by("action").agg(n=vf.count()),
    "bytes by action and port": lambda flows: flows.group_by("action", "dstport").agg(b=vf.sum("bytes")),
    "sources at port 22": lambda flows: flows.filter("dstport = 22").group_by("srcaddr").agg(n=vf.count()),
    "bytes by source": lambda flows: flows.group_by("srcaddr").agg(b=vf.sum("bytes")),
}


def fastest(run, times=5):
    """The least seconds of some runs."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        took.append(time.perf_counter() - begin)
    return min(took)


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and ".vpcflow" not in path.parts)


def main():
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        base = pathlib.Path(name)
        vf.synth(records, seed=7, plant="all", files=24, out=base / "text")
        (base / "gzip").mkdir()
        for path in (base / "text").glob("*.log"):
            (base / "gzip" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 6))
        begin = time.perf_counter()
        volume.compact(vf.scan(base / "gzip"), base / "lake")
        compacted = time.perf_counter() - begin
        volume.rollup(vf.scan(base / "gzip"), base / "rolled")
        logs = sum(path.stat().st_size for path in (base / "text").glob("*.log"))
        zipped = size(base / "gzip")
        print(f"{records:,} records: {logs / 1e6:.2f} MB of text, {zipped / 1e6:.2f} MB by gzip -6")
        for what, folder in (("compacted", "lake"), ("rolled up, 5 minutes", "rolled")):
            stored = size(base / folder)
            print(f"{what}: {stored / 1e6:.2f} MB, {zipped / stored:.2f} times smaller than gzip, {logs / stored:.1f} than text")
        print(f"compaction: {records / compacted:,.0f} records a second")
        for what, query in QUERIES.items():
            took = {folder: 9e9 for folder in ("text", "gzip", "lake")}
            for _ in range(3):  # in alternation
                for folder in took:
                    took[folder] = min(took[folder], fastest(lambda f=folder, q=query: q(vf.scan(base / f)).collect(), 2))
            line = ", ".join(f"{folder} {seconds * 1000:.0f} ms" for folder, seconds in took.items())
            print(f"{what}: {line}; {took['gzip'] / took['lake']:.1f} times faster than gzip")


if __name__ == "__main__":
    main()
