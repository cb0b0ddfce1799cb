"""Samples conversations, and estimates totals of samples: ``vpcflow sample``."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings

from .._words import count
from ..errors import DataQualityWarning
from ..query.flows import Flows
from ..query.scan import scan
from ..typing import ColumnType
from ..volume.sampling import ALWAYS, estimate, sample
from ._output import print_note, write_out
from ._pages import Page, add_page, print_page
from ._shared import add_input, exit_code_of, flows_of, names_of
from ._volume import RefusedError, add_prove, prover, refused

HELP = "keep a part of the conversations, with weights; estimate totals of a sample, with their error"
EXAMPLES = (
    "sample draw logs/ -o tenth.csv --rate 0.1 --keep rejects\n"
    "  vpcflow sample draw logs/ -o some.csv --rate 0.2 && vpcflow sample totals some.csv --by action"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "write a sample: both directions and all interfaces of a conversation share their fate"
    draw = verbs.add_parser("draw", help=text, description=text)
    add_input(draw)
    draw.add_argument("-o", "--out", required=True, metavar="FILE", help="write to FILE (.csv or .jsonl)")
    draw.add_argument("--rate", required=True, type=float, metavar="SHARE", help="keep this share of conversations")
    draw.add_argument(
        "--keep", default="", metavar="NAMES", help=f"keep these records in any case: {', '.join(ALWAYS)}"
    )
    draw.add_argument("--seed", type=int, default=0, help="draw others (default 0)")
    add_prove(draw)
    text = "print the totals of the logs that a sample is of, each between what it is in 95 of 100 samples"
    totals = verbs.add_parser("totals", help=text, description=text)
    add_input(totals)
    totals.add_argument("--by", default="", metavar="FIELDS", help="a row for each value of these fields")
    add_page(totals)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    if args.verb == "totals":
        by = names_of(args.by)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            rows = estimate(flows, [name.replace("-", "_") for name in by])
        kinds: dict[str, ColumnType] = {**dict.fromkeys(rows[0] if rows else (), "int64"), **_kinds(flows, by)}
        print_page(Page(list(kinds.items()), rows), args)
        return 0
    prove = prover(args.prove, flows)
    target = args.out
    with tempfile.TemporaryDirectory() as folder:
        if prove is not None:
            plain = os.path.join(folder, "sample.csv")
            sample(flows, plain, rate=args.rate, keep=names_of(args.keep), seed=args.seed, weighted=False)
            try:
                prove(scan(plain))
            except RefusedError as refusal:
                return refused(refusal.proof, target)
    done = sample(flows, target, rate=args.rate, keep=names_of(args.keep), seed=args.seed)
    if args.json:
        write_out(json.dumps({
            "schema_version": 1, "records": done.records, "kept": done.kept, "conversations": done.conversations,
            "expected": done.drawn,
        }) + "\n")  # fmt: skip
    else:
        write_out(f"{done.kept:,} of {count(done.records, 'record')} written to {target}\n")
    print_note("note: detectors must not run on samples; totals of them: vpcflow sample totals")
    return exit_code_of(done.report, args, 0)


def _kinds(flows: Flows, by: list[str]) -> dict[str, ColumnType]:
    """Returns the types of the fields that totals are by."""
    wanted = {name.replace("-", "_") for name in by}
    return {name: kind for name, kind in flows.schema if name in wanted}
