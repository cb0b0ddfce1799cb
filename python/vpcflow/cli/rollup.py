"""Makes one record of those of a flow within a span of time: ``vpcflow rollup``."""

from __future__ import annotations

import argparse
import json

from .._words import count
from ..errors import PlanError
from ..volume.rollups import rollup
from ._output import write_out
from ._shared import add_input, flows_of
from ._volume import RefusedError, add_places, add_prove, left_out, prover, refused, sizes

HELP = "write one record for those of a flow within a span of time, as flow records that every command reads"
EXAMPLES = (
    "rollup logs/ -o rolled/\n  vpcflow rollup logs/ -o same/ --prove detect\n"
    "  vpcflow rollup logs/ -o edges/ --every 1d --no-client-ports"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="write to this new folder")
    parser.add_argument(
        "--every", default="5m", metavar="TIME", help="sum up over spans of this length: 5m (default), 1h, 1d"
    )
    parser.add_argument(
        "--no-client-ports", action="store_true",
        help="drop the higher one of two ports if it is 1024 or above, and count those dropped",
    )  # fmt: skip
    add_places(parser)
    add_prove(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.where:
        raise PlanError("rollup takes every record: --where would drop some; vpcflow convert takes it")
    flows = flows_of(args)
    try:
        done = rollup(
            flows, args.out, every=args.every, client_ports=not args.no_client_ports, layout=args.layout, by=args.by,
            max_memory=args.max_memory, check=prover(args.prove, flows),
        )  # fmt: skip
    except RefusedError as refusal:
        return refused(refusal.proof, args.out)
    if args.json:
        write_out(json.dumps({
            "schema_version": 1, "records_before": done.records_before, "records": done.records,
            "objects": [row["path"] for row in done.objects], "size_before": done.size_before, "size": done.size,
            "error": None if done.error is None else str(done.error),
        }) + "\n")  # fmt: skip
    else:
        write_out(
            f"{count(done.records, 'record')} for {done.records_before:,}: "
            f"{sizes(done.size_before, done.size, 'of Parquet')}\n"
        )
    return left_out(done.rejected, done.error, args)
