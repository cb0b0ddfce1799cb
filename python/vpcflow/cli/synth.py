"""The command `vpcflow synth`: synthetic logs with planted, labelled incidents."""

from __future__ import annotations

import argparse
import json
from typing import Callable

from .. import _display as display
from ..synthetic import plants, synth
from ._output import put
from ._parser import positive


def add_command(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Adds the parser."""
    made = add(
        "synth",
        "synthetic logs with planted, labelled incidents",
        "synth --records 1000000 --seed 7 --plant all --out demo/",
    )
    made.add_argument("--records", type=positive, default=100_000)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--out", required=True, metavar="DIR", help="folder for the logs, manifest.json and labels.json")
    made.add_argument("--format", help="as for the other commands; AWS's default without")
    made.add_argument("--plant", default="", metavar="NAMES", help=f"all, or some of: {', '.join(plants())}")
    made.add_argument("--hours", type=float, default=6.0, help="time span (default 6)")
    made.add_argument("--start", type=int, help="Unix seconds of the first window")
    made.add_argument("--window", type=int, default=60, help="aggregation interval in seconds (default 60)")
    made.add_argument("--interfaces", type=int, default=300)
    made.add_argument("--accounts", type=int, default=3)
    made.add_argument("--peers", type=int, default=120_000, help="outside hosts of ordinary traffic")
    made.add_argument("--noise-sources", type=int, default=60_000, help="outside hosts whose traffic is rejected")
    for share, default in (("ipv6", 0.02), ("nodata", 0.004), ("skipdata", 0.0005), ("reject", 0.12)):
        made.add_argument(f"--{share}-share", type=float, default=default, help=f"share of records (default {default})")
    made.add_argument("--files", type=positive, default=1)
    made.add_argument("--gzip", action="store_true")
    made.add_argument("--gzip-level", type=int, default=6)
    made.add_argument("--no-header", dest="header", action="store_false", help="no header lines")
    made.add_argument("--s3-layout", action="store_true", help="AWS's folders and file names, gzip, 5-minute objects")
    made.add_argument("--json", action="store_true", help="what was made as a JSON object")


def run_synth(args: argparse.Namespace) -> int:
    """`vpcflow synth`."""
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
        put(json.dumps(told) + "\n")
    else:
        size = display.human_bytes(made.text_bytes)
        files = f"{len(made.files)} file{'s' if len(made.files) != 1 else ''}"
        put(f"{made.records:,} records, {size} of text, {files} in {display.printable(args.out)}\n")
        for label in made.labels:
            put(f"  planted {label['kind']}: {label['actor']}, {label['records']:,} records; {label['note']}\n")
    return 0
