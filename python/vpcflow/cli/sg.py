"""Tightens security groups by what logs show: ``vpcflow sg``."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path

from .._units import seconds
from ..errors import PlanError, SourceError
from ..inventory import inventory
from ..io.writing import write_whole
from ..tuning import blocks as places
from ..tuning import blocks_of, check_rules, export, propose_rules, rule_usage
from ..tuning.export import FORMS
from ..tuning.proposal import load_proposal
from ._output import FOUND, progress_line, write_out
from ._parser import positive
from ._sg_pages import print_blocks, print_check, print_proposal, print_usage
from ._shared import add_input, collect, flows_read_often

HELP = "say which rules of security groups are used, propose narrower ones, and check any rules against logs"
EXAMPLES = (
    "sg usage examples/groups/flow.log.gz --inventory examples/groups/aws\n"
    "  vpcflow sg propose examples/groups/flow.log.gz --inventory examples/groups/aws -o narrow.json\n"
    "  vpcflow sg check proposal.json examples/groups/flow.log.gz --inventory examples/groups/aws\n"
    "  vpcflow sg export proposal.json --as terraform --inventory examples/groups/aws -o change/\n"
    "  vpcflow detect logs/ --json | vpcflow sg block - --as nftables --expires 7d"
)
_PLACES = ("nacl", "prefix-list", "waf", "network-firewall", "nftables", "json", "text")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    used = _verb(verbs, "usage", "say which rules are used, shadowed, unused or dead; exit code 1 if any can go")
    add_input(used)
    _inventory_argument(used)
    _propose_arguments(
        _verb(verbs, "propose", "propose rules that allow what was seen; exit code 1 if any can be narrower")
    )
    checked = _verb(verbs, "check", "replay rules over logs; exit code 1 if they would have denied what was accepted")
    checked.add_argument(
        "rules", metavar="RULES",
        help="a proposal, or an answer of describe-security-group-rules or describe-security-groups",
    )  # fmt: skip
    add_input(checked)
    _inventory_argument(checked)
    _export_arguments(_verb(verbs, "export", "write a proposal for other tools, with the way back; nothing is applied"))
    _block_arguments(_verb(verbs, "block", "write blocklists of the actors of findings, each with an end"))


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _inventory_argument(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument(
        "--inventory", required=required, metavar="DIR",
        help="folder with the answers of describe-network-interfaces, -security-groups, -security-group-rules, ...; "
        "dates in the names of files make a history",
    )  # fmt: skip


def _propose_arguments(parser: argparse.ArgumentParser) -> None:
    add_input(parser)
    _inventory_argument(parser)
    parser.add_argument(
        "--group", action="append", default=[], metavar="GROUP", help="for this group; may be repeated (default: all)"
    )
    parser.add_argument(
        "--keep", action="append", default=[], metavar="RULE", help="leave this rule as it is; may be repeated"
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="keep no sessions with ADDRESS; may be repeated",
    )
    parser.add_argument(
        "--hold-out",
        type=int,
        metavar="DAYS",
        help="learn nothing from the last DAYS, and count what would break (default: a quarter)",
    )
    parser.add_argument(
        "--max-rules",
        type=positive,
        default=60,
        metavar="N",
        help="rules of a group, direction and family (default 60)",
    )
    parser.add_argument("-o", "--out", metavar="FILE", help="write the proposal to FILE")


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("proposal", metavar="PROPOSAL", help="a file of vpcflow sg propose -o")
    parser.add_argument("--as", dest="form", required=True, choices=list(FORMS), help="write it in this form")
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="write files to DIR")
    _inventory_argument(parser, required=False)


def _block_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("findings", metavar="FINDINGS", help="lines of vpcflow detect --json, or - for standard input")
    parser.add_argument("--as", dest="form", required=True, choices=_PLACES, help="write for this place")
    parser.add_argument("-o", "--out", metavar="DIR", help="write files to DIR (default: print them)")
    parser.add_argument("--expires", default="7d", metavar="TIME", help="end TIME after the last finding (default 7d)")
    parser.add_argument("--most", type=positive, metavar="N", help="merge to N prefixes of each family")
    parser.add_argument(
        "--spare", action="append", default=[], metavar="ADDRESS", help="never block ADDRESS; may be repeated"
    )
    parser.add_argument("--acl", metavar="ID", help="the network ACL, for --as nacl")
    _inventory_argument(parser, required=False)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    verbs = {"usage": _usage, "propose": _propose, "check": _check, "export": _export, "block": _block}
    return verbs[args.verb](args)


def _usage(args: argparse.Namespace) -> int:
    known = inventory(args.inventory)
    with progress_line(True) as progress:
        found, code = collect(lambda: rule_usage(flows_read_often(args), known, progress=progress))
    return print_usage(found, args, code)


def _propose(args: argparse.Namespace) -> int:
    known = inventory(args.inventory)
    with progress_line(True) as progress:
        found = propose_rules(
            flows_read_often(args), known, groups=args.group, keep=args.keep, exclude=args.exclude,
            hold_out=args.hold_out, budget=args.max_rules, progress=progress,
        )  # fmt: skip
    found = dataclasses.replace(found, inventory=os.path.abspath(args.inventory))
    if args.out:
        found.save(args.out)
    print_proposal(found, args)
    return FOUND if found.narrows else 0


def _check(args: argparse.Namespace) -> int:
    known = inventory(args.inventory)
    with progress_line(True) as progress:
        found, code = collect(lambda: check_rules(args.rules, flows_read_often(args), known, progress=progress))
    return print_check(found, args, code)


def _export(args: argparse.Namespace) -> int:
    proposal = load_proposal(args.proposal)
    folder = args.inventory or proposal.inventory
    if not folder or not os.path.exists(folder):
        raise PlanError("export: the inventory of the proposal is not here, and may have changed; give --inventory DIR")
    paths = export(proposal, args.form, args.out, inventory(folder))
    write_out("".join(f"{path}\n" for path in paths))
    return 0


def _block(args: argparse.Namespace) -> int:
    lines = sys.stdin if args.findings == "-" else _lines(args.findings)
    found = places.load_findings(lines, args.findings)
    blocks = blocks_of(found, expires=seconds(args.expires, "--expires"), spare=args.spare, most=args.most)
    if not blocks:
        return print_blocks([], {}, args)
    if args.form == "nacl":
        if not args.acl or not args.inventory:
            raise PlanError("block: --as nacl needs --acl and --inventory with describe-network-acls")
        files = places.as_nacl(blocks, inventory(args.inventory), args.acl)
    elif args.form == "nftables":
        files = places.as_nftables(blocks, int(time.time()))
    else:
        files = {
            "prefix-list": places.as_prefix_list, "waf": places.as_waf, "network-firewall": places.as_network_firewall,
            "json": places.as_json, "text": places.as_text,
        }[args.form](blocks)  # fmt: skip
    if args.out:
        Path(args.out).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(Path(args.out) / name, text.encode())
    return print_blocks(blocks, files, args)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from None
