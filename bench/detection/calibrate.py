"""What scores mean: the share of findings that are right, by detector, severity and strength.

    python bench/detection/calibrate.py [SEEDS]     # 20 by default, from 101 on, those that thresholds were set on

A finding is right if its actor is an incident's. Incidents are whole, a tenth and a fortieth (published.py), in v2 and
v5, with windows of 60 and 600 s. Writes src/detect/calibration.inc, out of which the engine has the confidence of a
finding, and says in docs/detection.md what it gives on as many other seeds, which nothing was set on; there, too, what
lies below the thresholds. After a change of calibration.inc build and run it again for the second table.
"""

import collections
import sys
from pathlib import Path

import published
from page import put

import vpcflow as vf
from vpcflow.detect import DETECTORS, Settings

FIRST_SEED, OTHER_SEED, RECORDS = 101, 1001, 200_000
COUNTS = Path(__file__).resolve().parents[2] / "src" / "detect" / "calibration.inc"
# The settings that are thresholds, by detector.
LOWERED = {
    "port_scan": ("scan_ports", "scan_hosts"), "brute_force": ("brute_sessions",), "exfiltration": ("exfil_bytes",),
    "beacon": ("beacon_sessions",), "lateral_movement": ("lateral_hosts",),
}  # fmt: skip
BANDS = ((0.1, 0.3), (0.3, 1), (1, 3), (3, 10), (10, float("inf")))
STRONGER = (5 / 6, 0.95)  # scores at three and ten times the threshold


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


def findings(first, seeds, formats, windows, **settings):
    """Of all logs: (finding, whether it is right)."""
    for seed in range(first, first + seeds):
        for fmt in formats:
            for window in windows:
                made = vf.synth(RECORDS, seed=seed, plant="all", format=fmt, window=window)
                evil = {label["actor"] for label in made.labels if not label["benign"]}
                for one_in in (1, 10, 40):
                    data = published.thinned(made.data, made.labels, one_in) if one_in > 1 else made.data
                    for finding in vf.detect(vf.scan(data), samples=0, **settings):
                        yield finding, finding.actor in evil


def everything(first, seeds):
    return findings(first, seeds, ("default", "v5"), (60, 600))


def calibrated(seeds):
    """The counts that the engine has, of the seeds that thresholds were set on."""
    counts = collections.Counter()
    for finding, right in everything(FIRST_SEED, seeds):
        band = sum(finding.score >= score for score in STRONGER)
        counts[finding.detector, finding.severity, band, right] += 1
    lines = [
        "// Findings and how many of them were right, by detector, severity and strength. Made by",
        f"// bench/detection/calibrate.py of {seeds} seeds from {FIRST_SEED} on.",
    ]
    for name, severity, band in sorted({key[:3] for key in counts}, key=lambda k: (DETECTORS.index(k[0]), *k[1:])):
        right, wrong = (counts[name, severity, band, r] for r in (True, False))
        lines.append(f'VPCFLOW_CALIBRATED("{name}", k{severity.capitalize()}, {band}, {right}, {right + wrong})')
    COUNTS.write_text("\n".join(lines) + "\n")


def held(seeds):
    """What the confidence says, and what is right, on seeds that nothing was set on."""
    bands = collections.defaultdict(list)
    for finding, right in everything(OTHER_SEED, seeds):
        if finding.confidence is not None:
            bands[min(int(finding.confidence * 5), 4)].append((finding.confidence, right))
    lines = ["| confidence | findings | mean confidence | right |", "| --- | --- | --- | --- |"]
    for band, found in sorted(bands.items()):
        mean, share = (sum(x[i] for x in found) / len(found) for i in (0, 1))
        lines.append(f"| {band / 5:.1f} to {(band + 1) / 5:.1f} | {len(found):,} | {mean:.2f} | {share:.2f} |")
    return "\n".join([*lines, "", f"{seeds} seeds from {OTHER_SEED} on."])


def below(seeds):
    """The share that is right with thresholds lowered to about a tenth."""
    settings = {name: lowered(name) for names in LOWERED.values() for name in names}
    counts = collections.Counter()
    for finding, right in findings(FIRST_SEED, seeds, ("v5",), (60,), only=list(LOWERED), **settings):
        value = strength(finding)
        if value is not None:
            band = next((b for b in BANDS if b[0] <= value < b[1]), BANDS[0])
            counts[finding.detector, band, right] += 1
    names = [f"{low:g} to {high:g}" if high < 1e9 else f"{low:g} and more" for low, high in BANDS]
    lines = ["| count by threshold | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    lines.append("| score | " + " | ".join(f"{1 - 0.5 / low:.2f}" if low >= 1 else "not told" for low, _ in BANDS) + " |")
    for name in LOWERED:
        cells = []
        for band in BANDS:
            right, wrong = counts[name, band, True], counts[name, band, False]
            cells.append(f"{right / (right + wrong):.2f} of {right + wrong:,}" if right + wrong else "-")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"{seeds} seeds from {FIRST_SEED} on, all v5, at three intensities each."])


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    calibrated(seeds)
    put("calibrate.py", "end of calibrate", held(seeds) + "\n\n" + below(seeds))


if __name__ == "__main__":
    main()
