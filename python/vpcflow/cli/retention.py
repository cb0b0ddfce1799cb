"""Plans how long logs are kept, puts that in place, and erases a subject: ``vpcflow retention``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time

from .._words import count
from ..io.aws.session import Connection
from ..io.writing import write_whole
from ..volume.erasing import erase
from ..volume.retaining import DOCUMENTS, apply, as_text, due, instant_of, load_retention
from ._output import print_note, write_out
from ._shared import add_aws, aws_of

HELP = "plan how long logs are kept, as documents; legal holds; erase what a subject left in them"
EXAMPLES = (
    "retention plan examples/retention.json --to lifecycle\n"
    "  vpcflow retention plan examples/retention.json --to terraform -o retention.tf.json\n"
    "  vpcflow compact logs/ -o kept/ && vpcflow retention due examples/retention.json kept/"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "print what a policy is for S3, CloudWatch Logs or Terraform; nothing is called"
    plan = _verb(verbs, "plan", text)
    plan.add_argument("--to", choices=list(DOCUMENTS), required=True, help="write this document")
    plan.add_argument("-o", "--out", default="-", metavar="FILE", help="write to FILE")
    put = _verb(verbs, "apply", "put a policy in place; lifecycle rules that others made stay")
    put.add_argument("--yes", action="store_true", help="call AWS (default: print what would be called)")
    add_aws(put)
    old = _verb(verbs, "due", "list the objects of a folder that are older than a policy keeps them; none is deleted")
    old.add_argument("folder", metavar="DIR", help="look at this copy of the bucket, or folder of vpcflow compact")
    old.add_argument("--at", metavar="TIME", help="be due at this time (default: now)")
    old.add_argument("--json", action="store_true", help="print JSON, one object a line")
    text = "take the records of an address out of what vpcflow compact wrote, and keep a record of that"
    gone = verbs.add_parser("erase", help=text, description=text)
    gone.add_argument("folder", metavar="DIR", help="erase in this folder of vpcflow compact")
    gone.add_argument("--address", required=True, metavar="ADDRESS", help="erase the records of this address")
    gone.add_argument("--reason", required=True, metavar="TEXT", help="say why; it stays in the record")
    gone.add_argument("--approver", default="", metavar="NAME", help="say who approved; it stays in the record")
    gone.add_argument("--start", metavar="TIME", help="erase only records from then on")
    gone.add_argument("--end", metavar="TIME", help="erase only records that start before")
    gone.add_argument("--holds", metavar="POLICY", help="refuse what is under a hold of this policy")
    gone.add_argument("--json", action="store_true", help="print JSON, one object a line")


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.add_argument("policy", metavar="POLICY", help="load the policy from this YAML or JSON file")
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    return {"plan": _plan, "apply": _apply, "due": _due, "erase": _erase}[args.verb](args)


def _plan(args: argparse.Namespace) -> int:
    policy = load_retention(args.policy)
    text = as_text(DOCUMENTS[args.to](policy))
    if args.out == "-":
        write_out(text)
    else:
        write_whole(args.out, text.encode())
    for note in policy.notes():
        print_note(f"note: {note}")
    return 0


def _apply(args: argparse.Namespace) -> int:
    policy = load_retention(args.policy)
    for note in policy.notes():
        print_note(f"note: {note}")
    if not args.yes:
        write_out(as_text({"lifecycle": DOCUMENTS["lifecycle"](policy), "cloudwatch": DOCUMENTS["cloudwatch"](policy)}))
        print_note("nothing was called; --yes calls AWS")
        return 0
    write_out("".join(f"{line}\n" for line in apply(policy, Connection.of(aws_of(args)))))
    return 0


def _due(args: argparse.Namespace) -> int:
    now = instant_of("--at", args.at) if args.at else int(time.time())
    rows = due(load_retention(args.policy), args.folder, now or 0)
    for row in rows:
        if args.json:
            write_out(json.dumps(dataclasses.asdict(row)) + "\n")
        else:
            verdict = f"kept by {row.hold}" if row.hold else row.verdict
            write_out(f"{verdict}: {row.object} ({row.tier}, {row.days} days)\n")
    kept = sum(row.verdict == "hold" for row in rows)
    print_note(f"{count(len(rows) - kept, 'object')} due, {kept:,} kept by holds")
    return 0


def _erase(args: argparse.Namespace) -> int:
    done = erase(
        args.folder, args.address, reason=args.reason, approver=args.approver,
        start=instant_of("--start", args.start), end=instant_of("--end", args.end),
        holds=load_retention(args.holds).holds if args.holds else (),
    )  # fmt: skip
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in done.objects))
    else:
        write_out(f"{count(done.removed, 'record')} erased from {count(len(done.objects), 'object')}\n")
    for name in done.elsewhere:
        print_note(f"note: not reached: {name}")
    print_note("note: backups, digests, copies and what was sent elsewhere are not reached")
    return 0
