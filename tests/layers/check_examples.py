"""Compiles the examples of the public headers and the C++ blocks of the documents.

check_examples.py COMPILER SOURCE_DIR WORK_DIR [FLAG...]: the example of a header is what is indented below the line
"// Example:" in its first comment. Every public header has one, but those that NO_EXAMPLE names with a reason.
"""

import re
import subprocess
import sys
from pathlib import Path

NO_EXAMPLE = {
    "core.h": "includes others",
    "source/arrow_abi.h": "Arrow's own text",
    "version.h": "two macros",
}
# Names that the examples use without making them.
PRELUDE = """
#include <iostream>
#include <thread>
#include "vpcflow/vpcflow.h"
%s
template <class... T> void Print(const T&...);
template <class... T> void Use(const T&...);
"""
NAMES = """
  std::string_view line, bytes; std::string saved;
  vpcflow::Source source = vpcflow::Source::File("flow.log"); std::vector<vpcflow::Source> sources;
  vpcflow::RecordView rec; vpcflow::Record record(rec); vpcflow::Ip ip; int64_t time = 0; uint64_t hash = 0;
  vpcflow::PlanSpec spec; vpcflow::Table table, today, yesterday; absl::StatusOr<vpcflow::Result> result;
  vpcflow::Total total; (void)time; (void)hash; (void)ip;
"""


def example_of(header: Path) -> list[str]:
    """The lines of a header's example, without what begins them."""
    banner = re.match(r"(//[^\n]*\n)+", header.read_text())
    lines = banner[0].splitlines() if banner else []
    if "// Example:" not in lines:
        return []
    code = []
    for line in lines[lines.index("// Example:") + 1 :]:
        if not line.startswith("//   "):
            break
        code.append(line[5:])
    return code


def main() -> int:
    compiler, source, work, *flags = sys.argv[1:]
    root, out = Path(source), Path(work)
    out.mkdir(parents=True, exist_ok=True)
    bad, bodies, includes = [], [], []
    for header in sorted((root / "include/vpcflow").rglob("*.h")):
        name = str(header.relative_to(root / "include/vpcflow"))
        if name.startswith("internal/") or name.endswith("-inl.h"):
            continue
        code = example_of(header)
        if bool(code) == (name in NO_EXAMPLE):
            bad.append(f"{name}: {'has an example and a reason for none' if code else 'has no example'}")
        includes.append(f'#include "vpcflow/{name}"')
        bodies.append((name, "\n".join(code)))
    for page in sorted([root / "README.md", *(root / "docs").rglob("*.md")]):
        for block in re.findall(r"^```(?:cpp|c\+\+)\n(.*?)^```", page.read_text(), re.M | re.S):
            bodies.append((page.name, block))
    text = PRELUDE % "\n".join(includes)
    for number, (name, body) in enumerate(bodies):
        if not body or "int main" in body:
            continue
        own = [line for line in body.splitlines() if line.startswith("#include")]
        rest = "\n".join(line for line in body.splitlines() if not line.startswith("#include"))
        text += "\n".join(own) + f"\nabsl::Status Example{number}() {{{NAMES}{{\n#line 1 \"{name}\"\n{rest}\n}}\nreturn absl::OkStatus();\n}}\n"
    unit = out / "examples.cc"
    unit.write_text(text)
    done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wno-unused", "-Wno-unused-value", f"-I{root / 'include'}", *flags, str(unit)], capture_output=True, text=True)
    if done.returncode:
        bad.append(done.stderr)
    print("\n".join(bad) if bad else f"examples: {len([b for _, b in bodies if b])} compile")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
