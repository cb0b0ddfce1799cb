"""How well the detectors do on labelled data: precision, recall, false findings and time to detect, by detector, format
and window.

    python bench/detection/run.py [SEEDS]       # 10 by default, from 1001 on; prints the table and writes it to docs/explanation/detection-measured.md

Thresholds were set on seeds below 200. Each run has 200,000 records of 6 hours and 300 hosts, every incident and
look-alike planted. A finding of a planted kind is right if its detector and actor are a label's, of the other detectors
if its actor is that of an incident; findings of severity `low` are left out of the false ones, and counted apart. The time
to detect is from an incident's first record to the end of the shortest beginning of the log in which it is found, in
steps of five minutes, on the first three seeds; delivery comes on top.
"""

import collections
import json
import statistics
import sys
import tempfile
from pathlib import Path

from page import put

import vpcflow as vf
from vpcflow.detect import DETECTORS, baseline

FIRST_SEED, TIMED_SEEDS, STEP = 1001, 3, 300
NEW = ["new_admin_edge", "new_port", "new_protocol", "new_destination"]
RECORDS, HOSTS, DAYS = 200_000, 300, 0.25


def run(seed, fmt, window, told):
    with tempfile.TemporaryDirectory() as folder:
        vf.synth(RECORDS, out=folder, seed=seed, plant="all", format=fmt, window=window)
        flows = vf.scan(folder)
        labels = {label["kind"]: label for label in json.loads((Path(folder) / "labels.json").read_text())}
        planted = {name: labels[name] for name in DETECTORS if name in labels}
        settings = {"admin_sources": [labels["remote_admin"]["actor"]]} if told else {}
        findings = vf.detect(flows, samples=0, **settings)
        times = {}
        if seed < FIRST_SEED + TIMED_SEEDS and not told:
            times = {name: seconds_to_detect(flows, name, label) for name, label in planted.items()}
    evil = {label["actor"] for label in labels.values() if not label["benign"]}
    found = {(f.detector, f.actor): f for f in findings if f.severity != "low"}
    right = {name for name, label in planted.items() if (name, label["actor"]) in found}
    # What one detector says about the actor of another's incident is true as well: it scanned, and got in.
    false = [name for name, actor in found if actor not in evil or (name in planted and planted[name]["actor"] != actor)]
    return planted, right, false, sum(f.severity == "low" for f in findings), times


def seconds_to_detect(flows, name, label):
    """By halving: what is found in the beginning of a log is found in more of it."""
    low, high = 0, (label["last"] - label["first"]) // STEP + 2
    while low < high:
        middle = (low + high) // 2
        part = flows.filter(f"end <= {label['first'] + middle * STEP}")
        found = vf.detect(part, only=[name], samples=0)
        if any(f.actor == label["actor"] and f.severity != "low" for f in found):
            high = middle
        else:
            low = middle + 1
    return low * STEP


def new_of_nothing(seeds):
    """Findings of what is new where there is no incident: the second halves of logs, the first halves being their past."""
    told = collections.Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        flows = vf.scan(vf.synth(RECORDS, seed=seed, format="v5", window=60).data)
        (span,) = flows.agg(first="min(start)", last="max(start)").collect()
        middle = (span["first"] + span["last"]) // 2
        past = baseline(flows.filter(f"start < {middle}"))
        told.update(f.detector for f in vf.detect(flows.filter(f"start >= {middle}"), only=NEW, baseline=past, samples=0))
    return ", ".join(f"{told[name]} of {name}" for name in NEW)


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    lines = [
        "| format | window, s | detector | precision | recall | false a million records | false a host and day | minutes to detect |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lows = []
    for kind, fmt, told in (("v2, default", "default", False), ("v2, told", "default", True), ("all v5", "v5", False)):
        for window in (60, 600):
            runs = [run(FIRST_SEED + i, fmt, window, told) for i in range(seeds)]
            for name in DETECTORS:
                planted = name in runs[0][0]
                false = sum(names.count(name) for _, _, names, _, _ in runs)
                hits = sum(name in right for _, right, _, _, _ in runs)
                if not planted and not false:
                    continue
                times = [times[name] for _, right, _, _, times in runs if name in times and name in right]
                cells = [
                    kind, str(window), name,
                    f"{hits / (hits + false):.2f}" if hits + false else "-", f"{hits / seeds:.2f}" if planted else "not planted",
                    f"{false * 1e6 / (RECORDS * seeds):.2f}", f"{false / (HOSTS * DAYS * seeds):.5f}",
                    f"{statistics.median(times) / 60:.0f}" if times else "-",
                ]  # fmt: skip
                lines.append("| " + " | ".join(cells) + " |")
            lows += [low for _, _, _, low, _ in runs]
    silent = [name for name in DETECTORS if not name.startswith("new") and not any(f"| {name} |" in line for line in lines)]
    lines += ["", f"{seeds} seeds from {FIRST_SEED} on, {RECORDS:,} records each. Of {', '.join(silent)}, which are not planted, no finding."]
    lines += ["Told: where the administrator works (`admin_sources=`)."]
    lines += [f"Besides, {statistics.mean(lows):.1f} findings of severity `low` a run."]
    lines += [f"Of what is new ({seeds} logs without incidents, the second half of each against the first): {new_of_nothing(seeds)}."]
    table = "\n".join(lines)
    put("run.py", "end", table)


if __name__ == "__main__":
    main()
