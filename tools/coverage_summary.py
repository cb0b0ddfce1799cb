"""Reads llvm-cov's report: lines and branches by file, those with the most missing branches first, and of the rings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "layers"))
from check_includes import CORE


def main() -> None:
    rings: dict[str, list[int]] = {}
    files = []
    for line in sys.stdin:
        cells = line.split()
        if len(cells) < 13 or not cells[0].startswith(("include/", "src/")):
            continue
        parts = cells[0].split("/")
        core = parts[0] == "include" and parts[2] in CORE
        counts = [int(cells[i]) for i in (7, 8, 10, 11)]  # lines, missed, branches, missed
        files.append((counts, cells[0]))
        ring = rings.setdefault("core" if core else "engine", [0, 0, 0, 0])
        for i, count in enumerate(counts):
            ring[i] += count
    for (lines, no_line, branches, no_branch), name in sorted(files, key=lambda f: -f[0][3]):
        print(f"{name:50} lines {lines - no_line:5} of {lines:5}   branches {branches - no_branch:5} of {branches:5}")
    for name, (lines, no_line, branches, no_branch) in sorted(rings.items()):
        shares = f"{1 - no_line / lines:.1%} of {lines:,} lines, {1 - no_branch / branches:.1%} of {branches:,} branches"
        print(f"{name}: {shares}")


if __name__ == "__main__":
    main()
