"""Follows a folder or a bucket and sends alerts: ``vpcflow watch``."""

from __future__ import annotations

import argparse
import hashlib
import json
from typing import cast

from .._display import human_bytes, instant, length, printable
from .._layout import terminal_width, wrapped
from .._units import byte_count, seconds
from .._words import count
from ..alerts import Channel, channel, check
from ..errors import NotifyError, RuleError, SourceNotFoundError
from ..findings.finding import SEVERITIES
from ..io.aws import is_aws_url
from ..rules.model import THROTTLE
from ..watch.evaluation import WatchedDetectors
from ..watch.memory import SINCE
from ..watch.service import Watch
from ..watch.status import status
from ._correlation import add_correlation, correlating_of
from ._detection import add_detectors, add_silences, detector_names, past_of, rules_of, settings_of, silences_of
from ._output import ERROR, FOUND, print_note, write_out
from ._parser import NeedsNothing
from ._sending import add_sending, targets_of
from ._shared import add_aws, aws_of

HELP = "follow logs with detectors, rules and sequences, and send each alert once"
EXAMPLES = (
    "watch logs/ --once --notify jsonl:alerts.jsonl\n"
    "  vpcflow watch logs/ --once --rules rules.yaml --detect --state watch.sqlite --notify jsonl:-\n"
    "  vpcflow watch logs/ --cloudtrail trail/ --once --notify jsonl:alerts.jsonl\n"
    "  vpcflow watch --status --state watch.sqlite"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "source", metavar="FOLDER|URL",
        help="follow a folder, a quoted pattern, or s3://, sqs://, cloudwatch://, kinesis://, kafka://",
    )  # fmt: skip
    parser.add_argument("--rules", metavar="RULES", help="load rules and silences from this YAML or JSON file")
    parser.add_argument("--detect", action="store_true", help="run the detectors, too (default without --rules)")
    add_detectors(parser)
    add_silences(parser)
    parser.add_argument(
        "--baseline", metavar="FILE", help="report what is new compared to this file of vpcflow baseline"
    )
    parser.add_argument(
        "--span", default="1d", metavar="TIME", help="look back this far with the detectors (default 1d)"
    )
    parser.add_argument(
        "--min-severity",
        "--least",
        choices=SEVERITIES,
        default="medium",
        help="report findings of detectors from this severity on (default medium)",
    )
    parser.add_argument(
        "--notify", action="append", default=[], metavar="URL",
        help="send alerts to jsonl:PATH, https://..., alertmanager+http://HOST, syslog://HOST, any URL of Apprise; or "
        "to the URL that env:NAME or file:PATH hold (default: jsonl:-)",
    )  # fmt: skip
    parser.add_argument("--state", default="vpcflow-watch.sqlite", metavar="FILE", help="keep the state in this file")
    parser.add_argument("--interval", default="30s", metavar="TIME", help="look for new files every TIME (default 30s)")
    parser.add_argument(
        "--throttle",
        default=THROTTLE,
        metavar="TIME",
        help="merge repeated findings within TIME into one alert (default 1h)",
    )
    parser.add_argument(
        "--repeat", metavar="TIME", help="re-send an alert for an ongoing incident after TIME (default: never)"
    )
    parser.add_argument(
        "--settle", default="5s", metavar="TIME", help="wait until a file has been unchanged for TIME (default 5s)"
    )
    parser.add_argument(
        "--since", choices=SINCE, help="begin a new state of a URL with what comes from now on, of the last 24h, or all"
    )
    parser.add_argument("--format", help="parse logs without a header line by this format")
    parser.add_argument("--allow-host", action="append", default=[], metavar="HOST[:PORT]",
                       help="allow a webhook's host to be private, and plain http")  # fmt: skip
    parser.add_argument(
        "--status", action=NeedsNothing, nargs=0, help="print what the --state holds, changing nothing, and end"
    )
    parser.add_argument("--json", action="store_true", help="print the --status as a JSON object")
    parser.add_argument("--once", action="store_true", help="look once, deliver, and exit: 1 if there were alerts")
    add_correlation(parser)
    add_sending(parser)
    add_aws(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.status:
        return _print_status(args)
    own, silences = rules_of(args.rules)
    silences = [*silences, *silences_of(args.silences, own)]
    detectors: WatchedDetectors | None = None
    if args.detect or not args.rules:
        detectors = cast("WatchedDetectors", {**settings_of(args.set), "only": detector_names(args.only)})
    settle = 0.0 if args.settle in ("0", "0s") else float(seconds(args.settle, "--settle"))
    interval = seconds(args.interval, "--interval")
    targets = targets_of(args)
    channels = _channels(args.notify or ([] if targets else ["jsonl:-"]), tuple(args.allow_host))
    if channels is None:
        return ERROR
    watch = Watch(
        args.source, own, channels, args.state, silences=silences, throttle=args.throttle, detectors=detectors,
        baseline=past_of(args), repeat=args.repeat, span=args.span,
        min_severity=args.min_severity, format=args.format, log=print_note, settle=settle,
        since=args.since, aws=aws_of(args), correlation=correlating_of(args), targets=targets,
        outbox=byte_count("--outbox", args.outbox),
    )  # fmt: skip
    try:
        if args.once:
            return _watch_once(watch, args)
        watch.run(interval)
    finally:
        watch.close()
    return 0


def _print_status(args: argparse.Namespace) -> int:
    found = status(args.state)
    if args.json:
        write_out(json.dumps(found) + "\n")
        return 0
    by_severity = ", ".join(f"{n:,} {severity}" for severity, n in found["by_severity"].items())
    lines = [
        f"{args.state}: {count(found['files'], 'file')} read, {found['unreadable']:,} unreadable"
        + (f"; the newest is of {instant(found['newest'])} UTC" if found["newest"] is not None else ""),
        *([f"{count(found['changed'], 'file')} changed after that; what is new in them is not read"]
          if found["changed"] else []),
        count(found["incidents"], "incident") + (f": {by_severity}" if by_severity else ""),
        f"{count(found['alerts'], 'alert')}, {found['silenced']:,} silenced"
        + (f"; the last at {instant(found['last_alert'])} UTC" if found["last_alert"] is not None else ""),
        f"{count(found['undelivered'], 'delivery', 'deliveries')} pending, {found['failing']:,} failing"
        + (f"; next try at {instant(found['next_try'])} UTC" if found["failing"] else ""),
    ]
    if found["newest_event"]:
        late = found["lateness"]
        newest = ", ".join(
            f"{name} {instant(end)}" + (f" (up to {length(late[name])} late)" if name in late else "")
            for name, end in found["newest_event"].items()
        )
        waiting = f"; the next is told at {instant(found['next_match'])} UTC" if found["provisional"] else ""
        lines += [
            f"{count(found['event_files'], 'file')} of events; held: {count(found['events_held'], 'event')}, "
            f"{count(found['records_held'], 'record')}; up to: {newest} UTC",
            f"{count(found['matches'], 'match', 'matches')}, {found['provisional']:,} provisional{waiting}",
        ]
    for sink in found["sinks"]:
        about = f"{sink['waiting']:,} waiting" + (f" ({human_bytes(sink['bytes'])})" if sink["bytes"] else "")
        line = f"{sink['sink']}: {sink['sent']:,} sent, {about}, {sink['dead']:,} not taken"
        if sink["failures"]:
            line += f"; {count(sink['failures'], 'failure')} in a row, next try at {instant(sink['next_try'])} UTC"
        if sink["why"]:
            line += f"; fails since {instant(sink['since'])} UTC: {sink['why']}"
        lines.append(line)
    for line in lines:
        write_out("\n".join(wrapped(printable(line), terminal_width())) + "\n")
    return 0


def _channels(urls: list[str], allowed: tuple[str, ...]) -> dict[str, Channel] | None:
    """Opens the channels, by names that stay the same; ``None`` if one cannot be, after printing why."""
    out: dict[str, Channel] = {}
    wrong = False
    for url in urls:
        try:
            one = channel(url, allow_hosts=allowed)
            out[hashlib.sha256(url.encode()).hexdigest()[:16]] = one
            check(one)
        except RuleError as error:
            print_note(f"error: {error}")
            wrong = True
        except NotifyError as error:
            print_note(f"note: unreachable now, will be retried: {error}")
    return None if wrong else out


def _watch_once(watch: Watch, args: argparse.Namespace) -> int:
    alerts = watch.poll()
    if not watch.seen and not is_aws_url(args.source):
        raise SourceNotFoundError(f"{args.source}: no files to read")
    watch.deliver()
    if watch.young:
        young = len(watch.young)
        are, were = ("is", "was") if young == 1 else ("are", "were")
        note = f"{are} younger than --settle {args.settle} and {were} not read; run again or --settle 0"
        print_note(f"{count(young, 'file')} {note}")
    if watch.damaged or watch.undelivered:
        return ERROR  # which was printed
    return FOUND if alerts else 0
