"""Pages of ``vpcflow sg`` for people, and its rows as JSON."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _display as display
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..tuning import Block, Proposal, RuleCheck, RuleUsage
from ..tuning.forms import is_new
from ..tuning.rules import rule_of_item
from ..tuning.usage import CLASSES
from ._output import FOUND, print_note, write_out
from ._shared import exit_code_of, warn_of_rejects

SCHEMA_VERSION = 1  # docs/reference/schemas.md
_USAGE_COLUMNS = [
    ("class", "text"), ("rule_id", "text"), ("rule", "text"), ("sessions", "int64"), ("exclusive", "int64"),
    ("maybe_sessions", "int64"), ("peers", "int64"), ("last", "time"), ("group", "text"), ("coverage", "float64"),
    ("bytes", "int64"), ("first", "time"),
]  # fmt: skip
_EDGE_COLUMNS = [
    ("first", "time"), ("interface", "text"), ("direction", "text"), ("peer", "text"), ("protocol", "int64"),
    ("port", "int64"), ("sessions", "int64"), ("why", "text"), ("last", "time"), ("bytes", "int64"),
]  # fmt: skip
_MOST_ALMOST = 10
_MOST_EDGES = 20


def json_lines(rows: Any) -> str:
    """Returns rows as JSON, an object a line."""
    return "".join(json.dumps({"schema_version": SCHEMA_VERSION, **row}) + "\n" for row in rows)


def print_usage(usage: RuleUsage, args: argparse.Namespace, code: int = 0) -> int:
    """Prints the usage of rules, and returns the exit code."""
    warn_of_rejects(usage.report, args.json)
    if args.json:
        write_out(json_lines(usage.rows))
        for line in _remarks(usage):
            print_note(line)
    else:
        write_out("\n".join(_usage_lines(usage)) + "\n")
    return exit_code_of(usage.report, args, code or (FOUND if usage.advice else 0))


def print_proposal(found: Proposal, args: argparse.Namespace) -> None:
    """Prints a proposal: as JSON, or for people."""
    if args.json:
        write_out(json.dumps(found.as_json()) + "\n")
        return
    width = terminal_width()
    lines = []
    for group in found.groups:
        rules, (before, after) = found.objective[group]["rules"], found.objective[group]["address_ports"]
        reach = found.objective[group]["interfaces_that_reach_it"]
        lines.append(
            f"{group}: {rules[0]} rules become {rules[1]}; addresses x ports {before:,} become {after:,}; "
            f"interfaces that reach it {reach[0]:,} become {reach[1]:,}"
        )
        for sign, items in (("-", found.revoked), ("+", [one for one in found.rules if is_new(one)])):
            lines += [f"  {sign} {_rule_text(item)}" for item in items if item["GroupId"] == group]
        sure = found.confidence.get(group)
        if sure and sure["missed_below"]:
            lines.append(
                f"  unseen {sure['unseen']:.2%} of the sessions to come (Good-Turing); what is rarer than "
                f"{sure['missed_below']:g} times a day may be missing"
            )
    kept = found.covers
    lines.append(f"kept: {kept['allowed']:,} of {kept['sessions']:,} sessions, each checked by the slow matcher")
    lines += [f"not kept: {number:,} sessions: {why}" for why, number in found.dropped.items()]
    held = found.held_out_denied
    if held["share"] is not None:
        lines.append(
            f"held out: the last {count(found.held_out_days, 'day')}: {held['denied']:,} of {held['sessions']:,} "
            f"sessions would have been denied ({held['share']:.2%}, {held['low']:.2%} to {held['high']:.2%})"
        )
    else:
        lines.append("held out: nothing, so nobody knows what would break in days to come")
    lines.append(f"widened: {len(found.widened)} rules")
    if found.breaks:
        lines.append("would break, by when first seen:")
        lines.append(text_table(_EDGE_COLUMNS, [_printable(row) for row in found.breaks[:_MOST_EDGES]], width))
        if len(found.breaks) > _MOST_EDGES:
            lines.append(f"and {len(found.breaks) - _MOST_EDGES:,} more; --json has all")
    lines += contradiction_lines(found.contradictions)
    lines += [f"note: {note}" for note in found.notes]
    write_out("\n".join(display.printable(line) if "\n" not in line else line for line in lines) + "\n")


def print_check(found: RuleCheck, args: argparse.Namespace, code: int) -> int:
    """Prints what rules would have done, and returns the exit code."""
    warn_of_rejects(found.report, args.json)
    sessions = found.sessions
    share = "" if sessions["share"] is None else f" ({sessions['share']:.2%})"
    said = [
        f"{sessions['denied']:,} of {sessions['accepted']:,} accepted sessions would have been denied{share}, "
        f"{sessions['maybe']:,} maybe; {sessions['allowed']:,} rejected ones allowed; {found.days:g} days, "
        f"groups {', '.join(found.groups)}"
    ]
    said += [f"not judged: {number:,} sessions {why}" for why, number in found.left_out.items()]
    if args.json:
        write_out(json_lines(found.rows()))
        for line in said:
            print_note(line)
    else:
        rows = found.rows()
        columns = [("change", "text"), *(column for column in _EDGE_COLUMNS if column[0] != "why")]
        lines = [text_table(columns, [_printable(row) for row in rows[:_MOST_EDGES]], terminal_width())] if rows else []
        lines += [f"and {len(rows) - _MOST_EDGES:,} more; --json has all"] if len(rows) > _MOST_EDGES else []
        write_out("\n".join([*lines, *said]) + "\n")
    return exit_code_of(found.report, args, code or (FOUND if found.denied else 0))


def print_blocks(blocks: Sequence[Block], files: Mapping[str, str], args: argparse.Namespace) -> int:
    """Prints blocklists, or what was written, and returns the exit code."""
    for block in blocks:
        if block.note:
            print_note(f"note: {block.net}: {block.note}")
    if not blocks:
        print_note("nothing to block: no finding of an actor outside that is hostile")
    elif args.out:
        write_out("".join(f"{args.out}/{name}\n" for name in files))
    else:
        write_out("".join(text if len(files) == 1 else f"# {name}\n{text}" for name, text in files.items()))
    return FOUND if blocks else 0


def _rule_text(item: Mapping[str, Any]) -> str:
    rule = rule_of_item(item)
    return f"{item.get('SecurityGroupRuleId')} {rule}" if rule is not None else str(item)


def _usage_lines(usage: RuleUsage) -> list[str]:
    width = terminal_width()
    order = list(CLASSES)
    rows = sorted(usage.rows, key=lambda row: (order.index(row["class"]), -row["sessions"], row["rule_id"]))
    lines = [text_table(_USAGE_COLUMNS, [_printable(row) for row in rows], width)] if rows else ["no rules"]
    lines.append("")
    for row in rows:
        if row["class"] != "used":
            beside = f" (by {', '.join(row['shadowed_by'])})" if row["shadowed_by"] else ""
            lines += wrapped(display.printable(f"{row['rule_id']} {row['class']}: {row['why']}{beside}"), width)
    if usage.almost:
        lines.append("rejected, and almost allowed:")
        for row in usage.almost[:_MOST_ALMOST]:
            way = "to" if row["direction"] == "egress" else "from"
            of = f"{row['peer']}" + (f" and {row['peers'] - 1} others" if row["peers"] > 1 else "")
            lines.append(
                f"  {row['rule_id']}: {count(row['sessions'], 'session')} {way} {of}, protocol {row['protocol']} "
                f"port {row['port']}: another {row['missed']}"
            )
    return lines + _remarks(usage)


def _remarks(usage: RuleUsage) -> list[str]:
    """Returns what stands below the rows: of how much they are, and what speaks against them."""
    counts = Counter(row["class"] for row in usage.rows)
    said = ", ".join(f"{counts[one]:,} {one.replace('_', ' ')}" for one in CLASSES if counts[one])
    found = usage.contradictions
    lines = [
        f"{count(len(usage.rows), 'rule')} ({said or 'none'}) in {usage.days:g} days, "
        f"{found.sessions:,} sessions judged"
    ]
    lines += contradiction_lines(found.rows())
    lines += [f"not judged: {number:,} sessions {why}" for why, number in usage.left_out.items()]
    return lines + [f"note: {note}" for note in usage.notes]


def contradiction_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Returns contradictions for people, a line a cause."""
    return [
        f"contradiction: {row['sessions']:,} sessions logged as {row['logged']} that the rules {row['rules']}: "
        f"{row['meaning']}; as {row['examples'][0]}"
        for row in rows
    ]


def _printable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row whose texts show what they are, whoever named the groups."""
    return {name: display.printable(value) if isinstance(value, str) else value for name, value in row.items()}
