"""Tightens security groups by what logs show: ``vpcflow sg``."""

from __future__ import annotations

import argparse

from ..inventory import inventory
from ..tuning import rule_usage
from ._output import progress_line
from ._sg_pages import print_usage
from ._shared import add_input, flows_of

HELP = "say which rules of security groups are used, and propose narrower ones"
EXAMPLES = "sg usage logs/ --inventory aws/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    used = _verb(verbs, "usage", "say which rules are used, shadowed, unused or dead; exit code 1 if any can go")
    add_input(used)
    _add_inventory(used)


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _add_inventory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inventory", required=True, metavar="DIR",
        help="folder with the answers of describe-network-interfaces, -security-groups, -security-group-rules, ...; "
        "dates in the names of files make a history",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    return {"usage": _usage}[args.verb](args)


def _usage(args: argparse.Namespace) -> int:
    known = inventory(args.inventory)
    with progress_line(True) as progress:
        found = rule_usage(flows_of(args), known, progress=progress)
    return print_usage(found, args)
