"""Prints traffic over time: ``vpcflow timeline``."""

from __future__ import annotations

import argparse
from typing import Any

from .._units import seconds
from ._names import add_names
from ._output import progress_line
from ._pages import Rows, Schema, add_page, with_percent
from ._shared import add_input, collect, exit_code_of, flows_of, print_rows

HELP = "print records, bytes, packets, accepted and rejected by time"
EXAMPLES = (
    "timeline logs/ --every 5m\n  vpcflow timeline logs/ --every 1h --where dst_port=22 --by rejected --percent --human"
)
_MEASURES = {
    "records": "count()", "bytes": "sum(bytes)", "packets": "sum(packets)",
    "accepted": "count() where action = 'ACCEPT'", "rejected": "count() where action = 'REJECT'",
}  # fmt: skip
_MOST_EMPTY = 100_000  # bins that are added between those with records


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    add_page(parser)
    parser.add_argument("--every", default="5m", metavar="TIME", help="length of a bin: 1m, 5m (default), 1h, 1d")
    parser.add_argument("--by", choices=tuple(_MEASURES), default="bytes", help="draw this measure (default bytes)")
    parser.add_argument("--percent", action="store_true", help="add the share of each measure in its sum")


def with_empty_bins(rows: list[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    """Adds the bins between the first and the last in which no record is, if they are not too many."""
    times = [row["time"] for row in rows if row["time"] is not None]
    if len(times) < 2 or (times[-1] - times[0]) // step > len(times) + _MOST_EMPTY:
        return rows
    known = {row["time"]: row for row in rows}
    empty = dict.fromkeys(_MEASURES, 0)
    bins = [known.get(time, {"time": time, **empty}) for time in range(times[0], times[-1] + 1, step)]
    return bins + [row for row in rows if row["time"] is None]


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    # Fields that the logs lack leave their measure empty.
    query = flows._with(allow_missing=True).group_by(every=args.every).agg(**_MEASURES)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    rows: Rows = with_empty_bins(result.rows(), seconds(args.every))
    schema: Schema = result.schema
    if args.percent:
        schema, rows = with_percent(schema, map(dict, rows), {n: sum(row[n] or 0 for row in rows) for n in _MEASURES})
    print_rows(result, flows, args, schema=schema, rows=rows, bar=args.by)
    return exit_code_of(result.report, args, code)
