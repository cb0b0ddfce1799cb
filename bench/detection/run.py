"""How well the detectors do on labelled data: recall and false findings, by detector, format and window.

    python bench/detection/run.py [SEEDS]       # 10 by default, from 1001 on; prints the table and writes it to docs/detection.md

Thresholds were set on seeds below 200. Each run has 200,000 records of 6 hours, every incident and look-alike planted. A
finding of a planted kind is right if its detector and actor are a label's, of the other detectors if its actor is that of an
incident; findings of severity `low` are left out of the false ones, and counted apart.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

import vpcflow as vf
from vpcflow.detection import DETECTORS

ROOT = Path(__file__).resolve().parents[2]
FIRST_SEED = 1001
RECORDS = 200_000
BEGIN, END = "<!-- measured by bench/detection/run.py -->", "<!-- end -->"


def labels_of(folder):
    return json.loads((Path(folder) / "labels.json").read_text())


def run(seed, fmt, window):
    with tempfile.TemporaryDirectory() as folder:
        vf.synth(RECORDS, out=folder, seed=seed, plant="all", format=fmt, window=window)
        findings = vf.detect(vf.scan(folder))
        labels = {label["kind"]: label for label in labels_of(folder)}
    evil = {label["actor"] for label in labels.values() if not label["benign"]}
    found = {(f.detector, f.actor): f for f in findings if f.severity != "low"}
    hits = {name: found.get((name, labels[name]["actor"])) for name in DETECTORS if name in labels}
    # What one detector says about the actor of another's incident is true as well: it scanned, and got in.
    false = [f for (name, actor), f in found.items() if actor not in evil or (name in labels and labels[name]["actor"] != actor)]
    low = sum(f.severity == "low" for f in findings)
    return hits, false, low


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    lines = ["| format | window, s | detector | recall | false findings per million records |", "| --- | --- | --- | --- | --- |"]
    notes = []
    for fmt in ("default", "v5"):
        for window in (60, 600):
            runs = [run(FIRST_SEED + i, fmt, window) for i in range(seeds)]
            for name in DETECTORS:
                planted = name in runs[0][0]
                recall = f"{sum(hits[name] is not None for hits, _, _ in runs) / seeds:.2f}" if planted else "not planted"
                false = sum(f.detector == name for _, fs, _ in runs for f in fs) * 1e6 / (RECORDS * seeds)
                lines.append(f"| {'v2, default' if fmt == 'default' else 'all v5'} | {window} | {name} | {recall} | {false:.2f} |")
            notes.append(statistics.mean(low for _, _, low in runs))
    lines += ["", f"{seeds} seeds from {FIRST_SEED} on, {RECORDS:,} records each; besides, {statistics.mean(notes):.1f} findings of severity `low` a run."]
    table = "\n".join(lines)
    print(table)
    page = ROOT / "docs" / "detection.md"
    text = page.read_text()
    page.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n\n" + table + "\n\n" + text[text.index(END) :])


if __name__ == "__main__":
    main()
