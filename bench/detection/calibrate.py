"""What a score means: the share of findings of a strength that are right, with thresholds lowered to a tenth.

    python bench/detection/calibrate.py [SEEDS]     # 10 by default, from 101 on, those that thresholds were set on

The strength of a finding is its count by the default threshold: of exfiltration bytes, of the others ports, sessions,
hosts. Incidents are whole, a tenth and a fortieth (published.py); a finding is right if its actor is an incident's.
Writes the table to docs/detection.md.
"""

import collections
import sys

import published
from page import put

import vpcflow as vf
from vpcflow.detection import Settings

FIRST_SEED, RECORDS = 101, 200_000
# The settings that are thresholds, by detector.
LOWERED = {
    "port_scan": ("scan_ports", "scan_hosts"), "brute_force": ("brute_sessions",), "exfiltration": ("exfil_bytes",),
    "beacon": ("beacon_sessions",), "lateral_movement": ("lateral_hosts",),
}  # fmt: skip
BANDS = ((0.1, 0.3), (0.3, 1), (1, 3), (3, 10), (10, float("inf")))


def lowered(name):
    return max(2, getattr(Settings(), name) // 10)


def strength(finding):
    """The score is 1 - threshold / (2 x count); None where the sequential test decided."""
    if finding.detector == "beacon":
        return finding.evidence["sessions"] / Settings().beacon_sessions
    if "services" in finding.evidence and finding.detector == "port_scan":
        return None
    name = LOWERED[finding.detector][0]
    return 0.5 * lowered(name) / getattr(Settings(), name) / max(1 - finding.score, 1e-9)


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    settings = {name: lowered(name) for names in LOWERED.values() for name in names}
    counts = collections.Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        made = vf.synth(RECORDS, seed=seed, plant="all", format="v5")
        evil = {label["actor"] for label in made.labels if not label["benign"]}
        for one_in in (1, 10, 40):
            data = published.thinned(made.data, made.labels, one_in) if one_in > 1 else made.data
            for finding in vf.detect(vf.scan(data), only=list(LOWERED), samples=0, **settings):
                value = strength(finding)
                if value is not None:
                    band = next((b for b in BANDS if b[0] <= value < b[1]), BANDS[0])
                    counts[finding.detector, band, finding.actor in evil] += 1
    names = [f"{low:g} to {high:g}" if high < 1e9 else f"{low:g} and more" for low, high in BANDS]
    lines = ["| count by threshold | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    lines.append("| score | " + " | ".join(f"{1 - 0.5 / low:.2f}" if low >= 1 else "not told" for low, _ in BANDS) + " |")
    for name in LOWERED:
        cells = []
        for band in BANDS:
            right, wrong = counts[name, band, True], counts[name, band, False]
            cells.append(f"{right / (right + wrong):.2f} of {right + wrong:,}" if right + wrong else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    table = "\n".join([*lines, "", f"{seeds} seeds from {FIRST_SEED} on, all v5, at three intensities each."])
    put("calibrate.py", "end of calibrate", table)


if __name__ == "__main__":
    main()
