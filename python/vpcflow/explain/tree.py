"""The tree: which verdicts an attempt allows, by what each of four vantage points saw of it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

from .._addresses import is_private
from .answered import outcomes_of_answered
from .attempts import FIN, RST, SYN, Attempt, Entry, Side
from .seeing import Seeing

#: What A (client, out), B (server, in), C (server, out) and D (client, in) see: a accept, r reject, n nothing.
PATTERNS = {
    "blocked_at_client": "rnnn", "lost_between": "annn", "blocked_at_server": "arnn", "silent_server": "aann",
    "reply_blocked_server_acl": "aarn", "reply_blocked_client_acl": "aaar", "reply_lost": "aaan", "answered": "aaaa",
}  # fmt: skip
#: Verdicts of connections that came about, and of those that were reset at once.
ANSWERED = ("works", "no_listener", "cut_after", "mtu_suspected")
_EPHEMERAL = 32768  # the first port that clients usually call from
_ASKING = 120  # bytes that no packet has which asks for a connection
_SOME = 3  # packets whose mean tells that they hold data
_POINTS: tuple[tuple[bool, Side], ...] = ((True, "client"), (True, "server"), (False, "server"), (False, "client"))


@dataclasses.dataclass(frozen=True)
class Judged:
    """An attempt with the verdicts that its records allow."""

    attempt: Attempt
    possible: frozenset[str]
    #: Of several the one that its records speak for most; ``None``: none.
    likely: str | None
    #: What each vantage point saw: ``ACCEPT``, ``REJECT``, ``both``, ``none`` or ``unknown``.
    seen: tuple[str, ...]
    #: Of ``cut_after``: seconds without a packet before.
    idle: int | None = None
    #: Whether no verdict fits: records are missing.
    contradicts: bool = False

    @property
    def only(self) -> str | None:
        """The one possible verdict."""
        return next(iter(self.possible)) if len(self.possible) == 1 else None


def judge(attempt: Attempt, seeing: Seeing) -> Judged:
    """Finds the verdicts that an attempt allows."""
    if not attempt.entries:
        possible = {"late_packet"} if not attempt.may_be_late else {"late_packet", "cut_after"}
        return Judged(attempt, frozenset(possible), "late_packet", ("unknown",) * 4)
    observed = [_observe(attempt, sides, seeing) for sides in _hypotheses(attempt)]
    fitting = [{name for name in PATTERNS if _fits(name, points, attempt)} for points in observed]
    contradicts = not any(fitting)
    if contradicts:  # by silences that cannot be
        observed = [tuple(None if point == "n" else point for point in points) for points in observed]
        fitting = [{name for name in PATTERNS if _fits(name, points, attempt)} for points in observed]
    names = set().union(*fitting) or {"cannot_tell"}
    first = next((at for at, own in enumerate(fitting) if own), 0)
    seen = observed[first]
    likely = next(iter(fitting[first])) if len(fitting[first]) == 1 else None
    idle = None
    if "answered" in names:
        refined = outcomes_of_answered(attempt, seeing)
        names = (names - {"answered"}) | refined.possible
        likely, idle = (refined.likely if likely == "answered" or names <= {*ANSWERED} else likely), refined.idle
    elif "reply_lost" in names and _only_resets(attempt):
        names = (names - {"reply_lost"}) | {"no_listener"}
    if _may_be_late(attempt, seeing):
        names |= {"late_packet"}
    if not attempt.has_flags and attempt.protocol == 6 and (attempt.client_port or 0) < _EPHEMERAL:
        names |= {"not_sent"}  # it may be the server that called, from the port that is asked about
    if any(entry.is_doubtful for entry in attempt.entries):
        names |= {*PATTERNS, *ANSWERED, "cannot_tell"} - {"answered"}
    return Judged(
        attempt,
        frozenset(names),
        likely,
        tuple(map(_word, seen)),
        idle,
        contradicts,
    )


def _hypotheses(attempt: Attempt) -> Iterator[dict[str | None, Side]]:
    """Yields where interfaces may be that nobody knows: two that saw the same attempt are at different ends. First
    comes the server's, but of a server with a public address: interfaces have private ones."""
    unknown = sorted({str(e.row["interface_id"]) for e in attempt.entries if e.side == "either"})
    if len(unknown) == 2:
        yield {unknown[0]: "client", unknown[1]: "server"}
        yield {unknown[0]: "server", unknown[1]: "client"}
        return
    taken = {entry.side for entry in attempt.entries}
    ends: list[Side] = ["server", "client"]
    if is_private(attempt.client) and not is_private(attempt.server):
        ends.reverse()
    for sides in itertools.product(ends, repeat=min(len(unknown), 1)):
        if not unknown or sides[0] not in taken:
            yield dict(zip(unknown, sides))
    if len(unknown) > 2 or (unknown and {"client", "server"} <= taken):
        yield dict.fromkeys(unknown, "between")


def _observe(attempt: Attempt, sides: dict[str | None, Side], seeing: Seeing) -> tuple[str | None, ...]:
    """Returns what each vantage point saw: a, r, ``?`` (a packet, with unknown action), n, or ``None`` (unknown)."""
    points: list[str | None] = []
    for forward, side in _POINTS:
        entries = [
            entry
            for entry in attempt.of(forward)
            if (sides.get(str(entry.row["interface_id"]), "between") if entry.side == "either" else entry.side) == side
        ]
        points.append(_action(entries))
    if points[1] is None and points[0] is not None and seeing.translates(attempt):
        quiet_server = False
    else:
        quiet_server = seeing.is_silent(attempt, "server")
    quiet_client = seeing.is_silent(attempt, "client")
    for number, quiet in ((0, quiet_client), (1, quiet_server), (2, quiet_server), (3, quiet_client)):
        if points[number] is None and quiet:
            points[number] = "n"
    return tuple(points)


def _action(entries: list[Entry]) -> str | None:
    if not entries:
        return None
    if any(entry.is_accepted for entry in entries):
        return "a"
    return "r" if all(entry.is_rejected for entry in entries) else "?"


def _fits(name: str, points: tuple[str | None, ...], attempt: Attempt) -> bool:
    """Tells whether a verdict is consistent with what was seen."""
    pattern = PATTERNS[name]
    on_the_way = [entry for entry in attempt.entries if entry.side == "between"]
    there = [entry for entry in on_the_way if entry.forward]
    back = [entry for entry in on_the_way if not entry.forward]
    if there and pattern[0] != "a":
        return False
    if any(entry.is_rejected for entry in there) and name != "lost_between" and points[1] in (None, "n"):
        return False
    if back and name not in ("reply_blocked_client_acl", "reply_lost", "answered"):
        return False
    if any(entry.is_rejected for entry in back) and name != "reply_lost" and points[3] in (None, "n"):
        return False
    if _progresses(attempt) and name != "answered":
        return False
    for number, (expected, point) in enumerate(zip(pattern, points)):
        if number == 2 and point == "n" and back and expected == "a":
            continue  # it answered by another interface
        if point is not None and point != expected and not (point == "?" and expected in "ar"):
            return False
    return True


def _progresses(attempt: Attempt) -> bool:
    """Tells whether the client sent what only a client sends that got an answer: the end of its side, or data."""
    if attempt.protocol != 6:
        return False
    there = [entry for entry in attempt.of(True) if entry.is_accepted]
    ends = attempt.has_flags and any((e.flags or 0) & FIN for e in there) and any(e.opens for e in there)
    return ends or any((e.row["packets"] or 0) >= _SOME and (e.size or 0) > _ASKING for e in there)


def _only_resets(attempt: Attempt) -> bool:
    back = [entry for entry in attempt.of(False) if entry.is_accepted]
    return bool(back) and all(e.flags is not None and e.flags & RST and not e.flags & (SYN | FIN) for e in back)


def _may_be_late(attempt: Attempt, seeing: Seeing) -> bool:
    """Tells whether REJECTs without flags may be of packets that came after a connection of which the logs have
    nothing."""
    rejected = [entry for entry in attempt.entries if entry.is_rejected]
    if attempt.protocol != 6 or not rejected or all(entry.flags is not None for entry in rejected):
        return False
    if any(entry.is_accepted and entry.forward for entry in attempt.entries):
        return False
    interfaces = {entry.row["interface_id"] for entry in rejected if entry.row["interface_id"]}
    first = min(entry.start for entry in rejected)
    return not interfaces or any(not seeing.logs.covers(one, first - 600, first) for one in interfaces)


def _word(point: str | None) -> str:
    return {"a": "ACCEPT", "r": "REJECT", "?": "a packet, action unknown", "n": "none", None: "unknown"}[point]
