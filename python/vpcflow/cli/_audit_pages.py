"""Pages of ``vpcflow audit`` for people."""

from __future__ import annotations

import argparse
from collections import Counter

from .._display import instant, printable
from .._layout import terminal_width, text_table, wrapped
from .._words import count
from ..audit.export.common import place_of, sentence_of
from ..audit.matrix import Matrix
from ..audit.result import VERDICTS, WORDS, ControlResult, ControlResults
from ._output import print_note, write_out

_PROBES = [
    ("line", "int64"), ("source", "address"), ("destination", "address"), ("port", "text"), ("protocol", "text"),
    ("time", "time"), ("expected", "text"), ("actual", "text"), ("verdict", "text"),
]  # fmt: skip


def print_results(results: ControlResults) -> None:
    """Prints a paragraph a control, and how many there are of each verdict."""
    width = terminal_width()
    lines: list[str] = []
    for one in results:
        for text in _lines(one):
            lines += wrapped(printable(text), width, "    ")
        lines.append("")
    counts = Counter(one.verdict for one in results)
    said = ", ".join(f"{counts[verdict]:,} {WORDS[verdict]}" for verdict in VERDICTS if counts[verdict])
    write_out("\n".join([*lines, f"{count(len(results), 'control')}: {said or 'none'}"]) + "\n")
    for text in dict.fromkeys(note for one in results for note in one.not_known):
        print_note(f"note: {text}")


def _lines(one: ControlResult) -> list[str]:
    period = "" if one.period is None else one.period[0] if one.period[0] == one.period[1] else " to ".join(one.period)
    lines = [f"{WORDS[one.verdict]}  {one.id}  {period}".rstrip(), f"  {one.question}"]
    lines += [f"  {text}" for text in one.why]
    lines += [f"  broke it: {sentence_of(violation)}" for violation in one.violating]
    for used in one.exceptions:
        if used["used"] or used["past"]:
            past = f", {used['past']:,} after its end" if used["past"] else ""
            lines.append(
                f"  exception {used['id']} of {used['owner']} ({used['ticket']}, until {used['until']}): "
                f"used by {count(used['used'], 'session')}{past}"
            )
    minutes = one.minutes
    lines.append(
        f"  {count(one.total('records'), 'record')}, {count(one.total('sessions'), 'session')}, "
        f"{one.total('asked'):,} asked about; interface-minutes: {minutes['expected']:,} expected, "
        f"{minutes['ok']:,} OK, {minutes['nodata']:,} NODATA, {minutes['skipdata']:,} SKIPDATA, "
        f"{minutes['absent']:,} absent"
    )
    return lines


def print_matrix(found: Matrix, args: argparse.Namespace) -> None:
    """Prints probes: as JSON, or a table with the record of each."""
    if args.json:
        write_out(found.to_json_lines())
        return
    width = terminal_width()
    rows = [{**row, **{name: printable(row[name]) for name in ("port", "protocol")}} for row in found]
    lines = [text_table(_PROBES, rows, width), ""]
    for row in found:
        record = row["record"]
        place = f"; {place_of(record)}, {instant(record['start'])} UTC" if record else ""
        lines += wrapped(printable(f"line {row['line']}: {row['why']}{place}"), width)
    counts = Counter(row["verdict"] for row in found)
    said = ", ".join(f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in sorted(counts.items()))
    write_out("\n".join([*lines, f"{count(len(found), 'probe')}: {said}"]) + "\n")
