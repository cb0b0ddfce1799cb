"""Prints traffic over time, or writes it for other tools: ``vpcflow timeline``."""

from __future__ import annotations

import argparse
import ipaddress
import os
from typing import Any

from .._units import seconds
from .._words import count
from ..errors import PlanError
from ..io.writing import Writing
from ._names import add_names
from ._output import print_note, progress_line, write_out
from ._pages import Rows, Schema, add_page, with_percent
from ._shared import add_input, collect, exit_code_of, flows_of, print_rows

HELP = "print records, bytes, packets, accepted and rejected by time"
EXAMPLES = (
    "timeline logs/ --every 5m\n  vpcflow timeline logs/ --every 1h --where dst_port=22 --by rejected --percent --human"
    "\n  vpcflow timeline 10.0.3.7 logs/ --to timesketch -o case.jsonl"
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
    parser.add_argument(
        "--to", choices=("timesketch", "csv", "stix", "zeek"),
        help="write an event for each conversation, for this tool; addresses before PATH choose whose (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="write to FILE instead of standard output; timesketch as CSV if it is .csv"
    )


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
    if args.to:
        return _write(args)
    if args.out:
        raise PlanError("--out: goes with --to timesketch, csv, stix or zeek")
    if given := [path for path in args.paths if _is_address(path)]:
        raise PlanError(f"{given[0]}: an address goes with --to timesketch, csv, stix or zeek; to draw it, use --where")
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


def _write(args: argparse.Namespace) -> int:
    from ..trace.timelines import sessions_of, timeline

    addresses = [path for path in args.paths if _is_address(path)]
    args.paths = [path for path in args.paths if path not in addresses]
    if not args.paths:
        raise PlanError(f"--to {args.to}: there are addresses alone, {', '.join(addresses)}; give logs behind them")
    with progress_line(True) as progress:
        sessions, code = collect(lambda: sessions_of(flows_of(args), addresses).collect(progress=progress))
    table = args.to == "timesketch" and (args.out or "").endswith(".csv")
    pieces = timeline(sessions, "timesketch-csv" if table else args.to)
    if args.out:
        with Writing(args.out) as target:
            for piece in pieces:
                target.file.write(piece.encode("utf-8", "replace"))
    else:
        for piece in pieces:
            write_out(piece.encode("utf-8", "replace"))
    about = f" of {', '.join(addresses)}" if addresses else ""
    print_note(f"{count(len(sessions), 'conversation')}{about} written, of {count(sessions.report.records, 'record')}")
    return exit_code_of(sessions.report, args, code)


def _is_address(path: str) -> bool:
    try:
        ipaddress.ip_network(path)
    except ValueError:
        return False
    return not os.path.exists(path)
