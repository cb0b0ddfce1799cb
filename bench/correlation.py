"""Measures the sequence rules that come with vpcflow on days that other tellers tell: an office (tests/python/teller.py),
or a cluster with runners and pipelines (tests/python/teller_cluster.py).

    python bench/correlation.py [--days office|cluster] [--seeds 101,102,...] [--calls 60000]

Prints a table: by rule, the stories told and found, the harmless sequences of the same kind and how many of them are
shown, near misses and how many of them are shown, and false matches; then the events among which that was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import teller
import teller_cluster
import vpcflow as vf

PLANT = "bastion_users,public_site,vendor_agents"


def office(seed: int, folder: Path, calls: int, records: int) -> tuple[Any, vf.Correlation, dict[str, Any]]:
    """Returns a day of the office, what was found, and how that is judged."""
    day = teller.Day(seed, calls=calls, hosts=40, records=records, plant=PLANT)
    labels = day.write(folder)
    found = teller.correlated(folder)
    return day, found, teller.judged(labels, found.matches)


def cluster(seed: int, folder: Path, calls: int, records: int) -> tuple[Any, vf.Correlation, dict[str, Any]]:
    """Returns a day of the cluster, every second with an inventory, what was found, and how that is judged."""
    day = teller_cluster.Day(seed)
    labels = day.write(folder, inventory=seed % 2 == 1)
    places = {name: folder / name for name in ("cloudtrail", "guardduty", "dns", "inventory") if (folder / name).exists()}
    found = vf.correlate(vf.scan(folder / "flows"), **places)
    judged, wrong = teller_cluster.judged(labels, found.rows())
    for kind, what in wrong:
        print(f"  {kind}: {what['rule']}: {what.get('what') or what['entity']}", file=sys.stderr)
    return day, found, judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", choices=("office", "cluster"), default="office")
    parser.add_argument("--seeds", default="101,102,103,104")
    parser.add_argument("--calls", type=int, default=60_000, help="ordinary records of CloudTrail a day of the office")
    parser.add_argument("--records", type=int, default=200_000, help="records of flow logs a day of the office")
    args = parser.parse_args()
    total: dict[str, Counter[str]] = defaultdict(Counter)
    beside = records = 0
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            tell = office if args.days == "office" else cluster
            day, found, judged = tell(seed, Path(folder), args.calls, args.records)
        for rule, row in judged.items():
            total[rule].update(row)
        beside += len(day.trail) + len(day.dns) + len(day.duty)
        records += found.scope.records
        print(f"seed {seed}: {found.conclusion()}: {judged}", file=sys.stderr, flush=True)
    names = ("told", "found", "harmless", "shown", "near", "wrong", "again", "false")
    print(f"| rule | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for rule, row in sorted(total.items()):
        print(f"| {rule} | {' | '.join(str(row[name]) for name in names)} |")
    print(f"\nAmong {beside:,} events of CloudTrail, DNS and GuardDuty and {records:,} records of flow logs.")


if __name__ == "__main__":
    main()
