"""Checks that every header of include/vpcflow compiles alone, and twice in one unit.

headers_alone.py COMPILER INCLUDE_DIR WORK_DIR: a header that includes another one sees all that the other one sees, so it
compiles after it if and only if it compiles alone. One unit therefore checks a chain of headers, each of which includes the one
before; the units are as few chains as cover all headers (a largest matching, as Dilworth's theorem has it).
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

PARTS = ("-inl.h", "catalogue.h")  # of other headers


def chains(headers: dict[str, list[str]]) -> list[list[str]]:
    """Divides the headers, each with those that it includes, into chains in which each includes the one before."""

    @cache
    def below(name: str) -> frozenset[str]:
        return frozenset(headers[name]).union(*(below(other) for other in headers[name]))

    names = [name for name in headers if not name.endswith(PARTS)]
    before: dict[str, str] = {}

    def matched(name: str, tried: set[str]) -> bool:
        for after in names:
            if name in below(after) and after not in tried:
                tried.add(after)
                if after not in before or matched(before[after], tried):
                    before[after] = name
                    return True
        return False

    for name in names:
        matched(name, set())
    after = {first: second for second, first in before.items()}
    found = []
    for name in names:
        if name not in before:
            chain = [name]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            found.append(chain)
    return found


def main() -> int:
    compiler, include, work = sys.argv[1:]
    paths = {str(path.relative_to(include)): path for path in sorted(Path(include).rglob("*.h"))}
    headers = {name: [other for other in re.findall(r'^#include "(.*)"', path.read_text(), re.M) if other in paths] for name, path in paths.items()}
    units = chains(headers)
    Path(work).mkdir(parents=True, exist_ok=True)
    bad = 0
    for chain in units:
        unit = Path(work) / (re.sub(r"\W", "_", chain[-1]) + ".cc")
        unit.write_text("".join(f"#include <{name}>\n#include <{name}>\n" for name in chain))
        done = subprocess.run([compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{include}", str(unit)])
        if done.returncode:
            print(f"does not compile alone: one of {', '.join(chain)}")
            bad += 1
    print(f"{sum(map(len, units))} headers in {len(units)} units, {bad} of which do not compile")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
