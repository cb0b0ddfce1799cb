"""Encrypts Parquet by column for roles: ``vpcflow protect``."""

from __future__ import annotations

import argparse
import json
import os
import warnings

from .._words import count
from ..errors import DataQualityWarning, PlanError
from ..io.parquet_keys import VARIABLE, KeyFile
from ..protect.encrypt import encrypt
from ..protect.roles import new_keys, roles_of, rotate_keys, write_keys
from ._output import print_note, write_out
from ._shared import add_input, exit_code_of, flows_of, names_of

HELP = "encrypt Parquet by column: roles read the fields that they may, and are refused the others"
EXAMPLES = (
    "protect keys own-keys/ --role analyst=dstport,protocol,packets,bytes,start,end,action,log-status\n"
    "  vpcflow protect encrypt logs/ -o flows.parquet --keys keys/owner.json\n"
    "  vpcflow protect keys keys/ --rotate"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    own = actions.add_parser("keys", help="write the keys of an owner and of roles to a new folder, or rotate them")
    own.add_argument(
        "folder", metavar="DIR", help="write owner.json and a file a role to DIR; nobody else can read them"
    )
    own.add_argument(
        "--role", action="append", default=[], metavar="NAME=FIELDS",
        help="let the role NAME read these fields, separated by commas; may be repeated",
    )  # fmt: skip
    own.add_argument(
        "--kms", action="append", default=[], metavar="NAME=KEY",
        help="take this key of AWS KMS in the place of the key NAME: footer, owner, or the roles that share fields, "
        "joined by +; may be repeated",
    )  # fmt: skip
    own.add_argument("--rotate", action="store_true", help="add a new version to each key, which encrypts from now on")
    own.add_argument("--drop-old", action="store_true", help="drop all versions but the newest")
    own = actions.add_parser("encrypt", help="write records to a Parquet file whose columns are encrypted")
    add_input(own)
    own.add_argument("-o", "--out", required=True, metavar="FILE", help="write to FILE (.parquet)")
    own.add_argument("--keys", required=True, metavar="FILE", help="encrypt by the owner's keys in FILE")
    own.add_argument("--select", metavar="FIELDS", default="", help="write only these fields, separated by commas")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    return _keys(args) if args.action == "keys" else _encrypt(args)


def _keys(args: argparse.Namespace) -> int:
    if args.rotate or args.drop_old:
        if args.role or args.kms or (args.rotate and args.drop_old):
            raise PlanError("--rotate and --drop-old stand alone: first one, then files encrypted anew, then the other")
        paths = rotate_keys(args.folder, drop_old=args.drop_old)
    else:
        kms = dict(part.partition("=")[::2] for part in args.kms)
        paths = write_keys(args.folder, new_keys(roles_of(args.role), kms or None))
    print_note(f"keys written to {', '.join(paths)}")
    return 0


def _encrypt(args: argparse.Namespace) -> int:
    os.environ.setdefault(VARIABLE, args.keys)  # what is encrypted already is read by the same
    flows, names = flows_of(args), names_of(args.select)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        done = encrypt(flows.select(*names) if names else flows, args.out, KeyFile.read(args.keys))
    if args.json:
        row = {"schema_version": 1, "records": done.records, "rejected": done.report.rejected, "columns": done.columns}
        write_out(json.dumps(row) + "\n")
    else:
        keys = ", ".join(sorted(set(done.columns.values())))
        print_note(f"{count(done.records, 'record')} written to {args.out}, columns under the keys {keys}")
    return exit_code_of(done.report, args, 0)
