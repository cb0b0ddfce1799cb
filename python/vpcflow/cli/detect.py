"""Prints incidents with their findings: ``vpcflow detect``."""

from __future__ import annotations

import argparse
import json
import os

from .. import _display as display
from ..detect.detect import checked_settings, learned_from, look
from ..findings.evidence import as_line
from ..findings.findings import Findings
from ..io.writing import check_writable, write_whole
from ..query.aggregation import Aggregation
from ..query.result import Result
from ..rules.evaluate import found_in, queries_of
from ._detection import (
    add_detectors,
    detector_names,
    past_of,
    rules_of,
    settings_of,
    settings_page,
    settings_rows,
    state_of,
)
from ._output import print_note, progress_line, write_out
from ._shared import FOUND, add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print incidents with their findings, worst first; exit code 1 if there are any"
EXAMPLES = (
    "detect logs/ --json\n  vpcflow detect --settings\n"
    "  vpcflow detect logs/ --only port_scan,brute_force --set scan_ports=50\n"
    "  vpcflow detect logs/ --rules rules.yaml\n"
    "  vpcflow detect today/ --baseline usual.vpcflow --learn usual.vpcflow"
)
_NOT_LEARNED = "nothing learned from these logs; {} is unchanged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_detectors(parser)
    parser.add_argument("--settings", action=_ShowSettings, nargs=0, help="print the detectors' settings, and end")
    parser.add_argument("--rules", metavar="RULES", help="report findings of your own rules, too")
    parser.add_argument("--baseline", metavar="FILE", help="report what is new compared to this file of --learn")
    parser.add_argument("--learn", metavar="FILE", help="add who talked to whom to this baseline file, after detection")
    parser.add_argument("--samples", type=int, default=3, metavar="N", help="show N records as evidence (default 3)")


class _ShowSettings(argparse.Action):
    """Of an option that needs no logs."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        setattr(namespace, self.dest, True)
        for action in parser._actions:
            action.required = False


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.settings:
        write_out("".join(json.dumps(row) + "\n" for row in settings_rows()) if args.json else settings_page())
        return 0
    settings, only, samples = settings_of(args.set), detector_names(args.only), args.samples
    own = rules_of(args.rules)[0]
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
        return seen.concluded(seen.findings + found_in(flows, own, seen.others, samples) if own else seen.findings)

    with progress_line(True) as progress:
        findings, code = collect(looked)
    warn_of_rejects(findings.report, args.json)
    if args.json:
        write_out(findings.to_json_lines())
        blind = [limit.text for limit in findings.limits() if limit.kind == "blind"]
        for line in blind if findings else [findings.conclusion()]:
            print_note(line)
    else:
        for incident in findings.incidents():
            write_out(f"{incident}\n")
            for sample in incident.findings[0].samples:
                write_out(f"          {as_line(sample)}\n")
        write_out("".join(f"{display.printable(text)}\n" for text in findings.conclusion().splitlines()))
    code = exit_code_of(findings.report, args, code)
    if args.learn and code:
        print_note(_NOT_LEARNED.format(args.learn))
    elif args.learn:
        fresh = learned_from(sessions[0])
        write_whole(args.learn, (fresh if learned is None else fresh.merge(learned)).to_bytes())
    return code or (FOUND if len(findings) else 0)


def _learned_before(path: str) -> Aggregation | None:
    """Loads what --learn adds to, and checks that it can be written, before the logs are read."""
    check_writable(path)
    return state_of(path) if os.path.isfile(path) else None
