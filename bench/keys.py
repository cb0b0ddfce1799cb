"""make keys: what a record costs as the number of different keys grows from 10 to 10,000,000; a table and docs/explanation/performance-keys.svg.

10,000,000 records of two fields, srcaddr drawn evenly from so many addresses; top 10 by the sum of bytes, one thread, the
best of three. The cost of a key is the difference to the same sum without a key.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

import vpcflow as vf

RECORDS = 10_000_000
FOLDER = Path("build/bench/keys")


def log_of(keys):
    """The path of a log whose srcaddr takes `keys` values; made once."""
    path = FOLDER / f"keys-{keys}.log"
    if path.exists():
        return path
    print(f"making {path}", file=sys.stderr)
    random = np.random.default_rng(keys)
    # Addresses far apart: multiplying by an odd number keeps them different.
    ips = (random.integers(keys, size=RECORDS, dtype=np.uint32) * np.uint32(2654435761)).astype(np.uint32)
    octet = pa.array([str(i) for i in range(256)])
    parts = [octet.take(pa.array(ips >> np.uint32(shift) & np.uint32(255))) for shift in (24, 16, 8, 0)]
    table = pa.table({"srcaddr": pc.binary_join_element_wise(*parts, "."), "bytes": random.integers(1, 10**6, RECORDS)})
    with path.open("wb") as out:
        out.write(b"srcaddr bytes\n")
        csv.write_csv(table, out, csv.WriteOptions(include_header=False, delimiter=" ", quoting_style="none"))
    return path


def best(query):
    times = []
    for _ in range(3):
        began = time.perf_counter()
        query.collect()
        times.append(time.perf_counter() - began)
    return min(times) / RECORDS * 1e9


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    print("| keys | ns a record | of which the key |")
    print("| --- | --- | --- |")
    for keys in (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000):
        flows = vf.scan(str(log_of(keys)), threads=1)
        whole = best(flows.group_by("srcaddr").agg(bytes=vf.sum("bytes")).top_k(10, by="bytes"))
        rows.append((keys, whole, whole - best(flows.agg(bytes=vf.sum("bytes")))))
        print(f"| {keys:,} | {whole:.1f} | {rows[-1][2]:.1f} |", flush=True)
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.2))
    axes.semilogx([r[0] for r in rows], [r[1] for r in rows], marker="o", label="whole record")
    axes.semilogx([r[0] for r in rows], [r[2] for r in rows], marker="o", label="of which the key")
    axes.set(xlabel="different keys", ylabel="ns a record", ylim=(0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig("docs/explanation/performance-keys.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
