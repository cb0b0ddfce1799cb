"""Lists what was collected, signs the list, and verifies it: ``vpcflow manifest``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .. import manifest
from .._layout import terminal_width, wrapped
from .._words import count
from ..inventory import inventory
from ..manifest.limits import LIMITS
from ._manifest_rows import SHOWN, print_rows, row_dict
from ._output import ERROR, FOUND, print_note, progress_line, write_out
from ._shared import add_aws, aws_of

HELP = "list collected objects with their hashes, sign the list, and verify both"
EXAMPLES = (
    "manifest add logs/ --to evidence\n"
    "  vpcflow manifest add s3://my-logs/AWSLogs/ --to november --period 2026-11\n"
    "  vpcflow manifest sign evidence --key key.pem\n"
    "  vpcflow manifest sign evidence --key key.pem && vpcflow manifest verify evidence logs/ --keys key.pub.pem\n"
    "  vpcflow manifest prove evidence flow.log.gz"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_arguments(
        _verb(verbs, "add", "list objects with the SHA-256 of their stored bytes; adding twice changes nothing")
    )
    _sign_arguments(_verb(verbs, "sign", "sign the newest head of a manifest, and by it all before"))
    _verify_arguments(
        _verb(verbs, "verify", "compare a manifest and objects with what was written; exit code 1 if not all is ok")
    )
    proof = _verb(verbs, "prove", "print the proof that a manifest has an object, as JSON")
    proof.add_argument("folder", metavar="DIR", help="the folder of the manifest")
    proof.add_argument("object", metavar="OBJECT", help="name of the object as it is listed, or the end of it")


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="list a file, folder, pattern, or s3:// URL")
    parser.add_argument(
        "--to", required=True, metavar="DIR", help="the folder of the manifest, made if it is not there"
    )
    parser.add_argument(
        "--period", metavar="PERIOD",
        help="list objects of this month or day only (2026-11, 2026-11-23), and its days without objects",
    )  # fmt: skip
    parser.add_argument("--format", help="parse logs without a header line by this format")
    parser.add_argument(
        "--inventory", metavar="DIR", help="say which interfaces of these answers of describe calls have no record"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    add_aws(parser)


def _sign_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder of the manifest")
    parser.add_argument(
        "--key", metavar="KEY",
        help="sign by this private key: a file, or env:NAME; in PEM (Ed25519, ECDSA), of ssh-keygen, of minisign; or "
        "awskms:KEY",
    )  # fmt: skip
    parser.add_argument("--stamp", metavar="URL", help="let this authority of RFC 3161 stamp the head with its time")
    add_aws(parser)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder of the manifest")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="compare the objects there (default: the manifest alone)"
    )
    parser.add_argument(
        "--keys", action="append", default=[], metavar="FILE",
        help="demand a signature by a key of this file or folder: PEM, allowed signers of ssh-keygen, minisign; "
        "certificates for stamps; may be repeated",
    )  # fmt: skip
    parser.add_argument("--head", metavar="SHA256", help="demand this head, as it was published")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    add_aws(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    return {"add": _add, "sign": _sign, "verify": _verify, "prove": _prove}[args.verb](args)


def _add(args: argparse.Namespace) -> int:
    known = None if args.inventory is None else inventory(args.inventory)
    with progress_line(True) as progress:
        done = manifest.add(
            args.paths, args.to, period=args.period, format=args.format, inventory=known, aws=aws_of(args),
            progress=progress,
        )  # fmt: skip
    if args.json:
        write_out(json.dumps(added_dict(done)) + "\n")
    else:
        write_out(f"{done}\n")
        for name in done.replaced[:SHOWN]:
            write_out(f"replaced: {display.printable(name)}: listed before with other bytes\n")
        for period in done.empty[:SHOWN]:
            write_out(f"no objects: {period}\n")
    for note in done.notes:
        print_note(f"note: {note}")
    for name, kind in list(done.damaged.items())[:SHOWN]:
        print_note(f"error: {name}: listed, but not read to the end: {kind}")
    for name, why in list(done.unreadable.items())[:SHOWN]:
        print_note(f"error: {name}: not listed: {why}")
    if done.damaged or done.unreadable:
        return ERROR
    return FOUND if done.replaced else 0


def added_dict(done: manifest.Added) -> dict[str, object]:
    """Returns what ``manifest add --json`` prints."""
    return {
        "schema_version": 1, "objects": done.objects, "same": done.same, "replaced": done.replaced,
        "damaged": done.damaged, "unreadable": done.unreadable, "empty": done.empty, "notes": done.notes,
        "head": None if done.head is None else done.head.file,
        "head_sha256": None if done.head is None else done.head.sha256,
        "tree_size": 0 if done.head is None else done.head.tree_size,
    }  # fmt: skip


def _sign(args: argparse.Namespace) -> int:
    done = manifest.sign(args.folder, args.key, stamp_url=args.stamp, aws=aws_of(args))
    for file in done.files:
        write_out(f"{file}\n")
    if not done.files:
        print_note(f"{done.head.file}: signed by this key before")
    return 0


def _verify(args: argparse.Namespace) -> int:
    with progress_line(True) as progress:
        done = manifest.verify(
            args.folder, args.paths, keys=args.keys, head=args.head, aws=aws_of(args), progress=progress
        )
    if args.json:
        write_out("".join(json.dumps(row_dict(row)) + "\n" for row in done.rows))
    else:
        _print(done, bool(args.paths))
    for note in done.notes:
        print_note(f"note: {note}")
    return 0 if done.ok else FOUND


def _print(done: manifest.Verification, asked: bool) -> None:
    print_rows(done.rows)
    lines = []
    if asked:
        objects = done.counts("object")
        unasked = f"; {done.unasked:,} listed lie elsewhere" if done.unasked else ""
        lines.append(f"{objects.get('ok', 0):,} of {count(sum(objects.values()), 'object')} ok{unasked}")
        bare = [row.object for row in done.rows if row.kind == "object" and row.verdict == "ok" and row.detail]
        if bare:
            shown = ", ".join(bare[:5]) + (f" and {len(bare) - 5:,} more" if len(bare) > 5 else "")
            lines.append(f"no records in {count(len(bare), 'object')}: {shown}")
    else:
        lines.append("objects: not compared; give their PATH, too")
    heads = done.counts("head")
    lines.append(
        f"{heads.get('ok', 0):,} of {count(sum(heads.values()), 'head')} ok" + (f"; {done.head}" if done.head else "")
    )
    if done.silent:
        lines.append(f"no objects: {', '.join(done.silent[:SHOWN])}")
    signed = ", ".join(done.signers) or "nobody"
    lines.append(
        f"signed by {signed}"
        + ("" if done.demanded or not done.signers else "; whose keys these are was not checked: give --keys")
    )
    lines += [f"not proved: {text}" for text in LIMITS]
    write_out("\n".join(line for text in lines for line in wrapped(display.printable(text), terminal_width())) + "\n")


def _prove(args: argparse.Namespace) -> int:
    write_out(json.dumps(manifest.prove(args.folder, args.object)) + "\n")
    return 0
