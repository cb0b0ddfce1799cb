"""Attempts that were answered: what became of the connection."""

from __future__ import annotations

import dataclasses

from .attempts import FIN, RST, SYN, Attempt, Entry
from .seeing import Seeing

#: Seconds without a packet from which a connection counts as idle.
IDLE = 60
_LARGE, _SMALL = 500, 400  # mean bytes of packets that were lost, and of those that came through
_BARE = 60  # bytes of a packet without data; a reset has 40 (IPv4) or 60 (IPv6)


@dataclasses.dataclass(frozen=True)
class Refined:
    """What an answered attempt may be."""

    possible: frozenset[str]
    likely: str
    idle: int | None = None


def outcomes_of_answered(attempt: Attempt, seeing: Seeing) -> Refined:
    """Tells what an answered attempt may be: ``works``, ``no_listener``, ``cut_after``, ``mtu_suspected``."""
    if attempt.protocol != 6:
        return Refined(frozenset({"works"}), "works")
    back = [entry for entry in attempt.of(False) if entry.is_accepted]
    if not back:  # nobody saw the answer
        return Refined(frozenset({"works", "no_listener", "cut_after", "mtu_suspected"}), "works")
    if attempt.has_flags:
        return _by_flags(attempt, back, seeing)
    return _by_sizes(attempt, back, seeing)


def _by_flags(attempt: Attempt, back: list[Entry], seeing: Seeing) -> Refined:
    flags = 0
    for entry in back:
        flags |= entry.flags or 0
    opened = any(entry.opens for entry in attempt.entries)
    if flags & RST and not flags & (SYN | FIN) and opened:
        # What only the client got may have been sent by something on the way.
        by_server = any(entry.side == "server" for entry in back)
        return Refined(frozenset({"no_listener"} if by_server else {"no_listener", "lost_between"}), "no_listener")
    if loses_large(attempt):
        return Refined(frozenset({"mtu_suspected"}), "mtu_suspected")
    there = [entry for entry in attempt.of(True) if entry.is_accepted]
    sent = 0
    for entry in there:
        sent |= entry.flags or 0
    cut = _cut(attempt, seeing)
    if cut is not None and not (flags & FIN and sent & FIN):
        idle, certain = cut
        possible = {"cut_after"} if certain else {"cut_after", "works", "mtu_suspected"}
        return Refined(frozenset(possible), "cut_after", idle)
    if flags & FIN and sent & FIN and opened:
        return Refined(frozenset({"works"}), "works")
    possible = {"works", "cut_after", "mtu_suspected"}
    return Refined(frozenset(possible), "works")


def _by_sizes(attempt: Attempt, back: list[Entry], seeing: Seeing) -> Refined:
    """Without flags a reset is known by its size alone, and the end of a connection not at all."""
    if loses_large(attempt):
        return Refined(frozenset({"mtu_suspected", "works", "cut_after"}), "mtu_suspected")
    if cut := _cut(attempt, seeing):
        return Refined(frozenset({"cut_after", "works", "mtu_suspected"}), "cut_after", cut[0])
    bare = 60 if ":" in attempt.server else 40
    sizes = [entry.size for entry in back]
    if any(size is None for size in sizes):
        return Refined(frozenset({"works", "no_listener", "cut_after", "mtu_suspected"}), "works")
    if all(size is not None and size <= bare for size in sizes):
        return Refined(frozenset({"no_listener", "works", "cut_after", "mtu_suspected"}), "no_listener")
    return Refined(frozenset({"works", "cut_after", "mtu_suspected"}), "works")


def loses_large(attempt: Attempt) -> bool:
    """Tells whether one end sent large packets of which the other one got only the small ones."""
    for forward, sender, receiver in ((False, "server", "client"), (True, "client", "server")):
        sent = _totals([e for e in attempt.of(forward, sender) if e.is_accepted])  # type: ignore[arg-type]
        got = _totals([e for e in attempt.of(forward, receiver) if e.is_accepted])  # type: ignore[arg-type]
        if sent is None or got is None or not got[0]:
            continue
        packets, size = sent[0] - got[0], sent[1] - got[1]
        if packets > 0 and size / packets >= _LARGE and got[1] / got[0] <= _SMALL:
            return True
    return False


def _totals(entries: list[Entry]) -> tuple[int, int] | None:
    """Returns packets and bytes."""
    if not entries or any(e.row["packets"] is None or e.row["bytes"] is None for e in entries):
        return None
    return sum(e.row["packets"] for e in entries), sum(e.row["bytes"] for e in entries)


def _cut(attempt: Attempt, seeing: Seeing) -> tuple[int, bool] | None:
    """Returns for how long a connection had been idle before it was cut, and whether that is certain; ``None``: it was
    not cut so far as the records show."""
    timed = [entry for entry in attempt.entries if entry.row["start"] is not None]
    accepted = [entry for entry in timed if entry.is_accepted]
    rejected = [entry for entry in timed if entry.is_rejected]
    if not accepted:
        return None
    rejects = [e for e in rejected if e.start > min(a.start for a in accepted)]
    if rejects and rejects[0].start >= max(e.start for e in accepted):
        return max(rejects[0].start - max(e.end for e in accepted), 0), attempt.has_flags
    idle, before, after = _last_pause(accepted)
    if idle < IDLE:
        return None
    if not any(not entry.forward for entry in before):
        return None
    there = [entry for entry in after if entry.forward]
    back = [entry for entry in after if not entry.forward]
    whole = _no_gap(attempt, seeing, before, after)
    if not back and there and not any((e.flags or 0) & (FIN | RST) for e in there):
        quiet = seeing.is_silent(attempt, "server") or seeing.is_silent(attempt, "client")
        return idle, whole and quiet and attempt.has_flags
    if back and not there and not any((e.flags or 0) & (FIN | RST) for e in back):
        quiet = seeing.is_silent(attempt, "server") or seeing.is_silent(attempt, "client")
        return idle, whole and quiet and attempt.has_flags
    for asking, answering in ((there, back), (back, there)):
        if asking and answering and _is_reset(answering) and not _is_reset(asking):
            return idle, whole and attempt.has_flags
    return None


def _is_reset(entries: list[Entry]) -> bool:
    """Tells whether records are of resets alone: by flags, or by their size where there are none."""
    if all(entry.flags is not None for entry in entries):
        return any((e.flags or 0) & RST for e in entries) and not any((e.flags or 0) & (SYN | FIN) for e in entries)
    return all(entry.size is not None and entry.size <= 40 for entry in entries)


def _last_pause(entries: list[Entry]) -> tuple[int, list[Entry], list[Entry]]:
    """Returns the length of the last pause of a connection, and the records before and after it."""
    ordered = sorted(entries, key=lambda entry: (entry.start, entry.end))
    end = ordered[0].end
    idle, at = 0, 0
    for number, entry in enumerate(ordered):
        if entry.start - end >= IDLE:
            idle, at = entry.start - end, number
        end = max(end, entry.end)
    return idle, ordered[:at], ordered[at:]


def _no_gap(attempt: Attempt, seeing: Seeing, before: list[Entry], after: list[Entry]) -> bool:
    """Tells whether the pause is one of the connection, not of the logs."""
    start, end = max(e.end for e in before), min(e.start for e in after)
    interfaces = {e.row["interface_id"] for e in (*before, *after) if e.row["interface_id"] and e.side != "between"}
    return any(not seeing.why_blind([one], start, end) for one in interfaces)
