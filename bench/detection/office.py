"""How well the detectors do on a day of an office: which attacks are told, and what is told of nobody's attack.

    python bench/detection/office.py [SEEDS] [--tune]     # 3 by default; 24 runs of a minute or so each

Prints for each format and window the attacks told and missed and the false findings a day by detector, and writes the
table to docs/explanation/detection-measured.md. Reporting seeds are from 1,001 on; thresholds are set on those below 1,000, which --tune
takes, and prints each false finding for. A finding is told if its severity is medium or high. It is right if its
detector is one of the label's, and its actor or a target an actor or a target of the label, while the attack goes on;
a finding of another detector about an attack, and one about the authorised scanner, is neither right nor false.
"""

import argparse
import collections
import sys

from page import put

import vpcflow as vf

FIRST_SEED, FIRST_TUNING_SEED, SLACK = 1001, 1, 3600


def about(finding, label):
    """Whether a finding is about an attack: names one of its actors and one of its victims, or its victim alone, in its
    time."""
    during = finding.start <= label["last"] + SLACK and finding.end >= label["first"] - SLACK
    actors, targets = set(label["actors"]), set(label["targets"])
    by_actor = finding.actor in actors and (not finding.targets or bool(targets & set(finding.targets)))
    of_victim = finding.actor in targets and (not finding.targets or bool(actors & set(finding.targets)))
    return during and (by_actor or of_victim)


def judge(findings, labels):
    """The kinds that were told; the false findings; how many low ones there are."""
    attacks = [label for label in labels if not label["benign"]]
    scanner = {label["actor"] for label in labels if label["kind"] == "vulnerability_scanner"}
    told, false = set(), []
    for finding in findings:
        if finding.severity == "low":
            continue
        mine = [label for label in attacks if about(finding, label)]
        told.update(label["kind"] for label in mine if finding.detector in label["detectors"])
        if not mine and finding.actor not in scanner:
            false.append(finding)
    return told, false


def run(seed, fmt, window, **options):
    made = vf.synth(world="office", seed=seed, plant="all", format=fmt, window=window, **options)
    findings = vf.detect(vf.scan(made.data), samples=0)
    told, false = judge(findings, made.labels)
    kinds = [label["kind"] for label in made.labels if not label["benign"]]
    return kinds, told, false, made, findings


def show(seed, false, made):
    """Prints false findings with what the world knows of their ends."""
    benign = collections.defaultdict(list)
    for label in made.labels:
        if label["benign"]:
            benign[label["actor"]].append(label["kind"])
    for finding in false:
        print(f"  {seed} {finding.severity} {finding.detector}: {finding.sentence} {benign.get(finding.actor, '')}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", nargs="?", type=int, default=3)
    parser.add_argument("--tune", action="store_true")
    args = parser.parse_args()
    first = FIRST_TUNING_SEED if args.tune else FIRST_SEED
    cases = [("v5", 60), ("default", 60)] if args.tune else [("v5", 60), ("v5", 600), ("default", 60), ("default", 600)]
    hits, planted, false_of = collections.Counter(), collections.Counter(), collections.Counter()
    hidden = collections.Counter()  # what a format hides, by what it shows in other words than v5
    words = {}
    records = 0
    for fmt, window in cases:
        for seed in range(first, first + args.seeds):
            kinds, told, false, made, findings = run(seed, fmt, window)
            records = made.records
            hits.update((fmt, window, kind) for kind in told)
            planted.update((fmt, window, kind) for kind in kinds)
            false_of.update((fmt, window, finding.detector) for finding in false)
            own = {finding.sentence for finding in findings}
            hidden[fmt, window, "words"] += len(own - words.setdefault((window, seed), own))
            hidden[fmt, window, "gateways"] += len(findings.gateways)
            hidden[fmt, window, "repeated"] += sum(findings.gateways.values())
            print(f"{fmt} {window} seed {seed}: {len(told)} of {len(kinds)} told, {len(false)} false, {len(findings)} findings", file=sys.stderr)
            if args.tune:
                show(seed, false, made)
    heads = [f"{'v2' if fmt == 'default' else fmt}, {window} s" for fmt, window in cases]
    lines = ["| attack | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    for kind in dict.fromkeys(kind for _, _, kind in planted):  # a world may have no place for one
        cells = (f"{hits[fmt, window, kind]} of {planted[fmt, window, kind]}" for fmt, window in cases)
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    sums = ([sum(n for key, n in of.items() if key[:2] == case) / args.seeds for of in (hits, planted)] for case in cases)
    lines.append("| **told, of those planted** | " + " | ".join(f"{told:.1f} of {all_of:.1f}" for told, all_of in sums) + " |")
    for name in sorted({name for _, _, name in false_of}):
        lines.append(f"| false a day, {name} | " + " | ".join(f"{false_of[fmt, window, name] / args.seeds:.1f}" for fmt, window in cases) + " |")
    sums = [sum(n for (f, w, _), n in false_of.items() if (f, w) == case) / args.seeds for case in cases]
    lines.append("| **false a day** | " + " | ".join(f"{n:.1f}" for n in sums) + " |")
    for what, text in (
        ("words", "findings a day in other words than in v5"), ("gateways", "NAT gateways that were guessed"),
        ("repeated", "sessions left out that these repeat"),
    ):  # fmt: skip
        lines.append(f"| {text} | " + " | ".join(f"{hidden[fmt, window, what] / args.seeds:,.1f}" for fmt, window in cases) + " |")
    lines += ["", f"{args.seeds} seeds from {first} on, {records:,} records of 24 hours and 200 interfaces each."]
    table = "\n".join(lines)
    if args.tune:
        print(table)
    else:
        put("office.py", "end of office", table)


if __name__ == "__main__":
    main()
