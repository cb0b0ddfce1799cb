"""Checks that each file of this folder compiles as it is, and does not with -DVPCFLOW_MUST_FAIL.

check.py COMPILER INCLUDE_DIR WORK_DIR: all files are one unit, each in a namespace of its own, so that the headers are read
once. As they are, the unit compiles without a word; with VPCFLOW_MUST_FAIL, the compiler's errors name each of the files.
"""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    compiler, include, work = sys.argv[1:]
    files = sorted(FOLDER.glob("*.cc"))
    headers = {line: "" for file in files for line in re.findall(r"^#include .*", file.read_text(), re.M)}
    cases = [f'namespace {file.stem} {{\n#include "{file}"\n}}' for file in files]
    unit = Path(work) / "compile_fail.cc"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("\n".join([*headers, *cases, ""]))

    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    all_errors = "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"

    def compiled(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [compiler, "-std=c++20", "-fsyntax-only", all_errors, f"-I{include}", *flags, str(unit)]
        return subprocess.run(command, capture_output=True, text=True)

    right, wrong = compiled(), compiled("-DVPCFLOW_MUST_FAIL")
    bad = [f"must compile: {file.name}" for file in files if f"{file}:" in right.stderr]
    if (right.returncode or right.stderr) and not bad:
        bad = ["must compile: the headers"]
    bad += [f"must not compile: {file.name}" for file in files if not re.search(rf"^{re.escape(str(file))}:\d+:", wrong.stderr, re.M)]
    print("\n".join(bad) or f"{len(files)} files compile, and none that must fail does")
    if bad:
        print(right.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
