"""Writes synthetic logs with planted, labelled incidents: ``vpcflow synth``."""

from __future__ import annotations

import argparse
import json

from .. import _display as display
from .._words import count
from ..correlate.story import write_events
from ..synthetic import plants, synth
from ._output import write_out
from ._parser import positive

HELP = "write synthetic logs with planted, labelled incidents"
EXAMPLES = """synth --records 1000000 --seed 7 --plant all --out demo/
  vpcflow synth --world faults --seed 7 --out faults/
  vpcflow synth --world costs --seed 7 --plant skipdata --out costs/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "--records", type=positive, help="write N records (default 100,000; 17,000 a host and day in the office world)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", help="write logs, manifest.json and labels.json to this folder"
    )
    parser.add_argument("--format", help="write this format, as for the other commands (default: AWS's)")
    parser.add_argument(
        "--world", choices=("tame", "office", "faults", "costs"), default="tame",
        help="draw conversations at random, let the hosts of an office do what they do all day, plant what keeps one "
        "host from reaching another (faults: logs/, inventory/, questions in labels.json), or let gateways and zones "
        "cost (logs/, truth/, inventory/, prices.json, bill/)",
    )  # fmt: skip
    names = "; ".join(f"{world}: {', '.join(plants(world))}" for world in ("tame", "office", "faults", "costs"))
    parser.add_argument(
        "--plant", metavar="NAMES",
        help="plant all (the default of faults, but nat_ports), benign (the office's), or some; -NAME takes one out "
        f"again; in costs, keep this from the logs, or have it in the bill. {names}",
    )  # fmt: skip
    parser.add_argument("--intensity", type=float, help="times the attacks of the office (default 1)")
    parser.add_argument(
        "--hours", type=float, help="cover N hours (default 6; 24 in the office, 3 in the world of faults)"
    )
    parser.add_argument("--start", type=int, help="begin at these Unix seconds")
    parser.add_argument("--window", type=int, help="aggregate N seconds (default 60)")
    parser.add_argument("--interfaces", type=int, help="use N interfaces (default 300; 200 in the office world)")
    parser.add_argument("--accounts", type=int, help="use N accounts (default 3)")
    parser.add_argument("--peers", type=int, help="use N outside hosts of ordinary traffic (default 120,000)")
    parser.add_argument("--noise-sources", type=int, help="use N outside hosts that are rejected (default 60,000)")
    for share, default in (("ipv6", 0.02), ("nodata", 0.004), ("skipdata", 0.0005), ("reject", 0.12)):
        parser.add_argument(f"--{share}-share", type=float, help=f"set the share of records (default {default})")
    parser.add_argument("--files", type=positive, help="write N files (default 1)")
    parser.add_argument("--gzip", action="store_true", default=None, help="pack the files (faults: always)")
    parser.add_argument("--gzip-level", type=int, help="pack at this level (default 6)")
    parser.add_argument("--no-header", dest="header", action="store_false", default=None, help="write no header lines")
    parser.add_argument(
        "--s3-layout",
        action="store_true",
        default=None,
        help="write AWS's folders and file names, gzip, 5-minute objects",
    )
    parser.add_argument(
        "--by", choices=("hour", "interface"), help="faults: write a file an hour (default), or an interface and hour"
    )
    parser.add_argument(
        "--events", metavar="DIR",
        help="write CloudTrail records, GuardDuty findings and query logs that tell the same stories to this folder, "
        "with stories.json, for vpcflow correlate",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what was written as a JSON object")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    options = {
        name: getattr(args, name)
        for name in (
            "records", "seed", "out", "format", "world", "plant", "intensity", "hours", "window", "interfaces",
            "accounts", "peers", "noise_sources", "ipv6_share", "nodata_share", "skipdata_share", "reject_share",
            "files", "gzip", "gzip_level", "header", "s3_layout", "start", "by",
        )
        if getattr(args, name) is not None
    }  # fmt: skip
    made = synth(**options)
    stories = write_events(made.labels, args.events, seed=args.seed) if args.events else []
    if args.json:
        told: dict[str, object] = {"records": made.records, "text_bytes": made.text_bytes, "files": made.files}
        told["labels"] = made.questions or made.labels
        if args.events:
            told["stories"] = stories
        write_out(json.dumps(told) + "\n")
    else:
        size = display.human_bytes(made.text_bytes)
        files = count(len(made.files), "file")
        write_out(f"{count(made.records, 'record')}, {size} of text, {files} in {display.printable(args.out)}\n")
        for label in made.labels:
            records = count(label["records"], "record")
            write_out(f"  planted {label['kind']}: {label['actor']}, {records}; {label['note']}\n")
        for story in stories:
            write_out(f"  story {story['rule']}: {story['about']}, {display.instant(story['time'])}\n")
        for asked in made.questions if args.world == "faults" else ():
            way = f"{asked['from']} to {asked['to']}, {asked['proto']} {asked['port']}, at {asked['at']}"
            write_out(f"  planted {asked['kind']}: {way}: {asked['verdict']}; {asked['note']}\n")
        for gap, hit in made.questions[0]["gaps"].items() if args.world == "costs" else ():
            write_out(f"  planted {gap}: {plants('costs')[gap]} ({display.printable(json.dumps(hit))})\n")
    return 0
