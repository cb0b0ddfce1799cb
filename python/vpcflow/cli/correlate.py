"""Finds sequences in flow logs and other events: ``vpcflow correlate``."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import Any

from .. import _display as display
from .._layout import terminal_width, wrapped
from .._words import count
from ..correlate.correlate import Correlation, correlate, not_seen
from ..correlate.events import address_of, is_inside, line_of
from ..errors import PlanError
from ..rules.files import content_of
from ._correlation import KINDS
from ._output import FOUND, REJECTS, print_note, progress_line, write_out
from ._shared import add_reading, collect, exit_code_of, flows_read_often, warn_of_rejects

HELP = "find sequences in flow logs, CloudTrail, GuardDuty and other events; exit code 1 if one is there"
EXAMPLES = (
    "correlate --flows examples/correlate/flow.log.gz --cloudtrail examples/correlate/cloudtrail\n"
    "  vpcflow correlate --flows examples/correlate/flow.log.gz --cloudtrail examples/correlate/cloudtrail "
    "--rules examples/correlate/sequences.yaml --json\n"
    "  vpcflow correlate --flows examples/correlate/flow.log.gz --guardduty examples/correlate/guardduty --risk"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("--flows", dest="paths", nargs="+", required=True, metavar="PATH", help="read these flow logs")
    for name, what in KINDS.items():
        parser.add_argument(f"--{name}", metavar="DIR", help=f"read {what}: a file, or a folder with all below it")
    parser.add_argument("--ocsf", metavar="DIR", help="read OCSF forms of these, as Security Lake has them")
    parser.add_argument("--findings", metavar="FILE", help="take findings from lines of vpcflow detect --json")
    parser.add_argument("--events", metavar="FILE", help="read other events: CSV or JSON lines, with --mapping")
    parser.add_argument("--mapping", metavar="FILE", help="say which columns of --events are what, as YAML or JSON")
    parser.add_argument("--inventory", metavar="DIR", help="take owners and groups from AWS's describe answers")
    parser.add_argument("--config", metavar="DIR", help="take owners and groups from files of AWS Config")
    parser.add_argument(
        "--rules", metavar="FILE", help="take sequences, or Sigma's temporal correlations, from FILE (default: our own)"
    )
    parser.add_argument("--risk", action="store_true", help="print the risk of entities instead of matches")
    parser.add_argument("--about", metavar="ENTITY", help="print the events of an interface, instance or address")
    add_reading(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.risk and args.about:
        raise PlanError("--risk and --about: one of them")
    flows = flows_read_often(args)
    with progress_line(True) as progress:
        found, code = collect(
            lambda: correlate(
                flows, **{name: getattr(args, name) for name in [*KINDS, "ocsf"]}, findings=args.findings,
                events=args.events, mapping=content_of(args.mapping) if args.mapping else None,
                inventory=args.inventory, config=args.config, rules=args.rules, progress=progress,
            )
        )  # fmt: skip
    warn_of_rejects(found.report, args.json)
    rows = found.about(args.about) if args.about else found.risk() if args.risk else found.rows()
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in rows))
        for line in not_seen(found):
            print_note(f"note: {line}")
    else:
        _print(found, rows, args)
    code = exit_code_of(found.report, args, code)
    if args.risk or args.about:
        return code
    return code or (FOUND if found.matches else REJECTS if args.rules and found.not_evaluated else 0)


def _next(row: dict[str, Any], paths: list[str]) -> str:
    """Returns what shows more: all of the entity, and what the first address outside did."""
    out = [f"the same with --about {shlex.quote(row['entity'])}"] * bool(row["entity"])
    for event in row["events"]:
        ends = [one for one in event["entities"] if address_of(one) is not None and not is_inside(one)]
        if ends and event["source"] != "cloudtrail":
            when = display.instant(event["time"]).replace(" ", "T") + "Z"
            out.append(shlex.join(["vpcflow", "trace", ends[0], *paths, "--around", when]))
            break
    return "; ".join(out)


def _print(found: Correlation, rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    width = terminal_width()

    def say(text: str, indent: str = "  ") -> None:
        write_out("\n".join(wrapped(display.printable(text), width, indent)) + "\n")

    say(found.conclusion())
    if args.about and not rows:
        say(str(rows))
    for row in rows:
        if args.about:
            say(line_of(row))
        elif args.risk:
            write_out("\n")
            say(f"{row['entity']}: {row['level']}, {row['score']:g} points")
            for part in row["parts"]:
                say(f"  {part['points']:g}: {part['source']} {part['kind']}, {count(part['events'], 'event')}", "    ")
        else:
            write_out("\n")
            title = f": {row['title']}" * bool(row["title"])
            say(f"{row['severity']} {row['rule']}: {row['entity']}{title}{' (provisional)' * row['provisional']}")
            for event in row["events"]:
                say(f"  {line_of(event)}", "    ")
            for note in row["could_not_see"]:
                say(f"  not seen: {note}", "    ")
            if more := _next(row, args.paths):
                say(f"  next: {more}", "    ")
    write_out("\nWhat could not be seen\n")
    for line in not_seen(found) or ["nothing that is known of"]:
        say(f"- {line}")
