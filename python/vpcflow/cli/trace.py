"""Tells what an address did: ``vpcflow trace``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

from .. import _display as display
from .._layout import terminal_width, wrapped
from .._units import seconds, unix_seconds
from .._words import count
from ..errors import PlanError
from ..trace import Trace, trace
from ._output import progress_line, write_out
from ._pages import Page, Schema, add_zone, print_page
from ._parser import positive
from ._shared import _time, add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "tell what an address did: who it was, findings, what it offered and tried, new peers, where to look next"
EXAMPLES = (
    "trace 10.0.30.170 examples/data/sample.log.gz\n"
    "  vpcflow trace 10.0.30.170 examples/data/sample.log.gz --around 2026-11-23T07:00Z --span 1h --json\n"
    "  vpcflow trace 10.0.30.170 logs/ --baseline digests/ --inventory examples/inventory"
)
_FIGURES: Schema = [
    ("sessions", "int64"), ("answered", "int64"), ("rejected", "int64"), ("bytes_sent", "int64"),
    ("bytes_received", "int64"),
]  # fmt: skip
_IDENTITY: Schema = [
    ("interface", "text"), ("instance", "text"), ("name", "text"), ("first", "time"), ("last", "time"),
    ("records", "int64"), ("by", "text"), ("certain", "bool"), ("vpc", "text"), ("subnet", "text"), ("account", "text"),
    ("valid_from", "time"), ("valid_until", "time"), ("tags", "text"),
]  # fmt: skip
_PORT: Schema = [("port", "int32"), ("protocol", "int32")]
_SPAN: Schema = [("first", "time"), ("last", "time"), ("interface", "text")]
# The sections of the page: the kind of their rows, the title, the columns.
_SECTIONS: list[tuple[str, str, Schema]] = [
    ("identity", "Who had it", _IDENTITY),
    ("offered", "What it offered: ports that answered clients", [*_PORT, ("clients", "int64"), *_FIGURES, *_SPAN]),
    ("tried", "What it tried", [("server", "address"), *_PORT, *_FIGURES, *_SPAN]),
    (
        "peer", "With whom, new ones first",
        [
            ("peer", "address"), ("new", "bool"), ("inside", "bool"), ("roles", "text"), ("ports", "text"), *_FIGURES,
            *_SPAN,
        ],
    ),
    (
        "carried", "What went through it",
        [("client", "address"), ("server", "address"), *_PORT, ("sessions", "int64"), *_SPAN],
    ),
    (
        "hour", "Bytes by hour",
        [
            ("time", "time"), ("bytes_sent", "int64"), ("bytes_received", "int64"), ("records", "int64"),
            ("interface", "text"),
        ],
    ),
    (
        "leg", "The same conversations elsewhere",
        [
            ("rule", "text"), ("certain", "bool"), ("through", "text"), ("srcaddr", "address"), ("dstaddr", "address"),
            ("peer", "address"), *_PORT, ("bytes", "int64"), *_SPAN, ("pkt_srcaddr", "address"),
            ("pkt_dstaddr", "address"), ("attachment", "text"),
        ],
    ),
    (
        "coverage", "Minutes of its interfaces",
        [("interface", "text"), ("ok", "int64"), ("nodata", "int64"), ("skipdata", "int64"), ("absent", "int64")],
    ),
]  # fmt: skip
_BYTES = frozenset({"bytes", "bytes_sent", "bytes_received"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument("address", metavar="ADDRESS", help="trace this address")
    add_input(parser)
    parser.add_argument("--around", metavar="TIME", help="tell sessions around this time: 2026-11-23T06:10Z")
    parser.add_argument("--span", metavar="TIME", help="how long a time that is (default 6h)")
    parser.add_argument("--baseline", metavar="DIR", help="call peers known that these digests have on earlier days")
    parser.add_argument("--inventory", metavar="DIR", help="take owners and names from answers of AWS's describe calls")
    parser.add_argument(
        "--intermediary", action="append", default=[], metavar="ADDRESS",
        help="name who may have called through this load balancer; may be repeated",
    )  # fmt: skip
    told = parser.add_mutually_exclusive_group()
    told.add_argument("--findings", metavar="FILE", help="take findings from lines of vpcflow detect --json")
    told.add_argument("--no-findings", action="store_true", help="run no detectors")
    parser.add_argument("-n", type=positive, default=10, metavar="N", help="show N rows of a section (default 10)")
    add_zone(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    since, until = _window(args)
    flows = flows_of(args)
    findings = args.findings or not args.no_findings
    with progress_line(True) as progress:
        found, code = collect(
            lambda: trace(
                flows, args.address, inventory=args.inventory, findings=findings, baseline=args.baseline, since=since,
                until=until, intermediaries=args.intermediary, progress=progress,
            )
        )  # fmt: skip
    warn_of_rejects(found.report, args.json)
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in found.rows()))
    else:
        _print(found, args)
    return exit_code_of(found.report, args, code)


def _window(args: argparse.Namespace) -> tuple[int | None, int | None]:
    if args.around is None:
        if args.span is not None:
            raise PlanError("--span: goes with --around TIME")
        return None, None
    middle, half = unix_seconds("--around", _time(args.around, args)), seconds(args.span or "6h", "--span") // 2
    return (middle or 0) - half, (middle or 0) + half


def _print(found: Trace, args: argparse.Namespace) -> None:
    width = terminal_width()
    rows = found.rows()

    def say(text: str, indent: str = "  ") -> None:
        write_out("\n".join(wrapped(display.printable(text), width, indent)) + "\n")

    say(found.conclusion())
    for warning in found.warnings:
        say(f"WARNING: {warning}")
    of: Callable[[str], list[dict[str, Any]]] = lambda kind: [row for row in rows if row["kind"] == kind]  # noqa: E731
    if of("pivot"):
        write_out("\nWhere to look next\n")
        for row in of("pivot"):
            say(f"- {row['address']}: {row['why']}")
    if of("finding"):
        write_out("\nFindings that name it\n")
        for row in of("finding")[: args.n]:
            say(f"- {row['severity']} {row['detector']}: {row['sentence']}")
        _more(of("finding"), args)
    for kind, title, schema in _SECTIONS:
        own = of(kind)
        if own:
            write_out(f"\n{title}{_known(found) if kind == 'peer' else ''}\n")
            shown = argparse.Namespace(json=False, csv=False, markdown=False, vertical=False, human=False, tz=args.tz)
            print_page(Page(schema, [_flat(row) for row in own[: args.n]], _BYTES), shown)
            _more(own, args)
    write_out("\nWhat could not be seen\n")
    for row in of("unseen"):
        say(f"- {row['text']}")


def _known(found: Trace) -> str:
    """Says whom the page calls new."""
    if found.new_since is None:
        return " (not in the digests of earlier days)"
    return f" (not seen before {display.instant(found.new_since)} UTC)"


def _more(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    if len(rows) > args.n:
        write_out(f"... and {count(len(rows) - args.n, 'more row')}; -n shows them, --json all\n")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row as a table has it."""
    out = dict(row)
    for name, value in row.items():
        if isinstance(value, list):
            out[name] = " ".join(map(str, value))
        elif isinstance(value, dict):
            out[name] = " ".join(f"{key}={one}" for key, one in value.items()) or None
    return out
