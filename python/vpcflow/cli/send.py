"""Sends events to SIEMs, streams and files: ``vpcflow send``."""

from __future__ import annotations

import argparse
import contextlib
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Callable

from .._units import seconds
from .._words import count
from ..alerts.opening import kept_elsewhere
from ..errors import DataQualityWarning, PlanError, VpcflowError
from ..siem.events import Events
from ..siem.export import export, schemas
from ..siem.findings import OWN, FindingFile, holds_findings
from ..sinks.dead import DeadLetters
from ..sinks.marks import Marks
from ..sinks.opening import open_sink, schemes, takes_alerts
from ..sinks.replay import replay
from ..sinks.sending import PATIENCE, Sent, send
from ._output import ERROR, StatusLine, print_note, write_out
from ._parser import InsteadOfPaths
from ._shared import add_community_id, add_input, aws_of, exit_code_of, flows_of, note_if_none_passed

HELP = "send sessions, records or findings as events to a SIEM, a stream or a file"
EXAMPLES = (
    "send logs/ --to file:events.jsonl --as ecs --unit records\n"
    "  vpcflow send s3://bucket/AWSLogs/ --to opensearch+https://search:9200/flows --as ecs --auth env:SEARCH\n"
    "  vpcflow send findings.jsonl --to alertmanager+http://127.0.0.1:9093\n"
    "  vpcflow send --replay vpcflow-dead.jsonl --to opensearch+https://search:9200/flows --auth env:SEARCH"
)
_UNITS = ("sessions", "records", "findings")
_OF_FINDINGS = ("asff", "leef", OWN)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    group = parser.add_argument_group("sending")
    group.add_argument(
        "--to", required=True, metavar="URL",
        help=f"send there, e.g. opensearch+https://HOST:9200/INDEX; or env:NAME, which has the URL; schemes: "
        f"{', '.join(schemes())}",
    )  # fmt: skip
    group.add_argument(
        "--as", dest="as_", metavar="SCHEMA", choices=[*schemas(), *_OF_FINDINGS],
        help=f"send events of this schema: {', '.join(schemas())}; findings: ocsf, ecs, cef, {', '.join(_OF_FINDINGS)}",
    )  # fmt: skip
    group.add_argument("--ocsf-version", metavar="VERSION", help="of OCSF: 1.5.0 (the default), or 1.1.0")
    add_community_id(group)
    group.add_argument(
        "--unit", choices=_UNITS,
        help="one event of each session (the default) or record, or of each finding of vpcflow detect; findings are "
        "the default for channels of alerts, and if PATH is a file of findings",
    )  # fmt: skip
    group.add_argument(
        "--state", metavar="FILE", help="mark what was sent, and send it no more: by it a run that was cut goes on"
    )  # fmt: skip
    group.add_argument(
        "--dead", metavar="FILE", default="vpcflow-dead.jsonl",
        help="keep events that the sink never takes, with the reason (default vpcflow-dead.jsonl)",
    )  # fmt: skip
    group.add_argument(
        "--replay", "--replay-dead", metavar="FILE", action=InsteadOfPaths,
        help="send the events of such a file instead of a PATH; those that are taken go from it",
    )  # fmt: skip
    group.add_argument(
        "--auth", metavar="PLACE", help="credentials, from env:NAME or file:PATH: USER:PASSWORD, a token, or Bearer ..."
    )
    group.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST",
        help="send there whatever its address is, also without TLS; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--patience", metavar="TIME", default=f"{PATIENCE:.0f}s",
        help="give up when the sink has taken nothing for so long (default 5m); what was not sent stays in the source",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    patience = float(seconds(args.patience, "--patience"))
    if args.replay:
        return _replayed(args, patience)
    url = kept_elsewhere(args.to, "sink") if args.to.startswith("env:") else args.to
    of_files = bool(args.paths) and args.unit in (None, "findings") and all(map(holds_findings, args.paths))
    if of_files or takes_alerts(url):
        args.unit = args.unit or "findings"
    if args.as_ is None and args.unit == "findings" and takes_alerts(url, args.unit):
        args.as_ = OWN
    if args.as_ is None:
        raise PlanError("send: --as SCHEMA is missing, e.g. --as ecs")
    if args.community_id and args.unit == "findings":
        raise PlanError("send: --community-id: it is of sessions and records; leave it out for findings")
    if args.json and args.to == "file:-":
        raise PlanError("send: --json with --to file:-: both write to standard output; give one of them")
    sink = open_sink(
        args.to, args.as_, auth=args.auth, allow_hosts=args.allow_host, aws=aws_of(args), unit=args.unit or "sessions"
    )
    with contextlib.ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        stack.callback(sink.close)
        events = FindingFile(args.paths, args.as_, args.ocsf_version) if of_files else _events_of(args)
        dead = DeadLetters(args.dead, args.as_, sink.label)
        stack.callback(dead.close)
        marks = None
        if args.state is not None:
            target = "\n".join((args.to, args.as_, args.ocsf_version or "", events.unit))
            marks = Marks(args.state, target)
            stack.callback(marks.close)
        status = _Status()

        def work() -> None:
            made = status.watched(_pairs(events, maps=args.as_ == "ocsf" and getattr(sink, "maps", False)))
            send(made, sink, dead, marks=marks, patience=patience, log=status.note, counts=status.counts)

        code = _done(work, status, sink.label, args, args.dead)
    if events.report is None:
        return code
    note_if_none_passed(events.report)
    return exit_code_of(events.report, args, code)


class _Status:
    """What was sent so far, in a line on the terminal that gives way to notes."""

    def __init__(self) -> None:
        self.counts = Sent()
        self.line = StatusLine()

    def note(self, text: str) -> None:
        self.line.clear()
        print_note(text)

    def watched(self, events: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for event in events:
            yield event
            if self.line.is_due:
                sent, dead = self.counts.accepted, self.counts.dead
                text = f"{count(sent, 'event')} sent, {self.line.rate(sent):,.0f} a second"
                self.line.show(f"{text}, {dead:,} not taken" if dead else text)


def _done(work: Callable[[], None], status: _Status, label: str, args: argparse.Namespace, dead: str) -> int:
    """Does the work, prints what became of the events, also when it was interrupted, and returns the exit code."""
    counts, code = status.counts, 0
    try:
        work()
    except VpcflowError as error:
        status.line.clear()
        if not (counts.accepted or counts.before or counts.dead):
            raise
        print_note(f"error: {error}")
        code = ERROR
    except BaseException:
        status.line.clear()
        if counts.accepted or counts.before or counts.dead:
            _told(counts, label, args, dead, is_cut=True)
        raise
    status.line.clear()
    return _told(counts, label, args, dead, is_cut=code == ERROR) or code


def _events_of(args: argparse.Namespace) -> Any:
    flows = flows_of(args)
    if args.unit != "findings":
        return export(flows, args.as_, version=args.ocsf_version, unit=args.unit, community_id=args.community_id)
    from ..detect.detect import detect

    found = detect(flows)
    if not len(found):
        for line in found.conclusion(brief=True).splitlines():
            print_note(line)
    return export(found, args.as_, version=args.ocsf_version)


def _pairs(events: Any, *, maps: bool) -> Iterator[tuple[str, bytes]]:
    for batch in events.batches(maps=True) if maps and isinstance(events, Events) else events.batches():
        yield from batch


def _replayed(args: argparse.Namespace, patience: float) -> int:
    if args.paths:
        raise PlanError("send: --replay FILE and PATH: give one of them")
    code = 0
    for path in args.replay:
        code = _replayed_from(path, args, patience) or code
    return code


def _replayed_from(path: str, args: argparse.Namespace, patience: float) -> int:
    status = _Status()

    def work() -> None:
        replay(
            path, args.to, auth=args.auth, allow_hosts=tuple(args.allow_host), aws=aws_of(args), patience=patience,
            log=status.note, counts=status.counts, schema=args.as_,
        )  # fmt: skip

    return _done(work, status, args.to.partition("?")[0], args, path)


def _told(counts: Sent, label: str, args: argparse.Namespace, dead: str, *, is_cut: bool = False) -> int:
    """Prints what became of the events, and returns the exit code."""
    if args.json:
        import dataclasses
        import json

        write_out(json.dumps({"sink": label, **dataclasses.asdict(counts)}) + "\n")
    parts = [f"{count(counts.accepted, 'event')} sent to {label}"]
    if counts.known:
        parts.append(f"{counts.known:,} of them were there")
    if counts.before:
        parts.append(f"{counts.before:,} were sent by an earlier run")
    if is_cut:
        kept = "" if args.state or args.replay else "; with --state FILE it sends the rest alone"
        parts.append(f"that is not all: run the same command again{kept}")
    print_note("; ".join(parts))
    if not counts.dead:
        return 0
    were = f"{count(counts.dead, 'event')} not taken"
    print_note(f"error: {were}: reasons in {dead}; send them again with --replay {dead}")
    return ERROR
