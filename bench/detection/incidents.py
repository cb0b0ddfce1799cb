"""Where the attacks stand among the incidents of a day of an office.

    python bench/detection/incidents.py [SEEDS] [--tune]     # 3 by default; 6 runs of half a minute or so

Writes the table to docs/explanation/detection-measured.md. Seeds and what is about an attack as in office.py. An incident is an attack's if one
of its findings, of any severity, is about one, and benign if none is.
"""

import argparse
import sys

from office import FIRST_SEED, FIRST_TUNING_SEED, about
from page import put

import vpcflow as vf

FIRST = 20


def places(seed, fmt):
    """What the first incidents of a day are about."""
    made = vf.synth(world="office", seed=seed, plant="all", format=fmt)
    found = vf.detect(vf.scan(made.data), samples=0)
    attacks = [label for label in made.labels if not label["benign"]]
    kinds = [
        {label["kind"] for finding in incident.findings for label in attacks if about(finding, label)}
        for incident in found.incidents()
    ]
    benign = [place for place, kind in enumerate(kinds, 1) if not kind]
    told = [place for place, kind in enumerate(kinds, 1) if kind]
    return {
        "findings": len(found), "incidents": len(kinds), "attacks told": len(set().union(*kinds)),
        f"attacks in the first {FIRST}": len(set().union(*kinds[:FIRST])),
        f"benign in the first {FIRST}": sum(place <= FIRST for place in benign),
        "place of the first benign": min(benign, default=len(kinds) + 1), "place of the last attack": max(told, default=0),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", nargs="?", type=int, default=3)
    parser.add_argument("--tune", action="store_true")
    args = parser.parse_args()
    first = FIRST_TUNING_SEED if args.tune else FIRST_SEED
    rows = []
    for fmt in ("v5", "default"):
        for seed in range(first, first + args.seeds):
            rows.append({"format": "v2" if fmt == "default" else fmt, "seed": seed, **places(seed, fmt)})
            print(rows[-1], file=sys.stderr)
    heads = list(rows[0])
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    lines += ["| " + " | ".join(str(row[head]) for head in heads) + " |" for row in rows]
    print("\n".join(lines)) if args.tune else put("incidents.py", "end of incidents", "\n".join(lines))


if __name__ == "__main__":
    main()
