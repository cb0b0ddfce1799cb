"""What the detectors tell of seven days in which nobody attacks: an office with all its look-alikes.

    python bench/detection/quiet.py [SEEDS] [--tune]     # 3 by default; 6 runs of two minutes or so

Writes the table to docs/explanation/detection-measured.md. Seeds as in office.py. Every finding of severity medium or high is false here.
"""

import argparse
import collections
import sys
import tempfile

from office import FIRST_SEED, FIRST_TUNING_SEED
from page import put

import vpcflow as vf

HOURS, RECORDS = 168, 14_000_000


def told(seed, fmt):
    """The findings of a week, by detector."""
    with tempfile.TemporaryDirectory() as folder:
        vf.synth(world="office", seed=seed, plant="benign", format=fmt, window=600, hours=HOURS, records=RECORDS, out=folder)
        found = vf.detect(vf.scan(folder), samples=0)
    for finding in found:
        if finding.severity != "low":
            print(f"  {finding.severity} {finding.detector}: {finding.sentence}", file=sys.stderr)
    return collections.Counter(f.detector for f in found if f.severity != "low"), len(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", nargs="?", type=int, default=3)
    parser.add_argument("--tune", action="store_true")
    args = parser.parse_args()
    first = FIRST_TUNING_SEED if args.tune else FIRST_SEED
    lines = ["| format | seed | medium or high in seven days | of them | low |", "| --- | --- | --- | --- | --- |"]
    for fmt in ("v5", "default"):
        for seed in range(first, first + args.seeds):
            loud, findings = told(seed, fmt)
            names = ", ".join(f"{n} {name}" for name, n in sorted(loud.items())) or "-"
            lines.append(f"| {'v2' if fmt == 'default' else fmt} | {seed} | {sum(loud.values())} | {names} | {findings - sum(loud.values())} |")
            print(lines[-1], file=sys.stderr)
    lines += ["", f"{RECORDS:,} records of seven days and 200 interfaces each, windows of 600 s, no attack."]
    table = "\n".join(lines)
    print(table) if args.tune else put("quiet.py", "end of quiet", table)


if __name__ == "__main__":
    main()
