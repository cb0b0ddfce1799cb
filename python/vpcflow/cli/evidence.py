"""Packs evidence into bags, verifies them, and notes who had them: ``vpcflow evidence``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .._layout import terminal_width, wrapped
from .._words import count
from ..manifest import evidence
from ..manifest.custody import told
from ..manifest.limits import LIMITS
from ._manifest_rows import print_rows, row_dict
from ._output import FOUND, write_out
from ._shared import add_aws, aws_of

HELP = "pack files of a case into a bag with hashes, proofs and custody, and verify it"
EXAMPLES = (
    "evidence pack logs/ --manifest evidence -o case-8 && vpcflow evidence verify case-8\n"
    "  vpcflow evidence pack logs/ -o case-8.tar --command 'vpcflow detect logs/ --json'\n"
    "  vpcflow evidence custody case-6 --who 'R. Roe' --what 'handed to counsel'\n"
    "  vpcflow evidence verify case-6"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    pack = _verb(verbs, "pack", "pack files and folders into a bag after RFC 8493, which sha256sum can check")
    pack.add_argument("cases", nargs="+", metavar="CASE", help="pack this file or folder")
    pack.add_argument(
        "-o", "--out", required=True, metavar="BAG", help="write a new folder, or a file if it ends with .tar"
    )
    pack.add_argument(
        "--manifest", metavar="DIR", help="pack this manifest, too, and a proof of each file that it lists"
    )
    pack.add_argument(
        "--command",
        action="append",
        default=[],
        metavar="COMMAND",
        help="write down a command to repeat; may be repeated",
    )
    _custody(pack, "packed")
    add_aws(pack)
    check = _verb(verbs, "verify", "verify files, custody, manifest and proofs of a bag; exit code 1 if not all is ok")
    check.add_argument("bag", metavar="BAG", help="a folder or a .tar file")
    check.add_argument(
        "--keys", action="append", default=[], metavar="FILE",
        help="demand that a key of this file or folder signed custody and manifest; may be repeated",
    )  # fmt: skip
    check.add_argument("--json", action="store_true", help="print a JSON object a line")
    note = _verb(verbs, "custody", "note in a bag who has it now, and why")
    note.add_argument("bag", metavar="BAG", help="the folder of a bag")
    _custody(note, None)
    add_aws(note)


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _custody(parser: argparse.ArgumentParser, what: str | None) -> None:
    parser.add_argument("--who", metavar="NAME", help="write this name into the line of custody (default: USER@HOST)")
    parser.add_argument("--key", metavar="KEY", help="sign the line by this key, as vpcflow manifest sign does")
    default = f" (default: {what})" if what else ""
    parser.add_argument(
        "--what", required=what is None, default=what, metavar="TEXT", help=f"write what was done with it{default}"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "verify":
        return _verify(args)
    if args.verb == "pack":
        bag = evidence.pack(
            args.cases,
            args.out,
            manifest=args.manifest,
            commands=args.command,
            who=args.who,
            what=args.what,
            key=args.key,
            aws=aws_of(args),
        )
        files = count(sum(row.kind == "object" for row in bag.rows), "file")
        write_out(f"{display.printable(args.out)}: {files}" + (f"; {bag.head}" if bag.head else "") + "\n")
    else:
        bag = evidence.hand_over(args.bag, args.what, who=args.who, key=args.key, aws=aws_of(args))
    write_out("".join(f"{display.printable(line)}\n" for line in told(bag.custody)))
    return 0


def _verify(args: argparse.Namespace) -> int:
    bag = evidence.verify(args.bag, keys=args.keys)
    if args.json:
        write_out("".join(json.dumps(row_dict(row)) + "\n" for row in bag.rows))
        return 0 if bag.ok else FOUND
    print_rows(bag.rows)
    lines = [f"{sum(row.verdict == 'ok' for row in bag.rows):,} of {count(len(bag.rows), 'file')} ok"]
    lines += told(bag.custody)
    lines.append(f"custody signed by {', '.join(bag.signers) or 'nobody'}")
    lines += [f"custody: {row.detail}" for row in bag.rows if row.kind == "file" and row.verdict == "ok" and row.detail]
    if bag.manifest is not None:
        lines.append(f"manifest: {bag.head}; signed by {', '.join(bag.manifest.signers) or 'nobody'}")
    lines += [f"not proved: {text}" for text in LIMITS]
    write_out("\n".join(line for text in lines for line in wrapped(display.printable(text), terminal_width())) + "\n")
    return 0 if bag.ok else FOUND
