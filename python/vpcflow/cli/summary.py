"""Prints the first look at logs: ``vpcflow summary``."""

from __future__ import annotations

import argparse
import json

from ..analyze.summary import Summary, summarize
from ._output import progress_line, put
from ._shared import add_input, collect, flows_of, say_first, verdict

HELP = "the first look: span, volume, top talkers, rejects, coverage"
EXAMPLES = "summary logs/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with progress_line(True) as progress:
        summary, code = collect(lambda: summarize(flows_of(args), progress=progress))
    if not isinstance(summary, Summary):
        return code
    if code and not summary.report.records:
        return code  # the error has been told, and there is nothing to show
    say_first(summary.report, args.json)
    put(json.dumps(summary.as_dict()) + "\n" if args.json else summary.text())
    return verdict(summary.report, args, code, quiet=True)
