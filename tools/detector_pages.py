"""What is made of the detectors' rows, the settings of the Python package and docs/reference/detectors.md; and the summary of
what was measured of them."""

import textwrap

from vpcflow.detect.rows import ROWS, SHARED_SETTINGS, all_settings

BEGIN, END = "<!-- made of detection-measured.md by tools/generate_docs.py -->", "<!-- end of the summary -->"

TYPES = {
    "bool": "bool", "integer": "int", "number": "float", "prefixes": "Sequence[str]", "duration": "str | int",
    "address_list": "Sequence[str] | str", "address_labels": "str",
}  # fmt: skip
EMPTY = {"address_list": (), "address_labels": ""}

MODULE = '''"""The settings of the detectors. Made of their rows by tools/generate_docs.py; do not edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypedDict


class DetectorSettings(TypedDict, total=False):
    """The settings of :func:`vpcflow.detect` for type checkers, all optional; sizes may be texts, as
    ``"500MB"``; meanings and defaults: :class:`Settings`."""

{types}


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of :func:`vpcflow.detect`, by name. Prefixes are texts, any number of them.

    >>> Settings().scan_ports, Settings(scan_ports=50).scan_ports
    (25, 50)
    """

{fields}
'''


def literal(value):
    """A default as Python code, with `_` between thousands."""
    if isinstance(value, bool) or not isinstance(value, (int, tuple)):
        return f'"{value}"' if isinstance(value, str) else repr(value)
    return f"{value:_}" if isinstance(value, int) else "(" + ", ".join(f'"{v}"' for v in value) + ")"


def settings_module() -> str:
    """The text of python/vpcflow/detect/settings.py."""
    types, fields = [], []
    for name, row in all_settings().items():
        kind = TYPES[row["type"]]
        default = EMPTY.get(row["type"], row["default"])
        whose = ", ".join(row["detectors"]) or "all detectors"
        unit = f" [{row['unit']}]" if row["unit"] else ""
        comment = textwrap.wrap(f"{whose}: {row['meaning'].replace('`', '``')}{unit}.", 113, break_on_hyphens=False)
        types.append(f"    {name}: {kind}{' | str' if row['unit'] == 'bytes' else ''}")
        fields += [*(f"    #: {line}" for line in comment), f"    {name}: {kind} = {literal(default)}"]
    return MODULE.format(types="\n".join(types), fields="\n".join(fields))


def shown(row) -> str:
    """A default for people."""
    value = row["default"]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else f"{value:g}" if isinstance(value, float) else value


def settings_list(rows) -> list[str]:
    return [f"- `{s['name']}` = {shown(s)}{' ' + s['unit'] if s['unit'] else ''}: {s['meaning']}" for s in rows]


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 140, break_on_hyphens=False)


def needs_of(row) -> str:
    """The fields that a detector needs."""
    def names(essential):
        return [" or ".join(f"`{f}`" for f in need["fields"]) for need in row["needs"] if need["essential"] is essential]

    less = f" Sees less without {', '.join(dict.fromkeys(names(False)))}." if names(False) else ""
    return f"Sees nothing without {', '.join(names(True))}.{less}"


DETECTORS = """# Detectors

Made of the detectors' rows by `tools/generate_docs.py`; do not edit. `vpcflow detect --settings` prints the settings, `--json` one object a line;
`vpcflow.detect.Settings` has the defaults, `DetectorSettings` the types. Set them by `--set NAME=VALUE`, or as arguments of `vf.detect`.

"""


def detectors_page() -> str:
    """docs/reference/detectors.md."""
    lines = ["| detector | technique | looks for |", "| --- | --- | --- |"]
    lines += [f"| [`{row['name']}`](#{row['name']}) | {row['technique']} | {row['meaning']} |" for row in ROWS]
    lines += ["", "All detectors have:", "", *settings_list(SHARED_SETTINGS)]
    for row in ROWS:
        inputs = "".join(f" Needs `{name}=`." for name in row["inputs"])
        lines += ["", f"## {row['name']}", "", *wrapped(f"{row['method']}{inputs}"), ""]
        lines += wrapped(f"Cannot see: {row['misses']}. {needs_of(row)}")
        if row["settings"]:
            lines += ["", "Settings:", "", *settings_list(row["settings"])]
    return DETECTORS + "\n".join(lines) + "\n"


def summary(measured: str) -> list[str]:
    """The last rows of the office in detection-measured.md: what was told, and what was false."""
    begin = measured.index("<!-- measured by bench/detection/office.py -->")
    rows = measured[begin : measured.index("<!-- end of office -->")].splitlines()
    cells = [[cell.strip(" *") for cell in row.split("|")[1:-1]] for row in rows if row.startswith("| **")]
    (head,) = [row for row in rows if row.startswith("| attack |")]
    columns = [cell.strip() for cell in head.split("|")[2:-1]]
    (counted,) = [row for row in rows if " seeds from " in row]
    names = {"false a day": "false findings a day"}
    lines = ["| | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    lines += [f"| {names.get(name, f'attacks {name}')} | {' | '.join(rest)} |" for name, *rest in cells]
    return [*lines, "", counted]


def detection_page(page: str, measured: str) -> str:
    """docs/explanation/detection.md with its summary made again."""
    head, rest = page.split(BEGIN)
    return "\n".join([f"{head}{BEGIN}", "", *summary(measured), "", f"{END}{rest.split(END)[1]}"])
