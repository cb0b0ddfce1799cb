"""Prints conversations: ``vpcflow sessions``."""

from __future__ import annotations

import argparse

from ._names import add_names
from ._output import progress_line
from ._pages import add_page, full_name
from ._parser import positive
from ._shared import add_input, collect, exit_code_of, flows_of, print_rows

HELP = "print conversations: both directions, all windows and interfaces as one row"
EXAMPLES = 'sessions logs/ --where "dstport = 5432 or srcport = 5432" -n 20 --order-by server_bytes'
# What a page shows first, of which the width of the terminal may leave out the last.
_ORDER = (
    "start", "client", "server", "server_port", "state", "client_bytes", "server_bytes", "protocol", "duration",
    "client_port", "client_packets", "server_packets", "records", "decided_by", "client_flags", "server_flags",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_names(parser)
    add_page(parser)
    parser.add_argument(
        "--idle", default="10m", metavar="TIME", help="end a session after this pause: 30s, 10m (default), 1h"
    )
    parser.add_argument(
        "--vantage",
        choices=("most", "client", "server", "all"),
        default="most",
        help="show the figures of this side (default: of the interface that saw most)",
    )
    parser.add_argument(
        "--intermediary",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="treat ADDRESS as a NAT gateway or load balancer; may be repeated",
    )
    parser.add_argument(
        "--community-id", action="store_true", help="add the Community ID, by which Zeek, Suricata and Arkime know it"
    )
    parser.add_argument("-n", type=positive, help="print N sessions (default: all)")
    parser.add_argument("--order-by", metavar="COLUMN", help="sort by this column, largest first (default: by start)")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    flows = flows_of(args)
    query = flows.sessions(idle=args.idle, vantage=args.vantage, intermediaries=args.intermediary)
    if args.order_by:
        query = query.sort(full_name(args.order_by), descending=True)
    if args.n:
        query = query.limit(args.n)
    with progress_line(True) as progress:
        result, code = collect(lambda: query.collect(progress=progress))
    order = [full_name(args.order_by), *_ORDER] if args.order_by else _ORDER
    if args.community_id:
        from ..siem.community import community_id_of

        schema = [*result.schema, ("community_id", "text")]
        rows = [{**row, "community_id": community_id_of(row)} for row in result]
        print_rows(result, flows, args, schema=schema, rows=rows, order=("community_id", *order), bar=args.order_by)
    else:
        print_rows(result, flows, args, order=order, bar=args.order_by)
    return exit_code_of(result.report, args, code)
