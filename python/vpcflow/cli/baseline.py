"""Builds, updates and shows baselines: ``vpcflow baseline``."""

from __future__ import annotations

import argparse
import json

from .._layout import terminal_width, wrapped
from .._units import seconds
from ..detect.history import EDGES, Baseline
from ..io.writing import check_writable
from ._output import print_note, progress_line, write_out
from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "learn what is usual from past logs, for detect and watch --baseline"
EXAMPLES = (
    "baseline build logs/ -o usual.vpcflow\n  vpcflow baseline update logs/ usual.vpcflow\n"
    "  vpcflow baseline show usual.vpcflow\n  vpcflow detect logs/ --baseline usual.vpcflow"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "learn a baseline from logs"
    build = verbs.add_parser("build", help=text, description=text)
    add_input(build)
    build.add_argument("-o", "--out", required=True, metavar="FILE", help="write to FILE")
    build.add_argument(
        "--limit", type=positive, default=EDGES, metavar="N",
        help=f"keep N conversations, those seen most (default {EDGES:,})",
    )  # fmt: skip
    text = "add logs to a baseline, which must not have them yet"
    update = verbs.add_parser("update", help=text, description=text)
    add_input(update)
    update.add_argument("baseline", metavar="FILE", help="add to this baseline")
    for verb in (build, update):
        verb.add_argument("--idle", default="10m", metavar="TIME", help="end a session after TIME (default 10m)")
    text = "print what is in a baseline, and from when to when"
    show = verbs.add_parser("show", help=text, description=text)
    show.add_argument("baseline", metavar="FILE", help="show this baseline")
    show.add_argument("--json", action="store_true", help="print a JSON object instead of a line for people")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "show":
        return _show(Baseline.load(args.baseline), args)
    path = args.out if args.verb == "build" else args.baseline
    check_writable(path)
    past = Baseline(limit=args.limit) if args.verb == "build" else Baseline.load(path)
    seconds(args.idle, "--idle")
    flows = flows_of(args)
    with progress_line(True) as progress:
        sessions, code = collect(lambda: flows.sessions(idle=args.idle)._in_any_order().collect(progress=progress))
    warn_of_rejects(sessions.report, args.json)
    code = exit_code_of(sessions.report, args, code)
    if code:
        print_note(f"nothing learned from these logs; {path} is unchanged")
        return code
    past = past.with_sessions(sessions)
    past.save(path)
    return _show(past, args)


def _show(past: Baseline, args: argparse.Namespace) -> int:
    if args.json:
        write_out(json.dumps(past.describe()) + "\n")
    else:
        write_out("\n".join(wrapped(str(past), terminal_width())) + "\n")
    return 0
