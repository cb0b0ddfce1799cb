"""Tests, runs and replays rules of your own: ``vpcflow rules``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _display as display
from .. import rules
from ..rules.model import THROTTLE
from ._detection import rules_of
from ._output import print_note, progress_line, write_out
from ._shared import FOUND, add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "check and test rules of your own, run them, replay them on past logs"
EXAMPLES = "rules test rules.yaml\n  vpcflow rules replay rules.yaml logs/\n  vpcflow rules run rules.yaml logs/ --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    test = verbs.add_parser("test", help="check rules, and that their examples give what they say")
    test.add_argument("rules", metavar="RULES", help="load rules from this YAML or JSON file")
    for name, text in (("run", "print findings in logs, worst first; exit code 1 if there are any"),
                       ("replay", "count how often rules would have fired, before they are enabled")):  # fmt: skip
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("rules", metavar="RULES", help="load rules from this YAML or JSON file")
        add_input(verb)
        if name == "replay":
            verb.add_argument(
                "--throttle",
                default=THROTTLE,
                metavar="TIME",
                help="merge findings within TIME into one alert (default 1h)",
            )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    own = rules_of(args.rules)[0]
    if args.verb == "test":
        wrong = rules.test(own)
        for text in wrong:
            print_note(text)
        examples = sum(len(rule.examples) for rule in own)
        write_out(f"{len(own)} rules, {examples} examples, {len(wrong)} wrong\n")
        return FOUND if wrong else 0
    flows, replay = flows_of(args), args.verb == "replay"
    with progress_line(True) as progress:
        findings, code = collect(lambda: rules.run(flows, own, samples=0 if replay else 3, progress=progress))
    if args.json or replay:  # a page of findings says it itself
        warn_of_rejects(findings.report, args.json)
    if replay:
        _show(rules.count_alerts(findings, own, throttle=args.throttle), args.json)
    else:
        write_out(findings.to_json_lines() if args.json else f"{findings}\n")
    if not findings and (args.json or replay):
        print_note(findings.conclusion())
    report = findings.report
    if replay and args.max_rejects is not None:  # of all fields, not of those that the rules name
        report = collect(flows._with(check_all=True).agg(n="count()").collect)[0].report
    return exit_code_of(report, args, code) or (FOUND if len(findings) and not replay else 0)


def _show(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        write_out("".join(json.dumps(row) + "\n" for row in rows))
        return
    kinds = {"rule": "text", "severity": "text", "first": "time", "last": "time", "needs": "text"}
    write_out(display.text_table([(name, kinds.get(name, "int64")) for name in rows[0]] if rows else [], rows) + "\n")
