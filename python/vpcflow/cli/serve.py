"""Serves aggregates over HTTP: ``vpcflow serve``."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import threading
from typing import Any

from .._units import seconds
from .._words import count
from ..alerts.opening import kept_elsewhere
from ..detect.detect import checked_settings
from ..detect.settings import Settings
from ..errors import PlanError, RuleError, VpcflowError
from ..io.listening import address_of
from ..live.state import read_state
from ..serve.beside import Beside, beside
from ..serve.board import EVERY, MOST_FLOWS, Board, Figures
from ..serve.gathering import gather
from ..serve.metrics import series_of
from ..serve.server import Server
from ..watch.status import status
from ._detection import settings_of
from ._output import print_note, progress_line
from ._parser import InsteadOfPaths, positive
from ._shared import add_input, collect, exit_code_of, flows_read_often

HELP = "serve tables, series, a graph, annotations and metrics over HTTP, for Grafana and others"
_LOOK = 2.0  # seconds between two looks at the state of a watch
EXAMPLES = "serve logs/ --state watch.sqlite --listen 127.0.0.1:9432 --refresh 5m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--listen", default="127.0.0.1:9432", metavar="HOST:PORT", help="listen there (default 127.0.0.1:9432)"
    )
    parser.add_argument(
        "--token", metavar="PLACE",
        help="ask for the token that env:NAME or file:PATH hold; needed if others than this machine reach it",
    )  # fmt: skip
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="answer requests for this name, as of a proxy; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--state", action=InsteadOfPaths, metavar="FILE",
        help="serve what the watch with this state told, too; without PATH also the traffic that it counts",
    )  # fmt: skip
    parser.add_argument("--refresh", metavar="TIME", help="read the logs again every so often: 5m, 1h (default: never)")
    parser.add_argument(
        "--every",
        default=f"{EVERY}s",
        metavar="TIME",
        help="the length of bins, to which times are widened (default 5m)",
    )
    parser.add_argument(
        "--max-flows", type=positive, default=MOST_FLOWS, metavar="N",
        help=f"hold as many flows for questions about part of the time (default {MOST_FLOWS:,})",
    )  # fmt: skip
    parser.add_argument("--controls", metavar="FILE", help="serve the verdicts of these controls, too, of all the logs")
    parser.add_argument(
        "--inventory", metavar="DIR", help="serve the cost by path, too, by this folder of answers of describe calls"
    )
    parser.add_argument("--prices", metavar="FILE", help="a price sheet for it (default: public list prices)")
    parser.add_argument(
        "--zones", metavar="FILE",
        help="name zones by this CSV file of prefixes and names (default: availability zones of the inventory, or "
        "private and outside)",
    )  # fmt: skip
    parser.add_argument("--no-detect", action="store_true", help="run no detectors")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting of a detector; repeatable"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    host, port = address_of(args.listen)
    if args.token is not None and not args.token.startswith(("env:", "file:")):
        raise RuleError("--token: a secret on a command line is seen by all; give env:NAME or file:PATH")
    token = kept_elsewhere(args.token, "--token") if args.token is not None else None
    if args.refresh is not None and not args.paths:
        raise PlanError("serve: --refresh reads logs again; give PATH, too")
    if args.refresh is not None and "-" in args.paths:
        raise PlanError("serve: --refresh reads logs again, and standard input comes once; give files")
    if args.prices is not None and args.inventory is None:
        raise PlanError("serve: --prices is of no use without --inventory DIR, by which paths are told")
    refresh = None if args.refresh is None else seconds(args.refresh, "--refresh")
    state = _state_of(args)
    settings = None if args.no_detect else checked_settings((), settings_of(args.set))
    server = Server(host, port, Board(None, state), token, tuple(args.allow_host))  # before logs are read
    try:
        figures = _figures(args, settings) if args.paths or args.flow_log else None
        more = _beside(args)
        code = 0 if figures is None else exit_code_of(figures.report, args, 0)
    except BaseException:
        server.close()
        raise
    if code:
        server.close()
        return code
    counted = figures is None and state is not None
    board = Board(_counted(state) if counted and state else figures, state, more)
    server.replace(board)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    print_note(f"listening at {server.url}; {count(series_of(board), 'series', 'series')} at {server.url}metrics")
    if refresh is not None:
        threading.Thread(target=_refreshing, args=(server, args, settings, refresh, state), daemon=True).start()
    if counted and state:
        threading.Thread(target=_following, args=(server, state, more), daemon=True).start()
    server.run()
    return 0


def _state_of(args: argparse.Namespace) -> str | None:
    if args.state is None:
        return None
    if len(args.state) > 1:
        raise PlanError("serve: --state is given twice; one watch has one")
    path = str(args.state[0])
    status(path)  # that it can be read is known before anything is served
    return path


def _counted(state: str) -> Figures | None:
    """Returns what a watch has counted of the traffic lately; ``None`` if it has counted none."""
    read = read_state(state, None)
    if read.since is None:
        return None
    return dataclasses.replace(read.figures, lacking={"sessions": "a watch keeps none; serve the logs"})


def _following(server: Server, state: str, more: Beside) -> None:
    """Serves what the watch counts, as it counts."""
    pause, seen = threading.Event(), Board(None, state).stamp()
    while not pause.wait(_LOOK):
        now = Board(None, state).stamp()
        if now == seen:
            continue
        try:
            server.replace(Board(_counted(state), state, more))
            seen = now
        except VpcflowError as error:
            print_note(f"error: {error}; what was read before is served")


def _figures(args: argparse.Namespace, settings: Settings | None) -> Figures:
    every = seconds(args.every, "--every")
    with progress_line(True) as progress:
        run: Any = lambda: gather(  # noqa: E731
            flows_read_often(args), every=every, most=args.max_flows, settings=settings, progress=progress
        )
        figures, _ = collect(run)
    made: Figures = figures
    if made.damage is not None:
        print_note(f"error: {made.damage}; what could be read is served")
    return made


def _beside(args: argparse.Namespace) -> Beside:
    """Returns what other documents say of the logs."""
    flows = flows_read_often(args) if args.controls or args.inventory else None
    return beside(flows, controls=args.controls, inventory=args.inventory, prices=args.prices, zones=args.zones)


def _refreshing(
    server: Server, args: argparse.Namespace, settings: Settings | None, every: int, state: str | None
) -> None:  # fmt: skip
    pause = threading.Event()
    while not pause.wait(every):
        try:
            server.replace(Board(_figures(args, settings), state, _beside(args)))
        except VpcflowError as error:
            print_note(f"error: {error}; what was read before is served")
