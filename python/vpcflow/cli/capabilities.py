"""Prints what formats can answer: ``vpcflow capabilities``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence

from .. import _display as display
from .._layout import terminal_width, wrapped
from ..errors import NoRecordsError, PlanError
from ..formats.capabilities import capabilities, recommended_format
from ..query.scan import scan
from ._output import write_out
from ._shared import collect, names_of

HELP = "print what a format can and cannot answer, and which fields to add"
EXAMPLES = (
    "capabilities logs/\n  vpcflow capabilities '${srcaddr} ${dstaddr} ${bytes}' --json\n"
    "  vpcflow capabilities --recommend port_scan,cost"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "what", nargs="*", metavar="FORMAT|PATH", help="examine this format, or the formats of these logs"
    )
    parser.add_argument(
        "--recommend", nargs="?", const="", metavar="ANALYSES", help="print the format that these need (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def _formats_of(what: Sequence[str]) -> dict[str, str]:
    """Returns formats by where they are from: texts of formats, or paths of logs."""
    formats: dict[str, str] = {}
    for text in what:
        if not os.path.exists(text) and not any(c in text for c in "*?["):
            formats[text] = text
            continue
        flows = scan(text)
        try:
            collect(flows.limit(1).collect)
        except NoRecordsError as error:
            if not error.partial.report.headers:  # a header line tells the format, even if it is all there is
                raise
        found = flows.formats
        for number, one in enumerate(found, 1):
            formats[text if len(found) == 1 else f"{text}, format {number} of {len(found)}"] = one
    return formats


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.recommend is not None:
        write_out(recommended_format(names_of(args.recommend)) + "\n")
        return 0
    if not args.what:
        raise PlanError("capabilities: give a format, a log, or --recommend")
    for name, text in _formats_of(args.what).items():
        found = capabilities(text)
        if args.json:
            write_out("".join(json.dumps({"format": name, **capability}) + "\n" for capability in found))
            continue
        lines = [f"{display.printable(name)}:"]
        for c in found:
            lines.append(f"  {c.verdict:10}  {c.analysis:22} {c.meaning}")
            lines += [f"              - {why}" for why in c.why]
            lines += [f"              add: {' '.join(c.add)}"] if c.add else []
        width = terminal_width()
        write_out("".join(f"{part}\n" for line in lines for part in wrapped(line, width, " " * 16)))
    return 0
