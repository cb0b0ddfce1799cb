"""Tests, runs and replays rules of your own: ``vpcflow rules``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .. import rules
from .._display import printable
from .._words import count
from ..errors import OutputError
from ..io.writing import write_whole
from ..rules.model import THROTTLE
from ..rules.starter import STARTER
from ._detection import rules_of
from ._incidents import print_incidents
from ._output import FOUND, print_note, progress_line, write_out
from ._pages import Page, add_page, print_page
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "check and test rules of your own, run them, replay them on past logs"
EXAMPLES = (
    "rules new -o my-rules.yaml\n  vpcflow rules test rules.yaml\n  vpcflow rules replay rules.yaml logs/\n"
    "  vpcflow rules run rules.yaml logs/ --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "write a file of rules to begin with"
    new = verbs.add_parser("new", help=text, description=text)
    new.add_argument("-o", "--out", default="-", metavar="FILE", help="write to FILE, which must not be there yet")
    text = "check rules, and that their examples give what they say"
    test = verbs.add_parser("test", help=text, description=text)
    test.add_argument("rules", metavar="RULES", help="load rules from this YAML or JSON file")
    for name, text in (("run", "print findings in logs, worst first; exit code 1 if there are any"),
                       ("replay", "count how often rules would have fired, before they are enabled")):  # fmt: skip
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("rules", metavar="RULES", help="load rules from this YAML or JSON file")
        add_input(verb)
        if name == "replay":
            add_page(verb)
            verb.add_argument(
                "--throttle",
                default=THROTTLE,
                metavar="TIME",
                help="merge findings within TIME into one alert (default 1h)",
            )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "new":
        return _write_starter(args.out)
    own = rules_of(args.rules)[0]
    if args.verb == "test":
        wrong = rules.test(own)
        for text in wrong:
            print_note(text)
        examples = sum(len(rule.examples) for rule in own)
        write_out(f"{count(len(own), 'rule')}, {count(examples, 'example')}, {len(wrong):,} wrong\n")
        return FOUND if wrong else 0
    flows, replay = flows_of(args), args.verb == "replay"
    with progress_line(True) as progress:
        findings, code = collect(lambda: rules.run(flows, own, samples=0 if replay else 3, progress=progress))
    warn_of_rejects(findings.report, args.json)
    if replay:
        _show(rules.count_alerts(findings, own, throttle=args.throttle), args)
    elif args.json:
        write_out(findings.to_json_lines())
    else:
        print_incidents(findings)
    if not findings and (args.json or replay):
        print_note(findings.conclusion())
    report = findings.report
    if replay and args.max_rejects is not None:  # of all fields, not of those that the rules name
        report = collect(flows._with(check_all=True).agg(n="count()").collect)[0].report
    return exit_code_of(report, args, code) or (FOUND if len(findings) and not replay else 0)


def _write_starter(out: str) -> int:
    if out == "-":
        write_out(STARTER)
        return 0
    if os.path.lexists(out):
        raise OutputError(f"{printable(out)}: is there already; give another name")
    write_whole(out, STARTER.encode())
    print_note(f"rules written to {out}; check them by: vpcflow rules test {out}")
    return 0


def _show(rows: Sequence[Mapping[str, Any]], args: argparse.Namespace) -> None:
    kinds = {"rule": "text", "severity": "text", "first": "time", "last": "time", "needs": "text"}
    if rows:
        schema = [(name, kinds.get(name, "int64")) for name in rows[0]]
        print_page(Page(schema, rows, severity="severity"), args)
