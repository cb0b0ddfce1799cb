"""Writes what is made from what the code knows: pages of docs/reference, the settings of detectors in the Python package, the
names in vpcflow/typing.py, manual pages and completions. python tools/generate_docs.py"""

from pathlib import Path

import detector_pages
import event_pages
import shell_pages

import vpcflow as vf
from vpcflow import _core

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TYPING = ROOT / "python" / "vpcflow" / "typing.py"
BEGIN, END = "# -- made by tools/generate_docs.py: names of the engine\n", "# -- made until here\n"
ALIASES = {
    "BinBy": "``bin_by=``: how a record that spans several time bins is counted.",
    "Container": "``container=``: what records are wrapped in.",
    "Duplicates": "``duplicates=``: what becomes of a file with the bytes of an earlier one.",
    "ErrorKind": "The engine's kinds of errors, as in :attr:`vpcflow.Report.errors`.",
    "OnError": "``on_error=``: what a malformed line does.",
    "RejectReason": "Why a line is rejected, :func:`vpcflow.reject_reasons`.",
    "Severity": "Severities of findings, worst first.",
    "Vantage": "``vantage=``: whose figures a session has that several interfaces saw.",
    "Verdict": "Whether logs of a format can answer an analysis.",
}


def fields_page() -> str:
    """The page with every field, filter and aggregate fact that the code knows."""
    rows = [
        f"| `{f['name']}` | {f['version']} | {f['delivered_in']} | {f['type']} | {f['unit']} | {'' if f['nullable'] else 'yes'} | {f['meaning']} |"
        for f in vf.fields()
    ]
    reasons = [f"| `{name}` | {meaning} |" for name, meaning in vf.reject_reasons().items()]
    return "\n".join(
        [
            "# Fields",
            "",
            "Made by `tools/generate_docs.py` from the catalogue in `include/vpcflow/format/catalogue.h`; do not edit.",
            "",
            "Python columns and C++ getters have `_` for `-`. In a log `-` is null in every field. *Always set*: AWS promises a value.",
            "",
            "| field | version | delivered in | type | unit | always set | meaning |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            "## Why a line is rejected",
            "",
            "| reason | meaning |",
            "| --- | --- |",
            *reasons,
            "",
        ]
    )


def made(page: str, name: str, lines: list[str]) -> str:
    """A page with the lines between its marks of that name."""
    begin, end = f"<!-- made by tools/generate_docs.py: {name} -->", f"<!-- end of {name} -->"
    head, rest = page.split(begin)
    return "\n".join([head + begin, "", *lines, "", end + rest.split(end)[1]])


def formats_page(page: str) -> str:
    """The page about formats and containers, with its parts from the code made again."""
    containers = [f"- `{name}`: {meaning}" for name, meaning in vf.containers().items()]
    formats = ["default", "v3", "v5", "v8", "v11", "tgw"]
    verdicts = {f: {c["analysis"]: c["verdict"] for c in vf.capabilities(f)} for f in formats}
    lines = ["| analysis | " + " | ".join(formats) + " |", "| --- " * (len(formats) + 1) + "|"]
    for c in vf.capabilities("default"):
        name = c["analysis"]
        lines.append(f"| `{name}`: {c['meaning']} | " + " | ".join(verdicts[f][name] for f in formats) + " |")
    return made(made(page, "containers", containers), "capabilities", lines)


def typing_module() -> str:
    """vpcflow/typing.py with the aliases of what users choose from."""
    names = _core.names()
    lines = []
    for alias, meaning in ALIASES.items():
        items = [f'"{name}"' for name in names[alias]]
        literal = f"{alias} = Literal[{', '.join(items)}]"
        if len(literal) > 120:
            literal = "\n".join([f"{alias} = Literal[", *(f"    {item}," for item in items), "]"])
        lines += [f"#: {meaning}", literal]
    before, rest = TYPING.read_text().split(BEGIN)
    return before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1]


def pages() -> dict[Path, str]:
    """All that is made, by its path."""
    formats = DOCS / "reference" / "formats.md"
    detection = DOCS / "explanation" / "detection.md"
    measured = DOCS / "explanation" / "detection-measured.md"
    return {
        DOCS / "reference" / "fields.md": fields_page(),
        DOCS / "reference" / "events.md": event_pages.events_page(),
        formats: formats_page(formats.read_text()),
        DOCS / "reference" / "detectors.md": detector_pages.detectors_page(),
        detection: detector_pages.detection_page(detection.read_text(), measured.read_text()),
        ROOT / "python" / "vpcflow" / "detect" / "settings.py": detector_pages.settings_module(),
        TYPING: typing_module(),
        **shell_pages.pages(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
