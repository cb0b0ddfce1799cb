"""Writes statements for Amazon Athena: ``vpcflow athena``."""

from __future__ import annotations

import argparse

from ..errors import ArgumentError, FormatError
from ..io.aws.athena import LAYOUTS, Place, ddl
from ..query.scan import scan
from ._output import write_out
from ._shared import add_aws, aws_of

HELP = "write the table of Athena for logs at hand, with partition projection"
EXAMPLES = (
    "athena ddl --format v5 --location s3://my-logs/AWSLogs/ --layout daily --account 123456789010 --region us-east-1"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "print the statement that makes a table; nothing is called"
    verb = verbs.add_parser("ddl", help=text, description=text)
    verb.add_argument(
        "path", nargs="?", metavar="PATH", help="take format, layout, accounts and regions from the logs there"
    )
    verb.add_argument("--format", help="take the fields of this format: '${srcaddr} ${bytes}', names, default, tgw, v5")
    verb.add_argument("--location", metavar="URL", help="read from there: s3://BUCKET/.../AWSLogs/ (default: of PATH)")
    verb.add_argument("--layout", choices=LAYOUTS, help="expect these folders (default: of PATH)")
    verb.add_argument("--parquet", action="store_true", help="read Parquet (default: text)")
    verb.add_argument("--account", action="append", metavar="ID", help="have partitions of this account; repeatable")
    verb.add_argument("--region", action="append", metavar="NAME", help="have partitions of this region; repeatable")
    verb.add_argument("--table", default="vpc_flow_logs", metavar="NAME", help="name the table (default vpc_flow_logs)")
    add_aws(verb)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    format, parquet = args.format, args.parquet
    accounts, regions = list(args.account or ()), list(args.region or ())
    place: Place | None = None
    if args.path is not None:
        sources = scan(args.path, format=format, aws=aws_of(args))._logs
        paths = [source.object_path for source in sources.sources]
        accounts = accounts or sorted({path["account"] for path in paths if path["account"]})
        regions = regions or sorted({path["region"] for path in paths if path["region"]})
        names = [source.name for source in sources.sources]
        place = next((found for found in map(Place.of, names) if found), None)
        parquet = parquet or names[0].endswith(".parquet")
        if format is None and not parquet:
            format = next(iter(sources.formats(1)), None)
        elif format is None:
            format = " ".join(name for name, _ in scan(args.path, aws=aws_of(args)).schema)
    if format is None:
        raise FormatError("athena: the fields are not known; give PATH or --format")
    location, layout = args.location or (place and place.location), args.layout or (place and place.layout)
    if not location or not layout:
        raise ArgumentError("athena: the folders are not known by PATH; give --location and --layout")
    if not location.startswith("s3://"):
        raise ArgumentError(f"--location {location}: Athena reads s3://BUCKET/.../AWSLogs/; give --location")
    where = Place(location.rstrip("/") + "/", layout)
    write_out(
        ddl(format, where, accounts=accounts, regions=regions, parquet=parquet, table=args.table)
    )
    return 0
