"""Checks who includes whom: a room may use only what stands before it, and the core only the standard library.

Rooms from the bottom up; a header or source may include its own room and those before it. The engine may use Abseil, re2
only in filter, zlib only in source and synth, xsimd and intrinsics only in simd. Nobody includes another room's -inl.h or a .cc.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ORDER = ["internal", "base", "state", "lines", "format", "record", "aggregate", "sketch", "reach", "error", "simd", "source", "container", "expr", "filter", "enrich", "result", "scan", "keys", "cost", "session", "plan", "export", "events", "detect", "synth", "s3"]
# Rooms that are divided, with their parts in order. The public headers of such a room stand before its parts.
PARTS = {"plan": ["bind", "group", "rows", "run"], "detect": ["detectors"]}
CORE = {"internal", "base", "state", "lines", "format", "record", "aggregate", "sketch", "reach"}
ENGINE_HEADERS = {"vpcflow/aggregate/group_by.h", "vpcflow/internal/storage.h"}  # engine headers in core rooms
TOP = {"vpcflow/version.h", "vpcflow/core.h", "vpcflow/vpcflow.h"}
MAY_USE = {"xsimd/": {"simd"}, "immintrin.h": {"simd"}, "re2/": {"filter"}, "simdjson.h": {"container", "events"}, "zstd.h": {"source"}, "zlib.h": {"source", "synth"}, "isa-l/": {"source"}, "curl/": {"s3"}, "expat.h": {"s3"}, "absl/": set(ORDER) - CORE}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[2] if parts[0] == "include" else parts[1]


def included_room(name: str) -> str:
    return name.split("/")[1] if name.startswith(("vpcflow/", "src/")) and name.count("/") > 1 else ""


def place(name: str) -> int:
    """The place of a file among the parts of its room; -1 for a file that is in none."""
    parts = name.split("/")
    return PARTS[parts[1]].index(parts[2]) if parts[1] in PARTS and len(parts) > 3 else -1


def main() -> int:
    bad = []
    for path in sorted([*ROOT.glob("include/vpcflow/*/*.h"), *ROOT.glob("src/**/*.h"), *ROOT.glob("src/**/*.cc")]):
        room, public = room_of(path), path.is_relative_to(ROOT / "include")
        rel = str(path.relative_to(ROOT / "include")) if public else str(path.relative_to(ROOT))
        if room not in ORDER:
            bad.append(f"{rel}: room '{room}' is not in the house plan")
            continue
        for name in re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.M):
            other = included_room(name)
            own_inl = name.endswith("-inl.h") and public and rel == name.replace("-inl.h", ".h")
            if name.endswith(".cc") or (name.endswith("-inl.h") and not own_inl):
                bad.append(f"{rel}: includes {name}")
            if public and name.startswith("src/"):
                bad.append(f"{rel}: a public header includes the private {name}")
            if other and ORDER.index(other) > ORDER.index(room):
                bad.append(f"{rel}: {room} may not use {other} ({name})")
            if other == room and not public and place(name) > place(rel):
                bad.append(f"{rel}: {name} stands after it in {room}")
            if room in CORE and other and other not in CORE and rel not in ENGINE_HEADERS:
                bad.append(f"{rel}: the core uses {name}")
            if name in TOP - {"vpcflow/version.h"}:
                bad.append(f"{rel}: includes the umbrella {name}")
            for prefix, rooms in MAY_USE.items():
                if name.startswith(prefix) and room not in rooms and rel not in ENGINE_HEADERS:
                    bad.append(f"{rel}: {room} may not use {name}")
            if public and name.startswith("absl/strings/string_view"):
                bad.append(f"{rel}: public headers say std::string_view")
    print("\n".join(bad) if bad else f"layers: {len(ORDER)} rooms, all in order")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
