"""Writes what SIEMs need before events come: ``vpcflow siem``."""

from __future__ import annotations

import argparse
import os

from ..errors import OutputError
from ..io.writing import write_whole
from ..siem.setup.files import TARGETS, UNITS, files
from ._output import print_note, write_out
from ._parser import positive

HELP = "write index templates, policies, tables and rules for the events of vpcflow send; call nothing"
EXAMPLES = (
    "siem setup opensearch -o setup/\n"
    "  vpcflow siem setup sentinel --as awsvpcflow\n"
    "  vpcflow siem setup athena --location s3://my-lake/flows/"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "write the files of a receiver"
    setup = verbs.add_parser("setup", help=text, description=text)
    setup.add_argument("target", metavar="TARGET", choices=list(TARGETS), help=f"one of {', '.join(TARGETS)}")
    setup.add_argument(
        "--as", dest="as_", metavar="SCHEMA", help="for events of this schema (default: what the receiver knows best)"
    )
    setup.add_argument(
        "--unit", choices=UNITS, help="for what send --unit sends; findings have other members than the others"
    )
    setup.add_argument(
        "--name", default="vpcflow", help="of the index, table or event type (default vpcflow), as --to of send has it"
    )
    setup.add_argument(
        "--days", type=positive, default=30, metavar="N", help="OpenSearch and Elasticsearch keep events so long (30)"
    )
    setup.add_argument(
        "--location", default="s3://BUCKET/PREFIX/", metavar="URL", help="where Athena finds the objects"
    )  # fmt: skip
    setup.add_argument("-o", "--out", metavar="DIR", help="write below this folder (default: print)")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    made = files(args.target, args.as_, name=args.name, days=args.days, location=args.location, unit=args.unit)
    for name, text in made.items():
        if args.out is None:
            write_out(text if len(made) == 1 else f"# {name}\n{text}")
            continue
        path = os.path.join(args.out, name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
        write_whole(path, text.encode())
        print_note(f"{path}: {len(text.splitlines()):,} lines")
    return 0
