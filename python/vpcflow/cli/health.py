"""Prints who is answered and who is not, and where that changed: ``vpcflow health``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from .. import _display as display
from .._layout import terminal_width, wrapped
from .._words import count
from ..errors import PlanError
from ..health import Health, health
from ..health.naming import NO_LATENCY
from ._output import FOUND, print_note, progress_line, write_out
from ._pages import Page, add_page, print_page
from ._parser import NeedsNothing, positive
from ._shared import _time, add_input, collect, exit_code_of, flows_of, warn_of_rejects

HELP = "print who is answered and who is not, and where that changed; exit code 1 if there is something to say"
EXAMPLES = (
    "health examples/data/sample.log.gz --by service\n"
    "  vpcflow health logs/ --by name --inventory examples/inventory --every 1m\n"
    "  vpcflow health logs/ --deploy 2026-11-23T08:00:00Z\n  vpcflow health logs/ --slo 99.9 --json"
)
_SAID = 20  # sentences that a page has
_EDGES = [
    ("client", "text"), ("server", "text"), ("port", "int32"), ("attempts", "int64"), ("answered_percent", "float64"),
    ("low_percent", "float64"), ("high_percent", "float64"), ("changes", "int64"), ("rejected", "int64"),
    ("refused", "int64"), ("silent", "int64"), ("half", "int64"), ("unknown", "int64"), ("resets", "int64"),
    ("late", "int64"), ("attempts_per_second", "float64"), ("packets_per_session", "float64"), ("bytes", "int64"),
    ("bins", "int64"), ("bins_left_out", "int64"), ("sessions_left_out", "int64"), ("ongoing", "int64"),
    ("protocol", "int32"), ("first", "time"), ("last", "time"), ("why", "text"),
]  # fmt: skip
_PARTS: dict[str, list[tuple[str, str]]] = {
    "edges": _EDGES,
    "changes": [
        ("time", "time"), ("client", "text"), ("server", "text"), ("port", "int32"), ("signal", "text"),
        ("before_percent", "float64"), ("after_percent", "float64"), ("low_percent", "float64"),
        ("high_percent", "float64"), ("cause", "text"), ("attempts_before", "int64"), ("attempts", "int64"),
        ("p", "float64"), ("protocol", "int32"),
    ],
    "bins": [
        ("time", "time"), ("client", "text"), ("server", "text"), ("port", "int32"), ("attempts", "int64"),
        ("answered_percent", "float64"), ("rejected", "int64"), ("refused", "int64"), ("silent", "int64"),
        ("half", "int64"), ("unknown", "int64"), ("resets", "int64"), ("late", "int64"), ("bytes", "int64"),
        ("left_out", "bool"), ("protocol", "int32"),
    ],
    "deploy": [
        ("change", "text"), ("client", "text"), ("server", "text"), ("port", "int32"), ("attempts_before", "int64"),
        ("attempts", "int64"), ("answered_before_percent", "float64"), ("answered_percent", "float64"),
        ("low_percent", "float64"), ("high_percent", "float64"), ("sessions_ratio", "float64"),
        ("bytes_ratio", "float64"), ("control", "bool"), ("p", "float64"), ("protocol", "int32"),
    ],
    "nat": [
        ("nat", "text"), ("destination", "text"), ("port", "int32"), ("protocol", "int32"), ("time", "time"),
        ("lower", "int64"), ("upper", "int64"), ("limit", "int64"), ("seen_at", "text"),
    ],
    "tracked": [("name", "text"), ("time", "time"), ("lower", "int64"), ("upper", "int64")],
    "throughput": [
        ("instance", "text"), ("instance_type", "text"), ("direction", "text"), ("minutes", "int64"),
        ("p50", "float64"), ("p95", "float64"), ("p99", "float64"), ("max", "float64"), ("baseline", "float64"),
        ("peak", "float64"), ("minutes_above", "int64"), ("longest_above", "int64"),
    ],
    "suspicions": [
        ("kind", "text"), ("subject", "text"), ("time", "time"), ("low", "float64"), ("high", "float64"),
        ("sentence", "text"), ("proof", "text"),
    ],
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    add_page(parser)
    parser.add_argument(
        "--by", metavar="WHAT",
        help="call the ends by address (default), service, or names of --inventory: name, instance, asg, subnet, vpc, "
        "az, group, type, tag:KEY",
    )  # fmt: skip
    parser.add_argument(
        "--every", default="5m", metavar="TIME", help="look for changes between bins of this length (default 5m)"
    )
    parser.add_argument("--inventory", metavar="DIR", help="take names and limits from answers of AWS's describe calls")
    parser.add_argument("--deploy", metavar="TIME", help="compare the same hours before and after this time")
    parser.add_argument("--slo", metavar="PERCENT", help="report burn rates of the error budget, as --slo 99.9")
    parser.add_argument(
        "--intermediary", action="append", default=[], metavar="ADDRESS",
        help="treat ADDRESS as a NAT gateway or load balancer; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--part", choices=list(_PARTS),
        help="print this part alone: edges (default of --json), changes, bins, deploy, nat, tracked, throughput, "
        "suspicions",
    )  # fmt: skip
    parser.add_argument("-n", type=positive, help="print N rows (default: of a page 20, else all)")
    parser.add_argument(
        "--latency", action=NeedsNothing, nargs=0, help="say what has latency, which flow logs do not, and end"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.latency:
        raise PlanError(NO_LATENCY)
    if args.part == "deploy" and not args.deploy:
        raise PlanError("--part deploy: needs --deploy TIME")
    deploy = _time(args.deploy, args)
    flows = flows_of(args)
    with progress_line(True) as progress:
        found, code = collect(
            lambda: health(
                flows, by=args.by, every=args.every, inventory=args.inventory, deploy=deploy, slo=args.slo,
                intermediaries=args.intermediary, progress=progress,
            )
        )  # fmt: skip
    warn_of_rejects(found.report, args.json)
    told = found.told()
    if args.json or args.csv or args.part:
        _print_part(found, args.part or "edges", args)
        print_note(found.conclusion())
    else:
        _print_page(found, told, args)
    for note in found.notes:
        print_note(f"note: {note}")
    return exit_code_of(found.report, args, code) or (FOUND if told else 0)


def _print_page(found: Health, told: Sequence[str], args: argparse.Namespace) -> None:
    width = terminal_width()
    lines = [*wrapped(found.conclusion(), width)]
    for sentence in told[:_SAID]:
        lines += wrapped(f"- {display.printable(sentence)}", width, "  ")
    if len(told) > _SAID:
        lines.append(f"and {len(told) - _SAID:,} more; see --part changes, --part suspicions, --part deploy")
    if found.deploy is not None:
        for note in found.deploy.notes:
            lines += wrapped(f"deploy: {note}", width, "  ")
        if found.deploy.control_ratio is not None:
            controls = [edge for edge in found.deploy.edges if edge.control]
            named = ", ".join(f"{e.client} -> {e.server} {e.port or ''}".strip() for e in controls[:3])
            lines += wrapped(
                f"deploy: {count(len(controls), 'control edge')} ({display.printable(named)}) had "
                f"{found.deploy.control_ratio:.2f} times the sessions of before", width, "  ",
            )  # fmt: skip
    write_out("\n".join(lines) + "\n\n")
    _print_part(found, "edges", args, args.n or _SAID)
    left = len(found) - (args.n or _SAID)
    if left > 0:
        print_note(f"{count(left, 'more edge')}; -n shows them, --json all")


def _print_part(found: Health, part: str, args: argparse.Namespace, most: int | None = None) -> None:
    rows = _rows(found, part)[: most or args.n]
    if args.json:
        write_out("".join(json.dumps(row) + "\n" for row in rows))
        return
    print_page(Page(_PARTS[part], [_flat(row, part) for row in rows], frozenset({"bytes"})), args)


def _rows(found: Health, part: str) -> list[dict[str, Any]]:
    if part == "edges":
        return found.rows()
    if part == "bins":
        return found.bins()
    if part == "changes":
        names = ("client", "server", "port", "protocol")
        return [
            {**{name: edge[name] for name in names}, **change.as_dict()} for edge in found for change in edge.changes
        ]
    if part == "deploy":
        return [edge.as_dict() for edge in found.deploy.edges] if found.deploy is not None else []
    return [one.as_dict() for one in getattr(found, part)]


def _flat(row: dict[str, Any], part: str) -> dict[str, Any]:
    """Returns a row as a table has it: shares in percent, lists by their length, ratios without interval."""
    out = dict(row)
    for name, _ in _PARTS[part]:
        share = name.removesuffix("_percent")
        if share != name:
            out[name] = None if row.get(share) is None else 100 * row[share]
        elif name == "changes":
            out[name] = len(row[name])
        elif name.endswith("_ratio"):
            out[name] = row[name][0] if row[name] else None
    return out
