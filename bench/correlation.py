"""Measures the sequence rules that come with vpcflow on days that another teller tells (tests/python/teller.py).

    python bench/correlation.py [--seeds 101,102,...] [--calls 60000]

Prints a table: by rule, the stories told and found, the harmless sequences of the same kind and how many of them are
shown, and false matches; then the events among which that was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import teller

PLANT = "bastion_users,public_site,vendor_agents"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101,102,103,104")
    parser.add_argument("--calls", type=int, default=60_000, help="ordinary records of CloudTrail a day")
    parser.add_argument("--records", type=int, default=200_000, help="records of flow logs a day")
    args = parser.parse_args()
    total: dict[str, Counter[str]] = defaultdict(Counter)
    beside = records = 0
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            day = teller.Day(seed, calls=args.calls, hosts=40, records=args.records, plant=PLANT)
            labels = day.write(folder)
            found = teller.correlated(Path(folder))
        judged = teller.judged(labels, found.matches)
        for rule, row in judged.items():
            total[rule].update(row)
        beside += len(day.trail) + len(day.dns) + len(day.duty)
        records += found.scope.records
        print(f"seed {seed}: {found.conclusion()}: {judged}", file=sys.stderr, flush=True)
    print("| rule | told | found | harmless | shown | twice | false |\n| --- | --- | --- | --- | --- | --- | --- |")
    for rule, row in sorted(total.items()):
        cells = [str(row[name]) for name in ("told", "found", "harmless", "shown", "again", "false")]
        print(f"| {rule} | {' | '.join(cells)} |")
    print(f"\nAmong {beside:,} events of CloudTrail, DNS and GuardDuty and {records:,} records of flow logs.")


if __name__ == "__main__":
    main()
