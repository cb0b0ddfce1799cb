"""Shows traffic and findings as they come: ``vpcflow live``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from typing import Any

from .._units import seconds
from ..detect.detect import checked_settings
from ..errors import NoRecordsError, PlanError
from ..live.picture import picture
from ..live.reading import Reading
from ..live.sources import LogSource, Source, StateSource
from ..live.view import ROWS, View, check_where, view
from ..query.flows import Flows
from ..serve.board import EVERY, Figures
from ..serve.gathering import gather
from ..typing import Progress
from ._detection import settings_of
from ._output import ERROR, print_note, progress_line, stdout
from ._parser import InsteadOfPaths, positive
from ._shared import add_input, collect, exit_code_of, flows_of, flows_read_often

HELP = "show traffic and findings as they come, on a screen with keys, as text or as JSON"
EXAMPLES = (
    "live examples/data/sample.log.gz --once\n"
    "  vpcflow live --state watch.sqlite --once --json\n"
    "  vpcflow live logs/ --state watch.sqlite"
)
_SPAN = "1h"  # of a state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--state", action=InsteadOfPaths, metavar="FILE",
        help="show what the watch with this state counts and tells; PATH is then for traces of addresses alone",
    )  # fmt: skip
    parser.add_argument(
        "--span", metavar="TIME", help=f"show the last 15m, 6h, or all (default: {_SPAN} of a state, all of logs)"
    )
    parser.add_argument(
        "--refresh", default="5s", metavar="TIME", help="look for something new every so often (default 5s)"
    )
    parser.add_argument("--once", action="store_true", help="print one picture as plain text, or one object, and end")
    parser.add_argument("-n", type=positive, default=ROWS, metavar="N", help=f"show N rows a panel (default {ROWS})")
    parser.add_argument(
        "--every", default=f"{EVERY}s", metavar="TIME", help="the length of bins of logs (default 5m)"
    )
    parser.add_argument("--no-detect", action="store_true", help="run no detectors on logs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting of a detector; repeatable"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    source = _source_of(args)
    span = _span_of(args)
    refresh = seconds(args.refresh, "--refresh")
    where = (args.where or "") if args.state else ""  # of logs it is applied while they are read
    with progress_line(True) as progress:
        first = source.read(span, progress)
    if where:
        check_where(first, where)
    if not args.once and not args.json and _has_screen():
        from ..live.screen import run_screen

        return run_screen(source, first, span=span, refresh=refresh, where=where, rows=args.n)
    once = args.once or not args.json
    if once:
        _refuse_nothing(first, args)
    reading = first
    while True:
        _write(view(reading, span=span, where=where, rows=args.n), args.json)
        if once:
            return _code_of(reading, args)
        time.sleep(refresh)
        reading = source.read(span)


def _write(made: View, as_json: bool) -> None:
    """Writes at once; a reader that has gone ends the command."""
    out = stdout()
    width = shutil.get_terminal_size((80, 24)).columns
    out.write(json.dumps(made.as_dict()) + "\n" if as_json else picture(made, width))
    out.flush()


def _has_screen() -> bool:
    """Tells whether there is a terminal to draw on and what draws; says so if it lacks that alone."""
    streams = (sys.stdin, sys.stdout, sys.stderr)  # the last is what textual draws on
    if not all(stream is not None and stream.isatty() for stream in streams):
        return False
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        import textual  # noqa: F401
    except ImportError:
        print_note("note: a screen with keys needs textual; pip install 'vpcflow[live]'")
        return False
    return True


def _span_of(args: argparse.Namespace) -> int | None:
    given = args.span or (_SPAN if args.state else "all")
    return None if given == "all" else seconds(given, "--span")


def _source_of(args: argparse.Namespace) -> Source:
    logs = shlex.join(args.paths or ()) or "logs/"
    if args.state is not None:
        if len(args.state) > 1:
            raise PlanError("live: --state is given twice; one watch has one")
        if args.start or args.end:
            raise PlanError("live: --start and --end are of logs; of a state --span is shown")
        return StateSource(str(args.state[0]), (lambda: flows_of(args)) if args.paths else None, logs)
    every = seconds(args.every, "--every")
    settings = None if args.no_detect else checked_settings((), settings_of(args.set))
    flows_read_often(args)  # standard input is kept

    def figures(flows: Flows, progress: Progress | None) -> Figures:
        run: Any = lambda: gather(flows, every=every, settings=settings, progress=progress)  # noqa: E731
        made: Figures = collect(run)[0]
        return made

    return LogSource(args.paths or (), lambda: flows_of(args), figures, logs)


def _refuse_nothing(reading: Reading, args: argparse.Namespace) -> None:
    """Raises :class:`~vpcflow.NoRecordsError` for a state of which a picture would say nothing."""
    if reading.status is not None and not reading.figures.report.records and not args.allow_empty:
        raise NoRecordsError(f"{reading.source}: the watch has read no records yet, so there is nothing to show")


def _code_of(reading: Reading, args: argparse.Namespace) -> int:
    figures = reading.figures
    if figures.damage is not None:
        print_note(f"error: {figures.damage}; what could be read is shown")
    code = 0 if figures.damage is None else ERROR
    return code if reading.status is not None else exit_code_of(figures.report, args, code, quiet=True)
