"""Marks findings as benign: ``vpcflow findings``."""

from __future__ import annotations

import argparse
import os

from .._hints import hint
from .._words import count
from ..detect.history import Baseline
from ..detect.rows import DETECTORS
from ..errors import ArgumentError
from ..findings.identity import kind_named
from ..io.writing import check_writable
from ..rules.silences import add_silences
from ._output import print_note

HELP = "mark findings as benign: silence them, and those like them"
_ID = "beacon/10.0.0.4/198.51.100.7/443@20261129T100000Z"
EXAMPLES = f'findings mark {_ID} --benign --reason "our agent"'
SILENCES = "vpcflow-silences.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "add silences to a file, which detect and watch take by --silences"
    mark = verbs.add_parser("mark", help=text, description=text)
    mark.add_argument("ids", nargs="+", metavar="ID", help="silence findings like this one, of vpcflow detect --json")
    mark.add_argument("--benign", action="store_true", required=True, help="say that they are nobody's attack")
    mark.add_argument("--reason", required=True, metavar="TEXT", help="say why, for those who read it later")
    mark.add_argument("--until", metavar="TIME", help="silence findings that begin before then (default: for good)")
    mark.add_argument("--baseline", metavar="FILE", help="add the hosts to this baseline, too, as known to talk")
    mark.add_argument(
        "--silences", default=SILENCES, metavar="FILE", help=f"add to this JSON file (default {SILENCES})"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if not args.reason.strip():
        raise ArgumentError("--reason: empty; say why, for those who read it later")
    check_writable(args.silences)
    usual = Baseline.load(args.baseline) if args.baseline else None
    kinds = [kind_named(name) for name in dict.fromkeys(args.ids)]
    for name in dict.fromkeys(kind.detector for kind in kinds):
        if name not in DETECTORS:
            print_note(f"note: no detector {name!r}; taken for a rule of yours ({hint(name, DETECTORS)})")
    added = add_silences(args.silences, kinds, args.reason, args.until)
    if usual is not None:
        pairs = [kind for kind in kinds if kind.actor and kind.target]
        for kind in pairs:
            usual = usual.with_known(kind.actor, kind.target, int(kind.port) if kind.port else None)
        usual.save(args.baseline)
        print_note(f"{count(len(pairs), 'conversation')} added to {args.baseline}")
    known = len(kinds) - added
    also = f"; {known:,} were there" if known else ""
    print_note(f"{count(added, 'silence')} written to {os.fspath(args.silences)}{also}; use them by --silences")
    return 0
