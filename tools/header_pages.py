"""The C++ reference: a page for each public header, made of its comments and declarations."""

from __future__ import annotations

import functools
import re
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[1] / "include"
# The rooms in their order, which is that of includes.
ROOMS = [
    *("base", "state", "lines", "format", "record", "aggregate", "sketch", "reach", "error", "simd", "source", "container", "filter"),
    *("enrich", "result", "scan", "cost", "session", "plan", "export", "events", "detect", "synth", "s3"),
]
LEFT_OUT = {"source/arrow_abi.h"}  # Arrow's own text
NAMED = re.compile(r"(?:^|\s)(?:class|struct|enum class|enum|concept|using)\s+(?:\[\[\w+\]\]\s+)?(\w+)")
CALLED = re.compile(r"([\w:~]+|operator\S+)\s*\(")
VALUE = re.compile(r"(?:constexpr|const|extern)\s.*?(\w+)(?:\[\])?\s*(?:=|;|\{)")


def prose(comment: list[str]) -> str:
    """A comment as Markdown: what is indented is code, and an example is C++."""
    out: list[str] = []
    code: list[str] = []
    language = "text"

    def close() -> None:
        nonlocal language
        while code and not code[-1]:
            code.pop()
        if code:
            out.extend(["", f"```{language}", *code, "```", ""])
        code.clear()
        language = "text"

    for raw in comment:
        line = raw.removeprefix("//").removeprefix(" ")
        if line == "Example:":
            close()
            out += ["", "**Example**"]
            language = "cpp"
        elif line.startswith("  ") and not (out and out[-1].startswith(("- ", "  ")) and not code):
            code.append(line.removeprefix("  "))
        elif not line and code:
            code.append("")
        else:
            close()
            out.append(re.sub(r"(?<![`\w])(\w*_\w*|\w+::\w+|\w+\(\))(?![`\w])", r"`\1`", line) if "`" not in line else line)
    close()
    return joined(out)


def joined(lines: list[str]) -> str:
    """Lines with `<` escaped outside of code."""
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", re.sub(r"\n{3,}", "\n\n", "\n".join(lines)), flags=re.M | re.S)
    return "".join(part if i % 2 else part.replace("<", "&lt;") for i, part in enumerate(parts)).strip("\n")


def without_internal(text: str) -> str:
    """A header without its namespaces `internal`."""
    out, depth = [], 0
    for line in text.splitlines(keepends=True):
        if depth or line == "namespace internal {\n":
            depth += braces(line)
        else:
            out.append(line)
    return "".join(out)


def braces(line: str) -> int:
    """How many braces and parentheses a line opens, less those that it closes."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'|//.*', "", line)
    return bare.count("{") - bare.count("}") + bare.count("(") - bare.count(")")


def expanded(text: str) -> str:
    """A header with one pattern in place of each X macro that is defined, used once and undefined."""

    def one(match: re.Match[str]) -> str:
        pattern, rest = match.groups()
        use = re.fullmatch(r"\s*(VPCFLOW_\w+)\(VPCFLOW_X\)\s*", rest)
        if not use:
            return re.sub(r"\w+ VPCFLOW_\w+\(VPCFLOW_X\)", "...", rest)
        lines = re.sub(r"/\*.*?\*/\s*\\\n|^\s*\\\n", "", pattern, flags=re.M).replace("\\\n", "\n").splitlines()
        lines = [line.rstrip() for line in lines if line.strip()]
        if len(lines) > 1:
            return "\n".join([f"  // For each of {use[1]}:", *lines, ""])
        return "  " + re.sub(r"\s*\{.*\}$", ";", lines[0].strip()) + f"  // for each of {use[1]}\n"

    return re.sub(r"^#define VPCFLOW_X\([^)]*\)((?:[^\n]*\\\n)*[^\n]*)\n(.*?)#undef VPCFLOW_X\n", one, text, flags=re.M | re.S)


def declarations(body: str) -> list[list[str]]:
    """The declarations of a header, each with the comment before it: what stands between blank lines at the outermost level."""
    chunks: list[list[str]] = [[]]
    depth = 0
    for line in body.splitlines():
        if not line.strip() and depth == 0:
            chunks.append([])
            continue
        chunks[-1].append(line)
        depth += braces(line)
    return [chunk for chunk in chunks if chunk]


def shown(code: list[str]) -> list[str]:
    """A declaration without private members and without bodies."""
    out: list[str] = []
    hidden: int | None = None
    skip_to: int | None = None
    for line in code:
        indent = len(line) - len(line.lstrip())
        if skip_to is not None:
            if indent <= skip_to and line.strip().startswith("}"):
                skip_to = None
            continue
        if hidden is not None:
            if indent == hidden and line.strip() == "public:":
                hidden = None
            elif not (indent < hidden and line.strip().startswith("};")):
                continue
        hidden = indent if re.match(r"\s*(private|protected):", line) else None
        if hidden is not None:
            continue
        if re.match(r"\s+: \w.*\}$", line) and out:
            out[-1] += ";"  # the initialisers of a constructor
            continue
        if re.search(r"\)[^;{]*\{$", line) and not re.match(r"\s*(class|struct|enum|namespace|union)\b", line):
            start, open_ones = len(out), line.count(")") - line.count("(")
            while open_ones > 0 and start:
                start -= 1
                open_ones += out[start].count(")") - out[start].count("(")
            skip_to = indent if start == len(out) else len(out[start]) - len(out[start].lstrip())
            out.append(re.sub(r"\s*(?<!:)(:[^:].*)?\{$", ";", line))
            continue
        one = re.match(r"(.*\)[^;{}]*?)\s*\{.*\}$", line)
        if one and "=" not in one[1].split("(")[0]:
            out.append(re.sub(r"\)\s*:\s.*$", ")", one[1]) + ";")
            continue
        out.append(line)
    while out and not out[-1].strip():
        out.pop()
    spaced = [line for i, line in enumerate(out) if line.strip() or (i and out[i - 1].strip())]
    return [line for i, line in enumerate(spaced) if line.strip() or not spaced[i + 1].startswith("};")]


def name_of(code: list[str]) -> str:
    """The name of what is declared."""
    if found := re.match(r"#define (\w+)", code[0] if code else ""):
        return found[1]
    text = re.sub(r"//.*", "", "\n".join(line for line in code if not line.startswith("#")))
    text = re.sub(r"template\s*<[^;{]*?>\s*(?=class|struct|using|concept|inline|constexpr|auto|\w)", "", text, count=1)
    first = text.split("{")[0].split(";")[0]
    if found := NAMED.search(first):
        return found[1]
    if found := (VALUE if "=" in first.split("(")[0] else CALLED).search(first if "(" in first else text):
        return found[1]
    found = VALUE.search(text)
    return found[1] if found else ""


def page(path: Path) -> str:
    """The page of a header."""
    name = path.relative_to(INCLUDE).as_posix()
    text = path.read_text(encoding="utf-8")
    banner = re.match(r"(?://[^\n]*\n)+", text)
    lines = [f"# {path.name}", "", f"```cpp\n#include <{name}>\n```", "", prose(banner[0].splitlines()) if banner else ""]
    body = text.split("VPCFLOW_NAMESPACE_BEGIN\n", 1)[-1].rsplit("VPCFLOW_NAMESPACE_END", 1)[0]
    seen: set[str] = set()
    for chunk in declarations(expanded(without_internal(body))):
        first = next((i for i, line in enumerate(chunk) if not line.startswith("//")), len(chunk))
        comment, code = chunk[:first], shown(chunk[first:])
        title = name_of(code)
        if "::" in title:
            continue  # a member's definition
        if not any(line.strip() for line in code):
            if comment:
                lines += ["", prose(comment)]
            continue
        if title and title not in seen and not re.match(r"(class|struct) \w+;$", code[0]):
            seen.add(title)
            lines += ["", f"## {title}"]
        lines += ["", prose(comment), "", "```cpp", *code, "```"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


@functools.cache
def pages() -> dict[str, str]:
    """The page of each public header, by its path in the site, in the order of the rooms."""
    out = {}
    for room in ROOMS:
        for path in sorted((INCLUDE / "vpcflow" / room).glob("*.h")):
            if not path.name.endswith("-inl.h") and f"{room}/{path.name}" not in LEFT_OUT:
                out[f"reference/cpp/{room}/{path.stem}.md"] = page(path)
    return out
