"""Prints the first look at logs: ``vpcflow summary``."""

from __future__ import annotations

import argparse
import json

from .._layout import terminal_width
from ..analyze.summary import Summary, summarize
from ._names import add_names
from ._output import progress_line, write_out
from ._pages import add_zone, style_of
from ._paint import paint_of
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print a first look: span, volume, top talkers, rejects, coverage"
EXAMPLES = "summary logs/\n  vpcflow summary logs/ --start 2026-11-23 --percent --tz local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    add_zone(parser)
    parser.add_argument("--percent", action="store_true", help="add the share of each row in all bytes or records")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with progress_line(True) as progress:
        summary, code = collect(lambda: summarize(flows_of(args), progress=progress))
    if not isinstance(summary, Summary):
        return code
    if code and not summary.report.records:
        return code  # the error was printed, and there is nothing to show
    warn_of_rejects(summary.report, args.json)
    if args.json:
        write_out(json.dumps(summary.as_dict()) + "\n")
    else:
        paint = paint_of()
        bar = paint.bar if paint.bars else None
        write_out(summary.text(width=terminal_width(), zone=style_of(args).zone, percent=args.percent, bar=bar))
    return exit_code_of(summary.report, args, code, quiet=True)
