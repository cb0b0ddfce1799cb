"""Writes synthetic logs with planted, labelled incidents: ``vpcflow synth``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from ..synthetic import plants, synth
from ._output import write_out
from ._parser import positive

HELP = "write synthetic logs with planted, labelled incidents"
EXAMPLES = "synth --records 1000000 --seed 7 --plant all --out demo/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("--records", type=positive, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="write logs, manifest.json and labels.json to this folder"
    )
    parser.add_argument("--format", help="write this format, as for the other commands (default: AWS's)")
    parser.add_argument("--plant", default="", metavar="NAMES", help=f"plant all, or some of: {', '.join(plants())}")
    parser.add_argument("--hours", type=float, default=6.0, help="cover N hours (default 6)")
    parser.add_argument("--start", type=int, help="begin at these Unix seconds")
    parser.add_argument("--window", type=int, default=60, help="aggregate N seconds (default 60)")
    parser.add_argument("--interfaces", type=int, default=300)
    parser.add_argument("--accounts", type=int, default=3)
    parser.add_argument("--peers", type=int, default=120_000, help="use N outside hosts of ordinary traffic")
    parser.add_argument(
        "--noise-sources", type=int, default=60_000, help="use N outside hosts whose traffic is rejected"
    )
    for share, default in (("ipv6", 0.02), ("nodata", 0.004), ("skipdata", 0.0005), ("reject", 0.12)):
        parser.add_argument(
            f"--{share}-share", type=float, default=default, help=f"set the share of records (default {default})"
        )
    parser.add_argument("--files", type=positive, default=1)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--gzip-level", type=int, default=6)
    parser.add_argument("--no-header", dest="header", action="store_false", help="write no header lines")
    parser.add_argument(
        "--s3-layout", action="store_true", help="write AWS's folders and file names, gzip, 5-minute objects"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as a JSON object")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    options = {
        name: getattr(args, name)
        for name in (
            "records", "seed", "out", "format", "plant", "hours", "window", "interfaces", "accounts", "peers",
            "noise_sources", "ipv6_share", "nodata_share", "skipdata_share", "reject_share", "files", "gzip",
            "gzip_level", "header", "s3_layout",
        )
    }  # fmt: skip
    if args.start is not None:
        options["start"] = args.start
    made = synth(**options)
    if args.json:
        told = {"records": made.records, "text_bytes": made.text_bytes, "files": made.files, "labels": made.labels}
        write_out(json.dumps(told) + "\n")
    else:
        size = display.human_bytes(made.text_bytes)
        files = f"{len(made.files)} file{'s' if len(made.files) != 1 else ''}"
        write_out(f"{made.records:,} records, {size} of text, {files} in {display.printable(args.out)}\n")
        for label in made.labels:
            write_out(f"  planted {label['kind']}: {label['actor']}, {label['records']:,} records; {label['note']}\n")
    return 0
