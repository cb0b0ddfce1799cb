"""The records that a verdict rests on, and what each vantage point saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .attempts import Entry
from .seeing import Seeing
from .settling import Settled
from .tree import Judged
from .verdicts import POINTS

_EACH = 3  # records of a vantage point
_LATE = 2
_NAMES = (
    "interface_id", "srcaddr", "srcport", "dstaddr", "dstport", "pkt_srcaddr", "pkt_dstaddr", "protocol", "action",
    "packets", "bytes", "tcp_flags", "flow_direction", "reject_reason", "tgw_attachment_id", "start", "end", "file",
    "offset",
)  # fmt: skip


def evidence_of(settled: Settled, judged: Sequence[Judged]) -> tuple[dict[str, Any], ...]:
    """Returns records of the attempts that the verdict is of, some of each vantage point, and of late packets."""
    out = []
    taken: dict[tuple[str, object], int] = {}
    for one in settled.attempts:
        for entry in one.attempt.entries:
            key = (point_of(entry), entry.row["action"])
            taken[key] = taken.get(key, 0) + 1
            if taken[key] <= _EACH:
                out.append(_row(entry, key[0]))
    late = [entry for one in judged for entry in one.attempt.late][:_LATE]
    return tuple([*out, *(_row(entry, "late") for entry in late)])


def point_of(entry: Entry) -> str:
    """Returns the vantage point of a record: A to D, ``?`` at nobody knows which end, ``-`` on the way."""
    if entry.side in ("between", "either"):
        return "-" if entry.side == "between" else "?"
    return next(name for name, _, forward, side in POINTS if (forward, side) == (entry.forward, entry.side))


def _row(entry: Entry, seen_at: str) -> dict[str, Any]:
    row = {name: entry.row[name] for name in _NAMES if entry.row.get(name) is not None}
    return {"seen_at": seen_at, **row}


def vantage_of(settled: Settled, seeing: Seeing) -> tuple[dict[str, Any], ...]:
    """Returns a row for each vantage point: what it saw of the attempts, at which interfaces, in how many records."""
    out = []
    for number, (name, what, forward, side) in enumerate(POINTS):
        own = [e for one in settled.attempts for e in one.attempt.entries if point_of(e) == name]
        words = [one.seen[number] for one in settled.attempts]
        interfaces = {e.row["interface_id"] for e in own if e.row["interface_id"]}
        if not interfaces:
            interfaces = {i for one in settled.attempts[:50] for i in seeing.interfaces(one.attempt, side)}  # type: ignore[arg-type]
        out.append(
            {
                "seen_at": name, "what": what, "forward": forward, "seen": _words(own, words),
                "interfaces": sorted(interfaces)[:20], "records": len(own),
                "packets": _sum(e.row["packets"] for e in own), "bytes": _sum(e.row["bytes"] for e in own),
            }
        )  # fmt: skip
    return tuple(out)


def _words(own: Sequence[Entry], words: Sequence[str]) -> str:
    accepted, rejected = any(e.is_accepted for e in own), any(e.is_rejected for e in own)
    if accepted or rejected:
        return "both" if accepted and rejected else "ACCEPT" if accepted else "REJECT"
    if own:
        return "a packet, action unknown"
    return "none" if words and all(word == "none" for word in words) else "unknown"


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if any(value is None for value in known) else sum(value for value in known if value is not None)
