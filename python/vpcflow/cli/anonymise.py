"""Maps addresses, accounts, ids and names under a key: ``vpcflow anonymise``."""

from __future__ import annotations

import argparse
import json
import warnings

from .._words import count
from ..errors import DataQualityWarning, PlanError, VpcflowError
from ..protect.addresses import MODES
from ..protect.anonymise import Anonymised, anonymise
from ..protect.keyfile import new_key, readable_by_others
from ._output import ERROR, print_note, stdout, write_out
from ._parser import NeedsNothing
from ._shared import add_input, exit_code_of, flows_of, names_of

HELP = "write records with addresses, accounts, ids and names mapped under a key"
EXAMPLES = (
    "anonymise --new-key own.key\n  vpcflow anonymise logs/ -o shared.log.gz --key share.key\n"
    "  vpcflow anonymise logs/ -o shared.parquet --key share.key --select srcaddr,dstaddr,dstport,bytes,action"
)


class _NewKey(NeedsNothing):
    """An option with a value that needs no other argument."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *values: object) -> None:
        super().__call__(parser, namespace, *values)
        setattr(namespace, self.dest, values[0])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="write to FILE: a flow log, or by its ending .csv, .jsonl, .arrow or .parquet; .gz packs; - for standard "
        "output",
    )  # fmt: skip
    parser.add_argument(
        "--key", required=True, metavar="FILE",
        help="map under the key in FILE: 32 bytes, 64 hexadecimal digits or base64; env:NAME reads a variable",
    )  # fmt: skip
    parser.add_argument("--new-key", action=_NewKey, metavar="FILE", help="write a new key to FILE, and end")
    parser.add_argument(
        "--mode", default="prefix", metavar="MODE", help=f"map addresses by MODE: {MODES} (default prefix)"
    )
    parser.add_argument("--select", metavar="FIELDS", default="", help="write only these fields, separated by commas")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.new_key is not None:
        if args.paths:
            raise PlanError("--new-key makes a key and ends; leave PATH out")
        new_key(args.new_key)
        print_note(f"a new key is in {args.new_key}; who has it can map addresses back")
        return 0
    if readable_by_others(args.key):
        print_note(f"note: key {args.key}: others can read it; chmod 600 it")
    flows = flows_of(args)
    names = names_of(args.select)
    to_stdout = args.out == "-"
    if to_stdout and args.json:
        raise PlanError("--json prints what was written, and the records go to standard output; give --out FILE")
    if to_stdout:
        stdout()  # it must be there
    code = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        try:
            done = anonymise(
                flows.select(*names) if names else flows, "/dev/stdout" if to_stdout else args.out, args.key,
                mode=args.mode,
            )  # fmt: skip
        except VpcflowError as error:
            if not isinstance(error.partial, Anonymised):
                raise
            print_note(f"error: {error}")
            done, code = error.partial, ERROR
    if args.json:
        write_out(json.dumps(done.as_dict()) + "\n")
    elif not to_stdout:
        print_note("; ".join([f"{count(done.records, 'record')} written to {args.out}", *done.notes]))
    return exit_code_of(done.report, args, code, quiet=True)
