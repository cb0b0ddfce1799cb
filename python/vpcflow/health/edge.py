"""What is reported of an edge: counts, the answered share with its interval, and where it changed."""

from __future__ import annotations

import dataclasses
from typing import Any

from .._display import instant
from .._keyed import Keyed
from .changes import RARE, Split, changes_in, could_change
from .edges import Counts, Series
from .intervals import difference, discoveries, wilson
from .outcomes import FAILURES, HALF, LATE, MEANING, ONGOING, REFUSED, REJECTED, RESET, SILENT, TCP, UNKNOWN

#: The share of the changes over all edges that may be false.
FALSE_DISCOVERIES = 0.05
REJECTS_ALONE = "there is rejected traffic alone: what was accepted and answered is not in the logs, or filtered out"
_NO_REPLIES = "no reply was ever seen, and the protocol may have none"
_NOT_LOGGED = "answers to {} of {} attempts are not logged, so that silence says nothing"


@dataclasses.dataclass(frozen=True)
class Change(Keyed):
    """A point in time from which on a share is another."""

    #: ``"answered"``: the share of attempts that were answered; ``"reset"``: that were reset after the answer.
    signal: str
    #: Unix seconds: where the first bin after the change begins.
    time: int
    #: The shares up to the change before, and on to the next one.
    before: float
    after: float
    #: The 95 % interval of the difference, ``after`` minus ``before``.
    low: float
    high: float
    #: The probability of a change as clear as this where there is none, corrected for all places looked at.
    p: float
    #: Attempts on both sides.
    attempts_before: int
    attempts: int
    #: What accounts for most of the change: ``rejected``, ``half``, ``refused``, ``silent``, ``reset``.
    cause: str

    @property
    def worse(self) -> bool:
        """Whether things are worse after it."""
        return (self.after < self.before) == (self.signal == "answered")

    @property
    def sentence(self) -> str:
        """The change in words."""
        what = "answered" if self.signal == "answered" else "reset after the answer"
        when = "most of the failures" if self.worse else "most of the failures before"
        why = f", {when} {MEANING[self.cause]}" if self.cause in MEANING else ""
        return (
            f"from {instant(self.time)} UTC {self.after:.2%} {what}, {self.before:.2%} before "
            f"(difference {self.low:+.2%} to {self.high:+.2%}){why}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {**super().as_dict(), "worse": self.worse, "sentence": self.sentence}


@dataclasses.dataclass(frozen=True)
class Edge(Keyed):
    """Health of one edge: a client, a server and a port."""

    client: str
    server: str
    port: int | None
    protocol: int | None
    #: Tries to connect in the bins that count.
    attempts: int
    #: The share of them that the server accepted, with its 95 % interval (Wilson); ``None`` where the logs cannot show
    #: it, as ``why`` says.
    answered: float | None
    low: float | None
    high: float | None
    changes: tuple[Change, ...]
    #: Why the share is unknown; empty where it is known.
    why: str
    #: Attempts by what became of them: their sum is ``attempts``.
    succeeded: int
    rejected: int
    half: int
    refused: int
    silent: int
    unknown: int
    #: Those of ``succeeded`` that were reset.
    resets: int
    #: Sessions that are no attempts: packets rejected after their connection was over, and what began before the logs.
    late: int
    ongoing: int
    #: New attempts a second, and packets a session.
    attempts_per_second: float
    packets_per_session: float | None
    bytes: int
    #: Bins with sessions that count; and those left out, as records of them are missing, with the sessions in them.
    bins: int
    bins_left_out: int
    sessions_left_out: int
    #: Unix seconds of the first and the last record.
    first: int
    last: int
    #: Error budget and burn rates, if an objective was given.
    slo: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {**vars(self), "changes": [change.as_dict() for change in self.changes]}

    @property
    def name(self) -> str:
        """What it is called: client, server and port."""
        return f"{self.client} -> {self.server}{'' if self.port is None else f' port {self.port}'}"


def edge_of(series: Series, every: int, changes: tuple[Change, ...], rejects_alone: bool) -> Edge:
    """Makes the report of a series."""
    total = series.all
    why = _why(series, total, rejects_alone)
    known = total.known
    low, high = wilson(total.answered, known) if known and not why else (None, None)
    return Edge(
        *series.key, attempts=total.attempts, answered=total.answered / known if known and not why else None,
        low=low, high=high, changes=() if why else changes, why=why, succeeded=total.answered, rejected=total[REJECTED],
        half=total[HALF], refused=total[REFUSED], silent=total[SILENT], unknown=total[UNKNOWN], resets=total[RESET],
        late=total[LATE], ongoing=total[ONGOING],
        attempts_per_second=total.attempts / (every * max(len(series.bins), 1)),
        packets_per_session=series.packets / total.sessions if total.sessions else None, bytes=total.bytes,
        bins=len(series.bins), bins_left_out=len(series.left_out), sessions_left_out=series.left_out_sessions,
        first=series.first, last=series.last,
    )  # fmt: skip


def _why(series: Series, total: Counts, rejects_alone: bool) -> str:
    if rejects_alone:
        return REJECTS_ALONE
    if total.is_known:
        return ""
    if not total.attempts:
        return "no attempt: all of it began before the logs" if total.sessions else "all of its bins are left out"
    if series.key.protocol != TCP and not total.answered:
        return _NO_REPLIES
    return _NOT_LOGGED.format(f"{total[UNKNOWN]:,}", f"{total.attempts:,}")


def changes_of(all_series: list[Series], every: int) -> list[tuple[Change, ...]]:
    """Returns the changes of each series. Over all of them at most a share of :data:`FALSE_DISCOVERIES` is false, and
    one in 2,000 of those that have no change shows one."""
    found: list[tuple[int, Change]] = []
    for number, series in enumerate(all_series):
        if not series.all.is_known:
            continue
        for signal in ("answered", "reset"):
            found += [(number, change) for change in _scanned(series, signal, every)]
    tests = 2 * len(all_series)
    p_values = [change.p for _, change in found]
    limit = discoveries([*p_values, *[1.0] * max(0, tests - len(found))], FALSE_DISCOVERIES)
    out: list[list[Change]] = [[] for _ in all_series]
    for number, change in found:
        if change.p <= limit:
            out[number].append(change)
    return [tuple(sorted(own, key=lambda change: (change.time, change.signal))) for own in out]


def _scanned(series: Series, signal: str, every: int) -> list[Change]:
    total = series.all
    if not could_change(total.failed if signal == "answered" else total[RESET], total.known):
        return []
    numbers = sorted(number for number, counts in series.bins.items() if counts.known)
    bins = [series.bins[number] for number in numbers]
    if signal == "answered":
        tries, hits = [one.known for one in bins], [one.failed for one in bins]
    else:
        tries, hits = [one.known for one in bins], [one[RESET] for one in bins]
    splits = changes_in(tries, hits, RARE)
    borders = [0, *(split.bin for split in splits), len(bins)]
    return [
        _change(signal, numbers[split.bin] * every, split, bins[begin : split.bin], bins[split.bin : end])
        for begin, split, end in zip(borders, splits, borders[2:])
    ]


def _change(signal: str, time: int, split: Split, before: list[Counts], after: list[Counts]) -> Change:
    shares = split.hits_before / split.tries_before, split.hits / split.tries
    low, high = difference(split.hits, split.tries, split.hits_before, split.tries_before)
    if signal != "answered":
        return Change(signal, time, *shares, low, high, split.p, split.tries_before, split.tries, "reset")
    moved = {}
    for cause in FAILURES:
        now, past = (sum(one[cause] for one in side) for side in (after, before))
        moved[cause] = (now / split.tries - past / split.tries_before) * (1 if shares[1] > shares[0] else -1)
    cause = max(FAILURES, key=lambda one: moved[one])
    return Change(
        signal, time, 1 - shares[0], 1 - shares[1], -high, -low, split.p, split.tries_before, split.tries, cause
    )
