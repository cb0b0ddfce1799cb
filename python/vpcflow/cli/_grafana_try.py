"""Starts stand-ins for Grafana over logs: ``vpcflow grafana try``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from typing import Any

from .. import _core
from .._words import count
from ..detect.detect import checked_settings
from ..grafana.stand_ins import STAND_INS, Running, answer, draw, found
from ..query.flows import Flows
from ..query.scan import query
from ..serve.board import EVERY, Figures
from ..serve.gathering import gather
from ..synthetic import synth
from ._output import ERROR, finish, print_note, progress_line, write_out
from ._shared import add_reading, collect, exit_code_of, flows_read_often

_EVERY_LINE = "log_status is null or log_status is not null"
_LOOK = 0.5  # seconds between looks at what runs
_MADE = 30_000  # records, without logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the verb to its parser."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="show these logs: files, folders, patterns, URLs, or - (default: made ones, with attacks)",
    )  # fmt: skip
    add_reading(parser)
    parser.add_argument(
        "--with", dest="with_", action="append", default=[], choices=list(STAND_INS), metavar="NAME",
        help=f"start this one: {', '.join(STAND_INS)}; may be repeated (default: what is installed)",
    )  # fmt: skip
    parser.add_argument("--open", action="store_true", help="open the pages in a browser, where there is a display")
    parser.add_argument("--no-detect", action="store_true", help="run no detectors")


def run(args: argparse.Namespace) -> int:
    """Runs the verb until it is interrupted, and returns its exit code."""
    programs = found(args.with_)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended
    with contextlib.ExitStack() as stack:
        args.paths = args.paths or ([] if args.flow_log else [stack.enter_context(_made_logs())])
        flows = flows_read_often(args)
        with progress_line(True) as progress:
            settings = None if args.no_detect else checked_settings((), {})
            figures, code = collect(lambda: gather(flows, most=1, settings=settings, progress=progress))
        if figures.damage is not None:
            print_note(f"error: {figures.damage}; what could be read is shown")
            code = ERROR
        code = exit_code_of(figures.report, args, code)
        format = _format_of(flows)
        started, told = [], []
        for name, program in programs.items():
            running, has = _started(name, program, flows, format, figures)
            stack.callback(running.close)
            started.append(running)
            told.append(has)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        for running, has in zip(started, told):
            _say(args, running, has)
        print_note("they end with this command: Ctrl-C")
        if args.open:
            _open([running.page for running in started])
        while not ended.wait(_LOOK):
            for running in started:
                if not running.alive:
                    print_note(f"error: {running.name} ended by itself: {running.last_words()}")
                    return ERROR
    return code


@contextlib.contextmanager
def _made_logs() -> Iterator[str]:
    """Writes logs with planted attacks, and says so."""
    with tempfile.NamedTemporaryFile(prefix="vpcflow-", suffix=".log") as file:
        file.write(synth(_MADE, seed=7, plant="all").data or b"")
        file.flush()
        print_note(f"no PATH: these are {_MADE:,} made records, with planted attacks")
        yield file.name


def _format_of(flows: Flows) -> str:
    """Returns the fields of logs that the catalogue knows, as a format."""
    names = [name.replace("_", "-") for name, _ in query(allow_missing=True).bind(flows).schema]
    return " ".join(name for name in names if _core.find_field(name) == name)


def _started(name: str, program: str, flows: Flows, format: str, figures: Figures) -> tuple[Running, str]:
    """Starts a stand-in with its data, and says what it has."""
    if name == "victoriametrics":
        return draw(program, figures, format), f"bins of {EVERY // 60} minutes"
    every_line = flows.filter(_EVERY_LINE) if "log-status" in format.split() else flows
    running, told = answer(program, every_line, format, figures)
    less = told.sent - told.there
    lacks = f"; {less:,} of {told.sent:,} did not arrive, as those without a start do not" if less else ""
    return running, count(told.there, "record") + lacks


def _say(args: argparse.Namespace, running: Running, has: str) -> None:
    if args.json:
        row: dict[str, Any] = {"name": running.name, "url": running.url, "page": running.page, "has": has}
        write_out(json.dumps(row) + "\n")
    else:
        write_out(f"{running.name} {STAND_INS[running.name].shows} ({has}):\n  {running.page}\n")
    finish()  # it is read while the command runs


def _open(pages: list[str]) -> None:
    """Opens pages where a browser can be shown."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print_note("no display here, so that no browser is opened; the pages are above")
        return
    for page in pages:
        if not webbrowser.open(page):
            print_note("no browser here; the pages are above")
            return
