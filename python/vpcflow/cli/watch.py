"""Follows a folder and sends alerts: ``vpcflow watch``."""

from __future__ import annotations

import argparse
import hashlib
from typing import cast

from .._units import seconds
from ..alerts import Channel, channel, check
from ..errors import NotifyError, RuleError, SourceNotFoundError
from ..findings.finding import SEVERITIES
from ..rules.model import THROTTLE
from ..watch.evaluation import WatchedDetectors
from ..watch.service import Watch
from ._detection import add_detectors, detector_names, past_of, rules_of, settings_of
from ._output import note
from ._shared import ERROR, FOUND

HELP = "follow a folder: detectors and rules are asked of new logs, alerts are told once"
EXAMPLES = (
    "watch logs/ --once --notify jsonl:alerts.jsonl\n"
    "  vpcflow watch logs/ --once --rules rules.yaml --detect --state watch.sqlite --notify jsonl:-"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("source", metavar="FOLDER", help="a folder, followed with all below it, or a pattern in quotes")
    parser.add_argument("--rules", metavar="RULES", help="a YAML or JSON file, with silences if need be")
    parser.add_argument("--detect", action="store_true", help="ask the detectors, too; the default without --rules")
    add_detectors(parser)
    parser.add_argument("--baseline", metavar="FILE", help="what was usual before: of vpcflow detect --learn")
    parser.add_argument("--span", default="1d", metavar="TIME", help="how far back the detectors look (default 1d)")
    parser.add_argument(
        "--least", choices=SEVERITIES, default="medium", help="findings of detectors that are told (default medium)"
    )
    parser.add_argument(
        "--notify", action="append", default=[], metavar="URL",
        help="jsonl:PATH, https://..., alertmanager+http://HOST, syslog://HOST, any URL of Apprise; or env:NAME, "
        "file:PATH that hold one (default: jsonl:-)",
    )  # fmt: skip
    parser.add_argument("--state", default="vpcflow-watch.sqlite", metavar="FILE", help="where it keeps its place")
    parser.add_argument("--interval", default="30s", metavar="TIME", help="between looks (default 30s)")
    parser.add_argument("--throttle", default=THROTTLE, metavar="TIME", help="no further apart: one alert (1h)")
    parser.add_argument("--repeat", metavar="TIME", help="what goes on is told again after so long (default: never)")
    parser.add_argument("--settle", default="5s", metavar="TIME", help="a file is read when it is so old (default 5s)")
    parser.add_argument("--format", help="format of logs without header line")
    parser.add_argument("--allow-host", action="append", default=[], metavar="HOST[:PORT]",
                       help="a webhook's host that may be private, and plain http")  # fmt: skip
    parser.add_argument("--once", action="store_true", help="look once, deliver, and end: 1 if there were alerts")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    own, silences = rules_of(args.rules)
    detectors: WatchedDetectors | None = None
    if args.detect or not args.rules:
        detectors = cast("WatchedDetectors", {**settings_of(args.set), "only": detector_names(args.only)})
    settle = 0.0 if args.settle in ("0", "0s") else float(seconds(args.settle, "--settle"))
    interval = seconds(args.interval, "--interval")
    channels = _channels(args.notify or ["jsonl:-"], tuple(args.allow_host))
    if channels is None:
        return ERROR
    watch = Watch(
        args.source, own, channels, args.state, silences=silences, throttle=args.throttle, detectors=detectors,
        baseline=past_of(args), repeat=args.repeat, span=args.span,
        least=args.least, format=args.format, log=note, settle=settle,
    )  # fmt: skip
    try:
        if args.once:
            return _watch_once(watch, args)
        watch.run(interval)
    finally:
        watch.close()
    return 0


def _channels(urls: list[str], allowed: tuple[str, ...]) -> dict[str, Channel] | None:
    """The channels by a name that stays; nothing if one of them cannot be, after all of these were told."""
    out: dict[str, Channel] = {}
    wrong = False
    for url in urls:
        try:
            one = channel(url, allow_hosts=allowed)
            out[hashlib.sha256(url.encode()).hexdigest()[:16]] = one
            check(one)
        except RuleError as error:
            note(f"error: {error}")
            wrong = True
        except NotifyError as error:
            note(f"note: not to be reached now, to be tried again: {error}")
    return None if wrong else out


def _watch_once(watch: Watch, args: argparse.Namespace) -> int:
    alerts = watch.poll()
    if not watch.seen:
        raise SourceNotFoundError(f"{args.source}: no files to read")
    watch.deliver()
    if watch.young:
        files = "1 file is" if len(watch.young) == 1 else f"{len(watch.young):,} files are"
        were = "was" if len(watch.young) == 1 else "were"
        note(f"{files} younger than --settle {args.settle} and {were} not read; run again or --settle 0")
    if watch.damaged or watch.undelivered:
        return ERROR  # what it is was told
    return FOUND if alerts else 0
