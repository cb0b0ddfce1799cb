"""Prints incidents with their findings: ``vpcflow detect``."""

from __future__ import annotations

import argparse
import json
import os

from .._layout import terminal_width
from .._units import seconds
from ..detect.detect import checked_settings, learned_from, look
from ..detect.history import Baseline, Past, past_in
from ..detect.replay import replayed
from ..detect.scoring import load_labels
from ..findings.findings import Findings
from ..io.writing import check_writable, write_whole
from ..query.result import Result
from ..rules.evaluate import found_in, queries_of
from ._detection import (
    add_detectors,
    add_silences,
    detector_names,
    past_of,
    rules_of,
    settings_of,
    settings_page,
    settings_rows,
    silences_of,
)
from ._feedback import print_counts, print_scores
from ._incidents import SHOWN, print_incidents, print_worst
from ._output import FOUND, print_note, progress_line, write_out
from ._pages import add_zone, style_of
from ._parser import NeedsNothing
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print incidents with their findings, worst first; exit code 1 if there are any"
EXAMPLES = (
    "detect logs/ --json\n  vpcflow detect --settings\n"
    "  vpcflow detect logs/ --only port_scan,brute_force --set scan_ports=50\n"
    "  vpcflow detect logs/ --rules rules.yaml\n  vpcflow detect logs/ --replay 30d\n"
    "  vpcflow detect today/ --baseline usual.vpcflow --learn usual.vpcflow"
)
_NOT_LEARNED = "nothing learned from these logs; {} is unchanged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_detectors(parser)
    add_zone(parser)
    parser.add_argument("--settings", action=NeedsNothing, nargs=0, help="print the detectors' settings, and end")
    parser.add_argument("--rules", metavar="RULES", help="report findings of your own rules, too")
    parser.add_argument("--baseline", metavar="FILE", help="report what is new compared to a file of vpcflow baseline")
    parser.add_argument("--learn", metavar="FILE", help="add who talked to whom to this baseline file, after detection")
    parser.add_argument(
        "--samples", type=int, metavar="N", help="show N records as evidence (default 3; 0 on the page of the worst)"
    )
    parser.add_argument("--incidents", action="store_true", help="with --json: print incidents instead of findings")
    parser.add_argument("--all", action="store_true", help=f"print all incidents in full, not the worst {SHOWN} alone")
    add_silences(parser)
    parser.add_argument("--label", metavar="CSV", help="score the findings by these labels of yours, instead of them")
    parser.add_argument(
        "--replay", metavar="TIME",
        help="count alerts a day of the last TIME of the logs, with each setting as it is, halved and doubled",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.settings:
        lines = (json.dumps(row) + "\n" for row in settings_rows())
        write_out("".join(lines) if args.json else settings_page(terminal_width()))
        return 0
    settings, only = settings_of(args.set), detector_names(args.only)
    samples = args.samples if args.samples is not None else 3 if args.json or args.all else 0
    own, silences = rules_of(args.rules)
    silences = [*silences, *silences_of(args.silences, own)]
    labels = load_labels(args.label) if args.label else None
    if args.replay:
        seconds(args.replay, "--replay")
    flows = flows_of(args)
    learned = _learned_before(args.learn) if args.learn else None
    past = past_of(args)
    sessions: list[Result] = []

    def looked() -> Findings:
        checked = checked_settings(only, settings)
        seen = look(
            flows, checked, only=only, baseline=past, samples=samples, progress=progress,
            others=queries_of(flows, own) if own else [],
        )  # fmt: skip
        sessions.append(seen.sessions)
        found = seen.findings + found_in(flows, own, seen.others, samples) if own else seen.findings
        return seen.concluded(found.without(silences))

    with progress_line(True) as progress:
        findings, code = collect(looked)
    warn_of_rejects(findings.report, args.json)
    if args.replay:
        counts = replayed(
            sessions[0], checked_settings(only, settings), only=only, baseline=past, last=args.replay, silences=silences
        )
        print_counts(counts, args)
    elif labels is not None:
        print_scores(findings, labels, args)
    else:
        _print(findings, args)
    code = exit_code_of(findings.report, args, code)
    if args.learn and code:
        print_note(_NOT_LEARNED.format(args.learn))
    elif args.learn:
        if isinstance(learned, Baseline):
            learned.with_sessions(sessions[0]).save(args.learn)
        else:
            fresh = learned_from(sessions[0])
            write_whole(args.learn, (fresh if learned is None else fresh.merge(learned)).to_bytes())
    return code or (FOUND if len(findings) and not args.replay else 0)


def _print(findings: Findings, args: argparse.Namespace) -> None:
    if args.json:
        incidents = (json.dumps(incident.as_json()) + "\n" for incident in findings.incidents())
        write_out("".join(incidents) if args.incidents else findings.to_json_lines())
        blind = [limit.text for limit in findings.limits() if limit.kind != "sees-less"]
        for line in blind if findings else findings.conclusion().splitlines():
            print_note(line)
    elif args.all:
        print_incidents(findings, style_of(args).zone)
    else:
        print_worst(findings, style_of(args).zone)


def _learned_before(path: str) -> Past | None:
    """Loads what --learn adds to, and checks that it can be written, before the logs are read."""
    check_writable(path)
    return past_in(path) if os.path.isfile(path) else None
