"""Verdicts about manifests and bags, as rows for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _display as display
from ..manifest import Row
from ._output import write_out

SHOWN = 50  # rows for people


def row_dict(row: Row) -> dict[str, object]:
    """Returns what ``--json`` prints of a row."""
    names = ("object", "verdict", "kind", "period", "detail")
    return {name: getattr(row, name) for name in names}


def print_rows(rows: Sequence[Row]) -> None:
    """Prints the rows that are not ok, for people."""
    bad = [row for row in rows if row.verdict != "ok"]
    width = max((len(row.verdict) for row in bad), default=0)
    for row in bad[:SHOWN]:
        detail = f": {row.detail}" if row.detail else ""
        write_out(f"{row.verdict.ljust(width)}  {display.printable(row.object + detail)}\n")
    if len(bad) > SHOWN:
        write_out(f"and {len(bad) - SHOWN:,} more; --json prints all\n")
