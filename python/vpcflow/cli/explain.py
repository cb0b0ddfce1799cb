"""Prints why one host cannot reach another: ``vpcflow explain``."""

from __future__ import annotations

import argparse
import json

from .._layout import terminal_width
from ..explain.explain import explain
from ..explain.explanation import Explanation
from ._output import progress_line, write_out
from ._shared import add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print why one host cannot reach another, with the proof"
EXAMPLES = (
    "explain examples/reach/flow.log.gz --inventory examples/reach/aws --from web-1 --to db-1 --port 5432\n"
    "  vpcflow explain examples/reach/flow.log.gz --from 10.0.1.5 --to 10.0.2.9 --port 5432 --at 2026-11-01T13:20Z "
    "--json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    who = "address, CIDR, or with --inventory an interface, instance, group or name"
    parser.add_argument("--from", required=True, dest="client", metavar="A", help=f"who calls: {who}")
    parser.add_argument("--to", required=True, dest="server", metavar="B", help="who is called, likewise")
    parser.add_argument("--port", type=int, metavar="N", help="port of the server; icmp has none")
    parser.add_argument("--proto", default="tcp", metavar="NAME", help="tcp (default), udp, icmp, icmpv6 or a number")
    parser.add_argument("--at", metavar="TIME", help="ask about the half hour around TIME: 2026-11-23T14:05Z")
    parser.add_argument("--inventory", metavar="DIR", help="name rules by the answers of describe calls in this folder")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    with progress_line(True):
        found, code = collect(
            lambda: explain(
                flows, args.client, args.server, args.port, proto=args.proto, at=_time(args.at),
                inventory=args.inventory,
            )
        )  # fmt: skip
    if not isinstance(found, Explanation):
        return code
    warn_of_rejects(found.report, args.json)
    write_out(json.dumps(found.as_dict()) + "\n" if args.json else found.text(terminal_width()))
    return exit_code_of(found.report, args, code)


def _time(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else text
